/*
 * sub_meet - streams of which nothing is known yet, and where they begin.
 *
 * The first event that is heard of a stream need not be its first behind our beginning:
 * the kill switch may have held what came before, and released it.  It holds bars,
 * vectors, matrices and news, and a stream that it holds is named twice: by the page
 * of catch-up that withholds something of it, and by the first heartbeat behind the
 * event that was held first.  Both say where it stood before, and so it is known: its
 * next event shows a hole, like any other.
 *
 * So up to a kind's good_pos (sub_beat.c) there is no stream with an event behind our
 * beginning that is not known.  What shows a new one behind it, and is not its very
 * first event, does not decide: the little that lies between is fetched, and names it
 * if it was held meanwhile.
 */
#include "client/sub_parts.h"

static bool is_wanted(const struct tickbus_sub *sub, const struct catchup_held *h)
{
	if (h->kind >= EVENT_KINDS || !(sub->kinds >> h->kind & 1))
		return false;
	return sub->wanted.n == 0 ||
	       streams_find(&sub->wanted, EVENT_KINDS, h->symbol, 0) != NULL;
}

static void know(const struct tickbus_sub *sub, struct stream *st, uint64_t last_seq)
{
	st->is_known = true;
	st->last_seq = last_seq;
	st->epoch = sub->epoch;
}

void sub_meet_held(struct tickbus_sub *sub)
{
	const struct catchup_page_view *page = &sub->pages.page;

	for (uint32_t i = 0; i < page->n_held; i++) {
		struct catchup_held h;
		struct stream *st;

		catchup_page_held_at(page, i, &h);
		if (h.first_seq == 0 || !is_wanted(sub, &h))
			continue;
		st = streams_get(&sub->streams, (enum event_kind)h.kind, h.symbol,
				 h.timeframe_s);
		if (st != NULL && !st->is_known)
			know(sub, st, h.first_seq - 1);
	}
}

/* The kind up to @pos, because of events of @st up to @last_seq. */
static int fetch_for(struct tickbus_sub *sub, const struct stream *st,
		     uint64_t last_seq, uint64_t pos)
{
	struct catchup_stream *met = &sub->pages.met;

	sub_fill_kind(sub, (enum event_kind)st->kind, pos);
	*met = (struct catchup_stream){
		.to_seq = last_seq, .timeframe_s = st->timeframe_s, .kind = st->kind};
	memcpy(met->symbol, st->symbol, SYMBOL_MAX);
	return SUB_IDLE;
}

int sub_meet_event(struct tickbus_sub *sub, const struct stream *st,
		   const struct event_head *h)
{
	const struct sub_beat *b = &sub->beat[st->kind];

	if (h->seq == 1 || sub->no_fill || !b->is_known || h->pos <= b->good_pos)
		return 0;
	if (!b->lost_frames && !sub_may_be_held(sub, (enum event_kind)st->kind))
		return 0;
	return fetch_for(sub, st, h->seq - 1, h->pos);
}

int sub_meet_beat(struct tickbus_sub *sub, struct stream *st,
		  const struct frame_heartbeat *hb)
{
	const struct frame_view *f = &sub->live.frame;
	const struct sub_beat *b = &sub->beat[f->about];

	if (!b->is_known || sub->no_fill) { /* without a history all begins here */
		know(sub, st, hb->last_seq);
		return 0;
	}
	if (hb->last_seq > 0 && hb->pos > b->good_pos)
		return fetch_for(sub, st, hb->last_seq,
				 hb->pos > f->root.last_pos ? hb->pos
							    : f->root.last_pos);
	if (f->root.last_pos > b->good_pos)
		know(sub, st, hb->last_seq);
	/* else it is of a time whose streams are known: this one was before ours */
	return 0;
}

int sub_meet_over(struct tickbus_sub *sub, struct tickbus_event *out)
{
	const struct sub_pages *p = &sub->pages;
	struct sub_beat *b = &sub->beat[p->kind];
	struct stream *st =
		streams_get(&sub->streams, p->kind, p->met.symbol, p->met.timeframe_s);

	if (p->seen_pos > p->hole_pos) {
		b->good_pos = p->seen_pos - 1;
		return SUB_IDLE;
	}
	/* Catch-up does not get so far.  Whether something is missing nobody says. */
	if (!st->is_known)
		know(sub, st, p->met.to_seq);
	*out = (struct tickbus_event){.kind = p->kind, .epoch = sub->epoch};
	out->gap.first_pos = b->good_pos + 1;
	out->gap.last_pos = p->hole_pos;
	return sub->policy == NULL ? TICKBUS_GAP : SUB_IDLE;
}
