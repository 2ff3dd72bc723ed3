/*
 * tickstore_open - from a directory to a store that may be believed.
 *
 * Nothing is written to a database before it has passed every check, so one
 * that is refused stays as it was found:
 *
 *	lock -> schema -> identity -> counts, names, producers -> epochs
 *	     -> every segment's head, no hole -> newest segments whole
 *	     -> high-water: is anything missing at the end?
 *	     -> new epoch if so -> checkpoint (TRUNCATE) -> high-water anew
 *
 * The checkpoint must succeed before the first acknowledgement: what an unclean
 * start recovered from the WAL may be in the page cache only, and answering
 * "duplicate" to a producer would acknowledge what the disk never got.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/bootid.h"
#include "store/recover.h"
#include "store/rowcrc.h"
#include "store/schema.h"
#include "store/statedir.h"
#include "store/tickstore_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DB_NAME  "tickbus.db"
#define WAL_NAME DB_NAME "-wal"

static void defaults(struct store_params *p)
{
#define DEFAULT(field, value)                                                          \
	do {                                                                           \
		if (p->field == 0)                                                     \
			p->field = (value);                                            \
	} while (0)
	DEFAULT(sync_interval_ns, NS_PER_S);
	DEFAULT(segment_max, 4096);
	DEFAULT(cache_bytes_max, UINT64_C(64) << 20);
	DEFAULT(symbols_max, 65536);
	DEFAULT(sources_max, 256);
	DEFAULT(producers_max, 1024);
	DEFAULT(wal_bytes_max, UINT64_C(32) << 20);
	DEFAULT(ballast_bytes, UINT64_C(16) << 20);
	DEFAULT(quarantine_max, 10000);
	DEFAULT(quarantine_rate, 100);
#undef DEFAULT
	if (p->segment_max > SEGMENT_RECORDS_MAX)
		p->segment_max = SEGMENT_RECORDS_MAX;
}

static int allocate(struct tickstore *ts)
{
	const struct store_params *p = &ts->params;
	uint64_t slots = p->cache_bytes_max / sizeof(struct record);

	if (slots < 2 * (uint64_t)p->segment_max)
		slots = 2 * (uint64_t)p->segment_max;
	ts->ring_slots = slots;
	ts->ring = calloc(slots, sizeof(*ts->ring));
	ts->scratch = calloc(p->segment_max, sizeof(*ts->scratch));
	ts->runs = calloc(p->segment_max, sizeof(*ts->runs));
	ts->refusals = calloc(p->quarantine_rate, sizeof(*ts->refusals));
	if (!ts->ring || !ts->scratch || !ts->runs || !ts->refusals)
		return err_set(-ENOMEM, "the store: no memory for its buffers");
	return 0;
}

#define HEAD_COLUMNS                                                                   \
	"first_pos, last_pos, epoch, min_event_ns, max_event_ns, high_event_ns,"       \
	" commit_ns, version, data_crc, head_crc"

static int prepare(struct tickstore *ts)
{
	const struct {
		struct sq_stmt **stmt;
		const char *sql;
	} list[] = {
		{&ts->put_segment,
		 "INSERT INTO segment(" HEAD_COLUMNS ", runs, records)"
		 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
		{&ts->seg_at, "SELECT " HEAD_COLUMNS ", runs, records FROM segment"
			      " WHERE first_pos <= ? ORDER BY first_pos DESC LIMIT 1"},
		{&ts->seg_after, "SELECT " HEAD_COLUMNS ", runs, records FROM segment"
				 " WHERE first_pos > ? ORDER BY first_pos LIMIT 1"},
		{&ts->seg_head,
		 "SELECT " HEAD_COLUMNS " FROM segment"
		 " WHERE first_pos <= ? ORDER BY first_pos DESC LIMIT 1"},
		{&ts->seg_delete, "DELETE FROM segment WHERE first_pos = ?"},
		{&ts->article_put, "INSERT INTO article VALUES (?, ?, ?, ?)"},
		{&ts->article_get, "SELECT key, crc, data FROM article WHERE pos = ?"},
		{&ts->article_find,
		 "SELECT pos FROM article WHERE key = ? ORDER BY pos DESC LIMIT 1"},
		{&ts->article_retire, "DELETE FROM article WHERE pos <= ?"},
		{&ts->meta_put, "INSERT OR REPLACE INTO meta VALUES (?, ?, ?)"},
		{&ts->meta_get, "SELECT value, crc FROM meta WHERE key = ?"},
		{&ts->derived_put,
		 "INSERT INTO derived VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
		{&ts->derived_get, "SELECT * FROM derived WHERE id >= ? AND id <= ?"
				   " ORDER BY id LIMIT ?"},
		{&ts->derived_delete, "DELETE FROM derived WHERE id = ?"},
		{&ts->derived_first,
		 "SELECT id, high_pos, total_bytes, length(data), first_pos"
		 " FROM derived WHERE id >= ? AND id <= ?"
		 " ORDER BY id LIMIT 1"},
		{&ts->snapshot_put,
		 "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?)"},
		{&ts->snapshot_get,
		 "SELECT pos, version, n_parts, bytes, crc FROM snapshot"
		 " WHERE pos <= ? ORDER BY pos DESC"},
		{&ts->snapshot_drop, "DELETE FROM snapshot WHERE pos = ?"},
		{&ts->snapshot_part_put,
		 "INSERT OR REPLACE INTO snapshot_part VALUES (?, ?, ?, ?)"},
		{&ts->snapshot_part_get, "SELECT part, crc, data FROM snapshot_part"
					 " WHERE pos = ? AND part >= ? ORDER BY part"},
		{&ts->snapshot_part_trim, "DELETE FROM snapshot_part WHERE pos NOT IN"
					  " (SELECT pos FROM snapshot)"},
		{&ts->snapshot_trim, "DELETE FROM snapshot WHERE pos NOT IN"
				     " (SELECT pos FROM snapshot ORDER BY pos DESC"
				     " LIMIT 2)"},
		{&ts->refusal_put,
		 "INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?)"},
		{&ts->refusal_list,
		 "SELECT id, recv_ns, reason, producer, crc, text"
		 " FROM quarantine WHERE id > ? ORDER BY id LIMIT ?"},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(list) / sizeof(list[0]); i++)
		rc = sq_prepare(ts->db, list[i].sql, list[i].stmt);
	return rc;
}

static void unprepare(struct tickstore *ts)
{
	struct sq_stmt **list[] = {
		&ts->put_segment,        &ts->seg_at,
		&ts->seg_after,          &ts->seg_head,
		&ts->seg_delete,         &ts->meta_put,
		&ts->meta_get,           &ts->derived_put,
		&ts->derived_get,        &ts->derived_delete,
		&ts->derived_first,      &ts->snapshot_put,
		&ts->snapshot_get,       &ts->snapshot_trim,
		&ts->snapshot_drop,      &ts->refusal_put,
		&ts->snapshot_part_put,  &ts->snapshot_part_get,
		&ts->snapshot_part_trim, &ts->refusal_list,
		&ts->article_put,        &ts->article_get,
		&ts->article_find,       &ts->article_retire,
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		sq_finish(*list[i]);
		*list[i] = NULL;
	}
}

static int open_database(struct tickstore *ts)
{
	char path[4096];
	int64_t rows = 0;
	struct stat st;
	int rc = statedir_open(ts->params.dir, &ts->dirfd);

	if (rc < 0)
		return rc;
	rc = snprintf(path, sizeof(path), "%s/" DB_NAME, ts->params.dir);
	if (rc < 0 || (size_t)rc >= sizeof(path))
		return err_set(-ENAMETOOLONG,
			       "state directory %s: the path is too long",
			       ts->params.dir);
	ts->path = strdup(path);
	if (!ts->path)
		return err_set(-ENOMEM, "the store: no memory");

	/*
	 * One owner, by a lock that is had or not: SQLite's are taken step by step, and
	 * of many that start at once each may see another's and leave.  Held until
	 * dirfd is closed.
	 */
	if (flock(ts->dirfd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(-EBUSY, "another daemon has %s", ts->path)
			       : err_set(-errno, "state directory %s: lock: %s",
					 ts->params.dir, strerrordesc_np(errno));
	ts->status.unclean =
		fstatat(ts->dirfd, WAL_NAME, &st, 0) == 0 && st.st_size > 0;
	rc = sq_open(ts->path, ts->params.vfs, SCHEMA_APPLICATION_ID, &ts->db);
	if (rc == -EBUSY)
		return err_set(rc, "another daemon has %s", ts->path);
	if (rc == 0)
		rc = statedir_own_only(ts->dirfd, DB_NAME);
	if (rc == 0)
		rc = statedir_own_only(ts->dirfd, WAL_NAME);
	if (rc == 0)
		rc = schema_open(ts->db, ts->path, &ts->status.created);
	/* A crash between the tables and the identity leaves a new one as well. */
	if (rc == 0)
		rc = sq_query_int(ts->db,
				  "SELECT (SELECT count(*) FROM meta) +"
				  " (SELECT count(*) FROM epoch) +"
				  " EXISTS (SELECT 1 FROM segment)",
				  &rows);
	if (rc == 0)
		ts->status.created = rows == 0;
	return rc;
}

/* The rows that must be there, so that a vanished one is noticed. */
struct counts {
	uint64_t symbols;
	uint64_t sources;
	uint64_t producers;
	uint64_t retired_pos;
};

int tickstore_put_counts(struct tickstore *ts)
{
	struct counts c = {
		.symbols = names_rows(&ts->symbols),
		.sources = names_rows(&ts->sources),
		.producers = producers_count(ts->producers),
		.retired_pos = ts->retired_pos,
	};

	return tickstore_meta_write(ts, "store.counts", &c, sizeof(c));
}

/* A new database gets its identity and its first epoch in one transaction. */
static int found(struct tickstore *ts, int64_t now_ns)
{
	int rc;

	ts->store_id = hash_mix((uint64_t)now_ns ^ (uint64_t)getpid() << 40);
	rc = sq_begin(ts->db, true);
	if (rc < 0)
		return rc;
	rc = tickstore_meta_write(ts, "store.id", &ts->store_id, sizeof(ts->store_id));
	if (rc == 0)
		rc = tickstore_put_counts(ts);
	if (rc == 0)
		rc = recover_put_epoch(ts,
				       &(struct recover_epoch){.epoch = 1,
							       .first_pos = 1,
							       .since_ns = now_ns,
							       .reason = "created"});
	if (rc < 0) {
		sq_rollback(ts->db);
		return rc;
	}
	return sq_commit(ts->db);
}

static int fixed_meta(struct tickstore *ts, const char *key, void *out, size_t len)
{
	const void *data = NULL;
	size_t got = 0;
	int rc = tickstore_meta_read(ts, key, &data, &got);

	if (rc == STORE_NONE || (rc == 0 && got != len))
		return err_set(-EBADMSG, "%s is damaged: '%s' is missing", ts->path,
			       key);
	if (rc == 0)
		memcpy(out, data, len);
	return rc;
}

static int load_tables(struct tickstore *ts)
{
	struct counts c = {0};
	int rc = fixed_meta(ts, "store.id", &ts->store_id, sizeof(ts->store_id));

	if (rc == 0)
		rc = fixed_meta(ts, "store.counts", &c, sizeof(c));
	if (rc == 0)
		rc = names_load(&ts->symbols, ts->store_id, c.symbols);
	if (rc == 0)
		rc = names_load(&ts->sources, ts->store_id, c.sources);
	if (rc == 0)
		rc = producers_load(ts->producers, ts->store_id, c.producers);
	ts->retired_pos = c.retired_pos;
	return rc;
}

static int load(struct tickstore *ts, const struct store_names *symbols,
		const struct store_names *sources, int64_t now_ns)
{
	int rc = prepare(ts);

	if (rc == 0)
		rc = names_open(&ts->symbols, ts->db, "symbol", symbols);
	if (rc == 0)
		rc = names_open(&ts->sources, ts->db, "source", sources);
	if (rc == 0)
		rc = producers_new(ts->db, ts->params.producers_max, &ts->producers);
	if (rc == 0 && ts->status.created)
		rc = found(ts, now_ns);
	if (rc == 0)
		rc = load_tables(ts);
	if (rc == 0)
		rc = recover_check(ts, now_ns);
	if (rc == 0)
		rc = tickstore_derived_load(ts);
	if (rc == 0)
		rc = tickstore_quarantine_load(ts);
	if (rc == 0)
		rc = tickstore_snapshot_load(ts);
	return rc;
}

/* From here on the files are ours to change. */
static int take_over(struct tickstore *ts)
{
	struct highwater_mark m = {0};
	int rc = tickstore_checkpoint(ts, true);

	if (rc == 0 && ts->status.disk_full) {
		/* A new start on a full disk: the ballast is for this. */
		tickstore_ballast_drop(ts);
		ts->status.disk_full = false;
		rc = tickstore_checkpoint(ts, true);
	}
	if (rc == 0 && ts->status.disk_full)
		rc = err_set(-ENOSPC,
			     "%s: the disk is full, the log cannot be recovered",
			     ts->path);
	if (rc < 0)
		return rc;
	m = (struct highwater_mark){
		.store_id = ts->store_id,
		.epoch = ts->status.epoch,
		.acked_pos = ts->next_pos - 1,
		.synced_pos = ts->next_pos - 1,
		.promised_pos = tickstore_promise(ts, ts->next_pos - 1),
		.boot_id = ts->boot_id,
		.generation = 1,
	};
	ts->promised_pos = m.promised_pos;
	rc = highwater_create(ts->dirfd, &m, ts->params.durability == DURABILITY_FULL,
			      &ts->highwater);
	if (rc == 0 && fsync(ts->dirfd) < 0)
		rc = err_set(-errno, "state directory: sync: %s",
			     strerrordesc_np(errno));
	if (rc < 0)
		return rc;
	ts->status.durable_pos = ts->status.last_pos;
	if (tickstore_ballast_make(ts) < 0 && !ts->status.warning[0])
		(void)snprintf(ts->status.warning, sizeof(ts->status.warning),
			       "continuing without %s", err_text());
	return 0;
}

static void destroy(struct tickstore *ts)
{
	unprepare(ts);
	names_close(&ts->symbols);
	names_close(&ts->sources);
	producers_free(ts->producers);
	sq_close(ts->db);
	highwater_close(ts->highwater);
	if (ts->dirfd >= 0)
		close(ts->dirfd);
	free(ts->path);
	free(ts->lost);
	free(ts->ring);
	free(ts->scratch);
	free(ts->runs);
	free(ts->cold);
	free(ts->cold_runs);
	free(ts->refusals);
	free(ts->blob);
	buf_free(&ts->articles);
	buf_free(&ts->article);
	free(ts);
}

int tickstore_open(const struct store_params *params, const struct store_names *symbols,
		   const struct store_names *sources, int64_t now_ns,
		   struct tickstore **out)
{
	struct tickstore *ts = calloc(1, sizeof(*ts));
	int rc;

	if (!ts)
		return err_set(-ENOMEM, "the store: no memory");
	ts->dirfd = -1;
	ts->hold_pos = UINT64_MAX;
	ts->boot_id = bootid_read();
	ts->params = *params;
	ts->moved_checked_ns = now_ns;
	ts->ballast_tried_ns = now_ns;
	defaults(&ts->params);

	rc = allocate(ts);
	if (rc == 0)
		rc = open_database(ts);
	if (rc == 0)
		rc = load(ts, symbols, sources, now_ns);
	if (rc == 0)
		rc = take_over(ts);
	if (rc < 0)
		goto fail;

	ts->ring_base = ts->ring_top = ts->next_pos;
	ts->ready = true;
	*out = ts;
	return 0;
fail:
	destroy(ts);
	return rc;
}

int tickstore_close(struct tickstore *ts)
{
	int rc = 0;

	if (!ts)
		return 0;
	if (ts->ready && !ts->status.dead) {
		tickstore_abort(ts);
		rc = tickstore_quarantine_flush(ts);
		if (rc == 0)
			rc = tickstore_make_durable(ts);
		if (rc == 0)
			rc = tickstore_checkpoint(ts, true);
		if (rc == 0)
			rc = tickstore_mark_end(ts);
	}
	destroy(ts);
	return rc;
}
