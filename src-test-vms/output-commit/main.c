// output-commit: reads what the guest's tap and the client saw, and the primary's log of acks;
// prints the verdict as JSON. Run it in the boot in which the log was made: it compares the clocks
// of now (see epochs.h).
//
// Exit status: 0 no packet was early; 1 one was, or nothing could be compared; 2 usage, unreadable
// files.
#include "capture.h"
#include "epochs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    if (argc != 5 && argc != 6) {
        fprintf(stderr,
                "usage: output-commit VM EPOCHS.LOG TAP.PCAP CLIENT.PCAP [UNTIL_REALTIME_NS]\n");
        return 2;
    }
    struct epoch *epochs;
    struct packet *tap, *client;
    size_t epoch_count, tap_count, client_count;
    if (epochs_read(argv[2], argv[1], &epochs, &epoch_count) ||
        capture_read(argv[3], &tap, &tap_count) || capture_read(argv[4], &client, &client_count))
        return 2;
    struct verdict v = judge(epochs, epoch_count, tap, tap_count, client, client_count,
                             argc == 6 ? strtoll(argv[5], NULL, 10) : INT64_MAX);
    printf("{\"epochs\":%zu,\"compared_packets\":%zu,\"early_packets\":%zu", v.epochs, v.compared,
           v.early);
    printf(",\"undecided_packets\":%zu,\"unmatched_packets\":%zu", v.undecided, v.unmatched);
    if (v.least_margin_ns == INT64_MAX)
        printf(",\"least_margin_ms\":null}\n");
    else
        printf(",\"least_margin_ms\":%.3f}\n", (double)v.least_margin_ns / 1e6);
    free(epochs);
    free(tap);
    free(client);
    return v.early || !v.compared;
}
