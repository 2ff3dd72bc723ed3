#include "base/clock.h"
#include "base/json.h"
#include "proto/event_json.h"
#include "proto/sample_test.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct event_json_ctx ctx = {
	.epoch = 3, .publish_ns = SAMPLE_NS + 2000, .source = "sim"};

static void is_line(const char *line, size_t len, const char *want)
{
	struct json *root;

	assert_int_equal(len, strlen(want));
	assert_memory_equal(line, want, len);
	assert_null(memchr(line, '\n', len));
	assert_int_equal(json_parse(line, len, &root), 0);
	json_free(root);
}

static void a_tick_prints_exact_numbers(void **state)
{
	struct event_tick e = sample_tick();
	char line[EVENT_JSON_MAX];

	(void)state;
	is_line(line, event_json_tick(line, &e, &ctx),
		"{\"event\":\"TICK_RECEIVED\",\"symbol\":\"AAPL\","
		"\"time\":\"2026-01-05T14:30:00.500000000Z\",\"price\":187.25,\"size\":"
		"100,"
		"\"bid\":187.24,\"ask\":null,\"bid_size\":2.5,\"ask_size\":null,"
		"\"source\":\"sim\",\"source_seq\":55,\"action\":\"new\",\"cond\":\"@ "
		"I\","
		"\"flags\":[\"no_last\"],\"seq\":7,\"pos\":1001,"
		"\"recv_time\":\"2026-01-05T14:30:00.500001000Z\","
		"\"publish_time\":\"2026-01-05T14:30:00.500002000Z\",\"epoch\":3}");
}

/* The second's text is reused inside a line: not across seconds, nor before 1970. */
static void times_of_different_seconds_stay_apart(void **state)
{
	struct event_tick e = sample_tick();
	struct event_json_ctx other = ctx;
	char line[EVENT_JSON_MAX + 1];

	(void)state;
	e.head.event_ns = -1;
	e.head.recv_ns = -NS_PER_S;
	other.publish_ns = 7;
	line[event_json_tick(line, &e, &other)] = '\0';
	assert_non_null(strstr(line, "\"time\":\"1969-12-31T23:59:59.999999999Z\""));
	assert_non_null(strstr(line, "\"recv_time\":\"1969-12-31T23:59:59Z\""));
	assert_non_null(
		strstr(line, "\"publish_time\":\"1970-01-01T00:00:00.000000007Z\""));
	e.head.event_ns = INT64_MIN + 1;
	e.head.recv_ns = INT64_MIN;
	line[event_json_tick(line, &e, &other)] = '\0';
	assert_non_null(strstr(line, "\"time\":\"1677-09-21T00:12:43.145224193Z\""));
	assert_non_null(strstr(line, "\"recv_time\":null"));
}

static void conditions_are_quoted_as_json_wants(void **state)
{
	struct event_tick e = sample_tick();
	char line[EVENT_JSON_MAX];
	struct json *root;
	size_t len;

	(void)state;
	memcpy(e.cond, "\"\\\n\x01\xff\x7f}{", 8);
	e.action = TICK_CORRECT;
	e.ref_seq = 3;
	len = event_json_tick(line, &e, &ctx);
	assert_int_equal(json_parse(line, len, &root), 0);
	assert_memory_equal(json_str(json_get(root, "cond"), ""), "\"\\\n\x01", 4);
	assert_string_equal(json_str(json_get(root, "action"), ""), "correct");
	assert_true(json_num(json_get(root, "ref_seq"), 0) == 3);
	json_free(root);
}

static void a_bar_begins_with_the_fifteen_columns(void **state)
{
	struct event_bar e = sample_bar();
	char line[EVENT_JSON_MAX];

	(void)state;
	is_line(line, event_json_bar(line, &e, &ctx),
		"{\"timestamp_utc\":\"2026-01-05T14:30:00.500000000Z\",\"symbol\":"
		"\"AAPL\","
		"\"timeframe\":\"1m\",\"open\":187,\"high\":188.000000001,\"low\":186."
		"5,"
		"\"close\":187.5,\"volume\":1234.5,\"log_return_1\":0.001,"
		"\"spread_estimate\":null,\"is_missing\":false,\"is_outlier\":false,"
		"\"valid_bar\":true,\"source_id\":\"sim\",\"schema_version\":2,"
		"\"bar_start\":\"2026-01-05T14:29:00.500000000Z\",\"revision\":1,"
		"\"final\":true,\"state\":\"TRADED\",\"vwap\":187.1,\"trade_count\":12,"
		"\"spread_method\":\"none\",\"outlier_reason\":[],"
		"\"event\":\"NORMALIZED_BAR_READY\",\"cause\":\"late_trade\","
		"\"price_type\":\"last\",\"partial\":false,\"crossed\":false,"
		"\"halted\":false,\"late_ticks\":1,\"first_pos\":900,\"last_pos\":1001,"
		"\"chain\":\"0000000000000000\","
		"\"seq\":9,\"pos\":1010,\"recv_time\":\"2026-01-05T14:30:00."
		"500001000Z\","
		"\"publish_time\":\"2026-01-05T14:30:00.500002000Z\",\"epoch\":3}");
}

static void volumes_beyond_64_bits_are_printed_exactly(void **state)
{
	struct event_bar e = sample_bar();
	char line[EVENT_JSON_MAX + 1];

	(void)state;
	e.volume_lo = 1;
	e.volume_hi = 1;
	e.open_e9 = VALUE_NULL;
	e.outlier_reason = OUTLIER_JUMP | OUTLIER_MAD;
	line[event_json_bar(line, &e, &ctx)] = '\0';
	assert_non_null(
		strstr(line, "\"volume\":184467440737.09551617,")); /* 2^64 + 1 */
	assert_non_null(strstr(line, "\"open\":null,"));
	assert_non_null(strstr(line, "\"outlier_reason\":[\"jump\",\"mad\"],"));
	e.volume_lo = UINT64_MAX; /* -1 */
	e.volume_hi = -1;
	line[event_json_bar(line, &e, &ctx)] = '\0';
	assert_non_null(strstr(line, "\"volume\":-0.00000001,"));
}

static unsigned n_members(const struct json *obj)
{
	const struct json *at = NULL;
	const char *key;
	unsigned n = 0;

	while ((at = json_next(obj, at, &key)))
		n++;
	return n;
}

static void a_vector_names_every_value(void **state)
{
	struct event_tier1 e = sample_tier1();
	char line[EVENT_JSON_MAX];
	const struct json *values, *norms;
	struct json *root;
	size_t len = event_json_tier1(line, &e, &ctx);

	(void)state;
	assert_int_equal(json_parse(line, len, &root), 0);
	values = json_get(root, "values");
	norms = json_get(root, "norms");
	assert_int_equal(n_members(values), TIER1_N);
	assert_int_equal(n_members(norms), TIER1_ML_N);
	for (unsigned i = 0; i < TIER1_N; i++) {
		const struct json *v = json_get(values, tier1_name(i));

		assert_non_null(v);
		assert_int_equal(json_is_number(v), !isnan(e.value[i]));
		if (!isnan(e.value[i]))
			assert_true(json_num(v, -1) == e.value[i]);
	}
	assert_true(json_num(json_get(norms, "vol_6_norm"), 0) == -2.0);
	assert_string_equal(json_str(json_get(root, "feature_version"), ""),
			    "0123456789abcdef");
	assert_int_equal(json_len(json_get(root, "warm")), 7);
	assert_true(json_bool(json_get(root, "is_ml_ready"), false));
	json_free(root);
}

static void the_longest_vector_fits_its_line(void **state)
{
	struct event_tier1 e = sample_tier1();
	char line[EVENT_JSON_MAX];

	(void)state;
	for (unsigned i = 0; i < TIER1_N; i++)
		e.value[i] = -2.2250738585072014e-308;
	for (unsigned i = 0; i < TIER1_ML_N; i++)
		e.norm[i] = -2.2250738585072014e-308;
	e.warm = UINT64_MAX;
	e.head = (struct event_head){UINT64_MAX, UINT64_MAX, INT64_MIN + 1,
				     INT64_MIN + 1};
	e.bar_seq = e.bars_seen = UINT64_MAX;
	memset(e.symbol, 'X', sizeof(e.symbol));
	assert_in_range(event_json_tier1(line, &e, &ctx), 1, EVENT_JSON_MAX - 512);
}

static void a_matrix_is_one_object_with_rows(void **state)
{
	struct sample_matrix m = sample_matrix();
	struct buf b = {0};

	(void)state;
	event_json_tier2(&b, &m.e, m.member, m.triangle, &ctx);
	is_line((char *)b.data, b.len,
		"{\"event\":\"FEATURE_TIER2_READY\",\"universe\":\"tech\","
		"\"timeframe\":\"1m\","
		"\"version\":5,\"as_of\":\"2026-01-05T14:30:00.500000000Z\","
		"\"status\":\"provisional\",\"supersedes\":4,\"cause\":\"late_trade\","
		"\"window\":120,\"method\":\"pearson\",\"lambda\":null,"
		"\"price_type\":\"last\",\"universe_hash\":\"00000000000000aa\","
		"\"content_hash\":\"00000000000000bb\","
		"\"chain\":\"0000000000000000\",\"eigen_min\":0.5,"
		"\"psd_repaired\":false,\"frobenius_shift\":0,\"schema_version\":2,"
		"\"members\":["
		"{\"symbol\":\"AAPL\",\"reason\":\"included\",\"bar_seq\":9,"
		"\"bar_revision\":0,\"n_obs\":120},"
		"{\"symbol\":\"BTC/USD\",\"reason\":\"lagging\",\"bar_seq\":10,"
		"\"bar_revision\":0,\"n_obs\":120},"
		"{\"symbol\":\"MSFT\",\"reason\":\"included\",\"bar_seq\":11,"
		"\"bar_revision\":0,\"n_obs\":120}],"
		"\"matrix\":[[1],[-0.25,1]],\"pos\":1012,"
		"\"recv_time\":\"2026-01-05T14:30:00.500001000Z\","
		"\"publish_time\":\"2026-01-05T14:30:00.500002000Z\",\"epoch\":3}");
	buf_free(&b);
}

static void status_and_heartbeat_are_lines_too(void **state)
{
	struct event_status e = sample_status();
	struct frame_heartbeat hb = {
		.last_seq = 4, .pos = 9, .timeframe_s = 60, .symbol = "tech"};
	struct event_json_ctx nameless = {.epoch = 3, .publish_ns = SAMPLE_NS};
	char line[EVENT_JSON_MAX];

	(void)state;
	is_line(line, event_json_any(line, EVENT_STATUS, &e, &nameless),
		"{\"event\":\"SYMBOL_STATUS\",\"symbol\":\"AAPL\","
		"\"time\":\"2026-01-05T14:30:00.500000000Z\",\"state\":\"gap\","
		"\"detail\":17,"
		"\"source\":2,\"text\":\"silent \\\"long\\\"\","
		"\"chain\":\"0000000000000000\",\"seq\":2,\"pos\":1011,"
		"\"recv_time\":\"2026-01-05T14:30:00.500001000Z\","
		"\"publish_time\":\"2026-01-05T14:30:00.500000000Z\",\"epoch\":3}");
	is_line(line, event_json_heartbeat(line, &hb, EVENT_TIER2, &nameless),
		"{\"event\":\"HEARTBEAT\",\"kind\":\"tier2\",\"symbol\":\"tech\","
		"\"timeframe\":\"1m\",\"last_seq\":4,\"pos\":9,"
		"\"publish_time\":\"2026-01-05T14:30:00.500000000Z\",\"epoch\":3}");
	assert_int_equal(event_json_any(line, EVENT_JOB, &e, &nameless), 0);
}

static void news_is_a_line_too(void **state)
{
	struct event_news e = sample_news();
	struct event_json_ctx ctx = {
		.epoch = 3, .publish_ns = SAMPLE_NS, .source = "wire"};
	char line[EVENT_JSON_MAX];

	(void)state;
	is_line(line, event_json_any(line, EVENT_NEWS, &e, &ctx),
		"{\"event\":\"NEWS_SENTIMENT\",\"symbol\":\"AAPL\","
		"\"time\":\"2026-01-05T14:30:00.500000000Z\","
		"\"article\":\"0123456789abcdef\",\"id\":\"44123\",\"edition\":2,"
		"\"flags\":[\"update\"],"
		"\"published\":\"2026-01-05T14:29:00.500000000Z\","
		"\"headline\":\"Apple \\\"beats\\\" \xe2\x82\xac targets\","
		"\"url\":\"https://example.com/a\",\"publisher\":\"Wire\","
		"\"source\":\"wire\",\"symbols\":2,\"compound\":0.4215,"
		"\"pos_share\":0.25,\"neu_share\":0.75,\"neg_share\":0,"
		"\"lexicon\":\"finance-1+vader.0123456789abcdef\",\"window\":86400,"
		"\"half_life\":3600,\"articles\":4,\"average\":0.125,"
		"\"weighted\":0.25,\"positive\":0.5,\"negative\":0.25,"
		"\"schema_version\":1,\"chain\":\"0000000000000000\",\"seq\":6,"
		"\"pos\":1013,\"recv_time\":\"2026-01-05T14:30:00.500001000Z\","
		"\"publish_time\":\"2026-01-05T14:30:00.500000000Z\",\"epoch\":3}");
	/* No name for the source, nothing in the window, every flag. */
	e.flags = NEWS_UPDATE | NEWS_REPEAT | NEWS_CUT | NEWS_LATE;
	e.average = e.weighted = e.positive = e.negative = NAN;
	e.articles = 0;
	e.chain = 0x1122334455667788;
	ctx.source = NULL;
	memset(e.url, 0, sizeof(e.url));
	is_line(line, event_json_any(line, EVENT_NEWS, &e, &ctx),
		"{\"event\":\"NEWS_SENTIMENT\",\"symbol\":\"AAPL\","
		"\"time\":\"2026-01-05T14:30:00.500000000Z\","
		"\"article\":\"0123456789abcdef\",\"id\":\"44123\",\"edition\":2,"
		"\"flags\":[\"update\",\"repeat\",\"cut\",\"late\"],"
		"\"published\":\"2026-01-05T14:29:00.500000000Z\","
		"\"headline\":\"Apple \\\"beats\\\" \xe2\x82\xac targets\","
		"\"url\":\"\",\"publisher\":\"Wire\",\"source\":2,\"symbols\":2,"
		"\"compound\":0.4215,\"pos_share\":0.25,\"neu_share\":0.75,"
		"\"neg_share\":0,\"lexicon\":\"finance-1+vader.0123456789abcdef\","
		"\"window\":86400,\"half_life\":3600,\"articles\":0,"
		"\"average\":null,\"weighted\":null,\"positive\":null,"
		"\"negative\":null,\"schema_version\":1,"
		"\"chain\":\"1122334455667788\",\"seq\":6,\"pos\":1013,"
		"\"recv_time\":\"2026-01-05T14:30:00.500001000Z\","
		"\"publish_time\":\"2026-01-05T14:30:00.500000000Z\",\"epoch\":3}");
	/* The longest texts, of what is escaped longest, fit. */
	memset(e.headline, '"', sizeof(e.headline));
	memset(e.url, 0x01, sizeof(e.url));
	memset(e.id, 0x01, sizeof(e.id));
	memset(e.publisher, 0x01, sizeof(e.publisher));
	assert_true(event_json_any(line, EVENT_NEWS, &e, &ctx) < EVENT_JSON_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tick_prints_exact_numbers),
		cmocka_unit_test(times_of_different_seconds_stay_apart),
		cmocka_unit_test(conditions_are_quoted_as_json_wants),
		cmocka_unit_test(a_bar_begins_with_the_fifteen_columns),
		cmocka_unit_test(volumes_beyond_64_bits_are_printed_exactly),
		cmocka_unit_test(a_vector_names_every_value),
		cmocka_unit_test(the_longest_vector_fits_its_line),
		cmocka_unit_test(a_matrix_is_one_object_with_rows),
		cmocka_unit_test(status_and_heartbeat_are_lines_too),
		cmocka_unit_test(news_is_a_line_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
