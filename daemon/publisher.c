/* publisher - see publisher.h. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "bus/stats.h"
#include "daemon/board.h"
#include "daemon/kill_triggers.h"
#include "daemon/publisher_parts.h"
#include "proto/event_json.h"
#include "proto/frame.h"
#include "proto/topic.h"
#include "workers/worker.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int kind_init(struct publisher *p, enum event_kind k)
{
	struct kind *kind = &p->kinds[k];

	kind->topic_len = topic_kind(kind->topic, k);
	kind->frame_cap = k == EVENT_TIER2 ? 4096 : frame_size_max(k);
	kind->frame_data = malloc(kind->frame_cap);
	kind->streams = calloc(p->env.symbols_max, sizeof(*kind->streams));
	kind->touched = calloc(p->env.symbols_max, sizeof(*kind->touched));
	return kind->frame_data == NULL || kind->streams == NULL ||
			       kind->touched == NULL
		       ? -ENOMEM
		       : 0;
}

int publisher_new(const struct publisher_env *env, struct publisher **out)
{
	struct publisher *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(-ENOMEM, "out of memory for the publisher");
	p->env = *env;
	for (int k = 0; k < PUBLISHED_KINDS; k++) {
		if (env->rings[k] != NULL && kind_init(p, (enum event_kind)k) < 0) {
			publisher_free(p);
			return err_set(-ENOMEM, "out of memory for the publisher");
		}
	}
	*out = p;
	return 0;
}

void publisher_free(struct publisher *p)
{
	if (p == NULL)
		return;
	for (int k = 0; k < PUBLISHED_KINDS; k++) {
		free(p->kinds[k].frame_data);
		free(p->kinds[k].streams);
		free(p->kinds[k].touched);
	}
	for (size_t i = 0; i < p->n_universes; i++) {
		buf_free(&p->universes[i].matrix);
		buf_free(&p->universes[i].held);
	}
	buf_free(&p->json);
	free(p);
}

void publisher_add_input(struct publisher *p, struct outbox *o,
			 enum publisher_input what)
{
	if (p->n_inputs < PUBLISHER_INPUTS_MAX)
		p->inputs[p->n_inputs++] = (struct input){.box = o, .what = what};
}

/* ---- frames ---- */

ON_LOOP static void send_frame(struct publisher *p, enum event_kind k, const void *data,
			       size_t len)
{
	struct kind *kind = &p->kinds[k];

	(void)broadcast_write(p->env.rings[k], data, len);
	if (p->env.sbe[k] != NULL)
		pub_send(p->env.sbe[k], kind->topic, kind->topic_len, data, len);
	stats_add(STAT_FRAMES, 1);
	stats_add(STAT_FRAME_BYTES, len);
}

ON_LOOP static void seal(struct publisher *p, enum event_kind k)
{
	struct kind *kind = &p->kinds[k];
	size_t len;

	if (!kind->open)
		return;
	len = frame_seal(&kind->frame, ++kind->frame_seq, clock_wall_ns());
	send_frame(p, k, kind->frame_data, len);
	kind->open = false;
}

ON_LOOP static void add_to_frame(struct publisher *p, enum event_kind k,
				 const void *event, size_t len)
{
	struct kind *kind = &p->kinds[k];

	if (k == EVENT_TIER2 && len + 256 > kind->frame_cap) {
		free(kind->frame_data);
		kind->frame_cap = len + 256;
		kind->frame_data = malloc(kind->frame_cap);
		if (kind->frame_data == NULL)
			abort();
	}
	if (!kind->open) {
		frame_begin(&kind->frame, kind->frame_data, kind->frame_cap, k,
			    p->env.epoch);
		kind->opened_ns = clock_mono_ns();
		kind->open = true;
	}
	(void)frame_add(&kind->frame, event);
	if (k == EVENT_TIER2 || kind->frame.n == FRAME_EVENTS_MAX)
		seal(p, k);
}

/* ---- JSON ---- */

static const char *source_name(const struct publisher *p, uint16_t id)
{
	const char *name = symtab_name(p->env.sources, id);

	return name[0] == '\0' ? NULL : name;
}

ON_LOOP static void send_json(struct publisher *p, enum event_kind k, const void *event)
{
	struct event_json_ctx ctx = {.epoch = p->env.epoch,
				     .publish_ns = clock_wall_ns()};
	char topic[TOPIC_MAX];
	size_t topic_len = topic_event(topic, k, event);

	p->json.len = 0;
	if (k == EVENT_TICK)
		ctx.source =
			source_name(p, ((const struct event_tick *)event)->source_id);
	else if (k == EVENT_STATUS)
		ctx.source =
			source_name(p, ((const struct event_status *)event)->source_id);
	else if (k == EVENT_NEWS)
		ctx.source =
			source_name(p, ((const struct event_news *)event)->source_id);
	if (k == EVENT_TIER2) {
		const struct event_tier2 *e = event;
		const struct tier2_member *m = (const struct tier2_member *)(e + 1);

		event_json_tier2(&p->json, e, m, (const double *)(m + e->n_members),
				 &ctx);
	} else {
		char *line = (char *)buf_reserve(&p->json, EVENT_JSON_MAX);

		p->json.len = event_json_any(line, k, event, &ctx);
	}
	pub_send(p->env.json[k], topic, topic_len, p->json.data, p->json.len);
	stats_add(STAT_JSON_LINES, 1);
}

/* ---- streams ---- */

static struct universe *universe_of(struct publisher *p, const struct event_tier2 *e)
{
	for (size_t i = 0; i < p->n_universes; i++) {
		const struct universe *u = &p->universes[i];
		/* Nothing but held ones: killed before its first matrix. */
		const struct event_tier2 *have =
			(const void *)(u->matrix.len > 0 ? u->matrix : u->held).data;

		if (have->timeframe_s == e->timeframe_s &&
		    memcmp(have->universe, e->universe, UNIVERSE_MAX) == 0)
			return &p->universes[i];
	}
	return p->n_universes < UNIVERSE_STREAMS ? &p->universes[p->n_universes++]
						 : NULL;
}

static void touch_matrix(struct publisher *p, const struct event_tier2 *e, size_t len,
			 enum mark_as as)
{
	struct universe *u = universe_of(p, e);
	bool held = as != MARK_OUT;
	struct buf *to;

	if (u == NULL)
		return;
	to = held ? &u->held : &u->matrix;
	if (as == MARK_HELD_ANEW && to->len == 0)
		publisher_name_matrix(u, e->head.seq);
	to->len = 0;
	buf_add(to, e, len);
	if (!held)
		u->stream = (struct stream){e->head.seq, e->head.pos, true, 0, 0};
}

void publisher_set_triggers(struct publisher *p, struct kill_triggers *t)
{
	p->triggers = t;
}

void publisher_set_board(struct publisher *p, struct board *board)
{
	p->board = board;
}

bool publisher_holds(const struct publisher *p, enum event_kind k, uint32_t symbol_id,
		     uint64_t pos)
{
	return gate_holds(p->env.gate, k, symbol_id, pos);
}

void publisher_touch(struct kind *kind, uint32_t symbol_id, uint64_t seq, uint64_t pos)
{
	struct stream *s = &kind->streams[symbol_id];

	if (pos > kind->last_pos)
		kind->last_pos = pos;
	s->last_seq = seq;
	s->pos = pos;
	if (!s->touched) {
		s->touched = true;
		kind->touched[kind->n_touched++] = symbol_id;
	}
}

ON_LOOP static void mark_stream(struct publisher *p, enum event_kind k,
				uint32_t symbol_id, const struct event_head *at,
				enum mark_as as)
{
	struct kind *kind = &p->kinds[k];

	if (symbol_id >= p->env.symbols_max || kind->streams == NULL || at->seq == 0)
		return;
	if (as != MARK_OUT) {
		if (as == MARK_HELD_ANEW && kind->streams[symbol_id].held_seq == 0)
			publisher_name_held(kind, symbol_id, at->seq);
		kind->has_held = true;
		kind->streams[symbol_id].held_seq = at->seq;
		kind->streams[symbol_id].held_pos = at->pos;
	} else {
		publisher_touch(kind, symbol_id, at->seq, at->pos);
	}
}

void publisher_seed(struct publisher *p, enum event_kind k, uint32_t symbol_id,
		    uint64_t seq, uint64_t pos)
{
	const struct event_head at = {.seq = seq, .pos = pos};

	mark_stream(p, k, symbol_id, &at,
		    publisher_holds(p, k, symbol_id, pos) ? MARK_HELD : MARK_OUT);
}

void publisher_seed_matrix(struct publisher *p, const struct event_tier2 *e, size_t len)
{
	touch_matrix(p, e, len,
		     publisher_holds(p, EVENT_TIER2, 0, e->head.pos) ? MARK_HELD
								     : MARK_OUT);
}

/* ---- the step ---- */

/* How far its stream has come; heartbeats say where something is held, not how much. */
ON_LOOP static void mark(struct publisher *p, enum event_kind k, const void *event,
			 size_t len, enum mark_as as)
{
	if (k == EVENT_TIER2)
		touch_matrix(p, event, len, as);
	else
		mark_stream(p, k, event_symbol_id(k, event), event, as);
}

ON_LOOP static void publish(struct publisher *p, enum event_kind k, const void *event,
			    size_t len)
{
	add_to_frame(p, k, event, len);
	if (k == EVENT_BAR && p->board != NULL)
		board_bar(p->board, event);
	if (p->env.json[k] != NULL && pub_subscribers(p->env.json[k]) > 0)
		send_json(p, k, event);
	p->kinds[k].events++;
	stats_add_published(k, 1);
}

ON_LOOP static void on_event(struct publisher *p, enum event_kind k, const void *event,
			     size_t len)
{
	const struct event_head *head = event;
	bool held;

	if (k == EVENT_STATUS)
		publisher_follow(p, event);
	held = publisher_holds(p, k, event_symbol_id(k, event), head->pos);
	if (k != EVENT_TICK) {
		if (derived_known(p->env.derived, k, head->pos)) {
			stats_add(STAT_EVENTS_SUPPRESSED, 1);
			mark(p, k, event, len, held ? MARK_HELD : MARK_OUT);
			return;
		}
		derived_add(p->env.derived, k, event, len);
	}
	if (p->triggers != NULL)
		kill_triggers_event(p->triggers, k, event);
	mark(p, k, event, len, held ? MARK_HELD_ANEW : MARK_OUT);
	if (held)
		stats_add(STAT_EVENTS_HELD, 1);
	else
		publish(p, k, event, len);
}

ON_LOOP static size_t drain(struct publisher *p, struct input *in, size_t budget)
{
	size_t done = 0, len;
	uint32_t kind;
	const void *msg;

	while (done < budget && (msg = outbox_peek(in->box, &kind, &len)) != NULL) {
		if (kind == WORKER_MARK)
			memcpy(&in->mark, msg, sizeof(in->mark));
		else
			on_event(p, (enum event_kind)kind, msg, len);
		outbox_pop(in->box);
		done++;
	}
	return done;
}

/* One reading a step: the age of the newest tick that was just framed. */
static void note_latency(struct publisher *p)
{
	const struct kind *kind = &p->kinds[EVENT_TICK];
	struct event_tick copy;

	if (!kind->open || kind->frame.n == 0)
		return;
	memcpy(&copy, kind->frame_data + kind->frame.len - sizeof(copy), sizeof(copy));
	histogram_add(&p->latency, clock_wall_ns() - copy.head.recv_ns);
}

/* Up to where who derives has sent everything; UINT64_MAX: there is no such thread. */
struct marks {
	uint64_t workers, tier2, dispatch;
};

static struct marks look_marks(const struct publisher *p)
{
	struct marks m = {UINT64_MAX, UINT64_MAX, UINT64_MAX};

	for (size_t i = 0; i < p->n_inputs; i++) {
		const struct input *in = &p->inputs[i];
		uint64_t *mark = in->what == INPUT_WORKER  ? &m.workers
				 : in->what == INPUT_TIER2 ? &m.tier2
							   : &m.dispatch;

		if (in->mark < *mark)
			*mark = in->mark;
	}
	return m;
}

/* What is in frames by now; an unfilled one may wait for batch_ns yet. */
static void note_stages(struct publisher *p, int64_t now)
{
	struct marks m = look_marks(p);

	trace_reached(p->env.trace, TRACE_TICK, p->kinds[EVENT_TICK].last_pos, now);
	trace_reached(p->env.trace, TRACE_PUBLISH,
		      m.workers < m.tier2 ? m.workers : m.tier2, now);
}

size_t publisher_step(struct publisher *p, size_t budget)
{
	size_t done = 0;
	int64_t now;

	if (derived_full(p->env.derived)) {
		stats_add(STAT_BACKPRESSURE, 1);
		return 0;
	}
	for (size_t i = 0; i < p->n_inputs; i++)
		done += drain(p, &p->inputs[i], budget);
	if (done == 0 && p->env.batch_ns == 0)
		return 0;
	note_latency(p);
	now = clock_mono_ns();
	for (int k = 0; k < PUBLISHED_KINDS; k++) {
		const struct kind *kind = &p->kinds[k];

		if (kind->open &&
		    (done < budget || now - kind->opened_ns >= p->env.batch_ns))
			seal(p, (enum event_kind)k);
	}
	if (p->env.trace != NULL)
		note_stages(p, clock_mono_ns());
	return done;
}

void publisher_set_batch(struct publisher *p, int64_t batch_ns)
{
	p->env.batch_ns = batch_ns;
}

void publisher_flush(struct publisher *p)
{
	struct marks m = look_marks(p);

	for (int k = 0; k < PUBLISHED_KINDS; k++)
		seal(p, (enum event_kind)k);
	derived_flush(p->env.derived, m.workers, m.tier2, m.dispatch);
}

bool publisher_reached(const struct publisher *p, uint64_t pos)
{
	for (size_t i = 0; i < p->n_inputs; i++)
		if (p->inputs[i].mark < pos)
			return false;
	return derived_pending(p->env.derived) == 0;
}

/* ---- questions ---- */

const struct event_tier2 *publisher_matrix(const struct publisher *p,
					   const char *universe, size_t i)
{
	bool any = universe == NULL || universe[0] == '\0';

	for (size_t u = 0; u < p->n_universes; u++) {
		const struct event_tier2 *e = (const void *)p->universes[u].matrix.data;

		if (p->universes[u].matrix.len == 0)
			continue; /* all are held */
		if (!any && strncmp(e->universe, universe, UNIVERSE_MAX) != 0)
			continue;
		if (i-- == 0)
			return e;
	}
	return NULL;
}

uint64_t publisher_count(const struct publisher *p, enum event_kind kind)
{
	return p->kinds[kind].events;
}

const struct histogram *publisher_latency(const struct publisher *p)
{
	return &p->latency;
}

uint64_t publisher_last_seq(const struct publisher *p, enum event_kind kind,
			    uint32_t symbol_id)
{
	if (symbol_id >= p->env.symbols_max || p->kinds[kind].streams == NULL)
		return 0;
	return p->kinds[kind].streams[symbol_id].last_seq;
}
