/* Tests of eigen.h. */
#include "workers/eigen.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 7;

static double uniform(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(seed >> 11) / 9007199254740992.0;
}

/* Coefficients that no data can have: far from positive semidefinite. */
static void wild(double *tri, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j <= i; j++)
			*tri++ = i == j ? 1.0 : 1.6 * uniform() - 0.8;
}

static void the_values_of_a_known_matrix_are_found(void **state)
{
	/* [1 r r; r 1 r; r r 1] has 1 - r twice and 1 + 2r. */
	const double tri[6] = {1, 0.25, 1, 0.25, 0.25, 1};
	const double diagonal[6] = {3, 0, -1, 0, 0, 2};
	double d[3];
	struct eigen *e;

	(void)state;
	assert_int_equal(eigen_new(3, &e), 0);
	assert_int_equal(eigen_values(e, tri, 3, d), 0);
	assert_true(fabs(d[0] - 0.75) < 1e-15 && fabs(d[1] - 0.75) < 1e-15);
	assert_true(fabs(d[2] - 1.5) < 1e-15);
	assert_int_equal(eigen_values(e, diagonal, 3, d), 0);
	assert_true(d[0] == -1 && d[1] == 2 && d[2] == 3);
	assert_int_equal(eigen_values(e, tri, 1, d), 0);
	assert_true(d[0] == 1);
	eigen_free(e);
}

static void values_keep_trace_and_square_sum(void **state)
{
	static double tri[60 * 61 / 2], d[60];
	struct eigen *e;

	(void)state;
	assert_int_equal(eigen_new(60, &e), 0);
	for (uint32_t n = 2; n <= 60; n += 7) {
		double trace = 0, squares = 0, norm = 0, min;

		wild(tri, n);
		assert_int_equal(eigen_values(e, tri, n, d), 0);
		assert_int_equal(eigen_min(e, tri, n, &min), 0);
		assert_true(min == d[0]);
		for (uint32_t i = 0, k = 0; i < n; i++) {
			trace += d[i];
			squares += d[i] * d[i];
			assert_true(i == 0 || d[i - 1] <= d[i]);
			for (uint32_t j = 0; j <= i; j++, k++)
				norm += (i == j ? 1 : 2) * tri[k] * tri[k];
		}
		assert_true(fabs(trace - n) < 1e-12 * n);
		assert_true(fabs(squares - norm) < 1e-12 * norm);
	}
	eigen_free(e);
}

static void a_repaired_matrix_is_a_correlation_matrix(void **state)
{
	static double tri[50 * 51 / 2], before[50 * 51 / 2];
	struct eigen_repair r, again;
	struct eigen *e;
	double shift = 0;

	(void)state;
	assert_int_equal(eigen_new(50, &e), 0);
	wild(tri, 50);
	memcpy(before, tri, sizeof(tri));
	assert_false(eigen_is_psd(e, tri, 50));
	assert_int_equal(eigen_repair(e, tri, 50, &r), 0);
	assert_true(r.repaired);
	assert_true(r.eigen_min < -1);
	for (uint32_t i = 0, k = 0; i < 50; i++)
		for (uint32_t j = 0; j <= i; j++, k++) {
			assert_true(i == j ? tri[k] == 1.0 : fabs(tri[k]) <= 1.0);
			shift += (i == j ? 1 : 2) * (tri[k] - before[k]) *
				 (tri[k] - before[k]);
		}
	assert_true(fabs(sqrt(shift) - r.frobenius_shift) < 1e-12);
	assert_true(eigen_is_psd(e, tri, 50));
	memcpy(before, tri, sizeof(tri));
	assert_int_equal(eigen_repair(e, tri, 50, &again), 0);
	assert_false(again.repaired);
	assert_true(again.eigen_min > -EIGEN_TOLERANCE);
	assert_true(again.frobenius_shift == 0);
	assert_memory_equal(tri, before, sizeof(tri));
	eigen_free(e);
}

static void the_smallest_repair_is_done_by_hand(void **state)
{
	/* x like y, y like z, x against z: values 1 + 1.8cos..., one of them negative.
	 */
	double tri[6] = {1, 0.9, 1, -0.9, 0.9, 1};
	struct eigen_repair r;
	struct eigen *e;

	(void)state;
	assert_int_equal(eigen_new(3, &e), 0);
	assert_int_equal(eigen_repair(e, tri, 3, &r), 0);
	assert_true(fabs(r.eigen_min + 0.8) < 1e-14);
	/* Clipped: 1.9 * (I - vv'), v = (1, -1, 1) / sqrt(3): off the diagonal +-1/2.
	 */
	assert_true(fabs(tri[1] - 0.5) < 1e-14);
	assert_true(fabs(tri[3] + 0.5) < 1e-14);
	assert_true(fabs(tri[4] - 0.5) < 1e-14);
	eigen_free(e);
}

static void a_matrix_of_ones_is_semidefinite(void **state)
{
	static double tri[40 * 41 / 2];
	struct eigen_repair r;
	struct eigen *e;

	(void)state;
	for (size_t i = 0; i < sizeof(tri) / sizeof(*tri); i++)
		tri[i] = 1;
	assert_int_equal(eigen_new(40, &e), 0);
	assert_true(eigen_is_psd(e, tri, 40));
	assert_int_equal(eigen_repair(e, tri, 40, &r), 0);
	assert_false(r.repaired);
	eigen_free(e);
}

static void what_is_no_number_has_no_values(void **state)
{
	double tri[3] = {1, NAN, 1}, d[2], min = 5;
	struct eigen_repair r;
	struct eigen *e;

	(void)state;
	assert_int_equal(eigen_new(2, &e), 0);
	assert_int_equal(eigen_values(e, tri, 2, d), EIGEN_NO_ANSWER);
	assert_int_equal(eigen_min(e, tri, 2, &min), EIGEN_NO_ANSWER);
	assert_int_equal(eigen_repair(e, tri, 2, &r), EIGEN_NO_ANSWER);
	assert_int_equal(eigen_min(e, tri, 0, &min), EIGEN_NO_ANSWER);
	assert_true(min == 5);
	assert_false(eigen_is_psd(e, tri, 2));
	eigen_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_values_of_a_known_matrix_are_found),
		cmocka_unit_test(values_keep_trace_and_square_sum),
		cmocka_unit_test(a_repaired_matrix_is_a_correlation_matrix),
		cmocka_unit_test(the_smallest_repair_is_done_by_hand),
		cmocka_unit_test(a_matrix_of_ones_is_semidefinite),
		cmocka_unit_test(what_is_no_number_has_no_values),
	};

	return cmocka_run_group_tests_name("eigen", tests, NULL, NULL);
}
