/* enquiry_test - keys and texts of questions, good and bad. */
#include "archive/enquiry.h"
#include "base/err.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_question_is_what_its_texts_say(void **state)
{
	static const char *const texts[][2] = {{"symbols", "AAPL,BRK/B,EUR/USD"},
					       {"fields", "close,volume,state"},
					       {"start", "2024-01-02"},
					       {"end", "2024-01-03T10:00:00+01:00"},
					       {"timeframe", "5m"},
					       {"align", "ffill"},
					       {"tolerance", "15m"},
					       {"age", "true"},
					       {"source", "alpaca"},
					       {"format", "parquet"},
					       {"limit", "2s"},
					       {"rows", "17"},
					       {"index", "sp500"},
					       {"as-of", "2024-01-02"},
					       {"resample", "15m"},
					       {"adjust", "split"},
					       {"zone", "Asia/Tokyo"}};
	struct enquiry q;

	(void)state;
	enquiry_init(&q);
	assert_string_equal(enquiry_field_name(q.fields[0]), "close");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(enquiry_set(&q, texts[i][0], texts[i][1]), 0);
	assert_int_equal(q.n_symbols, 3);
	assert_string_equal(q.symbols[1], "BRK/B");
	assert_int_equal(q.n_fields, 3);
	assert_string_equal(enquiry_field_name(q.fields[2]), "state");
	assert_string_equal(enquiry_field_type(q.fields[2]), "VARCHAR");
	assert_true(q.start_ns == INT64_C(1704153600000000000));
	assert_true(q.end_ns == INT64_C(1704272400000000000));
	assert_int_equal(q.step_s, 300);
	assert_int_equal(q.align, ENQUIRY_FFILL);
	assert_true(q.tolerance_ns == INT64_C(900000000000));
	assert_true(q.age);
	assert_int_equal(q.format, ENQUIRY_PARQUET);
	assert_int_equal(q.limit_ms, 2000);
	assert_int_equal(q.max_rows, 17);
	assert_string_equal(q.index, "sp500");
	assert_true(q.as_of_ns == q.start_ns);
	assert_int_equal(q.resample_s, 900);
	assert_string_equal(q.adjust, "split");
	assert_string_equal(q.zone, "Asia/Tokyo");
	assert_int_equal(enquiry_set(&q, "long", "true"), 0);
	assert_int_equal(q.align, ENQUIRY_LONG);
}

static void what_makes_no_sense_is_refused_with_a_sentence_that_names_it(void **state)
{
	static const char *const texts[][3] = {
		{"symbols", "AAPL,aapl", "aapl"},
		{"adjust", "dividend", "raw, split or all"},
		{"zone", "Mars/Base", "IANA"},
		{"resample", "7m", "7m"},
		{"as-of", "yesterday", "yesterday"},
		{"symbols", "", "no symbol"},
		{"symbols", "A,B,A", "A is asked for twice"},
		{"symbols", "A,", "no symbol"},
		{"fields", "close,clos", "clos"},
		{"fields", "timestamp", "timestamp"},
		{"fields", "low,low", "low"},
		{"start", "yesterday", "yesterday"},
		{"start", "2024-13-01", "2024-13-01"},
		{"timeframe", "7m", "7m"},
		{"align", "left", "left"},
		{"tolerance", "-5m", "-5m"},
		{"age", "maybe", "maybe"},
		{"format", "xlsx", "xlsx"},
		{"rows", "0", "rows"},
		{"rows", "-1", "rows"},
		{"rows", "9x", "9x"},
		{"limit", "soon", "soon"},
		{"source", "a_name_of_more_than_16", "too long"},
		{"color", "red", "color"}};
	struct enquiry q;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		enquiry_init(&q);
		assert_int_equal(enquiry_set(&q, texts[i][0], texts[i][1]), -EINVAL);
		assert_non_null(strstr(err_text(), texts[i][2]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_what_its_texts_say),
		cmocka_unit_test(
			what_makes_no_sense_is_refused_with_a_sentence_that_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
