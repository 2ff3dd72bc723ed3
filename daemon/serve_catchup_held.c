/*
 * serve_catchup_held - of which streams a page withholds something (gate.h).
 *
 * Who reads page after page cannot see what a gate keeps back, and when it opens
 * between two of them, a stream would seem to begin where the later page shows it.  So
 * a page names each such stream with the first sequence that it left out, and from
 * there on gives nothing more of it, though the gate may open meanwhile: what a page
 * gives of a stream ends where what it withholds begins.
 */
#include "base/err.h"
#include "daemon/serve_catchup_parts.h"
#include <errno.h>
#include <stdlib.h>

#define SLOTS_MIN 64u

/* Streams of symbols by id, those of matrices by name. */
static uint64_t hash_of(const struct event_face *face)
{
	uint64_t h = (uint64_t)face->kind + 1;

	if (face->kind != EVENT_TIER2)
		return (h << 32 ^ face->symbol_id) * UINT64_C(0x9E3779B97F4A7C15);
	for (size_t i = 0; i < SYMBOL_MAX; i++)
		h = (h ^ (uint8_t)face->name[i]) * UINT64_C(0x100000001B3);
	return (h ^ face->timeframe_s) * UINT64_C(0x9E3779B97F4A7C15);
}

static bool is_of(const struct catchup_held *h, const struct event_face *face)
{
	return h->kind == face->kind &&
	       memcmp(h->symbol, face->name, SYMBOL_MAX) == 0 &&
	       (face->kind != EVENT_TIER2 || h->timeframe_s == face->timeframe_s);
}

/* The slot of the stream, or the free one where it belongs. */
static uint32_t *slot_of(const struct held *held, const struct event_face *face)
{
	uint32_t i = (uint32_t)(hash_of(face) >> 32) & (held->n_slots - 1);

	while (held->slots[i] != 0 && !is_of(&held->list[held->slots[i] - 1], face))
		i = (i + 1) & (held->n_slots - 1);
	return &held->slots[i];
}

static void face_of_entry(const struct held *held, uint32_t i, struct event_face *out)
{
	const struct catchup_held *h = &held->list[i];

	*out = (struct event_face){.kind = (enum event_kind)h->kind,
				   .symbol_id = held->ids[i],
				   .timeframe_s = h->timeframe_s,
				   .name = h->symbol};
}

/* Twice as large, at most half full. */
static int grow(struct held *held)
{
	uint32_t n = held->n_slots > 0 ? held->n_slots * 2 : SLOTS_MIN;
	uint32_t *slots = calloc(n, sizeof(*slots));
	struct catchup_held *list = realloc(held->list, n / 2 * sizeof(*list));
	uint32_t *ids = realloc(held->ids, n / 2 * sizeof(*ids));

	held->list = list != NULL ? list : held->list;
	held->ids = ids != NULL ? ids : held->ids;
	if (slots == NULL || list == NULL || ids == NULL) {
		free(slots);
		return err_set(-ENOMEM, "out of memory for a catch-up request");
	}
	free(held->slots);
	held->slots = slots;
	held->n_slots = n;
	for (uint32_t i = 0; i < held->n; i++) {
		struct event_face face;

		face_of_entry(held, i, &face);
		*slot_of(held, &face) = i + 1;
	}
	return 0;
}

static int add(struct query *q, const struct event_face *face)
{
	struct held *held = &q->held;
	struct catchup_held *h;

	if (held->n * 2 >= held->n_slots && grow(held) < 0)
		return -ENOMEM;
	held->ids[held->n] = face->symbol_id;
	h = &held->list[held->n++];
	*h = (struct catchup_held){.first_seq = face->seq, .kind = (uint8_t)face->kind};
	if (face->kind == EVENT_TIER2)
		h->timeframe_s = face->timeframe_s;
	memcpy(h->symbol, face->name, SYMBOL_MAX);
	*slot_of(held, face) = held->n;
	if (held->n >= HELD_MAX)
		q->bytes_left = 0; /* the page is large enough: it ends here */
	return 0;
}

ON_STORE int held_takes(struct query *q, const struct event_face *face,
			const void *event)
{
	const struct event_head *head = event;
	bool is_known;

	if (q->env->gate == NULL)
		return 0;
	is_known = q->held.n > 0 && *slot_of(&q->held, face) != 0;
	if (!is_known &&
	    !gate_holds(q->env->gate, face->kind, face->symbol_id, head->pos))
		return 0;
	/* A snapshot owes nobody what is not the newest. */
	if (!is_known && snapshot_gives(q, face->kind, event) && add(q, face) < 0)
		return -ENOMEM;
	return HELD_TAKEN;
}

void held_write(const struct query *q, struct catchup_writer *w)
{
	for (uint32_t i = 0; i < q->held.n; i++)
		catchup_page_held(w, &q->held.list[i]);
}

void held_deinit(struct held *held)
{
	free(held->list);
	free(held->ids);
	free(held->slots);
	*held = (struct held){0};
}
