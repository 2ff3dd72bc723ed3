/* schema - the tables of each version, and the upgrade. */
#include "store/schema.h"
#include "base/err.h"
#include "store/sqlite.h"
#include "store/sqlite_copy.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Unsigned 64-bit numbers stand in SQLite's signed integers bit for bit.  Every
 * row has a CRC over the store's id and all of its columns, since the database
 * file itself has none: store/rowcrc.h.
 */
static const char *const step_0_to_1[] = {
	/* One row per commit; no other index: it would cost more than the row. */
	"CREATE TABLE segment("
	" first_pos INTEGER PRIMARY KEY, last_pos INTEGER NOT NULL,"
	" epoch INTEGER NOT NULL, min_event_ns INTEGER NOT NULL,"
	" max_event_ns INTEGER NOT NULL, high_event_ns INTEGER NOT NULL,"
	" commit_ns INTEGER NOT NULL, version INTEGER NOT NULL,"
	" data_crc INTEGER NOT NULL, head_crc INTEGER NOT NULL,"
	" runs BLOB NOT NULL, records BLOB NOT NULL) STRICT",
	"CREATE TABLE producer("
	" id INTEGER PRIMARY KEY, name TEXT NOT NULL, last_seq INTEGER NOT NULL,"
	" crc INTEGER NOT NULL) STRICT",
	"CREATE TABLE symbol("
	" id INTEGER PRIMARY KEY, name TEXT NOT NULL, crc INTEGER NOT NULL) STRICT",
	"CREATE TABLE source("
	" id INTEGER PRIMARY KEY, name TEXT NOT NULL, crc INTEGER NOT NULL) STRICT",
	"CREATE TABLE epoch("
	" epoch INTEGER PRIMARY KEY, first_pos INTEGER NOT NULL,"
	" lost_first INTEGER NOT NULL, lost_last INTEGER NOT NULL,"
	" since_ns INTEGER NOT NULL, reason TEXT NOT NULL, crc INTEGER NOT NULL) "
	"STRICT",
	/* id = kind << 56 | serial: each kind grows at its own end. */
	"CREATE TABLE derived("
	" id INTEGER PRIMARY KEY, first_pos INTEGER NOT NULL, last_pos INTEGER NOT "
	"NULL,"
	" high_pos INTEGER NOT NULL, n_events INTEGER NOT NULL,"
	" total_bytes INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL) "
	"STRICT",
	"CREATE TABLE snapshot("
	" pos INTEGER PRIMARY KEY, version INTEGER NOT NULL, crc INTEGER NOT NULL,"
	" data BLOB NOT NULL) STRICT",
	"CREATE TABLE meta("
	" key TEXT PRIMARY KEY, value BLOB NOT NULL, crc INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID",
	/* slot = id % quarantine_max: a ring that never needs a DELETE. */
	"CREATE TABLE quarantine("
	" slot INTEGER PRIMARY KEY, id INTEGER NOT NULL, recv_ns INTEGER NOT NULL,"
	" reason INTEGER NOT NULL, producer INTEGER NOT NULL, crc INTEGER NOT NULL,"
	" text BLOB NOT NULL) "
	"STRICT",
	NULL,
};

/*
 * Derived events have grown a chain: they are made anew from the log, and published
 * again (subscribers know their sequences).  A snapshot is a head and its parts now.
 */
static const char *const step_1_to_2[] = {
	"DROP TABLE snapshot",
	"DELETE FROM derived",
	"CREATE TABLE snapshot("
	" pos INTEGER PRIMARY KEY, version INTEGER NOT NULL, n_parts INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT",
	"CREATE TABLE snapshot_part("
	" pos INTEGER NOT NULL, part INTEGER NOT NULL, crc INTEGER NOT NULL,"
	" data BLOB NOT NULL, PRIMARY KEY (pos, part)) STRICT",
	NULL,
};

/* The text of a record of news; few enough for an index of who wrote what. */
static const char *const step_2_to_3[] = {
	"CREATE TABLE article("
	" pos INTEGER PRIMARY KEY, key INTEGER NOT NULL, crc INTEGER NOT NULL,"
	" data BLOB NOT NULL) STRICT",
	"CREATE INDEX article_key ON article(key, pos)",
	NULL,
};

static const schema_step steps[SCHEMA_VERSION] = {step_0_to_1, step_1_to_2,
						  step_2_to_3};

static int sync_file(const char *path)
{
	int rc = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_set(-errno, "backup %s: open: %s", path,
			       strerrordesc_np(errno));
	if (fchmod(fd, 0600) < 0 || fsync(fd) < 0)
		rc = err_set(-errno, "backup %s: sync: %s", path,
			     strerrordesc_np(errno));
	close(fd);
	return rc;
}

/* Whole under its name or not there: a half-written copy stays ".tmp". */
static int backup(struct sq *db, const char *path, int version)
{
	char bak[4096];
	char tmp[4096];
	int len = snprintf(bak, sizeof(bak), "%s.v%d.bak", path, version);
	int rc;

	if (len < 0 || (size_t)len + 5 > sizeof(tmp))
		return err_set(-ENAMETOOLONG, "backup of %s: the path is too long",
			       path);
	(void)snprintf(tmp, sizeof(tmp), "%.*s.tmp", len, bak);
	if (unlink(tmp) < 0 && errno != ENOENT)
		return err_set(-errno, "backup %s: %s", tmp, strerrordesc_np(errno));
	rc = sq_copy_into(db, tmp);
	if (rc == 0)
		rc = sync_file(tmp);
	if (rc < 0)
		return err_prefix(rc, "no upgrade without a backup");
	if (rename(tmp, bak) < 0)
		return err_set(-errno, "backup %s: rename: %s", bak,
			       strerrordesc_np(errno));
	return 0;
}

static int run_steps(struct sq *db, const struct schema *s, int from)
{
	char sql[96];
	int rc = sq_begin(db, true);

	if (rc < 0)
		return rc;
	for (int v = from; rc == 0 && v < s->n_steps; v++)
		for (schema_step sql_of = s->steps[v]; rc == 0 && *sql_of; sql_of++)
			rc = sq_exec(db, *sql_of);
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", s->n_steps);
	if (rc == 0)
		rc = sq_exec(db, sql);
	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d",
		       s->application_id);
	if (rc == 0)
		rc = sq_exec(db, sql);
	if (rc < 0) {
		sq_rollback(db);
		return rc;
	}
	return sq_commit(db);
}

int schema_bring(struct sq *db, const char *path, const struct schema *s,
		 bool *out_created)
{
	int64_t version = 0;
	int64_t app = 0;
	int64_t tables = 0;
	int rc = sq_query_int(db, "PRAGMA user_version", &version);

	if (rc == 0)
		rc = sq_query_int(db, "PRAGMA application_id", &app);
	if (rc == 0)
		rc = sq_query_int(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (rc < 0)
		return rc;

	*out_created = version == 0 && app == 0 && tables == 0;
	if (*out_created)
		return run_steps(db, s, 0);
	if (app != s->application_id)
		return err_set(-EBADMSG, "%s is not a tickbus database", path);
	if (version > s->n_steps || version < 1)
		return err_set(-EBADMSG,
			       "%s has schema version %" PRId64
			       ", this build knows 1 to %d: left untouched",
			       path, version, s->n_steps);
	if (version == s->n_steps)
		return 0;
	rc = backup(db, path, (int)version);
	if (rc < 0)
		return rc;
	return run_steps(db, s, (int)version);
}

int schema_open(struct sq *db, const char *path, bool *out_created)
{
	const struct schema log = {SCHEMA_APPLICATION_ID, steps, SCHEMA_VERSION};

	return schema_bring(db, path, &log, out_created);
}
