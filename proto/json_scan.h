/*
 * json_scan - a pull scanner over JSON text: no tree, no doubles, no recursion.
 *
 * Beside JSON proper it knows the bare words NaN, Infinity and -Infinity as
 * JSON_WORD, because producers' languages print them; what they mean is the
 * caller's business, unless is_strict.  Strings are checked to be UTF-8.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_SCAN_DEPTH_MAX 16

struct json_scan {
	const char *at;
	const char *end;
	bool is_strict; /* NaN and Infinity are not JSON */
};

enum json_type {
	JSON_STRING = 1,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
	JSON_WORD,
	JSON_OBJECT,
	JSON_ARRAY,
};

/** One value: strings without their quotes, everything else as written. */
struct json_token {
	enum json_type type;
	const char *text;
	size_t len;
	bool escaped; /* a string with a backslash: read it with json_scan_text() */
};

void json_scan_blank(struct json_scan *s);
/** Step over blanks and @c; false when something else is there. */
bool json_scan_char(struct json_scan *s, char c);
/** Step over blanks and a whole value, nested up to the limit; false: not JSON. */
bool json_scan_value(struct json_scan *s, struct json_token *out);
/** A string and its ':'; the way into a member. */
bool json_scan_key(struct json_scan *s, struct json_token *out);
/**
 * The text of a string token, escapes resolved; false when it does not fit
 * @cap bytes or an escape is no character.  No NUL is written.
 */
bool json_scan_text(const struct json_token *t, char *out, size_t cap, size_t *out_len);
bool json_scan_is(const struct json_token *t, const char *text);
/** An unsigned integer, as number or as string of digits; false: it is none. */
bool json_scan_u64(const struct json_token *t, uint64_t *out);
/** The same with a sign. */
bool json_scan_i64(const struct json_token *t, int64_t *out);
