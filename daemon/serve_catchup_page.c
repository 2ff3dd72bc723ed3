/*
 * serve_catchup_page - merges the taps into one page.
 *
 * The nearest tap (lowest position, then lowest kind) is loaded until it shows an
 * event, which is then given, and so on until the page is full, the budget is used
 * or the horizon is reached.  What a page has got done is its cursor: everything
 * before (next_pos, next_skip) was given or does not match.
 *
 * Every page gets further than its request, or the next one would begin where it
 * did: the budget ends a page only behind its first event, behind its first
 * position, or when the records counted on the approach are in a bookmark.
 */
#include "daemon/serve_catchup_parts.h"
#include <stdio.h>

#define PAGE_EVENTS_MAX     65000u /* an event may need a frame of its own */
#define SNAPSHOT_KIND_SHIFT 24     /* in the skip of a snapshot */
#define FRAME_ROOM          64u    /* what a frame needs besides its events */

struct page {
	struct query *q;
	struct catchup_writer w;
	struct frame frame;
	struct buf frame_data;
	bool is_open; /* the frame holds events */
	size_t bytes_max;
	uint32_t events_max;
	uint32_t n;
	uint64_t at_pos; /* how many events of this position matched so far */
	uint32_t at_n;
	enum event_kind at_kind;
	bool is_done;
	uint64_t count; /* of all pages so far, as the request has it, and this one */
	uint64_t hash;
};

static void seal(struct page *p)
{
	if (!p->is_open)
		return;
	catchup_page_frame(&p->w, p->frame_data.data, frame_seal(&p->frame, 0, 0));
	p->is_open = false;
}

static void begin(struct page *p, const struct tap *t)
{
	size_t cap = t->kind == EVENT_TIER2 ? t->event_len + FRAME_ROOM
					    : frame_size_max(t->kind);

	frame_begin(&p->frame, buf_reserve(&p->frame_data, cap), cap, t->kind,
		    p->q->env->epoch);
	p->is_open = true;
}

static void give(struct page *p, const struct tap *t)
{
	if (p->is_open && p->frame.kind != t->kind)
		seal(p);
	if (!p->is_open)
		begin(p, t);
	if (frame_add(&p->frame, t->event) == FRAME_FULL) {
		seal(p);
		begin(p, t);
		(void)frame_add(&p->frame, t->event);
	}
	if (t->kind == EVENT_TIER2)
		seal(p);
	p->n++;
	p->count++;
	p->hash = catchup_hash(p->hash, t->kind, t->event);
}

static bool is_full(const struct page *p, const struct tap *t)
{
	size_t bytes = p->w.out->len - p->w.start + (p->is_open ? p->frame.len : 0);

	if (p->n == 0)
		return false;
	return p->n >= p->events_max ||
	       bytes + t->event_len + FRAME_ROOM > p->bytes_max;
}

static struct tap *nearest(struct query *q)
{
	struct tap *best = &q->taps[0];

	for (uint32_t i = 1; i < q->n_taps; i++)
		if (q->taps[i].pos < best->pos)
			best = &q->taps[i];
	return best;
}

static bool must_stop(const struct page *p, const struct tap *t)
{
	const struct query *q = p->q;

	if (!tap_is_tired(q))
		return false;
	if (p->n > 0 || t->pos > q->start)
		return true;
	return t->kind == EVENT_TICK && q->records_left == 0;
}

/*
 * A snapshot jumps over what is not new, and what is new changes: so there the count
 * at a position is kept per kind, whose events come from one row or not at all.
 */
static void count_anew(struct page *p, const struct tap *t)
{
	if (p->q->is_snapshot)
		p->at_n = (uint32_t)t->kind << SNAPSHOT_KIND_SHIFT;
	else if (t->pos != p->at_pos)
		p->at_n = 0;
	p->at_pos = t->pos;
	p->at_kind = t->kind;
}

/* The event that @t shows: given, skipped or passed over. */
ON_STORE static void take(struct page *p, struct tap *t)
{
	struct query *q = p->q;
	struct event_face face;
	bool is_wanted;

	event_face_of(t->kind, t->event, &face);
	is_wanted = streams_want(&q->streams, &face) &&
		    snapshot_gives(q, t->kind, t->event);
	if (t->pos != p->at_pos || t->kind != p->at_kind)
		count_anew(p, t);
	if (is_wanted && (t->pos != q->start || p->at_n >= q->skip))
		give(p, t);
	p->at_n++;
	tap_pop(t);
}

ON_STORE static int fill(struct page *p)
{
	struct query *q = p->q;

	for (;;) {
		struct tap *t = nearest(q);

		if (t->pos > q->horizon || q->streams.n_open == 0) {
			p->is_done = true;
			return 0;
		}
		if (t->is_ready) {
			if (is_full(p, t))
				return 0;
			take(p, t);
		} else {
			int rc;

			if (must_stop(p, t))
				return 0;
			rc = tap_load(q, t);
			if (rc == CATCHUP_WAITS && (p->n > 0 || t->pos > q->start))
				return 0; /* the next page begins there */
			if (rc != 0)
				return rc;
		}
	}
}

/* A snapshot is never the end: what came after it follows. */
static void set_snapshot_cursor(const struct page *p, struct catchup_page_root *root)
{
	root->done = 0;
	if (!p->is_done) {
		root->next_from = CATCHUP_FROM_SNAPSHOT;
		return;
	}
	root->next_pos = p->q->resume;
	root->next_skip = 0;
}

static void set_cursor(const struct page *p, struct catchup_page_root *root)
{
	const struct query *q = p->q;

	root->next_pos = q->start;
	if (!q->is_now) {
		uint64_t pos = nearest(p->q)->pos;

		if (pos > q->horizon)
			pos = q->horizon + 1;
		if (pos > q->start)
			root->next_pos = pos;
	}
	if (root->next_pos == p->at_pos)
		root->next_skip = p->at_n;
	if (root->next_pos == q->start && root->next_skip < q->skip)
		root->next_skip = q->skip;
	root->done = q->is_now || p->is_done;
	root->next_from = CATCHUP_FROM_POS;
	root->count = p->count;
	root->hash = p->hash;
	if (q->is_snapshot)
		set_snapshot_cursor(p, root);
}

int page_write(struct query *q, size_t bytes_max, struct buf *out, uint32_t *n)
{
	struct page p = {.q = q,
			 .bytes_max = bytes_max,
			 .at_pos = q->start,
			 .count = q->req.root.count,
			 .hash = q->req.root.hash};
	struct catchup_page_root root = {.epoch = q->env->epoch,
					 .live_pos = q->log.last_pos,
					 .first_held_pos = q->first_pos};
	int rc = 0;

	p.events_max = q->req.root.limit > 0 ? q->req.root.limit : q->env->events_max;
	if (p.events_max > PAGE_EVENTS_MAX)
		p.events_max = PAGE_EVENTS_MAX;
	catchup_page_begin(&p.w, out);
	for (uint32_t i = 0; i < q->n_gone; i++)
		catchup_page_gone(&p.w, &q->gone[i]);
	if (!q->is_now)
		rc = fill(&p);
	seal(&p);
	buf_free(&p.frame_data);
	if (rc != 0) {
		out->len = p.w.start;
		return rc;
	}
	*n = p.n;
	held_write(q, &p.w);
	set_cursor(&p, &root);
	if (q->is_gone) {
		root.status = CATCHUP_GONE;
		(void)snprintf(root.text, sizeof(root.text),
			       "gone: held whole from position %llu on",
			       (unsigned long long)q->first_pos);
	}
	catchup_page_seal(&p.w, &root);
	return 0;
}
