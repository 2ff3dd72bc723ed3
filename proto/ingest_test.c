#include "base/err.h"
#include "proto/ingest.h"
#include "proto/sample_test.h"
#include "proto/tick_json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct ingest_tick good(void)
{
	struct ingest_tick t;

	ingest_tick_init(&t);
	t.event_ns = SAMPLE_NS;
	t.price_e9 = INT64_C(187250000000);
	t.size_e8 = 100;
	memcpy(t.symbol, "AAPL", 4);
	return t;
}

/* From a copy that ends where the text ends, so that ASan sees a read too far. */
static int open_exact(const void *data, size_t len, unsigned *out_good,
		      unsigned *out_bad)
{
	char *copy = malloc(len ? len : 1);
	struct ingest_request req;
	struct ingest_tick t;
	int rc;

	memcpy(copy, data, len);
	*out_good = *out_bad = 0;
	rc = ingest_open(copy, len, &req);
	while (rc == 0) {
		int next = ingest_next(&req, &t);

		if (next == INGEST_END)
			break;
		*(next == 0 ? out_good : out_bad) += 1;
		assert_true(req.raw >= copy && req.raw + req.raw_len <= copy + len);
	}
	if (rc == 0)
		assert_int_equal(*out_good + *out_bad, req.n);
	free(copy);
	return rc;
}

static void an_sbe_request_comes_back_as_it_went(void **state)
{
	struct ingest_tick t = good(), out;
	struct ingest_request req;
	struct ingest_writer w;
	struct buf b = {0};

	(void)state;
	assert_int_equal(ingest_writer_init(&w, &b, "me@host:1", "sim", 41), 0);
	for (int i = 0; i < 3; i++) {
		t.source_seq = (uint64_t)i;
		assert_int_equal(ingest_writer_add(&w, &t), 0);
	}
	assert_int_equal(b.len, 72 + 3 * sizeof(t));
	assert_int_equal(ingest_open(b.data, b.len, &req), 0);
	assert_false(req.is_json);
	assert_string_equal(req.producer, "me@host:1");
	assert_string_equal(req.source, "sim");
	assert_int_equal(req.first_seq, 41);
	assert_int_equal(req.n, 3);
	for (int i = 0; i < 3; i++) {
		t.source_seq = (uint64_t)i;
		assert_int_equal(ingest_next(&req, &out), 0);
		assert_memory_equal(&out, &t, sizeof(t));
		assert_int_equal(req.raw_len, sizeof(t));
	}
	assert_int_equal(ingest_next(&req, &out), INGEST_END);
	buf_free(&b);
}

static void a_request_cut_at_any_byte_is_refused(void **state)
{
	struct ingest_tick t = good();
	struct ingest_writer w;
	struct buf b = {0};
	unsigned n_good, n_bad;

	(void)state;
	assert_int_equal(ingest_writer_init(&w, &b, "p", "sim", 1), 0);
	assert_int_equal(ingest_writer_add(&w, &t), 0);
	assert_int_equal(ingest_writer_add(&w, &t), 0);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(open_exact(b.data, i, &n_good, &n_bad),
				 INGEST_MALFORMED);
	assert_int_equal(open_exact(b.data, b.len, &n_good, &n_bad), 0);
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)open_exact(b.data, b.len, &n_good, &n_bad);
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	buf_free(&b);
}

static void broken_heads_are_refused_with_a_reason(void **state)
{
	struct ingest_tick t = good();
	struct ingest_request req;
	struct ingest_writer w;
	struct buf b = {0};

	(void)state;
	assert_true(ingest_writer_init(&w, &b, "", "sim", 1) < 0);
	assert_true(ingest_writer_init(&w, &b, "a b", "sim", 1) < 0);
	assert_true(ingest_writer_init(&w, &b, "p", "SIM", 1) < 0);
	assert_int_equal(b.len, 0);

	assert_int_equal(ingest_writer_init(&w, &b, "p", "sim", UINT64_MAX), 0);
	assert_int_equal(ingest_open(b.data, b.len, &req),
			 INGEST_MALFORMED); /* empty */
	assert_int_equal(ingest_writer_add(&w, &t), 0);
	assert_int_equal(ingest_open(b.data, b.len, &req),
			 INGEST_MALFORMED); /* overflow */
	assert_int_equal(req.bad_reason, REJECT_MALFORMED);
	memset(b.data + 8 + 48, 0, 8);
	assert_int_equal(ingest_open(b.data, b.len, &req), INGEST_MALFORMED); /* 0 */
	b.data[8 + 48] = 1;
	assert_int_equal(ingest_open(b.data, b.len, &req), 0);
	b.data[8 + 32] = 'S';
	assert_int_equal(ingest_open(b.data, b.len, &req), INGEST_MALFORMED);
	assert_int_equal(req.bad_reason, REJECT_SOURCE_MALFORMED);
	assert_string_not_equal(err_text(), "");
	buf_free(&b);
}

static enum reject_reason with(size_t offset, int64_t value)
{
	struct ingest_tick t = good();

	memcpy((char *)&t + offset, &value, sizeof(value));
	return ingest_check(&t);
}
#define WITH(field, value) with(offsetof(struct ingest_tick, field), value)

static void values_out_of_bounds_name_their_reason(void **state)
{
	struct ingest_tick t = good();

	(void)state;
	assert_int_equal(ingest_check(&t), REJECT_NONE);
	assert_int_equal(WITH(event_ns, 0), REJECT_TIME_INVALID);
	assert_int_equal(WITH(event_ns, VALUE_NULL), REJECT_TIME_INVALID);
	assert_int_equal(WITH(event_ns, INT64_MAX), REJECT_TIME_INVALID);
	assert_int_equal(WITH(price_e9, 0), REJECT_PRICE_NOT_POSITIVE);
	assert_int_equal(WITH(price_e9, -1), REJECT_PRICE_NOT_POSITIVE);
	assert_int_equal(WITH(price_e9, 1), REJECT_NONE);
	assert_int_equal(WITH(price_e9, INGEST_PRICE_MAX_E9), REJECT_NONE);
	assert_int_equal(WITH(price_e9, INGEST_PRICE_MAX_E9 + 1),
			 REJECT_PRICE_OUT_OF_RANGE);
	assert_int_equal(WITH(price_e9, VALUE_NULL), REJECT_NO_PRICE);
	assert_int_equal(WITH(bid_e9, -5), REJECT_PRICE_NOT_POSITIVE);
	assert_int_equal(WITH(ask_e9, INT64_MAX), REJECT_PRICE_OUT_OF_RANGE);
	assert_int_equal(WITH(size_e8, -1), REJECT_SIZE_NEGATIVE);
	assert_int_equal(WITH(size_e8, 0), REJECT_NONE);
	assert_int_equal(WITH(size_e8, VALUE_NULL), REJECT_NONE);
	assert_int_equal(WITH(bid_size_e8, INT64_MAX), REJECT_SIZE_OUT_OF_RANGE);
	t.price_e9 = VALUE_NULL;
	t.ask_e9 = 1;
	assert_int_equal(ingest_check(&t), REJECT_NONE); /* a quote alone */
	t.ask_e9 = VALUE_NULL;
	t.flags = TICK_HALT;
	assert_int_equal(ingest_check(&t), REJECT_NONE); /* a halt alone */
	t.flags = 32;
	assert_int_equal(ingest_check(&t), REJECT_MALFORMED);
}

static void actions_need_their_reference(void **state)
{
	struct ingest_tick t = good();

	(void)state;
	t.action = TICK_CANCEL;
	assert_int_equal(ingest_check(&t), REJECT_REFERENCE_MISSING);
	t.ref_seq = 5;
	t.price_e9 = VALUE_NULL;
	assert_int_equal(ingest_check(&t), REJECT_NONE);
	t.action = TICK_CORRECT;
	assert_int_equal(ingest_check(&t), REJECT_NO_PRICE);
	t.price_e9 = 1;
	assert_int_equal(ingest_check(&t), REJECT_NONE);
	t.action = 3;
	assert_int_equal(ingest_check(&t), REJECT_MALFORMED);
}

static void names_and_types_are_judged(void **state)
{
	struct ingest_tick t = good();

	(void)state;
	t.symbol[6] = 'X'; /* bytes behind the NUL */
	assert_int_equal(ingest_check(&t), REJECT_SYMBOL_MALFORMED);
	memset(t.symbol, 0, sizeof(t.symbol));
	assert_int_equal(ingest_check(&t), REJECT_SYMBOL_MALFORMED);
	memset(t.symbol, 'A', sizeof(t.symbol));
	assert_int_equal(ingest_check(&t), REJECT_NONE);
	t.cond[0] = '\n';
	assert_int_equal(ingest_check(&t), REJECT_MALFORMED);
	t = good();
	t.type = RECORD_CONTROL;
	assert_int_equal(ingest_check(&t), REJECT_MALFORMED);
	t.type = RECORD_CLOCK;
	assert_int_equal(ingest_check(&t),
			 REJECT_MALFORMED); /* a clock has no symbol */
	memset(t.symbol, 0, sizeof(t.symbol));
	assert_int_equal(ingest_check(&t), REJECT_NONE);
}

static void a_record_holds_what_the_tick_said(void **state)
{
	struct ingest_tick t = good();
	struct record r;

	(void)state;
	t.action = TICK_CANCEL;
	t.ref_seq = 9;
	t.flags = TICK_NO_LAST | TICK_RESUMED;
	ingest_record(&t, 3, 2, 77, &r);
	assert_int_equal(r.type, RECORD_TICK);
	assert_int_equal(record_action(&r), TICK_CANCEL);
	assert_int_equal(record_flags(&r), TICK_NO_LAST | TICK_RESUMED);
	assert_int_equal(r.price_e9, t.price_e9);
	assert_int_equal(r.symbol_id, 3);
	assert_int_equal(r.source_id, 2);
	assert_int_equal(r.recv_ns, 77);
	assert_int_equal(r.ref_seq, 9);
}

static void a_reply_comes_back_in_runs(void **state)
{
	struct ingest_reply r = {0};
	struct ingest_reply_view v;
	struct ingest_run run;
	struct buf b = {0};

	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		ingest_reply_add(&r, INGEST_DUPLICATE, REJECT_NONE, 0);
	for (uint64_t i = 0; i < 7; i++)
		ingest_reply_add(&r, INGEST_ACCEPTED, REJECT_NONE, 100 + i);
	ingest_reply_add(&r, INGEST_REJECTED, REJECT_NO_PRICE, 0);
	ingest_reply_add(&r, INGEST_REJECTED, REJECT_SYMBOL_LIMIT, 0);
	ingest_reply_set(&r, INGEST_STATUS_OK, "all \"read\"");
	r.root.epoch = 3;
	r.root.last_pos = 106;
	ingest_reply_write(&r, false, &b);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(ingest_reply_open(b.data, i, &v), INGEST_MALFORMED);
	assert_int_equal(ingest_reply_open(b.data, b.len, &v), 0);
	assert_int_equal(v.n_runs, 4);
	assert_int_equal(v.root.accepted, 7);
	assert_int_equal(v.root.duplicate, 5);
	assert_int_equal(v.root.rejected, 2);
	assert_int_equal(v.root.last_pos, 106);
	ingest_reply_run(&v, 1, &run);
	assert_int_equal(run.first_index, 5);
	assert_int_equal(run.n, 7);
	assert_int_equal(run.first_pos, 100);
	ingest_reply_run(&v, 3, &run);
	assert_int_equal(run.first_index, 13);
	assert_int_equal(run.reason, REJECT_SYMBOL_LIMIT);
	b.len = 0;
	ingest_reply_write(&r, true, &b);
	assert_string_equal(
		buf_text(&b),
		"{\"status\":\"ok\",\"durability\":\"full\",\"epoch\":3,\"accepted\":7,"
		"\"duplicate\":5,\"rejected\":2,\"last_pos\":106,\"retry_ms\":0,"
		"\"text\":\"all \\\"read\\\"\",\"runs\":["
		"{\"first_index\":0,\"n\":5,\"outcome\":\"duplicate\"},"
		"{\"first_index\":5,\"n\":7,\"outcome\":\"accepted\",\"first_pos\":100}"
		","
		"{\"first_index\":12,\"n\":1,\"outcome\":\"rejected\",\"reason\":\"no_"
		"price\"},"
		"{\"first_index\":13,\"n\":1,\"outcome\":\"rejected\","
		"\"reason\":\"symbol_limit\"}]}");
	ingest_reply_reset(&r);
	ingest_reply_set(&r, INGEST_STATUS_BUSY, NULL);
	b.len = 0;
	ingest_reply_write(&r, false, &b);
	assert_int_equal(ingest_reply_open(b.data, b.len, &v), 0);
	assert_int_equal(v.root.status, INGEST_STATUS_BUSY);
	assert_int_equal(v.n_runs, 0);
	ingest_reply_deinit(&r);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_sbe_request_comes_back_as_it_went),
		cmocka_unit_test(a_request_cut_at_any_byte_is_refused),
		cmocka_unit_test(broken_heads_are_refused_with_a_reason),
		cmocka_unit_test(values_out_of_bounds_name_their_reason),
		cmocka_unit_test(actions_need_their_reference),
		cmocka_unit_test(names_and_types_are_judged),
		cmocka_unit_test(a_record_holds_what_the_tick_said),
		cmocka_unit_test(a_reply_comes_back_in_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
