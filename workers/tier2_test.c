/*
 * Tests of tier2.h: small logs of cut items, written by hand or by a seeded generator,
 * fed as 1, 2 and 4 workers would send them.
 */
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

static uint64_t seed = 11;

static uint64_t dice(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return seed >> 33;
}

static double noise(void)
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

static void put(struct shelf *s, const void *data, size_t len)
{
	assert_true(s->len + len <= BYTES);
	memcpy(s->bytes + s->len, data, len);
	s->len += len;
}

static void on_matrix(void *arg, const struct event_tier2 *e,
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

static struct universe_params *book_open(struct book *b, uint32_t n_symbols)
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

static void book_close(struct book *b)
{
	symtab_free(b->symbols);
	params_deinit(&b->params);
	free(b->items);
}

static struct cut_item *add(struct book *b, enum cut_type type, uint32_t symbol)
{
	struct cut_item *c = &b->items[b->n++];

	*c = (struct cut_item){.pos = b->pos,
			       .recv_ns = (int64_t)b->pos,
			       .symbol_id = symbol,
			       .timeframe_s = type == CUT_BAR ? 60 : 0,
			       .type = (uint8_t)type};
	return c;
}

static struct cut_item *bar(struct book *b, uint32_t symbol, int64_t minute, double r)
{
	struct cut_item *c = add(b, CUT_BAR, symbol);

	c->time_ns = minute * MINUTE;
	c->log_return = r;
	c->bar_seq = (uint64_t)minute;
	c->flags = isnan(r) ? BAR_IS_MISSING : BAR_VALID;
	c->state = isnan(r) ? BAR_QUIET : BAR_TRADED;
	return c;
}

static void time_is(struct book *b, int64_t ns)
{
	b->pos++;
	add(b, CUT_TIME, 0)->time_ns = ns;
}

static void state_is(struct book *b, uint32_t symbol, enum symbol_state state)
{
	b->pos++;
	add(b, CUT_SYMBOL, symbol)->state = (uint8_t)state;
}

/* One bar of each of @n symbols, each at a position of its own. */
static void round_of(struct book *b, uint32_t n, int64_t minute)
{
	for (uint32_t i = 0; i < n; i++) {
		b->pos++;
		bar(b, i, minute, noise());
	}
}

/* Feed the book as @workers would: marks every few positions, seeded interleaving. */
static struct shelf run(struct book *b, uint32_t workers, uint64_t shuffle)
{
	const struct tier2_env env = {&b->params, b->symbols, workers, SYMBOLS};
	struct shelf s = {.bytes = malloc(BYTES)};
	const struct tier2_sink sink = {&s, on_matrix};
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

static void shelf_free(struct shelf *s)
{
	free(s->all);
	free(s->bytes);
}

/* The versions of the book, after checking that no interleaving changes a byte. */
static struct shelf versions_of(struct book *b)
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

static const struct matrix *last(const struct shelf *s)
{
	assert_true(s->n > 0);
	return &s->all[s->n - 1];
}

/* ---- the tests ---- */

static void every_minute_with_all_bars_is_one_final_version(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 4);
	for (int64_t t = 1; t <= 10; t++)
		round_of(&b, 4, t);
	s = versions_of(&b);
	/* min_obs is 5: the first four minutes have no coefficient. */
	assert_int_equal(s.n, 6);
	for (size_t i = 0; i < s.n; i++) {
		const struct matrix *m = &s.all[i];

		assert_int_equal(m->e.head.event_ns, (int64_t)(i + 5) * MINUTE);
		assert_int_equal(m->e.head.pos, (i + 5) * 4);
		assert_int_equal(m->e.status, TIER2_FINAL);
		assert_int_equal(m->e.supersedes, 0);
		assert_int_equal(m->e.n_members, 4);
		assert_int_equal(m->e.n_included, 4);
		assert_int_equal(m->members[2].n_obs, i + 5);
		assert_int_equal(m->members[2].bar_seq, i + 5);
		assert_string_equal(m->members[2].symbol, "C");
		assert_true(m->e.eigen_min > -1e-9 && m->e.eigen_min <= 1);
		assert_int_equal(m->e.psd_repaired, 0);
		assert_true(isnan(m->e.lambda));
		assert_true(m->e.universe_hash == s.all[0].e.universe_hash);
	}
	shelf_free(&s);
	book_close(&b);
}

static void a_lagging_symbol_is_excluded_and_then_makes_the_next_version(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 4);
	for (int64_t t = 1; t <= 8; t++)
		round_of(&b, 4, t);
	round_of(&b, 3, 9); /* D is late */
	time_is(&b, 9 * MINUTE + 2 * SECOND);
	time_is(&b, 9 * MINUTE + 3 * SECOND - 1); /* bars' grace 1 s + 2 s: not yet */
	time_is(&b, 9 * MINUTE + 3 * SECOND);
	b.pos++;
	bar(&b, 3, 9, noise());
	s = versions_of(&b);

	assert_int_equal(s.n, 6);
	assert_int_equal(s.all[4].e.head.event_ns, 9 * MINUTE);
	assert_int_equal(s.all[4].e.head.pos, 8 * 4 + 3 + 3);
	assert_int_equal(s.all[4].e.status, TIER2_PROVISIONAL);
	assert_int_equal(s.all[4].e.n_included, 3);
	assert_int_equal(s.all[4].members[3].reason, TIER2_LAGGING);
	assert_int_equal(s.all[4].members[3].bar_seq, 0);
	assert_int_equal(s.all[4].e.supersedes, 0);

	assert_int_equal(s.all[5].e.head.event_ns, 9 * MINUTE);
	assert_int_equal(s.all[5].e.status, TIER2_FINAL);
	assert_int_equal(s.all[5].e.supersedes, 5);
	assert_int_equal(s.all[5].e.n_included, 4);
	shelf_free(&s);
	book_close(&b);
}

static void a_symbol_that_catches_up_too_late_changes_nothing_old(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 4);
	for (int64_t t = 1; t <= 8; t++)
		round_of(&b, 4, t);
	round_of(&b, 3, 9);
	round_of(&b, 3, 10);
	time_is(&b, 10 * MINUTE + 3 * SECOND);
	b.pos++;
	bar(&b, 3, 9, noise()); /* T is 10 now: D's bar 9 alone is not mixed in */
	b.pos++;
	bar(&b, 3, 10, noise());
	s = versions_of(&b);

	assert_int_equal(s.n, 7); /* 5..8, 9 and 10 without D, 10 with D */
	assert_int_equal(s.all[4].e.head.event_ns, 9 * MINUTE);
	assert_int_equal(s.all[4].members[3].reason, TIER2_LAGGING);
	assert_int_equal(s.all[5].e.head.event_ns, 10 * MINUTE);
	assert_int_equal(s.all[5].members[3].reason, TIER2_LAGGING);
	assert_int_equal(s.all[6].e.supersedes, 6);
	assert_int_equal(s.all[6].members[3].n_obs, 10);
	assert_int_equal(s.all[6].e.status, TIER2_FINAL);
	shelf_free(&s);
	book_close(&b);
}

static void a_changed_return_in_the_window_makes_the_next_version(void **state)
{
	struct book b;
	struct shelf s;
	struct cut_item *c;
	double kept = 0.0005;

	(void)state;
	book_open(&b, 3);
	for (int64_t t = 1; t <= 30; t++)
		round_of(&b, 3, t);
	/* Bar 25 of B again: only its final flag is new. */
	b.items[3 * 24 + 1].log_return = kept;
	b.pos++;
	c = bar(&b, 1, 25, kept);
	c->revision = 1;
	c->cause = CAUSE_FINAL;
	/* Bar 28 of A with another return. */
	b.pos++;
	c = bar(&b, 0, 28, 0.0007);
	c->revision = 1;
	c->cause = CAUSE_LATE_TRADE;
	/* Bar 10 is the last before the window of 30 (20 bars: 11 .. 30). */
	b.pos++;
	c = bar(&b, 2, 10, 0.0009);
	c->revision = 1;
	c->cause = CAUSE_CANCEL;
	b.pos++;
	c = bar(&b, 2, 11, 0.0009);
	c->revision = 1;
	c->cause = CAUSE_CORRECTION;
	s = versions_of(&b);

	assert_int_equal(s.n, 26 + 2);
	assert_int_equal(s.all[26].e.cause, CAUSE_LATE_TRADE);
	assert_int_equal(s.all[26].e.supersedes, 26);
	assert_int_equal(s.all[26].e.head.event_ns, 30 * MINUTE);
	assert_int_equal(s.all[26].members[0].bar_revision, 0); /* that of bar 30 */
	assert_int_equal(s.all[27].e.cause, CAUSE_CORRECTION);
	assert_int_equal(s.all[27].e.supersedes, 27);
	shelf_free(&s);
	book_close(&b);
}

static void many_revisions_at_one_position_make_one_version(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 3);
	for (int64_t t = 1; t <= 25; t++)
		round_of(&b, 3, t);
	b.pos++;
	for (int64_t t = 10; t <= 25; t++)
		for (uint32_t i = 3; i-- > 0;) {
			struct cut_item *c = bar(&b, i, t, noise());

			c->revision = 1;
			c->cause = i == 0 ? CAUSE_CANCEL : CAUSE_CORRECTION;
		}
	s = versions_of(&b);
	assert_int_equal(s.n, 21 + 1);
	assert_int_equal(last(&s)->e.supersedes, 21);
	assert_int_equal(last(&s)->e.cause, CAUSE_CANCEL); /* of the smallest id */
	assert_int_equal(last(&s)->members[1].bar_revision, 1);
	shelf_free(&s);
	book_close(&b);
}

static void symbols_without_variance_or_history_are_named(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 5); /* E is never seen */
	for (int64_t t = 1; t <= 20; t++)
		for (uint32_t i = 0; i < 4; i++) {
			b.pos++;
			if (i == 2)
				bar(&b, i, t, 0);
			else if (i != 3 || t > 16)
				bar(&b, i, t, noise());
		}
	s = versions_of(&b);
	assert_int_equal(last(&s)->e.head.event_ns, 20 * MINUTE);
	assert_int_equal(last(&s)->e.status, TIER2_FINAL);
	assert_int_equal(last(&s)->e.n_members, 5);
	assert_int_equal(last(&s)->e.n_included, 2);
	assert_int_equal(last(&s)->members[2].reason, TIER2_ZERO_VARIANCE);
	assert_int_equal(last(&s)->members[2].n_obs, 20);
	assert_int_equal(last(&s)->members[3].reason, TIER2_SHORT_HISTORY);
	assert_int_equal(last(&s)->members[3].n_obs, 4);
	assert_int_equal(last(&s)->members[4].reason, TIER2_SHORT_HISTORY);
	assert_int_equal(last(&s)->members[4].symbol_id, TIER2_NO_ID);
	shelf_free(&s);
	book_close(&b);
}

static void a_paused_symbol_is_not_waited_for(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 3);
	for (int64_t t = 1; t <= 8; t++)
		round_of(&b, 3, t);
	state_is(&b, 2, SYMBOL_PAUSED);
	round_of(&b, 2, 9);
	state_is(&b, 2, SYMBOL_LIVE);
	round_of(&b, 2, 10); /* resumed, but its grid has not begun again */
	round_of(&b, 3, 11);
	round_of(&b, 2, 12);
	time_is(&b, 13 * MINUTE);
	s = versions_of(&b);

	assert_int_equal(s.n, 9);
	assert_int_equal(s.all[4].e.status, TIER2_FINAL);
	assert_int_equal(s.all[4].members[2].reason, TIER2_QUARANTINED);
	assert_int_equal(s.all[5].e.status, TIER2_FINAL);
	assert_int_equal(s.all[5].members[2].reason, TIER2_BLIND);
	/* Nothing was expected of it at 11, and then its bar 11 came. */
	assert_int_equal(s.all[6].e.n_included, 2);
	assert_int_equal(s.all[7].e.n_included, 3);
	assert_int_equal(s.all[7].e.supersedes, 7);
	assert_int_equal(s.all[8].e.status, TIER2_PROVISIONAL);
	assert_int_equal(s.all[8].members[2].reason, TIER2_LAGGING);
	shelf_free(&s);
	book_close(&b);
}

static void a_faulted_symbol_is_killed_and_a_blind_one_left_out(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 4);
	for (int64_t t = 1; t <= 8; t++)
		round_of(&b, 4, t);
	state_is(&b, 3, SYMBOL_FAULT);
	round_of(&b, 2, 9);
	b.pos++;
	bar(&b, 2, 9, NAN)->state = BAR_BLIND;
	s = versions_of(&b);
	assert_int_equal(last(&s)->e.head.event_ns, 9 * MINUTE);
	assert_int_equal(last(&s)->e.status, TIER2_FINAL);
	assert_int_equal(last(&s)->members[2].reason, TIER2_BLIND);
	assert_int_equal(last(&s)->members[2].n_obs, 8);
	assert_int_equal(last(&s)->members[3].reason, TIER2_KILLED);
	shelf_free(&s);
	book_close(&b);
}

static void a_quiet_bar_counts_as_a_bar_without_a_return(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 3);
	for (int64_t t = 1; t <= 12; t++) {
		round_of(&b, 2, t);
		b.pos++;
		bar(&b, 2, t, t % 4 == 0 ? NAN : noise());
	}
	s = versions_of(&b);
	assert_int_equal(last(&s)->e.head.event_ns, 12 * MINUTE);
	assert_int_equal(last(&s)->e.n_included, 3);
	assert_int_equal(last(&s)->members[2].reason, TIER2_INCLUDED);
	assert_int_equal(last(&s)->members[2].n_obs, 9);
	shelf_free(&s);
	book_close(&b);
}

static void a_grid_that_has_ended_is_not_waited_for(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 3);
	b.params.bars.missing_run_max = 4;
	for (int64_t t = 1; t <= 8; t++)
		round_of(&b, 3, t);
	for (int64_t t = 9; t <= 12; t++) {
		round_of(&b, 2, t);
		b.pos++;
		bar(&b, 2, t, NAN);
	}
	round_of(&b, 2, 13);
	s = versions_of(&b);
	assert_int_equal(last(&s)->e.head.event_ns, 13 * MINUTE);
	assert_int_equal(last(&s)->e.status, TIER2_FINAL);
	assert_int_equal(last(&s)->members[2].reason, TIER2_BLIND);
	shelf_free(&s);
	book_close(&b);
}

static void a_closed_market_is_not_waited_for(void **state)
{
	struct book b;
	struct shelf s;
	struct symbol_params *sp;

	(void)state;
	book_open(&b, 3);
	/* C trades from 00:00 to 00:08 UTC; 1970-01-01 was a Thursday. */
	sp = b.params.symbols = calloc(1, sizeof(*sp));
	b.params.n_symbols = 1;
	*sp = b.params.defaults;
	sp->symbol[0] = 'C';
	sp->has_session = true;
	sp->session_start_s = 0;
	sp->session_end_s = 8 * 60;
	sp->session_days = 0x1f;
	for (int64_t t = 1; t <= 8; t++)
		round_of(&b, 3, t);
	round_of(&b, 2, 9);
	s = versions_of(&b);
	assert_int_equal(last(&s)->e.head.event_ns, 9 * MINUTE);
	assert_int_equal(last(&s)->e.status, TIER2_FINAL);
	assert_int_equal(last(&s)->members[2].reason, TIER2_BLIND);
	shelf_free(&s);
	book_close(&b);
}

static void holes_may_need_the_repair(void **state)
{
	struct book b;
	struct shelf s;
	size_t repaired = 0;

	(void)state;
	/* More symbols than bars, and holes: indefinite before the repair. */
	book_open(&b, 16)->min_obs = 8;
	for (int64_t t = 1; t <= 40; t++)
		for (uint32_t i = 0; i < 16; i++) {
			b.pos++;
			bar(&b, i, t, dice() % 4 == 0 ? NAN : noise());
		}
	s = versions_of(&b);
	for (size_t i = 0; i < s.n; i++) {
		const struct event_tier2 *e = &s.all[i].e;

		repaired += e->psd_repaired;
		assert_true(e->psd_repaired == (e->eigen_min < -1e-11));
		assert_true((e->frobenius_shift > 0) == (e->psd_repaired == 1));
		for (uint32_t k = 0, row = 0; row < e->n_included; row++, k += row + 1)
			assert_true(s.all[i].triangle[k] == 1.0);
	}
	assert_true(repaired > 10);
	shelf_free(&s);
	book_close(&b);
}

static void universe_all_takes_symbols_as_they_come_in_order_of_id(void **state)
{
	struct book b;
	struct universe_params *up;
	struct shelf s;

	(void)state;
	up = book_open(&b, 6);
	up->all = true;
	up->n_max = 4;
	for (int64_t t = 1; t <= 12; t++)
		for (uint32_t i = 0; i < 6; i++) {
			b.pos++;
			if (i == 0 && t < 4)
				continue; /* the smallest id begins last, but within
					     n_max */
			if (i < 4 || t > 2)
				bar(&b, i, t, noise());
		}
	s = versions_of(&b);
	assert_int_equal(last(&s)->e.n_members, 4);
	/* 4 and 5 come at minute 3, before 0: one of them finds room, 0 does not. */
	assert_int_equal(last(&s)->members[0].symbol_id, 1);
	assert_int_equal(last(&s)->members[1].symbol_id, 2);
	assert_int_equal(last(&s)->members[2].symbol_id, 3);
	assert_int_equal(last(&s)->members[3].symbol_id, 4);
	shelf_free(&s);
	book_close(&b);
}

static void short_timeframes_may_wait_for_several_cuts_at_once(void **state)
{
	struct book b;
	struct universe_params *up;
	struct shelf s;

	(void)state;
	up = book_open(&b, 3);
	up->timeframe_s = 1;
	up->grace_ns = 5 * SECOND;
	for (int64_t t = 1; t <= 40; t++) {
		for (uint32_t i = 0; i < 3; i++) {
			struct cut_item *c;

			if (i == 2 && t > 20 && t <= 30)
				continue;
			b.pos++;
			c = bar(&b, i, 0, noise());
			c->timeframe_s = 1;
			c->time_ns = t * SECOND;
		}
		if (t == 24) /* C comes back for 21 .. 24: all within their grace */
			for (int64_t k = 21; k <= 24; k++) {
				struct cut_item *c;

				b.pos++;
				c = bar(&b, 2, 0, noise());
				c->timeframe_s = 1;
				c->time_ns = k * SECOND;
			}
	}
	s = versions_of(&b);
	for (size_t i = 0; i < s.n; i++) {
		assert_int_equal(s.all[i].e.head.event_ns, (int64_t)(i + 5) * SECOND);
		assert_int_equal(s.all[i].e.status, i + 5 > 24 && i + 5 <= 30
							    ? TIER2_PROVISIONAL
							    : TIER2_FINAL);
	}
	assert_int_equal(last(&s)->e.head.event_ns, 40 * SECOND);
	shelf_free(&s);
	book_close(&b);
}

static void one_symbol_alone_makes_no_matrix(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 3);
	for (int64_t t = 1; t <= 12; t++)
		round_of(&b, 1, t);
	s = versions_of(&b);
	assert_int_equal(s.n, 0);
	shelf_free(&s);
	book_close(&b);
}

static void series_of_other_timeframes_and_prices_are_not_mixed_in(void **state)
{
	struct book b;
	struct shelf s;

	(void)state;
	book_open(&b, 2)->price_type = PRICE_MID;
	for (int64_t t = 1; t <= 12; t++)
		for (uint32_t i = 0; i < 2; i++) {
			b.pos++;
			bar(&b, i, t, noise())->price_type = PRICE_MID;
			bar(&b, i, t, 0.5)->price_type = PRICE_LAST;
			bar(&b, i, t, 0.5)->timeframe_s = 300;
		}
	s = versions_of(&b);
	assert_int_equal(s.n, 8);
	assert_true(fabs(last(&s)->triangle[1]) < 0.999);
	shelf_free(&s);
	book_close(&b);
}

static void replayed_versions_are_the_same_and_marked(void **state)
{
	struct book b;
	struct shelf live, again;

	(void)state;
	book_open(&b, 3);
	for (int64_t t = 1; t <= 12; t++)
		round_of(&b, 3, t);
	live = versions_of(&b);
	for (size_t i = 0; i < b.n; i++)
		b.items[i].replay = 1;
	again = versions_of(&b);
	assert_int_equal(again.len, live.len);
	assert_memory_equal(again.bytes, live.bytes, live.len);
	assert_false(last(&live)->replay);
	assert_true(last(&again)->replay);
	shelf_free(&live);
	shelf_free(&again);
	book_close(&b);
}

/* Anything at all: late bars, revisions, pauses, gaps, jumps of time, strangers. */
static void any_log_gives_the_same_bytes_with_any_number_of_workers(void **state)
{
	(void)state;
	for (uint64_t trial = 0; trial < 25; trial++) {
		struct book b;
		struct universe_params *up;
		struct shelf s;
		int64_t next[SYMBOLS] = {0};

		seed = 1000 + trial;
		up = book_open(&b, 3 + dice() % 12);
		up->method = (uint8_t)(trial % 4);
		up->all = trial % 5 == 0;
		up->n_max = 6;
		b.params.universes[1] = *up;
		b.params.universes[1].symbols = calloc(2, sizeof(*up->symbols));
		memcpy(b.params.universes[1].symbols, up->symbols,
		       2 * sizeof(*up->symbols));
		b.params.universes[1].n_symbols = 2;
		b.params.universes[1].all = false;
		b.params.n_universes = 2;
		for (int64_t t = 1; t <= 60; t++)
			for (uint32_t k = 0; k < 20; k++) {
				uint32_t i = (uint32_t)(dice() % up->n_symbols);
				uint64_t what = dice() % 100;

				b.pos++;
				if (what < 70)
					for (; next[i] < t - (int64_t)(dice() % 2);
					     next[i]++)
						bar(&b, i, next[i] + 1,
						    dice() % 9 ? noise() : NAN)
							->state = (uint8_t)(dice() % 3);
				else if (what < 85 && next[i] > 0) {
					struct cut_item *c = bar(
						&b, i, next[i] - (int64_t)(dice() % 3),
						noise());
					c->revision = 1 + (uint32_t)(dice() % 3);
					c->cause = (uint8_t)(dice() % 6);
				} else if (what < 95)
					add(&b, CUT_TIME, 0)->time_ns =
						t * MINUTE + (int64_t)k * 3 * SECOND;
				else
					add(&b, CUT_SYMBOL, i)->state =
						(uint8_t)(dice() % 8);
			}
		s = run(&b, 1, 1);
		for (uint64_t i = 0; i < 6; i++) {
			struct shelf other = run(&b, 1u << i % 3, 50 + i);

			assert_int_equal(other.len, s.len);
			assert_memory_equal(other.bytes, s.bytes, s.len);
			shelf_free(&other);
		}
		assert_true(s.n > 0);
		shelf_free(&s);
		book_close(&b);
	}
}

static void the_largest_message_is_known_beforehand(void **state)
{
	struct book b;
	struct universe_params *up;

	(void)state;
	up = book_open(&b, 3);
	assert_int_equal(tier2_bytes_max(&b.params),
			 sizeof(struct event_tier2) + 3 * sizeof(struct tier2_member) +
				 6 * 8);
	up->all = true;
	up->n_max = 100;
	assert_int_equal(tier2_bytes_max(&b.params),
			 sizeof(struct event_tier2) +
				 100 * sizeof(struct tier2_member) + 5050 * 8);
	book_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_minute_with_all_bars_is_one_final_version),
		cmocka_unit_test(
			a_lagging_symbol_is_excluded_and_then_makes_the_next_version),
		cmocka_unit_test(a_symbol_that_catches_up_too_late_changes_nothing_old),
		cmocka_unit_test(a_changed_return_in_the_window_makes_the_next_version),
		cmocka_unit_test(many_revisions_at_one_position_make_one_version),
		cmocka_unit_test(symbols_without_variance_or_history_are_named),
		cmocka_unit_test(a_paused_symbol_is_not_waited_for),
		cmocka_unit_test(a_faulted_symbol_is_killed_and_a_blind_one_left_out),
		cmocka_unit_test(a_quiet_bar_counts_as_a_bar_without_a_return),
		cmocka_unit_test(a_grid_that_has_ended_is_not_waited_for),
		cmocka_unit_test(a_closed_market_is_not_waited_for),
		cmocka_unit_test(holes_may_need_the_repair),
		cmocka_unit_test(
			universe_all_takes_symbols_as_they_come_in_order_of_id),
		cmocka_unit_test(short_timeframes_may_wait_for_several_cuts_at_once),
		cmocka_unit_test(one_symbol_alone_makes_no_matrix),
		cmocka_unit_test(
			series_of_other_timeframes_and_prices_are_not_mixed_in),
		cmocka_unit_test(replayed_versions_are_the_same_and_marked),
		cmocka_unit_test(
			any_log_gives_the_same_bytes_with_any_number_of_workers),
		cmocka_unit_test(the_largest_message_is_known_beforehand),
	};

	return cmocka_run_group_tests_name("tier2", tests, NULL, NULL);
}
