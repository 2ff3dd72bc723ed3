/* histjobs_test - jobs and their items outlive the process; members of indices. */
#include "store/fixture_test.h"
#include "store/histanalysis.h"

static const char *const symbols[] = {"MSFT", "AAPL", "BRK.B"};

static struct hist_job job(void)
{
	return (struct hist_job){.created_ns = 1000,
				 .what = JOB_BARS,
				 .sources = {"alpaca", "polygon"},
				 .n_sources = 2,
				 .index = "tech",
				 .range = {5, 50},
				 .step_s = 60,
				 .adjust = HIST_SPLIT};
}

static void begin(struct fixture *f, struct histstore **h)
{
	fixture_begin_in(f, fixture_fast_dir());
	assert_int_equal(0, histstore_open(f->dir, h));
	assert_int_equal(0, histstore_begin(*h));
}

static void end(struct fixture *f, struct histstore *h)
{
	assert_int_equal(0, histstore_close(h));
	fixture_remove_files(f->dir);
	rmdir(f->dir);
}

static void a_job_comes_back_as_it_was_written(void **state)
{
	struct hist_job j = job(), got;
	struct histstore *h;
	struct fixture f;
	uint64_t id = 0;

	(void)state;
	begin(&f, &h);
	assert_int_equal(0, histjobs_add(h, &j, symbols, 3));
	assert_int_equal(0, histstore_commit(h));
	assert_int_equal(0, histstore_close(h));
	assert_int_equal(0, histstore_open(f.dir, &h));
	assert_int_equal(0, histjobs_next(h, 0, &id));
	assert_int_equal(j.id, id);
	assert_int_equal(1, histjobs_next(h, id, &id));
	assert_int_equal(0, histjobs_get(h, j.id, &got));
	assert_int_equal(3, got.items);
	assert_int_equal(j.state, got.state);
	assert_int_equal(j.created_ns, got.created_ns);
	assert_int_equal(0, got.finished_ns);
	assert_int_equal(j.what, got.what);
	assert_int_equal(2, got.n_sources);
	assert_string_equal("alpaca", got.sources[0]);
	assert_string_equal("polygon", got.sources[1]);
	assert_string_equal("tech", got.index);
	assert_memory_equal(&j.range, &got.range, sizeof(j.range));
	assert_int_equal(j.step_s, got.step_s);
	assert_int_equal(j.adjust, got.adjust);
	assert_int_equal(1, histjobs_get(h, 99, &got));
	end(&f, h);
}

static void items_are_taken_in_order_and_counted_by_state(void **state)
{
	struct hist_totals totals;
	struct hist_job j = job();
	struct hist_item item;
	struct histstore *h;
	struct buf list = {0};
	struct fixture f;

	(void)state;
	begin(&f, &h);
	assert_int_equal(0, histjobs_add(h, &j, symbols, 3));
	assert_int_equal(0, histjobs_item_next(h, j.id, 0, &item));
	assert_string_equal("MSFT", item.symbol);
	item.state = ITEM_DONE;
	item.rows = 390;
	item.requests = 2;
	(void)snprintf(item.source, sizeof(item.source), "alpaca");
	assert_int_equal(0, histjobs_item_set(h, j.id, &item));
	assert_int_equal(0, histjobs_item_next(h, j.id, item.n, &item));
	assert_string_equal("AAPL", item.symbol);
	item.state = ITEM_FAILED;
	item.requests = 1;
	(void)snprintf(item.reason, sizeof(item.reason), "no data");
	assert_int_equal(0, histjobs_item_set(h, j.id, &item));
	assert_int_equal(0, histjobs_totals(h, j.id, &totals));
	assert_int_equal(1, totals.pending);
	assert_int_equal(1, totals.done);
	assert_int_equal(1, totals.failed);
	assert_int_equal(390, totals.rows);
	assert_int_equal(3, totals.requests);

	assert_int_equal(0, histjobs_items(h, j.id, 0, ITEM_FAILED, 10, &list));
	assert_int_equal(sizeof(item), list.len);
	assert_string_equal("no data", ((struct hist_item *)list.data)->reason);
	assert_int_equal(0, histjobs_cancel_items(h, j.id));
	assert_int_equal(1, histjobs_item_next(h, j.id, 0, &item));
	assert_int_equal(0, histjobs_totals(h, j.id, &totals));
	assert_int_equal(1, totals.cancelled);
	buf_free(&list);
	assert_int_equal(0, histstore_commit(h));
	end(&f, h);
}

/* Jobs that fetch and jobs that compute are taken by different hands. */
static void a_job_that_computes_begins_again_from_what_is_stored(void **state)
{
	struct hist_job fetch = job(), j = {.created_ns = 7, .what = JOB_FEATURES};
	struct hist_analysis a = {.format = "csv"}, got;
	struct buf words = {0}, holdings = {0}, out = {0};
	struct hist_totals totals;
	struct hist_item item;
	struct histstore *h;
	struct fixture f;
	uint64_t id = 0;

	(void)state;
	begin(&f, &h);
	assert_int_equal(1, histanalysis_next(h, 0, &id));
	assert_int_equal(0, histjobs_add(h, &fetch, symbols, 3));
	assert_int_equal(0, histjobs_add(h, &j, symbols, 3));
	a.job = j.id;
	buf_printf(&words, "features\nextract\n");
	assert_int_equal(0, histanalysis_add(h, &a, &words, &holdings));
	assert_int_equal(0, histjobs_item_next(h, j.id, 0, &item));
	item.state = ITEM_DONE;
	assert_int_equal(0, histjobs_item_set(h, j.id, &item));
	a.tries = 2;
	assert_int_equal(0, histanalysis_set(h, &a));
	assert_int_equal(0, histstore_commit(h));
	assert_int_equal(0, histstore_close(h));
	assert_int_equal(0, histstore_open(f.dir, &h));
	assert_int_equal(0, histstore_begin(h));

	assert_int_equal(0, histjobs_next(h, 0, &id));
	assert_int_equal(fetch.id, id);
	assert_int_equal(1, histjobs_next(h, id, &id));
	assert_int_equal(0, histanalysis_next(h, 0, &id));
	assert_int_equal(j.id, id);
	assert_int_equal(1, histanalysis_next(h, id, &id));
	assert_int_equal(0, histanalysis_get(h, j.id, &got));
	assert_string_equal("csv", got.format);
	assert_int_equal(2, got.tries);
	assert_string_equal("", got.why);
	assert_int_equal(0, histanalysis_order(h, j.id, &out, &holdings));
	assert_string_equal("features\nextract\n", buf_text(&out));
	assert_int_equal(0, holdings.len);
	assert_int_equal(1, histanalysis_get(h, fetch.id, &got));
	assert_int_equal(0, histanalysis_reset(h, j.id));
	assert_int_equal(0, histjobs_totals(h, j.id, &totals));
	assert_int_equal(3, totals.pending);
	buf_free(&words);
	buf_free(&out);
	buf_free(&holdings);
	end(&f, h);
}

static void without_a_result_nothing_was_done(void **state)
{
	struct hist_job j = {.created_ns = 7, .what = JOB_REPORT};
	struct hist_analysis a = {.format = "html"}, got;
	struct buf none = {0}, list = {0};
	struct hist_item item, *row;
	struct histstore *h;
	struct fixture f;
	uint64_t id;

	(void)state;
	begin(&f, &h);
	assert_int_equal(0, histjobs_add(h, &j, symbols, 3));
	a.job = j.id;
	assert_int_equal(0, histanalysis_add(h, &a, &none, &none));
	assert_int_equal(0, histjobs_item_next(h, j.id, 0, &item));
	item.state = ITEM_FAILED;
	(void)snprintf(item.reason, sizeof(item.reason), "no data");
	assert_int_equal(0, histjobs_item_set(h, j.id, &item));
	(void)snprintf(a.why, sizeof(a.why), "its process was ended");
	assert_int_equal(0, histanalysis_fail_items(h, j.id, a.why));
	assert_int_equal(0, histanalysis_set(h, &a));
	assert_int_equal(0, histjobs_finish(h, j.id, JOB_FAILED, 9));
	assert_int_equal(1, histanalysis_next(h, 0, &id));
	assert_int_equal(0, histjobs_items(h, j.id, 0, ITEM_FAILED, 10, &list));
	row = (struct hist_item *)list.data;
	assert_int_equal(3 * sizeof(*row), list.len);
	assert_string_equal("no data", row[0].reason);
	assert_string_equal("its process was ended", row[1].reason);
	/* It is forgotten with its job. */
	for (int i = 0; i < 2; i++) {
		struct hist_job more = job();

		assert_int_equal(0, histjobs_add(h, &more, symbols, 1));
	}
	assert_int_equal(0, histjobs_prune(h, 2));
	assert_int_equal(1, histanalysis_get(h, j.id, &got));
	buf_free(&list);
	assert_int_equal(0, histstore_commit(h));
	end(&f, h);
}

static void members_keep_the_day_on_which_they_were_added(void **state)
{
	struct hist_job j = job();
	struct hist_member *m;
	struct histstore *h;
	struct buf list = {0};
	struct fixture f;

	(void)state;
	begin(&f, &h);
	assert_int_equal(0, histjobs_add(h, &j, symbols, 2));
	j.created_ns = 2000;
	assert_int_equal(0, histjobs_add(h, &j, symbols, 3));
	assert_int_equal(0, histstore_commit(h));
	assert_int_equal(0, histstore_index_get(h, "tech", &list));
	m = (struct hist_member *)list.data;
	assert_int_equal(3 * sizeof(*m), list.len);
	assert_string_equal("AAPL", m[0].symbol);
	assert_int_equal(1000, m[0].added_ns);
	assert_string_equal("BRK.B", m[1].symbol);
	assert_int_equal(2000, m[1].added_ns);
	list.len = 0;
	assert_int_equal(0, histstore_index_list(h, 10, &list));
	assert_int_equal(sizeof(struct hist_index), list.len);
	assert_string_equal("tech", ((struct hist_index *)list.data)->name);
	assert_int_equal(3, ((struct hist_index *)list.data)->members);
	assert_int_equal(1000, ((struct hist_index *)list.data)->since_ns);
	buf_free(&list);
	end(&f, h);
}

static void old_jobs_are_forgotten_running_ones_are_not(void **state)
{
	struct histstore *h;
	struct buf list = {0};
	struct fixture f;

	(void)state;
	begin(&f, &h);
	for (int i = 0; i < 10; i++) {
		struct hist_job j = job();

		assert_int_equal(0, histjobs_add(h, &j, symbols, 1));
		if (i != 2)
			assert_int_equal(0, histjobs_finish(h, j.id, JOB_DONE, 5));
	}
	assert_int_equal(0, histjobs_prune(h, 4));
	assert_int_equal(0, histstore_commit(h));
	assert_int_equal(0, histjobs_list(h, 100, &list));
	assert_int_equal(5 * sizeof(struct hist_job), list.len);
	assert_int_equal(10, ((struct hist_job *)list.data)[0].id);
	assert_int_equal(3, ((struct hist_job *)list.data)[4].id);
	buf_free(&list);
	end(&f, h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_comes_back_as_it_was_written),
		cmocka_unit_test(items_are_taken_in_order_and_counted_by_state),
		cmocka_unit_test(a_job_that_computes_begins_again_from_what_is_stored),
		cmocka_unit_test(without_a_result_nothing_was_done),
		cmocka_unit_test(members_keep_the_day_on_which_they_were_added),
		cmocka_unit_test(old_jobs_are_forgotten_running_ones_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
