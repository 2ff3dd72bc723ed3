/*
 * bus - the tests that the first event bus had (creation, start and stop,
 * publication, per-symbol buffers, subscription), and those that it lacked.
 */
#include "bus/bus_fixture_test.h"
#include "bus/stats.h"

/* ---- the five of the first bus ---- */

static void event_bus_creation(void **state)
{
	struct bus_params p = small;
	struct bus *b = NULL;

	(void)state;
	assert_int_equal(bus_new(&p, &b), 0);
	assert_false(bus_is_running(b));
	bus_free(b);
	b = NULL;
	p.shards = 0;
	assert_int_equal(bus_new(&p, &b), -EINVAL);
	p = small;
	p.inflight_max = 0;
	assert_int_equal(bus_new(&p, &b), -EINVAL);
	p = small;
	p.turn_max = 0;
	assert_int_equal(bus_new(&p, &b), -EINVAL);
	p = small;
	p.event_bytes = SYMBUF_EVENT_MAX + 1;
	assert_int_equal(bus_new(&p, &b), -EINVAL);
	p = small;
	p.ring_slots = 0;
	assert_int_equal(bus_new(&p, &b), -EINVAL);
	assert_null(b);
	bus_free(NULL);
}

static void event_bus_start_stop(void **state)
{
	struct fixture *f = fixture_new(&small);
	struct bus_counts c;

	(void)state;
	assert_int_equal(publish(f, 1, 10), 0);
	bus_stop(f->bus);
	assert_int_equal(publish(f, 1, 11), BUS_STOPPED);
	step_all(f);
	assert_int_equal(f->seen[1].n, 1); /* what was taken is still handled */
	bus_start(f->bus);
	assert_int_equal(publish(f, 1, 12), 0);
	step_all(f);
	assert_int_equal(f->seen[1].last[1], 12);
	bus_counts(f->bus, EVENT_TICK, &c);
	assert_int_equal(c.published, 2);
	assert_int_equal(c.dispatched, 2);
	assert_int_equal(c.dropped, 1);
	assert_int_equal(bus_publish(NULL, EVENT_TICK, 0, &c, 8), BUS_STOPPED);
	bus_flush(NULL);
	fixture_free(f);
}

static void event_publication(void **state)
{
	struct fixture *f = fixture_new(&small);
	uint64_t told = stats_get(STAT_BUS_PUBLISHED);
	uint64_t handled = stats_get(STAT_BUS_DISPATCHED);
	struct bus_counts c;

	(void)state;
	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(publish(f, (uint32_t)(i % 8), i), 0);
	step_all(f);
	assert_int_equal(f->seen[0].n, 20);
	assert_int_equal(f->seen[1].n, 20);
	assert_int_equal(f->seen[1].last[7], 39);
	assert_int_equal(f->seen[0].out_of_order + f->seen[1].out_of_order, 0);
	bus_counts(f->bus, EVENT_TICK, &c);
	assert_int_equal(c.published, 40);
	assert_int_equal(c.dispatched, 40);
	bus_counts(f->bus, EVENT_BAR, &c);
	assert_int_equal(c.published, 0);
	assert_int_equal(stats_get(STAT_BUS_PUBLISHED) - told, 40);
	assert_int_equal(stats_get(STAT_BUS_DISPATCHED) - handled, 40);
	assert_int_equal(publish(f, SYMBOLS, 1), BUS_UNKNOWN);
	bus_counts(f->bus, EVENT_TICK, &c);
	assert_int_equal(c.dropped, 1);
	fixture_free(f);
}

static void per_symbol_buffers_isolate_events(void **state)
{
	struct fixture *f = fixture_new(&small);
	struct bus_symbol_counts c;

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(publish(f, 2, i), i < 16 ? 0 : BUS_FLOODED);
	/* The flood has its limit; the neighbour in the same shard does not feel it. */
	for (uint64_t i = 0; i < 16; i++)
		assert_int_equal(publish(f, 4, i), 0);
	step_all(f);
	bus_symbol_counts(f->bus, 2, &c);
	assert_int_equal(c.published, 16);
	assert_int_equal(c.refused, 84);
	assert_int_equal(c.dispatched, 16);
	assert_int_equal(c.depth, 0);
	assert_in_range(c.depth_high_water, 1, 16);
	bus_symbol_counts(f->bus, 4, &c);
	assert_int_equal(c.dispatched, 16);
	assert_int_equal(c.refused, 0);
	bus_symbol_counts(f->bus, 6, &c);
	assert_int_equal(c.published + c.depth_high_water, 0);
	assert_int_equal(publish(f, 2, 100), 0); /* handled: there is room again */
	fixture_free(f);
}

static void event_subscription(void **state)
{
	struct fixture *f = fixture_new(&small);
	struct filter one = {.kinds = FILTER_KIND(EVENT_TICK)};
	struct symbuf_event e;
	struct sub *all, *only;
	uint64_t lost;
	uint64_t v = 9;

	(void)state;
	assert_int_equal(publish(f, 3, 1), 0);
	step_all(f);
	all = subscribe_all(f, POLICY_LAG);
	assert_int_equal(filter_add(&one, 5), 0);
	assert_int_equal(bus_subscribe(f->bus, &one, POLICY_LAG, &only), 0);
	filter_deinit(&one);

	assert_int_equal(publish(f, 3, 2), 0);
	assert_int_equal(publish(f, 5, 3), 0);
	assert_int_equal(bus_publish(f->bus, EVENT_BAR, 5, &v, 8), 0);
	step_all(f);
	assert_int_equal(sub_read(all, &e, &lost), 0);
	assert_int_equal(e.symbol_id, 3);
	assert_int_equal(e.seq, 2); /* not what was published before it came */
	assert_int_equal(value_of(&e), 2);
	assert_int_equal(sub_read(all, &e, &lost), 0);
	assert_int_equal(e.symbol_id, 5);
	assert_int_equal(sub_read(all, &e, &lost), SUB_EMPTY);

	assert_int_equal(sub_read(only, &e, &lost), 0);
	assert_int_equal(e.symbol_id, 5);
	assert_int_equal(e.kind, EVENT_TICK);
	assert_int_equal(sub_read(only, &e, &lost), SUB_EMPTY);
	assert_int_equal(sub_counts(only)->read, 1);
	bus_unsubscribe(f->bus, all);
	bus_unsubscribe(f->bus, only);
	bus_unsubscribe(f->bus, NULL);
	fixture_free(f);
}

/* ---- what it lacked ---- */

static void a_flooding_symbol_does_not_hold_up_its_neighbours(void **state)
{
	struct fixture *f = fixture_new(&small);
	uint32_t first_of_4 = 0;

	(void)state;
	for (uint64_t i = 0; i < 16; i++)
		assert_int_equal(publish(f, 2, i), 0);
	assert_int_equal(publish(f, 4, 1), 0);
	bus_flush(f->bus);
	assert_int_equal(bus_shard_step(f->bus, 0, 1000), 17);
	while (f->seen[0].order[first_of_4] != 4)
		first_of_4++;
	/* After one turn of four events, not behind all sixteen. */
	assert_int_equal(first_of_4, 4);
	assert_int_equal(f->seen[0].out_of_order, 0);
	fixture_free(f);
}

static void a_symbol_that_fails_is_set_aside_and_others_go_on(void **state)
{
	struct fixture *f = fixture_new(&small);
	struct bus_symbol_counts c;

	(void)state;
	f->seen[0].fail_symbol = 2;
	for (uint64_t i = 0; i < 5; i++) {
		assert_int_equal(publish(f, 2, i), 0);
		assert_int_equal(publish(f, 4, i), 0);
	}
	step_all(f);
	assert_int_equal(f->seen[0].count[2], 1);
	assert_int_equal(f->seen[0].count[4], 5);
	bus_symbol_counts(f->bus, 2, &c);
	assert_true(c.faulted);
	assert_int_equal(c.dropped, 5);
	assert_int_equal(c.dispatched, 0);
	bus_symbol_counts(f->bus, 4, &c);
	assert_false(c.faulted);
	assert_int_equal(c.dispatched, 5);

	f->seen[0].fail_symbol = -1;
	bus_symbol_resume(f->bus, 2);
	assert_int_equal(publish(f, 2, 77), 0);
	step_all(f);
	assert_int_equal(f->seen[0].last[2], 77);
	fixture_free(f);
}

static void a_full_ring_refuses_and_goes_on_after_a_step(void **state)
{
	struct bus_params p = small;
	struct fixture *f;
	struct bus_counts c;

	(void)state;
	p.ring_slots = 8;
	f = fixture_new(&p);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(publish(f, 2 * (i % 8), i), 0);
	assert_int_equal(publish(f, 0, 8), BUS_FULL);
	assert_int_equal(publish(f, 1, 8), 0); /* the other shard has room */
	/* The refusal has shown what lay there: no flush is needed to go on. */
	assert_int_equal(bus_shard_step(f->bus, 0, 100), 8);
	assert_int_equal(publish(f, 0, 8), 0);
	bus_counts(f->bus, EVENT_TICK, &c);
	assert_int_equal(c.full, 1);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_bus_creation),
		cmocka_unit_test(event_bus_start_stop),
		cmocka_unit_test(event_publication),
		cmocka_unit_test(per_symbol_buffers_isolate_events),
		cmocka_unit_test(event_subscription),
		cmocka_unit_test(a_flooding_symbol_does_not_hold_up_its_neighbours),
		cmocka_unit_test(a_symbol_that_fails_is_set_aside_and_others_go_on),
		cmocka_unit_test(a_full_ring_refuses_and_goes_on_after_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
