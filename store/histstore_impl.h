/* histstore_impl - what the files of histstore share; nobody else includes it. */
#pragma once
#include "base/err.h"
#include "store/histchunk.h"
#include "store/histstore.h"
#include "store/rowcrc.h"
#include "store/sqlite.h"
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/** Every statement, prepared at its first use. */
enum hist_sql {
	SQL_SERIES_FIND,
	SQL_SERIES_ADD,
	SQL_SERIES_SET,
	SQL_SERIES_ALL,
	SQL_SERIES_OF,
	SQL_CHUNK_GET,
	SQL_CHUNK_PUT,
	SQL_CHUNK_DEL,
	SQL_CHUNK_RANGE,
	SQL_CHUNK_SUMS,
	SQL_CHUNK_FIRST,
	SQL_CHUNK_LAST,
	SQL_COVER_LIST,
	SQL_COVER_ADD,
	SQL_COVER_DEL,
	SQL_COVER_NEWEST,
	SQL_ARTICLE_GET,
	SQL_ARTICLE_PUT,
	SQL_ARTICLE_SYMBOL,
	SQL_ARTICLE_LIST,
	SQL_ARTICLE_SYMBOLS,
	SQL_ACTION_GET,
	SQL_ACTION_PUT,
	SQL_ACTION_LIST,
	SQL_ACTION_SUMS,
	SQL_VENDOR_GET,
	SQL_VENDOR_PUT,
	SQL_VENDOR_UNCOVER,
	SQL_INDEX_ADD,
	SQL_INDEX_GET,
	SQL_INDEX_LIST,
	SQL_JOB_ADD,
	SQL_JOB_GET,
	SQL_JOB_LIST,
	SQL_JOB_SET,
	SQL_JOB_NEXT,
	SQL_ITEM_ADD,
	SQL_ITEM_SET,
	SQL_ITEM_NEXT,
	SQL_ITEM_LIST,
	SQL_ITEM_COUNT,
	SQL_ITEM_CANCEL,
	SQL_JOB_PRUNE,
	SQL_ITEM_PRUNE,
	SQL_ANALYSIS_ADD,
	SQL_ANALYSIS_GET,
	SQL_ANALYSIS_ORDER,
	SQL_ANALYSIS_SET,
	SQL_ANALYSIS_NEXT,
	SQL_ANALYSIS_PRUNE,
	SQL_ITEM_RESET,
	SQL_ITEM_FAIL,
	SQL_N,
};

struct histstore {
	struct sq *db;                /* owned */
	struct sq_stmt *stmts[SQL_N]; /* owned */
	bool in_transaction;
	_Atomic uint64_t jobs_version; /* +1 with every change of a job or item */
	uint64_t damaged;
	char damage[160];
	struct histchunk *packer; /* owned */
	struct buf chunk;         /* bars of the chunk at hand */
	struct buf merged;        /* ... and what becomes of them */
	struct buf packed;
};

/** A job or item is about to change. */
static inline void hist_jobs_change(struct histstore *h)
{
	atomic_fetch_add_explicit(&h->jobs_version, 1, memory_order_relaxed);
}

/** A row of the table of series, with the totals over its chunks. */
struct hist_row {
	int64_t id;
	struct hist_series series;
	uint64_t bars;
	uint64_t bytes;
	uint64_t chunks;
	char currency[8];
};

/** The statement, or NULL with err_text(). */
struct sq_stmt *hist_stmt(struct histstore *h, enum hist_sql i);
/** The first id behind @after, as @sql gives it; 0, 1: there is none, or < 0. */
int hist_next_id(struct histstore *h, enum hist_sql sql, uint64_t after,
		 uint64_t *out_id);
/** A column of text into a field of @size with its NUL. */
void hist_text(struct sq_stmt *st, int col, char *out, size_t size);
void hist_bind_text(struct sq_stmt *st, int i, const char *text);

/** 0, or 1 when there is none (@out->id is 0). */
int hist_row_find(struct histstore *h, const struct hist_series *s,
		  struct hist_row *out);
/** Find or make. */
int hist_row_make(struct histstore *h, const struct hist_series *s,
		  struct hist_row *out);
/** Write its totals. */
int hist_row_set(struct histstore *h, const struct hist_row *row);

/** Nothing of @r is covered any more. */
int hist_uncover(struct histstore *h, int64_t series, const struct hist_range *r);
