/*
 * spread - see spread.h.  Sizes: a price difference times the nanoseconds of a bar of
 * at most a day is below 2^64 * 2^47, and the stretches of a bar do not overlap, so
 * the sums stay far inside 128 bits.
 */
#include "workers/spread.h"
#include "proto/record.h"
#include <math.h>

bool spread_usable(const struct past *q)
{
	return q->price_e9 > 0 && q->size_e8 != VALUE_NULL && q->price_e9 < q->size_e8;
}

bool spread_crossed(const struct past *q)
{
	return q->price_e9 != VALUE_NULL && q->size_e8 != VALUE_NULL &&
	       q->price_e9 >= q->size_e8;
}

/* Quote @q held for @ns: count it @times (1, or -1 to take it back). */
static void hold(struct spread *s, const struct past *q, int64_t ns, int times)
{
	if (!spread_usable(q))
		return;
	s->gap += ((__int128)q->size_e8 - q->price_e9) * ns * times;
	s->both += ((__int128)q->size_e8 + q->price_e9) * ns * times;
}

static void append(struct spread *s, const struct past *q)
{
	if (s->n > 0)
		hold(s, &s->last, q->key.event_ns - s->last.key.event_ns, 1);
	else
		s->first = *q;
	if (s->n == 0 || q->key.pos < s->first_pos)
		s->first_pos = q->key.pos;
	s->last = *q;
	s->n_crossed += spread_crossed(q);
	s->n++;
}

void spread_append(struct spread *s, const struct spread *from)
{
	struct spread sum = *from;

	if (from->n == 0)
		return;
	if (s->n > 0) {
		hold(s, &s->last, from->first.key.event_ns - s->last.key.event_ns, 1);
		sum.gap += s->gap;
		sum.both += s->both;
		sum.first = s->first;
		sum.n += s->n;
		sum.n_crossed += s->n_crossed;
		if (s->first_pos < sum.first_pos)
			sum.first_pos = s->first_pos;
	}
	*s = sum;
}

static int insert(struct spread *s, const struct past *q, const struct history *h,
		  int64_t start_ns)
{
	const struct past *before = NULL, *after = &s->last;
	uint32_t held = history_held(h);

	if (!history_reaches(h, s->first_pos))
		return SPREAD_LOST;
	for (uint32_t i = held; i > 0; i--) {
		const struct past *p = history_at(h, i - 1);

		if (p->key.pos < s->first_pos)
			break; /* the rest came before any quote of this bar */
		if (p->key.event_ns < start_ns || p->unused)
			continue;
		if (tick_key_before(&p->key, &q->key)) {
			if (before == NULL || tick_key_before(&before->key, &p->key))
				before = p;
		} else if (tick_key_before(&q->key, &p->key) &&
			   tick_key_before(&p->key, &after->key)) {
			after = p;
		}
	}
	if (before != NULL)
		hold(s, before, after->key.event_ns - q->key.event_ns, -1);
	hold(s, q, after->key.event_ns - q->key.event_ns, 1);
	if (q->key.pos < s->first_pos)
		s->first_pos = q->key.pos;
	s->n_crossed += spread_crossed(q);
	s->n++;
	return SPREAD_ADDED;
}

int spread_add(struct spread *s, const struct past *q, const struct history *h,
	       int64_t start_ns)
{
	if (s->n > 0 && tick_key_before(&q->key, &s->last.key))
		return insert(s, q, h, start_ns);
	append(s, q);
	return SPREAD_ADDED;
}

/* The next quote by key after @last inside the bar, or NULL. */
static const struct past *next_by_key(const struct history *h, const struct past *last,
				      int64_t start_ns, int64_t end_ns)
{
	const struct past *best = NULL;
	uint32_t held = history_held(h);

	for (uint32_t i = 0; i < held; i++) {
		const struct past *p = history_at(h, i);

		if (p->key.event_ns < start_ns || p->key.event_ns >= end_ns ||
		    p->unused)
			continue;
		if (last != NULL && !tick_key_before(&last->key, &p->key))
			continue;
		if (best == NULL || tick_key_before(&p->key, &best->key))
			best = p;
	}
	return best;
}

void spread_adopt(struct spread *s, const struct history *h, int64_t start_ns,
		  int64_t end_ns)
{
	const struct past *q = NULL;

	*s = (struct spread){0};
	while ((q = next_by_key(h, q, start_ns, end_ns)) != NULL)
		append(s, q);
}

double spread_value(const struct spread *s, int64_t end_ns)
{
	struct spread whole = *s;

	if (s->n == 0)
		return NAN;
	hold(&whole, &s->last, end_ns - s->last.key.event_ns, 1);
	return whole.both > 0 ? 2.0 * (double)whole.gap / (double)whole.both : NAN;
}
