/*
 * shard_parts - what shard.c (items) and shard_state.c (snapshots) know in common;
 * nobody else includes it.
 */
#pragma once
#include "base/buf.h"
#include "base/state.h"
#include "proto/event.h"
#include "proto/freeze.h"
#include "workers/bars.h"
#include "workers/ind_live.h"
#include "workers/shard.h"
#include "workers/source_life.h"
#include "workers/tier1.h"

/* A series' tier-1 state, found by (timeframe, price type); there are few. */
struct tier1_slot {
	struct tier1 *state;         /* owned */
	struct ind_live *indicators; /* owned; NULL: none are configured for it */
	uint32_t timeframe_s;
	uint8_t price_type;
};

struct lane {
	struct shard *shard;
	struct bars *bars;        /* owned; NULL: nothing seen yet, or faulted */
	struct tier1_slot *tier1; /* owned */
	uint32_t n_tier1;
	uint32_t symbol_id;
	uint64_t tier1_seq;
	uint64_t status_seq;
	uint64_t bar_chain, tier1_chain, status_chain; /* of the newest of each */
	uint64_t bar_pos, tier1_pos, status_pos;       /* log positions of the same */
	uint64_t saved; /* newest snapshot that this lane needs no saving for */
	bool paused;
	bool faulted;
	uint8_t frozen;       /* what was told: SYMBOL_LIVE, KILLED or QUARANTINED */
	uint16_t source_id;   /* of the bar made last; 0: none yet */
	uint64_t frozen_pos;  /* where it was told; 0: not frozen */
	struct freeze freeze; /* of the symbol itself; level 0: none */
};

/* A snapshot being taken: lanes are saved before they change, the rest in turn. */
struct saving {
	bool on;
	uint64_t pos;
	uint64_t number; /* +1 per snapshot */
	uint32_t next;   /* lane to look at */
	bool is_whole;   /* nothing is left to save */
	struct buf part; /* owned; saved and not handed over yet */
};

struct shard {
	struct shard_env env;
	struct shard_sink sink;
	struct lane *lanes; /* owned; index = symbol_id / n_shards */
	int64_t *due;       /* owned; log time at which the lane's next bar closes */
	uint32_t n_lanes;   /* lanes below this may be in use */
	uint32_t lanes_max;
	struct source_life *life; /* owned */
	int64_t clock_ns;         /* time of the newest clock record; INT64_MIN: none */
	struct shard_counts counts;
	const struct item *now;                           /* the item being applied */
	struct freeze frozen_sources[FREEZE_SOURCES_MAX]; /* every shard knows all */
	uint32_t n_frozen_sources;
	struct saving saving;
};

/** The tier-1 state of a series, made if need be; NULL: out of memory. */
struct tier1_slot *shard_tier1(struct lane *l, uint32_t timeframe_s,
			       uint8_t price_type);
/** The lane of a symbol of this shard, made at first sight and told to tier 2. */
struct lane *shard_lane(struct shard *s, uint32_t symbol_id);
/** A status event of the symbol, at the item being applied. */
void shard_emit_status(struct lane *l, enum symbol_state state, const char *text);
/** Tell tier 2 how the symbol stands. */
void shard_cut_symbol(const struct lane *l, enum symbol_state state);
/** A lane for @symbol_id that has seen nothing; l->bars is NULL without memory. */
struct lane *shard_lane_make(struct shard *s, uint32_t symbol_id);
/** Give back what a lane holds. */
void shard_lane_clear(struct lane *l);
/** When the lane's next bar closes. */
void shard_refresh_due(struct shard *s, const struct lane *l);
/** A snapshot is being taken and the lane is about to change: save it first. */
void shard_lane_save(struct shard *s, struct lane *l);
/** ITEM_SNAPSHOT: from here on lanes are saved as they are at @pos. */
void shard_snapshot_begin(struct shard *s, uint64_t pos);

/* ---- shard_freeze.c ---- */

/** A record says that @f begins (@is_on) or ends. */
void shard_freeze(struct shard *s, const struct freeze *f, bool is_on);
/** Say so if the lane is frozen now and was not, or the other way round. */
void shard_lane_judge(struct lane *l);
void shard_freeze_state(struct state *st, struct shard *s);
void shard_lane_freeze_state(struct state *st, struct lane *l);

static inline void shard_touch(struct shard *s, struct lane *l)
{
	if (__builtin_expect(s->saving.on && l->saved != s->saving.number, 0))
		shard_lane_save(s, l);
}
