/* pick - see pick.h. */
#include "archive/pick.h"
#include "archive/archive_own.h"
#include "archive/duck_rows.h"
#include "base/err.h"
#include "base/json.h"
#include <string.h>
#include <unistd.h>

#define FILES_MAX 4096
#define PLAN_MS   10000

/* ---- the empty files ---- */

static int write_empty(struct duck *d, const struct kind *k, const char *dir,
		       const char *file)
{
	struct buf sql = {0};
	int rc = access(file, F_OK) == 0 ? 1 : layout_mkdirs(dir);

	if (rc == 0) {
		buf_printf(&sql, "COPY (SELECT ");
		for (size_t i = 0; i < k->n_columns; i++)
			buf_printf(&sql, "%sNULL::%s AS %s", i ? ", " : "",
				   k->columns[i].type, k->columns[i].name);
		buf_printf(&sql, " WHERE false) TO ");
		duck_quote(&sql, file, strlen(file));
		buf_printf(&sql, " (FORMAT parquet)");
		rc = duck_run(d, buf_text(&sql), NULL);
	}
	buf_free(&sql);
	return rc < 0 ? rc : 0;
}

int pick_empties(struct archive *a, struct duck *d, enum kinds kind, struct buf *out)
{
	static const struct {
		const char *name;
		unsigned year, month, day;
	} ends[] = {{"!", 0, 0, 0}, {"~", 9999, 99, 99}};
	const struct kind *k = &kinds_table[kind];
	int rc = 0;

	for (size_t i = 0; i < 2 && rc == 0; i++) {
		struct buf dir = {0}, file = {0};

		buf_printf(&dir, "%s/empty_%s/%s=%s/year=%u/month=%u", a->tmp, k->name,
			   k->by, ends[i].name, ends[i].year, ends[i].month);
		if (k->is_daily)
			buf_printf(&dir, "/day=%u", ends[i].day);
		buf_printf(&file, "%s/data.parquet", buf_text(&dir));
		rc = write_empty(d, k, buf_text(&dir), buf_text(&file));
		buf_printf(out, i ? ", " : "");
		duck_quote(out, (const char *)file.data, file.len);
		buf_free(&dir);
		buf_free(&file);
	}
	buf_text(out);
	return rc;
}

/* ---- the plan ---- */

/* "(a)(b)" as "(a) AND (b)"; what is quoted stays. */
static void add_filters(struct buf *out, const char *s)
{
	char quote = '\0';

	for (; *s; s++) {
		if (quote == '\0' && (*s == '\'' || *s == '"'))
			quote = *s;
		else if (*s == quote) /* doubled it closes and opens again */
			quote = '\0';
		buf_add(out, s, 1);
		if (quote == '\0' && s[0] == ')' && s[1] == '(')
			buf_printf(out, " AND ");
	}
}

/* Every scan's filters, any of which a file may meet; false: one has none. */
static bool add_scans(const struct json *node, struct buf *out)
{
	const struct json *info = json_get(node, "extra_info");
	const struct json *children = json_get(node, "children");
	const char *function = json_str(json_get(info, "Function"), "");
	const char *filters = json_str(json_get(info, "File Filters"), "");

	if (strstr(function, "PARQUET") != NULL) {
		if (filters[0] == '\0')
			return false;
		buf_printf(out, out->len > 0 ? " OR (" : "(");
		add_filters(out, filters);
		buf_printf(out, ")");
	}
	for (size_t i = 0; i < json_len(children); i++)
		if (!add_scans(json_at(children, i), out))
			return false;
	return true;
}

int pick_where(struct duck *d, const char *sql, struct buf *out)
{
	struct buf explain = {0}, plan = {0};
	struct json *root = NULL;
	size_t begin = out->len;
	bool is_known;

	buf_printf(&explain, "EXPLAIN (FORMAT json) %s", sql);
	is_known = duck_check_select(d, sql) == 0 &&
		   duck_explain(d, buf_text(&explain), PLAN_MS, &plan) == 0 &&
		   json_parse((const char *)plan.data, plan.len, &root) == 0 &&
		   json_len(root) > 0;
	for (size_t i = 0; is_known && i < json_len(root); i++)
		is_known = add_scans(json_at(root, i), out);
	if (!is_known)
		out->len = begin;
	json_free(root);
	buf_free(&explain);
	buf_free(&plan);
	buf_text(out);
	return out->len > begin ? 0 : 1;
}

/* ---- the files ---- */

struct files {
	struct buf *out;
	size_t n;
};

static int add_file(void *arg, const char *path)
{
	struct files *f = arg;

	if (f->n++ == FILES_MAX)
		return 1;
	buf_printf(f->out, f->out->len > 0 ? ", " : "");
	duck_quote(f->out, path, strlen(path));
	return 0;
}

int pick_files(struct duck *d, enum kinds kind, const char *patterns, const char *where,
	       struct buf *out, size_t *out_n)
{
	static const char *const numbers[] = {"year", "month", "day"};
	const struct kind *k = &kinds_table[kind];
	struct files f = {out, 0};
	struct buf sql = {0};
	int rc;

	buf_printf(&sql,
		   "SELECT file FROM (SELECT file, "
		   "url_decode(regexp_extract(file, '.*/%s=([^/]*)/year=', 1)) AS %s",
		   k->by, k->by);
	for (size_t i = 0; i < (k->is_daily ? 3u : 2u); i++)
		buf_printf(&sql,
			   ", regexp_extract(file, '.*/%s=([0-9]+)', 1)::BIGINT AS %s",
			   numbers[i], numbers[i]);
	buf_printf(&sql, " FROM glob([%s])) WHERE %s ORDER BY file", patterns, where);
	rc = duck_each_text(d, buf_text(&sql), add_file, &f);
	buf_free(&sql);
	*out_n = f.n;
	return rc;
}
