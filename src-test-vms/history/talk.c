#include "talk.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef TCP_RTO_MAX_MS // Linux 6.15
#define TCP_RTO_MAX_MS 44
#endif

int64_t talk_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void patience(int socket, int seconds) {
    struct timeval limit = {.tv_sec = seconds};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

int talk_connect(const char *ipv4, unsigned short port, int patience_s) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, ipv4, &address.sin_addr) != 1)
        return -1;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, retry_ms = 1000;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // TCP doubles its wait with each retry, so that an outage seems longer than it is. An older
    // kernel refuses this, and the figures of outages are its own.
    setsockopt(s, IPPROTO_TCP, TCP_RTO_MAX_MS, &retry_ms, sizeof retry_ms);
    patience(s, 1);
    if (connect(s, (struct sockaddr *)&address, sizeof address)) {
        close(s);
        return -1;
    }
    patience(s, patience_s);
    return s;
}

int talk_ask(int socket, const char *question, char answer[TALK_LINE_MAX]) {
    size_t length = strlen(question), have = 0;
    if (send(socket, question, length, MSG_NOSIGNAL) != (ssize_t)length)
        return -1;
    for (;;) {
        ssize_t n = recv(socket, answer + have, TALK_LINE_MAX - 1 - have, 0);
        if (n <= 0)
            return -1;
        have += (size_t)n;
        char *end = memchr(answer, '\n', have);
        if (end) {
            *end = 0;
            return 0;
        }
        if (have == TALK_LINE_MAX - 1)
            return -1;
    }
}
