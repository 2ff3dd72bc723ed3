/* simconfig - what a seed makes of the daemon's configuration and of the market. */
#include "tests/sim/simclock.h"
#include "tests/sim/simrun_parts.h"
#include <stdio.h>

static const char *const names[] = {"AAA", "BBB", "CCC", "DDD", "EEE", "FFF"};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* What is derived differs from seed to seed, so that every state is cut somewhere. */
static void derive_as(struct world *w, struct params *p)
{
	static const uint8_t methods[] = {CORR_PEARSON,     CORR_PEARSON,
					  CORR_PEARSON,     CORR_EWMA,
					  CORR_LEDOIT_WOLF, CORR_SPEARMAN};
	struct universe_params *u = &p->universes[0];
	struct simrng *r = &w->rng;

	p->bars.grace_ns = 200 * NS_PER_MS;
	p->bars.revision_window_ns = 3 * NS_PER_S;
	p->bars.source_timeout_ns = 2 * NS_PER_S;
	p->bars.missing_run_max = simrng_one_in(r, 5) ? 4 : 1000;
	p->tier1.norm_window = 10;
	p->tier1.ready_bars = 8;
	p->tier1.norm = simrng_one_in(r, 3) ? NORM_ROBUST : NORM_ZSCORE;
	p->defaults.timeframes_s[0] = 1;
	p->defaults.timeframes_s[1] = 5;
	p->defaults.n_timeframes = 2;
	p->defaults.price_types[0] = PRICE_LAST;
	p->defaults.price_types[1] = PRICE_MID;
	p->defaults.n_price_types = simrng_one_in(r, 3) ? 2 : 1;
	p->defaults.spread = simrng_one_in(r, 2);
	(void)ind_parse("rsi(4)", &p->defaults.indicators[0].spec);
	(void)ind_parse("bbands(5,2)", &p->defaults.indicators[1].spec);
	p->defaults.indicators[1].timeframe_s = 1;
	p->defaults.n_indicators = 2;
	p->defaults.detector = simrng_one_in(r, 3) ? DETECTOR_MAD : DETECTOR_JUMP;
	*u = (struct universe_params){.name = "all",
				      .timeframe_s = 1,
				      .window = 12,
				      .min_obs = 4,
				      .method = methods[simrng_below(r, 6)],
				      .price_type = PRICE_LAST,
				      .lambda = 0.94,
				      .grace_ns = 300 * NS_PER_MS,
				      .all = true,
				      .n_max = N_NAMES};
	p->n_universes = 1;
}

void simconfig_chronicle(const struct world *w, struct chronicle *c)
{
	const struct config *g = &w->config;

	c->config = (struct chronicle_config){
		.is_normal = g->store.durability == CONFIG_NORMAL,
		.sync_interval_ns = g->store.sync_interval_ns + SIM_STORE_MAX_NS +
				    100 * NS_PER_MS, /* housekeeping and a step */
		.timeframes_s = {1, 5},
		/*
		 * Where grids end, or where quotes begin a grid before the first
		 * trade, bars are not computed a second time.
		 */
		.n_timeframes = g->derive.bars.missing_run_max < 1000 ||
						g->derive.defaults.n_price_types > 1
					? 0
					: 2,
		.grace_ns = g->derive.bars.grace_ns,
		.revision_window_ns = g->derive.bars.revision_window_ns,
		.time_window_ns = 30 * NS_PER_S,
		.universe_timeframe_s = 1,
		.universe_window = 12,
		.universe_min_obs = 4,
	};
}

/* @ticks of them in 15 to 40 seconds; when every disk operation is cut, in 4. */
struct sim_params simconfig_feed(struct world *w, uint32_t i, uint32_t ticks)
{
	struct sim_params p;
	struct simrng *r = &w->rng;
	uint32_t seconds = w->o.power_only ? 4 : 15 + simrng_below(r, 25);

	sim_params_default(&p);
	p.seed = simrng_next(r);
	p.names = names;
	p.n_symbols = N_NAMES - simrng_below(r, 3);
	p.start_ns = SIMCLOCK_START;
	p.trades_mhz = 1000 * ticks / p.n_symbols / seconds + 1;
	p.quotes_mhz = simrng_below(r, p.trades_mhz / 2 + 1);
	p.sectors = 2;
	p.is_zipf = simrng_one_in(r, 3);
	p.clock_ns = w->config.live.clock == CONFIG_FEED && i == 0 ? NS_PER_S / 2 : 0;
	p.faults.poison_ppm = 1000 * simrng_below(r, 40);
	p.faults.late_ppm = 1000 * simrng_below(r, 60);
	p.faults.late_max_ns = simrng_below(r, 8) * NS_PER_S + NS_PER_S;
	p.faults.out_of_order_ppm = 1000 * simrng_below(r, 200);
	p.faults.duplicates_ppm = 1000 * simrng_below(r, 30);
	p.faults.odd_lots_ppm = 1000 * simrng_below(r, 100);
	p.faults.bad_prints_ppm = 1000 * simrng_below(r, 10);
	if (simrng_one_in(r, 3)) {
		p.faults.cancels_ppm = 1000 * simrng_below(r, 40);
		p.faults.corrections_ppm = 1000 * simrng_below(r, 40);
	}
	if (simrng_one_in(r, 3))
		p.faults.gaps_ppm = 2000;
	p.faults.gap_ns = 4 * NS_PER_S;
	if (simrng_one_in(r, 3))
		p.faults.halts_ppm = 3000;
	p.faults.halt_ns = 2 * NS_PER_S;
	return p;
}

static void configure_store(struct world *w)
{
	struct config_store *c = &w->config.store;
	struct simrng *r = &w->rng;

	(void)snprintf(c->dir, sizeof(c->dir), "%s", w->o.dir);
	c->durability = simrng_one_in(r, 3) ? CONFIG_NORMAL : CONFIG_FULL;
	if (w->o.power_only)
		c->durability = w->o.is_normal ? CONFIG_NORMAL : CONFIG_FULL;
	c->sync_interval_ns = (int64_t)(100 + simrng_below(r, 900)) * NS_PER_MS;
	c->segment_max = 16 + simrng_below(r, 100);
	c->wal_bytes_max = 200000 + simrng_below(r, 1500000);
	c->ballast_bytes = 4096;
	c->snapshot_every = simrng_one_in(r, 6) ? 0 : 15 + simrng_below(r, 150);
	c->retain_ns = 0;
	c->retain_bytes = 0;
}

static void configure_listen(struct config_listen *l)
{
	*l = (struct config_listen){.ingest = "ingest",
				    .catchup = "catchup",
				    .tick = "tick",
				    .bar = "bar",
				    .tier1 = "tier1",
				    .tier2 = "tier2",
				    .status = "status"};
}

void simconfig_world(struct world *w)
{
	struct config *c = &w->config;
	struct simrng *r = &w->rng;

	config_default(c);
	derive_as(w, &c->derive);
	configure_store(w);
	configure_listen(&c->listen);
	w->n_workers = c->workers.threads = 1 + simrng_below(r, 3);
	w->operator_is_busy = simrng_one_in(r, 3);
	c->derived.retain_bytes = 0;
	c->live.clock = simrng_one_in(r, 2) ? CONFIG_WALL : CONFIG_FEED;
	c->live.too_old_ns = 60 * NS_PER_S;
	c->live.future_ns = 30 * NS_PER_S;
	c->publisher.json = false;
	c->publisher.batch_ns = 0;
	c->simulator.enabled = false;
	c->limits.symbols_max = 64;
	c->limits.sources_max = 16;
	c->limits.producers_max = 16;
	c->limits.quarantine_max = 100;
	c->limits.ring_slots = 64u << simrng_below(r, 4);
	c->limits.inflight_max = 8u << simrng_below(r, 4);
	c->limits.outbox_bytes = 1u << 16;
	c->limits.broadcast_bytes = 1u << 16;
	c->limits.catchup_bytes_max = 4096u << simrng_below(r, 8);
}
