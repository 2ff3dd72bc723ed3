/*
 * snapshot_bench - what a snapshot costs the worker that takes it.
 *
 *	bench_snapshot [SYMBOLS [SECONDS]]
 *
 * A shard of SYMBOLS (1,000) with bars of 1s, 1m and 1h, vectors and spreads is given
 * trades and quotes for SECONDS (1,500) of event time, until its histories are full.
 * Then it is saved, 64 lanes a helping as a worker does it, and loaded into a fresh
 *one.
 *
 *	begin      at the mark itself
 *	helping    median and longest of one helping: what a worker's items wait for
 *	saved      all of it together; loaded: likewise
 */
#include "base/clock.h"
#include "bus/symtab.h"
#include "workers/shard.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND   INT64_C(1000000000)
#define HELPING  64
#define HELPINGS 100000

static struct buf kept;

static void on_bar(void *arg, const struct event_bar *e)
{
	(void)arg;
	(void)e;
}

static void on_tier1(void *arg, const struct event_tier1 *e)
{
	(void)arg;
	(void)e;
}

static void on_status(void *arg, const struct event_status *e)
{
	(void)arg;
	(void)e;
}

static void on_cut(void *arg, const struct cut_item *c)
{
	(void)arg;
	(void)c;
}

static void on_mark(void *arg, uint64_t pos)
{
	(void)arg;
	(void)pos;
}

static int on_part(void *arg, uint64_t pos, struct buf *part, bool is_last)
{
	(void)arg;
	(void)pos;
	(void)is_last;
	buf_add(&kept, part->data, part->len);
	free(part->data);
	*part = (struct buf){0};
	return 0;
}

static struct shard *make(const struct params *p, const struct symtab *symbols,
			  const struct symtab *sources, uint32_t n)
{
	struct shard_env env = {.params = p,
				.symbols = symbols,
				.sources = sources,
				.n_shards = 1,
				.symbols_max = n};
	struct shard_sink sink = {.bar = on_bar,
				  .tier1 = on_tier1,
				  .status = on_status,
				  .cut = on_cut,
				  .mark = on_mark,
				  .snapshot = on_part};
	struct shard *s;

	if (shard_new(&env, &sink, &s) < 0)
		abort();
	return s;
}

static void fill(struct shard *s, uint32_t n, uint32_t seconds)
{
	uint64_t pos = 0, rng = 42;

	for (uint32_t t = 0; t < seconds; t++) {
		struct item clock = {
			.pos = ++pos,
			.rec = {.event_ns = t * SECOND, .type = RECORD_CLOCK}};

		shard_step(s, &clock, 1);
		for (uint32_t i = 0; i < n; i++) {
			struct item it = {.pos = ++pos};

			rng = rng * UINT64_C(6364136223846793005) +
			      1442695040888963407u;
			it.rec = (struct record){
				.event_ns = t * SECOND + (int64_t)(rng >> 40) * 50,
				.price_e9 = (int64_t)(100 + rng % 7) * SECOND,
				.size_e8 = SECOND / 10,
				.bid_e9 = (int64_t)(99 + rng % 7) * SECOND,
				.ask_e9 = (int64_t)(101 + rng % 7) * SECOND,
				.bid_size_e8 = VALUE_NULL,
				.ask_size_e8 = VALUE_NULL,
				.source_seq = pos,
				.symbol_id = i,
				.source_id = 1,
				.type = RECORD_TICK};
			shard_step(s, &it, 1);
		}
	}
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void save(struct shard *s)
{
	static int64_t took[HELPINGS];
	size_t n = 0;
	int64_t begin = clock_mono_ns(), now = begin, before;
	bool is_more = true;

	shard_save_begin(s, 1);
	printf("snapshot\tbegin_us\t%.1f\n", (double)(clock_mono_ns() - begin) / 1e3);
	while (is_more && n < HELPINGS) {
		before = clock_mono_ns();
		is_more = shard_save_step(s, HELPING);
		now = clock_mono_ns();
		took[n++] = now - before;
	}
	qsort(took, n, sizeof(took[0]), by_value);
	printf("snapshot\thelping_median_us\t%.1f\n", (double)took[n / 2] / 1e3);
	printf("snapshot\thelping_longest_us\t%.1f\n", (double)took[n - 1] / 1e3);
	printf("snapshot\tsaved_ms\t%.1f\n", (double)(now - begin) / 1e6);
	printf("snapshot\tbytes\t%zu\n", kept.len);
}

static void load(struct shard *s)
{
	const uint8_t *at = kept.data, *end = at + kept.len;
	struct shard_streams streams;
	struct section sec;
	int64_t begin = clock_mono_ns();

	while (section_next(&at, end, &sec) == 0)
		if (shard_load(s, &sec, &streams) != 0)
			abort();
	printf("snapshot\tloaded_ms\t%.1f\n", (double)(clock_mono_ns() - begin) / 1e6);
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000;
	uint32_t seconds = argc > 2 ? (uint32_t)atoi(argv[2]) : 1500;
	static const uint32_t frames[] = {1, 60, 3600};
	struct params p;
	struct symtab *symbols, *sources;
	struct shard *a, *b;
	uint32_t id;
	int is_new;

	params_default(&p);
	memcpy(p.defaults.timeframes_s, frames, sizeof(frames));
	p.defaults.n_timeframes = 3;
	p.defaults.price_types[0] = PRICE_LAST;
	p.defaults.n_price_types = 1;
	p.defaults.spread = true;
	if (symtab_new(n, 0, &symbols) < 0 || symtab_new(4, 1, &sources) < 0)
		return 1;
	(void)symtab_add(sources, "sim", 3, &id, &is_new);
	for (uint32_t i = 0; i < n; i++) {
		char name[16];
		int len = snprintf(name, sizeof(name), "S%05u", i);

		(void)symtab_add(symbols, name, (size_t)len, &id, &is_new);
	}
	a = make(&p, symbols, sources, n);
	b = make(&p, symbols, sources, n);
	fill(a, n, seconds);
	save(a);
	load(b);
	shard_free(a);
	shard_free(b);
	buf_free(&kept);
	symtab_free(symbols);
	symtab_free(sources);
	params_deinit(&p);
	return 0;
}
