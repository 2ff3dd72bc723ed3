/* dispatch - see dispatch.h. */
#include "daemon/dispatch.h"
#include "base/clock.h"
#include "base/err.h"
#include "bus/stats.h"
#include "proto/event.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES 65536u

struct dispatch {
	struct dispatch_env env;
	_Atomic uint64_t pos; /* next to carry */
	uint64_t *tick_seq;    /* owned; per symbol id */
	int64_t *source_next;  /* owned; per source: event time of its next second */
	int64_t now_ns;        /* monotonic; stamp of this step's items */
	size_t room;           /* records that surely fit every ring */
	uint64_t marked;       /* last position that was marked */
};

int dispatch_new(const struct dispatch_env *env, struct dispatch **out)
{
	struct dispatch *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_set(-ENOMEM, "out of memory for the dispatcher");
	d->env = *env;
	d->pos = env->from_pos;
	d->marked = env->from_pos - 1;
	d->tick_seq = calloc(env->symbols_max, sizeof(*d->tick_seq));
	d->source_next = malloc(SOURCES * sizeof(*d->source_next));
	if (d->tick_seq == NULL || d->source_next == NULL) {
		dispatch_free(d);
		return err_set(-ENOMEM, "out of memory for the dispatcher");
	}
	for (size_t i = 0; i < SOURCES; i++)
		d->source_next[i] = INT64_MIN;
	*out = d;
	return 0;
}

void dispatch_free(struct dispatch *d)
{
	if (d == NULL)
		return;
	free(d->tick_seq);
	free(d->source_next);
	free(d);
}

uint64_t dispatch_pos(const struct dispatch *d)
{
	return atomic_load_explicit(&d->pos, memory_order_relaxed);
}

uint64_t dispatch_tick_seq(const struct dispatch *d, uint32_t symbol_id)
{
	return d->tick_seq[symbol_id];
}

/*
 * Room for one record everywhere, three slots: its source item, itself and the
 * mark.  Rings are looked at again only when the last known room is used up.
 */
static bool has_room(struct dispatch *d)
{
	if (d->room >= 3)
		return true;
	d->room = SIZE_MAX;
	for (uint32_t w = 0; w < d->env.n_workers; w++) {
		size_t room = ring_room(d->env.rings[w]);

		if (room < d->room)
			d->room = room;
	}
	return d->room >= 3;
}

static struct item *fill(struct dispatch *d, uint32_t w, uint64_t pos,
			 const struct record *r)
{
	struct item *it = ring_claim(d->env.rings[w]);
	bool replay = pos <= d->env.replay_end;

	it->pos = pos;
	it->seq = 0;
	it->commit_ns = replay ? 0 : d->now_ns;
	it->flags = replay ? ITEM_REPLAY : 0;
	it->rec = *r;
	return it;
}

static void to_everybody(struct dispatch *d, uint64_t pos, const struct record *r)
{
	for (uint32_t w = 0; w < d->env.n_workers; w++)
		(void)fill(d, w, pos, r);
}

/* The source's event time entered a new second: it lives, tell every worker. */
static void source_seen(struct dispatch *d, uint64_t pos, const struct record *r)
{
	struct record s = {.event_ns = r->event_ns,
			   .recv_ns = r->recv_ns,
			   .source_id = r->source_id,
			   .type = RECORD_SOURCE};

	d->source_next[r->source_id] = (r->event_ns / NS_PER_S + 1) * NS_PER_S;
	to_everybody(d, pos, &s);
}

static void publish_tick(struct dispatch *d, const struct item *it, struct event_tick *e)
{
	const struct record *r = &it->rec;

	*e = (struct event_tick){
		.head = {it->seq, it->pos, r->event_ns, r->recv_ns},
		.price_e9 = r->price_e9,
		.size_e8 = r->size_e8,
		.bid_e9 = r->bid_e9,
		.ask_e9 = r->ask_e9,
		.bid_size_e8 = r->bid_size_e8,
		.ask_size_e8 = r->ask_size_e8,
		.source_seq = r->source_seq,
		.ref_seq = r->ref_seq,
		.symbol_id = r->symbol_id,
		.source_id = r->source_id,
		.action = (uint8_t)record_action(r),
		.flags = (uint8_t)record_flags(r),
	};
	memcpy(e->cond, r->cond, sizeof(e->cond));
	memcpy(e->symbol, symtab_name(d->env.symbols, r->symbol_id), SYMBOL_MAX);
	outbox_commit(d->env.ticks);
}

/* 0, or 1: no room for the tick in the outbox, nothing was done. */
static int carry(struct dispatch *d, uint64_t pos, const struct record *r)
{
	struct event_tick *e = NULL;
	struct item *it;

	if (r->type == RECORD_TICK && pos > d->env.replay_end) {
		e = outbox_claim(d->env.ticks, EVENT_TICK, sizeof(*e));
		if (e == NULL)
			return 1;
	}
	if (r->source_id != 0 && r->event_ns >= d->source_next[r->source_id]) {
		source_seen(d, pos, r);
		d->room--;
	}
	d->room--;
	if (r->type != RECORD_TICK) {
		to_everybody(d, pos, r);
		return 0;
	}
	it = fill(d, r->symbol_id % d->env.n_workers, pos, r);
	it->seq = ++d->tick_seq[r->symbol_id];
	if (e != NULL)
		publish_tick(d, it, e);
	return 0;
}

/* "You have seen everything up to here", once per step and worker. */
static void mark(struct dispatch *d, uint64_t pos)
{
	if (pos <= d->marked)
		return;
	for (uint32_t w = 0; w < d->env.n_workers; w++) {
		struct item *it = ring_claim(d->env.rings[w]);

		it->pos = pos;
		it->flags = ITEM_MARK;
	}
	d->marked = pos;
}

static void publish(struct dispatch *d)
{
	for (uint32_t w = 0; w < d->env.n_workers; w++) {
		ring_publish(d->env.rings[w]);
		parker_wake(d->env.parkers[w]);
	}
}

/* Carry what lies at the cursor; returns how many records, or < 0. */
ON_STORE static int carry_stretch(struct dispatch *d, unsigned budget)
{
	const struct record *recs;
	uint64_t pos = dispatch_pos(d);
	uint32_t n, i;
	int rc = tickstore_peek(d->env.store, pos, &pos, &recs, &n);

	if (rc < 0)
		return rc;
	if (rc == STORE_GONE)
		return err_set(-EBADMSG,
			       "the log begins at position %llu, the state to go on from "
			       "ends before it",
			       (unsigned long long)pos);
	if (rc == STORE_END)
		return 0;
	for (i = 0; i < n && i < budget; i++) {
		if (!has_room(d) || carry(d, pos + i, &recs[i]) != 0) {
			stats_add(STAT_DISPATCH_STALLS, 1);
			break;
		}
	}
	if (i > 0)
		atomic_store_explicit(&d->pos, pos + i, memory_order_relaxed);
	return (int)i;
}

int dispatch_step(struct dispatch *d, unsigned budget)
{
	unsigned done = 0;
	int n;

	d->now_ns = clock_mono_ns();
	d->room = 0;
	do {
		n = carry_stretch(d, budget - done);
		if (n < 0)
			return n;
		done += (unsigned)n;
	} while (n > 0 && done < budget);
	if (done == 0)
		return 0;
	mark(d, dispatch_pos(d) - 1);
	if (d->env.index != NULL)
		tick_index_note(d->env.index, dispatch_pos(d) - 1, d->tick_seq,
				symtab_count(d->env.symbols));
	publish(d);
	if (outbox_unpublished(d->env.ticks) > 0) {
		outbox_publish(d->env.ticks);
		d->env.bell(d->env.arg);
	}
	return (int)done;
}
