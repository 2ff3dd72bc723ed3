/*
 * universe_save - the window of a universe, saved or loaded: columns oldest first, so
 * that the bytes do not depend on how the ring of columns lies.
 */
#include "base/state.h"
#include "workers/universe.h"
#include <string.h>

static void member_state(struct state *st, struct member *m)
{
	state_bytes(st, m->symbol, sizeof(m->symbol));
	state_u32(st, &m->symbol_id);
	state_u32(st, &m->missing_run);
	state_i64(st, &m->grid_from);
	state_u8(st, &m->price_type);
	state_u8(st, &m->state);
	state_bool(st, &m->grid_ended);
}

static void cell_state(struct state *st, struct cell *c)
{
	state_f64(st, &c->log_return);
	state_u64(st, &c->bar_seq);
	state_u32(st, &c->revision);
	state_bool(st, &c->here);
	state_bool(st, &c->blind);
	state_bool(st, &c->in_session);
}

/* Loading: member @m is the one of the configuration, or a new one of `all`. */
static void seat(struct state *st, struct universe *u, uint32_t m, uint32_t symbols_max)
{
	struct member saved = {0};

	member_state(st, &saved);
	if (state_bad(st) ||
	    (saved.symbol_id != TIER2_NO_ID && saved.symbol_id >= symbols_max)) {
		state_spoil(st);
		return;
	}
	if (u->up->all)
		universe_add_member(u, saved.symbol,
				    symbol_field_len(saved.symbol, SYMBOL_MAX));
	else if (memcmp(u->members[m].symbol, saved.symbol, SYMBOL_MAX) != 0)
		state_spoil(st);
	u->members[m].symbol_id = saved.symbol_id;
	u->members[m].missing_run = saved.missing_run;
	u->members[m].grid_from = saved.grid_from;
	u->members[m].price_type = saved.price_type;
	u->members[m].state = saved.state;
	u->members[m].grid_ended = saved.grid_ended;
	if (saved.symbol_id != TIER2_NO_ID)
		u->member_of[saved.symbol_id] = m;
}

static void members_state(struct state *st, struct universe *u, uint32_t symbols_max)
{
	uint32_t n = u->n_members;

	state_count(st, &n, u->members_max);
	if (!u->up->all && n != u->n_members)
		state_spoil(st);
	for (uint32_t m = 0; m < n && !state_bad(st); m++) {
		if (state_is_loading(st))
			seat(st, u, m, symbols_max);
		else
			member_state(st, &u->members[m]);
	}
	for (uint32_t r = 0; r < u->n_members && !state_bad(st); r++)
		state_count(st, &u->by_rank[r], u->n_members - 1);
}

static void columns_state(struct state *st, struct universe *u)
{
	state_same(st, u->columns_max);
	state_count(st, &u->n_columns, u->columns_max);
	for (uint32_t i = 0; i < u->n_columns; i++) {
		if (state_is_loading(st))
			u->order[i] = i;
		state_i64(st, &u->end_ns[u->order[i]]);
	}
	for (uint32_t m = 0; m < u->n_members; m++)
		for (uint32_t i = 0; i < u->n_columns && !state_bad(st); i++)
			cell_state(st, universe_cell(u, m, i));
}

void universe_save(struct state *st, struct universe *u, uint32_t symbols_max)
{
	char name[UNIVERSE_MAX];

	memcpy(name, u->up->name, sizeof(name));
	state_bytes(st, name, sizeof(name));
	if (memcmp(name, u->up->name, sizeof(name)) != 0)
		state_spoil(st);
	state_same(st, u->up->timeframe_s);
	state_u64(st, &u->version);
	state_u64(st, &u->chain);
	members_state(st, u, symbols_max);
	columns_state(st, u);
	state_i64(st, &u->log_ns);
	state_i64(st, &u->as_of);
	state_u64(st, &u->as_of_version);
}
