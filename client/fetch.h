/*
 * fetch - one request at a time to a REP socket, and no waiting for its answer.
 *
 * What wakes is registered with the caller's epoll; fetch_poll() goes on and says what
 * has become of it.  While a request is on its way it is sent again whenever the
 * connection had to be made again.
 */
#pragma once
#include "client/reqsock.h"

struct fetch {
	struct splink link;
	struct buf request; /* behind its id */
	uint32_t id;
	int deadline; /* timer; -1 */
	int timeout_ms;
	int64_t until_ns;
	uint64_t sent_on; /* the link's life that has the request; 0: none */
	bool is_open;
	bool is_running;
};

enum { FETCH_RUNNING = 1, FETCH_NONE = 2 };

/** @url is borrowed.  0, or as splink_open(). */
int fetch_open(struct fetch *f, const char *url, int timeout_ms, int epoll);
/** A request on its way is given up. */
void fetch_close(struct fetch *f);
/** Send @data; nothing may be on its way.  0 or a negated errno. */
int fetch_begin(struct fetch *f, const void *data, size_t len);
/** What is on its way, if anything is, is not wanted any more. */
void fetch_drop(struct fetch *f);
/** 0 with the answer (reqsock_ask()); FETCH_RUNNING; FETCH_NONE; or a negated errno. */
int fetch_poll(struct fetch *f, struct splink_msg **out);
