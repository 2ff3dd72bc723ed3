/*
 * float32 - the price that was meant, behind the digits of a single-precision number.
 *
 * Yahoo keeps prices as 32-bit floats and prints them as doubles: 162.15 arrives as
 * 162.14999389648438.  A number that is (to a double's precision) a 32-bit float is
 * read as the shortest decimal that rounds to the same float; any other is read as it
 * stands, rounded at a billionth.  Integers throughout, so the result is the same
 * everywhere.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/** A JSON number, times 10^9.  0, or DECIMAL_SYNTAX, DECIMAL_RANGE. */
int float32_price(const char *text, size_t len, int64_t *out_e9);
