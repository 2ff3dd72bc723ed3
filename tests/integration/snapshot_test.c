/*
 * snapshot - a state that was saved and loaded goes on as if nothing had happened.
 *
 * A simulated market with every fault runs through shards and tier 2.  At many places a
 * snapshot is taken, in the lazy way of the workers; from it fresh shards - another
 * number of them - and a fresh tier 2 go on.  What they publish, and what they would
 * save at the end, must be what the undisturbed run publishes and saves, byte for byte.
 */
#include "base/sha256.h"
#include "tests/integration/snapshot_market.h"
#include "workers/shard.h"
#include "workers/tier2.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SHARDS   4
#define CUTS_MAX 65536

/* The sections of a snapshot, in the order of kind and id. */
struct kept {
	struct buf bytes;
	struct section sec[4096];
	size_t n;
	unsigned done; /* shards and tier 2 that have handed over their last part */
};

/* One run: shards, tier 2, and a hash over everything that came out. */
struct run {
	uint32_t n_shards;
	struct shard *shards[SHARDS];
	struct tier2 *tier2;
	struct kept *kept; /* where parts of a snapshot go; NULL: refused for now */
	struct sha256 of[EVENT_KINDS][SYMBOLS]; /* per stream; tier2: by timeframe */
	uint64_t n[EVENT_KINDS];
	struct cut_item *cuts[SHARDS];
	size_t n_cuts[SHARDS];
};

struct sender {
	struct run *run;
	uint32_t shard;
};

static struct sender senders[2][SHARDS];

static void add(struct run *r, enum event_kind kind, uint32_t stream, const void *data,
		size_t len)
{
	sha256_add(&r->of[kind][stream % SYMBOLS], data, len);
	r->n[kind]++;
}

static void on_bar(void *arg, const struct event_bar *e)
{
	add(((struct sender *)arg)->run, EVENT_BAR, e->symbol_id, e, sizeof(*e));
}

static void on_tier1(void *arg, const struct event_tier1 *e)
{
	add(((struct sender *)arg)->run, EVENT_TIER1, e->symbol_id, e, sizeof(*e));
}

static void on_status(void *arg, const struct event_status *e)
{
	add(((struct sender *)arg)->run, EVENT_STATUS, e->symbol_id, e, sizeof(*e));
}

static void on_cut(void *arg, const struct cut_item *c)
{
	struct sender *s = arg;

	assert_true(s->run->n_cuts[s->shard] < CUTS_MAX);
	s->run->cuts[s->shard][s->run->n_cuts[s->shard]++] = *c;
}

static void on_mark(void *arg, uint64_t pos)
{
	(void)arg;
	(void)pos;
}

static int take_part(struct run *r, struct buf *part, bool is_last)
{
	if (r->kept == NULL)
		return 1;
	buf_add(&r->kept->bytes, part->data, part->len);
	part->len = 0;
	r->kept->done += is_last;
	return 0;
}

static int on_shard_part(void *arg, uint64_t pos, struct buf *part, bool is_last)
{
	(void)pos;
	return take_part(((struct sender *)arg)->run, part, is_last);
}

static int on_tier2_part(void *arg, uint64_t pos, struct buf *part, bool is_last)
{
	(void)pos;
	return take_part(arg, part, is_last);
}

static void on_matrix(void *arg, const struct event_tier2 *e,
		      const struct tier2_member *members, const double *triangle,
		      bool replay)
{
	struct run *r = arg;
	size_t cells = (size_t)e->n_included * (e->n_included + 1) / 2;

	(void)replay;
	add(r, EVENT_TIER2, e->timeframe_s, e, sizeof(*e));
	sha256_add(&r->of[EVENT_TIER2][e->timeframe_s % SYMBOLS], members,
		   e->n_members * sizeof(*members));
	sha256_add(&r->of[EVENT_TIER2][e->timeframe_s % SYMBOLS], triangle,
		   cells * sizeof(*triangle));
}

static void run_begin(struct run *r, const struct world *w, uint32_t n_shards,
		      unsigned which)
{
	struct tier2_env env = {.params = &w->params,
				.symbols = w->symbols,
				.n_workers = n_shards,
				.symbols_max = SYMBOLS};

	*r = (struct run){.n_shards = n_shards};
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		for (unsigned s = 0; s < SYMBOLS; s++)
			sha256_init(&r->of[k][s]);
	for (uint32_t i = 0; i < n_shards; i++) {
		struct shard_env se = {.params = &w->params,
				       .symbols = w->symbols,
				       .sources = w->sources,
				       .index = i,
				       .n_shards = n_shards,
				       .symbols_max = SYMBOLS};
		struct shard_sink sink = {.arg = &senders[which][i],
					  .bar = on_bar,
					  .tier1 = on_tier1,
					  .status = on_status,
					  .cut = on_cut,
					  .mark = on_mark,
					  .snapshot = on_shard_part};

		senders[which][i] = (struct sender){r, i};
		r->cuts[i] = malloc(CUTS_MAX * sizeof(*r->cuts[i]));
		assert_non_null(r->cuts[i]);
		assert_int_equal(shard_new(&se, &sink, &r->shards[i]), 0);
	}
	assert_int_equal(tier2_new(&env,
				   &(struct tier2_sink){.arg = r,
							.matrix = on_matrix,
							.snapshot = on_tier2_part},
				   &r->tier2),
			 0);
}

static void run_end(struct run *r)
{
	for (uint32_t i = 0; i < r->n_shards; i++) {
		shard_free(r->shards[i]);
		free(r->cuts[i]);
	}
	tier2_free(r->tier2);
}

/* Hand the cut items to tier 2; ticks' items are in order within a shard here. */
static void pass_cuts(struct run *r)
{
	for (uint32_t i = 0; i < r->n_shards; i++) {
		assert_int_equal(tier2_feed(r->tier2, i, r->cuts[i], r->n_cuts[i]), 0);
		r->n_cuts[i] = 0;
	}
	while (tier2_step(r->tier2, 1000) > 0)
		;
}

static void step(struct run *r, const struct item *it)
{
	bool is_tick = it->rec.type == RECORD_TICK && !(it->flags & ITEM_MARK);

	for (uint32_t i = 0; i < r->n_shards; i++)
		if (!is_tick || it->rec.symbol_id % r->n_shards == i)
			shard_step(r->shards[i], it, 1);
}

static void mark(struct run *r, uint64_t pos, uint64_t flags)
{
	const struct item it = {.pos = pos, .flags = ITEM_MARK | flags};

	step(r, &it);
	pass_cuts(r);
}

/* Items [from, to), lanes of a snapshot under way saved one by one between them. */
static void run_items(struct run *r, const struct world *w, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		step(r, &w->items[i]);
		if (i % 16 == 0)
			(void)shard_save_step(r->shards[i / 16 % r->n_shards], 1);
		if (i % 1000 == 999)
			mark(r, w->items[i].pos, 0);
	}
}

static int by_kind_and_id(const void *a, const void *b)
{
	const struct section *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void finish_saving(struct run *r)
{
	for (uint32_t i = 0; i < r->n_shards; i++)
		while (shard_save_step(r->shards[i], 4))
			;
	(void)tier2_save_step(r->tier2);
}

static void sort_sections(struct kept *k)
{
	const uint8_t *at = k->bytes.data, *end = at + k->bytes.len;
	int rc;

	for (k->n = 0; (rc = section_next(&at, end, &k->sec[k->n])) == 0; k->n++)
		assert_true(k->n < 4095);
	assert_int_equal(rc, SECTION_NONE);
	qsort(k->sec, k->n, sizeof(*k->sec), by_kind_and_id);
}

static void load(struct run *r, const struct kept *k)
{
	struct shard_streams streams;

	for (size_t i = 0; i < k->n; i++) {
		const struct section *sec = &k->sec[i];

		if (sec->kind == SECTION_UNIVERSE) {
			assert_int_equal(tier2_load(r->tier2, sec), 0);
		} else if (sec->kind == SECTION_LANE) {
			struct shard *s = r->shards[sec->id % r->n_shards];

			assert_int_equal(shard_load(s, sec, &streams), 0);
		} else {
			for (uint32_t n = 0; n < r->n_shards; n++)
				assert_int_equal(
					shard_load(r->shards[n], sec, &streams), 0);
		}
	}
}

static void assert_same_bytes(const struct kept *a, const struct kept *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->sec[i].kind, b->sec[i].kind);
		assert_int_equal(a->sec[i].id, b->sec[i].id);
		assert_int_equal(a->sec[i].len, b->sec[i].len);
		assert_memory_equal(a->sec[i].data, b->sec[i].data, a->sec[i].len);
	}
}

static void kept_free(struct kept *k)
{
	buf_free(&k->bytes);
	free(k);
}

/* ---- the test ---- */

/* The position of the snapshot is a mark's: behind items[at - 1]. */
static void compare_from(const struct world *w, uint32_t at, uint32_t n_before,
			 uint32_t n_after)
{
	struct kept *kept = calloc(1, sizeof(*kept));
	struct kept *end_a = calloc(1, sizeof(*end_a)),
		    *end_b = calloc(1, sizeof(*end_b));
	struct run a, b;
	uint64_t last = w->items[w->n - 1].pos + 1; /* one snapshot a position */

	run_begin(&a, w, n_before, 0);
	run_items(&a, w, 0, at);
	mark(&a, w->items[at - 1].pos, ITEM_SNAPSHOT);
	a.kept = kept;
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		a.n[k] = 0;
		for (unsigned s = 0; s < SYMBOLS; s++)
			sha256_init(&a.of[k][s]);
	}
	run_items(&a, w, at, w->n); /* lanes are saved while the market goes on */
	finish_saving(&a);
	assert_int_equal(kept->done, n_before + 1);
	sort_sections(kept);

	run_begin(&b, w, n_after, 1);
	load(&b, kept);
	run_items(&b, w, at, w->n);
	a.kept = end_a;
	b.kept = end_b;
	mark(&a, last, ITEM_SNAPSHOT);
	mark(&b, last, ITEM_SNAPSHOT);
	finish_saving(&a);
	finish_saving(&b);

	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		assert_int_equal(a.n[k], b.n[k]);
		for (unsigned s = 0; s < SYMBOLS; s++) {
			uint8_t x[32], y[32];

			sha256_done(&a.of[k][s], x);
			sha256_done(&b.of[k][s], y);
			assert_memory_equal(x, y, sizeof(x));
		}
	}
	sort_sections(end_a);
	sort_sections(end_b);
	assert_same_bytes(end_a, end_b);
	run_end(&a);
	run_end(&b);
	kept_free(kept);
	kept_free(end_a);
	kept_free(end_b);
}

static void a_loaded_state_goes_on_as_if_nothing_had_happened(void **state)
{
	static const struct {
		uint32_t at, before, after;
	} all[] = {{1, 1, 2},     {777, 2, 1},   {2500, 1, 1},
		   {6172, 4, 3},  {11728, 3, 4}, {15001, 2, 2},
		   {20500, 4, 1}, {26172, 1, 4}, {ITEMS, 3, 3}};
	/* A sanitizer makes a run many times slower: every third place then. */
	size_t step = getenv("TICKBUS_SLOW") != NULL ? 3 : 1;
	struct world w;

	(void)state;
	world_init(&w, 7);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i += step)
		compare_from(&w, all[i].at, all[i].before, all[i].after);
	for (uint32_t from = 1000; from < ITEMS; from += 7000 * (uint32_t)step)
		compare_from(&w, world_silence(&w, from), 2, 2);
	world_deinit(&w);
}

/* Whatever bytes stand in a section: refused or loaded, never a crash. */
static void a_damaged_section_never_crashes(void **state)
{
	struct kept *kept = calloc(1, sizeof(*kept));
	struct world w;
	struct run a;
	uint64_t rng = 88172645463325252u, refused = 0;

	(void)state;
	world_init(&w, 9);
	run_begin(&a, &w, 1, 0);
	run_items(&a, &w, 0, 15000);
	a.kept = kept;
	mark(&a, w.items[14999].pos, ITEM_SNAPSHOT);
	finish_saving(&a);
	sort_sections(kept);
	for (unsigned round = 0; round < 400; round++) {
		struct section sec = kept->sec[round % kept->n];
		uint8_t *bytes = malloc(sec.len);
		struct shard_streams streams;
		struct run b;
		int rc;

		memcpy(bytes, sec.data, sec.len);
		for (unsigned flips = 1 + round % 3; flips > 0; flips--) {
			rng ^= rng << 13;
			rng ^= rng >> 7;
			rng ^= rng << 17;
			bytes[rng % sec.len] ^= (uint8_t)(1u << (rng >> 60 & 7));
		}
		if (round % 5 == 0)
			sec.len = rng % sec.len;
		sec.data = bytes;
		run_begin(&b, &w, 1, 1);
		if (sec.kind == SECTION_UNIVERSE)
			rc = tier2_load(b.tier2, &sec);
		else
			rc = shard_load(b.shards[0], &sec, &streams);
		refused += rc != 0;
		run_end(&b);
		free(bytes);
	}
	assert_true(refused > 80); /* the short ones at least */
	run_end(&a);
	kept_free(kept);
	world_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loaded_state_goes_on_as_if_nothing_had_happened),
		cmocka_unit_test(a_damaged_section_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
