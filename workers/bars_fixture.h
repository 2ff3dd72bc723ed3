/*
 * bars_fixture - for tests: one normaliser whose every emission is kept and held
 * against the promises of bars.h (sequence, revisions, nothing after final).
 */
#pragma once
#include "base/clock.h"
#include "bus/symtab.h"
#include "workers/bars.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define S   NS_PER_S
#define MIN (60 * NS_PER_S)
/** 2023-11-14 22:10:00 UTC, a Tuesday; on a boundary of 10 minutes. */
#define T0 (INT64_C(1700000000) / 600 * 600 * NS_PER_S)
#define E9 INT64_C(1000000000)
#define E8 INT64_C(100000000)

struct fixture {
	struct params params; /* to be changed before fixture_open() */
	struct symtab *sources;
	struct source_life *life;
	struct bars *bars;
	uint64_t pos;
	struct event_bar *bar; /* every emission */
	size_t n;
	size_t cap;
	struct event_status status[256];
	size_t n_status;
	bool unseen; /* ticks do not prove the source alive */
};

static inline bool fixture_same_bar(const struct event_bar *a,
				    const struct event_bar *b)
{
	return a->timeframe_s == b->timeframe_s && a->price_type == b->price_type &&
	       a->bar_start_ns == b->bar_start_ns;
}

static inline void fixture_on_bar(void *arg, const struct event_bar *e)
{
	struct fixture *f = arg;
	const struct event_bar *before = NULL;

	for (size_t i = f->n; i > 0 && f->n - i < 4096 && before == NULL; i--)
		if (fixture_same_bar(&f->bar[i - 1], e))
			before = &f->bar[i - 1];
	assert_int_equal(e->head.seq, f->n + 1);
	assert_int_equal(e->head.pos, f->pos);
	assert_true(e->bar_start_ns < e->head.event_ns);
	assert_int_equal(e->revision, before == NULL ? 0 : before->revision + 1);
	if (before == NULL)
		assert_int_equal(e->cause, CAUSE_FIRST);
	else
		assert_false(before->flags & BAR_FINAL);
	assert_int_equal((e->flags & BAR_IS_MISSING) != 0, e->state != BAR_TRADED);
	if (f->n == f->cap) {
		f->cap = f->cap == 0 ? 64 : f->cap * 2;
		f->bar = realloc(f->bar, f->cap * sizeof(*f->bar));
		assert_non_null(f->bar);
	}
	f->bar[f->n++] = *e;
}

static inline void fixture_on_status(void *arg, const struct event_status *e)
{
	struct fixture *f = arg;

	assert_true(f->n_status < 256);
	f->status[f->n_status++] = *e;
}

static inline void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	params_default(&f->params);
	f->params.defaults.price_types[0] = PRICE_LAST;
}

static inline void fixture_open(struct fixture *f)
{
	uint32_t id;
	int is_new;

	assert_int_equal(symtab_new(8, 1, &f->sources), 0);
	assert_int_equal(symtab_add(f->sources, "nyse", 4, &id, &is_new), 0);
	assert_int_equal(symtab_add(f->sources, "bats", 4, &id, &is_new), 0);
	assert_int_equal(source_life_new(f->params.bars.source_timeout_ns, &f->life),
			 0);
	assert_int_equal(bars_new(&f->params, &f->params.defaults, 7, "AAPL",
				  f->sources, f->life, &f->bars),
			 0);
}

static inline void fixture_close(struct fixture *f)
{
	bars_free(f->bars);
	source_life_free(f->life);
	symtab_free(f->sources);
	params_deinit(&f->params);
	free(f->bar);
}

static inline struct out fixture_out(struct fixture *f)
{
	return (struct out){
		.arg = f, .bar = fixture_on_bar, .status = fixture_on_status};
}

static inline struct record fixture_record(int64_t event_ns, uint64_t source_seq)
{
	return (struct record){.event_ns = event_ns,
			       .recv_ns = event_ns,
			       .price_e9 = VALUE_NULL,
			       .size_e8 = VALUE_NULL,
			       .bid_e9 = VALUE_NULL,
			       .ask_e9 = VALUE_NULL,
			       .source_seq = source_seq,
			       .source_id = 1,
			       .type = RECORD_TICK};
}

static inline void fixture_put(struct fixture *f, const struct record *r)
{
	const struct out out = fixture_out(f);
	struct item it = {.pos = ++f->pos, .rec = *r};

	if (!f->unseen)
		source_life_saw(f->life, r->source_id, r->event_ns);
	bars_tick(f->bars, &it, &out);
}

static inline void fixture_trade(struct fixture *f, int64_t event_ns, uint64_t seq,
				 int64_t price_e9, int64_t size_e8)
{
	struct record r = fixture_record(event_ns, seq);

	r.price_e9 = price_e9;
	r.size_e8 = size_e8;
	fixture_put(f, &r);
}

static inline void fixture_quote(struct fixture *f, int64_t event_ns, uint64_t seq,
				 int64_t bid_e9, int64_t ask_e9)
{
	struct record r = fixture_record(event_ns, seq);

	r.bid_e9 = bid_e9;
	r.ask_e9 = ask_e9;
	fixture_put(f, &r);
}

static inline void fixture_amend(struct fixture *f, int64_t event_ns, uint64_t seq,
				 enum tick_action action, uint64_t ref_seq,
				 int64_t price_e9, int64_t size_e8)
{
	struct record r = fixture_record(event_ns, seq);

	r.ref_seq = ref_seq;
	r.price_e9 = price_e9;
	r.size_e8 = size_e8;
	r.action_flags = record_pack(action, 0);
	fixture_put(f, &r);
}

static inline void fixture_clock(struct fixture *f, int64_t now_ns)
{
	const struct out out = fixture_out(f);

	f->pos++;
	bars_clock(f->bars, f->pos, now_ns, now_ns, &out);
}

/** The newest emission of a bar, or NULL. */
static inline const struct event_bar *
fixture_bar(const struct fixture *f, uint32_t timeframe_s, int64_t start_ns)
{
	for (size_t i = f->n; i > 0; i--)
		if (f->bar[i - 1].timeframe_s == timeframe_s &&
		    f->bar[i - 1].bar_start_ns == start_ns)
			return &f->bar[i - 1];
	return NULL;
}
