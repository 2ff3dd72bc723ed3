/* config_errors_test - every mistake is found, named and placed, all at once. */
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

static struct config_errors errs;

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
	{"vendors: {acme: }\n", "1:11 vendors.acme: adapter is missing (alpaca, "
				"polygon, databento, yahoo)\n"},
	{"vendors: {a: {adapter: acme}}\n",
	 "1:24 adapter: 'acme' is not one of alpaca, polygon, databento, yahoo\n"},
	{"vendors: {Alpaca: }\n",
	 "1:11 'Alpaca' is not a vendor's name [a-z0-9._-]{1,16}\n"},
	{"vendors: {yahoo: {base_url: \"http://x\"}}\n",
	 "1:11 vendors.yahoo: base_url is not https://, and fetch.plain_http is "
	 "false\n"},
	{"vendors: {yahoo: {base_url: \"https://key@x\"}}\n",
	 "1:29 base_url: 'https://key@x' is not off or https://HOST[:PORT]\n"},
	{"vendors: {yahoo: {request: 5}}\n",
	 "1:19 there is no key request; did you mean requests?\n"},
	{"vendors: {yahoo: 5}\n", "1:18 vendors.yahoo: it is a section, not a value\n"},
	{"credentials: keys\n",
	 "1:14 credentials: 'keys' is not off or an absolute path\n"},
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
	{"trace: {otlp: \"wss://127.0.0.1:4318\"}\n",
	 "1:15 trace.otlp: 'wss://127.0.0.1:4318' is not http:// or https://\n"},
	{"trace: {otlp: \"http://127.0.0.1:4318\", steps: 0}\n",
	 "1:15 trace.otlp: it needs trace.steps above 0\n"},
	{"trace: {otlp: \"http://me:key@example.com/v1/traces\"}\n",
	 "1:15 trace.otlp: 'http://me:key@example.com/v1/traces' is not off or "
	 "https://HOST[:PORT]\n"},
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
	{"defaults: {indicators: [rsx(14)]}\n",
	 "1:24 indicators: there is no indicator 'rsx'; `tickbusctl "
	 "indicators --list` names them\n"},
	{"defaults: {indicators: [\"rsi(14\"]}\n",
	 "1:24 indicators: indicator rsi: no ')' at its end\n"},
	{"defaults: {indicators: [rsi(1)]}\n",
	 "1:24 indicators: indicator rsi: n is 1; it takes whole numbers from "
	 "2 to 10000\n"},
	{"defaults: {indicators: [rsi(14.5)]}\n",
	 "1:24 indicators: indicator rsi: n is 14.5; it takes whole numbers "
	 "from 2 to 10000\n"},
	{"defaults: {indicators: [\"bbands(20,1001)\"]}\n",
	 "1:24 indicators: indicator bbands: k is 1001; it takes numbers from "
	 "0 to 1000\n"},
	{"defaults: {indicators: [rsi(nan)]}\n",
	 "1:24 indicators: indicator rsi: 'nan' is no number for n\n"},
	{"defaults: {indicators: [\"macd(,)\"]}\n",
	 "1:24 indicators: indicator macd: '' is no number for fast\n"},
	{"defaults: {indicators: [\"rsi(14,2)\"]}\n",
	 "1:24 indicators: indicator rsi: '2' is one too many; it takes 1\n"},
	{"defaults: {indicators: [rsi(m=14)]}\n",
	 "1:24 indicators: indicator rsi: it has no parameter 'm'\n"},
	{"defaults: {indicators: [rsi(flavour=wilder)]}\n",
	 "1:24 indicators: indicator rsi: it has no flavour 'wilder', only "
	 "talib and pandas\n"},
	{"defaults: {indicators: [obv(flavour=pandas)]}\n",
	 "1:24 indicators: indicator obv: it has no flavour 'pandas', only "
	 "talib\n"},
	{"defaults: {indicators: [vwap(flavour=talib)]}\n",
	 "1:24 indicators: indicator vwap: it has no flavour 'talib', only "
	 "pandas\n"},
	{"defaults: {indicators: [\"rsi(14)@7m\"]}\n",
	 "1:24 indicators: '7m' is not a timeframe (1s 5s"},
	{"defaults: {indicators: [rsi, sma(20), \"rsi(14)\"]}\n",
	 "1:24 indicators: rsi(14) is named twice\n"},
	{"defaults: {indicators: "
	 "[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]}\n",
	 "1:24 indicators: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is "
	 "too long\n"},
	{"defaults: {indicators: [sma(1), sma(2), sma(3), sma(4), sma(5), sma(6), "
	 "sma(7), sma(8), sma(9), sma(10), sma(11), sma(12), sma(13), sma(14), "
	 "sma(15), sma(16), sma(17)]}\n",
	 "1:24 indicators: the list is longer than 16\n"},
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
	{"tickers: {aapl: {}}\n",
	 "1:11 'aapl' is not a symbol [A-Z0-9._:/=%-]{1,32}\n"},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_is_reported_with_its_place),
		cmocka_unit_test(errors_beyond_the_table_are_counted),
		cmocka_unit_test(a_text_that_is_too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
