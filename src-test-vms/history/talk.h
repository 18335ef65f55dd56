// One TCP connection to a ledger: a line is asked, a line is answered.
#pragma once

#include <stdint.h>

#define TALK_LINE_MAX 1024

// CLOCK_MONOTONIC.
int64_t talk_now_ns(void);

// Returns a socket, or -1. Waits one second at most for the connection, and `patience_s` for each
// answer.
int talk_connect(const char *ipv4, unsigned short port, int patience_s);

// Sends `question` (with its newline) and waits for an answer, which gets no newline. Returns 0, or
// -1 when the connection broke or the answer did not come in time: it is of no use any more then.
int talk_ask(int socket, const char *question, char answer[TALK_LINE_MAX]);
