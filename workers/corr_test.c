/* Tests of corr.h. */
#include "workers/corr.h"
#include "workers/eigen.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_MAX 90
#define W_MAX 300

static uint64_t seed;

static double uniform(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(seed >> 11) / 9007199254740992.0;
}

static double *tri_new(uint32_t n)
{
	double *t = calloc((size_t)n * (n + 1) / 2 + 1, sizeof(double));

	assert_non_null(t);
	return t;
}

static double tri_at(const double *t, uint32_t i, uint32_t j)
{
	return i >= j ? t[(size_t)i * (i + 1) / 2 + j] : t[(size_t)j * (j + 1) / 2 + i];
}

/* Returns with a common factor; @holes: share of NaN. */
static void fill(struct corr *c, uint32_t n, uint32_t w, double holes)
{
	double market[W_MAX];

	for (uint32_t k = 0; k < w; k++)
		market[k] = uniform() - 0.5;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < w; k++)
			corr_row(c, i)[k] =
				uniform() < holes
					? NAN
					: 1e-3 * (market[k] + uniform() - 0.5);
}

static double naive_pearson(const double *x, const double *y, uint32_t w)
{
	long double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
	uint32_t n = 0;

	for (uint32_t k = 0; k < w; k++)
		if (!isnan(x[k]) && !isnan(y[k])) {
			sx += x[k];
			sy += y[k];
			n++;
		}
	for (uint32_t k = 0; k < w; k++)
		if (!isnan(x[k]) && !isnan(y[k])) {
			long double dx = x[k] - sx / n, dy = y[k] - sy / n;

			xx += dx * dx;
			yy += dy * dy;
			xy += dx * dy;
		}
	return (double)(xy / sqrtl(xx * yy));
}

static void pearson_is_what_its_formula_says(void **state)
{
	const struct corr_spec spec = {CORR_PEARSON, 0, 30};
	struct corr_result r;
	struct corr *c;
	double *t = tri_new(N_MAX);

	(void)state;
	assert_int_equal(corr_new(N_MAX, W_MAX, &c), 0);
	for (uint32_t n = 2; n <= N_MAX; n += 29) {
		fill(c, n, 256, 0);
		corr_run(c, &spec, n, 256, t, &r);
		assert_int_equal(r.n_kept, n);
		assert_true(r.complete);
		for (uint32_t i = 0; i < n; i++) {
			assert_true(tri_at(t, i, i) == 1.0);
			assert_int_equal(r.n_obs[i], 256);
			for (uint32_t j = 0; j < i; j++)
				assert_true(fabs(tri_at(t, i, j) -
						 naive_pearson(corr_row(c, i),
							       corr_row(c, j), 256)) <
					    1e-14);
		}
	}
	corr_free(c);
	free(t);
}

static void a_coefficient_does_not_depend_on_the_other_rows(void **state)
{
	const struct corr_spec spec = {CORR_PEARSON, 0, 30};
	struct corr_result r;
	struct corr *all, *few;
	double *big = tri_new(N_MAX), *small = tri_new(N_MAX);

	(void)state;
	assert_int_equal(corr_new(N_MAX, W_MAX, &all), 0);
	assert_int_equal(corr_new(N_MAX, W_MAX, &few), 0);
	fill(all, N_MAX, 200, 0);
	corr_run(all, &spec, N_MAX, 200, big, &r);
	for (uint32_t i = 0; i < 7; i++)
		memcpy(corr_row(few, i), corr_row(all, i * 13), 200 * sizeof(double));
	corr_run(few, &spec, 7, 200, small, &r);
	for (uint32_t i = 0; i < 7; i++)
		for (uint32_t j = 0; j <= i; j++)
			assert_true(tri_at(small, i, j) == tri_at(big, i * 13, j * 13));
	corr_free(all);
	corr_free(few);
	free(big);
	free(small);
}

static void a_coefficient_never_leaves_its_bounds(void **state)
{
	const struct corr_spec spec = {CORR_PEARSON, 0, 2};
	struct corr_result r;
	struct corr *c;
	double *t = tri_new(8);

	(void)state;
	assert_int_equal(corr_new(8, 50, &c), 0);
	for (int round = 0; round < 200; round++) {
		fill(c, 1, 50, 0);
		for (uint32_t i = 1; i < 8; i++)
			for (uint32_t k = 0; k < 50; k++)
				corr_row(c, i)[k] = (i & 1 ? -3.7 : 0.3) * (i + 1) *
						    corr_row(c, 0)[k];
		corr_run(c, &spec, 8, 50, t, &r);
		for (uint32_t i = 0; i < 36; i++)
			assert_true(fabs(t[i]) <= 1.0 && fabs(t[i]) > 1 - 1e-14);
	}
	corr_free(c);
	free(t);
}

static void holes_are_filled_pair_by_pair(void **state)
{
	const struct corr_spec spec = {CORR_PEARSON, 0, 30};
	struct corr_result r;
	struct corr *c;
	double *t = tri_new(N_MAX);

	(void)state;
	assert_int_equal(corr_new(N_MAX, W_MAX, &c), 0);
	fill(c, 40, 173, 0.2);
	for (uint32_t i = 0; i < 40; i += 2)
		for (uint32_t k = 0; k < 173; k++)
			if (isnan(corr_row(c, i)[k]))
				corr_row(c, i)[k] = 1e-4 * uniform();
	corr_run(c, &spec, 40, 173, t, &r);
	assert_int_equal(r.n_kept, 40);
	assert_false(r.complete);
	for (uint32_t i = 0; i < 40; i++)
		for (uint32_t j = 0; j < i; j++)
			assert_true(fabs(tri_at(t, i, j) - naive_pearson(corr_row(c, i),
									 corr_row(c, j),
									 173)) < 1e-13);
	corr_free(c);
	free(t);
}

static void a_bar_that_nobody_has_is_no_hole(void **state)
{
	const struct corr_spec spec = {CORR_PEARSON, 0, 30};
	struct corr_result r;
	struct corr *c;
	double *with = tri_new(9), *without = tri_new(9);

	(void)state;
	assert_int_equal(corr_new(9, W_MAX, &c), 0);
	fill(c, 9, 100, 0);
	for (uint32_t i = 0; i < 9; i++)
		corr_row(c, i)[50] = NAN;
	corr_run(c, &spec, 9, 100, with, &r);
	assert_true(r.complete);
	assert_int_equal(r.n_obs[0], 99);
	for (uint32_t i = 0; i < 9; i++)
		memmove(corr_row(c, i) + 50, corr_row(c, i) + 51, 49 * sizeof(double));
	corr_run(c, &spec, 9, 99, without, &r);
	assert_memory_equal(with, without, 45 * sizeof(double));
	corr_free(c);
	free(with);
	free(without);
}

static void rows_that_cannot_be_correlated_are_named(void **state)
{
	const struct corr_spec spec = {CORR_PEARSON, 0, 30};
	struct corr_result r;
	struct corr *c;
	double *t = tri_new(6);

	(void)state;
	assert_int_equal(corr_new(6, W_MAX, &c), 0);
	fill(c, 6, 100, 0);
	for (uint32_t k = 0; k < 100; k++) {
		corr_row(c, 1)[k] = 0.1;                      /* flat, and not 0 */
		corr_row(c, 3)[k] = k < 29 ? uniform() : NAN; /* one return short */
		corr_row(c, 4)[k] = NAN;
	}
	corr_run(c, &spec, 6, 100, t, &r);
	assert_int_equal(r.n_kept, 3);
	assert_int_equal(r.fate[0], CORR_KEPT);
	assert_int_equal(r.fate[1], CORR_FLAT);
	assert_int_equal(r.fate[2], CORR_KEPT);
	assert_int_equal(r.fate[3], CORR_SHORT);
	assert_int_equal(r.fate[4], CORR_SHORT);
	assert_int_equal(r.fate[5], CORR_KEPT);
	assert_int_equal(r.n_obs[3], 29);
	assert_true(r.complete);
	corr_free(c);
	free(t);
}

/* 0.1 summed 60 times is not 6: what remains about the mean is noise, not variance. */
static void a_pair_of_which_one_is_flat_in_common_has_no_coefficient(void **state)
{
	const struct corr_spec pearson = {CORR_PEARSON, 0, 30};
	const struct corr_spec spearman = {CORR_SPEARMAN, 0, 30};
	struct corr_result r;
	struct corr *c;
	double *t = tri_new(3);

	(void)state;
	assert_int_equal(corr_new(3, W_MAX, &c), 0);
	fill(c, 3, 100, 0);
	for (uint32_t k = 0; k < 100; k++) {
		if (k < 40) /* row 1 moves where row 0 has holes, and nowhere else */
			corr_row(c, 0)[k] = NAN;
		else
			corr_row(c, 1)[k] = 0.1;
	}
	corr_run(c, &pearson, 3, 100, t, &r);
	assert_int_equal(r.n_kept, 2);
	assert_int_equal(r.fate[0], CORR_SHORT); /* the one with fewer returns goes */
	assert_int_equal(r.fate[1], CORR_KEPT);
	corr_run(c, &spearman, 3, 100, t, &r);
	assert_int_equal(r.n_kept, 2);
	corr_free(c);
	free(t);
}

static void two_rows_without_common_bars_do_not_both_stay(void **state)
{
	const struct corr_spec spec = {CORR_PEARSON, 0, 30};
	struct corr_result r;
	struct corr *c;
	double *t = tri_new(5);

	(void)state;
	assert_int_equal(corr_new(5, W_MAX, &c), 0);
	fill(c, 5, 100, 0);
	for (uint32_t k = 0; k < 100; k++)
		corr_row(c, k < 55 ? 1 : 3)[k] = NAN;
	corr_run(c, &spec, 5, 100, t, &r);
	assert_int_equal(r.n_kept, 4);
	assert_int_equal(r.fate[1], CORR_SHORT); /* 45 returns against 55 */
	assert_int_equal(r.fate[3], CORR_KEPT);
	for (uint32_t i = 0; i < 10; i++)
		assert_false(isnan(t[i]));
	assert_true(fabs(tri_at(t, 2, 0) -
			 naive_pearson(corr_row(c, 0), corr_row(c, 3), 100)) < 1e-13);
	corr_free(c);
	free(t);
}

static void the_matrix_never_has_holes(void **state)
{
	struct corr_result r;
	struct corr *c;
	double *t = tri_new(30);

	(void)state;
	assert_int_equal(corr_new(30, 80, &c), 0);
	for (int round = 0; round < 400; round++) {
		struct corr_spec spec = {(enum corr_method)(round % 4), 0.9, 10};
		uint32_t kept = 0;

		fill(c, 30, 80, uniform());
		corr_run(c, &spec, 30, 80, t, &r);
		for (uint32_t i = 0; i < 30; i++)
			kept += r.fate[i] == CORR_KEPT;
		assert_int_equal(kept, r.n_kept);
		for (uint32_t i = 0; i < r.n_kept * (r.n_kept + 1) / 2; i++)
			assert_true(t[i] >= -1 && t[i] <= 1);
	}
	corr_free(c);
	free(t);
}

static void the_newest_bar_weighs_most_in_ewma(void **state)
{
	const struct corr_spec spec = {CORR_EWMA, 0.94, 2};
	struct corr_result r;
	struct corr *c;
	double t[3], xx = 0, yy = 0, xy = 0;

	(void)state;
	assert_int_equal(corr_new(2, 100, &c), 0);
	fill(c, 2, 100, 0);
	corr_run(c, &spec, 2, 100, t, &r);
	for (uint32_t k = 0; k < 100; k++) {
		double x = corr_row(c, 0)[k], y = corr_row(c, 1)[k];

		xx = 0.94 * xx + 0.06 * x * x;
		yy = 0.94 * yy + 0.06 * y * y;
		xy = 0.94 * xy + 0.06 * x * y;
	}
	assert_true(fabs(t[1] - xy / sqrt(xx * yy)) < 1e-14);
	corr_free(c);
}

static void spearman_gives_tied_returns_their_mean_rank(void **state)
{
	const struct corr_spec spec = {CORR_SPEARMAN, 0, 2};
	const double x[6] = {1, 2, 2, 3, 9, 4}, y[6] = {10, 30, 20, 20, 20, 50};
	const double rx[6] = {1, 2.5, 2.5, 4, 6, 5}, ry[6] = {1, 5, 3, 3, 3, 6};
	struct corr_result r;
	struct corr *c;
	double t[3];

	(void)state;
	assert_int_equal(corr_new(2, 6, &c), 0);
	memcpy(corr_row(c, 0), x, sizeof(x));
	memcpy(corr_row(c, 1), y, sizeof(y));
	corr_run(c, &spec, 2, 6, t, &r);
	assert_true(fabs(t[1] - naive_pearson(rx, ry, 6)) < 1e-15);
	corr_free(c);
}

static void shrinkage_pulls_coefficients_towards_zero(void **state)
{
	const struct corr_spec plain = {CORR_PEARSON, 0, 30};
	const struct corr_spec shrunk = {CORR_LEDOIT_WOLF, 0, 30};
	struct corr_result r;
	struct corr *c;
	double *a = tri_new(60), *b = tri_new(60);

	(void)state;
	assert_int_equal(corr_new(60, 100, &c), 0);
	fill(c, 60, 40, 0);
	corr_run(c, &plain, 60, 40, a, &r);
	corr_run(c, &shrunk, 60, 40, b, &r);
	assert_int_equal(r.n_kept, 60);
	assert_int_equal(r.shrunk_obs, 40);
	assert_true(r.shrinkage > 0 && r.shrinkage < 1);
	for (uint32_t i = 0; i < 60; i++)
		for (uint32_t j = 0; j < i; j++)
			assert_true(fabs(tri_at(b, i, j)) <= fabs(tri_at(a, i, j)) &&
				    tri_at(b, i, j) * tri_at(a, i, j) >= 0);
	corr_free(c);
	free(a);
	free(b);
}

static void a_sparse_row_does_not_cost_ledoit_wolf_its_sample(void **state)
{
	const struct corr_spec spec = {CORR_LEDOIT_WOLF, 0, 60};
	struct corr_result r;
	struct corr *c;
	double *t = tri_new(5);

	(void)state;
	assert_int_equal(corr_new(5, 100, &c), 0);
	fill(c, 5, 100, 0);
	for (uint32_t k = 0; k < 35; k++)
		corr_row(c, 1)[k] = corr_row(c, 3)[99 - k] = NAN;
	corr_row(c, 3)[50] = NAN;
	corr_run(c, &spec, 5, 100, t, &r);
	assert_int_equal(r.n_kept, 4);
	assert_int_equal(r.fate[3], CORR_SHORT);
	assert_int_equal(r.shrunk_obs, 65);
	corr_free(c);
	free(t);
}

static void holes_that_count_as_the_mean_leave_it_semidefinite(void **state)
{
	struct corr_result r;
	struct eigen *e;
	struct corr *c;
	double *pairs = tri_new(60), *own = tri_new(60);

	(void)state;
	assert_int_equal(corr_new(60, 40, &c), 0);
	assert_int_equal(eigen_new(60, &e), 0);
	for (int m = CORR_PEARSON; m <= CORR_SPEARMAN; m++) {
		struct corr_spec spec = {(enum corr_method)m, 0.97, 18};
		bool moved = false;

		if (m == CORR_LEDOIT_WOLF)
			continue; /* listwise: it has no holes */
		fill(c, 60, 40, 0.3);
		for (uint32_t k = 0; k < 40; k++) {
			corr_row(c, 3)[k] = 1;                /* left out */
			corr_row(c, k < 20 ? 7 : 9)[k] = NAN; /* one of these as well */
		}
		corr_run(c, &spec, 60, 40, pairs, &r);
		assert_in_range(r.n_kept, 20, 58);
		assert_false(eigen_is_psd(e, pairs, r.n_kept));
		corr_run_own(c, own);
		assert_true(eigen_is_psd(e, own, r.n_kept));
		for (uint32_t i = 0; i < r.n_kept; i++) {
			assert_true(tri_at(own, i, i) == 1);
			for (uint32_t j = 0; j < i; j++) {
				assert_true(fabs(tri_at(own, i, j)) <= 1);
				moved = moved ||
					tri_at(own, i, j) != tri_at(pairs, i, j);
			}
		}
		assert_true(moved);
	}
	corr_free(c);
	eigen_free(e);
	free(pairs);
	free(own);
}

static void a_row_without_holes_is_the_same_when_holes_count_as_the_mean(void **state)
{
	const struct corr_spec spec = {CORR_PEARSON, 0, 10};
	struct corr_result r;
	struct corr *c;
	double *pairs = tri_new(20), *own = tri_new(20);

	(void)state;
	assert_int_equal(corr_new(20, 64, &c), 0);
	fill(c, 20, 64, 0);
	for (uint32_t k = 0; k < 64; k++)
		if (k != 5)
			corr_row(c, 2)[k] = NAN; /* left out, so that rows move up */
	corr_row(c, 11)[7] = NAN;
	corr_run(c, &spec, 20, 64, pairs, &r);
	assert_int_equal(r.n_kept, 19);
	corr_run_own(c, own);
	for (uint32_t i = 0; i < 19; i++)
		for (uint32_t j = 0; j < i; j++)
			assert_true((tri_at(own, i, j) == tri_at(pairs, i, j)) ==
				    (i != 10 && j != 10));
	corr_free(c);
	free(pairs);
	free(own);
}

static void methods_are_known_by_their_names(void **state)
{
	enum corr_method m;

	(void)state;
	for (int i = 0; i < 4; i++) {
		const char *name = corr_method_name((enum corr_method)i);

		assert_int_equal(corr_method_parse(name, strlen(name), &m), 0);
		assert_int_equal(m, i);
	}
	assert_true(corr_method_parse("kendall", 7, &m) < 0);
	assert_true(corr_method_parse("pears", 5, &m) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pearson_is_what_its_formula_says),
		cmocka_unit_test(a_coefficient_does_not_depend_on_the_other_rows),
		cmocka_unit_test(a_coefficient_never_leaves_its_bounds),
		cmocka_unit_test(holes_are_filled_pair_by_pair),
		cmocka_unit_test(a_bar_that_nobody_has_is_no_hole),
		cmocka_unit_test(rows_that_cannot_be_correlated_are_named),
		cmocka_unit_test(
			a_pair_of_which_one_is_flat_in_common_has_no_coefficient),
		cmocka_unit_test(two_rows_without_common_bars_do_not_both_stay),
		cmocka_unit_test(the_matrix_never_has_holes),
		cmocka_unit_test(the_newest_bar_weighs_most_in_ewma),
		cmocka_unit_test(spearman_gives_tied_returns_their_mean_rank),
		cmocka_unit_test(shrinkage_pulls_coefficients_towards_zero),
		cmocka_unit_test(a_sparse_row_does_not_cost_ledoit_wolf_its_sample),
		cmocka_unit_test(holes_that_count_as_the_mean_leave_it_semidefinite),
		cmocka_unit_test(
			a_row_without_holes_is_the_same_when_holes_count_as_the_mean),
		cmocka_unit_test(methods_are_known_by_their_names),
	};

	seed = 42;
	return cmocka_run_group_tests_name("corr", tests, NULL, NULL);
}
