/* databento_rows_test - answers in four encodings, all made here, to rows. */
#include "feeds/databento.h"
#include "feeds/dbn_make_test.h"
#include "feeds/feed_test.h"
#include "feeds/vendor_test.h"
#include <zstd.h>

#define T_NS INT64_C(1609146312576690768) /* 2020-12-28T09:05:12Z */
#define E9   INT64_C(1000000000)

static const char *const one[] = {"NVDA"};
static const char *const two[] = {"NVDA", "AAPL"};
static const char *const unknown[] = {"ZZZZZ"};
static const struct make_map maps[] = {{"NVDA", 20201228, 20201229, "6155"},
				       {"AAPL", 20201228, 20201229, "38"}};
static const struct make_head head = {
	.version = 3, .schema = 4, .maps = maps, .n_maps = 2};
static const struct vendor_settings settings = {.dataset = "XNAS.ITCH"};

static int parse(const struct vendor_ask *a, const char *next, const struct buf *b,
		 struct vendor_page *out)
{
	char *copy = malloc(b->len + !b->len);
	int rc;

	memcpy(copy, b->data, b->len);
	vendor_page_reset(out);
	rc = databento_parse(&settings, a, next, copy, b->len, out);
	free(copy);
	return rc;
}

static void packed(struct buf *b)
{
	size_t room = ZSTD_compressBound(b->len);
	uint8_t *to = malloc(room);
	size_t n = ZSTD_compress(to, room, b->data, b->len, 3);

	assert_false(ZSTD_isError(n));
	b->len = 0;
	buf_add(b, to, n);
	free(to);
}

static void text(struct buf *b, const char *s)
{
	b->len = 0;
	buf_add(b, s, strlen(s));
}

static void trades_come_plain_and_packed(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_TRADES, one, 1);
	struct vendor_page p = {0};

	(void)state;
	for (int is_packed = 0; is_packed < 2; is_packed++) {
		struct buf b = {0};

		make_metadata(&b, &head);
		make_trade(&b, 6155, T_NS, 521 * E9, 36, 362933);
		make_trade(&b, 38, T_NS, E9, 1, 1); /* nobody asked */
		make_trade(&b, 99, T_NS, E9, 1, 1); /* nobody knows */
		make_trade(&b, 6155, T_NS, INT64_MAX, 1, 1);
		if (is_packed)
			packed(&b);
		assert_int_equal(parse(&a, "", &b, &p), 0);
		assert_int_equal(ticks_of(&p), 1);
		assert_int_equal(p.skipped, 3);
		assert_string_equal(p.next, "");
		assert_int_equal(tick_at(&p, 0)->rec.price_e9, 521 * E9);
		assert_string_equal(tick_at(&p, 0)->symbol, "NVDA");
		buf_free(&b);
	}
	vendor_page_free(&p);
}

/* The same three trades in all spellings give the same bytes of ticks. */
static void all_encodings_say_the_same(void **state)
{
	static const char *const texts[] = {
		"{\"ts_recv\":\"1609146312576691768\",\"hd\":{\"ts_event\":"
		"\"1609146312576690768\",\"rtype\":0,\"publisher_id\":2,"
		"\"instrument_id\":6155},\"action\":\"T\",\"side\":\"B\",\"depth\":0,"
		"\"price\":\"521000000001\",\"size\":36,\"flags\":130,\"ts_in_delta\":"
		"1000,\"sequence\":362933}\n"
		"{\"ts_recv\":\"1609146312576691768\",\"hd\":{\"ts_event\":"
		"\"1609146312576690768\",\"rtype\":0,\"publisher_id\":2,"
		"\"instrument_id\":6155},\"action\":\"T\",\"price\":\"-5\",\"size\":"
		"null,\"sequence\":362933}\n"
		"{\"ts_recv\":null,\"hd\":{\"ts_event\":\"1609146312576690769\","
		"\"rtype\":0,\"publisher_id\":2,\"instrument_id\":6155},\"price\":null,"
		"\"size\":1,\"sequence\":1}",
		"{\"ts_recv\":\"2020-12-28T09:05:12.576691768Z\",\"hd\":{\"ts_event\":"
		"\"2020-12-28T09:05:12.576690768Z\",\"rtype\":0,\"publisher_id\":2,"
		"\"instrument_id\":6155},\"price\":\"521.000000001\",\"size\":36,"
		"\"sequence\":362933}\r\n\n"
		"{\"hd\":{\"ts_event\":\"2020-12-28T09:05:12.576690768Z\",\"rtype\":0,"
		"\"publisher_id\":2,\"instrument_id\":6155},\"levels\":[],\"price\":"
		"\"-0.000000005\",\"sequence\":362933,\"ts_recv\":"
		"\"2020-12-28T09:05:12.576691768Z\"}\n",
		"ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,"
		"price,size,flags,ts_in_delta,sequence\n"
		"1609146312576691768,1609146312576690768,0,2,6155,T,B,0,521000000001,"
		"36,"
		"130,1000,362933\n"
		"1609146312576691768,1609146312576690768,0,2,6155,T,B,0,-5,,130,1000,"
		"362933\n",
		"ts_recv,ts_event,rtype,publisher_id,instrument_id,action,price,size,"
		"sequence,symbol\r\n"
		"2020-12-28T09:05:12.576691768Z,2020-12-28T09:05:12.576690768Z,0,2,"
		"6155,"
		"T,521.000000001,36,362933,NVDA\r\n"
		"2020-12-28T09:05:12.576691768Z,2020-12-28T09:05:12.576690768Z,0,2,"
		"6155,"
		"T,-0.000000005,,362933,NVDA\r\n",
	};
	struct vendor_ask a = ask_all(VENDOR_TRADES, one, 1);
	struct vendor_page p = {0};
	struct buf b = {0}, want = {0};

	(void)state;
	make_metadata(&b, &head);
	make_trade(&b, 6155, T_NS, 521000000001, 36, 362933);
	make_trade(&b, 6155, T_NS, -5, UINT32_MAX, 362933);
	assert_int_equal(parse(&a, "", &b, &p), 0);
	assert_int_equal(ticks_of(&p), 2);
	assert_int_equal(tick_at(&p, 1)->rec.source_seq & 255, 1);
	buf_add(&want, p.ticks.data, p.ticks.len);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		text(&b, texts[i]);
		if (parse(&a, "", &b, &p) != 0)
			fail_msg("%zu: %s", i, err_text());
		assert_int_equal(p.ticks.len, want.len);
		assert_memory_equal(p.ticks.data, want.data, want.len);
	}
	buf_free(&b);
	buf_free(&want);
	vendor_page_free(&p);
}

static void quotes_in_text_have_their_best_level(void **state)
{
	static const char *const texts[] = {
		"{\"ts_recv\":\"9\",\"hd\":{\"ts_event\":\"8\",\"rtype\":1,"
		"\"publisher_id\":2,\"instrument_id\":38},\"action\":\"A\",\"price\":"
		"\"1\",\"size\":1,\"sequence\":5,\"levels\":[{\"bid_px\":\"100\",\"ask_"
		"px"
		"\":null,\"bid_sz\":7,\"ask_sz\":0,\"bid_ct\":1,\"ask_ct\":0},"
		"{\"bid_px\":\"99\"}],\"symbol\":\"AAPL\"}\n",
		"ts_event,rtype,publisher_id,instrument_id,ts_recv,action,price,size,"
		"sequence,bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,bid_px_01,symbol\n"
		"8,1,2,38,9,A,1,1,5,100,,7,0,99,AAPL\n",
	};
	struct vendor_ask a = ask_all(VENDOR_QUOTES, two, 2);
	struct vendor_page p = {0};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct feed_tick *t;

		text(&b, texts[i]);
		if (parse(&a, "", &b, &p) != 0)
			fail_msg("%zu: %s", i, err_text());
		assert_int_equal(ticks_of(&p), 1);
		t = tick_at(&p, 0);
		assert_string_equal(t->symbol, "AAPL");
		assert_int_equal(t->rec.event_ns, 8);
		assert_int_equal(t->rec.bid_e9, 100);
		assert_int_equal(t->rec.bid_size_e8, 700000000);
		assert_int_equal(t->rec.ask_e9, VALUE_NULL);
		assert_int_equal(t->rec.ask_size_e8, VALUE_NULL);
		assert_int_equal(t->rec.price_e9, VALUE_NULL);
	}
	buf_free(&b);
	vendor_page_free(&p);
}

static void bars_of_a_day_begin_in_new_york(void **state)
{
	/* 2020-12-28 0:00 in New York is 5:00 UTC, 2020-06-01 is 4:00. */
	static const struct {
		int64_t utc_ns, ny_ns;
	} days[] = {{1609113600 * E9, 1609131600 * E9},
		    {1590969600 * E9, 1590984000 * E9}};
	static const int64_t ohlc[] = {1, 4, 0, 2};
	const struct make_map always[] = {{"NVDA", 20000101, 20500101, "6155"}};
	struct make_head h = {.version = 2, .schema = 8, .maps = always, .n_maps = 1};
	struct vendor_ask a = ask_all(VENDOR_BARS, one, 1);
	struct vendor_page p = {0};

	(void)state;
	a.step_s = 86400;
	for (size_t i = 0; i < 2; i++) {
		struct buf b = {0};

		make_metadata(&b, &h);
		make_bar(&b, 0x23, 6155, days[i].utc_ns, ohlc, 7);
		make_bar(&b, 0x21, 6155, days[i].utc_ns, ohlc, 7); /* another step */
		assert_int_equal(parse(&a, "", &b, &p), 0);
		assert_int_equal(bars_of(&p), 1);
		assert_int_equal(p.skipped, 1);
		assert_int_equal(bar_at(&p, 0)->start_ns, days[i].ny_ns);
		assert_int_equal(bar_at(&p, 0)->low_e9, 0);
		assert_int_equal(bar_at(&p, 0)->volume_e8, 700000000);
		buf_free(&b);
	}
	assert_true(databento_is_newyork("EQUS.MINI"));
	assert_false(databento_is_newyork("GLBX.MDP3"));
	vendor_page_free(&p);
}

static void bars_name_the_symbol_of_the_question(void **state)
{
	static const char *const swapped[] = {"AAPL", "NVDA"};
	static const int64_t ohlc[] = {1, 4, 0, 2};
	struct vendor_ask a = ask_all(VENDOR_BARS, swapped, 2);
	struct vendor_page p = {0};
	struct buf b = {0};

	(void)state;
	make_metadata(&b, &head);
	for (int i = 0; i < 4; i++)
		make_bar(&b, 0x21, i % 2 ? 38 : 6155, T_NS, ohlc, 7);
	assert_int_equal(parse(&a, "", &b, &p), 0);
	assert_int_equal(bars_of(&p), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(bar_symbol(&p, i), i % 2 ? 0 : 1);
	buf_free(&b);
	vendor_page_free(&p);
}

/* Ticks of one instant stay together, and those of another time go. */
static void a_full_page_ends_before_its_last_instant(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_TRADES, one, 1);
	struct vendor_page p = {0};
	struct buf b = {0};
	char next[32];

	(void)state;
	a.limit = 4;
	make_metadata(&b, &head);
	make_trade(&b, 6155, T_NS, E9, 1, 1);
	make_trade(&b, 6155, T_NS + 1, E9, 1, 2);
	make_trade(&b, 6155, T_NS + 2, E9, 1, 3);
	make_trade(&b, 6155, T_NS + 2, E9, 1, 3);
	assert_int_equal(parse(&a, "", &b, &p), 0);
	assert_int_equal(ticks_of(&p), 2);
	snprintf(next, sizeof(next), "%lld", (long long)T_NS + 1002);
	assert_string_equal(p.next, next);
	/* Begun there and full of that instant again: there is no way on. */
	assert_int_equal(parse(&a, next, &b, &p), -EBADMSG);
	assert_non_null(strstr(err_text(), "more than 4 rows lie at one instant"));
	assert_true(page_is_empty(&p));
	a.limit = 5;
	a.start_ns = T_NS + 1;
	a.end_ns = T_NS + 2;
	assert_int_equal(parse(&a, "", &b, &p), 0);
	assert_int_equal(ticks_of(&p), 1);
	assert_int_equal(p.skipped, 3);
	assert_string_equal(p.next, "");
	buf_free(&b);
	vendor_page_free(&p);
}

static void symbols_that_do_not_exist_are_told(void **state)
{
	struct make_head h = {
		.version = 3, .schema = 4, .not_found = unknown, .n_not_found = 1};
	struct vendor_ask a = ask_all(VENDOR_TRADES, unknown, 1);
	struct vendor_page p = {0};
	struct buf b = {0};

	(void)state;
	make_metadata(&b, &h);
	assert_int_equal(parse(&a, "", &b, &p), -EBADMSG);
	assert_string_equal(err_text(), DATABENTO_UNKNOWN ": 'ZZZZZ'");
	/* Of two, one may be missing: the other one may just have nothing. */
	a = ask_all(VENDOR_TRADES, two, 2);
	assert_int_equal(parse(&a, "", &b, &p), 0);
	assert_true(page_is_empty(&p));
	buf_free(&b);
	vendor_page_free(&p);
}

static const struct {
	const char *text;
	const char *why;
} broken[] = {
	{"", "the answer is empty"},
	{"<html>", "the answer is neither DBN, zstd, JSON lines nor CSV with a column "
		   "rtype"},
	{"DBN", "the DBN data is cut off: it ends inside the metadata, after 3 bytes"},
	{"(\xb5/\xfd",
	 "the zstd data is cut off: it ends inside a frame, after 4 bytes"},
	{"{\"hd\":{", "row 1 cannot be read: "},
	{"{}", "row 1: rtype '' is no kind of row"},
	{"{\"detail\":{\"case\":\"x\"}}", "row 1: rtype '' is no kind of row"},
	{"{\"rtype\":22}", "row 1: rtype '22' is no kind of row"},
	{"{\"rtype\":256}", "row 1: rtype '256' is no kind of row"},
	{"{\"rtype\":0,\"price\":\"1e5\"}",
	 "row 1: price '1e5' is no number of its kind"},
	{"{\"rtype\":0,\"price\":\"1.0000000001\"}",
	 "row 1: price '1.0000000001' is no number of its kind"},
	{"{\"rtype\":0,\"price\":true}", "neither text nor number"},
	{"{\"rtype\":0,\"size\":4294967296}",
	 "row 1: size '4294967296' is no number of its kind"},
	{"{\"rtype\":0,\"ts_event\":\"yesterday\"}",
	 "row 1: ts_event 'yesterday' is no time"},
	{"{\"rtype\":0,\"ts_event\":\"18446744073709551616\"}",
	 "row 1: ts_event '18446744073709551616' is no time"},
	{"{\"rtype\":0,\"action\":\"TT\"}",
	 "row 1: action 'TT' is no number of its kind"},
	{"rtype,price\n0,1", "the CSV is cut off: row 1 has no line end"},
	{"rtype,price", "the CSV is cut off: row 0 has no line end"},
	{"rtype,price\n0\n", "row 1 has fewer columns than the header, which has 2"},
	{"rtype,price\n0,1,2\n", "row 1 has more columns than the header, which has 2"},
};

static void what_cannot_be_read_is_refused_with_its_reason(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_TRADES, one, 1);
	struct vendor_page p = {0};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		text(&b, broken[i].text);
		assert_int_equal(parse(&a, "", &b, &p), -EBADMSG);
		if (!strstr(err_text(), broken[i].why))
			fail_msg("%s: %s", broken[i].text, err_text());
		assert_true(page_is_empty(&p));
	}
	a = ask_all(VENDOR_TRADES, two, 2);
	text(&b, "rtype,price\n0,1\n");
	assert_int_equal(parse(&a, "", &b, &p), -EBADMSG);
	assert_string_equal(err_text(),
			    "row 1 has no symbol, and several were asked for: "
			    "map_symbols is missing");
	buf_free(&b);
	vendor_page_free(&p);
}

static void a_part_of_an_answer_is_no_answer(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_TRADES, one, 1);
	struct vendor_page p = {0};

	(void)state;
	for (int is_packed = 0; is_packed < 2; is_packed++) {
		struct buf b = {0};
		size_t whole;

		make_metadata(&b, &head);
		whole = b.len;
		make_trade(&b, 6155, T_NS, E9, 1, 1);
		if (is_packed)
			packed(&b);
		while (b.len-- > 0) {
			/* The end of the metadata is an end like any. */
			int want = !is_packed && b.len == whole ? 0 : -EBADMSG;

			assert_int_equal(parse(&a, "", &b, &p), want);
			assert_true(page_is_empty(&p));
			if (b.len == 0)
				break;
		}
		buf_free(&b);
	}
	vendor_page_free(&p);
}

static void numbers_of_symbols_are_read_from_their_answer(void **state)
{
	static const char body[] =
		"{\"result\":{\"NVDA\":[{\"d0\":\"2020-12-28\",\"d1\":\"2020-12-29\","
		"\"s\":\"6155\"},{\"d0\":\"2020-12-29\",\"d1\":\"2020-12-30\",\"s\":"
		"\"\"}],"
		"\"no symbol\":[]},\"symbols\":[\"NVDA\"],\"partial\":[],\"not_found\":"
		"[\"ZZZZZ\"],\"status\":2}";
	struct buf names = {0}, missing = {0};
	const struct databento_name *n;

	(void)state;
	assert_int_equal(databento_resolve_parse(body, strlen(body), &names, &missing),
			 0);
	assert_int_equal(names.len, sizeof(*n));
	n = (const void *)names.data;
	assert_string_equal(n->symbol, "NVDA");
	assert_int_equal(n->instrument, 6155);
	assert_int_equal(n->from, 20201228);
	assert_int_equal(n->to, 20201229);
	assert_string_equal((const char *)missing.data, "ZZZZZ");
	for (size_t len = 0; len < strlen(body); len++)
		assert_int_equal(databento_resolve_parse(body, len, &names, &missing),
				 -EBADMSG);
	assert_int_equal(names.len, sizeof(*n));
	assert_int_equal(missing.len, SYMBOL_MAX + 1);
	assert_int_equal(databento_resolve_parse("{}", 2, &names, &missing), -EBADMSG);
	buf_free(&names);
	buf_free(&missing);
}

static bool load(const char *name, struct buf *b)
{
	char path[512], file[256];
	FILE *f;
	size_t n;

	snprintf(file, sizeof(file), "vendor_responses/databento/%s", name);
	if (!shared_file(file, path, sizeof(path)))
		return false;
	f = fopen(path, "rb");
	assert_non_null(f);
	b->len = 0;
	do {
		n = fread(buf_reserve(b, 65536), 1, 65536, f);
		b->len += n;
	} while (n > 0);
	fclose(f);
	return true;
}

/* Recorded answers, where they are at hand: what each gives or why not. */
static const struct {
	const char *file;
	size_t rows;
	const char *why;
} recorded[] = {
	{"trades_nvda.jsonl", 4, NULL},
	{"trades_nvda_pretty.jsonl", 4, NULL},
	{"../../dbn/datasets/XNAS.ITCH/test_data.trades.dbn.zst", 4, NULL},
	{"trades_cut_in_record.dbn", 0, "it ends inside record 2"},
	{"trades_zero_length_record.dbn", 0, "DBN record 1 at byte 360 has length 0"},
	{"trades_huge_metadata_length.dbn", 0, "says it is 4294967280 bytes long"},
};

static void recorded_answers_give_their_rows_or_reasons(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_TRADES, one, 1);
	struct vendor_page p = {0};
	struct buf b = {0}, first = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(recorded) / sizeof(*recorded); i++) {
		if (!load(recorded[i].file, &b))
			continue;
		assert_int_equal(parse(&a, "", &b, &p), recorded[i].why ? -EBADMSG : 0);
		if (recorded[i].why && !strstr(err_text(), recorded[i].why))
			fail_msg("%s: %s", recorded[i].file, err_text());
		assert_int_equal(ticks_of(&p), recorded[i].rows);
		/* The three encodings of the same four rows. */
		if (first.len == 0)
			buf_add(&first, p.ticks.data, p.ticks.len);
		if (recorded[i].rows > 0)
			assert_memory_equal(p.ticks.data, first.data, first.len);
	}
	/* The fourth broken one is a good one, cut. */
	if (load("../../dbn/datasets/XNAS.ITCH/test_data.definition.dbn.zst", &b)) {
		b.len = 120;
		assert_int_equal(parse(&a, "", &b, &p), -EBADMSG);
		assert_non_null(strstr(err_text(), "the zstd data is cut off"));
	}
	buf_free(&b);
	buf_free(&first);
	vendor_page_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trades_come_plain_and_packed),
		cmocka_unit_test(all_encodings_say_the_same),
		cmocka_unit_test(quotes_in_text_have_their_best_level),
		cmocka_unit_test(bars_of_a_day_begin_in_new_york),
		cmocka_unit_test(bars_name_the_symbol_of_the_question),
		cmocka_unit_test(a_full_page_ends_before_its_last_instant),
		cmocka_unit_test(symbols_that_do_not_exist_are_told),
		cmocka_unit_test(what_cannot_be_read_is_refused_with_its_reason),
		cmocka_unit_test(a_part_of_an_answer_is_no_answer),
		cmocka_unit_test(numbers_of_symbols_are_read_from_their_answer),
		cmocka_unit_test(recorded_answers_give_their_rows_or_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
