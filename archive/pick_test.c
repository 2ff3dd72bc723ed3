/* pick_test - a view over the files that a question can want says what one over all of
   them says. */
#include "archive/framerow_test.h"
#include "archive/pick.h"
#include <string.h>

#define MONTH_NS (31 * DAY_NS)

static struct archive *filled(const char *dir)
{
	static const char *const symbols[] = {"AAPL", "A/B", "MSFT"};
	struct archive *a = test_open(dir, true);
	struct buf bulk = {0};

	for (size_t i = 0; i < 3; i++)
		for (int m = 0; m < 3; m++)
			test_put(a, symbols[i], JAN_2024_NS + m * MONTH_NS, 10 + (int)i,
				 18000 + 100 * m);
	test_samples(&bulk);
	test_frames(a, &bulk, NULL);
	buf_free(&bulk);
	return a;
}

/* The answer, and how many files the view bars_1m looked into. */
static int64_t asked(struct archive *a, const char *sql, bool pick, int64_t *files)
{
	struct duck *d;
	int64_t v = 0;

	assert_int_equal(archive_reader(a, &d), 0);
	if (views_make(a, d, sql, pick) != 0 || duck_row_i64(d, sql, -1, &v, 1) != 0)
		fail_msg("%s: %s", sql, err_text());
	assert_int_equal(
		duck_row_i64(
			d,
			"SELECT (len(sql) - len(replace(sql, 'data.parquet', ''))) "
			"// 12 FROM duckdb_views() WHERE view_name = 'bars_1m'",
			-1, files, 1),
		0);
	return v;
}

static void what_is_picked_answers_as_all_of_it(void **state)
{
	static const struct {
		const char *sql;
		int64_t files; /* 1: the pattern of all */
	} want[] = {
		{"SELECT count(*) FROM bars_1m WHERE symbol = 'A/B' AND month = 2", 1},
		{"SELECT count(*) FROM bars_1m WHERE symbol = 'A/B'", 3},
		{"SELECT count(*) FROM bars_1m WHERE symbol IN ('AAPL', 'MSFT') AND "
		 "year = 2024 AND month <= 2",
		 4},
		{"SELECT count(*) FROM bars_1m WHERE symbol LIKE 'A%' AND close > 0",
		 7},
		{"SELECT count(*) FROM bars_1m b WHERE (b.symbol = 'MSFT' AND b.month "
		 "= "
		 "1) OR b.month = 3",
		 4},
		{"SELECT count(*) FROM bars_1m x JOIN bars_1m y ON x.bar_start = "
		 "y.bar_start WHERE x.symbol = 'AAPL' AND y.symbol = 'MSFT' AND "
		 "x.month "
		 "= 1",
		 5},
		{"WITH j AS (SELECT * FROM bars_1m WHERE month = 1) SELECT count(*) "
		 "FROM "
		 "j WHERE symbol > 'AAPL'",
		 1},
		{"SELECT count(*) FROM bars_1m WHERE symbol = ')(' OR symbol = 'it''s "
		 "('",
		 0},
		{"SELECT count(*) FROM bars_1m WHERE symbol = (SELECT max(symbol) FROM "
		 "bars_1m WHERE month = 1)",
		 1},
		{"SELECT count(*) FROM bars_1m WHERE symbol <> 'AAPL'", 1},
		{"SELECT count(*) FROM bars_1m WHERE year = 2024 AND year = 2025", 1},
		{"SELECT count(*) FROM bars_1m, ticks WHERE bars_1m.symbol = 'MSFT' "
		 "AND "
		 "ticks.symbol = 'AAPL' AND ticks.day = 5",
		 1},
		{"SELECT count(*) FROM bars_1m", 1},
	};
	struct archive *a = filled(*state);

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		int64_t all, some;
		int64_t v = asked(a, want[i].sql, true, &some);

		if (v != asked(a, want[i].sql, false, &all) || all != 1)
			fail_msg("%s: another answer", want[i].sql);
		if (some != want[i].files)
			fail_msg("%s: %lld files", want[i].sql, (long long)some);
	}
	assert_int_equal(asked(a, want[0].sql, true, &(int64_t){0}), 11);
	archive_close(a);
}

/* What is live is picked as well, and of both the newest word counts. */
static void what_is_live_is_picked_too(void **state)
{
	static const char sql[] =
		"SELECT count(*) FROM ticks WHERE symbol = 'AAPL' AND "
		"year = 2026 AND day = 5";
	struct archive *a = filled(*state);
	struct event_tick t = sample_tick();
	struct archive_put sum;
	struct framerow_sum got;
	struct buf bulk = {0};
	struct duck *d;
	int64_t n = 0;

	test_add(&bulk, EVENT_TICK, &t);
	t.head.pos++;
	t.head.seq++;
	test_add(&bulk, EVENT_TICK, &t);
	assert_int_equal(archive_live_begin(a), 0);
	assert_int_equal(framerow_stage(a, bulk.data, bulk.len, NULL, &got), 0);
	assert_int_equal(archive_live_put(a, &sum), 0);
	assert_int_equal(archive_live_end(a), 0);
	assert_int_equal(archive_reader(a, &d), 0);
	assert_int_equal(views_make(a, d, sql, true), 0);
	assert_int_equal(duck_row_i64(d, sql, -1, &n, 1), 0);
	assert_int_equal(n, 2);
	assert_int_equal(test_one(a, sql), 2);
	archive_close(a);
	buf_free(&bulk);
}

/* A question that is none is answered as before: by whoever runs it. */
static void what_is_no_question_picks_nothing(void **state)
{
	struct archive *a = filled(*state);
	struct buf where = {0};
	struct duck *d;

	assert_int_equal(archive_reader(a, &d), 0);
	assert_int_equal(views_make(a, d, "SELECT nothing FROM bars_1m", true), 0);
	assert_int_equal(pick_where(d, "SELECT 1; DROP VIEW bars_1m", &where), 1);
	assert_int_equal(pick_where(d, "DROP VIEW bars_1m", &where), 1);
	assert_int_equal(pick_where(d, "", &where), 1);
	assert_int_equal(where.len, 0);
	assert_int_equal(
		duck_row_i64(d, "SELECT count(*) FROM bars_1m", -1, &(int64_t){0}, 1),
		0);
	archive_close(a);
	buf_free(&where);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(what_is_picked_answers_as_all_of_it),
		IN_DIR(what_is_live_is_picked_too),
		IN_DIR(what_is_no_question_picks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
