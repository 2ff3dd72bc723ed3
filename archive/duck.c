/*
 * duck - over DuckDB's C interface, linked.  The library lives in an executable of its
 * own, so nothing of its C++ meets the daemon, and a loader at run time would only make
 * a missing library a late error instead of an early one.
 */
#include "archive/duck_own.h"
#include "base/err.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int fault(int rc, const char *what, const char *text)
{
	size_t len = text ? strcspn(text, "\n") : 0;

	return err_set(rc, "%s: %.*s", what, (int)len, text ? text : "");
}

void duck_quote(struct buf *sql, const char *s, size_t len)
{
	buf_add(sql, "'", 1);
	for (size_t i = 0; i < len; i++)
		buf_add(sql, s[i] == '\'' ? "''" : &s[i], s[i] == '\'' ? 2 : 1);
	buf_add(sql, "'", 1);
}

void duck_quote_name(struct buf *sql, const char *s, size_t len)
{
	buf_add(sql, "\"", 1);
	for (size_t i = 0; i < len; i++)
		buf_add(sql, s[i] == '"' ? "\"\"" : &s[i], s[i] == '"' ? 2 : 1);
	buf_add(sql, "\"", 1);
}

static int configure(duckdb_config config, const struct duck_options *o)
{
	struct buf number = {0};
	const char *bad = NULL;

	buf_printf(&number, "%lluB", (unsigned long long)o->memory_bytes);
	if (duckdb_set_config(config, "memory_limit", buf_text(&number)) !=
	    DuckDBSuccess)
		bad = "memory_limit";
	number.len = 0;
	buf_printf(&number, "%u", o->threads);
	if (duckdb_set_config(config, "threads", buf_text(&number)) != DuckDBSuccess)
		bad = "threads";
	buf_free(&number);
	static const char *const fixed[][2] = {
		{"autoinstall_known_extensions", "false"},
		{"autoload_known_extensions", "false"},
		{"allow_community_extensions", "false"},
		{"allow_unsigned_extensions", "false"},
		{"allow_persistent_secrets", "false"},
		{"preserve_insertion_order", "true"},
	};
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (duckdb_set_config(config, fixed[i][0], fixed[i][1]) !=
		    DuckDBSuccess)
			bad = fixed[i][0];
	if (duckdb_set_config(config, "temp_directory", o->temp_dir) != DuckDBSuccess)
		bad = "temp_directory";
	return bad ? err_set(-EINVAL, "DuckDB refuses its option %s", bad) : 0;
}

/* What SQL may reach is narrowed last, and then nothing can widen it any more. */
static int guard(struct duck *d, const struct duck_options *o)
{
	struct buf sql = {0};
	int rc;

	buf_printf(&sql, "SET TimeZone='UTC';");
	if (o->root) {
		buf_printf(&sql, "SET allowed_directories=[");
		duck_quote(&sql, o->root, strlen(o->root));
		buf_printf(&sql, ",");
		duck_quote(&sql, o->temp_dir, strlen(o->temp_dir));
		buf_printf(&sql, "];SET enable_external_access=false;");
	}
	buf_printf(&sql, "SET lock_configuration=true");
	rc = duck_run(d, buf_text(&sql), NULL);
	buf_free(&sql);
	return rc;
}

int duck_open(const struct duck_options *o, struct duck **out)
{
	struct duck *d = calloc(1, sizeof(*d));
	duckdb_config config = NULL;
	char *text = NULL;
	int rc;

	if (!d || duckdb_create_config(&config) != DuckDBSuccess) {
		free(d);
		return err_set(-ENOMEM, "no memory for DuckDB");
	}
	rc = configure(config, o);
	if (rc == 0 && duckdb_open_ext(NULL, &d->db, config, &text) != DuckDBSuccess)
		rc = fault(-EIO, "DuckDB does not open", text);
	if (rc == 0 && duckdb_connect(d->db, &d->con) != DuckDBSuccess)
		rc = err_set(-EIO, "DuckDB gives no connection");
	duckdb_free(text);
	duckdb_destroy_config(&config);
	if (rc == 0)
		rc = guard(d, o);
	if (rc < 0) {
		duck_close(d);
		return rc;
	}
	*out = d;
	return 0;
}

void duck_close(struct duck *d)
{
	if (!d)
		return;
	duckdb_disconnect(&d->con);
	if (d->db)
		duckdb_close(&d->db);
	free(d);
}

int duck_share(const struct duck *d, struct duck **out)
{
	struct duck *other = calloc(1, sizeof(*other));

	if (!other || duckdb_connect(d->db, &other->con) != DuckDBSuccess) {
		free(other);
		return err_set(-ENOMEM, "DuckDB gives no second connection");
	}
	*out = other;
	return 0;
}

const char *duck_version(void)
{
	return duckdb_library_version();
}

int duck_failed(duckdb_result *r)
{
	switch (duckdb_result_error_type(r)) {
	case DUCKDB_ERROR_INTERRUPT:
		return err_set(-ETIMEDOUT, "the time limit was reached");
	case DUCKDB_ERROR_OUT_OF_MEMORY:
		return fault(-ENOMEM, "DuckDB", duckdb_result_error(r));
	case DUCKDB_ERROR_IO:
		return fault(-EIO, "DuckDB", duckdb_result_error(r));
	case DUCKDB_ERROR_PERMISSION:
		return fault(-EACCES, "DuckDB", duckdb_result_error(r));
	default:
		return fault(-EINVAL, "DuckDB", duckdb_result_error(r));
	}
}

int duck_run(struct duck *d, const char *sql, uint64_t *out_rows)
{
	duckdb_result r;
	int rc = 0;

	if (duckdb_query(d->con, sql, &r) != DuckDBSuccess)
		rc = duck_failed(&r);
	else if (out_rows)
		*out_rows = duckdb_rows_changed(&r);
	duckdb_destroy_result(&r);
	return rc;
}

int duck_run_for(struct duck *d, const char *sql, uint64_t limit_ms, uint64_t *out_rows)
{
	struct duck_watch *w;
	int rc = duck_watch_start(d, limit_ms, &w);

	if (rc == 0)
		rc = duck_watch_stop(w, duck_run(d, sql, out_rows));
	return rc;
}

int duck_row_i64(struct duck *d, const char *sql, int64_t null, int64_t *out, size_t n)
{
	duckdb_result r;
	int rc = 0;

	if (duckdb_query(d->con, sql, &r) != DuckDBSuccess)
		rc = duck_failed(&r);
	else if (duckdb_row_count(&r) == 0)
		rc = err_set(-ENODATA, "no row");
	for (idx_t i = 0; rc == 0 && i < n; i++)
		out[i] = duckdb_value_is_null(&r, i, 0) ? null
							: duckdb_value_int64(&r, i, 0);
	duckdb_destroy_result(&r);
	return rc;
}

int duck_each_text(struct duck *d, const char *sql,
		   int (*fn)(void *arg, const char *text), void *arg)
{
	duckdb_result r;
	int rc = 0;

	if (duckdb_query(d->con, sql, &r) != DuckDBSuccess)
		rc = duck_failed(&r);
	for (idx_t i = 0; rc == 0 && i < duckdb_row_count(&r); i++) {
		char *text = duckdb_value_varchar(&r, 0, i);

		rc = fn(arg, text ? text : "");
		duckdb_free(text);
	}
	duckdb_destroy_result(&r);
	return rc;
}

int duck_check_select(struct duck *d, const char *sql)
{
	duckdb_extracted_statements all;
	duckdb_prepared_statement one = NULL;
	idx_t n = duckdb_extract_statements(d->con, sql, &all);
	int rc = 0;

	if (n == 0) {
		const char *text = duckdb_extract_statements_error(all);

		rc = fault(-EINVAL, "no SQL statement", text ? text : "it is empty");
	} else if (n > 1) {
		rc = err_set(-EINVAL, "%llu statements; one is allowed",
			     (unsigned long long)n);
	} else if (duckdb_prepare_extracted_statement(d->con, all, 0, &one) !=
		   DuckDBSuccess) {
		rc = fault(-EINVAL, "DuckDB", duckdb_prepare_error(one));
	} else if (duckdb_prepared_statement_type(one) !=
		   DUCKDB_STATEMENT_TYPE_SELECT) {
		rc = err_set(-EINVAL, "not a SELECT: the archive is only read");
	} else if (duckdb_nparams(one) > 0) {
		rc = err_set(-EINVAL, "a query has no parameters: write the values");
	}
	duckdb_destroy_prepare(&one);
	duckdb_destroy_extracted(&all);
	return rc;
}

int duck_each_table(struct duck *d, const char *sql,
		    int (*fn)(void *arg, const char *name), void *arg)
{
	duckdb_value names = duckdb_get_table_names(d->con, sql, false);
	idx_t n = names ? duckdb_get_list_size(names) : 0;
	int rc = 0;

	for (idx_t i = 0; rc == 0 && i < n; i++) {
		duckdb_value one = duckdb_get_list_child(names, i);
		char *name = duckdb_get_varchar(one);

		rc = fn(arg, name ? name : "");
		duckdb_free(name);
		duckdb_destroy_value(&one);
	}
	duckdb_destroy_value(&names);
	return rc;
}

/*
 * Cells go straight into DuckDB's vectors, 2,048 rows at a time, and a full chunk is
 * appended as it is.  A call per cell would cost thrice as much.
 */
#define COLUMNS_MAX 128

struct duck_bulk {
	duckdb_appender appender;
	duckdb_data_chunk chunk;
	unsigned n;
	idx_t row;
	bool set[COLUMNS_MAX]; /* of the present row */
	duckdb_vector vector[COLUMNS_MAX];
};

static duckdb_type type_of(char kind)
{
	switch (kind) {
	case 'i':
		return DUCKDB_TYPE_BIGINT;
	case 'd':
		return DUCKDB_TYPE_DOUBLE;
	default:
		return DUCKDB_TYPE_VARCHAR;
	}
}

static void begin_chunk(struct duck_bulk *b)
{
	duckdb_data_chunk_reset(b->chunk);
	b->row = 0;
	for (unsigned i = 0; i < b->n; i++) {
		b->vector[i] = duckdb_data_chunk_get_vector(b->chunk, i);
		duckdb_vector_ensure_validity_writable(b->vector[i]);
	}
}

int duck_bulk_open(struct duck *d, const char *table, const char *kinds,
		   struct duck_bulk **out)
{
	duckdb_logical_type types[COLUMNS_MAX];
	struct duck_bulk *b = calloc(1, sizeof(*b));
	int rc = 0;

	if (!b)
		return err_set(-ENOMEM, "no memory for rows");
	b->n = (unsigned)strlen(kinds);
	if (b->n == 0 || b->n > COLUMNS_MAX) {
		free(b);
		return err_set(-EINVAL, "%zu columns", strlen(kinds));
	}
	for (unsigned i = 0; i < b->n; i++)
		types[i] = duckdb_create_logical_type(type_of(kinds[i]));
	b->chunk = duckdb_create_data_chunk(types, b->n);
	for (unsigned i = 0; i < b->n; i++)
		duckdb_destroy_logical_type(&types[i]);
	if (duckdb_appender_create(d->con, NULL, table, &b->appender) != DuckDBSuccess)
		rc = fault(-EINVAL, "DuckDB", duckdb_appender_error(b->appender));
	if (rc < 0) {
		duck_bulk_close(b, false);
		return rc;
	}
	begin_chunk(b);
	*out = b;
	return 0;
}

void duck_bulk_i64(struct duck_bulk *b, unsigned col, int64_t v)
{
	((int64_t *)duckdb_vector_get_data(b->vector[col]))[b->row] = v;
	b->set[col] = true;
}

void duck_bulk_f64(struct duck_bulk *b, unsigned col, double v)
{
	((double *)duckdb_vector_get_data(b->vector[col]))[b->row] = v;
	b->set[col] = !isnan(v);
}

void duck_bulk_text(struct duck_bulk *b, unsigned col, const char *s, size_t len)
{
	duckdb_vector_assign_string_element_len(b->vector[col], b->row, s, len);
	b->set[col] = true;
}

static int append_chunk(struct duck_bulk *b)
{
	if (b->row == 0)
		return 0;
	duckdb_data_chunk_set_size(b->chunk, b->row);
	if (duckdb_append_data_chunk(b->appender, b->chunk) != DuckDBSuccess)
		return fault(-EIO, "DuckDB", duckdb_appender_error(b->appender));
	begin_chunk(b);
	return 0;
}

int duck_bulk_next(struct duck_bulk *b)
{
	for (unsigned i = 0; i < b->n; i++) {
		if (!b->set[i])
			duckdb_validity_set_row_invalid(
				duckdb_vector_get_validity(b->vector[i]), b->row);
		b->set[i] = false;
	}
	b->row++;
	return b->row == duckdb_vector_size() ? append_chunk(b) : 0;
}

int duck_bulk_close(struct duck_bulk *b, bool keep)
{
	int rc = keep ? append_chunk(b) : 0;

	if (rc == 0 && keep && duckdb_appender_close(b->appender) != DuckDBSuccess)
		rc = fault(-EIO, "DuckDB", duckdb_appender_error(b->appender));
	duckdb_appender_destroy(&b->appender);
	duckdb_destroy_data_chunk(&b->chunk);
	free(b);
	return rc;
}
