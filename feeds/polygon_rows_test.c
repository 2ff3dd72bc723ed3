/* polygon_rows_test - Polygon's answers, all made up here, to rows. */
#include "feeds/polygon.h"
#include "feeds/vendor_test.h"

static const char *const one[] = {"AA"};

static const char aggs[] =
	"{\"ticker\":\"AA\",\"queryCount\":9,\"adjusted\":true,\"results\":["
	"{\"v\":1.35647456e+08,\"vw\":74.6099,\"o\":74.06,\"c\":75.0875,\"h\":75.15,"
	"\"l\":73.7975,\"t\":1577941200000,\"n\":1,\"otc\":true},"
	"{\"T\":\"AA\",\"v\":7.5,\"o\":1,\"c\":2,\"h\":3,\"l\":0.5,\"t\":1577941260000}"
	"],"
	"\"status\":\"OK\",\"next_url\":\"https://api.example.com:443/v2/aggs/ticker/"
	"AA/"
	"range/1/minute/1/2?cursor=YWI&apiKey=oops\"}";

static void aggregates_arrive_exactly(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, one, 1);
	struct vendor_page p = {0};
	const struct hist_bar *b;

	(void)state;
	assert_int_equal(parse_text(polygon_parse, &a, aggs, &p), 0);
	assert_int_equal(bars_of(&p), 2);
	b = bar_at(&p, 0);
	assert_int_equal(b->start_ns, 1577941200000000000);
	assert_int_equal(b->open_e9, 74060000000);
	assert_int_equal(b->high_e9, 75150000000);
	assert_int_equal(b->low_e9, 73797500000);
	assert_int_equal(b->close_e9, 75087500000);
	assert_int_equal(b->volume_e8, 13564745600000000);
	assert_int_equal(b->vwap_e9, 74609900000);
	assert_int_equal(b->trades, 1);
	b = bar_at(&p, 1);
	assert_int_equal(b->volume_e8, 750000000);
	assert_int_equal(b->vwap_e9, VALUE_NULL);
	assert_int_equal(b->trades, VALUE_NULL);
	assert_string_equal(p.next, "/v2/aggs/ticker/AA/range/1/minute/1/2?cursor=YWI");
	vendor_page_free(&p);
}

static void a_part_of_an_answer_is_no_answer(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, one, 1);

	(void)state;
	no_prefix_is_taken(polygon_parse, &a, aggs);
}

static void no_results_is_no_data_and_delayed_is_a_success(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, one, 1);
	struct vendor_page p = {0};

	(void)state;
	assert_int_equal(parse_text(polygon_parse, &a,
				    "{\"resultsCount\":0,\"status\":\"OK\"}", &p),
			 0);
	assert_int_equal(parse_text(polygon_parse, &a,
				    "{\"results\":null,\"status\":\"DELAYED\"}", &p),
			 0);
	assert_true(page_is_empty(&p));
	vendor_page_free(&p);
}

static const struct {
	const char *text;
	const char *why;
} broken[] = {
	{"[]", "an object is missing"},
	{"{\"status\":\"ERROR\",\"error\":\"Unknown API Key\"}",
	 "its status is neither"},
	{"{\"results\":[]}", "its status is neither"},
	{"{\"results\":[{\"t\":1,\"c\":NaN}],\"status\":\"OK\"}",
	 "a value is malformed"},
	{"{\"results\":[{\"c\":1}],\"status\":\"OK\"}", "a bar has no time"},
	{"{\"results\":[{\"t\":1.5}],\"status\":\"OK\"}", "more decimals"},
	{"{\"results\":[{\"t\":9223372036855}],\"status\":\"OK\"}",
	 "a time is out of range"},
	{"{\"status\":\"OK\",\"next_url\":\"https://nowhere\"}", "next_url is no URL"},
	{"{\"status\":\"OK\",\"next_url\":\"https://x/a b\"}", "next_url is no URL"},
};

static void a_broken_answer_says_what(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, one, 1);
	struct vendor_page p = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_equal(parse_text(polygon_parse, &a, broken[i].text, &p),
				 -EBADMSG);
		if (!strstr(err_text(), broken[i].why))
			fail_msg("%s: %s", broken[i].text, err_text());
		assert_true(page_is_empty(&p));
	}
	vendor_page_free(&p);
}

static void of_the_next_url_only_path_and_query_stay(void **state)
{
	static const struct {
		const char *url;
		const char *want; /* NULL: refused */
	} cases[] = {
		{"https://api.massive.com/v3/quotes/A?cursor=x",
		 "/v3/quotes/A?cursor=x"},
		{"https://evil.example:443/v2/aggs?cursor=x", "/v2/aggs?cursor=x"},
		{"/v3/quotes/A?cursor=x#part", "/v3/quotes/A?cursor=x"},
		{"https://h/v3?apiKey=SECRET&cursor=x&b=1", "/v3?cursor=x&b=1"},
		{"https://h/v3?cursor=x&apiKey=SECRET", "/v3?cursor=x"},
		{"https://h/v3?cursor=x&apiKey=SECRET&b=1", "/v3?cursor=x&b=1"},
		{"https://h/v3?apiKey=SECRET", "/v3"},
		{"https://h/v3?cursor=https://other/y", "/v3?cursor=https://other/y"},
		{"https://h/v3?cursor=a%2Bb==", "/v3?cursor=a%2Bb=="},
		{"https://h", NULL},
		{"v3/quotes", NULL},
		{"", NULL},
		{"https://h/v3?a=\r\nHost: x", NULL},
		{"https://h/v3?a=\xc3\xa4", NULL},
	};
	char out[VENDOR_NEXT_MAX], longest[VENDOR_NEXT_MAX + 8];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool ok = polygon_next(cases[i].url, out);

		assert_int_equal(ok, cases[i].want != NULL);
		if (ok)
			assert_string_equal(out, cases[i].want);
	}
	(void)snprintf(longest, sizeof(longest), "/%0*d", VENDOR_NEXT_MAX - 2, 0);
	assert_true(polygon_next(longest, out));
	(void)snprintf(longest, sizeof(longest), "/%0*d", VENDOR_NEXT_MAX - 1, 0);
	assert_false(polygon_next(longest, out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aggregates_arrive_exactly),
		cmocka_unit_test(a_part_of_an_answer_is_no_answer),
		cmocka_unit_test(no_results_is_no_data_and_delayed_is_a_success),
		cmocka_unit_test(a_broken_answer_says_what),
		cmocka_unit_test(of_the_next_url_only_path_and_query_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
