/* tsf_test - names, counts, edges and repeatability of the features. */
#include "analysis/tsf.h"
#include "base/err.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define N_MAX 700

static struct tsf_scratch *scratch;

static int setup(void **state)
{
	(void)state;
	return tsf_scratch_new(N_MAX, &scratch);
}

static int teardown(void **state)
{
	(void)state;
	tsf_scratch_free(scratch);
	return 0;
}

static void walk(double *x, size_t n, uint64_t seed)
{
	double v = 100.0;

	for (size_t i = 0; i < n; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		v += ((double)(seed >> 40) / 16777216.0 - 0.5);
		x[i] = v;
	}
}

static size_t index_of(enum tsf_set set, const char *wanted)
{
	char name[TSF_NAME_MAX];

	for (size_t i = 0; i < tsf_count(set); i++) {
		tsf_name(set, i, name);
		if (strcmp(name, wanted) == 0)
			return i;
	}
	fail_msg("no feature is named %s", wanted);
	return 0;
}

static double feature(const double *x, size_t n, const char *name)
{
	static double out[TSF_COMPREHENSIVE_COUNT];

	assert_int_equal(
		tsf_extract(scratch, x, n, TSF_COMPREHENSIVE, TSF_TSFRESH, out), 0);
	return out[index_of(TSF_COMPREHENSIVE, name)];
}

static void every_set_has_its_number_of_names_and_none_twice(void **state)
{
	static char names[TSF_COMPREHENSIVE_COUNT][TSF_NAME_MAX];
	static const size_t counts[] = {10, 777, 783};
	char beyond[TSF_NAME_MAX];

	(void)state;
	for (int set = TSF_MINIMAL; set <= TSF_COMPREHENSIVE; set++) {
		size_t n = tsf_count((enum tsf_set)set);

		assert_int_equal(n, counts[set]);
		for (size_t i = 0; i < n; i++) {
			tsf_name((enum tsf_set)set, i, names[i]);
			assert_true(strlen(names[i]) > 2);
			for (size_t k = 0; k < i; k++)
				assert_string_not_equal(names[i], names[k]);
		}
		tsf_name((enum tsf_set)set, n, beyond);
		assert_string_equal(beyond, "");
	}
}

static void names_are_as_tsfresh_prints_them(void **state)
{
	static const char *const known[] = {
		"mean",
		"agg_autocorrelation__f_agg_\"mean\"__maxlag_40",
		"change_quantiles__f_agg_\"var\"__isabs_True__qh_0.8__ql_0.2",
		"cwt_coefficients__coeff_0__w_2__widths_(2, 5, 10, 20)",
		"range_count__max_1000000000000.0__min_0",
		"symmetry_looking__r_0.15000000000000002",
		"large_standard_deviation__r_0.35000000000000003",
		"augmented_dickey_fuller__attr_\"usedlag\"__autolag_\"AIC\"",
		"fft_coefficient__attr_\"angle\"__coeff_99",
		"agg_linear_trend__attr_\"stderr\"__chunk_len_50__f_agg_\"var\"",
		"query_similarity_count__query_None__threshold_0.0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		(void)index_of(TSF_EFFICIENT, known[i]);
	assert_int_equal(index_of(TSF_MINIMAL, "sum_values"), 0);
	assert_int_equal(index_of(TSF_MINIMAL, "minimum"), 9);
}

static void a_small_series_has_the_values_of_pencil_and_paper(void **state)
{
	static const double x[] = {1, 2, 2, 5, 0};

	(void)state;
	assert_float_equal(feature(x, 5, "sum_values"), 10.0, 0.0);
	assert_float_equal(feature(x, 5, "median"), 2.0, 0.0);
	assert_float_equal(feature(x, 5, "variance"), 2.8, 1e-15);
	assert_float_equal(feature(x, 5, "mean_abs_change"), 2.25, 0.0);
	assert_float_equal(feature(x, 5, "number_peaks__n_1"), 1.0, 0.0);
	assert_float_equal(feature(x, 5, "last_location_of_maximum"), 0.8, 1e-15);
	assert_float_equal(feature(x, 5, "count_above__t_0"), 1.0, 0.0);
	assert_float_equal(feature(x, 5, "value_count__value_0"), 1.0, 0.0);
	assert_float_equal(feature(x, 5, "fft_coefficient__attr_\"real\"__coeff_0"),
			   10.0, 1e-14);
	assert_true(isnan(feature(x, 5, "fft_coefficient__attr_\"real\"__coeff_3")));
	assert_true(isnan(feature(x, 5, "ar_coefficient__coeff_0__k_10")));
	/* A quirk: the last coefficient of a series too short is 0, not NaN. */
	assert_float_equal(feature(x, 5, "ar_coefficient__coeff_10__k_10"), 0.0, 0.0);
}

static void every_length_from_one_on_is_answered(void **state)
{
	double x[N_MAX], out[TSF_COMPREHENSIVE_COUNT];

	(void)state;
	walk(x, N_MAX, 7);
	for (size_t n = 1; n <= 140; n++) {
		assert_int_equal(
			tsf_extract(scratch, x, n, TSF_COMPREHENSIVE, TSF_TSFRESH, out),
			0);
		assert_float_equal(out[index_of(TSF_COMPREHENSIVE, "length")],
				   (double)n, 0.0);
	}
}

static void the_same_series_is_the_same_to_the_last_bit(void **state)
{
	static double x[N_MAX], a[TSF_COMPREHENSIVE_COUNT], b[TSF_COMPREHENSIVE_COUNT];

	(void)state;
	walk(x, N_MAX, 11);
	assert_int_equal(
		tsf_extract(scratch, x, 500, TSF_COMPREHENSIVE, TSF_TSFRESH, a), 0);
	/* Others in between leave nothing behind. */
	assert_int_equal(
		tsf_extract(scratch, x, N_MAX, TSF_COMPREHENSIVE, TSF_PLAIN, b), 0);
	assert_int_equal(tsf_extract(scratch, x, 3, TSF_COMPREHENSIVE, TSF_TSFRESH, b),
			 0);
	assert_int_equal(
		tsf_extract(scratch, x, 500, TSF_COMPREHENSIVE, TSF_TSFRESH, b), 0);
	assert_memory_equal(a, b, sizeof(a));
}

static void a_smaller_set_has_the_same_values(void **state)
{
	static double x[N_MAX], all[TSF_COMPREHENSIVE_COUNT], few[TSF_EFFICIENT_COUNT];
	char name[TSF_NAME_MAX];

	(void)state;
	walk(x, N_MAX, 13);
	(void)tsf_extract(scratch, x, 300, TSF_COMPREHENSIVE, TSF_TSFRESH, all);
	for (int set = TSF_MINIMAL; set <= TSF_EFFICIENT; set++) {
		(void)tsf_extract(scratch, x, 300, (enum tsf_set)set, TSF_TSFRESH, few);
		for (size_t i = 0; i < tsf_count((enum tsf_set)set); i++) {
			tsf_name((enum tsf_set)set, i, name);
			assert_memory_equal(&few[i],
					    &all[index_of(TSF_COMPREHENSIVE, name)],
					    sizeof(double));
		}
	}
}

static void what_is_not_finite_or_does_not_fit_is_refused(void **state)
{
	double x[N_MAX + 1] = {1.0, 2.0, NAN}, out[10] = {0};
	struct tsf_scratch *none;

	(void)state;
	assert_int_equal(tsf_extract(scratch, x, 3, TSF_MINIMAL, TSF_TSFRESH, out),
			 -EINVAL);
	assert_non_null(strstr(err_text(), "value 2 "));
	x[2] = INFINITY;
	assert_int_equal(tsf_extract(scratch, x, 3, TSF_MINIMAL, TSF_TSFRESH, out),
			 -EINVAL);
	assert_int_equal(tsf_extract(scratch, x, 0, TSF_MINIMAL, TSF_TSFRESH, out),
			 -EINVAL);
	assert_int_equal(
		tsf_extract(scratch, x, N_MAX + 1, TSF_MINIMAL, TSF_TSFRESH, out),
		-EINVAL);
	assert_int_equal(tsf_scratch_new(0, &none), -EINVAL);
	assert_int_equal(tsf_scratch_new(TSF_LENGTH_MAX + 1, &none), -EINVAL);
	assert_float_equal(out[0], 0.0, 0.0);
}

static void the_ends_of_the_scale_of_numbers_are_answered(void **state)
{
	static const double some[] = {1.7e308, -1.7e308, 0.0,    5e-324,
				      -5e-324, 1e300,    1e-300, 1.0};
	double x[200], out[TSF_COMPREHENSIVE_COUNT];

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		unsigned a = round % 8, b = round / 8;

		for (size_t i = 0; i < 200; i++)
			x[i] = i % (2 + b) == 0 ? some[a] : some[(i * i / 3 + b) % 8];
		for (int f = TSF_TSFRESH; f <= TSF_PLAIN; f++)
			assert_int_equal(tsf_extract(scratch, x, 3 + round * 3,
						     TSF_COMPREHENSIVE,
						     (enum tsf_flavour)f, out),
					 0);
		assert_float_equal(out[index_of(TSF_COMPREHENSIVE, "length")],
				   3.0 + round * 3.0, 0.0);
	}
}

static void plain_says_what_the_quirk_hides(void **state)
{
	static double x[N_MAX], a[TSF_EFFICIENT_COUNT], b[TSF_EFFICIENT_COUNT];
	size_t k = index_of(TSF_EFFICIENT, "fft_aggregated__aggtype_\"kurtosis\"");
	size_t c = index_of(TSF_EFFICIENT, "fft_aggregated__aggtype_\"centroid\"");

	(void)state;
	walk(x, N_MAX, 17);
	(void)tsf_extract(scratch, x, 200, TSF_EFFICIENT, TSF_TSFRESH, a);
	(void)tsf_extract(scratch, x, 200, TSF_EFFICIENT, TSF_PLAIN, b);
	assert_true(a[k] != b[k]);
	/* Kurtosis of anything is at least 1. */
	assert_true(b[k] >= 1.0);
	assert_float_equal(a[c], b[c], 0.0);
}

static void words_are_read_and_wrong_ones_answered_with_the_right_ones(void **state)
{
	enum tsf_flavour flavour;
	enum tsf_set set;

	(void)state;
	assert_int_equal(tsf_set_parse("comprehensive", &set), 0);
	assert_int_equal(set, TSF_COMPREHENSIVE);
	assert_int_equal(tsf_flavour_parse("plain", &flavour), 0);
	assert_int_equal(flavour, TSF_PLAIN);
	assert_int_equal(tsf_set_parse("all", &set), -EINVAL);
	assert_non_null(strstr(err_text(), "minimal, efficient or comprehensive"));
	assert_int_equal(tsf_flavour_parse("", &flavour), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_set_has_its_number_of_names_and_none_twice),
		cmocka_unit_test(names_are_as_tsfresh_prints_them),
		cmocka_unit_test(a_small_series_has_the_values_of_pencil_and_paper),
		cmocka_unit_test(every_length_from_one_on_is_answered),
		cmocka_unit_test(the_same_series_is_the_same_to_the_last_bit),
		cmocka_unit_test(a_smaller_set_has_the_same_values),
		cmocka_unit_test(what_is_not_finite_or_does_not_fit_is_refused),
		cmocka_unit_test(the_ends_of_the_scale_of_numbers_are_answered),
		cmocka_unit_test(plain_says_what_the_quirk_hides),
		cmocka_unit_test(
			words_are_read_and_wrong_ones_answered_with_the_right_ones),
	};

	return cmocka_run_group_tests_name("analysis.tsf", tests, setup, teardown);
}
