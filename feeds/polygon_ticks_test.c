/* polygon_ticks_test - Polygon's trades, quotes, news and actions, all made up here. */
#include "feeds/polygon.h"
#include "feeds/polygon_ticks.h"
#include "feeds/tickid.h"
#include "feeds/vendor_test.h"

static const char *const one[] = {"AA"};
static const char *const euro[] = {"EUR/USD"};

static const char trades[] =
	"{\"results\":[{\"conditions\":[12,41],\"exchange\":11,\"id\":\"183276\","
	"\"participant_timestamp\":1517562000015577088,\"price\":171.55,"
	"\"sequence_number\":1063,\"sip_timestamp\":1517562000016036581,\"size\":100,"
	"\"tape\":3,\"trf_id\":3,\"trf_timestamp\":1517561557090806500},"
	"{\"conditions\":[14,37,41],\"exchange\":12,\"id\":\"183276\","
	"\"price\":171.5501,\"sip_timestamp\":1517562000016038175,\"size\":0.5,"
	"\"tape\":3},"
	"{\"exchange\":12,\"id\":\"8\",\"correction\":8,\"price\":1,"
	"\"sip_timestamp\":1517562000016038176,\"size\":1,\"tape\":1},"
	"{\"exchange\":12,\"id\":\"8\",\"correction\":10,\"price\":1,"
	"\"sip_timestamp\":1517562000016038177,\"size\":1,\"tape\":1},"
	"{\"exchange\":12,\"id\":\"9\",\"correction\":1,\"price\":2,"
	"\"participant_timestamp\":1517562000016038178,\"size\":1,\"tape\":1}],"
	"\"status\":\"OK\"}";

static void trades_keep_all_digits_of_time_and_their_identity(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_TRADES, one, 1);
	struct vendor_page p = {0};
	const struct feed_tick *t;

	(void)state;
	assert_int_equal(parse_text(polygon_parse, &a, trades, &p), 0);
	assert_int_equal(ticks_of(&p), 5);
	assert_int_equal(p.skipped, 1); /* the tape's note of the cancel */
	t = tick_at(&p, 0);
	assert_string_equal(t->symbol, "AA");
	assert_int_equal(t->rec.event_ns, 1517562000016036581);
	assert_int_equal(t->rec.price_e9, 171550000000);
	assert_int_equal(t->rec.size_e8, 10000000000);
	assert_true(t->rec.source_seq == tickid_number(11, 3, 183276));
	assert_memory_equal(t->rec.cond, "12,41\0\0\0", 8);
	assert_int_equal(record_flags(&t->rec), 0); /* Form T at 04:00 New York */
	t = tick_at(&p, 1);
	assert_int_equal(t->rec.event_ns, 1517562000016038175);
	assert_int_equal(t->rec.size_e8, 50000000);
	assert_memory_equal(t->rec.cond, "14,37,41", 8);
	assert_int_equal(record_flags(&t->rec), TICK_NO_LAST | TICK_NO_RANGE);
	assert_true(t->rec.source_seq == tickid_number(12, 0, 183276));
	assert_int_equal(record_action(&tick_at(&p, 2)->rec), TICK_NEW);
	assert_int_equal(record_action(&tick_at(&p, 3)->rec), TICK_CANCEL);
	assert_true(tick_at(&p, 3)->rec.ref_seq == tickid_number(12, 0, 8));
	/* Without a time of the tape, the exchange's. */
	assert_int_equal(tick_at(&p, 4)->rec.event_ns, 1517562000016038178);
	vendor_page_free(&p);
}

static void a_part_of_an_answer_is_no_answer(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_TRADES, one, 1);

	(void)state;
	no_prefix_is_taken(polygon_parse, &a, trades);
}

static void quotes_count_lots_of_stocks_only(void **state)
{
	static const char quotes[] =
		"{\"results\":[{\"ask_exchange\":15,\"ask_price\":155.87,\"ask_size\":"
		"3,"
		"\"bid_exchange\":19,\"bid_price\":155.85,\"bid_size\":4,"
		"\"sequence_number\":19288684,\"sip_timestamp\":1652191872800638700,"
		"\"conditions\":[1],\"tape\":3},"
		"{\"ask_price\":0,\"bid_price\":155.85,"
		"\"sip_timestamp\":1652191872800638701}],\"status\":\"OK\"}";
	struct vendor_ask a = ask_all(VENDOR_QUOTES, one, 1);
	struct vendor_page p = {0};

	(void)state;
	assert_int_equal(parse_text(polygon_parse, &a, quotes, &p), 0);
	assert_int_equal(ticks_of(&p), 2);
	assert_int_equal(tick_at(&p, 0)->rec.bid_e9, 155850000000);
	assert_int_equal(tick_at(&p, 0)->rec.bid_size_e8, 40000000000);
	assert_int_equal(tick_at(&p, 0)->rec.ask_size_e8, 30000000000);
	assert_int_equal(tick_at(&p, 0)->rec.price_e9, VALUE_NULL);
	assert_true(tick_at(&p, 0)->rec.source_seq == tickid_number(0, 0, 19288684));
	assert_int_equal(tick_at(&p, 1)->rec.ask_e9, VALUE_NULL);
	assert_int_equal(tick_at(&p, 1)->rec.bid_size_e8, VALUE_NULL);

	vendor_page_reset(&p);
	a = ask_all(VENDOR_QUOTES, euro, 1);
	assert_int_equal(parse_text(polygon_parse, &a, quotes, &p), 0);
	assert_int_equal(tick_at(&p, 0)->rec.bid_size_e8, 400000000);
	assert_string_equal(tick_at(&p, 0)->symbol, "EUR/USD");
	vendor_page_free(&p);
}

static void a_trade_of_the_stream_has_the_identity_it_has_in_history(void **state)
{
	static const char live[] =
		"{\"ev\":\"T\",\"sym\":\"AA\",\"i\":\"183276\",\"x\":11,\"p\":171.55,"
		"\"s\":100,\"c\":[12,41],\"t\":1517562000016,\"q\":1063,\"z\":3,"
		"\"trfi\":3,"
		"\"trft\":1517561557090}";
	struct vendor_ask a = ask_all(VENDOR_TRADES, one, 1);
	struct vendor_page p = {0};
	struct polygon_raw raw;
	struct tz *tz = NULL;
	struct json_walk w;
	struct feed_tick t;

	(void)state;
	assert_int_equal(tz_load("America/New_York", &tz), 0);
	assert_int_equal(parse_text(polygon_parse, &a, trades, &p), 0);
	json_walk_begin(&w, live, strlen(live));
	polygon_raw_stream(&w, &raw);
	assert_true(json_walk_end(&w));
	assert_string_equal(raw.symbol, "AA");
	assert_true(polygon_trade(&raw, tz, &t));
	assert_true(t.rec.source_seq == tick_at(&p, 0)->rec.source_seq);
	assert_int_equal(t.rec.event_ns, 1517562000016000000);
	assert_int_equal(t.rec.price_e9, tick_at(&p, 0)->rec.price_e9);
	assert_int_equal(t.rec.action_flags, tick_at(&p, 0)->rec.action_flags);
	assert_memory_equal(t.rec.cond, tick_at(&p, 0)->rec.cond, 8);
	tz_free(tz);
	vendor_page_free(&p);
}

static void articles_keep_their_id_time_and_symbols(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_NEWS, one, 1);
	struct vendor_page p = {0};
	const struct hist_article *n;

	(void)state;
	assert_int_equal(
		parse_text(
			polygon_parse, &a,
			"{\"results\":[{\"id\":\"JeJE-x\",\"publisher\":{\"name\":"
			"\"Wire\","
			"\"logo_url\":\"l\"},\"title\":\"A big hole\\u2014in A&amp;B\","
			"\"published_utc\":\"2022-04-28T17:08:00Z\",\"article_url\":"
			"\"u\","
			"\"tickers\":[\"AA\",\"TSN\"],\"description\":\"D\","
			"\"insights\":[{\"ticker\":\"AA\"}]}],\"status\":\"OK\","
			"\"count\":10}",
			&p),
		0);
	assert_int_equal(p.articles.len, sizeof(*n));
	n = (const struct hist_article *)p.articles.data;
	assert_string_equal(n->id, "JeJE-x");
	assert_string_equal(n->publisher, "Wire");
	assert_string_equal(n->headline, "A big hole\xe2\x80\x94in A&B");
	assert_int_equal(n->created_ns, 1651165680000000000);
	assert_int_equal(n->updated_ns, n->created_ns);
	assert_int_equal(n->n_symbols, 2);
	vendor_page_free(&p);
}

static int parse_page(const struct vendor_ask *a, const char *next, const char *text,
		      struct vendor_page *p)
{
	struct vendor_settings s = {0};

	vendor_page_reset(p);
	return polygon_parse(&s, a, next, text, strlen(text), p);
}

static void dividends_follow_splits_even_where_there_are_none(void **state)
{
	static const char dividends[] =
		"/v3/reference/dividends?ticker=AA&ex_dividend_date.gte=2022-01-03"
		"&ex_dividend_date.lte=2022-12-30&order=asc&sort=ex_dividend_date&"
		"limit=1000";
	struct vendor_ask a = ask_all(VENDOR_ACTIONS, one, 1);
	struct vendor_page p = {0};
	const struct hist_action *x;

	(void)state;
	a.start_ns = INT64_C(1641186000000000000); /* 2022-01-03 in New York */
	a.end_ns = INT64_C(1672462800000000000);   /* 2022-12-31 */
	assert_int_equal(parse_page(&a, "", "{\"status\":\"OK\"}", &p), 0);
	assert_string_equal(p.next, dividends);
	assert_int_equal(
		parse_page(&a, "",
			   "{\"results\":[{\"execution_date\":\"2022-07-18\","
			   "\"split_from\":1,\"split_to\":20,\"ticker\":\"AA\"}],"
			   "\"status\":\"OK\",\"next_url\":\"https://h/v3/reference/"
			   "splits?cursor=x\"}",
			   &p),
		0);
	assert_string_equal(p.next, "/v3/reference/splits?cursor=x");
	x = (const struct hist_action *)p.actions.data;
	assert_int_equal(p.actions.len, sizeof(*x));
	assert_int_equal(x->kind, ACTION_SPLIT);
	assert_int_equal(x->ex_date, 20220718);
	assert_int_equal(x->numerator_e9, 20000000000);
	assert_int_equal(x->denominator_e9, 1000000000);

	assert_int_equal(parse_page(&a, "/v3/reference/splits?cursor=x",
				    "{\"results\":[],\"status\":\"OK\"}", &p),
			 0);
	assert_string_equal(p.next, dividends);
	assert_int_equal(
		parse_page(
			&a, dividends,
			"{\"results\":[{\"cash_amount\":0.59375,\"currency\":\"USD\","
			"\"ex_dividend_date\":\"2022-06-12\",\"ticker\":\"AA\"}],"
			"\"status\":\"OK\"}",
			&p),
		0);
	assert_string_equal(p.next, "");
	x = (const struct hist_action *)p.actions.data;
	assert_int_equal(x->kind, ACTION_DIVIDEND);
	assert_int_equal(x->amount_e9, 593750000);
	assert_string_equal(x->currency, "USD");
	assert_int_equal(x->numerator_e9, VALUE_NULL);
	assert_int_equal(
		parse_page(&a, dividends,
			   "{\"results\":[{\"ticker\":\"AA\"}],\"status\":\"OK\"}", &p),
		-EBADMSG);
	vendor_page_free(&p);
}

static void pairs_are_spelled_by_what_they_are(void **state)
{
	static const char *const cases[][2] = {
		{"AA", "AA"},
		{"BRK.B", "BRK.B"},
		{"BTC/USD", "X:BTCUSD"},
		{"EUR/USD", "C:EURUSD"},
		{"ETH/BTC", "X:ETHBTC"},
		{"X:BTCUSD", "X:BTCUSD"},
		{"I:SPX", "I:SPX"},
		{"USDT/USD", "X:USDTUSD"},
	};
	char out[SYMBOL_MAX + 3];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		polygon_spell(cases[i][0], out);
		assert_string_equal(out, cases[i][1]);
	}
	polygon_spell("AAAAAAAAAAAAAAA/BBBBBBBBBBBBBBBB", out);
	assert_string_equal(out, "X:AAAAAAAAAAAAAAABBBBBBBBBBBBBBBB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trades_keep_all_digits_of_time_and_their_identity),
		cmocka_unit_test(a_part_of_an_answer_is_no_answer),
		cmocka_unit_test(quotes_count_lots_of_stocks_only),
		cmocka_unit_test(
			a_trade_of_the_stream_has_the_identity_it_has_in_history),
		cmocka_unit_test(articles_keep_their_id_time_and_symbols),
		cmocka_unit_test(dividends_follow_splits_even_where_there_are_none),
		cmocka_unit_test(pairs_are_spelled_by_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
