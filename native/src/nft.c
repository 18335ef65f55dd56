/* One nftables transaction: a batch of netlink messages that the kernel takes as a whole or not at
 * all. */
#include "nft.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH_BYTES (256 * 1024)

void nft_end(struct transaction *t) {
    if (t->batch != NULL) {
        mnl_nlmsg_batch_stop(t->batch);
    }
    if (t->socket != NULL) {
        mnl_socket_close(t->socket);
    }
    free(t->buffer);
}

int nft_begin(struct transaction *t) {
    *t = (struct transaction){.sequence = time(NULL)};
    t->buffer = malloc(2 * BATCH_BYTES); /* libmnl lets the last message run over the limit */
    t->socket = mnl_socket_open(NETLINK_NETFILTER);
    if (t->buffer == NULL || t->socket == NULL || mnl_socket_bind(t->socket, 0, 0) < 0) {
        int error = t->buffer == NULL ? ENOMEM : errno;
        nft_end(t);
        return -error;
    }
    t->batch = mnl_nlmsg_batch_start(t->buffer, BATCH_BYTES);
    nftnl_batch_begin(mnl_nlmsg_batch_current(t->batch), t->sequence++);
    mnl_nlmsg_batch_next(t->batch);
    return 0;
}

struct nlmsghdr *nft_message(struct transaction *t, int family, int type, int flags) {
    return nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(t->batch), type, family, flags | NLM_F_ACK,
                                 t->sequence++);
}

int nft_commit(struct transaction *t) {
    nftnl_batch_end(mnl_nlmsg_batch_current(t->batch), t->sequence++);
    mnl_nlmsg_batch_next(t->batch);
    if (mnl_socket_sendto(t->socket, mnl_nlmsg_batch_head(t->batch),
                          mnl_nlmsg_batch_size(t->batch)) < 0) {
        return -errno;
    }
    /* The kernel answers while it takes the batch, so all answers are there by now. How many
     * depends on how far it got: it answers once when it does not even begin. */
    int error = 0;
    char reply[8192];
    for (;;) {
        ssize_t bytes = recv(mnl_socket_get_fd(t->socket), reply, sizeof reply, MSG_DONTWAIT);
        if (bytes < 0) {
            return error != 0 || errno == EAGAIN ? error : -errno;
        }
        const struct nlmsghdr *header = (struct nlmsghdr *)reply;
        for (int left = bytes; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
            if (header->nlmsg_type == NLMSG_ERROR && error == 0) {
                error = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(header))->error;
            }
        }
    }
}
