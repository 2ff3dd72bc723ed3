/* alpaca_test - how Alpaca is asked, what it is not asked, what its errors mean. */
#include "feeds/vendor_test.h"

static const char *const two[] = {"AA", "BRK.B"};
static const char *const coins[] = {"BTC/USD", "ETH/USD"};
static const char *const mixed[] = {"AA", "BTC/USD"};

#define START INT64_C(1709874000000000000) /* 2024-03-08 in New York */
#define END   INT64_C(1710129600500000000)

static struct vendor_ask ask_of(enum vendor_what what)
{
	return (struct vendor_ask){.what = what,
				   .symbols = two,
				   .n_symbols = 2,
				   .start_ns = START,
				   .end_ns = END,
				   .step_s = 86400};
}

static void asks(const struct vendor_settings *s, const struct vendor_ask *a,
		 const char *next, const char *want)
{
	struct vendor_request r = {0};

	if (alpaca_ops.request(s, a, next, &r) < 0)
		fail_msg("%s", err_text());
	assert_string_equal(buf_text(&r.target), want);
	assert_false(r.is_post);
	assert_int_equal(r.form.len, 0);
	vendor_request_free(&r);
}

static void questions_are_explicit_and_end_before_their_end(void **state)
{
	struct vendor_settings s = {.feed = "iex"};
	struct vendor_ask a = ask_of(VENDOR_BARS);

	(void)state;
	asks(&s, &a, "",
	     "/v2/stocks/bars?symbols=AA,BRK.B&timeframe=1Day"
	     "&start=2024-03-08T05%3A00%3A00Z&end=2024-03-11T04%3A00%3A00.499999999Z"
	     "&limit=10000&sort=asc&adjustment=raw&feed=iex");
	a.adjust = HIST_ALL;
	a.step_s = 300;
	a.limit = 25;
	s.feed[0] = '\0';
	asks(&s, &a, "QUF8RA==",
	     "/v2/stocks/bars?symbols=AA,BRK.B&timeframe=5Min"
	     "&start=2024-03-08T05%3A00%3A00Z&end=2024-03-11T04%3A00%3A00.499999999Z"
	     "&limit=25&sort=asc&adjustment=all&page_token=QUF8RA%3D%3D");
	a = ask_of(VENDOR_TRADES);
	asks(&s, &a, "",
	     "/v2/stocks/trades?symbols=AA,BRK.B&start=2024-03-08T05%3A00%3A00Z"
	     "&end=2024-03-11T04%3A00%3A00.499999999Z&limit=10000&sort=asc");
	a.symbols = coins;
	a.what = VENDOR_QUOTES;
	asks(&s, &a, "",
	     "/v1beta3/crypto/us/quotes?symbols=BTC%2FUSD,ETH%2FUSD"
	     "&start=2024-03-08T05%3A00%3A00Z&end=2024-03-11T04%3A00%3A00.499999999Z"
	     "&limit=10000&sort=asc");
	a = ask_of(VENDOR_NEWS);
	a.limit = 500;
	asks(&s, &a, "",
	     "/v1beta1/news?symbols=AA,BRK.B&start=2024-03-08T05%3A00%3A00Z"
	     "&end=2024-03-11T04%3A00%3A00.499999999Z&limit=50&sort=asc");
	a.symbols = coins;
	asks(&s, &a, "",
	     "/v1beta1/news?symbols=BTCUSD,ETHUSD&start=2024-03-08T05%3A00%3A00Z"
	     "&end=2024-03-11T04%3A00%3A00.499999999Z&limit=50&sort=asc");
	a = ask_of(VENDOR_ACTIONS);
	a.end_ns =
		INT64_C(1710129600000000000); /* midnight: the day before is the last */
	asks(&s, &a, "",
	     "/v1/corporate-actions?symbols=AA,BRK.B&start=2024-03-08&end=2024-03-10"
	     "&limit=1000&sort=asc");
}

static void keys_go_into_two_headers_and_nowhere_else(void **state)
{
	struct vendor_ask a = ask_of(VENDOR_BARS);
	struct secret *id = NULL, *key = NULL;
	struct vendor_settings s = {0};
	struct vendor_request r = {0};
	const char *h;

	(void)state;
	assert_int_equal(secret_new("IDENTIFIER", 10, &id), 0);
	assert_int_equal(secret_new("HIDDEN", 6, &key), 0);
	s.key = id;
	s.key_secret = key;
	assert_int_equal(alpaca_ops.request(&s, &a, "", &r), 0);
	h = (const char *)r.headers.data;
	assert_string_equal(h, "APCA-API-KEY-ID: IDENTIFIER");
	h += strlen(h) + 1;
	assert_string_equal(h, "APCA-API-SECRET-KEY: HIDDEN");
	assert_ptr_equal(h + strlen(h) + 1, r.headers.data + r.headers.len);
	assert_null(strstr(buf_text(&r.target), "HIDDEN"));
	assert_null(strstr(buf_text(&r.target), "IDENTIFIER"));
	vendor_request_free(&r);
	assert_int_equal(r.headers.cap, 0);
	secret_free(id);
	secret_free(key);
}

static void steps_have_alpacas_names_or_are_refused(void **state)
{
	static const struct {
		uint32_t step_s;
		const char *name;
	} cases[] = {{60, "1Min"},      {3540, "59Min"}, {3600, "1Hour"},
		     {82800, "23Hour"}, {86400, "1Day"}, {30, NULL},
		     {5400, NULL},      {604800, NULL},  {0, NULL}};
	struct vendor_settings s = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vendor_ask a = ask_of(VENDOR_BARS);
		struct vendor_request r = {0};
		char want[32];

		a.step_s = cases[i].step_s;
		if (!cases[i].name) {
			assert_int_equal(alpaca_ops.check(&s, &a), -EINVAL);
			assert_int_equal(alpaca_ops.request(&s, &a, "", &r), -EINVAL);
			continue;
		}
		assert_int_equal(alpaca_ops.request(&s, &a, "", &r), 0);
		(void)snprintf(want, sizeof(want), "timeframe=%s&", cases[i].name);
		assert_non_null(strstr(buf_text(&r.target), want));
		vendor_request_free(&r);
	}
}

static void what_it_cannot_answer_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *feed;
		const char *why; /* NULL: fine */
	} feeds[] = {{"", NULL},
		     {"sip", NULL},
		     {"otc", NULL},
		     {"boats", NULL},
		     {"delayed_sip", "legal for the stream and the latest prices only"},
		     {"overnight", "legal for the stream"},
		     {"nasdaq", "no feed 'nasdaq'"}};
	struct vendor_ask a = ask_of(VENDOR_BARS);
	static const char *const bad[] = {"$$$"};
	struct vendor_settings s = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(feeds) / sizeof(feeds[0]); i++) {
		(void)snprintf(s.feed, sizeof(s.feed), "%s", feeds[i].feed);
		assert_int_equal(alpaca_ops.check(&s, &a), feeds[i].why ? -EINVAL : 0);
		if (feeds[i].why)
			assert_non_null(strstr(err_text(), feeds[i].why));
	}
	/* A feed of stocks is nothing to news and coins. */
	a = ask_of(VENDOR_NEWS);
	assert_int_equal(alpaca_ops.check(&s, &a), 0);
	a = ask_of(VENDOR_BARS);
	a.symbols = coins;
	assert_int_equal(alpaca_ops.check(&s, &a), 0);
	a.symbols = mixed;
	s.feed[0] = '\0';
	assert_int_equal(alpaca_ops.check(&s, &a), -EINVAL);
	assert_non_null(strstr(err_text(), "AA and BTC/USD stand in one"));
	a = ask_of(VENDOR_BARS);
	a.n_symbols = 0;
	assert_int_equal(alpaca_ops.check(&s, &a), -EINVAL);
	a.n_symbols = 201;
	assert_int_equal(alpaca_ops.check(&s, &a), -EINVAL);
	a.n_symbols = 1;
	a.symbols = bad;
	assert_int_equal(alpaca_ops.check(&s, &a), -EINVAL);
	a = ask_of(VENDOR_BARS);
	a.end_ns = a.start_ns;
	assert_int_equal(alpaca_ops.check(&s, &a), -EINVAL);
	a = ask_of(VENDOR_WHATS);
	assert_int_equal(alpaca_ops.check(&s, &a), -EINVAL);
}

static const struct {
	long status;
	const char *body;
	enum vendor_verdict verdict;
	const char *why;
} answers[] = {
	{400, "{\"message\":\"invalid symbol: $$$\"}", VENDOR_REFUSED,
	 "alpaca: answer 400, invalid symbol: $$$"},
	{401, "{\"message\":\"unauthorized.\"}", VENDOR_AUTH,
	 "alpaca: answer 401, unauthorized."},
	{403, "{\"message\":\"forbidden.\"}", VENDOR_AUTH,
	 "alpaca: answer 403, forbidden."},
	{403, "{\"message\":\"subscription does not permit querying recent SIP data\"}",
	 VENDOR_FORBIDDEN, "does not permit"},
	{404, "{\"message\":\"endpoint not found.\"}", VENDOR_REFUSED,
	 "endpoint not found"},
	{408, "", VENDOR_RETRY, "alpaca: answer 408"},
	{422, "{\"code\":42210000,\"message\":\"invalid timeframe\"}", VENDOR_REFUSED,
	 "invalid timeframe"},
	{425, "", VENDOR_RETRY, "alpaca: answer 425"},
	{429, "{\"message\":\"too many requests.\"}", VENDOR_LIMITED,
	 "too many requests"},
	{500, "{\"code\":50010000,\"message\":\"internal\"}", VENDOR_RETRY, "internal"},
	{504, "\r\n<html><body>time-out</body></html>", VENDOR_RETRY, "an HTML page"},
	{302, "", VENDOR_REFUSED, "alpaca: answer 302"},
	{401, "{\"message\":\"no such key: HIDDEN\"}", VENDOR_AUTH,
	 "(a text that holds the key)"},
	{503, "\x1b[2Jdown\n", VENDOR_RETRY, "?[2Jdown"},
	{500, "{\"message\":{\"message\":\"deep\"}}", VENDOR_RETRY, "answer 500"},
	{500, "{\"error\":{\"message\":\"deep\"}}", VENDOR_RETRY, "deep"},
	{500, "{\"message\":", VENDOR_RETRY, "answer 500"},
};

static void answers_are_judged_by_status_and_text(void **state)
{
	struct vendor_settings s = {0};
	struct secret *key = NULL;

	(void)state;
	assert_int_equal(secret_new("HIDDEN", 6, &key), 0);
	s.key_secret = key;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct vendor_problem p = {0};

		alpaca_ops.problem(&s, answers[i].status, "", answers[i].body,
				   strlen(answers[i].body), &p);
		assert_int_equal(p.verdict, answers[i].verdict);
		if (!strstr(p.why, answers[i].why))
			fail_msg("%s: %s", answers[i].body, p.why);
		assert_null(strstr(p.why, "HIDDEN"));
	}
	secret_free(key);
}

static void what_parse_refused_is_told_in_its_words(void **state)
{
	struct vendor_ask a = ask_of(VENDOR_BARS);
	struct vendor_settings s = {0};
	struct vendor_problem problem;
	struct vendor_page p = {0};

	(void)state;
	assert_int_equal(alpaca_ops.parse(&s, &a, "", "{\"bars\":{", 9, &p), -EBADMSG);
	alpaca_ops.problem(&s, 200, "", "{\"bars\":{", 9, &problem);
	assert_int_equal(problem.verdict, VENDOR_GARBLED);
	assert_string_equal(problem.why,
			    "alpaca: the answer cannot be read: it is cut off "
			    "(byte 9, at its end)");
	vendor_page_free(&p);
}

static void vendors_are_found_by_name(void **state)
{
	size_t n = 0;

	(void)state;
	assert_ptr_equal(vendor_find("alpaca"), &alpaca_ops);
	assert_ptr_equal(vendor_find("polygon"), &polygon_ops);
	assert_ptr_equal(vendor_find("yahoo"), &yahoo_ops);
	assert_null(vendor_find("nobody"));
	while (vendor_at(n)) {
		assert_ptr_equal(vendor_find(vendor_at(n)->name), vendor_at(n));
		n++;
	}
	assert_true(n >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_explicit_and_end_before_their_end),
		cmocka_unit_test(keys_go_into_two_headers_and_nowhere_else),
		cmocka_unit_test(steps_have_alpacas_names_or_are_refused),
		cmocka_unit_test(what_it_cannot_answer_is_refused_with_a_reason),
		cmocka_unit_test(answers_are_judged_by_status_and_text),
		cmocka_unit_test(what_parse_refused_is_told_in_its_words),
		cmocka_unit_test(vendors_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
