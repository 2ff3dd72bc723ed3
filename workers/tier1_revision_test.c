/*
 * tier1_revision_test - revisions leave no trace: the last vector of every bar is the
 * one a batch over the final bars gives, byte for byte.
 */
#include "workers/tier1_book_test.h"

static struct event_bar bars[BARS_MAX];
static struct book book, other;

/* What the clean layer may do to a bar and its successor inside the window. */
static void revise(size_t i, size_t tip, uint64_t *seed, struct tier1 *t)
{
	size_t end = i + 1 < tip ? i + 2 : i + 1;
	uint64_t kind = next(seed) % 8;

	if (kind < 3) {
		bars[i].close_e9 += (int64_t)(next(seed) % 2000000) - 1000000;
	} else if (kind < 5) {
		bars[i].high_e9 += (int64_t)(next(seed) % 500000);
	} else if (kind < 6) {
		bars[i].flags ^= BAR_VALID;
	} else if (kind < 7) {
		bars[i].volume_lo++;
	}
	set_returns(bars, tip);
	for (; i < end; i++) {
		bars[i].revision++;
		bars[i].head.seq += 1000;
		bars[i].cause = CAUSE_LATE_TRADE;
		feed(t, &bars[i], &book);
	}
}

static void run_live(const struct params *p, uint32_t timeframe_s, size_t n,
		     uint64_t seed)
{
	static struct event_bar done[BARS_MAX];
	struct tier1 *t = series(p, timeframe_s);
	size_t depth = (size_t)(p->bars.revision_window_ns / STEP_NS) / timeframe_s + 1;

	memset(&book, 0, sizeof(book));
	make_walk(bars, n, seed, 0.03);
	for (size_t tip = 1; tip <= n; tip++) {
		bars[tip - 1].log_return_1 = NAN;
		set_returns(bars, tip);
		feed(t, &bars[tip - 1], &book);
		while (next(&seed) % 3 == 0) {
			size_t back = next(&seed) % depth;

			revise(back < tip ? tip - 1 - back : 0, tip, &seed, t);
		}
	}
	assert_int_equal(tier1_stale(t), 0);
	memcpy(done, bars, sizeof(done));
	batch(p, timeframe_s, done, n, &other);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(other.any[i], (bars[i].flags & BAR_VALID) != 0);
		if (other.any[i] && !same_vector(&book.last[i], &other.last[i]))
			fail_msg("seed %lu: bar %zu of %zu differs from batch",
				 (unsigned long)seed, i, n);
	}
	tier1_free(t);
}

static void revisions_leave_no_trace(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct params p = params_for(60);

		p.tier1.norm = seed % 4 == 0 ? NORM_ROBUST : NORM_ZSCORE;
		p.tier1.norm_window = seed % 5 == 0 ? 7 : 60;
		p.tier1.ready_bars = seed % 7 == 0 ? 20 : 100;
		run_live(&p, seed % 3 == 0 ? 20 : 1, 50 + (seed * 37) % 350, seed);
	}
}

static void what_changes_no_number_brings_nothing(void **state)
{
	struct params p = params_for(60);
	struct tier1 *t = series(&p, 1);
	struct event_bar b;

	(void)state;
	make_walk(bars, 120, 2, 0.0);
	memset(&book, 0, sizeof(book));
	for (size_t i = 0; i < 120; i++)
		feed(t, &bars[i], &book);
	b = bars[100];
	b.revision = 1;
	b.head.seq = 500;
	b.cause = CAUSE_FINAL;
	b.flags |= BAR_FINAL;
	feed(t, &b, &book);
	b.cause = CAUSE_LATE_TRADE;
	b.volume_lo = 77;
	b.open_e9 += 5;
	feed(t, &b, &book);
	assert_int_equal(book.n, 120);
	/* A change of it then goes out under the newest revision, with all that follow.
	 */
	b.revision = 2;
	b.close_e9 += 1000;
	b.head.pos = 99999;
	book.lowest = BARS_MAX;
	feed(t, &b, &book);
	assert_int_equal(book.n, 140);
	assert_int_equal(book.lowest, 100);
	assert_int_equal(book.last[100].bar_revision, 2);
	assert_int_equal(book.last[100].bar_seq, 500);
	assert_int_equal(book.last[119].bar_revision, 0);
	assert_int_equal(book.last[119].bar_seq, 120);
	assert_int_equal(book.last[119].head.pos, 99999);
	tier1_free(t);
}

static void a_bar_made_invalid_takes_its_vector_with_it(void **state)
{
	struct params p = params_for(60);
	struct tier1 *t = series(&p, 1);
	struct event_tier1 before;
	struct event_bar b;

	(void)state;
	make_walk(bars, 120, 2, 0.0);
	memset(&book, 0, sizeof(book));
	for (size_t i = 0; i < 120; i++)
		feed(t, &bars[i], &book);
	before = book.last[119];
	b = bars[110];
	b.flags = BAR_IS_OUTLIER;
	feed(t, &b, &book);
	assert_int_equal(book.n, 120 + 9);
	assert_int_equal(book.last[119].bars_seen, 119);
	assert_int_equal(tier1_seen(t), 119);
	feed(t, &bars[110], &book);
	assert_int_equal(book.n, 120 + 9 + 10);
	assert_true(same_vector(&before, &book.last[119]));
	tier1_free(t);
}

static void a_revision_beyond_the_window_is_counted(void **state)
{
	struct params p = params_for(60);
	struct tier1 *t = series(&p, 60);
	struct event_bar b;

	(void)state;
	make_walk(bars, 120, 2, 0.0);
	memset(&book, 0, sizeof(book));
	for (size_t i = 0; i < 120; i++)
		feed(t, &bars[i], &book);
	b = bars[20];
	b.cause = CAUSE_FINAL;
	feed(t, &b, &book);
	assert_int_equal(tier1_stale(t), 0);
	b.cause = CAUSE_BACKFILL;
	b.close_e9 += 1;
	feed(t, &b, &book);
	assert_int_equal(tier1_stale(t), 1);
	assert_int_equal(book.n, 120);
	tier1_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(revisions_leave_no_trace),
		cmocka_unit_test(what_changes_no_number_brings_nothing),
		cmocka_unit_test(a_bar_made_invalid_takes_its_vector_with_it),
		cmocka_unit_test(a_revision_beyond_the_window_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
