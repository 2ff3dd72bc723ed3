/*
 * kill_triggers - when the daemon uses the kill switch by itself (config `kill`).
 *
 * It looks at what is published and asks for freezes, as an operator would: what takes
 * effect is the record in the log, so nothing here need be, or is, reproducible.
 *Nothing is released by itself: a person looks first.
 *
 *	outliers    so many of a symbol's last 32 bars of one timeframe were flagged:
 *the symbol is quarantined divergence  the sources of a symbol disagree
 *(source_divergence): quarantined stale       a source that had brought ticks brought
 *none for so long: quarantined skew        of the last 64 ticks of a source the event
 *time of none was within so much of its receipt: the source is quarantined errors so
 *many of a thousand ticks offered in the last ten seconds, 200 at least, were refused:
 *everything is killed
 *
 * Loop thread.
 */
#pragma once
#include "base/role.h"
#include "bus/symtab.h"
#include "daemon/freezes.h"
#include "proto/event.h"

struct config_kill;

struct kill_triggers_env {
	const struct config_kill *limits; /* borrowed */
	const struct symtab *symbols;     /* borrowed */
	const struct symtab *sources;     /* borrowed */
	uint32_t symbols_max;
	/** Freeze it; false: not now, it is asked for again.  Frozen already: true. */
	bool (*freeze)(void *arg, struct freeze_entry *e);
	void *arg;
};

struct kill_triggers;

/** -ENOMEM.  *@out is NULL when nothing is switched on. */
int kill_triggers_new(const struct kill_triggers_env *env, struct kill_triggers **out);
void kill_triggers_free(struct kill_triggers *t);
/** An event that was made now (not again); matrices are not looked at. */
ON_LOOP void kill_triggers_event(struct kill_triggers *t, enum event_kind kind,
				 const void *event);
/** Now and then: @now_ns monotonic; ticks accepted and refused since the start. */
ON_LOOP void kill_triggers_step(struct kill_triggers *t, int64_t now_ns,
				uint64_t accepted, uint64_t refused);
