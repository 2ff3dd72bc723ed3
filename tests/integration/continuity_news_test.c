/*
 * News that are polled: answers that fail in the middle of their pages, a store that is
 * full, a daemon that is killed at any moment, articles that turn up late and are
 * edited: in the end the log has each text of each article once, and nothing is owed.
 *
 * usage: test_continuity_news [ROUNDS [SEED]]
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

static void run(struct world *w, int64_t ns, bool publishes)
{
	int64_t end = clock_wall_ns() + ns;

	while (clock_wall_ns() < end)
		world_step(w, publishes);
}

static bool is_whole(struct world *w)
{
	struct live_feed *f = world_feed(w);

	return f->past.phase == PAST_READ && f->link.state == LINK_ON &&
	       ledger_open_count(f->ledger) == 0 && f->poll.phase == ROUND_NONE &&
	       news_producer_waiting(&f->articles) == 0;
}

/* Longer than the longest pause after a refusal, and than the last texts take. */
static void end_well(struct world *w)
{
	world_heal(w);
	run(w, 10 * NS_PER_S, true);
	run(w, 10 * NS_PER_S, false);
	for (int i = 0; i < 30000 && !is_whole(w); i++)
		run(w, 100 * NS_PER_MS, false);
	assert_true(is_whole(w));
}

struct seen {
	uint32_t first[WORLD_ARTICLES], fixed[WORLD_ARTICLES];
	bool is_fixed[WORLD_ARTICLES]; /* the newest */
};

static void note(void *arg, size_t number, bool is_fixed)
{
	struct seen *s = arg;

	assert_true(number < WORLD_ARTICLES);
	s->first[number] += !is_fixed;
	s->fixed[number] += is_fixed;
	s->is_fixed[number] = is_fixed;
}

static void check(struct world *w)
{
	static struct seen s;
	size_t wrong = 0;

	memset(&s, 0, sizeof(s));
	world_articles(w, note, &s);
	for (size_t i = 0; i < w->n_articles; i++) {
		bool fixed = w->articles[i].fixed_ns != INT64_MAX;

		if (s.first[i] <= 1 && s.fixed[i] <= 1 && s.is_fixed[i] == fixed &&
		    s.first[i] + s.fixed[i] > 0)
			continue;
		wrong++;
		print_message("# article %zu at +%lld ms: %u and %u times\n", i,
			      (long long)((w->articles[i].at_ns - SIMCLOCK_START) /
					  NS_PER_MS),
			      s.first[i], s.fixed[i]);
	}
	assert_int_equal(wrong, 0);
	assert_true(w->n_articles > 100);
}

static void check_ledger(struct world *w)
{
	struct live_feed *f = world_feed(w);

	for (size_t i = 0; i < WORLD_SYMBOLS; i++) {
		size_t n;
		const struct ledger_span *v = ledger_spans(f->ledger, i, &n);

		assert_int_equal(n, 1); /* what is saved with each round is small */
		assert_int_equal(v[0].kind, LEDGER_REFILLED);
		assert_int_equal(v[0].to_ns, ledger_end_ns(f->ledger, i));
	}
}

static void live_through(uint64_t s, void (*faults)(struct world *w))
{
	struct world *w = world_new_polled(s);

	print_message("# seed %llu\n", (unsigned long long)s);
	faults(w);
	run(w, 60 * NS_PER_S, true);
	end_well(w);
	check(w);
	check_ledger(w);
	world_free(w);
}

static void none(struct world *w)
{
	(void)w;
}

static void failures(struct world *w)
{
	w->page_fails = 2000;
}

static void refusals(struct world *w)
{
	w->page_fails = 1000;
	w->forbidden = 1000;
}

static void crashes(struct world *w)
{
	w->crash = 40;
	w->page_fails = 500;
	w->full = 500;
}

static void each_seed(void (*faults)(struct world *w))
{
	for (int i = 0; i < rounds; i++)
		live_through(seed + (uint64_t)i, faults);
}

static void what_is_published_is_logged_once(void **state)
{
	(void)state;
	each_seed(none);
}

static void what_an_outage_hid_comes_with_the_next_answer(void **state)
{
	(void)state;
	each_seed(failures);
}

static void a_vendor_that_refuses_is_asked_again(void **state)
{
	(void)state;
	each_seed(refusals);
}

static void a_killed_daemon_asks_on_from_where_it_was(void **state)
{
	(void)state;
	each_seed(crashes);
}

/* One failure makes a pause, and nobody is asked meanwhile. */
static void an_outage_is_one_longer_question(void **state)
{
	struct world *w = world_new_polled(seed);
	struct live_feed *f = world_feed(w);
	uint64_t rounds_before;

	(void)state;
	run(w, 10 * NS_PER_S, true);
	assert_int_equal(f->link.state, LINK_ON);
	w->page_fails = 10000;
	rounds_before = f->poll.polls;
	run(w, 60 * NS_PER_S, true);
	assert_int_equal(f->link.state, LINK_WAITING);
	assert_true(f->link.is_expected);
	assert_in_range(f->poll.polls - rounds_before, 3,
			10); /* of 30 without pauses */
	end_well(w);
	check(w);
	check_ledger(w);
	world_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_published_is_logged_once),
		cmocka_unit_test(what_an_outage_hid_comes_with_the_next_answer),
		cmocka_unit_test(a_vendor_that_refuses_is_asked_again),
		cmocka_unit_test(a_killed_daemon_asks_on_from_where_it_was),
		cmocka_unit_test(an_outage_is_one_longer_question),
	};

	log_level_set(getenv("SAY") ? LOG_INFO : LOG_ERR);
	seed = (uint64_t)time(NULL);
	if (argc > 1)
		rounds = atoi(argv[1]);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
