/* bars_test - when bars come, when they come again, and what ends up in them. */
#include "workers/bars_fixture.h"
#include <math.h>

static void a_bar_comes_after_its_grace_and_holds_its_ticks(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	fixture_trade(&f, T0 + 1 * S, 1, 100 * E9, 2 * E8);
	fixture_trade(&f, T0 + 2 * S, 2, 103 * E9, 1 * E8);
	fixture_trade(&f, T0 + 3 * S, 3, 99 * E9, 1 * E8);
	fixture_trade(&f, T0 + 4 * S, 4, 101 * E9, VALUE_NULL);
	fixture_clock(&f, T0 + MIN + S - 1);
	assert_int_equal(f.n, 0);
	assert_true(bars_due(f.bars) == T0 + MIN + S);
	fixture_clock(&f, T0 + MIN + S);
	assert_int_equal(f.n, 1);

	const struct event_bar *b = &f.bar[0];

	assert_true(b->head.event_ns == T0 + MIN && b->bar_start_ns == T0);
	assert_true(b->open_e9 == 100 * E9 && b->high_e9 == 103 * E9);
	assert_true(b->low_e9 == 99 * E9 && b->close_e9 == 101 * E9);
	assert_true(b->volume_lo == 4 * E8 && b->volume_hi == 0);
	assert_true(b->vwap == (2 * 100 + 103 + 99) / 4.0);
	assert_int_equal(b->trade_count, 4);
	assert_int_equal(b->first_pos, 1);
	assert_int_equal(b->last_pos, 4);
	assert_int_equal(b->state, BAR_TRADED);
	assert_int_equal(b->flags, BAR_VALID | BAR_PARTIAL);
	assert_true(isnan(b->log_return_1));
	assert_memory_equal(b->symbol, "AAPL", 5);
	assert_memory_equal(b->source, "nyse", 5);
	fixture_close(&f);
}

static void the_next_ticks_bring_a_bar_out_without_any_clock(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	fixture_trade(&f, T0 + S, 1, 100 * E9, E8);
	fixture_trade(&f, T0 + MIN, 2, 100 * E9, E8);
	fixture_trade(&f, T0 + MIN + S / 2, 3, 100 * E9, E8);
	assert_int_equal(f.n, 0);
	fixture_trade(&f, T0 + MIN + S, 4, 100 * E9, E8);
	assert_int_equal(f.n, 1);
	fixture_close(&f);
}

static void a_tick_on_the_boundary_belongs_to_the_new_bar(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	fixture_trade(&f, T0 + MIN - 1, 1, 100 * E9, E8);
	fixture_trade(&f, T0 + MIN, 2, 200 * E9, E8);
	fixture_clock(&f, T0 + 2 * MIN + S);
	assert_int_equal(fixture_bar(&f, 60, T0)->trade_count, 1);
	assert_true(fixture_bar(&f, 60, T0)->close_e9 == 100 * E9);
	assert_int_equal(fixture_bar(&f, 60, T0 + MIN)->trade_count, 1);
	assert_true(fixture_bar(&f, 60, T0 + MIN)->log_return_1 == log(2.0));
	fixture_close(&f);
}

static void a_late_tick_revises_until_the_bar_is_final_and_then_counts(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	fixture_trade(&f, T0 + 10 * S, 5, 100 * E9, E8);
	fixture_clock(&f, T0 + MIN + S);
	fixture_trade(&f, T0 + 5 * S, 4, 98 * E9, E8);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.bar[1].cause, CAUSE_LATE_TRADE);
	assert_int_equal(f.bar[1].revision, 1);
	assert_int_equal(f.bar[1].late_ticks, 1);
	assert_true(f.bar[1].open_e9 == 98 * E9 && f.bar[1].close_e9 == 100 * E9);
	fixture_trade(&f, T0 + 6 * S, 4, 100 * E9, E8);
	assert_int_equal(f.n, 3); /* each of them at once */

	fixture_clock(&f, T0 + 2 * MIN); /* final: bar_end + 60 s */
	const struct event_bar *b = fixture_bar(&f, 60, T0);

	assert_true(b->flags & BAR_FINAL);
	assert_int_equal(b->cause, CAUSE_FINAL);
	assert_int_equal(b->revision, 3);
	assert_true(b->open_e9 == 98 * E9);
	size_t n = f.n;

	fixture_trade(&f, T0 + 6 * S, 6, 1 * E9, E8);
	assert_int_equal(f.n, n);
	assert_int_equal(bars_counts(f.bars)->late_dropped, 1);
	fixture_close(&f);
}

static void a_late_tick_moves_the_return_of_the_next_bar(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	fixture_trade(&f, T0 + 10 * S, 1, 100 * E9, E8);
	fixture_trade(&f, T0 + MIN + 10 * S, 2, 110 * E9, E8);
	fixture_clock(&f, T0 + 2 * MIN - S);
	fixture_trade(&f, T0 + 2 * MIN - S / 2, 3, 110 * E9, E8);
	/* The first bar is final at 2 min: change its close just before that. */
	fixture_trade(&f, T0 + 50 * S, 4, 105 * E9, E8);
	assert_true(fixture_bar(&f, 60, T0)->close_e9 == 105 * E9);
	fixture_clock(&f, T0 + 2 * MIN + S);
	assert_true(fixture_bar(&f, 60, T0 + MIN)->log_return_1 == log(110.0 / 105.0));
	fixture_close(&f);
}

static void a_late_tick_makes_revisions_of_the_emitted_bars_after_it(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.params.defaults.timeframes_s[0] = 10;
	fixture_open(&f);
	for (int i = 0; i < 4; i++)
		fixture_trade(&f, T0 + i * 10 * S, (uint64_t)i + 1, (100 + i) * E9, E8);
	fixture_clock(&f, T0 + 41 * S);
	assert_int_equal(f.n, 4);
	fixture_trade(&f, T0 + 19 * S, 9, 150 * E9, E8);
	assert_int_equal(f.n, 6); /* its own bar and the return of the next */
	assert_true(f.bar[4].bar_start_ns == T0 + 10 * S);
	assert_true(f.bar[5].bar_start_ns == T0 + 20 * S);
	assert_int_equal(f.bar[5].cause, CAUSE_LATE_TRADE);
	assert_int_equal(f.bar[5].late_ticks, 0);
	assert_true(f.bar[5].log_return_1 == log(102.0 / 150.0));
	fixture_close(&f);
}

static void ties_are_broken_by_the_sources_sequence_then_by_position(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	fixture_trade(&f, T0 + S, 3, 103 * E9, E8);
	fixture_trade(&f, T0 + S, 1, 101 * E9, E8);
	fixture_trade(&f, T0 + S, 3, 104 * E9, E8);
	fixture_trade(&f, T0 + S, 2, 102 * E9, E8);
	fixture_clock(&f, T0 + MIN + S);
	assert_true(f.bar[0].open_e9 == 101 * E9);
	assert_true(f.bar[0].close_e9 == 104 * E9);
	fixture_close(&f);
}

static void each_permission_is_its_own(void **state)
{
	static const struct {
		unsigned flags;
		int64_t price;
	} ticks[] = {{0, 100},
		     {TICK_NO_LAST, 120},
		     {TICK_NO_RANGE, 101},
		     {TICK_NO_VOLUME, 102},
		     {TICK_NO_LAST | TICK_NO_RANGE, 999}};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	for (unsigned i = 0; i < 5; i++) {
		struct record r = fixture_record(T0 + (int64_t)(i + 1) * S, i + 1);

		r.price_e9 = ticks[i].price * E9;
		r.size_e8 = E8;
		r.action_flags = record_pack(TICK_NEW, ticks[i].flags);
		fixture_put(&f, &r);
	}
	fixture_clock(&f, T0 + MIN + S);
	assert_true(f.bar[0].open_e9 == 100 * E9 && f.bar[0].close_e9 == 102 * E9);
	assert_true(f.bar[0].high_e9 == 120 * E9 && f.bar[0].low_e9 == 100 * E9);
	assert_true(f.bar[0].volume_lo == 4 * E8);
	assert_int_equal(f.bar[0].trade_count, 4);
	fixture_close(&f);
}

static void a_bar_of_odd_lots_is_missing_and_keeps_its_volume(void **state)
{
	struct fixture f;
	struct record r = fixture_record(T0 + MIN + S, 2);

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	fixture_trade(&f, T0 + S, 1, 100 * E9, E8);
	r.price_e9 = 100 * E9;
	r.size_e8 = 7 * E8;
	r.action_flags = record_pack(TICK_NEW, TICK_NO_LAST | TICK_NO_RANGE);
	fixture_put(&f, &r);
	fixture_clock(&f, T0 + 2 * MIN + S);
	const struct event_bar *b = fixture_bar(&f, 60, T0 + MIN);

	assert_int_equal(b->state, BAR_QUIET);
	assert_true(b->flags & BAR_IS_MISSING);
	assert_false(b->flags & BAR_VALID);
	assert_true(b->open_e9 == VALUE_NULL && b->close_e9 == VALUE_NULL);
	assert_true(b->volume_lo == 7 * E8);
	assert_int_equal(b->trade_count, 1);
	fixture_close(&f);
}

static void sums_stay_exact_beyond_64_and_128_bits(void **state)
{
	const int64_t price = INT64_C(9000000000000000000), size = price;
	struct fixture f;
	__int128 volume;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	for (uint64_t i = 1; i <= 1000; i++)
		fixture_trade(&f, T0 + (int64_t)i, i, price, size);
	fixture_clock(&f, T0 + MIN + S);
	volume = (__int128)f.bar[0].volume_hi << 64 | f.bar[0].volume_lo;
	assert_true(volume == (__int128)1000 * size);
	assert_true(fabs(f.bar[0].vwap / 9e9 - 1) < 1e-15);
	fixture_close(&f);
}

static void silence_is_quiet_while_the_source_lives_and_blind_when_not(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	fixture_trade(&f, T0 + S, 1, 100 * E9, E8);
	for (int64_t t = 0; t <= 130; t++)
		source_life_saw(f.life, 1, T0 + t * S);
	fixture_clock(&f, T0 + 4 * MIN + S);
	assert_int_equal(fixture_bar(&f, 60, T0)->state, BAR_TRADED);
	assert_int_equal(fixture_bar(&f, 60, T0 + MIN)->state, BAR_QUIET);
	/* Alive for its first 10 s: not blind for the whole of it. */
	assert_int_equal(fixture_bar(&f, 60, T0 + 2 * MIN)->state, BAR_QUIET);
	assert_int_equal(fixture_bar(&f, 60, T0 + 3 * MIN)->state, BAR_BLIND);
	/* An event of that minute arrives late: it was not blind after all. */
	source_life_saw(f.life, 1, T0 + 3 * MIN + 30 * S);
	fixture_clock(&f, T0 + 5 * MIN);
	assert_int_equal(fixture_bar(&f, 60, T0 + 3 * MIN)->state, BAR_QUIET);
	assert_true(fixture_bar(&f, 60, T0 + 3 * MIN)->flags & BAR_FINAL);
	fixture_close(&f);
}

static void a_long_silence_ends_the_grid_and_a_tick_begins_it_anew(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.params.bars.missing_run_max = 5;
	fixture_open(&f);
	fixture_trade(&f, T0 + S, 1, 100 * E9, E8);
	fixture_trade(&f, T0 + 365 * 1440 * MIN, 2, 120 * E9, E8); /* a year */
	fixture_clock(&f, T0 + 365 * 1440 * MIN + 2 * MIN);
	assert_int_equal(f.n_status, 1);
	assert_int_equal(f.status[0].state, SYMBOL_GAP);
	assert_int_equal(f.status[0].detail, 5);
	assert_int_equal(bars_counts(f.bars)->gaps, 1);
	assert_null(fixture_bar(&f, 60, T0 + 6 * MIN));
	const struct event_bar *b = fixture_bar(&f, 60, T0 + 365 * 1440 * MIN);

	assert_true(b->flags & BAR_PARTIAL);
	assert_true(b->flags & BAR_VALID);
	assert_true(isnan(b->log_return_1));
	assert_true(bars_due(f.bars) < INT64_MAX);
	fixture_clock(&f, T0 + 366 * 1440 * MIN);
	assert_int_equal(f.n_status, 2);
	assert_true(bars_due(f.bars) == INT64_MAX);
	fixture_close(&f);
}

static void times_at_the_edge_of_the_calendar_do_no_harm(void **state)
{
	static const int64_t times[] = {INT64_MIN + 1, INT64_MIN / 2, -1, 0,
					INT64_MAX / 2, INT64_MAX};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	for (unsigned i = 0; i < 6; i++) {
		fixture_trade(&f, times[i], i + 1, 100 * E9, E8);
		fixture_clock(&f, times[i]);
	}
	assert_int_equal(bars_counts(f.bars)->time_unusable, 2);
	fixture_close(&f);
}

static void a_paused_symbol_makes_no_bars_for_the_pause(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	fixture_trade(&f, T0 + S, 1, 100 * E9, E8);
	bars_restart(f.bars); /* paused right after the tick, resumed an hour later */
	fixture_trade(&f, T0 + 60 * MIN, 2, 101 * E9, E8);
	fixture_clock(&f, T0 + 61 * MIN + S);
	assert_true(fixture_bar(&f, 60, T0)->flags & BAR_FINAL);
	assert_null(fixture_bar(&f, 60, T0 + MIN));
	assert_non_null(fixture_bar(&f, 60, T0 + 60 * MIN));
	/* Nothing is computed across the pause. */
	assert_true(isnan(fixture_bar(&f, 60, T0 + 60 * MIN)->log_return_1));
	assert_true(fixture_bar(&f, 60, T0 + 60 * MIN)->flags & BAR_PARTIAL);
	assert_int_equal(f.n, 2);
	fixture_close(&f);
}

static void auto_is_decided_by_the_first_price_or_quote(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.params.defaults.price_types[0] = PRICE_AUTO;
	fixture_open(&f);
	fixture_quote(&f, T0 + S, 1, 100 * E9,
		      VALUE_NULL); /* one side decides nothing */
	fixture_quote(&f, T0 + 2 * S, 2, 100 * E9, 101 * E9 + 1);
	fixture_trade(&f, T0 + 3 * S, 3, 500 * E9, E8);
	fixture_clock(&f, T0 + MIN + S);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.bar[0].price_type, PRICE_MID);
	assert_true(f.bar[0].close_e9 == 100 * E9 + E9 / 2);
	assert_int_equal(f.bar[0].trade_count, 1);
	fixture_close(&f);
}

static void another_source_is_counted_not_used(void **state)
{
	struct fixture f;
	struct record r = fixture_record(T0 + S, 1);

	(void)state;
	fixture_init(&f);
	memcpy(f.params.defaults.source, "bats", 5);
	fixture_open(&f);
	r.price_e9 = 100 * E9;
	fixture_put(&f, &r);
	r.source_id = 2;
	r.price_e9 = 101 * E9;
	fixture_put(&f, &r);
	fixture_clock(&f, T0 + MIN + S);
	assert_int_equal(f.n, 1);
	assert_true(f.bar[0].open_e9 == 101 * E9);
	assert_int_equal(bars_counts(f.bars)->other_source, 1);
	assert_memory_equal(f.bar[0].source, "bats", 5);
	fixture_close(&f);
}

static void a_halt_marks_the_bars_it_covers(void **state)
{
	struct fixture f;
	struct record r = fixture_record(T0 + MIN + S, 2);

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	fixture_trade(&f, T0 + S, 1, 100 * E9, E8);
	r.action_flags = record_pack(TICK_NEW, TICK_HALT);
	fixture_put(&f, &r);
	r.event_ns = T0 + 3 * MIN + S;
	r.action_flags = record_pack(TICK_NEW, TICK_RESUMED);
	fixture_put(&f, &r);
	fixture_trade(&f, T0 + 4 * MIN + S, 3, 100 * E9, E8);
	fixture_clock(&f, T0 + 6 * MIN);
	assert_false(fixture_bar(&f, 60, T0)->flags & BAR_HALTED);
	assert_true(fixture_bar(&f, 60, T0 + 2 * MIN)->flags & BAR_HALTED);
	assert_false(fixture_bar(&f, 60, T0 + 4 * MIN)->flags & BAR_HALTED);
	assert_int_equal(f.status[0].state, SYMBOL_HALTED);
	assert_int_equal(f.status[1].state, SYMBOL_LIVE);
	fixture_close(&f);
}

static void a_quiet_symbol_costs_little_memory(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.params.defaults.n_timeframes = 3;
	f.params.defaults.timeframes_s[1] = 300;
	f.params.defaults.timeframes_s[2] = 3600;
	fixture_open(&f);
	fixture_trade(&f, T0 + S, 1, 100 * E9, E8);
	assert_true(bars_bytes(f.bars) < 8192);
	for (uint64_t i = 0; i < 5000; i++)
		fixture_trade(&f, T0 + (int64_t)i * S, i + 2, 100 * E9, E8);
	assert_true(bars_bytes(f.bars) < 65536);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bar_comes_after_its_grace_and_holds_its_ticks),
		cmocka_unit_test(the_next_ticks_bring_a_bar_out_without_any_clock),
		cmocka_unit_test(a_tick_on_the_boundary_belongs_to_the_new_bar),
		cmocka_unit_test(
			a_late_tick_revises_until_the_bar_is_final_and_then_counts),
		cmocka_unit_test(a_late_tick_moves_the_return_of_the_next_bar),
		cmocka_unit_test(
			a_late_tick_makes_revisions_of_the_emitted_bars_after_it),
		cmocka_unit_test(
			ties_are_broken_by_the_sources_sequence_then_by_position),
		cmocka_unit_test(each_permission_is_its_own),
		cmocka_unit_test(a_bar_of_odd_lots_is_missing_and_keeps_its_volume),
		cmocka_unit_test(sums_stay_exact_beyond_64_and_128_bits),
		cmocka_unit_test(
			silence_is_quiet_while_the_source_lives_and_blind_when_not),
		cmocka_unit_test(
			a_long_silence_ends_the_grid_and_a_tick_begins_it_anew),
		cmocka_unit_test(times_at_the_edge_of_the_calendar_do_no_harm),
		cmocka_unit_test(a_paused_symbol_makes_no_bars_for_the_pause),
		cmocka_unit_test(auto_is_decided_by_the_first_price_or_quote),
		cmocka_unit_test(another_source_is_counted_not_used),
		cmocka_unit_test(a_halt_marks_the_bars_it_covers),
		cmocka_unit_test(a_quiet_symbol_costs_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
