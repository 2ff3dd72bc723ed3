/* source_life_test - where the dark begins and ends, and late events that light it. */
#include "workers/bars_fixture.h"

static struct source_life *lives(void)
{
	struct source_life *t;

	assert_int_equal(source_life_new(5 * S, &t), 0);
	return t;
}

static void a_source_never_seen_is_dark(void **state)
{
	struct source_life *t = lives();

	(void)state;
	assert_true(source_life_dark(t, 3, T0, T0 + S));
	source_life_saw(t, 4, T0);
	assert_true(source_life_dark(t, 3, T0, T0 + S));
	assert_false(source_life_dark(t, 4, T0, T0 + S));
	source_life_free(t);
}

static void the_dark_begins_one_timeout_after_the_last_event(void **state)
{
	struct source_life *t = lives();

	(void)state;
	source_life_saw(t, 1, T0);
	assert_false(source_life_dark(t, 1, T0 + 5 * S - 1, T0 + 60 * S));
	assert_true(source_life_dark(t, 1, T0 + 5 * S, T0 + 60 * S));
	source_life_saw(t, 1, T0 + 30 * S);
	assert_false(source_life_dark(t, 1, T0 + 5 * S, T0 + 60 * S));
	assert_true(source_life_dark(t, 1, T0 + 5 * S, T0 + 30 * S));
	assert_false(source_life_dark(t, 1, T0 + 5 * S, T0 + 30 * S + 1));
	source_life_free(t);
}

static void a_pause_of_exactly_the_timeout_is_no_gap(void **state)
{
	struct source_life *t = lives();

	(void)state;
	source_life_saw(t, 1, T0);
	source_life_saw(t, 1, T0 + 5 * S);
	source_life_saw(t, 1, T0 + 10 * S + 1);
	assert_false(source_life_dark(t, 1, T0 + 5 * S, T0 + 5 * S));
	assert_true(source_life_dark(t, 1, T0 + 10 * S, T0 + 10 * S + 1));
	source_life_free(t);
}

static void a_late_event_splits_the_gap_it_falls_into(void **state)
{
	struct source_life *t = lives();

	(void)state;
	source_life_saw(t, 1, T0);
	source_life_saw(t, 1, T0 + 60 * S);
	source_life_saw(t, 1, T0 + 20 * S);
	assert_true(source_life_dark(t, 1, T0 + 10 * S, T0 + 20 * S));
	assert_false(source_life_dark(t, 1, T0 + 10 * S, T0 + 30 * S));
	assert_false(source_life_dark(t, 1, T0 + 20 * S, T0 + 30 * S));
	assert_true(source_life_dark(t, 1, T0 + 25 * S, T0 + 60 * S));
	source_life_free(t);
}

static void the_order_of_events_does_not_matter(void **state)
{
	uint64_t rng = 7;

	(void)state;
	for (int round = 0; round < 200; round++) {
		int64_t ns[30];
		struct source_life *a = lives(), *b = lives();

		for (int i = 0; i < 30; i++) {
			rng = rng * UINT64_C(6364136223846793005) + 1;
			ns[i] = T0 + (int64_t)(rng >> 40) % 200 * S;
		}
		for (int i = 0; i < 30; i++) {
			source_life_saw(a, 1, ns[i]);
			source_life_saw(b, 1, ns[29 - i]);
		}
		/* Before the first event the one has looked and the other has not. */
		int64_t first = ns[0] > ns[29] ? ns[0] : ns[29];

		for (int64_t t = first; t < T0 + 230 * S; t += S)
			assert_int_equal(source_life_dark(a, 1, t, t + 2 * S),
					 source_life_dark(b, 1, t, t + 2 * S));
		source_life_free(a);
		source_life_free(b);
	}
}

static void only_the_oldest_gaps_are_forgotten(void **state)
{
	struct source_life *t = lives();

	(void)state;
	for (int64_t i = 0; i < 100; i++)
		source_life_saw(t, 65535, T0 + i * 60 * S);
	assert_false(source_life_dark(t, 65535, T0 + 10 * S, T0 + 50 * S));
	for (int64_t i = 99 - SOURCE_LIFE_GAPS; i < 99; i++)
		assert_true(source_life_dark(t, 65535, T0 + i * 60 * S + 10 * S,
					     T0 + i * 60 * S + 50 * S));
	source_life_free(t);
}

static void the_edge_of_the_calendar_does_no_harm(void **state)
{
	struct source_life *t = lives();

	(void)state;
	source_life_saw(t, 1, INT64_MIN);
	source_life_saw(t, 1, INT64_MAX);
	assert_true(source_life_dark(t, 1, 0, S));
	assert_false(source_life_dark(t, 1, INT64_MIN, 0));
	assert_true(source_life_dark(t, 1, INT64_MAX - 1, INT64_MAX));
	source_life_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_never_seen_is_dark),
		cmocka_unit_test(the_dark_begins_one_timeout_after_the_last_event),
		cmocka_unit_test(a_pause_of_exactly_the_timeout_is_no_gap),
		cmocka_unit_test(a_late_event_splits_the_gap_it_falls_into),
		cmocka_unit_test(the_order_of_events_does_not_matter),
		cmocka_unit_test(only_the_oldest_gaps_are_forgotten),
		cmocka_unit_test(the_edge_of_the_calendar_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
