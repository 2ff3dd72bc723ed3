/*
 * ratelimit - when may the next request to a vendor go out?
 *
 * Two rules at once.  A bucket of `burst` tokens, refilled evenly, keeps requests
 * apart; a memory of the last `requests` requests keeps any stretch of `per_ns` at no
 * more than `requests`, which the bucket alone would exceed by its burst.  The vendor
 * counts arrivals, and the way there takes a different time for each: so a stretch
 * begins with an answer, which is surely later than its request's arrival, and the
 * request that would be one too many leaves after its end.
 *
 * A hold (Retry-After, X-RateLimit-Reset) stops everything until its end.  After it
 * the bucket is empty and the first departures are apart by chance, so that not all
 * who waited go at once.
 *
 * Pure: time and chance come from outside.  One thread.
 */
#pragma once
#include "feeds/rng.h"
#include <stdint.h>

#define RATELIMIT_REQUESTS_MAX 100000
#define RATELIMIT_ON_WAY       INT64_MAX

struct ratelimit {
	uint32_t requests;
	uint32_t burst;
	int64_t window_ns;   /* per_ns and the allowance */
	int64_t interval_ns; /* per_ns / requests */
	int64_t full_at_ns;  /* when the bucket will be full again */
	int64_t held_ns;     /* nothing before; 0: no hold */
	int64_t spread_ns;   /* nothing before, after a hold */
	uint32_t spread;     /* so many departures are still spread */
	int64_t *there; /* owned ring: when the last ones were surely at the vendor,
			   or RATELIMIT_ON_WAY; NULL: no limit */
	uint64_t count; /* departures in all */
};

/** @requests 0: no limit but holds.  @burst 0: as many, at most 10.  0, or -EINVAL
    and why: more than RATELIMIT_REQUESTS_MAX, or no time to do them in. */
int ratelimit_init(struct ratelimit *r, uint32_t requests, int64_t per_ns,
		   uint32_t burst);
void ratelimit_free(struct ratelimit *r);

/** When the next request may go; not after @now_ns: at once.  RATELIMIT_ON_WAY: not
    before ratelimit_there() is told of the oldest one. */
int64_t ratelimit_next_ns(const struct ratelimit *r, int64_t now_ns);
/** One goes, at @now_ns; the ticket is for ratelimit_there(). */
uint64_t ratelimit_take(struct ratelimit *r, int64_t now_ns, struct rng *chance);
/** It was answered, or given up: once for each ticket. */
void ratelimit_there(struct ratelimit *r, uint64_t ticket, int64_t now_ns);
/** Nothing before @until_ns, and up to a tenth of the wait later, by chance.  A
    shorter hold than the present one changes nothing. */
void ratelimit_hold(struct ratelimit *r, int64_t now_ns, int64_t until_ns,
		    struct rng *chance);
