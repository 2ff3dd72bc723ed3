/*
 * sqlite - one exclusive connection in WAL mode; why each setting is what it is:
 *
 *   locking_mode=EXCLUSIVE before journal_mode=WAL: no shared memory file, a
 *       second process gets "locked", and SQLite's WAL-reset bug (3.7.0 to
 *       3.51.2) cannot happen, since it needs two connections.
 *   wal_autocheckpoint=0, NO_CKPT_ON_CLOSE: checkpoints are ours, between
 *       commits; and a database that we refuse is left as it was found.
 *   synchronous=FULL: a commit syncs the WAL; NORMAL for what may be made again.
 *   mmap_size=0: a bad page is an error, not SIGBUS.
 *   secure_delete=OFF: Debian's build has it on; deleting would write twice.
 *   cell_size_check=ON: damage is found where it is, at a small cost.
 *   trusted_schema=OFF, DEFENSIVE: a damaged or foreign schema runs nothing.
 */
#include "store/sqlite.h"
#include "base/err.h"
#include "store/sqlite_impl.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOB_MAX (512 * 1024 * 1024) /* the largest snapshot */

struct sq {
	sqlite3 *db;              /* owned */
	struct sq_stmt *begin;    /* owned */
	struct sq_stmt *commit;   /* owned */
	struct sq_stmt *rollback; /* owned */
	int64_t page_bytes;
	uint64_t wal_pages; /* kept by the commit hook */
	bool full_sync;     /* the present value of synchronous */
	int sys;            /* errno after the last call that may touch a file */
};

struct sq_stmt {
	struct sq *sq;
	sqlite3_stmt *stmt; /* owned */
	int bind_rc;        /* the first binding that failed */
};

/* What a failed read, write or sync means: see reason for each below. */
static int ioerr_errno(int code, int sys)
{
	/*
	 * SQLite calls only ENOSPC "full".  A quota and a file size limit are
	 * the same thing to us, as long as it was a write: a sync that fails
	 * leaves pages in an unknown state, whatever its errno.
	 */
	if (code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_TRUNCATE)
		if (sys == ENOSPC || sys == EDQUOT || sys == EFBIG)
			return -ENOSPC;
	return code == SQLITE_IOERR_NOMEM ? -ENOMEM : -EIO;
}

int sq_errno(int code, int sys)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_IOERR:
		return ioerr_errno(code, sys);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT: /* a row that is there twice: the table is not ours */
	case SQLITE_SCHEMA:
	case SQLITE_ERROR: /* our SQL is fixed: it fails when the schema is damaged */
	case SQLITE_MISMATCH:
	case SQLITE_FORMAT:
		return -EBADMSG;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return sys ? -sys : -EIO;
	case SQLITE_TOOBIG:
		return -EFBIG;
	default:
		return -EINVAL;
	}
}

/*
 * SQLite does not keep the errno of a failed COMMIT (sqlite3_system_errno() is
 * for other statements), so it is taken from the thread: cleared before a call,
 * read after it.  It may be stale only when nothing failed.
 */
static int fail(struct sq *s, int code, const char *what)
{
	int sys = s->sys;
	int extended = s->db ? sqlite3_extended_errcode(s->db) : code;

	/* The handle remembers its last error, which may not be this one. */
	if ((extended & 0xff) != (code & 0xff))
		extended = code;
	if ((code & 0xff) == SQLITE_CORRUPT) /* no system's error, whatever one left */
		sys = 0;
	return err_set(sq_errno(extended, sys), "database: %s: %s (%d)%s%s", what,
		       s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code), extended,
		       sys ? ": " : "", sys ? strerrordesc_np(sys) : "");
}

/* Called by SQLite after each commit with the number of pages in the WAL. */
static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct sq *s = arg;

	(void)db;
	(void)name;
	s->wal_pages = (uint64_t)pages;
	return SQLITE_OK;
}

static int expect_text(struct sq *s, const char *sql, const char *want)
{
	struct sq_stmt *st = NULL;
	int rc = sq_prepare(s, sql, &st);

	if (rc < 0)
		return rc;
	rc = sq_step(st);
	if (rc == SQ_ROW) {
		const unsigned char *got = sqlite3_column_text(st->stmt, 0);

		rc = 0;
		if (!got || strcmp((const char *)got, want) != 0)
			rc = err_set(-EINVAL, "database: %s answered '%s', not '%s'",
				     sql, got ? (const char *)got : "", want);
	}
	sq_finish(st);
	return rc;
}

/* Before WAL mode changes its header: is it ours, or still nothing? */
static int check_ours(struct sq *s, int32_t application_id)
{
	int64_t pages = 0;
	int64_t id = 0;
	int rc = sq_query_int(s, "PRAGMA page_count", &pages);

	if (rc == 0)
		rc = sq_query_int(s, "PRAGMA application_id", &id);
	if (rc == 0 && pages > 1 && id != application_id)
		rc = err_set(-EBADMSG, "%s is not a tickbus database",
			     sqlite3_db_filename(s->db, "main"));
	return rc;
}

static int configure(struct sq *s, int32_t application_id)
{
	static const char *const settings[] = {
		"PRAGMA synchronous = FULL",  "PRAGMA wal_autocheckpoint = 0",
		"PRAGMA mmap_size = 0",       "PRAGMA temp_store = MEMORY",
		"PRAGMA secure_delete = OFF", "PRAGMA cell_size_check = ON",
		"PRAGMA foreign_keys = OFF",  "PRAGMA journal_size_limit = 67108864",
		"PRAGMA cache_size = -65536", "PRAGMA recursive_triggers = OFF",
	};
	int rc = expect_text(s, "PRAGMA locking_mode = EXCLUSIVE", "exclusive");

	if (rc == 0)
		rc = check_ours(s, application_id);
	/* Takes effect on a new database only, and before WAL mode. */
	if (rc == 0)
		rc = sq_exec(s, "PRAGMA page_size = 16384");
	if (rc == 0)
		rc = expect_text(s, "PRAGMA journal_mode = WAL", "wal");
	for (size_t i = 0; rc == 0 && i < sizeof(settings) / sizeof(settings[0]); i++)
		rc = sq_exec(s, settings[i]);
	if (rc == 0)
		rc = sq_query_int(s, "PRAGMA page_size", &s->page_bytes);
	return rc;
}

static void harden(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, BLOB_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 8192);
	sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 32);
	sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 32);
	sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 4);
	sqlite3_limit(db, SQLITE_LIMIT_FUNCTION_ARG, 8);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 1); /* VACUUM INTO needs one */
	sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, 32);
	sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
	sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
}

int sq_open(const char *path, const char *vfs, int32_t application_id, struct sq **out)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
	struct sq *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_set(-ENOMEM, "database: no memory to open it");

	rc = sqlite3_open_v2(path, &s->db, flags, vfs);
	if (rc != SQLITE_OK) {
		s->sys = s->db ? sqlite3_system_errno(s->db) : 0;
		rc = fail(s, rc, "open");
		goto fail;
	}
	harden(s->db);
	s->full_sync = true;
	/* SQLite falls back to reading by itself, and fails later and oddly. */
	if (sqlite3_db_readonly(s->db, "main") == 1)
		rc = err_set(-EROFS, "%s: the file or its disk is read-only", path);
	if (rc == 0)
		rc = configure(s, application_id);
	if (rc < 0)
		goto fail;
	sqlite3_wal_hook(s->db, on_wal, s);
	rc = sq_prepare(s, "BEGIN IMMEDIATE", &s->begin);
	if (rc == 0)
		rc = sq_prepare(s, "COMMIT", &s->commit);
	if (rc == 0)
		rc = sq_prepare(s, "ROLLBACK", &s->rollback);
	/* The first write lock is taken now and kept: one daemon per database. */
	if (rc == 0)
		rc = sq_begin(s, true);
	if (rc == 0)
		rc = sq_commit(s);
	if (rc < 0)
		goto fail;

	*out = s;
	return 0;
fail:
	sq_close(s);
	return rc;
}

void sq_close(struct sq *s)
{
	if (!s)
		return;
	sq_finish(s->begin);
	sq_finish(s->commit);
	sq_finish(s->rollback);
	if (s->db) {
		int rc = sqlite3_close(s->db);

		assert(rc == SQLITE_OK); /* else a statement was forgotten */
		(void)rc;
	}
	free(s);
}

int sq_exec(struct sq *s, const char *sql)
{
	int rc;

	errno = 0;
	rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	s->sys = errno;
	return rc == SQLITE_OK ? 0 : fail(s, rc, sql);
}

int sq_query_int(struct sq *s, const char *sql, int64_t *out)
{
	struct sq_stmt *st = NULL;
	int rc = sq_prepare(s, sql, &st);

	if (rc < 0)
		return rc;
	rc = sq_step(st);
	if (rc >= 0)
		*out = rc == SQ_ROW ? sq_int(st, 0) : 0;
	sq_finish(st);
	return rc < 0 ? rc : 0;
}

int sq_begin(struct sq *s, bool synced)
{
	if (synced != s->full_sync) {
		int rc = sq_exec(s, synced ? "PRAGMA synchronous = FULL"
					   : "PRAGMA synchronous = NORMAL");

		if (rc < 0)
			return rc;
		s->full_sync = synced;
	}
	return sq_run(s->begin);
}

int sq_commit(struct sq *s)
{
	int rc = sq_run(s->commit);

	if (rc < 0)
		sq_rollback(s);
	return rc;
}

void sq_rollback(struct sq *s)
{
	/* Some errors end the transaction by themselves. */
	if (sqlite3_get_autocommit(s->db))
		return;
	(void)sqlite3_step(s->rollback->stmt);
	(void)sqlite3_reset(s->rollback->stmt);
}

int sq_prepare(struct sq *s, const char *sql, struct sq_stmt **out)
{
	struct sq_stmt *st = calloc(1, sizeof(*st));
	int rc;

	if (!st)
		return err_set(-ENOMEM, "database: no memory for a statement");
	st->sq = s;
	errno = 0;
	rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->stmt,
				NULL);
	s->sys = errno;
	if (rc != SQLITE_OK) {
		free(st);
		return fail(s, rc, sql);
	}
	*out = st;
	return 0;
}

void sq_finish(struct sq_stmt *st)
{
	if (!st)
		return;
	(void)sqlite3_finalize(st->stmt);
	free(st);
}

static void bound(struct sq_stmt *st, int rc)
{
	if (rc != SQLITE_OK && st->bind_rc == SQLITE_OK)
		st->bind_rc = rc;
}

void sq_bind_int(struct sq_stmt *st, int i, int64_t v)
{
	bound(st, sqlite3_bind_int64(st->stmt, i, v));
}

void sq_bind_u64(struct sq_stmt *st, int i, uint64_t v)
{
	bound(st, sqlite3_bind_int64(st->stmt, i, (int64_t)v));
}

void sq_bind_blob(struct sq_stmt *st, int i, const void *data, size_t len)
{
	/* An empty blob is not NULL: a null pointer would bind NULL. */
	bound(st,
	      sqlite3_bind_blob64(st->stmt, i, len ? data : "", len, SQLITE_STATIC));
}

void sq_bind_text(struct sq_stmt *st, int i, const char *text, size_t len)
{
	bound(st, sqlite3_bind_text64(st->stmt, i, len ? text : "", len, SQLITE_STATIC,
				      SQLITE_UTF8));
}

int sq_step(struct sq_stmt *st)
{
	int rc;

	assert(st != NULL);
	rc = st->bind_rc;
	errno = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st->stmt);
	st->sq->sys = errno;
	if (rc == SQLITE_ROW)
		return SQ_ROW;
	if (rc != SQLITE_DONE)
		rc = fail(st->sq, rc, sqlite3_sql(st->stmt));
	else
		rc = 0;
	sq_reset(st);
	return rc;
}

int sq_run(struct sq_stmt *st)
{
	int rc = sq_step(st);

	if (rc == SQ_ROW) {
		sq_reset(st);
		rc = 0;
	}
	return rc;
}

int64_t sq_int(struct sq_stmt *st, int col)
{
	return sqlite3_column_int64(st->stmt, col);
}

uint64_t sq_u64(struct sq_stmt *st, int col)
{
	return (uint64_t)sqlite3_column_int64(st->stmt, col);
}

const void *sq_blob(struct sq_stmt *st, int col, size_t *out_len)
{
	const void *p = sqlite3_column_blob(st->stmt, col);

	*out_len = (size_t)sqlite3_column_bytes(st->stmt, col);
	return p ? p : "";
}

void sq_reset(struct sq_stmt *st)
{
	(void)sqlite3_reset(st->stmt);
	(void)sqlite3_clear_bindings(st->stmt);
	st->bind_rc = SQLITE_OK;
}

int sq_checkpoint(struct sq *s, bool truncate, struct sq_checkpoint *out)
{
	int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	int wal = 0;
	int done = 0;
	int rc;

	errno = 0;
	rc = sqlite3_wal_checkpoint_v2(s->db, "main", mode, &wal, &done);
	s->sys = errno;
	if (rc != SQLITE_OK)
		return fail(s, rc, "checkpoint");
	if (wal < 0)
		wal = done = 0;
	*out = (struct sq_checkpoint){.wal_pages = wal, .done_pages = done};
	/* The next commit starts at the WAL's beginning once all was copied. */
	s->wal_pages = (uint64_t)(wal - done);
	return 0;
}

int sq_sync_wal(struct sq *s)
{
	sqlite3_file *wal = NULL;
	int rc = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER,
				      (void *)&wal);

	if (rc != SQLITE_OK || !wal || !wal->pMethods)
		return err_set(-EIO, "database: the WAL is not open");
	rc = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
	if (rc != SQLITE_OK)
		return err_set(-EIO, "database: sync of the WAL: %s (%d)",
			       sqlite3_errstr(rc), rc);
	return 0;
}

uint64_t sq_wal_bytes(const struct sq *s)
{
	return s->wal_pages * (uint64_t)(s->page_bytes + 24);
}

int sq_db_bytes(struct sq *s, uint64_t *out)
{
	int64_t pages = 0;
	int rc = sq_query_int(s, "PRAGMA page_count", &pages);

	if (rc == 0)
		*out = (uint64_t)pages * (uint64_t)s->page_bytes;
	return rc;
}

int sq_has_moved(struct sq *s)
{
	int moved = 0;
	int rc = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);

	if (rc == SQLITE_NOTFOUND)
		return 0; /* a file layer that cannot tell */
	if (rc != SQLITE_OK)
		return fail(s, rc, "has it moved");
	return moved != 0;
}

sqlite3 *sq_handle(struct sq *s)
{
	return s->db;
}
