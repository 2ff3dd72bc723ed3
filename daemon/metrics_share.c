/* metrics_share - see metrics_share.h. */
#include "daemon/metrics_share.h"
#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/metrics.h"

#define FRESH_NS (200 * NS_PER_MS)

/* Have METRICS_CROWD others asked within the last second? */
static bool is_crowded(struct metrics_share *s, int64_t now_ns)
{
	int64_t *oldest = &s->asked_ns[s->n_asked++ % METRICS_CROWD];
	bool is_so = *oldest != 0 && now_ns - *oldest < NS_PER_S;

	*oldest = now_ns;
	return is_so;
}

const struct buf *metrics_shared(struct metrics_share *s, struct daemon *d,
				 bool is_open)
{
	int64_t now_ns = clock_mono_ns();
	struct buf *body = &s->pages[is_open].body;
	bool is_fresh = body->len > 0 && now_ns - s->pages[is_open].made_ns < FRESH_NS;

	if (is_crowded(s, now_ns) && is_fresh)
		return body;
	body->len = 0;
	if (is_open)
		metrics_openmetrics(d, body);
	else
		metrics_prometheus(d, body);
	s->pages[is_open].made_ns = now_ns;
	return body;
}

void metrics_share_deinit(struct metrics_share *s)
{
	buf_free(&s->pages[0].body);
	buf_free(&s->pages[1].body);
}
