/* Two taps whose files this test holds as QEMU would: what comes for the guest at one is carried to
 * the other. */
#include "test.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

#define HEADER ((int)sizeof(struct virtio_net_hdr))
#define MOST 70000

static int new_tap(const char *name) {
    char command[100];
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    strcpy(request.ifr_name, name);
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    if (tap < 0 || ioctl(tap, TUNSETIFF, &request) < 0) {
        skip("no taps, or not root");
    }
    snprintf(command, sizeof command,
             "echo 1 >/proc/sys/net/ipv6/conf/%s/disable_ipv6; ip link set %s up", name, name);
    CHECK_EQUAL(0, system(command));
    return tap;
}

static void alone(void) {
    if (unshare(CLONE_NEWNET) < 0) {
        skip("network namespaces need root");
    }
}

/* A frame of an experimental protocol (0x88b5), told apart by its last byte. */
static void compose(uint8_t *frame, int bytes, uint8_t mark) {
    memset(frame, 0, (size_t)bytes);
    memset(frame + HEADER, 0x52, 12);
    frame[HEADER + 12] = 0x88;
    frame[HEADER + 13] = 0xb5;
    frame[bytes - 1] = mark;
}

static void should_carry_what_comes_for_a_guest_that_does_not_read(void) {
    uint8_t sent[300], seen[MOST], got[MOST];
    struct remus_tap *network, *carry, *there;
    alone();
    int old = new_tap("old"), new = new_tap("new");
    CHECK_EQUAL(0, remus_tap_open("old", 0, &network));
    CHECK_EQUAL(0, remus_tap_open("old", 1, &carry));
    CHECK_EQUAL(0, remus_tap_open("new", 0, &there));
    compose(sent, sizeof sent, 7);
    CHECK_EQUAL(0, remus_tap_write(network, sent, sizeof sent));

    CHECK_EQUAL(sizeof sent, remus_tap_read(carry, seen, sizeof seen));
    CHECK_EQUAL(0, remus_tap_write(there, seen, sizeof sent));

    struct pollfd arrives = {.fd = new, .events = POLLIN};
    CHECK_EQUAL(1, poll(&arrives, 1, 5000));
    CHECK_EQUAL(sizeof sent, read(new, got, sizeof got));
    CHECK(memcmp(got + HEADER, sent + HEADER, sizeof sent - (size_t)HEADER) == 0);
    remus_tap_close(network);
    remus_tap_close(carry);
    remus_tap_close(there);
    close(old);
    close(new);
}

static void should_not_carry_what_the_guest_says(void) {
    uint8_t said[100], sent[100], seen[MOST];
    struct remus_tap *network, *carry;
    alone();
    int tap = new_tap("old");
    CHECK_EQUAL(0, remus_tap_open("old", 0, &network));
    CHECK_EQUAL(0, remus_tap_open("old", 1, &carry));
    compose(said, sizeof said, 1);
    compose(sent, sizeof sent, 2);
    CHECK_EQUAL(sizeof said, write(tap, said, sizeof said));
    CHECK_EQUAL(0, remus_tap_write(network, sent, sizeof sent));

    CHECK_EQUAL(sizeof sent, remus_tap_read(carry, seen, sizeof seen));
    CHECK_EQUAL(2, seen[sizeof sent - 1]);
    remus_tap_close(network);
    remus_tap_close(carry);
    close(tap);
}

static void should_end_once_all_that_came_is_read(void) {
    uint8_t sent[100], seen[MOST];
    struct remus_tap *network, *carry;
    alone();
    int tap = new_tap("old");
    CHECK_EQUAL(0, remus_tap_open("old", 0, &network));
    CHECK_EQUAL(0, remus_tap_open("old", 1, &carry));
    compose(sent, sizeof sent, 3);
    CHECK_EQUAL(0, remus_tap_write(network, sent, sizeof sent));
    remus_tap_stop(carry);

    CHECK_EQUAL(sizeof sent, remus_tap_read(carry, seen, sizeof seen));
    CHECK_EQUAL(0, remus_tap_read(carry, seen, sizeof seen));
    remus_tap_close(network);
    remus_tap_close(carry);
    close(tap);
}

static void should_say_when_the_interface_is_gone(void) {
    uint8_t seen[MOST];
    struct remus_tap *carry;
    alone();
    int tap = new_tap("old");
    CHECK_EQUAL(0, remus_tap_open("old", 1, &carry));
    close(tap);

    CHECK_EQUAL(-ENETDOWN, remus_tap_read(carry, seen, sizeof seen));
    remus_tap_close(carry);
    CHECK_EQUAL(-ENODEV, remus_tap_open("old", 1, &carry));
}

const struct test tap_tests[] = {
    TEST(should_carry_what_comes_for_a_guest_that_does_not_read),
    TEST(should_not_carry_what_the_guest_says),
    TEST(should_end_once_all_that_came_is_read),
    TEST(should_say_when_the_interface_is_gone),
    {0},
};
