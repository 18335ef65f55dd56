// web-server: HTTP/1.1 with connections that stay open, on TCP port 7080; one process a connection.
//
//   GET /            a page of 4 KiB, made anew for every request
//   GET /bulk        bytes without an end
//   PUT, POST        what is sent is read and forgotten, until the client closes
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT 7080
#define PAGE_BYTES 4096
#define REQUEST_MAX 8192

static int send_all(int s, const char *bytes, size_t length) {
    while (length) {
        ssize_t n = write(s, bytes, length);
        if (n <= 0)
            return -1;
        bytes += n;
        length -= (size_t)n;
    }
    return 0;
}

// As a template with values filled in: every request touches the whole page.
static int send_page(int s, uint64_t request) {
    static char reply[128 + PAGE_BYTES];
    int head = sprintf(reply,
                       "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                       "Content-Length: %d\r\n\r\n",
                       PAGE_BYTES);
    for (int i = 0; i < PAGE_BYTES; i += 32)
        sprintf(reply + head + i, "%12llu.%-18d", (unsigned long long)request, i);
    return send_all(s, reply, (size_t)head + PAGE_BYTES);
}

static void send_for_ever(int s) {
    static char zeros[1 << 16];
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    int failed = send_all(s, head, sizeof head - 1);
    while (!failed)
        failed = send_all(s, zeros, sizeof zeros);
}

static void forget(int s) {
    static char buffer[1 << 16];
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (send_all(s, go_on, sizeof go_on - 1))
        return;
    while (read(s, buffer, sizeof buffer) > 0)
        ;
}

// Requests without a body, one after the other; the client waits for each answer.
static void serve(int s) {
    static char request[REQUEST_MAX + 1];
    size_t length = 0;
    for (uint64_t number = 0;;) {
        ssize_t n = read(s, request + length, REQUEST_MAX - length);
        if (n <= 0)
            return;
        request[length += (size_t)n] = 0;
        char *end = strstr(request, "\r\n\r\n");
        if (!end && length < REQUEST_MAX)
            continue;
        if (!end || !strncmp(request, "P", 1)) {
            forget(s);
            return;
        }
        if (!strncmp(request, "GET /bulk", 9)) {
            send_for_ever(s);
            return;
        }
        if (send_page(s, number++))
            return;
        length = 0;
    }
}

int main(void) {
    signal(SIGCHLD, SIG_IGN); // the kernel reaps
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, 256)) {
        perror("web-server: listen");
        return 1;
    }
    for (;;) {
        int s = accept(listener, NULL, NULL);
        if (s >= 0 && fork() == 0) {
            setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            serve(s);
            _exit(0);
        }
        close(s);
    }
}
