/* One nftables transaction. */
#ifndef REMUS_NFT_H
#define REMUS_NFT_H

#include <libmnl/libmnl.h>
#include <stdint.h>

struct transaction {
    struct mnl_socket *socket;
    struct mnl_nlmsg_batch *batch;
    char *buffer;
    uint32_t sequence;
};

/* Paired with nft_end, unless it fails. */
int nft_begin(struct transaction *t);
/* Begins a message (NFT_MSG_*) at the batch's end; mnl_nlmsg_batch_next follows when it is filled.
 */
struct nlmsghdr *nft_message(struct transaction *t, int family, int type, int flags);
/* The kernel takes all of it or nothing. Returns the first error. */
int nft_commit(struct transaction *t);
void nft_end(struct transaction *t);

#endif
