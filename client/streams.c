/* streams - open addressing, half full at most. */
#include "client/streams.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

static uint64_t hash_key(enum event_kind kind, const char *symbol, uint32_t timeframe_s)
{
	uint64_t h =
		hash_bytes(HASH_SEED, symbol, symbol_field_len(symbol, SYMBOL_MAX));

	return hash_mix(h ^ (uint64_t)timeframe_s << 8 ^ kind);
}

static struct stream *probe(struct stream *slots, size_t cap, enum event_kind kind,
			    const char *symbol, uint32_t timeframe_s)
{
	size_t i = hash_key(kind, symbol, timeframe_s) & (cap - 1);

	while (slots[i].is_used &&
	       (slots[i].kind != kind || slots[i].timeframe_s != timeframe_s ||
		memcmp(slots[i].symbol, symbol, SYMBOL_MAX) != 0))
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static bool grow(struct streams *s)
{
	size_t cap = s->cap ? s->cap * 2 : 64;
	struct stream *slots = calloc(cap, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < s->cap; i++) {
		const struct stream *old = &s->slots[i];

		if (old->is_used)
			*probe(slots, cap, (enum event_kind)old->kind, old->symbol,
			       old->timeframe_s) = *old;
	}
	free(s->slots);
	s->slots = slots;
	s->cap = cap;
	return true;
}

struct stream *streams_get(struct streams *s, enum event_kind kind,
			   const char symbol[SYMBOL_MAX], uint32_t timeframe_s)
{
	struct stream *at;

	if (kind != EVENT_TIER2)
		timeframe_s = 0;
	if (s->n * 2 >= s->cap && (s->n >= STREAMS_MAX || !grow(s)))
		return NULL;
	at = probe(s->slots, s->cap, kind, symbol, timeframe_s);
	if (!at->is_used) {
		*at = (struct stream){.timeframe_s = timeframe_s,
				      .kind = (uint8_t)kind,
				      .is_used = true};
		memcpy(at->symbol, symbol, SYMBOL_MAX);
		s->n++;
	}
	return at;
}

const struct stream *streams_find(const struct streams *s, enum event_kind kind,
				  const char symbol[SYMBOL_MAX], uint32_t timeframe_s)
{
	const struct stream *at;

	if (s->cap == 0)
		return NULL;
	at = probe(s->slots, s->cap, kind, symbol,
		   kind == EVENT_TIER2 ? timeframe_s : 0);
	return at->is_used ? at : NULL;
}

void streams_deinit(struct streams *s)
{
	free(s->slots);
	*s = (struct streams){0};
}
