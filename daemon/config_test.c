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
	struct buf out = {0};
	size_t len;
	const char *s = config_default_text(&len);
	char *text = strndup(s, len);

	(void)state;
	config_default(&c);
	config_print(&c, &out);
	for (char *line = buf_text(&out), *end = line;
	     (end = strchr(line, '\n')) != NULL; line = end + 1) {
		char key[80];

		(void)snprintf(key, sizeof(key), "\n%.*s:", (int)strcspn(line, ":"),
			       line);
		if (strstr(text, key) == NULL)
			fail_msg("tickbusd.yaml does not describe '%s'", key + 1);
	}
	free(text);
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

/*
 * Each text and the errors it must bring: "line:column sentence".  Without a line end
 * it is only the beginning that must be so.
 */
static const struct {
	const char *text;
	const char *errors;
} bad[] = {
	{"stor: {dir: /x}\n", "1:1 there is no key stor; did you mean store?\n"},
	{"store:\n  durabilty: full\n",
	 "2:3 there is no key store.durabilty; did you mean durability?\n"},
	{"qqqqqq: 1\n", "1:1 there is no key qqqqqq\n"},
	{"store:\n  sync_interval: 5\n",
	 "2:18 store.sync_interval: 5 needs a unit (ns, us, ms, s, m, h, d): 5s?\n"},
	{"store:\n  sync_interval: 1ms\n",
	 "2:18 store.sync_interval: 1ms is not between 10ms and 1h\n"},
	{"store:\n  sync_interval: soon\n",
	 "2:18 store.sync_interval: 'soon' is not a duration like 250ms\n"},
	{"store: {ballast: 64}\n",
	 "1:18 store.ballast: 64 needs a unit (B, KiB, MiB, GiB, TiB): 64MiB?\n"},
	{"store: {ballast: 2GiB}\n",
	 "1:18 store.ballast: 2GiB is not between 0B and 1GiB\n"},
	{"store: {ballast: 64MB}\n",
	 "1:18 store.ballast: '64MB' is not a size like 64MiB\n"},
	{"store: {retain_size: 99999999999999TiB}\n",
	 "1:22 store.retain_size: '99999999999999TiB' is not a size like 64MiB\n"},
	{"store: {durability: high}\n",
	 "1:21 store.durability: 'high' is not one of full, normal\n"},
	{"store: {dir: \"\"}\n", "1:14 store.dir: it is empty\n"},
	{"store: {dir: }\n", "1:14 store.dir: it has no value\n"},
	{"store: {dir: [a, b]}\n", "1:14 store.dir: it takes one value, not a list\n"},
	{"store: {dir: {a: b}}\n", "1:14 store.dir: it takes a value, not a section\n"},
	{"store: {dir: \"a\\tb\"}\n", "1:14 store.dir: it holds a control character\n"},
	{"store: full\n", "1:8 store: it is a section, not a value\n"},
	{"limits: {symbols: 0}\n",
	 "1:19 limits.symbols: 0 is not between 1 and 1000000\n"},
	{"limits: {symbols: 1e3}\n",
	 "1:19 limits.symbols: '1e3' is not a whole number\n"},
	{"limits: {ring_slots: 5000}\n",
	 "1:22 limits.ring_slots: 5000 is not a power of two\n"},
	{"limits: {ring_slots: 4096, inflight: 5000}\n",
	 "1:38 limits.inflight: it is above limits.ring_slots\n"},
	{"publisher: {json: maybe}\n",
	 "1:19 publisher.json: 'maybe' is not true or false\n"},
	{"listen: {tick: 7401}\n",
	 "1:16 listen.tick: '7401' is not off, tcp://ADDRESS:PORT or ipc:///PATH\n"},
	{"listen: {tick: \"tcp://localhost:70000\"}\n",
	 "1:16 listen.tick: 'tcp://localhost:70000' is not off, tcp://ADDRESS:PORT or "
	 "ipc:///PATH\n"},
	{"listen: {admin: admin.sock}\n",
	 "1:17 listen.admin: 'admin.sock' is not off or an absolute path\n"},
	{"tier1: {norm_clip: big}\n", "1:20 tier1.norm_clip: 'big' is not a number\n"},
	{"tier1: {norm_clip: nan}\n", "1:20 tier1.norm_clip: 'nan' is not a number\n"},
	{"tier1: {norm_clip: 1e999}\n",
	 "1:20 tier1.norm_clip: 1e999 is not between 0.1 and 1000\n"},
	{"tier1: {ready_valid_ratio: 1.01}\n",
	 "1:28 tier1.ready_valid_ratio: 1.01 is not between 0 and 1\n"},
	{"simulator: {volatility: 0.12345}\n",
	 "1:25 simulator.volatility: 0.12345 has more than 4 decimals\n"},
	{"simulator: {corr_market: 0.7}\n",
	 "1:26 simulator.corr_market: it is above corr_sector\n"},
	{"simulator: {late: 900000, poison: 100001}\n",
	 "1:19 simulator: the rates of faults sum up to 1000001 per million\n"},
	{"simulator: {enabled: yes, compress: 60}\n",
	 "1:37 simulator.compress: it needs clock.mode: feed, because time runs faster "
	 "than "
	 "the wall's\n"},
	{"simulator: {start: yesterday}\n",
	 "1:20 simulator.start: 'yesterday' is not a time like 2024-01-02T09:30:00Z\n"},
	{"watchdog: 3\n",
	 "1:11 watchdog: 3 needs a unit (ns, us, ms, s, m, h, d): 3s?\n"},
	{"defaults: {timeframes: [1m, 7m]}\n",
	 "1:24 timeframes: '7m' is not a timeframe (1s 5s 10s 15s 30s 1m 2m 5m 10m 15m "
	 "30m 1h "
	 "2h 4h 1d)\n"},
	{"defaults: {timeframes: [1m, 1min]}\n",
	 "1:24 timeframes: 1min is named twice\n"},
	{"defaults: {timeframes: []}\n",
	 "1:24 timeframes: the list of timeframes is empty\n"},
	{"defaults: {timeframes: [1m], resampling: 5m}\n",
	 "1:30 resampling and timeframes say the same: give one\n"},
	{"defaults: {price_types: [auto, mid]}\n",
	 "1:25 price_types: auto stands alone: it picks last or mid by what comes\n"},
	{"defaults: {session_start: \"9:30\"}\n",
	 "1:27 session_start: '9:30' is not off or a time of day like 09:30\n"},
	{"defaults: {session_start: \"09:30\"}\n",
	 "1:11 defaults: session_start without session_end\n"},
	{"defaults: {session_start: \"09:30\", session_end: \"09:30\"}\n",
	 "1:11 defaults: the session ends before it starts\n"},
	{"defaults: {timezone: Mars/Olympus}\n",
	 "1:22 timezone: time zone 'Mars/Olympus' is unknown"},
	{"defaults: {timezone: ../../etc/passwd}\n",
	 "1:22 timezone: time zone '../../etc/passwd' is unknown"},
	{"defaults: {session_days: [monday]}\n",
	 "1:26 session_days: 'monday' is not one of mon, tue, wed, thu, fri, sat, "
	 "sun\n"},
	{"defaults: {source: Polygon Inc}\n",
	 "1:20 source: 'Polygon Inc' is not any or a source [a-z0-9._-]{1,16}\n"},
	{"defaults: {origin: session_open}\n",
	 "1:11 defaults: origin session_open needs a session\n"},
	{"tickers: {aapl: {}}\n", "1:11 'aapl' is not a symbol [A-Z0-9._:/-]{1,32}\n"},
	{"tickers: {AAPL: 5}\n", "1:17 AAPL: it takes overrides, not a value\n"},
	{"tickers:\n  AAPL: {prio: 1}\n  MSFT: {weigth: 1}\n",
	 "2:10 there is no key prio\n"
	 "3:10 there is no key weigth; did you mean weight?\n"},
	{"tickers:\n  AAPL: {}\n  MSFT: {}\n  AAPL: {}\n",
	 "4:3 'AAPL' stands here again; it is in line 2\n"},
	{"tickers: {AAPL: {metadata: {sector: [a]}}}\n",
	 "1:37 AAPL: metadata sector is not a text\n"},
	{"tickers: {AAPL: {metadata: {\"k\\x10\": v, k: \"\\x80\"}}}\n",
	 "1:29 AAPL: a key of metadata is empty or odd\n"
	 "1:44 AAPL: metadata k holds a control character\n"},
	{"universes: {tech: {window: 60}}\n",
	 "1:13 tech: symbols is missing (a list, or all)\n"},
	{"universes: {tech: {symbols: [AAPL]}}\n",
	 "1:29 tech: symbols is not all or a list of 2 to 2000\n"},
	{"universes: {tech: {symbols: [AAPL, AAPL]}}\n",
	 "1:36 tech: AAPL is named twice\n"},
	{"universes: {tech: {symbols: [AAPL, MSFT], timeframe: 5m}}\n",
	 "1:30 tech: AAPL has no bars of 5m (add it to its timeframes)\n"
	 "1:36 tech: MSFT has no bars of 5m (add it to its timeframes)\n"},
	{"universes: {tech: {symbols: all, min_obs: 121}}\n",
	 "1:13 tech: min_obs is above window\n"},
	{"universes: {\"a b\": {symbols: all}}\n",
	 "1:13 'a b' is not a name [A-Za-z0-9_-]{1,31}\n"},
	{"log: {level: info}\nlog: {level: debug}\n",
	 "2:1 'log' stands here again; it is in line 1\n"},
	{"log: {level: info, level: loud}\n",
	 "1:20 'level' stands here again; it is in line 1\n"
	 "1:27 log.level: 'loud' is not one of error, warning, info, debug\n"},
	{"log: &a {level: info}\nstore: *a\n",
	 "1:1 an alias (*name) is not allowed here\n"},
	{"a: [[[[[[[[1]]]]]]]]\n", "1:11 it is nested too deeply\n"},
	{"log: {level: info}\n---\nstore: {}\n", "2:1 a second document begins here\n"},
	{"? [a]\n: 1\n", "1:3 a key must be a word\n1:3 there is no key \n"},
	{"- a\n", "1:1 the configuration is not a map of sections\n"},
	{"log: {level: info\n", "2:1 did not find expected ',' or '}'\n"},
	{"log:\n\tlevel: info\n", "2:1 found character that cannot start any token\n"},
	{"log: {level: \"\xff\"}\n", "1:1 invalid leading UTF-8 octet\n"},
	/* All of them at once, in the order of the file. */
	{"workers:\n  threads: many\nstore:\n  durability: 1\n  x: 2\nlog: {level: "
	 "x}\n",
	 "2:12 workers.threads: 'many' is not a whole number\n"
	 "4:15 store.durability: '1' is not one of full, normal\n"
	 "5:3 there is no key store.x\n"
	 "6:14 log.level: 'x' is not one of error, warning, info, debug\n"},
};

static bool is_as_wanted(const char *got, const char *wanted)
{
	size_t len = strlen(wanted);

	return wanted[len - 1] == '\n' ? strcmp(got, wanted) == 0
				       : strncmp(got, wanted, len) == 0;
}

static void every_error_is_reported_with_its_place(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config c;
		struct buf got = {0};
		int rc = config_parse(bad[i].text, strlen(bad[i].text), &c, &errs);

		if (rc == 0)
			config_deinit(&c);
		for (unsigned e = 0; e < errs.n; e++)
			buf_printf(&got, "%u:%u %s\n", errs.error[e].line,
				   errs.error[e].column, errs.error[e].text);
		if (rc == 0 || !is_as_wanted(buf_text(&got), bad[i].errors)) {
			print_message("# text:\n%s# wanted:\n%s# got (%d):\n%s",
				      bad[i].text, bad[i].errors, rc, buf_text(&got));
			failed++;
		}
		buf_free(&got);
	}
	assert_int_equal(failed, 0);
}

static void errors_beyond_the_table_are_counted(void **state)
{
	struct buf text = {0};
	struct config c;

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "unknown_%d: 1\n", i);
	assert_int_equal(config_parse(buf_text(&text), text.len, &c, &errs), -EINVAL);
	assert_int_equal(errs.n, CONFIG_ERRORS_MAX);
	assert_int_equal(errs.dropped, 100 - CONFIG_ERRORS_MAX);
	buf_free(&text);
}

static void a_text_that_is_too_large_is_refused(void **state)
{
	char *text = malloc(CONFIG_BYTES_MAX + 1);
	struct config c;

	(void)state;
	memset(text, '#', CONFIG_BYTES_MAX + 1);
	assert_int_equal(config_parse(text, CONFIG_BYTES_MAX + 1, &c, &errs),
			 -EMSGSIZE);
	assert_int_equal(config_parse(text, CONFIG_BYTES_MAX, &c, &errs), 0);
	config_deinit(&c);
	free(text);
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
		cmocka_unit_test(the_built_in_text_is_every_default),
		cmocka_unit_test(the_built_in_text_describes_every_key),
		cmocka_unit_test(the_demo_runs_a_simulated_exchange),
		cmocka_unit_test(an_empty_text_is_all_defaults),
		cmocka_unit_test(values_arrive_exactly),
		cmocka_unit_test(what_is_printed_reads_back_the_same),
		cmocka_unit_test(every_error_is_reported_with_its_place),
		cmocka_unit_test(errors_beyond_the_table_are_counted),
		cmocka_unit_test(a_text_that_is_too_large_is_refused),
		cmocka_unit_test(ten_thousand_tickers_are_read_and_sorted),
		cmocka_unit_test(a_difference_says_whether_a_reload_is_enough),
		cmocka_unit_test(a_file_that_others_may_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
