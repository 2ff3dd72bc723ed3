/*
 * tickstore_impl - the store's inside, shared by the tickstore*.c files only.
 *
 * The newest records lie in one ring, indexed by position, so that staging
 * copies a record once and the dispatcher reads it where it lies:
 *
 *	          ring_low       next_pos    next_pos + staged
 *	             |  committed   |   staged   |
 *	    ---------+--------------+------------+----------->  position
 *	             slot = position % ring_slots
 *
 * ring_top is one past the highest position ever staged: what lies ring_slots
 * below it has been written over, even if that staging was aborted.
 */
#pragma once
#include "base/buf.h"
#include "store/highwater.h"
#include "store/names.h"
#include "store/producers.h"
#include "store/segment.h"
#include "store/sqlite.h"
#include "store/tickstore.h"

/** Positions that are known to be gone: an epoch began behind them. */
struct lost_range {
	uint64_t first;
	uint64_t last;
};

struct derived_state {
	uint64_t first_serial; /* oldest held; == next_serial: none */
	uint64_t next_serial;
	uint64_t high_pos;
	uint64_t total_bytes; /* ever appended */
	uint64_t first_bytes; /* ever appended before the oldest held */
};

struct tickstore {
	struct store_params params;
	struct store_status status;
	struct sq *db;               /* owned */
	int dirfd;                   /* owned */
	char *path;                  /* owned; of the database */
	struct highwater *highwater; /* owned */
	uint64_t store_id;
	bool ready; /* open succeeded: close may checkpoint */

	/* The log's end. */
	uint64_t next_pos;
	uint64_t retired_pos;  /* everything up to here was retired */
	uint64_t hold_pos;     /* nothing from here on is to be retired */
	uint64_t promised_pos; /* as it stands synced in the high-water file */
	uint64_t boot_id;
	int64_t high_event_ns;
	int64_t full_until_ns;     /* monotonic: until then nothing finds room */
	int64_t unsynced_since_ns; /* commit time of the oldest unsynced; 0: none */

	/* Staged for the next commit. */
	uint32_t staged;
	uint32_t n_runs;
	struct segment_run *runs; /* owned, segment_max */
	struct buf articles;      /* owned; struct staged_article and its bytes, ... */
	struct buf article;       /* owned; the last one read */

	/* Newest records. */
	struct record *ring; /* owned */
	uint64_t ring_slots;
	uint64_t ring_base;
	uint64_t ring_top;
	struct record *scratch; /* owned, segment_max: a segment that wraps */

	/* One segment read from disk. */
	struct record *cold;           /* owned, cold_max */
	struct segment_run *cold_runs; /* owned, cold_max */
	uint32_t cold_max;
	uint32_t cold_n;
	uint32_t cold_n_runs;
	uint64_t cold_first; /* 0: none */

	struct names symbols;
	struct names sources;
	struct producers *producers; /* owned */
	struct lost_range *lost;     /* owned */
	uint32_t n_lost;

	struct derived_state derived[STORE_KINDS];

	/* Refused ticks that wait for the next tick. */
	struct store_refusal *refusals; /* owned, quarantine_rate */
	uint32_t n_refusals;
	uint64_t next_refusal;
	int64_t refusal_second;
	uint32_t refusals_in_second;

	int64_t moved_checked_ns;
	int64_t ballast_tried_ns;
	uint8_t *blob; /* owned: the last meta value read */
	uint64_t snapshot_floor;
	uint64_t snapshot_bytes; /* of the parts written since part 0 */

	struct sq_stmt *put_segment; /* owned, as all below */
	struct sq_stmt *seg_at;      /* the segment at or before a position */
	struct sq_stmt *seg_after;   /* the first one after it */
	struct sq_stmt *seg_head;    /* as seg_at, without the data */
	struct sq_stmt *seg_delete;
	struct sq_stmt *meta_put;
	struct sq_stmt *meta_get;
	struct sq_stmt *derived_put;
	struct sq_stmt *derived_get;
	struct sq_stmt *derived_delete;
	struct sq_stmt *derived_first;
	struct sq_stmt *snapshot_put;
	struct sq_stmt *snapshot_get;
	struct sq_stmt *snapshot_trim;
	struct sq_stmt *snapshot_drop;
	struct sq_stmt *snapshot_part_put;
	struct sq_stmt *snapshot_part_get;
	struct sq_stmt *snapshot_part_trim;
	struct sq_stmt *refusal_put;
	struct sq_stmt *refusal_list;
	struct sq_stmt *article_put;
	struct sq_stmt *article_get;
	struct sq_stmt *article_find;
	struct sq_stmt *article_retire;
};

/* tickstore.c */

/** The end of a failed call: everything but -ENOSPC and -ENOMEM kills the store. */
int tickstore_failed(struct tickstore *ts, int rc);
/** -EIO once the store is dead, else 0. */
int tickstore_alive(const struct tickstore *ts);
/** 0 or -ENOSPC: tickstore_full_until(). */
int tickstore_has_quota(const struct tickstore *ts);
/** The mark of an orderly end: nothing beyond the log was ever acknowledged. */
int tickstore_mark_end(struct tickstore *ts);
/** What the high-water file may promise when the log ends at @last_pos. */
uint64_t tickstore_promise(const struct tickstore *ts, uint64_t last_pos);
/** Make all of the log durable, tell the high-water file. */
int tickstore_make_durable(struct tickstore *ts);
/** Checkpoint and count; @truncate as sq_checkpoint(). */
int tickstore_checkpoint(struct tickstore *ts, bool truncate);

/* tickstore_article.c */

/** Write the staged articles, within the commit's transaction. */
int tickstore_articles_put(struct tickstore *ts);
/** Those of positions up to @pos leave, with their segment. */
int tickstore_articles_retire(struct tickstore *ts, uint64_t pos);

/* tickstore_open.c: also the small table of how many rows there must be. */

int tickstore_put_counts(struct tickstore *ts);

/* tickstore_meta.c */

int tickstore_meta_write(struct tickstore *ts, const char *key, const void *data,
			 size_t len);
int tickstore_meta_read(struct tickstore *ts, const char *key, const void **out_data,
			size_t *out_len);
/** Find where the ring of refused ticks goes on. */
int tickstore_quarantine_load(struct tickstore *ts);
/** Write the refused ticks that wait. */
int tickstore_quarantine_flush(struct tickstore *ts);

/* tickstore_read.c */

/** Oldest committed position still in the ring. */
uint64_t tickstore_ring_low(const struct tickstore *ts);
/** Take the head columns (0 .. 8) of a row. */
void tickstore_take_head(const struct tickstore *ts, struct sq_stmt *st,
			 struct segment_head *out, uint32_t *out_crc);
/** Read, check and unpack the present row of a full segment query into cold. */
int tickstore_load_cold(struct tickstore *ts, struct sq_stmt *st);
/** Is every position of @first .. @last known to be lost? */
bool tickstore_is_lost(const struct tickstore *ts, uint64_t first, uint64_t last);

/* tickstore_snapshot.c */

/** Find the oldest, forget what was never sealed. */
int tickstore_snapshot_load(struct tickstore *ts);

/* tickstore_derived.c */

int tickstore_derived_load(struct tickstore *ts);

/* ballast.c */

int tickstore_ballast_make(struct tickstore *ts);
void tickstore_ballast_drop(struct tickstore *ts);
