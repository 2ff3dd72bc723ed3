/* universe - see universe.h. */
#include "workers/universe.h"
#include "base/err.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)
/* Grid times between a T and the grace of its matrix, at most; see columns_for(). */
#define PENDING_MAX 256

uint32_t universe_rows_max(const struct universe_params *up)
{
	return up->all ? up->n_max : up->n_symbols;
}

/*
 * Beside the window there must be room for the grid times that wait for their
 * grace: they lie within `grace` of each other.  Twice as many, because grids that
 * begin at a session's open may lie between the others.
 */
static uint32_t columns_for(const struct universe_params *up)
{
	int64_t step_ns = (int64_t)up->timeframe_s * NS_PER_S;
	int64_t waiting = 2 * (up->grace_ns / step_ns + 2);

	return up->window + (uint32_t)(waiting < PENDING_MAX ? waiting : PENDING_MAX);
}

void universe_add_member(struct universe *u, const char *symbol, size_t len)
{
	struct member *m = &u->members[u->n_members];
	const struct symbol_params *sp;

	*m = (struct member){.symbol_id = TIER2_NO_ID,
			     .grid_from = INT64_MAX,
			     .price_type = PRICE_AUTO};
	memcpy(m->symbol, symbol, len);
	sp = params_symbol(u->params, m->symbol);
	session_init(&m->session, sp);
	grid_init(&m->grid, sp, &m->session, u->up->timeframe_s);
	u->by_rank[u->n_members] = u->n_members;
	u->n_members++;
}

int universe_init(struct universe *u, const struct params *params,
		  const struct universe_params *up, uint32_t symbols_max)
{
	size_t rows = universe_rows_max(up), columns = columns_for(up);

	*u = (struct universe){.up = up,
			       .params = params,
			       .members_max = (uint32_t)rows,
			       .columns_max = (uint32_t)columns,
			       .log_ns = INT64_MIN,
			       .as_of = INT64_MIN};
	u->members = calloc(rows + 1, sizeof(*u->members));
	u->by_rank = calloc(rows + 1, sizeof(*u->by_rank));
	u->member_of = malloc(((size_t)symbols_max + 1) * sizeof(*u->member_of));
	u->end_ns = calloc(columns, sizeof(*u->end_ns));
	u->order = calloc(columns, sizeof(*u->order));
	u->cells = calloc((rows + 1) * columns, sizeof(*u->cells));
	if (!u->members || !u->by_rank || !u->member_of || !u->end_ns || !u->order ||
	    !u->cells) {
		universe_deinit(u);
		return err_set(
			-ENOMEM,
			"out of memory for universe '%.*s': %zu symbols, %zu bars",
			UNIVERSE_MAX, up->name, rows, columns);
	}
	memset(u->member_of, 0xff, ((size_t)symbols_max + 1) * sizeof(*u->member_of));
	for (uint32_t i = 0; !up->all && i < up->n_symbols; i++)
		universe_add_member(u, up->symbols[i],
				    symbol_field_len(up->symbols[i], SYMBOL_MAX));
	return 0;
}

void universe_deinit(struct universe *u)
{
	free(u->members);
	free(u->by_rank);
	free(u->member_of);
	free(u->end_ns);
	free(u->order);
	free(u->cells);
	*u = (struct universe){0};
}

/* ---- columns: where ---- */

/* The first column at or after @ns. */
static uint32_t column_at(const struct universe *u, int64_t ns)
{
	uint32_t low = 0, high = u->n_columns;

	/* Nearly always the newest. */
	if (high > 0 && u->end_ns[u->order[high - 1]] < ns)
		return high;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (u->end_ns[u->order[mid]] < ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* ---- members ---- */

void universe_meet(struct universe *u, uint32_t symbol_id, const char *symbol)
{
	size_t len = symbol_field_len(symbol, SYMBOL_MAX);

	if (u->up->all || u->member_of[symbol_id] != TIER2_NO_ID)
		return;
	for (uint32_t m = 0; m < u->n_members; m++) {
		struct member *at = &u->members[m];

		if (symbol_field_len(at->symbol, SYMBOL_MAX) != len ||
		    memcmp(at->symbol, symbol, len) != 0)
			continue;
		at->symbol_id = symbol_id;
		u->member_of[symbol_id] = m;
		return;
	}
}

/* Universe `all` is published in order of symbol id. */
static void rank_by_id(struct universe *u, uint32_t m)
{
	uint32_t at = u->n_members - 1;

	for (; at > 0; at--) {
		if (u->members[u->by_rank[at - 1]].symbol_id < u->members[m].symbol_id)
			break;
		u->by_rank[at] = u->by_rank[at - 1];
	}
	u->by_rank[at] = m;
}

/* Is a bar that ends at @ns one of the member's grid? */
static bool may_end(struct member *m, int64_t ns)
{
	int64_t from = ns - m->grid.step_ns;

	if (!m->session.on)
		return grid_at(&m->grid, ns - 1).end_ns == ns;
	if (session_holds(&m->session, ns - 1))
		return grid_at(&m->grid, ns - 1).end_ns == ns;
	/* A whole bar that touches a session may end outside of it. */
	while (from < ns) {
		struct span open = session_from(&m->session, from);
		int64_t inside = open.start_ns > from ? open.start_ns : from;

		if (inside >= ns)
			return false;
		if (grid_at(&m->grid, inside).end_ns == ns)
			return true;
		from = open.end_ns;
	}
	return false;
}

static struct cell empty_cell(struct universe *u, uint32_t m, int64_t ns)
{
	return (struct cell){.log_return = __builtin_nan(""),
			     .in_session = may_end(&u->members[m], ns)};
}

/* A symbol that was killed before it had a bar is still killed when it joins. */
static void join(struct universe *u, const struct cut_item *bar, const char *symbol)
{
	uint32_t m = u->n_members, symbol_id = bar->symbol_id;

	universe_add_member(u, symbol, symbol_field_len(symbol, SYMBOL_MAX));
	u->members[m].symbol_id = symbol_id;
	u->members[m].state = bar->frozen;
	u->member_of[symbol_id] = m;
	rank_by_id(u, m);
	for (uint32_t i = 0; i < u->n_columns; i++)
		*universe_cell(u, m, i) = empty_cell(u, m, u->end_ns[u->order[i]]);
}

static bool series_fits(const struct universe *u, const struct member *m,
			uint8_t price_type)
{
	if (u->up->price_type != PRICE_AUTO)
		return price_type == u->up->price_type;
	if (m != NULL && m->price_type != PRICE_AUTO)
		return price_type == m->price_type;
	return price_type == PRICE_LAST || price_type == PRICE_MID;
}

bool universe_takes(struct universe *u, const struct cut_item *bar, const char *symbol,
		    struct tier2_counts *counts)
{
	uint32_t m = u->member_of[bar->symbol_id];

	if (bar->timeframe_s != u->up->timeframe_s)
		return false;
	if (m != TIER2_NO_ID)
		return series_fits(u, &u->members[m], bar->price_type);
	if (!u->up->all || !series_fits(u, NULL, bar->price_type))
		return false;
	if (u->n_members == u->members_max) {
		counts->refused++;
		return false;
	}
	join(u, bar, symbol);
	return true;
}

/* Until its next first bar nothing is expected of the member. */
static void end_grid(struct member *m)
{
	m->grid_from = INT64_MAX;
	m->grid_ended = true;
	m->missing_run = 0;
}

/* Its bars go on, so that with the release the newest matrix can have it again. */
static void freeze_member(struct universe *u, uint32_t at, enum symbol_state state)
{
	struct member *m = &u->members[at];
	const struct cell *c;

	m->state = (uint8_t)(state == SYMBOL_RELEASED ? SYMBOL_LIVE : state);
	if (state != SYMBOL_RELEASED || u->as_of == INT64_MIN)
		return;
	c = universe_cell(u, at, column_at(u, u->as_of));
	if (c->here && !c->blind && !(u->changed && u->change_symbol <= m->symbol_id)) {
		u->changed = true;
		u->change_symbol = m->symbol_id;
		u->change_cause = CAUSE_BACKFILL;
	}
}

void universe_state(struct universe *u, uint32_t symbol_id, enum symbol_state state)
{
	uint32_t at = u->member_of[symbol_id];
	struct member *m = &u->members[at];

	if (at == TIER2_NO_ID)
		return;
	if (state == SYMBOL_KILLED || state == SYMBOL_QUARANTINED ||
	    state == SYMBOL_RELEASED) {
		freeze_member(u, at, state);
		return;
	}
	if (state == SYMBOL_LIVE && m->state == SYMBOL_LIVE)
		return; /* first sight */
	if (state != SYMBOL_LIVE && state != SYMBOL_PAUSED && state != SYMBOL_FAULT &&
	    state != SYMBOL_GAP)
		return; /* its bars go on and say how it stands */
	if (state != SYMBOL_GAP)
		m->state = (uint8_t)state;
	end_grid(m);
}

/* A bar tells where the member's grid begins and when it has ended. */
static void follow_grid(const struct universe *u, struct member *m,
			const struct cut_item *bar)
{
	m->price_type = bar->price_type;
	if (bar->revision > 0)
		return;
	if (m->grid_from == INT64_MAX) {
		m->grid_from = bar->time_ns;
		m->grid_ended = false;
	}
	m->missing_run = bar->flags & BAR_IS_MISSING ? m->missing_run + 1 : 0;
	if (m->missing_run >= u->params->bars.missing_run_max)
		end_grid(m);
}

bool universe_is_live(const struct universe *u, uint32_t m, uint32_t at)
{
	const struct member *who = &u->members[m];

	return who->state == SYMBOL_LIVE && who->grid_from <= u->end_ns[u->order[at]] &&
	       universe_cell(u, m, at)->in_session;
}

/* ---- columns ---- */

static void clear_column(struct universe *u, uint32_t column, int64_t ns)
{
	u->end_ns[column] = ns;
	for (uint32_t m = 0; m < u->n_members; m++)
		u->cells[(size_t)m * u->columns_max + column] = empty_cell(u, m, ns);
}

/* Put @ns before order[@at]; a full window loses its oldest column for it. */
static void insert_column(struct universe *u, uint32_t at, int64_t ns)
{
	uint32_t column;

	if (u->n_columns < u->columns_max) {
		column = u->n_columns;
		memmove(&u->order[at + 1], &u->order[at],
			(u->n_columns - at) * sizeof(*u->order));
		u->n_columns++;
	} else {
		column = u->order[0];
		at--;
		memmove(&u->order[0], &u->order[1], at * sizeof(*u->order));
	}
	u->order[at] = column;
	clear_column(u, column, ns);
}

void universe_time(struct universe *u, int64_t ns)
{
	u->log_ns = ns > u->log_ns ? ns : u->log_ns;
}

static bool same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* Does it matter to the matrix of as_of that @now became of @was, at @ns? */
static bool matters(const struct universe *u, uint32_t m, int64_t ns,
		    const struct cell *was, const struct cell *now)
{
	uint32_t newest = column_at(u, u->as_of);
	uint32_t at = column_at(u, ns);

	if (ns > u->as_of || u->as_of == INT64_MIN ||
	    u->members[m].state != SYMBOL_LIVE)
		return false;
	if (ns == u->as_of)
		return !was->here || was->blind != now->blind ||
		       !same_bits(was->log_return, now->log_return);
	/* Without a bar at as_of (or with a BLIND one) the member has no row there. */
	if (!universe_cell(u, m, newest)->here || universe_cell(u, m, newest)->blind)
		return false;
	return newest - at < u->up->window &&
	       !same_bits(was->log_return, now->log_return);
}

/* Of several changes at one position the smallest symbol id names the cause. */
static void note_change(struct universe *u, const struct cut_item *bar)
{
	if (u->changed && u->change_symbol <= bar->symbol_id)
		return;
	u->changed = true;
	u->change_symbol = bar->symbol_id;
	u->change_cause = bar->cause;
}

void universe_bar(struct universe *u, const struct cut_item *bar,
		  struct tier2_counts *counts)
{
	uint32_t m = u->member_of[bar->symbol_id];
	uint32_t at = column_at(u, bar->time_ns);
	struct cell was, *cell;

	follow_grid(u, &u->members[m], bar);
	if (at == u->n_columns || u->end_ns[u->order[at]] != bar->time_ns) {
		if (at == 0 && u->n_columns == u->columns_max) {
			counts->too_old++;
			return;
		}
		insert_column(u, at, bar->time_ns);
		at = column_at(u, bar->time_ns);
	}
	cell = universe_cell(u, m, at);
	was = *cell;
	cell->here = true;
	cell->blind = bar->state == BAR_BLIND;
	cell->log_return = cell->blind ? __builtin_nan("") : bar->log_return;
	cell->bar_seq = bar->bar_seq;
	cell->revision = bar->revision;
	if (matters(u, m, bar->time_ns, &was, cell))
		note_change(u, bar);
}

/* ---- decisions ---- */

static bool is_complete(const struct universe *u, uint32_t at)
{
	for (uint32_t m = 0; m < u->n_members; m++)
		if (!universe_cell(u, m, at)->here && universe_is_live(u, m, at))
			return false;
	return true;
}

static bool is_due(const struct universe *u, uint32_t at)
{
	int64_t deadline =
		u->end_ns[u->order[at]] + u->params->bars.grace_ns + u->up->grace_ns;

	/* A window without room must not wait. */
	return u->log_ns >= deadline ||
	       u->n_columns - at > u->columns_max - u->up->window;
}

void universe_decide(struct universe *u, int64_t until, const struct moment *now,
		     struct workshop *shop)
{
	uint32_t at = u->as_of == INT64_MIN ? 0 : column_at(u, u->as_of + 1);

	for (; at < u->n_columns && u->end_ns[u->order[at]] <= until; at++) {
		if (!is_complete(u, at) && !is_due(u, at))
			return;
		u->as_of = u->end_ns[u->order[at]];
		u->as_of_version = 0;
		u->changed = false;
		universe_publish(u, at, now, shop);
	}
}

void universe_revise(struct universe *u, const struct moment *now,
		     struct workshop *shop)
{
	if (!u->changed)
		return;
	universe_publish(u, column_at(u, u->as_of), now, shop);
	u->changed = false;
}
