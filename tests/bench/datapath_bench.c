/*
 * datapath_bench - what a record costs from the log through the bus to its bars.
 *
 *	datapath_bench [THOUSANDS [SYMBOLS [ROUNDS]]]
 *
 * A simulated day goes into a log once; then the log is read again ROUNDS times by
 * the daemon's own data path (tests/integration/pipeline), stepped on one thread: so
 * a figure is the processor time of store thread, two workers and loop together,
 * and a busy machine does not disturb it much.  Barsof one
 * minute, no features: little is computed, and the transport shows.
 * Printed as "datapath <tab> variant <tab> measure <tab> value", one fact per line.
 */

#include "feeds/sim.h"
#include "tests/integration/pipeline.h"
#include "tests/integration/tempdir.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORKERS    2
#define ROUNDS_MAX 99

static void count_event(void *arg, enum event_kind kind, const void *event, size_t len)
{
	uint64_t *counts = arg;

	(void)event;
	(void)len;
	counts[kind]++;
}

static void feed(struct pipeline *p, uint32_t n_symbols, uint64_t n)
{
	struct sim_params sp;
	struct sim *sim;
	struct feed_tick f;

	sim_params_default(&sp);
	sp.seed = 7;
	sp.n_symbols = n_symbols;
	if (sim_new(&sp, &sim) < 0)
		exit(1);
	for (uint64_t i = 0; i < n; i++) {
		struct ingest_tick t;

		sim_next(sim, &f);
		ingest_tick_init(&t);
		t.event_ns = f.rec.event_ns;
		t.type = f.rec.type;
		if (t.type == RECORD_TICK) {
			t.price_e9 = f.rec.price_e9;
			t.size_e8 = f.rec.size_e8;
			t.bid_e9 = f.rec.bid_e9;
			t.ask_e9 = f.rec.ask_e9;
			t.source_seq = f.rec.source_seq;
			memcpy(t.symbol, f.symbol, SYMBOL_MAX);
		}
		pipeline_tick(p, &t);
	}
	sim_free(sim);
}

static int64_t used_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/** Reads the log through once; returns ns. */
static int64_t run(const struct params *params, const char *dir, uint32_t n_symbols,
		   uint64_t feed_n, uint64_t counts[EVENT_KINDS])
{
	struct pipeline_env env = {.params = params,
				   .n_workers = WORKERS,
				   .ring_slots = 16384,
				   .history = 128,
				   .inflight = 4096,
				   .turn = 64,
				   .dir = dir,
				   .too_old_ns = INT64_C(86400000000000),
				   .future_ns = INT64_C(86400000000000),
				   .sink = count_event,
				   .arg = counts};
	struct pipeline *p = pipeline_new(&env);
	int64_t begin;

	if (feed_n > 0) {
		feed(p, n_symbols, feed_n);
		pipeline_flush(p);
	}
	memset(counts, 0, EVENT_KINDS * sizeof(*counts));
	begin = used_ns();
	pipeline_run(p);
	begin = used_ns() - begin;
	pipeline_free(p);
	return begin;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	uint64_t n = (argc > 1 ? strtoull(argv[1], NULL, 10) : 400) * 1000;
	uint32_t n_symbols = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000;
	unsigned rounds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 7;
	double ns[ROUNDS_MAX];
	uint64_t counts[EVENT_KINDS];
	struct params params;
	char dir[TEMPDIR_MAX];

	if (n == 0 || n_symbols == 0 || n_symbols > 4000 || rounds == 0 ||
	    rounds > ROUNDS_MAX) {
		fprintf(stderr,
			"usage: datapath_bench [THOUSANDS [SYMBOLS [ROUNDS]]]\n");
		return 100;
	}
	params_default(&params);
	params.defaults.timeframes_s[0] = 60;
	params.defaults.n_timeframes = 1;
	params.tier1.enabled = false;
	tempdir_new(dir);
	(void)run(&params, dir, n_symbols, n, counts);
	for (unsigned i = 0; i < rounds; i++)
		ns[i] = (double)run(&params, dir, n_symbols, 0, counts) /
			(double)counts[EVENT_TICK];
	qsort(ns, rounds, sizeof(*ns), by_value);
	printf("datapath\t%u symbols\tticks\t%llu\n", n_symbols,
	       (unsigned long long)counts[EVENT_TICK]);
	printf("datapath\t%u symbols\tbars\t%llu\n", n_symbols,
	       (unsigned long long)counts[EVENT_BAR]);
	printf("datapath\t%u symbols\tns/tick\t%.4g\n", n_symbols, ns[rounds / 2]);
	printf("datapath\t%u symbols\tns/tick min\t%.4g\n", n_symbols, ns[0]);
	tempdir_remove(dir);
	params_deinit(&params);
	return 0;
}
