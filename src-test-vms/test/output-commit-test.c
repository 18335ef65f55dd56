// Tests of the judge of captures, on made-up epochs and packets. Names say what must hold.
#include "../output-commit/capture.h"
#include "../output-commit/epochs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failures;

static void expect(const char *what, int64_t wanted, int64_t found) {
    if (wanted == found)
        return;
    failures++;
    fprintf(stderr, "FAIL %s: wanted %lld, found %lld\n", what, (long long)wanted,
            (long long)found);
}

// Epochs stop at 100, 200, 300, 400; acked 30 later, the last one never.
static const struct epoch epochs[] = {{100, 130}, {200, 230}, {300, 330}, {400, INT64_MAX}};

static struct verdict judge_pair(struct packet tap, struct packet client, int64_t until) {
    return judge(epochs, 4, &tap, 1, &client, 1, until);
}

static void shouldPassAPacketSeenAfterItsAck(void) {
    struct verdict v = judge_pair((struct packet){150, 7}, (struct packet){231, 7}, INT64_MAX);
    expect("compared", 1, (int64_t)v.compared);
    expect("early", 0, (int64_t)v.early);
    expect("margin", 1, v.least_margin_ns);
}

static void shouldFailAPacketSeenBeforeItsAck(void) {
    struct verdict v = judge_pair((struct packet){150, 7}, (struct packet){229, 7}, INT64_MAX);
    expect("early", 1, (int64_t)v.early);
    expect("margin", -1, v.least_margin_ns);
}

static void shouldCountAPacketMadeAtTheStopToTheEpochThatStops(void) {
    struct verdict v = judge_pair((struct packet){200, 7}, (struct packet){230, 7}, INT64_MAX);
    expect("early", 0, (int64_t)v.early);
    v = judge_pair((struct packet){201, 7}, (struct packet){230, 7}, INT64_MAX);
    expect("early, just after the stop", 1, (int64_t)v.early);
}

static void shouldFailAPacketOfAnEpochThatWasNeverAcked(void) {
    struct verdict v = judge_pair((struct packet){350, 7}, (struct packet){999999, 7}, INT64_MAX);
    expect("early", 1, (int64_t)v.early);
}

static void shouldNotJudgeWhatTheLogDoesNotKnow(void) {
    struct verdict v = judge_pair((struct packet){50, 7}, (struct packet){51, 7}, INT64_MAX);
    expect("before protection: compared", 0, (int64_t)v.compared);
    v = judge_pair((struct packet){401, 7}, (struct packet){402, 7}, INT64_MAX);
    expect("after the last epoch: undecided", 1, (int64_t)v.undecided);
    v = judge_pair((struct packet){150, 7}, (struct packet){151, 7}, 150);
    expect("after the power-off: compared", 0, (int64_t)v.compared);
}

static void shouldCountAPacketThatTheTapNeverSaw(void) {
    struct packet tap[] = {{150, 7}, {340, 9}}, client[] = {{331, 8}};
    struct verdict v = judge(epochs, 4, tap, 2, client, 1, INT64_MAX);
    expect("unmatched", 1, (int64_t)v.unmatched);
}

static void shouldNotMissAtTheTapWhatMayHaveBeenHeldSinceBeforeItsCapture(void) {
    struct packet tap[] = {{150, 7}, {340, 9}}, client[] = {{231, 8}};
    struct verdict v = judge(epochs, 4, tap, 2, client, 1, INT64_MAX);
    expect("unmatched", 0, (int64_t)v.unmatched);
    expect("undecided", 1, (int64_t)v.undecided);
}

static void shouldNotMissAtTheTapWhatWasSeenAfterItsCaptureEnded(void) {
    struct packet tap[] = {{150, 7}, {230, 9}}, client[] = {{231, 8}};
    struct verdict v = judge(epochs, 4, tap, 2, client, 1, INT64_MAX);
    expect("unmatched", 0, (int64_t)v.unmatched);
    expect("undecided", 1, (int64_t)v.undecided);
}

// One of two equal packets may leave with the first epoch; the second sighting has to wait for the
// second epoch.
static void shouldMatchEqualPacketsOneToOne(void) {
    struct packet tap[] = {{150, 7}, {250, 7}}, client[] = {{235, 7}, {240, 7}};
    struct verdict v = judge(epochs, 4, tap, 2, client, 2, INT64_MAX);
    expect("compared", 2, (int64_t)v.compared);
    expect("early", 1, (int64_t)v.early);
}

static char *file_with(const void *bytes, size_t length) {
    static char name[] = "/tmp/output-commit-XXXXXX";
    strcpy(name + sizeof name - 7, "XXXXXX");
    int file = mkstemp(name);
    if (file < 0 || write(file, bytes, length) != (ssize_t)length)
        exit(2);
    close(file);
    return name;
}

static void shouldReadTheLogOfOneVmWithoutItsTornLastLine(void) {
    static const char log[] = "vm,term,epoch,started_realtime_ns,stopped_realtime_ns,resumed_"
                              "realtime_ns,acked_realtime_ns,released_realtime_ns,pages,marker\n"
                              "ledger,1,1,1090,1100,1110,1130,1131,5,9\n"
                              "other,1,1,1090,1105,1110,1130,1131,5,9\n"
                              "ledger,1,2,1190,1200,1210,,,5,9\n"
                              "ledger,1,3,1290,1300,131";
    struct epoch *read;
    size_t count;
    char *name = file_with(log, sizeof log - 1);
    expect("result", 0, epochs_read(name, "ledger", &read, &count));
    unlink(name);
    expect("epochs", 2, (int64_t)count);
    expect("resumed", 1110, read[0].resumed_ns);
    expect("ack", 1130, read[0].acked_ns);
    expect("no ack", INT64_MAX, read[1].acked_ns);
    free(read);
}

static void shouldRecognisePacketsWhoseChecksumWasFilledInOnTheWay(void) {
    struct {
        uint32_t header[6];
        struct {
            uint32_t about[4];
            unsigned char frame[64];
        } frames[3];
    } capture = {.header = {0xa1b23c4d, 0x00040002, 0, 0, 65536, 1}};
    for (uint32_t i = 0; i < 3; i++) {
        unsigned char *frame = capture.frames[i].frame;
        memcpy(capture.frames[i].about, (uint32_t[]){1, 5 + i, 64, 64}, 16);
        memcpy(frame + 12, "\x08\x00\x45", 3); // IPv4, 20 bytes of header
        frame[23] = 6;                         // TCP
    }
    capture.frames[1].frame[50] = 0xab; // its checksum
    capture.frames[2].frame[60] = 0xab; // its payload
    struct packet *packets;
    size_t count;
    char *name = file_with(&capture, sizeof capture);
    expect("result", 0, capture_read(name, &packets, &count));
    unlink(name);
    expect("packets", 3, (int64_t)count);
    expect("time", 1000000006, packets[1].time_ns);
    expect("same packet", 1, packets[0].content == packets[1].content);
    expect("another packet", 0, packets[0].content == packets[2].content);
    free(packets);
}

static void shouldRefuseWhatIsNoCapture(void) {
    struct packet *packets;
    size_t count;
    char *name = file_with("nonsense that is longer than a header", 37);
    fclose(freopen("/dev/null", "w", stderr)); // the message is expected
    expect("result", -1, capture_read(name, &packets, &count));
    unlink(name);
}

int main(void) {
    shouldPassAPacketSeenAfterItsAck();
    shouldFailAPacketSeenBeforeItsAck();
    shouldCountAPacketMadeAtTheStopToTheEpochThatStops();
    shouldFailAPacketOfAnEpochThatWasNeverAcked();
    shouldNotJudgeWhatTheLogDoesNotKnow();
    shouldCountAPacketThatTheTapNeverSaw();
    shouldNotMissAtTheTapWhatMayHaveBeenHeldSinceBeforeItsCapture();
    shouldNotMissAtTheTapWhatWasSeenAfterItsCaptureEnded();
    shouldMatchEqualPacketsOneToOne();
    shouldReadTheLogOfOneVmWithoutItsTornLastLine();
    shouldRecognisePacketsWhoseChecksumWasFilledInOnTheWay();
    shouldRefuseWhatIsNoCapture();
    return failures != 0;
}
