/* json_scan - RFC 8259, front to back; nesting is a stack of bits. */
#include "proto/json_scan.h"
#include "base/utf8.h"
#include <string.h>

void json_scan_blank(struct json_scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

bool json_scan_char(struct json_scan *s, char c)
{
	json_scan_blank(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

/* At a backslash: step over the escape. */
static bool skip_escape(struct json_scan *s)
{
	static const char known[] = "\"\\/bfnrt";
	size_t left = (size_t)(s->end - s->at);

	if (left < 2)
		return false;
	if (s->at[1] == 'u') {
		if (left < 6)
			return false;
		for (int i = 2; i < 6; i++)
			if (!is_hex(s->at[i]))
				return false;
		s->at += 6;
		return true;
	}
	if (memchr(known, s->at[1], sizeof(known) - 1) == NULL)
		return false;
	s->at += 2;
	return true;
}

/* Bytes of a string that mean themselves: not a control, quote, backslash, not of
 * UTF-8. In a local variable: a store of s->at for every byte took half of the time. */
static void skip_plain(struct json_scan *s)
{
	const char *at = s->at, *end = s->end;

	while (at < end && (signed char)*at >= ' ' && *at != '"' && *at != '\\')
		at++;
	s->at = at;
}

/* At the opening quote. */
static bool scan_string(struct json_scan *s, struct json_token *out)
{
	out->type = JSON_STRING;
	out->escaped = false;
	out->text = ++s->at;
	for (;;) {
		size_t n;

		skip_plain(s);
		if (s->at == s->end)
			return false;
		if (*s->at == '"')
			break;
		if (*s->at == '\\') {
			out->escaped = true;
			if (!skip_escape(s))
				return false;
			continue;
		}
		if ((unsigned char)*s->at < 0x20)
			return false;
		n = utf8_len(s->at, (size_t)(s->end - s->at));
		if (n == 0)
			return false;
		s->at += n;
	}
	out->len = (size_t)(s->at - out->text);
	s->at++;
	return true;
}

static size_t skip_digits(struct json_scan *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return (size_t)(s->at - from);
}

static bool at_char(const struct json_scan *s, char c)
{
	return s->at < s->end && *s->at == c;
}

static bool scan_number(struct json_scan *s, struct json_token *out)
{
	out->type = JSON_NUMBER;
	out->text = s->at;
	s->at += at_char(s, '-');
	if (at_char(s, '0'))
		s->at++;
	else if (skip_digits(s) == 0)
		return false;
	if (at_char(s, '.')) {
		s->at++;
		if (skip_digits(s) == 0)
			return false;
	}
	if (at_char(s, 'e') || at_char(s, 'E')) {
		s->at++;
		if (at_char(s, '+') || at_char(s, '-'))
			s->at++;
		if (skip_digits(s) == 0)
			return false;
	}
	out->len = (size_t)(s->at - out->text);
	return true;
}

static bool scan_word(struct json_scan *s, struct json_token *out)
{
	static const struct {
		const char *text;
		enum json_type type;
	} words[] = {{"true", JSON_TRUE},     {"false", JSON_FALSE},
		     {"null", JSON_NULL},     {"NaN", JSON_WORD},
		     {"Infinity", JSON_WORD}, {"-Infinity", JSON_WORD}};
	size_t left = (size_t)(s->end - s->at);

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].text);

		if (s->is_strict && words[i].type == JSON_WORD)
			continue;
		if (len <= left && memcmp(s->at, words[i].text, len) == 0) {
			*out = (struct json_token){words[i].type, s->at, len, false};
			s->at += len;
			return true;
		}
	}
	return false;
}

static bool scan_scalar(struct json_scan *s, struct json_token *out)
{
	char c = *s->at;

	out->escaped = false;
	if (c == '"')
		return scan_string(s, out);
	if ((c >= '0' && c <= '9') ||
	    (c == '-' && s->end - s->at > 1 && s->at[1] != 'I'))
		return scan_number(s, out);
	return scan_word(s, out);
}

bool json_scan_key(struct json_scan *s, struct json_token *out)
{
	json_scan_blank(s);
	return at_char(s, '"') && scan_string(s, out) && json_scan_char(s, ':');
}

/* A nest of open objects and arrays, one bit each: 1 is an object. */
struct nest {
	uint32_t is_object;
	unsigned depth;
};

_Static_assert(JSON_SCAN_DEPTH_MAX <= 32, "the stack is one word");

/*
 * Enter a value.  False: not JSON.  *@out_closed tells that the value is whole
 * (a scalar, or an empty container), else its first member comes next.
 */
static bool enter(struct json_scan *s, struct nest *n, bool *out_closed)
{
	struct json_token ignored;
	bool is_object;

	json_scan_blank(s);
	if (s->at == s->end)
		return false;
	is_object = *s->at == '{';
	*out_closed = true;
	if (!is_object && *s->at != '[')
		return scan_scalar(s, &ignored);
	if (n->depth == JSON_SCAN_DEPTH_MAX)
		return false;
	s->at++;
	if (json_scan_char(s, is_object ? '}' : ']'))
		return true;
	*out_closed = false;
	n->is_object = n->is_object << 1 | is_object;
	n->depth++;
	return !is_object || json_scan_key(s, &ignored);
}

/* Behind a whole value: close what ends here; false: not JSON. */
static bool leave(struct json_scan *s, struct nest *n)
{
	struct json_token ignored;

	while (n->depth > 0) {
		bool is_object = n->is_object & 1;

		if (json_scan_char(s, ','))
			return !is_object || json_scan_key(s, &ignored);
		if (!json_scan_char(s, is_object ? '}' : ']'))
			return false;
		n->is_object >>= 1;
		n->depth--;
	}
	return true;
}

static bool scan_container(struct json_scan *s, struct json_token *out)
{
	struct nest n = {0};
	bool closed;

	out->type = *s->at == '{' ? JSON_OBJECT : JSON_ARRAY;
	out->text = s->at;
	out->escaped = false;
	do {
		if (!enter(s, &n, &closed))
			return false;
		if (closed && !leave(s, &n))
			return false;
	} while (n.depth > 0);
	out->len = (size_t)(s->at - out->text);
	return true;
}

bool json_scan_value(struct json_scan *s, struct json_token *out)
{
	json_scan_blank(s);
	if (s->at == s->end)
		return false;
	if (*s->at == '{' || *s->at == '[')
		return scan_container(s, out);
	return scan_scalar(s, out);
}

static unsigned hex4(const char *s)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		char c = s[i];

		v = v << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
	return v;
}

/* The character of a checked \u escape (pair) at @at; 0 when it is none. */
static uint32_t unescape_u(const char **at, const char *end)
{
	uint32_t hi = hex4(*at + 2), lo;

	*at += 6;
	if (hi < 0xd800 || hi > 0xdfff)
		return hi;
	if (hi > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return 0;
	lo = hex4(*at + 2);
	if (lo < 0xdc00 || lo > 0xdfff)
		return 0;
	*at += 6;
	return 0x10000 + ((hi - 0xd800) << 10 | (lo - 0xdc00));
}

bool json_scan_text(const struct json_token *t, char *out, size_t cap, size_t *out_len)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *at = t->text, *end = at + t->len;
	size_t n = 0;

	while (at < end) {
		char utf8[4] = {*at};
		size_t len = 1;

		if (*at != '\\') {
			at++;
		} else if (at[1] == 'u') {
			uint32_t c = unescape_u(&at, end);

			if (c == 0)
				return false;
			len = utf8_put(utf8, c);
		} else {
			utf8[0] = to[strchr(from, at[1]) - from];
			at += 2;
		}
		if (cap - n < len)
			return false;
		memcpy(out + n, utf8, len);
		n += len;
	}
	*out_len = n;
	return true;
}

bool json_scan_is(const struct json_token *t, const char *text)
{
	char word[32];
	size_t len;

	if (t->type != JSON_STRING)
		return false;
	if (!t->escaped)
		return strlen(text) == t->len && memcmp(t->text, text, t->len) == 0;
	return json_scan_text(t, word, sizeof(word), &len) && strlen(text) == len &&
	       memcmp(word, text, len) == 0;
}

bool json_scan_u64(const struct json_token *t, uint64_t *out)
{
	uint64_t v = 0;

	if ((t->type != JSON_NUMBER && t->type != JSON_STRING) || t->len == 0)
		return false;
	for (size_t i = 0; i < t->len; i++) {
		char c = t->text[i];

		if (c < '0' || c > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(c - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

bool json_scan_i64(const struct json_token *t, int64_t *out)
{
	struct json_token digits = *t;
	uint64_t v;
	bool is_negative = t->len > 0 && t->text[0] == '-';

	digits.text += is_negative;
	digits.len -= is_negative;
	if (!json_scan_u64(&digits, &v) || v > (uint64_t)INT64_MAX + is_negative)
		return false;
	*out = is_negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}
