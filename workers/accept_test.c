/* accept_test - each rule at its edge, and what counts as a gap. */
#include "workers/accept.h"
#include "workers/bars_fixture.h"

static struct event_bar bar[400];

static void fill(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bar[i] = (struct event_bar){.flags = BAR_VALID};
		bar[i].bar_start_ns = T0 + (int64_t)i * MIN;
		bar[i].head.event_ns = T0 + (int64_t)(i + 1) * MIN;
	}
}

static struct accept_report judge(size_t n)
{
	struct accept_rules rules;
	struct params p;
	struct accept_report r;

	params_default(&p);
	accept_rules_default(&rules);
	accept_judge(&rules, &p.defaults, bar, n, &r);
	params_deinit(&p);
	return r;
}

static void sound_bars_are_accepted_and_kept(void **state)
{
	struct accept_report r;
	struct buf text = {0};

	(void)state;
	fill(100);
	r = judge(100);
	assert_int_equal(r.refused, 0);
	assert_int_equal(r.excluded, 0);
	accept_print(&r, &text);
	assert_string_equal(buf_text(&text), "bars=100 valid=100 missing=0 outliers=0 "
					     "missing_run=0 invalid_run=0 gaps=0 "
					     "accepted kept");
	buf_free(&text);
}

static void no_bars_are_neither(void **state)
{
	struct accept_report r = judge(0);

	(void)state;
	assert_int_equal(r.refused, ACCEPT_EMPTY);
	assert_int_equal(r.excluded, EXCLUDE_EMPTY);
}

static void ninety_percent_valid_is_enough_and_less_is_not(void **state)
{
	struct accept_report r;

	(void)state;
	fill(100);
	for (size_t i = 0; i < 10; i++)
		bar[5 + i * 9].flags = BAR_IS_OUTLIER;
	r = judge(100);
	assert_int_equal(r.valid, 90);
	assert_int_equal(r.refused, 0);
	bar[1].flags = BAR_IS_OUTLIER;
	assert_int_equal(judge(100).refused, ACCEPT_FEW_VALID);
}

static void five_percent_missing_is_kept_and_more_is_not(void **state)
{
	(void)state;
	fill(100);
	for (size_t i = 0; i < 5; i++)
		bar[5 + i * 9].flags = BAR_IS_MISSING;
	assert_int_equal(judge(100).excluded, 0);
	bar[1].flags = BAR_IS_MISSING;
	assert_int_equal(judge(100).excluded, EXCLUDE_MANY_MISSING);
}

static void three_missing_in_a_row_are_kept_and_four_are_not(void **state)
{
	(void)state;
	fill(200);
	bar[10].flags = bar[11].flags = bar[12].flags = BAR_IS_MISSING;
	assert_int_equal(judge(200).excluded, 0);
	bar[13].flags = BAR_IS_MISSING;
	assert_int_equal(judge(200).excluded, EXCLUDE_LONG_MISSING_RUN);
	assert_int_equal(judge(200).missing_run, 4);
	assert_int_equal(judge(200).gaps, 0); /* 4 minutes: not longer than 5 */
}

static void both_ends_must_be_there(void **state)
{
	(void)state;
	fill(100);
	bar[0].flags = BAR_IS_MISSING;
	assert_int_equal(judge(100).refused, ACCEPT_FIRST_INVALID);
	assert_int_equal(judge(100).excluded, EXCLUDE_FIRST_MISSING);
	fill(100);
	bar[99].flags = BAR_IS_MISSING;
	assert_int_equal(judge(100).refused, ACCEPT_LAST_INVALID);
	assert_int_equal(judge(100).excluded, EXCLUDE_LAST_MISSING);
}

static void a_long_run_of_invalid_bars_is_refused(void **state)
{
	(void)state;
	fill(400);
	for (size_t i = 0; i < 10; i++)
		bar[100 + i].flags = BAR_IS_OUTLIER;
	assert_int_equal(judge(400).refused, 0);
	bar[110].flags = BAR_IS_OUTLIER;
	assert_int_equal(judge(400).refused, ACCEPT_LONG_INVALID_RUN);
}

static void only_the_last_revision_counts(void **state)
{
	(void)state;
	fill(100);
	bar[50] = bar[51];
	bar[50].flags = BAR_IS_MISSING;
	assert_int_equal(judge(100).bars, 99);
	assert_int_equal(judge(100).missing, 0);
}

static void a_silence_longer_than_the_symbols_limit_is_a_gap(void **state)
{
	struct accept_report r;

	(void)state;
	fill(100);
	for (size_t i = 50; i < 100; i++) { /* the grid had ended for six minutes */
		bar[i].bar_start_ns += 6 * MIN;
		bar[i].head.event_ns += 6 * MIN;
	}
	r = judge(100);
	assert_int_equal(r.gaps, 1);
	assert_true(r.gap_ns == 6 * MIN && r.gap_start_ns == T0 + 50 * MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_bars_are_accepted_and_kept),
		cmocka_unit_test(no_bars_are_neither),
		cmocka_unit_test(ninety_percent_valid_is_enough_and_less_is_not),
		cmocka_unit_test(five_percent_missing_is_kept_and_more_is_not),
		cmocka_unit_test(three_missing_in_a_row_are_kept_and_four_are_not),
		cmocka_unit_test(both_ends_must_be_there),
		cmocka_unit_test(a_long_run_of_invalid_bars_is_refused),
		cmocka_unit_test(only_the_last_revision_counts),
		cmocka_unit_test(a_silence_longer_than_the_symbols_limit_is_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
