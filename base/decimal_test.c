/* decimal_test - parsing and printing, against 128-bit arithmetic and each other. */
#include "base/decimal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct sample {
	const char *text;
	int rc;
	int64_t value; /* at scale 9 */
};

static void expect_all(const struct sample *s, size_t n, bool exp_ok)
{
	for (size_t i = 0; i < n; i++) {
		int64_t v = 4711;
		int rc = exp_ok ? decimal_parse_exp(s[i].text, strlen(s[i].text), 9, &v)
				: decimal_parse(s[i].text, strlen(s[i].text), 9, &v);

		if (rc != s[i].rc || v != (s[i].rc == 0 ? s[i].value : 4711))
			fail_msg("'%s' gave %d, %lld", s[i].text, rc, (long long)v);
	}
}

static void numbers_parse_to_the_last_digit(void **state)
{
	(void)state;
	static const struct sample s[] = {
		{"0", 0, 0},
		{"-0", 0, 0},
		{"1.38710", 0, 1387100000},
		{"+1.5", 0, 1500000000},
		{"-0.000000001", 0, -1},
		{"0.0000000010000000000000000000000", 0, 1},
		{"000000000000000000000000000012", 0, 12000000000},
		{"9223372036.854775807", 0, INT64_MAX},
		{"-9223372036.854775808", 0, INT64_MIN},
		{"9223372036.85477580700000", 0, INT64_MAX},
		{"10000000000000000000000e0", DECIMAL_SYNTAX, 0},
	};

	expect_all(s, sizeof(s) / sizeof(s[0]), false);
}

static void what_is_no_number_is_refused(void **state)
{
	(void)state;
	static const struct sample s[] = {
		{"", DECIMAL_SYNTAX, 0},    {"-", DECIMAL_SYNTAX, 0},
		{"+", DECIMAL_SYNTAX, 0},   {".", DECIMAL_SYNTAX, 0},
		{".5", DECIMAL_SYNTAX, 0},  {"5.", DECIMAL_SYNTAX, 0},
		{"-.5", DECIMAL_SYNTAX, 0}, {"1.2.3", DECIMAL_SYNTAX, 0},
		{"1,5", DECIMAL_SYNTAX, 0}, {" 1", DECIMAL_SYNTAX, 0},
		{"1 ", DECIMAL_SYNTAX, 0},  {"nan", DECIMAL_SYNTAX, 0},
		{"inf", DECIMAL_SYNTAX, 0}, {"0x10", DECIMAL_SYNTAX, 0},
		{"1e3", DECIMAL_SYNTAX, 0}, {"--1", DECIMAL_SYNTAX, 0},
		{"1-", DECIMAL_SYNTAX, 0},  {"1/2", DECIMAL_SYNTAX, 0},
		{"1:2", DECIMAL_SYNTAX, 0},
	};

	expect_all(s, sizeof(s) / sizeof(s[0]), false);
}

static void what_does_not_fit_says_which_way(void **state)
{
	(void)state;
	static const struct sample s[] = {
		{"9223372036.854775808", DECIMAL_RANGE, 0},
		{"-9223372036.854775809", DECIMAL_RANGE, 0},
		{"18446744073.709551616", DECIMAL_RANGE, 0},
		{"99999999999999999999999999999999", DECIMAL_RANGE, 0},
		{"100000000000000000000000000000000", DECIMAL_RANGE, 0},
		{"0.0000000001", DECIMAL_INEXACT, 0},
		{"1.1234567891", DECIMAL_INEXACT, 0},
		{"1.00000000000000000000000000000001", DECIMAL_INEXACT, 0},
	};

	expect_all(s, sizeof(s) / sizeof(s[0]), false);
}

static void exponents_move_the_point(void **state)
{
	(void)state;
	static const struct sample s[] = {
		{"1.5e-3", 0, 1500000},
		{"1E3", 0, 1000000000000},
		{"12.5e+1", 0, 125000000000},
		{"1e-9", 0, 1},
		{"1000e-12", 0, 1},
		{"1e-10", DECIMAL_INEXACT, 0},
		{"1e10", DECIMAL_RANGE, 0},
		{"1e999999999999999999999", DECIMAL_RANGE, 0},
		{"1e-999999999999999999999", DECIMAL_INEXACT, 0},
		{"0e999999999999999999999", 0, 0},
		{"1e", DECIMAL_SYNTAX, 0},
		{"1e+", DECIMAL_SYNTAX, 0},
		{"e5", DECIMAL_SYNTAX, 0},
		{"1e5.0", DECIMAL_SYNTAX, 0},
	};

	expect_all(s, sizeof(s) / sizeof(s[0]), true);
}

static void numbers_print_without_trailing_zeros(void **state)
{
	(void)state;
	static const struct {
		int64_t value;
		unsigned scale;
		const char *text;
	} s[] = {
		{1387100000, 9, "1.3871"},
		{-500000000, 9, "-0.5"},
		{100000000000, 9, "100"},
		{0, 9, "0"},
		{7, 0, "7"},
		{-7, 0, "-7"},
		{1, 8, "0.00000001"},
		{120, 1, "12"},
		{INT64_MAX, 9, "9223372036.854775807"},
		{INT64_MIN, 9, "-9223372036.854775808"},
		{INT64_MIN, 0, "-9223372036854775808"},
		{INT64_MIN, 18, "-9.223372036854775808"},
		{INT64_MAX, 19, "0.9223372036854775807"},
		{1, 25, "0.0000000000000000000000001"},
	};

	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		char buf[DECIMAL_TEXT_MAX];

		assert_int_equal(decimal_print(buf, s[i].value, s[i].scale),
				 strlen(s[i].text));
		assert_string_equal(buf, s[i].text);
	}
}

static void wide_numbers_print_all_their_digits(void **state)
{
	(void)state;
	char buf[DECIMAL_TEXT_MAX];
	__int128 big = (__int128)(~(unsigned __int128)0 >> 1);

	assert_int_equal(decimal_print128(buf, big, 0), 39);
	assert_string_equal(buf, "170141183460469231731687303715884105727");
	(void)decimal_print128(buf, -big - 1, 38);
	assert_string_equal(buf, "-1.70141183460469231731687303715884105728");
	(void)decimal_print128(buf, (__int128)1500000000 * 1000000000, 18);
	assert_string_equal(buf, "1.5");
	(void)decimal_print128(buf, 0, 17);
	assert_string_equal(buf, "0");
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void unsigned_integers_print_as_printf_does(void **state)
{
	(void)state;
	uint64_t x = 42, edge = 1;

	for (unsigned i = 0; i < 200000; i++) {
		uint64_t v = i < 20 ? edge : i < 40 ? edge - 1 : next(&x) >> (x & 63);
		char buf[DECIMAL_TEXT_MAX], want[32];
		size_t n = decimal_print_u64(buf, v);

		buf[n] = 0;
		(void)snprintf(want, sizeof(want), "%llu", (unsigned long long)v);
		assert_string_equal(buf, want);
		edge = i % 20 == 19 ? 1 : edge * 10;
	}
}

static void what_prints_reads_back_at_every_scale(void **state)
{
	(void)state;
	uint64_t x = 7;

	for (unsigned i = 0; i < 300000; i++) {
		int64_t v = (int64_t)next(&x) >> (x & 63), back = 0;
		unsigned scale = i % 19;
		char buf[DECIMAL_TEXT_MAX], wide[DECIMAL_TEXT_MAX];
		size_t n = decimal_print(buf, v, scale);

		assert_int_equal(n, strlen(buf));
		assert_int_equal(decimal_parse(buf, n, scale, &back), 0);
		assert_true(back == v);
		(void)decimal_print128(wide, v, scale);
		assert_string_equal(buf, wide);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_parse_to_the_last_digit),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(what_does_not_fit_says_which_way),
		cmocka_unit_test(exponents_move_the_point),
		cmocka_unit_test(numbers_print_without_trailing_zeros),
		cmocka_unit_test(wide_numbers_print_all_their_digits),
		cmocka_unit_test(unsigned_integers_print_as_printf_does),
		cmocka_unit_test(what_prints_reads_back_at_every_scale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
