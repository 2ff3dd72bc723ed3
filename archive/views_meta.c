/*
 * views_meta - the small CSV files of the metadata as views: symbols, actions, members.
 *
 * A symbol or an index stands in a file's name as in any path of ours (proto/symbol.h),
 * which is what URLs do as well.
 */
#include "archive/views.h"
#include "base/err.h"
#include <glob.h>
#include <string.h>

struct meta_view {
	const char *name;
	const char *files; /* below DIR/metadata, a pattern */
	const char *columns;
	const char *options; /* of read_csv */
	const char *empty;   /* columns of a view without files */
};

#define SYMBOL_OF_FILE "url_decode(parse_filename(filename, true))"

static const struct meta_view metas[] = {
	/* Its columns are whatever keys were ever put. */
	{"symbols", "symbols.csv", "*", "all_varchar=true, sample_size=-1",
	 "NULL::VARCHAR AS symbol"},
	{"actions", "actions/*.csv",
	 SYMBOL_OF_FILE
	 " AS symbol, ex_date, kind, CASE WHEN contains(value, '/') THEN "
	 "split_part(value, '/', 1)::DOUBLE / split_part(value, '/', 2)::DOUBLE ELSE "
	 "value::DOUBLE END AS value, zone",
	 "filename=true, auto_detect=false, columns={'ex_date': 'DATE', 'kind': "
	 "'VARCHAR', 'value': 'VARCHAR', 'zone': 'VARCHAR'}",
	 "NULL::VARCHAR AS symbol, NULL::DATE AS ex_date, NULL::VARCHAR AS kind, "
	 "NULL::DOUBLE AS value, NULL::VARCHAR AS zone"},
	{"members", "indices/*.csv",
	 SYMBOL_OF_FILE
	 " AS index_name, symbol, added_date::TIMESTAMP_NS AS added_date",
	 "filename=true, auto_detect=false, columns={'symbol': 'VARCHAR', "
	 "'added_date': 'TIMESTAMP'}",
	 "NULL::VARCHAR AS index_name, NULL::VARCHAR AS symbol, "
	 "NULL::TIMESTAMP_NS AS added_date"},
};

static int make_view(struct archive *a, struct duck *d, const struct meta_view *m)
{
	struct buf pattern = {0};
	struct buf sql = {0};
	glob_t g = {0};
	int rc;

	buf_printf(&pattern, "%s/metadata/%s", archive_dir(a), m->files);
	buf_printf(&sql, "CREATE OR REPLACE VIEW %s AS SELECT ", m->name);
	if (glob(buf_text(&pattern), GLOB_NOSORT, NULL, &g) == 0) {
		buf_printf(&sql, "%s FROM read_csv(", m->columns);
		duck_quote(&sql, (const char *)pattern.data, pattern.len);
		buf_printf(&sql,
			   ", header=true, delim=',', quote='\"', escape='\"', %s)",
			   m->options);
	} else {
		buf_printf(&sql, "%s WHERE false", m->empty);
	}
	globfree(&g);
	rc = duck_run(d, buf_text(&sql), NULL);
	buf_free(&pattern);
	buf_free(&sql);
	return rc;
}

void views_drop_meta_sql(struct buf *sql)
{
	for (size_t i = 0; i < sizeof(metas) / sizeof(metas[0]); i++)
		buf_printf(sql, "DROP VIEW IF EXISTS %s;", metas[i].name);
}

int views_make_meta(struct archive *a, struct duck *d, const struct buf *names)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(metas) / sizeof(metas[0]); i++)
		if (views_is_named(names, metas[i].name))
			rc = make_view(a, d, &metas[i]);
	return rc;
}
