/*
 * market - a simulated market with every fault and what is derived of it: three
 * timeframes, two price types, features, two universes.  For tests that compare two
 * ways to the same events.
 */
#pragma once
#include "feeds/sim.h"
#include "tests/integration/pipeline.h"
#include <stdlib.h>
#include <string.h>

#define MARKET_SYMBOLS 23

static inline void market_params(struct params *p)
{
	static const uint32_t frames[] = {1, 60, 300};

	params_default(p);
	memcpy(p->defaults.timeframes_s, frames, sizeof(frames));
	p->defaults.n_timeframes = 3;
	p->defaults.price_types[0] = PRICE_LAST;
	p->defaults.price_types[1] = PRICE_MID;
	p->defaults.n_price_types = 2;
	p->defaults.spread = true;
	(void)ind_parse("macd", &p->defaults.indicators[0].spec);
	(void)ind_parse("bbands(20,2)", &p->defaults.indicators[1].spec);
	(void)ind_parse("rsi(14)", &p->defaults.indicators[2].spec);
	p->defaults.indicators[2].timeframe_s = 60;
	p->defaults.n_indicators = 3;
	p->n_universes = 2;
	for (size_t u = 0; u < 2; u++) {
		p->universes[u] = (struct universe_params){
			.timeframe_s = u == 0 ? 60 : 1,
			.window = 30,
			.min_obs = 5,
			.method = u == 0 ? CORR_PEARSON : CORR_EWMA,
			.price_type = PRICE_LAST,
			.lambda = 0.94,
			.grace_ns = 2000000000,
			.all = true,
			.n_max = u == 0 ? 20 : 10};
		p->universes[u].name[0] = u == 0 ? 'a' : 'b';
	}
}

/** The first @n records of a day with every fault, the same each time. */
static inline void market_feed(struct pipeline *p, uint32_t n)
{
	struct sim_params sp;
	struct sim *sim;
	struct feed_tick f;

	sim_params_default(&sp);
	sp.seed = 42;
	sp.n_symbols = MARKET_SYMBOLS;
	sp.clock_ns = 1000000000;
	sp.trades_mhz = 900;
	sp.faults = (struct sim_faults){.late_ppm = 5000,
					.out_of_order_ppm = 20000,
					.duplicates_ppm = 2000,
					.cancels_ppm = 2000,
					.corrections_ppm = 2000,
					.halts_ppm = 50,
					.gaps_ppm = 20,
					.bad_prints_ppm = 500,
					.poison_ppm = 500,
					.odd_lots_ppm = 10000,
					.late_max_ns = 30000000000,
					.halt_ns = 5000000000,
					.gap_ns = 20000000000};
	if (sim_new(&sp, &sim) < 0)
		abort();
	for (uint32_t i = 0; i < n; i++) {
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
			t.ref_seq = f.rec.ref_seq;
			t.action = (uint8_t)record_action(&f.rec);
			t.flags = (uint8_t)record_flags(&f.rec);
			memcpy(t.symbol, f.symbol, SYMBOL_MAX);
		}
		pipeline_tick(p, &t);
	}
	sim_free(sim);
}
