/*
 * tier1_bench - valid bars per second and core through tier1_bar(): every value, every
 * norm, every indicator.  Once with one series (all in cache) and once round robin
 * over many, as a worker meets them.
 *
 *   bench_tier1 [BARS [SERIES [TIMEFRAME_S]]]
 *
 * tier1_pandas.py beside it does the same bars with pandas.
 */
#include "base/clock.h"
#include "workers/tier1.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct tally {
	uint64_t n;
	uint64_t ready;
	double sum; /* so that nothing is optimised away, and runs can be compared */
};

static void on_tier1(void *arg, const struct event_tier1 *e)
{
	struct tally *t = arg;

	t->n++;
	t->ready += e->flags & TIER1_ML_READY;
	if (!isnan(e->norm[TIER1_VOL_24]))
		t->sum += e->norm[TIER1_VOL_24];
}

static void make_bars(struct event_bar *bars, size_t n, uint32_t timeframe_s)
{
	uint64_t state = 42;
	double close = 100.0, before;

	for (size_t i = 0; i < n; i++) {
		before = close;
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		close *= exp(((double)(state >> 40) / 16777216.0 - 0.5) * 0.01);
		bars[i] = (struct event_bar){.flags = BAR_VALID,
					     .timeframe_s = timeframe_s};
		bars[i].head.event_ns = (int64_t)(i + 1) * timeframe_s * 1000000000;
		bars[i].head.seq = i + 1;
		bars[i].close_e9 = llround(close * 1e9);
		bars[i].high_e9 = llround(fmax(close, before) * 1.001e9);
		bars[i].low_e9 = llround(fmin(close, before) * 0.999e9);
		bars[i].log_return_1 = i == 0 ? NAN : log(close / before);
		bars[i].spread_estimate = 0.0002;
	}
}

static double run(const struct params *p, const struct event_bar *bars, size_t n,
		  size_t n_series, uint32_t timeframe_s)
{
	struct tier1 **t = calloc(n_series, sizeof(*t));
	struct tally tally = {0};
	const struct out out = {.arg = &tally, .tier1 = on_tier1};
	uint64_t seq = 0;
	int64_t begin_ns;
	double rate;

	for (size_t i = 0; i < n_series; i++)
		if (tier1_new(p, (uint32_t)i, "BENCH", timeframe_s, PRICE_LAST, &t[i]) <
		    0)
			exit(70);
	begin_ns = clock_mono_ns();
	for (size_t b = 0; b < n; b++)
		for (size_t i = 0; i < n_series; i++)
			tier1_bar(t[i], &bars[b], &seq, &out);
	rate = (double)tally.n * 1e9 / (double)(clock_mono_ns() - begin_ns);
	printf("series=%zu bars=%zu norm=%s bars_per_s=%.0f ns_per_bar=%.0f ready=%llu "
	       "checksum=%.17g\n",
	       n_series, n * n_series,
	       p->tier1.norm == NORM_ROBUST ? "robust" : "zscore", rate, 1e9 / rate,
	       (unsigned long long)tally.ready, tally.sum);
	for (size_t i = 0; i < n_series; i++)
		tier1_free(t[i]);
	free(t);
	return rate;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	size_t n_series = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	uint32_t timeframe_s = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 60;
	struct event_bar *bars;
	struct params p;

	if (n == 0 || n_series == 0 || timeframe_s == 0)
		return 64;
	bars = calloc(n, sizeof(*bars));
	if (bars == NULL)
		return 70;
	params_default(&p);
	make_bars(bars, n, timeframe_s);
	run(&p, bars, n, 1, timeframe_s);
	run(&p, bars, n / n_series + 1, n_series, timeframe_s);
	p.tier1.norm = NORM_ROBUST;
	run(&p, bars, n / 20 + 1, 1, timeframe_s);
	params_deinit(&p);
	free(bars);
	return 0;
}
