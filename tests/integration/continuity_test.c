/*
 * Streams that are cut, fall mute, are refused; histories that fail in the middle; a
 * daemon that is killed at any moment: in the end the log has every tick once and the
 * ledger explains every moment.
 *
 * usage: test_continuity [ROUNDS [SEED]]
 */
#include "base/log.h"
#include "tests/integration/liveworld.h"
#include "tests/sim/simclock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static uint64_t seed;
static int rounds = 2;

static void run(struct world *w, int64_t ns, bool trades)
{
	int64_t end = clock_wall_ns() + ns;

	while (clock_wall_ns() < end)
		world_step(w, trades);
}

static bool is_whole(struct world *w)
{
	struct live_feed *f = world_feed(w);

	return f->past.phase == PAST_READ && f->link.state == LINK_ON &&
	       ledger_open_count(f->ledger) == 0 && f->refill.phase == REFILL_IDLE &&
	       live_producer_waiting(&f->live) == 0 &&
	       live_producer_waiting(&f->refilled) == 0;
}

static void end_well(struct world *w)
{
	world_heal(w);
	w->is_slow = true;
	run(w, 10 * NS_PER_S, true); /* what is mute is so for 8 s at most */
	for (int i = 0; i < 300 && !is_whole(w); i++)
		run(w, 10 * NS_PER_S, true);
	assert_true(is_whole(w));
	run(w, 1500 * NS_PER_MS, false); /* short of mute */
}

/* Each of the market's ticks is as often in the log as the market had it. */
static void check_log(struct world *w)
{
	static uint32_t counts[WORLD_TICKS], wanted[WORLD_TICKS];
	size_t wrong = 0;

	world_count(w, counts);
	memset(wanted, 0, sizeof(wanted));
	for (size_t i = 0; i < w->n_market; i++)
		wanted[w->market[i].seq - 1]++;
	for (size_t i = 0; i < w->n_market; i++) {
		const struct world_tick *m = &w->market[i];

		if (m->seq != i + 1)
			continue;
		/* Before the stream first flowed nothing is promised but "once". */
		if (m->event_ns < w->first_on_ns + w->skew_ns ? counts[i] <= wanted[i]
							      : counts[i] == wanted[i])
			continue;
		wrong++;
		print_message(
			"# tick %zu of %s at +%lld ms: %u times in the log, %u in "
			"the market\n",
			i, world_symbol(m->symbol),
			(long long)((m->event_ns - SIMCLOCK_START) / NS_PER_MS),
			counts[i], wanted[i]);
	}
	assert_int_equal(wrong, 0);
}

/* End to end, nothing lost, and what is called quiet is so. */
static void check_ledger(struct world *w)
{
	struct live_feed *f = world_feed(w);

	for (size_t s = 0; s < WORLD_SYMBOLS; s++) {
		size_t n;
		const struct ledger_span *v = ledger_spans(f->ledger, s, &n);

		for (size_t k = 0; k < n; k++) {
			assert_true(v[k].kind != LEDGER_LOST);
			assert_true(v[k].kind != LEDGER_OPEN);
			if (k > 0)
				assert_true(v[k].from_ns == v[k - 1].to_ns);
			for (size_t i = 0; v[k].kind == LEDGER_QUIET && i < w->n_market;
			     i++)
				assert_false(w->market[i].symbol == s &&
					     w->market[i].event_ns >= v[k].from_ns &&
					     w->market[i].event_ns < v[k].to_ns);
		}
	}
}

static void live_through(uint64_t s, bool quotes, void (*faults)(struct world *w))
{
	struct world *w = world_new(s, quotes);

	print_message("# seed %llu\n", (unsigned long long)s);
	faults(w);
	run(w, 60 * NS_PER_S, true);
	end_well(w);
	check_log(w);
	check_ledger(w);
	world_free(w);
}

static void none(struct world *w)
{
	(void)w;
}

static void cuts(struct world *w)
{
	w->cut = 50;
	w->full = 500;
}

static void holes(struct world *w)
{
	w->hole = 20;
	w->cut = 5;
}

static void bad_history(struct world *w)
{
	w->cut = 30;
	w->page_fails = 2000;
	w->forbidden = 500;
}

static void crashes(struct world *w)
{
	w->cut = 20;
	w->crash = 40;
	w->page_fails = 1000;
	w->full = 500;
}

static void everything(struct world *w)
{
	w->cut = 20;
	w->hole = 10;
	w->crash = 20;
	w->page_fails = 1000;
	w->forbidden = 300;
	w->full = 1000;
	w->refused = 300;
}

static void each_seed(void (*faults)(struct world *w))
{
	for (int i = 0; i < rounds; i++)
		live_through(seed + (uint64_t)i, i % 2 == 0, faults);
}

static void an_undisturbed_stream_is_logged_once(void **state)
{
	(void)state;
	live_through(seed, true, none);
}

static void cuts_are_refilled(void **state)
{
	(void)state;
	each_seed(cuts);
}

static void black_holes_are_refilled(void **state)
{
	(void)state;
	each_seed(holes);
}

static void a_history_that_fails_is_asked_again(void **state)
{
	(void)state;
	each_seed(bad_history);
}

static void a_killed_daemon_goes_on_where_it_was(void **state)
{
	(void)state;
	each_seed(crashes);
}

static void all_of_it_together(void **state)
{
	(void)state;
	each_seed(everything);
}

static void silence_is_blind_within_the_configured_time(void **state)
{
	struct world *w = world_new(seed / 2 * 2, false);
	struct live_feed *f = world_feed(w);
	int64_t from, mute_at = 0, waits_at = 0;

	(void)state;
	run(w, 20 * NS_PER_S, true);
	assert_int_equal(f->link.state, LINK_ON);
	world_mute(w, 30 * NS_PER_S);
	from = clock_wall_ns();
	while (clock_wall_ns() < from + 20 * NS_PER_S) {
		world_step(w, true);
		if (mute_at == 0 && f->link.state == LINK_MUTE)
			mute_at = clock_wall_ns();
		if (waits_at == 0 && f->link.state == LINK_WAITING)
			waits_at = clock_wall_ns();
	}
	/* mute_ns is 2 s; a message may still have been on its way for 50 ms. */
	assert_in_range(mute_at - from, NS_PER_S, 2200 * NS_PER_MS);
	assert_in_range(waits_at - from, 3 * NS_PER_S, 4300 * NS_PER_MS);
	end_well(w);
	check_log(w);
	check_ledger(w);
	world_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_undisturbed_stream_is_logged_once),
		cmocka_unit_test(cuts_are_refilled),
		cmocka_unit_test(black_holes_are_refilled),
		cmocka_unit_test(a_history_that_fails_is_asked_again),
		cmocka_unit_test(a_killed_daemon_goes_on_where_it_was),
		cmocka_unit_test(all_of_it_together),
		cmocka_unit_test(silence_is_blind_within_the_configured_time),
	};

	log_level_set(getenv("SAY") ? LOG_INFO : LOG_ERR);
	seed = (uint64_t)time(NULL);
	if (argc > 1)
		rounds = atoi(argv[1]);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
