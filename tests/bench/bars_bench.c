/*
 * bars_bench - ticks per second and core through the normaliser: 1,000 symbols
 * interleaved, three timeframes (1m, 5m, 1h), validation on, prices checked at the end.
 *
 *   bench_bars [TICKS [SYMBOLS [LATE_PERCENT]]]
 *
 * bars_pandas.py beside it does the same ticks with pandas.  The first number is of
 * trades, the second of quotes with the quoted spread.  Ticks lie in memory as a worker
 * meets them: 128-byte items in log order.
 */
#include "base/clock.h"
#include "bus/symtab.h"
#include "workers/bars.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define RUNS 5

struct tally {
	uint64_t bars;
	uint64_t valid;
	uint64_t ticks_in_final;
	int64_t close_sum; /* runs can be compared */
};

static void on_bar(void *arg, const struct event_bar *e)
{
	struct tally *t = arg;

	t->bars++;
	if (!(e->flags & BAR_FINAL) || e->timeframe_s != 60)
		return;
	t->valid += (e->flags & BAR_VALID) != 0;
	t->ticks_in_final += e->trade_count;
	t->close_sum += e->close_e9 / 1000;
}

static uint64_t draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* A million ticks cover ten minutes: late ones come up to 5 s after the others. */
static void make(struct item *it, size_t n, uint32_t n_symbols, unsigned late,
		 bool quotes)
{
	int64_t begin_ns = INT64_C(1700000000) / 3600 * 3600 * NS_PER_S;
	uint64_t state = 7400;
	int64_t price = 100 * NS_PER_S;

	for (size_t i = 0; i < n; i++) {
		struct record *r = &it[i].rec;

		price += (int64_t)(draw(&state) % 2001 - 1000) * 1000;
		it[i] = (struct item){.pos = i + 1};
		r->event_ns = begin_ns + (int64_t)i * 600000;
		if (draw(&state) % 100 < late)
			r->event_ns -= (int64_t)(draw(&state) % 5000) * NS_PER_MS;
		if (r->event_ns < begin_ns)
			r->event_ns = begin_ns;
		r->recv_ns = r->event_ns;
		r->price_e9 = quotes ? VALUE_NULL : price;
		r->size_e8 = quotes ? VALUE_NULL : 100000000;
		r->bid_e9 = quotes ? price - 5000000 : VALUE_NULL;
		r->ask_e9 = quotes ? price + 5000000 : VALUE_NULL;
		r->source_seq = i + 1;
		r->symbol_id = (uint32_t)(draw(&state) % n_symbols);
		r->source_id = 1;
		r->type = RECORD_TICK;
	}
}

static double run(const struct item *it, size_t n, uint32_t n_symbols, bool spread,
		  const struct symtab *sources, const struct source_life *life)
{
	struct bars **b = calloc(n_symbols, sizeof(*b));
	struct tally t = {0};
	const struct out out = {.arg = &t, .bar = on_bar};
	struct params p;
	int64_t begin_ns, ns;

	params_default(&p);
	p.defaults.n_timeframes = 3;
	p.defaults.timeframes_s[1] = 300;
	p.defaults.timeframes_s[2] = 3600;
	p.defaults.spread = spread;
	for (uint32_t i = 0; i < n_symbols; i++)
		if (bars_new(&p, &p.defaults, i, "X", sources, life, &b[i]) < 0)
			exit(1);
	begin_ns = clock_mono_ns();
	for (size_t i = 0; i < n; i++)
		bars_tick(b[it[i].rec.symbol_id], &it[i], &out);
	ns = clock_mono_ns() - begin_ns;
	for (uint32_t i = 0; i < n_symbols; i++)
		bars_clock(b[i], n + 1, it[n - 1].rec.event_ns + 7200 * NS_PER_S, 0,
			   &out);
	printf("  %.1f ns/tick, %.2f M ticks/s; %" PRIu64 " bars, %" PRIu64
	       " valid minutes of %" PRIu64 " ticks, closes %" PRId64 "\n",
	       (double)ns / (double)n, (double)n * 1e3 / (double)ns, t.bars, t.valid,
	       t.ticks_in_final, t.close_sum);
	for (uint32_t i = 0; i < n_symbols; i++)
		bars_free(b[i]);
	free(b);
	return (double)ns / (double)n;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 4000000;
	uint32_t n_symbols = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000;
	unsigned late = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	struct item *it = calloc(n, sizeof(*it));
	struct symtab *sources;
	struct source_life *life;
	double ns[RUNS];

	if (it == NULL || symtab_new(4, 1, &sources) < 0 ||
	    source_life_new(NS_PER_S, &life) < 0)
		return 1;
	for (int quotes = 0; quotes < 2; quotes++) {
		printf("%s, %zu ticks, %u symbols, %u %% late\n",
		       quotes ? "quotes with spread" : "trades", n, n_symbols, late);
		make(it, n, n_symbols, late, quotes);
		for (int i = 0; i < RUNS; i++)
			ns[i] = run(it, n, n_symbols, quotes, sources, life);
		qsort(ns, RUNS, sizeof(*ns), ascending);
		printf("bars\t%s\tM ticks/s\t%.3f\n", quotes ? "quotes" : "trades",
		       1e3 / ns[RUNS / 2]);
	}
	source_life_free(life);
	symtab_free(sources);
	free(it);
	return 0;
}
