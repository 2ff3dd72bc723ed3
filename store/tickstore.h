/*
 * tickstore - the log on disk, and all that must not be forgotten with it.
 *
 * The log is a table of segments in one SQLite database: one row per commit,
 * the records packed (store/segment.h).  tickstore_append() collects records
 * in memory; tickstore_commit() writes them, the producers' last sequences and
 * the new names in one transaction, then the high-water file, and only then may
 * anybody be acknowledged:
 *
 *	append ... append -> commit: transaction, sync, high-water -> acknowledge
 *
 * What is promised:
 *   full    an acknowledged record survives the process and the power.
 *   normal  it survives the process; after a power cut at most what came after
 *           the last sync is gone, and tickstore_tick() syncs every
 *           sync_interval_ns.
 *   both    (producer, sequence) is accepted once.  A position is used once:
 *           after a loss the log goes on behind the lost range, under a new
 *           epoch, and struct store_status says what is gone.  Damage is
 *           refused, never served.
 *
 * The first failed write or sync kills the store (-EIO from then on): the
 * daemon stops with 74 and starts afresh.  A full disk (-ENOSPC) refuses the
 * batch and nothing else; the next commit tries again.
 *
 * One connection does every write and every checkpoint and holds the database
 * exclusively; hence everything here is for the store thread.  now_ns
 * is the wall clock's, by the caller's word: nothing here depends on a clock of
 * its own.
 */
#pragma once
#include "base/role.h"
#include "proto/record.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symtab;
struct tickstore;

enum durability { DURABILITY_FULL = 0, DURABILITY_NORMAL };

/** Outcomes.  Each function says which are its own. */
enum {
	STORE_DUPLICATE = 1, /* this (producer, sequence) is in the log already */
	STORE_SEQ_BAD,       /* 0, or beyond STORE_SEQ_MAX */
	STORE_FULL,          /* no room left: commit first; or the table is full */
	STORE_EMPTY,         /* nothing to commit */
	STORE_END,           /* nothing at or after this position yet */
	STORE_GONE,          /* not held any more; *out says what still is */
	STORE_NONE,          /* there is no such thing */
	STORE_LIMITED,       /* more than allowed in this second: counted only */
};

#define STORE_KINDS           8 /* kinds of derived batches: 0 .. 7, enum event_kind */
#define STORE_SEQ_MAX         (UINT64_MAX >> 2)
#define STORE_PRODUCER_MAX    64         /* longest producer name */
#define STORE_NO_PRODUCER     UINT32_MAX /* the daemon's own records */
#define STORE_QUARANTINE_TEXT 256

/** How much of one kind of derived batches to keep; 0: no limit. */
struct derived_limit {
	uint64_t batches;
	uint64_t bytes;
	int64_t ns; /* age of the commit that brought the batch's newest event */
};

/** Zero or NULL takes the default in brackets. */
struct store_params {
	const char *dir; /* state directory, made with mode 0700 */
	const char *vfs; /* SQLite's name of a file layer [NULL: the system's] */
	enum durability durability;
	int64_t sync_interval_ns; /* [1 s] */
	uint32_t segment_max;     /* records per commit [4,096] */
	int64_t retain_ns;        /* age by commit time [0: for ever] */
	uint64_t retain_bytes;    /* packed records [0: no limit] */
	uint64_t cache_bytes_max; /* newest records kept in memory [64 MiB] */
	uint32_t symbols_max;     /* [65,536] */
	uint32_t sources_max;     /* [256] */
	uint32_t producers_max;   /* [1,024] */
	uint64_t wal_bytes_max;   /* a commit waits for a checkpoint above [32 MiB] */
	uint64_t ballast_bytes;   /* given up when the disk is full [16 MiB] */
	uint32_t quarantine_max;  /* refused ticks kept [10,000] */
	uint32_t quarantine_rate; /* ... and written per second [100] */
	struct derived_limit derived[STORE_KINDS];
};

/**
 * A table of names with dense ids that the store fills at open and then saves
 * the new ones of, with each commit.  The functions are symtab_add, symtab_name
 * and symtab_count: siblings do not include each other, the daemon wires them.
 */
struct store_names {
	struct symtab *table;
	int (*add)(struct symtab *t, const char *name, size_t len, uint32_t *out_id,
		   int *out_new);
	const char *(*name)(const struct symtab *t, uint32_t id);
	uint32_t (*count)(const struct symtab *t);
	uint32_t first_id; /* 0 for symbols, 1 for sources */
};

#define STORE_ALARM_MAX 400

/** What the store knows about itself; a copy by tickstore_status(). */
struct store_status {
	uint64_t store_id;  /* which log this is; a backup's copy has the same */
	uint64_t epoch;     /* +1 at each loss or restored backup */
	uint64_t first_pos; /* oldest held; 0: the log is empty */
	uint64_t begin_pos; /* what lies before it was retired; lost ones may follow */
	uint64_t last_pos;  /* newest committed; 0: none ever */
	uint64_t durable_pos; /* newest that survives the power */
	uint64_t lost_first;  /* found missing at this open; 0: nothing */
	uint64_t lost_last;
	bool unclean;   /* the last owner did not close */
	bool created;   /* there was no database */
	bool dead;      /* a write or sync failed: stop with 74 */
	bool disk_full; /* the last commit was refused with -ENOSPC */
	bool ballast;   /* the ballast file stands */
	enum durability durability;
	char alarm[STORE_ALARM_MAX];   /* "": fine; else someone must read it */
	char warning[STORE_ALARM_MAX]; /* "": fine; degraded, continuing */

	uint64_t commits;
	uint64_t commits_refused; /* -ENOSPC */
	uint64_t records;         /* committed since open */
	uint64_t duplicates;
	uint64_t gaps;     /* holes seen in producers' sequences */
	uint64_t gap_seqs; /* ... and how many numbers they miss */
	uint64_t syncs;    /* of normal durability's interval */
	uint64_t checkpoints;
	uint64_t checkpoint_failures;
	int64_t checkpoint_ns_max;
	uint64_t segments_retired;
	uint64_t derived_retired;
	uint64_t quarantined;
	uint64_t quarantine_suppressed; /* over the rate */
	uint64_t cold_reads;            /* segments read from disk, not memory */
	uint64_t snapshots_damaged;
	uint64_t wal_bytes;
	uint64_t db_bytes;
	uint32_t producers;
};

/**
 * Open or create the store in params->dir, load the names into the tables.
 *
 * 0; -EBUSY: another daemon has it (exit 75); -EBADMSG: damaged, newer or
 * foreign, untouched (exit 65); -EROFS, -EACCES, -ENOTSUP (network file system):
 * cannot be used (exit 73); -EIO (exit 74); -ENOSPC.  err_text() has the
 * sentence.  A loss is not an error: see status.alarm, lost_first, epoch.
 */
ON_STORE int tickstore_open(const struct store_params *params,
			    const struct store_names *symbols,
			    const struct store_names *sources, int64_t now_ns,
			    struct tickstore **out);
/**
 * Checkpoint everything and close; staged records are dropped.  NULL is fine.
 * 0, or the error that leaves the next start an unclean one (nothing is lost).
 */
ON_STORE int tickstore_close(struct tickstore *ts);
ON_STORE void tickstore_status(const struct tickstore *ts, struct store_status *out);

/* ---- writing the log ---- */

/** Index of the producer @name, found or staged.  STORE_FULL: producers_max. */
ON_STORE int tickstore_producer(struct tickstore *ts, const char *name, size_t len,
				uint32_t *out_producer);
/** Is @seq new?  0, STORE_DUPLICATE (counted) or STORE_SEQ_BAD. */
ON_STORE int tickstore_seq_check(struct tickstore *ts, uint32_t producer, uint64_t seq);
/**
 * A refused tick's @seq is spent: later ones are no gap.  It is written with the
 * next commit; asserts that @seq is new.
 */
ON_STORE void tickstore_seq_spend(struct tickstore *ts, uint32_t producer,
				  uint64_t seq);
/** The highest sequence used, staged ones included; 0: none. */
ON_STORE uint64_t tickstore_seq_last(const struct tickstore *ts, uint32_t producer);
ON_STORE const char *tickstore_producer_name(const struct tickstore *ts,
					     uint32_t producer);

/** How many records the present segment still takes. */
ON_STORE uint32_t tickstore_room(const struct tickstore *ts);
/**
 * Stage @n records, the @producer's sequences @first_seq .. first_seq + n - 1,
 * all new (asserted).  With STORE_NO_PRODUCER @first_seq is ignored.
 * @out_pos (may be NULL): the position of the first, valid once committed.
 * 0 or STORE_FULL, then nothing was staged.
 */
ON_STORE int tickstore_append(struct tickstore *ts, uint32_t producer,
			      uint64_t first_seq, const struct record *recs, uint32_t n,
			      uint64_t *out_pos);
/** A quota that is used up until then, monotonic clock: commits and batches of derived
 *  events meet -ENOSPC. */
ON_STORE void tickstore_full_until(struct tickstore *ts, int64_t mono_ns);
/**
 * Write what is staged.  0: acknowledge now.  STORE_EMPTY: nothing was staged.
 * -ENOSPC, -ENOMEM: refused, all of it, nothing remains staged; the producers
 * may send again.  Any other error: the store is dead.
 */
ON_STORE int tickstore_commit(struct tickstore *ts, int64_t now_ns,
			      uint64_t *out_first_pos, uint64_t *out_last_pos);
/**
 * Stage a record of news and the text that belongs to it, in the same commit; @key says
 * what article it is.  0 or STORE_FULL, as tickstore_append().
 */
ON_STORE int tickstore_append_article(struct tickstore *ts, const struct record *r,
				      uint64_t key, const void *text, size_t len,
				      uint64_t *out_pos);
/** Forget what is staged (producers' sequences too). */
ON_STORE void tickstore_abort(struct tickstore *ts);

/**
 * Housekeeping, to be called some times a second and when idle: the sync of
 * normal durability, quarantine, checkpoints, the ballast, "has the file moved".
 * 0 or an error; after an error other than -ENOSPC the store is dead.
 */
ON_STORE int tickstore_tick(struct tickstore *ts, int64_t now_ns, bool idle);
/** Everything committed is on the disk when this returns 0. */
ON_STORE int tickstore_sync(struct tickstore *ts);

/* ---- reading the log ---- */

/**
 * The records from position @pos on, in place, as many as lie together.
 * Valid until the next call of any tickstore function that is not status.
 * 0; STORE_END; STORE_GONE with *out_pos = the first position held.
 * *out_pos is the position of the first record: @pos, or later if a loss left
 * a hole there.  -EBADMSG: this segment is damaged, -EIO.
 */
ON_STORE int tickstore_peek(struct tickstore *ts, uint64_t pos, uint64_t *out_pos,
			    const struct record **out_recs, uint32_t *out_n);
/** The same, copied: up to @max consecutive records into @out. */
ON_STORE int tickstore_read(struct tickstore *ts, uint64_t pos, uint32_t max,
			    struct record *out, uint64_t *out_pos, uint32_t *out_n);

/**
 * The text of the article at @pos, committed or staged; valid until the next call of
 * this function.  What tickstore_peek() gave stays valid.  0; STORE_NONE; -EBADMSG: it
 * is damaged.
 */
ON_STORE int tickstore_article(struct tickstore *ts, uint64_t pos,
			       const void **out_text, size_t *out_len);
/** Position of the newest article held of @key, staged ones included.  0; STORE_NONE.
 */
ON_STORE int tickstore_article_find(struct tickstore *ts, uint64_t key,
				    uint64_t *out_pos);

/** One row of the log. */
struct store_segment {
	uint64_t first_pos;
	uint64_t last_pos;
	uint64_t epoch;
	int64_t min_event_ns;
	int64_t max_event_ns;
	int64_t commit_ns;
	uint32_t crc;
};

/** The segment that holds @pos, or the next one.  0 or STORE_END. */
ON_STORE int tickstore_segment(struct tickstore *ts, uint64_t pos,
			       struct store_segment *out);
/** Who sent the record at @pos, and as which sequence.  0, STORE_END, STORE_GONE;
 *  STORE_NONE: the daemon itself. */
ON_STORE int tickstore_origin(struct tickstore *ts, uint64_t pos,
			      uint32_t *out_producer, uint64_t *out_seq);
/**
 * Position of the first record held that has log time and event_ns >= @event_ns.  0,
 * STORE_END.
 */
ON_STORE int tickstore_find_time(struct tickstore *ts, int64_t event_ns,
				 uint64_t *out_pos);
/**
 * Retire whole segments that are too old or too many, oldest first, never one
 * that holds @floor_pos or later, never the newest, at most @budget of them.
 * @out_n: how many; call again when it equals the budget.
 */
ON_STORE int tickstore_retain(struct tickstore *ts, int64_t now_ns, uint64_t floor_pos,
			      uint32_t budget, uint32_t *out_n);

/**
 * Nothing at @pos or later is retired, neither of the log nor of what is derived:
 * others do not have it yet.  After opening UINT64_MAX: nothing is held back.
 */
ON_STORE void tickstore_hold_set(struct tickstore *ts, uint64_t pos);
/** From now on so much is kept: the three of struct store_params. */
ON_STORE void tickstore_limits_set(struct tickstore *ts, int64_t retain_ns,
				   uint64_t retain_bytes,
				   const struct derived_limit derived[STORE_KINDS]);

/* ---- derived events: batches of encoded frames, for catch-up ---- */

struct store_batch {
	uint64_t id; /* +1 per batch and kind, from 1 */
	uint64_t first_pos;
	uint64_t last_pos;
	uint32_t n_events;
	uint32_t len;
	const void *data; /* valid during the callback */
};

/**
 * Append one batch; old ones of the kind make room (params.derived).  Not
 * synced: it can be made again from the log.  Errors as tickstore_commit().
 */
ON_STORE int tickstore_derived_append(struct tickstore *ts, unsigned kind,
				      uint64_t first_pos, uint64_t last_pos,
				      uint32_t n_events, const void *data,
				      uint32_t len);
/**
 * Retire batches that are too old (params.derived[].ns), at most @budget of a kind, the
 * newest of a kind never.  @out_n: how many.
 */
ON_STORE int tickstore_derived_expire(struct tickstore *ts, int64_t now_ns,
				      uint32_t budget, uint32_t *out_n);
/** Return 0 to go on, > 0 to stop, < 0 to fail. */
typedef int (*store_batch_fn)(void *arg, const struct store_batch *batch);
/**
 * Call @fn for each batch of @kind from @from_id on, at most @max.  STORE_GONE:
 * @from_id is older than what is held (nothing was called); @out_next
 * (may be NULL): where to go on, or, when gone, the oldest id held.
 */
ON_STORE int tickstore_derived_read(struct tickstore *ts, unsigned kind,
				    uint64_t from_id, uint32_t max, store_batch_fn fn,
				    void *arg, uint64_t *out_next);
/** The first batch that holds an event at @pos or later.  0, STORE_END (next id). */
ON_STORE int tickstore_derived_find(struct tickstore *ts, unsigned kind, uint64_t pos,
				    uint64_t *out_id);
/** The oldest and the next id of a kind; equal: none is held. */
ON_STORE void tickstore_derived_range(const struct tickstore *ts, unsigned kind,
				      uint64_t *out_first, uint64_t *out_next);
/** The highest position any batch of the kind ever held; 0: none. */
ON_STORE uint64_t tickstore_derived_last_pos(const struct tickstore *ts, unsigned kind);

/* ---- snapshots, meta, quarantine ---- */

/**
 * Write part @part (from 0, in order) of the state snapshot at @pos.  Not synced; it
 * counts only once sealed.  Errors as tickstore_commit().
 */
ON_STORE int tickstore_snapshot_part(struct tickstore *ts, uint64_t pos, uint32_t part,
				     const void *data, size_t len);
/**
 * The snapshot at @pos is whole with @n_parts parts, > 0.  Synced, and with it all that
 * was written before.  The newest two snapshots stay, the rest leaves.
 */
ON_STORE int tickstore_snapshot_seal(struct tickstore *ts, uint64_t pos,
				     uint32_t version, uint32_t n_parts);
/** Forget the parts that were not sealed. */
ON_STORE int tickstore_snapshot_abandon(struct tickstore *ts);
/** Position of the oldest snapshot kept; 0: there is none. */
ON_STORE uint64_t tickstore_snapshot_floor(const struct tickstore *ts);

struct store_snapshot {
	uint64_t pos;
	uint32_t version;
	uint32_t n_parts;
	uint64_t bytes;
};
/** The newest snapshot at or before @max_pos whose head is good.  0, STORE_NONE. */
ON_STORE int tickstore_snapshot_find(struct tickstore *ts, uint64_t max_pos,
				     struct store_snapshot *out);
/** Return 0 to go on, anything else to stop: it is forwarded. */
typedef int (*store_part_fn)(void *arg, const void *data, size_t len);
/**
 * Call @fn for each part.  0; STORE_NONE: a part is damaged or missing (some may have
 * been handed over, err_text() says which snapshot): try an older one.
 */
ON_STORE int tickstore_snapshot_read(struct tickstore *ts,
				     const struct store_snapshot *s, store_part_fn fn,
				     void *arg);

/** The same for part @part < s->n_parts alone: a piece of work that has a bound. */
ON_STORE int tickstore_snapshot_read_part(struct tickstore *ts,
					  const struct store_snapshot *s, uint32_t part,
					  store_part_fn fn, void *arg);

/** Remember @data under @key ("config.text", ...); replaces.  Synced. */
ON_STORE int tickstore_meta_put(struct tickstore *ts, const char *key, const void *data,
				size_t len);
/** 0 with data valid until the next call, or STORE_NONE. */
ON_STORE int tickstore_meta_get(struct tickstore *ts, const char *key,
				const void **out_data, size_t *out_len);

struct store_refusal {
	uint64_t id;
	int64_t recv_ns;
	uint32_t reason; /* a reject reason of proto/, opaque here */
	uint32_t producer;
	uint32_t len;
	char text[STORE_QUARANTINE_TEXT]; /* the tick as it came, cut off */
};

/** Keep a refused tick; written by tickstore_tick().  0 or STORE_LIMITED. */
ON_STORE int tickstore_quarantine_add(struct tickstore *ts, int64_t recv_ns,
				      uint32_t reason, uint32_t producer,
				      const void *text, size_t len);
/** Copy up to @max of those with id > @after_id, oldest first. */
ON_STORE int tickstore_quarantine_list(struct tickstore *ts, uint64_t after_id,
				       uint32_t max, struct store_refusal *out,
				       uint32_t *out_n);
