/*
 * simproducer - a producer as libtickbus would be one, that sends simulated ticks: one
 * request at a time, sequences from 1 without holes; what has no answer is sent again,
 * what has one sometimes too.
 *
 * After each connection that broke it asks for the epoch before it sends anything new:
 * a higher one says that acknowledged ticks may be gone, and it begins again from its
 * first tick, which is safe.
 */
#pragma once
#include "feeds/sim.h"
#include "tests/check/chronicle.h"
#include "tests/sim/simrng.h"

struct simproducer;

struct simproducer_env {
	const char *name;
	const char *source;
	struct sim_params feed;
	uint32_t ticks; /* how many it has to send */
	/* Nobody else says what time it is: begin with a clock record, and send no
	 * time from another decade, which is believed until somebody has. */
	bool tells_time, no_time_poison;
	struct chronicle *chronicle;
	struct simrng *rng; /* of the run */
	uint64_t *trace;    /* hash over everything it hears */
};

void simproducer_new(const struct simproducer_env *env, struct simproducer **out);
void simproducer_free(struct simproducer *p);
/** Send something if there is something to send that has arrived by now. */
bool simproducer_step(struct simproducer *p);
/** The connection broke: what was under way has no answer. */
void simproducer_lost(struct simproducer *p);
/** Every tick has its outcome. */
bool simproducer_is_done(const struct simproducer *p);
/** One more tick to send: a clock record at @ns. */
void simproducer_clock(struct simproducer *p, int64_t ns);
uint64_t simproducer_acked(const struct simproducer *p);
