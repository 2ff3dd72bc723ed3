/* duck_rows - a first look says the types, then the SELECT runs with its casts. */
#include "archive/duck_rows.h"
#include "archive/duck_own.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct duck_rows {
	struct duck_watch *watch;
	duckdb_prepared_statement statement;
	duckdb_result result;
	duckdb_data_chunk chunk;
	char **names; /* owned */
	struct duck_column *columns;
	size_t n;
	bool as_text;
};

static enum duck_kind kind_of(duckdb_type type)
{
	switch (type) {
	case DUCKDB_TYPE_BOOLEAN:
		return DUCK_BOOL;
	case DUCKDB_TYPE_TINYINT:
	case DUCKDB_TYPE_SMALLINT:
	case DUCKDB_TYPE_INTEGER:
	case DUCKDB_TYPE_UTINYINT:
	case DUCKDB_TYPE_USMALLINT:
		return DUCK_I32;
	case DUCKDB_TYPE_UINTEGER:
	case DUCKDB_TYPE_BIGINT:
		return DUCK_I64;
	case DUCKDB_TYPE_UBIGINT:
	case DUCKDB_TYPE_HUGEINT:
	case DUCKDB_TYPE_UHUGEINT:
	case DUCKDB_TYPE_FLOAT:
	case DUCKDB_TYPE_DOUBLE:
	case DUCKDB_TYPE_DECIMAL:
		return DUCK_F64;
	case DUCKDB_TYPE_TIMESTAMP:
	case DUCKDB_TYPE_TIMESTAMP_S:
	case DUCKDB_TYPE_TIMESTAMP_MS:
	case DUCKDB_TYPE_TIMESTAMP_NS:
		return DUCK_TIME;
	case DUCKDB_TYPE_DATE:
		return DUCK_DATE;
	default:
		return DUCK_TEXT;
	}
}

static const char *const types[] = {
	[DUCK_BOOL] = "BOOLEAN", [DUCK_I32] = "INTEGER",       [DUCK_I64] = "BIGINT",
	[DUCK_F64] = "DOUBLE",   [DUCK_TIME] = "TIMESTAMP_NS", [DUCK_DATE] = "DATE",
	[DUCK_TEXT] = "VARCHAR"};

/* Names and kinds of the columns, of the SELECT with no rows. */
static int look(struct duck *d, struct duck_rows *r, const char *select)
{
	duckdb_result none;
	struct buf sql = {0};
	int rc = 0;

	buf_printf(&sql, "SELECT * FROM (%s\n) LIMIT 0", select);
	if (duckdb_query(d->con, buf_text(&sql), &none) != DuckDBSuccess)
		rc = duck_failed(&none);
	buf_free(&sql);
	if (rc == 0) {
		r->n = duckdb_column_count(&none);
		r->names = calloc(r->n, sizeof(*r->names));
		r->columns = calloc(r->n, sizeof(*r->columns));
		if (!r->names || !r->columns)
			abort();
	}
	for (size_t i = 0; rc == 0 && i < r->n; i++) {
		r->names[i] = strdup(duckdb_column_name(&none, i));
		if (!r->names[i])
			abort();
		r->columns[i].name = r->names[i];
		r->columns[i].kind = kind_of(duckdb_column_type(&none, i));
	}
	duckdb_destroy_result(&none);
	return rc;
}

/* The columns get names of ours, because two of theirs may be the same. */
static int start(struct duck *d, struct duck_rows *r, const char *select)
{
	struct buf sql = {0};
	int rc = 0;

	buf_printf(&sql, "SELECT ");
	for (size_t i = 0; i < r->n; i++)
		buf_printf(&sql, "%sc%zu::%s", i ? ", " : "", i,
			   types[r->as_text ? DUCK_TEXT : r->columns[i].kind]);
	buf_printf(&sql, " FROM (%s\n) AS x(", select);
	for (size_t i = 0; i < r->n; i++)
		buf_printf(&sql, "%sc%zu", i ? ", " : "", i);
	buf_printf(&sql, ")");
	if (duckdb_prepare(d->con, buf_text(&sql), &r->statement) != DuckDBSuccess)
		rc = err_set(-EINVAL, "DuckDB: %s", duckdb_prepare_error(r->statement));
	else if (duckdb_execute_prepared_streaming(r->statement, &r->result) !=
		 DuckDBSuccess)
		rc = duck_failed(&r->result);
	buf_free(&sql);
	return rc;
}

int duck_rows_open(struct duck *d, const char *select, bool as_text, uint64_t limit_ms,
		   struct duck_rows **out)
{
	struct duck_rows *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return err_set(-ENOMEM, "no memory for rows");
	r->as_text = as_text;
	rc = duck_watch_start(d, limit_ms, &r->watch);
	if (rc == 0)
		rc = look(d, r, select);
	if (rc == 0)
		rc = start(d, r, select);
	if (rc < 0)
		return duck_rows_close(r, rc);
	*out = r;
	return 0;
}

const struct duck_column *duck_rows_columns(const struct duck_rows *r, size_t *out_n)
{
	*out_n = r->n;
	return r->columns;
}

int duck_rows_next(struct duck_rows *r, size_t *out_rows)
{
	duckdb_destroy_data_chunk(&r->chunk);
	r->chunk = duckdb_fetch_chunk(r->result);
	if (!r->chunk) {
		const char *fault = duckdb_result_error(&r->result);

		return fault && *fault ? duck_failed(&r->result) : 1;
	}
	*out_rows = duckdb_data_chunk_get_size(r->chunk);
	for (size_t i = 0; i < r->n; i++) {
		duckdb_vector v = duckdb_data_chunk_get_vector(r->chunk, i);

		r->columns[i].data = duckdb_vector_get_data(v);
		r->columns[i].valid = duckdb_vector_get_validity(v);
	}
	return *out_rows > 0 ? 0 : 1;
}

const char *duck_rows_text(const struct duck_rows *r, size_t column, size_t row,
			   size_t *out_len)
{
	duckdb_string_t *text =
		(duckdb_string_t *)(uintptr_t)r->columns[column].data + row;

	*out_len = duckdb_string_t_length(*text);
	return duckdb_string_t_data(text);
}

int duck_rows_close(struct duck_rows *r, int rc)
{
	if (!r)
		return rc;
	duckdb_destroy_data_chunk(&r->chunk);
	duckdb_destroy_result(&r->result);
	duckdb_destroy_prepare(&r->statement);
	if (r->watch)
		rc = duck_watch_stop(r->watch, rc);
	for (size_t i = 0; r->names && i < r->n; i++)
		free(r->names[i]);
	free(r->names);
	free(r->columns);
	free(r);
	return rc;
}

int duck_explain(struct duck *d, const char *sql, uint64_t limit_ms, struct buf *out)
{
	struct duck_watch *w;
	duckdb_result r;
	int rc = duck_watch_start(d, limit_ms, &w);

	if (rc < 0)
		return rc;
	if (duckdb_query(d->con, sql, &r) != DuckDBSuccess)
		rc = duck_failed(&r);
	for (idx_t i = 0; rc == 0 && i < duckdb_row_count(&r); i++) {
		char *text = duckdb_value_varchar(&r, 1, i);

		buf_printf(out, "%s", text ? text : "");
		duckdb_free(text);
	}
	duckdb_destroy_result(&r);
	return duck_watch_stop(w, rc);
}
