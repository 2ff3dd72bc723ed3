/* amend - see amend.h. */
#include "workers/amend.h"
#include <stdlib.h>
#include <string.h>

void amends_deinit(struct amends *t)
{
	free(t->v);
	*t = (struct amends){0};
}

static void drop(struct amends *t, uint32_t i, struct amend *out_gone)
{
	*out_gone = t->v[i];
	if (out_gone->matched)
		out_gone->root_seq = 0;
	t->n--;
	memmove(&t->v[i], &t->v[i + 1], (t->n - i) * sizeof(t->v[0]));
}

/* The trade behind a sequence that may be a correction's own. */
static uint64_t root_of(const struct amends *t, uint16_t source_id, uint64_t seq)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->v[i].source_id == source_id && t->v[i].key.source_seq == seq &&
		    !t->v[i].cancels)
			return t->v[i].root_seq;
	return seq;
}

struct amend *amends_add(struct amends *t, const struct amend *a,
			 struct amend *out_gone)
{
	struct amend *to;

	*out_gone = (struct amend){0};
	if (t->v == NULL)
		t->v = calloc(AMENDS_MAX, sizeof(*t->v));
	if (t->v == NULL)
		return NULL;
	if (t->n == AMENDS_MAX)
		drop(t, 0, out_gone);
	to = &t->v[t->n];
	*to = *a;
	to->root_seq = root_of(t, a->source_id, a->ref_seq);
	t->n++;
	/* Those that named this one before it came lead on to its trade now. */
	for (uint32_t i = 0; i + 1 < t->n && a->key.source_seq != 0 && !a->cancels; i++)
		if (t->v[i].source_id == a->source_id &&
		    t->v[i].root_seq == a->key.source_seq)
			t->v[i].root_seq = to->root_seq;
	return to;
}

bool amends_apply(struct amends *t, struct past *p)
{
	const struct amend *newest = NULL;
	bool any = false;

	for (uint32_t i = 0; i < t->n; i++) {
		struct amend *a = &t->v[i];

		if (a->root_seq != p->key.source_seq || a->source_id != p->source_id)
			continue;
		any = true;
		a->matched = true;
		if (a->cancels)
			p->withdrawn = true;
		else if (newest == NULL || tick_key_before(&newest->key, &a->key))
			newest = a;
	}
	if (newest != NULL) {
		p->price_e9 = newest->price_e9;
		p->size_e8 = newest->size_e8;
	}
	return any;
}

bool amends_expire(struct amends *t, int64_t before_ns, struct amend *out_gone)
{
	for (uint32_t i = 0; i < t->n; i++) {
		if (t->v[i].key.event_ns >= before_ns)
			continue;
		drop(t, i, out_gone);
		return true;
	}
	return false;
}

int64_t amends_oldest_ns(const struct amends *t)
{
	int64_t oldest_ns = INT64_MAX;

	for (uint32_t i = 0; i < t->n; i++)
		if (!t->v[i].matched && t->v[i].key.event_ns < oldest_ns)
			oldest_ns = t->v[i].key.event_ns;
	return oldest_ns;
}
