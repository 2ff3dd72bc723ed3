/*
 * bus, with its threads: one publisher, two workers, subscribers of every policy,
 * one of them coming and going.  Every event is accounted for by everybody, and
 * barriers come exactly behind what was published before them.
 */
#include "bus/bus.h"
#include "bus/check_test.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS       50
#define EVENTS        60000u
#define BARRIER_EVERY 150u

struct world {
	struct bus *bus;
	atomic_bool published; /* the publisher has ended */
	atomic_bool handled;   /* the workers have ended */
	uint64_t seqs[2][SYMBOLS];
	uint64_t n[2];
	uint64_t barriers[2];
	uint64_t wrong[2];
};

struct worker {
	struct world *w;
	uint32_t shard;
};

static int check_order(void *arg, const struct symbuf_view *e)
{
	struct worker *me = arg;
	struct world *w = me->w;
	uint64_t v[2];

	memcpy(v, e->data, sizeof(v));
	if (e->symbol_id == BUS_EVERY_SYMBOL) {
		w->barriers[me->shard]++;
		w->wrong[me->shard] += w->n[me->shard] != v[me->shard];
		return 0;
	}
	w->wrong[me->shard] += e->seq != ++w->seqs[me->shard][e->symbol_id];
	w->wrong[me->shard] += v[0] != e->seq || v[1] != e->symbol_id;
	w->n[me->shard]++;
	return 0;
}

static void *work(void *arg)
{
	struct worker *me = arg;

	for (;;) {
		bool last = atomic_load(&me->w->published);

		if (bus_shard_step(me->w->bus, me->shard, 500) == 0) {
			if (last)
				return NULL;
			bus_shard_wait(me->w->bus, me->shard, 1000, 5000000);
		}
	}
}

static void *publish_all(void *arg)
{
	struct world *w = arg;
	uint64_t seq[SYMBOLS] = {0};
	uint64_t of_shard[2] = {0};

	for (uint32_t i = 0; i < EVENTS; i++) {
		/* Every second event is of symbol 0: a flood. */
		uint32_t symbol = i % 2 ? i * 2654435761u % SYMBOLS : 0;
		uint64_t v[2] = {++seq[symbol], symbol};

		while (bus_publish(w->bus, EVENT_TICK, symbol, v, sizeof(v)) != 0) {
			bus_flush(w->bus);
			(void)sched_yield();
		}
		of_shard[symbol % 2]++;
		if (i % BARRIER_EVERY == 0)
			while (bus_publish_all(w->bus, of_shard, sizeof(of_shard)) != 0)
				(void)sched_yield();
		if (i % 100 == 0)
			bus_flush(w->bus);
	}
	bus_flush(w->bus);
	atomic_store(&w->published, true);
	for (uint32_t i = 0; i < 2; i++)
		bus_shard_wake(w->bus, i);
	return NULL;
}

struct reader {
	struct world *w;
	struct sub *sub;
	uint64_t read, lost, wrong;
	uint64_t last[SYMBOLS];
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	struct symbuf_event e;
	uint64_t v[2];

	for (;;) {
		bool done = atomic_load(&r->w->handled);
		uint64_t lost = 0;
		int rc = sub_read(r->sub, &e, &lost);

		if (rc == SUB_EMPTY) {
			if (done)
				return NULL;
			(void)sched_yield();
			continue;
		}
		r->lost += lost;
		if (rc != 0)
			continue;
		memcpy(v, e.data, sizeof(v));
		r->wrong +=
			v[0] != e.seq || v[1] != e.symbol_id || e.kind != EVENT_TICK;
		r->wrong += e.seq <= r->last[e.symbol_id];
		r->last[e.symbol_id] = e.seq;
		r->read++;
	}
}

static void *come_and_go(void *arg)
{
	struct reader *r = arg;
	struct filter f = {.kinds = FILTER_KINDS_ALL, .all_symbols = true};
	struct symbuf_event e;
	uint64_t lost;

	while (!atomic_load(&r->w->handled)) {
		struct sub *s;
		enum sub_policy policy = (enum sub_policy)(r->read++ % 3);

		if (bus_subscribe(r->w->bus, &f, policy, &s) < 0) {
			r->wrong++;
			return NULL;
		}
		for (int i = 0; i < 50; i++)
			(void)sub_read(s, &e, &lost);
		bus_unsubscribe(r->w->bus, s);
	}
	return NULL;
}

static void run(struct world *w, struct reader *r, unsigned n_readers,
		struct reader *guest)
{
	struct worker workers[2] = {{w, 0}, {w, 1}};
	pthread_t worker[2], publisher, reader[3], guest_thread;

	for (uint32_t i = 0; i < 2; i++) {
		bus_handler_set(w->bus, i, check_order, &workers[i]);
		check_thread(&worker[i], work, &workers[i]);
	}
	for (unsigned i = 0; i < n_readers; i++)
		check_thread(&reader[i], read_all, &r[i]);
	if (guest)
		check_thread(&guest_thread, come_and_go, guest);
	check_thread(&publisher, publish_all, w);
	pthread_join(publisher, NULL);
	pthread_join(worker[0], NULL);
	pthread_join(worker[1], NULL);
	atomic_store(&w->handled, true);
	for (unsigned i = 0; i < n_readers; i++)
		pthread_join(reader[i], NULL);
	if (guest)
		pthread_join(guest_thread, NULL);
}

static void every_event_is_accounted_for_by_everybody(void **state)
{
	const struct bus_params p = {.shards = 2,
				     .symbols_max = SYMBOLS,
				     .event_bytes = 16,
				     .ring_slots = 256,
				     .history = 64,
				     .inflight_max = 64,
				     .turn_max = 8};
	const struct filter all = {.kinds = FILTER_KIND(EVENT_TICK),
				   .all_symbols = true};
	struct world *w = calloc(1, sizeof(*w));
	struct reader *r = calloc(4, sizeof(*r));
	struct bus_counts c;

	(void)state;
	assert_int_equal(bus_new(&p, &w->bus), 0);
	for (unsigned i = 0; i < 4; i++)
		r[i].w = w;
	assert_int_equal(bus_subscribe(w->bus, &all, POLICY_LAG, &r[0].sub), 0);
	assert_int_equal(bus_subscribe(w->bus, &all, POLICY_CONFLATE, &r[1].sub), 0);
	assert_int_equal(bus_subscribe(w->bus, &all, POLICY_BLOCK, &r[2].sub), 0);
	bus_start(w->bus);
	run(w, r, 3, &r[3]);

	assert_int_equal(w->wrong[0] + w->wrong[1], 0);
	assert_int_equal(w->n[0] + w->n[1], EVENTS);
	assert_int_equal(w->barriers[0], EVENTS / BARRIER_EVERY);
	assert_int_equal(w->barriers[1], EVENTS / BARRIER_EVERY);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(r[i].wrong, 0);
	assert_int_equal(r[0].read + r[0].lost, EVENTS);
	assert_int_equal(r[1].read + sub_counts(r[1].sub)->conflated +
				 sub_counts(r[1].sub)->lapped,
			 EVENTS);
	assert_int_equal(r[2].read, EVENTS);
	assert_int_equal(r[2].lost, 0);
	bus_counts(w->bus, EVENT_TICK, &c);
	assert_int_equal(c.published, EVENTS);
	assert_int_equal(c.dispatched, EVENTS);
	for (unsigned i = 0; i < 3; i++)
		bus_unsubscribe(w->bus, r[i].sub);
	bus_free(w->bus);
	free(r);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_is_accounted_for_by_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
