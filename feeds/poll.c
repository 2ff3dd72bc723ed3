/* poll - see poll.h. */
#include "feeds/poll.h"
#include "feeds/retry.h"

void poll_init(struct poll *p, int64_t every_ns, uint64_t seed)
{
	*p = (struct poll){.every_ns = every_ns};
	rng_seed(&p->rng, seed);
}

static int64_t failed(struct poll *p, const char *retry_after, int64_t wall_ns)
{
	const struct retry_policy policy = {.attempts = UINT32_MAX,
					    .wait_max_ns = POLL_WAIT_MAX,
					    .backoff_ns = p->every_ns};
	const struct retry_case c = {.verdict = VENDOR_RETRY,
				     .attempt = p->failures + 1,
				     .retry_after = retry_after,
				     .limit_reset = "",
				     .wall_ns = wall_ns};
	struct retry_decision d;
	int64_t wait;

	p->hops = 0;
	p->failures += p->failures < 1000;
	retry_decide(&policy, &c, &p->rng, &d);
	wait = d.wait_ns < POLL_WAIT_MAX ? d.wait_ns : POLL_WAIT_MAX;
	return wait > p->every_ns ? wait : p->every_ns;
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 ||
	       status == 308;
}

bool poll_is_permanent(long status)
{
	return status == 301 || status == 308;
}

enum poll_outcome poll_answer(struct poll *p, const struct http_answer *a,
			      int64_t wall_ns, int64_t *out_wait_ns)
{
	*out_wait_ns = p->every_ns;
	if (a->error == 0 && (a->status == 200 || a->status == 304)) {
		p->failures = p->hops = 0;
		return a->status == 200 ? POLL_READ : POLL_SAME;
	}
	if (a->error == 0 && is_redirect(a->status) && a->location[0] != '\0' &&
	    p->hops < POLL_HOPS_MAX) {
		p->hops++;
		*out_wait_ns = 0;
		return POLL_FOLLOW;
	}
	if (a->error == 0 && a->status == 410)
		return POLL_GONE;
	*out_wait_ns = failed(p, a->error == 0 ? a->retry_after : "", wall_ns);
	return POLL_FAILED;
}

int64_t poll_garbled(struct poll *p, int64_t wall_ns)
{
	return failed(p, "", wall_ns);
}
