/* framerow_test - what was published becomes rows, each where it belongs, once. */
#include "archive/framerow_test.h"
#include "archive/layout.h"
#include <errno.h>

#define TICK_DAY "ticks/symbol=AAPL/year=2026/month=01/day=05"

static void every_kind_lies_in_its_folder_and_comes_back_by_its_view(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_put p;
	struct buf bulk = {0};

	test_samples(&bulk);
	p = test_frames(a, &bulk, "{\"2\": \"sim\"}");
	assert_int_equal(p.rows, 8);
	assert_int_equal(p.added, 8);
	assert_int_equal(p.files, 5);
	assert_int_equal(
		test_one(a,
			 "SELECT count(*) FROM ticks WHERE symbol = 'AAPL' AND year = "
			 "2026 AND month = 1 AND day = 5 AND position = 1001 AND price "
			 "= "
			 "187.25 AND size = 100 AND bid = 187.24 AND ask IS NULL AND "
			 "bid_size = 2.5 AND source = 'sim' AND source_sequence = 55 "
			 "AND "
			 "conditions = '@ I' AND action = 'new' AND flags = 1 AND "
			 "epoch_ns(timestamp) = 1767623400500000000 AND "
			 "epoch_ns(received) "
			 "= 1767623400500001000"),
		1);
	assert_int_equal(test_one(a, "SELECT count(*) FROM bars_1m"), 1);
	assert_int_equal(
		test_one(
			a,
			"SELECT count(*) FROM features WHERE symbol = 'AAPL' AND "
			"timeframe_s = 60 AND revision = 1 AND is_warm = 127 AND "
			"feature_version = '0123456789abcdef' AND rolling_return_3 = 0 "
			"AND rolling_return_6 = 0.25 AND vol_6 IS NULL AND "
			"rolling_return_6_norm = -0.5 AND bar_sequence = 9 AND "
			"ml_ready"),
		1);
	assert_int_equal(
		test_one(a,
			 "SELECT count(*) FROM matrices WHERE universe = 'tech' AND "
			 "version = 5 AND symbol_a = 'MSFT' AND symbol_b = 'AAPL' AND "
			 "correlation = -0.25 AND n_obs_a = 120 AND method = 'pearson' "
			 "AND status = 'provisional' AND reason = 'included'"),
		1);
	assert_int_equal(test_one(a, "SELECT count(*) FROM matrices WHERE symbol_a = "
				     "'BTC/USD' AND correlation IS NULL AND reason = "
				     "'lagging'"),
			 1);
	assert_int_equal(test_one(a, "SELECT count(*) FROM matrices"), 4);
	archive_close(a);
	buf_free(&bulk);
}

static void the_same_frames_twice_leave_the_same_bytes(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_check c;
	struct archive_put p;
	struct buf bulk = {0};
	char path[600];
	char before[65];
	char after[65];

	test_samples(&bulk);
	test_frames(a, &bulk, NULL);
	snprintf(path, sizeof(path), "%s/" TICK_DAY "/data.parquet", (char *)*state);
	assert_int_equal(layout_hash(path, before), 0);
	test_samples(&bulk); /* and twice in one put */
	p = test_frames(a, &bulk, NULL);
	assert_int_equal(p.rows, 16);
	assert_int_equal(p.added, 0);
	assert_int_equal(p.unchanged, 5);
	assert_int_equal(layout_hash(path, after), 0);
	assert_string_equal(before, after);
	assert_int_equal(archive_verify(a, true, &c), 0);
	assert_int_equal(c.files, 5);
	assert_int_equal(c.rows, 8);
	assert_int_equal(c.bad, 0);
	archive_close(a);
	buf_free(&bulk);
}

/* Each edition is a row of its own, and what stands in it is text whatever came. */
static void news_say_what_the_event_said(void **state)
{
	struct archive *a = test_open(*state, true);
	struct event_news e = sample_news();
	struct buf bulk = {0};

	test_add(&bulk, EVENT_NEWS, &e);
	e.head.pos++;
	e.head.seq++;
	e.edition = 3;
	e.flags = NEWS_REPEAT | NEWS_CUT | NEWS_LATE;
	e.average = __builtin_nan("");
	memset(e.headline, 'x', sizeof(e.headline));
	memcpy(e.headline, "\xff\xe2\x82", 3);
	memset(e.url, 0, sizeof(e.url));
	test_add(&bulk, EVENT_NEWS, &e);
	test_frames(a, &bulk, "{\"2\": \"wire\"}");
	assert_int_equal(
		test_one(a,
			 "SELECT count(*) FROM news WHERE symbol = 'AAPL' AND year = "
			 "2026 AND month = 1 AND position = 1013 AND sequence = 6 AND "
			 "source = 'wire' AND source_id = 2 AND article = "
			 "'0123456789abcdef' AND id = '44123' AND edition = 2 AND "
			 "is_update AND NOT is_repeat AND NOT is_late AND NOT is_cut "
			 "AND headline = 'Apple \"beats\" \xe2\x82\xac targets' AND "
			 "url = "
			 "'https://example.com/a' AND publisher = 'Wire' AND n_symbols "
			 "= 2 AND compound = 0.4215 AND pos_share = 0.25 AND neu_share "
			 "= 0.75 AND neg_share = 0 AND lexicon = "
			 "'finance-1+vader.0123456789abcdef' AND window_s = 86400 AND "
			 "half_life_s = 3600 AND articles = 4 AND average = 0.125 AND "
			 "weighted = 0.25 AND positive = 0.5 AND negative = 0.25 AND "
			 "epoch_ns(timestamp) - epoch_ns(published) = 60000000000 AND "
			 "received > timestamp AND chain = '0000000000000000'"),
		1);
	assert_int_equal(
		test_one(
			a,
			"SELECT count(*) FROM news WHERE edition = 3 AND is_repeat AND "
			"is_late AND is_cut AND NOT is_update AND average IS NULL AND "
			"url = '' AND strlen(headline) = 256 AND headline LIKE "
			"'???xxx%'"),
		1);
	assert_int_equal(test_one(a, "SELECT count(*) FROM news"), 2);
	archive_close(a);
	buf_free(&bulk);
}

/* A view holds a vector's newest revision and the newest matrix of each time; what was
   in an older matrix alone is not in it. */
static void a_view_has_the_newest_word_alone(void **state)
{
	struct archive *a = test_open(*state, true);
	struct event_tier1 v = sample_tier1();
	struct sample_matrix m = sample_matrix();
	struct buf bulk = {0};

	test_add(&bulk, EVENT_TIER1, &v);
	v.bar_revision++;
	v.value[0] = 7;
	test_add(&bulk, EVENT_TIER1, &v);
	test_add(&bulk, EVENT_TIER2, &m);
	m.e.head.seq++;
	m.e.n_included = 1;
	m.member[2].reason = TIER2_BLIND;
	test_add(&bulk, EVENT_TIER2, &m);
	test_frames(a, &bulk, NULL);
	assert_int_equal(test_one(a, "SELECT count(*) FROM features"), 1);
	assert_int_equal(test_one(a, "SELECT rolling_return_3::BIGINT FROM features"),
			 7);
	assert_int_equal(test_one(a, "SELECT count(*) FROM matrices"), 3);
	assert_int_equal(test_one(a, "SELECT count(*) FROM matrices WHERE version = 6"),
			 3);
	archive_close(a);
	buf_free(&bulk);
}

/* Ticks of two days, handed over backwards: a file each, in the order of the log. */
static void ticks_lie_by_day_in_the_order_of_the_log(void **state)
{
	struct archive *a = test_open(*state, true);
	struct event_tick t = sample_tick();
	struct archive_put p;
	struct buf bulk = {0};
	char sql[700];

	for (uint64_t i = 10; i-- > 0;) {
		t.head.pos = i + 1;
		t.head.event_ns = SAMPLE_NS + (int64_t)(i / 5) * DAY_NS;
		test_add(&bulk, EVENT_TICK, &t);
	}
	p = test_frames(a, &bulk, NULL);
	assert_int_equal(p.files, 2);
	assert_int_equal(p.added, 10);
	assert_int_equal(
		test_one(a, "SELECT count(*) FROM ticks WHERE day = 6 AND position "
			    "> 5 AND source IS NULL AND source_id = 2"),
		5);
	snprintf(
		sql, sizeof(sql),
		"SELECT count(*) FROM (SELECT position - lag(position) OVER () AS step "
		"FROM read_parquet('%s/" TICK_DAY "/data.parquet')) WHERE step <> 1",
		(char *)*state);
	assert_int_equal(test_one(a, sql), 0);
	archive_close(a);
	buf_free(&bulk);
}

static void views_without_files_are_there_and_empty(void **state)
{
	struct archive *a = test_open(*state, true);

	assert_int_equal(test_one(a, "SELECT count(vwap) FROM bars_4h"), 0);
	assert_int_equal(test_one(a, "SELECT count(price) FROM ticks WHERE day = 1"),
			 0);
	assert_int_equal(test_one(a, "SELECT count(vol_6_norm) FROM features"), 0);
	assert_int_equal(test_one(a, "SELECT count(universe) FROM matrices"), 0);
	assert_int_equal(test_one(a, "SELECT count(headline) FROM news"), 0);
	archive_close(a);
}

static void refused(struct archive *a, const struct buf *bulk, const char *why)
{
	struct framerow_sum got;

	assert_int_equal(framerow_stage(a, bulk->data, bulk->len, NULL, &got), -EINVAL);
	if (!strstr(err_text(), why))
		fail_msg("'%s' does not say '%s'", err_text(), why);
	archive_put_drop(a);
}

static void what_cannot_be_kept_is_refused_with_a_sentence(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_check c;
	struct sample_matrix m = sample_matrix();
	struct event_tick t = sample_tick();
	struct event_tier1 v = sample_tier1();
	struct buf bulk = {0};

	test_add(&bulk, EVENT_TICK, &t);
	bulk.len--;
	refused(a, &bulk, "of which");
	bulk.len = 3;
	refused(a, &bulk, "behind the last frame");
	bulk.len = 0;
	t.symbol[0] = 'a';
	test_add(&bulk, EVENT_TICK, &t);
	refused(a, &bulk, "no symbol");
	bulk.len = 0;
	v.timeframe_s = 7;
	test_add(&bulk, EVENT_TIER1, &v);
	refused(a, &bulk, "no timeframe");
	v.timeframe_s = 60;
	v.head.event_ns = INT64_MIN;
	bulk.len = 0;
	test_add(&bulk, EVENT_TIER1, &v);
	refused(a, &bulk, "out of range");
	m.e.universe[0] = '/';
	bulk.len = 0;
	test_add(&bulk, EVENT_TIER2, &m);
	refused(a, &bulk, "no universe");
	m.e.universe[0] = 't';
	m.member[1].reason = TIER2_INCLUDED;
	bulk.len = 0;
	test_add(&bulk, EVENT_TIER2, &m);
	refused(a, &bulk, "names 3");
	assert_int_equal(archive_verify(a, true, &c), 0);
	assert_int_equal(c.files, 0);
	archive_close(a);
	buf_free(&bulk);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(every_kind_lies_in_its_folder_and_comes_back_by_its_view),
		IN_DIR(the_same_frames_twice_leave_the_same_bytes),
		IN_DIR(news_say_what_the_event_said),
		IN_DIR(a_view_has_the_newest_word_alone),
		IN_DIR(ticks_lie_by_day_in_the_order_of_the_log),
		IN_DIR(views_without_files_are_there_and_empty),
		IN_DIR(what_cannot_be_kept_is_refused_with_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
