// echo-server: TCP and UDP port 7002 send back what they get. One process a connection: nothing to
// buffer, nothing to bound.
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT 7002

static int bound(int type) {
    int s = socket(AF_INET6, type, 0), on = 1, off = 0;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    if (bind(s, (struct sockaddr *)&any, sizeof any)) {
        perror("echo-server: bind");
        exit(1);
    }
    return s;
}

static void echo_datagrams(int s) {
    static char buffer[65536];
    for (;;) {
        struct sockaddr_in6 from;
        socklen_t length = sizeof from;
        ssize_t n = recvfrom(s, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
        if (n >= 0)
            sendto(s, buffer, (size_t)n, 0, (struct sockaddr *)&from, length);
    }
}

static void echo_stream(int s) {
    static char buffer[65536];
    ssize_t n;
    while ((n = read(s, buffer, sizeof buffer)) > 0) {
        ssize_t done = 0, w = 1;
        while (done < n && (w = write(s, buffer + done, (size_t)(n - done))) > 0)
            done += w;
        if (w <= 0)
            return;
    }
}

int main(void) {
    signal(SIGCHLD, SIG_IGN); // the kernel reaps
    signal(SIGPIPE, SIG_IGN);
    int datagrams = bound(SOCK_DGRAM), listener = bound(SOCK_STREAM);
    if (fork() == 0)
        echo_datagrams(datagrams);
    if (listen(listener, 64)) {
        perror("echo-server: listen");
        return 1;
    }
    for (;;) {
        int s = accept(listener, NULL, NULL);
        if (s >= 0 && fork() == 0) {
            echo_stream(s);
            _exit(0);
        }
        close(s);
    }
}
