/*
 * snapshot - takes state snapshots: asks for one in band, gathers the parts, writes
 *them between two commits, and seals it when nothing that it stands for can be lost.
 *
 *	due -> mark with ITEM_SNAPSHOT on the bus -> every worker and tier 2 save
 *	    -> parts, in any order -> one part per turn into the store
 *	    -> all whole, and every derived event up to the position stored -> sealed
 *
 * The last condition matters: a restart derives nothing at or before the snapshot's
 * position again, so what was derived there must be in the store before the snapshot
 * counts.  Whatever fails on the way (no space) gives up this snapshot and nothing
 *else; the next one is due as usual.
 *
 * Store thread.
 */
#pragma once
#include "base/buf.h"
#include "base/role.h"
#include "daemon/dispatch.h"
#include "store/tickstore.h"
#include <stdbool.h>

struct snapshot;

struct snapshot_env {
	struct tickstore *store;   /* borrowed */
	struct dispatch *dispatch; /* borrowed */
	struct tick_index *index;  /* borrowed; NULL: none */
	uint64_t every;            /* records between two of them; 0: never */
	uint64_t config_hash;      /* params_hash() of what is derived */
	uint32_t n_takers;         /* who hands over parts: workers and tier 2 */
	/**
	 * Has every derived event at or below @pos been stored?  ON_STORE; what it
	 * says true to stays true.
	 */
	bool (*is_stored)(void *arg, uint64_t pos);
	void *arg;
};

int snapshot_new(const struct snapshot_env *env, struct snapshot **out);
void snapshot_free(struct snapshot *s);
/** The newest one stands at @pos: the next is due `every` records later. */
ON_STORE void snapshot_note(struct snapshot *s, uint64_t pos);
/** One turn: begin, write a part, seal.  Returns the work done. */
ON_STORE unsigned snapshot_step(struct snapshot *s);
/** A part of the snapshot at @pos; @data (malloc'ed) is taken. */
ON_STORE void snapshot_part(struct snapshot *s, uint64_t pos, void *data, size_t len,
			    bool is_last);
/**
 * Take the last one, of everything dispatched: @hand_over makes all takers hand over
 * their parts to snapshot_part() before it returns, @is_stored must be true already.
 * 0, or an error: then there is none, and the next start reads more of the log.
 */
ON_STORE int snapshot_last(struct snapshot *s,
			   void (*hand_over)(void *arg, uint64_t pos));

/** What SECTION_HEAD holds. */
struct snapshot_head {
	uint64_t config_hash;
	uint64_t pos;
};
struct state;
void snapshot_head_state(struct state *st, struct snapshot_head *h);
