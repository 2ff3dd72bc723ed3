/* jobs_test - what is asked, what is not asked again, what ends how. */
#include "daemon/jobs_world_test.h"

static void a_job_fetches_its_range_and_ends(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged", "AAPL MSFT", T0, T0 + DAY, HIST_RAW);

	(void)state;
	assert_true(world_step(w) >= 2);
	assert_int_equal(2, w->n_asks);
	assert_string_equal("AAPL", w->asks[0].symbol);
	assert_int_equal(T0, w->asks[0].ask.start_ns);
	assert_int_equal(T0 + DAY, w->asks[0].ask.end_ns);
	assert_int_equal(JOB_RUNNING, world_state(w, id));
	world_answer_all(w);
	assert_int_equal(JOB_DONE, world_state(w, id));
	assert_int_equal(2, world_totals(w, id).done);
	assert_int_equal(2 * 1440, world_totals(w, id).rows);
	assert_int_equal(1440, world_bars(w, "paged", "MSFT", HIST_RAW));
	world_end(w);
}

static void what_is_complete_is_not_asked_again(void **state)
{
	struct world *w = world_begin();
	uint64_t id;

	(void)state;
	world_job(w, "paged", "AAPL MSFT TSLA", T0, T0 + DAY, HIST_RAW);
	world_step(w);
	world_answer_all(w);
	world_restart(w);
	id = world_job(w, "paged", "AAPL MSFT TSLA", T0, T0 + DAY, HIST_RAW);
	world_step(w);
	assert_int_equal(0, w->n_asks);
	assert_int_equal(JOB_DONE, world_state(w, id));
	assert_int_equal(3, world_totals(w, id).done);
	assert_int_equal(0, world_totals(w, id).requests);

	/* A wider range: only what is new of it. */
	world_job(w, "paged", "AAPL", T0 - DAY, T0 + 2 * DAY, HIST_RAW);
	world_step(w);
	world_answer_all(w);
	assert_int_equal(2, w->n_asks);
	assert_int_equal(T0 - DAY, w->asks[0].ask.start_ns);
	assert_int_equal(T0, w->asks[0].ask.end_ns);
	assert_int_equal(T0 + DAY, w->asks[1].ask.start_ns);
	assert_int_equal(4320, world_bars(w, "paged", "AAPL", HIST_RAW));
	world_end(w);
}

static void what_may_still_change_is_asked_again_from_there(void **state)
{
	struct world *w = world_begin();

	(void)state;
	world_job(w, "paged", "AAPL", NOW - DAY, NOW, HIST_RAW);
	world_step(w);
	world_answer_all(w);
	assert_int_equal(1440, world_bars(w, "paged", "AAPL", HIST_RAW));
	world_job(w, "paged", "AAPL", NOW - DAY, NOW, HIST_RAW);
	world_step(w);
	assert_int_equal(2, w->n_asks);
	assert_int_equal(NOW - 20 * MIN, w->asks[1].ask.start_ns);
	assert_int_equal(NOW, w->asks[1].ask.end_ns);
	world_end(w);
}

static void a_time_to_live_makes_it_asked_again(void **state)
{
	struct world *w = world_begin();

	(void)state;
	world_job(w, "paged", "AAPL", T0, T0 + DAY, HIST_RAW);
	world_step(w);
	world_answer_all(w);
	w->config.ingest.ttl_ns = DAY;
	world_job(w, "paged", "AAPL", T0, T0 + DAY, HIST_RAW);
	world_step(w);
	assert_int_equal(1, w->n_asks);
	w->config.ingest.ttl_ns = 1; /* older than a nanosecond is too old */
	assert_int_equal(0, histstore_begin(w->store));
	assert_int_equal(0, histstore_cover(w->store,
					    &(struct hist_series){.source = "paged",
								  .symbol = "AAPL",
								  .step_s = 60},
					    &(struct hist_range){T0, T0 + DAY},
					    NOW - 3 * DAY));
	assert_int_equal(0, histstore_commit(w->store));
	world_job(w, "paged", "AAPL", T0, T0 + DAY, HIST_RAW);
	world_step(w);
	assert_int_equal(2, w->n_asks);
	world_end(w);
}

static void as_many_symbols_as_there_are_slots_are_under_way(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged", "A B C D E F", T0, T0 + DAY, HIST_RAW);
	struct jobs_active active;

	(void)state;
	world_step(w);
	assert_int_equal(4, w->n_asks);
	assert_int_equal(4, jobs_busy(w->jobs));
	world_page(w, &w->asks[0], T0, T0 + 10 * MIN, false);
	jobs_active(w->jobs, id, &active);
	assert_int_equal(4, active.n);
	assert_int_equal(10, active.rows);
	world_done(w, &w->asks[2]);
	world_step(w);
	assert_int_equal(5, w->n_asks);
	assert_string_equal("E", world_last(w)->symbol);
	world_end(w);
}

static void a_kill_loses_no_page_and_asks_for_none_twice(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged", "AAPL MSFT", T0, T0 + DAY, HIST_RAW);

	(void)state;
	world_step(w);
	world_page(w, &w->asks[0], T0, T0 + 100 * MIN, false);
	world_page(w, &w->asks[0], T0 + 100 * MIN, T0 + 200 * MIN, false);
	world_page(w, &w->asks[1], T0, T0 + DAY, true);
	world_done(w, &w->asks[1]);
	world_restart(w);

	world_step(w);
	assert_int_equal(1, w->n_asks);
	assert_string_equal("AAPL", w->asks[0].symbol);
	assert_int_equal(T0 + 200 * MIN, w->asks[0].ask.start_ns);
	world_answer_all(w);
	assert_int_equal(JOB_DONE, world_state(w, id));
	assert_int_equal(1440, world_bars(w, "paged", "AAPL", HIST_RAW));
	assert_int_equal(1440, world_bars(w, "paged", "MSFT", HIST_RAW));
	world_end(w);
}

static void one_that_fails_harms_no_other_and_says_why(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged", "AAPL NOPE MSFT", T0, T0 + DAY, HIST_RAW);
	struct hist_item *item;
	struct buf list = {0};

	(void)state;
	world_step(w);
	world_fail(w, &w->asks[1], "API rate limit exceeded");
	world_answer_all(w);
	assert_int_equal(JOB_DONE, world_state(w, id));
	assert_int_equal(2, world_totals(w, id).done);
	assert_int_equal(1, world_totals(w, id).failed);
	assert_int_equal(0, histjobs_items(w->store, id, 0, ITEM_FAILED, 10, &list));
	item = (struct hist_item *)list.data;
	assert_string_equal("NOPE", item->symbol);
	assert_string_equal("paged: API rate limit exceeded", item->reason);
	buf_free(&list);
	world_end(w);
}

static void a_symbol_nobody_knows_fails_and_is_asked_again_next_time(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged", "NOPE", T0, T0 + DAY, HIST_RAW);

	(void)state;
	world_step(w);
	world_done(w, world_last(w));
	world_step(w);
	assert_int_equal(1, world_totals(w, id).failed);
	assert_int_equal(JOB_DONE, world_state(w, id));
	world_job(w, "paged", "NOPE", T0, T0 + DAY, HIST_RAW);
	world_step(w);
	assert_int_equal(2, w->n_asks);
	world_end(w);
}

static void a_quiet_range_of_a_known_symbol_is_a_success(void **state)
{
	struct world *w = world_begin();
	uint64_t id;

	(void)state;
	world_job(w, "paged", "AAPL", T0, T0 + DAY, HIST_RAW);
	world_step(w);
	world_answer_all(w);
	id = world_job(w, "paged", "AAPL", T0 + 5 * DAY, T0 + 6 * DAY, HIST_RAW);
	world_step(w);
	world_done(w, world_last(w));
	world_step(w);
	assert_int_equal(1, world_totals(w, id).done);
	world_job(w, "paged", "AAPL", T0 + 5 * DAY, T0 + 6 * DAY, HIST_RAW);
	world_step(w);
	assert_int_equal(2, w->n_asks);
	world_end(w);
}

static void the_next_vendor_is_asked_when_one_fails_or_has_nothing(void **state)
{
	struct world *w = world_begin();
	uint64_t id =
		world_job(w, "gone paged second", "AAPL MSFT", T0, T0 + DAY, HIST_RAW);
	struct hist_item *item;
	struct buf list = {0};

	(void)state;
	world_step(w);
	assert_int_equal(2, w->n_asks);
	world_fail(w, &w->asks[0], "boom");
	world_done(w, &w->asks[1]);
	assert_int_equal(4, w->n_asks);
	assert_string_equal("second", w->asks[2].vendor);
	assert_string_equal("second", w->asks[3].vendor);
	world_answer_all(w);
	assert_int_equal(2, world_totals(w, id).done);
	assert_int_equal(1440, world_bars(w, "second", "MSFT", HIST_RAW));
	assert_int_equal(0, histjobs_items(w->store, id, 0, ITEM_PENDING, 10, &list));
	item = (struct hist_item *)list.data;
	assert_string_equal("second", item->source);
	buf_free(&list);

	/* Complete at the second: the first is not asked either. */
	world_job(w, "paged second", "AAPL", T0, T0 + DAY, HIST_RAW);
	world_step(w);
	assert_int_equal(4, w->n_asks);
	world_end(w);
}

static void a_vendor_that_cannot_be_asked_gives_way_at_once(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged second", "AAPL", T0, T0 + DAY, HIST_RAW);
	uint64_t alone;

	(void)state;
	w->refuses = "paged";
	world_step(w);
	assert_int_equal(1, w->n_asks);
	assert_string_equal("second", world_last(w)->vendor);
	world_answer_all(w);
	assert_int_equal(1, world_totals(w, id).done);
	alone = world_job(w, "paged", "MSFT", T0, T0 + DAY, HIST_RAW);
	world_step(w);
	assert_int_equal(1, world_totals(w, alone).failed);
	assert_int_equal(JOB_DONE, world_state(w, alone));
	world_end(w);
}

static void a_vendor_without_pages_is_asked_piece_by_piece(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "whole", "AAPL", T0, T0 + 2500 * MIN, HIST_RAW);

	(void)state;
	world_step(w);
	assert_int_equal(T0 + 1000 * MIN, world_last(w)->ask.end_ns);
	/* Before its first bar there is nothing; that it is complete shows later. */
	world_done(w, world_last(w));
	world_answer_all(w);
	assert_int_equal(3, w->n_asks);
	assert_int_equal(T0 + 2000 * MIN, w->asks[2].ask.start_ns);
	assert_int_equal(T0 + 2500 * MIN, w->asks[2].ask.end_ns);
	assert_int_equal(1, world_totals(w, id).done);
	assert_int_equal(1500, world_bars(w, "whole", "AAPL", HIST_RAW));
	world_job(w, "whole", "AAPL", T0, T0 + 2500 * MIN, HIST_RAW);
	world_step(w);
	assert_int_equal(3, w->n_asks);
	world_end(w);
}

static void a_job_that_is_cancelled_ends_at_once(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged", "A B C D E F", T0, T0 + DAY, HIST_RAW);
	uint64_t other = world_job(w, "paged", "G", T0, T0 + DAY, HIST_RAW);
	struct asked late;

	(void)state;
	world_step(w);
	world_page(w, &w->asks[0], T0, T0 + DAY, true);
	world_done(w, &w->asks[0]);
	late = w->asks[1];
	assert_int_equal(0, histstore_begin(w->store));
	assert_int_equal(0, jobs_cancel(w->jobs, id, NOW));
	assert_int_equal(2, jobs_cancel(w->jobs, id, NOW));
	assert_int_equal(1, jobs_cancel(w->jobs, 99, NOW));
	assert_int_equal(0, histstore_commit(w->store));
	assert_int_equal(3, w->n_cancelled);
	assert_int_equal(JOB_CANCELLED, world_state(w, id));
	assert_int_equal(1, world_totals(w, id).done);
	assert_int_equal(5, world_totals(w, id).cancelled);
	/* What was on its way finds nobody. */
	world_page(w, &late, T0, T0 + DAY, true);
	assert_int_equal(0, world_bars(w, "paged", "B", HIST_RAW));
	world_step(w);
	world_answer_all(w);
	assert_int_equal(JOB_DONE, world_state(w, other));
	world_end(w);
}

static void a_lost_transaction_begins_again_from_what_is_stored(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged", "A B", T0, T0 + DAY, HIST_RAW);

	(void)state;
	world_step(w);
	world_page(w, &w->asks[0], T0, T0 + 10 * MIN, false);
	jobs_abort(w->jobs);
	assert_int_equal(2, w->n_cancelled);
	world_step(w);
	assert_int_equal(4, w->n_asks);
	assert_int_equal(T0 + 10 * MIN, w->asks[2].ask.start_ns);
	world_answer_all(w);
	assert_int_equal(2, world_totals(w, id).done);
	world_end(w);
}

static void bars_that_do_not_ascend_are_a_failure_of_the_vendor(void **state)
{
	struct world *w = world_begin();
	uint64_t id = world_job(w, "paged", "A", T0, T0 + DAY, HIST_RAW);
	struct hist_bar b = world_bar(T0);
	struct jobs_news n = {.state = FETCH_PAGE};

	(void)state;
	world_step(w);
	buf_add(&n.bars, &b, sizeof(b));
	buf_add(&n.bars, &b, sizeof(b));
	world_tell(w, world_last(w), &n);
	assert_int_equal(1, w->n_cancelled);
	assert_int_equal(1, world_totals(w, id).failed);
	world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_fetches_its_range_and_ends),
		cmocka_unit_test(what_is_complete_is_not_asked_again),
		cmocka_unit_test(what_may_still_change_is_asked_again_from_there),
		cmocka_unit_test(a_time_to_live_makes_it_asked_again),
		cmocka_unit_test(as_many_symbols_as_there_are_slots_are_under_way),
		cmocka_unit_test(a_kill_loses_no_page_and_asks_for_none_twice),
		cmocka_unit_test(one_that_fails_harms_no_other_and_says_why),
		cmocka_unit_test(
			a_symbol_nobody_knows_fails_and_is_asked_again_next_time),
		cmocka_unit_test(a_quiet_range_of_a_known_symbol_is_a_success),
		cmocka_unit_test(
			the_next_vendor_is_asked_when_one_fails_or_has_nothing),
		cmocka_unit_test(a_vendor_that_cannot_be_asked_gives_way_at_once),
		cmocka_unit_test(a_vendor_without_pages_is_asked_piece_by_piece),
		cmocka_unit_test(a_job_that_is_cancelled_ends_at_once),
		cmocka_unit_test(a_lost_transaction_begins_again_from_what_is_stored),
		cmocka_unit_test(bars_that_do_not_ascend_are_a_failure_of_the_vendor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
