/*
 * shard - everything derived of one worker's symbols, without its thread.
 *
 * Items go in, in log order; bars, tier-1 vectors, status events and cut items
 * come out, through the sink, before the call returns.  What comes out for a
 * symbol depends on the items alone: not on the other symbols of the shard, not
 * on how many shards there are, not on how the items were cut into calls.  (The
 * liveness of sources crosses symbols; it arrives in band as RECORD_SOURCE items,
 * which every shard gets.)
 *
 * One thread at a time; the worker that owns it, or a test.
 */
#pragma once
#include "base/buf.h"
#include "bus/symtab.h"
#include "proto/record.h"
#include "workers/bars_counts.h"
#include "workers/cut.h"
#include "workers/out.h"
#include "workers/params.h"
#include "workers/section.h"
#include <stdbool.h>
#include <stddef.h>

struct shard;

struct shard_sink {
	void *arg;
	void (*bar)(void *arg, const struct event_bar *e);
	void (*tier1)(void *arg, const struct event_tier1 *e);
	void (*status)(void *arg, const struct event_status *e);
	void (*cut)(void *arg, const struct cut_item *c);
	/** Everything at or below @pos has been derived. */
	void (*mark)(void *arg, uint64_t pos);
	/**
	 * Whole sections (workers/section.h) of the snapshot at @pos; @is_last: there
	 * are no more of this shard.  0: taken, @part is empty now; else it is offered
	 * again later.  NULL: nobody takes snapshots.
	 */
	int (*snapshot)(void *arg, uint64_t pos, struct buf *part, bool is_last);
};

/** What a shard counted since it was made; read by its own thread. */
struct shard_counts {
	uint64_t ticks;
	uint64_t bars[BAR_BLIND + 1]; /* first emissions, by enum bar_state */
	uint64_t outliers;            /* first emissions that are flagged */
	uint64_t revisions;
	uint64_t vectors, vectors_cold; /* cold: not TIER1_ML_READY yet */
	uint64_t faults;                /* symbols that were set aside */
	uint64_t paused_ticks;          /* ticks of paused symbols: logged, not used */
	uint64_t faulted_ticks;         /* ticks of symbols that failed */
	uint64_t lanes;                 /* symbols held */
	uint64_t saved;                 /* lanes written into snapshots */
};

struct shard_env {
	const struct params *params;  /* borrowed, immutable */
	const struct symtab *symbols; /* borrowed */
	const struct symtab *sources; /* borrowed */
	uint32_t index,
		n_shards; /* this shard has the ids with id % n_shards == index */
	uint32_t symbols_max;
};

/** 0 or -ENOMEM. */
int shard_new(const struct shard_env *env, const struct shard_sink *sink,
	      struct shard **out);
void shard_free(struct shard *s);
/** Apply @n items.  All of them: the budget is the caller's. */
void shard_step(struct shard *s, const struct item *items, size_t n);

/*
 * Snapshots.  An item with ITEM_SNAPSHOT begins one: a CUT_SNAPSHOT item goes to tier
 * 2, and every lane is saved as it stands there - before the next item that changes
 * it, or in its turn by shard_save_step().  So nobody waits for more than one lane,
 * and the bytes are those of the position, whenever they were written.
 */

/** Begin one without an item and without tier 2's part: for the last of a life. */
void shard_save_begin(struct shard *s, uint64_t pos);
/** Is there a snapshot that this shard has not handed over whole? */
bool shard_is_saving(const struct shard *s);
/** Save up to @lanes lanes and hand over; false: there is nothing (more) to do. */
bool shard_save_step(struct shard *s, uint32_t lanes);
/** Where a stream stands: its newest event. */
struct stream_mark {
	uint64_t seq, pos, chain;
};
/** What a symbol has published so far. */
struct shard_streams {
	uint32_t symbol_id;
	struct stream_mark bar, tier1, status;
};
/**
 * Load one section of kind SECTION_LANE (of this shard's symbols) or SECTION_SOURCES.
 * 0; -EBADMSG: the shard is to be thrown away; -ENOMEM.  @out_streams is of a lane.
 */
int shard_load(struct shard *s, const struct section *sec,
	       struct shard_streams *out_streams);
/** Only what a SECTION_LANE says of its streams.  0, -EBADMSG. */
int shard_peek(const struct section *sec, struct shard_streams *out);
/**
 * Let the streams of a symbol go on from @streams, whatever made its state: after a
 * change of the configuration, before the first item.  -ENOMEM.
 */
int shard_renumber(struct shard *s, const struct shard_streams *streams);
/** Position from which the symbol's outputs are held (proto/freeze.h); 0: they are not.
 */
uint64_t shard_frozen(const struct shard *s, uint32_t symbol_id);
const struct shard_counts *shard_counts(const struct shard *s);
/** Sum of what the symbols' normalisers counted; walks all symbols. */
void shard_tally(const struct shard *s, struct bars_counts *out);
