/* sim_heap - a binary heap in an array. */
#include "feeds/sim_heap.h"
#include <assert.h>

static bool is_before(const struct sim_heap_item *a, const struct sim_heap_item *b)
{
	if (a->tick.arrival_ns != b->tick.arrival_ns)
		return a->tick.arrival_ns < b->tick.arrival_ns;
	return a->order < b->order;
}

bool sim_heap_push(struct sim_heap *h, const struct feed_tick *t)
{
	struct sim_heap_item new = {.order = h->order, .tick = *t};
	size_t i = h->n;

	if (h->n == SIM_HEAP_MAX)
		return false;
	h->order++;
	h->n++;
	while (i > 0 && is_before(&new, &h->item[(i - 1) / 2])) {
		h->item[i] = h->item[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->item[i] = new;
	return true;
}

int64_t sim_heap_next_ns(const struct sim_heap *h)
{
	return h->n ? h->item[0].tick.arrival_ns : INT64_MAX;
}

void sim_heap_pop(struct sim_heap *h, struct feed_tick *out)
{
	const struct sim_heap_item *last;
	size_t i = 0;

	assert(h->n > 0);
	*out = h->item[0].tick;
	last = &h->item[--h->n];
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n && is_before(&h->item[child + 1], &h->item[child]))
			child++;
		if (!is_before(&h->item[child], last))
			break;
		h->item[i] = h->item[child];
		i = child;
	}
	h->item[i] = *last;
}
