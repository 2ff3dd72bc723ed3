/* alpaca_rows_test - Alpaca's answers, all made up here, to rows. */
#include "feeds/alpaca.h"
#include "feeds/vendor_test.h"

static const char *const two[] = {"AA", "BRK.B"};

static const char bars[] =
	"{\"bars\":{\"AA\":[{\"t\":\"2024-03-08T05:00:00Z\",\"o\":839,\"h\":840.25,"
	"\"l\":832.0001,\"c\":839.5,\"v\":1922,\"n\":52,\"vw\":836.123456},"
	"{\"c\":3e-9,\"h\":3e-9,\"l\":1e-9,\"o\":2e-9,\"t\":\"2024-03-11T04:00:00.5Z\","
	"\"v\":0.12345678901}],\"BRK.B\":[{\"t\":\"2024-03-08T05:00:00Z\",\"o\":1,"
	"\"h\":2,\"l\":1,\"c\":2,\"v\":null,\"n\":null,\"vw\":null,\"new\":{\"x\":[1]}}"
	"]},"
	"\"next_page_token\":\"QUF8RA==\"}\n";

static void bars_arrive_exactly(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, two, 2);
	struct vendor_page p = {0};
	const struct hist_bar *b;

	(void)state;
	assert_int_equal(parse_text(alpaca_parse, &a, bars, &p), 0);
	assert_int_equal(bars_of(&p), 3);
	b = bar_at(&p, 0);
	assert_int_equal(b->start_ns, 1709874000000000000);
	assert_int_equal(b->open_e9, 839000000000);
	assert_int_equal(b->high_e9, 840250000000);
	assert_int_equal(b->low_e9, 832000100000);
	assert_int_equal(b->close_e9, 839500000000);
	assert_int_equal(b->volume_e8, 192200000000);
	assert_int_equal(b->vwap_e9, 836123456000);
	assert_int_equal(b->trades, 52);
	b = bar_at(&p, 1);
	assert_int_equal(b->start_ns, 1710129600500000000);
	assert_int_equal(b->open_e9, 2);
	assert_int_equal(b->volume_e8, 12345679); /* a sum: rounded */
	assert_int_equal(b->vwap_e9, VALUE_NULL);
	assert_int_equal(b->trades, VALUE_NULL);
	b = bar_at(&p, 2);
	assert_int_equal(b->volume_e8, VALUE_NULL);
	assert_int_equal(bar_symbol(&p, 0), 0);
	assert_int_equal(bar_symbol(&p, 1), 0);
	assert_int_equal(bar_symbol(&p, 2), 1);
	assert_string_equal(p.next, "QUF8RA==");
	assert_int_equal(p.skipped, 0);
	vendor_page_free(&p);
}

static void a_part_of_an_answer_is_no_answer(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, two, 2);
	char text[sizeof(bars)];

	(void)state;
	(void)snprintf(text, sizeof(text), "%s", bars);
	text[strlen(text) - 1] = '\0'; /* the line end may be missing */
	no_prefix_is_taken(alpaca_parse, &a, text);
}

static void empty_null_and_missing_are_told_apart(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, two, 2);
	struct vendor_page p = {0};

	(void)state;
	assert_int_equal(parse_text(alpaca_parse, &a,
				    "{\"bars\":{},\"next_page_token\":null}", &p),
			 0);
	assert_int_equal(parse_text(alpaca_parse, &a,
				    "{\"bars\":null,\"currency\":\"JPY\"}", &p),
			 0);
	assert_string_equal(p.currency, "JPY");
	vendor_page_reset(&p);
	assert_string_equal(p.currency, "");
	assert_int_equal(parse_text(alpaca_parse, &a, "{\"bars\":{\"AA\":null}}", &p),
			 0);
	assert_int_equal(bars_of(&p), 0);
	assert_int_equal(parse_text(alpaca_parse, &a,
				    "{\"bars\":{},\"next_page_token\":\"eA==\"}", &p),
			 0);
	assert_string_equal(p.next, "eA=="); /* an empty page, and yet there is more */

	vendor_page_reset(&p);
	assert_int_equal(parse_text(alpaca_parse, &a,
				    "{\"message\":\"too many requests.\"}", &p),
			 -EBADMSG);
	assert_non_null(strstr(err_text(), "the rows are missing"));
	vendor_page_free(&p);
}

static void what_nobody_asked_for_is_counted_and_left_out(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, two, 1);
	struct vendor_page p = {0};

	(void)state;
	a.start_ns = INT64_C(1709874000000000000);
	a.end_ns = INT64_C(1710129600500000000); /* where the second bar begins */
	assert_int_equal(parse_text(alpaca_parse, &a, bars, &p), 0);
	assert_int_equal(bars_of(&p), 1);
	assert_int_equal(p.skipped, 2); /* the bar at the end, and BRK.B's */
	vendor_page_free(&p);
}

static const struct {
	const char *text;
	const char *why;
} broken[] = {
	{"not a valid json", "a value is malformed"},
	{"<html>", "an object is missing"},
	{"null", "it is null"},
	{"{\"bars\":[]}", "an object is missing"},
	{"{\"bars\":{\"AA\":{}}}", "an array is missing"},
	{"{\"bars\":{\"AA\":[null]}}", "a bar is null"},
	{"{\"bars\":{\"AA\":[7]}}", "an object is missing"},
	{"{\"bars\":{\"AA\":[{\"o\":1}]}}", "a bar has no time"},
	{"{\"bars\":{\"AA\":[{\"t\":\"2024-03-08\"}]}}", "a time is not RFC 3339"},
	{"{\"bars\":{\"AA\":[{\"o\":NaN}]}}", "a value is malformed"},
	{"{\"bars\":{\"AA\":[{\"o\":\"1\"}]}}", "a number is missing"},
	{"{\"bars\":{\"AA\":[{\"o\":0.0000000001}]}}", "more decimals than are kept"},
	{"{\"bars\":{\"AA\":[{\"o\":1e10}]}}", "does not fit 64 bits"},
	{"{\"bars\":{\"AA\":[{\"n\":1.5}]}}", "more decimals than are kept"},
	{"{\"bars\":{\"NOBODY\":[{\"o\":NaN}]}}", "a value is malformed"},
	{"{\"bars\":{},\"next_page_token\":7}", "a text is missing"},
	{"{\"bars\":{}}{", "something follows the document"},
};

static void a_broken_answer_says_what_and_where(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, two, 2);
	struct vendor_page p = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_equal(parse_text(alpaca_parse, &a, broken[i].text, &p),
				 -EBADMSG);
		if (!strstr(err_text(), broken[i].why) || !strstr(err_text(), "(byte "))
			fail_msg("%s: %s", broken[i].text, err_text());
		assert_true(page_is_empty(&p));
	}
	vendor_page_free(&p);
}

static void computed_prices_are_rounded_where_they_are_too_long(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, two, 1);
	struct vendor_page p = {0};
	const char *text = "{\"bars\":{\"AA\":[{\"t\":\"2024-03-08T05:00:00Z\","
			   "\"o\":0.50982142857142856,\"h\":1,\"l\":0.1,\"c\":1}]}}";

	(void)state;
	assert_int_equal(parse_text(alpaca_parse, &a, text, &p), -EBADMSG);
	a.adjust = HIST_SPLIT;
	assert_int_equal(parse_text(alpaca_parse, &a, text, &p), 0);
	assert_int_equal(bar_at(&p, 0)->open_e9, 509821429);
	vendor_page_free(&p);
}

static void a_token_as_long_as_the_page_keeps_is_refused_not_cut(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, two, 1);
	char text[VENDOR_NEXT_MAX + 64];
	struct vendor_page p = {0};

	(void)state;
	for (size_t len = VENDOR_NEXT_MAX - 3; len < VENDOR_NEXT_MAX + 2; len++) {
		int rc;

		(void)snprintf(text, sizeof(text),
			       "{\"bars\":{},\"next_page_token\":\"%0*d\"}", (int)len,
			       0);
		rc = parse_text(alpaca_parse, &a, text, &p);
		assert_int_equal(rc, len < VENDOR_NEXT_MAX - 1 ? 0 : -EBADMSG);
		assert_int_equal(strlen(p.next), rc ? 0 : len);
		vendor_page_reset(&p);
	}
	vendor_page_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bars_arrive_exactly),
		cmocka_unit_test(a_part_of_an_answer_is_no_answer),
		cmocka_unit_test(empty_null_and_missing_are_told_apart),
		cmocka_unit_test(what_nobody_asked_for_is_counted_and_left_out),
		cmocka_unit_test(a_broken_answer_says_what_and_where),
		cmocka_unit_test(computed_prices_are_rounded_where_they_are_too_long),
		cmocka_unit_test(a_token_as_long_as_the_page_keeps_is_refused_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
