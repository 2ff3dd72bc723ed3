/*
 * jsonw - the writer: where a comma goes and what must be quoted.
 */
#include "base/jsonw.h"
#include "base/decimal.h"
#include "base/timetext.h"
#include "base/utf8.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void jsonw_init(struct jsonw *w, struct buf *out)
{
	*w = (struct jsonw){.out = out};
}

static void put_escape(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	const char *known = c ? strchr(from, c) : NULL;

	if (known) {
		text[1] = to[known - from];
		buf_add(out, text, 2);
	} else {
		buf_add(out, text, 6);
	}
}

/* Bytes that are not UTF-8 become U+FFFD: what we write is JSON, always. */
static void put_quoted(struct buf *out, const char *s, size_t len)
{
	size_t from = 0, i = 0;

	buf_add(out, "\"", 1);
	while (i < len) {
		unsigned char c = (unsigned char)s[i];
		size_t n = utf8_len(s + i, len - i);

		if (n > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
			i += n;
			continue;
		}
		buf_add(out, s + from, i - from);
		if (n == 0)
			buf_add(out, "\xef\xbf\xbd", 3);
		else
			put_escape(out, c);
		from = ++i;
	}
	buf_add(out, s + from, len - from);
	buf_add(out, "\"", 1);
}

/* The comma and the key before a value. */
static void begin(struct jsonw *w, const char *key)
{
	if (w->depth > 0) {
		unsigned top = w->depth - 1;

		assert(w->is_array[top] == (key == NULL));
		if (!w->first[top])
			buf_add(w->out, ",", 1);
		w->first[top] = false;
	}
	if (key) {
		put_quoted(w->out, key, strlen(key));
		buf_add(w->out, ":", 1);
	}
}

static void open_level(struct jsonw *w, const char *key, bool is_array)
{
	begin(w, key);
	/* Depth is the caller's code, not its data: too deep is a bug here. */
	assert(w->depth < JSONW_DEPTH_MAX);
	if (w->depth >= JSONW_DEPTH_MAX)
		abort();
	w->first[w->depth] = true;
	w->is_array[w->depth] = is_array;
	w->depth++;
	buf_add(w->out, is_array ? "[" : "{", 1);
}

void jsonw_object(struct jsonw *w, const char *key)
{
	open_level(w, key, false);
}

void jsonw_array(struct jsonw *w, const char *key)
{
	open_level(w, key, true);
}

void jsonw_end(struct jsonw *w)
{
	assert(w->depth > 0);
	if (w->depth == 0)
		return;
	w->depth--;
	buf_add(w->out, w->is_array[w->depth] ? "]" : "}", 1);
}

void jsonw_str(struct jsonw *w, const char *key, const char *value)
{
	if (!value) {
		jsonw_null(w, key);
		return;
	}
	jsonw_strn(w, key, value, strlen(value));
}

void jsonw_strn(struct jsonw *w, const char *key, const char *value, size_t len)
{
	begin(w, key);
	put_quoted(w->out, value, len);
}

void jsonw_u64(struct jsonw *w, const char *key, uint64_t value)
{
	char text[DECIMAL_TEXT_MAX];

	jsonw_raw(w, key, text, decimal_print_u64(text, value));
}

void jsonw_i64(struct jsonw *w, const char *key, int64_t value)
{
	char text[DECIMAL_TEXT_MAX];

	jsonw_raw(w, key, text, decimal_print(text, value, 0));
}

void jsonw_f64(struct jsonw *w, const char *key, double value)
{
	char text[32];

	jsonw_raw(w, key, text, jsonw_print_f64(text, value));
}

void jsonw_bool(struct jsonw *w, const char *key, bool value)
{
	jsonw_raw(w, key, value ? "true" : "false", value ? 4 : 5);
}

void jsonw_null(struct jsonw *w, const char *key)
{
	jsonw_raw(w, key, "null", 4);
}

void jsonw_time(struct jsonw *w, const char *key, int64_t ns)
{
	char text[TIMETEXT_MAX];

	if (ns == INT64_MIN)
		jsonw_null(w, key);
	else
		jsonw_strn(w, key, text, timetext_print(text, ns));
}

void jsonw_hex64(struct jsonw *w, const char *key, uint64_t value)
{
	char text[17];

	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)value);
	jsonw_strn(w, key, text, 16);
}

void jsonw_raw(struct jsonw *w, const char *key, const char *text, size_t len)
{
	begin(w, key);
	buf_add(w->out, text, len);
}

/*
 * Most numbers are short decimals: i / 10^9 with i below 10^15.  If the double
 * nearest to that quotient is @value, then those digits read back as @value
 * (both operands are exact, so the division rounds once, as a reader does), and
 * with at most 15 digits they are what %.15g prints.  Below 10^-4 %g would
 * choose an exponent, so that stays with printf.
 */
static size_t print_short(char buf[32], double value)
{
	double scaled = value * 1e9;
	double whole;

	if (!(fabs(value) >= 1e-4) || !(fabs(scaled) < 1e15))
		return 0;
	whole = nearbyint(scaled);
	if (whole / 1e9 != value)
		return 0;
	return decimal_print(buf, (int64_t)whole, 9);
}

size_t jsonw_print_f64(char buf[32], double value)
{
	size_t n = print_short(buf, value);

	if (n > 0)
		return n;
	if (!isfinite(value))
		return (size_t)snprintf(buf, 32, "null");
	for (int digits = 15; digits <= 17; digits++) {
		n = (size_t)snprintf(buf, 32, "%.*g", digits, value);
		if (strtod(buf, NULL) == value)
			break;
	}
	return n;
}
