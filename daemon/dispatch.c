/* dispatch - see dispatch.h. */
#include "daemon/dispatch.h"
#include "base/clock.h"
#include "base/err.h"
#include "bus/stats.h"
#include "daemon/inband.h"
#include "proto/event.h"
#include "workers/worker.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct dispatch {
	struct dispatch_env env;
	_Atomic uint64_t pos; /* next to carry */
	struct inband inband;
	int64_t now_ns;      /* monotonic; stamp of this step's items */
	int64_t recv_ns;     /* when its first record of this life was accepted */
	uint64_t last_tick;  /* position of its last tick; 0: none */
	size_t room;         /* items that surely fit every ring */
	uint64_t marked;     /* last position that was marked */
	bool stops_at_clock; /* a step ends with a clock record */
	bool is_at_clock;    /* the last record of this step is one */
	bool is_between;     /* a record's source is told, the record must wait */
	bool has_article;    /* the record at pos is news, and the newsroom has it */
	uint64_t told;       /* last position the outbox was marked with */
};

int dispatch_new(const struct dispatch_env *env, struct dispatch **out)
{
	struct dispatch *d = calloc(1, sizeof(*d));
	int rc;

	if (d == NULL)
		return err_set(-ENOMEM, "out of memory for the dispatcher");
	d->env = *env;
	d->pos = env->from_pos;
	d->marked = d->told = env->from_pos - 1;
	rc = inband_init(&d->inband, env->symbols_max);
	if (rc < 0) {
		free(d);
		return rc;
	}
	*out = d;
	return 0;
}

void dispatch_reset(struct dispatch *d)
{
	inband_reset(&d->inband);
	newsroom_reset(d->env.news);
	d->has_article = false;
}

struct newsroom *dispatch_news(struct dispatch *d)
{
	return d->env.news;
}

void dispatch_free(struct dispatch *d)
{
	if (d == NULL)
		return;
	inband_deinit(&d->inband);
	newsroom_free(d->env.news);
	free(d);
}

int64_t dispatch_clock(const struct dispatch *d)
{
	return d->inband.clock_ns;
}

uint64_t dispatch_pos(const struct dispatch *d)
{
	return atomic_load_explicit(&d->pos, memory_order_relaxed);
}

uint64_t dispatch_tick_seq(const struct dispatch *d, uint32_t symbol_id)
{
	return d->inband.tick_seq[symbol_id];
}

uint64_t dispatch_tick_pos(const struct dispatch *d, uint32_t symbol_id)
{
	return d->inband.tick_pos[symbol_id];
}

void dispatch_newest(const struct dispatch *d, const uint64_t **out_pos,
		     const uint64_t **out_seq)
{
	*out_pos = d->inband.tick_pos;
	*out_seq = d->inband.tick_seq;
}

bool dispatch_stop_at_clock(struct dispatch *d, bool stop)
{
	d->stops_at_clock = stop;
	return d->is_at_clock;
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

void dispatch_state(struct state *st, struct dispatch *d)
{
	inband_state(st, &d->inband, symtab_count(d->env.symbols));
}

/* 0 with the article open, < 0; one that is lost with damage makes nothing. */
ON_STORE static int open_article(struct dispatch *d, uint64_t pos,
				 const struct record *r)
{
	const void *text;
	size_t len;
	int rc = tickstore_article(d->env.store, pos, &text, &len);

	if (rc == STORE_NONE)
		stats_add(STAT_NEWS_LOST, 1);
	return rc != 0 ? (rc < 0 ? rc : 0)
		       : newsroom_open(d->env.news, pos, r, text, len);
}

/* What is told of a symbol holds for the events behind it in the outbox. */
ON_STORE static void tell_held(const struct dispatch *d, uint32_t symbol_id)
{
	if (d->env.held != NULL)
		d->env.held(d->env.arg, symbol_id,
			    newsroom_held(d->env.news, symbol_id));
}

ON_STORE static void take_control(struct dispatch *d, uint64_t pos,
				  const struct record *r)
{
	newsroom_control(d->env.news, pos, r);
	for (uint32_t id = 0; id < symtab_count(d->env.symbols); id++)
		tell_held(d, id);
}

/* An article's events, to nobody. */
ON_STORE static int pass_article(struct dispatch *d, uint64_t pos,
				 const struct record *r)
{
	struct event_news e;
	int rc = open_article(d, pos, r);

	while (rc == 0 && newsroom_left(d->env.news) > 0)
		newsroom_next(d->env.news, &e);
	return rc;
}

int dispatch_pass(struct dispatch *d, uint64_t pos, const struct record *recs,
		  uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct record source;
		int rc = inband_check(&d->inband, pos + i, &recs[i]);

		if (rc < 0)
			return rc;
		if (inband_source(&d->inband, &recs[i], &source))
			inband_source_told(&d->inband, &recs[i]);
		rc = recs[i].type == RECORD_NEWS ? pass_article(d, pos + i, &recs[i])
						 : 0;
		if (rc < 0)
			return rc;
		if (recs[i].type == RECORD_CONTROL)
			take_control(d, pos + i, &recs[i]);
		inband_passed(&d->inband, pos + i, &recs[i]);
	}
	return 0;
}

void dispatch_seek(struct dispatch *d, uint64_t pos)
{
	atomic_store_explicit(&d->pos, pos + 1, memory_order_relaxed);
	d->marked = d->told = 0; /* who waits for a mark at @pos gets one */
	if (d->env.index != NULL)
		tick_index_note(d->env.index, pos, d->inband.tick_seq,
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

	if (pos > d->env.replay_end) {
		e = outbox_claim(d->env.ticks, EVENT_TICK, sizeof(*e));
		if (e == NULL)
			return 1;
	}
	it.seq = inband_seq(&d->inband, r);
	rc = bus_publish(d->env.bus, EVENT_TICK, r->symbol_id, &it, sizeof(it));
	if (rc != 0)
		return rc; /* and what was claimed was never there */
	d->room--;
	if (e != NULL) {
		dispatch_tick(d->env.symbols, &it, e);
		outbox_commit(d->env.ticks);
		d->last_tick = pos;
	}
	return 0;
}

/* 0, < 0, or > 0: the outbox is full, and the rest of its events comes later. */
ON_STORE static int carry_news(struct dispatch *d, uint64_t pos, const struct record *r)
{
	struct event_news *e;
	int rc = d->has_article ? 0 : open_article(d, pos, r);

	if (rc < 0)
		return rc;
	d->has_article = true;
	while (newsroom_left(d->env.news) > 0) {
		e = outbox_claim(d->env.ticks, EVENT_NEWS, sizeof(*e));
		if (e == NULL) {
			d->is_between = true;
			return 1;
		}
		newsroom_next(d->env.news, e);
		tell_held(d, e->symbol_id);
		outbox_commit(d->env.ticks);
	}
	d->has_article = false;
	return 0;
}

/*
 * 0, < 0: the log is not ours to read, > 0: the record must wait.  Its source is told
 * once, also if the record itself must wait after that.
 */
ON_STORE static int carry(struct dispatch *d, uint64_t pos, const struct record *r)
{
	struct record source;
	int rc = inband_check(&d->inband, pos, r);

	if (rc == 0 && inband_source(&d->inband, r, &source)) {
		rc = to_everybody(d, pos, &source);
		if (rc == 0) {
			inband_source_told(&d->inband, r);
			d->is_between = true;
		}
	}
	if (rc != 0)
		return rc;
	rc = r->type == RECORD_TICK   ? carry_tick(d, pos, r)
	     : r->type == RECORD_NEWS ? carry_news(d, pos, r)
				      : to_everybody(d, pos, r);
	if (rc != 0)
		return rc;
	if (r->type == RECORD_CONTROL)
		take_control(d, pos, r);
	inband_passed(&d->inband, pos, r);
	d->is_between = false;
	d->is_at_clock = r->type == RECORD_CLOCK;
	return 0;
}

/*
 * "You have seen everything up to here", once per step, to the loop and every worker.
 * A bus that was stopped before it took the mark is given it by the first step that
 * finds it running.
 */
static void mark(struct dispatch *d)
{
	const struct item it = {.pos = dispatch_pos(d) - 1, .flags = ITEM_MARK};
	uint64_t *told = it.pos > d->told ? outbox_claim(d->env.ticks, WORKER_MARK,
							 sizeof(*told))
					  : NULL;

	if (told != NULL) {
		*told = d->told = it.pos;
		outbox_commit(d->env.ticks);
	}
	if (it.pos > d->marked && bus_is_running(d->env.bus) &&
	    bus_publish_all(d->env.bus, &it, sizeof(it)) == 0)
		d->marked = it.pos;
}

static bool is_at_stop(const struct dispatch *d)
{
	return d->stops_at_clock && d->is_at_clock;
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
	if (d->recv_ns == 0 && pos + n > d->env.replay_end + 1)
		d->recv_ns =
			recs[pos > d->env.replay_end ? 0 : d->env.replay_end + 1 - pos]
				.recv_ns;
	for (i = 0; i < n && i < budget && !is_at_stop(d); i++) {
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

/* What was carried before this start was published in another life: not timed. */
ON_STORE static void time_step(const struct dispatch *d, uint64_t first)
{
	const struct trace_step s = {
		.first_pos = first > d->env.replay_end ? first : d->env.replay_end + 1,
		.last_pos = dispatch_pos(d) - 1,
		.last_tick = d->last_tick,
		.recv_ns = d->recv_ns};

	if (s.last_pos >= s.first_pos)
		trace_dispatched(d->env.trace, &s);
}

int dispatch_step(struct dispatch *d, unsigned budget)
{
	uint64_t first = dispatch_pos(d);
	unsigned done = 0;
	int n;

	if (!bus_is_running(d->env.bus))
		return 0; /* the log goes on; the cursor stands still */
	d->now_ns = clock_mono_ns();
	d->room = 0;
	d->is_at_clock = false;
	d->recv_ns = 0;
	d->last_tick = 0;
	do {
		n = carry_stretch(d, budget - done);
		if (n < 0)
			return n;
		done += (unsigned)n;
	} while (n > 0 && done < budget);
	if (done > 0)
		time_step(d, first);
	mark(d);
	bus_flush(d->env.bus);
	if (outbox_unpublished(d->env.ticks) > 0) {
		outbox_publish(d->env.ticks);
		d->env.bell(d->env.arg);
	}
	if (done > 0 && d->env.index != NULL)
		tick_index_note(d->env.index, dispatch_pos(d) - 1, d->inband.tick_seq,
				symtab_count(d->env.symbols));
	return (int)done;
}
