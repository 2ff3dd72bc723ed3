/* Live feeds are read, printed back the same, compared, and refused with sentences. */
#include "base/clock.h"
#include "base/err.h"
#include "daemon/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define VENDORS "vendors: {alpaca: {feed: iex}, yahoo: {requests: 5}}\n"

static int read(const char *text, struct config *c, struct config_errors *errs)
{
	return config_parse(text, strlen(text), c, errs);
}

static void parse(const char *text, struct config *c)
{
	struct config_errors errs;

	if (read(text, c, &errs) != 0)
		fail_msg("%s", err_text());
}

static void a_feed_has_its_defaults_and_what_is_said(void **state)
{
	struct config c;

	(void)state;
	parse(VENDORS
	      "tickers: {B: {}, A: {}}\n"
	      "feeds:\n"
	      "  iex: {vendor: alpaca, symbols: [MSFT, AAPL]}\n"
	      "  all: {vendor: alpaca, symbols: all, source: x, trades: false,\n"
	      "    quotes: true, mute: 2s, refill: false, refill_delay: 16m}\n",
	      &c);
	assert_int_equal(c.n_feeds, 2);
	assert_string_equal(c.feeds[0].name, "iex");
	assert_string_equal(c.feeds[0].source, "iex");
	assert_true(c.feeds[0].trades);
	assert_false(c.feeds[0].quotes);
	assert_true(c.feeds[0].refill);
	assert_int_equal(c.feeds[0].mute_ns, 15 * NS_PER_S);
	assert_int_equal(c.feeds[0].n_symbols, 2);
	assert_string_equal(c.feeds[0].symbols[0], "AAPL");
	assert_true(c.feeds[1].all);
	assert_string_equal(c.feeds[1].source, "x");
	assert_false(c.feeds[1].refill);
	assert_int_equal(c.feeds[1].mute_ns, 2 * NS_PER_S);
	assert_int_equal(c.feeds[1].refill_delay_ns, 960 * NS_PER_S);
	config_deinit(&c);
}

static void news_without_a_stream_are_polled(void **state)
{
	struct config c;

	(void)state;
	parse("vendors: {alpaca: {}, polygon: {}, yahoo: {}}\n"
	      "feeds:\n"
	      "  a: {vendor: alpaca, symbols: [A], news: true, trades: false}\n"
	      "  p: {vendor: polygon, symbols: [A], news: true, trades: false}\n"
	      "  y: {vendor: yahoo, symbols: [A], news: true, trades: false,\n"
	      "    every: 5m, look_back: 7d, refill_overlap: 2m, refill_delay: 16m,\n"
	      "    refill_window: 1h}\n"
	      "  t: {vendor: polygon, symbols: [A]}\n",
	      &c);
	assert_false(c.feeds[0].is_polled);
	assert_int_equal(c.feeds[0].overlap_ns, 10 * NS_PER_S);
	assert_true(c.feeds[1].is_polled);
	assert_int_equal(c.feeds[1].every_ns, 60 * NS_PER_S);
	assert_int_equal(c.feeds[1].look_back_ns, 86400 * NS_PER_S);
	assert_int_equal(c.feeds[1].overlap_ns, 3600 * NS_PER_S);
	assert_int_equal(c.feeds[1].refill_delay_ns, 0);
	assert_int_equal(c.feeds[1].refill_window_ns, 86400 * NS_PER_S);
	assert_true(c.feeds[2].is_polled);
	assert_int_equal(c.feeds[2].every_ns, 300 * NS_PER_S);
	assert_int_equal(c.feeds[2].look_back_ns, 7 * 86400 * NS_PER_S);
	assert_int_equal(c.feeds[2].overlap_ns, 120 * NS_PER_S);
	assert_int_equal(c.feeds[2].refill_delay_ns, 960 * NS_PER_S);
	assert_int_equal(c.feeds[2].refill_window_ns, 3600 * NS_PER_S);
	assert_false(c.feeds[3].is_polled);
	config_deinit(&c);
}

static void what_is_printed_reads_back_the_same(void **state)
{
	struct buf first = {0}, second = {0};
	struct config c, again;

	(void)state;
	parse(VENDORS
	      "tickers: {A: {}}\n"
	      "feeds: {a: {vendor: alpaca, symbols: [A, B], refill_window: 90s},\n"
	      "  b: {vendor: alpaca, symbols: all, quotes: true},\n"
	      "  c: {vendor: yahoo, symbols: [A], news: true, trades: false}}\n",
	      &c);
	config_print(&c, &first);
	parse(buf_text(&first), &again);
	config_print(&again, &second);
	assert_string_equal(buf_text(&first), buf_text(&second));
	assert_int_equal(again.n_feeds, 3);
	assert_true(again.feeds[2].is_polled);
	buf_free(&first);
	buf_free(&second);
	config_deinit(&c);
	config_deinit(&again);
}

static void a_changed_feed_needs_a_restart(void **state)
{
	struct config_change ch[4];
	struct config was, is;

	(void)state;
	parse(VENDORS "feeds: {a: {vendor: alpaca, symbols: [A]},\n"
		      "  b: {vendor: alpaca, symbols: [A]}}\n",
	      &was);
	parse(VENDORS "feeds: {a: {vendor: alpaca, symbols: [A, B]},\n"
		      "  c: {vendor: alpaca, symbols: [A]}}\n",
	      &is);
	assert_int_equal(config_diff(&was, &is, ch, 4), 3);
	assert_string_equal(ch[0].key, "feeds.a");
	assert_string_equal(ch[1].key, "feeds.b");
	assert_string_equal(ch[2].key, "feeds.c");
	for (int i = 0; i < 3; i++)
		assert_false(ch[i].is_reloadable);
	config_deinit(&was);
	config_deinit(&is);
}

static const struct {
	const char *text, *why;
} bad[] = {
	{"{a: {symbols: [A]}}", "feeds.a: vendor is missing"},
	{"{a: {vendor: acme, symbols: [A]}}", "vendors has no acme with a stream"},
	{"{a: {vendor: yahoo, symbols: [A]}}", "vendors has no yahoo with a stream"},
	{"{a: {vendor: acme, symbols: [A], news: true, trades: false}}",
	 "vendors has no acme with news"},
	{"{a: {vendor: yahoo, symbols: [A], news: true, trades: false, refill: false}}",
	 "the news of yahoo come by questions alone"},
	{"{a: {vendor: yahoo, symbols: [A], news: true, trades: false, every: 0s}}",
	 "every"},
	{"{a: {vendor: alpaca}}", "symbols is not all or a list"},
	{"{a: {vendor: alpaca, symbols: []}}", "symbols is not all or a list"},
	{"{a: {vendor: alpaca, symbols: A}}", "symbols is not all or a list"},
	{"{a: {vendor: alpaca, symbols: all}}", "all means the tickers"},
	{"{a: {vendor: alpaca, symbols: [A, A]}}", "A is named twice"},
	{"{a: {vendor: alpaca, symbols: [\"a b\"]}}", "'a b' is not a symbol"},
	{"{a: {vendor: alpaca, symbols: [A], trades: false}}",
	 "neither trades nor quotes"},
	{"{a: {vendor: alpaca, symbols: [A], mute: 5}}", "mute"},
	{"{a: {vendor: alpaca, symbols: [A], mutes: 5s}}", "did you mean mute"},
	{"{\"a b\": {vendor: alpaca, symbols: [A]}}", "is not a name"},
	{"{a: 5}", "it needs vendor and symbols"},
	{"5", "it is a section"},
	{"{a: {vendor: alpaca, symbols: [A], source: s}, b: {vendor: alpaca, symbols: "
	 "[B], source: s}}",
	 "feeds.b: feeds.a has the same source"},
};

static void what_is_wrong_is_said(void **state)
{
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_errors errs;
		struct config c;
		bool found = false;

		(void)snprintf(text, sizeof(text), VENDORS "feeds: %s\n", bad[i].text);
		if (read(text, &c, &errs) == 0)
			fail_msg("'%s' was taken", bad[i].text);
		for (unsigned k = 0; k < errs.n; k++)
			found |= strstr(errs.error[k].text, bad[i].why) != NULL;
		if (!found)
			fail_msg("'%s': %s", bad[i].text, errs.error[0].text);
	}
}

static void a_feed_needs_the_walls_clock(void **state)
{
	struct config_errors errs;
	struct config c;

	(void)state;
	assert_int_not_equal(read("clock: {mode: feed}\n" VENDORS
				  "feeds: {a: {vendor: alpaca, symbols: [A]}}\n",
				  &c, &errs),
			     0);
	assert_non_null(strstr(errs.error[0].text, "needs clock.mode: wall"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_feed_has_its_defaults_and_what_is_said),
		cmocka_unit_test(news_without_a_stream_are_polled),
		cmocka_unit_test(what_is_printed_reads_back_the_same),
		cmocka_unit_test(a_changed_feed_needs_a_restart),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(a_feed_needs_the_walls_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
