/*
 * source_life - when each source was alive, in log order: what tells a quiet
 * symbol from a blind one.
 *
 * A gap is a stretch longer than the time-out without any event of the source.
 * Its dark part begins one time-out after the last event before it:
 *
 *	last event          + timeout                     next event
 *	    |------ alive ------|--------- dark -------------|
 *
 * The last SOURCE_LIFE_GAPS gaps of each source are kept; older ones are past every
 * revision window.  An event that arrives late and falls into a gap splits it.  The
 * answer depends on the calls alone, so that every shard, which all see the same
 * RECORD_SOURCE items, says the same.
 */
#pragma once
#include "base/state.h"
#include <stdbool.h>
#include <stdint.h>

#define SOURCE_LIFE_GAPS 64

struct source_life;

/** 0 or -ENOMEM. */
int source_life_new(int64_t timeout_ns, struct source_life **out);
void source_life_free(struct source_life *t);
/** Source @source_id had an event at @ns. */
void source_life_saw(struct source_life *t, uint16_t source_id, int64_t ns);
/** All of [@start_ns, @end_ns) is dark; true for a source that was never seen. */
bool source_life_dark(const struct source_life *t, uint16_t source_id, int64_t start_ns,
		      int64_t end_ns);
/** When its present life began: the end of its newest gap; INT64_MIN: it has none. */
int64_t source_life_since(const struct source_life *t, uint16_t source_id);
/**
 * The kill switch holds the source, or does so no longer: whoever has another one to
 * choose takes that.  Not saved: who knows of it tells it again after a load.
 */
void source_life_hold(struct source_life *t, uint16_t source_id, bool is_held);
bool source_life_held(const struct source_life *t, uint16_t source_id);
/** Save or load what is known of every source. */
void source_life_state(struct state *st, struct source_life *t);
