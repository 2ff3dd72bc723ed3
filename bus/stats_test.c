/* stats - no addition is lost, and every counter explains itself. */
#include "bus/check_test.h"
#include "bus/stats.h"
#include <string.h>

#define ROUNDS  20000u
#define THREADS 20

static void *add_many(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++)
		stats_add(STAT_COMMITS, 3);
	return NULL;
}

static void more_threads_than_lanes_lose_no_addition(void **state)
{
	uint64_t before = stats_get(STAT_COMMITS);
	pthread_t t[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		check_thread(&t[i], add_many, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(stats_get(STAT_COMMITS) - before, 3u * ROUNDS * THREADS);
}

static void a_gauge_is_what_was_last_set(void **state)
{
	(void)state;
	stats_set(STAT_SYMBOLS, 17);
	stats_set(STAT_SYMBOLS, 5);
	assert_int_equal(stats_get(STAT_SYMBOLS), 5);
}

static void reasons_and_kinds_have_counters_of_their_own(void **state)
{
	(void)state;
	stats_add_reject(REJECT_TIME_TOO_OLD, 2);
	assert_int_equal(stats_get(STAT_REJECT_TIME_TOO_OLD), 2);
	assert_int_equal(stats_get(STAT_REJECT_TIME_IN_FUTURE), 0);
	assert_string_equal(stats_info(STAT_REJECT_TIME_TOO_OLD)->labels,
			    "reason=\"time_too_old\"");
	stats_add_published(EVENT_STATUS, 4);
	assert_int_equal(stats_get(STAT_PUBLISHED_STATUS), 4);
	assert_string_equal(stats_info(STAT_PUBLISHED_STATUS)->labels,
			    "kind=\"status\"");
}

static void every_counter_has_a_name_a_help_and_no_twin(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STAT_N; i++) {
		const struct stat_info *a = stats_info((enum stat_id)i);
		size_t len = strlen(a->name);
		int is_total = len > 6 && strcmp(a->name + len - 6, "_total") == 0;

		assert_true(strlen(a->help) > 5);
		assert_int_equal(
			strspn(a->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), len);
		assert_int_equal(is_total, a->type == STAT_COUNTER);
		for (unsigned j = 0; j < i; j++) {
			const struct stat_info *b = stats_info((enum stat_id)j);

			assert_false(strcmp(a->name, b->name) == 0 &&
				     strcmp(a->labels, b->labels) == 0);
			/* Families lie together: the exporter prints one HELP each. */
			if (strcmp(a->name, b->name) == 0)
				assert_string_equal(
					stats_info((enum stat_id)(i - 1))->name,
					a->name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_threads_than_lanes_lose_no_addition),
		cmocka_unit_test(a_gauge_is_what_was_last_set),
		cmocka_unit_test(reasons_and_kinds_have_counters_of_their_own),
		cmocka_unit_test(every_counter_has_a_name_a_help_and_no_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
