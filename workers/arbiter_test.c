/* arbiter_test - whose ticks make the bars, and what is told about it. */
#include "workers/bars_fixture.h"
#include <stdio.h>

enum { NYSE = 1, BATS = 2 };

static void open_two(struct fixture *f)
{
	fixture_init(f);
	memcpy(f->params.defaults.sources[0], "nyse", 5);
	memcpy(f->params.defaults.sources[1], "bats", 5);
	f->params.defaults.n_sources = 2;
	fixture_open(f);
}

static void trade(struct fixture *f, uint16_t source, int64_t ns, int64_t price_e9)
{
	struct record r = fixture_record(ns, f->pos + 1);

	r.source_id = source;
	r.price_e9 = price_e9;
	r.size_e8 = E8;
	fixture_put(f, &r);
}

static void quote(struct fixture *f, uint16_t source, int64_t ns, int64_t bid_e9,
		  int64_t ask_e9)
{
	struct record r = fixture_record(ns, f->pos + 1);

	r.source_id = source;
	r.bid_e9 = bid_e9;
	r.ask_e9 = ask_e9;
	fixture_put(f, &r);
}

/* The @n-th status is of @state, names @source, and its text begins with @text. */
static void assert_told(const struct fixture *f, size_t n, enum symbol_state state,
			uint16_t source, const char *text)
{
	assert_true(n < f->n_status);
	assert_int_equal(state, f->status[n].state);
	assert_int_equal(source, f->status[n].source_id);
	if (strncmp(text, f->status[n].text, strlen(text)) != 0)
		fail_msg("told: %.80s", f->status[n].text);
}

static void two_live_sources_make_one_bar_of_the_preferred_one(void **state)
{
	struct fixture f;

	(void)state;
	open_two(&f);
	for (int i = 0; i < 50; i++) {
		trade(&f, NYSE, T0 + i * S, 100 * E9 + i % 3);
		trade(&f, BATS, T0 + i * S + 1, 100 * E9 + i % 3);
	}
	fixture_clock(&f, T0 + MIN + S);
	assert_int_equal(50, fixture_bar(&f, 60, T0)->trade_count);
	assert_memory_equal("nyse", fixture_bar(&f, 60, T0)->source, 5);
	assert_int_equal(50, bars_counts(f.bars)->other_source);
	assert_int_equal(1, f.n_status);
	assert_told(&f, 0, SYMBOL_SOURCE_CHOSEN, NYSE, "nyse: the first to be heard");
	fixture_close(&f);
}

static void a_silent_source_is_replaced_and_comes_back_after_its_time(void **state)
{
	struct fixture f;

	(void)state;
	open_two(&f); /* silent after 5 s, back after 30 s */
	for (int i = 0; i < 10; i++) {
		trade(&f, NYSE, T0 + i * S, 100 * E9);
		trade(&f, BATS, T0 + i * S + 1, 100 * E9);
	}
	for (int i = 10; i < 20; i++)
		trade(&f, BATS, T0 + i * S + 1, 100 * E9);
	/* nyse was heard last at 9 s: silent from 14 s on, so 14, 15 ... 19 count. */
	assert_int_equal(2, f.n_status);
	assert_told(&f, 1, SYMBOL_SOURCE_CHOSEN, BATS,
		    "bats for nyse, which is silent");
	assert_int_equal(T0 + 14 * S + 1, f.status[1].head.event_ns);
	for (int i = 20; i < 60; i++) {
		trade(&f, NYSE, T0 + i * S, 100 * E9);
		trade(&f, BATS, T0 + i * S + 1, 100 * E9);
	}
	assert_int_equal(3, f.n_status);
	assert_told(&f, 2, SYMBOL_SOURCE_CHOSEN, NYSE, "nyse again, before bats");
	fixture_clock(&f, T0 + MIN + S);
	/* nyse 0..9, bats 14..49 until nyse has been back for 30 s, nyse 50..59. */
	assert_int_equal(10 + 36 + 10, fixture_bar(&f, 60, T0)->trade_count);
	fixture_close(&f);
}

static void silence_is_found_by_the_clock_as_well(void **state)
{
	struct fixture f;

	(void)state;
	open_two(&f);
	trade(&f, BATS, T0, 100 * E9);
	trade(&f, NYSE, T0 + S, 100 * E9);
	assert_told(&f, 1, SYMBOL_SOURCE_CHOSEN, NYSE, "nyse again, before bats");
	for (int i = 2; i <= 61; i++) /* bats lives, and says nothing of this symbol */
		source_life_saw(f.life, BATS, T0 + i * S);
	fixture_clock(&f, T0 + MIN + S);
	fixture_clock(&f, T0 + 2 * MIN + S);
	assert_told(&f, 2, SYMBOL_SOURCE_CHOSEN, BATS,
		    "bats for nyse, which is silent");
	/* Nobody traded in that minute, and that is known: it was not blind. */
	assert_int_equal(BAR_QUIET, fixture_bar(&f, 60, T0 + MIN)->state);
	assert_memory_equal("bats", fixture_bar(&f, 60, T0 + MIN)->source, 5);
	fixture_close(&f);
}

static void a_killed_source_is_replaced_until_it_is_released(void **state)
{
	struct fixture f;
	int64_t t = T0;

	(void)state;
	open_two(&f);
	f.params.defaults.source_return_ns = 5 * S;
	for (int i = 0; i < 10; i++, t += S) {
		trade(&f, NYSE, t, 100 * E9);
		trade(&f, BATS, t + 1, 100 * E9);
	}
	source_life_hold(f.life, NYSE, true);
	for (int i = 0; i < 10; i++, t += S) {
		trade(&f, NYSE, t, 100 * E9);
		trade(&f, BATS, t + 1, 100 * E9);
	}
	assert_told(&f, 1, SYMBOL_SOURCE_CHOSEN, BATS,
		    "bats for nyse, which is killed");
	/* Of two killed ones the chosen stays: somebody's bars are held then. */
	source_life_hold(f.life, BATS, true);
	trade(&f, BATS, t, 100 * E9);
	assert_int_equal(f.n_status, 2);
	source_life_hold(f.life, BATS, false);
	source_life_hold(f.life, NYSE, false);
	t += S;
	trade(&f, BATS, t, 100 * E9);
	assert_told(&f, 2, SYMBOL_SOURCE_CHOSEN, NYSE, "nyse again, before bats");
	fixture_close(&f);
}

static void a_source_of_crossed_quotes_is_poor_until_it_mends(void **state)
{
	struct fixture f;
	int64_t t = T0;

	(void)state;
	open_two(&f);
	f.params.defaults.source_return_ns = 0;
	for (int i = 0; i < 16; i++) {
		assert_int_equal(i == 0 ? 0 : 1, f.n_status);
		quote(&f, NYSE, t += S / 10, 101 * E9, 100 * E9);
		quote(&f, BATS, t += S / 10, 100 * E9, 101 * E9);
	}
	assert_int_equal(2, f.n_status);
	assert_told(&f, 1, SYMBOL_SOURCE_CHOSEN, BATS,
		    "bats for nyse: 16 of its last 32 ticks were bad");
	for (int i = 0; i < 28; i++) {
		quote(&f, NYSE, t += S / 10, 100 * E9, 101 * E9);
		assert_int_equal(i < 27 ? 2 : 3, f.n_status);
	}
	assert_told(&f, 2, SYMBOL_SOURCE_CHOSEN, NYSE, "nyse again, before bats");
	fixture_close(&f);
}

static void the_one_whose_price_moved_away_is_blamed_and_it_is_told(void **state)
{
	struct fixture f;
	int64_t t = T0;

	(void)state;
	open_two(&f); /* told from 0.5 % on */
	for (int i = 0; i < 20; i++) {
		trade(&f, NYSE, t += S / 10, 100 * E9);
		trade(&f, BATS, t += S / 10, 100 * E9 + i);
	}
	assert_int_equal(1, f.n_status);
	trade(&f, NYSE, t += S / 10, 103 * E9); /* stuck at a wrong price */
	assert_told(&f, 1, SYMBOL_SOURCES_DIVERGE, NYSE,
		    "nyse 103, others 100.00000001");
	assert_in_range(f.status[1].detail, 29000, 30000);
	for (int i = 0; i < 40; i++) {
		trade(&f, NYSE, t += S / 10, 103 * E9);
		trade(&f, BATS, t += S / 10, 100 * E9);
	}
	assert_told(&f, 2, SYMBOL_SOURCE_CHOSEN, BATS,
		    "bats for nyse: 16 of its last 32 ticks were bad");
	for (int i = 0; i < 40; i++) {
		trade(&f, NYSE, t += S / 10, 100 * E9);
		trade(&f, BATS, t += S / 10, 100 * E9);
	}
	assert_told(&f, 3, SYMBOL_SOURCES_AGREE, BATS, "bats 100, nyse 100");
	fixture_close(&f);
}

static void a_market_that_jumps_makes_nobody_poor(void **state)
{
	struct fixture f;
	int64_t t = T0;

	(void)state;
	open_two(&f);
	for (int i = 0; i < 30; i++) {
		int64_t price_e9 = (i % 2 ? 100 : 104) * E9;
		for (int k = 0; k <= i % 3; k++)
			trade(&f, NYSE, t += S / 4, price_e9);
		trade(&f, BATS, t += S / 100, price_e9);
	}
	assert_true(f.n_status > 10); /* that they were apart for a moment is told */
	for (size_t i = 1; i < f.n_status; i++)
		assert_int_not_equal(SYMBOL_SOURCE_CHOSEN, f.status[i].state);
	fixture_close(&f);
}

static void a_cancel_reaches_the_trade_of_the_source_that_made_it(void **state)
{
	struct record r;
	struct fixture f;

	(void)state;
	open_two(&f);
	trade(&f, NYSE, T0 + S, 100 * E9);
	trade(&f, NYSE, T0 + 2 * S, 200 * E9); /* its sequence is 2 */
	for (int i = 9; i < 30; i++)
		trade(&f, BATS, T0 + i * S, 100 * E9);
	r = fixture_record(T0 + 30 * S, 0);
	r.source_id = NYSE;
	r.ref_seq = 2;
	r.action_flags = record_pack(TICK_CANCEL, 0);
	fixture_put(&f, &r);
	fixture_clock(&f, T0 + MIN + S);
	assert_true(100 * E9 == fixture_bar(&f, 60, T0)->high_e9);
	assert_memory_equal("bats", fixture_bar(&f, 60, T0)->source, 5);
	fixture_close(&f);
}

static void sources_that_are_not_listed_are_not_used(void **state)
{
	struct fixture f;
	uint32_t id;
	int is_new;

	(void)state;
	open_two(&f);
	assert_int_equal(symtab_add(f.sources, "edgx", 4, &id, &is_new), 0);
	trade(&f, (uint16_t)id, T0 + S, 100 * E9);
	assert_int_equal(0, f.n_status);
	assert_int_equal(1, bars_counts(f.bars)->other_source);
	fixture_close(&f);
}

static uint64_t dice(uint64_t *x)
{
	*x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *x >> 33;
}

/* Whatever comes, saving and loading in the middle changes nothing that is told. */
static void a_saved_choice_goes_on_as_if_nothing_had_happened(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct fixture one, two;
		uint64_t x = seed;
		int64_t t = T0;

		open_two(&one);
		open_two(&two);
		for (int i = 0; i < 400; i++) {
			uint16_t source = dice(&x) % 3 ? NYSE : BATS;
			int64_t price_e9 = (100 + (int64_t)(dice(&x) % 5 == 0)) * E9;

			t += (int64_t)(dice(&x) % (i % 50 == 0 ? 20 : 1 + i % 2)) * S +
			     1;
			trade(&one, source, t, price_e9);
			trade(&two, source, t, price_e9);
			if (dice(&x) % 20 != 0)
				continue;
			struct buf saved = {0};
			struct state out = state_saving(&saved), in;
			struct bars *fresh;

			bars_state(&out, two.bars);
			in = state_loading(saved.data, saved.len);
			assert_int_equal(0, bars_new(&two.params, &two.params.defaults,
						     7, "AAPL", two.sources, two.life,
						     &fresh));
			bars_state(&in, fresh);
			state_end(&in);
			assert_false(state_bad(&in));
			bars_renumber(fresh, bars_seq(two.bars));
			bars_free(two.bars);
			two.bars = fresh;
			buf_free(&saved);
		}
		if (one.n_status != two.n_status || one.n != two.n)
			fail_msg("seed %llu: %zu and %zu told",
				 (unsigned long long)seed, one.n_status, two.n_status);
		assert_memory_equal(one.status, two.status,
				    one.n_status * sizeof(one.status[0]));
		assert_memory_equal(one.bar, two.bar, one.n * sizeof(one.bar[0]));
		fixture_close(&one);
		fixture_close(&two);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_live_sources_make_one_bar_of_the_preferred_one),
		cmocka_unit_test(
			a_silent_source_is_replaced_and_comes_back_after_its_time),
		cmocka_unit_test(silence_is_found_by_the_clock_as_well),
		cmocka_unit_test(a_killed_source_is_replaced_until_it_is_released),
		cmocka_unit_test(a_source_of_crossed_quotes_is_poor_until_it_mends),
		cmocka_unit_test(
			the_one_whose_price_moved_away_is_blamed_and_it_is_told),
		cmocka_unit_test(a_market_that_jumps_makes_nobody_poor),
		cmocka_unit_test(a_cancel_reaches_the_trade_of_the_source_that_made_it),
		cmocka_unit_test(sources_that_are_not_listed_are_not_used),
		cmocka_unit_test(a_saved_choice_goes_on_as_if_nothing_had_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
