/*
 * restore - starts from the newest good state snapshot instead of the whole log.
 *
 *	newest snapshot -> sections into shards, tier 2, dispatcher -> log from behind
 *it
 *
 * A snapshot that is damaged or of another version of tickbusd is passed over, with a
 * line that says so; then the one before is tried, then the whole log is read.  After a
 * change of the configuration, or when the log's beginning is gone, see renumber.h.
 *
 * Runs once, before any thread does.
 */
#pragma once
#include "base/role.h"
#include "workers/shard.h"
#include "workers/tier2.h"

struct daemon;
struct publisher;

/** What the streams of the restored state had published: for heartbeats and status. */
struct restored {
	struct shard_streams *symbols; /* owned */
	size_t n_symbols;
};

/**
 * 0: d->restored_pos says from where, 0 from the log's beginning.  < 0: the log's
 * beginning is gone and no snapshot can be read (-EBADMSG), out of memory, -EIO.
 */
ON_LOOP int restore_state(struct daemon *d);
/** Load one section, wherever it comes from, into workers, tier 2 or dispatcher. */
ON_LOOP int restore_section(struct daemon *d, const struct section *sec);
/** Tell the publisher how far every restored stream has come. */
ON_LOOP void restore_streams(struct daemon *d);
void restored_free(struct restored *r);
