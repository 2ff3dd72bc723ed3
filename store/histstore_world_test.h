/* histstore_world_test - what the tests of the history share: bars that say who they
 * are. */
#pragma once
#include "base/clock.h"
#include "base/timetext.h"
#include "store/fixture_test.h"
#include "store/histstore.h"
#include "store/sqlite.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define DAY   (86400 * NS_PER_S)
#define FIRST (INT64_C(1704205800) * NS_PER_S) /* 2024-01-02T14:30:00Z */
#define EVER  ((struct hist_range){INT64_MIN, INT64_MAX})
#define APPID 0x74626869

struct world {
	struct fixture f;
	struct histstore *h;
};

static inline void begin(struct world *w)
{
	fixture_begin_in(&w->f, fixture_fast_dir());
	assert_int_equal(0, histstore_open(w->f.dir, &w->h));
}

static inline void reopen(struct world *w)
{
	assert_int_equal(0, histstore_close(w->h));
	assert_int_equal(0, histstore_open(w->f.dir, &w->h));
}

static inline void end(struct world *w)
{
	assert_int_equal(0, histstore_close(w->h));
	fixture_remove_files(w->f.dir);
	rmdir(w->f.dir);
}

static inline struct hist_series series(const char *symbol, uint32_t step_s,
					uint8_t adjust)
{
	struct hist_series s = {
		.source = "alpaca", .feed = "sip", .adjust = adjust, .step_s = step_s};

	(void)snprintf(s.symbol, sizeof(s.symbol), "%s", symbol);
	return s;
}

/* Bar @i of a series that begins at FIRST. */
static inline struct hist_bar bar(uint32_t step_s, int64_t i)
{
	int64_t p = (10000 + i % 100) * 10000000;

	return (struct hist_bar){.start_ns = FIRST + i * step_s * NS_PER_S,
				 .open_e9 = p,
				 .high_e9 = p + 20000000,
				 .low_e9 = p - 10000000,
				 .close_e9 = p + 10000000,
				 .volume_e8 = i * 100000000,
				 .vwap_e9 = p + 1,
				 .trades = i};
}

static inline uint64_t put(struct world *w, const struct hist_series *s, int64_t from,
			   int64_t to)
{
	struct buf bars = {0};
	uint64_t fresh = 0;

	for (int64_t i = from; i < to; i++) {
		struct hist_bar b = bar(s->step_s, i);

		buf_add(&bars, &b, sizeof(b));
	}
	assert_int_equal(0, histstore_begin(w->h));
	assert_int_equal(0, histstore_put_bars(w->h, s, (struct hist_bar *)bars.data,
					       (size_t)(to - from), &fresh));
	assert_int_equal(0, histstore_commit(w->h));
	buf_free(&bars);
	return fresh;
}

/* Exactly the bars from .. to - 1 lie in @r. */
static inline void expect(struct world *w, const struct hist_series *s,
			  struct hist_range r, int64_t from, int64_t to)
{
	struct buf got = {0};

	assert_int_equal(0, histstore_get_bars(w->h, s, &r, 1 << 20, &got));
	assert_int_equal((uint64_t)(to - from) * sizeof(struct hist_bar), got.len);
	for (int64_t i = from; i < to; i++) {
		struct hist_bar b = bar(s->step_s, i);

		assert_memory_equal(&b, (struct hist_bar *)got.data + (i - from),
				    sizeof(b));
	}
	buf_free(&got);
}

static inline void cover(struct world *w, const struct hist_series *s, int64_t from,
			 int64_t to, int64_t fetched)
{
	const struct hist_range r = {from, to};

	assert_int_equal(0, histstore_begin(w->h));
	assert_int_equal(0, histstore_cover(w->h, s, &r, fetched));
	assert_int_equal(0, histstore_commit(w->h));
}

/* "0-10 50-60" is missing of [0, 100). */
static inline void expect_missing(struct world *w, const struct hist_series *s,
				  int64_t since, const char *want)
{
	const struct hist_range all = {0, 100};
	struct buf got = {0}, text = {0};

	assert_int_equal(0, histstore_missing(w->h, s, &all, since, &got));
	for (size_t i = 0; i < got.len / sizeof(struct hist_range); i++) {
		const struct hist_range *r = (struct hist_range *)got.data + i;

		buf_printf(&text, "%s%lld-%lld", i ? " " : "", (long long)r->from_ns,
			   (long long)r->to_ns);
	}
	assert_string_equal(want, buf_text(&text));
	buf_free(&got);
	buf_free(&text);
}
