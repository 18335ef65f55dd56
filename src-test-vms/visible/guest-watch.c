// guest-watch MAC FILE: writes down every frame that a guest's card sends, and on which port of
// this network namespace it came in. Run in the switch between several hosts it tells which host
// the guest is seen on; visible-check judges that.
//
//   <CLOCK_REALTIME ns of the arrival> <port> <ethertype, hex> <bytes> <details>
//   dropped <count>        the kernel had no room for so many frames since the last such line
//
// The details of an IPv4 TCP segment are ports, sequence and ack number; those of anything else are
// empty. Every port is watched, also one that comes later. A line is written at once; ends with
// SIGTERM. Prints "watching" when it does.
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOM_BYTES (32 << 20) // in the kernel, for frames that were not read yet
#define SNAP_BYTES 128

static volatile sig_atomic_t stopped;

static void on_signal(int signal) {
    (void)signal;
    stopped = 1;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static uint32_t word(const unsigned char *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return ntohl(value);
}

static uint16_t half(const unsigned char *at) {
    return (uint16_t)(at[0] << 8 | at[1]);
}

// In the kernel: incoming frames of that sender alone, so that all else costs nothing.
static void filter(int s, const unsigned char *mac) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 5, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word(mac), 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 10),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, half(mac + 4), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SNAP_BYTES),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program))
        die("filter");
}

static int watch(const unsigned char *mac) {
    // No protocol yet: nothing arrives before the filter is there.
    int s = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, room = ROOM_BYTES;
    if (s < 0)
        die("socket");
    filter(s, mac);
    if (setsockopt(s, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) ||
        setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
        die("socket");
    struct sockaddr_ll everywhere = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    if (bind(s, (struct sockaddr *)&everywhere, sizeof everywhere))
        die("bind");
    return s;
}

static int64_t arrival_ns(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
        }
    return 0;
}

static void details(FILE *log, const unsigned char *frame, ssize_t length) {
    if (length < 34 || half(frame + 12) != ETH_P_IP || frame[23] != IPPROTO_TCP)
        return;
    const unsigned char *tcp = frame + 14 + (frame[14] & 15) * 4;
    if (tcp + 12 <= frame + length)
        fprintf(log, " %d>%d %" PRIu32 " %" PRIu32, half(tcp), half(tcp + 2), word(tcp + 4),
                word(tcp + 8));
}

static void note_frame(int s, FILE *log) {
    unsigned char frame[SNAP_BYTES], control[128];
    struct sockaddr_ll from;
    struct iovec place = {frame, sizeof frame};
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof from,
                             .msg_iov = &place,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    char port[IF_NAMESIZE];
    ssize_t length = recvmsg(s, &message, MSG_TRUNC);
    if (length < ETH_HLEN)
        return;
    // A port that is gone already had a name, but nobody to tell it.
    if (!if_indextoname((unsigned)from.sll_ifindex, port))
        snprintf(port, sizeof port, "gone-%d", from.sll_ifindex);
    fprintf(log, "%" PRId64 " %s %04x %zd", arrival_ns(&message), port, half(frame + 12), length);
    details(log, frame, length < SNAP_BYTES ? length : SNAP_BYTES);
    fputc('\n', log);
}

static void note_drops(int s, FILE *log) {
    struct tpacket_stats stats;
    socklen_t length = sizeof stats;
    if (!getsockopt(s, SOL_PACKET, PACKET_STATISTICS, &stats, &length) && stats.tp_drops)
        fprintf(log, "dropped %u\n", stats.tp_drops);
}

int main(int argc, char **argv) {
    unsigned char mac[6];
    if (argc != 3 || sscanf(argv[1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2,
                            mac + 3, mac + 4, mac + 5) != 6) {
        fprintf(stderr, "usage: guest-watch MAC FILE\n");
        return 2;
    }
    FILE *log = fopen(argv[2], "we");
    if (!log)
        die(argv[2]);
    setvbuf(log, NULL, _IOLBF, 1 << 12);
    struct sigaction stop = {.sa_handler = on_signal};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    int s = watch(mac);
    puts("watching");
    fflush(stdout);
    while (!stopped) {
        struct pollfd ready = {.fd = s, .events = POLLIN};
        if (poll(&ready, 1, 1000) > 0)
            note_frame(s, log);
        else
            note_drops(s, log);
    }
    note_drops(s, log);
    return fclose(log) ? 1 : 0;
}
