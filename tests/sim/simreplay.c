/* simreplay - see simreplay.h. */
#include "tests/sim/simreplay.h"
#include "base/clock.h"
#include "bus/symtab.h"
#include "workers/shard.h"
#include "workers/tier2.h"
#include <stdlib.h>
#include <string.h>

#define WORKERS     8u
#define SYMBOLS_MAX 64u
#define SOURCES_MAX 16u

struct replay;

struct lane_of {
	struct replay *replay;
	uint32_t index;
	struct shard *shard;
};

struct replay {
	struct chronicle *chronicle;
	struct symtab *symbols, *sources;
	struct lane_of shards[WORKERS];
	uint32_t n;
	struct tier2 *tier2;
	int64_t source_next[SOURCES_MAX];
	uint64_t tick_seq[SYMBOLS_MAX];
};

static void on_bar(void *arg, const struct event_bar *e)
{
	struct lane_of *l = arg;

	chronicle_expect(l->replay->chronicle, EVENT_BAR, e, sizeof(*e));
}

static void on_tier1(void *arg, const struct event_tier1 *e)
{
	struct lane_of *l = arg;

	chronicle_expect(l->replay->chronicle, EVENT_TIER1, e, sizeof(*e));
}

static void on_status(void *arg, const struct event_status *e)
{
	struct lane_of *l = arg;

	chronicle_expect(l->replay->chronicle, EVENT_STATUS, e, sizeof(*e));
}

static void on_cut(void *arg, const struct cut_item *c)
{
	struct lane_of *l = arg;

	if (tier2_feed(l->replay->tier2, l->index, c, 1) < 0)
		abort();
}

static void on_mark(void *arg, uint64_t pos)
{
	(void)arg;
	(void)pos;
}

static void on_matrix(void *arg, const struct event_tier2 *e,
		      const struct tier2_member *members, const double *triangle,
		      bool replay)
{
	struct replay *r = arg;
	struct buf all = {0};

	(void)replay;
	buf_add(&all, e, sizeof(*e));
	buf_add(&all, members, e->n_members * sizeof(*members));
	buf_add(&all, triangle, event_triangle_len(e->n_included) * sizeof(*triangle));
	chronicle_expect(r->chronicle, EVENT_TIER2, all.data, all.len);
	buf_free(&all);
}

static void names(struct symtab *t, char (*const name)[SYMBOL_MAX], uint32_t from,
		  size_t n)
{
	uint32_t id;
	int is_new;

	for (size_t i = from; i < n; i++)
		if (symtab_add(t, name[i], symbol_field_len(name[i], SYMBOL_MAX), &id,
			       &is_new) != 0 ||
		    id != i)
			abort();
}

static void to_all(struct replay *r, const struct item *it)
{
	for (uint32_t w = 0; w < r->n; w++)
		shard_step(r->shards[w].shard, it, 1);
}

static void carry(struct replay *r, uint64_t pos, const struct record *rec)
{
	struct item it = {.pos = pos, .rec = *rec};
	struct item mark = {.pos = pos, .flags = ITEM_MARK};

	if (rec->source_id != 0 && rec->event_ns >= r->source_next[rec->source_id]) {
		const struct item alive = {.pos = pos,
					   .rec = {.event_ns = rec->event_ns,
						   .recv_ns = rec->recv_ns,
						   .source_id = rec->source_id,
						   .type = RECORD_SOURCE}};

		to_all(r, &alive);
		r->source_next[rec->source_id] =
			(rec->event_ns / NS_PER_S + 1) * NS_PER_S;
	}
	if (rec->type == RECORD_TICK) {
		it.seq = ++r->tick_seq[rec->symbol_id];
		shard_step(r->shards[rec->symbol_id % r->n].shard, &it, 1);
	} else {
		to_all(r, &it);
	}
	to_all(r, &mark);
	while (tier2_step(r->tier2, 1000) > 0)
		;
}

void simreplay(struct chronicle *c, const struct params *params, uint32_t n_workers)
{
	struct replay *r = calloc(1, sizeof(*r));
	const struct tier2_sink tier2_sink = {.arg = r, .matrix = on_matrix};
	struct tier2_env tier2 = {
		.params = params, .n_workers = n_workers, .symbols_max = SYMBOLS_MAX};

	r->chronicle = c;
	r->n = n_workers;
	for (uint32_t i = 0; i < SOURCES_MAX; i++)
		r->source_next[i] = INT64_MIN;
	if (symtab_new(SYMBOLS_MAX, 0, &r->symbols) < 0 ||
	    symtab_new(SOURCES_MAX, 1, &r->sources) < 0)
		abort();
	names(r->symbols, c->symbols, 0, c->n_symbols);
	names(r->sources, c->sources, 1, c->n_sources);
	tier2.symbols = r->symbols;
	if (tier2_new(&tier2, &tier2_sink, &r->tier2) < 0)
		abort();
	for (uint32_t w = 0; w < n_workers; w++) {
		struct lane_of *l = &r->shards[w];
		const struct shard_sink sink = {.arg = l,
						.bar = on_bar,
						.tier1 = on_tier1,
						.status = on_status,
						.cut = on_cut,
						.mark = on_mark};
		const struct shard_env env = {.params = params,
					      .symbols = r->symbols,
					      .sources = r->sources,
					      .index = w,
					      .n_shards = n_workers,
					      .symbols_max = SYMBOLS_MAX};

		*l = (struct lane_of){r, w, NULL};
		if (shard_new(&env, &sink, &l->shard) < 0)
			abort();
	}
	for (size_t i = 0; i < c->n_records; i++)
		carry(r, c->records[i].pos, &c->records[i].rec);
	for (uint32_t w = 0; w < n_workers; w++)
		shard_free(r->shards[w].shard);
	tier2_free(r->tier2);
	symtab_free(r->symbols);
	symtab_free(r->sources);
	free(r);
}
