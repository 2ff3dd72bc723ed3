/*
 * fetch - one request at a time to a REP socket, and no waiting for its answer.
 *
 * nng carries it out on a thread of its own, which touches nothing of ours but the
 * event descriptor: that becomes readable when fetch_poll() has something to say.
 * Like reqsock it throws the socket away after a failure; while the request is on
 * its way nng sends it again by itself when the connection breaks.
 */
#pragma once
#include "client/reqsock.h"
#include <stdatomic.h>

struct fetch {
	struct reqsock sock;
	nng_aio *aio; /* owned; NULL: not opened */
	int event;    /* readable: poll; -1 */
	int timeout_ms;
	bool is_running;
	atomic_int step; /* enum fetch_step of fetch.c */
};

enum { FETCH_RUNNING = 1, FETCH_NONE = 2 };

/** @url is borrowed.  0, -ENOMEM, -EMFILE. */
int fetch_open(struct fetch *f, const char *url, int timeout_ms);
/** A request on its way is given up. */
void fetch_close(struct fetch *f);
/** Send @data; nothing may be on its way.  0 or a negated errno. */
int fetch_begin(struct fetch *f, const void *data, size_t len);
/** 0 with the answer, to be freed; FETCH_RUNNING; FETCH_NONE; or a negated errno. */
int fetch_poll(struct fetch *f, nng_msg **out);
