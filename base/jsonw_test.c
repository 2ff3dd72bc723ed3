/* jsonw_test - commas, quoting and doubles that read back. */
#include "base/json.h"
#include "base/jsonw.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_document_has_its_commas_in_place(void **state)
{
	(void)state;
	struct buf b = {0};
	struct jsonw w;

	jsonw_init(&w, &b);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "s", "x");
	jsonw_str(&w, "none", NULL);
	jsonw_array(&w, "a");
	jsonw_u64(&w, NULL, UINT64_MAX);
	jsonw_i64(&w, NULL, INT64_MIN);
	jsonw_object(&w, NULL);
	jsonw_end(&w);
	jsonw_array(&w, NULL);
	jsonw_end(&w);
	jsonw_end(&w);
	jsonw_bool(&w, "t", true);
	jsonw_bool(&w, "f", false);
	jsonw_null(&w, "z");
	jsonw_f64(&w, "d", 0.5);
	jsonw_raw(&w, "r", "[1]", 3);
	jsonw_end(&w);
	assert_int_equal(w.depth, 0);
	assert_string_equal(buf_text(&b),
			    "{\"s\":\"x\",\"none\":null,\"a\":[18446744073709551615,"
			    "-9223372036854775808,{},[]],\"t\":true,\"f\":false,"
			    "\"z\":null,\"d\":0.5,\"r\":[1]}");
	buf_free(&b);
}

static void a_string_reads_back_whatever_it_holds(void **state)
{
	(void)state;
	char text[255];
	struct buf b = {0};
	struct jsonw w;
	struct json *r;

	for (unsigned i = 0; i < 127; i++)
		text[i] = (char)(i + 1);
	text[127] = 0;
	jsonw_init(&w, &b);
	jsonw_object(&w, NULL);
	jsonw_str(&w, text, text);
	jsonw_end(&w);
	assert_int_equal(json_parse((char *)b.data, b.len, &r), 0);
	assert_string_equal(json_str(json_get(r, text), ""), text);
	json_free(r);
	buf_free(&b);
}

static void escapes_are_the_short_ones(void **state)
{
	(void)state;
	struct buf b = {0};
	struct jsonw w;

	jsonw_init(&w, &b);
	jsonw_strn(&w, NULL, "\"\\\b\f\n\r\t\0\x1f/\xc3\xa9", 12);
	assert_string_equal(buf_text(&b),
			    "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\xc3\xa9\"");
	buf_free(&b);
}

static void bytes_that_are_no_text_become_the_replacement_character(void **state)
{
	(void)state;
	struct buf b = {0};
	struct jsonw w;

	jsonw_init(&w, &b);
	jsonw_strn(&w, NULL, "a\xff\xc3", 3);
	assert_string_equal(buf_text(&b), "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
	buf_free(&b);
}

/* The definition, slowly. */
static void shortest(char buf[32], double v)
{
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(buf, 32, "%.*g", digits, v);
		if (strtod(buf, NULL) == v)
			return;
	}
}

static void expect_double(double v)
{
	char got[32], want[32];
	size_t n = jsonw_print_f64(got, v);

	shortest(want, v);
	assert_int_equal(n, strlen(got));
	assert_string_equal(got, want);
	assert_true(strtod(got, NULL) == v);
}

static void doubles_print_by_the_definition(void **state)
{
	(void)state;
	static const double edge[] = {0.0,
				      -0.0,
				      1,
				      -1,
				      0.1,
				      0.1 + 0.2,
				      1.0 / 3,
				      1e15,
				      1e16,
				      999999.999999999,
				      123456.789012345,
				      0.0001,
				      0.00009999,
				      1e-9,
				      1e-4,
				      1e22,
				      1e23,
				      DBL_MAX,
				      DBL_MIN,
				      5e-324,
				      100,
				      1e6,
				      999999999999999.0,
				      -1.38710,
				      0.000123456789};
	uint64_t x = 99;

	for (size_t i = 0; i < sizeof(edge) / sizeof(edge[0]); i++)
		expect_double(edge[i]);
	for (unsigned i = 0; i < 200000; i++) {
		double v;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(&v, &x, 8);
		if (isfinite(v))
			expect_double(v);
		expect_double((double)(x >> (x & 63)) / 1e9);
		expect_double((double)(int64_t)x / 9223372036854775808.0);
		expect_double((double)(x % 20000000) / 1e5);
	}
}

static void times_and_hashes_are_texts_and_no_time_is_null(void **state)
{
	struct buf b = {0};
	struct jsonw w;

	(void)state;
	jsonw_init(&w, &b);
	jsonw_array(&w, NULL);
	jsonw_time(&w, NULL, INT64_C(1700000000123456789));
	jsonw_time(&w, NULL, INT64_MIN);
	jsonw_hex64(&w, NULL, 0xab);
	jsonw_end(&w);
	assert_string_equal(buf_text(&b), "[\"2023-11-14T22:13:20.123456789Z\",null,"
					  "\"00000000000000ab\"]");
	buf_free(&b);
}

static void what_is_no_number_prints_null(void **state)
{
	(void)state;
	char buf[32];

	assert_int_equal(jsonw_print_f64(buf, (double)NAN), 4);
	assert_string_equal(buf, "null");
	(void)jsonw_print_f64(buf, (double)-INFINITY);
	assert_string_equal(buf, "null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_has_its_commas_in_place),
		cmocka_unit_test(a_string_reads_back_whatever_it_holds),
		cmocka_unit_test(escapes_are_the_short_ones),
		cmocka_unit_test(
			bytes_that_are_no_text_become_the_replacement_character),
		cmocka_unit_test(doubles_print_by_the_definition),
		cmocka_unit_test(times_and_hashes_are_texts_and_no_time_is_null),
		cmocka_unit_test(what_is_no_number_prints_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
