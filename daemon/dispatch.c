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
	uint64_t *tick_seq;   /* owned; per symbol id */
	uint64_t *tick_pos;   /* owned; by symbol id: position of its newest tick */
	int64_t *source_next; /* owned; per source: event time of its next second */
	int64_t now_ns;       /* monotonic; stamp of this step's items */
	int64_t clock_ns;     /* newest clock record carried; INT64_MIN: none */
	size_t room;          /* items that surely fit every ring */
	uint64_t marked;      /* last position that was marked */
	bool is_between;      /* a record's source is told, the record must wait */
};

int dispatch_new(const struct dispatch_env *env, struct dispatch **out)
{
	struct dispatch *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_set(-ENOMEM, "out of memory for the dispatcher");
	d->env = *env;
	d->pos = env->from_pos;
	d->clock_ns = INT64_MIN;
	d->marked = env->from_pos - 1;
	d->tick_seq = calloc(env->symbols_max, sizeof(*d->tick_seq));
	d->tick_pos = calloc(env->symbols_max, sizeof(*d->tick_pos));
	d->source_next = malloc(SOURCES * sizeof(*d->source_next));
	if (d->tick_seq == NULL || d->tick_pos == NULL || d->source_next == NULL) {
		dispatch_free(d);
		return err_set(-ENOMEM, "out of memory for the dispatcher");
	}
	dispatch_reset(d);
	*out = d;
	return 0;
}

void dispatch_reset(struct dispatch *d)
{
	memset(d->tick_seq, 0, d->env.symbols_max * sizeof(*d->tick_seq));
	memset(d->tick_pos, 0, d->env.symbols_max * sizeof(*d->tick_pos));
	for (size_t i = 0; i < SOURCES; i++)
		d->source_next[i] = INT64_MIN;
	d->clock_ns = INT64_MIN;
}

void dispatch_free(struct dispatch *d)
{
	if (d == NULL)
		return;
	free(d->tick_seq);
	free(d->tick_pos);
	free(d->source_next);
	free(d);
}

int64_t dispatch_clock(const struct dispatch *d)
{
	return d->clock_ns;
}

uint64_t dispatch_pos(const struct dispatch *d)
{
	return atomic_load_explicit(&d->pos, memory_order_relaxed);
}

uint64_t dispatch_tick_seq(const struct dispatch *d, uint32_t symbol_id)
{
	return d->tick_seq[symbol_id];
}

uint64_t dispatch_tick_pos(const struct dispatch *d, uint32_t symbol_id)
{
	return d->tick_pos[symbol_id];
}

bool dispatch_snapshot(struct dispatch *d)
{
	const struct item it = {.pos = dispatch_pos(d) - 1,
				.flags = ITEM_MARK | ITEM_SNAPSHOT};

	if (d->is_between || !bus_is_running(d->env.bus) ||
	    bus_publish_all(d->env.bus, &it, sizeof(it)) != 0)
		return false;
	bus_flush(d->env.bus);
	d->marked = it.pos;
	return true;
}

static void sources_state(struct state *st, struct dispatch *d)
{
	uint32_t n = 0, id = 0;

	for (uint32_t i = 0; i < SOURCES && !state_is_loading(st); i++)
		n += d->source_next[i] != INT64_MIN;
	state_count(st, &n, SOURCES);
	for (uint32_t i = 0; i < n && !state_bad(st); i++, id++) {
		while (!state_is_loading(st) && d->source_next[id] == INT64_MIN)
			id++;
		state_count(st, &id, SOURCES - 1);
		state_i64(st, &d->source_next[id]);
	}
}

void dispatch_state(struct state *st, struct dispatch *d)
{
	uint32_t n = symtab_count(d->env.symbols);

	state_count(st, &n, d->env.symbols_max);
	state_bytes(st, d->tick_seq, n * sizeof(*d->tick_seq));
	state_bytes(st, d->tick_pos, n * sizeof(*d->tick_pos));
	state_i64(st, &d->clock_ns);
	sources_state(st, d);
}

void dispatch_seek(struct dispatch *d, uint64_t pos)
{
	atomic_store_explicit(&d->pos, pos + 1, memory_order_relaxed);
	d->marked = 0; /* who waits for a mark at @pos gets one */
	if (d->env.index != NULL)
		tick_index_note(d->env.index, pos, d->tick_seq,
				symtab_count(d->env.symbols));
}

/*
 * Room for one record everywhere, three slots: its source item, itself and the
 * mark.  Rings are looked at again only when the last known room is used up.
 */
static bool has_room(struct dispatch *d)
{
	if (d->room >= 3)
		return true;
	d->room = bus_room(d->env.bus);
	return d->room >= 3;
}

static struct item item_of(const struct dispatch *d, uint64_t pos,
			   const struct record *r)
{
	bool replay = pos <= d->env.replay_end;

	return (struct item){.pos = pos,
			     .commit_ns = replay ? 0 : d->now_ns,
			     .flags = replay ? ITEM_REPLAY : 0,
			     .rec = *r};
}

/* 0 or a BUS_x. */
static int to_everybody(struct dispatch *d, uint64_t pos, const struct record *r)
{
	const struct item it = item_of(d, pos, r);
	int rc = bus_publish_all(d->env.bus, &it, sizeof(it));

	d->room -= rc == 0;
	return rc;
}

/*
 * The source's event time entered a new second: it lives, tell every worker.  Once,
 * also if the record itself must wait after that.
 */
static int source_seen(struct dispatch *d, uint64_t pos, const struct record *r)
{
	struct record s = {.event_ns = r->event_ns,
			   .recv_ns = r->recv_ns,
			   .source_id = r->source_id,
			   .type = RECORD_SOURCE};
	int rc = to_everybody(d, pos, &s);

	if (rc != 0)
		return rc;
	d->source_next[r->source_id] = (r->event_ns / NS_PER_S + 1) * NS_PER_S;
	d->is_between = true;
	return 0;
}

void dispatch_tick(const struct symtab *symbols, const struct item *it,
		   struct event_tick *out)
{
	const struct record *r = &it->rec;

	*out = (struct event_tick){
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
	memcpy(out->cond, r->cond, sizeof(out->cond));
	memcpy(out->symbol, symtab_name(symbols, r->symbol_id), SYMBOL_MAX);
}

/* 0, or > 0: no room in the outbox or on the bus, nothing was done. */
static int carry_tick(struct dispatch *d, uint64_t pos, const struct record *r)
{
	struct item it = item_of(d, pos, r);
	struct event_tick *e = NULL;
	int rc;

	if (r->symbol_id >= d->env.symbols_max)
		return err_set(-EBADMSG,
			       "position %llu names symbol %u of %u: limits.symbols is "
			       "lower than it was",
			       (unsigned long long)pos, r->symbol_id,
			       d->env.symbols_max);
	if (pos > d->env.replay_end) {
		e = outbox_claim(d->env.ticks, EVENT_TICK, sizeof(*e));
		if (e == NULL)
			return 1;
	}
	it.seq = d->tick_seq[r->symbol_id] + 1;
	rc = bus_publish(d->env.bus, EVENT_TICK, r->symbol_id, &it, sizeof(it));
	if (rc != 0)
		return rc; /* and what was claimed was never there */
	d->room--;
	d->tick_seq[r->symbol_id] = it.seq;
	d->tick_pos[r->symbol_id] = pos;
	if (e != NULL) {
		dispatch_tick(d->env.symbols, &it, e);
		outbox_commit(d->env.ticks);
	}
	return 0;
}

/* 0, < 0: the log is not ours to read, > 0: the record must wait. */
static int carry(struct dispatch *d, uint64_t pos, const struct record *r)
{
	int rc = 0;

	if (r->source_id != 0 && r->event_ns >= d->source_next[r->source_id])
		rc = source_seen(d, pos, r);
	if (rc != 0)
		return rc;
	if (r->type == RECORD_CLOCK)
		d->clock_ns = r->event_ns;
	rc = r->type == RECORD_TICK ? carry_tick(d, pos, r) : to_everybody(d, pos, r);
	if (rc == 0)
		d->is_between = false;
	return rc;
}

/*
 * "You have seen everything up to here", once per step and worker.  A bus that was
 * stopped before it took the mark is given it by the first step that finds it running.
 */
static void mark(struct dispatch *d)
{
	const struct item it = {.pos = dispatch_pos(d) - 1, .flags = ITEM_MARK};

	if (it.pos > d->marked && bus_is_running(d->env.bus) &&
	    bus_publish_all(d->env.bus, &it, sizeof(it)) == 0)
		d->marked = it.pos;
}

/* Carry what lies at the cursor; returns how many records, or < 0. */
ON_STORE static int carry_stretch(struct dispatch *d, unsigned budget)
{
	const struct record *recs;
	uint64_t pos = dispatch_pos(d);
	uint32_t n, i;
	int rc = tickstore_peek(d->env.store, pos, &pos, &recs, &n);
	int refused = 0;

	if (rc < 0)
		return rc;
	if (rc == STORE_GONE)
		return err_set(
			-EBADMSG,
			"the log begins at position %llu, the state to go on from "
			"ends before it",
			(unsigned long long)pos);
	if (rc == STORE_END)
		return 0;
	for (i = 0; i < n && i < budget; i++) {
		refused = has_room(d) ? carry(d, pos + i, &recs[i]) : BUS_FULL;
		if (refused != 0)
			break;
	}
	if (refused > 0)
		stats_add(STAT_DISPATCH_STALLS, 1);
	if (i > 0)
		atomic_store_explicit(&d->pos, pos + i, memory_order_relaxed);
	return refused < 0 ? refused : (int)i;
}

int dispatch_step(struct dispatch *d, unsigned budget)
{
	unsigned done = 0;
	int n;

	if (!bus_is_running(d->env.bus))
		return 0; /* the log goes on; the cursor stands still */
	d->now_ns = clock_mono_ns();
	d->room = 0;
	do {
		n = carry_stretch(d, budget - done);
		if (n < 0)
			return n;
		done += (unsigned)n;
	} while (n > 0 && done < budget);
	mark(d);
	bus_flush(d->env.bus);
	if (done == 0)
		return 0;
	if (d->env.index != NULL)
		tick_index_note(d->env.index, dispatch_pos(d) - 1, d->tick_seq,
				symtab_count(d->env.symbols));
	if (outbox_unpublished(d->env.ticks) > 0) {
		outbox_publish(d->env.ticks);
		d->env.bell(d->env.arg);
	}
	return (int)done;
}
