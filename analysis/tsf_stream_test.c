/* tsf_stream_test - bar by bar equals batch, through full windows, gaps and restarts.
 */
#include "analysis/tsf_stream.h"
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

#define VALUES 1500

static double x[VALUES];

static int setup(void **state)
{
	uint64_t seed = 20261126;
	double v = 100.0;

	(void)state;
	for (size_t i = 0; i < VALUES; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		v += (double)(seed >> 61) - 3.5;
		x[i] = v;
	}
	x[40] = -0.0;
	x[41] = 0.0;
	return 0;
}

static void same_as_batch(struct tsf_scratch *b, size_t end, size_t n,
			  const double got[TSF_MINIMAL_COUNT])
{
	double want[TSF_MINIMAL_COUNT];

	assert_int_equal(tsf_extract(b, x + end - n, n, TSF_MINIMAL, TSF_TSFRESH, want),
			 0);
	for (size_t k = 0; k < TSF_MINIMAL_COUNT; k++)
		assert_true(got[k] == want[k]);
}

static void every_bar_equals_the_batch_to_the_last_bit(void **state)
{
	static const size_t windows[] = {1, 2, 7, 128, 129, 500};
	double out[TSF_MINIMAL_COUNT];

	(void)state;
	for (size_t k = 0; k < sizeof(windows) / sizeof(windows[0]); k++) {
		struct tsf_stream *s;
		struct tsf_scratch *b;

		assert_int_equal(tsf_stream_new(windows[k], &s), 0);
		assert_int_equal(tsf_scratch_new(windows[k], &b), 0);
		for (size_t i = 0; i < VALUES; i++) {
			size_t n = tsf_stream_push(s, x[i], out);

			assert_int_equal(n, i + 1 < windows[k] ? i + 1 : windows[k]);
			same_as_batch(b, i + 1, n, out);
		}
		tsf_stream_free(s);
		tsf_scratch_free(b);
	}
}

static void a_gap_is_nan_until_it_has_left(void **state)
{
	double out[TSF_MINIMAL_COUNT];
	struct tsf_stream *s;
	struct tsf_scratch *b;

	(void)state;
	assert_int_equal(tsf_stream_new(10, &s), 0);
	assert_int_equal(tsf_scratch_new(10, &b), 0);
	for (size_t i = 0; i < 100; i++) {
		(void)tsf_stream_push(s, i == 50 ? NAN : x[i], out);
		if (i >= 50 && i < 60)
			assert_true(isnan(out[0]) && isnan(out[9]));
		else if (i >= 60)
			same_as_batch(b, i + 1, 10, out);
	}
	tsf_stream_free(s);
	tsf_scratch_free(b);
}

static void a_saved_stream_goes_on_as_if_nothing_had_happened(void **state)
{
	double a[TSF_MINIMAL_COUNT], b[TSF_MINIMAL_COUNT];
	struct tsf_stream *one, *two;
	struct buf saved = {0};
	struct state st = state_saving(&saved);

	(void)state;
	assert_int_equal(tsf_stream_new(100, &one), 0);
	assert_int_equal(tsf_stream_new(100, &two), 0);
	for (size_t i = 0; i < 350; i++)
		(void)tsf_stream_push(one, x[i], a);
	tsf_stream_state(&st, one);
	st = state_loading(saved.data, saved.len);
	tsf_stream_state(&st, two);
	assert_false(state_bad(&st));
	for (size_t i = 350; i < 600; i++) {
		(void)tsf_stream_push(one, x[i], a);
		(void)tsf_stream_push(two, x[i], b);
		assert_memory_equal(a, b, sizeof(a));
	}
	/* A state of a larger window is not ours. */
	tsf_stream_free(two);
	assert_int_equal(tsf_stream_new(99, &two), 0);
	st = state_loading(saved.data, saved.len);
	tsf_stream_state(&st, two);
	assert_true(state_bad(&st));
	buf_free(&saved);
	tsf_stream_free(one);
	tsf_stream_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bar_equals_the_batch_to_the_last_bit),
		cmocka_unit_test(a_gap_is_nan_until_it_has_left),
		cmocka_unit_test(a_saved_stream_goes_on_as_if_nothing_had_happened),
	};

	return cmocka_run_group_tests_name("analysis.tsf_stream", tests, setup, NULL);
}
