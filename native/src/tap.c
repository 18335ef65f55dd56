/*
 * A guest's tap as the network sees it, by a packet socket (packet(7)): what the bridge sends to
 * the guest is seen there, whether the guest runs or not, and frames can be sent to the guest.
 *
 * PACKET_VNET_HDR puts a struct virtio_net_hdr in front of each frame. Without it a frame whose
 * checksum the sender left to its card, as a neighbour on the same host does, would be seen with a
 * wrong one, and segments that were put together could not be taken apart again.
 */
#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (8 * 1024 * 1024) /* what comes in 50 ms over a gigabit link */

struct remus_tap {
    int socket;
    int stop;
};

void remus_tap_close(struct remus_tap *tap) {
    if (tap != NULL) {
        if (tap->socket >= 0) {
            close(tap->socket);
        }
        if (tap->stop >= 0) {
            close(tap->stop);
        }
        free(tap);
    }
}

int remus_tap_open(const char *interface, int listen, struct remus_tap **out) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = listen ? htons(ETH_P_ALL) : 0, /* protocol 0 hears nothing */
        .sll_ifindex = (int)if_nametoindex(interface),
    };
    if (address.sll_ifindex == 0) {
        return -ENODEV;
    }
    struct remus_tap *tap = malloc(sizeof *tap);
    if (tap == NULL) {
        return -ENOMEM;
    }
    int on = 1, bytes = RECEIVE_BUFFER;
    tap->socket = -1;
    tap->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (tap->stop < 0) {
        goto err;
    }
    tap->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (tap->socket < 0 ||
        setsockopt(tap->socket, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
        setsockopt(tap->socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0 ||
        bind(tap->socket, (struct sockaddr *)&address, sizeof address) < 0) {
        goto err;
    }
    *out = tap;
    return 0;
err:;
    int error = -errno;
    remus_tap_close(tap);
    return error;
}

int64_t remus_tap_read(struct remus_tap *tap, void *frame, int64_t capacity) {
    for (;;) {
        struct sockaddr_ll from;
        socklen_t length = sizeof from;
        ssize_t bytes = recvfrom(tap->socket, frame, (size_t)capacity, MSG_TRUNC,
                                 (struct sockaddr *)&from, &length);
        if (bytes < 0 && errno == EAGAIN) {
            struct pollfd wait[] = {{.fd = tap->socket, .events = POLLIN},
                                    {.fd = tap->stop, .events = POLLIN}};
            if (poll(wait, 2, -1) < 0 && errno != EINTR) {
                return -errno;
            }
            if (wait[1].revents != 0) {
                return 0;
            }
        } else if (bytes < 0 && errno != EINTR) {
            return -errno;
        } else if (bytes > 0 && bytes <= capacity && from.sll_pkttype == PACKET_OUTGOING) {
            return bytes; /* the others came from the guest, or are too large to be carried */
        }
    }
}

void remus_tap_stop(struct remus_tap *tap) {
    uint64_t one = 1;
    ssize_t written = write(tap->stop, &one, sizeof one);
    (void)written; /* an eventfd that is full wakes as well */
}

int remus_tap_write(struct remus_tap *tap, const void *frame, int64_t bytes) {
    return send(tap->socket, frame, (size_t)bytes, 0) < 0 ? -errno : 0;
}
