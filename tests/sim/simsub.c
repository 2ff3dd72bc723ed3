/* simsub - see simsub.h. */
#include "tests/sim/simsub.h"
#include "base/err.h"
#include "proto/catchup.h"
#include "tests/sim/simsocket.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_MAX 256u

struct stream {
	uint8_t kind;
	char name[SYMBOL_MAX];
	uint32_t timeframe_s;
	uint64_t next;   /* what the user gets next */
	uint64_t target; /* is known to exist */
};

enum finish { FINISH_NOT = 0, FINISH_ASKED, FINISH_DONE };

struct simsub {
	struct simsub_env env;
	uint32_t id; /* in the chronicle, of this incarnation */
	uint64_t epoch;
	struct stream streams[STREAMS_MAX];
	uint32_t n_streams;
	bool waiting;
	bool live; /* what is being taken came by the live stream */
	enum finish finish;
	struct catchup_request next_page; /* when reading everything: where to go on */
	struct catchup_stream one;
	bool has_page;
};

void simsub_new(const struct simsub_env *env, struct simsub **out)
{
	struct simsub *s = calloc(1, sizeof(*s));

	s->env = *env;
	s->id = chronicle_subscriber(env->chronicle, env->name);
	*out = s;
}

void simsub_free(struct simsub *s)
{
	free(s);
}

/* What was heard before may name events that are gone: a new subscriber goes on. */
static void begin_epoch(struct simsub *s, uint64_t epoch)
{
	char name[CHRONICLE_NAME_MAX];

	if (s->epoch != 0) {
		(void)snprintf(name, sizeof(name), "%s.%llu", s->env.name,
			       (unsigned long long)epoch);
		s->id = chronicle_subscriber(s->env.chronicle, name);
		s->n_streams = 0;
		s->has_page = false;
		if (s->finish == FINISH_DONE)
			s->finish = FINISH_ASKED;
	}
	s->epoch = epoch;
}

static struct stream *stream_of(struct simsub *s, uint8_t kind, const char *name,
				uint32_t timeframe_s)
{
	struct stream *x;

	for (uint32_t i = 0; i < s->n_streams; i++) {
		x = &s->streams[i];
		if (x->kind == kind && x->timeframe_s == timeframe_s &&
		    memcmp(x->name, name, SYMBOL_MAX) == 0)
			return x;
	}
	if (s->n_streams == STREAMS_MAX)
		abort();
	x = &s->streams[s->n_streams++];
	*x = (struct stream){.kind = kind, .timeframe_s = timeframe_s, .next = 1};
	memcpy(x->name, name, SYMBOL_MAX);
	return x;
}

static void take(struct simsub *s, enum event_kind kind, const void *event, size_t len)
{
	const struct event_head *head = event;
	uint32_t timeframe_s = 0;
	struct stream *x;
	unsigned how = s->live ? CHRONICLE_LIVE : CHRONICLE_SEEN;

	if (kind == EVENT_TIER2)
		timeframe_s = ((const struct event_tier2 *)event)->timeframe_s;
	x = stream_of(s, (uint8_t)kind, event_symbol(kind, event), timeframe_s);
	if (head->seq > x->target)
		x->target = head->seq;
	if (head->seq == x->next) {
		how |= CHRONICLE_GIVEN;
		x->next++;
	}
	*s->env.trace = hash_bytes(*s->env.trace, head, sizeof(*head));
	chronicle_event(s->env.chronicle, s->id, how, s->epoch, kind, event, len);
}

static void take_frame(struct simsub *s, struct frame_view *v)
{
	union {
		struct event_tick tick;
		struct event_bar bar;
		struct event_tier1 tier1;
		struct event_news news;
		struct event_status status;
	} e;

	if (v->kind == EVENT_TIER2) {
		size_t len = frame_matrix_copy(v, NULL, 0);
		void *copy = malloc(len);

		(void)frame_matrix_copy(v, copy, len);
		take(s, EVENT_TIER2, copy, len);
		free(copy);
		return;
	}
	while (frame_next(v, &e) == 0)
		take(s, v->kind, &e, event_block_size(v->kind));
}

static void take_beat(struct simsub *s, struct frame_view *v)
{
	struct frame_heartbeat beat;

	while (frame_next(v, &beat) == 0) {
		struct stream *x =
			stream_of(s, (uint8_t)v->about, beat.symbol, beat.timeframe_s);

		if (beat.last_seq > x->target)
			x->target = beat.last_seq;
	}
}

void simsub_frame(struct simsub *s, enum event_kind kind, const void *data, size_t len)
{
	struct frame_view v;

	(void)kind;
	if (s->finish == FINISH_NOT &&
	    simrng_below(s->env.rng, 100) < s->env.drop_percent)
		return;
	if (frame_open(data, len, &v) != 0 || v.root.epoch < s->epoch)
		return;
	if (v.root.epoch > s->epoch)
		begin_epoch(s, v.root.epoch);
	if (v.kind != EVENT_HEARTBEAT) {
		s->live = true;
		take_frame(s, &v);
		s->live = false;
		return;
	}
	(void)chronicle_frame(s->env.chronicle, s->id, CHRONICLE_SEEN, data, len);
	take_beat(s, &v);
}

/* ---- asking ---- */

static void on_page(void *arg, const void *page, size_t len)
{
	struct simsub *s = arg;
	struct catchup_page_view v;
	const void *frame;
	size_t n;

	s->waiting = false;
	if (catchup_page_open(page, len, &v) != 0 || v.root.epoch < s->epoch)
		return;
	if (v.root.epoch > s->epoch) {
		begin_epoch(s, v.root.epoch);
		return;
	}
	while (catchup_page_next(&v, &frame, &n) == 0) {
		struct frame_view f;

		if (frame_open(frame, n, &f) == 0)
			take_frame(s, &f);
	}
	s->has_page = !v.root.done && v.root.status == CATCHUP_OK;
	s->next_page.root.from_type = CATCHUP_FROM_POS;
	s->next_page.root.from = v.root.next_pos;
	s->next_page.root.skip = v.root.next_skip;
	if (s->finish == FINISH_ASKED && s->next_page.n_streams == 0 && v.root.done)
		s->finish = FINISH_DONE;
}

static bool ask(struct simsub *s, struct catchup_request *req)
{
	struct buf bytes = {0};

	req->root.limit = 1 + simrng_below(s->env.rng, 300);
	s->next_page = *req;
	catchup_request_write(req, &bytes);
	s->waiting = true;
	if (!simsocket_ask(SIMSOCKET_CATCHUP, bytes.data, bytes.len, on_page, s))
		s->waiting = false;
	buf_free(&bytes);
	return s->waiting;
}

/* A stream with a hole, any of them; NULL: none. */
static struct stream *wounded(struct simsub *s)
{
	uint32_t from = s->n_streams > 0 ? simrng_below(s->env.rng, s->n_streams) : 0;

	for (uint32_t i = 0; i < s->n_streams; i++) {
		struct stream *x = &s->streams[(from + i) % s->n_streams];

		if (x->next <= x->target)
			return x;
	}
	return NULL;
}

bool simsub_step(struct simsub *s)
{
	struct catchup_request req = {0};
	struct stream *x;

	if (s->waiting)
		return false;
	if (s->has_page) {
		req = s->next_page;
		return ask(s, &req);
	}
	x = wounded(s);
	if (x != NULL) {
		s->one = (struct catchup_stream){.kind = x->kind,
						 .from_seq = x->next,
						 .timeframe_s = x->timeframe_s};
		memcpy(s->one.symbol, x->name, SYMBOL_MAX);
		if (simrng_one_in(s->env.rng, 3))
			s->one.to_seq = x->target;
		req.root.from_type = CATCHUP_FROM_SEQ;
		req.n_streams = 1;
		req.streams = &s->one;
		return ask(s, &req);
	}
	if (s->finish != FINISH_ASKED)
		return false;
	req.root.from_type = CATCHUP_FROM_OLDEST;
	return ask(s, &req);
}

void simsub_lost(struct simsub *s)
{
	s->waiting = false;
	s->has_page = false;
}

void simsub_finish(struct simsub *s)
{
	s->finish = FINISH_ASKED;
}

bool simsub_is_whole(const struct simsub *s)
{
	if (s->waiting || s->has_page || s->finish == FINISH_ASKED)
		return false;
	for (uint32_t i = 0; i < s->n_streams; i++)
		if (s->streams[i].next <= s->streams[i].target)
			return false;
	return true;
}

uint32_t simsub_id(const struct simsub *s)
{
	return s->id;
}
