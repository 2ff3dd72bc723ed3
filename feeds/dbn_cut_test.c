/* dbn_cut_test - streams in every cut, stopped anywhere, and damaged. */
#include "feeds/dbn_keep_test.h"

static void mixed(struct buf *b, uint8_t version, bool has_ts_out)
{
	static const int64_t ohlc[] = {1, 2, 3, 4};
	struct make_head h = {.version = version,
			      .schema = DBN_SCHEMA_MIXED,
			      .has_ts_out = has_ts_out,
			      .maps = maps,
			      .n_maps = 3,
			      .not_found = missing,
			      .n_not_found = 1};
	struct buf plain = {0};

	make_metadata(b, &h);
	make_trade(&plain, NVDA, T_NS, 5 * E9, 1, 1);
	make_level(make_book(&plain, 0x01, 80, AAPL, T_NS, 2), E9, 2 * E9, 3, 4);
	make_mapping(&plain, version, 7, "ESH1", "ESH1");
	make_book(&plain, 0x0a, 368, NVDA, T_NS, 3);
	make_message(&plain, version, 0x17, 0, "Heartbeat");
	make_bar(&plain, 0x22, 7, T_NS, ohlc, 9);
	make_record(&plain, 0x13, 400, NVDA, T_NS);
	make_trade(&plain, 7, T_NS + 1, 6 * E9, 2, 4);
	make_trade(&plain, 8, T_NS + 1, 6 * E9, 2, 5);
	for (size_t at = 0; at < plain.len;) {
		size_t n = plain.data[at] * 4u;
		uint8_t *copy = buf_reserve(b, n + 8);

		memcpy(copy, plain.data + at, n);
		if (has_ts_out) {
			copy[0] += 2;
			memset(copy + n, 0xab, 8);
		}
		b->len += n + (has_ts_out ? 8 : 0);
		at += n;
	}
	buf_free(&plain);
}

static void any_cut_and_a_time_of_sending_change_nothing(void **state)
{
	const struct dbn_params p = {.take = DBN_TICKS | DBN_BARS};

	(void)state;
	for (uint8_t version = 1; version <= 3; version++) {
		struct buf b = {0}, longer = {0};

		mixed(&b, version, false);
		assert_int_equal(read_cut(&b, &p, b.len), 0);
		assert_int_equal(got.keep.ticks, 3);
		assert_int_equal(got.bars, 1);
		assert_int_equal(got.messages, 1);
		assert_int_equal(got.keep.bad, 1);
		typeof(got) whole = got;

		for (size_t cut = 0; cut < b.len; cut++) {
			assert_int_equal(read_cut(&b, &p, cut), 0);
			assert_memory_equal(&got, &whole, sizeof(got));
		}
		mixed(&longer, version, true);
		for (size_t cut = 0; cut < longer.len; cut++) {
			assert_int_equal(read_cut(&longer, &p, cut), 0);
			assert_memory_equal(got.keep.tick, whole.keep.tick,
					    sizeof(whole.keep.tick));
			assert_memory_equal(got.bar, whole.bar, sizeof(whole.bar));
			assert_true(got.meta.has_ts_out);
		}
		buf_free(&b);
		buf_free(&longer);
	}
}

static void a_sink_may_stop_behind_any_record(void **state)
{
	const struct dbn_params p = {.take = DBN_TRADES};
	struct buf b = {0};
	struct dbn *d;
	size_t at = 0;
	int stops = 0;

	(void)state;
	mixed(&b, 3, false);
	assert_int_equal(dbn_new(&p, &d), 0);
	while (at < b.len) {
		struct feed_sink one = keep_sink(&got.keep);
		struct dbn_sink stopping = {
			.arg = one.arg, .tick = keep_tick, .bad = keep_bad};
		size_t used;

		got.keep.stop_at = 1;
		stops += dbn_read(d, &stopping, b.data + at, b.len - at, &used) == -1;
		at += used;
	}
	assert_int_equal(stops, 2);
	assert_int_equal(dbn_end(d), 0);
	assert_int_equal(dbn_counts(d)->ticks, 2);
	assert_int_equal(dbn_count_of(d, 0x00), 3);
	dbn_free(d);
	buf_free(&b);
}

/* What is damaged, and the sentence about it; the first record begins at byte 880. */
static const struct {
	unsigned at, n;
	uint64_t value;
	const char *why;
} damages[] = {
	{0, 1, 'X', "this is no DBN: it begins with bytes 58 42 4e"},
	{3, 1, 4, "DBN version 4 is not known; 1 to 3 are"},
	{3, 1, 0, "DBN version 0 is not known; 1 to 3 are"},
	{4, 4, 0xfffffff0,
	 "the DBN metadata says it is 4294967280 bytes long; 16777216 are the most"},
	{4, 4, 103, "the DBN metadata is 103 bytes long; 104 are the least"},
	{53, 2, 0, "the DBN metadata has symbols of 0 bytes; 22 to 255 are possible"},
	{108, 4, 0xffffffff,
	 "the DBN metadata says it has 4294967295 bytes of a schema definition, which "
	 "its "
	 "length has no room for"},
	{112, 4, 0x10000000,
	 "the DBN metadata says it has 268435456 symbols, which its length has no room "
	 "for"},
	{408, 4, 5000,
	 "the DBN metadata says it has 5000 mappings, which its length has no room "
	 "for"},
	{483, 4, 5000,
	 "the DBN metadata says it has 5000 intervals of a mapping, which its length "
	 "has "
	 "no room for"},
	{487, 4, 20201328,
	 "the DBN metadata maps 'NVDA' from 20201328 to 20201229, which are no dates"},
	{880, 1, 0, "DBN record 1 at byte 880 has length 0; its header alone has 16"},
	{928, 1, 3, "DBN record 2 at byte 928 has length 12; its header alone has 16"},
	{928, 1, 10,
	 "DBN record 2, which ends at byte 968, is 40 bytes long; those of kind 0x00 "
	 "have "
	 "48"},
};

static void two_trades(struct buf *b)
{
	head(b, 3, 4);
	assert_int_equal(b->len, 880);
	make_trade(b, NVDA, T_NS, E9, 1, 1);
	make_trade(b, NVDA, T_NS, E9, 1, 2);
}

static void damage_is_told_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		struct buf b = {0};

		two_trades(&b);
		make_at(b.data, damages[i].at, damages[i].value, damages[i].n);
		assert_int_equal(read_all(&b, DBN_TICKS), -EBADMSG);
		assert_string_equal(err_text(), damages[i].why);
		buf_free(&b);
	}
}

static void a_stream_that_is_cut_off_says_where(void **state)
{
	struct buf b = {0};

	(void)state;
	two_trades(&b);
	b.len -= 5;
	assert_int_equal(read_all(&b, DBN_TICKS), -EBADMSG);
	assert_string_equal(err_text(),
			    "the DBN data is cut off: it ends inside record 2, which "
			    "begins at byte 928, after 43 of its 48 bytes");
	assert_int_equal(got.keep.ticks, 1);
	b.len = 60;
	assert_int_equal(read_all(&b, DBN_TICKS), -EBADMSG);
	assert_string_equal(err_text(), "the DBN data is cut off: it ends inside the "
					"metadata, after 60 bytes");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut_and_a_time_of_sending_change_nothing),
		cmocka_unit_test(a_sink_may_stop_behind_any_record),
		cmocka_unit_test(damage_is_told_with_its_place),
		cmocka_unit_test(a_stream_that_is_cut_off_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
