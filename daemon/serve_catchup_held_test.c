/*
 * serve_catchup_held_test - who reads page after page, while gates close and open, and
 * believes what pages say of streams that are withheld, misses nothing.
 */
#include "daemon/gate.h"
#include "daemon/serve_catchup_world_test.h"
#include <stdlib.h>

/* ---- a reader ----------------------------------------------------------- */

struct known {
	bool is_known;
	uint64_t first; /* given; 0: none */
	uint64_t last;
};

struct reader {
	struct world *w;
	struct known bars[SYMBOLS];
	struct known matrices;
	unsigned holes;
};

static struct known *known_of(struct reader *r, const struct happening *h)
{
	return h->kind == EVENT_BAR ? &r->bars[h->symbol_id] : &r->matrices;
}

static uint32_t id_of(const char *symbol)
{
	uint32_t id = 0;

	while (strncmp(names[id], symbol, SYMBOL_MAX) != 0)
		assert_true(++id < SYMBOLS);
	return id;
}

static void give(struct known *k, uint64_t seq)
{
	if (k->is_known && seq <= k->last)
		return;
	if (k->first == 0)
		k->first = seq;
	if (k->is_known)
		assert_int_equal(seq, k->last + 1);
	k->is_known = true;
	k->last = seq;
}

/* What a stream has up to @to, by its numbers. */
static void fill(struct reader *r, const struct happening *h, uint64_t to)
{
	struct known *k = known_of(r, h);
	struct catchup_stream s =
		h->kind == EVENT_BAR
			? stream(EVENT_BAR, names[h->symbol_id], 0, k->last + 1, to)
			: stream(EVENT_TIER2, "tech", h->timeframe_s, k->last + 1, to);
	struct catchup_request req = {
		.root = {.from_type = CATCHUP_FROM_SEQ}, .n_streams = 1, .streams = &s};
	struct answer a = {0};

	r->holes++;
	(void)ask_all(r->w, req, &a);
	for (uint32_t i = 0; i < a.n; i++)
		give(k, a.event[i].seq);
	free(a.event);
}

static void take_event(struct reader *r, const struct happening *h)
{
	struct known *k = known_of(r, h);

	if (k->is_known && h->seq > k->last + 1)
		fill(r, h, h->seq - 1);
	give(k, h->seq);
}

/* A page gives nothing of a stream from what it withholds on. */
static void check_held(const struct answer *a)
{
	for (uint32_t i = 0; i < a->n_held; i++) {
		const struct catchup_held *h = &a->held[i];

		for (uint32_t n = 0; n < a->n; n++)
			if (a->event[n].kind == h->kind &&
			    (h->kind == EVENT_TIER2 ||
			     a->event[n].symbol_id == id_of(h->symbol)))
				assert_true(a->event[n].seq < h->first_seq);
	}
}

static void take_page(struct reader *r, const struct answer *a)
{
	check_held(a);
	for (uint32_t i = 0; i < a->n; i++)
		take_event(r, &a->event[i]);
	for (uint32_t i = 0; i < a->n_held; i++) {
		const struct catchup_held *h = &a->held[i];
		struct known *k = h->kind == EVENT_BAR ? &r->bars[id_of(h->symbol)]
						       : &r->matrices;

		assert_true(h->kind == EVENT_BAR || h->timeframe_s > 0);
		if (!k->is_known)
			*k = (struct known){true, 0, h->first_seq - 1};
	}
}

/* Of every stream, all from @pos on and nothing else. */
static void has_all(struct reader *r, uint64_t pos)
{
	const struct world *w = r->w;

	for (uint32_t i = 0; i < w->n_model; i++) {
		const struct happening *h = &w->model[i];
		struct known *k;

		if (h->pos < pos || (h->kind != EVENT_BAR && h->kind != EVENT_TIER2))
			continue;
		k = known_of(r, h);
		assert_true(k->is_known);
		if (h->seq > k->last)
			fill(r, h, h->seq);
		assert_true(h->seq >= k->first);
		assert_true(h->seq <= k->last);
		if (h->seq == k->first)
			k->first = 1; /* the first that is owed is the first given */
	}
	for (uint32_t id = 0; id < SYMBOLS; id++)
		assert_true(r->bars[id].first <= 1);
	assert_true(r->matrices.first <= 1);
}

/* ---- tests -------------------------------------------------------------- */

static void move_gates(struct world *w, struct gate *g)
{
	uint64_t pos = 1 + dice(w, (uint32_t)newest(w));
	uint32_t id = dice(w, SYMBOLS);

	if (dice(w, 3) == 0)
		gate_kind(g, EVENT_TIER2, dice(w, 2) ? pos : 0);
	else
		gate_symbol(g, id, dice(w, 2) ? pos : 0);
}

static void open_gates(struct gate *g)
{
	gate_kind(g, EVENT_TIER2, 0);
	gate_kind(g, EVENT_BAR, 0);
	for (uint32_t id = 0; id < SYMBOLS; id++)
		gate_symbol(g, id, 0);
}

static struct world *begin_gated(struct gate **g)
{
	struct world *w = begin(700);

	assert_int_equal(gate_new(SYMBOLS_MAX, g), 0);
	w->env.gate = *g;
	return w;
}

static struct catchup_request from_pos(uint64_t pos, uint32_t limit)
{
	return (struct catchup_request){
		.root = {.from = pos,
			 .from_type = CATCHUP_FROM_POS,
			 .limit = limit,
			 .kinds = 1u << EVENT_BAR | 1u << EVENT_TIER2}};
}

static void pages_name_what_they_withhold(void **state)
{
	struct gate *g;
	struct world *w = begin_gated(&g);
	unsigned holes = 0;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		uint64_t pos = 1 + dice(w, 600);
		struct catchup_request req = from_pos(pos, 1 + dice(w, 40));
		struct reader r = {.w = w};
		struct answer a = {0};

		for (unsigned n = 0; n < 6; n++)
			move_gates(w, g);
		do {
			a.n = 0;
			ask(w, &req, &a);
			if (dice(w, 3) == 0)
				open_gates(g); /* what shows a hole is released */
			if (dice(w, 3) == 0)
				open_gates(g);
			take_page(&r, &a);
			to_cursor(&req, &a);
		} while (!a.root.done);
		open_gates(g);
		has_all(&r, pos);
		holes += r.holes;
		free(a.event);
	}
	assert_true(holes > 60);
	gate_free(g);
	end(w);
}

/* Of what is asked for, and of nothing that is older than the newest. */
static void only_what_is_asked_for_is_named(void **state)
{
	struct gate *g;
	struct world *w = begin_gated(&g);
	struct catchup_stream s = stream(EVENT_BAR, "IBM", 0, 0, 0);
	struct catchup_request req = from_pos(1, 0);
	struct answer a = {0};

	(void)state;
	gate_kind(g, EVENT_BAR, 1);
	req.streams = &s;
	req.n_streams = 1;
	ask(w, &req, &a);
	assert_int_equal(a.n_held, 1);
	assert_string_equal(a.held[0].symbol, "IBM");
	assert_int_equal(a.held[0].first_seq, 1);

	req.root = (struct catchup_root){.from_type = CATCHUP_FROM_SNAPSHOT};
	a.n = 0;
	ask(w, &req, &a);
	assert_int_equal(a.n_held, 1);
	assert_true(a.held[0].first_seq > w->seq[EVENT_BAR][3] - 10);

	open_gates(g);
	req.root = (struct catchup_root){.from_type = CATCHUP_FROM_OLDEST};
	ask(w, &req, &a);
	assert_int_equal(a.n_held, 0);
	free(a.event);
	gate_free(g);
	end(w);
}

/* More than fits its table at first; the page is read on to its end all the same. */
static void all_that_is_held_at_one_position_is_named(void **state)
{
	struct gate *g;
	struct world *w = begin_gated(&g);
	struct catchup_request req = from_pos(1, 0);
	struct answer a = {0};

	(void)state;
	gate_kind(g, EVENT_BAR, 1);
	gate_kind(g, EVENT_TIER2, 1);
	ask(w, &req, &a);
	assert_int_equal(a.n, 0);
	assert_int_equal(a.root.done, 1);
	assert_int_equal(a.n_held, SYMBOLS + 1);
	for (uint32_t i = 0; i < a.n_held; i++)
		assert_int_equal(a.held[i].first_seq, 1);
	free(a.event);
	gate_free(g);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_name_what_they_withhold),
		cmocka_unit_test(only_what_is_asked_for_is_named),
		cmocka_unit_test(all_that_is_held_at_one_position_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
