/* dbn_test - streams of our own making in three versions: what each kind becomes. */
#include "feeds/dbn_keep_test.h"

static void all_versions_say_what_they_are(void **state)
{
	(void)state;
	for (uint8_t version = 1; version <= 3; version++) {
		const struct dbn_params p = {.take = DBN_TICKS};
		char text[16], name[SYMBOL_MAX + 1];
		struct buf b = {0};
		struct dbn *d;
		size_t used;

		head(&b, version, 4);
		assert_int_equal(dbn_new(&p, &d), 0);
		assert_int_equal(dbn_read(d, &sink, b.data, b.len, &used), 0);
		assert_int_equal(dbn_end(d), 0);
		assert_int_equal(dbn_metadata(d)->version, version);
		assert_string_equal(dbn_metadata(d)->dataset, "TEST.DATA");
		assert_string_equal(dbn_schema_name(dbn_metadata(d)->schema, text),
				    "trades");
		assert_int_equal(dbn_metadata(d)->n_symbols, 3);
		assert_int_equal(dbn_metadata(d)->n_mappings, 3);
		assert_int_equal(dbn_counts(d)->bytes, b.len);
		assert_true(dbn_not_found(d, 0, name));
		assert_string_equal(name, "ZZZZZ");
		assert_false(dbn_not_found(d, 1, name));
		dbn_free(d);
		buf_free(&b);
	}
}

static void a_trade_keeps_every_digit(void **state)
{
	struct buf b = {0};
	const struct feed_tick *t = &got.keep.tick[0];

	(void)state;
	head(&b, 3, 4);
	make_trade(&b, NVDA, T_NS, 521000000001, 36, 362933);
	make_trade(&b, AAPL, T_NS + 1, -5, UINT32_MAX, UINT32_MAX);
	make_trade(&b, AAPL, T_NS + 2, INT64_MAX, 1, 7);
	assert_int_equal(read_all(&b, DBN_TICKS), 0);
	assert_int_equal(got.keep.ticks, 2);
	assert_string_equal(t->symbol, "NVDA");
	assert_int_equal(t->rec.type, RECORD_TICK);
	assert_int_equal(t->rec.event_ns, T_NS);
	assert_int_equal(t->arrival_ns, T_NS + 1000);
	assert_int_equal(t->rec.price_e9, 521000000001);
	assert_int_equal(t->rec.size_e8, 3600000000);
	assert_int_equal(t->rec.bid_e9, VALUE_NULL);
	assert_int_equal(t->rec.ask_size_e8, VALUE_NULL);
	assert_int_equal(t->rec.source_seq >> 32, 362933);
	assert_int_equal(t->rec.source_seq & 255, 0);
	assert_int_equal(t[1].rec.price_e9, -5);
	assert_int_equal(t[1].rec.size_e8, VALUE_NULL);
	assert_int_equal(got.counts.empty, 1);
	assert_int_equal(got.counts.records, 3);
	assert_int_equal(got.counts.index_ns, T_NS + 1002);
	buf_free(&b);
}

static void a_book_gives_its_best_bid_and_ask(void **state)
{
	static const struct {
		uint8_t rtype;
		unsigned len;
		bool is_at_receipt;
	} kinds[] = {{0x01, 80, false}, {0x0a, 368, false}, {0xb1, 80, false},
		     {0xc0, 80, true},  {0xc1, 80, true},   {0xc2, 80, false},
		     {0xc3, 80, true},  {0xc4, 80, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const struct feed_tick *t = &got.keep.tick[0];
		struct buf b = {0};
		uint8_t *r;

		head(&b, 2, 1);
		r = make_book(&b, kinds[i].rtype, kinds[i].len, NVDA,
			      kinds[i].is_at_receipt ? UINT64_MAX : (uint64_t)T_NS, 9);
		make_at(r, 32, T_NS + 5, 8);
		make_level(r, 100 * E9, 101 * E9, 3, 0);
		/* One-sided, and empty. */
		r = make_book(&b, kinds[i].rtype, kinds[i].len, NVDA, T_NS + 10, 10);
		make_level(r, INT64_MAX, 101 * E9, 0, 4);
		make_book(&b, kinds[i].rtype, kinds[i].len, NVDA, T_NS + 20, 11);
		assert_int_equal(read_all(&b, DBN_TICKS), 0);
		assert_int_equal(got.keep.ticks, 2);
		assert_int_equal(got.counts.empty, 1);
		assert_int_equal(t->rec.event_ns,
				 kinds[i].is_at_receipt ? T_NS + 5 : T_NS);
		assert_int_equal(t->rec.price_e9, VALUE_NULL);
		assert_int_equal(t->rec.bid_e9, 100 * E9);
		assert_int_equal(t->rec.ask_e9, 101 * E9);
		assert_int_equal(t->rec.bid_size_e8, 300000000);
		assert_int_equal(t->rec.ask_size_e8, 0);
		assert_int_equal(t[1].rec.bid_e9, VALUE_NULL);
		assert_int_equal(t[1].rec.bid_size_e8, VALUE_NULL);
		assert_int_equal(t[1].rec.ask_size_e8, 400000000);
		buf_free(&b);
	}
}

static void a_trade_in_a_book_counts_where_it_is_wanted(void **state)
{
	struct buf b = {0};
	uint8_t *r;

	(void)state;
	head(&b, 3, 3);
	r = make_book(&b, 0x01, 80, NVDA, T_NS, 9);
	make_level(r, 100 * E9, 101 * E9, 3, 4);
	make_at(r, 16, 101 * E9, 8);
	make_at(r, 24, 2, 4);
	make_at(r, 28, 'T', 1);
	assert_int_equal(read_all(&b, DBN_TRADES | DBN_QUOTES), 0);
	assert_int_equal(got.keep.ticks, 1);
	assert_int_equal(got.keep.tick[0].rec.price_e9, VALUE_NULL);
	assert_int_equal(read_all(&b, DBN_TICKS), 0);
	assert_int_equal(got.keep.tick[0].rec.price_e9, 101 * E9);
	assert_int_equal(got.keep.tick[0].rec.size_e8, 200000000);
	assert_int_equal(got.keep.tick[0].rec.bid_e9, 100 * E9);
	assert_int_equal(read_all(&b, DBN_BOOK_TRADES), 0);
	assert_int_equal(got.keep.tick[0].rec.bid_e9, VALUE_NULL);
	assert_int_equal(read_all(&b, DBN_TRADES | DBN_BARS), 0);
	assert_int_equal(got.keep.ticks, 0);
	assert_int_equal(got.counts.skipped, 1);
	buf_free(&b);
}

static void of_orders_only_trades_are_ticks(void **state)
{
	static const char actions[] = "AMCRTFN";
	struct buf b = {0};

	(void)state;
	head(&b, 1, 0);
	for (unsigned i = 0; i < 7; i++) {
		uint8_t *r = make_record(&b, 0xa0, 56, NVDA, T_NS);

		make_at(r, 24, 7 * E9, 8);
		make_at(r, 32, 5, 4);
		make_at(r, 38, (uint8_t)actions[i], 1);
		make_at(r, 40, T_NS + 3, 8);
		make_at(r, 52, 77, 4);
	}
	assert_int_equal(read_all(&b, DBN_TICKS), 0);
	assert_int_equal(got.keep.ticks, 1);
	assert_int_equal(got.counts.skipped, 6);
	assert_int_equal(got.keep.tick[0].rec.price_e9, 7 * E9);
	assert_int_equal(got.keep.tick[0].rec.size_e8, 500000000);
	assert_int_equal(got.keep.tick[0].rec.source_seq >> 32, 77);
	buf_free(&b);
}

static void halts_and_resumptions_are_ticks(void **state)
{
	static const uint16_t actions[] = {1, 7, 8, 9, 10, 11, 14};
	struct buf b = {0};

	(void)state;
	head(&b, 2, 11);
	for (unsigned i = 0; i < 7; i++) {
		uint8_t *r = make_record(&b, 0x12, 40, AAPL, T_NS + i);

		make_at(r, 16, T_NS + 100 + i, 8);
		make_at(r, 24, actions[i], 2);
	}
	assert_int_equal(read_all(&b, DBN_TICKS), 0);
	assert_int_equal(got.keep.ticks, 4);
	assert_int_equal(got.counts.skipped, 3);
	assert_int_equal(record_flags(&got.keep.tick[0].rec), TICK_RESUMED);
	for (int i = 1; i < 4; i++)
		assert_int_equal(record_flags(&got.keep.tick[i].rec), TICK_HALT);
	assert_int_equal(got.keep.tick[0].rec.price_e9, VALUE_NULL);
	assert_int_equal(got.keep.tick[0].rec.event_ns, T_NS + 1);
	buf_free(&b);
}

static void bars_of_four_lengths_begin_at_their_time(void **state)
{
	static const uint32_t steps_s[] = {1, 60, 3600, 86400};
	static const int64_t ohlc[] = {5, 9 * E9, -3, 4}, none[] = {5, INT64_MAX, 3, 4};
	struct buf b = {0};

	(void)state;
	head(&b, 3, 6);
	for (uint8_t i = 0; i < 4; i++)
		make_bar(&b, (uint8_t)(0x20 + i), NVDA, T_NS + i, ohlc, 1000);
	make_bar(&b, 0x21, NVDA, T_NS, ohlc, UINT64_MAX);
	make_bar(&b, 0x21, NVDA, T_NS, ohlc, UINT64_MAX / 2);
	make_bar(&b, 0x21, NVDA, T_NS, none, 1);
	make_bar(&b, 0x21, NVDA, UINT64_MAX, ohlc, 1);
	assert_int_equal(read_all(&b, DBN_BARS), 0);
	assert_int_equal(got.bars, 5);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(got.bar[i].step_s, steps_s[i]);
		assert_string_equal(got.bar[i].symbol, "NVDA");
		assert_int_equal(got.bar[i].bar.start_ns, T_NS + i);
		assert_int_equal(got.bar[i].bar.open_e9, 5);
		assert_int_equal(got.bar[i].bar.high_e9, 9 * E9);
		assert_int_equal(got.bar[i].bar.low_e9, -3);
		assert_int_equal(got.bar[i].bar.close_e9, 4);
		assert_int_equal(got.bar[i].bar.volume_e8, 100000000000);
		assert_int_equal(got.bar[i].bar.vwap_e9, VALUE_NULL);
		assert_int_equal(got.bar[i].bar.trades, VALUE_NULL);
	}
	assert_int_equal(got.bar[4].bar.volume_e8, VALUE_NULL);
	assert_int_equal(got.counts.empty, 1);
	assert_bad(&got.keep, 0, 6, "its volume is beyond 92 billion");
	assert_bad(&got.keep, 1, 8, "it has no time");
	assert_int_equal(read_all(&b, DBN_TICKS), 0);
	assert_int_equal(got.counts.skipped, 8);
	buf_free(&b);
}

static void a_number_is_the_symbol_of_its_day(void **state)
{
	struct buf b = {0};

	(void)state;
	head(&b, 3, 4);
	make_trade(&b, NVDA, T_NS, E9, 1, 1);
	make_trade(&b, NVDA, T_NS + DAY_NS, E9, 1, 1);
	make_trade(&b, NVDA, T_NS - DAY_NS, E9, 1, 1);
	make_trade(&b, AAPL, T_NS + DAY_NS, E9, 1, 1);
	make_trade(&b, 99, T_NS, E9, 1, 1);
	make_trade(&b, NVDA, T_NS, E9, 1, 2);
	assert_int_equal(read_all(&b, DBN_TICKS), 0);
	assert_int_equal(got.keep.ticks, 3);
	assert_string_equal(got.keep.tick[0].symbol, "NVDA");
	assert_string_equal(got.keep.tick[1].symbol, "BRK.B");
	assert_string_equal(got.keep.tick[2].symbol, "NVDA");
	assert_bad(&got.keep, 0, 3,
		   "instrument 6155 has no symbol at 2020-12-27T09:05:12.576691768Z");
	assert_bad(&got.keep, 2, 5,
		   "instrument 99 has no symbol at 2020-12-28T09:05:12.576691768Z");
	buf_free(&b);
}

static void symbols_may_have_been_asked_for_by_number(void **state)
{
	const struct make_head h = {.version = 3,
				    .schema = 4,
				    .by_number = true,
				    .maps = maps,
				    .n_maps = 2};
	struct buf b = {0};

	(void)state;
	make_metadata(&b, &h);
	make_trade(&b, AAPL, T_NS, E9, 1, 1);
	assert_int_equal(read_all(&b, DBN_TICKS), 0);
	assert_int_equal(got.keep.ticks, 1);
	assert_string_equal(got.keep.tick[0].symbol, "AAPL");
	buf_free(&b);
}

static void live_names_replace_each_other(void **state)
{
	(void)state;
	for (uint8_t version = 1; version <= 2; version++) {
		const struct make_head h = {.version = version,
					    .schema = DBN_SCHEMA_MIXED};
		struct buf b = {0};

		make_metadata(&b, &h);
		make_trade(&b, 7, T_NS, E9, 1, 1);
		make_mapping(&b, version, 7, "ES.c.0", "ESH1");
		make_trade(&b, 7, T_NS, E9, 1, 2);
		make_mapping(&b, version, 7, "ESM1", "7");
		make_trade(&b, 7, T_NS, E9, 1, 3);
		make_mapping(&b, version, 7, "x", "es m1");
		make_trade(&b, 7, T_NS, E9, 1, 4);
		make_message(&b, version, 0x17, DBN_HEARTBEAT, "Heartbeat");
		make_message(&b, version, 0x15, 4, "symbol\n\"X\" is unknown");
		assert_int_equal(read_all(&b, DBN_TICKS), 0);
		assert_int_equal(got.keep.ticks, 2);
		assert_string_equal(got.keep.tick[0].symbol, "ESH1");
		assert_string_equal(got.keep.tick[1].symbol, "ESM1");
		assert_bad(&got.keep, 1, 7,
			   "'es m1' is no symbol: up to 32 of A-Z 0-9 . _ : / -");
		assert_int_equal(got.messages, 2);
		assert_false(got.message[0].is_error);
		assert_int_equal(got.message[0].code, DBN_HEARTBEAT);
		assert_string_equal(got.message[0].text, "Heartbeat");
		assert_true(got.message[1].is_error);
		assert_int_equal(got.message[1].code,
				 version == 1 ? (int)DBN_CODE_NONE : 4);
		assert_string_equal(got.message[1].text, "symbol?\"X\" is unknown");
		assert_int_equal(got.counts.told, 5);
		buf_free(&b);
	}
}

static void a_given_symbol_names_them_all(void **state)
{
	const struct dbn_params p = {
		.take = DBN_TICKS, .is_fragment = true, .symbol = "X"};
	struct buf b = {0};

	(void)state;
	make_trade(&b, 1, T_NS, E9, 1, 1);
	make_trade(&b, 2, T_NS, E9, 1, 1);
	assert_int_equal(read_cut(&b, &p, 50), 0);
	assert_int_equal(got.keep.ticks, 2);
	assert_string_equal(got.keep.tick[1].symbol, "X");
	assert_int_equal(got.meta.version, 0);
	buf_free(&b);
}

/* Ticks of one packet share its sequence; the ordinal tells them apart. */
static void an_identity_is_unique_and_the_same_from_any_beginning(void **state)
{
	struct buf b = {0}, tail = {0};
	struct feed_tick whole[KEEP_MAX];

	(void)state;
	head(&b, 3, 4);
	head(&tail, 3, 4);
	for (uint32_t packet = 0; packet < 5; packet++)
		for (uint32_t i = 0; i < 12; i++) {
			uint32_t id = i % 3 == 0 ? AAPL : NVDA;
			uint8_t *r = make_trade(&b, id, T_NS + packet, E9, 1, packet);

			make_at(r, 2, 2 + i % 2, 2);
			if (packet >= 2)
				buf_add(&tail, r, 48);
		}
	assert_int_equal(read_all(&b, DBN_TICKS), 0);
	assert_int_equal(got.keep.ticks, 60);
	memcpy(whole, got.keep.tick, sizeof(whole));
	for (size_t i = 0; i < 60; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(whole[i].rec.source_seq ==
					     whole[j].rec.source_seq &&
				     whole[i].rec.event_ns == whole[j].rec.event_ns &&
				     strcmp(whole[i].symbol, whole[j].symbol) == 0);
	assert_int_equal(read_all(&tail, DBN_TICKS), 0);
	assert_int_equal(got.keep.ticks, 36);
	for (size_t i = 0; i < 36; i++)
		assert_memory_equal(&got.keep.tick[i], &whole[24 + i],
				    sizeof(struct feed_tick));
	buf_free(&b);
	buf_free(&tail);
}

static void kinds_that_nobody_knows_are_passed_over(void **state)
{
	struct buf b = {0};

	(void)state;
	head(&b, 3, DBN_SCHEMA_MIXED);
	make_record(&b, 0x13, 520, NVDA, T_NS);
	make_record(&b, 0x14, 112, NVDA, T_NS);
	make_record(&b, 0x18, 80, NVDA, T_NS);
	make_record(&b, 0xee, 1020, NVDA, T_NS);
	make_record(&b, 0x77, 16, NVDA, T_NS);
	make_trade(&b, NVDA, T_NS, E9, 1, 1);
	assert_int_equal(read_all(&b, DBN_TICKS), 0);
	assert_int_equal(got.counts.skipped, 5);
	assert_int_equal(got.keep.ticks, 1);
	buf_free(&b);
}

/* A stream with everything in it, longer by 8 bytes a record where @has_ts_out. */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_versions_say_what_they_are),
		cmocka_unit_test(a_trade_keeps_every_digit),
		cmocka_unit_test(a_book_gives_its_best_bid_and_ask),
		cmocka_unit_test(a_trade_in_a_book_counts_where_it_is_wanted),
		cmocka_unit_test(of_orders_only_trades_are_ticks),
		cmocka_unit_test(halts_and_resumptions_are_ticks),
		cmocka_unit_test(bars_of_four_lengths_begin_at_their_time),
		cmocka_unit_test(a_number_is_the_symbol_of_its_day),
		cmocka_unit_test(symbols_may_have_been_asked_for_by_number),
		cmocka_unit_test(live_names_replace_each_other),
		cmocka_unit_test(a_given_symbol_names_them_all),
		cmocka_unit_test(an_identity_is_unique_and_the_same_from_any_beginning),
		cmocka_unit_test(kinds_that_nobody_knows_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
