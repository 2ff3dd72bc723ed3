/*
 * histstore - opening, transactions, series; bars are histstore_bars.c, coverage is
 * histstore_cover.c, the rest histstore_more.c and histjobs.c.
 */
#include "store/histstore.h"
#include "store/histstore_impl.h"
#include "store/schema.h"
#include <stdio.h>
#include <stdlib.h>

#define APPLICATION_ID 0x74626869 /* "tbhi" */
#define WAL_MAX        (UINT64_C(16) << 20)

/*
 * A chunk's id is its series and its number in time (histstore_bars.c), so that the
 * chunks of a series lie side by side in one tree.  A series carries the totals over
 * its chunks: what the cache holds is known without reading it.  Rows have a checksum
 * (store/rowcrc.h), since the file has none.
 */
static const char *const step_0_to_1[] = {
	"CREATE TABLE series("
	" id INTEGER PRIMARY KEY, source TEXT NOT NULL, symbol TEXT NOT NULL,"
	" step_s INTEGER NOT NULL, feed TEXT NOT NULL, adjust INTEGER NOT NULL,"
	" bars INTEGER NOT NULL, bytes INTEGER NOT NULL, chunks INTEGER NOT NULL,"
	" currency TEXT NOT NULL,"
	" UNIQUE (source, symbol, step_s, feed, adjust)) STRICT",
	"CREATE INDEX series_by_symbol ON series(symbol)",
	"CREATE TABLE chunk("
	" id INTEGER PRIMARY KEY, bars INTEGER NOT NULL, codec INTEGER NOT NULL,"
	" crc INTEGER NOT NULL, data BLOB NOT NULL) STRICT",
	"CREATE TABLE cover("
	" series INTEGER NOT NULL, from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL,"
	" fetched_ns INTEGER NOT NULL, crc INTEGER NOT NULL,"
	" PRIMARY KEY (series, from_ns)) STRICT, WITHOUT ROWID",
	"CREATE TABLE article("
	" source TEXT NOT NULL, id TEXT NOT NULL, created_ns INTEGER NOT NULL,"
	" updated_ns INTEGER NOT NULL, headline TEXT NOT NULL, summary TEXT NOT NULL,"
	" url TEXT NOT NULL, publisher TEXT NOT NULL,"
	" PRIMARY KEY (source, id)) STRICT, WITHOUT ROWID",
	"CREATE TABLE article_symbol("
	" symbol TEXT NOT NULL, source TEXT NOT NULL, id TEXT NOT NULL,"
	" PRIMARY KEY (symbol, source, id)) STRICT, WITHOUT ROWID",
	"CREATE TABLE action("
	" source TEXT NOT NULL, symbol TEXT NOT NULL, kind INTEGER NOT NULL,"
	" ex_date INTEGER NOT NULL, new_symbol TEXT NOT NULL, currency TEXT NOT NULL,"
	" numerator_e9 INTEGER NOT NULL, denominator_e9 INTEGER NOT NULL,"
	" amount_e9 INTEGER NOT NULL,"
	" PRIMARY KEY (source, symbol, kind, ex_date)) STRICT, WITHOUT ROWID",
	"CREATE TABLE vendor("
	" name TEXT NOT NULL PRIMARY KEY, reached TEXT NOT NULL) STRICT",
	"CREATE TABLE member("
	" name TEXT NOT NULL, symbol TEXT NOT NULL, added_ns INTEGER NOT NULL,"
	" PRIMARY KEY (name, symbol)) STRICT, WITHOUT ROWID",
	"CREATE TABLE job("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL,"
	" created_ns INTEGER NOT NULL, finished_ns INTEGER NOT NULL,"
	" what INTEGER NOT NULL, sources TEXT NOT NULL, index_name TEXT NOT NULL,"
	" from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL, step_s INTEGER NOT NULL,"
	" adjust INTEGER NOT NULL, items INTEGER NOT NULL) STRICT",
	"CREATE TABLE item("
	" job INTEGER NOT NULL, n INTEGER NOT NULL, symbol TEXT NOT NULL,"
	" state INTEGER NOT NULL, source TEXT NOT NULL, rows INTEGER NOT NULL,"
	" requests INTEGER NOT NULL, reason TEXT NOT NULL,"
	" PRIMARY KEY (job, n)) STRICT, WITHOUT ROWID",
	NULL,
};

/* What an article is about, asked from the article. */
static const char *const step_1_to_2[] = {
	"CREATE INDEX article_symbol_by_article ON article_symbol(source, id)",
	NULL,
};

/* What stands beside a job that computes. */
static const char *const step_2_to_3[] = {
	"CREATE TABLE analysis("
	" job INTEGER PRIMARY KEY, format TEXT NOT NULL, words TEXT NOT NULL,"
	" holdings TEXT NOT NULL, bytes INTEGER NOT NULL, tries INTEGER NOT NULL,"
	" why TEXT NOT NULL) STRICT",
	NULL,
};

#define SERIES_COLUMNS                                                                 \
	"id, source, symbol, step_s, feed, adjust, bars, bytes, chunks, currency"

static const char *const sql[SQL_N] = {
	[SQL_SERIES_FIND] =
		"SELECT " SERIES_COLUMNS " FROM series WHERE source = ?"
		" AND symbol = ? AND step_s = ? AND feed = ? AND adjust = ?",
	[SQL_SERIES_ADD] =
		"INSERT INTO series(source, symbol, step_s, feed, adjust, bars, bytes,"
		" chunks, currency) VALUES (?, ?, ?, ?, ?, 0, 0, 0, '') RETURNING id",
	[SQL_SERIES_SET] =
		"UPDATE series SET bars = ?, bytes = ?, chunks = ?, currency = ?"
		" WHERE id = ?",
	[SQL_SERIES_ALL] = "SELECT " SERIES_COLUMNS " FROM series"
			   " ORDER BY source, symbol, step_s, feed, adjust",
	[SQL_SERIES_OF] = "SELECT " SERIES_COLUMNS " FROM series WHERE symbol = ?"
			  " ORDER BY source, symbol, step_s, feed, adjust",
	[SQL_CHUNK_GET] = "SELECT id, bars, codec, crc, data FROM chunk WHERE id = ?",
	[SQL_CHUNK_PUT] = "INSERT OR REPLACE INTO chunk(id, bars, codec, crc, data)"
			  " VALUES (?, ?, ?, ?, ?)",
	[SQL_CHUNK_DEL] = "DELETE FROM chunk WHERE id = ? RETURNING bars, length(data)",
	[SQL_CHUNK_RANGE] =
		"SELECT id FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1",
	[SQL_CHUNK_SUMS] =
		"SELECT id, crc FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id",
	[SQL_CHUNK_FIRST] = "SELECT min(id) FROM chunk WHERE id BETWEEN ? AND ?",
	[SQL_CHUNK_LAST] = "SELECT max(id) FROM chunk WHERE id BETWEEN ? AND ?",
	[SQL_COVER_LIST] = "SELECT from_ns, to_ns, fetched_ns, crc FROM cover"
			   " WHERE series = ? AND from_ns <= ? AND to_ns >= ?"
			   " ORDER BY from_ns",
	[SQL_COVER_ADD] =
		"INSERT OR REPLACE INTO cover(series, from_ns, to_ns, fetched_ns, crc)"
		" VALUES (?, ?, ?, ?, ?)",
	[SQL_COVER_DEL] = "DELETE FROM cover WHERE series = ? AND from_ns = ?",
	[SQL_COVER_NEWEST] = "SELECT max(fetched_ns) FROM cover WHERE series = ?",
	[SQL_ARTICLE_GET] =
		"SELECT updated_ns, headline, summary, url, publisher FROM article"
		" WHERE source = ? AND id = ?",
	[SQL_ARTICLE_PUT] =
		"INSERT OR REPLACE INTO article(source, id, created_ns, updated_ns,"
		" headline, summary, url, publisher) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_ARTICLE_SYMBOL] =
		"INSERT OR IGNORE INTO article_symbol(symbol, source, id)"
		" VALUES (?, ?, ?)",
	[SQL_ARTICLE_LIST] =
		"SELECT a.source, a.id, created_ns, updated_ns, headline, summary, url,"
		" publisher FROM article_symbol s JOIN article a USING (source, id)"
		" WHERE symbol = ? AND created_ns >= ? AND created_ns < ?"
		" ORDER BY created_ns, a.source, a.id LIMIT ? OFFSET ?",
	[SQL_ARTICLE_SYMBOLS] = "SELECT symbol FROM article_symbol"
				" WHERE source = ? AND id = ? ORDER BY symbol LIMIT 32",
	[SQL_ACTION_GET] = "SELECT new_symbol, currency, numerator_e9, denominator_e9,"
			   " amount_e9 FROM action WHERE source = ? AND symbol = ?"
			   " AND kind = ? AND ex_date = ?",
	[SQL_ACTION_PUT] =
		"INSERT OR REPLACE INTO action(source, symbol, kind, ex_date,"
		" new_symbol, currency, numerator_e9, denominator_e9, amount_e9)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_ACTION_LIST] =
		"SELECT kind, ex_date, new_symbol, currency, numerator_e9,"
		" denominator_e9, amount_e9 FROM action WHERE symbol = ?1 AND source ="
		" (SELECT source FROM action WHERE symbol = ?1 GROUP BY source"
		" ORDER BY count(*) DESC, source LIMIT 1) ORDER BY ex_date, kind",
	/* The sum is of remainders: sums of large numbers may overflow. */
	[SQL_ACTION_SUMS] =
		"SELECT symbol, count(*), sum(ex_date % 99991 + amount_e9 % 99991 * 3"
		" + numerator_e9 % 99991 * 5 + denominator_e9 % 99991 * 7)"
		" FROM action WHERE symbol > ? GROUP BY symbol ORDER BY symbol LIMIT ?",
	[SQL_VENDOR_GET] = "SELECT reached FROM vendor WHERE name = ?",
	[SQL_VENDOR_PUT] = "INSERT OR REPLACE INTO vendor(name, reached) VALUES (?, ?)",
	[SQL_VENDOR_UNCOVER] = "DELETE FROM cover WHERE series IN"
			       " (SELECT id FROM series WHERE source = ?)",
	[SQL_INDEX_ADD] = "INSERT OR IGNORE INTO member(name, symbol, added_ns)"
			  " VALUES (?, ?, ?)",
	[SQL_INDEX_GET] =
		"SELECT symbol, added_ns FROM member WHERE name = ? ORDER BY symbol",
	[SQL_INDEX_LIST] = "SELECT name, count(*), min(added_ns) FROM member"
			   " GROUP BY name ORDER BY name LIMIT ?",
	[SQL_JOB_ADD] = "INSERT INTO job(state, created_ns, finished_ns, what, sources,"
			" index_name, from_ns, to_ns, step_s, adjust, items)"
			" VALUES (0, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
	[SQL_JOB_GET] = "SELECT id, state, created_ns, finished_ns, what, sources,"
			" index_name, from_ns, to_ns, step_s, adjust, items"
			" FROM job WHERE id = ?",
	[SQL_JOB_LIST] = "SELECT id, state, created_ns, finished_ns, what, sources,"
			 " index_name, from_ns, to_ns, step_s, adjust, items"
			 " FROM job ORDER BY id DESC LIMIT ?",
	[SQL_JOB_SET] = "UPDATE job SET state = ?, finished_ns = ? WHERE id = ?",
	[SQL_JOB_NEXT] = "SELECT id FROM job WHERE id > ? AND state = 0"
			 " AND what < 3 ORDER BY id LIMIT 1",
	[SQL_ITEM_ADD] = "INSERT INTO item(job, n, symbol, state, source, rows,"
			 " requests, reason) VALUES (?, ?, ?, 0, '', 0, 0, '')",
	[SQL_ITEM_SET] = "UPDATE item SET state = ?, source = ?, rows = ?,"
			 " requests = ?, reason = ? WHERE job = ? AND n = ?",
	[SQL_ITEM_NEXT] = "SELECT n, symbol FROM item WHERE job = ? AND n > ?"
			  " AND state = 0 ORDER BY n LIMIT 1",
	[SQL_ITEM_LIST] = "SELECT n, symbol, state, source, rows, requests, reason"
			  " FROM item WHERE job = ? AND n > ? AND state >= ?"
			  " ORDER BY n LIMIT ?",
	[SQL_ITEM_COUNT] = "SELECT state, count(*), sum(rows), sum(requests) FROM item"
			   " WHERE job = ? GROUP BY state",
	[SQL_ITEM_CANCEL] = "UPDATE item SET state = 3, reason = 'cancelled'"
			    " WHERE job = ? AND state = 0",
	[SQL_JOB_PRUNE] = "DELETE FROM job WHERE state <> 0 AND id <= ?",
	[SQL_ITEM_PRUNE] = "DELETE FROM item WHERE job <= ?"
			   " AND job NOT IN (SELECT id FROM job)",
	[SQL_ANALYSIS_ADD] = "INSERT INTO analysis(job, format, words, holdings, bytes,"
			     " tries, why) VALUES (?, ?, ?, ?, 0, 0, '')",
	[SQL_ANALYSIS_GET] =
		"SELECT format, bytes, tries, why FROM analysis WHERE job = ?",
	[SQL_ANALYSIS_ORDER] = "SELECT words, holdings FROM analysis WHERE job = ?",
	[SQL_ANALYSIS_SET] =
		"UPDATE analysis SET bytes = ?, tries = ?, why = ? WHERE job = ?",
	[SQL_ANALYSIS_NEXT] = "SELECT id FROM job WHERE id > ? AND state = 0"
			      " AND what >= 3 ORDER BY id LIMIT 1",
	[SQL_ANALYSIS_PRUNE] = "DELETE FROM analysis WHERE job <= ?"
			       " AND job NOT IN (SELECT id FROM job)",
	[SQL_ITEM_RESET] = "UPDATE item SET state = 0, reason = '' WHERE job = ?",
	[SQL_ITEM_FAIL] =
		"UPDATE item SET state = 2, reason = ? WHERE job = ? AND state <> 2",
};

struct sq_stmt *hist_stmt(struct histstore *h, enum hist_sql i)
{
	if (h->stmts[i] == NULL && sq_prepare(h->db, sql[i], &h->stmts[i]) < 0)
		return NULL;
	return h->stmts[i];
}

void hist_text(struct sq_stmt *st, int col, char *out, size_t size)
{
	size_t len;
	const char *text = sq_blob(st, col, &len);

	memset(out, 0, size);
	memcpy(out, text, len < size ? len : size - 1);
}

void hist_bind_text(struct sq_stmt *st, int i, const char *text)
{
	sq_bind_text(st, i, text, strlen(text));
}

/* ---- open, close, transactions ---- */

static int damaged(int rc, const char *path)
{
	if (rc != -EBADMSG)
		return rc;
	return err_prefix(rc,
			  "%s cannot be used; it holds only what can be fetched again: "
			  "move it away and start anew",
			  path);
}

int histstore_open(const char *dir, struct histstore **out)
{
	static const schema_step steps[] = {step_0_to_1, step_1_to_2, step_2_to_3};
	static const struct schema schema = {APPLICATION_ID, steps, 3};
	struct histstore *h = calloc(1, sizeof(*h));
	char path[4096];
	bool created;
	int n = snprintf(path, sizeof(path), "%s/history.db", dir);
	int rc;

	if (h == NULL)
		return err_set(-ENOMEM, "out of memory for the history");
	if (n < 0 || (size_t)n >= sizeof(path)) {
		free(h);
		return err_set(-ENAMETOOLONG, "history.db: the path is too long");
	}
	rc = histchunk_new(&h->packer);
	if (rc == 0)
		rc = sq_open(path, NULL, APPLICATION_ID, &h->db);
	if (rc == 0)
		rc = schema_bring(h->db, path, &schema, &created);
	/* It is read in long strides: pages that were used once are not kept. */
	if (rc == 0)
		rc = sq_exec(h->db, "PRAGMA cache_size = -8192");
	if (rc < 0) {
		(void)histstore_close(h);
		return damaged(rc, path);
	}
	*out = h;
	return 0;
}

int histstore_close(struct histstore *h)
{
	struct sq_checkpoint done;
	int rc = 0;

	if (h == NULL)
		return 0;
	for (int i = 0; i < SQL_N; i++)
		sq_finish(h->stmts[i]);
	if (h->db != NULL) {
		sq_rollback(h->db);
		rc = sq_checkpoint(h->db, true, &done);
		sq_close(h->db);
	}
	histchunk_free(h->packer);
	buf_free(&h->chunk);
	buf_free(&h->merged);
	buf_free(&h->packed);
	free(h);
	return rc;
}

int histstore_begin(struct histstore *h)
{
	int rc = sq_begin(h->db, true);

	h->in_transaction = rc == 0;
	return rc;
}

int histstore_commit(struct histstore *h)
{
	struct sq_checkpoint done;
	int rc = sq_commit(h->db);

	h->in_transaction = false;
	/* The keeper opens without automatic checkpoints: they happen here. */
	if (rc == 0 && sq_wal_bytes(h->db) > WAL_MAX)
		rc = sq_checkpoint(h->db, false, &done);
	return rc;
}

void histstore_rollback(struct histstore *h)
{
	sq_rollback(h->db);
	h->in_transaction = false;
}

/* ---- series ---- */

static void read_row(struct sq_stmt *st, struct hist_row *out)
{
	*out = (struct hist_row){.id = sq_int(st, 0)};
	hist_text(st, 1, out->series.source, sizeof(out->series.source));
	hist_text(st, 2, out->series.symbol, sizeof(out->series.symbol));
	out->series.step_s = (uint32_t)sq_u64(st, 3);
	hist_text(st, 4, out->series.feed, sizeof(out->series.feed));
	out->series.adjust = (uint8_t)sq_u64(st, 5);
	out->bars = sq_u64(st, 6);
	out->bytes = sq_u64(st, 7);
	out->chunks = sq_u64(st, 8);
	hist_text(st, 9, out->currency, sizeof(out->currency));
}

static void bind_series(struct sq_stmt *st, const struct hist_series *s)
{
	hist_bind_text(st, 1, s->source);
	hist_bind_text(st, 2, s->symbol);
	sq_bind_int(st, 3, s->step_s);
	hist_bind_text(st, 4, s->feed);
	sq_bind_int(st, 5, s->adjust);
}

int hist_row_find(struct histstore *h, const struct hist_series *s,
		  struct hist_row *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_SERIES_FIND);
	int rc;

	*out = (struct hist_row){.series = *s};
	if (st == NULL)
		return -EBADMSG;
	bind_series(st, s);
	rc = sq_step(st);
	if (rc == SQ_ROW)
		read_row(st, out);
	sq_reset(st);
	return rc == SQ_ROW ? 0 : rc < 0 ? rc : 1;
}

int hist_row_make(struct histstore *h, const struct hist_series *s,
		  struct hist_row *out)
{
	struct sq_stmt *st;
	int rc = hist_row_find(h, s, out);

	if (rc <= 0)
		return rc;
	st = hist_stmt(h, SQL_SERIES_ADD);
	if (st == NULL)
		return -EBADMSG;
	bind_series(st, s);
	rc = sq_step(st);
	if (rc == SQ_ROW) {
		out->id = sq_int(st, 0);
		rc = sq_run(st); /* the statement ends, or nothing is inserted */
	}
	return rc;
}

int hist_row_set(struct histstore *h, const struct hist_row *row)
{
	struct sq_stmt *st = hist_stmt(h, SQL_SERIES_SET);

	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, row->bars);
	sq_bind_u64(st, 2, row->bytes);
	sq_bind_u64(st, 3, row->chunks);
	hist_bind_text(st, 4, row->currency);
	sq_bind_int(st, 5, row->id);
	return sq_run(st);
}

/* All rows first: what is called for each may write. */
static int list_rows(struct histstore *h, const char *symbol, struct buf *out)
{
	struct sq_stmt *st = hist_stmt(h, symbol ? SQL_SERIES_OF : SQL_SERIES_ALL);
	struct hist_row row;
	int rc;

	if (st == NULL)
		return -EBADMSG;
	if (symbol != NULL)
		hist_bind_text(st, 1, symbol);
	while ((rc = sq_step(st)) == SQ_ROW) {
		read_row(st, &row);
		buf_add(out, &row, sizeof(row));
	}
	return rc;
}

int histstore_each(struct histstore *h, const char *symbol,
		   int (*fn)(void *arg, const struct hist_summary *s), void *arg)
{
	struct buf rows = {0};
	struct hist_summary sum;
	int rc = list_rows(h, symbol, &rows);

	for (size_t i = 0; rc == 0 && i < rows.len / sizeof(struct hist_row); i++) {
		const struct hist_row *row =
			(const struct hist_row *)(const void *)rows.data + i;

		rc = histstore_summary(h, &row->series, &sum);
		rc = rc == 0 ? fn(arg, &sum) : rc < 0 ? rc : 0;
	}
	buf_free(&rows);
	return rc;
}

int histstore_each_row(struct histstore *h, const char *symbol,
		       int (*fn)(void *arg, const struct hist_summary *s), void *arg)
{
	struct buf rows = {0};
	int rc = list_rows(h, symbol, &rows);

	for (size_t i = 0; rc == 0 && i < rows.len / sizeof(struct hist_row); i++) {
		const struct hist_row *row =
			(const struct hist_row *)(const void *)rows.data + i;
		struct hist_summary sum = {.series = row->series,
					   .bars = row->bars,
					   .bytes = row->bytes,
					   .chunks = row->chunks};

		memcpy(sum.currency, row->currency, sizeof(sum.currency));
		rc = fn(arg, &sum);
	}
	buf_free(&rows);
	return rc;
}

int histstore_drop_adjusted(struct histstore *h, const char *symbol,
			    const struct hist_range *r, uint64_t *out_bars)
{
	struct buf rows = {0};
	int rc = list_rows(h, symbol, &rows);

	*out_bars = 0;
	for (size_t i = 0; rc == 0 && i < rows.len / sizeof(struct hist_row); i++) {
		const struct hist_row *row =
			(const struct hist_row *)(const void *)rows.data + i;
		uint64_t bars = 0;

		if (row->series.adjust == HIST_RAW ||
		    row->series.step_s == HISTSTORE_ACTIONS ||
		    row->series.step_s == HISTSTORE_NEWS)
			continue;
		rc = histstore_drop(h, &row->series, r, &bars);
		*out_bars += bars;
	}
	buf_free(&rows);
	return rc;
}
