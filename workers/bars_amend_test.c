/* bars_amend_test - cancels, corrections, the history they need; spreads of late
 * quotes; and where a series begins. */
#include "workers/bars_fixture.h"
#include <math.h>

static void trades(struct fixture *f, int64_t from_ns, uint64_t first_seq, unsigned n)
{
	/* 100, 101, ... one a second; the highest is the last */
	for (unsigned i = 0; i < n; i++)
		fixture_trade(f, from_ns + i * S, first_seq + i,
			      (100 + (int64_t)i) * E9, E8);
}

static void a_cancel_takes_its_trade_out_of_every_number(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	trades(&f, T0, 1, 5);
	fixture_amend(&f, T0 + 10 * S, 0, TICK_CANCEL, 5, VALUE_NULL, VALUE_NULL);
	fixture_amend(&f, T0 + 11 * S, 0, TICK_CANCEL, 1, VALUE_NULL, VALUE_NULL);
	fixture_clock(&f, T0 + MIN + S);
	assert_true(f.bar[0].open_e9 == 101 * E9 && f.bar[0].low_e9 == 101 * E9);
	assert_true(f.bar[0].close_e9 == 103 * E9 && f.bar[0].high_e9 == 103 * E9);
	assert_true(f.bar[0].volume_lo == 3 * E8 && f.bar[0].vwap == 102.0);
	assert_int_equal(f.bar[0].trade_count, 3);
	assert_int_equal(bars_counts(f.bars)->amended, 2);
	assert_int_equal(f.n_status, 0);
	fixture_close(&f);
}

static void a_cancel_after_the_emission_is_a_revision_with_its_cause(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	trades(&f, T0, 1, 5);
	fixture_clock(&f, T0 + MIN + S);
	fixture_amend(&f, T0 + MIN + 2 * S, 0, TICK_CANCEL, 5, VALUE_NULL, VALUE_NULL);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.bar[1].cause, CAUSE_CANCEL);
	assert_true(f.bar[1].high_e9 == 103 * E9);
	/* Once more changes nothing and says nothing. */
	fixture_amend(&f, T0 + MIN + 3 * S, 0, TICK_CANCEL, 5, VALUE_NULL, VALUE_NULL);
	assert_int_equal(f.n, 2);
	fixture_amend(&f, T0 + MIN + 4 * S, 9, TICK_CORRECT, 4, 99 * E9, 2 * E8);
	assert_int_equal(f.n, 3);
	assert_int_equal(f.bar[2].cause, CAUSE_CORRECTION);
	assert_true(f.bar[2].close_e9 == 99 * E9 && f.bar[2].low_e9 == 99 * E9);
	assert_true(f.bar[2].high_e9 == 102 * E9);
	assert_true(f.bar[2].volume_lo == 5 * E8);
	fixture_close(&f);
}

static void cancelling_the_only_trade_leaves_a_missing_bar(void **state)
{
	struct fixture f;
	const struct event_bar *b;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	trades(&f, T0, 1, 1);
	fixture_amend(&f, T0 + S, 0, TICK_CANCEL, 1, VALUE_NULL, VALUE_NULL);
	fixture_clock(&f, T0 + MIN + S);
	b = fixture_bar(&f, 60, T0);
	assert_int_equal(b->flags & (BAR_IS_MISSING | BAR_VALID), BAR_IS_MISSING);
	assert_true(b->high_e9 == VALUE_NULL && b->volume_lo == 0 && isnan(b->vwap));
	fixture_close(&f);
}

static void a_cancel_may_come_before_its_trade(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	trades(&f, T0, 1, 1);
	fixture_amend(&f, T0 + 3 * S, 0, TICK_CANCEL, 2, VALUE_NULL, VALUE_NULL);
	fixture_trade(&f, T0 + 2 * S, 2, 500 * E9, E8);
	fixture_clock(&f, T0 + 5 * MIN);
	assert_int_equal(fixture_bar(&f, 60, T0)->trade_count, 1);
	assert_int_equal(bars_counts(f.bars)->amends_lost, 0);
	assert_int_equal(f.n_status, 0);
	fixture_close(&f);
}

static void a_correction_of_a_correction_leads_to_the_trade(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	trades(&f, T0, 1, 1);
	/* 12 names 11, which names 1; they come the wrong way round. */
	fixture_amend(&f, T0 + 3 * S, 12, TICK_CORRECT, 11, 98 * E9, E8);
	fixture_amend(&f, T0 + 2 * S, 11, TICK_CORRECT, 1, 97 * E9, E8);
	fixture_clock(&f, T0 + 5 * MIN);
	assert_true(fixture_bar(&f, 60, T0)->close_e9 == 98 * E9);
	assert_int_equal(fixture_bar(&f, 60, T0)->trade_count, 1);
	assert_int_equal(bars_counts(f.bars)->amends_lost, 0);
	fixture_close(&f);
}

static void a_cancel_without_its_trade_is_reported_when_the_window_is_over(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	trades(&f, T0, 1, 1);
	fixture_amend(&f, T0 + S, 0, TICK_CANCEL, 77, VALUE_NULL, VALUE_NULL);
	fixture_amend(&f, T0 + S, 0, TICK_CANCEL, 0, VALUE_NULL, VALUE_NULL);
	fixture_amend(&f, T0 + S, 0, TICK_CORRECT, 1, VALUE_NULL, E8);
	assert_int_equal(bars_counts(f.bars)->amends_void, 2);
	assert_int_equal(f.n_status, 0);
	fixture_clock(&f, T0 + MIN + S + 1);
	assert_int_equal(f.n_status, 1);
	assert_int_equal(f.status[0].state, SYMBOL_CANCEL_LOST);
	assert_int_equal(f.status[0].detail, 77);
	assert_int_equal(bars_counts(f.bars)->amends_lost, 1);
	fixture_close(&f);
}

static void more_amendments_than_are_kept_are_reported_not_lost(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	trades(&f, T0, 1, 1);
	for (uint64_t i = 0; i < 100; i++)
		fixture_amend(&f, T0 + S, 0, TICK_CANCEL, 1000 + i, VALUE_NULL,
			      VALUE_NULL);
	assert_int_equal(f.n_status, 36); /* 64 are kept */
	fixture_clock(&f, T0 + 3 * MIN);
	assert_int_equal(bars_counts(f.bars)->amends_lost, 100);
	fixture_close(&f);
}

static void an_edge_beyond_the_history_is_kept_and_said(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.params.bars.history_slots = 16;
	fixture_open(&f);
	trades(&f, T0, 1, 40);
	/* An inner trade: sums follow, no price leans on it. */
	fixture_amend(&f, T0 + 41 * S, 0, TICK_CANCEL, 30, VALUE_NULL, VALUE_NULL);
	assert_int_equal(f.n_status, 0);
	/* The close and high: the history holds 16 of 40 trades of the bar. */
	fixture_amend(&f, T0 + 41 * S, 0, TICK_CANCEL, 40, VALUE_NULL, VALUE_NULL);
	assert_int_equal(f.n_status, 1);
	assert_int_equal(f.status[0].state, SYMBOL_CANCEL_LOST);
	assert_int_equal(bars_counts(f.bars)->edges_kept, 1);
	fixture_clock(&f, T0 + MIN + S);
	assert_true(f.bar[0].high_e9 == 139 * E9);
	assert_int_equal(f.bar[0].trade_count, 38);
	assert_true(f.bar[0].volume_lo == 38 * E8);
	fixture_close(&f);
}

static void a_cancel_of_a_final_bar_is_counted(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	trades(&f, T0, 1, 3);
	fixture_clock(&f, T0 + 3 * MIN);
	size_t n = f.n;

	fixture_amend(&f, T0 + 3 * MIN, 0, TICK_CANCEL, 2, VALUE_NULL, VALUE_NULL);
	assert_int_equal(f.n, n);
	assert_int_equal(bars_counts(f.bars)->late_amends, 1);
	fixture_close(&f);
}

static void a_late_quote_splits_the_stretch_that_it_falls_into(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.params.defaults.price_types[0] = PRICE_MID;
	f.params.defaults.spread = true;
	fixture_open(&f);
	fixture_quote(&f, T0, 1, 99 * E9, 101 * E9);
	fixture_quote(&f, T0 + 40 * S, 3, 98 * E9, 102 * E9);
	fixture_quote(&f, T0 + 20 * S, 2, 101 * E9,
		      99 * E9); /* crossed: holds nothing */
	fixture_clock(&f, T0 + MIN + S);
	/* 2 of 200 for 20 s, nothing for 20 s, 4 of 200 for 20 s */
	assert_true(f.bar[0].spread_estimate == 0.03);
	assert_int_equal(f.bar[0].spread_method, SPREAD_QUOTE);
	assert_true(f.bar[0].flags & BAR_CROSSED);
	assert_int_equal(f.bar[0].trade_count, 3);
	fixture_quote(&f, T0 + 20 * S, 4, 99 * E9, 101 * E9);
	assert_int_equal(f.n, 2);
	assert_true(fabs(f.bar[1].spread_estimate - (2 * 40 + 4 * 20) / 6000.0) <
		    1e-15);
	fixture_close(&f);
}

static void a_late_quote_beyond_the_history_is_counted(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.params.defaults.price_types[0] = PRICE_MID;
	f.params.defaults.spread = true;
	f.params.bars.history_slots = 16;
	fixture_open(&f);
	for (uint64_t i = 0; i < 40; i++)
		fixture_quote(&f, T0 + (int64_t)i * S, i + 1, 99 * E9, 101 * E9);
	fixture_quote(&f, T0 + S / 2, 50, 90 * E9, 110 * E9);
	assert_int_equal(bars_counts(f.bars)->spread_lost, 1);
	fixture_clock(&f, T0 + MIN + S);
	assert_true(f.bar[0].spread_estimate == 0.02);
	assert_true(f.bar[0].low_e9 == 100 * E9);
	assert_int_equal(f.bar[0].trade_count, 41);
	fixture_close(&f);
}

static void a_series_begins_earlier_until_it_has_said_something(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.params.defaults.timeframes_s[0] = 10;
	fixture_open(&f);
	fixture_trade(&f, T0 + 35 * S, 3, 103 * E9, E8);
	fixture_trade(&f, T0 + 12 * S, 2, 102 * E9, E8); /* due at once */
	assert_int_equal(f.n, 2);
	assert_true(f.bar[0].bar_start_ns == T0 + 10 * S);
	assert_true(f.bar[0].flags & BAR_PARTIAL);
	assert_true(f.bar[1].bar_start_ns == T0 + 20 * S);
	assert_int_equal(f.bar[1].state, BAR_QUIET);
	fixture_trade(&f, T0 + 1 * S, 1, 101 * E9, E8); /* too late now */
	assert_int_equal(bars_counts(f.bars)->late_dropped, 1);
	fixture_clock(&f, T0 + 41 * S);
	assert_false(fixture_bar(&f, 10, T0 + 30 * S)->flags & BAR_PARTIAL);
	fixture_close(&f);
}

static void a_range_spread_is_a_mean_seeded_by_its_first_value(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.params.defaults.spread = true;
	fixture_open(&f);
	fixture_trade(&f, T0, 1, 100 * E9, E8);
	fixture_trade(&f, T0 + S, 2, 125 * E9, E8);
	fixture_trade(&f, T0 + MIN, 3, 100 * E9, E8);
	fixture_clock(&f, T0 + 3 * MIN + S);
	assert_int_equal(fixture_bar(&f, 60, T0)->spread_method, SPREAD_RANGE);
	assert_true(fixture_bar(&f, 60, T0)->spread_estimate == 0.2);
	assert_true(fixture_bar(&f, 60, T0 + MIN)->spread_estimate == 0.9 * 0.2);
	assert_true(isnan(fixture_bar(&f, 60, T0 + 2 * MIN)->spread_estimate));
	assert_int_equal(fixture_bar(&f, 60, T0 + 2 * MIN)->spread_method, SPREAD_NONE);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cancel_takes_its_trade_out_of_every_number),
		cmocka_unit_test(
			a_cancel_after_the_emission_is_a_revision_with_its_cause),
		cmocka_unit_test(cancelling_the_only_trade_leaves_a_missing_bar),
		cmocka_unit_test(a_cancel_may_come_before_its_trade),
		cmocka_unit_test(a_correction_of_a_correction_leads_to_the_trade),
		cmocka_unit_test(
			a_cancel_without_its_trade_is_reported_when_the_window_is_over),
		cmocka_unit_test(more_amendments_than_are_kept_are_reported_not_lost),
		cmocka_unit_test(an_edge_beyond_the_history_is_kept_and_said),
		cmocka_unit_test(a_cancel_of_a_final_bar_is_counted),
		cmocka_unit_test(a_late_quote_splits_the_stretch_that_it_falls_into),
		cmocka_unit_test(a_late_quote_beyond_the_history_is_counted),
		cmocka_unit_test(a_series_begins_earlier_until_it_has_said_something),
		cmocka_unit_test(a_range_spread_is_a_mean_seeded_by_its_first_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
