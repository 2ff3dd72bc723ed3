/*
 * decimal - exact decimal numbers as scaled integers, never through a double.
 *
 * decimal_parse("1.38710", 7, 9, &v) gives v = 1387100000.  Accepted: an
 * optional sign, digits, an optional point with digits; with exponent only
 * where decimal_parse_exp() is called ("1.5e-3").  No blanks, no locale.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/** Outcomes of the parsers; @out is untouched unless they return 0. */
enum {
	DECIMAL_SYNTAX = 1, /* not a number (also "", nan, inf) */
	DECIMAL_RANGE,      /* does not fit an int64 at this scale */
	DECIMAL_INEXACT,    /* more non-zero digits than the scale holds */
};

#define DECIMAL_TEXT_MAX 48 /* enough for any printed number, NUL included */

int decimal_parse(const char *s, size_t len, unsigned scale, int64_t *out);
int decimal_parse_exp(const char *s, size_t len, unsigned scale, int64_t *out);

/** Print without trailing zeros ("1.3871", "-0.5", "100"); returns the length. */
size_t decimal_print(char *buf, int64_t value, unsigned scale);
size_t decimal_print128(char *buf, __int128 value, unsigned scale);
/** Unsigned integer, as fast as we can; returns the length, no NUL. */
size_t decimal_print_u64(char *buf, uint64_t value);
