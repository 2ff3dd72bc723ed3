/* window_test - the kernels against slow and plain ones, and the NULL rules. */
#include "workers/window.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static double draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(*state >> 11) / 9007199254740992.0;
}

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance * (1.0 + fabs(want))))
		fail_msg("%.17g is not %.17g", got, want);
}

static void sigma_is_the_sample_deviation(void **state)
{
	const double x[] = {2, 4, 4, 4, 5, 5, 7, 9};

	(void)state;
	assert_near(window_sigma(x, 8), sqrt(32.0 / 7.0), 1e-15);
	assert_near(window_sigma_population(x, 8), 2.0, 1e-15);
	assert_near(window_mean(x, 8), 5.0, 1e-15);
	assert_near(window_sum(x, 8), 40.0, 1e-15);
	assert_true(window_max(x, 8) == 9.0);
	assert_true(window_min(x, 8) == 2.0);
	assert_true(isnan(window_sigma(x, 1)));
}

static void the_sigma_of_equal_values_is_exactly_zero(void **state)
{
	double x[24];

	(void)state;
	for (size_t i = 0; i < 24; i++)
		x[i] = 0.1;
	assert_true(window_sigma(x, 24) == 0.0);
	assert_true(window_mean(x, 24) == 0.1);
}

static void a_small_sigma_at_a_large_level_keeps_its_digits(void **state)
{
	double x[20];

	(void)state;
	for (size_t i = 0; i < 20; i++)
		x[i] = 1e9 + (double)(i % 2);
	assert_near(window_sigma_population(x, 20), 0.5, 1e-15);
}

static void null_goes_through_and_a_zero_divisor_makes_it(void **state)
{
	const double x[] = {1, NAN, 3};

	(void)state;
	assert_true(isnan(window_sum(x, 3)));
	assert_true(isnan(window_mean(x, 3)));
	assert_true(isnan(window_sigma(x, 3)));
	assert_true(isnan(window_ratio(1.0, 0.0)));
	assert_true(isnan(window_ratio(0.0, 0.0)));
	assert_true(isnan(window_clip(NAN, -5.0, 5.0)));
	assert_true(window_clip(9.0, -5.0, 5.0) == 5.0);
	assert_true(window_clip(-9.0, -5.0, 5.0) == -5.0);
}

#define ROWS 60

static void fill(double rows[ROWS][WINDOW_STRIDE], uint64_t *seed)
{
	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < WINDOW_STRIDE; k++)
			rows[i][k] = draw(seed) - 0.5;
}

static void the_zscore_of_a_column_is_its_own(void **state)
{
	double rows[ROWS][WINDOW_STRIDE], out[WINDOW_COLS];
	uint64_t seed = 7;

	(void)state;
	fill(rows, &seed);
	for (size_t i = 0; i < ROWS; i++) {
		rows[i][3] = 0.7;
		rows[i][4] = i == 20 ? NAN : 1.0;
		rows[i][5] = i == ROWS - 1 ? 1e9 : (double)(i % 2);
		rows[i][6] = i == ROWS - 1 ? -1e9 : (double)(i % 2);
	}
	window_zscore(rows[ROWS - 1], ROWS, 5.0, out);
	for (size_t k = 0; k < WINDOW_COLS; k++) {
		long double mean = 0, sum = 0;

		for (size_t i = 0; i < ROWS; i++)
			mean += rows[i][k] / (long double)ROWS;
		for (size_t i = 0; i < ROWS; i++)
			sum += (rows[i][k] - mean) * (rows[i][k] - mean);
		if (k < 3 || k > 6)
			assert_near(out[k],
				    (double)((rows[ROWS - 1][k] - mean) /
					     sqrtl(sum / (ROWS - 1))),
				    1e-13);
	}
	assert_true(isnan(out[3]));
	assert_true(isnan(out[4]));
	assert_true(out[5] == 5.0);
	assert_true(out[6] == -5.0);
}

/* Plain C in the documented order: whatever registers the machine has, the same bits.
 */
static void the_zscore_has_the_bits_of_its_definition(void **state)
{
	double rows[ROWS][WINDOW_STRIDE], out[WINDOW_COLS];
	uint64_t seed = 3;

	(void)state;
	fill(rows, &seed);
	for (size_t n = 2; n <= ROWS; n++) {
		const double(*w)[WINDOW_STRIDE] = &rows[ROWS - n];

		window_zscore(rows[ROWS - 1], n, 5.0, out);
		for (size_t k = 0; k < WINDOW_COLS; k++) {
			double sum = 0.0, squares = 0.0, want;

			for (size_t i = 0; i < n; i++) {
				double d = w[i][k] - w[0][k];
				volatile double square = d * d; /* never fused */

				sum += d;
				squares += square;
			}
			volatile double product = sum * (sum / (double)n);
			want = ((w[n - 1][k] - w[0][k]) - sum / (double)n) /
			       sqrt((squares - product) / (double)(n - 1));
			assert_memory_equal(&out[k], &want, sizeof(want));
		}
	}
}

/* The worst case of a one-pass variance: the pivot is the odd one out. */
static void an_outlier_at_the_oldest_row_costs_no_digits(void **state)
{
	double rows[ROWS][WINDOW_STRIDE], out[WINDOW_COLS];
	uint64_t seed = 17;

	(void)state;
	fill(rows, &seed);
	for (size_t k = 0; k < WINDOW_COLS; k++)
		rows[0][k] = 1e6;
	window_zscore(rows[ROWS - 1], ROWS, 5.0, out);
	for (size_t k = 0; k < WINDOW_COLS; k++) {
		long double mean = 0, sum = 0;

		for (size_t i = 0; i < ROWS; i++)
			mean += rows[i][k] / (long double)ROWS;
		for (size_t i = 0; i < ROWS; i++)
			sum += (rows[i][k] - mean) * (rows[i][k] - mean);
		assert_near(
			out[k],
			(double)((rows[ROWS - 1][k] - mean) / sqrtl(sum / (ROWS - 1))),
			1e-11);
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double sorted_median(double *x, size_t n)
{
	qsort(x, n, sizeof(*x), ascending);
	return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2.0;
}

static void the_robust_norm_is_median_and_mad(void **state)
{
	double rows[ROWS][WINDOW_STRIDE], out[WINDOW_COLS], x[ROWS];
	uint64_t seed = 11;

	(void)state;
	for (size_t n = 2; n <= ROWS; n++) {
		fill(rows, &seed);
		for (size_t i = 0; i < ROWS; i++) /* ties, and a NULL column */
			rows[i][2] = floor(rows[i][2] * 8.0);
		rows[ROWS - 2][9] = NAN;
		window_robust(rows[ROWS - 1], n, 5.0, out);
		assert_true(isnan(out[9]));
		for (size_t k = 0; k < WINDOW_COLS; k++) {
			double middle, mad, want;

			if (k == 9)
				continue;
			for (size_t i = 0; i < n; i++)
				x[i] = rows[ROWS - n + i][k];
			middle = sorted_median(x, n);
			for (size_t i = 0; i < n; i++)
				x[i] = fabs(x[i] - middle);
			mad = sorted_median(x, n);
			want = (rows[ROWS - 1][k] - middle) / (1.4826 * mad);
			if (mad == 0.0)
				assert_true(isnan(out[k]));
			else
				assert_near(out[k], fmax(-5.0, fmin(5.0, want)), 1e-12);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sigma_is_the_sample_deviation),
		cmocka_unit_test(the_sigma_of_equal_values_is_exactly_zero),
		cmocka_unit_test(a_small_sigma_at_a_large_level_keeps_its_digits),
		cmocka_unit_test(null_goes_through_and_a_zero_divisor_makes_it),
		cmocka_unit_test(the_zscore_of_a_column_is_its_own),
		cmocka_unit_test(the_zscore_has_the_bits_of_its_definition),
		cmocka_unit_test(an_outlier_at_the_oldest_row_costs_no_digits),
		cmocka_unit_test(the_robust_norm_is_median_and_mad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
