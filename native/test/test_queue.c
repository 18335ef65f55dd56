/* Two stations on a bridge, in namespaces of their own; what one of them sends is held. */
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

#define QUEUE 5
#define ANY_PROTOCOL 0x88b5 /* for experiments */

struct net {
    int bridge; /* network namespaces */
    int guest;
    int client;
    struct remus_queue *queue;
    pthread_t drain;
};

static int new_namespace(void) {
    if (unshare(CLONE_NEWNET) < 0) {
        skip("network namespaces need root");
    }
    return open("/proc/self/ns/net", O_RDONLY);
}

static void shell(const char *command) {
    if (system(command) != 0) {
        skip("no iproute2");
    }
}

static void enter(int namespace) {
    CHECK(setns(namespace, CLONE_NEWNET) == 0);
}

static void *drain(void *queue) {
    return (void *)(intptr_t)remus_queue_drain(queue);
}

static struct net lay(void) {
    struct net net;
    char command[600];
    if ((remus_probe() & (REMUS_NFT_QUEUE | REMUS_NFT_TARGET)) == 0) {
        skip("no NFQUEUE for nftables, or not root");
    }
    net.guest = new_namespace();
    net.client = new_namespace();
    net.bridge = new_namespace();
    snprintf(command, sizeof command,
             "ip link add name br0 type bridge mcast_snooping 0 && ip link set br0 up && "
             "ip link add tapg type veth peer name g && ip link add tapc type veth peer name c && "
             "ip link set g netns /proc/%d/fd/%d && ip link set c netns /proc/%d/fd/%d && "
             "ip link set tapg master br0 up && ip link set tapc master br0 up",
             getpid(), net.guest, getpid(), net.client);
    shell(command);
    enter(net.guest);
    shell("ip addr add 10.0.0.1/24 dev g && ip link set g up && ip link set lo up");
    enter(net.client);
    shell("ip addr add 10.0.0.2/24 dev c && ip link set c up && ip link set lo up");
    enter(net.bridge);
    CHECK_EQUAL(0, remus_plug_add("tapg", QUEUE, "vm"));
    CHECK_EQUAL(0, remus_queue_open(QUEUE, 1000, &net.queue));
    CHECK_EQUAL(0, remus_queue_input(net.queue, "tapg"));
    CHECK_EQUAL(-ENODEV, remus_queue_input(net.queue, "none"));
    CHECK_EQUAL(0, pthread_create(&net.drain, NULL, drain, net.queue));
    return net;
}

static void lift(struct net *net) {
    void *result;
    remus_queue_stop(net->queue);
    pthread_join(net->drain, &result);
    CHECK_EQUAL(0, (intptr_t)result);
    remus_queue_close(net->queue);
    enter(net->bridge);
    CHECK_EQUAL(0, remus_plug_remove("vm"));
    close(net->bridge);
    close(net->guest);
    close(net->client);
}

static int udp(int namespace, const char *address) {
    enter(namespace);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* A packet that is held may count against its sender: a guest's card has room for all of them,
     * and so must this. */
    int room = 16 * 1024 * 1024;
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) == 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(99)};
    inet_aton(address, &at.sin_addr);
    CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

static void send_to(int fd, const char *address, const void *data, ssize_t bytes) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(99)};
    inet_aton(address, &to.sin_addr);
    CHECK_EQUAL(bytes, sendto(fd, data, bytes, 0, (struct sockaddr *)&to, sizeof to));
}

static void send_number(int fd, const char *address, int number) {
    send_to(fd, address, &number, sizeof number);
}

static void expect_number(int fd, int number) {
    int got = -1;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    CHECK_EQUAL(1, poll(&wait, 1, 10000));
    CHECK(recv(fd, &got, sizeof got, 0) == sizeof got);
    CHECK_EQUAL(number, got);
}

static void wait_marker(struct remus_queue *queue, int64_t at_least) {
    for (int64_t end = now_ns() + 10000000000ll; remus_queue_marker(queue) < at_least;) {
        CHECK(now_ns() < end);
        usleep(1000);
    }
}

/* Until address resolution is through, in both ways, whatever is held of it. Returns the marker
 * then. */
static int64_t introduce(struct net *net, int guest, int client) {
    send_number(client, "10.0.0.1", -1);
    for (int64_t end = now_ns() + 10000000000ll;;) {
        CHECK(now_ns() < end);
        int64_t marker = remus_queue_marker(net->queue);
        CHECK_EQUAL(0, remus_queue_release(net->queue, marker));
        struct pollfd wait = {.fd = guest, .events = POLLIN};
        if (poll(&wait, 1, 20) == 1) {
            break;
        }
    }
    expect_number(guest, -1);
    send_number(guest, "10.0.0.2", -2);
    for (struct pollfd wait = {.fd = client, .events = POLLIN}; poll(&wait, 1, 20) == 0;) {
        CHECK_EQUAL(0, remus_queue_release(net->queue, remus_queue_marker(net->queue)));
    }
    expect_number(client, -2);
    return remus_queue_marker(net->queue);
}

static void should_tell_once_of_what_is_sent_after_a_pause(void) {
    struct net net = lay();
    int guest = udp(net.guest, "10.0.0.1"), client = udp(net.client, "10.0.0.2");
    int64_t before = introduce(&net, guest, client);
    queue_watch(net.queue);
    send_number(guest, "10.0.0.2", 1);
    void *told;
    pthread_join(net.drain, &told);
    CHECK_EQUAL(REMUS_QUEUE_FIRST, (intptr_t)told);
    CHECK_EQUAL(0, pthread_create(&net.drain, NULL, drain, net.queue));
    send_number(guest, "10.0.0.2", 2);
    wait_marker(net.queue, before + 2);
    lift(&net); /* finds the thread still draining */
}

static void should_tell_once_that_much_was_sent_after_a_pause(void) {
    struct net net = lay();
    int guest = udp(net.guest, "10.0.0.1"), client = udp(net.client, "10.0.0.2");
    static char datagram[60000];
    introduce(&net, guest, client);
    queue_watch(net.queue);
    for (int sent = 0; sent < REMUS_QUEUE_MUCH_BYTES; sent += sizeof datagram) {
        send_to(guest, "10.0.0.2", datagram, sizeof datagram);
    }
    void *told;
    do { /* of the first one by itself, unless all of them came at once */
        pthread_join(net.drain, &told);
        CHECK((intptr_t)told == REMUS_QUEUE_FIRST || (intptr_t)told == REMUS_QUEUE_MUCH);
        CHECK_EQUAL(0, pthread_create(&net.drain, NULL, drain, net.queue));
    } while ((intptr_t)told != REMUS_QUEUE_MUCH);
    lift(&net); /* finds the thread still draining */
}

static intptr_t told_of_the_next_packet(struct net *net, int guest) {
    void *told;
    queue_watch(net->queue);
    send_number(guest, "10.0.0.2", 1);
    pthread_join(net->drain, &told);
    CHECK_EQUAL(0, pthread_create(&net->drain, NULL, drain, net->queue));
    return (intptr_t)told;
}

static void should_tell_that_much_came_to_the_guest_before_it_sent(void) {
    struct net net = lay();
    int guest = udp(net.guest, "10.0.0.1"), client = udp(net.client, "10.0.0.2");
    static char datagram[60000];
    introduce(&net, guest, client);
    CHECK_EQUAL(REMUS_QUEUE_FIRST, told_of_the_next_packet(&net, guest));
    for (int i = 0; i < 2; i++) {
        send_to(client, "10.0.0.1", datagram, sizeof datagram);
        CHECK(recv(guest, datagram, sizeof datagram, 0) == sizeof datagram);
    }
    CHECK_EQUAL(REMUS_QUEUE_MUCH, told_of_the_next_packet(&net, guest));
    CHECK_EQUAL(REMUS_QUEUE_FIRST, told_of_the_next_packet(&net, guest)); /* not again for it */
    lift(&net);
}

static void should_release_up_to_the_marker_and_no_further(void) {
    struct net net = lay();
    int guest = udp(net.guest, "10.0.0.1"), client = udp(net.client, "10.0.0.2");
    int64_t before = introduce(&net, guest, client);
    for (int i = 0; i < 10; i++) {
        send_number(guest, "10.0.0.2", i);
    }
    wait_marker(net.queue, before + 10);
    int64_t marker = remus_queue_marker(net.queue);
    for (int i = 10; i < 20; i++) {
        send_number(guest, "10.0.0.2", i);
    }
    wait_marker(net.queue, marker + 10);
    struct pollfd wait = {.fd = client, .events = POLLIN};
    CHECK_EQUAL(
        0, poll(&wait, 1, 200)); /* nothing may come: the one thing that cannot be waited for */
    CHECK_EQUAL(0, remus_queue_release(net.queue, marker));
    for (int i = 0; i < 10; i++) {
        expect_number(client, i);
    }
    CHECK_EQUAL(0, poll(&wait, 1, 200));
    int64_t counts[REMUS_QUEUE_COUNTS];
    CHECK_EQUAL(0, remus_queue_counts(net.queue, counts));
    CHECK(counts[REMUS_QUEUE_WAITING] >= 10);
    CHECK_EQUAL(0, counts[REMUS_QUEUE_DROPPED]);
    CHECK_EQUAL(0, remus_queue_release(net.queue, remus_queue_marker(net.queue)));
    for (int i = 10; i < 20; i++) {
        expect_number(client, i);
    }
    CHECK_EQUAL(0,
                remus_queue_release(net.queue, remus_queue_marker(net.queue))); /* nothing waits */
    lift(&net);
}

static void should_drop_output_when_nobody_listens(void) {
    struct net net = lay();
    int guest = udp(net.guest, "10.0.0.1"), client = udp(net.client, "10.0.0.2");
    introduce(&net, guest, client);
    remus_queue_stop(net.queue);
    pthread_join(net.drain, NULL);
    remus_queue_close(net.queue);
    enter(net.bridge);
    send_number(guest, "10.0.0.2", 1);
    struct pollfd wait = {.fd = client, .events = POLLIN};
    CHECK_EQUAL(0, poll(&wait, 1, 300));
    CHECK_EQUAL(0, remus_plug_remove("vm"));
    send_number(guest, "10.0.0.2", 2);
    expect_number(client, 2);
}

static void should_count_what_a_full_queue_drops(void) {
    struct net net = lay();
    int guest = udp(net.guest, "10.0.0.1"), client = udp(net.client, "10.0.0.2");
    introduce(&net, guest, client);
    for (int i = 0; i < 1100; i++) {
        send_number(guest, "10.0.0.2", i);
    }
    int64_t counts[REMUS_QUEUE_COUNTS] = {0};
    for (int64_t end = now_ns() + 10000000000ll; counts[REMUS_QUEUE_DROPPED] < 100;) {
        CHECK(now_ns() < end);
        CHECK_EQUAL(0, remus_queue_counts(net.queue, counts));
    }
    CHECK_EQUAL(1000, counts[REMUS_QUEUE_WAITING]);
    lift(&net);
}

/* For frames of a protocol that nobody knows. */
static int raw(int namespace, const char *interface) {
    enter(namespace);
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ANY_PROTOCOL));
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ANY_PROTOCOL),
                             .sll_ifindex = if_nametoindex(interface)};
    CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

static void should_hold_every_protocol(void) {
    if ((remus_probe() & REMUS_NFT_QUEUE) == 0) {
        skip("this kernel's nftables has no queue expression");
    }
    struct net net = lay();
    int guest = raw(net.guest, "g"), client = raw(net.client, "c");
    int64_t before = remus_queue_marker(net.queue);
    struct sockaddr_ll everybody = {.sll_family = AF_PACKET,
                                    .sll_protocol = htons(ANY_PROTOCOL),
                                    .sll_halen = 6,
                                    .sll_addr = {255, 255, 255, 255, 255, 255}};
    enter(net.guest); /* where the index counts */
    everybody.sll_ifindex = if_nametoindex("g");
    int number = 7;
    CHECK(sendto(guest, &number, sizeof number, 0, (struct sockaddr *)&everybody,
                 sizeof everybody) == sizeof number);
    wait_marker(net.queue, before + 1);
    struct pollfd wait = {.fd = client, .events = POLLIN};
    CHECK_EQUAL(0, poll(&wait, 1, 200));
    do { /* the marker may be that of another packet, sent by the guest's kernel */
        CHECK_EQUAL(0, remus_queue_release(net.queue, remus_queue_marker(net.queue)));
    } while (poll(&wait, 1, 20) == 0);
    expect_number(client, number);
    lift(&net);
}

static void should_refuse_a_queue_that_is_taken(void) {
    struct net net = lay();
    struct remus_queue *second;
    CHECK_EQUAL(-EBUSY, remus_queue_open(QUEUE, 10, &second));
    lift(&net);
}

static void should_remove_the_rules_of_one_owner_only(void) {
    char text[1000];
    if ((remus_probe() & (REMUS_NFT_QUEUE | REMUS_NFT_TARGET)) == 0) {
        skip("no NFQUEUE for nftables, or not root");
    }
    new_namespace();
    CHECK_EQUAL(0, remus_plug_list(text, sizeof text));
    CHECK_EQUAL(0, remus_plug_add("vnet1", 1, "one"));
    int each = remus_plug_list(text, sizeof text);
    CHECK(each == 1 || each == 2);
    CHECK(strncmp(text, "one\n", 4) == 0);
    CHECK_EQUAL(0, remus_plug_add("vnet10", 2, "two"));
    CHECK_EQUAL(0, remus_plug_add("vnet11", 2, "two"));
    CHECK_EQUAL(3 * each, remus_plug_list(text, sizeof text));
    CHECK_EQUAL(-ENOSPC, remus_plug_list(text, 6));
    CHECK_EQUAL(0, remus_plug_add("vnet1", 3, "three")); /* the interface has a new owner */
    CHECK_EQUAL(3 * each, remus_plug_list(text, sizeof text));
    CHECK(strstr(text, "one") == NULL && strstr(text, "three") != NULL);
    CHECK_EQUAL(0, remus_plug_remove("two"));
    CHECK_EQUAL(each, remus_plug_list(text, sizeof text));
    CHECK_EQUAL(0, remus_plug_remove("nobody"));
    CHECK_EQUAL(0, remus_plug_remove("three"));
    CHECK_EQUAL(0, remus_plug_list(text, sizeof text));
    CHECK_EQUAL(-EINVAL, remus_plug_add("a-name-that-is-too-long", 1, "one"));
}

const struct test queue_tests[] = {
    TEST(should_tell_once_of_what_is_sent_after_a_pause),
    TEST(should_tell_once_that_much_was_sent_after_a_pause),
    TEST(should_tell_that_much_came_to_the_guest_before_it_sent),
    TEST(should_release_up_to_the_marker_and_no_further),
    TEST(should_drop_output_when_nobody_listens),
    TEST(should_count_what_a_full_queue_drops),
    TEST(should_hold_every_protocol),
    TEST(should_refuse_a_queue_that_is_taken),
    TEST(should_remove_the_rules_of_one_owner_only),
    {0},
};
