/* views - one CREATE VIEW per kind; of bars, per timeframe. */
#include "archive/views.h"
#include "archive/archive_own.h"
#include "archive/pick.h"
#include "base/err.h"
#include "proto/timeframe.h"
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const uint32_t steps[] = {1,   5,   10,   15,   30,   60,    120,  300,
				 600, 900, 1800, 3600, 7200, 14400, 86400};

/* Append the pattern when it matches anything; returns how many are in @files then. */
static size_t add_files(struct buf *files, size_t n, const struct buf *pattern)
{
	glob_t g = {0};

	if (glob((const char *)pattern->data, GLOB_NOSORT, NULL, &g) == 0) {
		buf_printf(files, n++ ? ", " : "");
		duck_quote(files, (const char *)pattern->data, pattern->len);
	}
	globfree(&g);
	return n;
}

/* Where there is no file, DuckDB would have no columns. */
static void empty_sql(struct buf *sql, const struct kind *k)
{
	buf_printf(sql,
		   "SELECT NULL::VARCHAR AS %s, NULL::BIGINT AS year, "
		   "NULL::BIGINT AS month%s",
		   k->by, k->is_daily ? ", NULL::BIGINT AS day" : "");
	for (size_t i = 0; i < k->n_columns; i++)
		buf_printf(sql, ", NULL::%s AS %s", k->columns[i].type,
			   k->columns[i].name);
	buf_printf(sql, " WHERE false");
}

struct roots {
	struct archive *a;
	const char *archive;
	const char *live;  /* "": nothing is */
	const char *where; /* of their paths (archive/pick.h); NULL: all */
	bool is_plan;      /* views over the empty files of pick.h */
};

/* The patterns of one folder, or all of a kind, below both roots.  @out_live: files of
   the second are among them. */
static size_t files_of(const struct roots *r, enum kinds kind, const char *folder,
		       struct buf *files, bool *out_live)
{
	const struct kind *k = &kinds_table[kind];
	const char *const roots[] = {r->archive, r->live};
	size_t n = 0;

	*out_live = false;
	for (size_t i = 0; i < 2 && roots[i][0]; i++) {
		struct buf pattern = {0};
		size_t before = n;

		buf_printf(&pattern, "%s/%s/%s=*/year=*/month=*%s/data.parquet",
			   roots[i], folder, k->by, k->is_daily ? "/day=*" : "");
		buf_text(&pattern);
		n = add_files(files, n, &pattern);
		*out_live = i == 1 && n > before;
		buf_free(&pattern);
	}
	return n;
}

/* Rows of the same thing: the newest revision is looked for only where there is more
   than the first, for that holds all that is read in memory.  The files' own statistics
   say: of a file without revisions nothing else is read. */
static int has_revisions(struct duck *d, const struct kind *k, const struct buf *files,
			 bool *out)
{
	struct buf sql = {0};
	int64_t n = 0;
	int rc;

	*out = true;
	if (strstr(k->newest, "revision") == NULL)
		return 0;
	buf_printf(&sql,
		   "SELECT count(*) FROM (SELECT 1 FROM read_parquet([%.*s], "
		   "hive_partitioning=false) WHERE revision > 0 LIMIT 1)",
		   (int)files->len, (const char *)files->data);
	rc = duck_row_i64(d, buf_text(&sql), 0, &n, 1);
	buf_free(&sql);
	*out = n > 0;
	return rc;
}

/* Those that the question can want, instead of patterns; 0 of them are none at all. */
static void narrow(const struct roots *r, struct duck *d, enum kinds kind,
		   struct buf *files, size_t *n, bool *has_live)
{
	struct buf picked = {0};
	size_t n_picked = 0;

	if (!r->where ||
	    pick_files(d, kind, buf_text(files), r->where, &picked, &n_picked) != 0) {
		buf_free(&picked);
		return;
	}
	buf_free(files);
	*files = picked;
	*n = n_picked;
	*has_live = *has_live && n_picked > 0 && strstr(buf_text(files), r->live);
}

static int sources_of(const struct roots *r, struct duck *d, enum kinds kind,
		      const char *folder, struct buf *files, size_t *out_n,
		      bool *has_live)
{
	int rc = 0;

	*has_live = false;
	if (r->is_plan) {
		rc = pick_empties(r->a, d, kind, files);
		*out_n = 2;
		return rc;
	}
	*out_n = files_of(r, kind, folder, files, has_live);
	if (*out_n > 0)
		narrow(r, d, kind, files, out_n, has_live);
	return 0;
}

static int make_view(const struct roots *r, struct duck *d, enum kinds kind,
		     const char *folder, const char *name)
{
	const struct kind *k = &kinds_table[kind];
	struct buf sql = {0};
	struct buf files = {0};
	bool has_live, has_doubles = false;
	size_t n;
	int rc = sources_of(r, d, kind, folder, &files, &n, &has_live);

	buf_printf(&sql,
		   "CREATE OR REPLACE VIEW %s AS SELECT timestamp, %s, * EXCLUDE "
		   "(timestamp, %s) FROM ",
		   name, k->by, k->by);
	if (n == 0) {
		buf_printf(&sql, "(");
		empty_sql(&sql, k);
		buf_printf(&sql, ")");
	} else {
		buf_printf(&sql,
			   "read_parquet([%s], union_by_name=true, "
			   "hive_partitioning=true, hive_types={'%s': VARCHAR, "
			   "'year': BIGINT, 'month': BIGINT%s})",
			   buf_text(&files), k->by,
			   k->is_daily ? ", 'day': BIGINT" : "");
		if (rc == 0 && !has_live && !k->is_once && !r->is_plan)
			rc = has_revisions(d, k, &files, &has_doubles);
		/* Planned with it: else a count comes out of no scan at all. */
		if (has_live || has_doubles || r->is_plan)
			buf_printf(&sql, " QUALIFY %s", k->newest);
	}
	if (rc == 0)
		rc = duck_run(d, buf_text(&sql), NULL);
	buf_free(&sql);
	buf_free(&files);
	return rc;
}

int views_files(const struct archive *a, const char *name, struct buf *out)
{
	bool is_bars = strncmp(name, "bars_", 5) == 0;
	enum kinds kind = is_bars ? KIND_BARS : kinds_parse(name);
	char folder[LAYOUT_FOLDER_MAX];
	uint32_t step_s = is_bars ? timeframe_parse(name + 5, strlen(name + 5)) : 0;

	if (is_bars && layout_folder(step_s, folder) == 0) {
		buf_printf(out, "%s/%s/%s=*/year=*/month=*/data.parquet", a->dir,
			   folder, kinds_table[KIND_BARS].by);
		return 0;
	}
	if (kind == KINDS || kind == KIND_BARS)
		return 1;
	layout_pattern(out, a->dir, kind);
	buf_printf(out, "/data.parquet");
	return 0;
}

bool views_is_named(const struct buf *names, const char *name)
{
	const char *at = (const char *)names->data;
	const char *end = at + names->len;

	for (; at < end; at += strlen(at) + 1)
		if (strcasecmp(at, name) == 0)
			return true;
	return names->len == 0;
}

static int add_name(void *arg, const char *name)
{
	buf_add(arg, name, strlen(name) + 1);
	return 0;
}

static int make_all(const struct roots *r, struct duck *d, const struct buf *names)
{
	char folder[LAYOUT_FOLDER_MAX];
	char name[32];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		rc = layout_folder(steps[i], folder);
		(void)snprintf(name, sizeof(name), "bars_%s", timeframe_name(steps[i]));
		if (rc == 0 && views_is_named(names, name))
			rc = make_view(r, d, KIND_BARS, folder, name);
	}
	for (unsigned i = KIND_TICKS; rc == 0 && i < KINDS; i++) {
		(void)snprintf(folder, sizeof(folder), "%s%s", kinds_table[i].folder,
			       kinds_table[i].has_step ? "*" : "");
		if (views_is_named(names, kinds_table[i].name))
			rc = make_view(r, d, (enum kinds)i, folder,
				       kinds_table[i].name);
	}
	return rc;
}

int views_drop(struct archive *a, struct duck *d)
{
	struct buf sql = {0};
	int rc;

	if (!a->has_views)
		return 0;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		buf_printf(&sql, "DROP VIEW IF EXISTS bars_%s;",
			   timeframe_name(steps[i]));
	for (unsigned i = KIND_TICKS; i < KINDS; i++)
		buf_printf(&sql, "DROP VIEW IF EXISTS %s;", kinds_table[i].name);
	views_drop_meta_sql(&sql);
	rc = duck_run(d, buf_text(&sql), NULL);
	a->has_views = rc < 0;
	buf_free(&sql);
	return rc;
}

/* What @sql says of the paths of the files that it wants; 1: nothing. */
static int where_of(const struct roots *all, struct duck *d, const char *sql,
		    const struct buf *names, struct buf *out)
{
	struct roots r = *all;
	int rc;

	if (names->len == 0)
		return 1;
	r.is_plan = true;
	rc = make_all(&r, d, names);
	if (rc == 0)
		rc = views_make_meta(r.a, d, names);
	return rc < 0 ? rc : pick_where(d, sql, out);
}

int views_make(struct archive *a, struct duck *d, const char *sql, bool pick)
{
	struct buf names = {0};
	struct buf live = {0};
	struct buf where = {0};
	struct roots r = {.a = a, .archive = a->dir};
	int rc = archive_live(a, &live);

	r.live = buf_text(&live);
	rc = rc < 0 ? rc : views_drop(a, d);
	a->has_views = true;
	if (rc == 0 && sql)
		rc = duck_each_table(d, sql, add_name, &names);
	if (rc == 0 && sql && pick)
		rc = where_of(&r, d, sql, &names, &where);
	r.where = where.len > 0 ? buf_text(&where) : NULL;
	rc = rc < 0 ? rc : 0;
	if (rc == 0)
		rc = make_all(&r, d, &names);
	if (rc == 0)
		rc = views_make_meta(a, d, &names);
	buf_free(&names);
	buf_free(&live);
	buf_free(&where);
	return rc;
}
