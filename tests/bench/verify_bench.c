/*
 * verify_bench - what a tick costs to be verified: read from the log on the disk,
 * derived anew, every event compared with the stored one.
 *
 *	verify_bench [THOUSANDS [SYMBOLS [ROUNDS]]]
 *
 * The ticks are those of bars_bench and bars_pandas.py beside it: bars of 1m, 5m and 1h
 * of interleaved symbols; once without and once with feature vectors.  With one worker
 * the figure is the processor time of everything, so that a busy machine does not
 * disturb it much; with two there is the time on the clock too.
 * Printed as "verify <tab> variant <tab> measure <tab> value", one fact per line.
 */
#include "base/clock.h"
#include "daemon/derived.h"
#include "daemon/rerun.h"
#include "daemon/verify.h"
#include "tests/integration/tempdir.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS_MAX  99
#define SYMBOLS_MAX 4096u
#define COMMIT      4096u

struct world {
	char dir[TEMPDIR_MAX];
	struct symtab *symbols, *sources;
	struct tickstore *store;
	struct derived *derived;
	struct params params;
	uint64_t events;
};

static void must(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "verify_bench: %s\n", what);
	exit(1);
}

static int on_post(void *arg, enum event_kind kind, uint64_t first_pos,
		   uint64_t last_pos, uint32_t n_events, void *data, size_t len)
{
	struct world *w = arg;

	must(tickstore_derived_append(w->store, kind, first_pos, last_pos, n_events,
				      data, (uint32_t)len),
	     "derived row");
	free(data);
	return 0;
}

static int on_event(void *arg, enum event_kind kind, const void *event, size_t len)
{
	struct world *w = arg;

	w->events++;
	derived_add(w->derived, kind, event, len);
	if (derived_full(w->derived)) {
		const struct event_head *head = event;

		derived_flush(w->derived, head->pos - 1, head->pos - 1, head->pos - 1);
	}
	return 0;
}

static uint64_t draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* A million ticks cover ten minutes; a clock record every second. */
static void fill_log(struct world *w, uint64_t n, uint32_t n_symbols)
{
	int64_t ns = INT64_C(1700000000) / 3600 * 3600 * NS_PER_S,
		price = 100 * NS_PER_S;
	struct record r = {.bid_e9 = VALUE_NULL,
			   .ask_e9 = VALUE_NULL,
			   .bid_size_e8 = VALUE_NULL,
			   .ask_size_e8 = VALUE_NULL,
			   .size_e8 = 100000000};
	uint64_t state = 7400, first, last;

	for (uint64_t i = 0; i < n; i++) {
		bool is_clock = i % 1667 == 0;

		price += (int64_t)(draw(&state) % 2001 - 1000) * 1000;
		r.type = is_clock ? RECORD_CLOCK : RECORD_TICK;
		r.event_ns = r.recv_ns = ns + (int64_t)i * 600000;
		r.price_e9 = price;
		r.source_seq = i + 1;
		r.symbol_id = (uint32_t)(draw(&state) % n_symbols);
		r.source_id = is_clock ? 0 : 1;
		must(tickstore_append(w->store, STORE_NO_PRODUCER, 0, &r, 1, NULL),
		     "append");
		if ((i + 1) % COMMIT == 0 || i + 1 == n)
			must(tickstore_commit(w->store, clock_wall_ns(), &first, &last),
			     "commit");
	}
}

static void derive(struct world *w, uint64_t n)
{
	static const uint64_t skip[EVENT_KINDS];
	const struct rerun_env env = {.params = &w->params,
				      .symbols = w->symbols,
				      .sources = w->sources,
				      .symbols_max = SYMBOLS_MAX,
				      .n_workers = 1};
	struct rerun *r;
	uint64_t pos = 1;

	must(derived_new(1, skip, on_post, w, &w->derived), "derived");
	must(rerun_new(&env, on_event, w, &r), "rerun");
	while (pos <= n) {
		const struct record *recs;
		uint32_t k;

		must(tickstore_peek(w->store, pos, &pos, &recs, &k), "peek");
		must(rerun_feed(r, pos, recs, k), "feed");
		pos += k;
	}
	must(rerun_sync(r), "sync");
	rerun_free(r);
	derived_flush(w->derived, UINT64_MAX, UINT64_MAX, UINT64_MAX);
	derived_free(w->derived);
}

static void open_world(struct world *w, uint64_t n, uint32_t n_symbols, bool vectors)
{
	static const uint32_t frames[] = {60, 300, 3600};
	const struct store_params sp = {.dir = w->dir, .durability = DURABILITY_NORMAL};
	const struct store_names symbols = {w->symbols, symtab_add, symtab_name,
					    symtab_count, 0};
	const struct store_names sources = {w->sources, symtab_add, symtab_name,
					    symtab_count, 1};
	uint32_t id;
	int is_new;

	tempdir_new(w->dir);
	params_default(&w->params);
	for (uint32_t i = 0; i < 3; i++)
		w->params.defaults.timeframes_s[i] = frames[i];
	w->params.defaults.n_timeframes = 3;
	w->params.tier1.enabled = vectors;
	must(tickstore_open(&sp, &symbols, &sources, clock_wall_ns(), &w->store),
	     "open");
	must(symtab_add(w->sources, "bench", 5, &id, &is_new), "source");
	for (uint32_t i = 0; i < n_symbols; i++) {
		char name[16];
		int len = snprintf(name, sizeof(name), "S%04u", i);

		must(symtab_add(w->symbols, name, (size_t)len, &id, &is_new), "symbol");
	}
	fill_log(w, n, n_symbols);
	derive(w, n);
}

static int64_t used_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Processor time and time on the clock for a tick, ns. */
static void run(struct world *w, uint32_t n_workers, double *cpu_ns, double *wall_ns)
{
	struct verify_progress progress = {0};
	struct verify_env env = {.params = &w->params,
				 .symbols = w->symbols,
				 .sources = w->sources,
				 .symbols_max = SYMBOLS_MAX,
				 .n_workers = n_workers,
				 .access = {.store = w->store},
				 .to = UINT64_MAX,
				 .progress = &progress};
	struct verify_result r;
	int64_t cpu = used_ns(CLOCK_PROCESS_CPUTIME_ID), wall = clock_mono_ns();

	verify_run(&env, &r);
	cpu = used_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = clock_mono_ns() - wall;
	if (r.verdict != VERIFY_EQUAL || r.kinds[EVENT_BAR].equal == 0)
		must(1, r.problem);
	*cpu_ns = (double)cpu / (double)r.ticks;
	*wall_ns = (double)wall / (double)r.ticks;
	verify_result_free(&r);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static void measure(struct world *w, const char *variant, unsigned rounds)
{
	for (uint32_t n = 1; n <= 2; n++) {
		const char *s = n > 1 ? "s" : "";
		double cpu[ROUNDS_MAX], wall[ROUNDS_MAX];

		for (unsigned i = 0; i < rounds; i++)
			run(w, n, &cpu[i], &wall[i]);
		printf("verify\t%s, %u worker%s\tprocessor ns/tick\t%.4g\n", variant, n,
		       s, median(cpu, rounds));
		printf("verify\t%s, %u worker%s\tM ticks/s/core\t%.3g\n", variant, n, s,
		       1e3 / median(cpu, rounds));
		printf("verify\t%s, %u worker%s\tM ticks/s\t%.3g\n", variant, n, s,
		       1e3 / median(wall, rounds));
	}
	printf("verify\t%s\tevents compared\t%llu\n", variant,
	       (unsigned long long)w->events);
}

int main(int argc, char **argv)
{
	uint64_t n = (argc > 1 ? strtoull(argv[1], NULL, 10) : 2000) * 1000;
	uint32_t n_symbols = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000;
	unsigned rounds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 5;

	if (n == 0 || n_symbols == 0 || n_symbols > SYMBOLS_MAX || rounds == 0 ||
	    rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: verify_bench [THOUSANDS [SYMBOLS [ROUNDS]]]\n");
		return 100;
	}
	for (int vectors = 0; vectors < 2; vectors++) {
		struct world w = {0};

		must(symtab_new(SYMBOLS_MAX, 0, &w.symbols), "symbols");
		must(symtab_new(64, 1, &w.sources), "sources");
		open_world(&w, n, n_symbols, vectors);
		measure(&w, vectors ? "bars and vectors" : "bars", rounds);
		(void)tickstore_close(w.store);
		symtab_free(w.symbols);
		symtab_free(w.sources);
		params_deinit(&w.params);
		tempdir_remove(w.dir);
	}
	return 0;
}
