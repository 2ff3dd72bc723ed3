/*
 * tick_index - how many ticks of every symbol the log holds before a position.
 *
 * A tick's sequence is not stored: it is the count of its symbol's ticks in the
 * log.  The dispatcher, which counts them anyway, leaves a copy of all counts here
 * every so often; whoever reads the log from a position takes the nearest copy at
 * or before it and counts on from there.
 *
 *	0        65,536     131,072    ...                       dispatched
 *	|-----------|-----------|-----------|----------------------|
 *	zeroes    counts      counts      counts
 *
 * Beyond TICK_INDEX_MARKS copies, every other one goes and the distance doubles,
 * so memory is bounded and a search stays as short as the log allows.  Readers
 * leave bookmarks, the least recently used of which makes room, so that page
 * after page is not counted anew.
 *
 * Store thread.
 */
#pragma once
#include "base/role.h"
#include "base/state.h"
#include <stdint.h>

#define TICK_INDEX_MARKS       128
#define TICK_INDEX_BOOKMARKS   8
#define TICK_INDEX_SAVED_BYTES (4u << 20)
#define TICK_INDEX_SPACING     65536u /* positions between two copies, at first */

struct tick_index;

enum { TICK_INDEX_NONE = 1 };

/** Begins with one copy: no ticks at position 0.  0 or -ENOMEM. */
int tick_index_new(uint32_t symbols_max, struct tick_index **out);
void tick_index_free(struct tick_index *x);
/** As new. */
void tick_index_reset(struct tick_index *x);

/**
 * @tick_seq[0 .. n_symbols-1] count the ticks at positions up to and including
 * @pos.  Keeps a copy when one is due; else returns at once.  Call it after every
 * dispatch step, and once at the start if dispatch begins behind a snapshot.
 */
ON_STORE void tick_index_note(struct tick_index *x, uint64_t pos,
			      const uint64_t *tick_seq, uint32_t n_symbols);
/** The same from a reader on its way. */
ON_STORE void tick_index_bookmark(struct tick_index *x, uint64_t pos,
				  const uint64_t *tick_seq, uint32_t n_symbols);
/**
 * The same for a position that must be counted on from until it is pinned anew: where
 * the archive ends.
 */
ON_STORE void tick_index_pin(struct tick_index *x, uint64_t pos,
			     const uint64_t *tick_seq, uint32_t n_symbols);
/** Forget the copies from which nobody can count on: the log begins at @first_pos. */
ON_STORE void tick_index_trim(struct tick_index *x, uint64_t first_pos);

/**
 * The newest counts at or before @pos, into @tick_seq[symbols_max] and *@out_pos.
 * 0 or TICK_INDEX_NONE.
 */
ON_STORE int tick_index_at(struct tick_index *x, uint64_t pos, uint64_t *tick_seq,
			   uint64_t *out_pos);
/** Position of the oldest counts.  0 or TICK_INDEX_NONE. */
ON_STORE int tick_index_oldest(const struct tick_index *x, uint64_t *out_pos);
/** The oldest count of @symbol_id. */
ON_STORE uint64_t tick_index_oldest_seq(const struct tick_index *x, uint32_t symbol_id);
/**
 * Position of the newest counts at which @symbol_id has fewer than @seq ticks, so
 * that tick @seq lies behind it.  0 or TICK_INDEX_NONE: it lies before the oldest.
 */
ON_STORE int tick_index_before(const struct tick_index *x, uint32_t symbol_id,
			       uint64_t seq, uint64_t *out_pos);
/**
 * Save some of the copies, about TICK_INDEX_SAVED_BYTES, or load them.  Loading: into a
 * new index, before anything is noted; what cannot be read is spoilt and leaves it as
 * new.
 */
ON_STORE void tick_index_state(struct state *st, struct tick_index *x);
/** Copies held, bookmarks not counted. */
ON_STORE uint32_t tick_index_marks(const struct tick_index *x);
