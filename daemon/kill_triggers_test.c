/* kill_triggers_test - each limit passed and not quite passed, and who is asked for
 * what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/config.h"
#include "daemon/kill_triggers.h"
#include <stdio.h>
#include <string.h>

struct world {
	struct kill_triggers *t;
	struct symtab *symbols, *sources;
	struct freeze_entry asked[8];
	struct config_kill limits;
	unsigned n, n_busy; /* so many times "not now" first */
	int64_t now_ns;
};

static bool take(void *arg, struct freeze_entry *e)
{
	struct world *w = arg;

	if (w->n_busy > 0) {
		w->n_busy--;
		return false;
	}
	assert_true(w->n < 8);
	w->asked[w->n++] = *e;
	return true;
}

static void open_world(struct world *w, struct config_kill limits)
{
	struct kill_triggers_env env = {
		.limits = &w->limits, .symbols_max = 8, .freeze = take, .arg = w};
	uint32_t id;
	int is_new;

	*w = (struct world){.now_ns = 1000 * NS_PER_S, .limits = limits};
	assert_int_equal(symtab_new(8, 0, &w->symbols), 0);
	assert_int_equal(symtab_new(8, 1, &w->sources), 0);
	assert_int_equal(symtab_add(w->symbols, "AAPL", 4, &id, &is_new), 0);
	assert_int_equal(symtab_add(w->sources, "iex", 3, &id, &is_new), 0);
	env.symbols = w->symbols;
	env.sources = w->sources;
	assert_int_equal(kill_triggers_new(&env, &w->t), 0);
}

static void close_world(struct world *w)
{
	kill_triggers_free(w->t);
	symtab_free(w->symbols);
	symtab_free(w->sources);
}

/* A second passes. */
static void second(struct world *w, uint64_t accepted, uint64_t refused)
{
	w->now_ns += NS_PER_S;
	kill_triggers_step(w->t, w->now_ns, accepted, refused);
}

static void bar(struct world *w, bool flagged, uint32_t revision)
{
	const struct event_bar e = {.timeframe_s = 60,
				    .state = BAR_TRADED,
				    .revision = revision,
				    .flags = flagged ? BAR_IS_OUTLIER : 0};

	kill_triggers_event(w->t, EVENT_BAR, &e);
}

static void tick(struct world *w, int64_t off_ns)
{
	const struct event_tick e = {.head = {.event_ns = 500 * NS_PER_S,
					      .recv_ns = 500 * NS_PER_S + off_ns},
				     .source_id = 1};

	kill_triggers_event(w->t, EVENT_TICK, &e);
}

static void nothing_is_made_when_nothing_is_switched_on(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, (struct config_kill){0});
	assert_null(w.t);
	close_world(&w);
}

static void flagged_bars_quarantine_their_symbol(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, (struct config_kill){.outliers = 3});
	for (int round = 1; round <= 2; round++) {
		bar(&w, true, 0);
		bar(&w, true, 0);
		bar(&w, true, 1); /* a revision is no bar of its own */
		/* The first two leave the window of 32 just before the third comes. */
		for (int i = 0; i < 31; i++)
			bar(&w, false, 0);
		bar(&w, true, 0);
		second(&w, 0, 0);
		assert_int_equal(w.n, (unsigned)round - 1);
		bar(&w, true, 0);
		bar(&w, true, 0);
		second(&w, 0, 0);
		assert_int_equal(w.n, (unsigned)round); /* and after it as many again */
	}
	assert_int_equal(w.asked[0].what.level, FREEZE_SYMBOL);
	assert_int_equal(w.asked[0].what.cause, FREEZE_OUTLIERS);
	assert_true(w.asked[0].what.is_quarantine);
	assert_int_equal(w.asked[0].uid, FREEZE_BY_DAEMON);
	assert_string_equal(w.asked[0].name, "AAPL");
	assert_string_equal(w.asked[0].reason,
			    "3 of its last 32 bars of 60 s were flagged");
	close_world(&w);
}

static void sources_that_disagree_quarantine_the_symbol(void **state)
{
	struct event_status e = {.state = SYMBOL_SOURCES_AGREE};
	struct world w;

	(void)state;
	open_world(&w, (struct config_kill){.divergence = true});
	kill_triggers_event(w.t, EVENT_STATUS, &e);
	second(&w, 0, 0);
	assert_int_equal(w.n, 0);
	e.state = SYMBOL_SOURCES_DIVERGE;
	memcpy(e.text, "one 105, others 100", 19);
	w.n_busy = 2; /* it is not forgotten while another order is written */
	kill_triggers_event(w.t, EVENT_STATUS, &e);
	kill_triggers_event(w.t, EVENT_STATUS, &e);
	for (int i = 0; i < 4; i++)
		second(&w, 0, 0);
	assert_int_equal(w.n, 1);
	assert_string_equal(w.asked[0].reason, "one 105, others 100");
	close_world(&w);
}

static void a_source_that_falls_silent_is_asked_for_once(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, (struct config_kill){.stale_ns = 5 * NS_PER_S});
	for (int i = 0; i < 20; i++)
		second(&w, 0, 0);
	assert_int_equal(w.n, 0); /* it never spoke */
	tick(&w, 0);
	for (int i = 0; i < 5; i++)
		second(&w, 0, 0);
	assert_int_equal(w.n, 0);
	for (int i = 0; i < 20; i++)
		second(&w, 0, 0);
	assert_int_equal(w.n, 1);
	assert_int_equal(w.asked[0].what.level, FREEZE_SOURCE);
	assert_int_equal(w.asked[0].what.id, 1);
	assert_string_equal(w.asked[0].name, "iex");
	assert_string_equal(w.asked[0].reason, "nothing came of it for 5.0 s");
	tick(&w, 0); /* it spoke again, so it can fall silent again */
	for (int i = 0; i < 20; i++)
		second(&w, 0, 0);
	assert_int_equal(w.n, 2);
	close_world(&w);
}

static void a_clock_that_is_off_is_one_whose_ticks_are_all_off(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, (struct config_kill){.skew_ns = 2 * NS_PER_S});
	for (int i = 0; i < 200; i++)
		tick(&w, i % 64 == 63 ? 2 * NS_PER_S : 9 * NS_PER_S);
	second(&w, 0, 0);
	assert_int_equal(w.n, 0);
	for (int i = 0; i < 64; i++)
		tick(&w, i == 7 ? -3 * NS_PER_S : -9 * NS_PER_S);
	second(&w, 0, 0);
	assert_int_equal(w.n, 1);
	assert_string_equal(w.asked[0].reason,
			    "its last 64 ticks are 3.000 s or more off the time of "
			    "receipt");
	close_world(&w);
}

static void refused_ticks_kill_everything(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, (struct config_kill){.errors_permille = 100});
	second(&w, 1000000, 1000000); /* before its time */
	second(&w, 1000000, 1000199); /* many, but too few ticks at all */
	assert_int_equal(w.n, 0);
	second(&w, 1002000, 1000199);
	assert_int_equal(w.n, 0); /* 199 of 2,199 */
	second(&w, 1002000, 1000300);
	assert_int_equal(w.n, 1); /* 300 of 2,300 */
	assert_int_equal(w.asked[0].what.level, FREEZE_ALL);
	assert_false(w.asked[0].what.is_quarantine);
	assert_string_equal(w.asked[0].reason,
			    "300 of 2300 ticks of the last 10 s were refused");
	second(&w, 1002000, 1000400);
	assert_int_equal(w.n, 1); /* as long as it lasts, once */
	for (int i = 0; i < 11; i++)
		second(&w, 1002000 + (uint64_t)i * 1000, 1000400);
	second(&w, 1020000, 1009000);
	assert_int_equal(w.n, 2);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_made_when_nothing_is_switched_on),
		cmocka_unit_test(flagged_bars_quarantine_their_symbol),
		cmocka_unit_test(sources_that_disagree_quarantine_the_symbol),
		cmocka_unit_test(a_source_that_falls_silent_is_asked_for_once),
		cmocka_unit_test(a_clock_that_is_off_is_one_whose_ticks_are_all_off),
		cmocka_unit_test(refused_ticks_kill_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
