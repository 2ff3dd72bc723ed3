/* enquiry_run - the answer is written into the archive's own place, then moved. */
#include "archive/archive_own.h"
#include "archive/arrow_ipc.h"
#include "archive/enquiry.h"
#include "archive/layout.h"
#include "archive/membership.h"
#include "archive/onesymbol.h"
#include "archive/readset.h"
#include "archive/text_table.h"
#include "archive/views.h"
#include "base/err.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES_MAX 5

static const char *const options[] = {
	[ENQUIRY_CSV] = "FORMAT csv, HEADER true",
	[ENQUIRY_JSON] = "FORMAT json, ARRAY true",
	[ENQUIRY_JSONL] = "FORMAT json",
	[ENQUIRY_PARQUET] = "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2",
};

static int copy_fd(int from, int to)
{
	ssize_t n;

	do {
		n = sendfile(to, from, NULL, 1 << 20);
	} while (n > 0);
	return n < 0 ? -errno : 0;
}

/* Onto another file system: copied beside its goal, then renamed. */
static int carry(const char *from, const char *to)
{
	struct buf beside = {0};
	int src = open(from, O_RDONLY | O_CLOEXEC);
	int dst;
	int rc;

	buf_printf(&beside, "%s.part", to);
	dst = open(buf_text(&beside), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	rc = src < 0 || dst < 0 ? -errno : copy_fd(src, dst);
	if (rc == 0 && fsync(dst) < 0)
		rc = -errno;
	if (src >= 0)
		close(src);
	if (dst >= 0)
		close(dst);
	if (rc == 0 && rename(buf_text(&beside), to) < 0)
		rc = -errno;
	if (rc < 0 && dst >= 0)
		unlink(buf_text(&beside));
	buf_free(&beside);
	return rc;
}

static int deliver(const char *tmp, const char *out, struct enquiry_answer *answer)
{
	struct stat st;
	int rc = stat(tmp, &st) < 0 ? -errno : 0;

	answer->bytes = rc == 0 ? (uint64_t)st.st_size : 0;
	if (rc == 0 && rename(tmp, out) < 0)
		rc = errno == EXDEV ? carry(tmp, out) : -errno;
	return rc < 0 ? err_set(rc, "%s: %s", out, strerror(-rc)) : 0;
}

/* What DuckDB does not write itself. */
static int write_rows(struct duck *d, const struct enquiry *q, const char *select,
		      const char *tmp, uint64_t *out_rows)
{
	bool is_table = q->format == ENQUIRY_TABLE;
	struct duck_rows *rows = NULL;
	FILE *f = fopen(tmp, "we");
	int rc = f ? 0 : err_set(-errno, "%s: %s", tmp, strerror(errno));

	if (rc == 0)
		rc = duck_rows_open(d, select, is_table, q->limit_ms, &rows);
	if (rc == 0)
		rc = is_table ? text_table_write(f, rows, out_rows)
			      : arrow_ipc_write(f, rows, out_rows);
	rc = duck_rows_close(rows, rc);
	if (f && (ferror(f) | fclose(f)) != 0 && rc == 0)
		rc = err_set(-EIO, "%s: %s", tmp, strerror(errno));
	return rc;
}

static int copy_rows(struct duck *d, const struct enquiry *q, const char *select,
		     const char *tmp, uint64_t *out_rows)
{
	struct buf sql = {0};
	int rc;

	buf_printf(&sql, "COPY (%s) TO ", select);
	duck_quote(&sql, tmp, strlen(tmp));
	buf_printf(&sql, " (%s)", options[q->format]);
	rc = duck_run_for(d, buf_text(&sql), q->limit_ms, out_rows);
	buf_free(&sql);
	return rc;
}

static int copy_to(struct archive *a, const struct enquiry *q, const char *select,
		   struct enquiry_answer *out)
{
	bool is_ours = q->format == ENQUIRY_TABLE || q->format == ENQUIRY_ARROW;
	struct buf tmp = {0};
	struct duck *d;
	int rc = archive_reader(a, &d);

	archive_tmp(a, &tmp, ".answer");
	buf_text(&tmp);
	if (rc == 0)
		rc = (is_ours ? write_rows : copy_rows)(d, q, select, (char *)tmp.data,
							&out->rows);
	if (rc == 0 && !readset_is_same(q->reads))
		rc = err_set(-EAGAIN, "files were replaced while they were read");
	if (rc == 0)
		rc = deliver((char *)tmp.data, q->out, out);
	unlink((char *)tmp.data);
	buf_free(&tmp);
	return rc;
}

/* ---- until nobody interferes ---- */

static void reads_symbols(const struct archive *a, const struct enquiry *q,
			  struct readset *r)
{
	for (size_t i = 0; i < q->n_symbols; i++) {
		char name[SYMBOL_MAX * 3 + 1];
		struct buf pattern = {0};

		symbol_path(q->symbols[i], strlen(q->symbols[i]), name);
		buf_printf(&pattern, "%s/%s*/%s=%s/year=*/month=*/data.parquet", a->dir,
			   kinds_table[KIND_BARS].folder, kinds_table[KIND_BARS].by,
			   name);
		readset_add(r, buf_text(&pattern));
		buf_free(&pattern);
	}
}

/*
 * @once writes the answer.  Whatever it says, when files changed meanwhile it is asked
 * again; they change at the end of a UTC day, and while the past is fetched.
 */
static int settled(struct archive *a, struct enquiry *q, struct readset *reads,
		   int (*once)(struct archive *, struct enquiry *,
			       struct enquiry_answer *),
		   struct enquiry_answer *out)
{
	bool is_same;
	int rc, tries = 0;

	q->reads = reads;
	do {
		*out = (struct enquiry_answer){0};
		readset_mark(reads);
		rc = once(a, q, out);
		is_same = rc == 0 || readset_is_same(reads);
	} while (!is_same && ++tries < TRIES_MAX);
	q->reads = NULL;
	return is_same ? rc
		       : err_set(-EAGAIN,
				 "files of the archive were replaced while they were "
				 "read, %d times in a row: ask again",
				 tries);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Those who belonged to it at the time, by name. */
static int pick_members(struct archive *a, struct enquiry *q)
{
	struct buf members = {0};
	const struct membership *m;
	int rc = membership_read(a->dir, q->index, &members);

	if (rc == 1)
		rc = err_set(-ENOENT, "the archive knows no index '%s'", q->index);
	m = (const void *)members.data;
	q->n_symbols = 0;
	for (size_t i = 0; rc == 0 && i < members.len / sizeof(*m); i++) {
		if (m[i].added_ns > q->as_of_ns)
			continue;
		if (q->n_symbols == ENQUIRY_SYMBOLS_MAX)
			rc = err_set(-EINVAL, "%s has more than %d members", q->index,
				     ENQUIRY_SYMBOLS_MAX);
		else
			memcpy(q->symbols[q->n_symbols++], m[i].symbol,
			       sizeof(m[i].symbol));
	}
	if (rc == 0 && q->n_symbols == 0)
		rc = err_set(-ENOENT, "%s had no members then", q->index);
	qsort(q->symbols, q->n_symbols, sizeof(q->symbols[0]), by_name);
	buf_free(&members);
	return rc;
}

static int check_export(const struct enquiry *q)
{
	if (q->start_ns >= q->end_ns)
		return err_set(-EINVAL, "the export's start is not before its end");
	if (q->age && q->align != ENQUIRY_FFILL)
		return err_set(-EINVAL, "age goes with align ffill: nothing else has "
					"an age");
	if (q->tolerance_ns != INT64_MAX && q->align != ENQUIRY_FFILL)
		return err_set(-EINVAL, "tolerance goes with align ffill");
	if (q->index[0] && q->n_symbols > 0)
		return err_set(-EINVAL, "symbols, or those of an index: not both");
	if (!q->index[0] && q->n_symbols == 0)
		return err_set(-EINVAL, "an export needs symbols");
	if (!q->index[0] && q->as_of_ns != INT64_MAX)
		return err_set(-EINVAL, "as-of goes with an index");
	return 0;
}

/* What is live stays what it was until the answer is there. */
static int hold_live(struct archive *a, struct enquiry *q, struct buf *root)
{
	int rc = archive_live(a, root);

	q->live = rc == 0 ? buf_text(root) : NULL;
	return rc < 0 ? rc : 0;
}

static int export_in(struct archive *a, struct enquiry *q, struct enquiry_answer *out)
{
	struct buf select = {0};
	int rc = enquiry_align_sql(a, q, &select, &out->raw);

	if (rc == 0)
		rc = copy_to(a, q, buf_text(&select), out);
	buf_free(&select);
	return rc;
}

static int export_once(struct archive *a, struct enquiry *q, struct enquiry_answer *out)
{
	struct buf live = {0};
	int rc = hold_live(a, q, &live);

	if (rc == 0)
		rc = export_in(a, q, out);
	if (rc == -ENOMEM && !q->is_frugal) {
		q->is_frugal = true;
		rc = export_in(a, q, out);
	}
	q->live = NULL;
	buf_free(&live);
	return rc;
}

int enquiry_export(struct archive *a, struct enquiry *q, struct enquiry_answer *out)
{
	struct readset reads = {0};
	int rc = check_export(q);

	*out = (struct enquiry_answer){0};
	if (rc == 0 && q->index[0])
		rc = pick_members(a, q);
	reads_symbols(a, q, &reads);
	if (rc == 0)
		rc = settled(a, q, &reads, export_once, out);
	readset_free(&reads);
	return rc;
}

static int bars_once(struct archive *a, struct enquiry *q, struct enquiry_answer *out)
{
	struct buf select = {0};
	struct buf live = {0};
	int rc = hold_live(a, q, &live);

	if (rc == 0)
		rc = onesymbol_joined_sql(a, q, &select);
	if (rc == 0)
		rc = copy_to(a, q, buf_text(&select), out);
	q->live = NULL;
	buf_free(&select);
	buf_free(&live);
	return rc;
}

int enquiry_bars(struct archive *a, struct enquiry *q, struct enquiry_answer *out)
{
	struct readset reads = {0};
	int rc = q->n_symbols == 1 ? 0 : err_set(-EINVAL, "bars are of one symbol");

	*out = (struct enquiry_answer){0};
	if (rc == 0 && q->start_ns >= q->end_ns)
		rc = err_set(-EINVAL, "the start is not before the end");
	reads_symbols(a, q, &reads);
	if (rc == 0)
		rc = settled(a, q, &reads, bars_once, out);
	readset_free(&reads);
	return rc;
}

static size_t trimmed(const char *sql)
{
	size_t len = strlen(sql);

	while (len > 0 && strchr("; \t\r\n", sql[len - 1]))
		len--;
	return len;
}

/* EXPLAIN and EXPLAIN ANALYZE of a SELECT: NULL when it is neither. */
static const char *explained(const char *sql)
{
	static const char *const words[] = {"EXPLAIN", "ANALYZE"};

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(words[i]);
		const char *at = sql + strspn(sql, " \t\r\n");

		if (strncasecmp(at, words[i], len) != 0 || !strchr(" \t\r\n", at[len]))
			return i ? sql : NULL;
		sql = at + len;
	}
	return sql;
}

static int write_plan(const char *path, const struct buf *plan)
{
	FILE *f = fopen(path, "we");
	bool good = f && fwrite(plan->data, 1, plan->len, f) == plan->len;

	if (f && fclose(f) != 0)
		good = false;
	return good ? 0 : err_set(-EIO, "%s: %s", path, strerror(errno));
}

static int explain(struct archive *a, struct duck *d, const struct enquiry *q,
		   struct enquiry_answer *out)
{
	struct buf plan = {0};
	struct buf tmp = {0};
	int rc = duck_explain(d, q->sql, q->limit_ms, &plan);

	archive_tmp(a, &tmp, ".plan");
	if (rc == 0)
		rc = write_plan(buf_text(&tmp), &plan);
	if (rc == 0)
		rc = deliver(buf_text(&tmp), q->out, out);
	unlink(buf_text(&tmp));
	buf_free(&plan);
	buf_free(&tmp);
	return rc;
}

struct view_reads {
	const struct archive *a;
	struct readset *reads;
};

static int reads_view(void *arg, const char *name)
{
	struct view_reads *v = arg;
	struct buf pattern = {0};

	if (views_files(v->a, name, &pattern) == 0)
		readset_add(v->reads, buf_text(&pattern));
	buf_free(&pattern);
	return 0;
}

/* What the views that @sql names read, or all of them. */
static int reads_views(struct archive *a, struct duck *d, const char *sql,
		       struct readset *reads)
{
	struct view_reads v = {a, reads};
	int rc = duck_each_table(d, sql, reads_view, &v);

	bool is_none = reads->patterns.len == 0;

	for (unsigned k = 0; is_none && k < KINDS; k++) {
		struct buf pattern = {0};

		layout_pattern(&pattern, a->dir, (enum kinds)k);
		buf_printf(&pattern, "/data.parquet");
		readset_add(reads, buf_text(&pattern));
		buf_free(&pattern);
	}
	return rc;
}

/* One row more than may come out says that there are more. */
static int copy_query(struct archive *a, struct duck *d, const struct enquiry *q,
		      struct enquiry_answer *out)
{
	int len = (int)trimmed(q->sql);
	struct buf select = {0};
	int64_t more = 0;
	int rc;

	/* The line breaks end a comment of theirs. */
	buf_printf(&select, "SELECT * FROM (%.*s\n) LIMIT %llu", len, q->sql,
		   (unsigned long long)q->max_rows);
	rc = copy_to(a, q, buf_text(&select), out);
	if (rc == 0 && out->rows == q->max_rows) {
		select.len = 0;
		buf_printf(&select,
			   "CREATE OR REPLACE TEMP TABLE more AS SELECT 1 AS x "
			   "FROM (%.*s\n) LIMIT 1 OFFSET %llu",
			   len, q->sql, (unsigned long long)q->max_rows);
		rc = duck_run_for(d, buf_text(&select), q->limit_ms, NULL);
		if (rc == 0)
			rc = duck_row_i64(d, "SELECT count(*) FROM more", 0, &more, 1);
		out->cut = more > 0;
	}
	buf_free(&select);
	return rc;
}

static int query_once(struct archive *a, struct enquiry *q, struct enquiry_answer *out)
{
	const char *plain = explained(q->sql);
	struct duck *d;
	int rc = archive_reader(a, &d);

	if (rc == 0)
		rc = views_make(a, d, plain ? plain : q->sql, !plain);
	if (rc == 0)
		rc = duck_check_select(d, plain ? plain : q->sql);
	if (rc < 0)
		return rc;
	return plain ? explain(a, d, q, out) : copy_query(a, d, q, out);
}

int enquiry_query(struct archive *a, struct enquiry *q, struct enquiry_answer *out)
{
	struct readset reads = {0};
	const char *plain;
	struct duck *d;
	int rc = archive_reader(a, &d);

	*out = (struct enquiry_answer){0};
	if (!q->sql)
		q->sql = "";
	plain = explained(q->sql);
	if (rc == 0)
		rc = views_drop(a, d);
	if (rc == 0)
		rc = reads_views(a, d, plain ? plain : q->sql, &reads);
	if (rc == 0)
		rc = settled(a, q, &reads, query_once, out);
	readset_free(&reads);
	return rc;
}
