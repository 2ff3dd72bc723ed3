/*
 * shard_test - time passes for every symbol, for those not seen yet as well; a source
 * that is killed takes with it what it makes, not what it once made.
 */
#include "base/clock.h"
#include "proto/freeze.h"
#include "workers/shard.h"
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
#define T0  (INT64_C(1700000000) / 600 * 600 * NS_PER_S)

struct world {
	struct params params;
	struct symtab *symbols, *sources;
	struct shard *shard;
	uint64_t pos;
	size_t n_bars;
	struct event_bar last;
	uint8_t states[8]; /* of status events, the first ones */
	size_t n_states;
	struct buf saved;
};

static void on_bar(void *arg, const struct event_bar *e)
{
	struct world *w = arg;

	w->last = *e;
	w->n_bars++;
}

static void on_tier1(void *arg, const struct event_tier1 *e)
{
	(void)arg;
	(void)e;
}

static void on_status(void *arg, const struct event_status *e)
{
	struct world *w = arg;

	assert_true(w->n_states < sizeof(w->states));
	w->states[w->n_states++] = e->state;
}

static void on_cut(void *arg, const struct cut_item *c)
{
	(void)arg;
	(void)c;
}

static void on_mark(void *arg, uint64_t pos)
{
	(void)arg;
	(void)pos;
}

static int on_part(void *arg, uint64_t pos, struct buf *part, bool is_last)
{
	struct world *w = arg;

	(void)pos;
	(void)is_last;
	buf_add(&w->saved, part->data, part->len);
	part->len = 0;
	return 0;
}

static void open_shard(struct world *w)
{
	const struct shard_env env = {.params = &w->params,
				      .symbols = w->symbols,
				      .sources = w->sources,
				      .n_shards = 1,
				      .symbols_max = 8};
	const struct shard_sink sink = {.arg = w,
					.bar = on_bar,
					.tier1 = on_tier1,
					.status = on_status,
					.cut = on_cut,
					.mark = on_mark,
					.snapshot = on_part};

	assert_int_equal(shard_new(&env, &sink, &w->shard), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	uint32_t id;
	int is_new;

	if (w == NULL)
		abort();
	params_default(&w->params);
	assert_int_equal(symtab_new(8, 0, &w->symbols), 0);
	assert_int_equal(symtab_new(8, 1, &w->sources), 0);
	assert_int_equal(symtab_add(w->symbols, "A", 1, &id, &is_new), 0);
	assert_int_equal(symtab_add(w->symbols, "B", 1, &id, &is_new), 0);
	assert_int_equal(symtab_add(w->sources, "x", 1, &id, &is_new), 0);
	assert_int_equal(symtab_add(w->sources, "y", 1, &id, &is_new), 0);
	open_shard(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	shard_free(w->shard);
	symtab_free(w->symbols);
	symtab_free(w->sources);
	params_deinit(&w->params);
	buf_free(&w->saved);
	free(w);
	return 0;
}

static void clock_at(struct world *w, int64_t ns)
{
	const struct item it = {.pos = ++w->pos,
				.rec = {.type = RECORD_CLOCK, .event_ns = ns}};

	shard_step(w->shard, &it, 1);
}

static void trade_of(struct world *w, uint32_t symbol_id, uint16_t source_id,
		     int64_t ns)
{
	struct item it = {.pos = ++w->pos,
			  .rec = {.type = RECORD_TICK,
				  .event_ns = ns,
				  .price_e9 = 100 * NS_PER_S,
				  .size_e8 = 100,
				  .bid_e9 = VALUE_NULL,
				  .ask_e9 = VALUE_NULL,
				  .bid_size_e8 = VALUE_NULL,
				  .ask_size_e8 = VALUE_NULL,
				  .source_seq = w->pos + 1,
				  .symbol_id = symbol_id,
				  .source_id = source_id}};

	shard_step(w->shard, &it, 1);
}

static void trade(struct world *w, uint32_t symbol_id, int64_t ns)
{
	trade_of(w, symbol_id, 1, ns);
}

static void kill_source(struct world *w, uint16_t source_id, bool is_on)
{
	const struct freeze f = {.level = FREEZE_SOURCE, .id = source_id};
	const struct item it = {
		.pos = ++w->pos,
		.rec = {.type = RECORD_CONTROL,
			.ref_seq = is_on ? CONTROL_FREEZE : CONTROL_RELEASE,
			.source_seq = freeze_pack(&f)}};

	shard_step(w->shard, &it, 1);
}

static uint64_t dropped(const struct world *w)
{
	struct bars_counts counts = {0};

	shard_tally(w->shard, &counts);
	return counts.late_dropped;
}

static void the_first_trade_of_a_symbol_is_late_by_the_clock_as_any_other(void **state)
{
	struct world *w = *state;

	trade(w, 0, T0 + S);
	clock_at(w, T0 + 10 * MIN);
	trade(w, 0, T0 + 2 * S);
	assert_int_equal(1, dropped(w));
	trade(w, 1, T0 + 2 * S); /* never seen: its minute is final all the same */
	assert_int_equal(2, dropped(w));
	trade(w, 1, T0 + 9 * MIN + 30 * S); /* ended just now: its bar comes at once */
	clock_at(w, T0 + 10 * MIN + S);
	assert_int_equal(1, w->last.symbol_id);
	assert_true(T0 + 10 * MIN == w->last.head.event_ns);
	assert_int_equal(2, dropped(w));
}

static void a_snapshot_knows_the_time(void **state)
{
	struct world *w = *state;
	struct shard_streams streams;
	struct section sec;
	const uint8_t *at;
	int rc;

	trade(w, 0, T0 + S);
	clock_at(w, T0 + 10 * MIN);
	shard_save_begin(w->shard, w->pos);
	while (shard_save_step(w->shard, 10))
		;
	shard_free(w->shard);
	open_shard(w);
	at = w->saved.data;
	while ((rc = section_next(&at, w->saved.data + w->saved.len, &sec)) == 0)
		assert_int_equal(0, shard_load(w->shard, &sec, &streams));
	assert_int_equal(SECTION_NONE, rc);
	trade(w, 1, T0 + 2 * S);
	assert_int_equal(1, dropped(w));
}

/* A bar is final a minute after it was made: by then another source makes the newest.
 */
static void who_left_a_killed_source_is_not_taken_back_by_its_older_bars(void **state)
{
	struct world *w = *state;

	w->params.bars.revision_window_ns = 3 * MIN;
	trade_of(w, 0, 1, T0 + S);
	clock_at(w, T0 + MIN + 2 * S);
	assert_int_equal(1, w->last.source_id);
	kill_source(w, 1, true);
	for (int minute = 1; minute < 6; minute++) {
		trade_of(w, 0, 2, T0 + minute * MIN + 3 * S);
		clock_at(w, T0 + (minute + 1) * MIN + 2 * S);
	}
	assert_int_equal(2, w->last.source_id);
	assert_int_equal(2, w->n_states);
	assert_int_equal(SYMBOL_KILLED, w->states[0]);
	assert_int_equal(SYMBOL_RELEASED, w->states[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_first_trade_of_a_symbol_is_late_by_the_clock_as_any_other,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			who_left_a_killed_source_is_not_taken_back_by_its_older_bars,
			setup, teardown),
		cmocka_unit_test_setup_teardown(a_snapshot_knows_the_time, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
