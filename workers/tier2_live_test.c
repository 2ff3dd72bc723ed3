/* Tests of tier2.h: who is waited for, who comes late, what is published again. */
#include "workers/tier2_book.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_lagging_symbol_is_excluded_and_then_makes_the_next_version),
		cmocka_unit_test(a_symbol_that_catches_up_too_late_changes_nothing_old),
		cmocka_unit_test(a_changed_return_in_the_window_makes_the_next_version),
		cmocka_unit_test(many_revisions_at_one_position_make_one_version),
		cmocka_unit_test(a_paused_symbol_is_not_waited_for),
		cmocka_unit_test(a_faulted_symbol_is_killed_and_a_blind_one_left_out),
		cmocka_unit_test(a_grid_that_has_ended_is_not_waited_for),
		cmocka_unit_test(a_closed_market_is_not_waited_for),
		cmocka_unit_test(short_timeframes_may_wait_for_several_cuts_at_once),
	};

	return cmocka_run_group_tests_name("tier2_live", tests, NULL, NULL);
}
