/*
 * json_walk - one pass over JSON whose shape is known: typed values are read where
 * they stand, digit by digit, so nothing is looked at twice and no double is made.
 *
 *	json_walk_begin(&w, body, len);
 *	if (json_walk_object(&w))
 *		while (json_walk_key(&w, &k))
 *			if (k.id == JSON_KEY2('v', 'w'))
 *				vwap = json_walk_decimal(&w, 9);
 *			else
 *				json_walk_skip(&w);
 *	if (!json_walk_end(&w))
 *		return err_set(-EBADMSG, "%s", w.why ...);
 *
 * The first thing that is wrong stops the walk: from then on every function does
 * nothing and says false or VALUE_NULL, so a reader asks once, at the end.  Bare NaN
 * and Infinity are not JSON here.  After a key or an element exactly one value must be
 * read or skipped.
 */
#pragma once
#include "proto/json_scan.h"
#include "proto/record.h"

struct json_walk {
	struct json_scan in;
	const char *begin;
	const char *why; /* static; NULL while all is well */
	bool fresh;      /* just behind a '{' or '[' */
	char scratch[32];
};

/** A member's name.  `id` tells names of one and two characters, 0: longer. */
struct json_key {
	const char *text;
	size_t len;
	uint32_t id;
};

#define JSON_KEY1(a)    ((uint32_t)(a))
#define JSON_KEY2(a, b) ((uint32_t)(a) | (uint32_t)(b) << 8)

void json_walk_begin(struct json_walk *w, const char *text, size_t len);
/** All was well and nothing but blanks is left. */
bool json_walk_end(struct json_walk *w);
/** Stop with a reason of the reader's own; a static text.  The first one stays. */
void json_walk_fail(struct json_walk *w, const char *why);
/** Where it stopped, for a sentence: "byte 17, before 'NaN}'"; @cap >= 80. */
void json_walk_where(const struct json_walk *w, char *out, size_t cap);

/** Enter; false also when it is null (which is stepped over). */
bool json_walk_object(struct json_walk *w);
bool json_walk_array(struct json_walk *w);
/** The next member or element; false: the container is closed and behind us. */
bool json_walk_key(struct json_walk *w, struct json_key *out);
bool json_walk_element(struct json_walk *w);
bool json_walk_is(const struct json_key *k, const char *name);

/** The type of the value that comes next, without stepping over it; by its first
    character, so it may still turn out to be broken.  0: nothing comes. */
enum json_type json_walk_peek(struct json_walk *w);
/** If null comes next, step over it. */
bool json_walk_null(struct json_walk *w);
void json_walk_skip(struct json_walk *w);
/** Any value, as json_scan_value() has it. */
bool json_walk_token(struct json_walk *w, struct json_token *out);

/** A number exactly, times 10^scale; VALUE_NULL for null.  More decimals, or more
    than 64 bits hold, stop the walk. */
int64_t json_walk_decimal(struct json_walk *w, unsigned scale);
/** The same, rounded to the nearest where there are more decimals: for sums and
    means that the producer printed from a double. */
int64_t json_walk_rounded(struct json_walk *w, unsigned scale);
/** An unsigned integer, also as text; 0 for null. */
uint64_t json_walk_u64(struct json_walk *w);
/** RFC 3339 to nanoseconds since 1970; VALUE_NULL for null. */
int64_t json_walk_time(struct json_walk *w);
/** A string (or null: empty), escapes undone, cut off between characters at
    cap - 1 bytes, NUL-terminated.  The length. */
size_t json_walk_text(struct json_walk *w, char *out, size_t cap);
