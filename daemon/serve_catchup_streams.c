/*
 * serve_catchup_streams - which events a request covers.
 *
 * Streams of symbols are sorted by symbol id once, so that an event is compared
 * with its own symbol's streams only; those of matrices are few and compared by
 * name.
 */
#include "base/err.h"
#include "daemon/serve_catchup_parts.h"
#include <errno.h>
#include <stdlib.h>

#define KEPT                                                                           \
	(1u << EVENT_TICK | 1u << EVENT_BAR | 1u << EVENT_TIER1 | 1u << EVENT_TIER2 |  \
	 1u << EVENT_NEWS | 1u << EVENT_STATUS)

static int by_id(const void *a, const void *b)
{
	const struct streams_entry *x = a, *y = b;

	if (x->symbol_id != y->symbol_id)
		return x->symbol_id < y->symbol_id ? -1 : 1;
	return x->stream < y->stream ? -1 : x->stream > y->stream;
}

static uint32_t kinds_of(const struct catchup_request *req)
{
	uint32_t kinds = 0;

	for (uint32_t i = 0; i < req->n_streams; i++)
		kinds |= req->streams[i].kind == CATCHUP_ANY_KIND
				 ? KEPT
				 : 1u << req->streams[i].kind;
	if (req->n_streams == 0)
		kinds = KEPT;
	if (req->root.kinds != 0)
		kinds &= req->root.kinds;
	return kinds & KEPT;
}

int streams_init(struct streams *f, const struct catchup_request *req,
		 const struct symtab *symbols)
{
	*f = (struct streams){.req = req, .kinds = kinds_of(req), .n_open = 1};
	if (req->n_streams == 0)
		return 0;
	f->by_symbol = calloc(req->n_streams, sizeof(*f->by_symbol));
	f->closed = calloc(req->n_streams, sizeof(*f->closed));
	if (f->by_symbol == NULL || f->closed == NULL) {
		streams_deinit(f);
		return err_set(-ENOMEM, "out of memory for a catch-up request");
	}
	f->n_open = req->n_streams;
	for (uint32_t i = 0; i < req->n_streams; i++) {
		const char *name = req->streams[i].symbol;
		struct streams_entry *e = &f->by_symbol[f->n_by_symbol];

		if (symtab_find(symbols, name, symbol_field_len(name, SYMBOL_MAX),
				&e->symbol_id) == 0) {
			e->stream = i;
			f->n_by_symbol++;
		}
	}
	qsort(f->by_symbol, f->n_by_symbol, sizeof(*f->by_symbol), by_id);
	return 0;
}

void streams_deinit(struct streams *f)
{
	free(f->by_symbol);
	free(f->closed);
	*f = (struct streams){0};
}

/* The first entry of @symbol_id, or where it would stand. */
static uint32_t first_of(const struct streams *f, uint32_t symbol_id)
{
	uint32_t low = 0, high = f->n_by_symbol;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (f->by_symbol[mid].symbol_id < symbol_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool covers(const struct catchup_stream *s, const struct event_face *e)
{
	return (s->kind == CATCHUP_ANY_KIND || s->kind == e->kind) &&
	       (s->timeframe_s == 0 || s->timeframe_s == e->timeframe_s);
}

/*
 * The next stream that covers @e, from *@at on (0 first); NULL: none.  For symbols
 * *@at runs over by_symbol, for matrices over the streams themselves.
 */
static const struct catchup_stream *next_stream(const struct streams *f,
						const struct event_face *e,
						uint32_t *at, uint32_t *out_stream)
{
	const struct catchup_stream *streams = f->req->streams;

	if (e->kind == EVENT_TIER2) {
		for (; *at < f->req->n_streams; ++*at) {
			const struct catchup_stream *s = &streams[*at];

			if (covers(s, e) &&
			    memcmp(s->symbol, e->name, SYMBOL_MAX) == 0) {
				*out_stream = (*at)++;
				return s;
			}
		}
		return NULL;
	}
	if (*at == 0)
		*at = first_of(f, e->symbol_id);
	for (; *at < f->n_by_symbol && f->by_symbol[*at].symbol_id == e->symbol_id;
	     ++*at) {
		uint32_t i = f->by_symbol[*at].stream;

		if (covers(&streams[i], e)) {
			*out_stream = i;
			++*at;
			return &streams[i];
		}
	}
	return NULL;
}

bool streams_match(const struct streams *f, const struct event_face *e)
{
	uint32_t at = 0, stream;

	if (!(f->kinds >> e->kind & 1))
		return false;
	return f->req->n_streams == 0 || next_stream(f, e, &at, &stream) != NULL;
}

bool streams_want(struct streams *f, const struct event_face *e)
{
	const struct catchup_stream *s;
	uint32_t at = 0, i;
	bool wanted = f->req->n_streams == 0;

	while (f->req->n_streams > 0 && (s = next_stream(f, e, &at, &i)) != NULL) {
		wanted |= e->seq >= s->from_seq &&
			  (s->to_seq == 0 || e->seq <= s->to_seq);
		if (s->to_seq != 0 && e->seq >= s->to_seq && !f->closed[i]) {
			f->closed[i] = true;
			f->n_open--;
		}
	}
	return wanted;
}

void streams_lower(const struct streams *f, const struct event_face *e, uint64_t *low)
{
	const struct catchup_stream *streams = f->req->streams;
	uint32_t at = 0, i;

	if (e->kind == EVENT_TIER2) {
		while (next_stream(f, e, &at, &i) != NULL)
			low[i] = e->seq < low[i] ? e->seq : low[i];
		return;
	}
	for (at = first_of(f, e->symbol_id);
	     at < f->n_by_symbol && f->by_symbol[at].symbol_id == e->symbol_id; at++) {
		i = f->by_symbol[at].stream;
		if (streams[i].kind == e->kind && e->seq < low[i])
			low[i] = e->seq;
	}
}

void event_face_of(enum event_kind kind, const void *event, struct event_face *out)
{
	const struct event_head *head = event;

	*out = (struct event_face){.kind = kind,
				   .seq = head->seq,
				   .symbol_id = event_symbol_id(kind, event),
				   .name = event_symbol(kind, event)};
	if (kind == EVENT_BAR)
		out->timeframe_s = ((const struct event_bar *)event)->timeframe_s;
	else if (kind == EVENT_TIER1)
		out->timeframe_s = ((const struct event_tier1 *)event)->timeframe_s;
	else if (kind == EVENT_TIER2)
		out->timeframe_s = ((const struct event_tier2 *)event)->timeframe_s;
}
