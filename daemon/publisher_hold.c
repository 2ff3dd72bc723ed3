/*
 * publisher_hold - gates that close and open (gate.h): of symbols, as their status
 * events pass, and of kinds, when somebody says so.  What was held is told by the next
 * heartbeat; that a stream is held, by the one behind the first event so held: it names
 * the stream as it stood before.  A subscriber who has never had an event of it then
 * knows from where on it is his, whenever it is released.  After a restart nothing is
 * named of what was held before: whoever was there asks catch-up, which names it too.
 */
#include "daemon/publisher_parts.h"

void publisher_name_held(struct kind *kind, uint32_t symbol_id, uint64_t seq)
{
	const struct stream *s = &kind->streams[symbol_id];

	publisher_touch(kind, symbol_id, seq - 1, s->last_seq == seq - 1 ? s->pos : 0);
}

void publisher_name_matrix(struct universe *u, uint64_t seq)
{
	struct stream *s = &u->stream;

	*s = (struct stream){seq - 1, s->last_seq == seq - 1 ? s->pos : 0, true, 0, 0};
}

ON_LOOP static void release_stream(struct kind *kind, uint32_t symbol_id)
{
	struct stream *s = &kind->streams[symbol_id];
	uint64_t seq = s->held_seq, pos = s->held_pos;

	s->held_seq = s->held_pos = 0;
	if (seq > s->last_seq)
		publisher_touch(kind, symbol_id, seq, pos);
}

ON_LOOP static void release_universe(struct universe *u)
{
	const struct event_tier2 *e = (const void *)u->held.data;
	struct buf was = u->matrix;

	if (u->held.len == 0)
		return;
	u->stream = (struct stream){e->head.seq, e->head.pos, true, 0, 0};
	u->matrix = u->held;
	was.len = 0;
	u->held = was;
}

/* A symbol's own gate may still be closed when that of the kind opens. */
void publisher_release(struct publisher *p, enum event_kind k)
{
	struct kind *kind = &p->kinds[k];
	bool has_held = false;

	for (size_t i = 0; k == EVENT_TIER2 && i < p->n_universes; i++)
		release_universe(&p->universes[i]);
	for (uint32_t id = 0; kind->streams != NULL && id < p->env.symbols_max; id++) {
		if (kind->streams[id].held_seq == 0)
			continue;
		if (publisher_holds(p, k, id, kind->streams[id].held_pos))
			has_held = true;
		else
			release_stream(kind, id);
	}
	kind->has_held = has_held;
}

void publisher_release_news(struct publisher *p)
{
	if (p->kinds[EVENT_NEWS].has_held)
		publisher_release(p, EVENT_NEWS);
}

void publisher_follow(struct publisher *p, const struct event_status *e)
{
	if (e->state == SYMBOL_KILLED || e->state == SYMBOL_QUARANTINED) {
		gate_symbol(p->env.gate, e->symbol_id, e->head.pos);
	} else if (e->state == SYMBOL_RELEASED) {
		gate_symbol(p->env.gate, e->symbol_id, 0);
		for (int k = EVENT_BAR; k <= EVENT_TIER1; k++)
			if (!publisher_holds(p, (enum event_kind)k, e->symbol_id,
					     e->head.pos))
				release_stream(&p->kinds[k], e->symbol_id);
	}
}
