/*
 * sub_step - what comes next, and what it means.
 *
 * An event of a stream whose last sequence is L:
 *
 *	seq == L + 1 or L unknown   deliver, L = seq
 *	seq <= L                    seen before: drop (or, in a new epoch and
 *	                            received later: the log lost its end; start over)
 *	seq >  L + 1                a hole: fill from catch-up, then look again;
 *	                            what catch-up could not give is reported
 */
#include "base/clock.h"
#include "base/err.h"
#include "client/sub_parts.h"
#include <errno.h>

#define PATIENCE_BEATS 3
#define RETRY_MS       50

/* ---- looking at events -------------------------------------------------- */

static const char *symbol_of(enum event_kind kind, const union sub_event *e)
{
	switch (kind) {
	case EVENT_TICK:
		return e->tick.symbol;
	case EVENT_BAR:
		return e->bar.symbol;
	case EVENT_TIER1:
		return e->tier1.symbol;
	case EVENT_TIER2:
		return e->tier2.universe;
	default:
		return e->status.symbol;
	}
}

static uint32_t timeframe_of(enum event_kind kind, const union sub_event *e)
{
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
	*out = (struct tickbus_event){.kind = s->frame.kind,
				      .is_filled = is_filled,
				      .epoch = s->frame.root.epoch,
				      .publish_ns = s->frame.root.publish_ns,
				      .head = &s->event.head};
	if (s->frame.kind == EVENT_TIER2)
		put_matrix(sub, &s->frame, out);
	sub->counts.events++;
	sub->counts.filled += is_filled;
}

static int report_gap(struct tickbus_sub *sub, struct stream *st, uint64_t last_seq,
		      struct tickbus_event *out)
{
	*out = (struct tickbus_event){.kind = (enum event_kind)st->kind,
				      .epoch = sub->epoch};
	out->gap.timeframe_s = st->timeframe_s;
	out->gap.first_seq = st->last_seq + 1;
	out->gap.last_seq = last_seq;
	memcpy(out->gap.symbol, st->symbol, SYMBOL_MAX);
	sub->counts.lost += last_seq - st->last_seq;
	st->last_seq = last_seq;
	return TICKBUS_GAP;
}

static bool is_hole_of(const struct catchup_stream *h, const struct stream *st,
		       uint64_t last_seq)
{
	return h->to_seq == last_seq && h->kind == st->kind &&
	       h->timeframe_s == st->timeframe_s &&
	       memcmp(h->symbol, st->symbol, SYMBOL_MAX) == 0;
}

/*
 * A hole behind st->last_seq up to @last_seq: fill it, as often as that makes it
 * smaller.  When it stays as it is, catch-up may just not have the events yet
 * (what is published reaches the store a moment later, above all while a daemon
 * starts), so it is asked again for a while; then the hole is reported.
 */
static int on_hole(struct tickbus_sub *sub, struct stream *st, uint64_t last_seq,
		   struct tickbus_event *out)
{
	int64_t now_ns = clock_mono_ns();
	bool is_known = is_hole_of(&sub->hole, st, last_seq);
	bool is_retry = sub->retry_at_ns != 0;

	sub->retry_at_ns = 0;
	if (!is_known) {
		sub->counts.gaps++;
		sub->hole_until_ns =
			now_ns + PATIENCE_BEATS * sub->options.heartbeat_ms * NS_PER_MS;
	}
	if (sub->no_fill)
		return report_gap(sub, st, last_seq, out);
	if (!is_known || is_retry || sub->hole.from_seq != st->last_seq + 1) {
		sub_fill_hole(sub, st, st->last_seq + 1, last_seq);
		if (sub_fill_fetch(sub) == 0)
			return SUB_IDLE;
		sub->fill = FILL_NONE;
	}
	if (!sub->hole_is_gone && now_ns < sub->hole_until_ns) {
		sub->retry_at_ns = now_ns + RETRY_MS * NS_PER_MS;
		return SUB_IDLE;
	}
	return report_gap(sub, st, last_seq, out);
}

static void take(struct stream *st, struct sub_source *s)
{
	st->last_seq = s->event.head.seq;
	st->epoch = s->frame.root.epoch;
	st->last_recv_ns = s->event.head.recv_ns;
	s->is_peeked = false;
}

/* 0 delivered, SUB_IDLE dropped or a fill begun, or TICKBUS_GAP. */
static int on_event(struct tickbus_sub *sub, struct sub_source *s, bool is_filled,
		    struct tickbus_event *out)
{
	enum event_kind kind = s->frame.kind;
	const char *symbol = symbol_of(kind, &s->event);
	uint32_t timeframe_s = timeframe_of(kind, &s->event);
	const struct event_head *h = &s->event.head;
	struct stream *st;

	if (!is_wanted(sub, kind, symbol)) {
		sub->counts.filtered++;
		s->is_peeked = false;
		return SUB_IDLE;
	}
	st = streams_get(&sub->streams, kind, symbol, timeframe_s);
	if (st == NULL)
		return err_set(-ENOMEM, "too many streams");
	if (h->seq <= st->last_seq &&
	    (s->frame.root.epoch == st->epoch || h->recv_ns <= st->last_recv_ns)) {
		sub->counts.duplicates++;
		s->is_peeked = false;
		return SUB_IDLE;
	}
	if (st->last_seq > 0 && h->seq > st->last_seq + 1)
		/* Catch-up holds no more than its page: a hole in it stays one. */
		return is_filled ? report_gap(sub, st, h->seq - 1, out)
				 : on_hole(sub, st, h->seq - 1, out);
	take(st, s);
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

	if (is_wanted(sub, kind, hb->symbol)) {
		st = streams_get(&sub->streams, kind, hb->symbol, hb->timeframe_s);
		if (st == NULL)
			return err_set(-ENOMEM, "too many streams");
		if (st->last_seq == 0)
			st->last_seq =
				hb->last_seq; /* from here on nothing is missed */
		if (hb->last_seq > st->last_seq)
			return on_hole(sub, st, hb->last_seq, out);
	}
	s->is_peeked = false;
	return SUB_IDLE;
}

/* ---- stepping ----------------------------------------------------------- */

/* The next frame of the page; false when the page is done. */
static bool open_page_frame(struct tickbus_sub *sub)
{
	const void *frame;
	size_t len;

	while (catchup_page_next(&sub->page, &frame, &len) == 0) {
		if (frame_open(frame, len, &sub->page_frame.frame) == 0 &&
		    sub->page_frame.frame.kind != EVENT_HEARTBEAT) {
			sub->page_frame.is_open = true;
			return true;
		}
		sub->counts.malformed++;
	}
	return false;
}

static int step_page(struct tickbus_sub *sub, struct tickbus_event *out)
{
	bool was_history = sub->fill == FILL_HISTORY;

	while (peek(&sub->page_frame) || open_page_frame(sub)) {
		int rc;

		if (!peek(&sub->page_frame))
			continue;
		rc = on_event(sub, &sub->page_frame, true, out);
		if (rc != SUB_IDLE)
			return rc;
	}
	if (sub_fill_turn(sub)) /* the next page is fetched by sub_step() */
		return SUB_IDLE;
	sub->fill = FILL_NONE;
	*out = (struct tickbus_event){.epoch = sub->epoch};
	return was_history ? TICKBUS_LIVE : SUB_IDLE;
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
			return TICKBUS_EPOCH;
		}
	}
	if (!peek(s)) {
		sub_source_clear(s);
		return SUB_IDLE;
	}
	if (s->frame.kind == EVENT_HEARTBEAT)
		return on_heartbeat(sub, s, out);
	return on_event(sub, s, false, out);
}

int sub_step(struct tickbus_sub *sub, struct tickbus_event *out)
{
	int rc;

	for (;;) {
		if (sub->retry_at_ns > clock_mono_ns())
			return SUB_IDLE;
		if (sub->page_is_open) {
			rc = step_page(sub, out);
		} else if (sub->fill == FILL_HISTORY) {
			rc = sub_fill_fetch(sub);
			if (rc < 0)
				return rc;
			continue;
		} else if (sub->live.is_loaded || sub_take_message(sub)) {
			rc = step_live(sub, out);
		} else {
			return SUB_IDLE;
		}
		if (rc != SUB_IDLE)
			return rc;
	}
}
