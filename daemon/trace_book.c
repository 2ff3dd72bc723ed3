/* trace_book - see trace_book.h. */
#include "daemon/trace_book.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOW_AGE_NS (3600 * NS_PER_S)
#define SWEEP_NS    (10 * NS_PER_S)

struct trace_book {
	struct trace *trace; /* borrowed; NULL: there is none */
	uint64_t next;       /* step to look at */
	struct trace_span_times spans[TRACE_SPANS];
	struct trace_step slowest[TRACE_SLOWEST]; /* slowest first */
	size_t n_slowest;
	int64_t sweep_ns;   /* when old ones are looked for */
	trace_seen_fn seen; /* NULL: nobody watches */
	void *seen_arg;
};

static const char *const names[TRACE_SPANS] = {"commit",  "dispatch", "worker", "tier2",
					       "publish", "tick",     "total"};

int trace_book_new(struct trace *t, struct trace_book **out)
{
	struct trace_book *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return err_set(-ENOMEM, "out of memory for what is told of traces");
	b->trace = t;
	*out = b;
	return 0;
}

void trace_book_free(struct trace_book *b)
{
	free(b);
}

const char *trace_span_name(enum trace_span span)
{
	return names[span];
}

/* ---- spans ---- */

int64_t trace_wall_ns(const struct trace_step *s, int64_t at_ns)
{
	return s->wall_ns + (at_ns - s->at_ns[TRACE_DISPATCH]);
}

/* The last worker's; 0: not all are through. */
static int64_t workers_at(const struct trace_step *s)
{
	int64_t last = 0;

	for (uint32_t w = 0; w < s->n_workers; w++) {
		int64_t at = s->at_ns[TRACE_WORKER + w];

		if (at == 0)
			return 0;
		last = at > last ? at : last;
	}
	return last;
}

static int64_t between(int64_t from, int64_t to)
{
	if (from == 0 || to == 0)
		return -1;
	return to > from ? to - from : 0;
}

int64_t trace_span_ns(const struct trace_step *s, enum trace_span span)
{
	const int64_t *at = s->at_ns;

	switch (span) {
	case SPAN_COMMIT:
		return at[TRACE_COMMIT] == 0
			       ? -1
			       : between(s->recv_ns,
					 trace_wall_ns(s, at[TRACE_COMMIT]));
	case SPAN_DISPATCH:
		return between(at[TRACE_COMMIT], at[TRACE_DISPATCH]);
	case SPAN_WORKER:
		return between(at[TRACE_DISPATCH], workers_at(s));
	case SPAN_TIER2:
		return between(workers_at(s), at[TRACE_TIER2]);
	case SPAN_PUBLISH:
		return between(at[TRACE_TIER2], at[TRACE_PUBLISH]);
	case SPAN_TICK:
		return s->last_tick == 0 ? -1
					 : between(at[TRACE_DISPATCH], at[TRACE_TICK]);
	case SPAN_TOTAL:
	case TRACE_SPANS:
		break;
	}
	return at[TRACE_PUBLISH] == 0
		       ? -1
		       : between(s->recv_ns, trace_wall_ns(s, at[TRACE_PUBLISH]));
}

/* ---- the slowest ---- */

static void sweep(struct trace_book *b, int64_t now)
{
	size_t kept = 0;

	if (now < b->sweep_ns)
		return;
	b->sweep_ns = now + SWEEP_NS;
	for (size_t i = 0; i < b->n_slowest; i++)
		if (now - b->slowest[i].at_ns[TRACE_PUBLISH] < SLOW_AGE_NS)
			b->slowest[kept++] = b->slowest[i];
	b->n_slowest = kept;
}

static void note_slowest(struct trace_book *b, const struct trace_step *s)
{
	int64_t total = trace_span_ns(s, SPAN_TOTAL);
	size_t at = b->n_slowest;

	if (at == TRACE_SLOWEST &&
	    trace_span_ns(&b->slowest[at - 1], SPAN_TOTAL) >= total)
		return;
	if (at == TRACE_SLOWEST)
		at--;
	else
		b->n_slowest++;
	for (; at > 0 && trace_span_ns(&b->slowest[at - 1], SPAN_TOTAL) < total; at--)
		b->slowest[at] = b->slowest[at - 1];
	b->slowest[at] = *s;
}

static void say_slow(const struct trace_step *s)
{
	char text[200];
	size_t n = 0;

	for (int k = SPAN_COMMIT; k <= SPAN_TICK; k++) {
		int64_t ns = trace_span_ns(s, (enum trace_span)k);

		if (ns >= 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, ", %s %.6f s",
					      names[k], (double)ns * 1e-9);
	}
	log_warn("slow", "trace=%llu records=%llu total %.6f s%s",
		 (unsigned long long)s->first_pos,
		 (unsigned long long)(s->last_pos - s->first_pos + 1),
		 (double)trace_span_ns(s, SPAN_TOTAL) * 1e-9, text);
}

/* ---- finished steps ---- */

static void count(struct trace_book *b, const struct trace_step *s)
{
	int64_t wall = trace_wall_ns(s, s->at_ns[TRACE_PUBLISH]);

	for (int k = 0; k < TRACE_SPANS; k++) {
		int64_t ns = trace_span_ns(s, (enum trace_span)k);

		if (ns < 0)
			continue;
		histogram_add_n(&b->spans[k].times, ns, s->last_pos - s->first_pos + 1);
		b->spans[k].newest[metrics_bucket(ns)] =
			(struct metrics_exemplar){s->first_pos, ns, wall};
	}
}

void trace_book_watch(struct trace_book *b, trace_seen_fn fn, void *arg)
{
	b->seen = fn;
	b->seen_arg = arg;
}

void trace_book_step(struct trace_book *b, int64_t slow_ns)
{
	uint64_t end = trace_finished(b->trace);
	struct trace_step s;

	if (b->next == end)
		return;
	for (; b->next < end; b->next++) {
		bool is_slow;

		trace_get(b->trace, b->next, &s);
		count(b, &s);
		note_slowest(b, &s);
		is_slow = slow_ns > 0 && trace_span_ns(&s, SPAN_TOTAL) >= slow_ns;
		if (b->seen != NULL)
			b->seen(b->seen_arg, &s, is_slow);
		if (is_slow) {
			stats_add(STAT_SLOW_RECORDS, s.last_pos - s.first_pos + 1);
			say_slow(&s);
		}
	}
	sweep(b, s.at_ns[TRACE_PUBLISH]);
	trace_done(b->trace, end);
}

/* ---- questions ---- */

const struct trace_span_times *trace_book_times(const struct trace_book *b,
						enum trace_span span)
{
	return &b->spans[span];
}

bool trace_book_find(const struct trace_book *b, uint64_t pos, struct trace_step *out)
{
	if (trace_find(b->trace, pos, out))
		return true;
	for (size_t i = 0; i < b->n_slowest; i++)
		if (b->slowest[i].first_pos <= pos && pos <= b->slowest[i].last_pos) {
			*out = b->slowest[i];
			return true;
		}
	return false;
}

size_t trace_book_slowest(const struct trace_book *b, struct trace_step *out)
{
	for (size_t i = 0; i < b->n_slowest; i++)
		out[i] = b->slowest[i];
	return b->n_slowest;
}

size_t trace_book_newest(const struct trace_book *b, size_t max, struct trace_step *out)
{
	uint64_t oldest = trace_oldest(b->trace);
	size_t n = 0;

	for (uint64_t i = b->next; i > oldest && n < max; i--)
		trace_get(b->trace, i - 1, &out[n++]);
	return n;
}
