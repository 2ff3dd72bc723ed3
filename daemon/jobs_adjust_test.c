/* jobs_adjust_test - corporate actions and what they do to adjusted prices. */
#include "daemon/jobs_world_test.h"

static void tell_split(struct world *w, struct asked *a, int32_t ex_date)
{
	struct hist_action action = {.kind = ACTION_SPLIT,
				     .ex_date = ex_date,
				     .symbol = "NVDA",
				     .numerator_e9 = 10 * NS_PER_S,
				     .denominator_e9 = NS_PER_S};
	struct jobs_news n = {.state = FETCH_PAGE, .is_last = true};

	buf_add(&n.actions, &action, sizeof(action));
	world_tell(w, a, &n);
	world_done(w, a);
}

static void an_adjusted_series_asks_for_its_actions_first(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged", "NVDA", T0, T0 + DAY, HIST_SPLIT);

	(void)state;
	world_step(w);
	assert_int_equal(1, w->n_asks);
	assert_int_equal(VENDOR_ACTIONS, w->asks[0].ask.what);
	assert_int_equal(NOW, w->asks[0].ask.end_ns);
	tell_split(w, &w->asks[0], 20240105);
	assert_int_equal(2, w->n_asks);
	assert_int_equal(VENDOR_BARS, w->asks[1].ask.what);
	assert_int_equal(HIST_SPLIT, w->asks[1].ask.adjust);
	world_answer_all(w);
	assert_int_equal(1, world_totals(w, id).done);

	/* The same day: neither bars nor actions. */
	world_job(w, "paged", "NVDA", T0, T0 + DAY, HIST_SPLIT);
	world_step(w);
	assert_int_equal(2, w->n_asks);
	world_end(w);
}

static void a_new_split_fetches_what_lies_before_it_again(void **state)
{
	struct world *w = world_begin();
	const struct hist_range all = {T0, NOW};
	struct hist_series actions = world_series("paged", "NVDA", HIST_RAW);
	uint64_t bars;

	(void)state;
	world_job(w, "paged", "NVDA", T0, T0 + 10 * DAY, HIST_RAW);
	world_job(w, "paged", "NVDA", T0, T0 + 10 * DAY, HIST_SPLIT);
	world_step(w);
	world_answer_all(w);
	assert_int_equal(14400, world_bars(w, "paged", "NVDA", HIST_SPLIT));

	/* A day later its actions are asked for again, and there is a split. */
	actions.step_s = HISTSTORE_ACTIONS;
	assert_int_equal(0, histstore_begin(w->store));
	assert_int_equal(0, histstore_drop(w->store, &actions, &all, &bars));
	assert_int_equal(0, histstore_commit(w->store));
	w->n_asks = 0;
	world_job(w, "paged", "NVDA", T0, T0 + 10 * DAY, HIST_SPLIT);
	world_step(w);
	assert_int_equal(VENDOR_ACTIONS, w->asks[0].ask.what);
	tell_split(w, &w->asks[0], 20240106);
	/* From its ex date on the bars are what they were: the 7th is T0 + 5 d. */
	assert_int_equal(5 * 1440, world_bars(w, "paged", "NVDA", HIST_SPLIT));
	assert_int_equal(14400, world_bars(w, "paged", "NVDA", HIST_RAW));
	assert_int_equal(2, w->n_asks);
	assert_int_equal(T0, w->asks[1].ask.start_ns);
	assert_int_equal(T0 + 5 * DAY, w->asks[1].ask.end_ns);
	world_answer_all(w);
	assert_int_equal(14400, world_bars(w, "paged", "NVDA", HIST_SPLIT));
	world_end(w);
}

static void bars_come_even_when_actions_cannot_be_had(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged", "NVDA", T0, T0 + DAY, HIST_SPLIT);
	uint64_t other;

	(void)state;
	world_step(w);
	world_fail(w, &w->asks[0], "not in your plan");
	assert_int_equal(VENDOR_BARS, world_last(w)->ask.what);
	world_answer_all(w);
	assert_int_equal(1, world_totals(w, id).done);

	/* A vendor that has none is not asked for any. */
	other = world_job(w, "whole", "AAPL", T0, T0 + DAY, HIST_SPLIT);
	world_step(w);
	assert_int_equal(VENDOR_BARS, world_last(w)->ask.what);
	world_answer_all(w);
	assert_int_equal(1, world_totals(w, other).done);
	world_end(w);
}

static void ranges_are_closed_when_nothing_can_change_any_more(void **state)
{
	int64_t noon = T0 + DAY / 2;
	struct hist_action split = {.kind = ACTION_SPLIT, .ex_date = 20240102};

	(void)state;
	assert_int_equal(
		noon, jobs_plan_settled(60, noon + 20 * MIN + 59 * NS_PER_S, 20 * MIN));
	assert_int_equal(noon - 60 * MIN, jobs_plan_settled(3600, noon, 20 * MIN));
	/* A day of New York ends at 05:00Z of the next one. */
	assert_int_equal(T0 - DAY, jobs_plan_settled(86400, noon, 20 * MIN));
	assert_int_equal(T0, jobs_plan_settled(HISTSTORE_ACTIONS, noon, 0));
	assert_int_equal(T0 + MIN, jobs_plan_end(60, T0));
	assert_int_equal(T0 + 23 * 60 * MIN, jobs_plan_end(86400, T0));
	assert_int_equal(T0 + DAY, jobs_plan_before(&split));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_adjusted_series_asks_for_its_actions_first),
		cmocka_unit_test(a_new_split_fetches_what_lies_before_it_again),
		cmocka_unit_test(bars_come_even_when_actions_cannot_be_had),
		cmocka_unit_test(ranges_are_closed_when_nothing_can_change_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
