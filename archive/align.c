/*
 * align - the SELECT of an export (semantics A.5).
 *
 * Each symbol becomes a CTE s0, s1 ... of its newest revisions in the range, with
 * columns SYMBOL_field; a full or an inner join on the timestamp puts them side by
 * side. A missing bar (is_missing) is no bar: its timestamp is not one of the symbol's.
 *
 * ffill works cell by cell: beside the last value that was not NULL goes the time at
 * which it was, and what is older than the tolerance is NULL.  That is pandas' ffill
 * limited by time, also for a field that is NULL in a bar that is there.
 */
#include "archive/archive_own.h"
#include "archive/enquiry.h"
#include "archive/layout.h"
#include "base/err.h"
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Of ".../year=2024/month=01/data.parquet". */
static int32_t month_of(const char *path)
{
	const char *at = strstr(path, "/year=");
	unsigned month = 0;
	int year = 0;

	for (const char *next = at; next; next = strstr(at + 1, "/year="))
		at = next;
	if (!at || sscanf(at, "/year=%5d/month=%2u/", &year, &month) != 2)
		return 0;
	return year * 100 + (int32_t)month;
}

int enquiry_files_sql(struct archive *a, const struct enquiry *q, const char *symbol,
		      struct buf *sql)
{
	int32_t first = layout_month(q->start_ns);
	int32_t last = layout_month(q->end_ns - 1);
	struct layout_part part = {.step_s = q->step_s};
	struct buf pattern = {0};
	size_t n = 0;
	glob_t g = {0};
	int rc;

	snprintf(part.symbol, sizeof(part.symbol), "%s", symbol);
	rc = layout_path(&pattern, a->dir, &part);
	if (rc == 0) {
		*strstr(buf_text(&pattern), "/year=") = '\0';
		struct buf all = {0};

		buf_printf(&all, "%s/year=*/month=*/data.parquet",
			   (char *)pattern.data);
		rc = glob(buf_text(&all), 0, NULL, &g) == GLOB_NOMATCH ? -ENOENT : 0;
		if (rc < 0)
			err_set(rc, "the archive has no bars of %s over %u s", symbol,
				q->step_s);
		buf_free(&all);
	}
	for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++) {
		int32_t month = month_of(g.gl_pathv[i]);

		if (month < first || month > last)
			continue;
		buf_printf(sql, n++ == 0 ? "read_parquet([" : ", ");
		duck_quote(sql, g.gl_pathv[i], strlen(g.gl_pathv[i]));
	}
	if (n > 0)
		buf_printf(sql, "], hive_partitioning=false)");
	globfree(&g);
	buf_free(&pattern);
	return rc == 0 && n == 0 ? 1 : rc;
}

static void where_sql(const struct enquiry *q, struct buf *sql)
{
	const char *const texts[][2] = {
		{"source", q->source}, {"feed", q->feed}, {"adjust", q->adjust}};

	buf_printf(sql,
		   " WHERE bar_start >= make_timestamp_ns(%" PRId64 ") AND "
		   "bar_start < make_timestamp_ns(%" PRId64 ")",
		   q->start_ns, q->end_ns);
	for (size_t i = 0; i < 3; i++) {
		if (!texts[i][1][0])
			continue;
		buf_printf(sql, " AND %s = ", texts[i][0]);
		duck_quote(sql, texts[i][1], strlen(texts[i][1]));
	}
}

struct makers {
	const char *symbol;
	unsigned n;
	char first[100];
};

static int another_maker(void *arg, const char *text)
{
	struct makers *m = arg;

	if (m->n++ == 0) {
		snprintf(m->first, sizeof(m->first), "%s", text);
		return 0;
	}
	return err_set(-EINVAL,
		       "%s has bars of %s and of %s in this range: say which "
		       "with source, feed and adjust",
		       m->symbol, m->first, text);
}

/* Bars of two makers side by side would be two values for one cell. */
static int one_maker(struct archive *a, const struct enquiry *q, const char *symbol,
		     const char *files)
{
	struct makers m = {.symbol = symbol};
	struct buf sql = {0};
	struct duck *d;
	int rc = archive_reader(a, &d);

	buf_printf(&sql, "SELECT DISTINCT concat_ws(' ', " ARCHIVE_MAKER ") FROM %s",
		   files);
	where_sql(q, &sql);
	buf_printf(&sql, " ORDER BY 1 LIMIT 2");
	if (rc == 0)
		rc = duck_each_text(d, buf_text(&sql), another_maker, &m);
	buf_free(&sql);
	return rc;
}

static void name_sql(struct buf *sql, const char *symbol, const char *field)
{
	struct buf name = {0};

	buf_printf(&name, "%s_%s", symbol, field);
	duck_quote_name(sql, (const char *)name.data, name.len);
	buf_free(&name);
}

/* ", close AS "AAPL_close"": with the symbol's name, or bare in the long form. */
static void fields_sql(struct buf *sql, const struct enquiry *q, size_t i,
		       bool is_empty)
{
	for (size_t f = 0; f < q->n_fields; f++) {
		const char *field = enquiry_field_name(q->fields[f]);

		if (is_empty)
			buf_printf(sql, ", NULL::%s AS ",
				   enquiry_field_type(q->fields[f]));
		else
			buf_printf(sql, ", %s AS ", field);
		if (q->align == ENQUIRY_LONG)
			buf_printf(sql, "%s", field);
		else
			name_sql(sql, q->symbols[i], field);
	}
}

static int symbol_sql(struct archive *a, const struct enquiry *q, size_t i,
		      struct buf *sql)
{
	struct buf files = {0};
	int rc = enquiry_files_sql(a, q, q->symbols[i], &files);

	if (rc == 0)
		rc = one_maker(a, q, q->symbols[i], buf_text(&files));
	if (rc >= 0)
		buf_printf(sql, "%s s%zu AS (SELECT timestamp", i ? "," : "WITH", i);
	if (rc == 0) {
		fields_sql(sql, q, i, false);
		buf_printf(sql, " FROM (SELECT * FROM %s", buf_text(&files));
		where_sql(q, sql);
		buf_printf(sql, " QUALIFY row_number() OVER (PARTITION BY bar_start "
				"ORDER BY revision DESC) = 1) "
				"WHERE NOT coalesce(is_missing, false))\n");
	} else if (rc == 1) {
		fields_sql(sql, q, i, true);
		buf_printf(sql, " FROM (SELECT NULL::TIMESTAMP_NS AS timestamp) "
				"WHERE false)\n");
	}
	buf_free(&files);
	return rc < 0 ? rc : 0;
}

/* f: each cell's last value, and in t_I_F the time of it; then what is too old goes. */
static void fill_sql(struct buf *sql, const struct enquiry *q)
{
	buf_printf(sql, ", f AS (SELECT timestamp");
	for (size_t i = 0; i < q->n_symbols; i++) {
		for (size_t f = 0; f < q->n_fields; f++) {
			struct buf name = {0};

			name_sql(&name, q->symbols[i],
				 enquiry_field_name(q->fields[f]));
			buf_printf(sql,
				   ", last_value(%s IGNORE NULLS) OVER w AS v_%zu_%zu, "
				   "last_value(CASE WHEN %s IS NOT NULL THEN "
				   "epoch_ns(timestamp) END IGNORE NULLS) OVER w AS "
				   "t_%zu_%zu",
				   buf_text(&name), i, f, (char *)name.data, i, f);
			buf_free(&name);
		}
	}
	buf_printf(sql, " FROM j WINDOW w AS (ORDER BY timestamp ROWS UNBOUNDED "
			"PRECEDING)), g AS (SELECT timestamp");
	for (size_t i = 0; i < q->n_symbols; i++) {
		for (size_t f = 0; f < q->n_fields; f++) {
			buf_printf(sql,
				   ", CASE WHEN epoch_ns(timestamp) - t_%zu_%zu <= "
				   "%" PRId64 " THEN v_%zu_%zu END AS ",
				   i, f, q->tolerance_ns, i, f);
			name_sql(sql, q->symbols[i], enquiry_field_name(q->fields[f]));
		}
		for (size_t f = 0; q->age && f < q->n_fields; f++)
			buf_printf(
				sql,
				"%s CASE WHEN epoch_ns(timestamp) - t_%zu_%zu <= "
				"%" PRId64 " THEN epoch_ns(timestamp) - t_%zu_%zu END",
				f ? "," : ", greatest(", i, f, q->tolerance_ns, i, f);
		if (q->age) {
			buf_printf(sql, ") // 1000000 AS ");
			name_sql(sql, q->symbols[i], "age_ms");
		}
	}
	buf_printf(sql, " FROM f)\n");
}

static void long_sql(struct buf *sql, const struct enquiry *q)
{
	buf_printf(sql, ", j AS (");
	for (size_t i = 0; i < q->n_symbols; i++) {
		buf_printf(sql, "%sSELECT %zu AS ord, ", i ? " UNION ALL " : "", i);
		duck_quote(sql, q->symbols[i], strlen(q->symbols[i]));
		buf_printf(sql, " AS symbol, * FROM s%zu", i);
	}
	buf_printf(sql, ")\n");
}

int enquiry_align_sql(struct archive *a, const struct enquiry *q, struct buf *sql)
{
	/* Times as text carry their zone; in Parquet they are nanoseconds of UTC. */
	const char *time = q->format == ENQUIRY_PARQUET
				   ? ""
				   : " REPLACE (strftime(timestamp, "
				     "'%Y-%m-%dT%H:%M:%SZ') AS timestamp)";
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < q->n_symbols; i++)
		rc = symbol_sql(a, q, i, sql);
	if (rc < 0)
		return rc;
	if (q->align == ENQUIRY_LONG) {
		long_sql(sql, q);
		buf_printf(sql,
			   "SELECT * EXCLUDE (ord)%s FROM j ORDER BY j.ord, "
			   "j.timestamp",
			   time);
		return 0;
	}
	buf_printf(sql, ", j AS (SELECT * FROM s0");
	for (size_t i = 1; i < q->n_symbols; i++)
		buf_printf(sql, " %s JOIN s%zu USING (timestamp)",
			   q->align == ENQUIRY_INNER ? "INNER" : "FULL", i);
	buf_printf(sql, ")\n");
	if (q->align == ENQUIRY_FFILL)
		fill_sql(sql, q);
	buf_printf(sql, "SELECT *%s FROM %s AS x ORDER BY x.timestamp", time,
		   q->align == ENQUIRY_FFILL ? "g" : "j");
	return 0;
}
