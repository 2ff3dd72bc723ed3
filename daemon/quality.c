/* quality - see quality.h. */
#include "daemon/quality.h"
#include "base/clock.h"
#include "workers/clean.h"
#include "workers/grid.h"
#include <math.h>
#include <string.h>

#define DAY_NS (86400 * NS_PER_S)

struct judge {
	const struct symbol_params *sp;
	int64_t step_ns;
	struct session session;
	struct clean clean;
	struct quality *out;
	const struct hist_bar *bars;
	size_t n, i; /* the next bar */
};

static double price(int64_t e9)
{
	return e9 == VALUE_NULL ? NAN : (double)e9 / 1e9;
}

static void list_gap(struct judge *j, int64_t from_ns, int64_t to_ns)
{
	const struct quality_gap gap = {from_ns, to_ns};
	int64_t silence = to_ns - from_ns;

	/* Of days, what is missing is a session without a bar. */
	if (j->step_ns >= DAY_NS ||
	    silence <= (int64_t)j->sp->max_gap_minutes * 60 * NS_PER_S)
		return;
	if (j->out->gaps++ < QUALITY_LIST_MAX)
		buf_add(&j->out->gap_list, &gap, sizeof(gap));
	if (silence > j->out->longest_ns)
		j->out->longest_ns = silence;
}

/* Bars that are not there, as many as a window can tell apart. */
static void step_missing(struct judge *j, int64_t from_ns, int64_t to_ns)
{
	const struct clean_bar none = {NAN, NAN, NAN, NAN, NAN, true, false};
	int64_t n = (to_ns - from_ns) / j->step_ns;
	struct clean_result r;

	for (int64_t k = 0; k < n && k < CLEAN_WINDOW; k++)
		clean_step(j->sp, &j->clean, &none, &r);
}

static void step_bar(struct judge *j, const struct hist_bar *b)
{
	const struct clean_bar bar = {.open = price(b->open_e9),
				      .high = price(b->high_e9),
				      .low = price(b->low_e9),
				      .close = price(b->close_e9),
				      .quoted = NAN,
				      .enough_volume =
					      b->volume_e8 == VALUE_NULL ||
					      b->volume_e8 >= j->sp->min_volume_e8};
	struct quality_outlier o = {.start_ns = b->start_ns, .close_e9 = b->close_e9};
	struct clean_result r;

	clean_step(j->sp, &j->clean, &bar, &r);
	j->out->invalid +=
		(r.outlier_reason & (OUTLIER_OHLC | OUTLIER_NONPOSITIVE)) != 0;
	if (!r.outlier)
		return;
	o.log_return = r.log_return_1;
	o.reason = r.outlier_reason;
	if (j->out->outliers++ < QUALITY_LIST_MAX)
		buf_add(&j->out->outlier_list, &o, sizeof(o));
}

/* The bars of one session, silences between them included. */
static void walk_session(struct judge *j, struct span s)
{
	uint64_t before = j->out->present;
	int64_t end = s.start_ns;

	while (j->i < j->n && j->bars[j->i].start_ns < s.start_ns) {
		j->out->outside++;
		j->i++;
	}
	while (j->i < j->n && j->bars[j->i].start_ns < s.end_ns) {
		const struct hist_bar *b = &j->bars[j->i++];

		if (j->out->present > before)
			step_missing(j, end, b->start_ns);
		list_gap(j, end, b->start_ns);
		step_bar(j, b);
		j->out->present++;
		end = b->start_ns + j->step_ns;
	}
	if (j->out->present == before) {
		j->out->empty++;
		return;
	}
	list_gap(j, end, s.end_ns);
	j->out->sessions++;
	j->out->expected +=
		(uint64_t)((s.end_ns - s.start_ns + j->step_ns - 1) / j->step_ns);
}

/* Session or day that ends after @t_ns. */
static struct span next_span(struct judge *j, int64_t t_ns)
{
	struct span s;

	if (!j->sp->has_session) {
		s.start_ns = t_ns - (t_ns % DAY_NS + DAY_NS) % DAY_NS;
		s.end_ns = s.start_ns + DAY_NS;
		return s;
	}
	s = session_from(&j->session, t_ns);
	/* A day's bar begins at midnight, before its session. */
	if (j->step_ns >= DAY_NS)
		s.start_ns = s.end_ns - DAY_NS;
	return s;
}

void quality_judge(const struct symbol_params *sp, uint32_t step_s,
		   const struct hist_range *r, const struct hist_bar *bars, size_t n,
		   struct quality *out)
{
	struct judge j = {.sp = sp,
			  .step_ns = step_s * NS_PER_S,
			  .out = out,
			  .bars = bars,
			  .n = n};
	int64_t t, end;

	*out = (struct quality){.bars = n};
	if (n == 0)
		return;
	/* What is not bounded begins and ends with the bars. */
	t = r->from_ns == INT64_MIN ? bars[0].start_ns : r->from_ns;
	end = r->to_ns == INT64_MAX ? bars[n - 1].start_ns + 1 : r->to_ns;
	session_init(&j.session, sp);
	while (t < end) {
		struct span s = next_span(&j, t);

		t = s.end_ns;
		if (s.start_ns < r->from_ns)
			s.start_ns = r->from_ns;
		if (s.end_ns > r->to_ns)
			s.end_ns = r->to_ns;
		if (s.start_ns < end)
			walk_session(&j, s);
	}
	out->outside += n - j.i;
}

void quality_free(struct quality *q)
{
	buf_free(&q->gap_list);
	buf_free(&q->outlier_list);
}
