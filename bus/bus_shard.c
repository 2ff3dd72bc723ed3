/*
 * bus_shard - a worker's step: append, handle what may be handled at once, then
 * give everybody who waits a turn.
 *
 *	ring ── CHUNK events ──> buffer of the symbol ──> handler, while it is warm
 *	                              │ the symbol has used its turn, or waits
 *	                              v
 *	                    line of waiting symbols ──> turn_max events each, then
 *	                                                to the end of the line
 *
 * Order within a symbol holds: an event is handled at once only if its symbol does
 * not wait, that is, if nothing of it is left in the buffer before this event.
 * Nobody starves: after each chunk every symbol that waits has one turn, and
 * neither a chunk nor a turn has more than so many events.
 *
 * A chunk ends early in front of an event whose symbol's queue fills its buffer (a
 * turn makes room), and in front of a barrier while anybody waits: the ring gives
 * nothing more until the line is empty, and then the barrier is the next.
 */
#include "base/clock.h"
#include "bus/bus_impl.h"
#include "bus/stats.h"
#include <assert.h>

#define CHUNK    256 /* events appended before waiting symbols have a turn */
#define PREFETCH 6   /* events ahead */

static uint32_t symbol_of(const struct bus *b, const struct bus_shard *s, uint32_t lane)
{
	return lane * b->params.shards + (uint32_t)(s - b->shards);
}

static void wait_in_line(struct bus_shard *s, uint32_t lane)
{
	struct bus_lane *l = &s->lanes[lane];

	if (l->is_waiting)
		return;
	l->is_waiting = true;
	l->link = BUS_NO_LANE;
	if (s->last == BUS_NO_LANE)
		s->first = lane;
	else
		s->lanes[s->last].link = lane;
	s->last = lane;
}

static uint32_t first_in_line(struct bus_shard *s)
{
	uint32_t lane = s->first;

	s->first = s->lanes[lane].link;
	if (s->first == BUS_NO_LANE)
		s->last = BUS_NO_LANE;
	s->lanes[lane].is_waiting = false;
	return lane;
}

/** Handle @e, the oldest event of its symbol's queue. */
static void handle_one(struct bus *b, struct bus_shard *s, struct bus_lane *l,
		       const struct symbuf_view *e)
{
	bool is_faulted = atomic_load_explicit(&l->fault, memory_order_relaxed);

	if (!is_faulted && s->handler && s->handler(s->arg, e) < 0) {
		atomic_store_explicit(&l->fault, true, memory_order_relaxed);
		stats_add(STAT_BUS_SYMBOL_FAULTS, 1);
		is_faulted = true;
	}
	if (is_faulted) {
		bus_bump(&s->faulted[e->kind], 1);
		bus_bump(&l->dropped, 1);
		s->n_faulted++;
	} else {
		bus_bump(&s->dispatched[e->kind], 1);
		s->n_dispatched++;
	}
	symbuf_done(b->buf, e->symbol_id);
}

/**
 * Append an event.  If its symbol has nobody before it and turns left, handle it
 * at once, from the ring, where it is in the cache; else the symbol waits in line.
 */
static size_t take(struct bus *b, struct bus_shard *s, const struct bus_carried *c)
{
	enum event_kind kind = (enum event_kind)c->kind;
	struct bus_lane *l = &s->lanes[c->lane];
	struct symbuf_view e = {.data = c->payload,
				.symbol_id = symbol_of(b, s, c->lane),
				.len = c->len,
				.kind = c->kind};

	e.seq = symbuf_push(b->buf, e.symbol_id, kind, c->payload, c->len);
	for (uint32_t i = 0; i < s->n_subs; i++)
		sub_mark(s->subs[i], kind, e.symbol_id);

	if (l->chunk != s->chunk) {
		l->chunk = s->chunk;
		l->used = 0;
	}
	if (l->is_waiting || l->used == b->params.turn_max) {
		wait_in_line(s, c->lane);
		return 0;
	}
	l->used++;
	handle_one(b, s, l, &e);
	return 1;
}

/**
 * Fetch what the events ahead will touch, in two steps: first the rows, then the
 * slots whose places the rows tell.
 */
static void prefetch(const struct bus *b, const struct bus_shard *s, const uint8_t *at,
		     size_t n_ahead)
{
	const struct bus_carried *c;
	size_t elem = s->ring->elem_size;

	if (n_ahead > 2 * PREFETCH) {
		c = (const void *)(at + 2 * PREFETCH * elem);
		if (c->lane != BUS_NO_LANE) {
			symbuf_prefetch(b->buf, symbol_of(b, s, c->lane));
			__builtin_prefetch(&s->lanes[c->lane], 1);
		}
	}
	if (n_ahead > PREFETCH) {
		c = (const void *)(at + PREFETCH * elem);
		if (c->lane != BUS_NO_LANE)
			symbuf_prefetch_slot(b->buf, symbol_of(b, s, c->lane));
	}
}

static void handle_barrier(struct bus_shard *s, const struct bus_carried *c)
{
	const struct symbuf_view e = {.data = c->payload,
				      .seq = ++s->n_barriers,
				      .symbol_id = BUS_EVERY_SYMBOL,
				      .len = c->len,
				      .kind = c->kind};

	if (s->handler)
		(void)s->handler(s->arg, &e);
}

/** Must the line have a turn before this event may leave the ring? */
static bool must_wait(const struct bus *b, const struct bus_shard *s,
		      const struct bus_carried *c)
{
	if (c->lane == BUS_NO_LANE)
		return s->first != BUS_NO_LANE;
	return s->lanes[c->lane].is_waiting &&
	       symbuf_pending(b->buf, symbol_of(b, s, c->lane)) >=
		       symbuf_depth_max(b->buf);
}

static size_t take_chunk(struct bus *b, struct bus_shard *s, size_t budget,
			 size_t *out_handled)
{
	size_t n, i;
	const uint8_t *at = ring_peek(s->ring, &n);
	size_t elem = s->ring->elem_size;

	if (n > budget)
		n = budget;
	s->chunk++;
	for (i = 0; i < n; i++, at += elem) {
		const struct bus_carried *c = (const void *)at;

		prefetch(b, s, at, n - i);
		if (must_wait(b, s, c))
			break;
		if (c->lane != BUS_NO_LANE) {
			*out_handled += take(b, s, c);
			continue;
		}
		handle_barrier(s, c);
		++*out_handled;
	}
	if (i)
		ring_release(s->ring, i);
	return i;
}

/** One turn for every symbol that waits now. */
static size_t serve_line(struct bus *b, struct bus_shard *s)
{
	uint32_t last = s->last;
	uint32_t lane = BUS_NO_LANE;
	size_t handled = 0;

	while (s->first != BUS_NO_LANE && lane != last) {
		uint32_t symbol;
		uint64_t n;

		lane = first_in_line(s);
		symbol = symbol_of(b, s, lane);
		n = symbuf_pending(b->buf, symbol);
		if (n > b->params.turn_max) {
			n = b->params.turn_max;
			wait_in_line(s, lane);
		}
		handled += n;
		for (struct symbuf_view e; n > 0; n--)
			if (symbuf_front(b->buf, symbol, &e))
				handle_one(b, s, &s->lanes[lane], &e);
	}
	return handled;
}

static void begin_step(struct bus *b, struct bus_shard *s)
{
	atomic_fetch_add(&s->turn, 1);
	s->n_subs = 0;
	if (atomic_load(&b->n_subs) == 0)
		return;
	for (uint32_t i = 0; i < BUS_SUBS_MAX; i++) {
		struct sub *sub = atomic_load(&b->subs[i]);

		if (sub)
			s->subs[s->n_subs++] = sub;
	}
}

static void end_step(struct bus_shard *s)
{
	s->n_subs = 0;
	atomic_fetch_add(&s->turn, 1);
	if (s->n_dispatched)
		stats_add(STAT_BUS_DISPATCHED, s->n_dispatched);
	if (s->n_faulted)
		stats_add(STAT_BUS_FAULTED, s->n_faulted);
	s->n_dispatched = 0;
	s->n_faulted = 0;
}

size_t bus_shard_step(struct bus *b, uint32_t shard, size_t budget)
{
	struct bus_shard *s = &b->shards[shard];
	size_t handled = 0;

	assert(shard < b->params.shards);
	begin_step(b, s);
	while (handled < budget) {
		size_t left = budget - handled;
		size_t taken = take_chunk(b, s, left < CHUNK ? left : CHUNK, &handled);
		size_t served = serve_line(b, s);

		handled += served;
		if (taken == 0 && served == 0)
			break;
	}
	end_step(s);
	return handled;
}

/** Something to do, or somebody who wants this thread (told once). */
static bool has_work(struct bus_shard *s)
{
	return s->first != BUS_NO_LANE || ring_depth(s->ring) > 0 ||
	       (atomic_load(&s->is_roused) && atomic_exchange(&s->is_roused, false));
}

void bus_shard_wait(struct bus *b, uint32_t shard, int64_t spin_ns, int64_t timeout_ns)
{
	struct bus_shard *s = &b->shards[shard];
	int64_t end = clock_mono_ns() + spin_ns;

	do {
		if (has_work(s))
			return;
		for (unsigned i = 0; i < 16; i++)
			__builtin_ia32_pause();
	} while (clock_mono_ns() < end);

	parker_prepare(&s->parker);
	if (has_work(s)) {
		parker_cancel(&s->parker);
		return;
	}
	parker_wait(&s->parker, timeout_ns);
}

void bus_shard_wake(struct bus *b, uint32_t shard)
{
	atomic_store(&b->shards[shard].is_roused, true);
	parker_wake(&b->shards[shard].parker);
}

size_t bus_shard_depth(const struct bus *b, uint32_t shard)
{
	return ring_depth(b->shards[shard].ring);
}
