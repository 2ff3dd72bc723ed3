/*
 * tier2 - correlation matrices as versions of a consistent cut (semantics A.4).
 *
 * Cut items go in, per worker in log order; matrices come out, through the sink,
 * before the call returns.  Items are applied in the order of the log, whatever the
 * number of workers and however their items were interleaved: one position at a time,
 * and only when every worker has promised to send nothing more at or below it.
 * Decisions are made once per position, so a matrix is a function of the log.
 *
 * Which matrix is published, for a universe and its timeframe:
 *
 *  - The grid is the union of the bar_ends of its members' bars.  The window of T is
 *    the last `window` grid times up to T; a return that is NULL or never came is a
 *    hole.  T and T - 1 are never mixed: T's matrix holds only symbols that have bar T.
 *  - A member is live for T when it is neither paused nor faulted, its grid has
 *    begun (its first bar since it was seen or resumed ends at or before T) and not
 *    ended (more than missing_run_max missing bars in a row), and a bar ending at T
 *    belongs to its session.
 *  - T is published when every live member has its bar T (status final), or when the
 *    universe's log time has passed T + bars.grace + grace (status provisional, if a
 *    live member is missing: reason lagging).  Log time is that of clock records and
 *    of the members' own bars.  Ts are published in order.
 *  - Afterwards, until a newer T is published: a member whose bar T comes late, or
 *    a revision that changes a return in the window, makes version + 1 for the same T,
 *    with `supersedes`; everything of one log position makes one version.
 *  - Without two members that can be correlated nothing is published (counted).
 *
 * Reasons of members without a row: lagging (live, no bar T), blind (its bar T is
 * BLIND, or no bar T is to be expected: out of session, or its grid has ended),
 * quarantined (paused), killed (faulted), short_history (no grid yet, fewer than
 * min_obs returns, or too few in common with the others), zero_variance.
 *
 * The smallest eigenvalue is computed up to TIER2_EIGEN_ROWS members; for larger
 * matrices it is NaN unless a repair was needed.  Matrices without holes need none.
 * Up to TIER2_REPAIR_ROWS the repair clips eigenvalues; beyond, where that would take
 * seconds, it is corr_run_own(): holes count as the mean.
 * content_hash is hash_bytes() from HASH_SEED over the members and the triangle as
 * they are published; universe_hash the same over name, parameters and ordered symbols.
 *
 * One thread at a time.
 */
#pragma once
#include "base/buf.h"
#include "bus/symtab.h"
#include "proto/event.h"
#include "workers/cut.h"
#include "workers/params.h"
#include "workers/section.h"
#include <stdbool.h>
#include <stddef.h>

/** A symbol of the configuration that was never seen has this id in its member. */
#define TIER2_NO_ID UINT32_MAX
/** Up to this many rows the smallest eigenvalue is always computed. */
#define TIER2_EIGEN_ROWS 256
/** Up to this many rows an indefinite matrix is repaired by clipping eigenvalues. */
#define TIER2_REPAIR_ROWS 512

struct tier2;

struct tier2_sink {
	void *arg;
	/** Whole sections of the snapshot at @pos, all of tier 2; as in shard.h. */
	int (*snapshot)(void *arg, uint64_t pos, struct buf *part, bool is_last);
	/** @replay: a re-read at start made it; it was published before. */
	void (*matrix)(void *arg, const struct event_tier2 *e,
		       const struct tier2_member *members, const double *triangle,
		       bool replay);
};

struct tier2_env {
	const struct params *params;  /* borrowed, immutable */
	const struct symtab *symbols; /* borrowed */
	uint32_t n_workers;
	uint32_t symbols_max; /* ids are below it */
};

/** A universe's stream of versions. */
struct tier2_stream {
	char universe[UNIVERSE_MAX];
	uint32_t timeframe_s;
	uint64_t version; /* newest published; 0: none */
	uint64_t chain;   /* of it */
};

/** Counted since the start. */
struct tier2_counts {
	uint64_t items;       /* cut items applied */
	uint64_t versions;    /* matrices published, of these: */
	uint64_t provisional; /*   with live members missing */
	uint64_t superseding; /*   in place of an earlier one of the same T */
	uint64_t repaired;    /*   made positive semidefinite */
	uint64_t too_small;   /* cuts with fewer than two usable members: no matrix */
	uint64_t too_old;     /* bars before the window: not needed any more */
	uint64_t refused;     /* symbols beyond n_max of an `all` universe */
	uint64_t unrepaired;  /* eigenvalues did not converge: published as computed */
};

/** 0 or -ENOMEM. */
int tier2_new(const struct tier2_env *env, const struct tier2_sink *sink,
	      struct tier2 **out);
void tier2_free(struct tier2 *t);
/**
 * Take @n items of worker @worker; they are copied, and held until every worker has
 * come that far (so a slow worker never blocks the others' rings; what is held is
 * bounded by what the workers derive from one segment of the log).  0 or -ENOMEM,
 * then nothing was taken.
 */
int tier2_feed(struct tier2 *t, uint32_t worker, const struct cut_item *items,
	       size_t n);
/** Apply what is complete, at most @budget positions; returns how many were applied. */
size_t tier2_step(struct tier2 *t, size_t budget);
/**
 * Hand over what a CUT_SNAPSHOT item made tier 2 save; false: nothing is (left) to do.
 * tier2_step() tries once by itself.
 */
bool tier2_save_step(struct tier2 *t);
/** Begin one without an item: for the last of a life. */
void tier2_save_begin(struct tier2 *t, uint64_t pos);
/** Load a SECTION_UNIVERSE.  0, or -EBADMSG: tier 2 is to be thrown away. */
int tier2_load(struct tier2 *t, const struct section *sec);
/** Only what a SECTION_UNIVERSE says of its stream.  0, -EBADMSG. */
int tier2_peek(const struct section *sec, struct tier2_stream *out);
/** Let a universe's versions go on from @stream: as shard_renumber(). */
void tier2_renumber(struct tier2 *t, const struct tier2_stream *stream);
/** Everything at or below this position has been applied. */
uint64_t tier2_done(const struct tier2 *t);
/** Items held, waiting for other workers. */
size_t tier2_held(const struct tier2 *t);
const struct tier2_counts *tier2_counts(const struct tier2 *t);
/** Bytes of the largest matrix that @p can bring: event, members and triangle. */
size_t tier2_bytes_max(const struct params *p);
