/* grid_test - floors, sessions, days on which the clocks change, and params' zones. */
#include "workers/bars_fixture.h"
#include "workers/grid.h"

#define DAY (24 * 60 * MIN)
#define NY  "America/New_York"

/* UTC of 2024-MM-DD hh:mm. */
static int64_t utc(unsigned month, unsigned day, int hour, int minute)
{
	static const int before[] = {0,   31,  60,  91,  121, 152,
				     182, 213, 244, 274, 305, 335};
	int64_t days = 19723 + before[month - 1] + (int64_t)day - 1;

	return days * DAY + (hour * 60 + minute) * MIN;
}

struct place {
	struct params params;
	struct session session;
	struct grid grid;
};

static void place_init(struct place *p, const char *zone, int32_t start_s,
		       int32_t end_s, uint8_t days, enum bar_origin origin,
		       uint32_t timeframe_s)
{
	struct symbol_params *sp = &p->params.defaults;

	params_default(&p->params);
	if (zone != NULL) {
		assert_int_equal(params_zone(&p->params, zone, &sp->tz), 0);
		sp->has_session = true;
		sp->session_start_s = start_s;
		sp->session_end_s = end_s;
		sp->session_days = days;
	}
	sp->origin = origin;
	session_init(&p->session, sp);
	grid_init(&p->grid, sp, &p->session, timeframe_s);
}

static void assert_span(struct span got, int64_t start_ns, int64_t end_ns)
{
	assert_true(got.start_ns == start_ns);
	assert_true(got.end_ns == end_ns);
}

static void without_a_session_bars_follow_from_midnight_utc(void **state)
{
	struct place p;

	(void)state;
	place_init(&p, NULL, 0, 0, 0, ORIGIN_MIDNIGHT_UTC, 14400);
	assert_span(grid_at(&p.grid, utc(3, 5, 7, 59)), utc(3, 5, 4, 0),
		    utc(3, 5, 8, 0));
	assert_span(grid_at(&p.grid, utc(3, 5, 8, 0)), utc(3, 5, 8, 0),
		    utc(3, 5, 12, 0));
	assert_span(grid_at(&p.grid, utc(3, 5, 8, 0) - 1), utc(3, 5, 4, 0),
		    utc(3, 5, 8, 0));
	assert_span(grid_at(&p.grid, -1), -4 * 60 * MIN, 0);
	assert_span(grid_next(&p.grid, utc(3, 5, 8, 0)), utc(3, 5, 8, 0),
		    utc(3, 5, 12, 0));
	params_deinit(&p.params);
}

static void a_session_moves_in_utc_when_the_clocks_change(void **state)
{
	struct place p;

	(void)state;
	place_init(&p, NY, 34200, 57600, 31, ORIGIN_SESSION_OPEN, 3600);
	/* Friday 8 March 2024 is winter time, Monday 11 March is summer time. */
	assert_false(session_holds(&p.session, utc(3, 8, 14, 29)));
	assert_true(session_holds(&p.session, utc(3, 8, 14, 30)));
	assert_true(session_holds(&p.session, utc(3, 8, 20, 59)));
	assert_false(session_holds(&p.session, utc(3, 8, 21, 0)));
	assert_true(session_holds(&p.session, utc(3, 11, 13, 30)));
	assert_false(session_holds(&p.session, utc(3, 11, 20, 0)));
	/* 6.5 hours: six whole bars, then half a one, then the weekend. */
	assert_span(grid_at(&p.grid, utc(3, 8, 14, 30)), utc(3, 8, 14, 30),
		    utc(3, 8, 15, 30));
	assert_span(grid_next(&p.grid, utc(3, 8, 20, 30)), utc(3, 8, 20, 30),
		    utc(3, 8, 21, 0));
	assert_span(grid_next(&p.grid, utc(3, 8, 21, 0)), utc(3, 11, 13, 30),
		    utc(3, 11, 14, 30));
	/* And back: Friday 1 November, Monday 4 November. */
	assert_span(grid_next(&p.grid, utc(11, 1, 20, 0)), utc(11, 4, 14, 30),
		    utc(11, 4, 15, 30));
	params_deinit(&p.params);
}

static void bars_from_midnight_are_those_that_touch_the_session(void **state)
{
	struct place p;

	(void)state;
	place_init(&p, NY, 34200, 57600, 31, ORIGIN_MIDNIGHT_UTC, 3600);
	assert_span(grid_at(&p.grid, utc(3, 8, 14, 30)), utc(3, 8, 14, 0),
		    utc(3, 8, 15, 0));
	assert_span(grid_next(&p.grid, utc(3, 8, 21, 0)), utc(3, 11, 13, 0),
		    utc(3, 11, 14, 0));
	params_deinit(&p.params);
}

static void a_day_is_one_session_whatever_its_length(void **state)
{
	struct place p;

	(void)state;
	/* Around the clock: 23 hours on 10 March, 25 hours on 3 November. */
	place_init(&p, NY, 0, 86400, 127, ORIGIN_MIDNIGHT_UTC, 86400);
	assert_span(grid_at(&p.grid, utc(3, 10, 12, 0)), utc(3, 10, 5, 0),
		    utc(3, 11, 4, 0));
	assert_span(grid_at(&p.grid, utc(11, 3, 12, 0)), utc(11, 3, 4, 0),
		    utc(11, 4, 5, 0));
	assert_span(grid_next(&p.grid, utc(11, 4, 5, 0)), utc(11, 4, 5, 0),
		    utc(11, 5, 5, 0));
	params_deinit(&p.params);
}

static void a_session_may_run_past_midnight(void **state)
{
	struct place p;

	(void)state;
	/* 18:00 to 17:00 of the next day, Sunday to Thursday: futures. */
	place_init(&p, NY, 64800, 147600, 0x4f, ORIGIN_SESSION_OPEN, 14400);
	assert_true(session_holds(&p.session, utc(3, 5, 6, 0)));
	assert_false(session_holds(&p.session, utc(3, 5, 22, 30)));
	assert_true(session_holds(&p.session, utc(3, 5, 23, 0)));
	assert_false(session_holds(&p.session, utc(3, 9, 12, 0))); /* Saturday */
	/* The night of the change has 22 hours: its last bar is shorter. */
	assert_span(grid_at(&p.grid, utc(3, 11, 20, 30)), utc(3, 11, 18, 0),
		    utc(3, 11, 21, 0));
	assert_span(grid_next(&p.grid, utc(3, 11, 21, 0)), utc(3, 11, 22, 0),
		    utc(3, 12, 2, 0));
	params_deinit(&p.params);
}

static void every_moment_of_a_year_lies_in_its_bar_and_bars_never_overlap(void **state)
{
	static const uint32_t steps[] = {60, 900, 3600, 14400, 86400};
	struct place p;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		struct span bar, before = {0, 0};
		size_t n = 0;

		place_init(&p, NY, 34200, 57600, 31,
			   i % 2 ? ORIGIN_SESSION_OPEN : ORIGIN_MIDNIGHT_UTC,
			   steps[i / 2]);
		bar = grid_next(&p.grid, utc(1, 1, 0, 0));
		for (; bar.start_ns < utc(12, 31, 23, 0); n++) {
			int64_t in =
				bar.start_ns > session_from(&p.session, bar.start_ns)
							.start_ns
					? bar.start_ns
					: session_from(&p.session, bar.start_ns)
						  .start_ns;

			assert_true(bar.start_ns >= before.end_ns);
			assert_true(bar.end_ns > bar.start_ns);
			assert_true(in < bar.end_ns);
			assert_span(grid_at(&p.grid, in), bar.start_ns, bar.end_ns);
			before = bar;
			bar = grid_next(&p.grid, bar.end_ns);
		}
		/* 262 weekdays of 2024; 390 minutes each. */
		if (steps[i / 2] == 60)
			assert_int_equal(n, 262 * 390);
		if (steps[i / 2] == 86400)
			assert_int_equal(n, 262);
		params_deinit(&p.params);
	}
}

static void ticks_outside_of_the_session_make_no_bars(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_int_equal(params_zone(&f.params, NY, &f.params.defaults.tz), 0);
	f.params.defaults.has_session = true;
	f.params.defaults.session_start_s = 34200;
	f.params.defaults.session_end_s = 57600;
	f.params.defaults.session_days = 31;
	fixture_open(&f);
	fixture_trade(&f, utc(3, 8, 14, 29), 1, 90 * E9, E8);
	fixture_trade(&f, utc(3, 8, 20, 58), 2, 100 * E9, E8);
	fixture_trade(&f, utc(3, 8, 20, 59) + 59 * S, 3, 101 * E9, E8);
	fixture_trade(&f, utc(3, 8, 21, 0), 4, 110 * E9,
		      E8); /* the close is exclusive */
	fixture_trade(&f, utc(3, 11, 13, 30), 5, 102 * E9, E8);
	fixture_clock(&f, utc(3, 11, 13, 40));
	assert_int_equal(bars_counts(f.bars)->out_of_session, 2);
	assert_int_equal(f.n_status, 0);
	for (size_t i = 0; i < f.n; i++)
		assert_true(f.bar[i].bar_start_ns < utc(3, 8, 21, 0) ||
			    f.bar[i].bar_start_ns >= utc(3, 11, 13, 30));
	/* The next bar of the grid: a return over the weekend is one of its bars. */
	assert_true(fixture_bar(&f, 60, utc(3, 11, 13, 30))->flags & BAR_VALID);
	assert_true(fixture_bar(&f, 60, utc(3, 11, 13, 30))->log_return_1 ==
		    __builtin_log(102.0 / 101.0));
	fixture_close(&f);
}

static void a_bar_that_reaches_beyond_the_session_takes_no_ticks_there(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_int_equal(params_zone(&f.params, NY, &f.params.defaults.tz), 0);
	f.params.defaults.has_session = true;
	f.params.defaults.session_start_s = 34200;
	f.params.defaults.session_end_s = 57600;
	f.params.defaults.timeframes_s[0] = 3600;
	fixture_open(&f);
	fixture_trade(&f, utc(3, 8, 14, 31), 1, 100 * E9, E8);
	fixture_trade(&f, utc(3, 8, 14, 29), 2, 999 * E9, E8);
	fixture_clock(&f, utc(3, 8, 16, 0));
	assert_true(fixture_bar(&f, 3600, utc(3, 8, 14, 0))->high_e9 == 100 * E9);
	assert_int_equal(bars_counts(f.bars)->out_of_session, 1);
	fixture_close(&f);
}

static void a_zone_is_loaded_once_and_a_bad_one_refused(void **state)
{
	struct params p;
	const struct tz *a = NULL, *b = NULL;

	(void)state;
	params_default(&p);
	assert_int_equal(params_zone(&p, NY, &a), 0);
	assert_int_equal(params_zone(&p, NY, &b), 0);
	assert_ptr_equal(a, b);
	assert_int_equal(p.n_zones, 1);
	assert_true(params_zone(&p, "Nowhere/Town", &b) < 0);
	assert_true(params_zone(&p, "../../etc/passwd", &b) < 0);
	assert_ptr_equal(a, b);
	params_deinit(&p);
}

static void the_hash_sees_what_matters_and_nothing_else(void **state)
{
	struct params a, b;

	(void)state;
	params_default(&a);
	params_default(&b);
	assert_true(params_hash(&a) == params_hash(&b));
	b.defaults.weight = 2;
	b.defaults.priority = 7;
	assert_true(params_hash(&a) == params_hash(&b));
	b.defaults.outlier_sigma = 5.000001;
	assert_true(params_hash(&a) != params_hash(&b));
	b = a;
	b.bars.grace_ns++;
	assert_true(params_hash(&a) != params_hash(&b));
	b = a;
	b.defaults.flavour = FLAVOUR_ORIGIN;
	assert_true(params_hash(&a) != params_hash(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_session_bars_follow_from_midnight_utc),
		cmocka_unit_test(a_session_moves_in_utc_when_the_clocks_change),
		cmocka_unit_test(bars_from_midnight_are_those_that_touch_the_session),
		cmocka_unit_test(a_day_is_one_session_whatever_its_length),
		cmocka_unit_test(a_session_may_run_past_midnight),
		cmocka_unit_test(
			every_moment_of_a_year_lies_in_its_bar_and_bars_never_overlap),
		cmocka_unit_test(ticks_outside_of_the_session_make_no_bars),
		cmocka_unit_test(
			a_bar_that_reaches_beyond_the_session_takes_no_ticks_there),
		cmocka_unit_test(a_zone_is_loaded_once_and_a_bad_one_refused),
		cmocka_unit_test(the_hash_sees_what_matters_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
