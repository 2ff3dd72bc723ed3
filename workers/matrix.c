/*
 * matrix - from a universe's column to a published matrix (universe.h).
 *
 * Members with a usable bar T become rows of corr; everybody else gets a reason.
 */
#include "base/hash.h"
#include "workers/universe.h"
#include <math.h>
#include <string.h>

#define NO_DOUBLE __builtin_nan("")

/* The columns of T's window: [first, at]. */
static uint32_t first_column(const struct universe *u, uint32_t at)
{
	return at + 1 > u->up->window ? at + 1 - u->up->window : 0;
}

static uint32_t count_returns(const struct universe *u, uint32_t m, uint32_t first,
			      uint32_t at)
{
	uint32_t n = 0;

	for (uint32_t i = first; i <= at; i++)
		n += universe_cell(u, m, i)->log_return ==
		     universe_cell(u, m, i)->log_return;
	return n;
}

static enum tier2_reason reason_of(const struct universe *u, uint32_t m, uint32_t at)
{
	const struct member *who = &u->members[m];
	const struct cell *c = universe_cell(u, m, at);

	if (who->state == SYMBOL_PAUSED || who->state == SYMBOL_QUARANTINED)
		return TIER2_QUARANTINED;
	if (who->state == SYMBOL_FAULT || who->state == SYMBOL_KILLED)
		return TIER2_KILLED;
	if (c->here)
		return c->blind ? TIER2_BLIND : TIER2_INCLUDED;
	if (universe_is_live(u, m, at))
		return TIER2_LAGGING;
	if (who->grid_ended)
		return TIER2_BLIND;
	return who->grid_from > u->end_ns[u->order[at]] ? TIER2_SHORT_HISTORY
							: TIER2_BLIND;
}

/* Fill shop->out and corr's rows; returns how many rows. */
static uint32_t gather(const struct universe *u, uint32_t at, struct workshop *shop)
{
	uint32_t first = first_column(u, at), rows = 0;

	for (uint32_t r = 0; r < u->n_members; r++) {
		uint32_t m = u->by_rank[r];
		const struct cell *c = universe_cell(u, m, at);
		struct tier2_member *out = &shop->out[r];
		double *row;

		*out = (struct tier2_member){.bar_seq = c->here ? c->bar_seq : 0,
					     .bar_revision = c->here ? c->revision : 0,
					     .symbol_id = u->members[m].symbol_id,
					     .reason = (uint8_t)reason_of(u, m, at)};
		memcpy(out->symbol, u->members[m].symbol, SYMBOL_MAX);
		if (out->reason != TIER2_INCLUDED) {
			out->n_obs = count_returns(u, m, first, at);
			continue;
		}
		row = corr_row(shop->corr, rows);
		for (uint32_t i = first; i <= at; i++)
			row[i - first] = universe_cell(u, m, i)->log_return;
		shop->row_of[rows++] = r;
	}
	return rows;
}

static void correlate(const struct universe *u, uint32_t rows, uint32_t columns,
		      struct workshop *shop, struct corr_result *out)
{
	const struct corr_spec spec = {.method = (enum corr_method)u->up->method,
				       .lambda = u->up->lambda,
				       .min_obs = u->up->min_obs};

	corr_run(shop->corr, &spec, rows, columns, shop->triangle, out);
	for (uint32_t i = 0; i < rows; i++) {
		struct tier2_member *m = &shop->out[shop->row_of[i]];

		m->n_obs = out->n_obs[i];
		if (out->fate[i] == CORR_SHORT)
			m->reason = TIER2_SHORT_HISTORY;
		else if (out->fate[i] == CORR_FLAT)
			m->reason = TIER2_ZERO_VARIANCE;
	}
}

/* Too large for eigenvalues: the matrix in which holes count as the mean. */
static void replace(struct workshop *shop, uint32_t n, struct event_tier2 *e)
{
	size_t cells = (size_t)n * (n + 1) / 2;
	double shift = 0;

	memcpy(shop->spare, shop->triangle, cells * sizeof(double));
	corr_run_own(shop->corr, shop->triangle);
	for (size_t i = 0; i < cells; i++) {
		double d = shop->triangle[i] - shop->spare[i];

		shift += 2 * (d * d); /* the diagonal has not moved */
	}
	e->psd_repaired = 1;
	e->frobenius_shift = sqrt(shift);
	shop->counts.repaired++;
}

/* Without holes the matrix is positive semidefinite: a large one is not examined. */
static void examine(struct workshop *shop, const struct corr_result *r,
		    struct event_tier2 *e)
{
	struct eigen_repair repair;

	e->eigen_min = NO_DOUBLE;
	if (r->n_kept > TIER2_EIGEN_ROWS &&
	    (r->complete || eigen_is_psd(shop->eigen, shop->triangle, r->n_kept)))
		return;
	if (r->n_kept > TIER2_REPAIR_ROWS) {
		replace(shop, r->n_kept, e);
		return;
	}
	if (eigen_repair(shop->eigen, shop->triangle, r->n_kept, &repair) != 0) {
		shop->counts.unrepaired++;
		return;
	}
	e->eigen_min = repair.eigen_min;
	e->psd_repaired = repair.repaired;
	e->frobenius_shift = repair.frobenius_shift;
	shop->counts.repaired += repair.repaired;
}

static uint64_t hash_universe(const struct universe *u)
{
	const struct universe_params *up = u->up;
	double lambda = up->method == CORR_EWMA ? up->lambda : 0;
	uint32_t numbers[] = {up->timeframe_s, up->window, up->min_obs, up->method,
			      up->price_type};
	uint64_t h = hash_bytes(HASH_SEED, up->name,
				symbol_field_len(up->name, UNIVERSE_MAX));

	h = hash_bytes(h, numbers, sizeof(numbers));
	h = hash_bytes(h, &lambda, sizeof(lambda));
	for (uint32_t r = 0; r < u->n_members; r++)
		h = hash_bytes(h, u->members[u->by_rank[r]].symbol, SYMBOL_MAX);
	return h;
}

static uint8_t status_of(const struct universe *u, const struct tier2_member *members)
{
	for (uint32_t r = 0; r < u->n_members; r++)
		if (members[r].reason == TIER2_LAGGING)
			return TIER2_PROVISIONAL;
	return TIER2_FINAL;
}

static void describe(const struct universe *u, uint32_t at, const struct moment *now,
		     uint32_t n_included, struct event_tier2 *e)
{
	const struct universe_params *up = u->up;

	*e = (struct event_tier2){
		.head = {.seq = u->version + 1,
			 .pos = now->pos,
			 .event_ns = u->end_ns[u->order[at]],
			 .recv_ns = now->recv_ns},
		.supersedes = u->as_of_version,
		.universe_hash = hash_universe(u),
		.lambda = up->method == CORR_EWMA ? up->lambda : NO_DOUBLE,
		.timeframe_s = up->timeframe_s,
		.window = up->window,
		.n_members = u->n_members,
		.n_included = n_included,
		.schema_version = TIER2_SCHEMA_VERSION,
		.method = up->method,
		.price_type = up->price_type,
		.cause = u->as_of_version > 0 ? u->change_cause : (uint8_t)CAUSE_FIRST,
	};
	memcpy(e->universe, up->name, symbol_field_len(up->name, UNIVERSE_MAX));
}

void universe_publish(struct universe *u, uint32_t at, const struct moment *now,
		      struct workshop *shop)
{
	uint32_t rows = gather(u, at, shop);
	size_t cells;
	struct corr_result r;
	struct event_tier2 e;

	correlate(u, rows, at - first_column(u, at) + 1, shop, &r);
	if (r.n_kept < 2) {
		shop->counts.too_small++;
		return;
	}
	describe(u, at, now, r.n_kept, &e);
	examine(shop, &r, &e);
	e.status = status_of(u, shop->out);
	cells = (size_t)r.n_kept * (r.n_kept + 1) / 2;
	e.content_hash =
		hash_bytes(HASH_SEED, shop->out, u->n_members * sizeof(*shop->out));
	e.content_hash =
		hash_bytes(e.content_hash, shop->triangle, cells * sizeof(double));

	event_chain(EVENT_TIER2, &e, &u->chain);

	shop->counts.versions++;
	shop->counts.provisional += e.status == TIER2_PROVISIONAL;
	shop->counts.superseding += e.supersedes > 0;
	u->version = e.head.seq;
	u->as_of_version = e.head.seq;
	shop->sink.matrix(shop->sink.arg, &e, shop->out, shop->triangle, now->replay);
}
