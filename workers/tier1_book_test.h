/*
 * tier1_book_test - for the tests of tier 1: a random walk of bars, and a book that
 * keeps the last vector of each.
 */
#pragma once
#include "workers/tier1.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define BARS_MAX 400
#define STEP_NS  INT64_C(1000000000)

/* The last vector of each bar, and how many came. */
struct book {
	struct event_tier1 last[BARS_MAX];
	bool any[BARS_MAX];
	uint64_t n;
	uint64_t seq;
	size_t lowest; /* first bar published since it was set */
};

static inline void on_tier1(void *arg, const struct event_tier1 *e)
{
	struct book *b = arg;
	size_t i = (size_t)(e->head.event_ns / STEP_NS) - 1;

	assert_true(i < BARS_MAX);
	assert_int_equal(e->head.seq, ++b->n);
	b->last[i] = *e;
	b->any[i] = true;
	if (i < b->lowest)
		b->lowest = i;
}

static inline uint64_t next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

static inline double draw(uint64_t *state)
{
	return (double)next(state) / 2147483648.0;
}

static inline struct params params_for(uint32_t revision_window_s)
{
	struct params p = {0};

	p.bars.revision_window_ns = revision_window_s * STEP_NS;
	p.tier1 = (struct tier1_params){.enabled = true,
					.norm_window = 60,
					.norm_clip = 5.0,
					.ready_bars = 100,
					.ready_valid_ratio = 0.95};
	return p;
}

static inline struct tier1 *series(const struct params *p, uint32_t timeframe_s)
{
	struct tier1 *t = NULL;

	assert_int_equal(tier1_new(p, 3, "EURUSD", timeframe_s, PRICE_MID, &t), 0);
	return t;
}

static inline struct event_bar bar_at(size_t i, double close)
{
	struct event_bar b = {0};

	b.head.event_ns = (int64_t)(i + 1) * STEP_NS;
	b.head.seq = i + 1;
	b.head.pos = 10 * (i + 1);
	b.close_e9 = llround(close * 1e9);
	b.open_e9 = b.close_e9;
	b.high_e9 = llround((close + 0.25) * 1e9);
	b.low_e9 = llround((close - 0.125) * 1e9);
	b.log_return_1 = NAN;
	b.spread_estimate = NAN;
	b.flags = BAR_VALID;
	return b;
}

/* log_return_1 as the clean layer gives it: between neighbours that are both valid. */
static inline void set_returns(struct event_bar *bars, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bars[i].log_return_1 = NAN;
		if (i > 0 && (bars[i].flags & bars[i - 1].flags & BAR_VALID))
			bars[i].log_return_1 = log((double)bars[i].close_e9 /
						   (double)bars[i - 1].close_e9);
	}
}

static inline void make_walk(struct event_bar *bars, size_t n, uint64_t seed,
			     double invalid)
{
	double close = 100.0;

	for (size_t i = 0; i < n; i++) {
		close *= exp(0.01 * (draw(&seed) - 0.5));
		bars[i] = bar_at(i, close);
		bars[i].spread_estimate = 0.001 * draw(&seed);
		if (draw(&seed) < invalid)
			bars[i].flags = BAR_IS_MISSING;
	}
	set_returns(bars, n);
}

static inline void feed(struct tier1 *t, const struct event_bar *b, struct book *book)
{
	const struct out out = {.arg = book, .tier1 = on_tier1};

	tier1_bar(t, b, &book->seq, &out);
	assert_int_equal(book->seq, book->n);
}

static inline void batch(const struct params *p, uint32_t timeframe_s,
			 const struct event_bar *bars, size_t n, struct book *book)
{
	struct tier1 *t = series(p, timeframe_s);

	memset(book, 0, sizeof(*book));
	for (size_t i = 0; i < n; i++)
		feed(t, &bars[i], book);
	tier1_free(t);
}

static inline bool same_vector(const struct event_tier1 *a, const struct event_tier1 *b)
{
	return a->warm == b->warm && a->bars_seen == b->bars_seen &&
	       a->flags == b->flags &&
	       memcmp(a->value, b->value, sizeof(a->value)) == 0 &&
	       memcmp(a->norm, b->norm, sizeof(a->norm)) == 0;
}
