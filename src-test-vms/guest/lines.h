// A TCP server for one-line requests and one-line replies: the frame of most programs here.
//
// Every client is served in order; a client that does not read its replies is not read from either,
// so memory is bounded. A line longer than LINE_MAX_BYTES ends its connection.
#pragma once

#include <stddef.h>

#define LINE_MAX_BYTES 1024

struct line_server;

// Writes the reply to `line` (no newline, terminated by NUL) into `reply` of LINE_MAX_BYTES bytes,
// newline included, and returns its length.
typedef size_t line_answer(const char *line, size_t length, char *reply);

// Listens on `port`, IPv4 and IPv6. Ends the program with a message when it cannot.
struct line_server *lines_listen(unsigned short port, line_answer *answer);

// From now on every reply leaves before the next request is looked at. For replies that take time:
// otherwise those to many requests leave together.
void lines_one_by_one(struct line_server *server);

// Serves what is there, waiting at most `timeout_ms` (-1: for ever) for something to do.
void lines_serve(struct line_server *server, int timeout_ms);
