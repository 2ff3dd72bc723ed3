/* histcover_test - what is complete, what is dropped, and what damage does to both. */
#include "store/histstore_world_test.h"

static void coverage_tells_what_is_missing(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	const int64_t hour = 3600 * NS_PER_S;
	struct world w;

	(void)state;
	begin(&w);
	expect_missing(&w, &s, 0, "0-100");
	cover(&w, &s, 10, 20, 10 * hour);
	cover(&w, &s, 50, 60, 10 * hour);
	expect_missing(&w, &s, 0, "0-10 20-50 60-100");
	cover(&w, &s, 20, 50, 10 * hour + 1);
	expect_missing(&w, &s, 0, "0-10 60-100");
	/* Fetched again later: the middle is new, the ends are as old as they were. */
	cover(&w, &s, 30, 40, 20 * hour);
	expect_missing(&w, &s, 15 * hour, "0-30 40-100");
	expect_missing(&w, &s, 0, "0-10 60-100");
	cover(&w, &s, -50, 200, 30 * hour);
	expect_missing(&w, &s, 30 * hour, "");
	expect_missing(&w, &s, 31 * hour, "0-100");
	end(&w);
}

static void a_vendor_reached_otherwise_has_nothing_complete_any_more(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW), other = s;
	struct world w;
	char was[80];

	(void)state;
	begin(&w);
	(void)snprintf(other.source, sizeof(other.source), "polygon");
	put(&w, &s, 0, 10);
	cover(&w, &s, 10, 20, 1);
	cover(&w, &other, 10, 20, 1);
	assert_int_equal(0, histstore_begin(w.h));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(0, histstore_vendor(w.h, "alpaca", "alpaca https://a",
						     was, sizeof(was)));
		assert_string_equal("", was);
	}
	assert_int_equal(0, histstore_commit(w.h));
	expect_missing(&w, &s, 0, "0-10 20-100");
	assert_int_equal(0, histstore_begin(w.h));
	assert_int_equal(0, histstore_vendor(w.h, "alpaca", "alpaca http://mock", was,
					     sizeof(was)));
	assert_int_equal(0, histstore_commit(w.h));
	assert_string_equal("alpaca https://a", was);
	expect_missing(&w, &s, 0, "0-100");
	expect_missing(&w, &other, 0, "0-10 20-100");
	expect(&w, &s, EVER, 0, 10);
	end(&w);
}

static void coverage_agrees_with_a_map_of_points(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	uint64_t seed = (uint64_t)clock_mono_ns(), rng = seed;
	bool is_covered[100] = {false};
	struct world w;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	begin(&w);
	for (int round = 0; round < 300; round++) {
		struct hist_range r;
		struct buf want = {0};
		uint64_t bars;

		rng = rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
		r.from_ns = (int64_t)(rng >> 40) % 100;
		r.to_ns = r.from_ns + 1 + (int64_t)(rng >> 20) % 10;
		r.to_ns = r.to_ns > 100 ? 100 : r.to_ns;
		if (rng >> 60 < 11) {
			cover(&w, &s, r.from_ns, r.to_ns,
			      (int64_t)(rng >> 50 & 3) * 7200 * NS_PER_S + 1);
		} else {
			assert_int_equal(0, histstore_begin(w.h));
			assert_int_equal(0, histstore_drop(w.h, &s, &r, &bars));
			assert_int_equal(0, histstore_commit(w.h));
		}
		for (int64_t i = r.from_ns; i < r.to_ns; i++)
			is_covered[i] = rng >> 60 < 11;
		for (int i = 0, j; i < 100; i = j) {
			for (j = i + 1; j < 100 && is_covered[j] == is_covered[i]; j++)
				;
			if (!is_covered[i])
				buf_printf(&want, "%s%d-%d", want.len ? " " : "", i, j);
		}
		expect_missing(&w, &s, 0, buf_text(&want));
		buf_free(&want);
	}
	end(&w);
}

static void dropping_takes_bars_and_coverage_of_the_range_alone(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	const struct hist_range r = {FIRST + 100 * 60 * NS_PER_S,
				     FIRST + 4000 * 60 * NS_PER_S};
	struct buf holes = {0};
	struct world w;
	uint64_t bars;

	(void)state;
	begin(&w);
	put(&w, &s, 0, 5000);
	cover(&w, &s, FIRST, FIRST + 10 * DAY, 1);
	assert_int_equal(0, histstore_begin(w.h));
	assert_int_equal(0, histstore_drop(w.h, &s, &r, &bars));
	assert_int_equal(0, histstore_commit(w.h));
	assert_int_equal(3900, bars);
	expect(&w, &s, r, 0, 0);
	expect(&w, &s, (struct hist_range){INT64_MIN, r.from_ns}, 0, 100);
	expect(&w, &s, (struct hist_range){r.to_ns, INT64_MAX}, 4000, 5000);
	assert_int_equal(
		0, histstore_missing(w.h, &s,
				     &(struct hist_range){FIRST, FIRST + 10 * DAY}, 0,
				     &holes));
	assert_int_equal(sizeof(r), holes.len);
	assert_memory_equal(&r, holes.data, sizeof(r));
	buf_free(&holes);
	end(&w);
}

static void a_split_drops_what_was_adjusted_and_nothing_else(void **state)
{
	struct hist_series raw = series("AAPL", 60, HIST_RAW);
	struct hist_series split = series("AAPL", 60, HIST_SPLIT);
	struct hist_series other = series("MSFT", 60, HIST_ALL);
	const struct hist_range before = {INT64_MIN, FIRST + 50 * 60 * NS_PER_S};
	struct world w;
	uint64_t bars;

	(void)state;
	begin(&w);
	put(&w, &raw, 0, 100);
	put(&w, &split, 0, 100);
	put(&w, &other, 0, 100);
	assert_int_equal(0, histstore_begin(w.h));
	assert_int_equal(0, histstore_drop_adjusted(w.h, "AAPL", &before, &bars));
	assert_int_equal(0, histstore_commit(w.h));
	assert_int_equal(50, bars);
	expect(&w, &raw, EVER, 0, 100);
	expect(&w, &other, EVER, 0, 100);
	expect(&w, &split, EVER, 50, 100);
	end(&w);
}

/* Change a byte in the middle of the chunk that holds FIRST. */
static void damage_a_chunk(struct world *w)
{
	char path[160];
	struct sq *db;

	assert_int_equal(0, histstore_close(w->h));
	(void)snprintf(path, sizeof(path), "%s/history.db", w->f.dir);
	assert_int_equal(0, sq_open(path, NULL, APPID, &db));
	assert_int_equal(
		0,
		sq_exec(db, "UPDATE chunk SET data = CAST(substr(data, 1, 100) || x'55'"
			    " || substr(data, 102) AS BLOB) WHERE id IN"
			    " (SELECT min(id) FROM chunk)"));
	sq_close(db);
	assert_int_equal(0, histstore_open(w->f.dir, &w->h));
}

static void a_damaged_chunk_is_said_dropped_and_missing_again(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	struct hist_range first_day = {0, 0}, *hole;
	struct hist_health health;
	struct hist_summary sum;
	struct buf got = {0};
	struct world w;

	(void)state;
	begin(&w);
	put(&w, &s, 0, 5000);
	cover(&w, &s, FIRST, FIRST + 4 * DAY, 1);
	damage_a_chunk(&w);
	/* 570 minutes were left of the first day. */
	expect(&w, &s, EVER, 570, 5000);
	assert_int_equal(0, histstore_health(w.h, &health));
	assert_int_equal(1, health.damaged);
	assert_non_null(strstr(health.damage, "alpaca AAPL at 2024-01-02T00:00:00Z"));
	assert_int_equal(0, histstore_summary(w.h, &s, &sum));
	assert_int_equal(5000 - 570, sum.bars);
	assert_int_equal(0,
			 histstore_missing(w.h, &s,
					   &(struct hist_range){FIRST, FIRST + 4 * DAY},
					   0, &got));
	assert_int_equal(sizeof(first_day), got.len);
	hole = (struct hist_range *)got.data;
	assert_int_equal(FIRST, hole->from_ns);
	assert_int_equal(FIRST + 570 * 60 * NS_PER_S, hole->to_ns);
	buf_free(&got);
	/* Fetched again, it is whole. */
	assert_int_equal(570, put(&w, &s, 0, 570));
	expect(&w, &s, EVER, 0, 5000);
	end(&w);
}

static void a_write_over_a_damaged_chunk_succeeds(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	struct world w;

	(void)state;
	begin(&w);
	put(&w, &s, 0, 1000);
	damage_a_chunk(&w);
	assert_int_equal(570, put(&w, &s, 0, 570));
	expect(&w, &s, EVER, 0, 1000);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coverage_tells_what_is_missing),
		cmocka_unit_test(
			a_vendor_reached_otherwise_has_nothing_complete_any_more),
		cmocka_unit_test(coverage_agrees_with_a_map_of_points),
		cmocka_unit_test(dropping_takes_bars_and_coverage_of_the_range_alone),
		cmocka_unit_test(a_split_drops_what_was_adjusted_and_nothing_else),
		cmocka_unit_test(a_damaged_chunk_is_said_dropped_and_missing_again),
		cmocka_unit_test(a_write_over_a_damaged_chunk_succeeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
