#include "base/err.h"
#include "proto/frame.h"
#include "proto/sample_test.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint8_t buffer[128 << 10];

/* Foreign bytes at the very end of an allocation, so that ASan sees a read too far. */
static int open_exact(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct frame_view v;
	int rc;

	memcpy(copy, data, len);
	rc = frame_open(copy, len, &v);
	if (rc == 0) {
		union {
			struct event_tier1 largest;
			struct event_tier2 matrix;
		} out;
		uint32_t n = 0;

		while (frame_next(&v, &out) == 0)
			n++;
		assert_int_equal(n, v.n);
		if (v.kind == EVENT_TIER2 && v.matrix.n_included > 0)
			(void)frame_cell(&v, v.matrix.n_included - 1, 0);
	}
	free(copy);
	return rc;
}

static void refused_at_every_length(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(open_exact(data, i), FRAME_BAD);
	assert_int_equal(open_exact(data, len), 0);
}

static void round_trip(enum event_kind kind, const void *event)
{
	size_t size = event_block_size(kind);
	uint8_t out[1024];
	struct frame_view v;
	struct frame f;
	size_t len;

	frame_begin(&f, buffer, sizeof(buffer), kind, 77);
	for (int i = 0; i < FRAME_EVENTS_MAX; i++)
		assert_int_equal(frame_add(&f, event), 0);
	assert_int_equal(frame_add(&f, event), FRAME_FULL);
	len = frame_seal(&f, 12, 345);
	assert_int_equal(len, frame_size_max(kind));

	assert_int_equal(frame_open(buffer, len, &v), 0);
	assert_int_equal(v.kind, kind);
	assert_int_equal(v.n, FRAME_EVENTS_MAX);
	assert_int_equal(v.root.epoch, 77);
	assert_int_equal(v.root.frame_seq, 12);
	assert_int_equal(v.root.publish_ns, 345);
	assert_int_equal(v.root.last_pos, ((const struct event_head *)event)->pos);
	for (int i = 0; i < FRAME_EVENTS_MAX; i++) {
		assert_int_equal(frame_next(&v, out), 0);
		assert_memory_equal(out, event, size);
	}
	assert_int_equal(frame_next(&v, out), FRAME_END);
}

static void every_kind_comes_back_as_it_went(void **state)
{
	struct event_tick tick = sample_tick();
	struct event_bar bar = sample_bar();
	struct event_tier1 tier1 = sample_tier1();
	struct event_status status = sample_status();
	struct event_news news = sample_news();

	(void)state;
	round_trip(EVENT_TICK, &tick);
	round_trip(EVENT_BAR, &bar);
	round_trip(EVENT_TIER1, &tier1);
	round_trip(EVENT_STATUS, &status);
	round_trip(EVENT_NEWS, &news);
}

static size_t seal_one(enum event_kind kind, const void *event)
{
	struct frame f;

	frame_begin(&f, buffer, sizeof(buffer), kind, 77);
	assert_int_equal(frame_add(&f, event), 0);
	return frame_seal(&f, 1, 2);
}

static void a_matrix_comes_back_with_members_and_cells(void **state)
{
	struct sample_matrix m = sample_matrix();
	uint8_t copy[sizeof(m)];
	struct tier2_member member;
	struct event_tier2 e;
	struct frame_view v;
	double cells[3];
	size_t len;

	(void)state;
	len = seal_one(EVENT_TIER2, &m);
	assert_int_equal(len, frame_matrix_size(SAMPLE_MEMBERS, SAMPLE_ROWS));
	assert_int_equal(frame_open(buffer, len, &v), 0);
	assert_int_equal(frame_next(&v, &e), 0);
	assert_memory_equal(&e, &m.e, sizeof(e));
	assert_int_equal(frame_next(&v, &e), FRAME_END);
	frame_member(&v, 1, &member);
	assert_memory_equal(&member, &m.member[1], sizeof(member));
	assert_true(frame_cell(&v, 1, 0) == -0.25 && frame_cell(&v, 0, 1) == -0.25);
	frame_triangle(&v, cells);
	assert_memory_equal(cells, m.triangle, sizeof(cells));
	assert_int_equal(frame_matrix_copy(&v, copy, sizeof(copy)),
			 frame_matrix_bytes(&m.e));
	assert_memory_equal(copy, &m, frame_matrix_bytes(&m.e));
}

static void a_second_matrix_needs_a_second_frame(void **state)
{
	struct sample_matrix m = sample_matrix();
	struct frame f;

	(void)state;
	frame_begin(&f, buffer, sizeof(buffer), EVENT_TIER2, 1);
	assert_int_equal(frame_add(&f, &m), 0);
	assert_int_equal(frame_add(&f, &m), FRAME_FULL);
	frame_begin(&f, buffer, frame_matrix_size(SAMPLE_MEMBERS, SAMPLE_ROWS) - 1,
		    EVENT_TIER2, 1);
	assert_int_equal(frame_add(&f, &m), FRAME_FULL);
}

static void a_heartbeat_names_kind_and_streams(void **state)
{
	struct frame_heartbeat hb = {
		.last_seq = 41, .pos = 99, .symbol_id = 3, .symbol = "AAPL"};
	struct frame_heartbeat out;
	struct frame_view v;
	struct frame f;
	size_t len;

	(void)state;
	frame_heartbeat_begin(&f, buffer, sizeof(buffer), EVENT_BAR, 77, 1000);
	assert_int_equal(frame_heartbeat_add(&f, &hb), 0);
	len = frame_heartbeat_seal(&f, 5, 6);
	assert_int_equal(frame_open(buffer, len, &v), 0);
	assert_int_equal(v.kind, EVENT_HEARTBEAT);
	assert_int_equal(v.about, EVENT_BAR);
	assert_int_equal(v.root.last_pos, 1000);
	assert_int_equal(v.root.frame_seq, 5);
	assert_int_equal(frame_next(&v, &out), 0);
	assert_memory_equal(&out, &hb, sizeof(hb));
	refused_at_every_length(buffer, len);

	frame_heartbeat_begin(&f, buffer, sizeof(buffer), EVENT_TICK, 77, 0);
	len = frame_heartbeat_seal(&f, 5, 6);
	assert_int_equal(frame_open(buffer, len, &v), 0);
	assert_int_equal(v.n, 0);
}

static void a_frame_cut_at_any_byte_is_refused(void **state)
{
	struct event_tick tick = sample_tick();
	struct sample_matrix m = sample_matrix();
	uint8_t copy[4096];
	size_t len;

	(void)state;
	len = seal_one(EVENT_TICK, &tick);
	memcpy(copy, buffer, len);
	refused_at_every_length(copy, len);
	len = seal_one(EVENT_TIER2, &m);
	memcpy(copy, buffer, len);
	refused_at_every_length(copy, len);
}

static void a_flipped_bit_never_reads_beyond_the_frame(void **state)
{
	struct sample_matrix m = sample_matrix();
	size_t len = seal_one(EVENT_TIER2, &m);

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		buffer[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)open_exact(buffer, len);
		buffer[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(open_exact(buffer, len), 0);
}

/* A newer daemon: both root and events have grown by fields we do not know. */
static void longer_blocks_of_a_newer_version_are_read(void **state)
{
	struct event_tick tick = sample_tick(), out;
	struct sbe_head h = {sizeof(struct frame_root) + 8, SBE_TICK, EVENT_SCHEMA_ID,
			     2};
	struct sbe_group g = {sizeof(tick) + 16, 2};
	struct frame_root root = {.epoch = 5, .frame_seq = 1};
	uint8_t wire[512] = {0};
	size_t at = 0;
	struct frame_view v;

	(void)state;
	memcpy(wire, &h, sizeof(h));
	memcpy(wire + 8, &root, sizeof(root));
	at = 8 + h.block_length;
	memcpy(wire + at, &g, sizeof(g));
	at += sizeof(g);
	for (int i = 0; i < 2; i++, at += g.block_length)
		memcpy(wire + at, &tick, sizeof(tick));
	assert_int_equal(frame_open(wire, at, &v), 0);
	assert_int_equal(v.version, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(frame_next(&v, &out), 0);
		assert_memory_equal(&out, &tick, sizeof(tick));
	}
}

static void foreign_headers_are_told_apart(void **state)
{
	struct event_tick tick = sample_tick();
	size_t len = seal_one(EVENT_TICK, &tick);
	struct frame_view v;

	(void)state;
	buffer[2] = 99; /* a template of the future */
	assert_int_equal(frame_open(buffer, len, &v), FRAME_OTHER);
	buffer[4] ^= 1; /* another schema */
	assert_int_equal(frame_open(buffer, len, &v), FRAME_BAD);
	assert_string_not_equal(err_text(), "");
}

/* The wire outlives the release: these bytes may never change. */
static void the_bytes_of_a_tick_frame_are_these(void **state)
{
	static const char golden[] =
		"20000100e81c0100" /* 32-byte root, template 1, schema 7400, version 1
				    */
		"4d00000000000000" /* epoch 77 */
		"0200000000000000" /* publish_ns 2 */
		"0100000000000000" /* frame_seq 1 */
		"e903000000000000" /* last_pos 1001 */
		"90000100"         /* one block of 144 */
		"0700000000000000" /* seq */
		"e903000000000000" /* pos */
		"007578131edc8718" /* event_ns */
		"e87878131edc8718" /* recv_ns */
		"8040f8982b000000" /* price 187.25 */
		"00e40b5402000000" /* size 100 */
		"00aa5f982b000000" /* bid 187.24 */
		"0000000000000080" /* ask: null */
		"80b2e60e00000000" /* bid size 2.5 */
		"0000000000000080" /* ask size: null */
		"3700000000000000" /* source_seq 55 */
		"0000000000000000" /* ref_seq */
		"4020490000000000" /* cond "@ I" */
		"03000000"         /* symbol_id */
		"0200"             /* source_id */
		"00"               /* action */
		"01"               /* flags */
		"4141504c00000000000000000000000000000000000000000000000000000000";
	struct event_tick tick = sample_tick();
	size_t len = seal_one(EVENT_TICK, &tick);
	char hex[2 * 256 + 1] = "";

	(void)state;
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", buffer[i]);
	assert_string_equal(hex, golden);
}

/* As the table of docs/PROTOCOL.md has it, written by hand; what is short is NUL
 * padded.
 */
static void the_bytes_of_a_news_frame_are_these(void **state)
{
	static const struct {
		const char *hex;
		size_t size; /* of the field */
	} golden[] = {
		{"20000500e81c0100",
		 8}, /* 32-byte root, template 5, schema 7400, version 1 */
		{"4d00000000000000", 8}, /* epoch */
		{"0200000000000000", 8}, /* publish_ns */
		{"0100000000000000", 8}, /* frame_seq */
		{"f503000000000000", 8}, /* last_pos */
		{"00030100", 4},         /* one block of 768 */
		{"0600000000000000", 8}, /* seq */
		{"f503000000000000", 8}, /* pos */
		{"007578131edc8718", 8}, /* event_ns */
		{"e87878131edc8718", 8}, /* recv_ns */
		{"60e5d022dbf9da3f", 8}, /* compound */
		{"000000000000d03f", 8}, /* pos_share */
		{"000000000000e83f", 8}, /* neu_share */
		{"0000000000000000", 8}, /* neg_share */
		{"000000000000c03f", 8}, /* average */
		{"000000000000d03f", 8}, /* weighted */
		{"000000000000e03f", 8}, /* positive */
		{"000000000000d03f", 8}, /* negative */
		{"0400000000000000", 8}, /* articles */
		{"001d311b10dc8718", 8}, /* published_ns */
		{"efcdab8967452301", 8}, /* article */
		{"02000000", 4},         /* edition */
		{"80510100", 4},         /* window_s */
		{"03000000", 4},         /* symbol_id */
		{"0200", 2},             /* source_id */
		{"01", 1},               /* flags: update */
		{"02", 1},               /* n_symbols */
		{"100e0000", 4},         /* half_life_s */
		{"0100", 2},             /* schema_version */
		{"0000", 2},             /* reserved */
		{"4141504c", 32},        /* symbol */
		{"66696e616e63652d312b76616465722e30313233343536373839616263646566",
		 32},               /* lexicon */
		{"3434313233", 64}, /* id */
		{"57697265", 32},   /* publisher */
		{"4170706c65202262656174732220e282ac2074617267657473",
		 256},                                               /* headline */
		{"68747470733a2f2f6578616d706c652e636f6d2f61", 200}, /* url */
		{"8877665544332211", 8},                             /* chain */
	};
	struct event_news news = sample_news();
	char hex[2 * 1024 + 1] = "", want[2 * 1024 + 1] = "";
	size_t len, at = 0;

	(void)state;
	news.chain = 0x1122334455667788;
	len = seal_one(EVENT_NEWS, &news);
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		(void)snprintf(want + at, sizeof(want) - at, "%s%0*d", golden[i].hex,
			       (int)(2 * golden[i].size - strlen(golden[i].hex)), 0);
		at += 2 * golden[i].size;
		want[at] = '\0'; /* "%0*d" of width 0 is one digit */
	}
	assert_int_equal(len, at / 2);
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", buffer[i]);
	assert_string_equal(hex, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_comes_back_as_it_went),
		cmocka_unit_test(a_matrix_comes_back_with_members_and_cells),
		cmocka_unit_test(a_second_matrix_needs_a_second_frame),
		cmocka_unit_test(a_heartbeat_names_kind_and_streams),
		cmocka_unit_test(a_frame_cut_at_any_byte_is_refused),
		cmocka_unit_test(a_flipped_bit_never_reads_beyond_the_frame),
		cmocka_unit_test(longer_blocks_of_a_newer_version_are_read),
		cmocka_unit_test(foreign_headers_are_told_apart),
		cmocka_unit_test(the_bytes_of_a_tick_frame_are_these),
		cmocka_unit_test(the_bytes_of_a_news_frame_are_these),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
