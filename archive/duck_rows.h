/*
 * duck_rows - the rows of a SELECT, a block at a time, as columns of a few types.
 *
 * What is none of these types is cast: smaller whole numbers and those without sign to
 * the next larger, HUGEINT and DECIMAL to double (as in DuckDB's Parquet), every time
 * to nanoseconds, the rest to text.  Blocks are made as they are fetched, so that the
 * whole need not be in memory.
 */
#pragma once
#include "archive/duck.h"

enum duck_kind {
	DUCK_BOOL, /* bool, a byte each */
	DUCK_I32,
	DUCK_I64,
	DUCK_F64,
	DUCK_TIME, /* int64 ns of UTC */
	DUCK_DATE, /* int32 days since 1970 */
	DUCK_TEXT, /* UTF-8; duck_rows_text() */
};

struct duck_column {
	const char *name;
	enum duck_kind kind;
	const void *data;      /* of the present block; not of text */
	const uint64_t *valid; /* a bit per row, 1: a value; NULL: all have one */
};

struct duck_rows;

/** @as_text: every column is text, whatever its kind.  Interrupted @limit_ms from now
 * on.
 */
int duck_rows_open(struct duck *d, const char *select, bool as_text, uint64_t limit_ms,
		   struct duck_rows **out);
/** The columns; their data changes with each block. */
const struct duck_column *duck_rows_columns(const struct duck_rows *r, size_t *out_n);
/** The next block's rows, > 0; 1: there are no more. */
int duck_rows_next(struct duck_rows *r, size_t *out_rows);
const char *duck_rows_text(const struct duck_rows *r, size_t column, size_t row,
			   size_t *out_len);
static inline bool duck_rows_is_null(const struct duck_column *c, size_t row)
{
	return c->valid != NULL && !(c->valid[row / 64] >> row % 64 & 1);
}
/** NULL is fine.  @rc as of the last call; with the time limit's sentence. */
int duck_rows_close(struct duck_rows *r, int rc);

/** Append the plan that EXPLAIN or EXPLAIN ANALYZE, with its SELECT, gives. */
int duck_explain(struct duck *d, const char *sql, uint64_t limit_ms, struct buf *out);
