/*
 * snapshot_market - a simulated market with every fault, as the items that a worker
 * gets.  For snapshot_test.c alone.
 */
#pragma once
#include "bus/symtab.h"
#include "feeds/sim.h"
#include "workers/params.h"
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SYMBOLS 12
#define ITEMS   30000
#define SECOND  INT64_C(1000000000)

struct world {
	struct params params;
	struct symtab *symbols, *sources;
	struct item *items;
	uint32_t n;
};

/* Of every kind of state, and one of a timeframe only. */
static inline void indicators_for_test(struct params *p)
{
	static const char *const specs[] = {
		"macd", "rsi(14)",   "bbands(20,2)",     "adx(5)",
		"vwap", "spread(3)", "tsfresh_volume(7)"};
	struct symbol_params *s = &p->defaults;

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		(void)ind_parse(specs[i], &s->indicators[i].spec);
	s->indicators[3].timeframe_s = 60;
	s->n_indicators = sizeof(specs) / sizeof(specs[0]);
}

static inline void params_for_test(struct params *p)
{
	static const uint32_t frames[] = {1, 60, 86400};

	params_default(p);
	memcpy(p->defaults.timeframes_s, frames, sizeof(frames));
	p->defaults.n_timeframes = 3;
	p->defaults.price_types[0] = PRICE_LAST;
	p->defaults.price_types[1] = PRICE_AUTO;
	p->defaults.n_price_types = 2;
	p->defaults.spread = true;
	indicators_for_test(p);
	p->bars.history_slots = 64;
	p->bars.missing_run_max = 4;
	p->tier1.ready_bars = 20;
	p->tier1.norm_window = 30;
	p->n_universes = 2;
	for (size_t u = 0; u < 2; u++) {
		p->universes[u] = (struct universe_params){
			.timeframe_s = u == 0 ? 60 : 1,
			.window = 30,
			.min_obs = 5,
			.method = u == 0 ? CORR_PEARSON : CORR_EWMA,
			.price_type = PRICE_LAST,
			.lambda = 0.94,
			.grace_ns = 2 * SECOND,
			.all = true,
			.n_max = u == 0 ? 20 : 7};
		p->universes[u].name[0] = u == 0 ? 'a' : 'b';
	}
}

static inline void world_tick(struct world *w, const struct feed_tick *f,
			      int64_t *seen_ns, uint64_t *pos)
{
	struct item it = {.pos = ++*pos, .rec = f->rec};
	int is_new;

	it.rec.recv_ns = it.rec.event_ns + 1000;
	if (f->rec.type == RECORD_TICK) {
		uint32_t id;

		assert_int_equal(symtab_add(w->symbols, f->symbol,
					    strnlen(f->symbol, SYMBOL_MAX), &id,
					    &is_new),
				 0);
		it.rec.symbol_id = id;
		it.rec.source_id = 1;
		if (it.rec.event_ns / SECOND > *seen_ns) {
			struct item alive = {.pos = it.pos,
					     .rec = {.event_ns = it.rec.event_ns,
						     .source_id = 1,
						     .type = RECORD_SOURCE}};

			*seen_ns = it.rec.event_ns / SECOND;
			w->items[w->n++] = alive;
		}
	}
	w->items[w->n++] = it;
}

static inline void world_init(struct world *w, uint64_t seed)
{
	struct sim_params sp;
	struct sim *sim;
	struct feed_tick f;
	int64_t seen_ns = INT64_MIN;
	uint64_t pos = 0;
	uint32_t id;
	int is_new;

	*w = (struct world){.items = calloc(ITEMS + 2, sizeof(*w->items))};
	assert_non_null(w->items);
	params_for_test(&w->params);
	assert_int_equal(symtab_new(SYMBOLS, 0, &w->symbols), 0);
	assert_int_equal(symtab_new(16, 1, &w->sources), 0);
	assert_int_equal(symtab_add(w->sources, "sim", 3, &id, &is_new), 0);
	sim_params_default(&sp);
	sp.seed = seed;
	sp.n_symbols = SYMBOLS;
	sp.clock_ns = SECOND;
	sp.trades_mhz = 900;
	sp.faults = (struct sim_faults){.late_ppm = 40000,
					.out_of_order_ppm = 300000,
					.duplicates_ppm = 2000,
					.cancels_ppm = 30000,
					.corrections_ppm = 60000,
					.halts_ppm = 100,
					.gaps_ppm = 400,
					.bad_prints_ppm = 500,
					.odd_lots_ppm = 10000,
					.late_max_ns = 30 * SECOND,
					.halt_ns = 5 * SECOND,
					.gap_ns = 20 * SECOND};
	assert_int_equal(sim_new(&sp, &sim), 0);
	while (w->n < ITEMS) {
		sim_next(sim, &f);
		world_tick(w, &f, &seen_ns, &pos);
	}
	sim_free(sim);
}

static inline void world_deinit(struct world *w)
{
	symtab_free(w->symbols);
	symtab_free(w->sources);
	params_deinit(&w->params);
	free(w->items);
}

/* Index of the item behind @from that lies deep in a silence of the whole source. */
static inline uint32_t world_silence(const struct world *w, uint32_t from)
{
	uint32_t run = 0;

	for (uint32_t i = from; i < w->n; i++) {
		run = w->items[i].rec.type == RECORD_CLOCK ? run + 1 : 0;
		if (run == 3)
			return i + 1;
	}
	return from;
}
