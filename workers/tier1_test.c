/* tier1_test - warm-up, NULL rules, gates and prices of a series that is not revised.
 */
#include "workers/tier1_book_test.h"

static struct event_bar bars[BARS_MAX];
static struct book book;

/* First bar, from 1, that has the value; on the clean walk nothing divides by 0. */
static const struct {
	enum tier1_value value;
	size_t first;
} warm_up[] = {
	{TIER1_ROLLING_RETURN_3, 4},
	{TIER1_ROLLING_RETURN_6, 7},
	{TIER1_ROLLING_RETURN_12, 13},
	{TIER1_MOMENTUM_SCORE, 13},
	{TIER1_VOL_6, 7},
	{TIER1_VOL_12, 13},
	{TIER1_VOL_24, 25},
	{TIER1_ATR_NORMALIZED, 14},
	{TIER1_MA_12_SLOPE, 15},
	{TIER1_MA_24_SLOPE, 27},
	{TIER1_MA_50_SLOPE, 53},
	{TIER1_DISTANCE_TO_MA_12, 14},
	{TIER1_DISTANCE_TO_MA_24, 24},
	{TIER1_DISTANCE_TO_MA_50, 50},
	{TIER1_EFFICIENCY_RATIO, 11},
	{TIER1_RANGE_COMPRESSION, 14},
	{TIER1_STRESS_INDICATOR, 25},
	{TIER1_SPREAD_RATIO, 14},
	{TIER1_SMA_20, 20},
	{TIER1_EMA_12, 12},
	{TIER1_EMA_26, 26},
	{TIER1_RSI_14, 15},
	{TIER1_BB_UPPER, 20},
	{TIER1_BB_MIDDLE, 20},
	{TIER1_BB_LOWER, 20},
	{TIER1_MACD, 34},
	{TIER1_MACD_SIGNAL, 34},
	{TIER1_MACD_HIST, 34},
	{TIER1_ATR_14, 15},
};

static void a_value_comes_with_the_bar_that_fills_its_window(void **state)
{
	struct params p = params_for(60);

	(void)state;
	make_walk(bars, 200, 5, 0.0);
	batch(&p, 86400, bars, 200, &book);
	assert_int_equal(book.n, 200);
	for (size_t k = 0; k < sizeof(warm_up) / sizeof(warm_up[0]); k++) {
		enum tier1_value v = warm_up[k].value;

		for (size_t i = 0; i < 200; i++) {
			bool want = i + 1 >= warm_up[k].first;

			assert_int_equal(!isnan(book.last[i].value[v]), want);
			assert_int_equal(book.last[i].warm >> v & 1, want);
			if (v < TIER1_ML_N)
				assert_int_equal(!isnan(book.last[i].norm[v]),
						 i + 1 >= warm_up[k].first + 59);
		}
	}
	assert_int_equal(book.last[199].bars_seen, 200);
	assert_int_equal(book.last[199].head.pos, bars[199].head.pos);
	assert_int_equal(book.last[199].bar_seq, bars[199].head.seq);
	assert_string_equal(book.last[199].symbol, "EURUSD");
}

static void two_bars_have_nothing_but_a_count(void **state)
{
	struct params p = params_for(60);

	(void)state;
	make_walk(bars, 2, 5, 0.0);
	batch(&p, 60, bars, 2, &book);
	assert_int_equal(book.n, 2);
	for (size_t v = 0; v < TIER1_N; v++)
		assert_true(isnan(book.last[1].value[v]));
	for (size_t v = 0; v < TIER1_ML_N; v++)
		assert_true(isnan(book.last[1].norm[v]));
	assert_int_equal(book.last[1].warm, 0);
	assert_int_equal(book.last[1].bars_seen, 2);
	assert_int_equal(book.last[1].flags, 0);
}

static void a_gap_is_null_in_every_window_that_holds_it(void **state)
{
	struct params p = params_for(60);

	(void)state;
	make_walk(bars, 300, 9, 0.0);
	bars[199].flags = BAR_IS_MISSING;
	set_returns(bars, 300);
	batch(&p, 60, bars, 300, &book);
	assert_int_equal(book.n, 299);
	assert_false(book.any[199]);
	/* The bar after the gap has no return: NULL for 12 bars, then for 60 norms. */
	for (size_t i = 190; i < 300; i++) {
		if (i == 199)
			continue;
		assert_int_equal(isnan(book.last[i].value[TIER1_ROLLING_RETURN_12]),
				 i >= 200 && i < 212);
		assert_int_equal(book.last[i].warm >> TIER1_VOL_24 & 1,
				 i < 200 || i >= 224);
		assert_int_equal(isnan(book.last[i].norm[TIER1_ROLLING_RETURN_12]),
				 i >= 200 && i < 271);
		assert_false(isnan(book.last[i].norm[TIER1_ATR_NORMALIZED]));
	}
	assert_int_equal(book.last[200].bars_seen, 200);
}

static void a_constant_series_divides_by_zero_and_gives_null(void **state)
{
	struct params p = params_for(60);

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		bars[i] = bar_at(i, 10.0);
		bars[i].high_e9 = bars[i].low_e9 = bars[i].close_e9;
		bars[i].spread_estimate = 0.01;
	}
	set_returns(bars, 200);
	batch(&p, 86400, bars, 200, &book);

	const struct event_tier1 *e = &book.last[199];
	const uint64_t ml = (UINT64_C(1) << TIER1_ML_N) - 1;

	assert_true(e->value[TIER1_ROLLING_RETURN_12] == 0.0);
	assert_true(e->value[TIER1_VOL_24] == 0.0);
	assert_true(e->value[TIER1_ATR_NORMALIZED] == 0.0);
	assert_true(e->value[TIER1_TREND_REGIME] == 0.0);
	assert_true(isnan(e->value[TIER1_MOMENTUM_SCORE]));
	assert_true(isnan(e->value[TIER1_MA_50_SLOPE]));
	assert_true(isnan(e->value[TIER1_DISTANCE_TO_MA_12]));
	assert_true(isnan(e->value[TIER1_EFFICIENCY_RATIO]));
	assert_true(isnan(e->value[TIER1_RANGE_COMPRESSION]));
	assert_true(isnan(e->value[TIER1_STRESS_INDICATOR]));
	assert_true(isnan(e->value[TIER1_SPREAD_RATIO]));
	assert_int_equal(e->warm & ml, ml);
	for (size_t v = 0; v < TIER1_ML_N; v++)
		assert_true(isnan(e->norm[v]));
	assert_true(e->value[TIER1_RSI_14] == 0.0);
	assert_true(e->value[TIER1_ATR_14] == 0.0);
	assert_true(e->value[TIER1_BB_UPPER] == 10.0);
}

static void a_vector_is_ready_after_100_valid_bars_of_which_95_percent(void **state)
{
	struct params p = params_for(60);

	(void)state;
	make_walk(bars, 400, 21, 0.0);
	/* Five bad bars in a hundred will do, six will not. */
	for (size_t i = 150; i < 155; i++)
		bars[i].flags = BAR_IS_OUTLIER;
	for (size_t i = 300; i < 306; i++)
		bars[i].flags = BAR_IS_OUTLIER;
	set_returns(bars, 400);
	batch(&p, 60, bars, 400, &book);
	for (size_t i = 0; i < 400; i++) {
		bool gate = i >= 99 && i < 305;
		bool warm = i < 155 || (i >= 179 && i < 306) || i >= 330;

		if (!book.any[i])
			continue;
		assert_int_equal(book.last[i].flags & TIER1_ML_READY ? 1 : 0,
				 gate && warm);
	}
}

static void a_bad_start_keeps_a_series_from_being_ready(void **state)
{
	struct params p = params_for(60);

	(void)state;
	make_walk(bars, 250, 22, 0.0);
	for (size_t i = 20; i < 26; i++)
		bars[i].flags = BAR_IS_OUTLIER;
	for (size_t i = 90; i < 96; i++)
		bars[i].flags = BAR_IS_OUTLIER;
	set_returns(bars, 250);
	batch(&p, 60, bars, 250, &book);
	/* 100 valid bars are there from bar 112, 95 of the last 100 from bar 191. */
	for (size_t i = 0; i < 250; i++)
		assert_int_equal(book.last[i].flags & TIER1_ML_READY, i >= 190);
}

static void other_timeframes_know_no_regime(void **state)
{
	struct params p = params_for(60);

	(void)state;
	for (size_t i = 0; i < 200; i++)
		bars[i] = bar_at(i, 100.0 + (double)i);
	set_returns(bars, 200);
	batch(&p, 3600, bars, 200, &book);
	assert_true(isnan(book.last[199].value[TIER1_TREND_REGIME]));
	assert_true(isnan(book.last[199].value[TIER1_STRESS_INDICATOR]));
	assert_int_equal(book.last[199].flags & TIER1_ML_READY, TIER1_ML_READY);
	batch(&p, 86400, bars, 200, &book);
	assert_true(book.last[48].value[TIER1_TREND_REGIME] == 0.0);
	assert_int_equal(book.last[48].warm >> TIER1_TREND_REGIME & 1, 0);
	assert_true(book.last[49].value[TIER1_TREND_REGIME] == 1.0);
	for (size_t i = 0; i < 200; i++)
		bars[i] = bar_at(i, 400.0 - (double)i);
	set_returns(bars, 200);
	batch(&p, 86400, bars, 200, &book);
	assert_true(book.last[199].value[TIER1_TREND_REGIME] == -1.0);
}

static void prices_are_rounded_once(void **state)
{
	struct params p = params_for(60);

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		bars[i] = bar_at(i, 10.0);
		bars[i].close_e9 = INT64_C(665254580340503029); /* > 2^53 */
		bars[i].high_e9 = bars[i].low_e9 = bars[i].close_e9;
	}
	batch(&p, 60, bars, 30, &book);
	/* (double)e9 / 1e9 rounds twice, to 665254580.3405031 */
	assert_true(book.last[29].value[TIER1_SMA_20] == 665254580.340503);
}

static void a_valid_bar_without_a_price_makes_no_vector(void **state)
{
	struct params p = params_for(60);

	(void)state;
	make_walk(bars, 60, 4, 0.0);
	bars[40].close_e9 = VALUE_NULL;
	batch(&p, 60, bars, 60, &book);
	assert_false(book.any[40]);
	assert_int_equal(book.n, 59);
	assert_false(isnan(book.last[59].value[TIER1_EMA_12]));
}

static void bad_parameters_are_refused(void **state)
{
	struct params p = params_for(60);
	struct tier1 *t = NULL;

	(void)state;
	p.tier1.norm_window = 1;
	assert_true(tier1_new(&p, 0, "A", 60, PRICE_LAST, &t) < 0);
	p = params_for(60);
	p.tier1.norm_clip = NAN;
	assert_true(tier1_new(&p, 0, "A", 60, PRICE_LAST, &t) < 0);
	p = params_for(60);
	p.tier1.ready_bars = 0;
	assert_true(tier1_new(&p, 0, "A", 60, PRICE_LAST, &t) < 0);
	p = params_for(60);
	p.tier1.ready_valid_ratio = 1.5;
	assert_true(tier1_new(&p, 0, "A", 60, PRICE_LAST, &t) < 0);
	p = params_for(60);
	assert_true(tier1_new(&p, 0, "A", 0, PRICE_LAST, &t) < 0);
	assert_null(t);
	tier1_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_comes_with_the_bar_that_fills_its_window),
		cmocka_unit_test(two_bars_have_nothing_but_a_count),
		cmocka_unit_test(a_gap_is_null_in_every_window_that_holds_it),
		cmocka_unit_test(a_constant_series_divides_by_zero_and_gives_null),
		cmocka_unit_test(
			a_vector_is_ready_after_100_valid_bars_of_which_95_percent),
		cmocka_unit_test(a_bad_start_keeps_a_series_from_being_ready),
		cmocka_unit_test(other_timeframes_know_no_regime),
		cmocka_unit_test(prices_are_rounded_once),
		cmocka_unit_test(a_valid_bar_without_a_price_makes_no_vector),
		cmocka_unit_test(bad_parameters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
