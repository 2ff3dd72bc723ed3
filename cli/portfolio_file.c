/* portfolio_file - see portfolio_file.h. */
#include "cli/portfolio_file.h"
#include "base/err.h"
#include "cli/symbol_file.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SYMBOL = 0, QUANTITY, COST, COLUMNS };

static const char *const names[COLUMNS] = {"symbol", "quantity", "cost_basis"};

struct header {
	int at[COLUMNS]; /* -1: it is not there */
};

static int read_header(const char *path, const struct line *line, struct header *out)
{
	for (int i = 0; i < COLUMNS; i++) {
		out->at[i] = symbol_file_column(path, line, names[i]);
		if (out->at[i] < 0 && i != COST)
			return out->at[i];
	}
	return 0;
}

/* The whole field, blanks around it aside.  "1,234.5" and "$5" are no numbers. */
static bool read_number(const char *text, double *out)
{
	char *end;

	/* strtod() would take 0x10, inf and nan. */
	if (strspn(text, "0123456789+-.eE \t") != strlen(text))
		return false;
	*out = strtod(text, &end);
	while (isspace((unsigned char)*end))
		end++;
	return end != text && *end == '\0' && isfinite(*out);
}

static char *trim(char *text)
{
	size_t n = strlen(text);

	while (n > 0 && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	return text + strspn(text, " \t");
}

static int take(struct buf field[COLUMNS], struct portfolio *out)
{
	double quantity, cost = NAN;
	char *text[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		text[i] = trim(buf_text(&field[i]));
	if (!read_number(text[QUANTITY], &quantity))
		return err_set(-EINVAL, "the quantity '%.40s' is not a number",
			       text[QUANTITY]);
	if (*text[COST] != '\0' && !read_number(text[COST], &cost))
		return err_set(-EINVAL, "the cost_basis '%.40s' is not a number",
			       text[COST]);
	return portfolio_add(out, text[SYMBOL], quantity, cost);
}

static void take_line(const struct header *h, const struct line *line,
		      struct portfolio *out)
{
	const char *p = line->text, *end = line->text + line->len;
	struct buf field[COLUMNS] = {{0}}, other = {0};
	bool more = true;

	for (int at = 0; more; at++) {
		struct buf *to = &other;

		for (int i = 0; i < COLUMNS; i++)
			if (h->at[i] == at)
				to = &field[i];
		more = symbol_file_field(&p, end, to);
	}
	if (take(field, out) < 0)
		portfolio_refuse(out, line->number, err_text());
	for (int i = 0; i < COLUMNS; i++)
		buf_free(&field[i]);
	buf_free(&other);
}

static bool is_blank(const struct line *line)
{
	for (size_t i = 0; i < line->len; i++)
		if (!isspace((unsigned char)line->text[i]))
			return false;
	return true;
}

int portfolio_file_read(const char *path, struct portfolio *out)
{
	struct header h = {{-1, -1, -1}};
	struct lines *l = NULL;
	struct line line;
	int rc = lines_open(path, LINES_MAX_DEFAULT, &l);

	while (rc >= 0 && (rc = lines_next(l, true, ',', &line)) != LINES_END) {
		if (rc > 0)
			portfolio_refuse(out, line.number, "it cannot be read");
		else if (rc == 0 && h.at[SYMBOL] < 0)
			rc = read_header(path, &line, &h);
		else if (rc == 0 && !is_blank(&line))
			take_line(&h, &line, out);
	}
	if (rc == LINES_END && h.at[SYMBOL] < 0)
		rc = err_set(-EINVAL, "%s is empty", path);
	lines_close(l);
	return rc < 0 ? rc : 0;
}
