/*
 * sub_beat - what frames and heartbeats say about each other, kind by kind.
 *
 * A heartbeat names every stream that moved since the one before it, so a hole at
 * a stream's end shows when its heartbeat comes.  When that is lost together with
 * frames, a stream that stands still afterwards is never named again.  So: when
 * frames were lost (their numbers say so) and perhaps a heartbeat too, the kind is
 * fetched from behind the last heartbeat up to which nothing was missing.
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
	/* A full one has companions, any of which may be lost. */
	if (f->root.publish_ns - b->beat_ns > late_ns || f->n == FRAME_HEARTBEATS_MAX)
		b->lost_beats = true;
	b->beat_ns = f->root.publish_ns;
}

bool sub_beat_asks(struct tickbus_sub *sub)
{
	const struct sub_beat *b = beat_of(sub);
	bool was_tried = sub->beat_tried;

	sub->beat_tried = true;
	return !was_tried && !sub->no_fill && b->is_known && b->lost_frames &&
	       b->lost_beats && sub->live.frame.root.last_pos > b->good_pos;
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
	struct sub_beat *b = beat_of(sub);

	if (b->is_known && b->lost_frames && b->lost_beats && !sub->no_fill)
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
