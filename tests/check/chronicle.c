/* chronicle - see chronicle.h. */
#include "tests/check/chronicle.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more of @size bytes; doubles. */
static void *grown(void *v, size_t n, size_t *max, size_t size)
{
	if (n < *max)
		return v;
	*max = *max > 0 ? 2 * *max : 64;
	v = realloc(v, *max * size);
	if (v == NULL)
		abort();
	return v;
}

#define ADD(h, what)                                                                   \
	((h)->what = grown((h)->what, (h)->n_##what, &(h)->max_##what,                 \
			   sizeof(*(h)->what)),                                        \
	 &(h)->what[(h)->n_##what++])

void chronicle_init(struct chronicle *h)
{
	*h = (struct chronicle){0};
}

void chronicle_free(struct chronicle *h)
{
	buf_free(&h->bytes);
	free(h->lives);
	free(h->calls);
	free(h->events);
	free(h->beats);
	free(h->records);
	free(h->expected);
	free(h->symbols);
	free(h->sources);
	*h = (struct chronicle){0};
}

static uint32_t peer(struct chronicle_peer *peers, uint32_t *n, const char *name)
{
	for (uint32_t i = 0; i < *n; i++)
		if (strcmp(peers[i].name, name) == 0)
			return i;
	if (*n == CHRONICLE_PEERS_MAX) {
		fprintf(stderr, "chronicle: more than %u peers: '%s'\n",
			CHRONICLE_PEERS_MAX, name);
		abort();
	}
	(void)snprintf(peers[*n].name, sizeof(peers[*n].name), "%s", name);
	return (*n)++;
}

uint32_t chronicle_producer(struct chronicle *h, const char *name)
{
	return peer(h->producers, &h->n_producers, name);
}

uint32_t chronicle_subscriber(struct chronicle *h, const char *name)
{
	return peer(h->subscribers, &h->n_subscribers, name);
}

static size_t keep(struct chronicle *h, const void *data, size_t len)
{
	size_t at = (h->bytes.len + 15) & ~(size_t)15; /* structs are read in place */

	(void)buf_reserve(&h->bytes, at - h->bytes.len + len);
	h->bytes.len = at;
	buf_add(&h->bytes, data, len);
	return at;
}

void chronicle_started(struct chronicle *h, const struct chronicle_life *life)
{
	struct chronicle_life *l = ADD(h, lives);

	*l = *life;
	l->order = ++h->order;
	l->end = CHRONICLE_RUNS;
}

void chronicle_ended(struct chronicle *h, enum chronicle_end end, int64_t ns)
{
	if (h->n_lives == 0)
		return;
	h->lives[h->n_lives - 1].end = end;
	h->lives[h->n_lives - 1].end_ns = ns;
}

size_t chronicle_request(struct chronicle *h, uint32_t producer, int64_t ns,
			 const void *data, size_t len)
{
	struct chronicle_call *c = ADD(h, calls);

	*c = (struct chronicle_call){.order = ++h->order,
				     .producer = producer,
				     .sent_ns = ns,
				     .request_at = keep(h, data, len),
				     .request_len = len};
	return h->n_calls - 1;
}

void chronicle_reply(struct chronicle *h, size_t call, int64_t ns, const void *data,
		     size_t len)
{
	struct chronicle_call *c = &h->calls[call];

	c->answered = true;
	c->answered_ns = ns;
	c->reply_at = keep(h, data, len);
	c->reply_len = len;
}

void chronicle_event(struct chronicle *h, uint32_t subscriber, unsigned how,
		     uint64_t epoch, enum event_kind kind, const void *event,
		     size_t len)
{
	struct chronicle_event *e = ADD(h, events);

	*e = (struct chronicle_event){.order = ++h->order,
				      .epoch = epoch,
				      .subscriber = subscriber,
				      .how = (uint8_t)how,
				      .kind = (uint8_t)kind,
				      .at = keep(h, event, len),
				      .len = len};
}

void chronicle_expect(struct chronicle *h, enum event_kind kind, const void *event,
		      size_t len)
{
	struct chronicle_event *e = ADD(h, expected);

	*e = (struct chronicle_event){
		.kind = (uint8_t)kind, .at = keep(h, event, len), .len = len};
}

static void add_beats(struct chronicle *h, uint32_t subscriber, struct frame_view *v)
{
	struct frame_heartbeat beat;

	while (frame_next(v, &beat) == 0) {
		struct chronicle_beat *b = ADD(h, beats);

		*b = (struct chronicle_beat){.order = ++h->order,
					     .epoch = v->root.epoch,
					     .subscriber = subscriber,
					     .kind = (uint8_t)v->about,
					     .beat = beat};
	}
}

static void add_matrix(struct chronicle *h, uint32_t subscriber, unsigned how,
		       struct frame_view *v)
{
	size_t len = frame_matrix_copy(v, NULL, 0);
	void *copy = malloc(len);

	if (copy == NULL)
		abort();
	(void)frame_matrix_copy(v, copy, len);
	chronicle_event(h, subscriber, how, v->root.epoch, EVENT_TIER2, copy, len);
	free(copy);
}

bool chronicle_frame(struct chronicle *h, uint32_t subscriber, unsigned how,
		     const void *data, size_t len)
{
	struct frame_view v;
	union {
		struct event_tick tick;
		struct event_bar bar;
		struct event_tier1 tier1;
		struct event_news news;
		struct event_status status;
	} e;

	if (frame_open(data, len, &v) != 0)
		return false;
	if (v.kind == EVENT_HEARTBEAT) {
		add_beats(h, subscriber, &v);
		return true;
	}
	if (v.kind == EVENT_TIER2) {
		add_matrix(h, subscriber, how, &v);
		return true;
	}
	while (frame_next(&v, &e) == 0)
		chronicle_event(h, subscriber, how, v.root.epoch, v.kind, &e,
				event_block_size(v.kind));
	return true;
}

void chronicle_record(struct chronicle *h, const struct chronicle_record *r)
{
	*ADD(h, records) = *r;
}

static void name(char (**names)[SYMBOL_MAX], size_t *n, uint32_t id, const char *text)
{
	if (id >= *n) {
		*names = realloc(*names, (id + 1) * sizeof(**names));
		if (*names == NULL)
			abort();
		memset(*names + *n, 0, (id + 1 - *n) * sizeof(**names));
		*n = id + 1;
	}
	memset((*names)[id], 0, SYMBOL_MAX);
	memcpy((*names)[id], text, strnlen(text, SYMBOL_MAX));
}

void chronicle_symbol(struct chronicle *h, uint32_t id, const char *text)
{
	name(&h->symbols, &h->n_symbols, id, text);
}

void chronicle_source(struct chronicle *h, uint32_t id, const char *text)
{
	name(&h->sources, &h->n_sources, id, text);
}
