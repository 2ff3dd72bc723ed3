/* However stream, refills and crashes take turns: no tick twice, none missing. */
#include "feeds/known.h"
#include "feeds/rng.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct record trade(uint64_t seq)
{
	return (struct record){.type = RECORD_TICK,
			       .event_ns = 5,
			       .price_e9 = 100,
			       .size_e8 = 1,
			       .bid_e9 = VALUE_NULL,
			       .ask_e9 = VALUE_NULL,
			       .bid_size_e8 = VALUE_NULL,
			       .ask_size_e8 = VALUE_NULL,
			       .source_seq = seq};
}

static void an_identity_is_symbol_kind_and_sequence(void **state)
{
	struct record a = trade(7), b = trade(8), quote = trade(7), cancel = trade(7);
	struct record rounded = trade(7);

	(void)state;
	quote.price_e9 = VALUE_NULL;
	quote.bid_e9 = 99;
	cancel.action_flags = record_pack(TICK_CANCEL, 0);
	rounded.event_ns = 4;
	assert_int_equal(known_id("AAPL", &a), known_id("AAPL", &rounded));
	assert_int_not_equal(known_id("AAPL", &a), known_id("AAPL", &b));
	assert_int_not_equal(known_id("AAPL", &a), known_id("MSFT", &a));
	assert_int_not_equal(known_id("AAPL", &a), known_id("AAPL", &quote));
	assert_int_not_equal(known_id("AAPL", &a), known_id("AAPL", &cancel));
}

static void without_a_sequence_the_values_tell(void **state)
{
	struct record a = trade(0), b = trade(0);

	(void)state;
	assert_int_equal(known_id("AAPL", &a), known_id("AAPL", &b));
	b.event_ns++;
	assert_int_not_equal(known_id("AAPL", &a), known_id("AAPL", &b));
	b = a;
	b.size_e8++;
	assert_int_not_equal(known_id("AAPL", &a), known_id("AAPL", &b));
}

static void a_refill_brings_what_is_missing_and_no_more(void **state)
{
	struct known *k;

	(void)state;
	assert_int_equal(known_new(1000, &k), 0);
	known_seed(k, 'A', 1);
	assert_false(known_live(k, 'A', 1)); /* a quote that is repeated: both count */
	assert_false(known_live(k, 'B', 2));
	known_refill_begin(k);
	assert_true(known_refill(k, 'A', 1));
	assert_true(known_refill(k, 'A', 1));
	assert_false(known_refill(k, 'A', 1));
	assert_true(known_refill(k, 'B', 2));
	assert_false(known_refill(k, 'C', 3));
	/* The same once more, after an answer that was cut off. */
	known_refill_begin(k);
	for (int i = 0; i < 3; i++)
		assert_true(known_refill(k, 'A', 1));
	assert_true(known_refill(k, 'B', 2));
	assert_true(known_refill(k, 'C', 3));
	known_free(k);
}

static void a_late_tick_of_the_stream_is_not_logged_again(void **state)
{
	struct known *k;

	(void)state;
	assert_int_equal(known_new(1000, &k), 0);
	known_refill_begin(k);
	assert_false(known_refill(k, 'A', 1));
	assert_true(known_live(k, 'A', 1));
	assert_false(known_live(k, 'A', 1)); /* the vendor has it twice now */
	known_free(k);
}

static bool at_least(void *arg, int64_t event_ns)
{
	return event_ns >= *(int64_t *)arg;
}

static void what_nobody_will_ask_about_is_forgotten(void **state)
{
	struct known *k;
	int64_t from = 900;

	(void)state;
	assert_int_equal(known_new(100000, &k), 0);
	for (int i = 1; i <= 50000; i++)
		known_seed(k, (uint64_t)i * 0x9e3779b97f4a7c15u, i % 1000);
	assert_int_equal(known_count(k), 50000);
	known_keep(k, at_least, &from);
	assert_int_equal(known_count(k), 5000);
	known_refill_begin(k);
	for (int i = 1; i <= 50000; i++)
		assert_int_equal(
			known_refill(k, (uint64_t)i * 0x9e3779b97f4a7c15u, i % 1000),
			i % 1000 >= 900);
	known_free(k);
}

static void its_bound_is_told_when_it_is_reached(void **state)
{
	struct known *k;
	int64_t from = 0;

	(void)state;
	assert_int_equal(known_new(10, &k), 0);
	for (uint64_t i = 1; i <= 10; i++)
		known_seed(k, i, 1);
	assert_false(known_is_overfull(k));
	known_seed(k, 3, 1);
	assert_false(known_is_overfull(k));
	known_seed(k, 11, 1);
	assert_true(known_is_overfull(k));
	assert_int_equal(known_count(k), 10);
	known_keep(k, at_least, &from);
	assert_false(known_is_overfull(k));
	known_free(k);
}

/*
 * A market of N ticks, some alike.  The stream brings each or is down, some come late;
 * refills bring all up to now and may be cut off; a crash forgets everything but the
 * log.  In the end the log has each tick as often as the market.
 */
#define N     400
#define ALIKE 150 /* identities */

struct world {
	struct rng r;
	uint64_t tick[N];
	uint32_t log[ALIKE + 1];
	struct known *k;
};

static void crash(struct world *w)
{
	known_free(w->k);
	assert_int_equal(known_new(100000, &w->k), 0);
	for (uint64_t id = 1; id <= ALIKE; id++)
		for (uint32_t i = 0; i < w->log[id]; i++)
			known_seed(w->k, id, 1);
}

static void refill(struct world *w, int upto)
{
	known_refill_begin(w->k);
	for (int i = 0; i < upto; i++)
		if (!known_refill(w->k, w->tick[i], 1))
			w->log[w->tick[i]]++;
}

static void one_life(struct world *w, bool with_late)
{
	uint64_t late[N];
	int n_late = 0;

	for (int i = 0; i < N; i++) {
		uint32_t chance = rng_below(&w->r, 100);

		if (with_late && chance < 10)
			late[n_late++] = w->tick[i];
		else if (chance < 70 && !known_live(w->k, w->tick[i], 1))
			w->log[w->tick[i]]++;
		if (!with_late && rng_below(&w->r, 40) == 0)
			refill(w, (int)rng_below(&w->r, (uint32_t)i + 1));
		if (!with_late && rng_below(&w->r, 40) == 0)
			crash(w);
	}
	refill(w, N);
	for (int i = 0; i < n_late; i++)
		if (!known_live(w->k, late[i], 1))
			w->log[late[i]]++;
}

static void live_any_life(bool with_late)
{
	uint64_t seed = (uint64_t)time(NULL);

	print_message("# seed %llu\n", (unsigned long long)seed);
	for (int round = 0; round < 200; round++) {
		struct world w = {0};
		uint32_t market[ALIKE + 1] = {0};

		rng_seed(&w.r, seed + (uint64_t)round);
		assert_int_equal(known_new(100000, &w.k), 0);
		for (int i = 0; i < N; i++) {
			w.tick[i] = 1 + rng_below(&w.r, ALIKE);
			market[w.tick[i]]++;
		}
		one_life(&w, with_late);
		assert_memory_equal(w.log, market, sizeof(market));
		known_free(w.k);
	}
}

static void crashes_and_cut_refills_change_nothing(void **state)
{
	(void)state;
	live_any_life(false);
}

static void late_ticks_change_nothing(void **state)
{
	(void)state;
	live_any_life(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_identity_is_symbol_kind_and_sequence),
		cmocka_unit_test(without_a_sequence_the_values_tell),
		cmocka_unit_test(a_refill_brings_what_is_missing_and_no_more),
		cmocka_unit_test(a_late_tick_of_the_stream_is_not_logged_again),
		cmocka_unit_test(what_nobody_will_ask_about_is_forgotten),
		cmocka_unit_test(its_bound_is_told_when_it_is_reached),
		cmocka_unit_test(crashes_and_cut_refills_change_nothing),
		cmocka_unit_test(late_ticks_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
