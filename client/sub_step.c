/*
 * sub_step - what comes next, and what it means.
 *
 * An event of a stream whose last sequence is L:
 *
 *	seq == L + 1                deliver, L = seq
 *	L unknown                   see sub_meet.c
 *	seq <= L                    seen before: drop (or, in a new epoch and
 *	                            received later: the log lost its end; start over)
 *	seq >  L + 1                a hole: fill from catch-up, then look again;
 *	                            what catch-up does not hold is reported
 */
#include "base/clock.h"
#include "base/err.h"
#include "client/sub_parts.h"
#include <errno.h>

/* ---- looking at events -------------------------------------------------- */

const char *sub_symbol_of(enum event_kind kind, const void *event)
{
	return event_symbol(kind, event);
}

uint32_t sub_timeframe_of(enum event_kind kind, const void *event)
{
	const union sub_event *e = event;

	switch (kind) {
	case EVENT_BAR:
		return e->bar.timeframe_s;
	case EVENT_TIER1:
		return e->tier1.timeframe_s;
	case EVENT_TIER2:
		return e->tier2.timeframe_s;
	default:
		return 0;
	}
}

static bool is_wanted(const struct tickbus_sub *sub, enum event_kind kind,
		      const char *symbol)
{
	if (!(sub->kinds >> kind & 1))
		return false;
	return sub->wanted.n == 0 || streams_find(&sub->wanted, EVENT_KINDS, symbol, 0);
}

/* Look at the next event of a source; false when its frame is done. */
static bool peek(struct sub_source *s)
{
	if (s->is_peeked)
		return true;
	if (!s->is_open || frame_next(&s->frame, &s->event) != 0) {
		s->is_open = false;
		return false;
	}
	s->is_peeked = true;
	return true;
}

/* ---- delivering --------------------------------------------------------- */

static void put_matrix(struct tickbus_sub *sub, const struct frame_view *v,
		       struct tickbus_event *out)
{
	size_t need = frame_matrix_copy(v, NULL, 0);
	uint8_t *at;

	sub->matrix.len = 0;
	at = buf_reserve(&sub->matrix, need);
	(void)frame_matrix_copy(v, at, need);
	out->tier2 = (const void *)at;
	out->members = (const void *)(at + sizeof(struct event_tier2));
	out->triangle = (const void *)(out->members + v->matrix.n_members);
}

static void deliver(struct tickbus_sub *sub, struct sub_source *s, bool is_filled,
		    struct tickbus_event *out)
{
	/* Field by field: the rest belongs to other outcomes. */
	out->kind = s->frame.kind;
	out->is_filled = is_filled;
	out->epoch = s->frame.root.epoch;
	out->publish_ns = s->frame.root.publish_ns;
	out->head = &s->event.head;
	out->members = NULL;
	out->triangle = NULL;
	if (s->frame.kind == EVENT_TIER2)
		put_matrix(sub, &s->frame, out);
	sub->counts.events++;
	sub->counts.filled += is_filled;
}

/* What has to be said about a stream and is no event. */
static void tell(const struct tickbus_sub *sub, const struct stream *st,
		 struct tickbus_event *out)
{
	*out = (struct tickbus_event){.kind = (enum event_kind)st->kind,
				      .epoch = sub->epoch};
	out->gap.timeframe_s = st->timeframe_s;
	memcpy(out->gap.symbol, st->symbol, SYMBOL_MAX);
}

static int report(struct tickbus_sub *sub, struct stream *st, uint64_t last_seq,
		  bool is_skipped, struct tickbus_event *out)
{
	tell(sub, st, out);
	out->gap.first_seq = st->last_seq + 1;
	out->gap.last_seq = last_seq;
	out->gap.is_skipped = is_skipped;
	*(is_skipped ? &sub->counts.skipped : &sub->counts.lost) +=
		last_seq - st->last_seq;
	st->last_seq = last_seq;
	return TICKBUS_GAP;
}

static int report_gap(struct tickbus_sub *sub, struct stream *st, uint64_t last_seq,
		      struct tickbus_event *out)
{
	return report(sub, st, last_seq, false, out);
}

/*
 * Who wants only the newest does not fetch what is older; how far that goes.  Bars
 * and vectors of several timeframes share a stream, so there a hole may hold the
 * newest of one of them.
 */
static uint64_t skippable(const struct tickbus_sub *sub, const struct stream *st,
			  uint64_t last_seq, bool is_tail)
{
	if (sub->policy == NULL || st->kind == EVENT_BAR || st->kind == EVENT_TIER1)
		return 0;
	return last_seq - is_tail;
}

/* @is_tail: no newer event has come. */
static int on_hole(struct tickbus_sub *sub, struct stream *st, uint64_t last_seq,
		   uint64_t pos, bool is_tail, struct tickbus_event *out)
{
	uint64_t skip_to = skippable(sub, st, last_seq, is_tail);

	sub->counts.gaps++;
	if (sub->no_fill)
		return report_gap(sub, st, last_seq, out);
	if (skip_to > st->last_seq)
		return report(sub, st, skip_to, true, out);
	sub_fill_hole(sub, st, last_seq, pos);
	return SUB_IDLE;
}

/* The kind was gone through, as far as catch-up goes. */
static int on_anew_over(struct tickbus_sub *sub, struct tickbus_event *out)
{
	const struct sub_pages *p = &sub->pages;

	sub->is_anew = false;
	if (p->seen_pos > p->hole_pos) {
		sub_beat_over(sub, p->kind, p->seen_pos - 1);
		return SUB_IDLE;
	}
	*out = (struct tickbus_event){.kind = p->kind, .epoch = sub->epoch};
	out->gap.first_pos = p->seen_pos > 0 ? p->seen_pos : 1;
	out->gap.last_pos = p->hole_pos;
	return sub->policy == NULL ? TICKBUS_GAP : SUB_IDLE;
}

/* What was fetched of a hole was read; what is still missing is lost. */
static int on_hole_over(struct tickbus_sub *sub, struct tickbus_event *out)
{
	const struct sub_pages *p = &sub->pages;
	struct stream *st;

	if (sub->fill == FILL_KIND) {
		sub->fill = FILL_NONE;
		if (sub->is_anew)
			return on_anew_over(sub, out);
		if (p->met.symbol[0] != '\0')
			return sub_meet_over(sub, out);
		if (p->seen_pos > p->hole_pos)
			sub_beat_over(sub, p->kind, p->seen_pos - 1);
		return SUB_IDLE;
	}
	st = streams_get(&sub->streams, (enum event_kind)p->hole.kind, p->hole.symbol,
			 p->hole.timeframe_s);

	sub->fill = FILL_NONE;
	sub_fill_back(sub);
	if (st->last_seq >= p->hole.to_seq)
		return SUB_IDLE;
	return report_gap(sub, st, p->hole.to_seq, out);
}

/* ---- the chain ---------------------------------------------------------- */

__attribute__((noinline)) static bool continues(const struct stream *st,
						const struct sub_source *s)
{
	enum event_kind kind = s->frame.kind;
	union sub_event copy = s->event;
	uint64_t head = st->chain;

	event_chain(kind, &copy, &head);
	return head == event_chain_of(kind, &s->event);
}

/* Does the event that was peeked follow the one before it?  Without that: yes. */
static bool is_linked(const struct stream *st, const struct sub_source *s)
{
	return s->frame.kind == EVENT_TICK || st->chain_seq == 0 ||
	       st->chain_seq + 1 != s->event.head.seq || continues(st, s);
}

static int on_broken_chain(struct tickbus_sub *sub, const struct stream *st,
			   const struct sub_source *s, struct tickbus_event *out)
{
	tell(sub, st, out);
	out->gap.first_seq = out->gap.last_seq = s->event.head.seq;
	sub->counts.chain_breaks++;
	sub->chain_told = true;
	return TICKBUS_CHAIN;
}

/* ---- an event ----------------------------------------------------------- */

static void take(struct tickbus_sub *sub, struct stream *st, struct sub_source *s)
{
	st->is_known = true;
	st->last_seq = s->event.head.seq;
	st->epoch = s->frame.root.epoch;
	st->last_recv_ns = s->event.head.recv_ns;
	if (st->last_recv_ns > sub->recv_ns)
		sub->recv_ns = st->last_recv_ns;
	if (s->frame.kind != EVENT_TICK) {
		st->chain = event_chain_of(s->frame.kind, &s->event);
		st->chain_seq = s->event.head.seq;
	}
	s->is_peeked = false;
	sub->chain_told = false;
}

/* Dropped: it is of no use. */
static int pass(struct sub_source *s, uint64_t *count)
{
	++*count;
	s->is_peeked = false;
	return SUB_IDLE;
}

/* Is something missing between @st and the event?  Pages of a snapshot jump. */
static int look_for_hole(struct tickbus_sub *sub, struct stream *st,
			 const struct event_head *h, bool is_filled,
			 struct tickbus_event *out)
{
	if (!st->is_known) /* of what pages show, nothing is missing before it */
		return is_filled ? 0 : sub_meet_event(sub, st, h);
	if (h->seq <= st->last_seq + 1)
		return 0;
	if (!is_filled)
		return on_hole(sub, st, h->seq - 1, h->pos, false, out);
	if (sub->pages.is_snapshot)
		return 0;
	if (sub->fill == FILL_HOLE || sub->no_fill)
		return report_gap(sub, st, h->seq - 1, out);
	sub->counts.gaps++;
	return sub_fill_instead(sub, st, h);
}

/* streams_get(), with a short way to those of ticks. */
static struct stream *stream_of(struct tickbus_sub *sub, enum event_kind kind,
				const char *symbol, uint32_t timeframe_s,
				const union sub_event *e)
{
	struct stream **near = &sub->near[e->tick.symbol_id % SUB_NEAR];
	struct stream *st;

	if (kind != EVENT_TICK)
		return streams_get(&sub->streams, kind, symbol, timeframe_s);
	if (sub->near_of != sub->streams.slots) { /* the table has moved */
		memset((void *)sub->near, 0, sizeof(sub->near));
		sub->near_of = sub->streams.slots;
	}
	if (*near && memcmp((*near)->symbol, symbol, SYMBOL_MAX) == 0)
		return *near;
	st = streams_get(&sub->streams, kind, symbol, 0);
	if (sub->near_of == sub->streams.slots)
		*near = st;
	return st;
}

/* 0 delivered, SUB_IDLE dropped or a fill begun, or GAP, CHAIN. */
static int on_event(struct tickbus_sub *sub, struct sub_source *s, bool is_filled,
		    struct tickbus_event *out)
{
	enum event_kind kind = s->frame.kind;
	const char *symbol = sub_symbol_of(kind, &s->event);
	uint32_t timeframe_s = sub_timeframe_of(kind, &s->event);
	const struct event_head *h = &s->event.head;
	struct stream *st;
	int rc;

	if (!is_wanted(sub, kind, symbol))
		return pass(s, &sub->counts.filtered);
	st = stream_of(sub, kind, symbol, timeframe_s, &s->event);
	if (st == NULL)
		return err_set(-ENOMEM, "too many streams");
	if (h->seq <= st->last_seq &&
	    (s->frame.root.epoch == st->epoch || h->recv_ns <= st->last_recv_ns))
		return pass(s, &sub->counts.duplicates);
	if (!is_filled && !st->is_known && h->pos < sub->base_pos)
		return pass(s, &sub->counts.filtered); /* before the beginning chosen */
	if (sub->is_anew && !st->is_known && h->recv_ns <= sub->old_ns) {
		take(sub, st, s); /* the same, where positions say nothing */
		return pass(s, &sub->counts.filtered);
	}
	rc = look_for_hole(sub, st, h, is_filled, out);
	if (rc != 0)
		return rc;
	if (!sub->chain_told && !is_linked(st, s))
		return on_broken_chain(sub, st, s, out);
	take(sub, st, s);
	if (sub->timeframe_s && timeframe_s && timeframe_s != sub->timeframe_s) {
		sub->counts.filtered++;
		return SUB_IDLE;
	}
	deliver(sub, s, is_filled, out);
	return 0;
}

/* A stream that we follow must have come as far as the heartbeat says. */
static int on_heartbeat(struct tickbus_sub *sub, struct sub_source *s,
			struct tickbus_event *out)
{
	const struct frame_heartbeat *hb = &s->event.heartbeat;
	enum event_kind kind = s->frame.about;
	struct stream *st;
	int rc;

	if (is_wanted(sub, kind, hb->symbol)) {
		st = streams_get(&sub->streams, kind, hb->symbol, hb->timeframe_s);
		if (st == NULL)
			return err_set(-ENOMEM, "too many streams");
		rc = st->is_known ? 0 : sub_meet_beat(sub, st, hb);
		if (rc != 0)
			return rc;
		if (st->is_known && hb->last_seq > st->last_seq)
			return on_hole(sub, st, hb->last_seq, hb->pos, true, out);
	}
	s->is_peeked = false;
	return SUB_IDLE;
}

/* ---- stepping ----------------------------------------------------------- */

/* The next frame of the page; false when the page is done. */
static bool open_page_frame(struct tickbus_sub *sub)
{
	struct sub_pages *p = &sub->pages;
	const void *frame;
	size_t len;

	while (catchup_page_next(&p->page, &frame, &len) == 0) {
		if (frame_open(frame, len, &p->frame.frame) == 0 &&
		    p->frame.frame.kind != EVENT_HEARTBEAT) {
			p->frame.is_open = true;
			return true;
		}
		sub->counts.malformed++;
	}
	return false;
}

/* The next event of the page. */
static bool peek_page(struct tickbus_sub *sub)
{
	struct sub_source *s = &sub->pages.frame;

	if (s->is_peeked)
		return true;
	do {
		if (peek(s)) {
			sub_fill_sum(sub);
			return true;
		}
	} while (open_page_frame(sub));
	return false;
}

static int step_page(struct tickbus_sub *sub, struct tickbus_event *out)
{
	int rc;

	while (peek_page(sub)) {
		rc = on_event(sub, &sub->pages.frame, true, out);
		if (rc != SUB_IDLE || !sub->pages.is_open)
			return rc;
	}
	rc = sub_fill_turn(sub);
	if (rc == SUB_HOLE_OVER)
		return on_hole_over(sub, out);
	if (rc == TICKBUS_LIVE) {
		sub->fill = FILL_NONE;
		*out = (struct tickbus_event){.epoch = sub->epoch};
		out->live.pos = sub->base_pos - 1;
		out->live.count = sub->pages.count;
		out->live.hash = sub->pages.hash;
	}
	return rc;
}

/* The beginning of the history is not held any more; nobody knows its numbers. */
static int on_gone(struct tickbus_sub *sub, struct tickbus_event *out)
{
	*out = (struct tickbus_event){.kind = EVENT_KINDS, .epoch = sub->epoch};
	out->gap.first_pos = sub->asked_pos;
	out->gap.last_pos = sub->pages.page.root.first_held_pos - 1;
	return TICKBUS_GAP;
}

static int step_fill(struct tickbus_sub *sub, struct tickbus_event *out)
{
	int rc = sub_fill_step(sub);

	if (rc == SUB_HOLE_OVER)
		return on_hole_over(sub, out);
	return rc == SUB_GONE ? on_gone(sub, out) : rc;
}

static int step_live(struct tickbus_sub *sub, struct tickbus_event *out)
{
	struct sub_source *s = &sub->live;

	if (sub->epoch != s->frame.root.epoch) {
		bool was_known = sub->epoch != 0;

		sub->epoch = s->frame.root.epoch;
		if (was_known) {
			*out = (struct tickbus_event){.kind = s->frame.kind,
						      .epoch = sub->epoch,
						      .publish_ns =
							      s->frame.root.publish_ns};
			sub_beat_epoch(sub);
			return TICKBUS_EPOCH;
		}
	}
	if (sub_beat_anew(sub))
		return SUB_IDLE;
	if (s->frame.kind == EVENT_HEARTBEAT && sub_beat_asks(sub)) {
		sub_fill_kind(sub, s->frame.about, s->frame.root.last_pos);
		return SUB_IDLE;
	}
	if (!peek(s)) {
		if (s->frame.kind == EVENT_HEARTBEAT)
			sub_beat_read(sub);
		sub_source_clear(s);
		return SUB_IDLE;
	}
	if (s->frame.kind == EVENT_HEARTBEAT)
		return on_heartbeat(sub, s, out);
	return on_event(sub, s, false, out);
}

int sub_step(struct tickbus_sub *sub, struct tickbus_event *out)
{
	for (;;) {
		bool was_filling = sub->fill != FILL_NONE;
		int rc;

		if (sub->pages.is_open) {
			rc = step_page(sub, out);
		} else if (was_filling) {
			sub_look_at_live(sub, false);
			rc = step_fill(sub, out);
			if (rc == SUB_IDLE && sub->fill != FILL_NONE)
				return rc; /* its answer has to come first */
		} else {
			sub_look_at_live(sub, true);
			if (!sub->live.is_loaded && !sub_take_message(sub))
				return SUB_IDLE;
			rc = step_live(sub, out);
		}
		if (rc != SUB_IDLE && rc != SUB_PAGE)
			return rc;
	}
}
