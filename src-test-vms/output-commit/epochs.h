// Reads the agent's epoch log (option [log] epochs of remus.conf).
#pragma once

#include "judge.h"

// Lines of `vm` in the order of the file; all times are CLOCK_REALTIME. An empty or zero ack time
// means "never". A last line cut off by a power-off is left out. Returns 0, or -1 with a message on
// stderr. The caller frees *epochs.
int epochs_read(const char *path, const char *vm, struct epoch **epochs, size_t *count);
