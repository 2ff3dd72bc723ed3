#include "proto/json_scan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool scan(const char *text, struct json_token *t)
{
	struct json_scan s = {.at = text, .end = text + strlen(text)};

	if (!json_scan_value(&s, t))
		return false;
	json_scan_blank(&s);
	return s.at == s.end;
}

static void values_are_told_by_their_type(void **state)
{
	static const struct {
		const char *text;
		enum json_type type;
	} cases[] = {
		{"\"a\"", JSON_STRING},   {"-0.5e+10", JSON_NUMBER},
		{" true ", JSON_TRUE},    {"false", JSON_FALSE},
		{"null", JSON_NULL},      {"NaN", JSON_WORD},
		{"-Infinity", JSON_WORD}, {"{}", JSON_OBJECT},
		{"[ ]", JSON_ARRAY},      {"{\"a\":[1,{\"b\":null}]}", JSON_OBJECT}};
	struct json_token t;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(scan(cases[i].text, &t));
		assert_int_equal(t.type, cases[i].type);
	}
}

static void what_is_not_json_is_refused(void **state)
{
	static const char *const texts[] = {
		"",           "tru",    "nul",         "nan",     "-",        "--1",
		"01",         "1.",     ".1",          "1e",      "1e+",      "0x1",
		"\"",         "\"\\\"", "\"\\u12g4\"", "'a'",     "[",        "[1",
		"[1,",        "[,1]",   "[1 2]",       "{\"a\"}", "{\"a\":}", "{a:1}",
		"{\"a\":1,}", "]",      "}",           "[}",      "{]",       "+1",
		"1 2",        "-Inf",
	};
	struct json_token t;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (scan(texts[i], &t))
			fail_msg("taken: %s", texts[i]);
}

static void nesting_ends_at_its_limit(void **state)
{
	char text[2 * JSON_SCAN_DEPTH_MAX + 3] = "";
	struct json_token t;

	(void)state;
	memset(text, '[', JSON_SCAN_DEPTH_MAX);
	memset(text + JSON_SCAN_DEPTH_MAX, ']', JSON_SCAN_DEPTH_MAX);
	assert_true(scan(text, &t));
	memset(text, '[', JSON_SCAN_DEPTH_MAX + 1);
	memset(text + JSON_SCAN_DEPTH_MAX + 1, ']', JSON_SCAN_DEPTH_MAX + 1);
	assert_false(scan(text, &t));
}

static void escapes_become_characters(void **state)
{
	struct json_token t;
	char out[32];
	size_t len;

	(void)state;
	assert_true(scan(
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"",
		&t));
	assert_true(json_scan_text(&t, out, sizeof(out), &len));
	assert_int_equal(len, 8 + 1 + 2 + 3 + 4);
	assert_memory_equal(out, "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
			    len);
	assert_false(json_scan_text(&t, out, len - 1, &len)); /* no room */
	assert_true(scan("\"\\ud83d\"", &t));
	assert_false(json_scan_text(&t, out, sizeof(out), &len)); /* half a pair */
	assert_true(scan("\"\\u0000\"", &t));
	assert_false(json_scan_text(&t, out, sizeof(out), &len));
	assert_true(scan("\"ti\\u006de\"", &t));
	assert_true(json_scan_is(&t, "time"));
	assert_false(json_scan_is(&t, "times"));
}

static void whole_numbers_keep_all_their_digits(void **state)
{
	struct json_token t;
	uint64_t v = 0;

	(void)state;
	assert_true(scan("18446744073709551615", &t) && json_scan_u64(&t, &v));
	assert_true(v == UINT64_MAX);
	assert_true(scan("\"9007199254740993\"", &t) && json_scan_u64(&t, &v));
	assert_true(v == UINT64_C(9007199254740993));
	assert_true(scan("18446744073709551616", &t));
	assert_false(json_scan_u64(&t, &v));
	assert_true(scan("1.0", &t));
	assert_false(json_scan_u64(&t, &v));
	assert_true(scan("\"\"", &t));
	assert_false(json_scan_u64(&t, &v));
	assert_true(scan("true", &t));
	assert_false(json_scan_u64(&t, &v));
}

static void whole_numbers_have_a_sign(void **state)
{
	struct json_token t;
	int64_t v = 0;

	(void)state;
	assert_true(scan("-9223372036854775808", &t) && json_scan_i64(&t, &v));
	assert_true(v == INT64_MIN);
	assert_true(scan("9223372036854775807", &t) && json_scan_i64(&t, &v));
	assert_true(v == INT64_MAX);
	assert_true(scan("9223372036854775808", &t));
	assert_false(json_scan_i64(&t, &v));
	assert_true(scan("-9223372036854775809", &t));
	assert_false(json_scan_i64(&t, &v));
	assert_true(scan("\"-\"", &t));
	assert_false(json_scan_i64(&t, &v));
	assert_true(scan("\"--1\"", &t));
	assert_false(json_scan_i64(&t, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_told_by_their_type),
		cmocka_unit_test(what_is_not_json_is_refused),
		cmocka_unit_test(nesting_ends_at_its_limit),
		cmocka_unit_test(escapes_become_characters),
		cmocka_unit_test(whole_numbers_keep_all_their_digits),
		cmocka_unit_test(whole_numbers_have_a_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
