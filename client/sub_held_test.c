/* sub_held_test - streams that the kill switch held when history was read. */
#include "client/sub_world_test.h"

static const struct tickbus_filter oldest = {.kinds = TICKBUS_KIND(EVENT_BAR),
					     .from = TICKBUS_FROM_OLDEST};
static const struct tickbus_filter from_snapshot = {.kinds = TICKBUS_KIND(EVENT_BAR),
						    .from = TICKBUS_FROM_SNAPSHOT};

/*
 * History shows nothing up to position 1000 + @horizon, and the kind was fetched once
 * more behind the first heartbeat: from here on no frame was lost.
 */
static struct tickbus_sub *begin(const struct tickbus_filter *filter, uint64_t horizon)
{
	struct tickbus_sub *sub;
	struct tickbus_event e;

	server.kind = filter->kinds & TICKBUS_KIND(EVENT_TICK) ? EVENT_TICK : EVENT_BAR;
	server.horizon = horizon;
	server.first_held_pos = 1001;
	server.frame_seq = 0; /* that of events is 1 */
	sub = subscribe(filter);
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_LIVE);
	server.horizon = horizon + 1;
	server.beat_pos = 1000 + horizon + 1;
	until_connected(sub);
	while (server.requests < 2)
		gives_nothing(sub);
	gives_nothing(sub);
	return sub;
}

static void gives(struct tickbus_sub *sub, uint64_t seq, int is_filled)
{
	gives_tick(sub, seq, is_filled); /* of server.kind */
}

static void send_bars(uint64_t from, uint64_t to, const char *symbol)
{
	send_ticks(from, to, symbol);
}

static void hold(uint64_t from, uint64_t to)
{
	server.held_from = from;
	server.held_to = to;
}

static void a_live_event_of_a_released_stream_comes_behind_what_was_held(void **state)
{
	struct tickbus_sub *sub = begin(&oldest, 5);

	(void)state;
	hold(1, 8);
	server.page_max = 3;
	send_bars(8, 9, "AAPL");
	for (uint64_t seq = 1; seq <= 7; seq++)
		gives(sub, seq, 1);
	gives(sub, 8, 0);
	gives(sub, 9, 0);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 0);
	tickbus_sub_close(sub);
}

static void a_first_event_is_asked_for_nothing(void **state)
{
	struct tickbus_sub *sub = begin(&oldest, 0);
	unsigned asked = server.requests;

	(void)state;
	send_bars(1, 3, "AAPL");
	for (uint64_t seq = 1; seq <= 3; seq++)
		gives(sub, seq, 0);
	assert_int_equal(server.requests, asked);
	tickbus_sub_close(sub);
}

/* Released without a new event, and all of it lies before the end of history. */
static void a_heartbeat_of_a_released_stream_brings_what_was_held(void **state)
{
	struct tickbus_sub *sub = begin(&oldest, 5);

	(void)state;
	hold(1, 4);
	send_heartbeat(4, "AAPL");
	for (uint64_t seq = 1; seq <= 4; seq++)
		gives(sub, seq, 1);
	gives_nothing(sub);
	tickbus_sub_close(sub);
}

static void what_was_retired_while_it_was_held_is_gone(void **state)
{
	struct tickbus_sub *sub = begin(&oldest, 5);

	(void)state;
	hold(6, 8);
	server.first_held_pos = 1006;
	send_bars(9, 9, "AAPL");
	gives_gap(sub, 1, 5);
	for (uint64_t seq = 6; seq <= 8; seq++)
		gives(sub, seq, 1);
	gives(sub, 9, 0);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 5);
	tickbus_sub_close(sub);
}

/* Retention had taken its events before: "the oldest" never promised them. */
static void what_had_gone_before_is_not_missed(void **state)
{
	struct tickbus_sub *sub = begin(&oldest, 5);

	(void)state;
	hold(8, 8);
	send_bars(9, 9, "AAPL");
	gives(sub, 8, 1);
	gives(sub, 9, 0);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 0);
	tickbus_sub_close(sub);
}

/* The frame with its live event was lost, and the heartbeat behind it as well. */
static void a_page_of_the_kind_is_left_for_a_stream_that_was_held(void **state)
{
	struct tickbus_sub *sub = begin(&oldest, 5);

	(void)state;
	hold(1, 9);
	server.page_max = 2;
	server.frame_seq = 12;
	server.beat_pos = 1009;
	server.beat_ns = INT64_C(1000000000);
	send_heartbeat(0, NULL); /* the kind is asked for from 1007 on */
	for (uint64_t seq = 1; seq <= 7; seq++)
		gives(sub, seq, 1);
	send_heartbeat(0, NULL);
	for (uint64_t seq = 8; seq <= 9; seq++)
		gives(sub, seq, 1);
	gives_nothing(sub);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 0);
	tickbus_sub_close(sub);
}

static void a_snapshot_is_owed_nothing_older(void **state)
{
	struct tickbus_sub *sub = begin(&from_snapshot, 5);
	unsigned asked = server.requests;

	(void)state;
	hold(1, 8);
	send_bars(8, 9, "AAPL");
	gives(sub, 8, 0);
	gives(sub, 9, 0);
	assert_int_equal(server.requests, asked);
	tickbus_sub_close(sub);
}

static void ticks_are_never_held_and_none_is_asked_for(void **state)
{
	static const struct tickbus_filter ticks = {.kinds = TICKBUS_KIND(EVENT_TICK),
						    .from = TICKBUS_FROM_OLDEST};
	struct tickbus_sub *sub = begin(&ticks, 5);
	unsigned asked = server.requests;

	(void)state;
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
		WITH_SERVER(what_was_retired_while_it_was_held_is_gone),
		WITH_SERVER(what_had_gone_before_is_not_missed),
		WITH_SERVER(a_page_of_the_kind_is_left_for_a_stream_that_was_held),
		WITH_SERVER(a_snapshot_is_owed_nothing_older),
		WITH_SERVER(ticks_are_never_held_and_none_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
