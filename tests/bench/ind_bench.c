/*
 * ind_bench - the registry of indicators: nanoseconds per bar.
 *
 *   bench_ind [BARS [SYMBOLS]]
 *
 * First the usual three over a long series, batch and bar by bar; then one new bar for
 * each of SYMBOLS symbols through every entry of the registry, each with its state of
 * its own, as a worker meets them.  Medians of several runs.  ind_pandas.py beside it
 * does the first with TA-Lib and pandas.
 */
#include "analysis/ind.h"
#include "base/err.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS 15

static double *columns[6];
static int64_t *times_ns;

/* Of this thread: what others do on the machine counts less. */
static int64_t processor_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void make_bars(size_t n)
{
	uint64_t state = 42;
	double x = 100.0;

	for (size_t k = 0; k < 6; k++)
		columns[k] = calloc(n, sizeof(double));
	times_ns = calloc(n, sizeof(*times_ns));
	for (size_t i = 0; i < n; i++) {
		double before = x;

		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		x *= exp(((double)(state >> 40) / 16777216.0 - 0.5) * 0.01);
		columns[0][i] = before;
		columns[1][i] = fmax(x, before) * 1.001;
		columns[2][i] = fmin(x, before) * 0.999;
		columns[3][i] = x;
		columns[4][i] = (double)(state >> 50);
		columns[5][i] = 0.0002;
		times_ns[i] = (int64_t)(i + 1) * 60000000000;
	}
}

static struct ind_columns columns_at(size_t i)
{
	return (struct ind_columns){columns[0] + i, columns[1] + i, columns[2] + i,
				    columns[3] + i, columns[4] + i, columns[5] + i,
				    times_ns + i};
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *run)
{
	qsort(run, RUNS, sizeof(*run), by_value);
	return run[RUNS / 2];
}

static void *checked(void *p)
{
	if (p == NULL)
		exit(1);
	return p;
}

static struct ind *make(const char *text)
{
	struct ind_spec s;
	struct ind *ind;

	if (ind_parse(text, &s) < 0 || ind_new(&s, &ind) < 0) {
		(void)fprintf(stderr, "%s\n", err_text());
		exit(1);
	}
	return ind;
}

static const char *const usual[] = {"sma(20)", "rsi(14)", "bbands(20,2)"};
#define USUAL (sizeof(usual) / sizeof(usual[0]))

static void run_batch(size_t n)
{
	double *outs[3], time[USUAL][RUNS], all[RUNS];
	const struct ind_columns in = columns_at(0);

	for (size_t k = 0; k < 3; k++)
		outs[k] = checked(calloc(n, sizeof(double)));
	for (size_t r = 0; r < RUNS; r++) {
		all[r] = 0.0;
		for (size_t s = 0; s < USUAL; s++) {
			struct ind *ind = make(usual[s]);
			int64_t begin = processor_ns();

			ind_run(ind, &in, n, outs);
			time[s][r] = (double)(processor_ns() - begin) / (double)n;
			all[r] += time[s][r];
			ind_free(ind);
		}
	}
	for (size_t s = 0; s < USUAL; s++)
		printf("%-14s batch %8.2f ns/bar\n", usual[s], median(time[s]));
	printf("%-14s batch %8.2f ns/bar\n", "all three", median(all));
	for (size_t k = 0; k < 3; k++)
		free(outs[k]);
}

static void run_steps(size_t n)
{
	struct ind *ind[USUAL];
	double value[IND_OUTPUTS_MAX], sum = 0.0, time[RUNS];

	for (size_t r = 0; r < RUNS; r++) {
		int64_t begin;

		for (size_t s = 0; s < USUAL; s++)
			ind[s] = make(usual[s]);
		begin = processor_ns();
		for (size_t i = 0; i < n; i++) {
			const struct ind_bar bar = {.close = columns[3][i]};

			for (size_t s = 0; s < USUAL; s++)
				ind_step(ind[s], &bar, value);
			sum += i > 100 ? value[0] : 0.0;
		}
		time[r] = (double)(processor_ns() - begin) / (double)n;
		for (size_t s = 0; s < USUAL; s++)
			ind_free(ind[s]);
	}
	printf("%-14s step  %8.2f ns/bar  (%.6g)\n", "all three", median(time), sum);
}

/* The whole registry: one new bar of every symbol. */
static void run_registry(size_t symbols)
{
	size_t entries = ind_count();
	struct ind **ind = checked(calloc(entries * symbols, sizeof(struct ind *)));
	double value[IND_OUTPUTS_MAX], sum = 0.0, time[RUNS];

	for (size_t i = 0; i < entries * symbols; i++)
		ind[i] = make(ind_at(i % entries)->name);
	for (size_t r = 0; r < 120 + RUNS; r++) {
		int64_t begin = processor_ns();

		for (size_t s = 0; s < symbols; s++) {
			const struct ind_bar bar = {columns[0][r], columns[1][r],
						    columns[2][r], columns[3][r],
						    columns[4][r], columns[5][r],
						    times_ns[r]};

			for (size_t e = 0; e < entries; e++)
				ind_step(ind[s * entries + e], &bar, value);
			sum += isnan(value[0]) ? 0.0 : value[0];
		}
		if (r >= 120)
			time[r - 120] = (double)(processor_ns() - begin) / 1e6;
	}
	printf("whole registry (%zu) x %zu symbols x 1 new bar: %.2f ms  (%.6g)\n",
	       entries, symbols, median(time), sum);
	for (size_t i = 0; i < entries * symbols; i++)
		ind_free(ind[i]);
	free(ind);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	size_t symbols = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;

	make_bars(n < 1000 ? 1000 : n);
	run_batch(n);
	run_steps(n);
	run_registry(symbols);
	return 0;
}
