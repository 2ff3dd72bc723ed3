#include "feeds/retry.h"
#include "base/clock.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#define DOUBLINGS_MAX 6
/* A vendor that says "too many" and not when: it counts by the minute, mostly. */
#define LIMITED_TIMES 8

enum vendor_verdict retry_status(long status)
{
	switch (status) {
	case 429:
		return VENDOR_LIMITED;
	case 408:
	case 425:
	case 500:
	case 502:
	case 503:
	case 504:
		return VENDOR_RETRY;
	case 401:
		return VENDOR_AUTH;
	case 403:
		return VENDOR_FORBIDDEN;
	default:
		return VENDOR_REFUSED;
	}
}

enum vendor_verdict retry_error(int error)
{
	switch (error) {
	case -ETIMEDOUT:
	case -EHOSTUNREACH:
	case -ECONNREFUSED:
	case -ECONNRESET:
		return VENDOR_RETRY;
	case -EBADMSG:
		return VENDOR_GARBLED;
	default: /* -EACCES, -EPERM, -EFBIG, -EINVAL, -ENOMEM */
		return VENDOR_REFUSED;
	}
}

/* Digits, saturated; what follows them is *end. */
static int64_t seconds(const char *text, const char **end)
{
	int64_t s = 0;

	for (; isdigit((unsigned char)*text); text++)
		if (s < INT64_MAX / NS_PER_S / 10 - 1)
			s = s * 10 + (*text - '0');
	*end = text;
	return s;
}

int retry_after(const char *text, int64_t wall_ns, int64_t *out_wait_ns)
{
	/* RFC 9110, 5.6.7: the first is written today, all three are read. */
	static const char *const forms[] = {
		"%a, %d %b %Y %H:%M:%S GMT",
		"%A, %d-%b-%y %H:%M:%S GMT",
		"%a %b %d %H:%M:%S %Y",
	};
	const char *end;
	__int128 wait; /* a date may lie beyond what 64 bits of ns hold */

	if (isdigit((unsigned char)text[0])) {
		*out_wait_ns = seconds(text, &end) * NS_PER_S;
		return *end == '\0' ? 0 : 1;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {0};

		end = strptime(text, forms[i], &tm);
		if (end == NULL || *end != '\0')
			continue;
		wait = (__int128)timegm(&tm) * NS_PER_S - wall_ns;
		*out_wait_ns = wait > INT64_MAX ? INT64_MAX
			       : wait > 0       ? (int64_t)wait
						: 0;
		return 0;
	}
	return 1;
}

int retry_reset(const char *text, int64_t wall_ns, int64_t *out_wait_ns)
{
	const char *end;
	int64_t at, wait;

	if (!isdigit((unsigned char)text[0]))
		return 1;
	at = seconds(text, &end);
	if (*end == '.' && isdigit((unsigned char)end[1])) {
		(void)seconds(end + 1, &end);
		at++; /* the next whole second is late enough */
	}
	if (*end != '\0')
		return 1;
	wait = at * NS_PER_S - wall_ns;
	*out_wait_ns = wait > 0 ? wait : 0;
	return 0;
}

static int64_t backoff(const struct retry_policy *p, const struct retry_case *c,
		       struct rng *chance)
{
	uint32_t doublings =
		c->attempt - 1 < DOUBLINGS_MAX ? c->attempt - 1 : DOUBLINGS_MAX;
	int64_t full = p->backoff_ns << doublings;

	if (c->verdict == VENDOR_LIMITED)
		full *= LIMITED_TIMES;
	if (full > p->wait_max_ns)
		full = p->wait_max_ns;
	return full / 2 + (full > 1 ? rng_below64(chance, full / 2) : 0);
}

void retry_decide(const struct retry_policy *p, const struct retry_case *c,
		  struct rng *chance, struct retry_decision *out)
{
	*out = (struct retry_decision){.action = RETRY_NEVER};
	switch (c->verdict) {
	case VENDOR_RETRY:
	case VENDOR_LIMITED:
		break;
	case VENDOR_GARBLED:
		if (c->garbled <= 1)
			break;
		out->action = RETRY_GIVE_UP;
		return;
	case VENDOR_REFUSED:
	case VENDOR_UNKNOWN:
	case VENDOR_AUTH:
	case VENDOR_FORBIDDEN:
		return;
	}
	if (c->attempt >= p->attempts) {
		out->action = RETRY_GIVE_UP;
		return;
	}
	/* A limit is said when there is none left, too: only a 429 means it. */
	out->told = retry_after(c->retry_after, c->wall_ns, &out->wait_ns) == 0 ||
		    (c->verdict == VENDOR_LIMITED &&
		     retry_reset(c->limit_reset, c->wall_ns, &out->wait_ns) == 0);
	if (!out->told)
		out->wait_ns = backoff(p, c, chance);
	out->action = out->wait_ns > p->wait_max_ns ? RETRY_TOO_LONG : RETRY_AFTER;
}
