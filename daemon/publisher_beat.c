/*
 * publisher_beat - once a second: how far every stream has come that moved since
 * the last time, on every socket and ring.  A subscriber that lost the newest event of
 * a stream sees the hole here, within a second, though no later event comes.
 */
#include "base/clock.h"
#include "bus/stats.h"
#include "daemon/publisher_parts.h"
#include "proto/event_json.h"
#include <stdlib.h>
#include <string.h>

ON_LOOP static void send_heartbeat(const struct publisher *p, enum event_kind k,
				   struct frame *f, const void *data)
{
	char topic[TOPIC_MAX];
	size_t topic_len = topic_kind(topic, EVENT_HEARTBEAT);
	size_t len = frame_heartbeat_seal(f, p->kinds[k].frame_seq, clock_wall_ns());

	(void)broadcast_write(p->env.rings[k], data, len);
	if (p->env.sbe[k] != NULL)
		pub_send(p->env.sbe[k], topic, topic_len, data, len);
	stats_add_published(EVENT_HEARTBEAT, 1);
}

/*
 * Every event of kind @k at or below has been published.  Ticks come from one input
 * in the log's order; the others from inputs that say how far they have come.
 */
static uint64_t reached(const struct publisher *p, enum event_kind k)
{
	enum publisher_input what = k == EVENT_TIER2  ? INPUT_TIER2
				    : k == EVENT_NEWS ? INPUT_TICKS
						      : INPUT_WORKER;
	uint64_t pos = UINT64_MAX;

	if (k == EVENT_TICK)
		return p->kinds[k].last_pos;
	for (size_t i = 0; i < p->n_inputs; i++)
		if (p->inputs[i].what == what && p->inputs[i].mark < pos)
			pos = p->inputs[i].mark;
	return pos == UINT64_MAX ? 0 : pos;
}

ON_LOOP static void json_heartbeat(struct publisher *p, enum event_kind k,
				   const struct frame_heartbeat *hb)
{
	struct event_json_ctx ctx = {.epoch = p->env.epoch,
				     .publish_ns = clock_wall_ns()};
	char topic[TOPIC_MAX], line[EVENT_JSON_MAX];
	size_t len;

	if (p->env.json[k] == NULL || pub_subscribers(p->env.json[k]) == 0)
		return;
	len = event_json_heartbeat(line, hb, k, &ctx);
	pub_send(p->env.json[k], topic, topic_kind(topic, EVENT_HEARTBEAT), line, len);
}

struct beat {
	struct publisher *p;
	enum event_kind k;
	uint16_t part;
	struct frame f;
	uint8_t data[FRAME_HEARTBEATS_MAX * sizeof(struct frame_heartbeat) + 256];
};

ON_LOOP static void beat_begin(struct beat *b)
{
	frame_heartbeat_begin(&b->f, b->data, sizeof(b->data), b->k, b->p->env.epoch,
			      reached(b->p, b->k));
	frame_heartbeat_part(&b->f, b->part);
}

/* A full one is never the last of its second: who has it knows that more must come. */
ON_LOOP static void beat_next(struct beat *b)
{
	send_heartbeat(b->p, b->k, &b->f, b->data);
	b->part++;
	beat_begin(b);
}

ON_LOOP static void beat_add(struct beat *b, const struct frame_heartbeat *hb)
{
	json_heartbeat(b->p, b->k, hb);
	(void)frame_heartbeat_add(&b->f, hb);
	if (b->f.n == FRAME_HEARTBEATS_MAX)
		beat_next(b);
}

ON_LOOP static void beat_symbols(struct beat *b, const struct symtab *symbols)
{
	struct kind *kind = &b->p->kinds[b->k];

	for (uint32_t i = 0; i < kind->n_touched; i++) {
		struct stream *s = &kind->streams[kind->touched[i]];
		struct frame_heartbeat hb = {.last_seq = s->last_seq,
					     .pos = s->pos,
					     .symbol_id = kind->touched[i]};

		memcpy(hb.symbol, symtab_name(symbols, kind->touched[i]), SYMBOL_MAX);
		s->touched = false;
		beat_add(b, &hb);
	}
	kind->n_touched = 0;
}

ON_LOOP static void beat_universes(struct beat *b)
{
	for (size_t i = 0; i < b->p->n_universes; i++) {
		struct universe *u = &b->p->universes[i];
		const struct event_tier2 *e =
			(const void *)(u->matrix.len > 0 ? u->matrix : u->held).data;
		struct frame_heartbeat hb = {.last_seq = u->stream.last_seq,
					     .pos = u->stream.pos};

		if (!u->stream.touched)
			continue;
		hb.timeframe_s = e->timeframe_s;
		memcpy(hb.symbol, e->universe, SYMBOL_MAX);
		u->stream.touched = false;
		beat_add(b, &hb);
	}
}

void publisher_heartbeat(struct publisher *p)
{
	struct beat *b = malloc(sizeof(*b));

	if (b == NULL)
		return; /* the next second tries again; streams stay touched */
	publisher_release_news(p);
	b->p = p;
	for (int k = 0; k < PUBLISHED_KINDS; k++) {
		if (p->env.rings[k] == NULL)
			continue;
		b->k = (enum event_kind)k;
		b->part = 0;
		beat_begin(b);
		if (k == EVENT_TIER2)
			beat_universes(b);
		else
			beat_symbols(b, p->env.symbols);
		send_heartbeat(p, b->k, &b->f, b->data);
	}
	free(b);
}
