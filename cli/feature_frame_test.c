/* feature_frame_test - rows, threads, failures, filling and the two ways to write. */
#include "cli/feature_frame.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void fill(struct feature_frame *f, const char *symbol, size_t n, double scale)
{
	struct feature_row *row = feature_frame_row(f, symbol, true);
	uint64_t seed = (uint64_t)(scale * 1000.0);

	assert_non_null(row);
	for (size_t i = 0; i < n; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		assert_int_equal(feature_frame_push(row, scale + (double)(seed >> 50)),
				 0);
	}
}

static char *text_of(const struct feature_frame *f, bool json)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	if (json)
		feature_frame_json(f, out);
	else
		feature_frame_csv(f, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void make(struct feature_frame *f, unsigned threads)
{
	char name[16];

	*f = (struct feature_frame){.set = TSF_EFFICIENT, .window = 100};
	for (unsigned i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "S%u", 30 - i);
		fill(f, name, 20 + i * 7, 1.0 + i);
	}
	assert_int_equal(feature_frame_compute(f, threads), 0);
}

static void any_number_of_threads_makes_the_same_frame(void **state)
{
	struct feature_frame a, b;
	char *one, *four;

	(void)state;
	make(&a, 1);
	make(&b, 4);
	one = text_of(&a, false);
	four = text_of(&b, false);
	assert_string_equal(one, four);
	assert_non_null(strstr(one, "\nS30,"));
	assert_true(strstr(one, "\nS30,") < strstr(one, "\nS29,"));
	free(one);
	free(four);
	feature_frame_free(&a);
	feature_frame_free(&b);
}

static void one_that_fails_has_a_reason_and_changes_nobody(void **state)
{
	struct feature_frame f = {.set = TSF_MINIMAL, .window = 50};
	double mean;

	(void)state;
	fill(&f, "GOOD", 40, 3.0);
	assert_int_equal(feature_frame_compute(&f, 1), 0);
	mean = f.values[2];
	feature_frame_free(&f);
	f = (struct feature_frame){.set = TSF_MINIMAL, .window = 50};
	fill(&f, "BAD", 3, 1.0);
	assert_int_equal(feature_frame_push(feature_frame_row(&f, "BAD", false), NAN),
			 0);
	fill(&f, "NONE", 0, 1.0);
	fill(&f, "GOOD", 40, 3.0);
	assert_int_equal(feature_frame_compute(&f, 2), 0);
	assert_non_null(strstr(f.rows[0].reason, "not finite"));
	assert_string_equal(f.rows[1].reason, "it has no values");
	assert_string_equal(f.rows[2].reason, "");
	assert_true(isnan(f.values[2]));
	assert_float_equal(f.values[22], mean, 0.0);
	/* What failed stays empty even when the rest is filled. */
	assert_int_equal(feature_frame_impute(&f), 0);
	assert_true(isnan(f.values[2]));
	feature_frame_free(&f);
}

static void only_the_newest_values_of_the_window_count(void **state)
{
	struct feature_frame f = {.set = TSF_MINIMAL, .window = 2};
	struct feature_row *row = feature_frame_row(&f, "A", true);

	(void)state;
	(void)feature_frame_push(row, NAN);
	(void)feature_frame_push(row, 1.0);
	(void)feature_frame_push(row, 3.0);
	assert_int_equal(feature_frame_compute(&f, 1), 0);
	assert_float_equal(f.values[0], 4.0, 0.0);
	assert_float_equal(f.values[3], 2.0, 0.0);
	feature_frame_free(&f);
}

/* However long the series: what is held is the window and one more, and the features
 * are those of its end. */
static void a_long_series_takes_no_more_than_its_window(void **state)
{
	static const size_t lengths[] = {1, 99, 100, 101, 102, 150, 202, 203, 100000};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct feature_frame whole = {.set = TSF_EFFICIENT, .window = 100};
		struct feature_frame end = {.set = TSF_EFFICIENT, .window = 100};
		struct feature_row *a = feature_frame_row(&whole, "A", true);
		struct feature_row *b = feature_frame_row(&end, "A", true);
		size_t n = lengths[i / 2];
		char *x, *y;

		for (size_t k = 0; k < n; k++) {
			double v = 100.0 + sin((double)k) + (double)(k % 7);

			assert_int_equal(feature_frame_push(a, v), 0);
			if (k + 101 >= n)
				assert_int_equal(feature_frame_push(b, v), 0);
		}
		assert_int_equal(a->n, n < 101 ? n : 101);
		assert_true(a->room <= 101);
		assert_int_equal(b->first, 0);
		if (i % 2 == 1) {
			feature_frame_returns(&whole);
			feature_frame_returns(&end);
		}
		assert_int_equal(feature_frame_compute(&whole, 1), 0);
		assert_int_equal(feature_frame_compute(&end, 1), 0);
		x = text_of(&whole, false);
		y = text_of(&end, false);
		assert_string_equal(x, y);
		free(x);
		free(y);
		feature_frame_free(&whole);
		feature_frame_free(&end);
	}
}

static void returns_are_logarithmic_and_one_fewer(void **state)
{
	struct feature_frame f = {.set = TSF_MINIMAL, .window = 9};
	struct feature_row *row = feature_frame_row(&f, "A", true);

	(void)state;
	(void)feature_frame_push(row, 1.0);
	(void)feature_frame_push(row, M_E);
	(void)feature_frame_push(row, 0.0);
	feature_frame_returns(&f);
	assert_int_equal(f.rows[0].n, 2);
	assert_float_equal(f.rows[0].x[0], 1.0, 1e-15);
	assert_true(isnan(f.rows[0].x[1]));
	feature_frame_free(&f);
}

static void filling_takes_median_and_extremes_of_the_column(void **state)
{
	struct feature_frame f = {.set = TSF_MINIMAL, .window = 9};
	double want[] = {1.0, 3.0, 2.0, 3.0, 1.0};
	double have[] = {1.0, 3.0, NAN, INFINITY, -INFINITY};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		fill(&f, (const char *[]){"A", "B", "C", "D", "E"}[i], 3, 1.0);
	assert_int_equal(feature_frame_compute(&f, 1), 0);
	for (size_t i = 0; i < 5; i++) {
		f.values[i * 10] = have[i];
		f.values[i * 10 + 1] = NAN;
	}
	assert_int_equal(feature_frame_impute(&f), 0);
	for (size_t i = 0; i < 5; i++) {
		assert_float_equal(f.values[i * 10], want[i], 0.0);
		assert_float_equal(f.values[i * 10 + 1], 0.0, 0.0);
	}
	feature_frame_free(&f);
}

static void names_are_quoted_in_csv_and_nan_is_empty_or_null(void **state)
{
	struct feature_frame f = {.set = TSF_EFFICIENT, .window = 9};
	char *text;

	(void)state;
	fill(&f, "A,B", 5, 1.0);
	assert_int_equal(feature_frame_compute(&f, 1), 0);
	text = text_of(&f, false);
	assert_int_equal(strncmp(text, "symbol,value__variance_larger", 29), 0);
	assert_non_null(strstr(text,
			       "\"value__agg_autocorrelation__f_agg_\"\"mean\"\"__"
			       "maxlag_40\""));
	assert_non_null(strstr(text, "\n\"A,B\","));
	assert_non_null(strstr(text, ",,,"));
	assert_null(strstr(text, "nan"));
	free(text);
	text = text_of(&f, true);
	assert_non_null(strstr(text, "\"value__fft_coefficient__attr_\\\"real\\\"__"
				     "coeff_99\":null"));
	free(text);
	feature_frame_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_threads_makes_the_same_frame),
		cmocka_unit_test(one_that_fails_has_a_reason_and_changes_nobody),
		cmocka_unit_test(only_the_newest_values_of_the_window_count),
		cmocka_unit_test(a_long_series_takes_no_more_than_its_window),
		cmocka_unit_test(returns_are_logarithmic_and_one_fewer),
		cmocka_unit_test(filling_takes_median_and_extremes_of_the_column),
		cmocka_unit_test(names_are_quoted_in_csv_and_nan_is_empty_or_null),
	};

	return cmocka_run_group_tests_name("cli.feature_frame", tests, NULL, NULL);
}
