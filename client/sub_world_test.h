/*
 * sub_world_test - a small daemon in the test's own process: PUB sockets and a
 * catch-up REP over nng's ipc transport.
 */
#pragma once
#include "client/tickbus.h"
#include "client/url_test.h"
#include "proto/catchup.h"
#include "proto/sample_test.h"
#include "proto/topic.h"
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEARTBEAT_MS 100

/* What catch-up holds of AAPL: sequences held_from .. held_to. */
static struct {
	enum event_kind kind; /* EVENT_TICK, or EVENT_BAR */
	nng_socket tick, tier2, rep;
	pthread_t thread;
	uint64_t epoch;
	_Atomic uint64_t held_from, held_to;
	_Atomic uint64_t withheld_from;  /* of these, by the kill switch; 0: none are */
	_Atomic unsigned release_at;     /* request behind which they are released */
	_Atomic uint64_t anew_from;      /* later events have these numbers; 0: none */
	_Atomic uint64_t first_held_pos; /* 0: of held_from */
	_Atomic uint64_t page_max;
	_Atomic uint64_t horizon; /* sequence up to which pages go, held or not */
	uint64_t frame_seq;       /* of heartbeats */
	uint64_t beat_pos;        /* what they say has been reached */
	int64_t beat_ns;          /* their time, behind SAMPLE_NS */
	uint16_t beat_part;
	_Atomic int lies;    /* about the hash */
	_Atomic int empties; /* so many pages hold nothing and are not the last */
	atomic_uint requests;
} server;

static char tick_url[URL_TEST_MAX], tier2_url[URL_TEST_MAX], catchup_url[URL_TEST_MAX];

__attribute__((constructor)) static void name_urls(void)
{
	url_test(tick_url, "tick");
	url_test(tier2_url, "tier2");
	url_test(catchup_url, "catchup");
}

static const struct tickbus_options options = {
	.url = {[TICKBUS_TICK] = tick_url,
		[TICKBUS_BAR] = tick_url,
		[TICKBUS_TIER2] = tier2_url,
		[TICKBUS_CATCHUP] = catchup_url},
	.heartbeat_ms = HEARTBEAT_MS,
	.timeout_ms = 2000,
};

static inline struct event_tick tick_at(uint64_t seq, const char *symbol)
{
	struct event_tick e = sample_tick();

	e.head.seq = seq;
	e.head.pos = 1000 + seq;
	if (server.anew_from > 0 && seq >= server.anew_from)
		e.head.recv_ns += 1000;
	memset(e.symbol, 0, sizeof(e.symbol));
	memcpy(e.symbol, symbol, strlen(symbol));
	return e;
}

static inline struct event_bar bar_at(uint64_t seq, const char *symbol)
{
	struct event_bar e = sample_bar();
	uint64_t head = 0;

	memset(e.symbol, 0, sizeof(e.symbol));
	memcpy(e.symbol, symbol, strlen(symbol));
	for (e.head.seq = 1;; e.head.seq++) {
		e.head.pos = 1000 + e.head.seq;
		event_chain(EVENT_BAR, &e, &head);
		if (e.head.seq >= seq)
			return e;
	}
}

static inline size_t make_frame(void *buf, size_t cap, uint64_t from, uint64_t to,
				const char *symbol)
{
	struct frame f;

	frame_begin(&f, buf, cap, server.kind, server.epoch);
	for (uint64_t seq = from; seq <= to; seq++) {
		struct event_tick tick = tick_at(seq, symbol);
		struct event_bar bar = bar_at(seq, symbol);

		assert_int_equal(frame_add(&f, server.kind == EVENT_TICK
						       ? (const void *)&tick
						       : (const void *)&bar),
				 0);
	}
	return frame_seal(&f, 1, SAMPLE_NS);
}

static inline void publish(nng_socket s, enum event_kind topic, const void *frame,
			   size_t len)
{
	char text[TOPIC_MAX];
	size_t topic_len = topic_kind(text, topic);
	nng_msg *msg;

	assert_int_equal(nng_msg_alloc(&msg, 0), 0);
	nng_msg_append(msg, text, topic_len);
	nng_msg_append(msg, frame, len);
	assert_int_equal(nng_sendmsg(s, msg, 0), 0);
}

static inline void send_ticks(uint64_t from, uint64_t to, const char *symbol)
{
	uint8_t frame[32768];

	publish(server.tick, server.kind, frame,
		make_frame(frame, sizeof(frame), from, to, symbol));
}

static inline void send_heartbeat(uint64_t last_seq, const char *symbol)
{
	struct frame_heartbeat hb = {.last_seq = last_seq, .pos = 1000 + last_seq};
	uint8_t frame[256];
	struct frame f;

	frame_heartbeat_begin(&f, frame, sizeof(frame), server.kind, server.epoch,
			      server.beat_pos);
	frame_heartbeat_part(&f, server.beat_part);
	if (symbol) {
		memcpy(hb.symbol, symbol, strlen(symbol));
		frame_heartbeat_add(&f, &hb);
	}
	publish(server.tick, EVENT_HEARTBEAT, frame,
		frame_heartbeat_seal(&f, server.frame_seq, SAMPLE_NS + server.beat_ns));
}

static inline uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What the request's bounds leave of what is held. */
static inline void bounds(const struct catchup_request *req, uint64_t *from,
			  uint64_t *to)
{
	if (req->root.from > 1000 &&
	    (req->root.from_type == CATCHUP_FROM_POS ||
	     req->root.from_type == CATCHUP_FROM_TIME)) /* here they are the same */
		*from = most(*from, req->root.from - 1000);
	if (req->n_streams > 0 && req->streams[0].to_seq > 0) {
		*from = most(*from, req->streams[0].from_seq);
		*to = least(*to, req->streams[0].to_seq);
	}
}

/* What is withheld of from .. *to: named, and taken off. */
static inline void withhold(struct catchup_writer *w, uint64_t from, uint64_t *to)
{
	struct catchup_held held = {.first_seq = most(server.withheld_from, from),
				    .kind = (uint8_t)server.kind,
				    .symbol = "AAPL"};

	if (server.withheld_from == 0 || held.first_seq > *to)
		return;
	if (w != NULL)
		catchup_page_held(w, &held);
	*to = held.first_seq - 1;
}

/* Of tick n the position is 1000 + n; a page holds page_max at most. */
static inline void answer(const struct catchup_request *req, struct buf *out)
{
	struct catchup_page_root root = {
		.epoch = server.epoch,
		.done = 1,
		.next_from = CATCHUP_FROM_POS,
		.first_held_pos = server.first_held_pos ? server.first_held_pos
							: 1000 + server.held_from,
		.count = req->root.count,
		.hash = req->root.hash};
	uint64_t from = server.held_from, to = server.held_to;
	uint64_t beyond = most(to, server.horizon) + 1, end;
	struct catchup_writer w;
	uint8_t frame[32768];

	bounds(req, &from, &to);
	if ((req->root.from_type == CATCHUP_FROM_SEQ &&
	     from > req->streams[0].from_seq) ||
	    (req->root.from_type == CATCHUP_FROM_POS &&
	     req->root.from < root.first_held_pos))
		root.status = CATCHUP_GONE;
	if (to >= from && server.page_max && to - from + 1 > server.page_max) {
		to = from + server.page_max - 1;
		root.done = 0;
		beyond = to + 1;
	}
	if (server.empties > 0) {
		server.empties--;
		root.done = 0;
		beyond = from;
		to = from - 1;
	}
	root.next_pos = 1000 + beyond;
	end = to;
	withhold(NULL, from, &to);
	for (uint64_t seq = from; seq <= to && from > 0; seq++, root.count++) {
		struct event_head h = {.seq = seq, .pos = 1000 + seq};

		root.hash = catchup_hash(root.hash, server.kind, &h);
	}
	root.hash ^= (uint64_t)server.lies;
	catchup_page_begin(&w, out);
	if (from <= to && from > 0)
		catchup_page_frame(&w, frame,
				   make_frame(frame, sizeof(frame), from, to, "AAPL"));
	withhold(&w, from, &end);
	catchup_page_seal(&w, &root);
	if (server.requests == server.release_at)
		server.withheld_from = 0;
}

static inline void *serve(void *arg)
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

static inline int start_server(void **state)
{
	(void)state;
	memset((void *)&server, 0, sizeof(server));
	server.epoch = 3;
	server.frame_seq = 1;
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

static inline int stop_server(void **state)
{
	(void)state;
	nng_close(server.tick);
	nng_close(server.tier2);
	nng_close(server.rep);
	pthread_join(server.thread, NULL);
	return 0;
}

/* Empty heartbeats until the first arrives: then the pipe is there. */
static inline void until_connected(struct tickbus_sub *sub)
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

static inline struct tickbus_sub *subscribe(const struct tickbus_filter *filter)
{
	struct tickbus_sub *sub;

	assert_int_equal(tickbus_sub_open(&options, filter, &sub), 0);
	if (filter->from == TICKBUS_FROM_NOW)
		until_connected(sub);
	return sub;
}

static inline void gives_tick(struct tickbus_sub *sub, uint64_t seq, int is_filled)
{
	struct tickbus_event e;

	assert_int_equal(tickbus_sub_next(sub, 2000, &e), 0);
	assert_int_equal(e.kind, server.kind);
	assert_int_equal(e.head->seq, seq);
	assert_int_equal(e.is_filled, is_filled);
	if (server.kind == EVENT_TICK)
		assert_true(e.tick->price_e9 == sample_tick().price_e9);
}

static inline void gives_gap(struct tickbus_sub *sub, uint64_t first, uint64_t last)
{
	struct tickbus_event e;

	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_GAP);
	assert_string_equal(e.gap.symbol, "AAPL");
	assert_int_equal(e.gap.first_seq, first);
	assert_int_equal(e.gap.last_seq, last);
}

static inline void gives_nothing(struct tickbus_sub *sub)
{
	struct tickbus_event e;

	assert_int_equal(tickbus_sub_next(sub, 20, &e), TICKBUS_TIMEOUT);
}

#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, start_server, stop_server)
