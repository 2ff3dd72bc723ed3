/* feature_source - see feature_source.h. */
#include "cli/feature_source.h"
#include "base/buf.h"
#include "base/jsonw.h"
#include "cli/query.h"
#include "cli/symbol_file.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- of the daemon ---- */

static void put_request(struct buf *out, const struct feature_wish *wish,
			const char *symbol, const char *from)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "cmd", "bars");
	jsonw_str(&w, "symbol", symbol);
	for (size_t k = 0; k < 4; k++) {
		bool is_start = wish->keys[k][0] != NULL &&
				strcmp(wish->keys[k][0], "start") == 0;

		if (wish->keys[k][1] != NULL && !(is_start && *from != '\0'))
			jsonw_str(&w, wish->keys[k][0], wish->keys[k][1]);
	}
	if (*from != '\0')
		jsonw_str(&w, "start", from);
	jsonw_end(&w);
}

/* One page of bars; @from becomes where the next begins, "" at the end. */
static int take_page(const struct query *q, const char *column, struct feature_row *row,
		     char *from, size_t cap)
{
	struct json_token bars, rows, bar, key, value, next;
	struct query_walk walk;

	if (!query_member(&q->result, "bars", &bars) ||
	    !query_member(&bars, "bars", &rows) || !query_walk(&walk, &rows))
		return cli_error(CLI_INTERNAL, "the daemon's answer has no bars");
	while (query_next(&walk, &key, &bar)) {
		if (!query_member(&bar, column, &value))
			continue;
		if (feature_frame_push(row, query_number(&value, NAN)) < 0)
			return cli_error(CLI_INTERNAL, "%s", err_text());
	}
	*from = '\0';
	if (query_member(&bars, "next", &next))
		(void)query_text(&next, from, cap);
	return CLI_OK;
}

static int take_symbol(struct cli *c, const struct feature_wish *wish,
		       struct feature_row *row)
{
	char from[48] = "";
	int rc;

	do {
		struct buf request = {0};
		struct query q;

		put_request(&request, wish, row->symbol, from);
		rc = query_run(c, buf_text(&request), &q);
		buf_free(&request);
		if (rc != CLI_OK)
			return rc;
		rc = take_page(&q, wish->column, row, from, sizeof(from));
		query_free(&q);
	} while (rc == CLI_OK && *from != '\0');
	return rc;
}

int feature_source_daemon(struct cli *c, const struct feature_wish *wish,
			  struct feature_frame *f)
{
	for (size_t i = 0; i < f->n; i++) {
		int rc = take_symbol(c, wish, &f->rows[i]);

		/* A no is about this symbol; its sentence is on stderr already. */
		if (rc == CLI_NEGATIVE)
			(void)snprintf(f->rows[i].reason, sizeof(f->rows[i].reason),
				       "the daemon has no bars of it");
		else if (rc != CLI_OK)
			return rc;
	}
	return CLI_OK;
}

/* ---- of a file ---- */

struct columns {
	int symbol, value;
};

/* Empty and unreadable fields are missing values. */
static double number_of(const char *text)
{
	char *end;
	double v = strtod(text, &end);

	return end == text || *end != '\0' ? NAN : v;
}

static int take_line(const struct line *line, const struct columns *at,
		     const struct feature_wish *wish, struct feature_frame *f)
{
	const char *p = line->text, *end = line->text + line->len;
	char symbol[SYMBOL_MAX + 2] = "";
	struct buf field = {0};
	struct feature_row *row;
	double v = NAN;

	for (int i = 0; symbol_file_field(&p, end, &field); i++) {
		if (i == at->symbol)
			(void)snprintf(symbol, sizeof(symbol), "%s", buf_text(&field));
		if (i == at->value)
			v = number_of(buf_text(&field));
	}
	buf_free(&field);
	if (symbol[0] == '\0')
		return err_set(-EINVAL, "line %llu names no symbol",
			       (unsigned long long)line->number);
	row = feature_frame_row(f, symbol, !wish->only_named);
	if (row == NULL)
		return wish->only_named ? 0 : -EINVAL;
	return feature_frame_push(row, v);
}

int feature_source_csv(const char *path, const struct feature_wish *wish,
		       struct feature_frame *f)
{
	struct columns at = {-1, -1};
	struct lines *l = NULL;
	struct line line;
	int rc = lines_open(path, LINES_MAX_DEFAULT, &l);

	while (rc >= 0 && (rc = lines_next(l, true, ',', &line)) != LINES_END) {
		if (rc > 0) {
			rc = err_set(-EINVAL, "%s: line %llu cannot be read", path,
				     (unsigned long long)line.number);
		} else if (rc == 0 && at.symbol < 0) {
			rc = at.symbol = symbol_file_column(path, &line, "symbol");
			if (rc >= 0)
				rc = at.value =
					symbol_file_column(path, &line, wish->column);
		} else if (rc == 0) {
			rc = take_line(&line, &at, wish, f);
			if (rc < 0)
				(void)err_prefix(rc, "%s", path);
		}
	}
	if (rc == LINES_END && at.symbol < 0)
		rc = err_set(-EINVAL, "%s is empty", path);
	lines_close(l);
	return rc < 0 ? rc : 0;
}
