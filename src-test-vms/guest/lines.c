#define _GNU_SOURCE // accept4
#include "lines.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_BUFFER (16 * LINE_MAX_BYTES)

struct line_server {
    int listener;
    int epoll;
    int one_by_one;
    line_answer *answer;
};

struct client {
    int socket;
    size_t in_length, out_length;
    char in[CLIENT_BUFFER];
    char out[CLIENT_BUFFER];
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

struct line_server *lines_listen(unsigned short port, line_answer *answer) {
    struct line_server *server = calloc(1, sizeof *server);
    if (!server)
        die("memory");
    // A reply to a client that has gone must not end the server.
    signal(SIGPIPE, SIG_IGN);
    server->answer = answer;
    server->listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, off = 0;
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(server->listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (bind(server->listener, (struct sockaddr *)&any, sizeof any) || listen(server->listener, 64))
        die("listen");
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event))
        die("epoll");
    return server;
}

void lines_one_by_one(struct line_server *server) {
    server->one_by_one = 1;
}

static void welcome(struct line_server *server) {
    int socket = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0)
        return;
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct client *client = calloc(1, sizeof *client);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (!client || epoll_ctl(server->epoll, EPOLL_CTL_ADD, socket, &event)) {
        free(client);
        close(socket);
        return;
    }
    client->socket = socket;
}

static int would_block(ssize_t result) {
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static int write_out(struct client *client) {
    ssize_t n = client->out_length ? write(client->socket, client->out, client->out_length) : 0;
    if (n < 0)
        return would_block(n) ? 0 : -1;
    client->out_length -= (size_t)n;
    memmove(client->out, client->out + n, client->out_length);
    return 0;
}

// Answers whole lines while there is room for another reply; returns -1 when a line never ends or
// the client has gone.
static int answer_lines(struct line_server *server, struct client *client) {
    size_t done = 0;
    char *end;
    while (client->out_length + LINE_MAX_BYTES <= sizeof client->out &&
           (end = memchr(client->in + done, '\n', client->in_length - done))) {
        *end = 0;
        char *line = client->in + done;
        client->out_length +=
            server->answer(line, (size_t)(end - line), client->out + client->out_length);
        done = (size_t)(end + 1 - client->in);
        if (server->one_by_one && write_out(client))
            return -1;
    }
    client->in_length -= done;
    memmove(client->in, client->in + done, client->in_length);
    int endless =
        client->in_length >= LINE_MAX_BYTES && !memchr(client->in, '\n', client->in_length);
    return endless ? -1 : 0;
}

static int read_in(struct client *client) {
    size_t room = sizeof client->in - client->in_length;
    if (!room)
        return 0;
    ssize_t n = read(client->socket, client->in + client->in_length, room);
    if (n <= 0)
        return would_block(n) ? 0 : -1;
    client->in_length += (size_t)n;
    return 0;
}

static void serve(struct line_server *server, struct client *client, uint32_t events) {
    int gone = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && read_in(client);
    // Twice: what the write frees may let lines be answered that had no room before.
    for (int i = 0; i < 2 && !gone; i++)
        gone = answer_lines(server, client) || write_out(client);
    if (gone) {
        close(client->socket);
        free(client);
        return;
    }
    struct epoll_event event = {.events = client->out_length ? EPOLLOUT : EPOLLIN,
                                .data.ptr = client};
    epoll_ctl(server->epoll, EPOLL_CTL_MOD, client->socket, &event);
}

void lines_serve(struct line_server *server, int timeout_ms) {
    struct epoll_event events[32];
    int n = epoll_wait(server->epoll, events, 32, timeout_ms);
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr)
            serve(server, events[i].data.ptr, events[i].events);
        else
            welcome(server);
    }
}
