/*
 * source_life - see source_life.h.  Sources are dense from 0, so a page table of two
 * levels finds one by shifts; a page of 256 sources is made when one of them is first
 * seen, and a source's list of gaps when it has its first gap.
 *
 * Memory that cannot be had costs knowledge, not correctness of prices: the source then
 * counts as never seen, or the gap as not there.
 */
#include "workers/source_life.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>

#define PAGE_SOURCES 256u
#define PAGES        (65536u / PAGE_SOURCES)

struct gap {
	int64_t from_ns; /* last event before it */
	int64_t to_ns;   /* first event after it */
};

struct life {
	int64_t last_ns;
	struct gap *gaps; /* owned; SOURCE_LIFE_GAPS, in no order */
	uint32_t n_gaps;  /* ever noted; the oldest note is overwritten */
	bool seen;
	bool held; /* by the kill switch */
};

struct source_life {
	int64_t timeout_ns;
	struct life *page[PAGES]; /* owned */
};

int source_life_new(int64_t timeout_ns, struct source_life **out)
{
	struct source_life *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(-ENOMEM, "out of memory for the table of sources");
	t->timeout_ns = timeout_ns;
	*out = t;
	return 0;
}

void source_life_free(struct source_life *t)
{
	if (t == NULL)
		return;
	for (uint32_t p = 0; p < PAGES; p++) {
		for (uint32_t i = 0; t->page[p] != NULL && i < PAGE_SOURCES; i++)
			free(t->page[p][i].gaps);
		free(t->page[p]);
	}
	free(t);
}

static uint32_t gaps_held(const struct life *l)
{
	return l->n_gaps < SOURCE_LIFE_GAPS ? l->n_gaps : SOURCE_LIFE_GAPS;
}

static bool is_gap(const struct source_life *t, int64_t from_ns, int64_t to_ns)
{
	return (__int128)to_ns - from_ns > t->timeout_ns;
}

static void note_gap(const struct source_life *t, struct life *l, int64_t from_ns,
		     int64_t to_ns)
{
	if (!is_gap(t, from_ns, to_ns))
		return;
	if (l->gaps == NULL)
		l->gaps = calloc(SOURCE_LIFE_GAPS, sizeof(*l->gaps));
	if (l->gaps != NULL)
		l->gaps[l->n_gaps++ % SOURCE_LIFE_GAPS] = (struct gap){from_ns, to_ns};
}

/* An event that came late: the gap it falls into becomes two shorter ones, or none. */
static void split_gap(const struct source_life *t, struct life *l, int64_t ns)
{
	uint32_t held = gaps_held(l);

	for (uint32_t i = 0; i < held; i++) {
		struct gap *g = &l->gaps[i];
		int64_t to_ns = g->to_ns;

		if (ns <= g->from_ns || ns >= to_ns)
			continue;
		g->to_ns = ns; /* when too short now, it has no dark part */
		note_gap(t, l, ns, to_ns);
		return;
	}
}

static struct life *life_at(struct source_life *t, uint32_t id)
{
	return t->page[id / PAGE_SOURCES] == NULL
		       ? NULL
		       : &t->page[id / PAGE_SOURCES][id % PAGE_SOURCES];
}

/* The place of source @id, made if need be; NULL: no memory. */
static struct life *life_make(struct source_life *t, uint32_t id)
{
	struct life **page = &t->page[id / PAGE_SOURCES];

	if (*page == NULL)
		*page = calloc(PAGE_SOURCES, sizeof(**page));
	return life_at(t, id);
}

void source_life_hold(struct source_life *t, uint16_t source_id, bool is_held)
{
	struct life *l = life_make(t, source_id);

	if (l != NULL)
		l->held = is_held;
}

bool source_life_held(const struct source_life *t, uint16_t source_id)
{
	const struct life *page = t->page[source_id / PAGE_SOURCES];

	return page != NULL && page[source_id % PAGE_SOURCES].held;
}

void source_life_saw(struct source_life *t, uint16_t source_id, int64_t ns)
{
	struct life *l = life_make(t, source_id);

	if (l == NULL)
		return;
	if (!l->seen) {
		l->seen = true;
		l->last_ns = ns;
	} else if (ns > l->last_ns) {
		note_gap(t, l, l->last_ns, ns);
		l->last_ns = ns;
	} else {
		split_gap(t, l, ns);
	}
}

/* One time-out after @event_ns, whatever the calendar's edge. */
static bool is_after(const struct source_life *t, int64_t ns, int64_t event_ns)
{
	return (__int128)ns - event_ns >= t->timeout_ns;
}

bool source_life_dark(const struct source_life *t, uint16_t source_id, int64_t start_ns,
		      int64_t end_ns)
{
	const struct life *page = t->page[source_id / PAGE_SOURCES];
	const struct life *l = page == NULL ? NULL : &page[source_id % PAGE_SOURCES];
	uint32_t held;

	if (l == NULL || !l->seen)
		return true;
	if (is_after(t, start_ns, l->last_ns))
		return true;
	held = gaps_held(l);
	for (uint32_t i = 0; i < held; i++)
		if (is_after(t, start_ns, l->gaps[i].from_ns) &&
		    end_ns <= l->gaps[i].to_ns)
			return true;
	return false;
}

int64_t source_life_since(const struct source_life *t, uint16_t source_id)
{
	const struct life *page = t->page[source_id / PAGE_SOURCES];
	const struct life *l = page == NULL ? NULL : &page[source_id % PAGE_SOURCES];
	int64_t since_ns = INT64_MIN;

	for (uint32_t i = 0; l != NULL && i < gaps_held(l); i++)
		if (l->gaps[i].to_ns > since_ns &&
		    is_gap(t, l->gaps[i].from_ns, l->gaps[i].to_ns))
			since_ns = l->gaps[i].to_ns;
	return since_ns;
}

static void life_state(struct state *st, struct life *l)
{
	state_i64(st, &l->last_ns);
	state_u32(st, &l->n_gaps);
	if (l->n_gaps > 0 && l->gaps == NULL)
		l->gaps = calloc(SOURCE_LIFE_GAPS, sizeof(*l->gaps));
	if (l->n_gaps > 0 && l->gaps == NULL) {
		l->n_gaps = 0;
		state_spoil(st);
	}
	for (uint32_t i = 0; i < gaps_held(l); i++) {
		state_i64(st, &l->gaps[i].from_ns);
		state_i64(st, &l->gaps[i].to_ns);
	}
}

void source_life_state(struct state *st, struct source_life *t)
{
	uint32_t n = 0, id = 0;

	for (uint32_t i = 0; i < PAGES * PAGE_SOURCES && !state_is_loading(st); i++)
		n += life_at(t, i) != NULL && life_at(t, i)->seen;
	state_count(st, &n, PAGES * PAGE_SOURCES);
	for (uint32_t i = 0; i < n && !state_bad(st); i++, id++) {
		struct life *l;

		while (!state_is_loading(st) &&
		       (life_at(t, id) == NULL || !life_at(t, id)->seen))
			id++;
		state_count(st, &id, PAGES * PAGE_SOURCES - 1);
		l = life_make(t, id);
		if (l == NULL) {
			state_spoil(st);
			return;
		}
		l->seen = true;
		life_state(st, l);
	}
}
