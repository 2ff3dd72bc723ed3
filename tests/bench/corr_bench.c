/*
 * corr_bench - the correlation kernels on one thread, medians of several rounds.
 *
 *	bench_corr            every size and method
 *	bench_corr N          pearson of N symbols alone (for corr_numpy.py)
 */
#include "base/clock.h"
#include "workers/corr.h"
#include "workers/eigen.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define WINDOW 256
#define ROUNDS 7

static uint64_t seed = 1;

static double uniform(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(seed >> 11) / 9007199254740992.0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

static void fill(struct corr *c, uint32_t n, double holes)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < WINDOW; k++)
			corr_row(c, i)[k] =
				uniform() < holes ? NAN : 1e-3 * (uniform() - 0.5);
}

static double run_ms(struct corr *c, enum corr_method m, uint32_t n, double *tri)
{
	const struct corr_spec spec = {m, 0.94, 30};
	struct corr_result r;
	int64_t start = clock_mono_ns();

	corr_run(c, &spec, n, WINDOW, tri, &r);
	return (double)(clock_mono_ns() - start) / 1e6;
}

static void methods(uint32_t n)
{
	size_t cells = (size_t)n * (n + 1) / 2;
	double *tri = malloc(cells * sizeof(*tri)), v[ROUNDS];
	struct corr *c;

	if (tri == NULL || corr_new(n, WINDOW, &c) < 0)
		exit(1);
	for (int m = CORR_PEARSON; m <= CORR_SPEARMAN; m++) {
		fill(c, n, 0);
		for (int r = 0; r < ROUNDS; r++)
			v[r] = run_ms(c, (enum corr_method)m, n, tri);
		printf("corr %-12s n=%u window=%d %.3f ms\n",
		       corr_method_name((enum corr_method)m), n, WINDOW,
		       median(v, ROUNDS));
	}
	fill(c, n, 0.01);
	for (int r = 0; r < ROUNDS; r++)
		v[r] = run_ms(c, CORR_PEARSON, n, tri);
	printf("corr pearson, 1 %% holes everywhere n=%u window=%d %.3f ms\n", n,
	       WINDOW, median(v, ROUNDS));
	corr_free(c);
	free(tri);
}

static void pearson(uint32_t n)
{
	size_t cells = (size_t)n * (n + 1) / 2;
	double *tri = malloc(cells * sizeof(*tri)), v[ROUNDS];
	struct corr *c;

	if (tri == NULL || corr_new(n, WINDOW, &c) < 0)
		exit(1);
	fill(c, n, 0);
	(void)run_ms(c, CORR_PEARSON, n, tri);
	for (int r = 0; r < ROUNDS; r++)
		v[r] = run_ms(c, CORR_PEARSON, n, tri);
	printf("corr pearson n=%u window=%d %.3f ms\n", n, WINDOW, median(v, ROUNDS));
	corr_free(c);
	free(tri);
}

static void eigenvalues(uint32_t n)
{
	size_t cells = (size_t)n * (n + 1) / 2;
	double *tri = malloc(cells * sizeof(*tri)), v;
	struct eigen_repair r;
	struct eigen *e;
	int64_t start;

	if (tri == NULL || eigen_new(n, &e) < 0)
		exit(1);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j <= i; j++)
			tri[(size_t)i * (i + 1) / 2 + j] = i == j ? 1 : uniform() - 0.5;
	start = clock_mono_ns();
	(void)eigen_min(e, tri, n, &v);
	printf("eigen_min n=%u %.2f ms", n, (double)(clock_mono_ns() - start) / 1e6);
	start = clock_mono_ns();
	(void)eigen_repair(e, tri, n, &r);
	printf(", eigen_repair %.2f ms\n", (double)(clock_mono_ns() - start) / 1e6);
	eigen_free(e);
	free(tri);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		pearson((uint32_t)atoi(argv[1]));
		return 0;
	}
	printf("kernel: %s, one thread\n",
	       (const char *[]){"generic", "avx2", "avx512"}[gram_isa_best()]);
	for (uint32_t i = 0; i < 3; i++)
		pearson((uint32_t[]){100, 500, 2000}[i]);
	methods(500);
	for (uint32_t i = 0; i < 3; i++)
		eigenvalues((uint32_t[]){120, 256, 500}[i]);
	return 0;
}
