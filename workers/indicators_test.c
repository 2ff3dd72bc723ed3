/* indicators_test - golden values of TA-Lib, its seeds, and what a flat series gives.
 */
#include "workers/indicators.h"
#include "workers/vectors.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define BARS 60

static const struct tier1_params params = {.norm_window = 60, .norm_clip = 5};

/* The usual textbook series. */
static const double textbook[33] = {
	44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.10, 45.42, 45.84, 46.08, 45.89,
	46.03, 45.61, 46.28, 46.28, 46.00, 46.03, 46.41, 46.22, 45.64, 46.21, 46.25,
	45.71, 46.45, 45.78, 45.35, 44.03, 44.18, 44.22, 44.57, 43.42, 42.66, 43.13,
};

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%.17g is not %.17g", got, want);
}

static void run(const double *close, size_t n, struct vector *out)
{
	struct vectors *f;

	assert_int_equal(vectors_new(&params, 60, 4, &f), 0);
	for (size_t i = 0; i < n; i++) {
		struct vectors_bar bar = {close[i], close[i] + 0.5, close[i] - 0.25,
					  NAN, NAN};
		vectors_push(f, &bar, &out[i]);
	}
	vectors_free(f);
}

static void the_textbook_series_gives_the_values_of_talib(void **state)
{
	struct vector v[33];

	(void)state;
	run(textbook, 33, v);
	assert_true(isnan(v[13].value[TIER1_RSI_14]));
	assert_near(v[14].value[TIER1_RSI_14], 70.464, 5e-4);
	assert_near(v[32].value[TIER1_RSI_14], 37.789, 5e-4);
	assert_near(v[32].value[TIER1_BB_LOWER], 42.862, 5e-4);
	assert_near(v[32].value[TIER1_BB_MIDDLE], 45.241, 5e-4);
	assert_near(v[32].value[TIER1_BB_UPPER], 47.620, 5e-4);
}

static void means_are_seeded_by_the_simple_mean(void **state)
{
	struct vector v[33];
	double sum = 0.0;

	(void)state;
	run(textbook, 33, v);
	for (size_t i = 0; i < 12; i++)
		sum += textbook[i];
	assert_true(isnan(v[10].value[TIER1_EMA_12]));
	assert_near(v[11].value[TIER1_EMA_12], sum / 12.0, 1e-12);
	assert_near(v[12].value[TIER1_EMA_12],
		    sum / 12.0 + (textbook[12] - sum / 12.0) * 2.0 / 13.0, 1e-12);
	assert_true(isnan(v[24].value[TIER1_EMA_26]));
	assert_false(isnan(v[25].value[TIER1_EMA_26]));
}

/* Both seeds of MACD end on bar 26, so its fast mean is not ema_12. */
static void macd_begins_at_bar_34_with_seeds_that_end_on_bar_26(void **state)
{
	double close[BARS], fast = 0.0, slow = 0.0, signal = 0.0, macd = 0.0;
	struct vector v[BARS];

	(void)state;
	for (size_t i = 0; i < BARS; i++)
		close[i] = 100.0 + 3.0 * sin((double)i * 0.7) + 0.1 * (double)i;
	run(close, BARS, v);
	for (size_t i = 0; i < 26; i++) {
		slow += close[i] / 26.0;
		fast += i >= 14 ? close[i] / 12.0 : 0.0;
	}
	for (size_t i = 25; i < BARS; i++) {
		if (i > 25) {
			fast += (close[i] - fast) * 2.0 / 13.0;
			slow += (close[i] - slow) * 2.0 / 27.0;
		}
		macd = fast - slow;
		if (i <= 33)
			signal += macd / 9.0;
		else
			signal += (macd - signal) * 0.2;
		if (i < 33) {
			assert_true(isnan(v[i].value[TIER1_MACD]));
			assert_true(isnan(v[i].value[TIER1_MACD_HIST]));
			continue;
		}
		assert_near(v[i].value[TIER1_MACD], macd, 1e-11);
		assert_near(v[i].value[TIER1_MACD_SIGNAL], signal, 1e-11);
		assert_near(v[i].value[TIER1_MACD_HIST], macd - signal, 1e-11);
	}
}

static void the_range_of_the_first_bar_is_not_in_the_atr(void **state)
{
	struct vector v[33];
	double sum = 0.0;

	(void)state;
	run(textbook, 33, v);
	for (size_t i = 1; i < 15; i++) {
		double d = textbook[i] - textbook[i - 1];

		sum += fmax(0.75, fmax(fabs(d + 0.5), fabs(d - 0.25)));
	}
	assert_true(isnan(v[13].value[TIER1_ATR_14]));
	assert_near(v[14].value[TIER1_ATR_14], sum / 14.0, 1e-12);
	/* A.3's own: a simple mean that does count the first bar's high - low. */
	assert_false(isnan(v[13].value[TIER1_ATR_NORMALIZED]));
}

static void a_flat_series_has_an_rsi_of_zero_and_closed_bands(void **state)
{
	struct vector v[BARS];
	double close[BARS];

	(void)state;
	for (size_t i = 0; i < BARS; i++)
		close[i] = 0.1;
	run(close, BARS, v);
	assert_true(v[BARS - 1].value[TIER1_RSI_14] == 0.0);
	assert_true(v[BARS - 1].value[TIER1_BB_UPPER] == 0.1);
	assert_true(v[BARS - 1].value[TIER1_BB_LOWER] == 0.1);
	assert_near(v[BARS - 1].value[TIER1_MACD], 0.0, 1e-15);
}

/* TA-Lib's 1e-8 would close these bands: prices near 1e-4 vary by less. */
static void bands_of_tiny_prices_stay_open(void **state)
{
	struct vector v[BARS];
	double close[BARS];

	(void)state;
	for (size_t i = 0; i < BARS; i++)
		close[i] = 1e-4 + (i % 2 ? 1e-8 : 0.0);
	run(close, BARS, v);
	assert_near((v[40].value[TIER1_BB_UPPER] - v[40].value[TIER1_BB_MIDDLE]) * 1e8,
		    1.0, 1e-6);
	assert_near(v[40].value[TIER1_RSI_14], 50.0, 5.0);
}

static void a_rising_series_has_an_rsi_of_100(void **state)
{
	struct vector v[BARS];
	double close[BARS];

	(void)state;
	for (size_t i = 0; i < BARS; i++)
		close[i] = 50.0 + (double)i;
	run(close, BARS, v);
	assert_true(v[14].value[TIER1_RSI_14] == 100.0);
	assert_true(v[BARS - 1].value[TIER1_RSI_14] == 100.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_textbook_series_gives_the_values_of_talib),
		cmocka_unit_test(means_are_seeded_by_the_simple_mean),
		cmocka_unit_test(macd_begins_at_bar_34_with_seeds_that_end_on_bar_26),
		cmocka_unit_test(the_range_of_the_first_bar_is_not_in_the_atr),
		cmocka_unit_test(a_flat_series_has_an_rsi_of_zero_and_closed_bands),
		cmocka_unit_test(bands_of_tiny_prices_stay_open),
		cmocka_unit_test(a_rising_series_has_an_rsi_of_100),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
