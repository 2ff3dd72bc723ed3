/* history - see history.h. */
#include "workers/history.h"
#include <stdlib.h>

#define CAP_FIRST 16u

void history_init(struct history *h, uint32_t max)
{
	*h = (struct history){.max = CAP_FIRST};
	while (h->max < max && h->max < 1u << 24)
		h->max *= 2;
}

void history_deinit(struct history *h)
{
	free(h->slot);
	*h = (struct history){0};
}

/* Full for the first time at this size: unroll into twice the room, oldest first. */
static void grow(struct history *h)
{
	uint32_t cap = h->cap == 0 ? CAP_FIRST : h->cap * 2;
	uint32_t held = history_held(h);
	struct past *slot = malloc(cap * sizeof(*slot));

	if (slot == NULL)
		return;
	for (uint32_t i = 0; i < held; i++)
		slot[(h->n - held + i) & (cap - 1)] = *history_at(h, i);
	free(h->slot);
	h->slot = slot;
	h->cap = cap;
}

struct past *history_add(struct history *h, const struct past *p)
{
	struct past *to;

	if (h->n == h->cap && h->cap < h->max)
		grow(h);
	if (h->cap == 0)
		return NULL;
	to = &h->slot[h->n++ & (h->cap - 1)];
	*to = *p;
	return to;
}

struct past *history_find(const struct history *h, uint16_t source_id,
			  uint64_t source_seq)
{
	for (uint32_t i = history_held(h); i > 0; i--) {
		struct past *p = history_at(h, i - 1);

		if (p->key.source_seq == source_seq && p->source_id == source_id)
			return p;
	}
	return NULL;
}

bool history_reaches(const struct history *h, uint64_t pos)
{
	if (h->n == history_held(h))
		return h->n > 0;
	return history_at(h, 0)->key.pos <= pos;
}
