/* sub_epoch_test - the log lost its end, or an older copy of it was put back. */
#include "client/sub_world_test.h"

static const struct tickbus_filter ticks = {.kinds = TICKBUS_KIND(EVENT_TICK)};

static void a_new_epoch_is_told_and_repetitions_are_dropped(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks);
	struct tickbus_event e;

	(void)state;
	send_ticks(5, 5, "AAPL");
	gives_tick(sub, 5, 0);
	server.epoch = 4;
	server.horizon = 6;
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
	server.horizon = 4;
	later.head.recv_ns++;
	frame_begin(&f, frame, sizeof(frame), EVENT_TICK, server.epoch);
	frame_add(&f, &later);
	publish(server.tick, EVENT_TICK, frame, frame_seal(&f, 1, SAMPLE_NS));
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_EPOCH);
	gives_tick(sub, 4, 0);
	assert_int_equal(tickbus_sub_counts(sub)->duplicates, 0);
	tickbus_sub_close(sub);
}

/* A copy was put back that ends at 5; two more had been published when we heard of it.
 */
static void what_was_numbered_anew_before_we_came_back_is_fetched(void **state)
{
	static const struct tickbus_filter oldest = {.kinds = TICKBUS_KIND(EVENT_TICK),
						     .from = TICKBUS_FROM_OLDEST};
	struct tickbus_sub *sub;
	struct tickbus_event e;

	(void)state;
	server.held_from = 1;
	server.held_to = 10;
	sub = subscribe(&oldest);
	for (uint64_t seq = 1; seq <= 10; seq++)
		gives_tick(sub, seq, 1);
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_LIVE);
	until_connected(sub);
	server.epoch = 4;
	server.anew_from = 6;
	server.held_to = 7;
	server.horizon = 9;
	send_ticks(8, 9, "AAPL");
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_EPOCH);
	gives_tick(sub, 6, 1);
	gives_tick(sub, 7, 1);
	gives_tick(sub, 8, 0);
	gives_tick(sub, 9, 0);
	assert_int_equal(tickbus_sub_counts(sub)->duplicates, 5);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 0);
	tickbus_sub_close(sub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(a_new_epoch_is_told_and_repetitions_are_dropped),
		WITH_SERVER(streams_numbered_anew_are_followed),
		WITH_SERVER(what_was_numbered_anew_before_we_came_back_is_fetched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
