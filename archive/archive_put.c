/*
 * archive_put - read, merge, de-duplicate, write beside, replace.
 */
#include "archive/archive_own.h"
#include "archive/layout.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct part {
	struct layout_part key;
	int32_t yyyymm;
	uint64_t rows; /* staged */
	int64_t last_ns;
	bool is_plain; /* one maker and revision, each bar later than the one before */
	struct barrow first;
};

/* The staged row: its number, its file, then what ARCHIVE_COLUMNS asks for. */
#define STAGED                                                                         \
	"CREATE OR REPLACE TABLE staged (idx BIGINT, part BIGINT, start BIGINT, "      \
	"bar_end BIGINT, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, "         \
	"volume DOUBLE, trade_count DOUBLE, vwap DOUBLE, revision BIGINT, "            \
	"final BIGINT, state VARCHAR, source VARCHAR, feed VARCHAR, adjust VARCHAR, "  \
	"price_type VARCHAR, log_return_1 DOUBLE, spread_estimate DOUBLE, "            \
	"is_missing BIGINT, is_outlier BIGINT, valid_bar BIGINT, "                     \
	"spread_method VARCHAR, outlier_reason BIGINT)"
#define STAGED_KINDS "iiiidddddddiitttttddiiiti"

static int begin(struct archive *a)
{
	struct duck_options o = {a->memory_bytes, 1, a->tmp, NULL};
	int rc = 0;

	if (!a->is_writer)
		return err_set(-EROFS, "%s: opened for reading alone", a->dir);
	if (!a->writer)
		rc = duck_open(&o, &a->writer);
	if (rc == 0)
		rc = duck_run(a->writer, STAGED, NULL);
	if (rc == 0)
		rc = duck_bulk_open(a->writer, "staged", STAGED_KINDS, &a->bulk);
	return rc;
}

/* Rows come in runs of one file, so the file of the row before is tried first. */
static size_t part_of(struct archive *a, const struct barrow *r)
{
	int32_t yyyymm = layout_month(r->start_ns);

	for (size_t k = 0; k < a->n_parts; k++) {
		size_t i = (a->at_part + k) % a->n_parts;
		const struct part *p = &a->parts[i];

		if (p->yyyymm == yyyymm && p->key.step_s == r->step_s &&
		    strcmp(p->key.symbol, r->symbol) == 0)
			return i;
	}
	a->parts = realloc(a->parts, (a->n_parts + 1) * sizeof(*a->parts));
	if (!a->parts)
		abort();
	a->parts[a->n_parts] = (struct part){.key = {.step_s = r->step_s,
						     .year = yyyymm / 100,
						     .month = (unsigned)(yyyymm % 100)},
					     .yyyymm = yyyymm,
					     .last_ns = INT64_MIN,
					     .is_plain = true,
					     .first = *r};
	memcpy(a->parts[a->n_parts].key.symbol, r->symbol, sizeof(r->symbol));
	return a->n_parts++;
}

/* Rows that come sorted need no sort: what a vendor's page holds, mostly. */
static void note_order(struct part *p, const struct barrow *r)
{
	if (r->start_ns <= p->last_ns || r->revision != p->first.revision ||
	    r->price_type != p->first.price_type ||
	    strcmp(r->source, p->first.source) != 0 ||
	    strcmp(r->feed, p->first.feed) != 0 ||
	    strcmp(r->adjust, p->first.adjust) != 0)
		p->is_plain = false;
	p->last_ns = r->start_ns;
	p->rows++;
}

static void text(struct duck_bulk *b, unsigned col, const char *s)
{
	duck_bulk_text(b, col, s, strlen(s));
}

static void stage_judged(struct duck_bulk *b, const struct barrow *r)
{
	duck_bulk_f64(b, 18, r->log_return_1);
	duck_bulk_f64(b, 19, r->spread_estimate);
	if (!r->judged)
		return;
	duck_bulk_i64(b, 20, (r->flags & BAR_IS_MISSING) != 0);
	duck_bulk_i64(b, 21, (r->flags & BAR_IS_OUTLIER) != 0);
	duck_bulk_i64(b, 22, (r->flags & BAR_VALID) != 0);
	text(b, 23, spread_method_name(r->spread_method));
	duck_bulk_i64(b, 24, r->outlier_reason);
}

int archive_put_row(struct archive *a, const struct barrow *r)
{
	int rc = a->bulk ? 0 : begin(a);
	struct duck_bulk *b = a->bulk;

	if (rc < 0)
		return rc;
	a->at_part = part_of(a, r);
	note_order(&a->parts[a->at_part], r);
	duck_bulk_i64(b, 0, (int64_t)a->staged++);
	duck_bulk_i64(b, 1, (int64_t)a->at_part);
	duck_bulk_i64(b, 2, r->start_ns);
	duck_bulk_i64(b, 3, r->start_ns + r->step_s * INT64_C(1000000000));
	duck_bulk_f64(b, 4, r->open);
	duck_bulk_f64(b, 5, r->high);
	duck_bulk_f64(b, 6, r->low);
	duck_bulk_f64(b, 7, r->close);
	duck_bulk_f64(b, 8, r->volume);
	duck_bulk_f64(b, 9, r->trade_count);
	duck_bulk_f64(b, 10, r->vwap);
	duck_bulk_i64(b, 11, r->revision);
	duck_bulk_i64(b, 12, r->final);
	text(b, 13, bar_state_name(r->state));
	text(b, 14, r->source);
	text(b, 15, r->feed);
	text(b, 16, r->adjust);
	text(b, 17, price_type_name(r->price_type));
	stage_judged(b, r);
	return duck_bulk_next(b);
}

#define NAME(name, type, value)  ", " #name
#define VALUE(name, type, value) ", (" value ")::" type " AS " #name

#define ROW_GROUP 61440 /* more than a month of minutes */

static void to_sql(struct buf *sql, const char *tmp)
{
	buf_printf(sql, ") TO ");
	duck_quote(sql, tmp, strlen(tmp));
	buf_printf(sql,
		   " (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, "
		   "ROW_GROUP_SIZE %d)",
		   ROW_GROUP);
}

/* Among rows with the same key the last word counts: what is staged after what the file
   holds, and of that the later row. */
static void merge_sql(struct buf *sql, size_t part, const char *old, const char *tmp)
{
	buf_printf(sql,
		   "COPY (SELECT %s FROM (SELECT idx AS word%s FROM staged WHERE "
		   "part = %zu",
		   &(ARCHIVE_COLUMNS(NAME))[2], ARCHIVE_COLUMNS(VALUE), part);
	if (old) {
		buf_printf(sql, " UNION ALL SELECT -1%s FROM read_parquet(",
			   ARCHIVE_COLUMNS(NAME));
		duck_quote(sql, old, strlen(old));
		buf_printf(sql, ", hive_partitioning=false)");
	}
	buf_printf(sql, ") QUALIFY row_number() OVER (PARTITION BY bar_start, "
			"revision, " ARCHIVE_MAKER
			" ORDER BY word DESC) = 1 ORDER BY bar_start, " ARCHIVE_MAKER
			", revision");
	to_sql(sql, tmp);
}

/*
 * A new file of rows that are sorted and have no doubles: the same rows without the
 * work of merging, and the same bytes as long as they make one row group (where groups
 * end depends on the way).
 */
static void plain_sql(struct buf *sql, size_t part, const char *tmp)
{
	buf_printf(sql, "COPY (SELECT %s FROM staged WHERE part = %zu",
		   &(ARCHIVE_COLUMNS(VALUE))[2], part);
	to_sql(sql, tmp);
}

/* What was written is read back before it replaces anything. */
static int describe(struct archive *a, const char *path, struct layout_state *out)
{
	struct buf sql = {0};
	int64_t v[3];
	int rc;

	buf_printf(&sql, "SELECT count(*), epoch_ns(min(bar_start)), "
			 "epoch_ns(max(bar_start)) FROM read_parquet(");
	duck_quote(&sql, path, strlen(path));
	buf_printf(&sql, ", hive_partitioning=false)");
	rc = duck_row_i64(a->writer, buf_text(&sql), 0, v, 3);
	buf_free(&sql);
	if (rc < 0)
		return rc;
	*out = (struct layout_state){
		.rows = (uint64_t)v[0], .first_ns = v[1], .last_ns = v[2]};
	return layout_hash(path, out->sha256);
}

/* The state of the file that is there; 1: none is. */
static int present(struct archive *a, const char *dir, const char *file,
		   struct layout_state *out, bool *out_manifest)
{
	struct layout_manifest m;
	char sum[65];
	int there = layout_hash(file, sum);
	int known = there < 0 ? there : layout_read(dir, &m);

	*out = (struct layout_state){0};
	*out_manifest = known == 0;
	if (known < 0)
		return known;
	if (there == 1 && known == 1)
		return 1;
	if (there == 1)
		return err_set(-EBADMSG,
			       "gone; its manifest knows %llu rows: restore "
			       "it, or remove its folder and ingest the month again",
			       (unsigned long long)m.now.rows);
	if (known == 1)
		return describe(a, file, out);
	if (strcmp(sum, m.now.sha256) == 0)
		*out = m.now;
	else if (strcmp(sum, m.before.sha256) == 0)
		*out = m.before;
	else
		return err_set(-EBADMSG,
			       "not what its manifest says: restore it, or "
			       "remove its folder and ingest the month again");
	return 0;
}

static int write_part(struct archive *a, size_t i, struct archive_put *sum)
{
	struct layout_manifest m = {0};
	struct buf dir = {0};
	struct buf file = {0};
	struct buf tmp = {0};
	struct buf sql = {0};
	bool has_manifest = false;
	int there;
	int rc = layout_path(&dir, a->dir, &a->parts[i].key);

	buf_printf(&file, "%s/data.parquet", buf_text(&dir));
	archive_tmp(a, &tmp, ".parquet");
	there = rc < 0 ? rc
		       : present(a, buf_text(&dir), buf_text(&file), &m.before,
				 &has_manifest);
	rc = there < 0 ? there : 0;
	if (there == 1 && a->parts[i].is_plain && a->parts[i].rows <= ROW_GROUP)
		plain_sql(&sql, i, buf_text(&tmp));
	else
		merge_sql(&sql, i, there == 0 ? buf_text(&file) : NULL, buf_text(&tmp));
	if (rc == 0)
		rc = duck_run(a->writer, buf_text(&sql), NULL);
	if (rc == 0)
		rc = describe(a, buf_text(&tmp), &m.now);
	if (rc == 0 && m.now.rows < m.before.rows)
		rc = err_set(-EIO, "%llu rows would replace %llu: refused",
			     (unsigned long long)m.now.rows,
			     (unsigned long long)m.before.rows);
	if (rc == 0 && has_manifest && strcmp(m.now.sha256, m.before.sha256) == 0)
		sum->unchanged++;
	else if (rc == 0)
		rc = layout_replace(buf_text(&dir), buf_text(&tmp), &m);
	unlink(buf_text(&tmp));
	if (rc == 0) {
		sum->files++;
		sum->added += m.now.rows - m.before.rows;
	} else {
		err_prefix(rc, "%s", buf_text(&file));
	}
	buf_free(&dir);
	buf_free(&file);
	buf_free(&tmp);
	buf_free(&sql);
	return rc;
}

int archive_put_done(struct archive *a, struct archive_put *out)
{
	int rc = 0;

	*out = (struct archive_put){.rows = a->staged};
	if (a->bulk)
		rc = duck_bulk_close(a->bulk, true);
	a->bulk = NULL;
	for (size_t i = 0; rc == 0 && i < a->n_parts; i++)
		rc = write_part(a, i, out);
	archive_put_drop(a);
	return rc;
}

void archive_put_drop(struct archive *a)
{
	if (a->bulk)
		duck_bulk_close(a->bulk, false);
	if (a->writer && a->staged > 0)
		(void)duck_run(a->writer, "DROP TABLE staged", NULL);
	a->bulk = NULL;
	free(a->parts);
	a->parts = NULL;
	a->n_parts = 0;
	a->at_part = 0;
	a->staged = 0;
}
