/* sub_test - order, holes, history. */
#include "client/sub_world_test.h"

static const char *const aapl[] = {"AAPL"};
static const struct tickbus_filter ticks = {.kinds = TICKBUS_KIND(EVENT_TICK)};
static const struct tickbus_filter ticks_unfilled = {.kinds = TICKBUS_KIND(EVENT_TICK),
						     .policy = TICKBUS_BEST_EFFORT};
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
	server.held_to = 8;
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
	server.horizon = 11; /* 10 will never come */
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

static const struct tickbus_filter all_ticks = {.kinds = TICKBUS_KIND(EVENT_TICK),
						.from = TICKBUS_FROM_OLDEST};

static void becomes_live(struct tickbus_sub *sub, struct tickbus_event *e)
{
	assert_int_equal(tickbus_sub_next(sub, 2000, e), TICKBUS_LIVE);
	until_connected(sub);
}

static void the_marker_says_what_history_held(void **state)
{
	struct tickbus_sub *sub;
	struct tickbus_event e;
	uint64_t hash = 0;

	(void)state;
	server.held_from = 1;
	server.held_to = 10;
	server.page_max = 4;
	sub = subscribe(&all_ticks);
	for (uint64_t seq = 1; seq <= 10; seq++) {
		struct event_head h = {.seq = seq, .pos = 1000 + seq};

		gives_tick(sub, seq, 1);
		hash = catchup_hash(hash, EVENT_TICK, &h);
	}
	becomes_live(sub, &e);
	assert_int_equal(e.live.pos, 1010);
	assert_int_equal(e.live.count, 10);
	assert_true(e.live.hash == hash);
	assert_int_equal(tickbus_sub_counts(sub)->sum_breaks, 0);
	tickbus_sub_close(sub);
}

static void pages_that_do_not_add_up_are_said_aloud(void **state)
{
	struct tickbus_sub *sub;
	struct tickbus_event e;

	(void)state;
	server.held_from = 1;
	server.held_to = 3;
	server.lies = 1;
	sub = subscribe(&all_ticks);
	for (uint64_t seq = 1; seq <= 3; seq++)
		gives_tick(sub, seq, 1);
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), -EBADMSG);
	assert_non_null(strstr(tickbus_error(), "3 events with hash"));
	assert_int_equal(tickbus_sub_counts(sub)->sum_breaks, 1);
	server.lies = 0;
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_LIVE);
	tickbus_sub_close(sub);
}

/* Work per page is bounded at the daemon: a page may just have got further. */
static void a_hole_is_followed_over_empty_pages(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks);

	(void)state;
	server.held_from = 1;
	server.held_to = 100;
	server.page_max = 2;
	server.empties = 3;
	send_ticks(5, 5, "AAPL");
	send_ticks(10, 10, "AAPL");
	gives_tick(sub, 5, 0);
	for (uint64_t seq = 6; seq <= 9; seq++)
		gives_tick(sub, seq, 1);
	gives_tick(sub, 10, 0);
	assert_int_equal(server.requests, 5);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 0);
	tickbus_sub_close(sub);
}

/* The first event that is heard of a stream need not be its first. */
static void a_stream_that_history_did_not_show_begins_whole(void **state)
{
	struct tickbus_sub *sub;
	struct tickbus_event e;

	(void)state;
	server.horizon = 5;
	sub = subscribe(&all_ticks);
	becomes_live(sub, &e);
	assert_int_equal(e.live.pos, 1005);
	server.held_from = 6;
	server.held_to = 7;
	server.horizon = 9;
	send_ticks(8, 8, "AAPL");
	gives_tick(sub, 6, 1);
	gives_tick(sub, 7, 1);
	gives_tick(sub, 8, 0);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 0);
	tickbus_sub_close(sub);

	server.held_to = 8;
	sub = subscribe(&all_ticks); /* 6 .. 8 are history now */
	for (uint64_t seq = 6; seq <= 8; seq++)
		gives_tick(sub, seq, 1);
	becomes_live(sub, &e);
	tickbus_sub_close(sub);
}

static void the_only_event_of_a_new_stream_shows_at_the_heartbeat(void **state)
{
	struct tickbus_sub *sub;
	struct tickbus_event e;

	(void)state;
	server.horizon = 5;
	sub = subscribe(&all_ticks);
	becomes_live(sub, &e);
	server.held_from = 6;
	server.held_to = 6;
	send_heartbeat(6, "AAPL");
	gives_tick(sub, 6, 1);
	gives_nothing(sub);
	tickbus_sub_close(sub);
}

/* Frames were lost, and the heartbeat that named their streams with them. */
static void a_kind_is_fetched_when_a_heartbeat_may_be_missing(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks);

	(void)state;
	server.held_from = 1;
	server.held_to = 8;
	server.beat_pos = 1005;
	send_heartbeat(0, NULL);
	gives_nothing(sub); /* up to 1005 nothing is missing */
	server.frame_seq = 9;
	server.beat_pos = 1008;
	send_heartbeat(0, NULL);
	gives_nothing(sub); /* the heartbeat before it was here: no hole */
	assert_int_equal(server.requests, 0);
	server.frame_seq = 12;
	server.beat_pos = 1010;
	server.beat_ns = INT64_C(1000000000);
	server.held_to = 10;
	send_heartbeat(0, NULL);
	gives_tick(sub, 9, 1);
	gives_tick(sub, 10, 1);
	gives_nothing(sub);
	assert_int_equal(server.requests, 1);
	tickbus_sub_close(sub);
}

static void a_history_that_begins_too_early_is_told_by_position(void **state)
{
	struct tickbus_filter filter = {.kinds = TICKBUS_KIND(EVENT_TICK),
					.from = TICKBUS_FROM_POS,
					.from_value = 1003};
	struct tickbus_sub *sub;
	struct tickbus_event e;

	(void)state;
	server.held_from = 8;
	server.held_to = 9;
	sub = subscribe(&filter);
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_GAP);
	assert_string_equal(e.gap.symbol, "");
	assert_int_equal(e.gap.first_pos, 1003);
	assert_int_equal(e.gap.last_pos, 1007);
	gives_tick(sub, 8, 1);
	gives_tick(sub, 9, 1);
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_LIVE);
	tickbus_sub_close(sub);
}

static void patience_ends_when_catch_up_gets_no_further(void **state)
{
	struct tickbus_options hasty = options;
	struct tickbus_sub *sub;

	(void)state;
	hasty.patience_ms = 150;
	assert_int_equal(tickbus_sub_open(&hasty, &ticks, &sub), 0);
	until_connected(sub);
	send_ticks(5, 5, "AAPL");
	send_ticks(8, 8, "AAPL"); /* catch-up never hears of them */
	gives_tick(sub, 5, 0);
	gives_gap(sub, 6, 7);
	gives_tick(sub, 8, 0);
	assert_true(server.requests >= 2);
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
		WITH_SERVER(the_marker_says_what_history_held),
		WITH_SERVER(pages_that_do_not_add_up_are_said_aloud),
		WITH_SERVER(a_hole_is_followed_over_empty_pages),
		WITH_SERVER(a_stream_that_history_did_not_show_begins_whole),
		WITH_SERVER(the_only_event_of_a_new_stream_shows_at_the_heartbeat),
		WITH_SERVER(a_kind_is_fetched_when_a_heartbeat_may_be_missing),
		WITH_SERVER(a_history_that_begins_too_early_is_told_by_position),
		WITH_SERVER(patience_ends_when_catch_up_gets_no_further),
		WITH_SERVER(a_silent_socket_is_rebuilt),
		WITH_SERVER(a_matrix_comes_whole),
		WITH_SERVER(junk_is_counted_and_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
