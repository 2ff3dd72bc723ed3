/* simrun_parts - what simrun.c (phases) and simworld.c (the world of a seed) share. */
#pragma once
#include "tests/sim/simnode.h"
#include "tests/sim/simproducer.h"
#include "tests/sim/simrng.h"
#include "tests/sim/simrun.h"
#include "tests/sim/simsub.h"

#define SIM_PRODUCERS    3u
#define SIM_STORE_MAX_NS (80 * NS_PER_MS) /* the store has its turn by then */
#define SIM_SUBS         3u /* the last one comes at the end and reads everything */

struct world {
	struct simrun_options o;
	struct simrun_result *out;
	struct chronicle *chronicle;
	struct simrng rng;
	struct config config;
	struct simnode *node;
	struct simproducer *producers[SIM_PRODUCERS];
	struct simsub *subs[SIM_SUBS];
	uint32_t n_producers, n_subs, n_workers;
	bool safety;                                  /* faults may happen */
	int64_t flush_ns, beat_ns, time_ns, store_ns; /* when timers are due */
	uint64_t full_until;   /* step at which the disk has room */
	bool failing;          /* a fault is armed, or was in this life */
	bool operator_is_busy; /* pauses symbols */
	bool operator_kills; /* ... and uses the kill switch, by chances of its own: */
	struct simrng kill_rng; /* older seeds mean what they meant */
	bool time_is_still;     /* no more clock records */
};

/** The daemon's configuration, all of it by the seed. */
void simconfig_world(struct world *w);
/** The market of producer @i: @ticks of them. */
struct sim_params simconfig_feed(struct world *w, uint32_t i, uint32_t ticks);
void simconfig_chronicle(const struct world *w, struct chronicle *c);
/** Everything by the seed; the node is not open yet. */
void simworld_init(struct world *w, const struct simrun_options *o, struct chronicle *c,
		   struct simrun_result *out);
void simworld_free(struct world *w);
/** Open the node, through as many crashes during recovery as come. */
void simworld_start(struct world *w, enum power_loss model);
/** The node is gone: killed, or with the power as @model says; a new one starts. */
void simworld_crash(struct world *w, enum power_loss model);
/** An orderly stop; the node must be dry. */
void simworld_stop(struct world *w);
enum power_loss simworld_any_loss(struct world *w);
/** One step of somebody. */
void simworld_step(struct world *w);
void simworld_trace(struct world *w, uint64_t a, uint64_t b);
void simworld_fail(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
