// Did any packet leave before the epoch that made it was acked?
//
// A packet seen on the guest's tap after the resumption of epoch n-1 and not after the resumption
// of epoch n is output of epoch n: while the guest stands still it sends nothing, so what shows
// then was sent before. It may be seen at the client only when epoch n has been acked on the
// primary. All times: CLOCK_REALTIME, ns.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct epoch {
    int64_t resumed_ns;
    int64_t acked_ns; // INT64_MAX: never
};

struct packet {
    int64_t time_ns;
    uint64_t content; // equal for two sightings of one packet
};

struct verdict {
    size_t epochs;
    size_t compared;         // sightings at the client whose epoch is known
    size_t early;            // of these, before the ack: each one breaks the rule
    size_t undecided;        // made after the last epoch that the log knows, or seen at the client
                             // before or after the time that the capture at the tap tells of
    size_t unmatched;        // at the client while the tap was captured, never at the tap
    int64_t least_margin_ns; // smallest time from ack to sighting over all compared; negative when
                             // early
};

// `epochs` in the order of their resumptions. `tap` and `client` are sorted in place. Sightings at
// the client after `until_ns` do not count: after a failover the guest speaks through another tap.
struct verdict judge(const struct epoch *epochs, size_t epoch_count, struct packet *tap,
                     size_t tap_count, struct packet *client, size_t client_count,
                     int64_t until_ns);
