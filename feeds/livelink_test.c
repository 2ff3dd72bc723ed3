/* Every state meets every event, and time only moves what it should. */
#include "base/clock.h"
#include "feeds/livelink.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define S NS_PER_S

static const struct link_params params = {.stage_ns = 10 * S,
					  .mute_ns = 5 * S,
					  .wait_min_ns = S,
					  .wait_max_ns = 16 * S,
					  .stable_ns = 60 * S,
					  .failed_ns = 600 * S,
					  .seed = 7};

/* What each event leads to, written down a second time: 0 means "nothing". */
static const struct expected {
	enum link_state from;
	enum link_event event;
	enum link_state to;
	enum link_action action;
} expected[] = {
	{LINK_IDLE, LINK_EV_START, LINK_DIALLING, LINK_DIAL},
	{LINK_DIALLING, LINK_EV_STOP, LINK_IDLE, LINK_HANG_UP},
	{LINK_DIALLING, LINK_EV_CONNECTED, LINK_OPEN, LINK_NOTHING},
	{LINK_DIALLING, LINK_EV_LOST, LINK_WAITING, LINK_HANG_UP},
	{LINK_DIALLING, LINK_EV_REFUSED, LINK_FAILED, LINK_HANG_UP},
	{LINK_DIALLING, LINK_EV_LATE, LINK_WAITING, LINK_HANG_UP},
	{LINK_OPEN, LINK_EV_STOP, LINK_IDLE, LINK_HANG_UP},
	{LINK_OPEN, LINK_EV_AUTHENTICATES, LINK_AUTH, LINK_NOTHING},
	{LINK_OPEN, LINK_EV_SUBSCRIBES, LINK_SUBSCRIBING, LINK_NOTHING},
	{LINK_OPEN, LINK_EV_FLOWS, LINK_ON, LINK_NOTHING},
	{LINK_OPEN, LINK_EV_LOST, LINK_WAITING, LINK_HANG_UP},
	{LINK_OPEN, LINK_EV_REFUSED, LINK_FAILED, LINK_HANG_UP},
	{LINK_OPEN, LINK_EV_LATE, LINK_WAITING, LINK_HANG_UP},
	{LINK_AUTH, LINK_EV_STOP, LINK_IDLE, LINK_HANG_UP},
	{LINK_AUTH, LINK_EV_SUBSCRIBES, LINK_SUBSCRIBING, LINK_NOTHING},
	{LINK_AUTH, LINK_EV_FLOWS, LINK_ON, LINK_NOTHING},
	{LINK_AUTH, LINK_EV_LOST, LINK_WAITING, LINK_HANG_UP},
	{LINK_AUTH, LINK_EV_REFUSED, LINK_FAILED, LINK_HANG_UP},
	{LINK_AUTH, LINK_EV_LATE, LINK_WAITING, LINK_HANG_UP},
	{LINK_SUBSCRIBING, LINK_EV_STOP, LINK_IDLE, LINK_HANG_UP},
	{LINK_SUBSCRIBING, LINK_EV_FLOWS, LINK_ON, LINK_NOTHING},
	{LINK_SUBSCRIBING, LINK_EV_LOST, LINK_WAITING, LINK_HANG_UP},
	{LINK_SUBSCRIBING, LINK_EV_REFUSED, LINK_FAILED, LINK_HANG_UP},
	{LINK_SUBSCRIBING, LINK_EV_LATE, LINK_WAITING, LINK_HANG_UP},
	{LINK_ON, LINK_EV_STOP, LINK_IDLE, LINK_HANG_UP},
	{LINK_ON, LINK_EV_DATA, LINK_ON, LINK_NOTHING},
	{LINK_ON, LINK_EV_LOST, LINK_WAITING, LINK_HANG_UP},
	{LINK_ON, LINK_EV_REFUSED, LINK_FAILED, LINK_HANG_UP},
	{LINK_ON, LINK_EV_LATE, LINK_MUTE, LINK_NOTHING},
	{LINK_MUTE, LINK_EV_STOP, LINK_IDLE, LINK_HANG_UP},
	{LINK_MUTE, LINK_EV_DATA, LINK_ON, LINK_NOTHING},
	{LINK_MUTE, LINK_EV_EXCUSED, LINK_ON, LINK_NOTHING},
	{LINK_MUTE, LINK_EV_LOST, LINK_WAITING, LINK_HANG_UP},
	{LINK_MUTE, LINK_EV_REFUSED, LINK_FAILED, LINK_HANG_UP},
	{LINK_MUTE, LINK_EV_LATE, LINK_WAITING, LINK_HANG_UP},
	{LINK_WAITING, LINK_EV_STOP, LINK_IDLE, LINK_NOTHING},
	{LINK_WAITING, LINK_EV_LATE, LINK_DIALLING, LINK_DIAL},
	{LINK_FAILED, LINK_EV_STOP, LINK_IDLE, LINK_NOTHING},
	{LINK_FAILED, LINK_EV_LATE, LINK_DIALLING, LINK_DIAL},
};

static const struct expected *lookup(enum link_state s, enum link_event e)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (expected[i].from == s && expected[i].event == e)
			return &expected[i];
	return NULL;
}

/* A link brought into @s by the shortest way, at time 1 s. */
static struct livelink brought_to(enum link_state s)
{
	static const enum link_event way[][6] = {
		[LINK_IDLE] = {LINK_EVENTS_N},
		[LINK_DIALLING] = {LINK_EV_START, LINK_EVENTS_N},
		[LINK_OPEN] = {LINK_EV_START, LINK_EV_CONNECTED, LINK_EVENTS_N},
		[LINK_AUTH] = {LINK_EV_START, LINK_EV_CONNECTED, LINK_EV_AUTHENTICATES,
			       LINK_EVENTS_N},
		[LINK_SUBSCRIBING] = {LINK_EV_START, LINK_EV_CONNECTED,
				      LINK_EV_SUBSCRIBES, LINK_EVENTS_N},
		[LINK_ON] = {LINK_EV_START, LINK_EV_CONNECTED, LINK_EV_FLOWS,
			     LINK_EVENTS_N},
		[LINK_MUTE] = {LINK_EV_START, LINK_EV_CONNECTED, LINK_EV_FLOWS,
			       LINK_EV_LATE, LINK_EVENTS_N},
		[LINK_WAITING] = {LINK_EV_START, LINK_EV_LOST, LINK_EVENTS_N},
		[LINK_FAILED] = {LINK_EV_START, LINK_EV_REFUSED, LINK_EVENTS_N},
	};
	struct livelink l;

	livelink_init(&l, &params, S);
	for (int i = 0; way[s][i] != LINK_EVENTS_N; i++)
		(void)livelink_event(&l, way[s][i], "because", S);
	assert_int_equal(l.state, s);
	return l;
}

static void every_state_answers_every_event(void **state)
{
	(void)state;
	for (int s = 0; s < LINK_STATES_N; s++)
		for (int e = 0; e < LINK_EVENTS_N; e++) {
			struct livelink l = brought_to((enum link_state)s);
			const struct expected *x =
				lookup((enum link_state)s, (enum link_event)e);
			uint64_t ignored = l.counts.ignored;
			enum link_action a =
				livelink_event(&l, (enum link_event)e, "reason", 2 * S);

			assert_int_equal(l.state, x != NULL ? (int)x->to : s);
			assert_int_equal(a, x != NULL ? (int)x->action
						      : (int)LINK_NOTHING);
			assert_int_equal(l.counts.ignored, ignored + (x == NULL));
		}
}

static void a_call_is_made_on_the_way_to_dialling_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct expected *x = &expected[i];

		assert_int_equal(x->action == LINK_DIAL, x->to == LINK_DIALLING);
		assert_int_equal(x->action == LINK_HANG_UP,
				 livelink_is_connected(x->from) &&
					 !livelink_is_connected(x->to));
	}
}

static void every_stage_has_a_limit(void **state)
{
	static const enum link_state stages[] = {LINK_DIALLING, LINK_OPEN, LINK_AUTH,
						 LINK_SUBSCRIBING};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct livelink l = brought_to(stages[i]);

		assert_int_equal(livelink_step(&l, 11 * S - 1), LINK_NOTHING);
		assert_int_equal(l.state, stages[i]);
		assert_int_equal(livelink_step(&l, 11 * S), LINK_HANG_UP);
		assert_int_equal(l.state, LINK_WAITING);
		assert_int_equal(l.counts.late[stages[i]], 1);
		assert_non_null(strstr(l.why, livelink_state_name(stages[i])));
	}
}

static void silence_is_mute_and_then_the_end(void **state)
{
	struct livelink l = brought_to(LINK_ON);

	(void)state;
	(void)livelink_expect(&l, true, S);
	(void)livelink_event(&l, LINK_EV_DATA, NULL, 3 * S);
	assert_int_equal(livelink_step(&l, 8 * S - 1), LINK_NOTHING);
	assert_int_equal(l.state, LINK_ON);
	assert_int_equal(livelink_step(&l, 8 * S), LINK_NOTHING);
	assert_int_equal(l.state, LINK_MUTE);
	assert_int_equal(livelink_step(&l, 13 * S - 1), LINK_NOTHING);
	assert_int_equal(livelink_step(&l, 13 * S), LINK_HANG_UP);
	assert_int_equal(l.state, LINK_WAITING);
	assert_non_null(strstr(l.why, "no data"));
}

static void data_ends_the_silence(void **state)
{
	struct livelink l = brought_to(LINK_ON);

	(void)state;
	(void)livelink_expect(&l, true, S);
	for (int64_t t = 5; t < 500; t += 4) {
		(void)livelink_step(&l, t * S);
		assert_int_equal(l.state, LINK_ON);
		(void)livelink_event(&l, LINK_EV_DATA, NULL, t * S);
	}
	(void)livelink_step(&l, 600 * S);
	assert_int_equal(l.state, LINK_MUTE);
	(void)livelink_event(&l, LINK_EV_DATA, NULL, 601 * S);
	assert_int_equal(l.state, LINK_ON);
}

static void silence_of_a_closed_market_is_no_sign(void **state)
{
	struct livelink l = brought_to(LINK_ON);

	(void)state;
	assert_int_equal(livelink_step(&l, 100000 * S), LINK_NOTHING);
	assert_int_equal(l.state, LINK_ON);
	/* It opens: the time counts from here, not from the last data. */
	(void)livelink_expect(&l, true, 100000 * S);
	(void)livelink_step(&l, 100005 * S - 1);
	assert_int_equal(l.state, LINK_ON);
	(void)livelink_step(&l, 100005 * S);
	assert_int_equal(l.state, LINK_MUTE);
	/* It closes: what was mute is merely quiet. */
	assert_int_equal(livelink_expect(&l, false, 100006 * S), LINK_NOTHING);
	assert_int_equal(l.state, LINK_ON);
	assert_int_equal(livelink_step(&l, 200000 * S), LINK_NOTHING);
}

/* How long the link waits after its n-th failure in a row. */
static int64_t next_wait(struct livelink *l, int64_t *now)
{
	int64_t from = *now;

	assert_int_equal(livelink_event(l, LINK_EV_LOST, "cut", *now), LINK_HANG_UP);
	assert_int_equal(livelink_step(l, l->due_ns - 1), LINK_NOTHING);
	*now = l->due_ns;
	assert_int_equal(livelink_step(l, *now), LINK_DIAL);
	return *now - from;
}

static void waits_double_up_to_their_limit(void **state)
{
	struct livelink l = brought_to(LINK_DIALLING);
	int64_t now = S, top = S;

	(void)state;
	for (int i = 0; i < 20; i++) {
		int64_t w = next_wait(&l, &now);

		assert_in_range(w, top / 2, top);
		top = top * 2 < 16 * S ? top * 2 : 16 * S;
	}
}

static void waits_of_two_links_differ(void **state)
{
	struct livelink a = brought_to(LINK_DIALLING), b;
	struct link_params other = params;
	int64_t now_a = S, now_b = S;

	(void)state;
	other.seed = 8;
	livelink_init(&b, &other, S);
	(void)livelink_event(&b, LINK_EV_START, NULL, S);
	for (int i = 0; i < 10; i++) {
		(void)next_wait(&a, &now_a);
		(void)next_wait(&b, &now_b);
		assert_int_not_equal(now_a, now_b);
	}
}

static void only_a_stable_connection_begins_the_waits_anew(void **state)
{
	struct livelink l = brought_to(LINK_DIALLING);
	int64_t now = S;

	(void)state;
	for (int i = 0; i < 6; i++)
		(void)next_wait(&l, &now);
	/* Long up but without any data: no good. */
	(void)livelink_event(&l, LINK_EV_CONNECTED, NULL, now);
	(void)livelink_event(&l, LINK_EV_FLOWS, NULL, now);
	now += 3600 * S;
	assert_in_range(next_wait(&l, &now), 8 * S, 16 * S);
	/* Data, but gone at once. */
	(void)livelink_event(&l, LINK_EV_CONNECTED, NULL, now);
	(void)livelink_event(&l, LINK_EV_FLOWS, NULL, now);
	(void)livelink_event(&l, LINK_EV_DATA, NULL, now);
	now += 59 * S;
	assert_in_range(next_wait(&l, &now), 8 * S, 16 * S);
	/* Data for as long as is asked. */
	(void)livelink_event(&l, LINK_EV_CONNECTED, NULL, now);
	(void)livelink_event(&l, LINK_EV_FLOWS, NULL, now);
	(void)livelink_event(&l, LINK_EV_DATA, NULL, now);
	now += 60 * S;
	assert_in_range(next_wait(&l, &now), S / 2, S);
}

static void a_refused_key_is_not_hammered(void **state)
{
	struct livelink l = brought_to(LINK_AUTH);

	(void)state;
	assert_int_equal(livelink_event(&l, LINK_EV_REFUSED, "no such key", S),
			 LINK_HANG_UP);
	assert_int_equal(l.state, LINK_FAILED);
	assert_string_equal(l.why, "no such key");
	for (int64_t t = 1; t < 601; t++)
		assert_int_equal(livelink_step(&l, t * S), LINK_NOTHING);
	assert_int_equal(livelink_step(&l, 601 * S), LINK_DIAL);
}

/* Whatever happens, the bookkeeping holds and nobody dials more than is allowed. */
static void chance_finds_no_way_around(void **state)
{
	uint64_t seed = (uint64_t)time(NULL);
	struct rng r;

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)seed);
	rng_seed(&r, seed);
	for (int round = 0; round < 200; round++) {
		struct livelink l;
		int64_t now = S, dialled = -1;
		uint64_t dials = 0, entered = 0;

		livelink_init(&l, &params, now);
		for (int i = 0; i < 500; i++) {
			enum link_state was = l.state;
			enum link_action a;
			uint32_t pick = rng_below(&r, LINK_EVENTS_N + 4);

			now += rng_below(&r, 4 * S);
			if (pick == LINK_EV_LATE || pick > LINK_EVENTS_N)
				a = livelink_step(&l, now);
			else if (pick == LINK_EVENTS_N)
				a = livelink_expect(&l, rng_below(&r, 2) == 0, now);
			else
				a = livelink_event(&l, (enum link_event)pick, "x", now);
			assert_int_equal(a == LINK_DIAL, l.state == LINK_DIALLING &&
								 was != LINK_DIALLING);
			if (a != LINK_DIAL)
				continue;
			dials++;
			/* At once only after START; else half a wait at least. */
			if (was == LINK_WAITING)
				assert_true(now - dialled >= S / 2);
			if (was == LINK_FAILED)
				assert_true(now - dialled >= 600 * S);
			dialled = now;
		}
		entered = l.counts.entered[LINK_DIALLING];
		assert_int_equal(dials, entered);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_answers_every_event),
		cmocka_unit_test(a_call_is_made_on_the_way_to_dialling_and_no_other),
		cmocka_unit_test(every_stage_has_a_limit),
		cmocka_unit_test(silence_is_mute_and_then_the_end),
		cmocka_unit_test(data_ends_the_silence),
		cmocka_unit_test(silence_of_a_closed_market_is_no_sign),
		cmocka_unit_test(waits_double_up_to_their_limit),
		cmocka_unit_test(waits_of_two_links_differ),
		cmocka_unit_test(only_a_stable_connection_begins_the_waits_anew),
		cmocka_unit_test(a_refused_key_is_not_hammered),
		cmocka_unit_test(chance_finds_no_way_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
