/*
 * align - the SELECT of an export (semantics A.5).
 *
 * Each symbol becomes a CTE s0, s1 ... of its bars (archive/onesymbol.h), with columns
 * SYMBOL_field; a full or an inner join on the timestamp puts them side by side, or,
 * where memory does not suffice for that, a grouping.  A
 * missing bar (is_missing) is no bar: its timestamp is not one of the symbol's.
 *
 * ffill works cell by cell: beside the last value that was not NULL goes the time at
 * which it was, and what is older than the tolerance is NULL.  That is pandas' ffill
 * limited by time, also for a field that is NULL in a bar that is there.
 */
#include "archive/archive_own.h"
#include "archive/enquiry.h"
#include "archive/onesymbol.h"
#include "base/err.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/* A member of an index of whom nothing is here is a column without values. */
static int symbol_sql(struct archive *a, const struct enquiry *q, size_t i,
		      struct buf *sql, bool *out_is_raw)
{
	struct buf bars = {0};
	int rc = onesymbol_sql(a, q, q->symbols[i], &bars, out_is_raw);

	if (rc == -ENOENT && q->index[0])
		rc = 1;
	if (rc >= 0) {
		buf_printf(sql, "%s s%zu AS (SELECT timestamp", i ? "," : "WITH", i);
		fields_sql(sql, q, i, rc == 1);
		if (rc == 0)
			buf_printf(sql, " FROM (%s))\n", buf_text(&bars));
		else
			buf_printf(sql, " FROM (SELECT NULL::TIMESTAMP_NS AS "
					"timestamp) WHERE false)\n");
	}
	buf_free(&bars);
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

/* Times as text carry their zone; in a typed format they are nanoseconds of UTC. */
static void time_sql(struct buf *sql, const struct enquiry *q)
{
	struct buf zone = {0};

	if (q->format == ENQUIRY_PARQUET || q->format == ENQUIRY_ARROW)
		return;
	buf_printf(sql, " REPLACE (");
	if (!q->zone[0]) {
		buf_printf(sql, "strftime(timestamp, '%%Y-%%m-%%dT%%H:%%M:%%SZ')");
	} else {
		duck_quote(&zone, q->zone, strlen(q->zone));
		buf_printf(sql,
			   "strftime(timezone(%s, timezone('UTC', "
			   "timestamp::TIMESTAMP)), '%%Y-%%m-%%dT%%H:%%M:%%S') || "
			   "list_transform([epoch(timezone(%s, timezone('UTC', "
			   "timestamp::TIMESTAMP)))::BIGINT - "
			   "epoch(timestamp::TIMESTAMP)::BIGINT], lambda o: "
			   "format('{}{:02d}:{:02d}', CASE WHEN o < 0 THEN '-' ELSE "
			   "'+' END, abs(o) // 3600, abs(o) // 60 %% 60))[1]",
			   buf_text(&zone), (char *)zone.data);
	}
	buf_printf(sql, " AS timestamp)");
	buf_free(&zone);
}

/* The same as a grouping of all rows by their time: slower, but what does not fit into
   memory can wait on disk, whereas a chain of joins holds all of its tables at once. */
static void grouped_sql(struct buf *sql, const struct enquiry *q)
{
	buf_printf(sql, ", j AS (SELECT timestamp");
	for (size_t i = 0; i < q->n_symbols; i++) {
		for (size_t f = 0; f < q->n_fields; f++) {
			const char *field = enquiry_field_name(q->fields[f]);

			buf_printf(sql, ", any_value(");
			name_sql(sql, q->symbols[i], field);
			buf_printf(sql, ") AS ");
			name_sql(sql, q->symbols[i], field);
		}
	}
	buf_printf(sql, " FROM (SELECT * FROM s0");
	for (size_t i = 1; i < q->n_symbols; i++)
		buf_printf(sql, " UNION ALL BY NAME SELECT * FROM s%zu", i);
	buf_printf(sql, ") GROUP BY timestamp");
	if (q->align == ENQUIRY_INNER)
		buf_printf(sql, " HAVING count(*) = %zu", q->n_symbols);
	buf_printf(sql, ")\n");
}

static void joined_sql(struct buf *sql, const struct enquiry *q)
{
	buf_printf(sql, ", j AS (SELECT * FROM s0");
	for (size_t i = 1; i < q->n_symbols; i++)
		buf_printf(sql, " %s JOIN s%zu USING (timestamp)",
			   q->align == ENQUIRY_INNER ? "INNER" : "FULL", i);
	buf_printf(sql, ")\n");
}

int enquiry_align_sql(struct archive *a, const struct enquiry *q, struct buf *sql,
		      uint64_t *out_raw)
{
	bool is_long = q->align == ENQUIRY_LONG;
	int rc = 0;

	*out_raw = 0;
	for (size_t i = 0; rc == 0 && i < q->n_symbols; i++) {
		bool is_raw = false;

		rc = symbol_sql(a, q, i, sql, &is_raw);
		*out_raw += is_raw;
	}
	if (rc < 0)
		return rc;
	if (is_long)
		long_sql(sql, q);
	else if (q->is_frugal)
		grouped_sql(sql, q);
	else
		joined_sql(sql, q);
	if (q->align == ENQUIRY_FFILL)
		fill_sql(sql, q);
	buf_printf(sql, "SELECT *%s", is_long ? " EXCLUDE (ord)" : "");
	time_sql(sql, q);
	if (is_long)
		buf_printf(sql, " FROM j ORDER BY j.ord, j.timestamp");
	else
		buf_printf(sql, " FROM %s AS x ORDER BY x.timestamp",
			   q->align == ENQUIRY_FFILL ? "g" : "j");
	return 0;
}
