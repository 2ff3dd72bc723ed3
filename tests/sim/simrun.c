/* simrun - the phases of a simulation; see simrun.h. */
#include "bus/stats.h"
#include "bus/symtab.h"
#include "tests/kill/fault_vfs.h"
#include "tests/sim/simclock.h"
#include "tests/sim/simreplay.h"
#include "tests/sim/simrun_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAFETY_STEPS 20000u /* at most; it ends when the producers are done */
#define HEAL_STEPS   20000u

static bool producers_are_done(const struct world *w)
{
	for (uint32_t i = 0; i < w->n_producers; i++)
		if (!simproducer_is_done(w->producers[i]))
			return false;
	return true;
}

static bool subs_are_whole(const struct world *w)
{
	for (uint32_t i = 0; i < w->n_subs; i++)
		if (!simsub_is_whole(w->subs[i]))
			return false;
	return true;
}

static bool is_over(const struct world *w)
{
	return w->out->failure[0] != '\0';
}

static void safety(struct world *w)
{
	uint32_t most = w->safety && !w->o.power_only ? 1500 : SAFETY_STEPS;

	for (uint32_t i = 0; i < most && !is_over(w); i++) {
		simworld_step(w);
		if (w->o.power_only && w->out->power_cuts > 0)
			break;
		if (producers_are_done(w))
			break;
	}
}

/* Steps without faults until @done; that takes too long: the finding. */
static void until(struct world *w, bool (*done)(const struct world *w),
		  const char *what)
{
	for (uint32_t i = 0; i < HEAL_STEPS && !is_over(w); i++) {
		if (done(w))
			return;
		simworld_step(w);
	}
	if (!is_over(w))
		simworld_fail(w,
			      "liveness: %u steps after the last fault %s (ready %d, "
			      "dry %d, done %d)",
			      HEAL_STEPS, what, simnode_is_ready(w->node),
			      simnode_is_dry(w->node), producers_are_done(w));
}

static bool is_dry(const struct world *w)
{
	struct freeze f;

	return !simnode_frozen(w->node, &f) && producers_are_done(w) &&
	       simnode_is_ready(w->node) && simnode_is_dry(w->node);
}

/* Time moves on until every bar is final. */
static void let_time_pass(struct world *w)
{
	int64_t end_ns = clock_wall_ns() + 12 * NS_PER_S;

	if (w->config.live.clock != CONFIG_WALL)
		simproducer_clock(w->producers[0], end_ns);
	while (w->config.live.clock == CONFIG_WALL && clock_wall_ns() < end_ns &&
	       !is_over(w)) {
		simclock_advance(NS_PER_S / 20);
		simworld_step(w);
	}
}

/* The log as it stands at the end. */
static void read_log(struct world *w)
{
	struct tickstore *ts = simnode_log(w->node);
	const struct symtab *symbols = simnode_symbols(w->node);
	const struct symtab *sources = simnode_sources(w->node);
	uint64_t pos = 1;
	struct record rec;
	uint32_t n;

	role_assert_store();
	while (tickstore_read(ts, pos, 1, &rec, &pos, &n) == 0 && n == 1) {
		struct chronicle_record r = {
			.pos = pos, .producer = CHRONICLE_DAEMON, .rec = rec};
		uint32_t producer;

		if (tickstore_origin(ts, pos, &producer, &r.seq) == 0)
			r.producer = chronicle_producer(
				w->chronicle, tickstore_producer_name(ts, producer));
		chronicle_record(w->chronicle, &r);
		pos++;
	}
	for (uint32_t i = 0; i < symtab_count(symbols); i++)
		chronicle_symbol(w->chronicle, i, symtab_name(symbols, i));
	for (uint32_t i = 1; i < symtab_count(sources); i++)
		chronicle_source(w->chronicle, i, symtab_name(sources, i));
}

/* The process's counters since the run began; crashes would make them more. */
static void read_counters(struct world *w, const struct chronicle_counters *was)
{
	struct chronicle_counters *n = &w->chronicle->counters;

	w->chronicle->has_counters = w->out->crashes == 0;
	n->accepted = stats_get(STAT_TICKS_ACCEPTED) - was->accepted;
	for (unsigned r = 1; r < REJECT_N; r++)
		n->rejected[r] = stats_get((enum stat_id)(STAT_REJECT_NONE + r)) -
				 was->rejected[r];
}

static struct chronicle_counters counters_now(void)
{
	struct chronicle_counters n = {.accepted = stats_get(STAT_TICKS_ACCEPTED)};

	for (unsigned r = 1; r < REJECT_N; r++)
		n.rejected[r] = stats_get((enum stat_id)(STAT_REJECT_NONE + r));
	return n;
}

static void heal(struct world *w)
{
	w->safety = false;
	fault_vfs_disarm();
	w->full_until = 0;
	if (!is_over(w) && fault_disk_is_off())
		simworld_crash(w, LOSS_NONE);
	fault_disk_off_after(UINT64_MAX);
	until(w, is_dry, "producers are not done or events are not out");
	let_time_pass(w);
	w->time_is_still = true;
	until(w, is_dry, "the end of the log is not derived");
	/* A heartbeat later everybody knows what there is. */
	for (int i = 0; i < 300 && !is_over(w); i++)
		simworld_step(w);
	until(w, is_dry, "the end of the log is not stored");
}

static void finish(struct world *w)
{
	w->n_subs = SIM_SUBS;
	for (uint32_t i = 0; i < w->n_subs; i++)
		simsub_finish(w->subs[i]);
	until(w, subs_are_whole, "a subscriber still lacks events");
	if (is_over(w))
		return;
	for (uint32_t i = 0; i < w->n_subs; i++)
		w->chronicle->subscribers[simsub_id(w->subs[i])].is_complete = true;
	read_log(w);
	simworld_stop(w);
	simreplay(w->chronicle, &w->config.derive, 1 + w->n_workers % 4);
}

void simrun(const struct simrun_options *o, struct chronicle *c,
	    struct simrun_result *out)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct chronicle_counters was = counters_now();

	simworld_init(w, o, c, out);
	if (o->power_only && o->cut_after != UINT64_MAX)
		fault_disk_off_after(o->cut_after);
	simworld_start(w, LOSS_NONE);
	safety(w);
	heal(w);
	if (!is_over(w))
		finish(w);
	read_counters(w, &was);
	out->disk_ops = fault_disk_ops();
	simworld_free(w);
	free(w);
}
