/*
 * http - the keeper of libcurl: requests in flight on one thread.
 *
 * Settings are those of the steering document "reliability" 3.4: https alone (http
 * only where the configuration says so), verified, no redirects, no proxy, no
 * cookies, no private addresses, limits of time, speed and decoded size.  A body is
 * collected whole and handed over once, when the transfer has ended; nothing is
 * handed over of a body that was cut off.
 *
 * One thread, but for http_wake().
 */
#pragma once
#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_pool;
struct http_transfer;

struct http_params {
	const char *ca_file;    /* PEM; NULL: the system's */
	bool plain_allowed;     /* http:// as well: for tests and the mock */
	bool private_allowed;   /* loopback and private addresses: the same */
	int64_t connect_ns;     /* 0: 10 s */
	int64_t total_ns;       /* 0: 120 s */
	int64_t stall_ns;       /* slower than 1 byte/s for so long; 0: 20 s */
	uint64_t body_max;      /* decoded bytes; 0: 256 MiB */
	uint32_t in_flight_max; /* connections in all; 0: 64 */
};

int http_pool_new(const struct http_params *p, struct http_pool **out);
/** Cancels what is in flight; nobody is called. */
void http_pool_free(struct http_pool *h);

/** What a request asks; borrowed during http_send() alone. */
struct http_request {
	const char *base_url; /* "https://data.alpaca.markets" */
	const char *target;   /* begins with '/' */
	const char *headers;  /* NUL-terminated lines, one after the other */
	size_t headers_len;
	const char *form; /* NULL: GET, else POST of this body */
	size_t form_len;
	const char *user_agent; /* NULL: ours */
	uint64_t body_max;      /* decoded bytes; 0: as the pool */
};

/** How it ended.  Borrowed during the callback. */
struct http_answer {
	int error;       /* 0, or a negated errno: then there is no answer */
	const char *why; /* with error: a sentence without keys */
	long status;
	const char *body;
	size_t len;
	const char *content_type; /* "" if not said, as all below */
	const char *retry_after;  /* the header's text */
	const char *limit_left;   /* X-RateLimit-Remaining */
	const char *limit_reset;  /* X-RateLimit-Reset */
	const char *warning;      /* X-Warning */
	const char *request_id;
	const char *location; /* a redirect that was not followed */
	const char *etag;
	const char *last_modified;
	int64_t took_ns;
};

typedef void (*http_done_fn)(void *arg, const struct http_answer *a);

/** Begin.  0: @done is called once, from http_step(); else why not, and it is not. */
int http_send(struct http_pool *h, const struct http_request *r, http_done_fn done,
	      void *arg, struct http_transfer **out);
/** End it without a call. */
void http_cancel(struct http_transfer *t);
/** Wait for something, at most @timeout_ns, and handle what came. */
int http_step(struct http_pool *h, int64_t timeout_ns);
/** Any thread: end the wait of http_step(). */
void http_wake(struct http_pool *h);
size_t http_in_flight(const struct http_pool *h);
