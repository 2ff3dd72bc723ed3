/* simworld - who lives in a simulation, and what a step is; see simrun.h. */
#include "base/err.h"
#include "tests/kill/fault_vfs.h"
#include "tests/sim/simclock.h"
#include "tests/sim/simrun_parts.h"
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_NS     (250 * NS_PER_MS)
#define BEAT_NS      NS_PER_S
#define TIME_NS      (200 * NS_PER_MS)
#define STORE_MAX_NS (80 * NS_PER_MS) /* the store has its turn by then */
#define STARTS_MAX   60

static const char *const names[] = {"AAA", "BBB", "CCC", "DDD", "EEE", "FFF"};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

void simworld_trace(struct world *w, uint64_t a, uint64_t b)
{
	const uint64_t both[] = {a, b};

	w->out->trace = hash_bytes(w->out->trace, both, sizeof(both));
}

void simworld_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->out->failure[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(w->out->failure, sizeof(w->out->failure), fmt, ap);
	va_end(ap);
}

static void say(const struct world *w, const char *what, long long a, long long b)
{
	if (w->o.say)
		fprintf(stderr, "step %llu, %.3f s: %s (%lld, %lld)\n",
			(unsigned long long)w->out->steps,
			(double)(clock_wall_ns() - SIMCLOCK_START) / 1e9, what, a, b);
}

/* ---- the world of a seed ---- */

static void on_frame(void *arg, enum event_kind kind, const void *data, size_t len)
{
	struct world *w = arg;

	w->out->trace = hash_bytes(w->out->trace, data, len);
	for (uint32_t i = 0; i < w->n_subs; i++)
		simsub_frame(w->subs[i], kind, data, len);
}

static void derive_as(struct params *p)
{
	struct universe_params *u = &p->universes[0];

	p->bars.grace_ns = 200 * NS_PER_MS;
	p->bars.revision_window_ns = 3 * NS_PER_S;
	p->bars.source_timeout_ns = 2 * NS_PER_S;
	p->tier1.norm_window = 10;
	p->tier1.ready_bars = 8;
	p->defaults.timeframes_s[0] = 1;
	p->defaults.timeframes_s[1] = 5;
	p->defaults.n_timeframes = 2;
	p->defaults.price_types[0] = PRICE_LAST;
	p->defaults.n_price_types = 1;
	*u = (struct universe_params){.name = "all",
				      .timeframe_s = 1,
				      .window = 12,
				      .min_obs = 4,
				      .method = CORR_PEARSON,
				      .price_type = PRICE_LAST,
				      .lambda = 0.94,
				      .grace_ns = 300 * NS_PER_MS,
				      .all = true,
				      .n_max = N_NAMES};
	p->n_universes = 1;
}

static void tell_chronicle(const struct world *w, struct chronicle *c)
{
	const struct config *g = &w->config;

	c->config = (struct chronicle_config){
		.is_normal = g->store.durability == CONFIG_NORMAL,
		.sync_interval_ns = g->store.sync_interval_ns + STORE_MAX_NS +
				    100 * NS_PER_MS, /* housekeeping and a step */
		.timeframes_s = {1, 5},
		.n_timeframes = 2,
		.grace_ns = g->derive.bars.grace_ns,
		.revision_window_ns = g->derive.bars.revision_window_ns,
		.time_window_ns = 30 * NS_PER_S,
		.universe_timeframe_s = 1,
		.universe_window = 12,
		.universe_min_obs = 4,
	};
}

/* @ticks of them in 15 to 40 seconds; when every disk operation is cut, in 4. */
static struct sim_params feed_of(struct world *w, uint32_t i, uint32_t ticks)
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

static void configure(struct world *w)
{
	struct config *c = &w->config;
	struct simrng *r = &w->rng;

	config_default(c);
	derive_as(&c->derive);
	configure_store(w);
	configure_listen(&c->listen);
	w->n_workers = c->workers.threads = 1 + simrng_below(r, 3);
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

static void make_peers(struct world *w)
{
	static const char *const who[] = {"p0", "p1", "p2"};
	static const char *const feeds[] = {"feed0", "feed1", "feed2"};
	static const char *const subs[] = {"s0", "s1", "log"};
	uint32_t ticks = w->o.ticks > 0 ? w->o.ticks : 200 + simrng_below(&w->rng, 500);

	w->n_producers = 1 + simrng_below(&w->rng, SIM_PRODUCERS);
	for (uint32_t i = 0; i < w->n_producers; i++) {
		const struct simproducer_env env = {
			.name = who[i],
			.source = feeds[i],
			.feed = feed_of(w, i, ticks / w->n_producers),
			.ticks = ticks / w->n_producers + 1,
			.tells_time = w->config.live.clock == CONFIG_FEED && i == 0,
			.no_time_poison = w->config.live.clock == CONFIG_FEED,
			.chronicle = w->chronicle,
			.rng = &w->rng,
			.trace = &w->out->trace};

		simproducer_new(&env, &w->producers[i]);
	}
	for (uint32_t i = 0; i < SIM_SUBS; i++) {
		const struct simsub_env env = {
			.name = subs[i],
			.drop_percent = w->o.no_faults ? 0 : simrng_below(&w->rng, 40),
			.chronicle = w->chronicle,
			.rng = &w->rng,
			.trace = &w->out->trace};

		simsub_new(&env, &w->subs[i]);
	}
	w->n_subs = SIM_SUBS - 1;
}

static void empty(const char *dir)
{
	DIR *d;
	struct dirent *e;

	(void)mkdir(dir, 0700);
	d = opendir(dir);
	while (d != NULL && (e = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
}

void simworld_init(struct world *w, const struct simrun_options *o, struct chronicle *c,
		   struct simrun_result *out)
{
	*w = (struct world){.o = *o, .chronicle = c, .out = out};
	*out = (struct simrun_result){.trace = HASH_SEED};
	w->rng.state = hash_mix(o->seed ^ UINT64_C(0x74696b627573));
	w->safety = !o->no_faults;
	fault_disk_forget();
	fault_vfs_disarm();
	fault_vfs_seed(o->seed);
	empty(o->dir);
	simclock_set(SIMCLOCK_START);
	configure(w);
	tell_chronicle(w, c);
	make_peers(w);
}

void simworld_free(struct world *w)
{
	fault_vfs_disarm();
	fault_disk_off_after(0);
	simnode_crash(w->node);
	for (uint32_t i = 0; i < w->n_producers; i++)
		simproducer_free(w->producers[i]);
	for (uint32_t i = 0; i < SIM_SUBS; i++)
		simsub_free(w->subs[i]);
	config_deinit(&w->config);
	fault_disk_forget();
}

/* ---- lives ---- */

enum power_loss simworld_any_loss(struct world *w)
{
	if (w->o.power_only)
		return w->o.cut_model;
	if (simrng_below(&w->rng, 5) < 2)
		return LOSS_NONE;
	return (enum power_loss)simrng_below(&w->rng, LOSS_MODELS);
}

static void started(struct world *w)
{
	struct store_status s;
	struct chronicle_life life = {.start_ns = clock_wall_ns()};

	simnode_status(w->node, &s);
	life.epoch = s.epoch;
	life.last_pos = s.last_pos;
	life.lost_first = s.lost_first;
	life.lost_last = s.lost_last;
	chronicle_started(w->chronicle, &life);
	w->failing = false;
	w->flush_ns = w->beat_ns = w->time_ns = w->store_ns = clock_wall_ns();
	w->out->restored += simnode_restored(w->node) > 0;
	say(w, "started: last position, epoch", (long long)s.last_pos,
	    (long long)s.epoch);
	say(w, "... from the snapshot at", (long long)simnode_restored(w->node), 0);
}

void simworld_start(struct world *w, enum power_loss model)
{
	for (int i = 0; i < STARTS_MAX; i++) {
		int rc;

		if (fault_disk_is_off())
			fault_disk_on(model, simrng_next(&w->rng));
		if (w->safety && !w->o.power_only && simrng_one_in(&w->rng, 3))
			fault_disk_off_after(1 + simrng_below(&w->rng, 200));
		simsocket_listen(on_frame, w);
		rc = simnode_open(&w->config, &w->node);
		simworld_trace(w, (uint64_t)(int64_t)rc, fault_disk_ops());
		if (rc == 0) {
			started(w);
			return;
		}
		w->node = NULL;
		if (!fault_disk_is_off()) {
			simworld_fail(w, "the store does not open: %s", err_text());
			return;
		}
		model = simworld_any_loss(w);
		w->out->power_cuts += model != LOSS_NONE;
		simclock_advance(NS_PER_S / 10);
	}
	simworld_fail(w, "%d starts in a row were cut short", STARTS_MAX);
}

void simworld_crash(struct world *w, enum power_loss model)
{
	say(w, "crash: loss model, disk operations", model,
	    (long long)fault_disk_ops());
	fault_vfs_disarm();
	w->full_until = 0;
	fault_disk_off_after(0);
	simnode_crash(w->node);
	w->node = NULL;
	chronicle_ended(w->chronicle,
			model == LOSS_NONE ? CHRONICLE_KILLED : CHRONICLE_POWER,
			clock_wall_ns());
	for (uint32_t i = 0; i < w->n_producers; i++)
		simproducer_lost(w->producers[i]);
	for (uint32_t i = 0; i < SIM_SUBS; i++)
		simsub_lost(w->subs[i]);
	w->out->crashes++;
	w->out->power_cuts += model != LOSS_NONE;
	simclock_advance(NS_PER_S / 10);
	simworld_start(w, model);
}

void simworld_stop(struct world *w)
{
	if (simnode_close(w->node) < 0)
		simworld_fail(w, "the store does not close: %s", err_text());
	w->node = NULL;
	chronicle_ended(w->chronicle, CHRONICLE_STOPPED, clock_wall_ns());
	for (uint32_t i = 0; i < w->n_producers; i++)
		simproducer_lost(w->producers[i]);
	for (uint32_t i = 0; i < SIM_SUBS; i++)
		simsub_lost(w->subs[i]);
}

/* ---- a step ---- */

static void store_turn(struct world *w)
{
	int rc = simnode_store(w->node);

	w->store_ns = clock_wall_ns() + STORE_MAX_NS;
	simworld_trace(w, 1, (uint64_t)(int64_t)rc);
	if (rc >= 0 || fault_disk_is_off())
		return;
	if (!w->failing) {
		simworld_fail(w, "the log failed without a fault: %s", err_text());
		return;
	}
	say(w, "the log failed", rc, 0);
	simworld_crash(w, LOSS_NONE);
}

static void timers(struct world *w)
{
	int64_t now = clock_wall_ns();

	if (now >= w->flush_ns) {
		simnode_flush(w->node);
		w->flush_ns = now + FLUSH_NS;
	}
	if (now >= w->beat_ns) {
		simnode_heartbeat(w->node);
		w->beat_ns = now + BEAT_NS;
	}
	if (now >= w->time_ns) {
		if (!w->time_is_still)
			simnode_tell_time(w->node);
		w->time_ns = now + TIME_NS;
	}
	if (now >= w->store_ns)
		store_turn(w);
}

static size_t budget(struct world *w)
{
	return simrng_one_in(&w->rng, 4) ? SIZE_MAX : 1 + simrng_below(&w->rng, 40);
}

static void somebody(struct world *w)
{
	uint32_t dice = simrng_below(&w->rng, 100), i;
	size_t n = 0;

	if (dice < 24) {
		store_turn(w);
		return;
	}
	if (dice < 50) {
		i = simrng_below(&w->rng, w->n_workers);
		n = simnode_worker(w->node, i, budget(w));
	} else if (dice < 60) {
		n = simnode_tier2(w->node, budget(w));
	} else if (dice < 74) {
		n = simnode_publish(w->node, budget(w));
	} else if (dice < 90) {
		i = simrng_below(&w->rng, w->n_producers);
		n = simproducer_step(w->producers[i]);
	} else {
		i = simrng_below(&w->rng, w->n_subs);
		n = simsub_step(w->subs[i]);
	}
	simworld_trace(w, dice, n);
}

static void faults(struct world *w)
{
	struct simrng *r = &w->rng;

	if (w->full_until != 0 && w->out->steps >= w->full_until) {
		fault_vfs_disarm();
		w->full_until = 0;
	}
	if (w->o.power_only || !w->safety)
		return;
	if (simrng_one_in(r, 500)) {
		simworld_crash(w, simworld_any_loss(w));
	} else if (simrng_one_in(r, 900)) {
		fault_disk_off_after(simrng_below(r, 60));
	} else if (simrng_one_in(r, 1500)) {
		fault_vfs_arm(FAULT_ANY, 1 + simrng_below(r, 30), FAULT_EIO, true);
		w->failing = true;
		w->out->faults++;
	} else if (w->full_until == 0 && simrng_one_in(r, 1500)) {
		fault_vfs_arm(FAULT_WRITE, 1 + simrng_below(r, 30), FAULT_ENOSPC, true);
		w->full_until = w->out->steps + 1 + simrng_below(r, 200);
		w->out->faults++;
	}
}

void simworld_step(struct world *w)
{
	w->out->steps++;
	simclock_advance(simrng_below(&w->rng, 12 * NS_PER_MS));
	timers(w);
	if (w->node != NULL && !fault_disk_is_off())
		somebody(w);
	if (w->node == NULL)
		return;
	if (fault_disk_is_off())
		simworld_crash(w, simworld_any_loss(w));
	else
		faults(w);
}
