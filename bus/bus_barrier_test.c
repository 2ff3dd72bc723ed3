/*
 * bus, its barriers and what lies between them: everything before a barrier is
 * handled before it, in every shard; and queues that their buffers cannot hold.
 */
#include "bus/bus_fixture_test.h"
#include "bus/stats.h"

#define EVENTS_MAX 20000

/** What one shard's handler saw, in terms of when it was published. */
struct log {
	uint64_t n; /* events and barriers */
	uint64_t barriers;
	uint64_t after;    /* the newest barrier was published as number ... */
	uint64_t expected; /* ... when so many events of the shard had been */
	uint64_t events;   /* handled */
	uint64_t wrong;    /* before a barrier that was published before them ... */
	uint64_t last[SYMBOLS];
	uint32_t overtakings;
	uint64_t newest;
};

/** Every payload: its number among all publishes, then events so far per shard. */
struct said {
	uint64_t number;
	uint32_t events[2];
};

struct world {
	struct bus *bus;
	struct log log[2];
	struct said now;
	uint64_t barriers;
};

static void on_barrier(struct log *l, const struct said *s, uint32_t events,
		       uint64_t seq)
{
	l->wrong += l->events != events;
	l->wrong += seq != ++l->barriers;
	l->after = s->number;
}

static void on_event(struct log *l, const struct symbuf_view *e, const struct said *s)
{
	l->events++;
	l->wrong += s->number < l->after;
	l->wrong += s->number <= l->last[e->symbol_id];
	l->last[e->symbol_id] = s->number;
	l->overtakings += s->number < l->newest;
	if (s->number > l->newest)
		l->newest = s->number;
}

static int note(struct world *w, unsigned shard, const struct symbuf_view *e)
{
	struct log *l = &w->log[shard];
	struct said s;

	assert_int_equal(e->len, sizeof(s));
	memcpy(&s, e->data, sizeof(s));
	l->n++;
	if (e->symbol_id == BUS_EVERY_SYMBOL)
		on_barrier(l, &s, s.events[shard], e->seq);
	else
		on_event(l, e, &s);
	return 0;
}

static int note_0(void *arg, const struct symbuf_view *e)
{
	return note(arg, 0, e);
}

static int note_1(void *arg, const struct symbuf_view *e)
{
	return note(arg, 1, e);
}

static struct world *world_new(const struct bus_params *p)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_int_equal(bus_new(p, &w->bus), 0);
	bus_handler_set(w->bus, 0, note_0, w);
	bus_handler_set(w->bus, 1, note_1, w);
	bus_start(w->bus);
	return w;
}

static void world_free(struct world *w)
{
	bus_free(w->bus);
	free(w);
}

static int say(struct world *w, uint32_t symbol)
{
	struct said s = w->now;
	int rc;

	s.number++;
	rc = bus_publish(w->bus, EVENT_TICK, symbol, &s, sizeof(s));
	if (rc != 0)
		return rc;
	w->now = s;
	w->now.events[symbol % 2]++;
	return 0;
}

static int say_to_all(struct world *w)
{
	struct said s = w->now;
	int rc;

	s.number++;
	rc = bus_publish_all(w->bus, &s, sizeof(s));
	if (rc != 0)
		return rc;
	w->now = s;
	w->barriers++;
	return 0;
}

static void handle_all(struct world *w)
{
	bus_flush(w->bus);
	while (bus_shard_step(w->bus, 0, 100) + bus_shard_step(w->bus, 1, 100) > 0)
		;
}

static void a_barrier_waits_for_the_queues_of_all_symbols(void **state)
{
	struct world *w = world_new(&small);
	uint64_t told = stats_get(STAT_BUS_BARRIERS);

	(void)state;
	for (unsigned i = 0; i < 14; i++)
		assert_int_equal(say(w, 2), 0); /* three turns and a half */
	assert_int_equal(say(w, 4), 0);
	assert_int_equal(say_to_all(w), 0);
	assert_int_equal(say(w, 4), 0);
	assert_int_equal(say(w, 6), 0);
	bus_flush(w->bus);
	/* The other shard has nothing but the barrier. */
	assert_int_equal(bus_shard_step(w->bus, 1, 100), 1);
	assert_int_equal(w->log[1].barriers, 1);
	assert_int_equal(bus_shard_step(w->bus, 0, 100), 18);
	assert_int_equal(w->log[0].barriers, 1);
	assert_int_equal(w->log[0].events, 17);
	assert_int_equal(w->log[0].wrong, 0);
	/* Between the barriers there is no order: 4 did not wait for all of 2. */
	assert_true(w->log[0].overtakings > 0);
	assert_int_equal(stats_get(STAT_BUS_BARRIERS) - told, 1);
	world_free(w);
}

static void a_barrier_keeps_within_the_budget_of_a_step(void **state)
{
	struct world *w = world_new(&small);

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(say(w, 2), 0);
	assert_int_equal(say_to_all(w), 0);
	bus_flush(w->bus);
	for (unsigned done = 0; done < 17;) {
		size_t n = bus_shard_step(w->bus, 0, 1);

		assert_in_range(n, 1, small.turn_max + 1);
		done += (unsigned)n;
	}
	assert_int_equal(bus_shard_step(w->bus, 0, 1), 0);
	assert_int_equal(w->log[0].barriers, 1);
	assert_int_equal(w->log[0].wrong, 0);
	world_free(w);
}

static void a_barrier_is_for_every_shard_or_for_none(void **state)
{
	struct bus_params p = small;
	struct world *w;

	(void)state;
	p.ring_slots = 8;
	w = world_new(&p);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(say(w, 2 * i), 0);
	assert_int_equal(bus_room(w->bus), 0);
	assert_int_equal(say_to_all(w), BUS_FULL);
	assert_int_equal(bus_shard_step(w->bus, 1, 100), 0);
	/* The refusal has shown what lay there: no flush is needed to go on. */
	assert_int_equal(bus_shard_step(w->bus, 0, 100), 8);
	assert_int_equal(bus_room(w->bus), 8);
	assert_int_equal(say_to_all(w), 0);
	handle_all(w);
	assert_int_equal(w->log[0].barriers, 1);
	assert_int_equal(w->log[1].barriers, 1);
	assert_int_equal(w->log[0].wrong + w->log[1].wrong, 0);
	world_free(w);
}

static void a_stopped_bus_takes_no_barrier(void **state)
{
	struct world *w = world_new(&small);
	uint64_t dropped = stats_get(STAT_BUS_DROPPED);

	(void)state;
	assert_int_equal(bus_publish_all(NULL, "", 0), BUS_STOPPED);
	bus_stop(w->bus);
	assert_int_equal(say_to_all(w), BUS_STOPPED);
	assert_int_equal(stats_get(STAT_BUS_DROPPED) - dropped, 1);
	handle_all(w);
	assert_int_equal(w->log[0].n + w->log[1].n, 0);
	world_free(w);
}

static void any_mixture_keeps_order_in_symbols_and_against_barriers(void **state)
{
	struct bus_params p = small;
	uint64_t x = 88172645463325252u;
	struct world *w;
	unsigned refused = 0;

	(void)state;
	p.history = 8; /* far less than may be in flight */
	p.inflight_max = 48;
	w = world_new(&p);
	for (unsigned i = 0; i < EVENTS_MAX; i++) {
		int rc;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (x % 97 == 0)
			rc = say_to_all(w);
		else /* half of them are of two symbols: floods */
			rc = say(w, (uint32_t)(x >> 8 & 1 ? x >> 16 & 1
							  : x >> 16 & (SYMBOLS - 1)));
		refused += rc != 0;
		if (x >> 40 & 1)
			bus_flush(w->bus);
		if (rc != 0 || (x >> 41 & 7) == 0)
			(void)bus_shard_step(w->bus, x >> 44 & 1, 1 + (x >> 48 & 63));
	}
	handle_all(w);
	for (unsigned s = 0; s < 2; s++) {
		assert_int_equal(w->log[s].wrong, 0);
		assert_int_equal(w->log[s].events, w->now.events[s]);
		assert_int_equal(w->log[s].barriers, w->barriers);
		assert_true(w->log[s].overtakings > 0);
	}
	assert_true(refused > 0);
	assert_true(w->barriers > 50);
	world_free(w);
}

static void a_queue_that_its_buffer_cannot_hold_waits_in_the_ring(void **state)
{
	struct bus_params p = small;
	struct bus_symbol_counts c;
	struct world *w;

	(void)state;
	p.history = 8;
	p.inflight_max = 60;
	w = world_new(&p);
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(say(w, 2), 0);
	assert_int_equal(say(w, 2), BUS_FLOODED);
	assert_int_equal(say(w, 4), 0);
	handle_all(w);
	bus_symbol_counts(w->bus, 2, &c);
	assert_int_equal(c.dispatched, 60);
	assert_int_equal(c.depth_high_water, 8);
	assert_int_equal(w->log[0].events, 61);
	assert_int_equal(w->log[0].wrong, 0);
	world_free(w);
}

static void the_newest_events_of_a_symbol_can_be_read(void **state)
{
	struct world *w = world_new(&small);
	struct symbuf_event e[20];

	(void)state;
	assert_int_equal(bus_symbol_recent(w->bus, 2, 20, e), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(say(w, 2), 0);
	handle_all(w);
	assert_int_equal(bus_symbol_recent(w->bus, 2, 20, e), 3);
	assert_int_equal(e[0].seq, 1);
	assert_int_equal(e[2].seq, 3);
	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(say(w, 2), 0);
		handle_all(w);
	}
	assert_int_equal(bus_symbol_recent(w->bus, 2, 20, e),
			 16); /* all that is kept */
	assert_int_equal(e[0].seq, 18);
	assert_int_equal(e[15].seq, 33);
	assert_int_equal(bus_symbol_recent(w->bus, 2, 2, e), 2);
	assert_int_equal(e[1].seq, 33);
	assert_int_equal(bus_symbol_recent(w->bus, 4, 2, e), 0);
	assert_int_equal(bus_symbol_recent(w->bus, SYMBOLS, 2, e), 0);
	world_free(w);
}

static void a_wake_before_the_sleep_is_not_lost(void **state)
{
	struct world *w = world_new(&small);

	(void)state;
	bus_shard_wake(w->bus, 0);
	bus_shard_wait(w->bus, 0, 0, -1); /* would sleep for ever */
	assert_int_equal(say(w, 2), 0);
	bus_flush(w->bus);
	assert_int_equal(bus_shard_depth(w->bus, 0), 1);
	bus_shard_wait(w->bus, 0, 0, -1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_barrier_waits_for_the_queues_of_all_symbols),
		cmocka_unit_test(a_barrier_keeps_within_the_budget_of_a_step),
		cmocka_unit_test(a_barrier_is_for_every_shard_or_for_none),
		cmocka_unit_test(a_stopped_bus_takes_no_barrier),
		cmocka_unit_test(
			any_mixture_keeps_order_in_symbols_and_against_barriers),
		cmocka_unit_test(a_queue_that_its_buffer_cannot_hold_waits_in_the_ring),
		cmocka_unit_test(the_newest_events_of_a_symbol_can_be_read),
		cmocka_unit_test(a_wake_before_the_sleep_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
