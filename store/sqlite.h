/*
 * sqlite - the keeper of SQLite: the only file that knows sqlite3.h.
 *
 * It opens the one connection with the settings that the log depends on,
 * translates result codes into negated errnos with a sentence, and hides
 * nothing else: SQL stands where it is used.
 *
 *   -EBUSY    somebody else holds the database
 *   -ENOSPC   no room on the disk (also quota and file size limits)
 *   -EBADMSG  damaged, or not a database
 *   -EIO      a read, write or sync failed
 *   -ENOMEM, -EROFS, -EACCES, ...
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sq;
struct sq_stmt;

enum { SQ_ROW = 1 };

/**
 * Open or create @path, exclusively, in WAL mode, without automatic checkpoints
 * and without one at close.  @vfs NULL: the system's.  A database that is there
 * and has another application id is refused with -EBADMSG, untouched.
 */
int sq_open(const char *path, const char *vfs, int32_t application_id, struct sq **out);
/** Finalise @db; statements must be gone.  NULL is fine. */
void sq_close(struct sq *db);

/** Run SQL text without results.  The text is ours, never foreign. */
int sq_exec(struct sq *db, const char *sql);
/** The first column of the first row of @sql as an integer (0 without a row). */
int sq_query_int(struct sq *db, const char *sql, int64_t *out);

/**
 * Begin a transaction; at its commit @synced decides whether the WAL is synced.
 */
int sq_begin(struct sq *db, bool synced);
/** Commit; after an error the transaction is rolled back. */
int sq_commit(struct sq *db);
/** End a transaction without a trace, if one is open. */
void sq_rollback(struct sq *db);

int sq_prepare(struct sq *db, const char *sql, struct sq_stmt **out);
void sq_finish(struct sq_stmt *s);
/** Bind from 1.  Text and blobs are borrowed until sq_reset(). */
void sq_bind_int(struct sq_stmt *s, int i, int64_t v);
void sq_bind_u64(struct sq_stmt *s, int i, uint64_t v);
void sq_bind_blob(struct sq_stmt *s, int i, const void *data, size_t len);
void sq_bind_text(struct sq_stmt *s, int i, const char *text, size_t len);
/** SQ_ROW, 0 when done, or an error.  After 0 or an error it is reset. */
int sq_step(struct sq_stmt *s);
/** Step a statement that returns no rows to its end. */
int sq_run(struct sq_stmt *s);
/** Columns from 0, valid until the next step or reset. */
int64_t sq_int(struct sq_stmt *s, int col);
uint64_t sq_u64(struct sq_stmt *s, int col);
const void *sq_blob(struct sq_stmt *s, int col, size_t *out_len);
void sq_reset(struct sq_stmt *s);

/** What a checkpoint found. */
struct sq_checkpoint {
	int64_t wal_pages;
	int64_t done_pages;
};

/** Copy the WAL into the database; @truncate: and cut the WAL to nothing. */
int sq_checkpoint(struct sq *db, bool truncate, struct sq_checkpoint *out);
/** fdatasync the WAL, through SQLite's own handle. */
int sq_sync_wal(struct sq *db);
/** Bytes in the WAL that a checkpoint has not taken over (an estimate). */
uint64_t sq_wal_bytes(const struct sq *db);
/** Bytes of the database file in use by pages, free ones included. */
int sq_db_bytes(struct sq *db, uint64_t *out);
/** Was the file renamed or removed under us?  0 no, 1 yes, < 0 error. */
int sq_has_moved(struct sq *db);
