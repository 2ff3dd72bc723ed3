/* gate - see gate.h. */
#include "daemon/gate.h"
#include "base/err.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Positions from which events are held; 0: open. */
struct gate {
	uint32_t symbols_max;
	_Atomic uint64_t kinds[EVENT_KINDS];
	struct gate_symbol {
		_Atomic uint64_t derived, news;
	} symbols[];
};

int gate_new(uint32_t symbols_max, struct gate **out)
{
	*out = calloc(1, sizeof(**out) + symbols_max * sizeof((*out)->symbols[0]));
	if (*out == NULL)
		return err_set(-ENOMEM, "out of memory for the gates of %u symbols",
			       symbols_max);
	(*out)->symbols_max = symbols_max;
	return 0;
}

void gate_free(struct gate *g)
{
	free(g);
}

void gate_symbol(struct gate *g, uint32_t symbol_id, uint64_t pos)
{
	if (symbol_id < g->symbols_max)
		atomic_store_explicit(&g->symbols[symbol_id].derived, pos,
				      memory_order_release);
}

void gate_news(struct gate *g, uint32_t symbol_id, uint64_t pos)
{
	if (symbol_id < g->symbols_max)
		atomic_store_explicit(&g->symbols[symbol_id].news, pos,
				      memory_order_release);
}

void gate_kind(struct gate *g, enum event_kind kind, uint64_t pos)
{
	atomic_store_explicit(&g->kinds[kind], pos, memory_order_release);
}

static bool is_behind(const _Atomic uint64_t *from, uint64_t pos)
{
	uint64_t f = atomic_load_explicit(from, memory_order_acquire);

	return f != 0 && pos >= f;
}

bool gate_holds(const struct gate *g, enum event_kind kind, uint32_t symbol_id,
		uint64_t pos)
{
	bool is_of_symbol = kind != EVENT_TIER2 && symbol_id < g->symbols_max;

	if (kind != EVENT_BAR && kind != EVENT_TIER1 && kind != EVENT_TIER2 &&
	    kind != EVENT_NEWS)
		return false;
	return is_behind(&g->kinds[kind], pos) ||
	       (is_of_symbol &&
		is_behind(kind == EVENT_NEWS ? &g->symbols[symbol_id].news
					     : &g->symbols[symbol_id].derived,
			  pos));
}
