/* simworld - who lives in a simulation, and what a step is; see simrun.h. */
#include "base/err.h"
#include "bus/symtab.h"
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
#define STORE_MAX_NS SIM_STORE_MAX_NS
#define STARTS_MAX   60

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
			.feed = simconfig_feed(w, i, ticks / w->n_producers),
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
	simconfig_world(w);
	w->kill_rng.state = hash_mix(o->seed ^ UINT64_C(0x6b696c6c));
	w->operator_kills = !o->power_only && simrng_one_in(&w->kill_rng, 3);
	simconfig_chronicle(w, c);
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
		/* What the last life left unsynced goes with the power now. */
		if (model != LOSS_NONE && w->chronicle->n_lives > 0 &&
		    w->chronicle->lives[w->chronicle->n_lives - 1].end ==
			    CHRONICLE_KILLED)
			w->chronicle->lives[w->chronicle->n_lives - 1].end =
				CHRONICLE_POWER;
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
	if (simnode_close(w->node) < 0 && !fault_disk_is_off())
		simworld_fail(w, "the store does not close: %s", err_text());
	w->node = NULL;
	chronicle_ended(w->chronicle,
			fault_disk_is_off() ? CHRONICLE_POWER : CHRONICLE_STOPPED,
			clock_wall_ns());
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

/* An operator: a pause, its end, or a stop and start of a daemon that is idle. */
static void operate(struct world *w)
{
	struct simrng *r = &w->rng;
	uint32_t n = symtab_count(simnode_symbols(w->node));

	if (w->operator_is_busy && n > 0 && simnode_is_ready(w->node)) {
		enum control_verb verb =
			simrng_one_in(r, 2) ? CONTROL_PAUSE : CONTROL_RESUME;

		simnode_control(w->node, verb, simrng_below(r, n));
	} else if (simnode_is_dry(w->node) && !w->failing && w->full_until == 0) {
		enum power_loss model = simworld_any_loss(w);

		say(w, "an orderly stop", 0, 0);
		simworld_stop(w);
		fault_disk_off_after(0);
		simclock_advance(NS_PER_S / 10);
		simworld_start(w, model);
	}
}

/* Any level; what is there already is released, and in the end everything is. */
static void kill_or_release(struct world *w)
{
	struct simrng *r = &w->kill_rng;
	uint32_t symbols = symtab_count(simnode_symbols(w->node));
	uint32_t sources = symtab_count(simnode_sources(w->node));
	struct freeze f = {.level = (uint8_t)(FREEZE_SYMBOL + simrng_below(r, 4)),
			   .is_quarantine = simrng_one_in(r, 3)};
	bool is_on = w->safety && simrng_one_in(r, 2);

	if (f.level == FREEZE_TIER)
		f.tier = (uint8_t)(1 + simrng_below(r, 2));
	else if (f.level == FREEZE_SYMBOL && symbols > 0)
		f.id = simrng_below(r, symbols);
	else if (f.level == FREEZE_SOURCE && sources > 1)
		f.id = 1 + simrng_below(r, sources - 1);
	else if (f.level != FREEZE_ALL)
		return;
	if (f.level > FREEZE_SOURCE)
		f.is_quarantine = false;
	if (!is_on && !simnode_frozen(w->node, &f))
		return;
	if (simnode_order(w->node, &f, is_on))
		say(w, is_on ? "kill: level, id" : "release: level, id", f.level,
		    (long long)f.id);
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
	} else if (simrng_one_in(r, 300)) {
		operate(w);
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
	if (w->node != NULL && !fault_disk_is_off() && w->operator_kills &&
	    simrng_one_in(&w->kill_rng, w->safety ? 60 : 5))
		kill_or_release(w);
	if (w->node != NULL && !fault_disk_is_off())
		somebody(w);
	if (w->node == NULL)
		return;
	if (fault_disk_is_off())
		simworld_crash(w, simworld_any_loss(w));
	else
		faults(w);
}
