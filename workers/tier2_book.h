/*
 * tier2_book - a log of cut items written by hand, and what tier 2 makes of it when 1,
 * 2 or 4 workers send it in any interleaving.  For the tests of tier2.h alone.
 */
#pragma once
#include "base/hash.h"
#include "workers/tier2.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE  (INT64_C(60) * 1000000000)
#define SECOND  INT64_C(1000000000)
#define SYMBOLS 16
#define BYTES   (8u << 20)

static uint64_t seed = 11; /* each test program has its own */

static inline uint64_t dice(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return seed >> 33;
}

static inline double noise(void)
{
	return (double)(dice() % 2000001) / 1e9 - 1e-3;
}

/* ---- a log of cut items, and what comes out of it ---- */

struct book {
	struct params params;
	struct symtab *symbols;
	struct cut_item *items;
	size_t n;
	uint64_t pos;
};

struct matrix {
	struct event_tier2 e;
	struct tier2_member members[SYMBOLS];
	double triangle[SYMBOLS * (SYMBOLS + 1) / 2];
	bool replay;
};

struct shelf {
	struct matrix *all;
	size_t n, max;
	uint8_t *bytes;
	size_t len;
};

static inline void put(struct shelf *s, const void *data, size_t len)
{
	assert_true(s->len + len <= BYTES);
	memcpy(s->bytes + s->len, data, len);
	s->len += len;
}

static inline void on_matrix(void *arg, const struct event_tier2 *e,
			     const struct tier2_member *members, const double *triangle,
			     bool replay)
{
	struct shelf *s = arg;
	size_t cells = e->n_included * (e->n_included + 1) / 2;
	struct matrix *m;
	uint64_t hash;

	if (s->n == s->max) {
		s->max = s->max ? 2 * s->max : 64;
		s->all = realloc(s->all, s->max * sizeof(*s->all));
		assert_non_null(s->all);
	}
	m = &s->all[s->n++];
	*m = (struct matrix){.e = *e, .replay = replay};
	memcpy(m->members, members, e->n_members * sizeof(*members));
	memcpy(m->triangle, triangle, cells * sizeof(*triangle));
	hash = hash_bytes(HASH_SEED, members, e->n_members * sizeof(*members));
	assert_true(hash_bytes(hash, triangle, cells * sizeof(*triangle)) ==
		    e->content_hash);
	put(s, e, sizeof(*e));
	put(s, members, e->n_members * sizeof(*members));
	put(s, triangle, cells * sizeof(*triangle));
}

static inline struct universe_params *book_open(struct book *b, uint32_t n_symbols)
{
	struct universe_params *up;

	*b = (struct book){0};
	params_default(&b->params);
	assert_int_equal(symtab_new(SYMBOLS, 0, &b->symbols), 0);
	b->items = calloc(400000, sizeof(*b->items));
	assert_non_null(b->items);
	up = &b->params.universes[b->params.n_universes++];
	*up = (struct universe_params){.name = "majors",
				       .timeframe_s = 60,
				       .window = 20,
				       .min_obs = 5,
				       .method = CORR_PEARSON,
				       .price_type = PRICE_AUTO,
				       .lambda = 0.94,
				       .grace_ns = 2 * SECOND,
				       .n_symbols = n_symbols};
	up->symbols = calloc(n_symbols, sizeof(*up->symbols));
	for (uint32_t i = 0; i < n_symbols; i++) {
		uint32_t id;
		int is_new;

		up->symbols[i][0] = 'A' + (char)i;
		assert_int_equal(
			symtab_add(b->symbols, up->symbols[i], 1, &id, &is_new), 0);
	}
	return up;
}

static inline void book_close(struct book *b)
{
	symtab_free(b->symbols);
	params_deinit(&b->params);
	free(b->items);
}

static inline struct cut_item *add(struct book *b, enum cut_type type, uint32_t symbol)
{
	struct cut_item *c = &b->items[b->n++];

	*c = (struct cut_item){.pos = b->pos,
			       .recv_ns = (int64_t)b->pos,
			       .symbol_id = symbol,
			       .timeframe_s = type == CUT_BAR ? 60 : 0,
			       .type = (uint8_t)type};
	return c;
}

static inline struct cut_item *bar(struct book *b, uint32_t symbol, int64_t minute,
				   double r)
{
	struct cut_item *c = add(b, CUT_BAR, symbol);

	c->time_ns = minute * MINUTE;
	c->log_return = r;
	c->bar_seq = (uint64_t)minute;
	c->flags = isnan(r) ? BAR_IS_MISSING : BAR_VALID;
	c->state = isnan(r) ? BAR_QUIET : BAR_TRADED;
	return c;
}

static inline void time_is(struct book *b, int64_t ns)
{
	b->pos++;
	add(b, CUT_TIME, 0)->time_ns = ns;
}

static inline void state_is(struct book *b, uint32_t symbol, enum symbol_state state)
{
	b->pos++;
	add(b, CUT_SYMBOL, symbol)->state = (uint8_t)state;
}

/* One bar of each of @n symbols, each at a position of its own. */
static inline void round_of(struct book *b, uint32_t n, int64_t minute)
{
	for (uint32_t i = 0; i < n; i++) {
		b->pos++;
		bar(b, i, minute, noise());
	}
}

/* Feed the book as @workers would: marks every few positions, seeded interleaving. */
static inline struct shelf run(struct book *b, uint32_t workers, uint64_t shuffle)
{
	const struct tier2_env env = {&b->params, b->symbols, workers, SYMBOLS};
	struct shelf s = {.bytes = malloc(BYTES)};
	const struct tier2_sink sink = {.arg = &s, .matrix = on_matrix};
	struct cut_item *line[4] = {0};
	size_t n[4] = {0}, fed[4] = {0};
	struct tier2 *t;
	uint64_t keep = seed;
	bool more = true;

	seed = shuffle;
	assert_int_equal(tier2_new(&env, &sink, &t), 0);
	for (uint32_t w = 0; w < workers; w++)
		line[w] = calloc(2 * b->n + 2, sizeof(**line));
	for (size_t i = 0; i < b->n; i++) {
		const struct cut_item *c = &b->items[i];
		bool mark = i + 1 == b->n ||
			    (b->items[i + 1].pos != c->pos && dice() % 7 == 0);

		for (uint32_t w = 0; w < workers; w++) {
			if (c->type == CUT_TIME || c->symbol_id % workers == w)
				line[w][n[w]++] = *c;
			if (mark)
				line[w][n[w]++] = (struct cut_item){
					.pos = c->pos, .type = CUT_PROGRESS};
		}
	}
	while (more) {
		uint32_t w = (uint32_t)(dice() % workers);
		size_t some = dice() % 9;

		some = some < n[w] - fed[w] ? some : n[w] - fed[w];
		assert_int_equal(tier2_feed(t, w, line[w] + fed[w], some), 0);
		fed[w] += some;
		tier2_step(t, dice() % 5);
		more = false;
		for (uint32_t k = 0; k < workers; k++)
			more = more || fed[k] < n[k];
	}
	while (tier2_step(t, 100) > 0)
		;
	assert_int_equal(tier2_held(t), 0);
	assert_int_equal(tier2_counts(t)->versions, s.n);
	tier2_free(t);
	for (uint32_t w = 0; w < workers; w++)
		free(line[w]);
	seed = keep;
	return s;
}

static inline void shelf_free(struct shelf *s)
{
	free(s->all);
	free(s->bytes);
}

/* The versions of the book, after checking that no interleaving changes a byte. */
static inline struct shelf versions_of(struct book *b)
{
	struct shelf one = run(b, 1, 1);

	for (uint64_t i = 0; i < 12; i++) {
		static const uint32_t workers[] = {1, 2, 4};
		struct shelf other = run(b, workers[i % 3], 100 + i);

		assert_int_equal(other.n, one.n);
		assert_int_equal(other.len, one.len);
		assert_memory_equal(other.bytes, one.bytes, one.len);
		shelf_free(&other);
	}
	for (size_t i = 0; i < one.n; i++)
		assert_int_equal(one.all[i].e.head.seq, i + 1);
	return one;
}

static inline const struct matrix *last(const struct shelf *s)
{
	assert_true(s->n > 0);
	return &s->all[s->n - 1];
}
