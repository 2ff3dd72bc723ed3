/* newest - see newest.h.  Tables by open addressing, half full at most. */
#include "daemon/newest.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "proto/frame.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SAVE_KEY     "newest.index"
#define SAVE_VERSION 1
#define SAVE_BYTES   ((size_t)256 << 20) /* of rows looked at between two saves */
#define UNIVERSES    4096u

/* As it is saved. */
struct entry {
	uint64_t row; /* 0: the slot is free */
	uint64_t pos;
	uint64_t seq;
	uint32_t id;   /* symbol, or index of the universe */
	uint32_t line; /* line_of(): timeframe, and the part of a tier-1 stream */
};
_Static_assert(sizeof(struct entry) == 32, "saved as it is");

/* A day has fewer seconds than 2^20; above them is which block of tier 1 it is. */
#define LINE_PART 20

static uint32_t line_of(uint32_t timeframe_s, uint32_t part)
{
	return timeframe_s | part << LINE_PART;
}

static uint32_t line_timeframe(uint32_t line)
{
	return line & ((1u << LINE_PART) - 1);
}

struct table {
	struct entry *slots; /* owned */
	uint32_t n;
	uint32_t cap; /* power of two */
	uint64_t covered;
};

struct newest {
	struct table kinds[EVENT_KINDS];
	char (*universes)[UNIVERSE_MAX]; /* owned */
	uint32_t n_universes;
	size_t unsaved;
	bool is_loaded;
};

struct saved_head {
	uint32_t version;
	uint32_t n_universes;
	uint64_t epoch;
	uint64_t covered[EVENT_KINDS];
	uint32_t n[EVENT_KINDS];
};

int newest_new(struct newest **out)
{
	struct newest *n = calloc(1, sizeof(*n));

	if (n != NULL)
		n->universes = calloc(UNIVERSES, sizeof(*n->universes));
	if (n == NULL || n->universes == NULL) {
		free(n);
		return err_set(-ENOMEM, "out of memory for the newest events");
	}
	*out = n;
	return 0;
}

static void forget(struct newest *n)
{
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		free(n->kinds[k].slots);
		n->kinds[k] = (struct table){0};
	}
	n->n_universes = 0;
	n->unsaved = 0;
}

void newest_free(struct newest *n)
{
	if (n == NULL)
		return;
	forget(n);
	free(n->universes);
	free(n);
}

/* ---- the tables ---- */

static struct entry *probe(struct entry *slots, uint32_t cap, uint32_t id,
			   uint32_t line)
{
	uint32_t i = (uint32_t)hash_mix((uint64_t)id << 32 | line) & (cap - 1);

	while (slots[i].row != 0 && (slots[i].id != id || slots[i].line != line))
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static int grow(struct table *t)
{
	uint32_t cap = t->cap ? t->cap * 2 : 64;
	struct entry *slots = calloc(cap, sizeof(*slots));

	if (slots == NULL)
		return err_set(-ENOMEM, "out of memory for the newest events");
	for (uint32_t i = 0; i < t->cap; i++) {
		const struct entry *e = &t->slots[i];

		if (e->row != 0)
			*probe(slots, cap, e->id, e->line) = *e;
	}
	free(t->slots);
	t->slots = slots;
	t->cap = cap;
	return 0;
}

static int put(struct table *t, const struct entry *e)
{
	struct entry *at;

	if (t->n * 2 >= t->cap && grow(t) < 0)
		return -ENOMEM;
	at = probe(t->slots, t->cap, e->id, e->line);
	t->n += at->row == 0;
	*at = *e;
	return 0;
}

static uint32_t find_universe(const struct newest *n, const char *name)
{
	uint32_t i = 0;

	while (i < n->n_universes && memcmp(n->universes[i], name, UNIVERSE_MAX) != 0)
		i++;
	return i;
}

/* What tells its stream and timeframe; a universe that is new is not added. */
static struct entry key_of(const struct newest *n, enum event_kind kind,
			   const void *event)
{
	const struct event_head *h = event;
	struct entry e = {.pos = h->pos, .seq = h->seq};

	if (kind == EVENT_BAR) {
		e.id = ((const struct event_bar *)event)->symbol_id;
		e.line = ((const struct event_bar *)event)->timeframe_s;
	} else if (kind == EVENT_TIER1) {
		const struct event_tier1 *v = event;

		e.id = v->symbol_id;
		e.line = line_of(v->timeframe_s, event_tier1_part(v));
	} else if (kind == EVENT_TIER2) {
		const struct event_tier2 *m = event;

		e.id = find_universe(n, m->universe);
		e.line = m->timeframe_s;
	} else {
		e.id = event_symbol_id(kind, event);
	}
	return e;
}

uint64_t newest_seq(const struct newest *n, enum event_kind kind, const void *event)
{
	const struct table *t = &n->kinds[kind];
	struct entry key = key_of(n, kind, event);

	if (t->cap == 0)
		return 0;
	return probe(t->slots, t->cap, key.id, key.line)->seq;
}

uint64_t newest_row(const struct newest *n, enum event_kind kind, uint64_t from_row,
		    newest_want_fn want, const void *arg)
{
	const struct table *t = &n->kinds[kind];
	uint64_t best = UINT64_MAX;

	for (uint32_t i = 0; i < t->cap; i++) {
		const struct entry *e = &t->slots[i];
		const struct newest_place place = {
			e->row,
			e->pos,
			e->seq,
			e->id,
			line_timeframe(e->line),
			kind == EVENT_TIER2 ? n->universes[e->id] : NULL};

		if (e->row >= from_row && e->row < best && e->row != 0 &&
		    want(arg, kind, &place))
			best = e->row;
	}
	return best;
}

/* ---- rows ---- */

static int note_frame(struct newest *n, enum event_kind kind, uint64_t row,
		      const void *data, size_t len)
{
	union {
		struct event_bar bar;
		struct event_tier1 tier1;
		struct event_tier2 tier2;
		struct event_news news;
		struct event_status status;
	} event;
	struct frame_view v;

	if (frame_open(data, len, &v) != 0 || v.kind != kind)
		return err_set(-EBADMSG, "a stored %s row is not made of frames",
			       event_kind_word(kind));
	while (frame_next(&v, &event) == 0) {
		struct entry e = key_of(n, kind, &event);

		if (kind == EVENT_TIER2 && e.id == n->n_universes) {
			if (n->n_universes == UNIVERSES)
				continue; /* more than a configuration can hold */
			memcpy(n->universes[n->n_universes++], event.tier2.universe,
			       UNIVERSE_MAX);
		}
		e.row = row;
		if (put(&n->kinds[kind], &e) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Frames, each behind its length. */
static int note_row(struct newest *n, enum event_kind kind, uint64_t row,
		    const uint8_t *data, size_t len)
{
	size_t at = 0;
	uint32_t size;
	int rc = 0;

	n->unsaved += len;
	n->kinds[kind].covered = row; /* a damaged one is not looked at again */
	while (at + sizeof(size) <= len && rc == 0) {
		memcpy(&size, data + at, sizeof(size));
		at += sizeof(size);
		if (len - at < size)
			return err_set(-EBADMSG, "a stored %s row is cut short",
				       event_kind_word(kind));
		rc = note_frame(n, kind, row, data + at, size);
		at += size;
	}
	return rc;
}

struct reader {
	struct newest *n;
	enum event_kind kind;
	size_t bytes_left;
};

static int on_batch(void *arg, const struct store_batch *b)
{
	struct reader *r = arg;
	int rc = note_row(r->n, r->kind, b->id, b->data, b->len);

	r->bytes_left -= b->len < r->bytes_left ? b->len : r->bytes_left;
	return rc < 0 ? rc : r->bytes_left == 0;
}

ON_STORE static int step_kind(struct newest *n, struct tickstore *ts,
			      enum event_kind kind, size_t *bytes_left)
{
	struct reader r = {n, kind, *bytes_left};
	uint64_t first, next;
	int rc;

	tickstore_derived_range(ts, kind, &first, &next);
	if (n->kinds[kind].covered + 1 < first)
		n->kinds[kind].covered = first - 1;
	if (n->kinds[kind].covered + 1 >= next)
		return 0;
	if (*bytes_left == 0)
		return NEWEST_BEHIND;
	rc = tickstore_derived_read(ts, kind, n->kinds[kind].covered + 1, UINT32_MAX,
				    on_batch, &r, NULL);
	*bytes_left = r.bytes_left;
	if (rc < 0)
		return rc;
	return n->kinds[kind].covered + 1 < next ? NEWEST_BEHIND : 0;
}

/* ---- saving ---- */

ON_STORE static uint64_t epoch_of(struct tickstore *ts)
{
	struct store_status s;

	tickstore_status(ts, &s);
	return s.epoch;
}

int newest_save(struct newest *n, struct tickstore *ts)
{
	struct saved_head h = {.version = SAVE_VERSION,
			       .n_universes = n->n_universes,
			       .epoch = epoch_of(ts)};
	struct buf out = {0};
	int rc;

	if (!n->is_loaded || n->unsaved == 0)
		return 0;
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		h.covered[k] = n->kinds[k].covered;
		h.n[k] = n->kinds[k].n;
	}
	buf_add(&out, &h, sizeof(h));
	buf_add(&out, n->universes, n->n_universes * sizeof(*n->universes));
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		for (uint32_t i = 0; i < n->kinds[k].cap; i++)
			if (n->kinds[k].slots[i].row != 0)
				buf_add(&out, &n->kinds[k].slots[i],
					sizeof(struct entry));
	rc = tickstore_meta_put(ts, SAVE_KEY, out.data, out.len);
	if (rc == 0)
		n->unsaved = 0;
	buf_free(&out);
	return rc;
}

/* Was the index saved from the rows that are here?  Rows are numbered by one. */
ON_STORE static bool fits(struct tickstore *ts, const struct saved_head *h, size_t len)
{
	size_t need = sizeof(*h);

	if (h->version != SAVE_VERSION || h->epoch != epoch_of(ts) ||
	    h->n_universes > UNIVERSES)
		return false;
	need += h->n_universes * (size_t)UNIVERSE_MAX;
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		uint64_t first, next;

		tickstore_derived_range(ts, k, &first, &next);
		if (h->covered[k] >= next && h->covered[k] > 0)
			return false;
		need += h->n[k] * sizeof(struct entry);
	}
	return need == len;
}

static int take_entries(struct newest *n, const struct saved_head *h, const uint8_t *at)
{
	n->n_universes = h->n_universes;
	memcpy(n->universes, at, h->n_universes * sizeof(*n->universes));
	at += h->n_universes * sizeof(*n->universes);
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		n->kinds[k].covered = h->covered[k];
		for (uint32_t i = 0; i < h->n[k]; i++, at += sizeof(struct entry)) {
			struct entry e;

			memcpy(&e, at, sizeof(e));
			if (put(&n->kinds[k], &e) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* What was saved, or nothing: then everything held is read. */
ON_STORE static int load(struct newest *n, struct tickstore *ts)
{
	struct saved_head h;
	const void *data;
	size_t len;
	int rc = tickstore_meta_get(ts, SAVE_KEY, &data, &len);

	if (rc < 0 && rc != -EBADMSG)
		return rc;
	n->is_loaded = true;
	if (rc != 0 || len < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	if (!fits(ts, &h, len))
		return 0;
	rc = take_entries(n, &h, (const uint8_t *)data + sizeof(h));
	if (rc < 0)
		forget(n);
	return rc;
}

int newest_step(struct newest *n, struct tickstore *ts, size_t bytes)
{
	int rc = n->is_loaded ? 0 : load(n, ts);
	bool is_behind = false;

	for (unsigned k = EVENT_BAR; k < EVENT_KINDS && rc >= 0; k++) {
		rc = step_kind(n, ts, (enum event_kind)k, &bytes);
		is_behind |= rc == NEWEST_BEHIND;
	}
	if (rc >= 0 && n->unsaved >= SAVE_BYTES)
		rc = newest_save(n, ts);
	if (rc < 0)
		return rc;
	return is_behind ? NEWEST_BEHIND : 0;
}

int newest_note(struct newest *n, struct tickstore *ts, enum event_kind kind,
		const void *data, size_t len)
{
	uint64_t first, next;

	tickstore_derived_range(ts, kind, &first, &next);
	if (!n->is_loaded || n->kinds[kind].covered + 2 != next)
		return NEWEST_BEHIND;
	return note_row(n, kind, next - 1, data, len);
}
