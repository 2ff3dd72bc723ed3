/*
 * poll - when something on the web is asked for again, and what its answers mean.
 *
 *	200                    read it; again after `every`
 *	304                    it is as it was; again after `every`
 *	301 302 303 307 308    the place it names, at once, POLL_HOPS_MAX times in a row
 *	410                    it is gone for good: never again
 *	all else               it failed; again after `every`, doubled with each failure
 *	                       and cut by chance to between half and all of it, or as
 *	                       Retry-After says; POLL_WAIT_MAX at most
 *
 * Never sooner than `every`.  Pure; one thread.
 */
#pragma once
#include "base/clock.h"
#include "feeds/http.h"
#include "feeds/rng.h"
#include <stdbool.h>
#include <stdint.h>

#define POLL_HOPS_MAX 5
#define POLL_WAIT_MAX (86400 * NS_PER_S)

enum poll_outcome { POLL_READ = 1, POLL_SAME, POLL_FOLLOW, POLL_FAILED, POLL_GONE };

struct poll {
	int64_t every_ns;
	uint32_t failures; /* in a row */
	uint32_t hops;     /* of the question being asked */
	struct rng rng;
};

void poll_init(struct poll *p, int64_t every_ns, uint64_t seed);
/** What @a means, and how long to wait; 0 with POLL_FOLLOW. */
enum poll_outcome poll_answer(struct poll *p, const struct http_answer *a,
			      int64_t wall_ns, int64_t *out_wait_ns);
/** A POLL_READ that could not be read after all: how long to wait. */
int64_t poll_garbled(struct poll *p, int64_t wall_ns);
/** Does the redirect with this status hold for ever? */
bool poll_is_permanent(long status);
