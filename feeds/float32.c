/*
 * float32 - x = m / 10^k, read as m and k.
 *
 * Let 2^e <= x < 2^(e+1).  A 32-bit float there is n * 2^(e-23) with an integer n, so
 * x is one if m * 2^(23-e) / 10^k is whole; a printed double may miss it by 2^-30.
 * A decimal stands for the same float if it is nearer than half its step, 2^(e-24).
 */
#include "feeds/float32.h"
#include "base/decimal.h"
#include <stdbool.h>

#define DECIMALS   9
#define K_MAX      24 /* so that every product below stays under 2^127 */
#define E_MIN      (-30)
#define E_MAX      23
#define DIGITS_MAX 19

typedef unsigned __int128 u128;

struct number {
	uint64_t m;
	int k;
	bool is_negative;
};

/* False: no number, or more digits than 64 bits hold. */
static bool read_number(const char *text, size_t len, struct number *out)
{
	size_t i = len > 0 && text[0] == '-', digits = 0;
	int64_t exp = 0;
	bool after_point = false;

	*out = (struct number){.is_negative = i == 1};
	for (; i < len && (text[i] | 32) != 'e'; i++) {
		unsigned digit = (unsigned char)(text[i] - '0');

		if (text[i] == '.' && !after_point) {
			after_point = true;
			continue;
		}
		if (digit > 9)
			return false;
		digits += digits > 0 || digit > 0;
		if (digits > DIGITS_MAX)
			return false;
		out->m = out->m * 10 + digit;
		out->k += after_point;
	}
	if (i < len) {
		i++;
		i += i < len && text[i] == '+';
		if (decimal_parse(text + i, len - i, 0, &exp) != 0 || exp < -300 ||
		    exp > 300)
			return false;
	}
	out->k -= (int)exp;
	return true;
}

static u128 pow10_u128(int n)
{
	u128 v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

/* Where x lies between powers of two; false when it is out of the range we handle. */
static bool find_exponent(const struct number *x, int *out_e)
{
	u128 d = pow10_u128(x->k);
	int e = 0;

	if (x->m >= d) {
		while (e <= E_MAX && x->m >= d << (e + 1))
			e++;
	} else {
		while (e >= E_MIN && (u128)x->m << -e < d)
			e--;
	}
	*out_e = e;
	return e >= E_MIN && e <= E_MAX;
}

static bool is_float(const struct number *x, int e)
{
	u128 d = pow10_u128(x->k), n = (u128)x->m << (E_MAX - e), rest = n % d;

	return (rest < d - rest ? rest : d - rest) <= d >> 29;
}

static int scaled(const struct number *x, u128 dec, int decimals, int64_t *out_e9)
{
	u128 v = dec * pow10_u128(DECIMALS - decimals);

	if (v > (u128)INT64_MAX)
		return DECIMAL_RANGE;
	*out_e9 = x->is_negative ? -(int64_t)v : (int64_t)v;
	return 0;
}

/* m / 10^drop to the nearest. */
static u128 rounded(uint64_t m, int drop)
{
	u128 p = pow10_u128(drop);

	return (m + p / 2) / p;
}

static int shortest(const struct number *x, int e, int64_t *out_e9)
{
	u128 step = pow10_u128(x->k);

	for (int decimals = 0; decimals < x->k && decimals <= DECIMALS; decimals++) {
		u128 p = pow10_u128(x->k - decimals);
		u128 dec = rounded(x->m, x->k - decimals), back = dec * p;
		u128 miss = back > x->m ? back - x->m : x->m - back;

		if (dec > 0 && miss << (E_MAX + 1 - e) < step)
			return scaled(x, dec, decimals, out_e9);
	}
	if (x->k > DECIMALS)
		return scaled(x, rounded(x->m, x->k - DECIMALS), DECIMALS, out_e9);
	return scaled(x, x->m, x->k, out_e9);
}

int float32_price(const char *text, size_t len, int64_t *out_e9)
{
	struct number x;
	int e;

	if (decimal_parse_exp(text, len, DECIMALS, out_e9) == DECIMAL_SYNTAX)
		return DECIMAL_SYNTAX;
	if (!read_number(text, len, &x))
		return DECIMAL_RANGE;
	if (x.m != 0 && x.k > 0 && x.k <= K_MAX && find_exponent(&x, &e) &&
	    is_float(&x, e))
		return shortest(&x, e, out_e9);
	if (x.k > DECIMALS && x.k - DECIMALS <= DIGITS_MAX)
		return scaled(&x, rounded(x.m, x.k - DECIMALS), DECIMALS, out_e9);
	if (x.k > DECIMALS) {
		*out_e9 = 0;
		return 0;
	}
	return decimal_parse_exp(text, len, DECIMALS, out_e9);
}
