/* alpaca_stream_test - the session from the first word to the last, message by message.
 */
#include "feeds/stream_test.h"
#include "feeds/tickid.h"

static const char *const two[] = {"MSFT", "AA"};
static const struct stream_want both = {
	.symbols = two, .n_symbols = 2, .trades = true, .quotes = true};

static void open_live(struct heard *h, const struct stream_want *want)
{
	assert_int_equal(hear(h, &alpaca_stream_ops, want, "KEY", "SECRET"), 0);
	assert_int_equal(say(h, "[{\"T\":\"success\",\"msg\":\"connected\"}]"), 0);
	assert_int_equal(say(h, "[{\"T\":\"success\",\"msg\":\"authenticated\"}]"), 0);
	assert_int_equal(say(h, "[{\"T\":\"subscription\",\"trades\":[\"AA\",\"MSFT\"],"
				"\"quotes\":[\"MSFT\",\"AA\"],\"bars\":[]}]"),
			 0);
	assert_int_equal(state(h), STREAM_LIVE);
	assert_int_equal(h->bads, 0);
}

static void it_greets_authenticates_and_subscribes_in_turn(void **state_)
{
	struct heard h;

	(void)state_;
	assert_int_equal(hear(&h, &alpaca_stream_ops, &both, "K\"E\\Y", "SECRET"), 0);
	assert_int_equal(state(&h), STREAM_OPEN);
	assert_int_equal(say(&h, "[{\"T\":\"success\",\"msg\":\"connected\"}]"), 0);
	assert_string_equal(
		said(&h),
		"{\"action\":\"auth\",\"key\":\"K\\\"E\\\\Y\",\"secret\":\"SECRET\"}");
	assert_int_equal(state(&h), STREAM_AUTH);
	assert_int_equal(say(&h, "[{\"msg\":\"authenticated\",\"T\":\"success\"}]"), 0);
	assert_string_equal(
		said(&h),
		"{\"action\":\"subscribe\",\"trades\":[\"AA\",\"MSFT\"],"
		"\"statuses\":[\"AA\",\"MSFT\"],\"quotes\":[\"AA\",\"MSFT\"]}");
	assert_int_equal(state(&h), STREAM_SUBSCRIBING);
	assert_int_equal(say(&h,
			     "[{\"T\":\"subscription\",\"trades\":[\"AA\",\"MSFT\"],"
			     "\"quotes\":[\"AA\",\"MSFT\"]}]"),
			 0);
	assert_string_equal(said(&h), "");
	assert_int_equal(state(&h), STREAM_LIVE);
	hear_no_more(&h);
}

static void whom_the_vendor_leaves_out_is_reported(void **state_)
{
	struct heard h;

	(void)state_;
	assert_int_equal(hear(&h, &alpaca_stream_ops, &both, "KEY", "SECRET"), 0);
	assert_int_equal(say(&h, "[{\"T\":\"success\",\"msg\":\"connected\"}]"), 0);
	assert_int_equal(say(&h, "[{\"T\":\"success\",\"msg\":\"authenticated\"}]"), 0);
	assert_int_equal(say(&h,
			     "[{\"T\":\"subscription\",\"trades\":[\"AA\",\"MSFT\"],"
			     "\"quotes\":[\"AA\",\"*\"]}]"),
			 0);
	assert_int_equal(state(&h), STREAM_LIVE);
	assert_int_equal(h.bads, 1);
	hear_no_more(&h);
}

static void many_symbols_are_subscribed_in_pieces(void **state_)
{
	static char names[3000][8];
	static const char *symbols[3000];
	struct stream_want w = {.symbols = symbols, .n_symbols = 3000, .trades = true};
	size_t pieces = 0, seen = 0;
	struct heard h;
	const char *p;

	(void)state_;
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "S%d", i);
		symbols[i] = names[i];
	}
	assert_int_equal(hear(&h, &alpaca_stream_ops, &w, "KEY", "SECRET"), 0);
	assert_int_equal(say(&h, "[{\"T\":\"success\",\"msg\":\"connected\"}]"), 0);
	assert_int_equal(say(&h, "[{\"T\":\"success\",\"msg\":\"authenticated\"}]"), 0);
	p = (const char *)h.out.data;
	for (size_t at = 0; at < h.out.len; at += strlen(p + at) + 1) {
		size_t len = strlen(p + at);
		const char *end = strstr(p + at, "],\"statuses\"");

		pieces++;
		assert_true(len < 9000);
		assert_non_null(end);
		for (const char *q = p + at; q < end; q++)
			seen += q[0] == '"' && q[1] == 'S';
	}
	assert_true(pieces >= 4);
	assert_int_equal(seen, 3000);
	for (size_t i = 0; i < pieces; i++) {
		assert_int_equal(state(&h), STREAM_SUBSCRIBING);
		assert_int_equal(say(&h, "[{\"T\":\"subscription\",\"trades\":[]}]"),
				 0);
	}
	assert_int_equal(state(&h), STREAM_LIVE);
	hear_no_more(&h);
}

static void data_become_ticks_and_the_rest_is_counted(void **state_)
{
	const struct feed_tick *t;
	struct heard h;

	(void)state_;
	open_live(&h, &both);
	assert_int_equal(
		say(&h,
		    "[{\"T\":\"t\",\"S\":\"AA\",\"i\":96921,\"x\":\"D\",\"p\":126.55,"
		    "\"s\":1,"
		    "\"t\":\"2021-02-22T15:51:44.208Z\",\"c\":[\"@\",\"I\"],\"z\":"
		    "\"C\"},"
		    "{\"T\":\"q\",\"S\":\"MSFT\",\"bx\":\"U\",\"bp\":87.66,\"bs\":1,"
		    "\"ax\":\"Q\",\"ap\":87.68,\"as\":4,"
		    "\"t\":\"2021-02-22T15:51:45.335689322Z\",\"c\":[\"R\"],\"z\":"
		    "\"C\"},"
		    "{\"T\":\"b\",\"S\":\"AA\",\"o\":1,\"h\":1,\"l\":1,\"c\":1,\"v\":1,"
		    "\"t\":\"2021-02-22T15:51:00Z\"},"
		    "{\"T\":\"t\",\"S\":\"TSLA\",\"i\":1,\"x\":\"D\",\"p\":1,\"s\":1,"
		    "\"t\":\"2021-02-22T15:51:44.208Z\"}]"),
		0);
	assert_int_equal(h.ticks, 2);
	assert_int_equal(counts(&h).ticks, 2);
	assert_int_equal(counts(&h).ignored, 2);
	assert_int_equal(counts(&h).messages, 4);
	t = &h.tick[0];
	assert_string_equal(t->symbol, "AA");
	assert_int_equal(t->rec.event_ns, 1614009104208000000);
	assert_int_equal(t->rec.price_e9, 126550000000);
	assert_true(t->rec.source_seq == tickid_number('D', 0, 96921));
	assert_int_equal(record_flags(&t->rec), TICK_NO_LAST | TICK_NO_RANGE);
	t = &h.tick[1];
	assert_string_equal(t->symbol, "MSFT");
	assert_int_equal(t->rec.ask_size_e8, 40000000000);
	hear_no_more(&h);
}

static void cancels_corrections_and_halts_are_ticks_too(void **state_)
{
	const struct feed_tick *t;
	struct heard h;

	(void)state_;
	open_live(&h, &both);
	assert_int_equal(
		say(&h,
		    "[{\"T\":\"x\",\"S\":\"AA\",\"i\":96921,\"x\":\"D\",\"p\":126.55,"
		    "\"s\":1,"
		    "\"a\":\"C\",\"z\":\"C\",\"t\":\"2021-02-22T15:52:10.1Z\"},"
		    "{\"T\":\"c\",\"S\":\"AA\",\"x\":\"D\",\"oi\":96922,\"op\":126.5,"
		    "\"os\":10,\"oc\":[\"@\"],\"ci\":96923,\"cp\":126.6,\"cs\":12,"
		    "\"cc\":[\"@\",\"I\"],\"z\":\"C\",\"t\":\"2021-02-22T15:52:11Z\"},"
		    "{\"T\":\"s\",\"S\":\"AA\",\"sc\":\"H\",\"rc\":\"T12\","
		    "\"t\":\"2021-02-22T19:15:00Z\",\"z\":\"C\"},"
		    "{\"T\":\"s\",\"S\":\"AA\",\"sc\":\"Q\",\"t\":\"2021-02-22T19:16:"
		    "00Z\","
		    "\"z\":\"C\"},"
		    "{\"T\":\"s\",\"S\":\"AA\",\"sc\":\"T\",\"t\":\"2021-02-22T19:17:"
		    "00Z\","
		    "\"z\":\"C\"},"
		    "{\"T\":\"s\",\"S\":\"MSFT\",\"sc\":\"2\",\"t\":\"2021-02-22T19:17:"
		    "00Z\","
		    "\"z\":\"A\"},"
		    "{\"T\":\"s\",\"S\":\"MSFT\",\"sc\":\"3\",\"t\":\"2021-02-22T19:18:"
		    "00Z\","
		    "\"z\":\"A\"}]"),
		0);
	assert_int_equal(h.ticks, 6);
	t = &h.tick[0];
	assert_int_equal(record_action(&t->rec), TICK_CANCEL);
	assert_true(t->rec.ref_seq == tickid_number('D', 0, 96921));
	t = &h.tick[1];
	assert_int_equal(record_action(&t->rec), TICK_CORRECT);
	assert_true(t->rec.ref_seq == tickid_number('D', 0, 96922));
	assert_true(t->rec.source_seq == tickid_number('D', 0, 96923));
	assert_int_equal(t->rec.price_e9, 126600000000);
	assert_int_equal(t->rec.size_e8, 1200000000);
	assert_memory_equal(t->rec.cond, "@I\0\0\0\0\0", 8);
	assert_int_equal(record_flags(&h.tick[2].rec), TICK_HALT);
	assert_int_equal(record_flags(&h.tick[3].rec), TICK_RESUMED);
	assert_int_equal(record_flags(&h.tick[4].rec), TICK_HALT);
	assert_int_equal(record_flags(&h.tick[5].rec), TICK_RESUMED);
	assert_int_equal(h.tick[5].rec.price_e9, VALUE_NULL);
	hear_no_more(&h);
}

/* What a refill brings must be told from what the stream brought: equal to the byte. */
static void history_gives_the_same_records(void **state_)
{
	static const char fields[] =
		"\"i\":96921,\"x\":\"D\",\"p\":126.55,\"s\":1,\"c\":[\"@\",\"I\"],"
		"\"t\":\"2021-02-22T15:51:44.208123456Z\",\"z\":\"C\"";
	static const char quote[] =
		"\"bx\":\"U\",\"bp\":87.66,\"bs\":1,\"ax\":\"Q\",\"ap\":0,\"as\":4,"
		"\"t\":\"2021-02-22T15:51:45.335689322Z\",\"c\":[\"R\"],\"z\":\"C\"";
	struct vendor_ask a = ask_all(VENDOR_TRADES, two, 2);
	struct vendor_page p = {0};
	struct heard h;
	char text[512];

	(void)state_;
	open_live(&h, &both);
	(void)snprintf(text, sizeof(text),
		       "[{\"T\":\"t\",\"S\":\"AA\",%s},{\"T\":\"q\",\"S\":\"AA\",%s},"
		       "{\"T\":\"x\",\"S\":\"AA\",\"i\":96921,\"x\":\"D\","
		       "\"t\":\"2021-02-22T15:52:00Z\"}]",
		       fields, quote);
	assert_int_equal(say(&h, text), 0);
	assert_int_equal(h.ticks, 3);
	(void)snprintf(text, sizeof(text),
		       "{\"trades\":{\"AA\":[{%s,\"u\":\"canceled\"}]}}", fields);
	assert_int_equal(parse_text(alpaca_ops.parse, &a, text, &p), 0);
	assert_int_equal(ticks_of(&p), 2);
	assert_memory_equal(&tick_at(&p, 0)->rec, &h.tick[0].rec,
			    sizeof(struct record));
	/* The cancel's time is not in history; its identity is. */
	assert_true(tick_at(&p, 1)->rec.source_seq == h.tick[2].rec.source_seq);
	assert_true(tick_at(&p, 1)->rec.ref_seq == h.tick[2].rec.ref_seq);
	assert_int_equal(tick_at(&p, 1)->rec.price_e9, h.tick[2].rec.price_e9);

	vendor_page_reset(&p);
	a.what = VENDOR_QUOTES;
	(void)snprintf(text, sizeof(text), "{\"quotes\":{\"AA\":[{%s}]}}", quote);
	assert_int_equal(parse_text(alpaca_ops.parse, &a, text, &p), 0);
	assert_memory_equal(&tick_at(&p, 0)->rec, &h.tick[1].rec,
			    sizeof(struct record));
	vendor_page_free(&p);
	hear_no_more(&h);
}

static void one_bad_event_costs_no_other(void **state_)
{
	struct heard h;

	(void)state_;
	open_live(&h, &both);
	assert_int_equal(
		say(&h, "[{\"T\":\"t\",\"S\":\"AA\",\"p\":0.0000000001,"
			"\"t\":\"2021-02-22T15:51:44Z\"},"
			"{\"T\":\"t\",\"S\":\"AA\",\"p\":1,\"t\":\"yesterday\"},7,null,"
			"{\"T\":\"t\",\"S\":\"AA\",\"p\":2,\"t\":\"2021-02-22T15:51:"
			"44Z\"}]"),
		0);
	assert_int_equal(h.ticks, 1);
	assert_int_equal(h.tick[0].rec.price_e9, 2000000000);
	assert_int_equal(h.bads, 2);
	assert_non_null(strstr(h.bad[0], "more decimals than are kept"));
	assert_non_null(strstr(h.bad[1], "a time is not RFC 3339"));
	assert_int_equal(state(&h), STREAM_LIVE);
	hear_no_more(&h);
}

static void nothing_of_a_broken_message_is_delivered(void **state_)
{
	const char *good =
		"{\"T\":\"t\",\"S\":\"AA\",\"p\":2,\"t\":\"2021-02-22T15:51:44Z\"}";
	static const char *const rest[] = {"", ",", ",{]", ",{\"T\":NaN}]", "]]", "}"};
	struct heard h;

	(void)state_;
	open_live(&h, &both);
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text), "[%s%s", good, rest[i]);
		assert_int_equal(say(&h, text), 0);
		assert_int_equal(h.bads, i + 1);
	}
	assert_int_equal(say(&h, good), 0); /* no array */
	assert_int_equal(say(&h, ""), 0);
	assert_int_equal(h.bads, sizeof(rest) / sizeof(rest[0]) + 2);
	assert_int_equal(h.ticks, 0);
	assert_int_equal(state(&h), STREAM_LIVE);
	hear_no_more(&h);
}

static void errors_say_whether_time_will_help(void **state_)
{
	static const struct {
		int code;
		enum vendor_verdict verdict;
	} cases[] = {
		{400, VENDOR_REFUSED},   {401, VENDOR_AUTH},      {402, VENDOR_AUTH},
		{404, VENDOR_RETRY},     {405, VENDOR_REFUSED},   {406, VENDOR_RETRY},
		{407, VENDOR_RETRY},     {409, VENDOR_FORBIDDEN}, {410, VENDOR_REFUSED},
		{411, VENDOR_FORBIDDEN}, {500, VENDOR_RETRY},     {599, VENDOR_RETRY},
	};

	(void)state_;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vendor_problem p;
		struct heard h;
		char text[96];

		open_live(&h, &both);
		(void)snprintf(text, sizeof(text),
			       "[{\"T\":\"error\",\"code\":%d,\"msg\":\"KEY is bad\"}]",
			       cases[i].code);
		assert_int_equal(say(&h, text), -EPROTO);
		assert_int_equal(state(&h), STREAM_ENDED);
		h.ops->problem(h.st, &p);
		assert_int_equal(p.verdict, cases[i].verdict);
		/* The message echoed the key. */
		assert_null(strstr(p.why, "KEY"));
		assert_null(strstr(err_text(), "KEY"));
		assert_int_equal(say(&h, "[]"), -EPROTO);
		hear_no_more(&h);
	}
}

static void being_authenticated_already_is_no_end(void **state_)
{
	struct heard h;

	(void)state_;
	open_live(&h, &both);
	assert_int_equal(say(&h, "[{\"T\":\"error\",\"code\":403,\"msg\":\"already "
				 "authenticated\"}]"),
			 0);
	assert_int_equal(state(&h), STREAM_LIVE);
	assert_int_equal(h.bads, 1);
	hear_no_more(&h);
}

static void what_comes_before_we_are_authenticated_is_not_believed(void **state_)
{
	struct heard h;

	(void)state_;
	assert_int_equal(hear(&h, &alpaca_stream_ops, &both, "KEY", "SECRET"), 0);
	assert_int_equal(say(&h, "[{\"T\":\"t\",\"S\":\"AA\",\"p\":2,"
				 "\"t\":\"2021-02-22T15:51:44Z\"},"
				 "{\"T\":\"subscription\",\"trades\":[\"AA\"]},"
				 "{\"T\":\"success\",\"msg\":\"authenticated\"}]"),
			 0);
	assert_int_equal(h.ticks, 0);
	assert_int_equal(h.bads, 2);
	assert_int_equal(state(&h), STREAM_OPEN);
	hear_no_more(&h);
}

static void a_sink_that_stops_is_obeyed(void **state_)
{
	struct heard h;

	(void)state_;
	open_live(&h, &both);
	h.stop = -ECANCELED;
	assert_int_equal(say(&h, "[{\"T\":\"t\",\"S\":\"AA\",\"p\":2,"
				 "\"t\":\"2021-02-22T15:51:44Z\"},"
				 "{\"T\":\"t\",\"S\":\"AA\",\"p\":3,"
				 "\"t\":\"2021-02-22T15:51:44Z\"}]"),
			 -ECANCELED);
	assert_int_equal(h.ticks, 1);
	hear_no_more(&h);
}

static void news_have_a_stream_of_their_own(void **state_)
{
	struct stream_want w = {.symbols = two, .n_symbols = 2, .news = true};
	struct heard h;

	(void)state_;
	assert_int_equal(hear(&h, &alpaca_stream_ops, &w, "KEY", "SECRET"), 0);
	assert_int_equal(say(&h, "[{\"T\":\"success\",\"msg\":\"connected\"}]"), 0);
	assert_int_equal(say(&h, "[{\"T\":\"success\",\"msg\":\"authenticated\"}]"), 0);
	assert_string_equal(said(&h),
			    "{\"action\":\"subscribe\",\"news\":[\"AA\",\"MSFT\"]}");
	assert_int_equal(
		say(&h, "[{\"T\":\"subscription\",\"news\":[\"AA\",\"MSFT\"]}]"), 0);
	assert_int_equal(state(&h), STREAM_LIVE);
	assert_int_equal(
		say(&h,
		    "[{\"T\":\"n\",\"id\":2,\"headline\":\"A &amp; B\","
		    "\"created_at\":\"2021-04-03T12:31:15Z\",\"updated_at\":"
		    "\"2021-04-03T12:31:16Z\",\"symbols\":[\"AA\"],\"source\":\"w\"}]"),
		0);
	assert_int_equal(h.articles, 1);
	assert_string_equal(h.article[0].headline, "A & B");
	hear_no_more(&h);

	w.trades = true;
	assert_int_equal(hear(&h, &alpaca_stream_ops, &w, "KEY", "SECRET"), -EINVAL);
	hear_no_more(&h);
}

static void a_session_without_keys_or_symbols_is_refused(void **state_)
{
	struct stream_want none = {.symbols = two, .n_symbols = 0, .trades = true};
	static const char *const wrong[] = {"no symbol"};
	struct stream_want bad = {.symbols = wrong, .n_symbols = 1, .trades = true};
	struct heard h;

	(void)state_;
	assert_int_equal(hear(&h, &alpaca_stream_ops, &both, NULL, NULL), -EINVAL);
	hear_no_more(&h);
	assert_int_equal(hear(&h, &alpaca_stream_ops, &both, "KEY", NULL), -EINVAL);
	hear_no_more(&h);
	assert_int_equal(hear(&h, &alpaca_stream_ops, &none, "KEY", "SECRET"), -EINVAL);
	hear_no_more(&h);
	assert_int_equal(hear(&h, &alpaca_stream_ops, &bad, "KEY", "SECRET"), -EINVAL);
	hear_no_more(&h);
	assert_ptr_equal(stream_find("alpaca"), &alpaca_stream_ops);
	assert_ptr_equal(stream_find("polygon"), &polygon_stream_ops);
	assert_null(stream_find("nobody"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_greets_authenticates_and_subscribes_in_turn),
		cmocka_unit_test(whom_the_vendor_leaves_out_is_reported),
		cmocka_unit_test(many_symbols_are_subscribed_in_pieces),
		cmocka_unit_test(data_become_ticks_and_the_rest_is_counted),
		cmocka_unit_test(cancels_corrections_and_halts_are_ticks_too),
		cmocka_unit_test(history_gives_the_same_records),
		cmocka_unit_test(one_bad_event_costs_no_other),
		cmocka_unit_test(nothing_of_a_broken_message_is_delivered),
		cmocka_unit_test(errors_say_whether_time_will_help),
		cmocka_unit_test(being_authenticated_already_is_no_end),
		cmocka_unit_test(
			what_comes_before_we_are_authenticated_is_not_believed),
		cmocka_unit_test(a_sink_that_stops_is_obeyed),
		cmocka_unit_test(news_have_a_stream_of_their_own),
		cmocka_unit_test(a_session_without_keys_or_symbols_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
