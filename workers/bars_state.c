/*
 * bars_state - everything a symbol's normaliser must remember, saved or loaded
 * (base/state.h).  What is left out is either a function of the configuration, or of
 * what is saved (due times), or a counter of this process.
 *
 * Adding a field to one of these structures: add its line here and raise
 * SNAPSHOT_VERSION (workers/shard_state.h).
 */
#include "base/state.h"
#include "workers/bars_parts.h"
#include <stdlib.h>

/* More slots than this are never open: a series ends its grid long before. */
#define SLOTS_MAX (1u << 22)

_Static_assert(sizeof(struct past) == 48 && sizeof(struct tick_key) == 24,
	       "saved as it lies in memory: no padding");

static void key_state(struct state *st, struct tick_key *k)
{
	state_bytes(st, k, sizeof(*k));
}

static void past_state(struct state *st, struct past *p)
{
	state_bytes(st, p, sizeof(*p));
}

/* Oldest first, whatever the turn of the ring. */
static void history_state(struct state *st, struct history *h)
{
	uint32_t cap = h->cap, held = history_held(h);

	state_u64(st, &h->n);
	state_count(st, &cap, h->max);
	if (state_is_loading(st)) {
		if ((cap & (cap - 1)) != 0 || (cap == 0 && h->n > 0))
			state_spoil(st);
		free(h->slot);
		h->slot = state_bad(st) || cap == 0 ? NULL
						    : malloc(cap * sizeof(*h->slot));
		h->cap = h->slot != NULL ? cap : 0;
		if (cap > 0 && h->slot == NULL)
			state_spoil(st);
		held = history_held(h);
	}
	for (uint32_t i = 0, run; i < held && !state_bad(st); i += run) {
		uint32_t at = (uint32_t)(h->n - held + i) & (h->cap - 1);

		run = h->cap - at < held - i ? h->cap - at : held - i;
		state_bytes(st, &h->slot[at], run * sizeof(*h->slot));
	}
}

static void span_state(struct state *st, struct span *s)
{
	state_i64(st, &s->start_ns);
	state_i64(st, &s->end_ns);
}

static void clean_state(struct state *st, struct clean *c)
{
	for (unsigned i = 0; i < CLEAN_WINDOW; i++)
		state_f64(st, &c->returns[i]);
	state_f64(st, &c->last_close);
	state_f64(st, &c->before_close);
	state_f64(st, &c->range_mean);
	state_u64(st, &c->n_closes);
	state_bool(st, &c->begun);
	state_bool(st, &c->before_sound);
	state_bool(st, &c->before_valid);
	state_bool(st, &c->range_begun);
}

static void spread_state(struct state *st, struct spread *s)
{
	state_u64(st, &s->n);
	if (s->n == 0)
		return; /* nothing else is set */
	state_i128(st, &s->gap);
	state_i128(st, &s->both);
	past_state(st, &s->first);
	past_state(st, &s->last);
	state_u64(st, &s->first_pos);
	state_u64(st, &s->n_crossed);
}

static void edge_state(struct state *st, struct slot_edge *e)
{
	key_state(st, &e->key);
	state_i64(st, &e->price_e9);
}

static void said_state(struct state *st, struct slot_said *s)
{
	state_f64(st, &s->clean.log_return_1);
	state_f64(st, &s->clean.spread_estimate);
	state_u8(st, &s->clean.spread_method);
	state_u8(st, &s->clean.outlier_reason);
	state_bool(st, &s->clean.outlier);
	state_bool(st, &s->clean.valid);
	state_u8(st, &s->state);
}

static void slot_state(struct state *st, struct slot *s)
{
	span_state(st, &s->span);
	state_bool(st, &s->emitted);
	state_bool(st, &s->dirty);
	state_bool(st, &s->partial);
	state_bool(st, &s->hole);
	state_bool(st, &s->halted);
	state_bool(st, &s->crossed);
	state_u16(st, &s->late_ticks);
	state_u16(st, &s->source_id);
	state_u32(st, &s->n_last);
	state_u32(st, &s->n_range);
	state_u32(st, &s->revision);
	state_i64(st, &s->high_e9);
	state_i64(st, &s->low_e9);
	edge_state(st, &s->open);
	edge_state(st, &s->close);
	state_u64(st, &s->n_counted);
	state_u64(st, &s->n_ticks);
	state_u64(st, &s->first_pos);
	state_u64(st, &s->last_pos);
	state_i64(st, &s->newest_ns);
	state_i128(st, &s->volume);
	state_i128(st, &s->notional_upper);
	state_u128(st, &s->notional_lower);
	said_state(st, &s->said);
	spread_state(st, &s->spread);
}

/* Loading: room for @n slots, a power of two as series.c keeps it. */
static void make_slots(struct state *st, struct series *s, uint32_t n)
{
	uint32_t cap = 2;

	while (cap < n)
		cap *= 2;
	free(s->slots);
	s->slots = n > 0 ? calloc(cap, sizeof(*s->slots)) : NULL;
	s->cap = s->slots != NULL ? cap : 0;
	s->first = 0;
	s->n = s->slots != NULL ? n : 0;
	if (s->n != n)
		state_spoil(st);
}

static void series_state(struct state *st, struct series *s)
{
	uint32_t n = s->n;

	state_bool(st, &s->begun);
	state_bool(st, &s->dormant);
	state_u32(st, &s->missing_run);
	span_state(st, &s->next);
	clean_state(st, &s->base);
	clean_state(st, &s->tip);
	state_i64(st, &s->due_ns);
	state_count(st, &n, SLOTS_MAX);
	state_count(st, &s->n_emitted, n);
	if (state_is_loading(st))
		make_slots(st, s, n);
	for (uint32_t i = 0; i < s->n && !state_bad(st); i++)
		slot_state(st, &s->slots[(s->first + i) & (s->cap - 1)]);
	if (state_is_loading(st))
		s->head = s->n > 0 ? &s->slots[s->n - 1] : NULL;
}

static void amends_state(struct state *st, struct amends *t)
{
	state_count(st, &t->n, AMENDS_MAX);
	if (state_is_loading(st) && t->n > 0 && t->v == NULL) {
		t->v = calloc(AMENDS_MAX, sizeof(*t->v));
		if (t->v == NULL) {
			t->n = 0;
			state_spoil(st);
		}
	}
	for (uint32_t i = 0; i < t->n; i++) {
		struct amend *a = &t->v[i];

		key_state(st, &a->key);
		state_u64(st, &a->ref_seq);
		state_u64(st, &a->root_seq);
		state_i64(st, &a->price_e9);
		state_i64(st, &a->size_e8);
		state_u16(st, &a->source_id);
		state_bool(st, &a->cancels);
		state_bool(st, &a->matched);
	}
}

static bool has_timeframe(const struct symbol_params *sp, uint32_t timeframe_s)
{
	for (uint32_t i = 0; i < sp->n_timeframes; i++)
		if (sp->timeframes_s[i] == timeframe_s)
			return true;
	return false;
}

/* A symbol that has decided on its price type may have fewer series than at first. */
static void all_series_state(struct state *st, struct bars *b)
{
	uint32_t n = b->n_series;

	state_count(st, &n, b->n_series);
	for (uint32_t i = n; i < b->n_series; i++)
		series_deinit(&b->series[i]);
	b->n_series = n;
	for (uint32_t i = 0; i < n && !state_bad(st); i++) {
		struct series *s = &b->series[i];

		state_u32(st, &s->timeframe_s);
		state_u8(st, &s->price_type);
		if (!has_timeframe(b->env.sp, s->timeframe_s) ||
		    s->price_type > PRICE_AUTO)
			state_spoil(st);
		else if (state_is_loading(st))
			series_init(s, b->env.sp, &b->session, s->timeframe_s,
				    s->price_type);
		series_state(st, s);
	}
}

void bars_state(struct state *st, struct bars *b)
{
	struct series_env *env = &b->env;

	if (!state_is_loading(st))
		bars_pool_close(b); /* exact: sums do not care how they are grouped */
	state_i64(st, &env->log_ns);
	state_u16(st, &env->source_id);
	state_bool(st, &env->halted);
	state_bool(st, &env->faulted);
	state_u64(st, &env->status_seq);
	state_u16(st, &b->source_id);
	key_state(st, &b->last_quote);
	state_i64(st, &b->due_ns);
	history_state(st, &env->trades);
	history_state(st, &env->quotes);
	amends_state(st, &b->amends);
	all_series_state(st, b);
	if (b->arbiter != NULL)
		arbiter_state(st, b->arbiter);
	if (state_is_loading(st))
		bars_note_wants(b);
}
