/* bus_fixture_test - a small bus whose handlers remember what they saw. */
#pragma once
#include "bus/bus.h"
#include "bus/check_test.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS 16

static const struct bus_params small = {.shards = 2,
					.symbols_max = SYMBOLS,
					.event_bytes = 16,
					.ring_slots = 64,
					.history = 16,
					.inflight_max = 16,
					.turn_max = 4};

/** What a shard's handler saw. */
struct seen {
	uint64_t n;
	uint64_t last[SYMBOLS]; /* value of the newest event */
	uint64_t count[SYMBOLS];
	uint64_t out_of_order;
	uint32_t order[1024]; /* symbols in the order of handling */
	int64_t fail_symbol;
};

static inline int see(void *arg, const struct symbuf_view *e)
{
	struct seen *s = arg;
	uint64_t v;

	memcpy(&v, e->data, sizeof(v));
	if (s->n < 1024)
		s->order[s->n] = e->symbol_id;
	s->n++;
	s->out_of_order += e->seq != ++s->count[e->symbol_id];
	s->last[e->symbol_id] = v;
	return (int64_t)e->symbol_id == s->fail_symbol ? -EIO : 0;
}

struct fixture {
	struct bus *bus;
	struct seen seen[2];
};

static inline struct fixture *fixture_new(const struct bus_params *p)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(bus_new(p, &f->bus), 0);
	for (uint32_t i = 0; i < p->shards; i++) {
		f->seen[i].fail_symbol = -1;
		bus_handler_set(f->bus, i, see, &f->seen[i]);
	}
	bus_start(f->bus);
	return f;
}

static inline void fixture_free(struct fixture *f)
{
	bus_free(f->bus);
	free(f);
}

static inline int publish(struct fixture *f, uint32_t symbol, uint64_t v)
{
	return bus_publish(f->bus, EVENT_TICK, symbol, &v, sizeof(v));
}

static inline void step_all(struct fixture *f)
{
	bus_flush(f->bus);
	while (bus_shard_step(f->bus, 0, 100) + bus_shard_step(f->bus, 1, 100) > 0)
		;
}

static inline struct sub *subscribe_all(struct fixture *f, enum sub_policy policy)
{
	const struct filter all = {.kinds = FILTER_KIND(EVENT_TICK),
				   .all_symbols = true};
	struct sub *s;

	assert_int_equal(bus_subscribe(f->bus, &all, policy, &s), 0);
	return s;
}

static inline uint64_t value_of(const struct symbuf_event *e)
{
	uint64_t v;

	memcpy(&v, e->data, sizeof(v));
	return v;
}
