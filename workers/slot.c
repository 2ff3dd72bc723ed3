/* slot - see slot.h. */
#include "workers/slot.h"
#include <math.h>

static void add_price(struct slot *s, const struct past *p)
{
	if (!(p->flags & TICK_NO_LAST)) {
		/* Equal keys: the same trade again, corrected. */
		if (s->n_last == 0 || !tick_key_before(&s->open.key, &p->key))
			s->open = (struct slot_edge){p->key, p->price_e9};
		if (s->n_last == 0 || !tick_key_before(&p->key, &s->close.key))
			s->close = (struct slot_edge){p->key, p->price_e9};
		s->n_last++;
	}
	if (!(p->flags & TICK_NO_RANGE)) {
		if (s->n_range == 0 || p->price_e9 > s->high_e9)
			s->high_e9 = p->price_e9;
		if (s->n_range == 0 || p->price_e9 < s->low_e9)
			s->low_e9 = p->price_e9;
		s->n_range++;
	}
}

static int64_t size_of(const struct past *p)
{
	return p->size_e8 == VALUE_NULL ? 0 : p->size_e8;
}

void slot_add(struct slot *s, const struct past *p)
{
	add_price(s, p);
	if (!(p->flags & TICK_NO_VOLUME)) {
		int64_t size_e8 = size_of(p);
		__int128 notional = (__int128)p->price_e9 * size_e8;

		s->volume += size_e8;
		s->notional_upper += notional >> 64;
		s->notional_lower += (uint64_t)notional;
		s->n_counted++;
	}
	if (s->n_ticks == 0 || p->key.pos < s->first_pos)
		s->first_pos = p->key.pos;
	if (p->key.pos > s->last_pos)
		s->last_pos = p->key.pos;
	/* Between sources that tie, the one first known: any rule will do, but one. */
	if (s->n_ticks == 0 || p->key.event_ns > s->newest_ns ||
	    (p->key.event_ns == s->newest_ns && p->source_id < s->source_id)) {
		s->newest_ns = p->key.event_ns;
		s->source_id = p->source_id;
	}
	s->n_ticks++;
}

static void merge_prices(struct slot *s, const struct slot *from)
{
	if (from->n_last > 0) {
		if (s->n_last == 0 || tick_key_before(&from->open.key, &s->open.key))
			s->open = from->open;
		if (s->n_last == 0 || !tick_key_before(&from->close.key, &s->close.key))
			s->close = from->close;
		s->n_last += from->n_last;
	}
	if (from->n_range > 0) {
		if (s->n_range == 0 || from->high_e9 > s->high_e9)
			s->high_e9 = from->high_e9;
		if (s->n_range == 0 || from->low_e9 < s->low_e9)
			s->low_e9 = from->low_e9;
		s->n_range += from->n_range;
	}
}

void slot_merge(struct slot *s, const struct slot *from)
{
	spread_append(&s->spread, &from->spread);
	s->crossed |= from->crossed;
	if (from->n_ticks == 0)
		return;
	merge_prices(s, from);
	s->volume += from->volume;
	s->notional_upper += from->notional_upper;
	s->notional_lower += from->notional_lower;
	s->n_counted += from->n_counted;
	if (s->n_ticks == 0 || from->first_pos < s->first_pos)
		s->first_pos = from->first_pos;
	if (from->last_pos > s->last_pos)
		s->last_pos = from->last_pos;
	if (s->n_ticks == 0 || from->newest_ns > s->newest_ns ||
	    (from->newest_ns == s->newest_ns && from->source_id < s->source_id)) {
		s->newest_ns = from->newest_ns;
		s->source_id = from->source_id;
	}
	s->n_ticks += from->n_ticks;
}

void slot_subtract(struct slot *s, const struct past *p)
{
	if (!(p->flags & TICK_NO_VOLUME)) {
		int64_t size_e8 = size_of(p);
		__int128 notional = (__int128)p->price_e9 * size_e8;

		s->volume -= size_e8;
		s->notional_upper -= notional >> 64;
		s->notional_lower -= (uint64_t)notional;
		s->n_counted--;
	}
	s->n_last -= !(p->flags & TICK_NO_LAST);
	s->n_range -= !(p->flags & TICK_NO_RANGE);
	s->n_ticks--;
}

static bool same_key(const struct tick_key *a, const struct tick_key *b)
{
	return a->pos == b->pos;
}

bool slot_leans_on(const struct slot *s, const struct past *p)
{
	if (!(p->flags & TICK_NO_LAST) &&
	    (same_key(&p->key, &s->open.key) || same_key(&p->key, &s->close.key)))
		return true;
	return !(p->flags & TICK_NO_RANGE) &&
	       (p->price_e9 >= s->high_e9 || p->price_e9 <= s->low_e9);
}

void slot_rebuild(struct slot *s, const struct history *h)
{
	uint32_t held = history_held(h);

	s->n_last = s->n_range = 0;
	s->open = s->close = (struct slot_edge){0};
	s->high_e9 = s->low_e9 = 0;
	for (uint32_t i = 0; i < held; i++) {
		const struct past *p = history_at(h, i);

		if (p->key.event_ns >= s->span.start_ns &&
		    p->key.event_ns < s->span.end_ns && !p->withdrawn && !p->unused)
			add_price(s, p);
	}
}

double slot_vwap(const struct slot *s)
{
	if (s->volume <= 0)
		return NAN;
	return ((double)s->notional_upper * 0x1p64 + (double)s->notional_lower) /
	       (double)s->volume / 1e9;
}
