/* json_test - what is JSON, what is not, and what the questions answer. */
#include "base/err.h"
#include "base/json.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct json *must(const char *text)
{
	struct json *root = NULL;
	size_t len = strlen(text);
	/* Exactly as long as the text: one byte too far is seen by ASan. */
	char *exact = malloc(len + (len == 0));
	int rc;

	assert_non_null(exact);
	memcpy(exact, text, len);
	rc = json_parse(exact, len, &root);
	free(exact);
	if (rc != 0)
		fail_msg("'%.80s' was refused", text);
	return root;
}

static void refused(const char *text, size_t len)
{
	struct json *root = (struct json *)1;
	char *exact = malloc(len + (len == 0));
	int rc;

	assert_non_null(exact);
	memcpy(exact, text, len);
	rc = json_parse(exact, len, &root);
	free(exact);
	if (rc != -EINVAL || root)
		fail_msg("'%.80s' gave %d", text, rc);
}

static void every_kind_of_value_is_understood(void **state)
{
	(void)state;
	struct json *r =
		must(" {\"s\":\"x\\u00e9\\ud83d\\ude00\",\"n\":-1.5e-3,\"t\":true,"
		     "\"f\":false,\"z\":null,\"a\":[1,2,3],\"o\":{}} \n");

	assert_string_equal(json_str(json_get(r, "s"), ""),
			    "x\xc3\xa9\xf0\x9f\x98\x80");
	assert_true(json_num(json_get(r, "n"), 0) == -1.5e-3);
	assert_true(json_bool(json_get(r, "t"), false));
	assert_false(json_bool(json_get(r, "f"), true));
	assert_true(json_bool(json_get(r, "z"), true));
	assert_int_equal(json_len(json_get(r, "a")), 3);
	assert_true(json_num(json_at(json_get(r, "a"), 2), 0) == 3);
	assert_null(json_at(json_get(r, "a"), 3));
	assert_true(json_is_object(json_get(r, "o")));
	assert_true(json_is_array(json_get(r, "a")));
	assert_true(json_is_string(json_get(r, "s")));
	assert_true(json_is_number(json_get(r, "n")));
	json_free(r);
}

static void questions_to_nothing_give_the_other_answer(void **state)
{
	(void)state;
	uint64_t u;

	assert_null(json_get(NULL, "a"));
	assert_string_equal(json_str(NULL, "d"), "d");
	assert_true(json_bool(NULL, true));
	assert_true(json_num(NULL, 7) == 7);
	assert_int_equal(json_u64(NULL, &u), -EINVAL);
	assert_int_equal(json_len(NULL), 0);
	assert_null(json_at(NULL, 0));
	assert_null(json_next(NULL, NULL, NULL));
	assert_false(json_is_object(NULL));
	json_free(NULL);
}

static void keys_are_case_sensitive_and_iterate_in_order(void **state)
{
	(void)state;
	struct json *r = must("{\"b\":1,\"B\":2,\"a\":3}");
	const struct json *m = NULL;
	char seen[4] = "";
	const char *key;

	assert_true(json_num(json_get(r, "B"), 0) == 2);
	assert_null(json_get(r, "A"));
	while ((m = json_next(r, m, &key)) != NULL)
		seen[strlen(seen)] = key[0];
	assert_string_equal(seen, "bBa");
	json_free(r);
}

static void what_is_not_quite_json_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"[",
		"]",
		"{]",
		"[}",
		"[1,]",
		"[,1]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{'a':1}",
		"[1 2]",
		"1 2",
		"{\"p\":1}garbage",
		"nul",
		"True",
		"01",
		"-01",
		"1.",
		".5",
		"+1",
		"-",
		"1e",
		"1e+",
		"0x10",
		"NaN",
		"Infinity",
		"\"",
		"\"\\",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\\u0000\"",
		"\"\\ud800\"",
		"\"\\ud800\\u0041\"",
		"\"\\udc00\"",
		"\"a\nb\"",
		"\"\t\"",
		"\xef\xbb\xbf{}",
		"\"\xff\"",
		"\"\xc0\x80\"",
		"\"\xed\xa0\x80\"",
		"[1]]",
		"// c\n1",
		"/**/1",
		"[\"a\":1]",
		"{\"a\",1}",
		"{1:2}",
		"1111111111111111111111111111111111111111111111111111111111111111",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i], strlen(bad[i]));
	refused("1\0", 2);
	refused("{\"a\0\":1}", 8);
}

static void a_key_may_not_occur_twice_anywhere(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"{\"a\":1,\"a\":1}",
		"[[{\"x\":{\"k\":1,\"l\":2,\"\\u006b\":3}}]]",
		"{\"o\":{},\"p\":[{}],\"o\":1}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i], strlen(bad[i]));
	json_free(must("[{\"a\":1},{\"a\":2,\"b\":{\"a\":1}}]"));
}

static void nesting_ends_at_64(void **state)
{
	(void)state;
	char text[200];

	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	refused(text, 130);
	text[129] = 0;
	json_free(must((memset(text + 64, ']', 64), text[128] = 0, text)));
}

static void size_ends_at_a_mebibyte_and_hostile_objects_stay_cheap(void **state)
{
	(void)state;
	size_t cap = JSON_BYTES_MAX + 1, len = 0;
	char *text = malloc(cap);
	struct json *root;

	assert_non_null(text);
	memset(text, ' ', cap);
	text[0] = '1';
	assert_int_equal(json_parse(text, cap, &root), -EMSGSIZE);
	assert_int_equal(json_parse(text, cap - 1, &root), 0);
	json_free(root);

	text[len++] = '{';
	for (unsigned i = 0; len < JSON_BYTES_MAX - 20; i++) {
		static const char hex[] = "0123456789abcdef";
		char member[] = {'"',
				 hex[i >> 16 & 15],
				 hex[i >> 12 & 15],
				 hex[i >> 8 & 15],
				 hex[i >> 4 & 15],
				 hex[i & 15],
				 '"',
				 ':',
				 '0',
				 ','};

		memcpy(text + len, member, sizeof(member));
		len += sizeof(member);
	}
	text[len - 1] = '}';
	assert_int_equal(json_parse(text, len, &root), 0);
	json_free(root);
	free(text);
}

static void numbers_are_finite_and_whole_numbers_exact(void **state)
{
	(void)state;
	struct json *r =
		must("[1e999, 9007199254740992, 9007199254740994, 1.5, -1, "
		     "\"18446744073709551615\", \"18446744073709551616\", \"\", "
		     "\"1x\", \"1700000000123456789\"]");
	static const struct {
		int rc;
		uint64_t value;
	} want[] = {
		{-EINVAL, 0}, {0, UINT64_C(1) << 53},
		{-EINVAL, 0}, {-EINVAL, 0},
		{-EINVAL, 0}, {0, UINT64_MAX},
		{-EINVAL, 0}, {-EINVAL, 0},
		{-EINVAL, 0}, {0, UINT64_C(1700000000123456789)},
	};

	assert_true(json_num(json_at(r, 0), -3) == -3);
	for (size_t i = 0; i < json_len(r); i++) {
		uint64_t u = 0;

		assert_int_equal(json_u64(json_at(r, i), &u), want[i].rc);
		assert_true(u == want[i].value);
	}
	json_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value_is_understood),
		cmocka_unit_test(questions_to_nothing_give_the_other_answer),
		cmocka_unit_test(keys_are_case_sensitive_and_iterate_in_order),
		cmocka_unit_test(what_is_not_quite_json_is_refused),
		cmocka_unit_test(a_key_may_not_occur_twice_anywhere),
		cmocka_unit_test(nesting_ends_at_64),
		cmocka_unit_test(
			size_ends_at_a_mebibyte_and_hostile_objects_stay_cheap),
		cmocka_unit_test(numbers_are_finite_and_whole_numbers_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
