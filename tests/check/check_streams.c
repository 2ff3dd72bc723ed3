/*
 * check_streams - what subscribers received: rules GIVEN to BEAT, and DERIVED.
 */
#include "base/hash.h"
#include "tests/check/check_parts.h"
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

static const char *word(const struct sorted *s)
{
	return event_kind_word((enum event_kind)s->e->kind);
}

static bool same_bytes(const struct sorted *a, const struct sorted *b)
{
	return a->e->len == b->e->len && memcmp(a->event, b->event, a->e->len) == 0;
}

/* How far one subscriber is in one stream. */
struct progress {
	bool used;
	uint32_t subscriber;
	struct sorted face; /* any event of the stream */
	uint64_t last;
	uint64_t last_live;
	uint64_t life; /* order of the life that last_live is of */
};

struct progress_map {
	struct progress *p; /* owned; open addressing */
	size_t max;
};

/* The place of a stream in the map; unused when it is new. */
static struct progress *slot_of(struct progress_map *m, const struct sorted *s,
				uint32_t subscriber)
{
	uint64_t h = hash_bytes(HASH_SEED, s->name, SYMBOL_MAX);
	size_t i;

	h = hash_mix(h + s->e->kind * 131u + s->timeframe_s * 7u + subscriber * 65537u);
	for (i = h % m->max; m->p[i].used; i = (i + 1) % m->max)
		if (m->p[i].subscriber == subscriber &&
		    check_same_stream(&m->p[i].face, s))
			break;
	return &m->p[i];
}

static struct progress *progress_of(struct progress_map *m, const struct sorted *s)
{
	struct progress *p = slot_of(m, s, s->e->subscriber);

	if (!p->used)
		*p = (struct progress){
			.used = true, .subscriber = s->e->subscriber, .face = *s};
	return p;
}

static void step_given(struct check *k, struct progress *p, const struct sorted *s)
{
	const struct chronicle_peer *sub = &k->c->subscribers[s->e->subscriber];

	check_looked(k, CHECK_GIVEN);
	if (s->seq != p->last + 1 && (p->last != 0 || sub->is_complete))
		check_breach(k, CHECK_GIVEN, "%s was given %s %.32s %llu after %llu",
			     sub->name, word(s), s->name, (ull)s->seq, (ull)p->last);
	p->last = s->seq;
}

/* Everything there is in a stream must have come to those who are complete. */
static void check_complete(struct check *k, struct progress_map *m)
{
	for (size_t i = 0; i < k->n_unique; i++) {
		const struct sorted *s = &k->unique[i];

		if (i + 1 < k->n_unique && check_same_stream(s, &k->unique[i + 1]))
			continue;
		for (uint32_t n = 0; n < k->c->n_subscribers; n++) {
			const struct progress *p = slot_of(m, s, n);
			uint64_t last = p->used ? p->last : 0;

			if (!k->c->subscribers[n].is_complete)
				continue;
			check_looked(k, CHECK_COMPLETE);
			if (last < s->seq)
				check_breach(k, CHECK_COMPLETE,
					     "%s has %s %.32s up to %llu of %llu",
					     k->c->subscribers[n].name, word(s),
					     s->name, (ull)last, (ull)s->seq);
		}
	}
}

static void check_same(struct check *k)
{
	const struct sorted *first = NULL;

	for (size_t i = 0; i < k->n_sorted; i++) {
		const struct sorted *s = &k->sorted[i];

		if (first == NULL || check_compare(first, s) != 0) {
			first = s;
			continue;
		}
		/* What was lost later may have been something else. */
		if (first->is_void && first->e->epoch < s->e->epoch) {
			first = s;
			continue;
		}
		check_looked(k, CHECK_SAME);
		if (!same_bytes(first, s))
			check_breach(k, CHECK_SAME,
				     "%s %.32s %llu came to %s and to %s as two things",
				     word(s), s->name, (ull)s->seq,
				     k->c->subscribers[first->e->subscriber].name,
				     k->c->subscribers[s->e->subscriber].name);
	}
}

void check_streams(struct check *k)
{
	const struct chronicle *c = k->c;
	struct progress_map m = {.max = 1 << 14};

	m.p = calloc(m.max, sizeof(*m.p));
	if (m.p == NULL)
		abort();
	for (size_t i = 0; i < c->n_events; i++) {
		struct sorted s;

		if (!(c->events[i].how & CHRONICLE_GIVEN))
			continue;
		check_face(&s, c, &c->events[i]);
		step_given(k, progress_of(&m, &s), &s);
	}
	check_complete(k, &m);
	free(m.p);
	check_same(k);
}

/* ---- heartbeats ---- */

static const struct sorted *find(const struct check *k, const struct sorted *s)
{
	size_t lo = 0, hi = k->n_unique;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int rc = check_compare(&k->unique[mid], s);

		if (rc == 0)
			return &k->unique[mid];
		if (rc < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void step_beat(struct check *k, struct progress *p, const struct sorted *s,
		      const struct chronicle_beat *b)
{
	const struct sorted *at = find(k, s);
	const struct event_head *head = at != NULL ? at->event : NULL;

	check_looked(k, CHECK_BEAT);
	if (b->beat.last_seq < p->last_live)
		check_breach(k, CHECK_BEAT,
			     "a heartbeat names %s %.32s %llu after %llu was published",
			     word(s), s->name, (ull)b->beat.last_seq,
			     (ull)p->last_live);
	if (check_lost(k, b->epoch, b->beat.pos) != NULL)
		return;
	if (b->beat.last_seq == 0)
		return; /* its first event is held */
	if (head == NULL || head->pos != b->beat.pos)
		check_breach(k, CHECK_BEAT,
			     "a heartbeat names %s %.32s %llu at %llu, which is %s",
			     word(s), s->name, (ull)b->beat.last_seq, (ull)b->beat.pos,
			     head == NULL ? "nowhere" : "elsewhere");
}

static struct progress *live_progress(struct check *k, struct progress_map *m,
				      const struct sorted *s)
{
	const struct chronicle_life *l = check_life(k, s->e->order);
	struct progress *p = progress_of(m, s);
	uint64_t life = l != NULL ? l->order : 0;

	if (p->life != life)
		p->last_live = 0;
	p->life = life;
	return p;
}

/* Events and heartbeats are two lists: walk them by their order. */
void check_beats(struct check *k)
{
	const struct chronicle *c = k->c;
	struct progress_map m = {.max = 1 << 14};
	struct chronicle_event *as_events = calloc(c->n_beats + 1, sizeof(*as_events));
	size_t i = 0, j = 0;

	m.p = calloc(m.max, sizeof(*m.p));
	if (m.p == NULL || as_events == NULL)
		abort();
	while (i < c->n_events || j < c->n_beats) {
		struct sorted s;
		struct progress *p;

		if (j == c->n_beats ||
		    (i < c->n_events && c->events[i].order < c->beats[j].order)) {
			const struct chronicle_event *e = &c->events[i++];

			if (!(e->how & CHRONICLE_LIVE))
				continue;
			check_face(&s, c, e);
			p = live_progress(k, &m, &s);
			if (s.seq > p->last_live)
				p->last_live = s.seq;
			continue;
		}
		as_events[j] =
			(struct chronicle_event){.order = c->beats[j].order,
						 .subscriber = c->beats[j].subscriber,
						 .kind = c->beats[j].kind};
		s = (struct sorted){.e = &as_events[j],
				    .name = c->beats[j].beat.symbol,
				    .timeframe_s = c->beats[j].beat.timeframe_s,
				    .seq = c->beats[j].beat.last_seq};
		step_beat(k, live_progress(k, &m, &s), &s, &c->beats[j]);
		j++;
	}
	free(m.p);
	free(as_events);
}

/* ---- against the log, and against an uninterrupted run ---- */

static bool tick_matches(const struct event_tick *e, const struct record *r)
{
	return e->head.event_ns == r->event_ns && e->head.recv_ns == r->recv_ns &&
	       e->price_e9 == r->price_e9 && e->size_e8 == r->size_e8 &&
	       e->bid_e9 == r->bid_e9 && e->ask_e9 == r->ask_e9 &&
	       e->bid_size_e8 == r->bid_size_e8 && e->ask_size_e8 == r->ask_size_e8 &&
	       e->source_seq == r->source_seq && e->ref_seq == r->ref_seq &&
	       memcmp(e->cond, r->cond, sizeof(e->cond)) == 0 &&
	       e->symbol_id == r->symbol_id && e->source_id == r->source_id &&
	       e->action == (r->action_flags & 3) && e->flags == r->action_flags >> 2;
}

static void check_ticks(struct check *k)
{
	const struct chronicle *c = k->c;
	uint64_t *count = calloc(c->n_symbols + 1, sizeof(*count));
	size_t in_log = 0, received = 0;

	if (count == NULL)
		abort();
	for (size_t i = 0; i < c->n_records; i++) {
		const struct chronicle_record *r = &c->records[i];
		struct chronicle_event key = {.kind = EVENT_TICK};
		struct sorted s = {.e = &key};
		const struct sorted *got;

		if (r->rec.type != RECORD_TICK || r->rec.symbol_id >= c->n_symbols)
			continue;
		in_log++;
		s.name = c->symbols[r->rec.symbol_id];
		s.seq = ++count[r->rec.symbol_id];
		check_looked(k, CHECK_TICKS);
		got = find(k, &s);
		if (got == NULL)
			check_breach(k, CHECK_TICKS,
				     "tick %.32s %llu at %llu was never received",
				     s.name, (ull)s.seq, (ull)r->pos);
		else if (((const struct event_head *)got->event)->pos != r->pos ||
			 !tick_matches(got->event, &r->rec))
			check_breach(k, CHECK_TICKS,
				     "tick %.32s %llu is not position %llu of the log",
				     s.name, (ull)s.seq, (ull)r->pos);
	}
	for (size_t i = 0; i < k->n_unique; i++)
		received += k->unique[i].e->kind == EVENT_TICK;
	if (received != in_log)
		check_breach(k, CHECK_TICKS,
			     "%zu ticks were received, the log holds %zu", received,
			     in_log);
	free(count);
}

void check_derived(struct check *k)
{
	const struct chronicle *c = k->c;
	size_t received = 0;

	if (c->n_records > 0 && c->n_symbols > 0)
		check_ticks(k);
	for (size_t i = 0; i < c->n_expected; i++) {
		const struct sorted *got;
		struct sorted s;

		check_face(&s, c, &c->expected[i]);
		check_looked(k, CHECK_DERIVED);
		got = find(k, &s);
		if (got == NULL || !same_bytes(got, &s))
			check_breach(k, CHECK_DERIVED,
				     "%s %.32s %llu at %llu %s in an uninterrupted run",
				     word(&s), s.name, (ull)s.seq,
				     (ull)((const struct event_head *)s.event)->pos,
				     got == NULL ? "never came, but comes"
						 : "is another");
	}
	for (size_t i = 0; i < k->n_unique; i++)
		received += k->unique[i].e->kind != EVENT_TICK;
	if (c->n_expected > 0 && received != c->n_expected)
		check_breach(k, CHECK_DERIVED,
			     "%zu derived events were received, an uninterrupted run "
			     "has %zu",
			     received, c->n_expected);
}
