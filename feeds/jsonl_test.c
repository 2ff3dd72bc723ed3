/* jsonl_test - JSON lines: paths, exact numbers, strict grammar, recorded messages. */
#include "base/timetext.h"
#include "feeds/feed_test.h"
#include "feeds/jsonl.h"

static struct keep keep;

static int read_all(struct mapping *m, const char *text)
{
	struct feed_sink sink = keep_sink(&keep);
	struct lines *l = NULL;
	struct jsonl *j = NULL;
	int rc;

	assert_int_equal(lines_open_fd(text_fd(text, strlen(text)), 4096, &l), 0);
	assert_int_equal(jsonl_new(l, m, &j), 0);
	while ((rc = jsonl_step(j, &sink, 3)) == 0)
		continue;
	assert_int_equal(jsonl_counts(j)->ticks, keep.ticks);
	assert_int_equal(jsonl_counts(j)->bad, keep.bad);
	jsonl_free(j);
	lines_close(l);
	mapping_deinit(m);
	return rc;
}

static void usual_keys_need_no_mapping(void **state)
{
	struct mapping m;

	(void)state;
	mapping_init(&m);
	assert_int_equal(
		read_all(&m, "{\"ts\":1704187800123456789,\"symbol\":\"AAPL\","
			     "\"price\":185.64,"
			     "\"size\":\"100\",\"x\":{\"price\":1,\"y\":[1,{}]},"
			     "\"seq\":7}\r\n"
			     "\n"
			     " { \"price\" : \"1.5e-3\" , \"ticker\":\"\\u0042\\/C\","
			     "\"time\":\"2024-01-02T09:30:00Z\",\"bid\":null } "),
		FEED_END);
	if (keep.bad > 0)
		fail_msg("%s", keep.why[0]);
	assert_int_equal(keep.ticks, 2);
	assert_int_equal(keep.tick[0].rec.event_ns, 1704187800123456789);
	assert_int_equal(keep.tick[0].rec.price_e9, 185640000000);
	assert_int_equal(keep.tick[0].rec.size_e8, 10000000000);
	assert_int_equal(keep.tick[0].rec.source_seq, 7);
	assert_string_equal(keep.tick[1].symbol, "B/C");
	assert_int_equal(keep.tick[1].rec.price_e9, 1500000);
	assert_int_equal(keep.tick[1].rec.bid_e9, VALUE_NULL);
}

static void dotted_paths_reach_into_objects_and_arrays(void **state)
{
	struct mapping m;

	(void)state;
	mapping_init(&m);
	assert_int_equal(
		mapping_columns(&m, "time=@,symbol=d.s,bid=d.b.0.1,ask=d.b.1.1"), 0);
	assert_int_equal(mapping_time(&m, "ns"), 0);
	assert_int_equal(
		read_all(&m, "1723161253937085768 {\"d\":{\"b\":[[0,\"1.5\"],[0,2]],"
			     "\"s\":\"BTC\"},\"b\":[[9,9]]}\n"),
		FEED_END);
	assert_int_equal(keep.ticks, 1);
	assert_int_equal(keep.tick[0].rec.event_ns, 1723161253937085768);
	assert_int_equal(keep.tick[0].rec.bid_e9, 1500000000);
	assert_int_equal(keep.tick[0].rec.ask_e9, 2000000000);
}

static const struct {
	const char *text;
	const char *why;
} bad[] = {
	{"[]", "column 1: it is not a JSON object"},
	{"nope", "column 1: it is not a JSON object"},
	{"{", "column 2: a key is missing"},
	{"{}x", "column 3: something follows the object"},
	{"{\"a\"}", "column 5: a colon is missing"},
	{"{\"a\":}", "column 6: a value is malformed"},
	{"{\"a\":", "column 6: a value is missing"},
	{"{\"a\":1", "column 7: the object is cut off"},
	{"{\"a\":1,}", "column 8: a key is missing"},
	{"{\"a\":1 \"b\":2}", "column 8: a comma is missing"},
	{"{\"a\":[1,]}", "column 9: a value is malformed"},
	{"{\"a\":[1}", "column 8: a comma is missing"},
	{"{\"a\":01}", "column 8: a number is malformed"},
	{"{\"a\":1.}", "column 8: a number is malformed"},
	{"{\"a\":1e}", "column 8: a number is malformed"},
	{"{\"a\":-}", "column 7: a number is malformed"},
	{"{\"a\":+1}", "column 6: a value is malformed"},
	{"{\"a\":NaN}", "column 6: a value is malformed"},
	{"{\"a\":tru}", "column 6: a value is malformed"},
	{"{\"a\":\"x}", "column 9: a string is not closed"},
	{"{\"a\":\"\\x\"}", "column 8: an escape is unknown"},
	{"{\"a\":\"\\u12\"}", "column 8: a \\u escape is broken"},
	{"{\"a\":\"\\ud800\"}", "column 13: a surrogate stands alone"},
	{"{\"a\":\"\\udc00\"}", "column 13: a surrogate stands alone"},
	{"{\"a\":\"\xff\"}", "column 7: a string is not UTF-8"},
	{"{\"a\":\"\x01\"}", "column 7: a string holds a control character"},
	{"{\"price\":1,\"price\":2}", "column 21: a key stands twice in the object"},
	{"{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
	 "column 22: it is nested deeper than 16"},
	{"{}", "there is no time"},
	{"{\"ts\":1704187800,\"price\":true,\"symbol\":\"A\"}",
	 "price 'true' is not a number"},
	{"{\"ts\":1704187800,\"price\":{},\"symbol\":\"A\"}",
	 "there is no price, bid or ask"},
};

static void a_line_that_is_not_json_is_reported_with_its_column(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mapping m;

		mapping_init(&m);
		assert_int_equal(read_all(&m, bad[i].text), FEED_END);
		assert_int_equal(keep.ticks, 0);
		if (keep.bad != 1 || strcmp(keep.why[0], bad[i].why) != 0) {
			print_message("# %s\n#   wanted %s\n#   got    %s\n",
				      bad[i].text, bad[i].why,
				      keep.bad ? keep.why[0] : "nothing");
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

static void escapes_become_the_characters_they_stand_for(void **state)
{
	const char *text = "{\"x\":\"\\ud83d\\ude00\\u20ac\\u00e9\\n\\\"\"}";
	struct mapping_text v[MAP_FIELDS];
	struct lines *l = NULL;
	struct jsonl *j = NULL;
	char why[FEED_WHY_MAX];
	struct mapping m;

	(void)state;
	mapping_init(&m);
	assert_int_equal(mapping_columns(&m, "cond=x"), 0);
	assert_int_equal(lines_open_fd(text_fd("", 0), 0, &l), 0);
	assert_int_equal(jsonl_new(l, &m, &j), 0);
	assert_int_equal(jsonl_scan(j, text, strlen(text), v, why), 0);
	assert_int_equal(v[MAP_COND].len, 11);
	assert_memory_equal(v[MAP_COND].text,
			    "\xf0\x9f\x98\x80\xe2\x82\xac\xc3\xa9\n\"", 11);
	jsonl_free(j);
	lines_close(l);
}

static void columns_by_number_make_no_sense(void **state)
{
	struct lines *l = NULL;
	struct jsonl *j = NULL;
	struct mapping m;

	(void)state;
	mapping_init(&m);
	assert_int_equal(mapping_columns(&m, "time=0"), 0);
	assert_int_equal(lines_open_fd(text_fd("", 0), 0, &l), 0);
	assert_true(jsonl_new(l, &m, &j) < 0);
	lines_close(l);
}

static int quiet_bad(void *arg, uint64_t line, const char *why)
{
	(void)line;
	(void)why;
	++*(uint64_t *)arg;
	return 0;
}

static int sum_trade(void *arg, const struct feed_tick *t)
{
	(void)arg;
	assert_string_equal(t->symbol, "BTCUSDT");
	assert_true(t->rec.price_e9 > 50000000000000 &&
		    t->rec.price_e9 < 70000000000000);
	return 0;
}

/* The recording holds 9,757 trades between books; a tool of another kind counted. */
static void recorded_trades_are_all_found(void **state)
{
	char path[512];
	uint64_t others = 0;
	struct feed_sink sink = {.arg = &others, .tick = sum_trade, .bad = quiet_bad};
	struct lines *l = NULL;
	struct jsonl *j = NULL;
	struct mapping m;
	int rc;

	(void)state;
	if (!shared_file("crypto_stream/binance_spot_btcusdt_20240808.gz", path,
			 sizeof(path)))
		return;
	mapping_init(&m);
	assert_int_equal(mapping_columns(&m, "time=data.T,symbol=data.s,price=data.p,"
					     "size=data.q,seq=data.t"),
			 0);
	assert_int_equal(mapping_time(&m, "ms"), 0);
	assert_int_equal(lines_open(path, 1 << 20, &l), 0);
	assert_int_equal(jsonl_new(l, &m, &j), 0);
	while ((rc = jsonl_step(j, &sink, 1000)) == 0)
		continue;
	assert_int_equal(rc, FEED_END);
	assert_int_equal(jsonl_counts(j)->ticks, 9757);
	assert_int_equal(jsonl_counts(j)->bad, others);
	jsonl_free(j);
	lines_close(l);
	mapping_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_keys_need_no_mapping),
		cmocka_unit_test(dotted_paths_reach_into_objects_and_arrays),
		cmocka_unit_test(a_line_that_is_not_json_is_reported_with_its_column),
		cmocka_unit_test(escapes_become_the_characters_they_stand_for),
		cmocka_unit_test(columns_by_number_make_no_sense),
		cmocka_unit_test(recorded_trades_are_all_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
