/* repair - see repair.h; every step before move() leaves the old files alone. */
#include "store/repair.h"
#include "base/clock.h"
#include "base/err.h"
#include "store/highwater.h"
#include "store/producers.h"
#include "store/rowcrc.h"
#include "store/schema.h"
#include "store/segment.h"
#include "store/sqlite.h"
#include "store/statedir.h"
#include "store/tickstore.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DB_NAME     "tickbus.db"
#define WAL_NAME    DB_NAME "-wal"
#define NEW_NAME    DB_NAME ".repaired"
#define PRODUCERS   65536u
#define FOLDERS_MAX 99 /* of the old files of one second */

struct repair {
	struct sq *from, *to; /* owned */
	int dirfd;            /* owned */
	char path[4096], new_path[4096 + 16];
	uint64_t store_id;
	uint64_t retired_pos;
	uint64_t seen_pos;   /* highest position that any head names */
	uint64_t seen_epoch; /* highest epoch */
	uint64_t *last_seq;  /* owned; [PRODUCERS], of what was kept */
	struct record *recs; /* owned */
	struct segment_run *runs;
	struct repair_report *report;
};

/* Columns of a table, one letter each: i integer, b blob, t text. */
static void copy_row(struct sq_stmt *get, struct sq_stmt *put, const char *columns)
{
	for (int c = 0; columns[c]; c++) {
		size_t len = 0;
		const void *data;

		if (columns[c] == 'i') {
			sq_bind_int(put, c + 1, sq_int(get, c));
			continue;
		}
		data = sq_blob(get, c, &len);
		if (columns[c] == 't')
			sq_bind_text(put, c + 1, data, len);
		else
			sq_bind_blob(put, c + 1, data, len);
	}
}

static int open_pair(struct repair *r, const char *select, const char *insert,
		     struct sq_stmt **get, struct sq_stmt **put)
{
	int rc = sq_prepare(r->from, select, get);

	return rc < 0 ? rc : sq_prepare(r->to, insert, put);
}

/* A table that must be whole: its CRCs are looked at by the next start. */
static int copy_table(struct repair *r, const char *name, const char *columns)
{
	struct sq_stmt *get = NULL, *put = NULL;
	char select[64], insert[96];
	int n = snprintf(insert, sizeof(insert), "INSERT INTO %s VALUES (?", name);
	int rc;

	(void)snprintf(select, sizeof(select), "SELECT * FROM %s ORDER BY 1", name);
	for (size_t c = 1; c < strlen(columns); c++)
		n += snprintf(insert + n, sizeof(insert) - (size_t)n, ", ?");
	(void)snprintf(insert + n, sizeof(insert) - (size_t)n, ")");
	rc = open_pair(r, select, insert, &get, &put);
	while (rc == 0 && (rc = sq_step(get)) == SQ_ROW) {
		copy_row(get, put, columns);
		rc = sq_run(put);
	}
	sq_finish(get);
	sq_finish(put);
	return rc < 0 ? err_prefix(rc, "cannot be repaired") : 0;
}

/* ---- the log ---- */

static void note_runs(struct repair *r, uint32_t n_runs)
{
	for (uint32_t i = 0; i < n_runs; i++) {
		const struct segment_run *run = &r->runs[i];
		uint64_t last = run->first_seq + run->n - 1;

		if (run->producer < PRODUCERS && last > r->last_seq[run->producer])
			r->last_seq[run->producer] = last;
	}
}

/* Good, and next to the one before or behind a hole that an epoch knows: 0. */
static int take_segment(struct repair *r, struct sq_stmt *get, uint64_t expected)
{
	struct segment_raw raw = {
		.head = {.store_id = r->store_id,
			 .first_pos = sq_u64(get, 0),
			 .last_pos = sq_u64(get, 1),
			 .epoch = sq_u64(get, 2),
			 .min_event_ns = sq_int(get, 3),
			 .max_event_ns = sq_int(get, 4),
			 .high_event_ns = sq_int(get, 5),
			 .commit_ns = sq_int(get, 6),
			 .version = (uint32_t)sq_u64(get, 7),
			 .data_crc = (uint32_t)sq_u64(get, 8)},
		.head_crc = (uint32_t)sq_u64(get, 9),
	};
	struct sq_stmt *known = NULL;
	uint32_t n_runs = 0;
	int rc;

	raw.runs = sq_blob(get, 10, &raw.runs_len);
	raw.records = sq_blob(get, 11, &raw.records_len);
	rc = segment_unpack(&raw, r->recs, r->runs, &n_runs);
	if (rc == 0 && raw.head.first_pos < expected)
		rc = err_set(-EBADMSG, "position %" PRIu64 " is there twice",
			     raw.head.first_pos);
	if (rc == 0 && raw.head.first_pos > expected) {
		rc = sq_prepare(r->from,
				"SELECT 1 FROM epoch WHERE first_pos = ?"
				" AND lost_first <= ?",
				&known);
		if (rc == 0) {
			sq_bind_u64(known, 1, raw.head.first_pos);
			sq_bind_u64(known, 2, expected);
			rc = sq_step(known);
			rc = rc == SQ_ROW ? 0
			     : rc < 0     ? rc
					  : err_set(-EBADMSG,
						    "position %" PRIu64 " is missing",
						    expected);
		}
		sq_finish(known);
	}
	if (rc == 0)
		note_runs(r, n_runs);
	return rc;
}

/* What lies behind the cut is only looked at for how far it went. */
static void look_behind(struct repair *r, struct sq_stmt *get)
{
	do {
		uint64_t last = sq_u64(get, 1);

		if (last > r->seen_pos && last < INT64_MAX)
			r->seen_pos = last;
	} while (sq_step(get) == SQ_ROW);
}

static int copy_log(struct repair *r)
{
	static const char select[] =
		"SELECT first_pos, last_pos, epoch, min_event_ns, max_event_ns,"
		" high_event_ns, commit_ns, version, data_crc, head_crc, runs, records"
		" FROM segment ORDER BY first_pos";
	static const char insert[] = "INSERT INTO segment VALUES"
				     " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	struct sq_stmt *get = NULL, *put = NULL;
	uint64_t expected = r->retired_pos + 1;
	int rc = open_pair(r, select, insert, &get, &put);

	while (rc == 0 && (rc = sq_step(get)) == SQ_ROW) {
		rc = take_segment(r, get, expected);
		if (rc < 0) {
			(void)snprintf(r->report->cause, sizeof(r->report->cause), "%s",
				       err_text());
			look_behind(r, get);
			rc = 0;
			break;
		}
		copy_row(get, put, "iiiiiiiiiibb");
		rc = sq_run(put);
		expected = sq_u64(get, 1) + 1;
		if (r->report->first_pos == 0)
			r->report->first_pos = sq_u64(get, 0);
		r->report->last_pos = sq_u64(get, 1);
	}
	if (rc == -EBADMSG || rc == -EIO) { /* the tree itself ends here */
		(void)snprintf(r->report->cause, sizeof(r->report->cause), "%s",
			       err_text());
		rc = 0;
	}
	sq_finish(get);
	sq_finish(put);
	return rc;
}

/* One that is damaged is left out: its record then makes nothing. */
static int copy_articles(struct repair *r)
{
	struct sq_stmt *get = NULL, *put = NULL;
	int rc = open_pair(r, "SELECT pos, key, crc, data FROM article ORDER BY pos",
			   "INSERT INTO article VALUES (?, ?, ?, ?)", &get, &put);

	while (rc == 0 && (rc = sq_step(get)) == SQ_ROW) {
		size_t len = 0;
		const void *text = sq_blob(get, 3, &len);
		uint64_t pos = sq_u64(get, 0);

		rc = 0;
		if (pos > r->report->last_pos ||
		    sq_u64(get, 2) !=
			    rowcrc_article(r->store_id, pos, sq_u64(get, 1), text, len))
			continue;
		copy_row(get, put, "iiib");
		rc = sq_run(put);
	}
	sq_finish(get);
	sq_finish(put);
	return rc == -EBADMSG ? 0 : rc; /* the tree itself ends here */
}

/* ---- what must fit the cut ---- */

/* Epochs that begin behind it would say that something is missing there. */
static int cut_epochs(struct repair *r)
{
	struct sq_stmt *st = NULL;
	int rc = sq_prepare(r->to, "DELETE FROM epoch WHERE first_pos > ?", &st);

	if (rc < 0)
		return rc;
	sq_bind_u64(st, 1, r->report->last_pos + 1);
	rc = sq_run(st);
	sq_finish(st);
	return rc;
}

static int cut_producers(struct repair *r)
{
	struct sq_stmt *get = NULL, *put = NULL;
	int rc = sq_prepare(
		r->from, "SELECT id, name, last_seq FROM producer ORDER BY id", &get);

	if (rc == 0)
		rc = sq_prepare(
			r->to, "UPDATE producer SET last_seq = ?, crc = ? WHERE id = ?",
			&put);
	while (rc == 0 && (rc = sq_step(get)) == SQ_ROW) {
		uint64_t id = sq_u64(get, 0), last = sq_u64(get, 2);
		size_t len = 0;
		const char *name = sq_blob(get, 1, &len);

		/*
		 * What the kept log says, even if that is nothing: a sequence that
		 * is remembered without its record would refuse it as a duplicate
		 * when it is sent again.  Only what retention took cannot be seen.
		 */
		if (id < PRODUCERS && (r->last_seq[id] != 0 || r->retired_pos == 0))
			last = r->last_seq[id];
		sq_bind_u64(put, 1, last);
		sq_bind_int(put, 2,
			    producers_crc(r->store_id, (uint32_t)id, name, len, last));
		sq_bind_u64(put, 3, id);
		rc = sq_run(put);
	}
	sq_finish(get);
	sq_finish(put);
	return rc;
}

/* The next start reports what is missing below the mark; without one it could not. */
static int keep_mark(struct repair *r)
{
	struct repair_report *out = r->report;
	struct highwater_mark m = {0};
	struct highwater *h = NULL;
	int rc = highwater_read(r->dirfd, &m);

	if (rc < 0)
		return rc;
	if (rc > 0 || m.store_id != r->store_id)
		m = (struct highwater_mark){.store_id = r->store_id, .epoch = 1};
	if (r->seen_pos > m.acked_pos || rc > 0) {
		if (r->seen_pos > m.acked_pos)
			m.acked_pos = r->seen_pos;
		if (out->last_pos > m.acked_pos)
			m.acked_pos = out->last_pos;
		if (r->seen_epoch > m.epoch)
			m.epoch = r->seen_epoch;
		m.boot_id = 0; /* no backup's: its epoch may have been heard of */
		m.promised_pos = m.acked_pos;
		m.synced_pos = 0;
		m.generation++;
		rc = highwater_create(r->dirfd, &m, false, &h);
		highwater_close(h);
		if (rc < 0)
			return rc;
	}
	if (m.acked_pos > out->last_pos) {
		out->lost_first = out->last_pos + 1;
		out->lost_last = m.acked_pos;
	}
	return 0;
}

static int fill(struct repair *r)
{
	int64_t epoch = 0;
	int rc = sq_begin(r->to, true);

	if (rc < 0)
		return rc;
	rc = copy_table(r, "meta", "tbi");
	if (rc == 0)
		rc = copy_table(r, "symbol", "iti");
	if (rc == 0)
		rc = copy_table(r, "source", "iti");
	if (rc == 0)
		rc = copy_table(r, "producer", "itii");
	if (rc == 0)
		rc = copy_table(r, "epoch", "iiiiiti");
	if (rc == 0)
		rc = sq_query_int(r->from, "SELECT max(epoch) FROM epoch", &epoch);
	r->seen_epoch = (uint64_t)epoch;
	if (rc == 0)
		rc = copy_log(r);
	if (rc == 0 && r->report->cause[0])
		rc = cut_epochs(r);
	if (rc == 0)
		rc = copy_articles(r);
	/* Always: a tree whose root lost its rows ends early and says nothing. */
	if (rc == 0)
		rc = cut_producers(r);
	if (rc < 0) {
		sq_rollback(r->to);
		return rc;
	}
	rc = sq_commit(r->to);
	if (rc == 0) {
		struct sq_checkpoint done;

		rc = sq_checkpoint(r->to, true, &done);
	}
	return rc;
}

/* The identity, and how much of the log retention has taken. */
static int read_identity(struct repair *r)
{
	struct sq_stmt *st = NULL;
	size_t len = 0;
	const uint8_t *data;
	int64_t version = 0;
	int rc = sq_query_int(r->from, "PRAGMA user_version", &version);

	if (rc == 0 && version != SCHEMA_VERSION)
		rc = err_set(-EBADMSG, "%s has schema version %d, not %d", r->path,
			     (int)version, SCHEMA_VERSION);
	if (rc == 0)
		rc = sq_prepare(r->from,
				"SELECT value FROM meta WHERE key IN"
				" ('store.counts', 'store.id') ORDER BY key",
				&st);
	if (rc == 0 && (rc = sq_step(st)) == SQ_ROW) {
		data = sq_blob(st, 0, &len);
		if (len == 4 * sizeof(uint64_t))
			memcpy(&r->retired_pos, data + 3 * sizeof(uint64_t), 8);
		rc = sq_step(st);
	}
	if (rc == SQ_ROW) {
		data = sq_blob(st, 0, &len);
		if (len == sizeof(r->store_id))
			memcpy(&r->store_id, data, len);
	}
	sq_finish(st);
	if (rc >= 0 && r->store_id == 0)
		rc = err_set(-EBADMSG, "%s: its identity cannot be read", r->path);
	return rc < 0 ? err_prefix(rc, "cannot be repaired") : 0;
}

/* A folder of its own for the old files: a descriptor.  Two repairs may fall into one
   second. */
static int new_folder(struct repair *r, const char *dir, int64_t now_ns)
{
	char folder[64];
	int n = snprintf(folder, sizeof(folder), "damaged-%" PRId64, now_ns / NS_PER_S);
	int rc = mkdirat(r->dirfd, folder, 0700), fd;

	for (int i = 2; rc < 0 && errno == EEXIST && i <= FOLDERS_MAX; i++) {
		(void)snprintf(folder + n, sizeof(folder) - (size_t)n, ".%d", i);
		rc = mkdirat(r->dirfd, folder, 0700);
	}
	if (rc < 0)
		return err_set(-errno, "%s/%s: %s", dir, folder,
			       strerrordesc_np(errno));
	if (snprintf(r->report->kept_in, sizeof(r->report->kept_in), "%s/%s", dir,
		     folder) >= (int)sizeof(r->report->kept_in))
		return err_set(-ENAMETOOLONG, "repair: %s: the path is too long", dir);
	fd = openat(r->dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(-errno, "%s/%s: %s", dir, folder,
				strerrordesc_np(errno))
		      : fd;
}

/* The old files into that folder, the new one into their place. */
static int move(struct repair *r, const char *dir, int64_t now_ns)
{
	int fd = new_folder(r, dir, now_ns), rc = 0;

	if (fd < 0)
		return fd;
	/* The log first: beside the new database it would be taken for its own. */
	if ((renameat(r->dirfd, WAL_NAME, fd, WAL_NAME) < 0 && errno != ENOENT) ||
	    linkat(r->dirfd, DB_NAME, fd, DB_NAME, 0) < 0 ||
	    renameat(r->dirfd, NEW_NAME, r->dirfd, DB_NAME) < 0 || fsync(fd) < 0 ||
	    fsync(r->dirfd) < 0)
		rc = err_set(-errno, "%s: %s", r->report->kept_in,
			     strerrordesc_np(errno));
	close(fd);
	return rc;
}

static int open_both(struct repair *r)
{
	bool created = false;
	int rc = sq_open(r->path, NULL, SCHEMA_APPLICATION_ID, &r->from);

	if (rc == -EBUSY)
		return err_set(rc, "another daemon has %s", r->path);
	if (rc == 0)
		rc = read_identity(r);
	if (rc < 0)
		return rc;
	(void)unlinkat(r->dirfd, NEW_NAME, 0);
	(void)unlinkat(r->dirfd, NEW_NAME "-wal", 0);
	rc = sq_open(r->new_path, NULL, SCHEMA_APPLICATION_ID, &r->to);
	if (rc == 0)
		rc = statedir_own_only(r->dirfd, NEW_NAME);
	return rc < 0 ? rc : schema_open(r->to, r->new_path, &created);
}

static int run(struct repair *r, const char *dir, int64_t now_ns)
{
	struct stat st;
	int rc = statedir_open(dir, &r->dirfd);

	if (rc < 0)
		return rc;
	if (fstatat(r->dirfd, DB_NAME, &st, 0) < 0)
		return err_set(-errno, "%s: %s", r->path, strerrordesc_np(errno));
	rc = open_both(r);
	if (rc == 0)
		rc = fill(r);
	sq_close(r->to);
	r->to = NULL;
	(void)unlinkat(r->dirfd, NEW_NAME "-wal", 0);
	if (rc == 0)
		rc = keep_mark(r);
	/* Still ours: nobody opens the old one while it is moved away. */
	if (rc == 0)
		rc = move(r, dir, now_ns);
	else
		(void)unlinkat(r->dirfd, NEW_NAME, 0);
	return rc;
}

int repair_run(const char *dir, int64_t now_ns, struct repair_report *out)
{
	struct repair *r = calloc(1, sizeof(*r));
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (!r)
		return err_set(-ENOMEM, "repair: no memory");
	r->report = out;
	r->dirfd = -1;
	r->last_seq = calloc(PRODUCERS, sizeof(*r->last_seq));
	r->recs = calloc(SEGMENT_RECORDS_MAX, sizeof(*r->recs));
	r->runs = calloc(SEGMENT_RECORDS_MAX, sizeof(*r->runs));
	if (!r->last_seq || !r->recs || !r->runs)
		rc = err_set(-ENOMEM, "repair: no memory");
	if (snprintf(r->path, sizeof(r->path), "%s/" DB_NAME, dir) >=
	    (int)sizeof(r->path))
		rc = err_set(-ENAMETOOLONG, "repair: %s: the path is too long", dir);
	(void)snprintf(r->new_path, sizeof(r->new_path), "%s/" NEW_NAME, dir);
	if (rc == 0)
		rc = run(r, dir, now_ns);
	sq_close(r->from);
	if (r->dirfd >= 0)
		close(r->dirfd);
	free(r->last_seq);
	free(r->recs);
	free(r->runs);
	free(r);
	return rc;
}
