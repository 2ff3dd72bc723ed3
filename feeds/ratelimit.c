#include "feeds/ratelimit.h"
#include "base/clock.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>

#define BURST_DEFAULT 10
#define SPREAD        8                /* departures after a hold ... */
#define SPREAD_NS     (50 * NS_PER_MS) /* ... that are up to so far apart */
#define HOLD_MORE_MAX (5 * NS_PER_S)

int ratelimit_init(struct ratelimit *r, uint32_t requests, int64_t per_ns,
		   uint32_t burst)
{
	*r = (struct ratelimit){0};
	if (requests == 0)
		return 0;
	if (requests > RATELIMIT_REQUESTS_MAX || per_ns <= 0)
		return err_set(
			-EINVAL,
			"%u requests in %lld ns is no rate: at most %d, in a time "
			"above 0",
			requests, (long long)per_ns, RATELIMIT_REQUESTS_MAX);
	r->requests = requests;
	r->burst = burst != 0 ? burst : BURST_DEFAULT;
	if (r->burst > requests)
		r->burst = requests;
	r->interval_ns = per_ns / requests;
	/* The vendor's clock may be a thousandth slower than ours. */
	r->window_ns = per_ns + per_ns / 1000 + NS_PER_MS;
	r->there = calloc(requests, sizeof(*r->there));
	return r->there != NULL ? 0 : err_set(-ENOMEM, "no memory for a rate limit");
}

void ratelimit_free(struct ratelimit *r)
{
	free(r->there);
	*r = (struct ratelimit){0};
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t ratelimit_next_ns(const struct ratelimit *r, int64_t now_ns)
{
	int64_t at = later(now_ns, later(r->held_ns, r->spread_ns));

	if (r->there == NULL)
		return at;
	/* A token is there when at most burst - 1 are missing. */
	at = later(at, r->full_at_ns - (int64_t)(r->burst - 1) * r->interval_ns);
	if (r->count >= r->requests) {
		int64_t there = r->there[r->count % r->requests];

		if (there == RATELIMIT_ON_WAY)
			return RATELIMIT_ON_WAY;
		at = later(at, there + r->window_ns);
	}
	return at;
}

uint64_t ratelimit_take(struct ratelimit *r, int64_t now_ns, struct rng *chance)
{
	if (r->spread > 0) {
		r->spread--;
		r->spread_ns = now_ns + rng_below64(chance, SPREAD_NS);
	}
	if (r->there == NULL)
		return 0;
	r->full_at_ns = later(r->full_at_ns, now_ns) + r->interval_ns;
	r->there[r->count % r->requests] = RATELIMIT_ON_WAY;
	return r->count++;
}

void ratelimit_there(struct ratelimit *r, uint64_t ticket, int64_t now_ns)
{
	if (r->there != NULL)
		r->there[ticket % r->requests] = now_ns;
}

void ratelimit_hold(struct ratelimit *r, int64_t now_ns, int64_t until_ns,
		    struct rng *chance)
{
	int64_t wait = until_ns - now_ns;
	int64_t more = wait / 10 < HOLD_MORE_MAX ? wait / 10 : HOLD_MORE_MAX;

	if (wait <= 0 || until_ns <= r->held_ns)
		return;
	r->held_ns = until_ns + (more > 0 ? rng_below64(chance, more) : 0);
	r->spread = SPREAD;
	if (r->there != NULL)
		r->full_at_ns =
			later(r->full_at_ns,
			      r->held_ns + (int64_t)(r->burst - 1) * r->interval_ns);
}
