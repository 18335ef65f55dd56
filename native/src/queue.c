/*
 * One NFQUEUE: the kernel holds the VM's packets, this half only says up to which one they may go.
 * Nothing of a packet is read: the ids come from /proc, so a marker costs no trip through the
 * socket.
 */
#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (16 * 1024 * 1024) /* packet notices nobody has read yet: some 20,000 */
#define NOTICES 64
#define NOTICE_BYTES 256 /* more than a notice with all it may tell, or an error's message, has */

struct remus_queue {
    int number;
    struct mnl_socket *socket;
    int stop;
    int watched;   /* REMUS_QUEUE_FIRST or REMUS_QUEUE_MUCH is to be told next, or neither */
    int64_t bytes; /* since the last pause */
    struct input input;
    int counters; /* /proc/net/netfilter/nfnetlink_queue of the namespace the queue is in */
};

static struct nlmsghdr *message(void *buffer, int queue, int type, int flags) {
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    header->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
    header->nlmsg_flags = NLM_F_REQUEST | flags;
    struct nfgenmsg *general = mnl_nlmsg_put_extra_header(header, sizeof *general);
    general->nfgen_family = AF_UNSPEC;
    general->version = NFNETLINK_V0;
    general->res_id = htons(queue);
    return header;
}

/* Binds and configures in one message, so that no packet meets a queue that is half set up. */
static int bind_queue(struct remus_queue *queue, int max_packets) {
    char buffer[1024];
    struct nlmsghdr *header = message(buffer, queue->number, NFQNL_MSG_CONFIG, NLM_F_ACK);
    struct nfqnl_msg_config_cmd command = {.command = NFQNL_CFG_CMD_BIND};
    /* A byte of each packet, because then its notice tells the length. */
    struct nfqnl_msg_config_params params = {.copy_mode = NFQNL_COPY_PACKET,
                                             .copy_range = htonl(1)};
    mnl_attr_put(header, NFQA_CFG_CMD, sizeof command, &command);
    mnl_attr_put(header, NFQA_CFG_PARAMS, sizeof params, &params);
    mnl_attr_put_u32(header, NFQA_CFG_QUEUE_MAXLEN, htonl(max_packets));
    mnl_attr_put_u32(header, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO));
    mnl_attr_put_u32(header, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
    if (mnl_socket_sendto(queue->socket, header, header->nlmsg_len) < 0) {
        return -errno;
    }
    for (;;) { /* notices of packets may come before the answer */
        ssize_t bytes = mnl_socket_recvfrom(queue->socket, buffer, sizeof buffer);
        if (bytes < 0) {
            if (errno == ENOSPC || errno == EINTR) {
                continue;
            }
            return -errno;
        }
        header = (struct nlmsghdr *)buffer;
        if (header->nlmsg_type == NLMSG_ERROR) {
            return ((struct nlmsgerr *)mnl_nlmsg_get_payload(header))->error;
        }
    }
}

int remus_queue_open(int number, int max_packets, struct remus_queue **out) {
    if (number < 0 || number > UINT16_MAX || max_packets < 1) {
        return -EINVAL;
    }
    struct remus_queue *queue = malloc(sizeof *queue);
    if (queue == NULL) {
        return -ENOMEM;
    }
    *queue = (struct remus_queue){.number = number, .stop = -1, .counters = -1};
    int error = 0;
    queue->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (queue->socket == NULL || mnl_socket_bind(queue->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        error = -errno;
        goto err;
    }
    queue->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->stop < 0) {
        error = -errno;
        goto err;
    }
    int bytes = RECEIVE_BUFFER;
    if (setsockopt(mnl_socket_get_fd(queue->socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
                   sizeof bytes) < 0) {
        error = -errno;
        goto err;
    }
    error = bind_queue(queue, max_packets);
    if (error == -EPERM) {
        error =
            -EBUSY; /* with the right to set the buffer, this means that another has the queue */
    }
    if (error < 0) {
        goto err;
    }
    /* Not sooner: the file comes with a module, which binding loads.
     * thread-self: a thread may be in another network namespace than its process. */
    queue->counters = open("/proc/thread-self/net/netfilter/nfnetlink_queue", O_RDONLY | O_CLOEXEC);
    if (queue->counters < 0) {
        error = -errno;
        goto err;
    }
    *out = queue;
    return 0;
err:
    remus_queue_close(queue);
    return error;
}

void remus_queue_close(struct remus_queue *queue) {
    if (queue == NULL) {
        return;
    }
    if (queue->socket != NULL) {
        mnl_socket_close(queue->socket); /* the kernel unbinds with it */
    }
    if (queue->stop >= 0) {
        close(queue->stop);
    }
    if (queue->counters >= 0) {
        close(queue->counters);
    }
    input_close(&queue->input);
    free(queue);
}

int remus_queue_input(struct remus_queue *queue, const char *interface) {
    return input_add(&queue->input, interface);
}

void remus_queue_stop(struct remus_queue *queue) {
    uint64_t one = 1;
    ssize_t written = write(queue->stop, &one, sizeof one);
    (void)written; /* it can only fail when the counter is full, and then it is set anyway */
}

static int64_t packet_bytes(const struct nlmsghdr *notice) {
    const struct nlattr *attribute;
    mnl_attr_for_each(attribute, notice, sizeof(struct nfgenmsg)) {
        if (mnl_attr_get_type(attribute) == NFQA_CAP_LEN) {
            return ntohl(mnl_attr_get_u32(attribute));
        }
    }
    return 0;
}

/* Empties the socket; returns how many bytes of packets it told of. A verdict that found nothing to
 * release is answered with ENOENT: no error. */
static int64_t forget_notices(int fd) {
    union {
        struct nlmsghdr header;
        char bytes[NOTICE_BYTES];
    } notices[NOTICES];
    struct iovec pieces[NOTICES];
    struct mmsghdr messages[NOTICES] = {0};
    for (int i = 0; i < NOTICES; i++) {
        pieces[i] = (struct iovec){&notices[i], NOTICE_BYTES};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(fd, messages, NOTICES, MSG_DONTWAIT, NULL);
    if (count < 0) {
        /* ENOBUFS: the socket overflowed; the kernel dropped those packets and counted them. */
        return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
    }
    int64_t bytes = 0;
    for (int i = 0; i < count; i++) {
        const struct nlmsghdr *notice = &notices[i].header;
        if (!mnl_nlmsg_ok(notice, messages[i].msg_len)) {
            continue;
        }
        if (notice->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)) {
            bytes += packet_bytes(notice);
        } else if (notice->nlmsg_type == NLMSG_ERROR) {
            int error = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(notice))->error;
            if (error != 0 && error != -ENOENT) {
                return error;
            }
        }
    }
    return bytes;
}

void queue_watch(struct remus_queue *queue) {
    __atomic_store_n(&queue->bytes, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&queue->watched, REMUS_QUEUE_FIRST, __ATOMIC_RELEASE);
}

/* What of it is to be told. A pause that begins meanwhile may be told of a packet before it. */
static int seen(struct remus_queue *queue, int64_t bytes) {
    int64_t all = __atomic_add_fetch(&queue->bytes, bytes, __ATOMIC_RELAXED);
    int watched = __atomic_load_n(&queue->watched, __ATOMIC_ACQUIRE);
    if (bytes == 0 || watched == 0) {
        return 0;
    }
    int much = all >= REMUS_QUEUE_MUCH_BYTES;
    if (watched == REMUS_QUEUE_FIRST) {
        much |= input_streams(&queue->input);
    } else if (!much) {
        return 0;
    }
    int next = watched == REMUS_QUEUE_FIRST && !much ? REMUS_QUEUE_MUCH : 0;
    __atomic_compare_exchange_n(&queue->watched, &watched, next, 0, __ATOMIC_ACQ_REL,
                                __ATOMIC_RELAXED);
    return much ? REMUS_QUEUE_MUCH : REMUS_QUEUE_FIRST;
}

int remus_queue_drain(struct remus_queue *queue) {
    struct pollfd wait[] = {
        {.fd = mnl_socket_get_fd(queue->socket), .events = POLLIN},
        {.fd = queue->stop, .events = POLLIN},
    };
    for (;;) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR) {
            return -errno;
        }
        if (wait[1].revents != 0) {
            return 0;
        }
        int64_t bytes = forget_notices(wait[0].fd);
        if (bytes < 0) {
            return bytes;
        }
        int told = seen(queue, bytes);
        if (told != 0) {
            return told;
        }
    }
}

int remus_queue_counts(struct remus_queue *queue, int64_t *counts) {
    char text[64 * 1024 + 1];
    size_t used = 0;
    for (ssize_t got = 1; got > 0 && used < sizeof text - 1; used += got) {
        got = pread(queue->counters, text + used, sizeof text - 1 - used, used);
        if (got < 0) {
            return -errno;
        }
    }
    text[used] = 0;
    for (const char *line = text; line != NULL && *line != 0; line = strchr(line, '\n')) {
        line += *line == '\n';
        unsigned number, waiting, dropped, user_dropped, id;
        if (sscanf(line, "%u %*u %u %*u %*u %u %u %u", &number, &waiting, &dropped, &user_dropped,
                   &id) == 5 &&
            number == (unsigned)queue->number) {
            counts[REMUS_QUEUE_WAITING] = waiting;
            counts[REMUS_QUEUE_DROPPED] = dropped;
            counts[REMUS_QUEUE_USER_DROPPED] = user_dropped;
            counts[REMUS_QUEUE_MARKER] = id;
            return 0;
        }
    }
    return -ENODEV; /* unbound behind our back */
}

int64_t remus_queue_marker(struct remus_queue *queue) {
    int64_t counts[REMUS_QUEUE_COUNTS];
    int error = remus_queue_counts(queue, counts);
    return error < 0 ? error : counts[REMUS_QUEUE_MARKER];
}

int remus_queue_release(struct remus_queue *queue, int64_t marker) {
    if (marker < 0 || marker > UINT32_MAX) {
        return -EINVAL;
    }
    char buffer[256];
    struct nlmsghdr *header = message(buffer, queue->number, NFQNL_MSG_VERDICT_BATCH, 0);
    struct nfqnl_msg_verdict_hdr verdict = {.verdict = htonl(NF_ACCEPT), .id = htonl(marker)};
    mnl_attr_put(header, NFQA_VERDICT_HDR, sizeof verdict, &verdict);
    return mnl_socket_sendto(queue->socket, header, header->nlmsg_len) < 0 ? -errno : 0;
}
