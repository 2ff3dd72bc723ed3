/* json_walk_test - typed reading: exact numbers, strict grammar, one reason. */
#include "base/decimal.h"
#include "proto/json_walk.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct json_walk walk(const char *text)
{
	struct json_walk w;

	json_walk_begin(&w, text, strlen(text));
	return w;
}

static void members_and_elements_come_in_order(void **state)
{
	struct json_walk w =
		walk(" {\"a\" : 1 ,\"bc\":[2,{\"x\":3}, 4],\"\\u0064\":null,"
		     "\"e\":{}, \"f\":[]} ");
	struct json_key k;
	char seen[64] = "";

	(void)state;
	assert_true(json_walk_object(&w));
	while (json_walk_key(&w, &k)) {
		(void)snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%.*s",
			       (int)k.len, k.text);
		if (json_walk_is(&k, "bc")) {
			assert_int_equal(k.id, JSON_KEY2('b', 'c'));
			assert_true(json_walk_array(&w));
			while (json_walk_element(&w)) {
				json_walk_skip(&w);
				strncat(seen, ".", 2);
			}
		} else if (k.id == JSON_KEY1('d')) {
			assert_false(json_walk_object(&w));
		} else if (k.id == JSON_KEY1('e')) {
			assert_true(json_walk_object(&w));
			assert_false(json_walk_key(&w, &k));
		} else if (k.id == JSON_KEY1('f')) {
			assert_true(json_walk_array(&w));
			assert_false(json_walk_element(&w));
		} else {
			assert_int_equal(json_walk_peek(&w), JSON_NUMBER);
			assert_int_equal(json_walk_decimal(&w, 0), 1);
		}
	}
	assert_true(json_walk_end(&w));
	assert_string_equal(seen, "abc...def");
}

static const struct {
	const char *text;
	unsigned scale;
	int64_t exact;   /* -7: the walk stops */
	int64_t rounded; /* the same */
} numbers[] = {
	{"0", 9, 0, 0},
	{"-0", 9, 0, 0},
	{"839", 9, 839000000000, 839000000000},
	{"319.873333", 9, 319873333000, 319873333000},
	{"-1.5", 9, -1500000000, -1500000000},
	{"1.35647456e+08", 8, 13564745600000000, 13564745600000000},
	{"135647456E0", 0, 135647456, 135647456},
	{"1.5e-9", 9, -7, 2},
	{"1.4e-9", 9, -7, 1},
	{"-1.5e-9", 9, -7, -2},
	{"4.9e-10", 9, -7, 0},
	{"5e-10", 9, -7, 1},
	{"1e-300", 9, -7, 0},
	{"0.1234567894999999999999999", 9, -7, 123456789},
	{"0.12345678950000000000001", 9, -7, 123456790},
	{"0.9999999999", 9, -7, 1000000000},
	{"9223372036.854775807", 9, INT64_MAX, INT64_MAX},
	{"9223372036.854775808", 9, -7, -7},
	{"9223372036.8547758074", 9, -7, INT64_MAX},
	{"9223372036.8547758075", 9, -7, -7},
	{"-9223372036.854775808", 9, -7, -7}, /* that is VALUE_NULL */
	{"1e400", 9, -7, -7},
	{"1.50000000000000000000000000000", 9, 1500000000, 1500000000},
	{"0.000000000000000000000000000001", 9, -7, 0},
	{"9007199254740993", 0, 9007199254740993, 9007199254740993},
	{"1517562000016036581", 0, 1517562000016036581, 1517562000016036581},
	{"null", 9, VALUE_NULL, VALUE_NULL},
	{"01", 9, -7, -7},
	{"1.", 9, -7, -7},
	{".5", 9, -7, -7},
	{"-", 9, -7, -7},
	{"+1", 9, -7, -7},
	{"1e", 9, -7, -7},
	{"NaN", 9, -7, -7},
	{"Infinity", 9, -7, -7},
	{"-Infinity", 9, -7, -7},
	{"\"1\"", 9, -7, -7},
	{"true", 9, -7, -7},
	{"", 9, -7, -7},
};

static void numbers_are_exact_or_refused_or_rounded_when_asked(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		/* In an array, so that the fast way may be taken, and bare. */
		for (int form = 0; form < 4; form++) {
			int64_t want = form & 1 ? numbers[i].rounded : numbers[i].exact;
			char text[80];
			struct json_walk w;
			int64_t v;

			(void)snprintf(text, sizeof(text), form < 2 ? "[%s]" : "%s",
				       numbers[i].text);
			w = walk(text);
			if (form < 2 &&
			    (!json_walk_array(&w) || !json_walk_element(&w)))
				continue;
			v = (form & 1 ? json_walk_rounded
				      : json_walk_decimal)(&w, numbers[i].scale);
			if (form < 2)
				(void)json_walk_element(&w);
			if (want == -7 ? !json_walk_end(&w)
				       : json_walk_end(&w) && v == want)
				continue;
			print_message("# %s form %d: %lld %s\n", text, form,
				      (long long)v, w.why ? w.why : "taken");
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

/* A number in one of the forms that JSON has: digits, point, exponent. */
static void random_number(char out[64])
{
	int whole = rand() % 12, frac = rand() % 12, at = 0;

	if (rand() % 4 == 0)
		out[at++] = '-';
	out[at++] = (char)('0' + (whole ? 1 + rand() % 9 : 0));
	for (int i = 1; i < whole; i++)
		out[at++] = (char)('0' + rand() % 10);
	if (frac > 0)
		out[at++] = '.';
	for (int i = 0; i < frac; i++)
		out[at++] = (char)('0' + (rand() % 3 ? rand() % 10 : 0));
	out[at] = '\0';
	if (rand() % 3 == 0)
		(void)snprintf(out + at, 64 - (size_t)at, "%c%s%d",
			       rand() % 2 ? 'e' : 'E', rand() % 2 ? "+" : "",
			       rand() % 12);
	else if (rand() % 3 == 0)
		(void)snprintf(out + at, 64 - (size_t)at, "e-%d", rand() % 12);
}

/* The fast way and the slow one, against the reader of base/. */
static void any_number_is_what_the_exact_reader_says(void **state)
{
	unsigned seed = 11, taken = 0;

	(void)state;
	print_message("# seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 300000; i++) {
		unsigned scale = (unsigned)(rand() % 3) * 4;
		int64_t want = 0, got, near;
		char text[72] = "[";
		struct json_walk w;
		int rc;

		random_number(text + 1);
		rc = decimal_parse_exp(text + 1, strlen(text + 1), scale, &want);
		strncat(text, "]", 2);
		w = walk(text);
		assert_true(json_walk_array(&w) && json_walk_element(&w));
		got = json_walk_decimal(&w, scale);
		if ((rc == 0) != !w.why || (rc == 0 && got != want))
			fail_msg("%s at %u: %d %lld, %s %lld", text, scale, rc,
				 (long long)want, w.why ? w.why : "taken",
				 (long long)got);
		taken += rc == 0;
		w = walk(text);
		assert_true(json_walk_array(&w) && json_walk_element(&w));
		near = json_walk_rounded(&w, scale);
		/* Rounding takes whatever fits, and moves by half a unit at most. */
		if (rc == 0)
			assert_true(!w.why && near == want);
		if (rc == DECIMAL_INEXACT && !w.why) {
			long double x = strtold(text + 1, NULL);

			for (unsigned k = 0; k < scale; k++)
				x *= 10;
			x -= (long double)near;
			/* A long double has 64 bits: beside 2^62 it is off by more. */
			if ((x > 0.51L || x < -0.51L) && llabs(near) < INT64_C(1) << 55)
				fail_msg("%s at %u: %lld", text, scale,
					 (long long)near);
		}
	}
	assert_true(taken > 50000);
}

static const struct {
	const char *text;
	const char *why;
} broken[] = {
	{"", "it is cut off"},
	{"7", "an object is missing"},
	{"[", "an object is missing"},
	{"{", "it is cut off"},
	{"{\"a\"", "a key is missing"},
	{"{\"a\":", "a value is malformed"},
	{"{\"a\":1", "it is cut off"},
	{"{\"a\":1]", "a comma is missing"},
	{"{\"a\":1 \"b\":2}", "a comma is missing"},
	{"{\"a\":1,}", "a key is missing"},
	{"{,\"a\":1}", "a key is missing"},
	{"{a:1}", "a key is missing"},
	{"{\"a\":NaN}", "a value is malformed"},
	{"{\"a\":[1,NaN]}", "a value is malformed"},
	{"{\"a\":nul}", "a value is malformed"},
	{"{\"a\xff\":1}", "a key is missing"},
	{"{\"a\":\"\xff\"}", "a value is malformed"},
	{"{} x", "something follows the document"},
};

static void what_is_broken_stops_the_walk_with_its_first_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct json_walk w = walk(broken[i].text);
		struct json_key k;
		char where[128];

		if (json_walk_object(&w))
			while (json_walk_key(&w, &k))
				json_walk_skip(&w);
		assert_false(json_walk_end(&w));
		assert_string_equal(w.why, broken[i].why);
		json_walk_fail(&w, "another");
		assert_string_equal(w.why, broken[i].why);
		assert_false(json_walk_array(&w));
		assert_false(json_walk_element(&w));
		assert_int_equal(json_walk_decimal(&w, 0), VALUE_NULL);
		json_walk_where(&w, where, sizeof(where));
		assert_int_equal(strncmp(where, "byte ", 5), 0);
	}
}

static void the_place_is_shown_without_control_characters(void **state)
{
	struct json_walk w = walk("{\"a\":\x1b[31mred\n");
	char where[128];
	struct json_key k;

	(void)state;
	assert_true(json_walk_object(&w));
	assert_true(json_walk_key(&w, &k));
	json_walk_skip(&w);
	json_walk_where(&w, where, sizeof(where));
	assert_string_equal(where, "byte 5, before '?[31mred?'");
}

static void times_are_read_to_the_nanosecond(void **state)
{
	struct json_walk w = walk("[\"2021-10-04T18:00:14.012577217Z\",null,"
				  "\"2021-10-04T18:00:14Z\",\"2021-10-04\"]");

	(void)state;
	assert_true(json_walk_array(&w));
	assert_true(json_walk_element(&w));
	assert_int_equal(json_walk_time(&w), 1633370414012577217);
	assert_true(json_walk_element(&w));
	assert_int_equal(json_walk_time(&w), VALUE_NULL);
	assert_true(json_walk_element(&w));
	assert_int_equal(json_walk_time(&w), 1633370414000000000);
	assert_true(json_walk_element(&w));
	assert_int_equal(json_walk_time(&w), VALUE_NULL);
	assert_string_equal(w.why, "a time is not RFC 3339");
}

static void texts_are_cut_between_characters(void **state)
{
	static const struct {
		const char *text;
		size_t cap;
		const char *want;
	} cases[] = {
		{"\"abc\"", 8, "abc"},
		{"\"abc\"", 4, "abc"},
		{"\"abcd\"", 4, "abc"},
		{"\"ab\xe2\x82\xac\"", 5, "ab"},
		{"\"ab\xe2\x82\xac\"", 6, "ab\xe2\x82\xac"},
		{"\"ab\\u20ac\"", 6, "ab\xe2\x82\xac"},
		{"\"ab\\u20accc\"", 7,
		 "ab\xe2\x82\xac"
		 "c"},
		{"\"a\\ud83d\\ude00bcd\"", 6, "a\xf0\x9f\x98\x80"},
		{"\"a\\ud83d\\ude00bcd\"", 5, "a"},
		{"\"\\n\\t\\\"x\"", 4, "\n\t\""},
		{"null", 4, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_walk w = walk(cases[i].text);
		char out[16];

		assert_int_equal(json_walk_text(&w, out, cases[i].cap),
				 strlen(cases[i].want));
		assert_string_equal(out, cases[i].want);
		assert_true(json_walk_end(&w));
	}
}

static void whole_numbers_may_be_text(void **state)
{
	struct json_walk w = walk("[18446744073709551615,\"7\",null,-1]");

	(void)state;
	assert_true(json_walk_array(&w) && json_walk_element(&w));
	assert_true(json_walk_u64(&w) == UINT64_MAX);
	assert_true(json_walk_element(&w));
	assert_true(json_walk_u64(&w) == 7);
	assert_true(json_walk_element(&w));
	assert_true(json_walk_u64(&w) == 0);
	assert_true(json_walk_element(&w));
	assert_true(json_walk_u64(&w) == 0);
	assert_string_equal(w.why, "a whole number is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_and_elements_come_in_order),
		cmocka_unit_test(numbers_are_exact_or_refused_or_rounded_when_asked),
		cmocka_unit_test(any_number_is_what_the_exact_reader_says),
		cmocka_unit_test(what_is_broken_stops_the_walk_with_its_first_reason),
		cmocka_unit_test(the_place_is_shown_without_control_characters),
		cmocka_unit_test(times_are_read_to_the_nanosecond),
		cmocka_unit_test(texts_are_cut_between_characters),
		cmocka_unit_test(whole_numbers_may_be_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
