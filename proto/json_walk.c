/*
 * json_walk - RFC 8259 by hand where the shape is known, json_scan elsewhere.
 *
 * What a vendor sends is short keys, short numbers and times in one form: each has a
 * fast way here, and whatever the fast way does not know goes the exact slow one.
 */
#include "proto/json_walk.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timetext.h"
#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

void json_walk_begin(struct json_walk *w, const char *text, size_t len)
{
	*w = (struct json_walk){.begin = text};
	w->in = (struct json_scan){.at = text, .end = text + len, .is_strict = true};
}

void json_walk_fail(struct json_walk *w, const char *why)
{
	if (!w->why)
		w->why = why;
}

bool json_walk_end(struct json_walk *w)
{
	if (w->why)
		return false;
	json_scan_blank(&w->in);
	if (w->in.at < w->in.end)
		json_walk_fail(w, "something follows the document");
	return !w->why;
}

void json_walk_where(const struct json_walk *w, char *out, size_t cap)
{
	size_t left = (size_t)(w->in.end - w->in.at), n = left < 24 ? left : 24;
	int len = snprintf(out, cap, "byte %zu", (size_t)(w->in.at - w->begin));

	if (len < 0 || (size_t)len + n + 16 > cap)
		return;
	if (n == 0) {
		(void)snprintf(out + len, cap - (size_t)len, ", at its end");
		return;
	}
	(void)snprintf(out + len, cap - (size_t)len, ", before '%.*s'", (int)n,
		       w->in.at);
	/* A reason is printed: what a stranger sent must not move the cursor. */
	for (char *p = out; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

/* To the first character of what comes next; false when nothing does. */
static inline bool ahead(struct json_walk *w)
{
	if (w->why)
		return false;
	if (w->in.at < w->in.end && (unsigned char)*w->in.at > ' ')
		return true;
	json_scan_blank(&w->in);
	if (w->in.at < w->in.end)
		return true;
	w->why = "it is cut off";
	return false;
}

enum json_type json_walk_peek(struct json_walk *w)
{
	if (!ahead(w))
		return 0;
	switch (*w->in.at) {
	case '"':
		return JSON_STRING;
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	case '-':
	case '0' ... '9':
		return JSON_NUMBER;
	default:
		return JSON_WORD;
	}
}

bool json_walk_token(struct json_walk *w, struct json_token *out)
{
	if (w->why)
		return false;
	if (json_scan_value(&w->in, out))
		return true;
	w->why = "a value is malformed";
	return false;
}

void json_walk_skip(struct json_walk *w)
{
	struct json_token ignored;

	(void)json_walk_token(w, &ignored);
}

bool json_walk_null(struct json_walk *w)
{
	struct json_token t;

	return ahead(w) && *w->in.at == 'n' && json_walk_token(w, &t);
}

static bool enter(struct json_walk *w, char open, const char *why)
{
	if (!ahead(w) || json_walk_null(w))
		return false;
	if (w->why || *w->in.at != open) {
		json_walk_fail(w, why);
		return false;
	}
	w->in.at++;
	w->fresh = true;
	return true;
}

bool json_walk_object(struct json_walk *w)
{
	return enter(w, '{', "an object is missing");
}

bool json_walk_array(struct json_walk *w)
{
	return enter(w, '[', "an array is missing");
}

/* Between two members: false when the container ends here. */
static inline bool more(struct json_walk *w, char close)
{
	if (!ahead(w))
		return false;
	if (*w->in.at == close) {
		w->in.at++;
		w->fresh = false;
		return false;
	}
	if (!w->fresh) {
		if (*w->in.at != ',') {
			w->why = "a comma is missing";
			return false;
		}
		w->in.at++;
	}
	w->fresh = false;
	return ahead(w);
}

bool json_walk_element(struct json_walk *w)
{
	return more(w, ']');
}

static bool slow_key(struct json_walk *w, struct json_key *out)
{
	struct json_token t;

	if (!json_scan_key(&w->in, &t)) {
		w->why = "a key is missing";
		return false;
	}
	*out = (struct json_key){t.text, t.len, 0};
	/* A longer one is no name of ours. */
	if (t.escaped && json_scan_text(&t, w->scratch, sizeof(w->scratch), &out->len))
		out->text = w->scratch;
	if (out->len == 1)
		out->id = JSON_KEY1((unsigned char)out->text[0]);
	else if (out->len == 2)
		out->id = JSON_KEY2((unsigned char)out->text[0],
				    (unsigned char)out->text[1]);
	return true;
}

static inline bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool json_walk_key(struct json_walk *w, struct json_key *out)
{
	const char *p;

	if (!more(w, '}'))
		return false;
	p = w->in.at;
	if (w->in.end - p >= 5 && p[0] == '"' && is_plain(p[1])) {
		if (p[2] == '"' && p[3] == ':') {
			*out = (struct json_key){p + 1, 1,
						 JSON_KEY1((unsigned char)p[1])};
			w->in.at = p + 4;
			return true;
		}
		if (is_plain(p[2]) && p[3] == '"' && p[4] == ':') {
			*out = (struct json_key){
				p + 1, 2,
				JSON_KEY2((unsigned char)p[1], (unsigned char)p[2])};
			w->in.at = p + 5;
			return true;
		}
	}
	return slow_key(w, out);
}

bool json_walk_is(const struct json_key *k, const char *name)
{
	size_t len = strlen(name);

	return k->len == len && memcmp(k->text, name, len) == 0;
}

static const int64_t pow10_i64[19] = {1,
				      10,
				      100,
				      1000,
				      10000,
				      100000,
				      1000000,
				      10000000,
				      100000000,
				      1000000000,
				      10000000000,
				      100000000000,
				      1000000000000,
				      10000000000000,
				      100000000000000,
				      1000000000000000,
				      10000000000000000,
				      100000000000000000,
				      1000000000000000000};

/*
 * JSON's grammar with at most 18 digits and no exponent; false leaves everything to
 * the slow way.  Both digit loops stop at the first other character, and a number must
 * be followed by one: at the very end of the text it may be cut off.
 */
static inline bool short_decimal(struct json_walk *w, unsigned scale, int64_t *out)
{
	const char *at = w->in.at, *end = w->in.end, *from;
	bool is_negative = *at == '-';
	ptrdiff_t whole, frac = 0;
	uint64_t v = 0;
	unsigned digit;
	int64_t scaled;

	at += is_negative;
	if (end - at > 20)
		end = at + 20;
	from = at;
	while (at < end && (digit = (unsigned char)(*at - '0')) < 10) {
		v = v * 10 + digit;
		at++;
	}
	whole = at - from;
	if (whole == 0 || at == end || (*from == '0' && whole > 1))
		return false;
	if (*at == '.') {
		from = ++at;
		while (at < end && (digit = (unsigned char)(*at - '0')) < 10) {
			v = v * 10 + digit;
			at++;
		}
		frac = at - from;
		if (frac == 0 || at == end)
			return false;
	}
	if (whole + frac > 18 || (unsigned)frac > scale || (*at | 32) == 'e' ||
	    scale - (unsigned)frac > 18)
		return false;
	if (__builtin_mul_overflow((int64_t)v, pow10_i64[scale - (unsigned)frac],
				   &scaled))
		return false;
	*out = is_negative ? -scaled : scaled;
	w->in.at = at;
	return true;
}

/* A number token, or a reason; false for null as well. */
static bool number_token(struct json_walk *w, struct json_token *t)
{
	const char *from = w->in.at;

	if (!json_walk_token(w, t) || t->type == JSON_NULL)
		return false;
	if (t->type == JSON_NUMBER)
		return true;
	w->in.at = from;
	json_walk_fail(w, "a number is missing");
	return false;
}

int64_t json_walk_decimal(struct json_walk *w, unsigned scale)
{
	struct json_token t;
	int64_t v = VALUE_NULL;
	const char *from;

	if (!ahead(w))
		return VALUE_NULL;
	if (short_decimal(w, scale, &v))
		return v;
	from = w->in.at;
	if (!number_token(w, &t))
		return VALUE_NULL;
	switch (decimal_parse_exp(t.text, t.len, scale, &v)) {
	case 0:
		if (v != VALUE_NULL)
			return v;
		json_walk_fail(w, "a number does not fit 64 bits");
		break;
	case DECIMAL_INEXACT:
		json_walk_fail(w, "a number has more decimals than are kept");
		break;
	default:
		json_walk_fail(w, "a number does not fit 64 bits");
	}
	w->in.at = from;
	return VALUE_NULL;
}

/*
 * Digits beyond the scale: cut the text behind its first excess digit and round by
 * that one.  An exponent moves the point, so it is applied before.
 */
static bool round_text(const struct json_token *t, unsigned scale, int64_t *out)
{
	char digits[64];
	int64_t exp = 0, point = -1, keep, v;
	bool is_negative = t->text[0] == '-', up;
	size_t n = 0, i = is_negative;

	for (; i < t->len && (t->text[i] | 32) != 'e'; i++) {
		if (t->text[i] == '.')
			point = (int64_t)n;
		else if (n < sizeof(digits))
			digits[n++] = t->text[i];
		else if (point < 0)
			return false;
	}
	if (point < 0)
		point = (int64_t)n;
	if (i < t->len) {
		i += t->text[i + 1] == '+' ? 2 : 1;
		if (decimal_parse(t->text + i, t->len - i, 0, &exp) != 0 ||
		    exp > 1000 || exp < -1000)
			exp = t->text[i] == '-' ? -1000 : 1000;
	}
	keep = point + exp + (int64_t)scale;
	if (keep < 0 || n == 0) {
		*out = 0;
		return true;
	}
	if (keep >= (int64_t)n)
		return false;
	up = digits[keep] >= '5';
	v = 0;
	if (keep > 0 && decimal_parse(digits, (size_t)keep, 0, &v) != 0)
		return false;
	if (up && __builtin_add_overflow(v, 1, &v))
		return false;
	*out = is_negative ? -v : v;
	return true;
}

int64_t json_walk_rounded(struct json_walk *w, unsigned scale)
{
	struct json_token t;
	int64_t v = VALUE_NULL;
	const char *from;
	int rc;

	if (!ahead(w))
		return VALUE_NULL;
	if (short_decimal(w, scale, &v))
		return v;
	from = w->in.at;
	if (!number_token(w, &t))
		return VALUE_NULL;
	rc = decimal_parse_exp(t.text, t.len, scale, &v);
	if ((rc == 0 || (rc == DECIMAL_INEXACT && round_text(&t, scale, &v))) &&
	    v != VALUE_NULL)
		return v;
	w->in.at = from;
	json_walk_fail(w, "a number does not fit 64 bits");
	return VALUE_NULL;
}

uint64_t json_walk_u64(struct json_walk *w)
{
	const char *from = w->in.at;
	struct json_token t;
	uint64_t v = 0;

	if (!json_walk_token(w, &t) || t.type == JSON_NULL)
		return 0;
	if (json_scan_u64(&t, &v))
		return v;
	w->in.at = from;
	json_walk_fail(w, "a whole number is missing");
	return 0;
}

/* Whatever timetext takes holds no escape: the first quote ends it. */
static bool short_time(struct json_walk *w, int64_t *out_ns)
{
	size_t left = (size_t)(w->in.end - w->in.at);
	const char *from = w->in.at + 1, *quote;

	if (w->in.at[0] != '"')
		return false;
	quote = memchr(from, '"', left - 1 < TIMETEXT_MAX ? left - 1 : TIMETEXT_MAX);
	if (!quote || timetext_parse(from, (size_t)(quote - from), out_ns) != 0)
		return false;
	w->in.at = quote + 1;
	return true;
}

int64_t json_walk_time(struct json_walk *w)
{
	struct json_token t;
	const char *from;
	int64_t ns;

	if (!ahead(w))
		return VALUE_NULL;
	from = w->in.at;
	if (short_time(w, &ns))
		return ns;
	if (!json_walk_token(w, &t) || t.type == JSON_NULL)
		return VALUE_NULL;
	if (t.type == JSON_STRING && timetext_parse(t.text, t.len, &ns) == 0)
		return ns;
	w->in.at = from;
	json_walk_fail(w, "a time is not RFC 3339");
	return VALUE_NULL;
}

/* Whole characters and whole escapes of at most @room bytes once undone. */
static size_t fitting(const struct json_token *t, size_t room)
{
	size_t at = 0, used = 0;

	while (at < t->len) {
		size_t step = 1, len;

		if (t->text[at] == '\\') {
			step = t->text[at + 1] == 'u' ? 6 : 2;
			if (step == 6 && t->len - at >= 12 &&
			    (t->text[at + 2] | 32) == 'd' &&
			    strchr("89abAB", t->text[at + 3]))
				step = 12;
			len = step == 12 ? 4 : step == 6 ? 3 : 1;
		} else {
			len = step = utf8_len(t->text + at, t->len - at);
		}
		if (used + len > room)
			break;
		used += len;
		at += step;
	}
	return at;
}

size_t json_walk_text(struct json_walk *w, char *out, size_t cap)
{
	const char *from = w->in.at;
	struct json_token t;
	size_t len = 0;

	out[0] = '\0';
	if (!json_walk_token(w, &t) || t.type == JSON_NULL)
		return 0;
	if (t.type == JSON_STRING) {
		if (t.len >= cap)
			t.len = fitting(&t, cap - 1);
		if (json_scan_text(&t, out, cap - 1, &len)) {
			out[len] = '\0';
			return len;
		}
	}
	w->in.at = from;
	out[0] = '\0';
	json_walk_fail(w, t.type == JSON_STRING ? "an escape is no character"
						: "a text is missing");
	return 0;
}
