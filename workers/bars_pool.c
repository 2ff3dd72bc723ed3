/*
 * bars_pool - ticks that lie in the open bar of every series are added up once, in one
 * slot per price type, and handed to the series when somebody looks at them.
 *
 * With three timeframes and a thousand symbols in turn, the cost of a tick is the cache
 * lines it touches; this leaves the lines of one slot instead of three.  It is exact:
 * sums, edges by key and the integrals of the spread do not care how their ticks are
 * grouped.  The pool spans the moments that belong to all open bars (and to the
 * session), takes no quote but the newest by key, and is emptied before anything else
 * happens to the symbol: a due bar, a late tick, a cancel, a tick beyond it.
 */
#include "workers/bars_parts.h"

void bars_pool_flush(struct bars *b)
{
	if (!b->pooled)
		return;
	for (uint32_t i = 0; i < b->n_series; i++)
		for (uint32_t k = 0; k < b->n_pools; k++)
			if (b->pool_type[k] == b->series[i].price_type)
				slot_merge(b->series[i].head, &b->pool[k]);
	for (uint32_t k = 0; k < b->n_pools; k++)
		b->pool[k] = (struct slot){0};
	b->pooled = false;
}

void bars_pool_close(struct bars *b)
{
	bars_pool_flush(b);
	b->pool_start_ns = b->pool_end_ns = INT64_MIN;
}

void bars_pool_open(struct bars *b, int64_t event_ns)
{
	int64_t start_ns = INT64_MIN, end_ns = INT64_MAX;

	if (b->env.faulted || b->undecided || b->pool == NULL)
		return;
	if (b->session.on) {
		struct span session = session_from(&b->session, event_ns);

		start_ns = session.start_ns;
		end_ns = session.end_ns;
	}
	for (uint32_t i = 0; i < b->n_series; i++) {
		const struct slot *head = b->series[i].head;

		if (head == NULL || head->emitted)
			return;
		if (head->span.start_ns > start_ns)
			start_ns = head->span.start_ns;
		if (head->span.end_ns < end_ns)
			end_ns = head->span.end_ns;
	}
	b->pool_start_ns = start_ns;
	b->pool_end_ns = end_ns;
}
