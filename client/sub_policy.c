/*
 * sub_policy - of what has come only the newest, and that at most so often.
 *
 * Events are taken as they come and kept in the slots of their stream, one per
 * timeframe; a newer one takes its elder's place, whose sequence goes into the
 * stream's list of runs that were skipped.  Streams take turns.  Of a stream whose
 * turn it is everything goes out in the order of its sequences, runs before what
 * comes behind them, so a reader sees the numbers rise and knows every one.
 *
 *	ready: streams that may go       later: streams that went in this interval
 *
 * To conflate is to sample with an interval of 0: everything is always ready.
 */
#include "base/clock.h"
#include "client/sub_parts.h"
#include <assert.h>
#include <stdlib.h>

#define DRAIN_EVENTS 4096      /* taken before one is given */
#define DRAIN_NS     NS_PER_MS /* between two such turns */

struct slot {
	bool is_pending;
	uint32_t timeframe_s;
	uint32_t part;              /* tier1: event_tier1_part() */
	struct tickbus_event event; /* its pointers lead into data */
	struct buf data;
};

struct run {
	uint64_t first;
	uint64_t last;
	bool is_skipped; /* or lost */
};

struct line {
	struct slot *slots; /* owned */
	uint32_t n_slots;
	struct run *runs; /* owned; ascending */
	uint32_t n_runs;
	uint32_t runs_cap;
	struct tickbus_gap name; /* symbol and timeframe, for its gaps */
	enum event_kind kind;
	uint32_t next; /* in its queue, from 1; 0: the last */
	bool is_queued;
	uint64_t turn_seq; /* its turn is over behind this one; 0: has not begun */
	int64_t interval;  /* in which it went last */
};

struct queue {
	uint32_t first; /* index into lines, from 1; 0: empty */
	uint32_t last;
};

struct sub_policy {
	int64_t interval_ns; /* 0: conflate */
	int64_t interval;    /* the present one */
	int64_t drain_ns;    /* not before */
	struct line *lines;  /* owned; [0] is not used */
	uint32_t n_lines;
	uint32_t cap;
	struct queue ready;
	struct queue later;
	struct buf given; /* the event given last, while its slot is filled anew */
};

struct sub_policy *sub_policy_new(int64_t interval_ns)
{
	struct sub_policy *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->interval_ns = interval_ns;
	p->n_lines = 1;
	return p;
}

void sub_policy_free(struct sub_policy *p)
{
	if (p == NULL)
		return;
	for (uint32_t i = 1; i < p->n_lines; i++) {
		for (uint32_t k = 0; k < p->lines[i].n_slots; k++)
			buf_free(&p->lines[i].slots[k].data);
		free(p->lines[i].slots);
		free(p->lines[i].runs);
	}
	free(p->lines);
	buf_free(&p->given);
	free(p);
}

/* Grow by half a table; what is kept here is bounded by the number of streams. */
static void *grown(void *at, uint32_t *cap, uint32_t n, size_t size)
{
	if (n < *cap)
		return at;
	*cap = *cap ? *cap * 2 : 4;
	at = realloc(at, *cap * size);
	if (at == NULL)
		abort();
	return at;
}

static void push(struct sub_policy *p, struct queue *q, uint32_t i)
{
	if (q->last)
		p->lines[q->last].next = i;
	else
		q->first = i;
	q->last = i;
	p->lines[i].next = 0;
	p->lines[i].is_queued = true;
}

static void pop(struct sub_policy *p, struct queue *q)
{
	struct line *l = &p->lines[q->first];

	l->is_queued = false;
	q->first = l->next;
	if (q->first == 0)
		q->last = 0;
}

/* ---- what comes in ------------------------------------------------------ */

static uint32_t line_of(struct sub_policy *p, struct stream *st)
{
	struct line *l;

	if (st->policy_slot)
		return st->policy_slot;
	p->lines = grown(p->lines, &p->cap, p->n_lines, sizeof(*p->lines));
	l = &p->lines[p->n_lines];
	*l = (struct line){.kind = (enum event_kind)st->kind, .interval = -1};
	l->name.timeframe_s = st->timeframe_s;
	memcpy(l->name.symbol, st->symbol, SYMBOL_MAX);
	st->policy_slot = p->n_lines++;
	return st->policy_slot;
}

static void add_run(struct line *l, uint64_t first, uint64_t last, bool is_skipped)
{
	uint32_t i = l->n_runs;

	while (i > 0 && l->runs[i - 1].first > first)
		i--;
	if (i > 0 && l->runs[i - 1].last + 1 == first &&
	    l->runs[i - 1].is_skipped == is_skipped) {
		l->runs[i - 1].last = last;
		if (i < l->n_runs && l->runs[i].first == last + 1 &&
		    l->runs[i].is_skipped == is_skipped) {
			l->runs[i - 1].last = l->runs[i].last;
			memmove(&l->runs[i], &l->runs[i + 1],
				(--l->n_runs - i) * sizeof(*l->runs));
		}
		return;
	}
	if (i < l->n_runs && l->runs[i].first == last + 1 &&
	    l->runs[i].is_skipped == is_skipped) {
		l->runs[i].first = first;
		return;
	}
	l->runs = grown(l->runs, &l->runs_cap, l->n_runs, sizeof(*l->runs));
	memmove(&l->runs[i + 1], &l->runs[i], (l->n_runs++ - i) * sizeof(*l->runs));
	l->runs[i] = (struct run){first, last, is_skipped};
}

static struct slot *slot_of(struct line *l, uint32_t timeframe_s, uint32_t part)
{
	struct slot *s;

	for (uint32_t i = 0; i < l->n_slots; i++)
		if (l->slots[i].timeframe_s == timeframe_s && l->slots[i].part == part)
			return &l->slots[i];
	s = realloc(l->slots, (l->n_slots + 1) * sizeof(*s));
	if (s == NULL)
		abort();
	l->slots = s;
	s += l->n_slots++;
	*s = (struct slot){.timeframe_s = timeframe_s, .part = part};
	return s;
}

/* A copy whose pointers lead into @data. */
static void copy_event(const struct tickbus_event *e, struct buf *data,
		       struct tickbus_event *out)
{
	size_t len = e->kind == EVENT_TIER2 ? frame_matrix_bytes(e->tier2)
					    : event_block_size(e->kind);

	data->len = 0;
	buf_add(data, e->head, len);
	*out = *e;
	out->head = (const void *)data->data;
	if (e->kind != EVENT_TIER2)
		return;
	out->members = (const void *)(data->data + sizeof(*e->tier2));
	out->triangle = (const void *)(out->members + e->tier2->n_members);
}

static void enqueue(struct sub_policy *p, uint32_t i)
{
	if (p->lines[i].is_queued)
		return;
	push(p,
	     p->interval_ns > 0 && p->lines[i].interval == p->interval ? &p->later
								       : &p->ready,
	     i);
}

static void keep(struct tickbus_sub *sub, const struct tickbus_event *e)
{
	struct sub_policy *p = sub->policy;
	uint32_t timeframe_s = sub_timeframe_of(e->kind, e->head);
	struct stream *st = streams_get(&sub->streams, e->kind,
					sub_symbol_of(e->kind, e->head), timeframe_s);
	uint32_t i = line_of(p, st);
	uint32_t part = e->kind == EVENT_TIER1 ? event_tier1_part(e->tier1) : 0;
	struct slot *s = slot_of(&p->lines[i], timeframe_s, part);

	if (s->is_pending) {
		add_run(&p->lines[i], s->event.head->seq, s->event.head->seq, true);
		sub->counts.events--;
		sub->counts.filled -= s->event.is_filled != 0;
		sub->counts.skipped++;
	}
	copy_event(e, &s->data, &s->event);
	s->is_pending = true;
	enqueue(p, i);
}

static void keep_gap(struct tickbus_sub *sub, const struct tickbus_event *e)
{
	struct stream *st =
		streams_get(&sub->streams, e->kind, e->gap.symbol, e->gap.timeframe_s);
	uint32_t i = line_of(sub->policy, st);

	add_run(&sub->policy->lines[i], e->gap.first_seq, e->gap.last_seq,
		e->gap.is_skipped);
	enqueue(sub->policy, i);
}

/* Take what waits: SUB_IDLE, or an outcome that has to be told at once. */
static int drain(struct tickbus_sub *sub, struct tickbus_event *out)
{
	for (unsigned n = 0; n < DRAIN_EVENTS; n++) {
		int rc = sub_step(sub, out);

		if (rc == 0)
			keep(sub, out);
		else if (rc == TICKBUS_GAP)
			keep_gap(sub, out);
		else
			return rc;
	}
	return SUB_IDLE;
}

/* ---- what goes out ------------------------------------------------------ */

static struct slot *lowest(struct line *l)
{
	struct slot *best = NULL;

	for (uint32_t i = 0; i < l->n_slots; i++)
		if (l->slots[i].is_pending &&
		    (best == NULL ||
		     l->slots[i].event.head->seq < best->event.head->seq))
			best = &l->slots[i];
	return best;
}

static int give_run(const struct tickbus_sub *sub, struct line *l,
		    struct tickbus_event *out)
{
	const struct run r = l->runs[0];

	memmove(l->runs, l->runs + 1, --l->n_runs * sizeof(*l->runs));
	*out = (struct tickbus_event){
		.kind = l->kind, .epoch = sub->epoch, .gap = l->name};
	out->gap.first_seq = r.first;
	out->gap.last_seq = r.last;
	out->gap.is_skipped = r.is_skipped;
	return TICKBUS_GAP;
}

/* What comes while a stream has its turn waits for its next one. */
static uint64_t highest(const struct line *l)
{
	uint64_t seq = l->n_runs > 0 ? l->runs[l->n_runs - 1].last : 0;

	for (uint32_t i = 0; i < l->n_slots; i++)
		if (l->slots[i].is_pending && l->slots[i].event.head->seq > seq)
			seq = l->slots[i].event.head->seq;
	return seq;
}

static void end_turn(struct sub_policy *p, uint32_t i, bool has_more)
{
	p->lines[i].interval = p->interval;
	p->lines[i].turn_seq = 0;
	pop(p, &p->ready);
	if (has_more)
		enqueue(p, i);
}

static int give(struct tickbus_sub *sub, struct tickbus_event *out)
{
	struct sub_policy *p = sub->policy;

	while (p->ready.first) {
		uint32_t i = p->ready.first;
		struct line *l = &p->lines[i];
		struct slot *s = lowest(l);
		uint64_t seq = s ? s->event.head->seq : UINT64_MAX;
		bool is_run = l->n_runs > 0 && l->runs[0].first < seq;

		if (is_run)
			seq = l->runs[0].first;
		if (l->turn_seq == 0)
			l->turn_seq = highest(l);
		if (seq > l->turn_seq) {
			end_turn(p, i, seq != UINT64_MAX);
			continue;
		}
		if (is_run)
			return give_run(sub, l, out);
		assert(s != NULL); /* no number reaches UINT64_MAX */
		copy_event(&s->event, &p->given, out);
		s->is_pending = false;
		return 0;
	}
	return SUB_IDLE;
}

/* A new interval: all may go again. */
static void turn(struct sub_policy *p, int64_t now_ns)
{
	int64_t interval = p->interval_ns > 0 ? now_ns / p->interval_ns : 0;

	if (interval == p->interval)
		return;
	p->interval = interval;
	if (p->later.first == 0)
		return;
	if (p->ready.last)
		p->lines[p->ready.last].next = p->later.first;
	else
		p->ready.first = p->later.first;
	p->ready.last = p->later.last;
	p->later = (struct queue){0};
}

int sub_policy_step(struct tickbus_sub *sub, struct tickbus_event *out)
{
	struct sub_policy *p = sub->policy;
	int64_t now_ns = clock_mono_ns();
	int rc = SUB_IDLE;

	if (sub_is_in_history(sub))
		return sub_step(sub, out);
	turn(p, now_ns);
	if (p->ready.first == 0 || now_ns >= p->drain_ns) {
		rc = drain(sub, out);
		p->drain_ns = clock_mono_ns() + DRAIN_NS;
	}
	if (rc != SUB_IDLE)
		return rc;
	rc = give(sub, out);
	if (rc == SUB_IDLE && p->later.first)
		sub_wake_at(sub, (p->interval + 1) * p->interval_ns);
	return rc;
}
