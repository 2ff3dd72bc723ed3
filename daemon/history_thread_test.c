/* history_thread_test - FEED and HISTORY with a vendor that is a script. */
#include "base/clock.h"
#include "daemon/history_thread.h"
#include "feeds/http_server.h"
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>

/* What a test does between two starts, it does in every role. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wthread-safety-analysis"
#endif

#define PAGES 60
#define T0    (INT64_C(1704153600) * NS_PER_S) /* 2024-01-02T00:00:00Z */

struct world {
	char dir[64];
	struct config config;
	struct http_server server;
	char text[PAGES][512];
	const char *script[PAGES + 1];
	struct feed_thread *feed;
	struct history_thread *history;
};

/* Answer @i of @n: one bar, minute @i, and a token unless it is the last. */
static void write_page(struct world *w, int i, int n)
{
	char body[300], token[32] = "null";
	int len;

	if (i + 1 < n)
		(void)snprintf(token, sizeof(token), "\"page%d\"", i + 1);
	len = snprintf(
		body, sizeof(body),
		"{\"bars\":{\"AAPL\":[{\"t\":\"2024-01-02T%02d:%02d:00Z\",\"o\":1,"
		"\"h\":2,\"l\":1,\"c\":2,\"v\":100,\"n\":3,\"vw\":1.5}]},"
		"\"next_page_token\":%s}",
		i / 60, i % 60, token);
	(void)snprintf(w->text[i], sizeof(w->text[i]),
		       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		       "Content-Length: %d\r\n\r\n%s",
		       len, body);
	w->script[i] = w->text[i];
}

static void start(struct world *w)
{
	struct feed_env env = {.config = &w->config, .is_full = history_is_full};

	assert_int_equal(0, history_thread_new(&w->config, &w->history));
	env.arg = w->history;
	assert_int_equal(0, feed_thread_new(&env, &w->feed));
	history_thread_feed(w->history, w->feed);
	assert_int_equal(0, feed_thread_start(w->feed));
	assert_int_equal(0, history_thread_start(w->history));
}

static void stop(struct world *w)
{
	history_thread_quiesce(w->history);
	feed_thread_stop(w->feed);
	history_thread_stop(w->history);
	feed_thread_free(w->feed);
	history_thread_free(w->history);
}

static struct world *begin(int n_pages)
{
	struct world *w = calloc(1, sizeof(*w));
	struct config_vendor *v = &w->config.vendors[0];

	(void)snprintf(w->dir, sizeof(w->dir), "history_thread_test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	for (int i = 0; i < n_pages; i++)
		write_page(w, i, n_pages);
	server_start(&w->server, w->script);
	config_default(&w->config);
	(void)snprintf(w->config.store.dir, sizeof(w->config.store.dir), "%s", w->dir);
	w->config.fetch.plain_http = w->config.fetch.private_addresses = true;
	w->config.ingest.workers = 2;
	w->config.n_vendors = 1;
	*v = (struct config_vendor){.name = "mine",
				    .adapter = CONFIG_ALPACA,
				    .in_flight = 2,
				    .attempts = 1,
				    .wait_max_ns = NS_PER_S};
	(void)snprintf(v->base_url, sizeof(v->base_url), "%s", w->server.url);
	(void)snprintf(v->key, sizeof(v->key), "history_test_key");
	(void)snprintf(v->secret, sizeof(v->secret), "history_test_secret");
	assert_int_equal(0, setenv("TICKBUS_HISTORY_TEST_KEY", "k", 1));
	assert_int_equal(0, setenv("TICKBUS_HISTORY_TEST_SECRET", "s", 1));
	return w;
}

static void end(struct world *w)
{
	char path[128];

	server_stop(&w->server);
	config_deinit(&w->config);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/history.db%s", w->dir,
			       i ? "-wal" : "");
		(void)unlink(path);
	}
	assert_int_equal(0, rmdir(w->dir));
	free(w);
}

/* ---- what HISTORY is asked, and its answer ---- */

struct answer {
	history_fn fn;
	sem_t done;
	int rc;
	struct hist_job job;
	struct hist_totals totals;
	uint64_t bars;
	sem_t *gate;
};

static void answered(void *arg, int rc)
{
	struct answer *a = arg;

	a->rc = rc;
	sem_post(&a->done);
}

static int run(struct history_thread *t, void *arg)
{
	struct answer *a = arg;

	return a->fn(t, a);
}

static int ask(struct world *w, struct answer *a, history_fn fn)
{
	a->fn = fn;
	sem_init(&a->done, 0, 0);
	assert_int_equal(0, history_ask(w->history, run, answered, a));
	sem_wait(&a->done);
	sem_destroy(&a->done);
	return a->rc;
}

static int add_job(struct history_thread *t, void *arg)
{
	static const char *const symbols[] = {"AAPL"};
	struct answer *a = arg;

	a->job = (struct hist_job){.created_ns = clock_wall_ns(),
				   .n_sources = 1,
				   .sources = {"mine"},
				   .range = {T0, T0 + 86400 * NS_PER_S},
				   .step_s = 60};
	return histjobs_add(history_store(t), &a->job, symbols, 1);
}

static int look(struct history_thread *t, void *arg)
{
	const struct hist_series s = {.source = "mine", .symbol = "AAPL", .step_s = 60};
	struct answer *a = arg;
	struct hist_summary sum = {0};
	int rc = histjobs_get(history_store(t), 1, &a->job);

	if (rc == 0)
		rc = histjobs_totals(history_store(t), 1, &a->totals);
	if (rc == 0)
		rc = histstore_summary(history_store(t), &s, &sum);
	a->bars = sum.bars;
	return rc < 0 ? rc : 0;
}

static int fail_write(struct history_thread *t, void *arg)
{
	(void)t;
	(void)arg;
	return -EIO;
}

static int wait_at_gate(struct history_thread *t, void *arg)
{
	struct answer *a = arg;

	(void)t;
	sem_wait(a->gate);
	return 0;
}

static void wait_for_end(struct world *w, struct answer *a)
{
	int64_t limit = clock_mono_ns() + 60 * NS_PER_S;

	do {
		usleep(2000);
		assert_int_equal(0, ask(w, a, look));
		assert_true(clock_mono_ns() < limit);
	} while (a->job.state == JOB_RUNNING);
}

static void pages_arrive_and_the_job_ends(void **state)
{
	struct world *w = begin(30);
	struct answer a = {0};

	(void)state;
	start(w);
	assert_int_equal(0, ask(w, &a, add_job));
	wait_for_end(w, &a);
	assert_int_equal(1, a.totals.done);
	assert_int_equal(30, a.bars);
	assert_int_equal(30, w->server.requests);
	stop(w);
	end(w);
}

/* While HISTORY stands still FEED must not go on asking for ever. */
static void pages_that_wait_hold_the_asking(void **state)
{
	struct world *w = begin(PAGES);
	struct answer a = {0}, blocked = {.fn = wait_at_gate};
	sem_t gate;
	int seen;

	(void)state;
	sem_init(&gate, 0, 0);
	sem_init(&blocked.done, 0, 0);
	blocked.gate = &gate;
	start(w);
	assert_int_equal(0, ask(w, &a, add_job));
	assert_int_equal(0, history_ask(w->history, run, answered, &blocked));
	for (int i = 0; i < 200 && !history_is_full(w->history); i++)
		usleep(10000);
	assert_true(history_is_full(w->history));
	/* What was under way ends; then nothing more is asked. */
	do {
		seen = w->server.requests;
		usleep(100000);
	} while (seen != w->server.requests);
	assert_true(seen >= 16 && seen < PAGES);
	sem_post(&gate);
	sem_wait(&blocked.done);
	wait_for_end(w, &a);
	assert_int_equal(PAGES, a.bars);
	assert_false(history_is_full(w->history));
	stop(w);
	end(w);
}

static void a_stop_in_the_middle_is_no_failure_and_the_next_start_ends_it(void **state)
{
	struct world *w = begin(40);
	struct answer a = {0};

	(void)state;
	start(w);
	assert_int_equal(0, ask(w, &a, add_job));
	while (w->server.requests < 10)
		usleep(1000);
	stop(w);
	start(w);
	wait_for_end(w, &a);
	assert_int_equal(1, a.totals.done);
	assert_int_equal(0, a.totals.failed);
	/* An answer that was on its way is lost: this vendor says nothing twice. */
	assert_true(a.bars >= 38);
	stop(w);
	end(w);
}

static void a_write_that_fails_is_told_and_harms_no_later_one(void **state)
{
	struct world *w = begin(3);
	struct answer a = {0};

	(void)state;
	start(w);
	assert_int_equal(-EIO, ask(w, &a, fail_write));
	assert_int_equal(0, ask(w, &a, add_job));
	assert_int_equal(0, ask(w, &a, look));
	assert_int_equal(JOB_RUNNING, a.job.state);
	stop(w);
	start(w); /* the jobs of this life do not wait */
	wait_for_end(w, &a);
	assert_int_equal(1, a.totals.done);
	stop(w);
	end(w);
}

static void what_is_too_much_is_dropped_before_new_jobs_begin(void **state)
{
	struct world *w = begin(5);
	int64_t limit = clock_mono_ns() + 30 * NS_PER_S;
	struct answer a = {0};

	(void)state;
	start(w);
	assert_int_equal(0, ask(w, &a, add_job));
	wait_for_end(w, &a);
	assert_int_equal(5, a.bars);
	stop(w);
	w->config.ingest.bytes_max = 1;
	start(w);
	do {
		assert_int_equal(0, ask(w, &a, look));
		assert_true(clock_mono_ns() < limit);
	} while (a.bars > 0);
	stop(w);
	end(w);
}

static void a_vendor_without_its_key_is_refused_with_that_sentence(void **state)
{
	struct vendor_ask ask_of = {.what = VENDOR_BARS};
	struct world *w = begin(1);
	uint64_t id;

	(void)state;
	assert_int_equal(0, unsetenv("TICKBUS_HISTORY_TEST_KEY"));
	start(w);
	assert_int_equal(-EACCES,
			 feed_thread_ask(w->feed, "mine", &ask_of, NULL, NULL, &id));
	assert_non_null(strstr(err_text(), "history_test_key"));
	assert_int_equal(-ENOENT,
			 feed_thread_ask(w->feed, "other", &ask_of, NULL, NULL, &id));
	stop(w);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_arrive_and_the_job_ends),
		cmocka_unit_test(pages_that_wait_hold_the_asking),
		cmocka_unit_test(
			a_stop_in_the_middle_is_no_failure_and_the_next_start_ends_it),
		cmocka_unit_test(a_write_that_fails_is_told_and_harms_no_later_one),
		cmocka_unit_test(what_is_too_much_is_dropped_before_new_jobs_begin),
		cmocka_unit_test(
			a_vendor_without_its_key_is_refused_with_that_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
