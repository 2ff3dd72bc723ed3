/* ind_features_test - bar by bar, the features of the batch: the same names and bits.
 */
#include "analysis/ind.h"
#include "analysis/tsf.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define BARS 1500

static double price[BARS], volume[BARS], change[BARS];

static int setup(void **state)
{
	uint64_t seed = 20261126;
	double v = 1000.0;

	(void)state;
	for (size_t i = 0; i < BARS; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		v += (double)(seed >> 61) - 3.5;
		price[i] = v;
		volume[i] = (double)(seed >> 40 & 0xff);
		change[i] = i == 0 ? NAN : log(price[i] / price[i - 1]);
	}
	return 0;
}

/* After each bar: NULL before @first + window - 1, then what tsf_extract() says. */
static void same_as_extract(const char *name, const double *series, size_t first,
			    size_t window)
{
	double value[IND_OUTPUTS_MAX], want[TSF_MINIMAL_COUNT];
	struct tsf_scratch *scratch;
	struct ind_spec spec;
	struct ind *ind;
	char text[IND_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%s(%zu)", name, window);
	assert_int_equal(ind_parse(text, &spec), 0);
	assert_int_equal(ind_new(&spec, &ind), 0);
	assert_int_equal(tsf_scratch_new(window, &scratch), 0);
	for (size_t i = 0; i < BARS; i++) {
		const struct ind_bar bar = {.close = price[i], .volume = volume[i]};

		ind_step(ind, &bar, value);
		if (i + 1 < first + window) {
			assert_true(isnan(value[0]) && isnan(value[9]));
			continue;
		}
		assert_int_equal(tsf_extract(scratch, series + i + 1 - window, window,
					     TSF_MINIMAL, TSF_TSFRESH, want),
				 0);
		assert_memory_equal(value, want, sizeof(want));
	}
	tsf_scratch_free(scratch);
	ind_free(ind);
}

static void every_bar_equals_the_batch_to_the_last_bit(void **state)
{
	static const size_t windows[] = {1, 2, 7, 128, 129, 500, 1000};

	(void)state;
	for (size_t k = 0; k < sizeof(windows) / sizeof(windows[0]); k++) {
		same_as_extract("tsfresh_close", price, 0, windows[k]);
		same_as_extract("tsfresh_volume", volume, 0, windows[k]);
		same_as_extract("tsfresh_return", change, 1, windows[k]);
	}
}

static void outputs_are_called_as_tsfresh_calls_them(void **state)
{
	struct ind_spec spec;
	char name[TSF_NAME_MAX];

	(void)state;
	assert_int_equal(ind_parse("tsfresh_close", &spec), 0);
	for (size_t k = 0; k < TSF_MINIMAL_COUNT; k++) {
		tsf_name(TSF_MINIMAL, k, name);
		assert_string_equal(spec.def->output[k], name);
	}
}

/* A price that has no logarithm has no return, and the next one none either. */
static void a_bar_without_a_return_is_passed_over(void **state)
{
	double value[IND_OUTPUTS_MAX];
	struct ind_spec spec;
	struct ind *ind;

	(void)state;
	assert_int_equal(ind_parse("tsfresh_return(2)", &spec), 0);
	assert_int_equal(ind_new(&spec, &ind), 0);
	for (size_t i = 0; i < 10; i++) {
		const struct ind_bar bar = {.close = i == 5 ? -1.0 : price[i]};

		ind_step(ind, &bar, value);
		assert_int_equal(isnan(value[0]), i < 2 || i == 5 || i == 6);
	}
	ind_free(ind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bar_equals_the_batch_to_the_last_bit),
		cmocka_unit_test(outputs_are_called_as_tsfresh_calls_them),
		cmocka_unit_test(a_bar_without_a_return_is_passed_over),
	};

	return cmocka_run_group_tests_name("analysis.ind_features", tests, setup, NULL);
}
