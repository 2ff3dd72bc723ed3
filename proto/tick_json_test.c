#include "base/err.h"
#include "proto/sample_test.h"
#include "proto/tick_json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD "{\"producer\":\"p1\",\"source\":\"sim\",\"first_seq\":1,\"ticks\":"

static int open_text(const char *text, size_t len, struct ingest_request *req)
{
	return ingest_open(text, len, req);
}

static void a_request_is_read_from_its_digits(void **state)
{
	static const char text[] =
		" {\"ticks\":[{\"symbol\":\"AAPL\",\"time\":\"2026-01-05T14:30:00.5Z\","
		"\"price\":\"187.25\",\"size\":0.00000001,\"bid\":1e-9,\"ask\":null,"
		"\"cond\":\"@ I\",\"source_seq\":18446744073709551615,"
		"\"flags\":[\"no_last\" , \"halt\"]},\n"
		"{\"type\":\"clock\",\"time\":1767623400500000000},"
		"{\"symbol\":\"BTC\\/USD\",\"time\":\"1767623400500000001\",\"price\":"
		"9200000000,\"action\":\"correct\",\"ref_seq\":\"7\"}],"
		"\"first_seq\":\"9007199254740993\",\"source\":\"sim\",\"producer\":"
		"\"p1\"} ";
	struct ingest_request req;
	struct ingest_tick t;

	(void)state;
	assert_int_equal(open_text(text, sizeof(text) - 1, &req), 0);
	assert_true(req.is_json);
	assert_int_equal(req.n, 3);
	assert_true(req.first_seq == UINT64_C(9007199254740993));
	assert_string_equal(req.producer, "p1");

	assert_int_equal(ingest_next(&req, &t), 0);
	assert_int_equal(ingest_check(&t), REJECT_NONE);
	assert_true(t.event_ns == SAMPLE_NS);
	assert_true(t.price_e9 == INT64_C(187250000000));
	assert_int_equal(t.size_e8, 1);
	assert_int_equal(t.bid_e9, 1);
	assert_true(t.ask_e9 == VALUE_NULL);
	assert_true(t.bid_size_e8 == VALUE_NULL);
	assert_memory_equal(t.cond, "@ I\0\0\0\0\0", 8);
	assert_true(t.source_seq == UINT64_MAX);
	assert_int_equal(t.flags, TICK_NO_LAST | TICK_HALT);

	assert_int_equal(ingest_next(&req, &t), 0);
	assert_int_equal(t.type, RECORD_CLOCK);
	assert_int_equal(ingest_check(&t), REJECT_NONE);

	assert_int_equal(ingest_next(&req, &t), 0);
	assert_int_equal(ingest_check(&t), REJECT_NONE);
	assert_string_equal(t.symbol, "BTC/USD");
	assert_true(t.event_ns == SAMPLE_NS + 1);
	assert_int_equal(t.action, TICK_CORRECT);
	assert_int_equal(t.ref_seq, 7);
	assert_int_equal(ingest_next(&req, &t), INGEST_END);
}

/* Decoding and judging one tick, as the daemon does. */
static enum reject_reason verdict(const char *tick)
{
	enum reject_reason why;
	char text[INGEST_TEXT_MAX];
	struct ingest_tick t;

	if (tick_json_read(tick, strlen(tick), &t, &why, text)) {
		assert_int_not_equal(why, REJECT_NONE);
		assert_string_not_equal(text, "");
		return why;
	}
	return ingest_check(&t);
}

#define TICK(members) "{\"symbol\":\"A\",\"time\":1," members "}"

static void each_bad_tick_names_its_reason(void **state)
{
	static const struct {
		const char *tick;
		enum reject_reason want;
	} cases[] = {
		{TICK("\"price\":1"), REJECT_NONE},
		{TICK("\"price\":NaN"), REJECT_PRICE_NOT_A_NUMBER},
		{TICK("\"price\":-Infinity"), REJECT_PRICE_NOT_A_NUMBER},
		{TICK("\"price\":\"NaN\""), REJECT_PRICE_NOT_A_NUMBER},
		{TICK("\"price\":\"12,5\""), REJECT_PRICE_NOT_A_NUMBER},
		{TICK("\"price\":\"\""), REJECT_PRICE_NOT_A_NUMBER},
		{TICK("\"price\":true"), REJECT_MALFORMED},
		{TICK("\"price\":[1]"), REJECT_MALFORMED},
		{TICK("\"price\":0"), REJECT_PRICE_NOT_POSITIVE},
		{TICK("\"price\":-1.5"), REJECT_PRICE_NOT_POSITIVE},
		{TICK("\"price\":-1e999"), REJECT_PRICE_NOT_POSITIVE},
		{TICK("\"price\":-9223372036.854775808"), REJECT_PRICE_NOT_POSITIVE},
		{TICK("\"price\":1e999"), REJECT_PRICE_OUT_OF_RANGE},
		{TICK("\"price\":9200000001"), REJECT_PRICE_OUT_OF_RANGE},
		{TICK("\"price\":1.0000000001"), REJECT_PRICE_OUT_OF_RANGE},
		{TICK("\"price\":1.0000000000"), REJECT_NONE},
		{TICK("\"price\":1,\"size\":-1"), REJECT_SIZE_NEGATIVE},
		{TICK("\"price\":1,\"size\":1e30"), REJECT_SIZE_OUT_OF_RANGE},
		{TICK("\"price\":1,\"size\":NaN"), REJECT_MALFORMED},
		{TICK("\"size\":1"), REJECT_NO_PRICE},
		{TICK("\"prize\":1"), REJECT_MALFORMED},
		{TICK("\"price\":1,\"price\":2"), REJECT_MALFORMED},
		{TICK("\"price\":1,\"flags\":[\"sold\"]"), REJECT_MALFORMED},
		{TICK("\"price\":1,\"flags\":\"halt\""), REJECT_MALFORMED},
		{TICK("\"flags\":[\"halt\"]"), REJECT_NONE},
		{TICK("\"price\":1,\"cond\":\"123456789\""), REJECT_MALFORMED},
		{TICK("\"price\":1,\"action\":\"undo\""), REJECT_MALFORMED},
		{TICK("\"action\":\"cancel\""), REJECT_REFERENCE_MISSING},
		{TICK("\"price\":1,\"source_seq\":-1"), REJECT_MALFORMED},
		{TICK("\"price\":1,\"source_seq\":18446744073709551616"),
		 REJECT_MALFORMED},
		{"{\"symbol\":\"A\",\"price\":1}", REJECT_TIME_INVALID},
		{"{\"symbol\":\"A\",\"price\":1,\"time\":\"yesterday\"}",
		 REJECT_TIME_INVALID},
		{"{\"symbol\":\"A\",\"price\":1,\"time\":1.5}", REJECT_TIME_INVALID},
		{"{\"symbol\":\"A\",\"price\":1,\"time\":99999999999999999999}",
		 REJECT_TIME_INVALID},
		{"{\"price\":1,\"time\":1}", REJECT_SYMBOL_MALFORMED},
		{"{\"symbol\":\"a\",\"price\":1,\"time\":1}", REJECT_SYMBOL_MALFORMED},
		{"{\"symbol\":\"123456789012345678901234567890123\",\"price\":1,"
		 "\"time\":1}",
		 REJECT_SYMBOL_MALFORMED},
		{"{\"symbol\":\"A\\u0000\",\"price\":1,\"time\":1}",
		 REJECT_SYMBOL_MALFORMED},
		{"7", REJECT_MALFORMED},
		{"", REJECT_MALFORMED},
		{"{", REJECT_MALFORMED},
		{"{\"symbol\":", REJECT_MALFORMED},
		{"{} {}", REJECT_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (verdict(cases[i].tick) != cases[i].want)
			fail_msg("%s: %s, not %s", cases[i].tick,
				 reject_name(verdict(cases[i].tick)),
				 reject_name(cases[i].want));
}

static void one_bad_tick_costs_one_tick(void **state)
{
	static const char text[] =
		HEAD "[{\"symbol\":\"A\",\"time\":1,\"price\":NaN},5,"
		     "{\"symbol\":\"B\",\"time\":1,\"price\":2}]}";
	struct ingest_request req;
	struct ingest_tick t;

	(void)state;
	assert_int_equal(open_text(text, sizeof(text) - 1, &req), 0);
	assert_int_equal(ingest_next(&req, &t), INGEST_BAD);
	assert_int_equal(req.bad_reason, REJECT_PRICE_NOT_A_NUMBER);
	assert_string_equal(req.bad_text, "price is not a number");
	assert_string_equal(t.symbol, "A"); /* for the quarantine */
	assert_memory_equal(req.raw, "{\"symbol\":\"A\"", 13);
	assert_int_equal(ingest_next(&req, &t), INGEST_BAD);
	assert_int_equal(req.bad_reason, REJECT_MALFORMED);
	assert_int_equal(ingest_next(&req, &t), 0);
	assert_string_equal(t.symbol, "B");
	assert_int_equal(ingest_next(&req, &t), INGEST_END);
}

static void broken_texts_are_refused_as_a_whole(void **state)
{
	static const char *const texts[] = {
		"{",
		"{}",
		"[]",
		"{} x",
		HEAD "[]}",
		HEAD "{}}",
		HEAD "[{}",
		HEAD "[{}]",
		HEAD "[{},]}",
		HEAD "[{,}]}",
		HEAD "[{\"a\"}]}",
		HEAD "[{\"a\":01}]}",
		HEAD "[{\"a\":1.}]}",
		HEAD "[{\"a\":.5}]}",
		HEAD "[{\"a\":+1}]}",
		HEAD "[{\"a\":1e}]}",
		HEAD "[{\"a\":nan}]}",
		HEAD "[{\"a\":\"\\x\"}]}",
		HEAD "[{\"a\":\"\n\"}]}",
		HEAD "[{\"a\":\"\xff\"}]}",
		HEAD "[{}]}}",
		HEAD "[{}],\"x\":1}",
		HEAD "[{}],\"ticks\":[{}]}",
		HEAD "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
		"{\"producer\":\"\",\"source\":\"sim\",\"first_seq\":1,\"ticks\":[{}]}",
		"{\"producer\":\"p\",\"source\":\"S\",\"first_seq\":1,\"ticks\":[{}]}",
		"{\"producer\":\"p\",\"source\":\"s\",\"first_seq\":0,\"ticks\":[{}]}",
		"{\"producer\":\"p\",\"source\":\"s\",\"first_seq\":1.5,\"ticks\":[1]}",
	};
	struct ingest_request req;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (open_text(texts[i], strlen(texts[i]), &req) != INGEST_MALFORMED)
			fail_msg("taken: %s", texts[i]);
		assert_true(req.is_json);
		assert_int_not_equal(req.bad_reason, REJECT_NONE);
	}
}

static void a_text_cut_at_any_byte_is_refused(void **state)
{
	static const char text[] = HEAD
		"[{\"symbol\":\"A\\u0042\",\"time\":\"2026-01-05T14:30:00Z\",\"price\":"
		"-1.5e+3,\"x\":[true,{\"y\":null}]}]}";
	struct ingest_request req;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char *copy = malloc(i ? i : 1);

		memcpy(copy, text, i);
		assert_int_equal(open_text(copy, i, &req), INGEST_MALFORMED);
		free(copy);
	}
	assert_int_equal(open_text(text, sizeof(text) - 1, &req), 0);
}

static void too_many_ticks_and_bytes_are_refused(void **state)
{
	struct ingest_request req;
	struct buf b = {0};

	(void)state;
	buf_printf(&b, "%s[1", HEAD);
	for (int i = 1; i < INGEST_TICKS_MAX; i++)
		buf_add(&b, ",1", 2);
	buf_add(&b, "]}", 2);
	assert_int_equal(open_text((char *)b.data, b.len, &req), 0);
	assert_int_equal(req.n, INGEST_TICKS_MAX);
	b.len -= 2;
	buf_add(&b, ",1]}", 4);
	assert_int_equal(open_text((char *)b.data, b.len, &req), INGEST_MALFORMED);
	b.len -= 4;
	buf_add(&b, "]}", 2);
	while (b.len <= INGEST_BYTES_MAX)
		buf_add(&b, " ", 1);
	assert_int_equal(open_text((char *)b.data, b.len, &req), INGEST_MALFORMED);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read_from_its_digits),
		cmocka_unit_test(each_bad_tick_names_its_reason),
		cmocka_unit_test(one_bad_tick_costs_one_tick),
		cmocka_unit_test(broken_texts_are_refused_as_a_whole),
		cmocka_unit_test(a_text_cut_at_any_byte_is_refused),
		cmocka_unit_test(too_many_ticks_and_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
