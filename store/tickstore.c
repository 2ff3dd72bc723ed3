/*
 * tickstore - staging and the commit.
 *
 * The order of a commit is the promise:
 *
 *   1  one transaction: segment, articles, producers' sequences, new names
 *   2  full: SQLite has synced the WAL before COMMIT returns
 *   3  the high-water file says "up to here may have been acknowledged"
 *      (full: synced as well)
 *   4  the caller acknowledges
 *
 * A crash between 1 and 4 leaves records that nobody was told of: the producer
 * sends again and hears "duplicate".  A crash between 1 and 3 leaves a mark
 * that is too low, which is harmless.  The mark is never above the database
 * unless the database lost something: that is what it is for.
 */
#include "store/tickstore.h"
#include "base/clock.h"
#include "base/err.h"
#include "store/tickstore_impl.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MOVED_CHECK_NS   (60 * NS_PER_S)
#define BALLAST_RETRY_NS (10 * NS_PER_S)
#define PROMISE          (UINT64_C(1) << 20) /* positions, between two syncs */

int tickstore_failed(struct tickstore *ts, int rc)
{
	if (rc == -ENOSPC || rc == -ENOMEM || rc >= 0)
		return rc;
	ts->status.dead = true;
	if (!ts->status.alarm[0])
		(void)snprintf(ts->status.alarm, sizeof(ts->status.alarm), "%s",
			       err_text());
	return rc;
}

int tickstore_alive(const struct tickstore *ts)
{
	if (ts->status.dead)
		return err_set(-EIO, "the store has stopped: %s", ts->status.alarm);
	return 0;
}

int tickstore_producer(struct tickstore *ts, const char *name, size_t len,
		       uint32_t *out_producer)
{
	if (len == 0 || len > STORE_PRODUCER_MAX)
		return err_set(-EINVAL, "a producer's name has 1 to %d characters",
			       STORE_PRODUCER_MAX);
	return producers_add(ts->producers, name, len, out_producer);
}

const char *tickstore_producer_name(const struct tickstore *ts, uint32_t producer)
{
	return producers_name(ts->producers, producer);
}

uint64_t tickstore_seq_last(const struct tickstore *ts, uint32_t producer)
{
	return producers_last(ts->producers, producer);
}

int tickstore_seq_check(struct tickstore *ts, uint32_t producer, uint64_t seq)
{
	if (seq == 0 || seq > STORE_SEQ_MAX)
		return STORE_SEQ_BAD;
	if (seq > producers_last(ts->producers, producer))
		return 0;
	ts->status.duplicates++;
	return STORE_DUPLICATE;
}

static void use_seqs(struct tickstore *ts, uint32_t producer, uint64_t first,
		     uint32_t n)
{
	uint64_t last = producers_last(ts->producers, producer);

	assert(first > last);
	assert(first + n - 1 <= STORE_SEQ_MAX);
	/* A producer may begin anywhere: only what it skips later is a gap. */
	if (last != 0 && first > last + 1) {
		ts->status.gaps++;
		ts->status.gap_seqs += first - last - 1;
	}
	producers_stage(ts->producers, producer, first + n - 1);
}

void tickstore_seq_spend(struct tickstore *ts, uint32_t producer, uint64_t seq)
{
	use_seqs(ts, producer, seq, 1);
}

uint32_t tickstore_room(const struct tickstore *ts)
{
	return ts->params.segment_max - ts->staged;
}

/* Lengthen the last run if these follow it, else begin a new one. */
static void add_run(struct tickstore *ts, uint32_t producer, uint64_t first_seq,
		    uint32_t n)
{
	if (ts->n_runs > 0) {
		struct segment_run *r = &ts->runs[ts->n_runs - 1];

		if (r->producer == producer && r->first_index + r->n == ts->staged &&
		    r->first_seq + r->n == first_seq) {
			r->n += n;
			return;
		}
	}
	ts->runs[ts->n_runs++] = (struct segment_run){
		.first_seq = first_seq,
		.producer = producer,
		.first_index = ts->staged,
		.n = n,
	};
}

static void copy_in(struct tickstore *ts, const struct record *recs, uint32_t n)
{
	uint64_t pos = ts->next_pos + ts->staged;
	uint64_t slot = pos % ts->ring_slots;
	uint64_t first = ts->ring_slots - slot;

	if (first > n)
		first = n;
	memcpy(&ts->ring[slot], recs, first * sizeof(*recs));
	memcpy(ts->ring, recs + first, (n - first) * sizeof(*recs));
	if (pos + n > ts->ring_top)
		ts->ring_top = pos + n;
}

int tickstore_append(struct tickstore *ts, uint32_t producer, uint64_t first_seq,
		     const struct record *recs, uint32_t n, uint64_t *out_pos)
{
	assert(n > 0);
	if (n > tickstore_room(ts))
		return STORE_FULL;
	if (producer != STORE_NO_PRODUCER) {
		use_seqs(ts, producer, first_seq, n);
		add_run(ts, producer, first_seq, n);
	}
	copy_in(ts, recs, n);
	if (out_pos)
		*out_pos = ts->next_pos + ts->staged;
	ts->staged += n;
	return 0;
}

void tickstore_abort(struct tickstore *ts)
{
	ts->staged = 0;
	ts->n_runs = 0;
	ts->articles.len = 0;
	producers_abort(ts->producers);
}

/* The staged records as one block: in place unless they wrap. */
static const struct record *staged_block(struct tickstore *ts)
{
	uint64_t slot = ts->next_pos % ts->ring_slots;
	uint64_t first = ts->ring_slots - slot;

	if (first >= ts->staged)
		return &ts->ring[slot];
	memcpy(ts->scratch, &ts->ring[slot], first * sizeof(*ts->ring));
	memcpy(ts->scratch + first, ts->ring, (ts->staged - first) * sizeof(*ts->ring));
	return ts->scratch;
}

static int put_segment(struct tickstore *ts, int64_t now_ns, struct segment_head *h)
{
	const struct record *block = staged_block(ts);
	struct sq_stmt *st = ts->put_segment;

	*h = (struct segment_head){
		.store_id = ts->store_id,
		.first_pos = ts->next_pos,
		.last_pos = ts->next_pos + ts->staged - 1,
		.epoch = ts->status.epoch,
		.commit_ns = now_ns,
	};
	segment_seal(h, block, ts->staged, ts->runs, ts->n_runs, ts->high_event_ns);

	sq_bind_u64(st, 1, h->first_pos);
	sq_bind_u64(st, 2, h->last_pos);
	sq_bind_u64(st, 3, h->epoch);
	sq_bind_int(st, 4, h->min_event_ns);
	sq_bind_int(st, 5, h->max_event_ns);
	sq_bind_int(st, 6, h->high_event_ns);
	sq_bind_int(st, 7, h->commit_ns);
	sq_bind_int(st, 8, h->version);
	sq_bind_int(st, 9, h->data_crc);
	sq_bind_int(st, 10, segment_head_crc(h));
	sq_bind_blob(st, 11, ts->runs, ts->n_runs * sizeof(*ts->runs));
	sq_bind_blob(st, 12, block, ts->staged * sizeof(*block));
	return sq_run(st);
}

static int put_tables(struct tickstore *ts)
{
	bool recount = producers_has_new(ts->producers) ||
		       names_has_new(&ts->symbols) || names_has_new(&ts->sources);
	int rc = producers_save(ts->producers);

	if (rc == 0)
		rc = names_save(&ts->symbols);
	if (rc == 0)
		rc = names_save(&ts->sources);
	if (rc == 0 && recount)
		rc = tickstore_put_counts(ts);
	return rc;
}

static int transact(struct tickstore *ts, int64_t now_ns, struct segment_head *h)
{
	int rc = sq_begin(ts->db, ts->params.durability == DURABILITY_FULL);

	if (rc < 0)
		return rc;
	rc = put_tables(ts);
	if (rc == 0 && ts->staged > 0)
		rc = put_segment(ts, now_ns, h);
	if (rc == 0)
		rc = tickstore_articles_put(ts);
	if (rc < 0) {
		sq_rollback(ts->db);
		return rc;
	}
	return sq_commit(ts->db);
}

uint64_t tickstore_promise(const struct tickstore *ts, uint64_t last_pos)
{
	return last_pos + (ts->params.durability == DURABILITY_FULL ? 0 : PROMISE);
}

static int write_mark(struct tickstore *ts, uint64_t last_pos, uint64_t durable_pos,
		      uint64_t promised_pos)
{
	const struct highwater_mark m = {.epoch = ts->status.epoch,
					 .acked_pos = last_pos,
					 .synced_pos = durable_pos,
					 .promised_pos = promised_pos};

	return highwater_write(ts->highwater, &m);
}

/* The same, and on the disk. */
static int sync_mark(struct tickstore *ts, uint64_t last_pos, uint64_t durable_pos,
		     uint64_t promised_pos)
{
	int rc = write_mark(ts, last_pos, durable_pos, promised_pos);

	if (rc == 0)
		rc = highwater_sync(ts->highwater);
	if (rc == 0)
		ts->promised_pos = promised_pos;
	return rc;
}

int tickstore_mark_end(struct tickstore *ts)
{
	return sync_mark(ts, ts->status.last_pos, ts->status.last_pos,
			 ts->status.last_pos);
}

/* Step 3: from here on the records may be acknowledged. */
static int mark(struct tickstore *ts, uint64_t last_pos, int64_t now_ns)
{
	bool full = ts->params.durability == DURABILITY_FULL;
	uint64_t durable = full ? last_pos : ts->status.durable_pos;
	uint64_t promised = tickstore_promise(ts, last_pos);
	int rc;

	if (full)
		rc = write_mark(ts, last_pos, durable, promised);
	else if (last_pos > ts->promised_pos)
		rc = sync_mark(ts, last_pos, durable, promised);
	else
		rc = write_mark(ts, last_pos, durable, ts->promised_pos);
	if (rc < 0)
		return err_prefix(-EIO, "nothing more is acknowledged");
	ts->status.durable_pos = durable;
	if (!full && ts->unsynced_since_ns == 0)
		ts->unsynced_since_ns = now_ns;
	return 0;
}

ON_STORE static void refused(struct tickstore *ts, int rc)
{
	tickstore_abort(ts);
	if (rc == -ENOSPC)
		ts->status.disk_full = true;
	ts->status.commits_refused++;
}

void tickstore_full_until(struct tickstore *ts, int64_t mono_ns)
{
	ts->full_until_ns = mono_ns;
}

int tickstore_has_quota(const struct tickstore *ts)
{
	return ts->full_until_ns == 0 || clock_mono_ns() >= ts->full_until_ns
		       ? 0
		       : err_set(-ENOSPC, "the log is full on purpose: chaos");
}

/* Under a steady load nobody is idle, and tick may come late: keep the promises. */
static int before_commit(struct tickstore *ts, int64_t now_ns)
{
	int64_t age = now_ns - ts->unsynced_since_ns;
	int rc = tickstore_has_quota(ts);

	if (rc == 0 && sq_wal_bytes(ts->db) >= ts->params.wal_bytes_max)
		rc = tickstore_checkpoint(ts, false);
	if (rc == 0 && ts->unsynced_since_ns != 0 &&
	    (age < 0 || age >= ts->params.sync_interval_ns))
		rc = tickstore_make_durable(ts);
	return rc;
}

int tickstore_commit(struct tickstore *ts, int64_t now_ns, uint64_t *out_first_pos,
		     uint64_t *out_last_pos)
{
	struct segment_head h = {0};
	int rc = tickstore_alive(ts);

	if (rc < 0)
		return rc;
	if (ts->staged == 0 && !producers_is_dirty(ts->producers))
		return STORE_EMPTY;
	rc = before_commit(ts, now_ns);
	if (rc == 0)
		rc = transact(ts, now_ns, &h);
	if (rc < 0) {
		refused(ts, rc);
		return tickstore_failed(ts, rc);
	}
	producers_committed(ts->producers);
	names_committed(&ts->symbols);
	names_committed(&ts->sources);
	ts->status.disk_full = false;
	if (ts->staged == 0)
		return STORE_EMPTY; /* only spent sequences */

	rc = mark(ts, h.last_pos, now_ns);
	if (rc < 0)
		return tickstore_failed(ts, rc);
	ts->high_event_ns = h.high_event_ns;
	ts->next_pos = h.last_pos + 1;
	ts->status.last_pos = h.last_pos;
	if (ts->status.first_pos == 0)
		ts->status.first_pos = h.first_pos;
	ts->status.commits++;
	ts->status.records += ts->staged;
	ts->staged = 0;
	ts->n_runs = 0;
	ts->articles.len = 0;
	*out_first_pos = h.first_pos;
	*out_last_pos = h.last_pos;
	return 0;
}

int tickstore_make_durable(struct tickstore *ts)
{
	int rc;

	if (ts->status.durable_pos == ts->status.last_pos)
		return 0;
	rc = sq_sync_wal(ts->db);
	if (rc == 0)
		rc = sync_mark(ts, ts->status.last_pos, ts->status.last_pos,
			       tickstore_promise(ts, ts->status.last_pos));
	if (rc < 0) /* a sync that fails is never tried again, whatever its errno */
		return err_prefix(-EIO, "nothing more is acknowledged");
	ts->status.durable_pos = ts->status.last_pos;
	ts->unsynced_since_ns = 0;
	ts->status.syncs++;
	return 0;
}

int tickstore_sync(struct tickstore *ts)
{
	int rc = tickstore_alive(ts);

	return rc < 0 ? rc : tickstore_failed(ts, tickstore_make_durable(ts));
}

int tickstore_checkpoint(struct tickstore *ts, bool truncate)
{
	struct sq_checkpoint done = {0};
	int64_t began_ns = clock_mono_ns();
	int64_t took_ns;
	int rc = sq_checkpoint(ts->db, truncate, &done);

	took_ns = clock_mono_ns() - began_ns;
	if (took_ns > ts->status.checkpoint_ns_max)
		ts->status.checkpoint_ns_max = took_ns;
	if (rc == 0) {
		ts->status.checkpoints++;
		return 0;
	}
	ts->status.checkpoint_failures++;
	/* A full disk leaves the WAL as it is: nothing is lost, only not moved. */
	if (rc == -ENOSPC) {
		ts->status.disk_full = true;
		return 0;
	}
	return rc;
}

static int check_moved(struct tickstore *ts, int64_t now_ns)
{
	int64_t age = now_ns - ts->moved_checked_ns;
	int rc;

	if (age >= 0 && age < MOVED_CHECK_NS)
		return 0;
	ts->moved_checked_ns = now_ns;
	rc = sq_has_moved(ts->db);
	if (rc > 0)
		rc = err_set(-ESTALE,
			     "%s was renamed or removed under the daemon: "
			     "nothing more is acknowledged",
			     ts->path);
	return rc;
}

static int keep_wal_short(struct tickstore *ts, bool idle)
{
	uint64_t wal = sq_wal_bytes(ts->db);
	uint64_t max = ts->params.wal_bytes_max;

	if (ts->status.disk_full && wal > 0)
		return tickstore_checkpoint(ts, true);
	if (wal >= max / 2 || (idle && wal >= max / 8))
		return tickstore_checkpoint(ts, false);
	return 0;
}

static void keep_ballast(struct tickstore *ts, int64_t now_ns)
{
	int64_t age = now_ns - ts->ballast_tried_ns;

	if (ts->status.ballast || ts->status.disk_full ||
	    (age >= 0 && age < BALLAST_RETRY_NS))
		return;
	ts->ballast_tried_ns = now_ns;
	(void)tickstore_ballast_make(ts); /* tried again; status.ballast says */
}

int tickstore_tick(struct tickstore *ts, int64_t now_ns, bool idle)
{
	int64_t age = now_ns - ts->unsynced_since_ns;
	int rc = tickstore_alive(ts);

	if (rc < 0)
		return rc;
	if (ts->unsynced_since_ns != 0 &&
	    (age < 0 || age >= ts->params.sync_interval_ns))
		rc = tickstore_make_durable(ts);
	if (rc == 0)
		rc = check_moved(ts, now_ns);
	if (rc == 0)
		rc = tickstore_quarantine_flush(ts);
	if (rc == 0)
		rc = keep_wal_short(ts, idle);
	if (rc == 0)
		keep_ballast(ts, now_ns);
	return tickstore_failed(ts, rc);
}

void tickstore_status(const struct tickstore *ts, struct store_status *out)
{
	*out = ts->status;
	out->durability = ts->params.durability;
	out->store_id = ts->store_id;
	out->begin_pos = ts->retired_pos + 1;
	out->wal_bytes = sq_wal_bytes(ts->db);
	out->producers = producers_count(ts->producers);
	if (sq_db_bytes(ts->db, &out->db_bytes) < 0)
		out->db_bytes = 0;
}
