/* barrow_test - both kinds of bars become rows, and what cannot be one is refused. */
#include "archive/barrow.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct hist_series series = {"alpaca", "sip", "AAPL", HIST_SPLIT, 60};

static void a_vendors_bar_is_final_and_keeps_its_nulls(void **state)
{
	struct hist_bar b = {
		1704067200000000000, 187150000000, 187500000000, 187000000000,
		187123456789,        12345678900,  VALUE_NULL,   42};
	struct barrow r;

	(void)state;
	assert_int_equal(barrow_of_hist(&series, &b, &r), 0);
	assert_true(r.close == 187.123456789);
	assert_true(r.volume == 123.456789);
	assert_true(isnan(r.vwap));
	assert_true(r.trade_count == 42);
	assert_true(r.final && !r.judged && r.revision == 0);
	assert_string_equal(r.adjust, "split");
	assert_string_equal(r.feed, "sip");
}

static void our_own_bar_keeps_its_exact_volume_and_its_judgement(void **state)
{
	struct event_bar b = {.bar_start_ns = 1704067200000000000,
			      .open_e9 = VALUE_NULL,
			      .volume_lo = 0,
			      .volume_hi = 1, /* 2^64 e-8 */
			      .vwap = NAN,
			      .timeframe_s = 300,
			      .revision = 3,
			      .flags = BAR_FINAL | BAR_VALID,
			      .state = BAR_QUIET,
			      .symbol = "EUR/USD",
			      .source = "ebs"};
	struct barrow r;

	(void)state;
	assert_int_equal(barrow_of_event(&b, &r), 0);
	assert_true(isnan(r.open));
	assert_true(r.volume == 184467440737.09551616);
	assert_true(r.final && r.judged && r.revision == 3);
	assert_int_equal(r.state, BAR_QUIET);
	assert_string_equal(r.feed, BARROW_OWN);
	b.state = 9;
	assert_int_equal(barrow_of_event(&b, &r), -EINVAL);
	b.state = BAR_TRADED;
	memset(b.symbol, 'A', sizeof(b.symbol)); /* full: no NUL */
	assert_int_equal(barrow_of_event(&b, &r), 0);
	assert_int_equal(strlen(r.symbol), SYMBOL_MAX);
}

static void what_is_no_bar_is_refused(void **state)
{
	struct hist_bar b = {.start_ns = 1704067200000000000};
	struct hist_series s = series;
	struct barrow r;

	(void)state;
	assert_int_equal(barrow_of_hist(&s, &b, &r), 0);
	b.start_ns += 1;
	assert_int_equal(barrow_of_hist(&s, &b, &r), -EINVAL);
	b.start_ns = INT64_MIN;
	assert_int_equal(barrow_of_hist(&s, &b, &r), -EINVAL);
	b.start_ns = 0;
	s.step_s = 7;
	assert_int_equal(barrow_of_hist(&s, &b, &r), -EINVAL);
	s = series;
	s.source[0] = '\0';
	assert_int_equal(barrow_of_hist(&s, &b, &r), -EINVAL);
	s = series;
	s.adjust = 9;
	assert_int_equal(barrow_of_hist(&s, &b, &r), -EINVAL);
	s = series;
	snprintf(s.symbol, sizeof(s.symbol), "../x");
	assert_int_equal(barrow_of_hist(&s, &b, &r), -EINVAL);
}

static void adjustments_have_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= HIST_ALL; i++)
		assert_int_equal(barrow_adjust_parse(barrow_adjust_name(i)), i);
	assert_int_equal(barrow_adjust_parse("some"), HIST_ALL + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vendors_bar_is_final_and_keeps_its_nulls),
		cmocka_unit_test(our_own_bar_keeps_its_exact_volume_and_its_judgement),
		cmocka_unit_test(what_is_no_bar_is_refused),
		cmocka_unit_test(adjustments_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
