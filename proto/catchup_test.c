#include "base/err.h"
#include "base/json.h"
#include "proto/catchup.h"
#include "proto/sample_test.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int read_text(const char *text, struct catchup_request *out)
{
	return catchup_request_read(text, strlen(text), out);
}

static void an_sbe_request_comes_back_as_it_went(void **state)
{
	struct catchup_stream s[2] = {
		{.from_seq = 5, .to_seq = 9, .kind = EVENT_TICK, .symbol = "AAPL"},
		{.from_seq = 1,
		 .kind = EVENT_TIER2,
		 .timeframe_s = 60,
		 .symbol = "tech"}};
	struct catchup_request req = {.n_streams = 2, .streams = s}, out;
	struct buf b = {0};

	(void)state;
	req.root.kinds = 1u << EVENT_TICK | 1u << EVENT_TIER2;
	req.root.limit = 100;
	req.root.count = 7;
	req.root.hash = 0xfedcba9876543210;
	catchup_request_write(&req, &b);
	for (size_t i = 0; i < b.len; i++) {
		void *copy = malloc(i ? i : 1);

		memcpy(copy, b.data, i);
		assert_int_equal(catchup_request_read(copy, i, &out),
				 CATCHUP_MALFORMED);
		assert_null(out.streams);
		free(copy);
	}
	assert_int_equal(catchup_request_read(b.data, b.len, &out), 0);
	assert_false(out.is_json);
	assert_memory_equal(&out.root, &req.root, sizeof(req.root));
	assert_int_equal(out.n_streams, 2);
	assert_memory_equal(out.streams, s, sizeof(s));
	catchup_request_deinit(&out);
	catchup_request_deinit(&out); /* twice is fine */
	buf_free(&b);
}

static void a_request_of_the_first_version_is_understood(void **state)
{
	struct catchup_root root = {.from = 9, .from_type = CATCHUP_FROM_POS};
	struct catchup_request out;
	struct buf b = {0};

	(void)state;
	sbe_head_add(&b, SBE_CATCHUP_REQUEST, &root, CATCHUP_ROOT_V1);
	sbe_group_add(&b, sizeof(struct catchup_stream), 0);
	assert_int_equal(catchup_request_read(b.data, b.len, &out), 0);
	assert_int_equal(out.root.from, 9);
	assert_int_equal(out.root.count, 0);
	assert_int_equal(out.root.hash, 0);
	b.len = 0;
	sbe_head_add(&b, SBE_CATCHUP_REQUEST, &root, CATCHUP_ROOT_V1 - 1);
	sbe_group_add(&b, sizeof(struct catchup_stream), 0);
	assert_int_equal(catchup_request_read(b.data, b.len, &out), CATCHUP_MALFORMED);
	buf_free(&b);
}

/* The numbers come from the line of Python in docs/PROTOCOL.md. */
static void the_hash_is_that_of_the_page(void **state)
{
	struct event_head a = {.seq = 1, .pos = 1}, b = {.seq = 2, .pos = 7};
	uint64_t h = catchup_hash(0, EVENT_TICK, &a);

	(void)state;
	assert_true(h == UINT64_C(0x39cf6e61409a7c15));
	assert_true(catchup_hash(h, EVENT_BAR, &b) == UINT64_C(0xcd73b3b8c0b60c4b));
}

static void a_json_request_says_the_same(void **state)
{
	struct catchup_request r;

	(void)state;
	assert_int_equal(
		read_text("{\"kinds\":[\"tick\",\"FEATURE_TIER2_READY\"],\"from\":"
			  "\"seq\","
			  "\"symbols\":[{\"kind\":\"tick\",\"symbol\":\"AAPL\",\"from_"
			  "seq\":5,"
			  "\"to_seq\":9},{\"kind\":\"tier2\",\"symbol\":\"tech\","
			  "\"timeframe\":\"1m\",\"from_seq\":\"1\"}],\"limit\":100}",
			  &r),
		0);
	assert_true(r.is_json);
	assert_int_equal(r.root.kinds, 1u << EVENT_TICK | 1u << EVENT_TIER2);
	assert_int_equal(r.root.from_type, CATCHUP_FROM_SEQ);
	assert_int_equal(r.root.limit, 100);
	assert_int_equal(r.streams[0].to_seq, 9);
	assert_int_equal(r.streams[1].timeframe_s, 60);
	catchup_request_deinit(&r);

	assert_int_equal(
		read_text("{\"from\":{\"pos\":7,\"skip\":2},\"symbols\":[\"AAPL\"]}",
			  &r),
		0);
	assert_int_equal(r.root.from_type, CATCHUP_FROM_POS);
	assert_int_equal(r.root.from, 7);
	assert_int_equal(r.root.skip, 2);
	assert_int_equal(r.streams[0].kind, CATCHUP_ANY_KIND);
	catchup_request_deinit(&r);

	assert_int_equal(
		read_text("{\"from\":{\"time\":\"2026-01-05T14:30:00.5Z\"}}", &r), 0);
	assert_int_equal(r.root.from_type, CATCHUP_FROM_TIME);
	assert_true(r.root.from == SAMPLE_NS);
	assert_int_equal(read_text("{\"from\":\"now\"}", &r), 0);
	assert_int_equal(r.root.from_type, CATCHUP_FROM_NOW);
	assert_int_equal(read_text("{\"from\":\"snapshot\"}", &r), 0);
	assert_int_equal(r.root.from_type, CATCHUP_FROM_SNAPSHOT);
	assert_int_equal(r.root.from, 0);
	assert_int_equal(read_text("{\"from\":{\"snapshot\":9,\"skip\":3},\"count\":5,"
				   "\"hash\":\"00000000000000ff\"}",
				   &r),
			 0);
	assert_int_equal(r.root.from_type, CATCHUP_FROM_SNAPSHOT);
	assert_int_equal(r.root.from, 9);
	assert_int_equal(r.root.skip, 3);
	assert_int_equal(r.root.count, 5);
	assert_int_equal(r.root.hash, 255);
	assert_int_equal(read_text("{\"dictionary\":\"symbols\",\"from_id\":3}", &r),
			 0);
	assert_int_equal(r.what, CATCHUP_DICT);
	assert_int_equal(r.dict.which, CATCHUP_SYMBOLS);
	assert_int_equal(r.dict.from_id, 3);
}

static void senseless_requests_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{",
		"{\"form\":\"now\"}",
		"{\"from\":\"tomorrow\"}",
		"{\"from\":5}",
		"{\"from\":{\"snapshot\":\"now\"}}",
		"{\"count\":-1}",
		"{\"hash\":17}",
		"{\"hash\":\"ff\"}",
		"{\"hash\":\"0x000000000000ff\"}",
		"{\"from\":{\"pos\":-1}}",
		"{\"from\":{\"pos\":1,\"skip\":-1}}",
		"{\"from\":{\"time\":\"noon\"}}",
		"{\"from\":\"seq\"}",
		"{\"from\":\"seq\",\"symbols\":[\"AAPL\"]}",
		"{\"from\":\"seq\",\"symbols\":[{\"kind\":\"tick\",\"symbol\":\"A\"}]}",
		("{\"from\":\"seq\",\"symbols\":[{\"kind\":\"tier2\",\"symbol\":\"A\","
		 "\"from_seq\":1}]}"),
		"{\"symbols\":\"AAPL\"}",
		"{\"symbols\":[5]}",
		"{\"symbols\":[\"\"]}",
		"{\"symbols\":[\"A B\"]}",
		"{\"symbols\":[\"123456789012345678901234567890123\"]}",
		"{\"symbols\":[{\"symbol\":\"A\",\"kind\":\"job\"}]}",
		"{\"symbols\":[{\"symbol\":\"A\",\"from_seq\":2,\"to_seq\":1}]}",
		"{\"symbols\":[{\"symbol\":\"A\",\"timeframe\":\"7m\"}]}",
		"{\"kinds\":[\"trade\"]}",
		"{\"kinds\":\"tick\"}",
		"{\"limit\":65537}",
		"{\"limit\":\"many\"}",
		"{\"dictionary\":\"users\"}",
	};
	struct catchup_request r;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (read_text(texts[i], &r) != CATCHUP_MALFORMED)
			fail_msg("taken: %s", texts[i]);
		assert_null(r.streams);
		assert_string_not_equal(err_text(), "");
	}
}

static void a_filter_wants_its_streams_alone(void **state)
{
	struct catchup_request r;
	char aapl[SYMBOL_MAX] = "AAPL", tech[SYMBOL_MAX] = "tech";

	(void)state;
	assert_int_equal(read_text("{\"kinds\":[\"tick\",\"tier2\"]}", &r), 0);
	assert_true(catchup_wants(&r, EVENT_TICK, aapl, 0));
	assert_false(catchup_wants(&r, EVENT_BAR, aapl, 60));
	assert_int_equal(
		read_text("{\"symbols\":[{\"symbol\":\"tech\",\"timeframe\":\"1m\"}]}",
			  &r),
		0);
	assert_true(catchup_wants(&r, EVENT_TIER2, tech, 60));
	assert_false(catchup_wants(&r, EVENT_TIER2, tech, 300));
	assert_false(catchup_wants(&r, EVENT_TICK, aapl, 0));
	catchup_request_deinit(&r);
}

static size_t tick_frame(void *buf, size_t cap)
{
	struct event_tick tick = sample_tick();
	struct frame f;

	frame_begin(&f, buf, cap, EVENT_TICK, 3);
	frame_add(&f, &tick);
	tick.head.seq++;
	frame_add(&f, &tick);
	return frame_seal(&f, 1, SAMPLE_NS);
}

static size_t matrix_frame(void *buf, size_t cap)
{
	struct sample_matrix m = sample_matrix();
	struct frame f;

	frame_begin(&f, buf, cap, EVENT_TIER2, 3);
	frame_add(&f, &m);
	return frame_seal(&f, 2, SAMPLE_NS);
}

static void make_page(struct buf *out)
{
	struct catchup_page_root root = {.epoch = 3,
					 .live_pos = 2000,
					 .first_held_pos = 10,
					 .next_pos = 1002,
					 .next_skip = 1,
					 .status = CATCHUP_GONE,
					 .next_from = CATCHUP_FROM_POS,
					 .count = 3,
					 .hash = 0xab};
	struct catchup_gone gone = {
		.first_held_seq = 6, .kind = EVENT_TICK, .symbol = "AAPL"};
	struct catchup_held held = {.first_seq = 9,
				    .timeframe_s = 60,
				    .kind = EVENT_TIER2,
				    .symbol = "tech"};
	uint8_t frame[2048];
	struct catchup_writer w;

	catchup_page_begin(&w, out);
	catchup_page_gone(&w, &gone);
	catchup_page_frame(&w, frame, tick_frame(frame, sizeof(frame)));
	catchup_page_frame(&w, frame, matrix_frame(frame, sizeof(frame)));
	catchup_page_held(&w, &held);
	held.kind = EVENT_BAR;
	held.timeframe_s = 0;
	catchup_page_held(&w, &held);
	catchup_page_seal(&w, &root);
}

/* Where the page of a daemon ended that did not name what it withheld. */
static size_t old_end(const struct buf *page)
{
	return page->len - SBE_GROUP32_SIZE - 2 * sizeof(struct catchup_held);
}

static void a_page_gives_its_frames_back(void **state)
{
	struct catchup_page_view v;
	struct catchup_gone gone;
	struct catchup_held held;
	struct frame_view f;
	struct buf b = {0};
	const void *frame;
	size_t len;

	(void)state;
	make_page(&b);
	for (size_t i = 0; i < b.len; i++) {
		void *copy = malloc(i ? i : 1);

		memcpy(copy, b.data, i);
		assert_int_equal(catchup_page_open(copy, i, &v),
				 i == old_end(&b) ? 0 : CATCHUP_MALFORMED);
		free(copy);
	}
	assert_int_equal(catchup_page_open(b.data, b.len, &v), 0);
	assert_int_equal(v.root.next_pos, 1002);
	assert_int_equal(v.n_gone, 1);
	catchup_page_gone_at(&v, 0, &gone);
	assert_int_equal(gone.first_held_seq, 6);
	assert_int_equal(v.n_held, 2);
	catchup_page_held_at(&v, 0, &held);
	assert_int_equal(held.kind, EVENT_TIER2);
	assert_int_equal(held.timeframe_s, 60);
	assert_string_equal(held.symbol, "tech");
	catchup_page_held_at(&v, 1, &held);
	assert_int_equal(held.kind, EVENT_BAR);
	assert_int_equal(held.first_seq, 9);
	assert_int_equal(catchup_page_next(&v, &frame, &len), 0);
	assert_int_equal(frame_open(frame, len, &f), 0);
	assert_int_equal(f.n, 2);
	assert_int_equal(catchup_page_next(&v, &frame, &len), 0);
	assert_int_equal(frame_open(frame, len, &f), 0);
	assert_int_equal(f.kind, EVENT_TIER2);
	assert_int_equal(catchup_page_next(&v, &frame, &len), CATCHUP_END);
	buf_free(&b);
}

static void an_empty_page_is_a_page(void **state)
{
	struct catchup_page_root root = {.status = CATCHUP_OK, .done = 1};
	struct catchup_page_view v;
	struct catchup_writer w;
	struct buf b = {0};
	const void *frame;
	size_t len;

	(void)state;
	buf_add(&b, "junk", 4); /* a page is appended, wherever that is */
	catchup_page_begin(&w, &b);
	catchup_page_seal(&w, &root);
	assert_int_equal(catchup_page_open(b.data + 4, b.len - 4, &v), 0);
	assert_int_equal(v.root.done, 1);
	assert_int_equal(catchup_page_next(&v, &frame, &len), CATCHUP_END);
	buf_free(&b);
}

static const char *source_name(void *arg, uint16_t id)
{
	return id == 2 ? arg : NULL;
}

static void a_page_as_json_holds_the_same_events(void **state)
{
	struct buf b = {0}, text = {0};
	const struct json *events;
	struct json *root;

	(void)state;
	make_page(&b);
	assert_int_equal(catchup_page_json(b.data, b.len, source_name, "sim", &text),
			 0);
	assert_int_equal(json_parse((char *)text.data, text.len, &root), 0);
	assert_string_equal(json_str(json_get(root, "status"), ""), "gone");
	assert_true(json_num(json_get(root, "next_pos"), 0) == 1002);
	assert_string_equal(json_str(json_get(root, "next_from"), ""), "pos");
	assert_true(json_num(json_get(root, "count"), 0) == 3);
	assert_string_equal(json_str(json_get(root, "hash"), ""), "00000000000000ab");
	assert_int_equal(json_len(json_get(root, "gone")), 1);
	assert_int_equal(json_len(json_get(root, "held")), 2);
	assert_string_equal(
		json_str(json_get(json_at(json_get(root, "held"), 0), "timeframe"), ""),
		"1m");
	assert_true(json_num(json_get(json_at(json_get(root, "held"), 1), "first_seq"),
			     0) == 9);
	events = json_get(root, "events");
	assert_int_equal(json_len(events), 3);
	assert_string_equal(json_str(json_get(json_at(events, 0), "source"), ""),
			    "sim");
	assert_true(json_num(json_get(json_at(events, 1), "seq"), 0) == 8);
	assert_int_equal(json_len(json_get(json_at(events, 2), "matrix")), SAMPLE_ROWS);
	json_free(root);
	buf_free(&text);
	buf_free(&b);
}

static void a_dictionary_comes_back_in_both_forms(void **state)
{
	struct catchup_name names[2] = {{1, "sim"}, {2, "file"}}, out;
	struct catchup_dict_page_root root = {.epoch = 3, .next_id = 3, .done = 1};
	struct catchup_dict_view v;
	struct buf b = {0};

	(void)state;
	catchup_dict_write(&root, names, 2, false, &b);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(catchup_dict_open(b.data, i, &v), CATCHUP_MALFORMED);
	assert_int_equal(catchup_dict_open(b.data, b.len, &v), 0);
	assert_int_equal(v.n, 2);
	catchup_dict_at(&v, 1, &out);
	assert_memory_equal(&out, &names[1], sizeof(out));
	b.len = 0;
	catchup_dict_write(&root, names, 2, true, &b);
	assert_string_equal(buf_text(&b),
			    "{\"dictionary\":\"sources\",\"epoch\":3,\"next_id\":3,"
			    "\"done\":true,\"names\":[{\"id\":1,\"name\":\"sim\"},"
			    "{\"id\":2,\"name\":\"file\"}]}");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_sbe_request_comes_back_as_it_went),
		cmocka_unit_test(a_request_of_the_first_version_is_understood),
		cmocka_unit_test(the_hash_is_that_of_the_page),
		cmocka_unit_test(a_json_request_says_the_same),
		cmocka_unit_test(senseless_requests_are_refused),
		cmocka_unit_test(a_filter_wants_its_streams_alone),
		cmocka_unit_test(a_page_gives_its_frames_back),
		cmocka_unit_test(an_empty_page_is_a_page),
		cmocka_unit_test(a_page_as_json_holds_the_same_events),
		cmocka_unit_test(a_dictionary_comes_back_in_both_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
