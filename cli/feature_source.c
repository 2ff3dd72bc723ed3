/* feature_source - see feature_source.h. */
#include "cli/feature_source.h"
#include "base/buf.h"
#include "cli/symbol_file.h"
#include "proto/barcols.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- of the daemon ---- */

struct taking {
	bool is_volume;
	struct feature_row *row;
};

static int take_bar(void *arg, const struct hist_bar *bar)
{
	struct taking *t = arg;
	double v = t->is_volume ? barcols_size(bar->volume_e8)
				: barcols_price(bar->close_e9);

	if (feature_frame_push(t->row, v) < 0)
		return cli_error(CLI_INTERNAL, "%s", err_text());
	return CLI_OK;
}

static int take_row(struct cli *c, const struct feature_wish *wish,
		    struct feature_row *row)
{
	struct history_wish w = wish->bars;
	struct taking t = {strcmp(wish->column, "volume") == 0, row};
	char reason[HISTORY_REASON_MAX];
	int rc;

	w.symbol = row->symbol;
	rc = history_source_bars(c, &w, take_bar, &t, reason);
	if (rc != CLI_NEGATIVE)
		return rc;
	/* A no is about this symbol. */
	(void)snprintf(row->reason, sizeof(row->reason), "%s", reason);
	return CLI_OK;
}

int feature_source_daemon(struct cli *c, const struct feature_wish *wish,
			  struct feature_frame *f)
{
	const struct feature_watch *watch = f->watch;
	int rc = CLI_OK;

	for (size_t i = 0; i < f->n && rc == CLI_OK; i++) {
		if (f->rows[i].reason[0] != '\0')
			continue;
		if (watch != NULL)
			watch->begin(watch->arg, i);
		rc = take_row(c, wish, &f->rows[i]);
		if (watch != NULL)
			watch->leave(watch->arg, i);
	}
	return rc;
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
