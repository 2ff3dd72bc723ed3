/*
 * pricing - which source's bars a symbol is judged by.
 *
 * Bars that the daemon made of ticks go on where those of the vendor end that has most
 * bars in front of them: one series without a seam, and no time twice.
 *
 * The window is the newest `window` times of which any source has a bar.  The best
 * source is the one whose newest bar is the newest; of these the one that has most of
 * the window; of these the first by priority; then by name.
 */
#include "base/clock.h"
#include "base/timetext.h"
#include "report/compute.h"
#include <stdio.h>
#include <string.h>

/* ---- our own bars go on where a vendor's end ---- */

#define SAME_MAX 1.5 /* prices of one thing do not move more from bar to bar */

static struct report_series *own_of(struct report_symbol *s)
{
	for (size_t k = 0; k < s->n_series; k++)
		if (s->series[k].is_own && s->series[k].bars.len > 0)
			return &s->series[k];
	return NULL;
}

/*
 * How many bars of @x lie in front of @first.  Days begin where each source has them
 * begin, so one that begins less than half a bar before is the same bar.
 */
static size_t bars_in_front(const struct report *r, const struct report_series *x,
			    const struct report_bar *first)
{
	int64_t until = first->time_ns - (int64_t)r->step_s * (NS_PER_S / 2);
	size_t n;
	const struct report_bar *b = report_series_bars(x, &n);

	while (n > 0 && b[n - 1].time_ns > until)
		n--;
	return n;
}

/* Pence, or another thing of that name, are no past of ours. */
static bool is_same_thing(const struct report_bar *before,
			  const struct report_bar *first)
{
	double ratio = first->open / before->close;

	return ratio <= SAME_MAX && ratio >= 1 / SAME_MAX;
}

static void prepend(struct report_series *own, const struct report_series *x, size_t n)
{
	struct buf whole = {0};

	buf_add(&whole, x->bars.data, n * sizeof(struct report_bar));
	buf_add(&whole, own->bars.data, own->bars.len);
	buf_free(&own->bars);
	own->bars = whole;
	own->borrowed = n;
	memcpy(own->continues, x->source, sizeof(own->continues));
	memcpy(own->currency, x->currency, sizeof(own->currency));
}

/*
 * What was seen live is short, and what is fetched is old: where the two are one thing,
 * ours are the vendor's bars and then our own.
 */
static void continue_own(const struct report *r, struct report_symbol *s)
{
	struct report_series *own = own_of(s), *best = NULL;
	const struct report_bar *first;
	size_t unused, most = 0;

	if (own == NULL)
		return;
	first = report_series_bars(own, &unused);
	for (size_t k = 0; k < s->n_series; k++) {
		struct report_series *x = &s->series[k];
		size_t n = x == own ? 0 : bars_in_front(r, x, first);

		if (n == 0 ||
		    !is_same_thing(&report_series_bars(x, &unused)[n - 1], first))
			continue;
		if (n > most || (n == most && x->rank < best->rank)) {
			best = x;
			most = n;
		}
	}
	if (best != NULL)
		prepend(own, best, most);
}

/* ---- the best ---- */

/* Counts the window and what each source has of it, from the newest time back. */
static void count_times(const struct report *r, struct report_symbol *s)
{
	size_t left[REPORT_SOURCES_MAX];

	for (size_t k = 0; k < s->n_series; k++)
		(void)report_series_bars(&s->series[k], &left[k]);
	for (s->expected = 0; s->expected < r->window; s->expected++) {
		int64_t newest = INT64_MIN;

		for (size_t k = 0; k < s->n_series; k++) {
			size_t n;
			const struct report_bar *b =
				report_series_bars(&s->series[k], &n);

			if (left[k] > 0 && b[left[k] - 1].time_ns > newest)
				newest = b[left[k] - 1].time_ns;
		}
		if (newest == INT64_MIN)
			return;
		for (size_t k = 0; k < s->n_series; k++) {
			size_t n;
			const struct report_bar *b =
				report_series_bars(&s->series[k], &n);

			if (left[k] == 0 || b[left[k] - 1].time_ns != newest)
				continue;
			left[k]--;
			s->series[k].present++;
		}
	}
}

static int64_t newest_of(const struct report_series *x)
{
	size_t n;
	const struct report_bar *b = report_series_bars(x, &n);

	return n > 0 ? b[n - 1].time_ns : INT64_MIN;
}

/* What sets two sources apart. */
enum verdict { BY_FRESHNESS, BY_COMPLETENESS, BY_PRIORITY };

static bool is_better(const struct report_series *a, const struct report_series *b,
		      enum verdict *out)
{
	*out = BY_FRESHNESS;
	if (newest_of(a) != newest_of(b))
		return newest_of(a) > newest_of(b);
	*out = BY_COMPLETENESS;
	if (a->present != b->present)
		return a->present > b->present;
	*out = BY_PRIORITY;
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return strcmp(a->source, b->source) < 0;
}

/* The best but for @except, of those that have a price; -1: none. */
static int best_of(const struct report_symbol *s, int except)
{
	enum verdict unused;
	int best = -1;

	for (int k = 0; k < (int)s->n_series; k++)
		if (k != except && s->series[k].present > 0 &&
		    (best < 0 || is_better(&s->series[k], &s->series[best], &unused)))
			best = k;
	return best;
}

static void say_why(struct report_symbol *s)
{
	const struct report_series *a = &s->series[s->best], *b;
	int next = best_of(s, s->best);
	char time[TIMETEXT_MAX];
	enum verdict verdict;

	if (next < 0) {
		(void)snprintf(s->why, sizeof(s->why), "the only source with a price");
		return;
	}
	b = &s->series[next];
	(void)is_better(a, b, &verdict);
	if (verdict == BY_FRESHNESS) {
		(void)timetext_print(time, newest_of(b));
		(void)snprintf(s->why, sizeof(s->why),
			       "the freshest: the newest bar of %s is of %s", b->source,
			       time);
	} else if (verdict == BY_COMPLETENESS) {
		(void)snprintf(s->why, sizeof(s->why),
			       "the most complete: %zu of %zu bars, %s has %zu",
			       a->present, s->expected, b->source, b->present);
	} else {
		(void)snprintf(s->why, sizeof(s->why),
			       "the first by priority: as fresh and as complete as %s",
			       b->source);
	}
}

static void say_none(struct report_symbol *s)
{
	size_t refused = 0;

	for (size_t k = 0; k < s->n_series; k++)
		refused += s->series[k].refused;
	if (refused > 0)
		report_fail(s, REPORT_PRICING, "none of its %zu bars can be", refused);
	else
		report_fail(s, REPORT_PRICING, "no source has bars of it: ingest it");
}

void report_price(const struct report *r, struct report_symbol *s)
{
	continue_own(r, s);
	count_times(r, s);
	s->best = best_of(s, -1);
	if (s->best < 0) {
		say_none(s);
		return;
	}
	say_why(s);
	s->bars = report_series_bars(&s->series[s->best], &s->n);
	/* What of it lies in the window is its newest. */
	s->bars += s->n - s->series[s->best].present;
	s->n = s->series[s->best].present;
}

const struct report_bar *report_bar_at(const struct report_symbol *s, int64_t time_ns)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->bars[middle].time_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n && s->bars[low].time_ns == time_ns ? &s->bars[low] : NULL;
}

double report_deviation(const struct report_symbol *s, const struct report_series *x,
			int64_t *out_ns)
{
	size_t n;
	const struct report_bar *b = report_series_bars(x, &n);

	while (n-- > 0) {
		const struct report_bar *ours = report_bar_at(s, b[n].time_ns);

		if (ours == NULL)
			continue;
		*out_ns = b[n].time_ns;
		return b[n].close / ours->close - 1;
	}
	*out_ns = INT64_MIN;
	return NAN;
}
