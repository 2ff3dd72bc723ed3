/* alpaca_ticks_test - Alpaca's trades, quotes, articles and actions, all made up here.
 */
#include "feeds/alpaca.h"
#include "feeds/tickid.h"
#include "feeds/vendor_test.h"

static const char *const two[] = {"AA", "BRK.B"};
static const char *const crypto[] = {"BTC/USD"};

static const char trades[] =
	"{\"trades\":{\"AA\":["
	"{\"t\":\"2024-01-02T15:00:00.123456789Z\",\"x\":\"D\",\"p\":13.7317,\"s\":100,"
	"\"c\":[\" \",\"4\",\"B\"],\"i\":71697353758036,\"z\":\"A\"},"
	"{\"t\":\"2024-01-02T15:00:00.2Z\",\"x\":\"V\",\"p\":13.74,\"s\":5,"
	"\"c\":[\"@\",\"T\",\"I\"],\"i\":1,\"z\":\"C\",\"u\":\"canceled\"},"
	"{\"t\":\"2024-01-02T15:00:00.2Z\",\"x\":\"V\",\"p\":13.75,\"s\":5,"
	"\"c\":null,\"i\":2,\"z\":\"C\",\"u\":\"incorrect\"},"
	"{\"t\":\"2024-01-02T15:00:00.2Z\",\"x\":\"V\",\"p\":13.76,\"s\":0.5,"
	"\"i\":18446744073709551615,\"z\":\"C\",\"u\":\"corrected\"},"
	"{\"t\":\"2024-01-02T11:00:00Z\",\"x\":\"P\",\"p\":13.7,\"s\":7,"
	"\"c\":[\"@\",\"T\"],\"z\":\"C\"},"
	"{\"t\":\"2024-01-02T11:00:00Z\",\"p\":null}]},\"next_page_token\":null}";

static void trades_carry_identity_conditions_and_what_they_may_not_do(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_TRADES, two, 2);
	struct vendor_page p = {0};
	const struct feed_tick *t;

	(void)state;
	assert_int_equal(parse_text(alpaca_parse, &a, trades, &p), 0);
	assert_int_equal(ticks_of(&p), 7);
	assert_int_equal(p.skipped, 1);

	t = tick_at(&p, 0);
	assert_string_equal(t->symbol, "AA");
	assert_int_equal(t->rec.type, RECORD_TICK);
	assert_int_equal(t->rec.event_ns, 1704207600123456789);
	assert_int_equal(t->arrival_ns, t->rec.event_ns);
	assert_int_equal(t->rec.price_e9, 13731700000);
	assert_int_equal(t->rec.size_e8, 10000000000);
	assert_int_equal(t->rec.bid_e9, VALUE_NULL);
	assert_true(t->rec.source_seq == tickid_number('D', 0, 71697353758036));
	assert_memory_equal(t->rec.cond, " 4B\0\0\0\0\0", 8);
	/* B is an average price on tape A. */
	assert_int_equal(record_flags(&t->rec), TICK_NO_LAST | TICK_NO_RANGE);

	t = tick_at(&p, 1);
	assert_int_equal(record_action(&t->rec), TICK_NEW);
	assert_true(t->rec.source_seq == tickid_number('V', 0, 1));
	t = tick_at(&p, 2);
	assert_int_equal(record_action(&t->rec), TICK_CANCEL);
	assert_true(t->rec.ref_seq == tickid_number('V', 0, 1));
	assert_int_equal(t->rec.price_e9, VALUE_NULL);

	assert_int_equal(record_action(&tick_at(&p, 3)->rec), TICK_NEW);
	assert_int_equal(record_action(&tick_at(&p, 4)->rec), TICK_CANCEL);
	assert_true(tick_at(&p, 4)->rec.ref_seq == tickid_number('V', 0, 2));
	/* "corrected" is the trade that replaces another: it is valid. */
	t = tick_at(&p, 5);
	assert_int_equal(record_action(&t->rec), TICK_NEW);
	assert_int_equal(t->rec.size_e8, 50000000);
	/* Before the opening Form T forbids nothing; there is no id, so no sequence. */
	t = tick_at(&p, 6);
	assert_int_equal(record_flags(&t->rec), 0);
	assert_int_equal(t->rec.source_seq, 0);
	vendor_page_free(&p);
}

static void a_part_of_an_answer_is_no_answer(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_TRADES, two, 2);

	(void)state;
	no_prefix_is_taken(alpaca_parse, &a, trades);
}

static void quotes_count_lots_until_november_2025(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_QUOTES, two, 1);
	struct vendor_page p = {0};
	const struct feed_tick *t;

	(void)state;
	assert_int_equal(
		parse_text(alpaca_parse, &a,
			   "{\"quotes\":{\"AA\":["
			   "{\"t\":\"2025-11-03T04:59:59.999999999Z\",\"ax\":\"K\","
			   "\"ap\":158.65,\"as\":1,\"bx\":\"Q\",\"bp\":159.52,\"bs\":4,"
			   "\"c\":[\"R\"],\"z\":\"C\"},"
			   "{\"t\":\"2025-11-03T05:00:00Z\",\"ax\":\" "
			   "\",\"ap\":0,\"as\":0,"
			   "\"bx\":\"Q\",\"bp\":177.92,\"bs\":40,\"c\":[\"Y\"],\"z\":"
			   "\"C\"},"
			   "{\"t\":\"2025-11-03T05:00:00Z\",\"ap\":0,\"as\":0,\"bp\":0,"
			   "\"bs\":0}]}}",
			   &p),
		0);
	assert_int_equal(ticks_of(&p), 2);
	assert_int_equal(p.skipped, 1); /* neither bid nor ask */
	t = tick_at(&p, 0);
	assert_int_equal(t->rec.price_e9, VALUE_NULL);
	assert_int_equal(t->rec.bid_e9, 159520000000); /* crossed, and left so */
	assert_int_equal(t->rec.ask_e9, 158650000000);
	assert_int_equal(t->rec.bid_size_e8, 40000000000);
	assert_int_equal(t->rec.ask_size_e8, 10000000000);
	assert_int_equal(t->rec.source_seq, 0);
	t = tick_at(&p, 1);
	assert_int_equal(t->rec.bid_size_e8, 4000000000);
	assert_int_equal(t->rec.ask_e9, VALUE_NULL);
	assert_int_equal(t->rec.ask_size_e8, VALUE_NULL);
	vendor_page_free(&p);
}

static void coins_have_fractions_and_no_lots(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_QUOTES, crypto, 1);
	struct vendor_page p = {0};

	(void)state;
	assert_int_equal(
		parse_text(alpaca_parse, &a,
			   "{\"quotes\":{\"BTC/USD\":[{\"t\":\"2024-01-02T15:00:00Z\","
			   "\"ap\":42000.125,\"as\":1.23456789012,\"bp\":42000,"
			   "\"bs\":0.4}]}}",
			   &p),
		0);
	assert_int_equal(tick_at(&p, 0)->rec.ask_size_e8, 123456789);
	assert_int_equal(tick_at(&p, 0)->rec.bid_size_e8, 40000000);
	assert_string_equal(tick_at(&p, 0)->symbol, "BTC/USD");
	vendor_page_free(&p);
}

static void articles_keep_their_id_times_and_symbols(void **state)
{
	struct vendor_ask a = ask_all(VENDOR_NEWS, two, 2);
	struct vendor_page p = {0};
	const struct hist_article *n;

	(void)state;
	assert_int_equal(
		parse_text(
			alpaca_parse, &a,
			"{\"news\":[{\"id\":20472678,\"headline\":\"Tom &amp; "
			"Co&#39;s\","
			"\"author\":\"X\",\"created_at\":\"2021-04-03T15:35:21Z\","
			"\"updated_at\":\"2021-04-03T15:36:00Z\","
			"\"summary\":\"\\n<p>It "
			"\\u201cis\\u201d</p>\",\"content\":\"\","
			"\"url\":null,\"images\":[{\"size\":\"large\",\"url\":\"u\"}],"
			"\"symbols\":[\"AA\",\"BTCUSD\",\"no symbol\",\"BRK.B\"],"
			"\"source\":\"wire\"},"
			"{\"id\":2,\"created_at\":\"2021-04-03T15:35:21Z\"}],"
			"\"next_page_token\":\"MTY=\"}",
			&p),
		0);
	assert_int_equal(p.articles.len, 2 * sizeof(*n));
	n = (const struct hist_article *)p.articles.data;
	assert_string_equal(n->id, "20472678");
	assert_string_equal(n->headline, "Tom & Co's");
	assert_string_equal(n->summary, "It \xe2\x80\x9cis\xe2\x80\x9d");
	assert_string_equal(n->url, "");
	assert_string_equal(n->publisher, "wire");
	assert_int_equal(n->created_ns, 1617464121000000000);
	assert_int_equal(n->updated_ns, 1617464160000000000);
	assert_int_equal(n->n_symbols, 3);
	assert_string_equal(n->symbols[1], "BTC/USD");
	assert_string_equal(n->symbols[2], "BRK.B");
	assert_int_equal(n[1].updated_ns, n[1].created_ns);
	assert_string_equal(p.next, "MTY=");

	vendor_page_reset(&p);
	assert_int_equal(parse_text(alpaca_parse, &a, "{\"news\":[{\"id\":1}]}", &p),
			 -EBADMSG);
	vendor_page_free(&p);
}

static void coins_of_news_get_their_names_back(void **state)
{
	static const char *const pairs[] = {"ETH/BTC", "AA"};
	struct vendor_ask a = ask_all(VENDOR_NEWS, pairs, 2);
	struct vendor_page p = {0};
	const struct hist_article *n;

	(void)state;
	assert_int_equal(parse_text(alpaca_parse, &a,
				    "{\"news\":[{\"id\":2,\"created_at\":"
				    "\"2021-04-03T15:35:21Z\",\"symbols\":"
				    "[\"AA\",\"BTCUSDT\",\"ETHUSD\",\"ETHBTC\","
				    "\"LTCBTC\",\"FUSD\"]}]}",
				    &p),
			 0);
	n = (const struct hist_article *)p.articles.data;
	assert_string_equal(n->symbols[0], "AA");
	assert_string_equal(n->symbols[1], "BTC/USDT");
	assert_string_equal(n->symbols[2], "ETH/USD");
	assert_string_equal(n->symbols[3], "ETH/BTC");
	assert_string_equal(n->symbols[4], "LTCBTC"); /* not asked for: as it stands */
	assert_string_equal(n->symbols[5], "FUSD");
	vendor_page_free(&p);
}

static const char actions[] =
	"{\"corporate_actions\":{\"forward_splits\":[{\"symbol\":\"AA\",\"new_rate\":7,"
	"\"old_rate\":1,\"ex_date\":\"2014-06-09\"}],"
	"\"reverse_splits\":[{\"symbol\":\"AA\",\"new_rate\":1,\"old_rate\":10,"
	"\"ex_date\":\"2015-06-09\"}],"
	"\"stock_dividends\":[{\"symbol\":\"AA\",\"rate\":0.05,\"ex_date\":\"2016-01-"
	"04\"}],"
	"\"cash_dividends\":[{\"symbol\":\"AA\",\"rate\":0.47,\"ex_date\":\"2014-08-"
	"07\","
	"\"special\":false}],"
	"\"spin_offs\":[{\"source_symbol\":\"AA\",\"source_rate\":3,\"new_symbol\":"
	"\"HWM\","
	"\"new_rate\":1,\"ex_date\":\"2016-11-01\"}],"
	"\"name_changes\":[{\"old_symbol\":\"AA\",\"new_symbol\":\"ARNC\","
	"\"process_date\":\"2016-11-01\"}],"
	"\"cash_mergers\":[{\"acquiree_symbol\":\"AA\",\"rate\":9,"
	"\"process_date\":\"2020-01-02\"},{\"rate\":1}]},\"next_page_token\":null}";

static void actions_are_told_by_the_list_they_stand_in(void **state)
{
	static const struct hist_action want[] = {
		{.kind = ACTION_SPLIT,
		 .ex_date = 20140609,
		 .numerator_e9 = 7000000000,
		 .denominator_e9 = 1000000000,
		 .amount_e9 = VALUE_NULL},
		{.kind = ACTION_SPLIT,
		 .ex_date = 20150609,
		 .numerator_e9 = 1000000000,
		 .denominator_e9 = 10000000000,
		 .amount_e9 = VALUE_NULL},
		{.kind = ACTION_SPLIT,
		 .ex_date = 20160104,
		 .numerator_e9 = 1050000000,
		 .denominator_e9 = 1000000000,
		 .amount_e9 = VALUE_NULL},
		{.kind = ACTION_DIVIDEND,
		 .ex_date = 20140807,
		 .numerator_e9 = VALUE_NULL,
		 .denominator_e9 = VALUE_NULL,
		 .amount_e9 = 470000000},
		{.kind = ACTION_SPIN_OFF,
		 .ex_date = 20161101,
		 .new_symbol = "HWM",
		 .numerator_e9 = 1000000000,
		 .denominator_e9 = 3000000000,
		 .amount_e9 = VALUE_NULL},
		{.kind = ACTION_NAME_CHANGE,
		 .ex_date = 20161101,
		 .new_symbol = "ARNC",
		 .numerator_e9 = VALUE_NULL,
		 .denominator_e9 = VALUE_NULL,
		 .amount_e9 = VALUE_NULL},
		{.kind = ACTION_OTHER,
		 .ex_date = 20200102,
		 .numerator_e9 = VALUE_NULL,
		 .denominator_e9 = VALUE_NULL,
		 .amount_e9 = VALUE_NULL},
	};
	struct vendor_ask a = ask_all(VENDOR_ACTIONS, two, 1);
	struct vendor_page p = {0};

	(void)state;
	assert_int_equal(parse_text(alpaca_parse, &a, actions, &p), 0);
	assert_int_equal(p.actions.len, sizeof(want));
	assert_int_equal(p.skipped, 1); /* of no symbol */
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct hist_action *got =
			(const struct hist_action *)p.actions.data + i;

		assert_string_equal(got->symbol, "AA");
		assert_int_equal(got->kind, want[i].kind);
		assert_int_equal(got->ex_date, want[i].ex_date);
		assert_string_equal(got->new_symbol, want[i].new_symbol);
		assert_int_equal(got->numerator_e9, want[i].numerator_e9);
		assert_int_equal(got->denominator_e9, want[i].denominator_e9);
		assert_int_equal(got->amount_e9, want[i].amount_e9);
	}
	no_prefix_is_taken(alpaca_parse, &a, actions);
	vendor_page_free(&p);
}

static const struct {
	enum vendor_what what;
	const char *text;
	const char *why;
} broken[] = {
	{VENDOR_TRADES, "{\"trades\":{\"AA\":[{\"p\":1}]}}", "a row has no time"},
	{VENDOR_TRADES, "{\"trades\":{\"AA\":[null]}}", "a row is null"},
	{VENDOR_TRADES, "{\"trades\":{\"AA\":[{\"i\":-1}]}}",
	 "a whole number is missing"},
	{VENDOR_TRADES, "{\"trades\":{\"AA\":[{\"c\":\"T\"}]}}", "an array is missing"},
	{VENDOR_TRADES, "{\"trades\":{\"AA\":[{\"s\":1e11}]}}", "does not fit 64 bits"},
	{VENDOR_QUOTES, "{\"trades\":{}}", "the rows are missing"},
	{VENDOR_NEWS, "{\"news\":{}}", "an array is missing"},
	{VENDOR_ACTIONS,
	 "{\"corporate_actions\":{\"x\":[{\"ex_date\":\"2024-13-01\"}]}}",
	 "a date is not like"},
};

static void a_broken_answer_says_what(void **state)
{
	struct vendor_page p = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct vendor_ask a = ask_all(broken[i].what, two, 1);

		assert_int_equal(parse_text(alpaca_parse, &a, broken[i].text, &p),
				 -EBADMSG);
		if (!strstr(err_text(), broken[i].why))
			fail_msg("%s: %s", broken[i].text, err_text());
		assert_true(page_is_empty(&p));
	}
	vendor_page_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			trades_carry_identity_conditions_and_what_they_may_not_do),
		cmocka_unit_test(a_part_of_an_answer_is_no_answer),
		cmocka_unit_test(quotes_count_lots_until_november_2025),
		cmocka_unit_test(coins_have_fractions_and_no_lots),
		cmocka_unit_test(articles_keep_their_id_times_and_symbols),
		cmocka_unit_test(coins_of_news_get_their_names_back),
		cmocka_unit_test(actions_are_told_by_the_list_they_stand_in),
		cmocka_unit_test(a_broken_answer_says_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
