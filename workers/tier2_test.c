/* Tests of tier2.h: versions, members, reasons, any log with any number of workers. */
#include "workers/tier2_book.h"

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
		cmocka_unit_test(symbols_without_variance_or_history_are_named),
		cmocka_unit_test(a_quiet_bar_counts_as_a_bar_without_a_return),
		cmocka_unit_test(holes_may_need_the_repair),
		cmocka_unit_test(
			universe_all_takes_symbols_as_they_come_in_order_of_id),
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
