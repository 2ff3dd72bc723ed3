/* clean_test - the rules of A.2 one by one, on bars made by hand. */
#include "workers/bars_fixture.h"
#include "workers/clean.h"
#include <math.h>

struct walk {
	struct params params;
	struct clean clean;
	struct clean_result r;
};

static void walk_init(struct walk *w)
{
	memset(w, 0, sizeof(*w));
	params_default(&w->params);
}

static void put(struct walk *w, double open, double high, double low, double close)
{
	const struct clean_bar b = {open, high, low, close, NAN, false, true};

	clean_step(&w->params.defaults, &w->clean, &b, &w->r);
}

static void flat(struct walk *w, double close)
{
	put(w, close, close, close, close);
}

static void missing(struct walk *w)
{
	const struct clean_bar b = {NAN, NAN, NAN, NAN, NAN, true, true};

	clean_step(&w->params.defaults, &w->clean, &b, &w->r);
}

/* @n bars whose returns are +-1 %. */
static void wave(struct walk *w, int n)
{
	for (int i = 0; i < n; i++)
		flat(w, i % 2 ? 101.0 : 100.0);
}

static void a_return_needs_two_sound_neighbours(void **state)
{
	struct walk w;

	(void)state;
	walk_init(&w);
	flat(&w, 100);
	assert_true(isnan(w.r.log_return_1) && w.r.valid);
	flat(&w, 110);
	assert_true(w.r.log_return_1 == log(110.0 / 100.0) && w.r.valid);
	missing(&w);
	assert_true(isnan(w.r.log_return_1) && !w.r.valid && !w.r.outlier);
	flat(&w, 120);
	assert_true(isnan(w.r.log_return_1));
	assert_true(w.r.valid); /* the bar before was not */
	flat(&w, 121);
	assert_true(w.r.log_return_1 == log(121.0 / 120.0));
	put(&w, 121, 120, 119, 121); /* high below open */
	assert_int_equal(w.r.outlier_reason, OUTLIER_OHLC);
	assert_true(isnan(w.r.log_return_1) && !w.r.valid);
	flat(&w, 122);
	assert_true(isnan(w.r.log_return_1) && w.r.valid);
}

static void a_jump_is_judged_by_the_twenty_returns_before_it(void **state)
{
	struct walk w;

	(void)state;
	walk_init(&w);
	wave(&w, 20); /* 19 returns: one too few */
	flat(&w, 150);
	assert_false(w.r.outlier);
	walk_init(&w);
	wave(&w, 21);
	flat(&w, 150);
	assert_int_equal(w.r.outlier_reason, OUTLIER_JUMP);
	walk_init(&w);
	wave(&w, 21);     /* ddof 1: five sigmas are 5.10 %; ddof 0: 4.98 % */
	flat(&w, 105.17); /* 5.04 % */
	assert_false(w.r.outlier);
}

static void the_origins_rule_cannot_fire_at_five(void **state)
{
	struct walk w;

	(void)state;
	walk_init(&w);
	w.params.defaults.flavour = FLAVOUR_ORIGIN;
	wave(&w, 60);
	flat(&w, 1e6);
	assert_false(w.r.outlier);
	/* |r| / sigma stays below sqrt(20) = 4.47. */
	walk_init(&w);
	w.params.defaults.flavour = FLAVOUR_ORIGIN;
	w.params.defaults.outlier_sigma = 4.0;
	wave(&w, 60);
	flat(&w, 1e6);
	assert_int_equal(w.r.outlier_reason, OUTLIER_JUMP);
}

static void a_gap_does_not_break_the_series_of_returns(void **state)
{
	struct walk w;

	(void)state;
	walk_init(&w);
	wave(&w, 10);
	missing(&w);
	wave(&w, 11);
	flat(&w, 150);
	assert_int_equal(w.r.outlier_reason, OUTLIER_JUMP);
}

static void prices_of_zero_and_null_have_their_reason(void **state)
{
	struct walk w;

	(void)state;
	walk_init(&w);
	flat(&w, 0.0);
	assert_int_equal(w.r.outlier_reason, OUTLIER_NONPOSITIVE);
	put(&w, NAN, 101, 99, 100);
	assert_int_equal(w.r.outlier_reason, OUTLIER_NONPOSITIVE);
	put(&w, 1e-9, 1e-9, 1e-9, 1e-9);
	assert_int_equal(w.r.outlier_reason, 0);
}

static void the_rule_for_large_returns_is_off_until_asked_for(void **state)
{
	struct walk w;

	(void)state;
	walk_init(&w);
	flat(&w, 100);
	flat(&w, 200);
	assert_true(w.r.valid);
	w.params.defaults.max_abs_log_return = 0.15;
	flat(&w, 100);
	assert_int_equal(w.r.outlier_reason, OUTLIER_RETURN);
	assert_true(isnan(w.r.log_return_1) && !w.r.valid);
}

static void mad_is_not_fooled_by_one_bad_return(void **state)
{
	struct walk w;

	(void)state;
	/* One tenfold print among 20 returns swells sigma and hides the second one. */
	for (int mad = 0; mad < 2; mad++) {
		walk_init(&w);
		w.params.defaults.detector = mad ? DETECTOR_MAD : DETECTOR_JUMP;
		wave(&w, 25);
		flat(&w, 1000);
		assert_true(w.r.outlier);
		flat(&w, 100);
		assert_int_equal(w.r.outlier_reason, mad ? OUTLIER_MAD : 0);
	}
}

static void a_move_after_a_flat_run_must_exceed_the_floor_of_mad(void **state)
{
	struct walk w;
	struct clean_bar b = {100.02, 100.02, 100.02, 100.02, 0.0002, false, true};

	(void)state;
	walk_init(&w);
	w.params.defaults.detector = DETECTOR_MAD;
	for (int i = 0; i < 30; i++)
		flat(&w, 100);
	clean_step(&w.params.defaults, &w.clean, &b, &w.r);
	assert_int_equal(w.r.outlier_reason, 0); /* 2 of 5 half spreads */
	b.open = b.high = b.low = b.close = 100.2;
	clean_step(&w.params.defaults, &w.clean, &b, &w.r);
	assert_int_equal(w.r.outlier_reason, OUTLIER_MAD);
}

static void too_little_volume_is_not_valid_and_not_an_outlier(void **state)
{
	struct walk w;
	struct clean_bar b = {100, 100, 100, 100, NAN, false, false};

	(void)state;
	walk_init(&w);
	clean_step(&w.params.defaults, &w.clean, &b, &w.r);
	assert_false(w.r.valid);
	assert_false(w.r.outlier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_return_needs_two_sound_neighbours),
		cmocka_unit_test(a_jump_is_judged_by_the_twenty_returns_before_it),
		cmocka_unit_test(the_origins_rule_cannot_fire_at_five),
		cmocka_unit_test(a_gap_does_not_break_the_series_of_returns),
		cmocka_unit_test(prices_of_zero_and_null_have_their_reason),
		cmocka_unit_test(the_rule_for_large_returns_is_off_until_asked_for),
		cmocka_unit_test(mad_is_not_fooled_by_one_bad_return),
		cmocka_unit_test(a_move_after_a_flat_run_must_exceed_the_floor_of_mad),
		cmocka_unit_test(too_little_volume_is_not_valid_and_not_an_outlier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
