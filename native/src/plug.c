/*
 * The rules that send a VM's output to its queue: a table `remus`, one base chain, a rule for each
 * interface. Two ways, tried in this order:
 *
 *   bridge  family bridge, `iifname IF queue num N`. Its prerouting hook sees every ethertype, so
 *           ARP and IPv6 are held too.
 *   xtables the match `physdev` and the target `NFQUEUE`, lent by nft_compat to the families ip and
 *           ip6 (not to bridge or inet). For kernels without nftables' own queue expression.
 *           br_netfilter shows bridged IPv4 and IPv6 to these hooks, and nothing else: ARP is not
 *           held.
 */
#include "internal.h"
#include "nft.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/netfilter/xt_physdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TABLE "remus"
#define CHAIN "output"
#define COMMENT "remus:"
#define PRIORITY (-300) /* before connection tracking and whatever else acts on a packet */
#define XT_NFQUEUE_REVISION 3
#define XT_ALIGNED(type) ((sizeof(type) + 7) / 8 * 8)

/* ---- what goes into it ------------------------------------------------------------------------
 */

static int put_table(struct transaction *t, int family, int type, int flags) {
    struct nftnl_table *table = nftnl_table_alloc();
    if (table == NULL) {
        return -ENOMEM;
    }
    nftnl_table_set_str(table, NFTNL_TABLE_NAME, TABLE);
    nftnl_table_nlmsg_build_payload(nft_message(t, family, type, flags), table);
    mnl_nlmsg_batch_next(t->batch);
    nftnl_table_free(table);
    return 0;
}

static int put_chain(struct transaction *t, int family, int type, int flags) {
    struct nftnl_chain *chain = nftnl_chain_alloc();
    if (chain == NULL) {
        return -ENOMEM;
    }
    nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, TABLE);
    nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, CHAIN);
    if (type == NFT_MSG_NEWCHAIN) {
        nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
        nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_INET_PRE_ROUTING);
        nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, PRIORITY);
        nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
    }
    nftnl_chain_nlmsg_build_payload(nft_message(t, family, type, flags), chain);
    mnl_nlmsg_batch_next(t->batch);
    nftnl_chain_free(chain);
    return 0;
}

static struct nftnl_rule *new_rule(int family) {
    struct nftnl_rule *rule = nftnl_rule_alloc();
    if (rule != NULL) {
        nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, family);
        nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, TABLE);
        nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, CHAIN);
    }
    return rule;
}

static void put_rule(struct transaction *t, struct nftnl_rule *rule, int type, int flags) {
    int family = nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY);
    nftnl_rule_nlmsg_build_payload(nft_message(t, family, type, flags), rule);
    mnl_nlmsg_batch_next(t->batch);
}

/* A rule that is there. */
struct known_rule {
    int family;
    uint64_t handle;
    char interface[IFNAMSIZ];
    char owner[NFTNL_UDATA_COMMENT_MAXLEN];
};

static int put_rule_removal(struct transaction *t, const struct known_rule *known) {
    struct nftnl_rule *rule = new_rule(known->family);
    if (rule == NULL) {
        return -ENOMEM;
    }
    nftnl_rule_set_u64(rule, NFTNL_RULE_HANDLE, known->handle);
    put_rule(t, rule, NFT_MSG_DELRULE, 0);
    nftnl_rule_free(rule);
    return 0;
}

static struct nftnl_expr *add_expression(struct nftnl_rule *rule, const char *name) {
    struct nftnl_expr *expression = nftnl_expr_alloc(name);
    if (expression != NULL) {
        nftnl_rule_add_expr(rule, expression);
    }
    return expression;
}

static int add_iifname_and_queue(struct nftnl_rule *rule, const char *interface, int number) {
    char name[IFNAMSIZ] = {0}; /* compared whole, zeros too: vnet1 must not match vnet10 */
    snprintf(name, sizeof name, "%s", interface);
    struct nftnl_expr *meta = add_expression(rule, "meta");
    struct nftnl_expr *compare = add_expression(rule, "cmp");
    struct nftnl_expr *queue = add_expression(rule, "queue");
    if (meta == NULL || compare == NULL || queue == NULL) {
        return -ENOMEM;
    }
    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_KEY, NFT_META_IIFNAME);
    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_DREG, NFT_REG_1);
    nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
    nftnl_expr_set(compare, NFTNL_EXPR_CMP_DATA, name, sizeof name);
    nftnl_expr_set_u16(queue, NFTNL_EXPR_QUEUE_NUM, number);
    nftnl_expr_set_u16(queue, NFTNL_EXPR_QUEUE_TOTAL, 1);
    nftnl_expr_set_u16(queue, NFTNL_EXPR_QUEUE_FLAGS, 0); /* no bypass */
    return 0;
}

static int add_physdev_and_target(struct nftnl_rule *rule, const char *interface, int number) {
    struct nftnl_expr *match = add_expression(rule, "match");
    struct nftnl_expr *target = add_expression(rule, "target");
    /* xtables wants its data padded. The expressions free it. */
    struct xt_physdev_info *device = calloc(1, XT_ALIGNED(*device));
    struct xt_NFQ_info_v3 *queue = calloc(1, XT_ALIGNED(*queue));
    if (match == NULL || target == NULL || device == NULL || queue == NULL) {
        free(device);
        free(queue);
        return -ENOMEM;
    }
    snprintf(device->physindev, sizeof device->physindev, "%s", interface);
    memset(device->in_mask, 0xff, sizeof device->in_mask);
    device->bitmask = XT_PHYSDEV_OP_IN;
    nftnl_expr_set_str(match, NFTNL_EXPR_MT_NAME, "physdev");
    nftnl_expr_set_u32(match, NFTNL_EXPR_MT_REV, 0);
    nftnl_expr_set(match, NFTNL_EXPR_MT_INFO, device, XT_ALIGNED(*device));
    queue->queuenum = number;
    queue->queues_total = 1;
    nftnl_expr_set_str(target, NFTNL_EXPR_TG_NAME, "NFQUEUE");
    nftnl_expr_set_u32(target, NFTNL_EXPR_TG_REV, XT_NFQUEUE_REVISION);
    nftnl_expr_set(target, NFTNL_EXPR_TG_INFO, queue, XT_ALIGNED(*queue));
    return 0;
}

static int add_comment(struct nftnl_rule *rule, const char *owner) {
    char text[NFTNL_UDATA_COMMENT_MAXLEN];
    snprintf(text, sizeof text, COMMENT "%s", owner);
    struct nftnl_udata_buf *data = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
    if (data == NULL) {
        return -ENOMEM;
    }
    nftnl_udata_put_strz(data, NFTNL_UDATA_RULE_COMMENT, text);
    nftnl_rule_set_data(rule, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(data),
                        nftnl_udata_buf_len(data));
    nftnl_udata_buf_free(data);
    return 0;
}

static int put_new_rule(struct transaction *t, int family, const char *interface, int queue,
                        const char *owner) {
    struct nftnl_rule *rule = new_rule(family);
    if (rule == NULL) {
        return -ENOMEM;
    }
    int error = family == NFPROTO_BRIDGE ? add_iifname_and_queue(rule, interface, queue)
                                         : add_physdev_and_target(rule, interface, queue);
    if (error == 0) {
        error = add_comment(rule, owner);
    }
    if (error == 0) {
        put_rule(t, rule, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    }
    nftnl_rule_free(rule);
    return error;
}

/* ---- the rules that are there -----------------------------------------------------------------
 */

struct known_rules {
    struct known_rule *rules;
    int count;
};

static int read_comment(const struct nftnl_udata *field, void *owner) {
    if (nftnl_udata_type(field) == NFTNL_UDATA_RULE_COMMENT) {
        const char *text = nftnl_udata_get(field);
        int length = strnlen(text, nftnl_udata_len(field));
        if (length >= (int)strlen(COMMENT) && memcmp(text, COMMENT, strlen(COMMENT)) == 0) {
            snprintf(owner, NFTNL_UDATA_COMMENT_MAXLEN, "%.*s", length - (int)strlen(COMMENT),
                     text + strlen(COMMENT));
        }
    }
    return 0;
}

static int read_expression(struct nftnl_expr *expression, void *interface) {
    const char *kind = nftnl_expr_get_str(expression, NFTNL_EXPR_NAME);
    uint32_t bytes = 0;
    const char *name = NULL;
    if (strcmp(kind, "cmp") == 0) {
        name = nftnl_expr_get(expression, NFTNL_EXPR_CMP_DATA, &bytes);
    } else if (strcmp(kind, "match") == 0) {
        name = nftnl_expr_get(expression, NFTNL_EXPR_MT_INFO, &bytes); /* begins with physindev */
    }
    if (name != NULL) {
        snprintf(interface, IFNAMSIZ, "%.*s", (int)bytes, name);
    }
    return 0;
}

static int read_rule(const struct nlmsghdr *header, void *context) {
    struct known_rules *known = context;
    struct nftnl_rule *rule = nftnl_rule_alloc();
    struct known_rule *rules = realloc(known->rules, (known->count + 1) * sizeof *rules);
    if (rules != NULL) {
        known->rules = rules;
    }
    if (rule == NULL || rules == NULL || nftnl_rule_nlmsg_parse(header, rule) < 0) {
        nftnl_rule_free(rule);
        return MNL_CB_ERROR;
    }
    struct known_rule *one = &rules[known->count++];
    *one = (struct known_rule){.family = nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY),
                               .handle = nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE)};
    uint32_t bytes = 0;
    const void *data = nftnl_rule_get_data(rule, NFTNL_RULE_USERDATA, &bytes);
    if (data != NULL) {
        nftnl_udata_parse(data, bytes, read_comment, one->owner);
    }
    nftnl_expr_foreach(rule, read_expression, one->interface);
    nftnl_rule_free(rule);
    return MNL_CB_OK;
}

/* Adds the rules of our chain in family to known; none when there is no such table. */
static int list_family(int family, struct known_rules *known) {
    struct mnl_socket *socket = mnl_socket_open(NETLINK_NETFILTER);
    struct nftnl_rule *filter = new_rule(family);
    int error = 0;
    if (socket == NULL || filter == NULL || mnl_socket_bind(socket, 0, 0) < 0) {
        error = filter == NULL ? -ENOMEM : -errno;
    } else {
        char buffer[32768];
        uint32_t sequence = time(NULL);
        struct nlmsghdr *header =
            nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE, family, NLM_F_DUMP, sequence);
        nftnl_rule_nlmsg_build_payload(header, filter);
        ssize_t bytes = mnl_socket_sendto(socket, header, header->nlmsg_len);
        int more = MNL_CB_OK;
        while (bytes >= 0 && more == MNL_CB_OK) {
            bytes = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
            if (bytes >= 0) {
                more = mnl_cb_run(buffer, bytes, sequence, mnl_socket_get_portid(socket), read_rule,
                                  known);
            }
        }
        error = bytes < 0 || more == MNL_CB_ERROR ? -errno : 0;
    }
    nftnl_rule_free(filter);
    if (socket != NULL) {
        mnl_socket_close(socket);
    }
    return error == -ENOENT ? 0 : error;
}

static const int all_families[] = {NFPROTO_BRIDGE, NFPROTO_IPV4, NFPROTO_IPV6};
#define FAMILIES 3

/* The caller frees the rules, unless this fails. */
static int list_rules(struct known_rules *known) {
    *known = (struct known_rules){0};
    for (int i = 0; i < FAMILIES; i++) {
        int error = list_family(all_families[i], known);
        if (error < 0) {
            free(known->rules);
            return error;
        }
    }
    return 0;
}

/* ---- the interface ----------------------------------------------------------------------------
 */

static int put_family(struct transaction *t, int family, const char *interface, int queue,
                      const char *owner) {
    int error = put_table(t, family, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    if (error == 0) {
        error = put_chain(t, family, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    }
    return error < 0 ? error : put_new_rule(t, family, interface, queue, owner);
}

/* Begins a transaction over the rules that are there; `known->rules` is the caller's to free. */
static int begin_over_rules(struct transaction *t, struct known_rules *known) {
    int error = list_rules(known);
    if (error < 0) {
        return error;
    }
    error = nft_begin(t);
    if (error < 0) {
        free(known->rules);
    }
    return error;
}

static int add(int feature, const char *interface, int queue, const char *owner) {
    struct known_rules known;
    struct transaction t;
    int error = begin_over_rules(&t, &known);
    if (error < 0) {
        return error;
    }
    /* An interface belongs to one VM: a rule that is already there is stale, and would hold twice.
     */
    for (int i = 0; error == 0 && i < known.count; i++) {
        if (strcmp(known.rules[i].interface, interface) == 0) {
            error = put_rule_removal(&t, &known.rules[i]);
        }
    }
    if (error == 0 && feature == REMUS_NFT_QUEUE) {
        error = put_family(&t, NFPROTO_BRIDGE, interface, queue, owner);
    } else if (error == 0) {
        error = put_family(&t, NFPROTO_IPV4, interface, queue, owner);
        if (error == 0) {
            error = put_family(&t, NFPROTO_IPV6, interface, queue, owner);
        }
    }
    if (error == 0) {
        error = nft_commit(&t);
    }
    nft_end(&t);
    free(known.rules);
    return error;
}

/* br_netfilter came with the physdev match; each network namespace has its own switches. */
static int show_bridged_packets(void) {
    const char *const switches[] = {"/proc/sys/net/bridge/bridge-nf-call-iptables",
                                    "/proc/sys/net/bridge/bridge-nf-call-ip6tables"};
    for (int i = 0; i < 2; i++) {
        int fd = open(switches[i], O_WRONLY | O_CLOEXEC);
        int error = fd < 0 || write(fd, "1", 1) != 1 ? -errno : 0;
        if (fd >= 0) {
            close(fd);
        }
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

int plug_try(int feature) {
    return add(feature, "none", 0, "probe");
}

int remus_plug_add(const char *interface, int queue, const char *owner) {
    if (strlen(interface) >= IFNAMSIZ || interface[0] == 0 || queue < 0 || queue > UINT16_MAX ||
        owner[0] == 0 || strlen(owner) + sizeof COMMENT > NFTNL_UDATA_COMMENT_MAXLEN) {
        return -EINVAL;
    }
    int error = add(REMUS_NFT_QUEUE, interface, queue, owner);
    if (error == -ENOENT || error == -EOPNOTSUPP || error == -EAFNOSUPPORT) {
        error = add(REMUS_NFT_TARGET, interface, queue, owner);
        if (error == 0) {
            error = show_bridged_packets();
        }
    }
    return error;
}

/* The kernel refuses (EBUSY) when the chain still has a rule, so nobody's rule can be lost. */
static int remove_empty_table(int family) {
    struct transaction t;
    int error = nft_begin(&t);
    if (error < 0) {
        return error;
    }
    error = put_chain(&t, family, NFT_MSG_DELCHAIN, NLM_F_NONREC);
    if (error == 0) {
        error = put_table(&t, family, NFT_MSG_DELTABLE, NLM_F_NONREC);
    }
    if (error == 0) {
        error = nft_commit(&t);
    }
    nft_end(&t);
    return error == -EBUSY || error == -ENOENT ? 0 : error;
}

int remus_plug_remove(const char *owner) {
    struct known_rules known;
    struct transaction t;
    int error = begin_over_rules(&t, &known);
    if (error < 0) {
        return error;
    }
    int found = 0;
    for (int i = 0; error == 0 && i < known.count; i++) {
        if (strcmp(known.rules[i].owner, owner) == 0) {
            error = put_rule_removal(&t, &known.rules[i]);
            found++;
        }
    }
    if (error == 0 && found > 0) {
        error = nft_commit(&t);
    }
    nft_end(&t);
    free(known.rules);
    for (int i = 0; error == 0 && found > 0 && i < FAMILIES; i++) {
        error = remove_empty_table(all_families[i]);
    }
    return error;
}

int remus_plug_list(char *text, int64_t capacity) {
    struct known_rules known;
    int error = capacity < 1 ? -ENOSPC : list_rules(&known);
    if (error < 0) {
        return error;
    }
    text[0] = 0;
    int64_t used = 0;
    for (int i = 0; error == 0 && i < known.count; i++) {
        used += snprintf(text + used, capacity - used, "%s\n", known.rules[i].owner);
        error = used >= capacity ? -ENOSPC : 0;
    }
    free(known.rules);
    return error < 0 ? error : known.count;
}
