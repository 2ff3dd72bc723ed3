/* text_table - a first block says how wide, then row by row. */
#include "archive/text_table.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct text_table {
	FILE *f;
	struct duck_rows *rows;
	const struct duck_column *columns;
	size_t n;
	size_t *widths; /* in characters */
};

/* Characters of UTF-8. */
static size_t width_of(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static const char *cell(const struct text_table *t, size_t column, size_t row,
			size_t *out_len)
{
	if (duck_rows_is_null(&t->columns[column], row)) {
		*out_len = 4;
		return "NULL";
	}
	return duck_rows_text(t->rows, column, row, out_len);
}

static void measure(struct text_table *t, size_t rows)
{
	for (size_t c = 0; c < t->n; c++) {
		t->widths[c] = width_of(t->columns[c].name, strlen(t->columns[c].name));
		for (size_t r = 0; r < rows; r++) {
			size_t len;
			const char *text = cell(t, c, r, &len);
			size_t width = width_of(text, len);

			if (width > t->widths[c])
				t->widths[c] = width;
		}
	}
}

static void put(struct text_table *t, size_t column, const char *text, size_t len)
{
	enum duck_kind kind = t->columns[column].kind;
	bool right = kind == DUCK_I32 || kind == DUCK_I64 || kind == DUCK_F64;
	size_t width = width_of(text, len);
	size_t room = t->widths[column] > width ? t->widths[column] - width : 0;
	bool is_last = column + 1 == t->n;

	fprintf(t->f, "%*s", right ? (int)room : 0, "");
	for (size_t i = 0; i < len; i++)
		putc((unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i],
		     t->f);
	fprintf(t->f, "%*s", right || is_last ? 0 : (int)room, "");
	fputs(is_last ? "\n" : "  ", t->f);
}

int text_table_write(FILE *f, struct duck_rows *rows, uint64_t *out_rows)
{
	struct text_table t = {.f = f, .rows = rows};
	size_t n = 0;
	int rc;

	*out_rows = 0;
	t.columns = duck_rows_columns(rows, &t.n);
	t.widths = calloc(t.n, sizeof(*t.widths));
	if (!t.widths)
		return err_set(-ENOMEM, "no memory for a table");
	rc = duck_rows_next(rows, &n);
	measure(&t, rc == 0 ? n : 0);
	for (size_t c = 0; c < t.n; c++)
		put(&t, c, t.columns[c].name, strlen(t.columns[c].name));
	for (; rc == 0; rc = duck_rows_next(rows, &n)) {
		for (size_t r = 0; r < n; r++) {
			for (size_t c = 0; c < t.n; c++) {
				size_t len;
				const char *text = cell(&t, c, r, &len);

				put(&t, c, text, len);
			}
		}
		*out_rows += n;
	}
	free(t.widths);
	return rc < 0 ? rc : 0;
}
