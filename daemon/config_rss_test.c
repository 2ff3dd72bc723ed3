/* config_rss_test - feeds of headlines: defaults, what is said, and what is refused. */
#include "base/clock.h"
#include "base/err.h"
#include "daemon/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void parse(const char *text, struct config *c)
{
	struct config_errors errs;

	if (config_parse(text, strlen(text), c, &errs) != 0)
		fail_msg("%s", err_text());
}

static const char good[] =
	"tickers: {B: {}, A: {}}\n"
	"rss:\n"
	"  one: {url: \"https://f.example/a?b=1\", symbols: [MSFT, AAPL]}\n"
	"  two: {url: \"https://f.example/x\", symbols: all, match_title: true,\n"
	"    match_category: true, every: 30s, size: 64KiB}\n";

static void a_feed_has_its_defaults_and_what_is_said(void **state)
{
	struct config c;

	(void)state;
	parse(good, &c);
	assert_int_equal(c.n_rss, 2);
	assert_string_equal(c.rss[0].name, "one");
	assert_string_equal(c.rss[0].url, "https://f.example/a?b=1");
	assert_int_equal(c.rss[0].every_ns, 300 * NS_PER_S);
	assert_int_equal(c.rss[0].bytes_max, 4 << 20);
	assert_int_equal(c.rss[0].n_symbols, 2);
	assert_string_equal(c.rss[0].symbols[0], "AAPL");
	assert_false(c.rss[0].match_title || c.rss[0].match_category);
	assert_true(c.rss[1].all && c.rss[1].match_title && c.rss[1].match_category);
	assert_int_equal(c.rss[1].every_ns, 30 * NS_PER_S);
	config_deinit(&c);
}

static void what_is_printed_reads_back_the_same(void **state)
{
	struct buf first = {0}, second = {0};
	struct config c, again;

	(void)state;
	parse(good, &c);
	config_print(&c, &first);
	parse(buf_text(&first), &again);
	config_print(&again, &second);
	assert_string_equal(buf_text(&first), buf_text(&second));
	assert_int_equal(again.n_rss, 2);
	buf_free(&first);
	buf_free(&second);
	config_deinit(&c);
	config_deinit(&again);
}

static void a_changed_feed_needs_a_restart(void **state)
{
	struct config_change changes[4];
	struct config was, is;

	(void)state;
	parse(good, &was);
	parse("tickers: {B: {}, A: {}}\n"
	      "rss: {one: {url: \"https://f.example/a?b=1\", symbols: [AAPL]},\n"
	      "  three: {url: \"https://f.example/3\", symbols: [A]}}\n",
	      &is);
	assert_int_equal(config_diff(&was, &is, changes, 4), 3);
	assert_string_equal(changes[0].key, "rss.one");
	assert_string_equal(changes[1].key, "rss.two");
	assert_string_equal(changes[2].key, "rss.three");
	assert_false(changes[0].is_reloadable);
	config_deinit(&was);
	config_deinit(&is);
}

static const struct {
	const char *text;
	const char *why;
} bad[] = {
	{"rss: {Upper: {url: \"https://a/b\", symbols: [A]}}", "not a source's name"},
	{"rss: {x: 7}", "it needs url and symbols"},
	{"rss: {x: {symbols: [A]}}", "url is missing"},
	{"rss: {x: {url: \"http://a/b\", symbols: [A]}}", "plain_http"},
	{"rss: {x: {url: \"wss://a/b\", symbols: [A]}}", "not https://"},
	{"rss: {x: {url: \"https://u@a/b\", symbols: [A]}}", "not https://"},
	{"rss: {x: {url: \"https://a/b c\", symbols: [A]}}", "not https://"},
	{"rss: {x: {url: \"https://a/b\"}}", "symbols is not all or a list"},
	{"rss: {x: {url: \"https://a/b\", symbols: [A, A]}}", "named twice"},
	{"rss: {x: {url: \"https://a/b\", symbols: [\"a b\"]}}", "is not a symbol"},
	{"tickers: {A: {}}\nrss: {x: {url: \"https://a/b\", symbols: all}}",
	 "match_title or match_category"},
	{"rss: {x: {url: \"https://a/b\", symbols: all, match_title: true}}",
	 "there are none"},
	{"rss: {x: {url: \"https://a/b\", symbols: [A], every: 1ms}}", "every"},
	{"clock: {mode: feed}\nrss: {x: {url: \"https://a/b\", symbols: [A]}}",
	 "clock.mode: wall"},
	{"vendors: {alpaca: }\nfeeds: {x: {vendor: alpaca, symbols: [A]}}\n"
	 "rss: {x: {url: \"https://a/b\", symbols: [A]}}",
	 "has this as its source"},
};

static void what_cannot_be_is_refused_with_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_errors errs;
		struct config c;
		bool found = false;

		assert_int_not_equal(
			config_parse(bad[i].text, strlen(bad[i].text), &c, &errs), 0);
		for (unsigned k = 0; k < errs.n; k++)
			found |= strstr(errs.error[k].text, bad[i].why) != NULL;
		if (!found)
			fail_msg("%s: %s", bad[i].text, errs.error[0].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_feed_has_its_defaults_and_what_is_said),
		cmocka_unit_test(what_is_printed_reads_back_the_same),
		cmocka_unit_test(a_changed_feed_needs_a_restart),
		cmocka_unit_test(what_cannot_be_is_refused_with_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
