/*
 * tsf_bench - time per series and core of the feature sets, and what many series cost.
 *
 *   bench_tsf [VALUES [SERIES]]
 *
 * Prints the median over SERIES single extractions of VALUES values, and the time from
 * the first to the last with one and with two threads.  The checksum is of all finite
 * features: it may not depend on the threads.
 */
#include "analysis/tsf.h"
#include "base/clock.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct share {
	const double *x;
	size_t n, from, to, step;
	enum tsf_set set;
	double *sum;       /* per series */
	int64_t *spent_ns; /* per series */
};

static void make_walk(double *x, size_t n, uint64_t seed)
{
	double v = 100.0;

	for (size_t i = 0; i < n; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		v *= exp(((double)(seed >> 40) / 16777216.0 - 0.5) * 0.01);
		x[i] = round(v * 100.0) / 100.0;
	}
}

static void *run(void *arg)
{
	struct share *s = arg;
	double out[TSF_COMPREHENSIVE_COUNT];
	struct tsf_scratch *scratch;

	if (tsf_scratch_new(s->n, &scratch) < 0)
		exit(70);
	for (size_t i = s->from; i < s->to; i += s->step) {
		int64_t begin_ns = clock_mono_ns();

		if (tsf_extract(scratch, s->x + i * s->n, s->n, s->set, TSF_TSFRESH,
				out) < 0)
			exit(70);
		s->spent_ns[i] = clock_mono_ns() - begin_ns;
		s->sum[i] = 0.0;
		for (size_t k = 0; k < tsf_count(s->set); k++)
			s->sum[i] += isfinite(out[k]) ? out[k] : 0.0;
	}
	tsf_scratch_free(scratch);
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void measure(struct share all, size_t series, size_t threads, const char *name)
{
	pthread_t thread[8];
	struct share part[8];
	double sum = 0.0;
	int64_t begin_ns = clock_mono_ns(), took_ns;

	for (size_t t = 0; t < threads; t++) {
		part[t] = all;
		part[t].from = t;
		part[t].to = series;
		part[t].step = threads;
		if (pthread_create(&thread[t], NULL, run, &part[t]) != 0)
			exit(70);
	}
	for (size_t t = 0; t < threads; t++)
		(void)pthread_join(thread[t], NULL);
	took_ns = clock_mono_ns() - begin_ns;
	for (size_t i = 0; i < series; i++)
		sum += all.sum[i];
	qsort(all.spent_ns, series, sizeof(int64_t), by_time);
	printf("set=%s values=%zu series=%zu threads=%zu median_us=%.1f all_ms=%.1f "
	       "checksum=%.17g\n",
	       name, all.n, series, threads, (double)all.spent_ns[series / 2] / 1e3,
	       (double)took_ns / 1e6, sum);
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"minimal", "efficient", "comprehensive"};
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 500;
	size_t series = argc > 2 ? strtoul(argv[2], NULL, 10) : 500;
	double *x = calloc(n * series + 1, sizeof(*x));
	struct share all = {.x = x,
			    .n = n,
			    .sum = calloc(series + 1, sizeof(double)),
			    .spent_ns = calloc(series + 1, sizeof(int64_t))};

	if (x == NULL || all.sum == NULL || all.spent_ns == NULL || series == 0)
		return 70;
	for (size_t i = 0; i < series; i++)
		make_walk(x + i * n, n, i);
	for (int set = TSF_MINIMAL; set <= TSF_COMPREHENSIVE; set++) {
		all.set = (enum tsf_set)set;
		measure(all, series, 1, names[set]);
		measure(all, series, 2, names[set]);
	}
	free(x);
	free(all.sum);
	free(all.spent_ns);
	return 0;
}
