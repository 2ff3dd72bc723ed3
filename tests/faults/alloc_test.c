/*
 * alloc_test - every allocation fails once: reading a configuration, an answer of
 * catch-up, the data path from a request to a matrix.
 */
#include "base/clock.h"
#include "daemon/config.h"
#include "daemon/serve_catchup_world_test.h"
#include "tests/faults/alloc_fork.h"
#include "tests/integration/pipeline.h"
#include <errno.h>

/* ---- configuration ---- */

static const char text[] =
	"store: {dir: /tmp/x, retain: 3d}\n"
	"defaults: {timeframes: [1s, 1m], price_types: [last, mid]}\n"
	"tickers:\n"
	"  AAPL: {source: sim, metadata: {sector: Technology, name: Apple}}\n"
	"  MSFT: {timeframes: [1m]}\n"
	"universes:\n"
	"  all: {symbols: all, timeframe: 1m, window: 60, min_obs: 30}\n"
	"  two: {symbols: [AAPL, MSFT], timeframe: 1m, window: 60, min_obs: 30}\n";

static int read_configuration(void)
{
	static struct config_errors errs;
	static struct config c;
	struct buf out = {0};
	int rc;

	alloc_fork_arm();
	rc = config_parse(text, sizeof(text) - 1, &c, &errs);
	if (rc == 0) {
		config_print(&c, &out);
		buf_free(&out);
		config_deinit(&c);
	}
	alloc_fork_disarm();
	alloc_fork_check(rc == 0 || rc == -ENOMEM);
	return rc;
}

static void every_allocation_of_a_configuration_may_fail(void **state)
{
	(void)state;
	alloc_fork_loop("configuration", read_configuration, true);
}

/* ---- catch-up ---- */

static int answer_catch_up(void)
{
	static const char request[] = "{\"kinds\":[\"tick\",\"bar\",\"tier2\"],"
				      "\"from\":\"oldest\",\"limit\":300}";
	struct world *w = begin(400);
	struct buf out = {0};
	int rc;

	alloc_fork_arm();
	rc = catchup_answer(&w->env, request, sizeof(request) - 1, &out);
	alloc_fork_disarm();
	alloc_fork_check(rc <= 0);
	alloc_fork_check(rc < 0 || out.len > 0);
	buf_free(&out);
	/* Whatever it came to, the next one is answered. */
	alloc_fork_check(catchup_answer(&w->env, request, sizeof(request) - 1, &out) ==
			 0);
	alloc_fork_check(out.len > 1000);
	buf_free(&out);
	end(w);
	return rc;
}

static void every_allocation_of_a_catch_up_answer_may_fail(void **state)
{
	(void)state;
	alloc_fork_loop("catch-up", answer_catch_up, true);
}

/* ---- the data path ---- */

static uint64_t n_events;

static void count_event(void *arg, enum event_kind kind, const void *event, size_t len)
{
	(void)arg;
	(void)kind;
	(void)event;
	n_events += len > 0;
}

static int derive(void)
{
	static struct config_errors errs;
	static struct config c;
	struct pipeline_env env = {.params = &c.derive,
				   .n_workers = 2,
				   .too_old_ns = INT64_MAX / 4,
				   .sink = count_event};
	char dir[TEMPDIR_MAX];
	struct pipeline *p;

	alloc_fork_check(config_parse(text, sizeof(text) - 1, &c, &errs) == 0);
	tempdir_new(dir);
	env.dir = dir;
	env.future_ns = INT64_MAX / 4;
	p = pipeline_new(&env);
	alloc_fork_arm();
	for (int64_t i = 0; i < 200; i++) {
		pipeline_trade(p, i % 2 ? "AAPL" : "MSFT", TIME0 + i * NS_PER_S,
			       (100 + i % 7) * NS_PER_S, 100000000);
		if (i % 50 == 49) {
			pipeline_clock(p, TIME0 + i * NS_PER_S);
			pipeline_run(p);
		}
	}
	alloc_fork_disarm();
	pipeline_free(p);
	config_deinit(&c);
	tempdir_remove(dir);
	alloc_fork_check(n_events > 0);
	return 0;
}

static void every_allocation_of_the_pipeline_may_fail(void **state)
{
	(void)state;
	alloc_fork_loop("pipeline", derive, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_a_configuration_may_fail),
		cmocka_unit_test(every_allocation_of_a_catch_up_answer_may_fail),
		cmocka_unit_test(every_allocation_of_the_pipeline_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
