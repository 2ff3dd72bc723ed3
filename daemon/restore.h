/*
 * restore - starts from the newest good state snapshot instead of the whole log.
 *
 *	newest snapshot -> sections into shards, tier 2, dispatcher -> log from behind
 *it
 *
 * A snapshot that is damaged, of another version of tickbusd or of another
 *configuration is passed over, with a line that says so; then the one before is tried,
 *then the whole log is read.
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
 * beginning is gone and no snapshot can be used (-EBADMSG), out of memory, -EIO.
 */
ON_LOOP int restore_state(struct daemon *d);
/** Tell the publisher how far every restored stream has come. */
ON_LOOP void restore_streams(struct daemon *d);
void restored_free(struct restored *r);
