/*
 * fetcher - a question to a vendor, asked until it is answered: pages, retries, rate.
 *
 * One fetcher per vendor and key.  It keeps at most in_flight questions open,
 * follows each through its pages, waits as the vendor's limits and Retry-After say,
 * tries again what may be tried again (the table in retry.h), and hands each page to
 * its asker only when the whole of it was read.
 *
 * The thread of its struct http_pool.  Time comes from outside: fetcher_step(now).
 */
#pragma once
#include "feeds/http.h"
#include "feeds/vendor.h"
#include <stdint.h>

struct fetcher;

struct fetcher_params {
	const struct vendor_ops *ops;
	struct vendor_settings settings;
	uint32_t in_flight;  /* questions at once; 0: 8 */
	uint32_t requests;   /* of the token bucket: so many ... */
	int64_t per_ns;      /* ... in this time; 0: no limit */
	uint32_t burst;      /* 0: requests, at most 10 */
	uint32_t attempts;   /* of one request; 0: 6 */
	int64_t wait_max_ns; /* a longer Retry-After fails; 0: 5 minutes */
	int64_t backoff_ns;  /* before the second attempt, doubling; 0: 0.5 s */
	uint64_t seed;       /* of the jitter */
};

enum fetch_state { FETCH_PAGE = 1, FETCH_DONE, FETCH_FAILED };

/** What the asker is told; borrowed during the call. */
struct fetch_news {
	enum fetch_state state;
	const struct vendor_ask *ask;   /* the asker's own */
	const struct vendor_page *page; /* FETCH_PAGE */
	const char *warning; /* FETCH_PAGE: what the vendor says with it, or "" */
	struct vendor_problem problem; /* FETCH_FAILED */
	uint32_t pages;                /* so far */
	uint32_t requests;             /* so far, repetitions included */
	uint64_t rows;
};

/**
 * FETCH_PAGE any number of times, then FETCH_DONE or FETCH_FAILED once.  Return
 * other than 0 from FETCH_PAGE to end the question (no further call).  Called from
 * http_step() and fetcher_step(); it may ask and cancel, but not free the fetcher.
 *
 * An answer that says the key is wrong (VENDOR_AUTH) fails all that were asked
 * before it; what is asked afterwards is tried again.
 */
typedef int (*fetch_fn)(void *arg, const struct fetch_news *n);

struct fetch_counts {
	uint64_t requests;
	uint64_t retries;
	uint64_t limited; /* answers 429 */
	uint64_t failed;  /* questions */
	uint64_t done;
	uint64_t rows;
	uint64_t bytes;        /* decoded */
	int64_t held_until_ns; /* monotonic; the vendor asked us to wait; 0: not; as of
				  the last step */
};

/** @http is borrowed and may be shared by several fetchers of one thread. */
int fetcher_new(struct http_pool *http, const struct fetcher_params *p,
		struct fetcher **out);
void fetcher_free(struct fetcher *f);
/**
 * Queue a question; @ask is copied, its symbols are not (they live until the end).
 * 0 and an id > 0, or -EINVAL with the adapter's reason.
 */
int fetcher_ask(struct fetcher *f, const struct vendor_ask *ask, fetch_fn fn, void *arg,
		uint64_t *out_id);
void fetcher_cancel(struct fetcher *f, uint64_t id);
/** Send what may be sent at @now_ns (monotonic).  How long until more may be; -1:
   nothing waits for time. */
int64_t fetcher_step(struct fetcher *f, int64_t now_ns);
/** Questions queued or in flight. */
size_t fetcher_open(const struct fetcher *f);
void fetcher_counts(const struct fetcher *f, struct fetch_counts *out);
