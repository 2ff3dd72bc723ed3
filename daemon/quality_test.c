/* quality_test - gaps inside sessions, outliers, coverage, in the exchange's zone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/quality.h"
#include <string.h>

#define MIN  (60 * NS_PER_S)
#define DAY  (86400 * NS_PER_S)
#define OPEN (INT64_C(1704205800) * NS_PER_S) /* Tue 2024-01-02 09:30 in New York */

static const struct hist_range ever = {INT64_MIN, INT64_MAX};

static struct params params;

static const struct symbol_params *new_york(void)
{
	struct symbol_params *sp = &params.defaults;

	params_default(&params);
	assert_int_equal(0, params_zone(&params, "America/New_York", &sp->tz));
	sp->has_session = true;
	sp->session_start_s = 34200;
	sp->session_end_s = 57600;
	sp->session_days = 0x1f;
	return sp;
}

static void add(struct buf *b, int64_t start_ns, int64_t cents)
{
	const struct hist_bar bar = {.start_ns = start_ns,
				     .open_e9 = cents * 10000000,
				     .high_e9 = cents * 10000000,
				     .low_e9 = cents * 10000000,
				     .close_e9 = cents * 10000000,
				     .volume_e8 = 100000000};

	buf_add(b, &bar, sizeof(bar));
}

/* The minutes [from, to) of the session that opens at @open. */
static void add_minutes(struct buf *b, int64_t open, int from, int to)
{
	for (int i = from; i < to; i++)
		add(b, open + i * MIN, 10000 + i * 7 % 5);
}

static void judge(const struct symbol_params *sp, uint32_t step_s,
		  const struct hist_range *r, struct buf *b, struct quality *q)
{
	quality_judge(sp, step_s, r, (const struct hist_bar *)(void *)b->data,
		      b->len / sizeof(struct hist_bar), q);
	buf_free(b);
}

static void a_whole_week_of_sessions_has_no_fault(void **state)
{
	const struct symbol_params *sp = new_york();
	struct buf b = {0};
	struct quality q;

	(void)state;
	/* Tuesday to Friday and the Monday after: no gap over night or weekend. */
	for (int d = 0; d < 7; d++)
		if (d < 4 || d == 6)
			add_minutes(&b, OPEN + d * DAY, 0, 390);
	judge(sp, 60, &ever, &b, &q);
	assert_int_equal(5 * 390, q.bars);
	assert_int_equal(5, q.sessions);
	assert_int_equal(0, q.empty);
	assert_int_equal(5 * 390, q.expected);
	assert_int_equal(5 * 390, q.present);
	assert_int_equal(0, q.gaps);
	assert_int_equal(0, q.outliers);
	assert_int_equal(0, q.invalid);
	quality_free(&q);
	params_deinit(&params);
}

static void silences_longer_than_allowed_are_listed(void **state)
{
	const struct symbol_params *sp = new_york();
	const struct quality_gap *gap;
	struct buf b = {0};
	struct quality q;

	(void)state;
	add_minutes(&b, OPEN, 6, 100);   /* six minutes late */
	add_minutes(&b, OPEN, 105, 200); /* five missing: allowed */
	add_minutes(&b, OPEN, 260, 390);
	judge(sp, 60, &ever, &b, &q);
	assert_int_equal(2, q.gaps);
	gap = (const struct quality_gap *)(void *)q.gap_list.data;
	assert_int_equal(OPEN + 200 * MIN, gap[1].from_ns);
	assert_int_equal(OPEN + 260 * MIN, gap[1].to_ns);
	assert_int_equal(60 * MIN, q.longest_ns);
	assert_int_equal(390, q.expected);
	assert_int_equal(390 - 6 - 5 - 60, q.present);
	quality_free(&q);
	params_deinit(&params);
}

static void bars_outside_and_days_without_are_told_apart(void **state)
{
	const struct symbol_params *sp = new_york();
	struct buf b = {0};
	struct quality q;

	(void)state;
	add(&b, OPEN - 30 * MIN, 10000);
	add_minutes(&b, OPEN, 0, 390);
	add(&b, OPEN + 391 * MIN, 10000);
	add_minutes(&b, OPEN + 2 * DAY, 0, 390); /* Wednesday is missing */
	judge(sp, 60, &ever, &b, &q);
	assert_int_equal(2, q.outside);
	assert_int_equal(2, q.sessions);
	assert_int_equal(1, q.empty);
	assert_int_equal(0, q.gaps);
	quality_free(&q);
	params_deinit(&params);
}

static void the_session_follows_the_clocks_of_its_zone(void **state)
{
	const struct symbol_params *sp = new_york();
	/* Monday 2024-03-11, the day after the clocks went forward: 13:30Z. */
	int64_t summer = INT64_C(1710163800) * NS_PER_S;
	struct buf b = {0};
	struct quality q;

	(void)state;
	add_minutes(&b, summer, 0, 390);
	judge(sp, 60, &ever, &b, &q);
	assert_int_equal(0, q.outside);
	assert_int_equal(390, q.present);
	quality_free(&q);
	params_deinit(&params);
}

static void a_jump_beyond_the_symbols_threshold_is_an_outlier(void **state)
{
	struct buf b = {0}, again = {0};
	struct symbol_params loose = *new_york();
	const struct quality_outlier *o;
	struct quality q;

	(void)state;
	add_minutes(&b, OPEN, 0, 60);
	add(&b, OPEN + 60 * MIN, 20000);
	add_minutes(&b, OPEN, 61, 390);
	buf_add(&again, b.data, b.len);
	judge(&params.defaults, 60, &ever, &b, &q);
	assert_true(q.outliers >= 1);
	o = (const struct quality_outlier *)(void *)q.outlier_list.data;
	assert_int_equal(OPEN + 60 * MIN, o[0].start_ns);
	assert_int_equal(OUTLIER_JUMP, o[0].reason & OUTLIER_JUMP);
	quality_free(&q);
	loose.outlier_sigma = 1e6;
	judge(&loose, 60, &ever, &again, &q);
	assert_int_equal(0, q.outliers);
	quality_free(&q);
	params_deinit(&params);
}

static void a_bar_that_contradicts_itself_is_invalid(void **state)
{
	const struct symbol_params *sp = new_york();
	struct buf b = {0};
	struct quality q;

	(void)state;
	add_minutes(&b, OPEN, 0, 50);
	((struct hist_bar *)(void *)b.data)[10].high_e9 -= 1000000000;
	((struct hist_bar *)(void *)b.data)[20].low_e9 = -1;
	judge(sp, 60, &ever, &b, &q);
	assert_int_equal(2, q.invalid);
	quality_free(&q);
	params_deinit(&params);
}

static void days_are_counted_by_session(void **state)
{
	const struct symbol_params *sp = new_york();
	struct buf b = {0};
	struct quality q;

	(void)state;
	/* Midnight in New York; Thursday is missing. */
	add(&b, OPEN - 570 * MIN, 10000);
	add(&b, OPEN - 570 * MIN + DAY, 10001);
	add(&b, OPEN - 570 * MIN + 3 * DAY, 10002);
	judge(sp, 86400, &ever, &b, &q);
	assert_int_equal(3, q.sessions);
	assert_int_equal(1, q.empty);
	assert_int_equal(3, q.expected);
	assert_int_equal(0, q.outside);
	assert_int_equal(0, q.gaps);
	quality_free(&q);
	params_deinit(&params);
}

static void without_a_session_the_day_has_24_hours(void **state)
{
	struct buf b = {0};
	struct quality q;

	(void)state;
	params_default(&params);
	add_minutes(&b, OPEN, 0, 390);
	judge(&params.defaults, 60, &ever, &b, &q);
	assert_int_equal(1440, q.expected);
	assert_int_equal(2, q.gaps); /* before and after */
	quality_free(&q);
	params_deinit(&params);
}

static void nothing_has_no_faults(void **state)
{
	struct quality q;

	(void)state;
	params_default(&params);
	quality_judge(&params.defaults, 60, &ever, NULL, 0, &q);
	assert_int_equal(0, q.expected);
	quality_free(&q);
	params_deinit(&params);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_week_of_sessions_has_no_fault),
		cmocka_unit_test(silences_longer_than_allowed_are_listed),
		cmocka_unit_test(bars_outside_and_days_without_are_told_apart),
		cmocka_unit_test(the_session_follows_the_clocks_of_its_zone),
		cmocka_unit_test(a_jump_beyond_the_symbols_threshold_is_an_outlier),
		cmocka_unit_test(a_bar_that_contradicts_itself_is_invalid),
		cmocka_unit_test(days_are_counted_by_session),
		cmocka_unit_test(without_a_session_the_day_has_24_hours),
		cmocka_unit_test(nothing_has_no_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
