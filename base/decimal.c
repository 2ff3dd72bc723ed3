/*
 * decimal - digits to scaled integers and back.
 *
 * Ticks print and parse millions of these, so both directions have a short
 * path for what a vendor sends (18 digits at most, no exponent) and an exact
 * general one behind it.
 */
#include "base/decimal.h"
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define DIGITS_U64 20
#define EXP_LIMIT  1000000000

static const uint64_t pow10_u64[DIGITS_U64] = {
	1u,
	10u,
	100u,
	1000u,
	10000u,
	100000u,
	1000000u,
	10000000u,
	100000000u,
	1000000000u,
	10000000000u,
	100000000000u,
	1000000000000u,
	10000000000000u,
	100000000000000u,
	1000000000000000u,
	10000000000000000u,
	100000000000000000u,
	1000000000000000000u,
	10000000000000000000u,
};

static const char pairs[201] = "00010203040506070809101112131415161718192021222324"
			       "25262728293031323334353637383940414243444546474849"
			       "50515253545556575859606162636465666768697071727374"
			       "75767778798081828384858687888990919293949596979899";

static unsigned count_digits(uint64_t v)
{
	unsigned bits = 64u - (unsigned)__builtin_clzll(v | 1);
	unsigned n = bits * 1233 >> 12; /* log10(2) = 1233 / 4096, low by at most 1 */

	return n + (n < DIGITS_U64 && v >= pow10_u64[n]);
}

/* Exactly @n digits of @v, leading zeros included. */
static void put_digits(char *buf, uint64_t v, unsigned n)
{
	while (n >= 2) {
		n -= 2;
		memcpy(buf + n, pairs + 2 * (v % 100), 2);
		v /= 100;
	}
	if (n > 0)
		*buf = (char)('0' + v % 10);
}

size_t decimal_print_u64(char *buf, uint64_t value)
{
	unsigned n = count_digits(value);

	if (n == 0)
		n = 1;
	put_digits(buf, value, n);
	return n;
}

/* "." and @n digits of @frac without trailing zeros; nothing for 0. */
static char *put_fraction(char *p, uint64_t frac, unsigned n)
{
	if (frac == 0)
		return p;
	while (frac % 100 == 0) {
		frac /= 100;
		n -= 2;
	}
	if (frac % 10 == 0) {
		frac /= 10;
		n--;
	}
	*p++ = '.';
	put_digits(p, frac, n);
	return p + n;
}

size_t decimal_print(char *buf, int64_t value, unsigned scale)
{
	uint64_t u = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	uint64_t whole, frac;
	char *p = buf;

	if (scale >= DIGITS_U64)
		return decimal_print128(buf, value, scale);
	if (value < 0)
		*p++ = '-';
	/* The two scales of ticks divide by a constant, which is a multiplication. */
	if (scale == 9) {
		whole = u / 1000000000u;
		frac = u % 1000000000u;
	} else if (scale == 8) {
		whole = u / 100000000u;
		frac = u % 100000000u;
	} else {
		whole = u / pow10_u64[scale];
		frac = u % pow10_u64[scale];
	}
	p += decimal_print_u64(p, whole);
	p = put_fraction(p, frac, scale);
	*p = 0;
	return (size_t)(p - buf);
}

size_t decimal_print128(char *buf, __int128 value, unsigned scale)
{
	unsigned __int128 u = (unsigned __int128)value;
	char digits[40], *p = buf;
	unsigned whole;

	assert(scale <= 38);
	if (value < 0) {
		u = 0 - u;
		*p++ = '-';
	}
	/* 39 digits hold any 128-bit number. */
	put_digits(digits + 21, (uint64_t)(u % pow10_u64[18]), 18);
	u /= pow10_u64[18];
	put_digits(digits + 3, (uint64_t)(u % pow10_u64[18]), 18);
	put_digits(digits, (uint64_t)(u / pow10_u64[18]), 3);

	whole = 39 - scale;
	for (unsigned i = 0; i < whole; i++) {
		bool leading = p == buf || p[-1] == '-';

		if (!leading || digits[i] != '0' || i + 1 == whole)
			*p++ = digits[i];
	}
	for (unsigned end = 39; end > whole; end--) {
		if (digits[end - 1] == '0')
			continue;
		*p++ = '.';
		memcpy(p, digits + whole, end - whole);
		p += end - whole;
		break;
	}
	*p = 0;
	return (size_t)(p - buf);
}

/*
 * A number as read: mantissa * 10^exp, the mantissa without trailing zeros.
 * `is_long` means that it has more digits than 64 bits hold.
 */
struct number {
	uint64_t mantissa;
	int64_t exp;
	bool is_long;
	bool is_negative;
};

struct digits {
	const char *at, *end;
};

static bool at_digit(const struct digits *d)
{
	return d->at < d->end && (unsigned char)(*d->at - '0') < 10;
}

/*
 * Feed a run of digits, return how many there were.  Zeros behind the mantissa
 * wait in @zeros until a further digit shows that they belong to it.
 */
static size_t read_run(struct digits *d, struct number *n, bool after_point,
		       int64_t *zeros)
{
	const char *from = d->at;

	for (; at_digit(d); d->at++) {
		unsigned digit = (unsigned)(*d->at - '0');

		n->exp -= after_point;
		if (digit == 0) {
			*zeros += n->mantissa != 0;
			continue;
		}
		if (*zeros + 1 >= DIGITS_U64)
			n->is_long = true;
		if (!n->is_long) {
			uint64_t m = n->mantissa;

			n->is_long =
				(m != 0 && __builtin_mul_overflow(
						   m, pow10_u64[*zeros + 1], &m)) ||
				__builtin_add_overflow(m, digit, &m);
			if (!n->is_long)
				n->mantissa = m;
		}
		*zeros = 0;
	}
	return (size_t)(d->at - from);
}

static int read_exponent(struct digits *d, int64_t *out)
{
	bool is_negative = false;
	int64_t e = 0;

	d->at++;
	if (d->at < d->end && (*d->at == '-' || *d->at == '+'))
		is_negative = *d->at++ == '-';
	if (!at_digit(d))
		return DECIMAL_SYNTAX;
	for (; at_digit(d); d->at++) {
		if (e < EXP_LIMIT)
			e = e * 10 + (*d->at - '0');
	}
	*out = is_negative ? -e : e;
	return 0;
}

static int read_number(struct digits *d, bool exp_ok, struct number *n)
{
	int64_t zeros = 0, e = 0;
	int rc;

	if (d->at < d->end && (*d->at == '-' || *d->at == '+'))
		n->is_negative = *d->at++ == '-';
	if (read_run(d, n, false, &zeros) == 0)
		return DECIMAL_SYNTAX;
	if (d->at < d->end && *d->at == '.') {
		d->at++;
		if (read_run(d, n, true, &zeros) == 0)
			return DECIMAL_SYNTAX;
	}
	if (exp_ok && d->at < d->end && (*d->at == 'e' || *d->at == 'E')) {
		rc = read_exponent(d, &e);
		if (rc != 0)
			return rc;
	}
	if (d->at != d->end)
		return DECIMAL_SYNTAX;
	n->exp += zeros + e;
	return 0;
}

static int to_scaled(const struct number *n, unsigned scale, int64_t *out)
{
	int64_t shift = n->exp + (int64_t)scale;
	uint64_t limit = (uint64_t)INT64_MAX + n->is_negative;
	uint64_t v;

	if (n->mantissa == 0) {
		*out = 0;
		return 0;
	}
	if (shift < 0)
		return DECIMAL_INEXACT;
	if (n->is_long || shift >= DIGITS_U64)
		return DECIMAL_RANGE;
	if (__builtin_mul_overflow(n->mantissa, pow10_u64[shift], &v) || v > limit)
		return DECIMAL_RANGE;
	*out = (int64_t)(n->is_negative ? 0 - v : v);
	return 0;
}

static int parse(const char *s, size_t len, unsigned scale, bool exp_ok, int64_t *out)
{
	struct digits d = {s, s + len};
	struct number n = {0};
	int rc;

	rc = read_number(&d, exp_ok, &n);
	if (rc != 0)
		return rc;
	return to_scaled(&n, scale, out);
}

/* At most 18 digits: they fit, so only the last multiplication can overflow. */
static bool parse_short(const char *s, size_t len, unsigned scale, int64_t *out)
{
	size_t i = len > 0 && (*s == '-' || *s == '+');
	size_t first = i, point = SIZE_MAX, frac;
	uint64_t v = 0;
	int64_t signed_v;

	if (len - i > 19 || len == i)
		return false;
	for (; i < len; i++) {
		unsigned digit = (unsigned char)(s[i] - '0');

		if (digit < 10) {
			v = v * 10 + digit;
		} else if (s[i] == '.' && point == SIZE_MAX && i > first) {
			point = i;
		} else {
			return false;
		}
	}
	if (point == len - 1 || (point == SIZE_MAX && len - first > 18))
		return false;
	frac = point == SIZE_MAX ? 0 : len - point - 1;
	if (frac > scale || scale - frac >= DIGITS_U64)
		return false;
	if (__builtin_mul_overflow((int64_t)v, pow10_u64[scale - frac], &signed_v))
		return false;
	*out = *s == '-' ? -signed_v : signed_v;
	return true;
}

int decimal_parse(const char *s, size_t len, unsigned scale, int64_t *out)
{
	if (parse_short(s, len, scale, out))
		return 0;
	return parse(s, len, scale, false, out);
}

int decimal_parse_exp(const char *s, size_t len, unsigned scale, int64_t *out)
{
	if (parse_short(s, len, scale, out))
		return 0;
	return parse(s, len, scale, true, out);
}
