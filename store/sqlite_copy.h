/*
 * sqlite_copy - a copy of a database that goes on being written, a few pages at a time.
 *
 * It is made on the thread of the source's connection, between transactions: what that
 * connection commits meanwhile goes into the copy as well (SQLite's backup does that
 * for a source written by the connection that it reads), so the copy that is complete
 * at one moment is the database of that moment, however long it took.
 */
#pragma once
#include "store/sqlite.h"

struct sq_copy;

/** sq_copy_step(): there is more. */
enum { SQ_COPY_MORE = 1 };

/** Begin to copy @from into the new file @path of mode 0600 (-EEXIST: it is there). */
int sq_copy_begin(struct sq *from, const char *path, struct sq_copy **out);
/** Copy up to @pages more: SQ_COPY_MORE, 0 when complete, or an error of the copy, of
 * which the source knows nothing.  -EBUSY: a transaction is open. */
int sq_copy_step(struct sq_copy *c, int pages);
/** Pages so far, and of the whole; both may grow. */
void sq_copy_progress(const struct sq_copy *c, uint64_t *done, uint64_t *total);
/** Close the copy (not synced); one that is not complete is no database.  NULL is fine.
 */
void sq_copy_end(struct sq_copy *c);
/** A consistent copy of the whole database as a new file, at once. */
int sq_copy_into(struct sq *db, const char *path);
