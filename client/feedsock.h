/*
 * feedsock - one nng SUB socket that is rebuilt when the heartbeat stops.
 *
 * nng 1.5.2 may never redial after a peer that accepts and closes at the wrong
 * moment, and it tells nobody; so silence for three heartbeats is the sign.
 */
#pragma once
#include "proto/event.h"
#include <nng/nng.h>

#define FEEDSOCK_QUEUE   8192 /* messages held for us, nng's maximum */
#define FEEDSOCK_MISSES  3
#define FEEDSOCK_MSG_MAX (64u << 20)

struct feedsock {
	const char *url; /* borrowed */
	enum event_kind kind;
	nng_socket socket;
	bool is_open;
	int fd;            /* readable when a message waits; -1 */
	int64_t heard_ns;  /* monotonic; of the last message or of the opening */
	bool is_late;      /* it had not been asked for long */
	int64_t looked_ns; /* when feedsock_is_silent() was last asked */
};

enum { FEEDSOCK_EMPTY = 1 };

/** Dial in the background and subscribe to @kind and heartbeats. */
int feedsock_open(struct feedsock *f, const char *url, enum event_kind kind);
void feedsock_close(struct feedsock *f);
/** The next message, the caller's to free: 0, FEEDSOCK_EMPTY or a negated errno. */
int feedsock_take(struct feedsock *f, nng_msg **out);
/** Was it silent for too long? */
bool feedsock_is_silent(struct feedsock *f, int heartbeat_ms);
