/* yahoo_test - Yahoo's answers, all made up here, to rows; and its spelling. */
#include "feeds/vendor_test.h"
#include "feeds/yahoo.h"

static const char *const one[] = {"AA"};
static struct vendor_ask days;

static int chart(const struct vendor_settings *s, const struct vendor_ask *a,
		 const char *next, const char *body, size_t len,
		 struct vendor_page *out)
{
	(void)s;
	(void)next;
	return yahoo_parse_chart(a, body, len, out);
}

static int news(const struct vendor_settings *s, const struct vendor_ask *a,
		const char *next, const char *body, size_t len, struct vendor_page *out)
{
	(void)s;
	(void)next;
	return yahoo_parse_news(a, body, len, out);
}

static struct vendor_ask ask_days(enum vendor_what what, uint8_t adjust)
{
	struct vendor_ask a = ask_all(what, one, 1);

	a.step_s = 86400;
	a.adjust = adjust;
	return a;
}

static const char american[] =
	"{\"chart\":{\"result\":[{\"meta\":{\"currency\":\"USD\",\"symbol\":\"AA\","
	"\"gmtoffset\":-14400,\"exchangeTimezoneName\":\"America/New_York\","
	"\"dataGranularity\":\"1d\",\"tradingPeriods\":[[{\"start\":1}]]},"
	"\"timestamp\":[1709908200,1710163800,1710250200],"
	"\"events\":{\"dividends\":{\"1710163800\":{\"amount\":0.20499999821186066,"
	"\"date\":1710163800}},\"splits\":{\"1709908200\":{\"date\":1709908200,"
	"\"numerator\":4,\"denominator\":1,\"splitRatio\":\"4:1\"}}},"
	"\"indicators\":{\"quote\":[{\"volume\":[91162800,null,0],"
	"\"open\":[164.97999572753906,null,20],\"high\":[166.69000244140625,null,21],"
	"\"low\":[162.14999389648438,null,19.5],"
	"\"close\":[164.32000732421875,null,20]}],"
	"\"adjclose\":[{\"adjclose\":[161.6998748779297,null,10]}]}}],\"error\":null}}";

static void days_are_dates_of_the_exchange(void **state)
{
	struct vendor_page p = {0};
	const struct hist_bar *b;

	(void)state;
	days = ask_days(VENDOR_BARS, HIST_SPLIT);
	assert_int_equal(parse_text(chart, &days, american, &p), 0);
	assert_int_equal(bars_of(&p), 2);
	assert_int_equal(p.skipped, 1); /* the row of nulls */
	assert_string_equal(p.currency, "USD");
	b = bar_at(&p, 0);
	/* Daylight saving began on the 10th: 05:00Z before, 04:00Z after. */
	assert_int_equal(b->start_ns, 1709874000000000000);
	assert_int_equal(bar_at(&p, 1)->start_ns, 1710216000000000000);
	assert_int_equal(b->open_e9, 164980000000);
	assert_int_equal(b->high_e9, 166690000000);
	assert_int_equal(b->low_e9, 162150000000);
	assert_int_equal(b->close_e9, 164320000000);
	assert_int_equal(b->volume_e8, 9116280000000000);
	assert_int_equal(b->vwap_e9, VALUE_NULL);
	assert_int_equal(bar_at(&p, 1)->volume_e8, 0);
	vendor_page_free(&p);
}

static void dividends_scale_a_whole_day(void **state)
{
	struct vendor_page p = {0};

	(void)state;
	days = ask_days(VENDOR_BARS, HIST_ALL);
	assert_int_equal(parse_text(chart, &days, american, &p), 0);
	assert_int_equal(bar_at(&p, 0)->close_e9, 161699870000);
	/* 164.98 * 161.69987 / 164.32 = 162.3493461... */
	assert_int_equal(bar_at(&p, 0)->open_e9, 162349346000);
	assert_int_equal(bar_at(&p, 1)->open_e9, 10000000000);
	assert_int_equal(bar_at(&p, 1)->high_e9, 10500000000);
	assert_int_equal(bar_at(&p, 1)->low_e9, 9750000000);
	vendor_page_free(&p);
}

static void events_become_actions(void **state)
{
	const struct hist_action *x;
	struct vendor_page p = {0};

	(void)state;
	days = ask_days(VENDOR_ACTIONS, HIST_SPLIT);
	assert_int_equal(parse_text(chart, &days, american, &p), 0);
	assert_int_equal(p.actions.len, 2 * sizeof(*x));
	assert_int_equal(bars_of(&p), 0);
	x = (const struct hist_action *)p.actions.data;
	assert_int_equal(x[0].kind, ACTION_DIVIDEND);
	assert_int_equal(x[0].ex_date, 20240311);
	assert_int_equal(x[0].amount_e9, 205000000);
	assert_string_equal(x[0].currency, "USD");
	assert_int_equal(x[1].kind, ACTION_SPLIT);
	assert_int_equal(x[1].ex_date, 20240308);
	assert_int_equal(x[1].numerator_e9, 4000000000);
	assert_int_equal(x[1].denominator_e9, 1000000000);
	assert_string_equal(x[1].symbol, "AA");
	vendor_page_free(&p);
}

static void a_part_of_an_answer_is_no_answer(void **state)
{
	(void)state;
	days = ask_days(VENDOR_BARS, HIST_SPLIT);
	no_prefix_is_taken(chart, &days, american);
}

#define CHART(meta, rest)                                                              \
	"{\"chart\":{\"result\":[{\"meta\":{" meta "}" rest "}],\"error\":null}}"

static void pence_stay_pence_and_say_so(void **state)
{
	struct vendor_page p = {0};

	(void)state;
	days = ask_days(VENDOR_BARS, HIST_SPLIT);
	assert_int_equal(
		parse_text(
			chart, &days,
			CHART("\"currency\":\"GBp\",\"exchangeTimezoneName\":"
			      "\"Europe/London\",\"dataGranularity\":\"1d\"",
			      ",\"timestamp\":[1577952000],\"indicators\":{\"quote\":[{"
			      "\"high\":[1286.5699462890625],\"volume\":[728520],"
			      "\"close\":[1259.5],\"open\":[1279.5],\"low\":[1258]}]}"),
			&p),
		0);
	assert_string_equal(p.currency, "GBp");
	assert_int_equal(bar_at(&p, 0)->high_e9, 1286570000000);
	assert_int_equal(bar_at(&p, 0)->start_ns, 1577923200000000000);
	vendor_page_free(&p);
}

static void no_data_is_no_error(void **state)
{
	struct vendor_page p = {0};

	(void)state;
	days = ask_days(VENDOR_BARS, HIST_SPLIT);
	assert_int_equal(parse_text(chart, &days,
				    CHART("\"dataGranularity\":\"1d\"",
					  ",\"indicators\":{\"quote\":[{}]}"),
				    &p),
			 0);
	assert_int_equal(bars_of(&p), 0);
	vendor_page_free(&p);
}

/* The last row of minutes is the moment of the question. */
static void a_row_off_the_grid_is_no_bar(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_BARS, one, 1);
	struct vendor_page p = {0};

	(void)state;
	a.adjust = HIST_SPLIT;
	a.end_ns = INT64_C(1709908320000000000);
	assert_int_equal(
		parse_text(
			chart, &a,
			CHART("\"dataGranularity\":\"1m\"",
			      ",\"timestamp\":[1709908200,1709908260,1709908307,"
			      "1709908320],\"indicators\":{\"quote\":[{"
			      "\"open\":[1,2,3,4],\"high\":[1,2,3,4],\"low\":[1,2,3,4],"
			      "\"close\":[1,2,3,4]}]}"),
			&p),
		0);
	assert_int_equal(bars_of(&p), 2);
	assert_int_equal(p.skipped, 2); /* and the one beyond the range */
	assert_int_equal(bar_at(&p, 1)->start_ns, 1709908260000000000);
	assert_int_equal(bar_at(&p, 1)->volume_e8, VALUE_NULL);
	vendor_page_free(&p);
}

static void a_second_row_of_a_day_is_that_day_so_far(void **state)
{
	struct vendor_page p = {0};

	(void)state;
	days = ask_days(VENDOR_BARS, HIST_SPLIT);
	assert_int_equal(
		parse_text(
			chart, &days,
			CHART("\"exchangeTimezoneName\":\"America/New_York\"",
			      ",\"timestamp\":[1709908200,1709920000],\"indicators\":{"
			      "\"quote\":[{\"open\":[1,1],\"high\":[2,3],\"low\":[1,1],"
			      "\"close\":[2,3],\"volume\":[5,99000000000]}]}"),
			&p),
		0);
	assert_int_equal(bars_of(&p), 1);
	assert_int_equal(bar_at(&p, 0)->close_e9, 3000000000);
	/* Beyond 64 bits at this scale: unknown, not wrong. */
	assert_int_equal(bar_at(&p, 0)->volume_e8, VALUE_NULL);
	vendor_page_free(&p);
}

static const struct {
	const char *text;
	const char *why;
} broken[] = {
	{"<html><body>Will be right back...</body></html>", "an object is missing"},
	{"{}", "it has no result"},
	{"{\"chart\":{\"result\":null,\"error\":null}}", "it has no result"},
	{"{\"chart\":{\"result\":null,\"error\":{\"code\":\"Not Found\"}}}",
	 "it holds an error"},
	{"{\"chart\":{\"result\":[{},{}],\"error\":null}}", "more than one result"},
	{CHART("\"dataGranularity\":\"60m\"", ""), "bars of '60m', not of 1d"},
	{CHART("\"exchangeTimezoneName\":\"Atlantis\"", ""), "'Atlantis' is unknown"},
	{CHART("\"exchangeTimezoneName\":\"../../etc/passwd\"", ""), "is unknown"},
	{CHART("", ",\"timestamp\":[1]"), "1 times and 0 values"},
	{CHART("", ",\"timestamp\":[1,2],\"indicators\":{\"quote\":[{\"open\":[1,2],"
		   "\"high\":[1,2],\"low\":[1,2],\"close\":[1]}]}"),
	 "2 times and 1 values"},
	{CHART("", ",\"timestamp\":[1],\"indicators\":{\"quote\":[{\"open\":[1],"
		   "\"high\":[1],\"low\":[1],\"close\":[1],\"volume\":[1,2]}]}"),
	 "1 times and 2 values"},
	{CHART("", ",\"timestamp\":[null],\"indicators\":{\"quote\":[{\"open\":[1],"
		   "\"high\":[1],\"low\":[1],\"close\":[1]}]}"),
	 "a row without a time"},
	{CHART("",
	       ",\"timestamp\":[9999999999],\"indicators\":{\"quote\":[{\"open\":[1],"
	       "\"high\":[1],\"low\":[1],\"close\":[1]}]}"),
	 "a time out of range"},
	{CHART("", ",\"indicators\":{\"quote\":[{\"open\":[\"1\"]}]}"),
	 "a price is no number"},
	{CHART("", ",\"indicators\":{\"quote\":[{\"open\":[NaN]}]}"),
	 "a value is malformed"},
};

static void a_broken_answer_says_what(void **state)
{
	struct vendor_page p = {0};

	(void)state;
	days = ask_days(VENDOR_BARS, HIST_SPLIT);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_equal(parse_text(chart, &days, broken[i].text, &p),
				 -EBADMSG);
		if (!strstr(err_text(), broken[i].why))
			fail_msg("%s: %s", broken[i].text, err_text());
		assert_true(page_is_empty(&p));
	}
	vendor_page_free(&p);
}

static void news_are_taken_in_their_range(void **state)
{
	static const char found[] =
		"{\"count\":3,\"quotes\":[{\"symbol\":\"AA\"}],\"news\":["
		"{\"uuid\":\"bfb8b663\",\"title\":\"It&#39;s\",\"publisher\":\"B\","
		"\"link\":\"https://x\",\"providerPublishTime\":1740462887,"
		"\"type\":\"STORY\",\"thumbnail\":{\"resolutions\":[{\"width\":1}]},"
		"\"relatedTickers\":[\"AA\",\"BRK-B\",\"^GSPC\",\"BTC-USD\",\"EURUSD="
		"X\"]},"
		"{\"uuid\":\"2\",\"title\":\"t\",\"providerPublishTime\":1740462888}]}";
	struct vendor_ask a = ask_all(VENDOR_NEWS, one, 1);
	struct vendor_page p = {0};
	const struct hist_article *n;

	(void)state;
	a.end_ns = INT64_C(1740462888000000000);
	assert_int_equal(parse_text(news, &a, found, &p), 0);
	assert_int_equal(p.articles.len, sizeof(*n));
	assert_int_equal(p.skipped, 1);
	n = (const struct hist_article *)p.articles.data;
	assert_string_equal(n->id, "bfb8b663");
	assert_string_equal(n->headline, "It's");
	assert_int_equal(n->created_ns, 1740462887000000000);
	assert_int_equal(n->n_symbols, 5);
	assert_string_equal(n->symbols[1], "BRK.B");
	assert_string_equal(n->symbols[2], "I:GSPC");
	assert_string_equal(n->symbols[3], "BTC/USD");
	assert_string_equal(n->symbols[4], "EUR/USD");
	no_prefix_is_taken(news, &a, found);
	assert_int_equal(parse_text(news, &a, "{\"count\":0}", &p), -EBADMSG);
	vendor_page_free(&p);
}

static void names_are_spelled_its_way(void **state)
{
	static const char *const cases[][2] = {
		{"AA", "AA"},
		{"BRK.B", "BRK-B"},
		{"VOD.L", "VOD.L"},
		{"WSU.DE", "WSU.DE"},
		{"BRK-B", "BRK-B"},
		{"BTC/USD", "BTC-USD"},
		{"EUR/USD", "EURUSD=X"},
		{"C:EURUSD", "EURUSD=X"},
		{"I:GSPC", "^GSPC"},
		{"F:GC", "GC=F"},
		{"7203.T", "7203.T"},
		{"F:GC.B", "GC.B=F"},
	};
	char out[YAHOO_SYMBOL_MAX], ours[SYMBOL_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		yahoo_spell(cases[i][0], out);
		assert_string_equal(out, cases[i][1]);
	}
	assert_true(yahoo_unspell("GC=F", ours));
	assert_string_equal(ours, "F:GC");
	assert_false(yahoo_unspell("a b", ours));
	assert_false(yahoo_unspell("", ours));
	assert_false(yahoo_unspell("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ours));
}

static void questions_name_a_browser_and_no_key(void **state)
{
	static const char *const euro[] = {"EUR/USD"};
	struct vendor_ask a = {.symbols = euro,
			       .n_symbols = 1,
			       .start_ns = INT64_C(1577836800000000000),
			       .end_ns = INT64_C(1578009600000000001),
			       .step_s = 86400,
			       .adjust = HIST_SPLIT};
	struct vendor_settings s = {0};
	struct vendor_request r = {0};

	(void)state;
	assert_int_equal(yahoo_ops.request(&s, &a, "", &r), 0);
	assert_string_equal(buf_text(&r.target),
			    "/v8/finance/chart/EURUSD%3DX?period1=1577836800"
			    "&period2=1578009601&interval=1d&includePrePost=false"
			    "&events=div%7Csplit");
	assert_non_null(
		strstr((const char *)r.headers.data, "User-Agent: Mozilla/5.0"));
	assert_int_equal(strlen((const char *)r.headers.data) + 1, r.headers.len);
	vendor_request_free(&r);
	a.what = VENDOR_NEWS;
	assert_int_equal(yahoo_ops.request(&s, &a, "", &r), 0);
	assert_string_equal(buf_text(&r.target), "/v1/finance/search?q=EURUSD%3DX"
						 "&newsCount=100&quotesCount=0");
	vendor_request_free(&r);
}

static void what_it_cannot_answer_is_refused(void **state)
{
	static const struct {
		uint32_t step_s;
		uint8_t adjust;
		int64_t days;
		const char *why; /* NULL: fine */
	} cases[] = {
		{60, HIST_SPLIT, 8, NULL},
		{60, HIST_SPLIT, 9, "at most 8 days"},
		{3600, HIST_SPLIT, 730, NULL},
		{3600, HIST_SPLIT, 731, "at most 730 days"},
		{86400, HIST_ALL, 20000, NULL},
		{86400, HIST_RAW, 1, "no raw prices"},
		{300, HIST_ALL, 1, "by the day alone"},
		{1800, HIST_SPLIT, 1, "30 minutes came back as 60"},
		{604800, HIST_SPLIT, 1, "no bars of 604800 s"},
	};
	struct vendor_settings s = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vendor_ask a = {.symbols = one,
				       .n_symbols = 1,
				       .step_s = cases[i].step_s,
				       .adjust = cases[i].adjust,
				       .end_ns = cases[i].days * 86400 * 1000000000};
		int64_t most = yahoo_ops.range_max_ns(&a);

		assert_int_equal(yahoo_ops.check(&s, &a), cases[i].why ? -EINVAL : 0);
		if (cases[i].why && !strstr(err_text(), cases[i].why))
			fail_msg("%s", err_text());
		assert_true(cases[i].why || most == 0 || most >= a.end_ns);
		a.what = VENDOR_TRADES;
		assert_int_equal(yahoo_ops.check(&s, &a), -EINVAL);
	}
}

static void answers_are_judged(void **state)
{
	static const struct {
		long status;
		const char *body;
		enum vendor_verdict verdict;
	} cases[] = {
		{404,
		 "{\"chart\":{\"result\":null,\"error\":{\"code\":\"Not Found\","
		 "\"description\":\"No data found, symbol may be delisted\"}}}",
		 VENDOR_UNKNOWN},
		{200,
		 "{\"chart\":{\"result\":null,\"error\":{\"code\":\"Not Found\","
		 "\"description\":\"No data found, symbol may be delisted\"}}}",
		 VENDOR_UNKNOWN},
		{422,
		 "{\"chart\":{\"error\":{\"description\":\"1m data not available\"}}}",
		 VENDOR_REFUSED},
		{200,
		 "{\"chart\":{\"error\":{\"description\":\"1m data not available\"}}}",
		 VENDOR_REFUSED},
		{429, "Edge: Too Many Requests", VENDOR_LIMITED},
		{200, "Too Many Requests\r\n", VENDOR_LIMITED},
		{200, "<html><body>Will be right back...</body></html>",
		 VENDOR_GARBLED},
		{401, "{\"finance\":{\"error\":{\"description\":\"Invalid Crumb\"}}}",
		 VENDOR_AUTH},
		{502, "<html></html>", VENDOR_RETRY},
	};
	struct vendor_settings s = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vendor_problem p = {0};

		yahoo_ops.problem(&s, cases[i].status, "", cases[i].body,
				  strlen(cases[i].body), &p);
		if (p.verdict != cases[i].verdict)
			fail_msg("%s: %d %s", cases[i].body, p.verdict, p.why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_dates_of_the_exchange),
		cmocka_unit_test(dividends_scale_a_whole_day),
		cmocka_unit_test(events_become_actions),
		cmocka_unit_test(a_part_of_an_answer_is_no_answer),
		cmocka_unit_test(pence_stay_pence_and_say_so),
		cmocka_unit_test(no_data_is_no_error),
		cmocka_unit_test(a_row_off_the_grid_is_no_bar),
		cmocka_unit_test(a_second_row_of_a_day_is_that_day_so_far),
		cmocka_unit_test(a_broken_answer_says_what),
		cmocka_unit_test(news_are_taken_in_their_range),
		cmocka_unit_test(names_are_spelled_its_way),
		cmocka_unit_test(questions_name_a_browser_and_no_key),
		cmocka_unit_test(what_it_cannot_answer_is_refused),
		cmocka_unit_test(answers_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
