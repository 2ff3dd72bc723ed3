/*
 * bus - the publisher's side, the subscribers' table, the counters.  The workers'
 * side is bus_shard.c, what both know is bus_impl.h.
 *
 * In flight is published - served.  The publisher remembers the last `served` it
 * has seen and looks again only when the limit seems reached: one cache miss per
 * inflight_max events of a symbol instead of one per event.  served only rises,
 * so an old value can refuse too early, never too late; and before a refusal it
 * is always looked at again.
 *
 * The queue of a symbol never overruns its buffer: a worker that finds it full
 * leaves the event in the ring until the symbol has had a turn (bus_shard.c).
 *
 * Ending a subscription while workers run: each worker's `turn` is odd during a
 * step.  bus_unsubscribe() takes the pointer out of the table and then waits for
 * every odd turn to change; all four accesses are sequentially consistent, so a
 * worker that still saw the pointer is seen to be in its step.  The publisher
 * looks at subscribers only while there are blocking ones, and does the same.
 */
#include "base/err.h"
#include "bus/bus_impl.h"
#include "bus/stats.h"
#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* ---- making and freeing ---- */

static int check_params(const struct bus_params *p)
{
	if (p->shards == 0 || p->shards > BUS_SHARDS_MAX)
		return err_set(-EINVAL, "a bus of %u shards, 1 to %d are possible",
			       p->shards, BUS_SHARDS_MAX);
	if (p->turn_max == 0 || p->turn_max > UINT16_MAX)
		return err_set(-EINVAL, "turns of %u events", p->turn_max);
	if (p->inflight_max == 0)
		return err_set(-EINVAL, "no event of a symbol may be in flight");
	return 0;
}

static int make_shards(struct bus *b)
{
	size_t elem = sizeof(struct bus_carried) + symbuf_event_bytes(b->buf);
	size_t n_lanes;

	n_lanes = b->params.symbols_max / b->params.shards + 1;
	b->shards = aligned_alloc(128, b->params.shards * sizeof(*b->shards));
	if (!b->shards)
		return err_set(-ENOMEM, "no memory for %u shards", b->params.shards);
	memset(b->shards, 0, b->params.shards * sizeof(*b->shards));
	for (uint32_t i = 0; i < b->params.shards; i++) {
		struct bus_shard *s = &b->shards[i];
		int rc = ring_new(b->params.ring_slots, elem, &s->ring);

		if (rc < 0)
			return rc;
		parker_init(&s->parker);
		s->first = BUS_NO_LANE;
		s->last = BUS_NO_LANE;
		s->lanes = calloc(n_lanes, sizeof(*s->lanes));
		if (!s->lanes)
			return err_set(-ENOMEM, "no memory for %zu symbols", n_lanes);
	}
	return 0;
}

int bus_new(const struct bus_params *params, struct bus **out)
{
	struct bus *b = NULL;
	int rc = check_params(params);

	if (rc < 0)
		return rc;
	b = aligned_alloc(128, sizeof(*b));
	if (!b)
		return err_set(-ENOMEM, "no memory for a bus");
	memset(b, 0, sizeof(*b));
	b->params = *params;
	rc = symbuf_new(params->symbols_max, params->history, params->event_bytes,
			&b->buf);
	if (rc < 0)
		goto fail;
	rc = make_shards(b);
	if (rc < 0)
		goto fail;
	b->pub = calloc(params->symbols_max, sizeof(*b->pub));
	b->tally.symbol_lapped = calloc(params->symbols_max, sizeof(uint64_t));
	b->tally.symbol_conflated = calloc(params->symbols_max, sizeof(uint64_t));
	if (!b->pub || !b->tally.symbol_lapped || !b->tally.symbol_conflated) {
		rc = err_set(-ENOMEM, "no memory for a bus of %u symbols",
			     params->symbols_max);
		goto fail;
	}
	*out = b;
	return 0;
fail:
	bus_free(b);
	return rc;
}

void bus_free(struct bus *b)
{
	if (!b)
		return;
	for (uint32_t i = 0; i < BUS_SUBS_MAX; i++)
		sub_free(atomic_load(&b->subs[i]));
	for (uint32_t i = 0; b->shards && i < b->params.shards; i++) {
		ring_free(b->shards[i].ring);
		free(b->shards[i].lanes);
	}
	free(b->shards);
	symbuf_free(b->buf);
	free(b->pub);
	free(b->tally.symbol_lapped);
	free(b->tally.symbol_conflated);
	free(b);
}

void bus_handler_set(struct bus *b, uint32_t shard, bus_handler_fn fn, void *arg)
{
	assert(shard < b->params.shards);
	b->shards[shard].handler = fn;
	b->shards[shard].arg = arg;
}

void bus_start(struct bus *b)
{
	atomic_store_explicit(&b->is_running, true, memory_order_release);
}

void bus_stop(struct bus *b)
{
	atomic_store_explicit(&b->is_running, false, memory_order_release);
}

bool bus_is_running(const struct bus *b)
{
	return atomic_load_explicit(&b->is_running, memory_order_acquire);
}

/* ---- the publisher ---- */

static int drop(struct bus *b, enum event_kind kind, uint32_t symbol, int outcome)
{
	bus_bump(&b->pub_kind[kind].dropped, 1);
	if (symbol < b->params.symbols_max)
		bus_bump(&b->pub[symbol].dropped, 1);
	stats_add(STAT_BUS_DROPPED, 1);
	return outcome;
}

static int refuse(struct bus *b, enum event_kind kind, uint32_t symbol, int outcome)
{
	struct bus_pub_kind *k = &b->pub_kind[kind];

	bus_bump(&b->pub[symbol].refused, 1);
	switch (outcome) {
	case BUS_FLOODED:
		bus_bump(&k->flooded, 1);
		stats_add(STAT_BUS_FLOODED, 1);
		break;
	case BUS_FULL:
		bus_bump(&k->full, 1);
		stats_add(STAT_BUS_FULL, 1);
		break;
	default:
		bus_bump(&k->blocked, 1);
		stats_add(STAT_BUS_BLOCKED, 1);
		break;
	}
	return outcome;
}

static void show(struct bus_shard *s)
{
	ring_publish(s->ring);
	parker_wake(&s->parker);
}

/** The remembered `served` says that the limit is reached: is it so? */
static bool is_flooded(struct bus *b, struct bus_shard *s, uint32_t symbol,
		       uint64_t published)
{
	struct bus_pub *p = &b->pub[symbol];

	p->served_seen = symbuf_served(b->buf, symbol);
	if (published - p->served_seen < b->params.inflight_max)
		return false;
	/* What the limit waits for may be events that nobody was shown yet. */
	if (ring_unpublished(s->ring))
		show(s);
	return true;
}

static bool is_blocked(struct bus *b, uint32_t symbol, uint64_t published)
{
	bool blocked = false;

	atomic_fetch_add(&b->pub_turn, 1);
	for (uint32_t i = 0; i < BUS_SUBS_MAX && !blocked; i++) {
		const struct sub *s = atomic_load(&b->subs[i]);

		blocked = s && sub_policy(s) == POLICY_BLOCK &&
			  sub_is_behind(s, symbol, published);
	}
	atomic_fetch_add(&b->pub_turn, 1);
	return blocked;
}

static struct bus_carried *claim(struct bus_shard *s)
{
	struct bus_carried *c = ring_claim(s->ring);

	if (!c && ring_unpublished(s->ring))
		show(s);
	return c;
}

int bus_publish(struct bus *b, enum event_kind kind, uint32_t symbol, const void *data,
		size_t len)
{
	struct bus_shard *s;
	struct bus_carried *c;
	uint64_t published;

	if (!b)
		return BUS_STOPPED;
	assert((unsigned)kind < EVENT_KINDS);
	assert(len <= symbuf_event_bytes(b->buf));
	if (symbol >= b->params.symbols_max)
		return drop(b, kind, symbol, BUS_UNKNOWN);
	if (!bus_is_running(b))
		return drop(b, kind, symbol, BUS_STOPPED);

	s = &b->shards[symbol % b->params.shards];
	published = bus_peek(&b->pub[symbol].published);
	if (published - b->pub[symbol].served_seen >= b->params.inflight_max &&
	    is_flooded(b, s, symbol, published))
		return refuse(b, kind, symbol, BUS_FLOODED);
	if (atomic_load_explicit(&b->n_blocking, memory_order_relaxed) != 0 &&
	    is_blocked(b, symbol, published))
		return refuse(b, kind, symbol, BUS_BLOCKED);

	c = claim(s);
	if (!c)
		return refuse(b, kind, symbol, BUS_FULL);
	c->lane = symbol / b->params.shards;
	c->len = (uint16_t)len;
	c->kind = (uint8_t)kind;
	memcpy(c->payload, data, len);
	bus_bump(&b->pub[symbol].published, 1);
	bus_bump(&b->pub_kind[kind].published, 1);
	b->n_published++;
	if (ring_unpublished(s->ring) >= RING_BATCH)
		show(s);
	return 0;
}

/** Room in every ring, or show what the full one has not shown: it is waited for. */
static bool has_room_everywhere(struct bus *b)
{
	bool has_room = true;

	for (uint32_t i = 0; i < b->params.shards; i++) {
		struct bus_shard *s = &b->shards[i];

		if (ring_has_room(s->ring, 1))
			continue;
		has_room = false;
		if (ring_unpublished(s->ring))
			show(s);
	}
	return has_room;
}

int bus_publish_all(struct bus *b, const void *data, size_t len)
{
	if (!b)
		return BUS_STOPPED;
	assert(len <= symbuf_event_bytes(b->buf));
	if (!bus_is_running(b)) {
		stats_add(STAT_BUS_DROPPED, 1);
		return BUS_STOPPED;
	}
	if (!has_room_everywhere(b)) {
		stats_add(STAT_BUS_FULL, 1);
		return BUS_FULL;
	}
	for (uint32_t i = 0; i < b->params.shards; i++) {
		struct bus_shard *s = &b->shards[i];
		struct bus_carried *c = ring_claim(s->ring);

		c->lane = BUS_NO_LANE;
		c->len = (uint16_t)len;
		c->kind = 0;
		memcpy(c->payload, data, len);
		if (ring_unpublished(s->ring) >= RING_BATCH)
			show(s);
	}
	b->n_barriers++;
	return 0;
}

size_t bus_room(const struct bus *b)
{
	size_t least = SIZE_MAX;

	for (uint32_t i = 0; i < b->params.shards; i++) {
		size_t room = ring_room(b->shards[i].ring);

		if (room < least)
			least = room;
	}
	return least;
}

void bus_flush(struct bus *b)
{
	if (!b)
		return;
	for (uint32_t i = 0; i < b->params.shards; i++)
		if (ring_unpublished(b->shards[i].ring))
			show(&b->shards[i]);
	if (b->n_published)
		stats_add(STAT_BUS_PUBLISHED, b->n_published);
	if (b->n_barriers)
		stats_add(STAT_BUS_BARRIERS, b->n_barriers);
	b->n_published = 0;
	b->n_barriers = 0;
}

/* ---- subscribers ---- */

/** Wait until a step or look that was under way is over. */
static void let_pass(const _Atomic uint64_t *turn)
{
	uint64_t now = atomic_load(turn);

	if ((now & 1) == 0)
		return;
	while (atomic_load(turn) == now)
		(void)sched_yield();
}

static void let_pass_all(const struct bus *b)
{
	for (uint32_t i = 0; i < b->params.shards; i++)
		let_pass(&b->shards[i].turn);
	let_pass(&b->pub_turn);
}

int bus_subscribe(struct bus *b, const struct filter *filter, enum sub_policy policy,
		  struct sub **out)
{
	const struct sub_env env = {.buf = b->buf,
				    .tally = &b->tally,
				    .symbols_max = b->params.symbols_max};
	struct sub *s;
	int rc = sub_new(&env, filter, policy, &s);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < BUS_SUBS_MAX; i++) {
		struct sub *none = NULL;

		if (!atomic_compare_exchange_strong(&b->subs[i], &none, s))
			continue;
		atomic_fetch_add(&b->n_subs, 1);
		if (policy == POLICY_BLOCK)
			atomic_fetch_add(&b->n_blocking, 1);
		/* A step that began without us must not append behind our back. */
		let_pass_all(b);
		sub_begin(s);
		*out = s;
		return 0;
	}
	sub_free(s);
	return err_set(-ENOSPC, "the bus has its %d subscribers", BUS_SUBS_MAX);
}

void bus_unsubscribe(struct bus *b, struct sub *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < BUS_SUBS_MAX; i++) {
		struct sub *it = s;

		if (!atomic_compare_exchange_strong(&b->subs[i], &it, NULL))
			continue;
		atomic_fetch_sub(&b->n_subs, 1);
		if (sub_policy(s) == POLICY_BLOCK)
			atomic_fetch_sub(&b->n_blocking, 1);
	}
	let_pass_all(b);
	sub_free(s);
}

/* ---- buffers ---- */

size_t bus_symbol_recent(const struct bus *b, uint32_t symbol, size_t n,
			 struct symbuf_event *out)
{
	uint64_t depth = symbuf_depth_max(b->buf);
	uint64_t next, at;
	size_t found = 0;

	if (symbol >= b->params.symbols_max)
		return 0;
	next = symbuf_next(b->buf, symbol);
	if (n > depth)
		n = depth;
	for (at = n < next ? next - n : 0; at < next; at++)
		found += symbuf_at(b->buf, symbol, at, &out[found]) == 0;
	return found;
}

/* ---- counters ---- */

void bus_counts(const struct bus *b, enum event_kind kind, struct bus_counts *out)
{
	const struct bus_pub_kind *k = &b->pub_kind[kind];

	*out = (struct bus_counts){.published = bus_peek(&k->published),
				   .dropped = bus_peek(&k->dropped),
				   .flooded = bus_peek(&k->flooded),
				   .full = bus_peek(&k->full),
				   .blocked = bus_peek(&k->blocked),
				   .conflated = bus_peek(&b->tally.conflated[kind]),
				   .lapped = bus_peek(&b->tally.lapped[kind])};
	for (uint32_t i = 0; i < b->params.shards; i++) {
		out->dispatched += bus_peek(&b->shards[i].dispatched[kind]);
		out->dropped += bus_peek(&b->shards[i].faulted[kind]);
	}
}

void bus_symbol_counts(const struct bus *b, uint32_t symbol,
		       struct bus_symbol_counts *out)
{
	const struct bus_lane *l;

	*out = (struct bus_symbol_counts){0};
	if (symbol >= b->params.symbols_max)
		return;
	l = bus_lane_of(b, symbol);
	out->published = bus_peek(&b->pub[symbol].published);
	out->refused = bus_peek(&b->pub[symbol].refused);
	out->dropped = bus_peek(&b->pub[symbol].dropped) + bus_peek(&l->dropped);
	out->dispatched = symbuf_served(b->buf, symbol) - bus_peek(&l->dropped);
	out->lapped = bus_peek(&b->tally.symbol_lapped[symbol]);
	out->conflated = bus_peek(&b->tally.symbol_conflated[symbol]);
	out->depth = symbuf_depth(b->buf, symbol);
	out->depth_high_water = symbuf_high_water(b->buf, symbol);
	out->faulted = atomic_load_explicit(&l->fault, memory_order_relaxed);
}

void bus_symbol_resume(struct bus *b, uint32_t symbol)
{
	if (symbol < b->params.symbols_max)
		atomic_store_explicit(&bus_lane_of(b, symbol)->fault, false,
				      memory_order_relaxed);
}
