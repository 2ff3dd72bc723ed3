/*
 * retry - what may be asked again, how often, and after how long.
 *
 *	what happened                     again?
 *	------------------------------    -------------------------------------------
 *	no connection, no answer in       yes
 *	  time, cut off, closed
 *	408 425 429 500 502 503 504       yes
 *	a 200 that does not parse         once
 *	a wrong certificate, a private    never
 *	  address, too large
 *	everything else (400 401 403      never
 *	  404 422, redirects ...)
 *
 * The wait is Retry-After if it was said, else X-RateLimit-Reset, else doubles with
 * each attempt and is cut by chance to between half and all of it.  A wait beyond the
 * bound is not waited: the question fails and says so.
 *
 * Pure.  Any thread.
 */
#pragma once
#include "feeds/rng.h"
#include "feeds/vendor.h"
#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
	uint32_t attempts;   /* of one request, the first included */
	int64_t wait_max_ns; /* a longer wait fails the question */
	int64_t backoff_ns;  /* before the second attempt; doubles; 64 of it at most */
};

/** How an attempt ended. */
struct retry_case {
	enum vendor_verdict verdict;
	uint32_t attempt;        /* 1: it was the first */
	uint32_t garbled;        /* answers to this request that did not parse, this one
				    included */
	const char *retry_after; /* headers; "" if not said */
	const char *limit_reset;
	int64_t wall_ns;
};

enum retry_action {
	RETRY_NEVER = 1, /* the verdict is final */
	RETRY_GIVE_UP,   /* it would be worth it, but not so often */
	RETRY_TOO_LONG,  /* the vendor asks for a wait beyond the bound: wait_ns */
	RETRY_AFTER,     /* again, after wait_ns */
};

struct retry_decision {
	enum retry_action action;
	int64_t wait_ns;
	bool told; /* the vendor named the time */
};

void retry_decide(const struct retry_policy *p, const struct retry_case *c,
		  struct rng *chance, struct retry_decision *out);

/** Verdict of an answer by its status alone; what a vendor means by it may differ. */
enum vendor_verdict retry_status(long status);
/** Verdict of a transfer that brought no answer (http_answer.error). */
enum vendor_verdict retry_error(int error);

/** Retry-After: seconds or an HTTP date, in one of its three forms.  0 and the wait,
    >= 0, saturated; 1: not said or not readable. */
int retry_after(const char *text, int64_t wall_ns, int64_t *out_wait_ns);
/** X-RateLimit-Reset: seconds since 1970, perhaps with a fraction.  As above. */
int retry_reset(const char *text, int64_t wall_ns, int64_t *out_wait_ns);
