/* barcols - see barcols.h. */
#include "proto/barcols.h"
#include "base/decimal.h"
#include "base/err.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Doubles hold every whole number below. */
#define EXACT          INT64_C(9007199254740992)
#define VALUE_TEXT_MAX 22 /* of one value, with its comma */

static const struct {
	const char *name;
	size_t at;
} columns[] = {
	{"time_ns", offsetof(struct hist_bar, start_ns)},
	{"open_e9", offsetof(struct hist_bar, open_e9)},
	{"high_e9", offsetof(struct hist_bar, high_e9)},
	{"low_e9", offsetof(struct hist_bar, low_e9)},
	{"close_e9", offsetof(struct hist_bar, close_e9)},
	{"volume_e8", offsetof(struct hist_bar, volume_e8)},
	{"vwap_e9", offsetof(struct hist_bar, vwap_e9)},
	{"trades", offsetof(struct hist_bar, trades)},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))
_Static_assert(COLUMNS * sizeof(int64_t) == sizeof(struct hist_bar), "all of a bar");

static int64_t *place(struct hist_bar *b, size_t column)
{
	return (int64_t *)(void *)((char *)b + columns[column].at);
}

/* As text at @p; where it ends. */
static char *put_value(char *p, int64_t v)
{
	static const char null[] = "null";

	if (v == VALUE_NULL) {
		memcpy(p, null, sizeof(null) - 1);
		return p + sizeof(null) - 1;
	}
	if (v < 0)
		*p++ = '-';
	return p + decimal_print_u64(p, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void barcols_write(struct jsonw *w, const char *key, const struct hist_bar *bars,
		   size_t n)
{
	struct buf text = {0};

	jsonw_object(w, key);
	for (size_t k = 0; k < COLUMNS; k++) {
		char *begin, *p;

		text.len = 0;
		begin = p = (char *)buf_reserve(&text, (n + 1) * VALUE_TEXT_MAX);
		*p++ = '[';
		for (size_t i = 0; i < n; i++) {
			int64_t v;

			memcpy(&v, (const char *)&bars[i] + columns[k].at, sizeof(v));
			if (i > 0)
				*p++ = ',';
			p = put_value(p, v);
		}
		*p++ = ']';
		jsonw_raw(w, columns[k].name, begin, (size_t)(p - begin));
	}
	jsonw_end(w);
	buf_free(&text);
}

/* Where a row is missing it is made when @may_add. */
static int read_column(struct json_scan *s, size_t column, size_t first, bool may_add,
		       struct buf *out)
{
	size_t row = first;
	struct json_token value;

	if (!json_scan_char(s, '['))
		return -EINVAL;
	if (json_scan_char(s, ']'))
		return may_add || out->len == first * sizeof(struct hist_bar) ? 0
									      : -EINVAL;
	do {
		int64_t v = VALUE_NULL;

		if (!json_scan_value(s, &value) ||
		    (value.type != JSON_NULL &&
		     (value.type != JSON_NUMBER || !json_scan_i64(&value, &v))))
			return -EINVAL;
		if (row == out->len / sizeof(struct hist_bar)) {
			const struct hist_bar none = {0};

			if (!may_add)
				return -EINVAL;
			buf_add(out, &none, sizeof(none));
		}
		*place((struct hist_bar *)(void *)out->data + row, column) = v;
		row++;
	} while (json_scan_char(s, ','));
	return json_scan_char(s, ']') && row == out->len / sizeof(struct hist_bar)
		       ? 0
		       : -EINVAL;
}

static int read_columns(const struct json_token *from, struct buf *out)
{
	struct json_scan s = {.at = from->text, .end = from->text + from->len};
	size_t first = out->len / sizeof(struct hist_bar);
	unsigned seen = 0;
	struct json_token key;

	if (!json_scan_char(&s, '{'))
		return -EINVAL;
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t k = 0;
		int rc;

		if ((i > 0 && !json_scan_char(&s, ',')) || !json_scan_key(&s, &key))
			return -EINVAL;
		while (k < COLUMNS && !json_scan_is(&key, columns[k].name))
			k++;
		if (k == COLUMNS || (seen & 1u << k) != 0)
			return -EINVAL;
		rc = read_column(&s, k, first, seen == 0, out);
		if (rc < 0)
			return rc;
		seen |= 1u << k;
	}
	return json_scan_char(&s, '}') ? 0 : -EINVAL;
}

int barcols_read(const struct json_token *from, struct buf *out)
{
	size_t len = out->len;

	if (from->type == JSON_OBJECT && read_columns(from, out) == 0)
		return 0;
	out->len = len;
	return err_set(-EINVAL, "the columns of the bars cannot be read");
}

/*
 * Value and power of ten are whole numbers that doubles hold, so the quotient is
 * rounded once: what strtod() makes of the decimal.  It is asked where that is not so.
 */
static double number(int64_t value, unsigned scale, double power)
{
	char text[DECIMAL_TEXT_MAX + 1];

	if (value == VALUE_NULL)
		return NAN;
	if (value > -EXACT && value < EXACT)
		return (double)value / power;
	text[decimal_print(text, value, scale)] = '\0';
	return strtod(text, NULL);
}

double barcols_price(int64_t value_e9)
{
	return number(value_e9, 9, 1e9);
}

double barcols_size(int64_t value_e8)
{
	return number(value_e8, 8, 1e8);
}
