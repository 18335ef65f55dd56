// history-check HISTORY DUMPS [FROM_REALTIME_NS TO_REALTIME_NS]: did the ledger keep all that it
// answered, once, unchanged and in order? One line of JSON; what is wrong, one by one, on stderr.
//
// HISTORY and DUMPS are ledger-crowd's. The two times say where to look for the longest gap between
// answers, which is nothing that is right or wrong. The words of the JSON: see linear.h and below.
//
// Exit status: 0 all is right and something was answered; 1 not so; 2 usage, unreadable files.
#include "linear.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    struct history h;
    if (argc != 3 && argc != 5) {
        fprintf(stderr, "usage: history-check HISTORY DUMPS [FROM_REALTIME_NS TO_REALTIME_NS]\n");
        return 2;
    }
    if (history_read(argv[1], argv[2], &h))
        return 2;
    struct findings f = linear_judge(&h);
    uint64_t wrong = f.lost + f.mismatched + f.misordered + f.stale + f.revived + h.invented +
                     h.doubled + h.changed + h.missing;
    printf("{\"linearizable\":%s", !wrong && f.appends ? "true" : "false");
    printf(",\"appends\":%" PRIu64 ",\"reads\":%" PRIu64 ",\"unanswered\":%" PRIu64
           ",\"unanswered_done\":%" PRIu64,
           f.appends, f.reads, f.unanswered, f.unanswered_done);
    printf(",\"lost\":%" PRIu64 ",\"doubled\":%" PRIu64 ",\"changed\":%" PRIu64
           ",\"invented\":%" PRIu64 ",\"missing\":%" PRIu64,
           f.lost, h.doubled, h.changed, h.invented, h.missing);
    printf(",\"mismatched\":%" PRIu64 ",\"misordered\":%" PRIu64 ",\"stale\":%" PRIu64
           ",\"revived\":%" PRIu64,
           f.mismatched, f.misordered, f.stale, f.revived);
    printf(",\"lives\":%zu,\"life\":\"%s\",\"reconnects\":%" PRIu64, h.life_count,
           h.life_count ? h.lives[h.life_count - 1].name : "", h.connections - h.clients);
    int64_t from = argc == 5 ? strtoll(argv[3], NULL, 10) - h.realtime_offset_ns : 0;
    int64_t to = argc == 5 ? strtoll(argv[4], NULL, 10) - h.realtime_offset_ns : NEVER;
    printf(",\"longest_gap_ms\":%.3f}\n",
           argc == 5 ? (double)longest_gap_ns(&h, from, to) / 1e6 : 0.0);
    history_free(&h);
    return wrong || !f.appends;
}
