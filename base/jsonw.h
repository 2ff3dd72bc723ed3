/*
 * jsonw - writes JSON into a buf: commas and quoting are its business.
 *
 *	jsonw_object(&w, NULL); jsonw_str(&w, "state", "ready"); jsonw_end(&w);
 *
 * A NULL key means an array element or the root.  Doubles print with 17
 * significant digits so that they read back the same; NaN and inf print null.
 */
#pragma once
#include "base/buf.h"
#include <stdbool.h>

#define JSONW_DEPTH_MAX 32

struct jsonw {
	struct buf *out; /* borrowed */
	unsigned depth;
	bool first[JSONW_DEPTH_MAX];
	bool is_array[JSONW_DEPTH_MAX];
};

void jsonw_init(struct jsonw *w, struct buf *out);
void jsonw_object(struct jsonw *w, const char *key);
void jsonw_array(struct jsonw *w, const char *key);
void jsonw_end(struct jsonw *w);
void jsonw_str(struct jsonw *w, const char *key, const char *value);
void jsonw_strn(struct jsonw *w, const char *key, const char *value, size_t len);
void jsonw_u64(struct jsonw *w, const char *key, uint64_t value);
void jsonw_i64(struct jsonw *w, const char *key, int64_t value);
void jsonw_f64(struct jsonw *w, const char *key, double value);
void jsonw_bool(struct jsonw *w, const char *key, bool value);
void jsonw_null(struct jsonw *w, const char *key);
/** RFC 3339 in UTC, of ns since 1970; INT64_MIN (there is none): null. */
void jsonw_time(struct jsonw *w, const char *key, int64_t ns);
/** Hashes and identities: a string of 16 hex digits. */
void jsonw_hex64(struct jsonw *w, const char *key, uint64_t value);
/** Text that is JSON already. */
void jsonw_raw(struct jsonw *w, const char *key, const char *text, size_t len);

/** Shortest of %.15g, %.16g, %.17g that reads back the same; "null" if not finite. */
size_t jsonw_print_f64(char buf[32], double value);
