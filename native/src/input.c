/*
 * How much the network has sent to a guest, by its interfaces' own counters (rtnetlink(7),
 * RTM_GETSTATS): one message each, whatever else the host has.
 */
#include "internal.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define STREAM_PACKET 1000 /* bytes a packet, of which a stream's have more and requests less */

void input_close(struct input *input) {
    if (input->socket != NULL) {
        mnl_socket_close(input->socket);
    }
    *input = (struct input){0};
}

int input_add(struct input *input, const char *interface) {
    unsigned index = if_nametoindex(interface);
    if (index == 0) {
        return -errno;
    }
    if (input->count == INPUT_MOST) {
        return 0; /* what came to the others is enough to go by */
    }
    if (input->socket == NULL) {
        input->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
        if (input->socket == NULL || mnl_socket_bind(input->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
            int error = -errno;
            input_close(input);
            return error;
        }
    }
    input->interfaces[input->count++] = index;
    input_streams(input);
    return 0;
}

/* Adds nothing when the interface is gone. */
static void add_traffic(const struct input *input, unsigned interface, struct traffic *all) {
    char buffer[1024];
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    header->nlmsg_type = RTM_GETSTATS;
    header->nlmsg_flags = NLM_F_REQUEST;
    struct if_stats_msg *wanted = mnl_nlmsg_put_extra_header(header, sizeof *wanted);
    wanted->ifindex = interface;
    wanted->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
    if (mnl_socket_sendto(input->socket, header, header->nlmsg_len) < 0) {
        return;
    }
    ssize_t bytes = mnl_socket_recvfrom(input->socket, buffer, sizeof buffer);
    if (bytes < 0 || !mnl_nlmsg_ok(header, bytes) || header->nlmsg_type != RTM_NEWSTATS) {
        return;
    }
    const struct nlattr *attribute;
    mnl_attr_for_each(attribute, header, sizeof(struct if_stats_msg)) {
        if (mnl_attr_get_type(attribute) == IFLA_STATS_LINK_64 &&
            mnl_attr_get_payload_len(attribute) >= sizeof(struct rtnl_link_stats64)) {
            struct rtnl_link_stats64 stats;
            memcpy(&stats, mnl_attr_get_payload(attribute), sizeof stats);
            all->bytes += stats.tx_bytes;
            all->packets += stats.tx_packets;
        }
    }
}

bool input_streams(struct input *input) {
    struct traffic all = {0};
    for (int i = 0; i < input->count; i++) {
        add_traffic(input, input->interfaces[i], &all);
    }
    struct traffic since = {all.bytes - input->seen.bytes, all.packets - input->seen.packets};
    input->seen = all;
    return since.bytes >= REMUS_QUEUE_MUCH_INPUT && since.bytes >= since.packets * STREAM_PACKET;
}
