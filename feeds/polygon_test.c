/* polygon_test - how Polygon is asked, and what its errors mean. */
#include "feeds/vendor_test.h"

static const char *const one[] = {"BRK.B"};
static const char *const coin[] = {"BTC/USD"};

#define START INT64_C(1709874000000000000) /* 2024-03-08 in New York */
#define END   INT64_C(1710216000000000000) /* 2024-03-12: summer time since the 10th */

static struct vendor_ask ask_of(enum vendor_what what)
{
	return (struct vendor_ask){.what = what,
				   .symbols = one,
				   .n_symbols = 1,
				   .start_ns = START,
				   .end_ns = END,
				   .step_s = 60};
}

static void asks(const struct vendor_ask *a, const char *next, const char *want)
{
	struct vendor_settings s = {0};
	struct vendor_request r = {0};

	if (polygon_ops.request(&s, a, next, &r) < 0)
		fail_msg("%s", err_text());
	assert_string_equal(buf_text(&r.target), want);
	vendor_request_free(&r);
}

static void aggregates_are_asked_by_date_or_by_millisecond(void **state)
{
	struct vendor_ask a = ask_of(VENDOR_BARS);

	(void)state;
	asks(&a, "",
	     "/v2/aggs/ticker/BRK.B/range/1/minute/2024-03-08/2024-03-11?adjusted=false"
	     "&sort=asc&limit=50000");
	a.adjust = HIST_SPLIT;
	a.step_s = 86400;
	a.limit = 400;
	asks(&a, "",
	     "/v2/aggs/ticker/BRK.B/range/1/day/2024-03-08/2024-03-11?adjusted=true"
	     "&sort=asc&limit=400");
	/* Half a millisecond is inside, and the end is not. */
	a.start_ns += 500000;
	a.step_s = 7200;
	asks(&a, "",
	     "/v2/aggs/ticker/BRK.B/range/2/hour/1709874000001/"
	     "1710215999999?adjusted=true"
	     "&sort=asc&limit=400");
	a.step_s = 90;
	a.symbols = coin;
	a.start_ns = START;
	asks(&a, "",
	     "/v2/aggs/ticker/X%3ABTCUSD/range/90/second/1709874000000/1710215999999"
	     "?adjusted=true&sort=asc&limit=400");
	asks(&a, "/v2/aggs/ticker/X?cursor=YQ%3D%3D",
	     "/v2/aggs/ticker/X?cursor=YQ%3D%3D");
}

static void everything_else_is_asked_oldest_first(void **state)
{
	struct vendor_ask a = ask_of(VENDOR_TRADES);

	(void)state;
	asks(&a, "",
	     "/v3/trades/BRK.B?timestamp.gte=1709874000000000000"
	     "&timestamp.lt=1710216000000000000&order=asc&sort=timestamp&limit=50000");
	a = ask_of(VENDOR_QUOTES);
	asks(&a, "",
	     "/v3/quotes/BRK.B?timestamp.gte=1709874000000000000"
	     "&timestamp.lt=1710216000000000000&order=asc&sort=timestamp&limit=50000");
	a = ask_of(VENDOR_NEWS);
	asks(&a, "",
	     "/v2/reference/"
	     "news?ticker=BRK.B&published_utc.gte=2024-03-08T05%3A00%3A00Z"
	     "&published_utc.lt=2024-03-12T04%3A00%3A00Z&order=asc&sort=published_utc"
	     "&limit=1000");
	a = ask_of(VENDOR_ACTIONS);
	asks(&a, "",
	     "/v3/reference/splits?ticker=BRK.B&execution_date.gte=2024-03-08"
	     "&execution_date.lte=2024-03-11&order=asc&sort=execution_date&limit=1000");
}

static void the_key_goes_into_a_header_on_every_page(void **state)
{
	static const char *const nexts[] = {"", "/v3/trades/A?cursor=x"};
	struct vendor_ask a = ask_of(VENDOR_TRADES);
	struct vendor_settings s = {0};
	struct secret *key = NULL;

	(void)state;
	assert_int_equal(secret_new("HIDDEN", 6, &key), 0);
	s.key = key;
	for (int i = 0; i < 2; i++) {
		struct vendor_request r = {0};

		assert_int_equal(polygon_ops.request(&s, &a, nexts[i], &r), 0);
		assert_string_equal((const char *)r.headers.data,
				    "Authorization: Bearer HIDDEN");
		assert_null(strstr(buf_text(&r.target), "HIDDEN"));
		vendor_request_free(&r);
	}
	secret_free(key);
}

static void what_it_cannot_answer_is_refused(void **state)
{
	static const char *const two[] = {"A", "B"};
	struct vendor_ask a = ask_of(VENDOR_BARS);
	struct vendor_settings s = {0};

	(void)state;
	a.adjust = HIST_ALL;
	assert_int_equal(polygon_ops.check(&s, &a), -EINVAL);
	assert_non_null(strstr(err_text(), "never for dividends"));
	a = ask_of(VENDOR_BARS);
	a.step_s = 604800;
	assert_int_equal(polygon_ops.check(&s, &a), -EINVAL);
	a = ask_of(VENDOR_TRADES);
	a.symbols = two;
	a.n_symbols = 2;
	assert_int_equal(polygon_ops.check(&s, &a), -EINVAL);
	assert_non_null(strstr(err_text(), "1 to 1 symbols"));
}

static const struct {
	long status;
	const char *body;
	enum vendor_verdict verdict;
	const char *why;
} answers[] = {
	{401, "{\"status\":\"ERROR\",\"error\":\"Unknown API Key\"}", VENDOR_AUTH,
	 "polygon: answer 401, Unknown API Key"},
	{400, "{\"status\":\"ERROR\",\"error\":\"API Key was not provided\"}",
	 VENDOR_AUTH, "not provided"},
	{403,
	 "{\"status\":\"NOT_AUTHORIZED\",\"message\":\"Your plan doesn't include\"}",
	 VENDOR_FORBIDDEN, "Your plan"},
	{404, "{\"status\":\"NOT_FOUND\",\"message\":\"Ticker not found.\"}",
	 VENDOR_UNKNOWN, "Ticker not found"},
	{404, "404 page not found", VENDOR_REFUSED, "page not found"},
	{429,
	 "{\"status\":\"ERROR\",\"error\":\"You've exceeded the maximum requests\"}",
	 VENDOR_LIMITED, "exceeded"},
	{500, "{\"status\":\"ERROR\",\"error\":\"API Key backend\"}", VENDOR_RETRY,
	 "API"},
	{200, "{\"status\":\"ERROR\",\"error\":\"Unknown API Key\"}", VENDOR_AUTH,
	 "answer 200"},
	{200, "{\"status\":\"NOT_AUTHORIZED\",\"message\":\"not authorized\"}",
	 VENDOR_FORBIDDEN, "not authorized"},
	{200, "{\"status\":\"ERROR\",\"error\":\"exceeded the maximum requests\"}",
	 VENDOR_LIMITED, "exceeded"},
	{200, "{\"status\":\"ERROR\",\"error\":\"internal\"}", VENDOR_GARBLED,
	 "internal"},
};

static void answers_are_judged_by_class_not_by_status_alone(void **state)
{
	struct vendor_settings s = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct vendor_problem p = {0};

		polygon_ops.problem(&s, answers[i].status, "", answers[i].body,
				    strlen(answers[i].body), &p);
		if (p.verdict != answers[i].verdict || !strstr(p.why, answers[i].why))
			fail_msg("%s: %d %s", answers[i].body, p.verdict, p.why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aggregates_are_asked_by_date_or_by_millisecond),
		cmocka_unit_test(everything_else_is_asked_oldest_first),
		cmocka_unit_test(the_key_goes_into_a_header_on_every_page),
		cmocka_unit_test(what_it_cannot_answer_is_refused),
		cmocka_unit_test(answers_are_judged_by_class_not_by_status_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
