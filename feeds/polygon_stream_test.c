/* polygon_stream_test - the session from the first word to the last. */
#include "feeds/stream_test.h"
#include "feeds/tickid.h"

static const char *const two[] = {"MSFT", "AA"};
static const struct stream_want both = {
	.symbols = two, .n_symbols = 2, .trades = true, .quotes = true};

static const char success[] = "{\"ev\":\"status\",\"status\":\"success\",\"message\":"
			      "\"subscribed to: X\"}";

static void open_live(struct heard *h)
{
	char text[512];

	assert_int_equal(hear(h, &polygon_stream_ops, &both, "KEY", NULL), 0);
	assert_int_equal(say(h, "[{\"ev\":\"status\",\"status\":\"connected\","
				"\"message\":\"Connected Successfully\"}]"),
			 0);
	assert_string_equal(said(h), "{\"action\":\"auth\",\"params\":\"KEY\"}");
	assert_int_equal(state(h), STREAM_AUTH);
	assert_int_equal(say(h, "[{\"ev\":\"status\",\"status\":\"auth_success\","
				"\"message\":\"authenticated\"}]"),
			 0);
	assert_string_equal(
		said(h),
		"{\"action\":\"subscribe\",\"params\":\"T.AA,Q.AA,T.MSFT,Q.MSFT\"}");
	assert_int_equal(state(h), STREAM_SUBSCRIBING);
	(void)snprintf(text, sizeof(text), "[%s,%s,%s]", success, success, success);
	assert_int_equal(say(h, text), 0);
	assert_int_equal(state(h), STREAM_SUBSCRIBING);
	(void)snprintf(text, sizeof(text), "[%s]", success);
	assert_int_equal(say(h, text), 0);
	assert_int_equal(state(h), STREAM_LIVE);
}

static void each_item_is_confirmed_before_it_is_live(void **state_)
{
	struct heard h;

	(void)state_;
	open_live(&h);
	assert_int_equal(h.bads, 0);
	hear_no_more(&h);
}

static void trades_and_quotes_become_ticks_and_the_rest_is_counted(void **state_)
{
	const struct feed_tick *t;
	struct heard h;

	(void)state_;
	open_live(&h);
	assert_int_equal(
		say(&h,
		    "[{\"ev\":\"T\",\"sym\":\"AA\",\"i\":\"5096\",\"x\":10,\"p\":161."
		    "87,"
		    "\"s\":300,\"c\":[14,41],\"t\":1651684192462,\"q\":4009402,\"z\":3}"
		    ","
		    "{\"ev\":\"T\",\"sym\":\"AA\",\"i\":\"799\",\"x\":4,\"p\":161.87,"
		    "\"s\":1,"
		    "\"t\":1651684192717,\"q\":4009434,\"z\":3,\"trfi\":201,"
		    "\"trft\":1651684192000},"
		    "{\"ev\":\"Q\",\"sym\":\"MSFT\",\"bx\":4,\"bp\":114.125,\"bs\":100,"
		    "\"ax\":7,\"ap\":114.128,\"as\":160,\"c\":0,\"i\":[604],"
		    "\"t\":1536036818784,\"q\":50385480,\"z\":3},"
		    "{\"ev\":\"AM\",\"sym\":\"AA\",\"v\":4110,\"z\":685,\"s\":"
		    "1610144640000},"
		    "{\"ev\":\"LULD\",\"T\":\"AA\",\"h\":218.9,\"l\":198.06,\"i\":[18],"
		    "\"z\":1,\"t\":1611082428813},"
		    "{\"ev\":\"T\",\"sym\":\"TSLA\",\"p\":1,\"t\":1651684192717}]"),
		0);
	assert_int_equal(h.ticks, 3);
	assert_int_equal(counts(&h).ignored, 3);
	t = &h.tick[0];
	assert_string_equal(t->symbol, "AA");
	assert_int_equal(t->rec.event_ns, 1651684192462000000);
	assert_int_equal(t->rec.price_e9, 161870000000);
	assert_int_equal(t->rec.size_e8, 30000000000);
	assert_memory_equal(t->rec.cond, "14,41\0\0", 8);
	assert_true(t->rec.source_seq == tickid_number(10, 0, 5096));
	assert_true(h.tick[1].rec.source_seq == tickid_number(4, 201, 799));
	t = &h.tick[2];
	assert_string_equal(t->symbol, "MSFT");
	assert_int_equal(t->rec.bid_e9, 114125000000);
	assert_int_equal(t->rec.bid_size_e8, 1000000000000); /* 100 lots */
	assert_memory_equal(t->rec.cond, "0\0\0\0\0\0\0", 8);
	assert_true(t->rec.source_seq == tickid_number(0, 0, 50385480));
	hear_no_more(&h);
}

static void statuses_say_whether_time_will_help(void **state_)
{
	static const struct {
		const char *status;
		const char *message;
		enum vendor_verdict verdict;
	} cases[] = {
		{"auth_failed", "authentication failed for KEY", VENDOR_AUTH},
		{"auth_timeout", "", VENDOR_RETRY},
		{"max_connections", "Maximum number of websocket connections exceeded.",
		 VENDOR_RETRY},
		{"error", "not authorized", VENDOR_FORBIDDEN},
		{"not_authorized", "", VENDOR_FORBIDDEN},
	};

	(void)state_;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vendor_problem p;
		struct heard h;
		char text[160];

		open_live(&h);
		(void)snprintf(
			text, sizeof(text),
			"[{\"ev\":\"status\",\"status\":\"%s\",\"message\":\"%s\"}]",
			cases[i].status, cases[i].message);
		assert_int_equal(say(&h, text), -EPROTO);
		assert_int_equal(state(&h), STREAM_ENDED);
		h.ops->problem(h.st, &p);
		assert_int_equal(p.verdict, cases[i].verdict);
		assert_null(strstr(p.why, "KEY"));
		hear_no_more(&h);
	}
}

static void an_item_that_is_not_granted_does_not_hold_up_the_others(void **state_)
{
	char text[512];
	struct heard h;

	(void)state_;
	assert_int_equal(hear(&h, &polygon_stream_ops, &both, "KEY", NULL), 0);
	assert_int_equal(say(&h, "[{\"ev\":\"status\",\"status\":\"connected\"}]"), 0);
	assert_int_equal(say(&h, "[{\"ev\":\"status\",\"status\":\"auth_success\"}]"),
			 0);
	(void)snprintf(text, sizeof(text),
		       "[%s,%s,{\"ev\":\"status\",\"status\":\"error\",\"message\":"
		       "\"not found\"},%s]",
		       success, success, success);
	assert_int_equal(say(&h, text), 0);
	assert_int_equal(state(&h), STREAM_LIVE);
	assert_int_equal(h.bads, 1);
	hear_no_more(&h);
}

static void bad_events_and_broken_messages_are_told_apart(void **state_)
{
	struct heard h;

	(void)state_;
	open_live(&h);
	assert_int_equal(say(&h, "[{\"ev\":\"T\",\"sym\":\"AA\",\"p\":1,\"t\":1.5},"
				 "{\"ev\":\"T\",\"sym\":\"AA\",\"p\":2,\"t\":1}]"),
			 0);
	assert_int_equal(h.ticks, 1);
	assert_int_equal(h.bads, 1);
	assert_int_equal(say(&h, "[{\"ev\":\"T\",\"sym\":\"AA\",\"p\":2,\"t\":1},"), 0);
	assert_int_equal(h.ticks, 1);
	assert_int_equal(h.bads, 2);
	hear_no_more(&h);
}

static void what_the_stream_of_stocks_has_not_is_refused_at_once(void **state_)
{
	static const char *const coin[] = {"BTC/USD"};
	struct stream_want w = {.symbols = coin, .n_symbols = 1, .trades = true};
	struct heard h;

	(void)state_;
	assert_int_equal(hear(&h, &polygon_stream_ops, &w, "KEY", NULL), -EINVAL);
	hear_no_more(&h);
	w = (struct stream_want){.symbols = two, .n_symbols = 2, .news = true};
	assert_int_equal(hear(&h, &polygon_stream_ops, &w, "KEY", NULL), -EINVAL);
	hear_no_more(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_item_is_confirmed_before_it_is_live),
		cmocka_unit_test(
			trades_and_quotes_become_ticks_and_the_rest_is_counted),
		cmocka_unit_test(statuses_say_whether_time_will_help),
		cmocka_unit_test(
			an_item_that_is_not_granted_does_not_hold_up_the_others),
		cmocka_unit_test(bad_events_and_broken_messages_are_told_apart),
		cmocka_unit_test(what_the_stream_of_stocks_has_not_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
