/* databento_test - how Databento is asked, and what its refusals mean. */
#include "feeds/databento.h"
#include "feeds/feed_test.h"
#include "feeds/vendor_test.h"

#define KEY "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ012"
#define S   INT64_C(1000000000)
/* 2020-12-28 0:00 and 2020-12-30 0:00 in New York. */
#define DAY_NS  (1609131600 * S)
#define LATE_NS (1609304400 * S)

static const char *const two[] = {"BRK.B", "NVDA"};
static const struct vendor_settings settings = {.dataset = "XNAS.ITCH"};

static struct vendor_ask ask(enum vendor_what what, uint32_t step_s)
{
	return (struct vendor_ask){.what = what,
				   .symbols = two,
				   .n_symbols = 2,
				   .start_ns = DAY_NS,
				   .end_ns = LATE_NS,
				   .step_s = step_s};
}

#define FRONT(schema)                                                                  \
	"dataset=XNAS.ITCH&schema=" schema                                             \
	"&symbols=BRK.B,NVDA&stype_in=raw_symbol&stype_out=instrument_id"
#define REST "&encoding=dbn&compression=zstd"

static const struct {
	enum vendor_what what;
	uint32_t step_s;
	const char *next;
	const char *form;
} asks[] = {
	{VENDOR_BARS, 86400, "",
	 FRONT("ohlcv-1d") "&start=2020-12-28&end=2020-12-30&limit=200000" REST},
	{VENDOR_BARS, 60, "",
	 FRONT("ohlcv-1m") "&start=2020-12-28T05%3A00%3A00Z&end=2020-12-30T05%3A00%"
			   "3A00Z"
			   "&limit=200000" REST},
	{VENDOR_BARS, 3600, "1609131600000000001",
	 FRONT("ohlcv-1h") "&start=1609131600000000001&end=2020-12-30T05%3A00%3A00Z"
			   "&limit=200000" REST},
	{VENDOR_TRADES, 0, "",
	 FRONT("trades") "&start=2020-12-28T05%3A00%3A00Z&end=2020-12-30T05%3A00%3A01Z"
			 "&limit=100000" REST},
	{VENDOR_QUOTES, 0, "",
	 FRONT("mbp-1") "&start=2020-12-28T05%3A00%3A00Z&end=2020-12-30T05%3A00%3A01Z"
			"&limit=100000" REST},
};

static void questions_are_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(asks) / sizeof(*asks); i++) {
		struct vendor_ask a = ask(asks[i].what, asks[i].step_s);
		struct vendor_request r = {0};

		assert_int_equal(databento_ops.request(&settings, &a, asks[i].next, &r),
				 0);
		assert_true(r.is_post);
		assert_string_equal(buf_text(&r.target), "/v0/timeseries.get_range");
		assert_string_equal(buf_text(&r.form), asks[i].form);
		assert_int_equal(r.headers.len, 0);
		vendor_request_free(&r);
	}
}

static void the_key_is_the_user_of_basic_authentication(void **state)
{
	struct vendor_ask a = ask(VENDOR_TRADES, 0);
	struct vendor_settings s = settings;
	struct vendor_request r = {0};
	struct secret *key;

	(void)state;
	for (size_t len = 6; len < 9; len++) {
		/* "BADKEY:" and longer: all three lengths of padding. */
		static const char *const want[] = {"Authorization: Basic QkFES0VZOg==",
						   "Authorization: Basic QkFES0VZWDo=",
						   "Authorization: Basic QkFES0VZWFk6"};

		assert_int_equal(secret_new("BADKEYXY", len, &key), 0);
		s.key = key;
		assert_int_equal(databento_ops.request(&s, &a, "", &r), 0);
		assert_string_equal((const char *)r.headers.data, want[len - 6]);
		assert_null(strstr(buf_text(&r.form), "BADKEY"));
		vendor_request_free(&r);
		secret_free(key);
	}
}

static const struct {
	enum vendor_what what;
	uint32_t step_s;
	uint8_t adjust;
	int64_t start_ns;
	const char *why;
} refusals[] = {
	{VENDOR_NEWS, 0, HIST_RAW, DAY_NS, "databento has no news"},
	{VENDOR_ACTIONS, 0, HIST_RAW, DAY_NS, "databento has no corporate actions"},
	{VENDOR_BARS, 300, HIST_RAW, DAY_NS,
	 "Databento has bars of 1 s, 1 min, 1 h and 1 day, not of 300 s"},
	{VENDOR_BARS, 60, HIST_SPLIT, DAY_NS, "Databento adjusts nothing: ask for raw"},
};

static void what_it_does_not_have_is_refused_with_a_sentence(void **state)
{
	struct vendor_settings none = {.dataset = ""};
	struct vendor_ask a;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		a = ask(refusals[i].what, refusals[i].step_s);
		a.adjust = refusals[i].adjust;
		a.start_ns = refusals[i].start_ns;
		assert_int_equal(databento_ops.check(&settings, &a), -EINVAL);
		assert_string_equal(err_text(), refusals[i].why);
	}
	a = ask(VENDOR_TRADES, 0);
	assert_int_equal(databento_ops.check(&none, &a), -EINVAL);
	assert_string_equal(err_text(),
			    "Databento is asked for a dataset like XNAS.ITCH, "
			    "and none is configured");
}

/* A range without any beginning of a day is a question for a bar that is not in it. */
static void a_range_within_one_day_asks_for_that_day(void **state)
{
	static const struct {
		int64_t start_ns, end_ns;
		const char *dates;
	} cases[] = {
		{DAY_NS + 1, DAY_NS + 2, "&start=2020-12-28&end=2020-12-29&"},
		{DAY_NS, DAY_NS + 1, "&start=2020-12-28&end=2020-12-29&"},
		{DAY_NS - 1, DAY_NS, "&start=2020-12-27&end=2020-12-28&"},
		{DAY_NS - 1, DAY_NS + 1, "&start=2020-12-28&end=2020-12-29&"},
		{DAY_NS + 1, LATE_NS + 1, "&start=2020-12-29&end=2020-12-31&"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vendor_ask a = ask(VENDOR_BARS, 86400);
		struct vendor_request r = {0};

		a.start_ns = cases[i].start_ns;
		a.end_ns = cases[i].end_ns;
		assert_int_equal(databento_ops.request(&settings, &a, "", &r), 0);
		if (!strstr(buf_text(&r.form), cases[i].dates))
			fail_msg("%zu: %s", i, buf_text(&r.form));
		vendor_request_free(&r);
	}
}

static void names_are_asked_for_by_date(void **state)
{
	struct vendor_ask a = ask(VENDOR_TRADES, 0);
	struct vendor_request r = {0};

	(void)state;
	assert_int_equal(databento_resolve_request(&settings, &a, &r), 0);
	assert_string_equal(buf_text(&r.target), "/v0/symbology.resolve");
	assert_string_equal(buf_text(&r.form),
			    "dataset=XNAS.ITCH&symbols=BRK.B,NVDA&stype_in=raw_symbol&"
			    "stype_out=instrument_id&start_date=2020-12-27&"
			    "end_date=2020-12-30");
	vendor_request_free(&r);
}

#define UNKNOWN                                                                        \
	"{\"detail\":{\"case\":\"symbology_invalid_symbol\",\"message\":\"None of "    \
	"the "                                                                         \
	"symbols could be resolved\",\"status_code\":422}}"

static const struct {
	long status;
	const char *body;
	enum vendor_verdict verdict;
	const char *why;
} problems[] = {
	{401, "{\"detail\":\"Authorization failed: bad key.\"}", VENDOR_AUTH,
	 "databento: answer 401, Authorization failed: bad key."},
	{403,
	 "{\"detail\":{\"case\":\"no_license\",\"message\":\"A license is required\"}}",
	 VENDOR_FORBIDDEN, "databento: answer 403, A license is required"},
	{422,
	 "{\"detail\":{\"case\":\"data_start_before_available_start\",\"message\":"
	 "\"`start` was before the available start.\"}}",
	 VENDOR_REFUSED,
	 "databento: answer 422, `start` was before the available start."},
	{422,
	 "{\"detail\":{\"case\":\"data_end_after_available_end\",\"message\":\"The "
	 "dataset "
	 "X has data up to Monday.\"}}",
	 VENDOR_FORBIDDEN,
	 "databento: answer 422, The dataset X has data up to Monday."},
	{422, "{\"detail\":\"The `end` is after the available range.\"}",
	 VENDOR_FORBIDDEN,
	 "databento: answer 422, The `end` is after the available range."},
	{422, UNKNOWN, VENDOR_UNKNOWN,
	 "databento: answer 422, None of the symbols could be resolved"},
	{429, "{\"detail\":\"Too many requests.\"}", VENDOR_LIMITED,
	 "databento: answer 429, Too many requests."},
	{503, "upstream connect error", VENDOR_RETRY,
	 "databento: answer 503, upstream connect error"},
	{504, "<html>", VENDOR_RETRY, "databento: answer 504, an HTML page"},
	{200, "DBN\3garbage", VENDOR_GARBLED, "databento: the thing is broken"},
	{206, "DBN\3garbage", VENDOR_GARBLED, "databento: the thing is broken"},
	{422, "{\"detail\":\"what is " KEY "?\"}", VENDOR_REFUSED,
	 "databento: (a text that holds the key)"},
};

static void each_refusal_has_its_verdict(void **state)
{
	struct vendor_settings s = settings;
	struct vendor_problem p;
	struct secret *key;

	(void)state;
	assert_int_equal(secret_new(KEY, strlen(KEY), &key), 0);
	s.key = key;
	for (size_t i = 0; i < sizeof(problems) / sizeof(*problems); i++) {
		(void)err_set(-EBADMSG, "the thing is broken");
		databento_ops.problem(&s, problems[i].status, "", problems[i].body,
				      strlen(problems[i].body), &p);
		assert_int_equal(p.verdict, problems[i].verdict);
		assert_string_equal(p.why, problems[i].why);
	}
	(void)err_set(-EBADMSG, DATABENTO_UNKNOWN ": 'ZZZZZ'");
	databento_ops.problem(&s, 200, "", "DBN\3", 4, &p);
	assert_int_equal(p.verdict, VENDOR_UNKNOWN);
	secret_free(key);
}

static void it_is_in_the_table_of_vendors(void **state)
{
	(void)state;
	assert_ptr_equal(vendor_find("databento"), &databento_ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_forms),
		cmocka_unit_test(the_key_is_the_user_of_basic_authentication),
		cmocka_unit_test(what_it_does_not_have_is_refused_with_a_sentence),
		cmocka_unit_test(a_range_within_one_day_asks_for_that_day),
		cmocka_unit_test(names_are_asked_for_by_date),
		cmocka_unit_test(each_refusal_has_its_verdict),
		cmocka_unit_test(it_is_in_the_table_of_vendors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
