/*
 * rerun_test - what is derived anew from the log is what the daemon's own way made of
 * it: the same bytes in the order of the store, with any number of workers, and from
 * the middle of the log when the state of there is loaded.
 */
#include "daemon/rerun.h"
#include "tests/integration/market.h"
#include "tests/integration/tempdir.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define RECORDS 25000
#define EVENTS  400000

/* Every event of one kind, in the order it came in. */
struct shelf {
	struct buf bytes;
	size_t n;
	struct spot {
		uint64_t pos;
		uint32_t symbol_id, arrival;
		size_t at, len;
	} * spots;
};

struct shelves {
	struct shelf of[EVENT_KINDS];
};

static struct shelves *shelves_new(void)
{
	struct shelves *s = calloc(1, sizeof(*s));

	for (int k = 0; k < EVENT_KINDS; k++)
		s->of[k].spots = calloc(EVENTS, sizeof(struct spot));
	return s;
}

static void shelves_free(struct shelves *s)
{
	for (int k = 0; k < EVENT_KINDS; k++) {
		buf_free(&s->of[k].bytes);
		free(s->of[k].spots);
	}
	free(s);
}

static uint32_t symbol_of(enum event_kind kind, const void *event)
{
	return kind == EVENT_BAR      ? ((const struct event_bar *)event)->symbol_id
	       : kind == EVENT_TIER1  ? ((const struct event_tier1 *)event)->symbol_id
	       : kind == EVENT_STATUS ? ((const struct event_status *)event)->symbol_id
				      : 0;
}

static int keep(void *arg, enum event_kind kind, const void *event, size_t len)
{
	struct shelf *s = &((struct shelves *)arg)->of[kind];
	struct event_head head;

	assert_true(s->n < EVENTS);
	memcpy(&head, event, sizeof(head));
	s->spots[s->n] = (struct spot){head.pos, symbol_of(kind, event), (uint32_t)s->n,
				       s->bytes.len, len};
	s->n++;
	buf_add(&s->bytes, event, len);
	return 0;
}

static void on_published(void *arg, enum event_kind kind, const void *event, size_t len)
{
	(void)keep(arg, kind, event, len);
}

static int by_place(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;

	if (x->pos != y->pos)
		return x->pos < y->pos ? -1 : 1;
	if (x->symbol_id != y->symbol_id)
		return x->symbol_id < y->symbol_id ? -1 : 1;
	return x->arrival < y->arrival ? -1 : x->arrival > y->arrival;
}

/* Same events, byte for byte; @got must be in canonical order already. */
static void assert_same(struct shelves *want, const struct shelves *got)
{
	static const enum event_kind kinds[] = {EVENT_BAR, EVENT_TIER1, EVENT_TIER2,
						EVENT_STATUS};

	for (size_t k = 0; k < 4; k++) {
		struct shelf *w = &want->of[kinds[k]];
		const struct shelf *g = &got->of[kinds[k]];

		qsort(w->spots, w->n, sizeof(*w->spots), by_place);
		assert_int_equal(w->n, g->n);
		for (size_t i = 0; i < w->n; i++) {
			assert_int_equal(w->spots[i].len, g->spots[i].len);
			assert_memory_equal(w->bytes.data + w->spots[i].at,
					    g->bytes.data + g->spots[i].at,
					    w->spots[i].len);
		}
	}
}

struct log {
	char dir[TEMPDIR_MAX];
	struct params params;
	struct pipeline *pipeline;
	struct symtab *sources; /* as the pipeline's own: one, of the name "test" */
	struct shelves *published;
	struct record *recs;
	uint32_t n;
};

static void log_init(struct log *l)
{
	struct pipeline_env env = {.params = &l->params,
				   .n_workers = 2,
				   .dir = l->dir,
				   .too_old_ns = INT64_C(86400000000000),
				   .future_ns = INT64_C(10000000000),
				   .sink = on_published};
	uint64_t pos = 1;
	uint32_t n, id;
	int is_new;

	*l = (struct log){.published = shelves_new()};
	tempdir_new(l->dir);
	market_params(&l->params);
	assert_int_equal(symtab_new(8, 1, &l->sources), 0);
	assert_int_equal(symtab_add(l->sources, "test", 4, &id, &is_new), 0);
	env.arg = l->published;
	l->pipeline = pipeline_new(&env);
	market_feed(l->pipeline, RECORDS);
	pipeline_control(l->pipeline, CONTROL_PAUSE, "SIM0000");
	pipeline_control(l->pipeline, CONTROL_RESUME, "SIM0000");
	pipeline_run(l->pipeline);
	l->recs = calloc(RECORDS + 8, sizeof(*l->recs));
	while (tickstore_read(pipeline_store(l->pipeline), pos, RECORDS + 8 - l->n,
			      l->recs + l->n, &pos, &n) == 0) {
		l->n += n;
		pos += n;
	}
	assert_true(l->n > RECORDS * 9 / 10);
	assert_true(l->published->of[EVENT_TIER2].n > 20);
	assert_true(l->published->of[EVENT_STATUS].n > 2);
}

static void log_deinit(struct log *l)
{
	pipeline_free(l->pipeline);
	symtab_free(l->sources);
	params_deinit(&l->params);
	shelves_free(l->published);
	tempdir_remove(l->dir);
	free(l->recs);
}

static struct rerun *open_rerun(const struct log *l, uint32_t n_workers,
				rerun_event_fn fn, void *arg)
{
	struct rerun_env env = {.params = &l->params,
				.symbols = pipeline_symbols(l->pipeline),
				.sources = l->sources,
				.symbols_max = 4096,
				.n_workers = n_workers};
	struct rerun *r;
	assert_int_equal(rerun_new(&env, fn, arg, &r), 0);
	return r;
}

static void any_number_of_workers_derives_what_was_published(void **state)
{
	struct log *l = *state;

	for (uint32_t n_workers = 1; n_workers <= 5; n_workers++) {
		struct shelves *got = shelves_new();
		struct rerun *r = open_rerun(l, n_workers, keep, got);
		uint32_t step = 1 + 997 * n_workers;

		for (uint32_t at = 0; at < l->n; at += step)
			assert_int_equal(
				rerun_feed(r, at + 1, l->recs + at,
					   at + step < l->n ? step : l->n - at),
				0);
		assert_int_equal(rerun_sync(r), 0);
		assert_same(l->published, got);
		rerun_free(r);
		shelves_free(got);
	}
}

static int by_kind_and_id(const void *a, const void *b)
{
	const struct section *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static size_t sections_of(const struct buf *b, struct section *out, size_t max)
{
	const uint8_t *at = b->data, *end = at + b->len;
	size_t n = 0;

	while (n < max && section_next(&at, end, &out[n]) == 0)
		n++;
	qsort(out, n, sizeof(*out), by_kind_and_id);
	return n;
}

static void assert_same_state(const struct buf *a, const struct buf *b)
{
	struct section x[256], y[256];
	size_t n = sections_of(a, x, 256);

	assert_true(n > MARKET_SYMBOLS);
	assert_int_equal(n, sections_of(b, y, 256));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(x[i].kind, y[i].kind);
		assert_int_equal(x[i].id, y[i].id);
		assert_int_equal(x[i].len, y[i].len);
		assert_memory_equal(x[i].data, y[i].data, x[i].len);
	}
}

static void add_part(void *arg, const void *data, size_t len)
{
	buf_add(arg, data, len);
}

static void a_saved_state_goes_on_with_another_number_of_workers(void **state)
{
	struct log *l = *state;
	uint32_t half = l->n / 2 + 7,
		 n_symbols = symtab_count(pipeline_symbols(l->pipeline));
	struct shelves *got = shelves_new();
	struct buf middle = {0}, end[2] = {{0}};
	struct section sec[256];
	struct rerun *r = open_rerun(l, 3, keep, got);
	size_t n;

	assert_int_equal(rerun_feed(r, 1, l->recs, half), 0);
	assert_int_equal(rerun_sync(r), 0);
	rerun_save(r, half, n_symbols, add_part, &middle);
	rerun_free(r);

	r = open_rerun(l, 2, keep, got);
	n = sections_of(&middle, sec, 256);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rerun_load(r, &sec[i]), 0);
	assert_int_equal(rerun_feed(r, half + 1, l->recs + half, l->n - half), 0);
	assert_int_equal(rerun_sync(r), 0);
	rerun_save(r, l->n, n_symbols, add_part, &end[0]);
	rerun_free(r);
	assert_same(l->published, got);
	shelves_free(got);

	got = shelves_new();
	r = open_rerun(l, 1, keep, got);
	assert_int_equal(rerun_feed(r, 1, l->recs, l->n), 0);
	assert_int_equal(rerun_sync(r), 0);
	rerun_save(r, l->n, n_symbols, add_part, &end[1]);
	rerun_free(r);
	assert_same_state(&end[0], &end[1]);
	shelves_free(got);
	buf_free(&middle);
	buf_free(&end[0]);
	buf_free(&end[1]);
}

static int refuse_the_hundredth(void *arg, enum event_kind kind, const void *event,
				size_t len)
{
	unsigned *n = arg;

	(void)kind;
	(void)event;
	(void)len;
	return ++*n == 100 ? 77 : 0;
}

static void what_the_sink_says_ends_it(void **state)
{
	struct log *l = *state;

	for (uint32_t n_workers = 1; n_workers <= 2; n_workers++) {
		unsigned n = 0;
		struct rerun *r = open_rerun(l, n_workers, refuse_the_hundredth, &n);
		int rc = rerun_feed(r, 1, l->recs, l->n);

		if (rc == 0)
			rc = rerun_sync(r);
		assert_int_equal(rc, 77);
		assert_int_equal(n, 100);
		assert_int_equal(rerun_feed(r, l->n + 1, l->recs, 1), 77);
		rerun_free(r);
	}
}

static void a_symbol_that_cannot_be_is_refused(void **state)
{
	struct log *l = *state;
	struct shelves *got = shelves_new();
	struct rerun *r = open_rerun(l, 2, keep, got);
	struct record bad = l->recs[l->n / 2];

	bad.type = RECORD_TICK;
	bad.symbol_id = 4096;
	assert_int_equal(rerun_feed(r, 1, &bad, 1), -EBADMSG);
	rerun_free(r);
	shelves_free(got);
}

static int set_up(void **state)
{
	struct log *l = calloc(1, sizeof(*l));

	log_init(l);
	*state = l;
	return 0;
}

static int tear_down(void **state)
{
	log_deinit(*state);
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_workers_derives_what_was_published),
		cmocka_unit_test(a_saved_state_goes_on_with_another_number_of_workers),
		cmocka_unit_test(what_the_sink_says_ends_it),
		cmocka_unit_test(a_symbol_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
