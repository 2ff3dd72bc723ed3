/*
 * ind_live_state - saved are the checkpoint before the oldest bar that can be revised,
 * and the bars from there on: all else is what they make.
 */
#include "workers/ind_live_parts.h"

static void slot_state(struct state *st, struct live_slot *slot)
{
	state_i64(st, &slot->bar_end_ns);
	state_f64(st, &slot->bar.open);
	state_f64(st, &slot->bar.high);
	state_f64(st, &slot->bar.low);
	state_f64(st, &slot->bar.close);
	state_f64(st, &slot->bar.volume);
	state_f64(st, &slot->bar.spread);
	state_i64(st, &slot->bar.time_ns);
	state_u64(st, &slot->bar_seq);
	state_u32(st, &slot->revision);
	state_bool(st, &slot->valid);
}

void ind_live_state(struct state *st, struct ind_live *l)
{
	uint64_t revisable, from, before = 0;

	state_same(st, l->revisable);
	state_same(st, l->n_values);
	state_same(st, l->state_bytes);
	state_u64(st, &l->n_bars);
	revisable = l->n_bars < l->revisable ? l->n_bars : l->revisable;
	from = l->n_bars - revisable;
	from -= from % CHECKPOINT;
	if (!state_is_loading(st) && from > 0)
		before = live_slot(l, from - 1)->seen;
	state_u64(st, &before);
	state_bytes(st, live_checkpoint(l, from), l->state_bytes);
	if (state_is_loading(st) && from > 0)
		live_slot(l, from - 1)->seen = before;
	for (uint64_t i = from; i < l->n_bars && !state_bad(st); i++)
		slot_state(st, live_slot(l, i));
	if (!state_is_loading(st) || state_bad(st))
		return;
	live_load(l, from);
	for (uint64_t i = from; i < l->n_bars; i++) {
		live_slot(l, i)->shown = false;
		(void)live_derive(l, i);
	}
}
