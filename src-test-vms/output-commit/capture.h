// Reads a capture file of Ethernet frames in this machine's byte order, with times in micro- or
// nanoseconds (tcpdump
// --time-stamp-precision=nano -w).
#pragma once

#include "judge.h"

// Returns 0, or -1 with a message on stderr. A frame cut off at the file's end is left out. The
// caller frees *packets.
int capture_read(const char *path, struct packet **packets, size_t *count);
