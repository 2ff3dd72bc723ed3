/* config_test - what is read, what is refused and where, and what prints back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "daemon/config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANGES 64

static struct config_errors errs;

static void parse(const char *text, struct config *c)
{
	int rc = config_parse(text, strlen(text), c, &errs);

	if (rc != 0)
		fail_msg("%s", err_text());
}

static const char rich[] =
	"log: {level: debug, journal: on}\n"
	"store:\n"
	"  dir: \"/srv/tick \\\"bus\\\"\"\n"
	"  durability: normal\n"
	"  sync_interval: 250ms\n"
	"  retain: off\n"
	"clock: {mode: feed, too_old: 90m}\n"
	"listen: {tick: ipc:///run/t.ipc, json_tick: off, http: \"[::1]:80\"}\n"
	"workers: {threads: 3, spin: off}\n"
	"limits: {ring_slots: 8192, inflight: 8192, message: 1MiB}\n"
	"watchdog: off\n"
	"credentials: /etc/keys\n"
	"fetch: {plain_http: true, body: 1MiB, ca_file: /etc/ca.pem}\n"
	"ingest: {workers: 3, settle: off, ttl: 7d, size: 20GiB}\n"
	"vendors:\n"
	"  alpaca:\n"
	"  sip: {adapter: alpaca, feed: sip, requests: 10000, per: 1m}\n"
	"  polygon: {base_url: \"http://127.0.0.1:8080\", key: off}\n"
	"  databento: {dataset: XNAS.ITCH, in_flight: 2}\n"
	"bars: {grace: 1500us}\n"
	"tier1: {norm: robust, norm_clip: 4.5, ready_valid_ratio: 0.9}\n"
	"simulator: {enabled: true, compress: 60, trades_per_second: 2.125,\n"
	"            volatility: 0.1234, price_tick: 0.0001, start: "
	"2024-03-01T00:00:00.5Z}\n"
	"defaults:\n"
	"  data_source: polygon\n"
	"  timezone: US/Eastern\n"
	"  session_start: 09:30\n"
	"  session_end: 16:00\n"
	"  resampling: 1min\n"
	"tickers:\n"
	"  TSLA:\n"
	"    outlier_std_threshold: 4.0\n"
	"    session_end: 13:00\n"
	"    session_days: [fri, mon]\n"
	"  AAPL:\n"
	"    source: databento\n"
	"    priority: -1\n"
	"    weight: 0.3\n"
	"    timeframes: [5m, 30s, 1m]\n"
	"    price_types: [ask, bid]\n"
	"    min_volume: 100.5\n"
	"    metadata: {sector: Technology, market_cap: \"large \\\\ \\\"big\\\"\",\n"
	"      odd: \"a\\Lb\\Pd\\uFEFFe\"}\n"
	"  EURUSD: {session_start: off, session_end: off, timezone: UTC}\n"
	"  MSFT:\n"
	"universes:\n"
	"  tech: {symbols: [MSFT, TSLA], window: 60, method: ledoit_wolf, lambda: "
	"0.97}\n"
	"  fx: {symbols: all, price_type: mid, grace: 100ms, max_symbols: 9}\n";

static void a_vendor_has_what_its_adapter_has_unless_told_otherwise(void **state)
{
	struct config c;

	(void)state;
	parse(rich, &c);
	assert_int_equal(4, c.n_vendors);
	assert_string_equal("https://data.alpaca.markets", c.vendors[0].base_url);
	assert_string_equal("alpaca_key", c.vendors[0].key);
	assert_int_equal(200, c.vendors[0].requests);
	assert_int_equal(CONFIG_ALPACA, c.vendors[1].adapter);
	assert_string_equal("sip_secret", c.vendors[1].secret);
	assert_int_equal(10000, c.vendors[1].requests);
	assert_string_equal("", c.vendors[2].key);
	assert_int_equal(5, c.vendors[2].requests);
	assert_string_equal("XNAS.ITCH", c.vendors[3].dataset);
	assert_int_equal(0, c.vendors[3].requests);
	config_deinit(&c);
}

static void the_built_in_text_is_every_default(void **state)
{
	struct config_change change[CHANGES];
	struct config plain, text;
	size_t len;
	const char *s = config_default_text(&len);

	(void)state;
	config_default(&plain);
	assert_int_equal(config_parse(s, len, &text, &errs), 0);
	for (size_t i = 0, n = config_diff(&plain, &text, change, CHANGES); i < n; i++)
		fail_msg("%s: %s is %s in the text", change[i].key, change[i].was,
			 change[i].is);
	assert_true(params_hash(&plain.derive) == params_hash(&text.derive));
	config_deinit(&plain);
	config_deinit(&text);
}

/* The text names every key of the effective configuration, in a line of its own. */
static void the_built_in_text_describes_every_key(void **state)
{
	struct config c;
	struct buf out = {0}, built_in = {0};
	size_t len;
	const char *s = config_default_text(&len), *text;

	(void)state;
	buf_add(&built_in, s, len);
	text = buf_text(&built_in);
	config_default(&c);
	config_print(&c, &out);
	for (char *line = buf_text(&out), *end; (end = strchr(line, '\n')) != NULL;
	     line = end + 1) {
		char key[80];

		(void)snprintf(key, sizeof(key), "\n%.*s:", (int)strcspn(line, ":"),
			       line);
		if (strstr(text, key) == NULL)
			fail_msg("tickbusd.yaml does not describe '%s'", key + 1);
	}
	buf_free(&built_in);
	buf_free(&out);
	config_deinit(&c);
}

static void the_demo_runs_a_simulated_exchange(void **state)
{
	struct config c;
	size_t len;
	const char *s = config_demo_text(&len);

	(void)state;
	if (config_parse(s, len, &c, &errs) != 0)
		fail_msg("%s", err_text());
	assert_true(c.simulator.enabled);
	assert_int_equal(c.live.clock, CONFIG_FEED);
	assert_int_equal(c.derive.n_symbols, 24);
	assert_int_equal(c.simulator.symbols, 24);
	assert_int_equal(c.derive.universes[0].n_symbols, 20);
	assert_int_equal(c.derive.symbols[0].n_timeframes, 2);
	config_deinit(&c);
}

static void an_empty_text_is_all_defaults(void **state)
{
	static const char *const texts[] = {"", "\n# nothing\n", "---\n", "~\n",
					    "tickers:\n"};
	struct config plain, c;

	(void)state;
	config_default(&plain);
	for (size_t i = 0; i < 5; i++) {
		parse(texts[i], &c);
		assert_int_equal(config_diff(&plain, &c, NULL, 0), 0);
		config_deinit(&c);
	}
	config_deinit(&plain);
}

static void values_arrive_exactly(void **state)
{
	const struct symbol_params *s;
	struct config c;

	(void)state;
	parse(rich, &c);
	assert_string_equal(c.store.dir, "/srv/tick \"bus\"");
	assert_int_equal(c.store.retain_ns, 0);
	assert_int_equal(c.store.sync_interval_ns, 250 * NS_PER_MS);
	assert_int_equal(c.live.too_old_ns, 90 * 60 * NS_PER_S);
	assert_string_equal(c.listen.json_tick, "");
	assert_string_equal(c.listen.http, "[::1]:80");
	assert_int_equal(c.workers.spin_ns, 0);
	assert_int_equal(c.watchdog_ns, 0);
	assert_int_equal(c.derive.bars.grace_ns, 1500000);
	assert_int_equal(c.simulator.trades_mhz, 2125);
	assert_int_equal(c.simulator.volatility_bp, 1234);
	assert_int_equal(c.simulator.price_tick_e9, 100000);
	assert_true(c.derive.tier1.norm_clip == 4.5);

	/* Sorted by name; defaults below, overrides on top. */
	assert_int_equal(c.derive.n_symbols, 4);
	assert_string_equal(c.derive.symbols[0].symbol, "AAPL");
	s = params_symbol(&c.derive, "AAPL");
	assert_string_equal(s->source, "databento");
	assert_int_equal(s->priority, -1);
	assert_int_equal(s->n_timeframes, 3);
	assert_int_equal(s->timeframes_s[0], 30);
	assert_int_equal(s->timeframes_s[2], 300);
	assert_int_equal(s->price_types[0], PRICE_BID);
	assert_int_equal(s->min_volume_e8, 10050000000);
	s = params_symbol(&c.derive, "TSLA");
	assert_true(s->has_session);
	assert_int_equal(s->session_start_s, 34200);
	assert_int_equal(s->session_end_s, 46800);
	assert_int_equal(s->session_days, 0x11);
	assert_non_null(s->tz);
	assert_true(s->outlier_sigma == 4.0);
	assert_false(params_symbol(&c.derive, "EURUSD")->has_session);
	assert_null(params_symbol(&c.derive, "EURUSD")->tz);
	assert_int_equal(params_symbol(&c.derive, "MSFT")->timeframes_s[0], 60);

	assert_int_equal(c.n_meta, 3);
	assert_string_equal(c.meta[0].key, "market_cap");
	assert_string_equal(c.meta[0].value, "large \\ \"big\"");
	assert_int_equal(c.derive.n_universes, 2);
	assert_int_equal(c.derive.universes[0].n_symbols, 2);
	assert_string_equal(c.derive.universes[0].symbols[1], "TSLA");
	assert_true(c.derive.universes[1].all);
	config_deinit(&c);
}

static void what_is_printed_reads_back_the_same(void **state)
{
	const char *texts[] = {"", rich, NULL}, *demo;
	struct config_change change[CHANGES];
	size_t len;

	(void)state;
	demo = config_demo_text(&len);
	texts[2] = strndup(demo, len);
	for (size_t i = 0; i < 3; i++) {
		struct buf first = {0}, second = {0};
		struct config c, again;

		parse(texts[i], &c);
		config_print(&c, &first);
		parse(buf_text(&first), &again);
		config_print(&again, &second);
		assert_string_equal(buf_text(&first), buf_text(&second));
		if (config_diff(&c, &again, change, CHANGES) != 0)
			fail_msg("%s differs", change[0].key);
		assert_true(params_hash(&c.derive) == params_hash(&again.derive));
		assert_int_equal(c.n_meta, again.n_meta);
		buf_free(&first);
		buf_free(&second);
		config_deinit(&c);
		config_deinit(&again);
	}
	free((char *)texts[2]);
}

static void ten_thousand_tickers_are_read_and_sorted(void **state)
{
	struct buf text = {0};
	struct config c;

	(void)state;
	buf_printf(&text, "tickers:\n");
	for (int i = 9999; i >= 0; i--)
		buf_printf(&text, "  T%d: {priority: %d}\n", i, i);
	parse(buf_text(&text), &c);
	assert_int_equal(c.derive.n_symbols, 10000);
	for (int i = 0; i < 10000; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "T%d", i);
		assert_int_equal(params_symbol(&c.derive, name)->priority, i);
	}
	config_deinit(&c);
	buf_free(&text);
}

static void a_difference_says_whether_a_reload_is_enough(void **state)
{
	struct config_change ch[8];
	struct config was, is;

	(void)state;
	parse("tickers: {A: {}, B: {}}\n", &was);
	parse("log: {level: debug}\nbars: {grace: 2s}\npublisher: {batch: 5ms}\n"
	      "tickers: {B: {weight: 2}, C: {}}\nuniverses: {u: {symbols: all}}\n",
	      &is);
	assert_int_equal(config_diff(&was, &is, ch, 8), 7);
	assert_string_equal(ch[0].key, "log.level");
	assert_string_equal(ch[0].was, "info");
	assert_string_equal(ch[0].is, "debug");
	assert_true(ch[0].is_reloadable);
	assert_string_equal(ch[1].key, "publisher.batch");
	assert_true(ch[1].is_reloadable);
	assert_string_equal(ch[2].key, "bars.grace");
	assert_false(ch[2].is_reloadable);
	assert_string_equal(ch[3].key, "tickers.A");
	assert_string_equal(ch[3].is, "");
	assert_string_equal(ch[4].key, "tickers.B");
	assert_string_equal(ch[5].key, "tickers.C");
	assert_string_equal(ch[6].key, "universes.u");
	assert_false(ch[6].is_reloadable);

	config_reload(&was, &is);
	assert_int_equal(was.log_level, LOG_DEBUG);
	assert_int_equal(was.publisher.batch_ns, 5 * NS_PER_MS);
	assert_int_equal(was.derive.bars.grace_ns, NS_PER_S);
	assert_int_equal(config_diff(&was, &is, NULL, 0), 5);
	config_deinit(&was);
	config_deinit(&is);
}

static void a_file_that_others_may_write_is_refused(void **state)
{
	char path[] = "/tmp/config_test.XXXXXX";
	int fd = mkstemp(path);
	struct config c;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "log: {level: debug}\n", 20), 20);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(config_load(path, true, &c, &errs), 0);
	assert_int_equal(c.log_level, LOG_DEBUG);
	config_deinit(&c);
	assert_int_equal(fchmod(fd, 0660), 0);
	assert_int_equal(config_load(path, true, &c, &errs), -EPERM);
	assert_int_equal(config_load(path, false, &c, &errs), 0);
	config_deinit(&c);
	assert_int_equal(fchmod(fd, 0602), 0);
	assert_int_equal(config_load(path, true, &c, &errs), -EPERM);
	(void)close(fd);
	(void)unlink(path);
	assert_int_equal(config_load(path, true, &c, &errs), -ENOENT);
	assert_int_equal(config_load("/tmp", true, &c, &errs), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_vendor_has_what_its_adapter_has_unless_told_otherwise),
		cmocka_unit_test(the_built_in_text_is_every_default),
		cmocka_unit_test(the_built_in_text_describes_every_key),
		cmocka_unit_test(the_demo_runs_a_simulated_exchange),
		cmocka_unit_test(an_empty_text_is_all_defaults),
		cmocka_unit_test(values_arrive_exactly),
		cmocka_unit_test(what_is_printed_reads_back_the_same),
		cmocka_unit_test(ten_thousand_tickers_are_read_and_sorted),
		cmocka_unit_test(a_difference_says_whether_a_reload_is_enough),
		cmocka_unit_test(a_file_that_others_may_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
