/*
 * sub_beat - what frames and heartbeats say about each other, kind by kind.
 *
 * A heartbeat names every stream that moved since the one before it, so a hole at
 * a stream's end shows when its heartbeat comes.  When that is lost together with
 * frames, a stream that stands still afterwards is never named again.  So: when
 * frames were lost (their numbers say so) and perhaps a heartbeat too, the kind is
 * fetched from behind the last heartbeat up to which nothing was missing.
 *
 * In a new epoch positions and sequences behind the loss are given once more, to other
 * events, and those that were published before we heard of it are in no frame.  Where
 * the loss was nobody says: each kind is fetched from its beginning, before anything
 * new of it is given out.  What is had already is known by its time of receipt.
 *
 * A heartbeat also names streams that the kill switch begins to hold (sub_meet.c): of
 * kinds that it may hold, none may be missed.
 */
#include "base/clock.h"
#include "client/sub_parts.h"

static struct sub_beat *beat_of(struct tickbus_sub *sub)
{
	return &sub->beat[sub->live.frame.about];
}

/* A number that does not rise is another daemon's, whose first heartbeat names only
 * what moved in its own time. */
static void number(struct sub_beat *b, uint64_t frame_seq, uint64_t expected)
{
	if (frame_seq != expected)
		b->lost_frames = true;
	if (frame_seq < b->frame_seq)
		b->lost_beats = true;
	b->frame_seq = frame_seq;
}

void sub_beat_note(struct tickbus_sub *sub)
{
	const struct frame_view *f = &sub->live.frame;
	int64_t late_ns = sub->options.heartbeat_ms * NS_PER_MS * 3 / 2;
	struct sub_beat *b = beat_of(sub);

	sub->beat_tried = false;
	if (f->kind != EVENT_HEARTBEAT) {
		number(b, f->root.frame_seq, b->frame_seq + 1);
		return;
	}
	number(b, f->root.frame_seq, b->frame_seq);
	if (f->root.publish_ns - b->beat_ns > late_ns || f->part != b->next_part)
		b->lost_beats = true;
	b->next_part = 0;
	if (f->n == FRAME_HEARTBEATS_MAX) /* behind a full one another comes */
		b->next_part = (uint16_t)(f->part + 1);
	b->beat_ns = f->root.publish_ns;
}

/* Something behind good_pos may be missing that no later heartbeat names. */
static bool is_in_doubt(const struct tickbus_sub *sub)
{
	enum event_kind kind = sub->live.frame.about;
	const struct sub_beat *b = &sub->beat[kind];

	return !sub->no_fill && b->is_known && b->lost_beats &&
	       (b->lost_frames || sub_may_be_held(sub, kind));
}

bool sub_beat_asks(struct tickbus_sub *sub)
{
	bool was_tried = sub->beat_tried;

	sub->beat_tried = true;
	return !was_tried && is_in_doubt(sub) &&
	       sub->live.frame.root.last_pos >
		       sub->beat[sub->live.frame.about].good_pos;
}

void sub_beat_over(struct tickbus_sub *sub, enum event_kind kind, uint64_t pos)
{
	struct sub_beat *b = &sub->beat[kind];

	if (pos > b->good_pos)
		b->good_pos = pos;
	b->is_known |= pos > 0; /* 0: the daemon has published none since its start */
	b->lost_frames = b->lost_beats = false;
}

void sub_beat_read(struct tickbus_sub *sub)
{
	const struct frame_view *f = &sub->live.frame;

	if (is_in_doubt(sub))
		return; /* the kind could not be fetched: the next one tries again */
	sub_beat_over(sub, f->about, f->root.last_pos);
}

void sub_beat_begin(struct tickbus_sub *sub)
{
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		sub->beat[k].is_known = true;
		sub->beat[k].good_pos = sub->base_pos - 1;
		sub->beat[k].lost_frames = sub->beat[k].lost_beats = true;
	}
}

void sub_beat_epoch(struct tickbus_sub *sub)
{
	sub->base_pos = 0; /* positions begin anew */
	sub->old_ns = sub->recv_ns;
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		sub->beat[k].is_void = true;
		sub->beat[k].good_pos = 0;
		sub->beat[k].lost_frames = sub->beat[k].lost_beats = true;
	}
}

bool sub_beat_anew(struct tickbus_sub *sub)
{
	const struct frame_view *f = &sub->live.frame;
	enum event_kind kind = f->kind == EVENT_HEARTBEAT ? f->about : f->kind;
	struct sub_beat *b = &sub->beat[kind];

	if (!b->is_void)
		return false;
	b->is_void = false;
	if (sub->no_fill)
		return false;
	b->is_known = true;
	sub->is_anew = true;
	sub_fill_kind(sub, kind, f->root.last_pos);
	return true;
}
