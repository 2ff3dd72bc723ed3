/*
 * sub_held_test - streams that the kill switch holds when history is read, or begins to
 * hold later: whoever began at a position, a time or the oldest has every event from
 * there on, and nothing from before.
 */
#include "client/sub_world_test.h"

static const struct {
	struct tickbus_filter filter;
	uint64_t first; /* that is owed */
} beginnings[] = {
	{{.kinds = TICKBUS_KIND(EVENT_BAR), .from = TICKBUS_FROM_OLDEST}, 1},
	{{.kinds = TICKBUS_KIND(EVENT_BAR),
	  .from = TICKBUS_FROM_POS,
	  .from_value = 1003},
	 3},
	{{.kinds = TICKBUS_KIND(EVENT_BAR),
	  .from = TICKBUS_FROM_TIME,
	  .from_value = 1003},
	 3},
};
#define BEGINNINGS (sizeof(beginnings) / sizeof(*beginnings))
#define OLDEST     0
#define BEAT_NS    ((int64_t)HEARTBEAT_MS * 1000000)

/* A new world for the next beginning. */
static void again(size_t b)
{
	if (b == BEGINNINGS)
		return;
	stop_server(NULL);
	start_server(NULL);
}

static void log_holds(uint64_t from, uint64_t to)
{
	server.held_from = from;
	server.held_to = to;
}

/* What the log holds by now is withheld, and the subscriber has read its history. */
static struct tickbus_sub *open_held(const struct tickbus_options *with,
				     const struct tickbus_filter *filter)
{
	struct tickbus_sub *sub;
	struct tickbus_event e;

	server.kind = filter->kinds & TICKBUS_KIND(EVENT_TICK) ? EVENT_TICK : EVENT_BAR;
	server.frame_seq = 0; /* that of events is 1 */
	server.first_held_pos = 1001;
	assert_int_equal(tickbus_sub_open(with, filter, &sub), 0);
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_LIVE);
	return sub;
}

/* ... and the kind was fetched once more behind the first heartbeat: no frame is lost.
 */
static struct tickbus_sub *begin_with(const struct tickbus_options *with,
				      const struct tickbus_filter *filter)
{
	struct tickbus_sub *sub = open_held(with, filter);
	uint64_t end = most(server.held_to, server.horizon);

	server.horizon = end + 1;
	server.beat_pos = 1000 + end + 1;
	until_connected(sub);
	while (server.requests < 2)
		gives_nothing(sub);
	gives_nothing(sub);
	return sub;
}

static struct tickbus_sub *begin(size_t b)
{
	return begin_with(&options, &beginnings[b].filter);
}

static void gives(struct tickbus_sub *sub, uint64_t seq, int is_filled)
{
	gives_tick(sub, seq, is_filled); /* of server.kind */
}

static void gives_filled(struct tickbus_sub *sub, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++)
		gives(sub, seq, 1);
}

static void send_bars(uint64_t from, uint64_t to)
{
	send_ticks(from, to, "AAPL");
}

static void nothing_is_lost(struct tickbus_sub *sub)
{
	gives_nothing(sub);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 0);
	tickbus_sub_close(sub);
}

static void a_live_event_of_a_released_stream_comes_behind_what_was_held(void **state)
{
	(void)state;
	for (size_t b = 0; b < BEGINNINGS; again(++b)) {
		struct tickbus_sub *sub;

		log_holds(1, 7);
		server.withheld_from = 1;
		sub = begin(b);
		server.withheld_from = 0;
		server.page_max = 3;
		send_bars(8, 9);
		gives_filled(sub, beginnings[b].first, 7);
		gives(sub, 8, 0);
		gives(sub, 9, 0);
		nothing_is_lost(sub);
	}
}

static void a_first_event_is_asked_for_nothing(void **state)
{
	struct tickbus_sub *sub = begin(OLDEST);
	unsigned asked = server.requests;

	(void)state;
	send_bars(1, 3);
	for (uint64_t seq = 1; seq <= 3; seq++)
		gives(sub, seq, 0);
	assert_int_equal(server.requests, asked);
	tickbus_sub_close(sub);
}

/* Released without a new event, and all of it lies before the end of history. */
static void a_heartbeat_of_a_released_stream_brings_what_was_held(void **state)
{
	(void)state;
	for (size_t b = 0; b < BEGINNINGS; again(++b)) {
		struct tickbus_sub *sub;

		log_holds(1, 4);
		server.withheld_from = 1;
		sub = begin(b);
		server.withheld_from = 0;
		send_heartbeat(4, "AAPL");
		gives_filled(sub, beginnings[b].first, 4);
		nothing_is_lost(sub);
	}
}

/* Page by page: the one that shows the hole is asked for once more. */
static void a_release_between_two_pages_leaves_nothing_out(void **state)
{
	(void)state;
	for (uint64_t from = 1; from <= 5; from++) {
		for (unsigned pages = 1; pages <= 3; pages++) {
			for (size_t b = 0; b < BEGINNINGS; again(++b)) {
				struct tickbus_sub *sub;
				struct tickbus_event e;
				uint64_t seq = beginnings[b].first;

				server.kind = EVENT_BAR;
				log_holds(1, 8);
				server.first_held_pos = 1001;
				server.page_max = 2;
				server.withheld_from = from;
				server.release_at = pages;
				sub = subscribe(&beginnings[b].filter);
				while (tickbus_sub_next(sub, 2000, &e) == 0)
					assert_int_equal(e.head->seq, seq++);
				assert_int_equal(tickbus_sub_counts(sub)->sum_breaks,
						 0);
				if (seq < 9) { /* all is released by now */
					server.beat_pos = 1008;
					until_connected(sub);
					send_heartbeat(8, "AAPL");
					gives_filled(sub, seq, 8);
				}
				nothing_is_lost(sub);
			}
			again(0);
		}
	}
}

/* Nothing of it has come when it is held: it is named as it stood before. */
static void what_is_held_later_is_named_by_a_heartbeat(void **state)
{
	(void)state;
	for (size_t b = 0; b < BEGINNINGS; again(++b)) {
		struct tickbus_sub *sub;

		server.horizon = 6;
		sub = begin(b);
		log_holds(8, 9);
		server.withheld_from = 8;
		server.horizon = 10;
		server.beat_pos = 1009;
		send_heartbeat(7, "AAPL");
		gives_nothing(sub);
		server.beat_pos = 1010;
		send_heartbeat(0, NULL);
		gives_nothing(sub);
		server.withheld_from = 0;
		send_bars(10, 10);
		gives_filled(sub, 8, 9);
		gives(sub, 10, 0);
		nothing_is_lost(sub);
	}
}

static void a_release_before_any_heartbeat_leaves_nothing_out(void **state)
{
	(void)state;
	for (size_t b = 0; b < BEGINNINGS; again(++b)) {
		struct tickbus_sub *sub;

		server.horizon = 6;
		sub = begin(b);
		log_holds(8, 9);
		server.horizon = 10;
		send_bars(10, 10);
		gives_filled(sub, 8, 9);
		gives(sub, 10, 0);
		nothing_is_lost(sub);
	}
}

/* No frame is lost with it, and yet it may have named a stream. */
static void hears_a_later_beat(int64_t late_ns, uint16_t part)
{
	for (size_t b = 0; b < BEGINNINGS; again(++b)) {
		struct tickbus_sub *sub;

		server.horizon = 6;
		sub = begin(b);
		log_holds(8, 9);
		server.withheld_from = 8;
		server.horizon = 10;
		server.beat_pos = 1009;
		server.beat_ns = late_ns;
		server.beat_part = part;
		send_heartbeat(0, NULL);
		while (server.requests < 3)
			gives_nothing(sub);
		gives_nothing(sub);
		server.withheld_from = 0;
		send_bars(10, 10);
		gives_filled(sub, 8, 9);
		gives(sub, 10, 0);
		nothing_is_lost(sub);
	}
}

static void a_lost_heartbeat_hides_no_stream(void **state)
{
	(void)state;
	hears_a_later_beat(2 * BEAT_NS, 0);
}

static void a_lost_part_of_a_heartbeat_hides_no_stream(void **state)
{
	(void)state;
	hears_a_later_beat(0, 1);
}

static void what_was_retired_while_it_was_held_is_gone(void **state)
{
	struct tickbus_sub *sub;

	(void)state;
	log_holds(1, 8);
	server.withheld_from = 1;
	sub = begin(OLDEST);
	log_holds(6, 8);
	server.first_held_pos = 1006;
	server.withheld_from = 0;
	send_bars(9, 9);
	gives_gap(sub, 1, 5);
	gives_filled(sub, 6, 8);
	gives(sub, 9, 0);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 5);
	tickbus_sub_close(sub);
}

/* Retention had taken its events before: "the oldest" never promised them. */
static void what_had_gone_before_is_not_missed(void **state)
{
	struct tickbus_sub *sub;

	(void)state;
	server.horizon = 5;
	sub = begin(OLDEST);
	log_holds(8, 8);
	server.horizon = 9;
	send_bars(9, 9);
	gives(sub, 8, 1);
	gives(sub, 9, 0);
	nothing_is_lost(sub);
}

/* The frame with its live event was lost, and the heartbeat behind it as well. */
static void a_kind_that_is_fetched_shows_what_is_released(void **state)
{
	struct tickbus_sub *sub;

	(void)state;
	log_holds(1, 5);
	server.withheld_from = 1;
	sub = begin(OLDEST);
	log_holds(1, 9);
	server.withheld_from = 0;
	server.page_max = 2;
	server.frame_seq = 12;
	server.beat_pos = 1009;
	server.beat_ns = 10 * BEAT_NS;
	send_heartbeat(0, NULL); /* the kind is asked for from 1007 on */
	gives_filled(sub, 1, 9);
	nothing_is_lost(sub);
}

static void a_snapshot_is_owed_the_newest_and_what_follows(void **state)
{
	static const struct tickbus_filter snapshot = {.kinds = TICKBUS_KIND(EVENT_BAR),
						       .from = TICKBUS_FROM_SNAPSHOT};
	struct tickbus_sub *sub;

	(void)state;
	log_holds(5, 5); /* here a snapshot is all there is */
	server.withheld_from = 1;
	sub = begin_with(&options, &snapshot);
	server.withheld_from = 0;
	log_holds(1, 6);
	send_heartbeat(5, "AAPL");
	gives(sub, 5, 1);
	gives_nothing(sub);
	send_bars(7, 7);
	gives(sub, 6, 1);
	gives(sub, 7, 0);
	nothing_is_lost(sub);
}

/* Catch-up stands still: what lies between cannot be looked at, and that is told. */
static void a_catch_up_that_does_not_get_so_far_is_told(void **state)
{
	struct tickbus_options hasty = options;
	struct tickbus_sub *sub;
	struct tickbus_event e;

	(void)state;
	hasty.patience_ms = 150;
	server.horizon = 6;
	sub = begin_with(&hasty, &beginnings[1].filter);
	send_bars(10, 10);
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_GAP);
	assert_int_equal(e.kind, EVENT_BAR);
	assert_string_equal(e.gap.symbol, "");
	assert_int_equal(e.gap.first_pos, 1008);
	assert_int_equal(e.gap.last_pos, 1010);
	gives(sub, 10, 0);
	tickbus_sub_close(sub);
}

static void ticks_are_never_held_and_none_is_asked_for(void **state)
{
	static const struct tickbus_filter ticks = {.kinds = TICKBUS_KIND(EVENT_TICK),
						    .from = TICKBUS_FROM_OLDEST};
	struct tickbus_sub *sub;
	unsigned asked;

	(void)state;
	server.horizon = 5;
	sub = begin_with(&options, &ticks);
	asked = server.requests;
	send_ticks(8, 9, "AAPL");
	gives_tick(sub, 8, 0);
	gives_tick(sub, 9, 0);
	assert_int_equal(server.requests, asked);
	tickbus_sub_close(sub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(
			a_live_event_of_a_released_stream_comes_behind_what_was_held),
		WITH_SERVER(a_first_event_is_asked_for_nothing),
		WITH_SERVER(a_heartbeat_of_a_released_stream_brings_what_was_held),
		WITH_SERVER(a_release_between_two_pages_leaves_nothing_out),
		WITH_SERVER(what_is_held_later_is_named_by_a_heartbeat),
		WITH_SERVER(a_release_before_any_heartbeat_leaves_nothing_out),
		WITH_SERVER(a_lost_heartbeat_hides_no_stream),
		WITH_SERVER(a_lost_part_of_a_heartbeat_hides_no_stream),
		WITH_SERVER(what_was_retired_while_it_was_held_is_gone),
		WITH_SERVER(what_had_gone_before_is_not_missed),
		WITH_SERVER(a_kind_that_is_fetched_shows_what_is_released),
		WITH_SERVER(a_snapshot_is_owed_the_newest_and_what_follows),
		WITH_SERVER(a_catch_up_that_does_not_get_so_far_is_told),
		WITH_SERVER(ticks_are_never_held_and_none_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
