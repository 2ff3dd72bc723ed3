/*
 * A small daemon in the test's own process: PUB sockets and a catch-up REP over
 * nng's inproc transport.
 */
#include "client/tickbus.h"
#include "proto/catchup.h"
#include "proto/sample_test.h"
#include "proto/topic.h"
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEARTBEAT_MS 100

/* What catch-up holds of ticks of AAPL: sequences held_from .. held_to. */
static struct {
	nng_socket tick, tier2, rep;
	pthread_t thread;
	uint64_t epoch;
	_Atomic uint64_t held_from, held_to;
	_Atomic uint64_t page_max;
	atomic_uint requests;
} server;

static const struct tickbus_options options = {
	.url = {[TICKBUS_TICK] = "inproc://sub_test_tick",
		[TICKBUS_TIER2] = "inproc://sub_test_tier2",
		[TICKBUS_CATCHUP] = "inproc://sub_test_catchup"},
	.heartbeat_ms = HEARTBEAT_MS,
	.timeout_ms = 2000,
};

static struct event_tick tick_at(uint64_t seq, const char *symbol)
{
	struct event_tick e = sample_tick();

	e.head.seq = seq;
	e.head.pos = 1000 + seq;
	memset(e.symbol, 0, sizeof(e.symbol));
	memcpy(e.symbol, symbol, strlen(symbol));
	return e;
}

static size_t make_frame(void *buf, size_t cap, uint64_t from, uint64_t to,
			 const char *symbol)
{
	struct frame f;

	frame_begin(&f, buf, cap, EVENT_TICK, server.epoch);
	for (uint64_t seq = from; seq <= to; seq++) {
		struct event_tick e = tick_at(seq, symbol);

		assert_int_equal(frame_add(&f, &e), 0);
	}
	return frame_seal(&f, 1, SAMPLE_NS);
}

static void publish(nng_socket s, enum event_kind topic, const void *frame, size_t len)
{
	char text[TOPIC_MAX];
	size_t topic_len = topic_kind(text, topic);
	nng_msg *msg;

	assert_int_equal(nng_msg_alloc(&msg, 0), 0);
	nng_msg_append(msg, text, topic_len);
	nng_msg_append(msg, frame, len);
	assert_int_equal(nng_sendmsg(s, msg, 0), 0);
}

static void send_ticks(uint64_t from, uint64_t to, const char *symbol)
{
	uint8_t frame[32768];

	publish(server.tick, EVENT_TICK, frame,
		make_frame(frame, sizeof(frame), from, to, symbol));
}

static void send_heartbeat(uint64_t last_seq, const char *symbol)
{
	struct frame_heartbeat hb = {.last_seq = last_seq, .pos = 1000 + last_seq};
	uint8_t frame[256];
	struct frame f;

	frame_heartbeat_begin(&f, frame, sizeof(frame), EVENT_TICK, server.epoch, 0);
	if (symbol) {
		memcpy(hb.symbol, symbol, strlen(symbol));
		frame_heartbeat_add(&f, &hb);
	}
	publish(server.tick, EVENT_HEARTBEAT, frame,
		frame_heartbeat_seal(&f, 1, SAMPLE_NS));
}

/* One page: of a hole what is held of it, of history page_max events. */
static void answer(const struct catchup_request *req, struct buf *out)
{
	struct catchup_page_root root = {.epoch = server.epoch, .done = 1};
	uint64_t from = server.held_from, to = server.held_to;
	struct catchup_writer w;
	uint8_t frame[32768];

	if (req->root.from_type == CATCHUP_FROM_SEQ) {
		from = req->streams[0].from_seq > from ? req->streams[0].from_seq
						       : from;
		to = req->streams[0].to_seq < to ? req->streams[0].to_seq : to;
		if (from > req->streams[0].from_seq)
			root.status = CATCHUP_GONE;
	} else if (req->root.from_type == CATCHUP_FROM_POS) {
		from = req->root.from - 1000;
	}
	if (to >= from && server.page_max && to - from + 1 > server.page_max) {
		to = from + server.page_max - 1;
		root.done = 0;
	}
	root.next_pos = 1000 + to + 1;
	catchup_page_begin(&w, out);
	if (from <= to && from > 0)
		catchup_page_frame(&w, frame,
				   make_frame(frame, sizeof(frame), from, to, "AAPL"));
	catchup_page_seal(&w, &root);
}

static void *serve(void *arg)
{
	nng_msg *msg;

	while (nng_recvmsg(server.rep, &msg, 0) == 0) {
		struct catchup_request req;
		struct buf out = {0};

		server.requests++;
		if (catchup_request_read(nng_msg_body(msg), nng_msg_len(msg), &req) ==
		    0)
			answer(&req, &out);
		catchup_request_deinit(&req);
		nng_msg_clear(msg);
		nng_msg_append(msg, out.data, out.len);
		buf_free(&out);
		if (nng_sendmsg(server.rep, msg, 0) != 0)
			nng_msg_free(msg);
	}
	return arg;
}

static int start_server(void **state)
{
	(void)state;
	memset((void *)&server, 0, sizeof(server));
	server.epoch = 3;
	assert_int_equal(nng_pub0_open(&server.tick), 0);
	assert_int_equal(nng_listen(server.tick, options.url[TICKBUS_TICK], NULL, 0),
			 0);
	assert_int_equal(nng_pub0_open(&server.tier2), 0);
	assert_int_equal(nng_listen(server.tier2, options.url[TICKBUS_TIER2], NULL, 0),
			 0);
	assert_int_equal(nng_rep0_open(&server.rep), 0);
	assert_int_equal(nng_listen(server.rep, options.url[TICKBUS_CATCHUP], NULL, 0),
			 0);
	assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	nng_close(server.tick);
	nng_close(server.tier2);
	nng_close(server.rep);
	pthread_join(server.thread, NULL);
	return 0;
}

/* Empty heartbeats until the first arrives: then the pipe is there. */
static void until_connected(struct tickbus_sub *sub)
{
	uint64_t before = tickbus_sub_counts(sub)->heartbeats;
	struct tickbus_event e;

	for (int i = 0; i < 1000 && tickbus_sub_counts(sub)->heartbeats == before;
	     i++) {
		send_heartbeat(0, NULL);
		assert_int_equal(tickbus_sub_next(sub, 10, &e), TICKBUS_TIMEOUT);
	}
	assert_true(tickbus_sub_counts(sub)->heartbeats > before);
}

static struct tickbus_sub *subscribe(const struct tickbus_filter *filter)
{
	struct tickbus_sub *sub;

	assert_int_equal(tickbus_sub_open(&options, filter, &sub), 0);
	if (filter->from == TICKBUS_FROM_NOW)
		until_connected(sub);
	return sub;
}

static void gives_tick(struct tickbus_sub *sub, uint64_t seq, int is_filled)
{
	struct tickbus_event e;

	assert_int_equal(tickbus_sub_next(sub, 2000, &e), 0);
	assert_int_equal(e.kind, EVENT_TICK);
	assert_int_equal(e.head->seq, seq);
	assert_int_equal(e.is_filled, is_filled);
	assert_true(e.tick->price_e9 == sample_tick().price_e9);
}

static void gives_gap(struct tickbus_sub *sub, uint64_t first, uint64_t last)
{
	struct tickbus_event e;

	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_GAP);
	assert_string_equal(e.gap.symbol, "AAPL");
	assert_int_equal(e.gap.first_seq, first);
	assert_int_equal(e.gap.last_seq, last);
}

static void gives_nothing(struct tickbus_sub *sub)
{
	struct tickbus_event e;

	assert_int_equal(tickbus_sub_next(sub, 20, &e), TICKBUS_TIMEOUT);
}

static const char *const aapl[] = {"AAPL"};
static const struct tickbus_filter ticks = {.kinds = TICKBUS_KIND(EVENT_TICK)};
static const struct tickbus_filter ticks_unfilled = {.kinds = TICKBUS_KIND(EVENT_TICK),
						     .no_fill = 1};
static const struct tickbus_filter ticks_of_aapl = {
	.kinds = TICKBUS_KIND(EVENT_TICK), .symbols = aapl, .n_symbols = 1};

static void events_come_in_order_and_filtered(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks_of_aapl);

	(void)state;
	send_ticks(5, 7, "AAPL");
	send_ticks(1, 2, "AAPLW");
	send_ticks(8, 8, "AAPL");
	for (uint64_t seq = 5; seq <= 8; seq++)
		gives_tick(sub, seq, 0);
	gives_nothing(sub);
	assert_int_equal(tickbus_sub_counts(sub)->filtered, 2);
	assert_int_equal(tickbus_sub_counts(sub)->events, 4);
	tickbus_sub_close(sub);
}

static void a_hole_is_reported_with_its_exact_size(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks_unfilled);

	(void)state;
	send_ticks(5, 5, "AAPL");
	send_ticks(9, 9, "AAPL");
	send_ticks(9, 10, "AAPL"); /* 9 again */
	gives_tick(sub, 5, 0);
	gives_gap(sub, 6, 8);
	gives_tick(sub, 9, 0);
	gives_tick(sub, 10, 0);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 3);
	assert_int_equal(tickbus_sub_counts(sub)->gaps, 1);
	assert_int_equal(tickbus_sub_counts(sub)->duplicates, 1);
	assert_int_equal(server.requests, 0);
	tickbus_sub_close(sub);
}

static void a_lost_end_shows_at_the_heartbeat(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks_unfilled);

	(void)state;
	send_heartbeat(4, "AAPL");
	send_heartbeat(4, "AAPL");
	gives_nothing(sub);
	send_heartbeat(6, "AAPL");
	gives_gap(sub, 5, 6);
	send_heartbeat(6, "AAPL");
	gives_nothing(sub);
	send_ticks(7, 7, "AAPL");
	gives_tick(sub, 7, 0);
	tickbus_sub_close(sub);
}

static void a_hole_is_filled_before_anything_newer(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks);

	(void)state;
	server.held_from = 1;
	server.held_to = 100;
	server.page_max = 2; /* so that it takes several pages */
	send_ticks(5, 5, "AAPL");
	send_ticks(11, 11, "AAPL");
	gives_tick(sub, 5, 0);
	for (uint64_t seq = 6; seq <= 10; seq++)
		gives_tick(sub, seq, 1);
	gives_tick(sub, 11, 0);
	send_heartbeat(13, "AAPL");
	gives_tick(sub, 12, 1);
	gives_tick(sub, 13, 1);
	gives_nothing(sub);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 0);
	assert_int_equal(tickbus_sub_counts(sub)->gaps, 2);
	assert_int_equal(tickbus_sub_counts(sub)->filled, 7);
	assert_int_equal(server.requests, 4);
	tickbus_sub_close(sub);
}

/* Catch-up gets the events later than the subscriber sees the hole. */
static void a_fill_that_comes_too_early_is_tried_again(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks);
	struct tickbus_event e;

	(void)state;
	server.held_from = 1;
	server.held_to = 5;
	send_ticks(5, 5, "AAPL");
	send_ticks(8, 8, "AAPL");
	gives_tick(sub, 5, 0);
	while (server.requests < 2)
		assert_int_equal(tickbus_sub_next(sub, 5, &e), TICKBUS_TIMEOUT);
	server.held_to = 7;
	gives_tick(sub, 6, 1);
	gives_tick(sub, 7, 1);
	gives_tick(sub, 8, 0);
	assert_int_equal(tickbus_sub_counts(sub)->gaps, 1);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 0);
	tickbus_sub_close(sub);
}

static void what_is_gone_is_reported_and_the_rest_filled(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks);

	(void)state;
	server.held_from = 8;
	server.held_to = 9;
	send_ticks(5, 5, "AAPL");
	send_ticks(11, 11, "AAPL");
	gives_tick(sub, 5, 0);
	gives_gap(sub, 6, 7);
	gives_tick(sub, 8, 1);
	gives_tick(sub, 9, 1);
	gives_gap(sub, 10, 10);
	gives_tick(sub, 11, 0);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 3);
	tickbus_sub_close(sub);
}

static void history_comes_first_and_nothing_twice(void **state)
{
	struct tickbus_filter filter = {.kinds = TICKBUS_KIND(EVENT_TICK),
					.from = TICKBUS_FROM_OLDEST};
	struct tickbus_sub *sub;
	struct tickbus_event e;

	(void)state;
	server.held_from = 1;
	server.held_to = 10;
	server.page_max = 4;
	sub = subscribe(&filter);
	for (uint64_t seq = 1; seq <= 10; seq++)
		gives_tick(sub, seq, 1);
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_LIVE);
	assert_int_equal(server.requests, 3);
	until_connected(sub);
	send_ticks(9, 12, "AAPL");
	gives_tick(sub, 11, 0);
	gives_tick(sub, 12, 0);
	assert_int_equal(tickbus_sub_counts(sub)->duplicates, 2);
	tickbus_sub_close(sub);
}

static void a_new_epoch_is_told_and_repetitions_are_dropped(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks);
	struct tickbus_event e;

	(void)state;
	send_ticks(5, 5, "AAPL");
	gives_tick(sub, 5, 0);
	server.epoch = 4;
	send_ticks(5, 6, "AAPL"); /* 5 is published once more */
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_EPOCH);
	assert_int_equal(e.epoch, 4);
	gives_tick(sub, 6, 0);
	assert_int_equal(tickbus_sub_counts(sub)->duplicates, 1);
	tickbus_sub_close(sub);
}

/* The log lost its end: sequences that we know come again with other events. */
static void streams_numbered_anew_are_followed(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks);
	struct event_tick later = tick_at(4, "AAPL");
	struct tickbus_event e;
	uint8_t frame[512];
	struct frame f;

	(void)state;
	send_ticks(5, 5, "AAPL");
	gives_tick(sub, 5, 0);
	server.epoch = 4;
	later.head.recv_ns++;
	frame_begin(&f, frame, sizeof(frame), EVENT_TICK, server.epoch);
	frame_add(&f, &later);
	publish(server.tick, EVENT_TICK, frame, frame_seal(&f, 1, SAMPLE_NS));
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_EPOCH);
	gives_tick(sub, 4, 0);
	assert_int_equal(tickbus_sub_counts(sub)->duplicates, 0);
	tickbus_sub_close(sub);
}

static void a_silent_socket_is_rebuilt(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks);

	(void)state;
	send_ticks(5, 5, "AAPL");
	gives_tick(sub, 5, 0);
	for (int i = 0; i < 100 && tickbus_sub_counts(sub)->rebuilds == 0; i++)
		gives_nothing(sub);
	assert_true(tickbus_sub_counts(sub)->rebuilds > 0);
	until_connected(sub);
	send_ticks(6, 6, "AAPL");
	gives_tick(sub, 6, 0);
	tickbus_sub_close(sub);
}

static void a_matrix_comes_whole(void **state)
{
	struct tickbus_filter filter = {.kinds = TICKBUS_KIND(EVENT_TIER2)};
	struct sample_matrix m = sample_matrix();
	struct tickbus_sub *sub;
	struct tickbus_event e;
	uint8_t frame[2048];
	struct frame f;
	size_t len;
	int rc = TICKBUS_TIMEOUT;

	(void)state;
	frame_begin(&f, frame, sizeof(frame), EVENT_TIER2, server.epoch);
	frame_add(&f, &m);
	len = frame_seal(&f, 1, SAMPLE_NS);
	assert_int_equal(tickbus_sub_open(&options, &filter, &sub), 0);
	for (int i = 0; i < 200 && rc == TICKBUS_TIMEOUT; i++) {
		publish(server.tier2, EVENT_TIER2, frame, len);
		rc = tickbus_sub_next(sub, 10, &e);
	}
	assert_int_equal(rc, 0);
	assert_memory_equal(e.tier2, &m.e, sizeof(m.e));
	assert_memory_equal(e.members, m.member, sizeof(m.member));
	assert_memory_equal(e.triangle, m.triangle, sizeof(m.triangle));
	assert_non_null(
		strstr(tickbus_sub_json(sub, &e), "\"matrix\":[[1],[-0.25,1]]"));
	tickbus_sub_close(sub);
}

static void junk_is_counted_and_skipped(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks);

	(void)state;
	publish(server.tick, EVENT_TICK, "junk", 4);
	send_ticks(1, 1, "AAPL");
	gives_tick(sub, 1, 0);
	assert_int_equal(tickbus_sub_counts(sub)->malformed, 1);
	tickbus_sub_close(sub);
}

#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, start_server, stop_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(events_come_in_order_and_filtered),
		WITH_SERVER(a_hole_is_reported_with_its_exact_size),
		WITH_SERVER(a_lost_end_shows_at_the_heartbeat),
		WITH_SERVER(a_hole_is_filled_before_anything_newer),
		WITH_SERVER(a_fill_that_comes_too_early_is_tried_again),
		WITH_SERVER(what_is_gone_is_reported_and_the_rest_filled),
		WITH_SERVER(history_comes_first_and_nothing_twice),
		WITH_SERVER(a_new_epoch_is_told_and_repetitions_are_dropped),
		WITH_SERVER(streams_numbered_anew_are_followed),
		WITH_SERVER(a_silent_socket_is_rebuilt),
		WITH_SERVER(a_matrix_comes_whole),
		WITH_SERVER(junk_is_counted_and_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
