/*
 * duck - the keeper of DuckDB: one database in memory, SQL in, files out.
 *
 * Nothing is kept in the database: it is an engine that reads and writes Parquet.  It
 * loads no extension, asks no network, takes at most the memory and the threads that it
 * is given and spills into the one directory that it is told.  A guarded one reads and
 * writes nothing outside of that directory and the given root, whatever the SQL says.
 *
 * One thread; duck_query()'s time limit has a watchdog of its own.  Errors are
 * DuckDB's first line behind a word of ours.
 */
#pragma once
#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct duck;

struct duck_options {
	uint64_t memory_bytes;
	unsigned threads;     /* 1: results of a COPY are the same bytes each time */
	const char *temp_dir; /* exists; for what does not fit in memory */
	const char *root;     /* guarded: all that may be touched; NULL: not guarded */
};

int duck_open(const struct duck_options *o, struct duck **out);
void duck_close(struct duck *d); /* NULL is fine */
/** Another connection to the same engine, for another thread; close it before @d. */
int duck_share(const struct duck *d, struct duck **out);
/** "v1.4.4", of the library that is loaded. */
const char *duck_version(void);

/** Run statements of our own making.  @out_rows (may be NULL): rows written. */
int duck_run(struct duck *d, const char *sql, uint64_t *out_rows);
/** The same, stopped after @limit_ms: -ETIMEDOUT. */
int duck_run_for(struct duck *d, const char *sql, uint64_t limit_ms,
		 uint64_t *out_rows);
/** First row of @sql as int64s; NULL is @null.  -ENODATA: it has no row. */
int duck_row_i64(struct duck *d, const char *sql, int64_t null, int64_t *out, size_t n);
/** Calls @fn for the text of each row's first column, until it returns other than 0. */
int duck_each_text(struct duck *d, const char *sql,
		   int (*fn)(void *arg, const char *text), void *arg);
/** 0 when @sql is exactly one SELECT that can be prepared; -EINVAL says what else. */
int duck_check_select(struct duck *d, const char *sql);
/**
 * Calls @fn for each table and view that @sql names, until it returns other than 0: for
 * none when it names none, or when that cannot be said without them (USING).
 */
int duck_each_table(struct duck *d, const char *sql,
		    int (*fn)(void *arg, const char *name), void *arg);
/** Append @s (@len bytes) to @sql as a quoted literal, or as a quoted name. */
void duck_quote(struct buf *sql, const char *s, size_t len);
void duck_quote_name(struct buf *sql, const char *s, size_t len);

/*
 * Rows of a table of our own, in bulk: set the cells of a row, then duck_bulk_next().
 * A cell that is not set is NULL.
 */
struct duck_bulk;
/** @kinds has a letter per column, as the table was created: i BIGINT, d DOUBLE,
    t VARCHAR. */
int duck_bulk_open(struct duck *d, const char *table, const char *kinds,
		   struct duck_bulk **out);
void duck_bulk_i64(struct duck_bulk *b, unsigned col, int64_t v);
void duck_bulk_f64(struct duck_bulk *b, unsigned col, double v); /* NaN is NULL */
void duck_bulk_text(struct duck_bulk *b, unsigned col, const char *s, size_t len);
int duck_bulk_next(struct duck_bulk *b);
/** Flushes when @keep and frees @b; the error is of the flush. */
int duck_bulk_close(struct duck_bulk *b, bool keep);
