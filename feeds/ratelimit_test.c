/* ratelimit_test - departures never exceed the rate, and use it. */
#include "base/clock.h"
#include "feeds/feed_test.h"
#include "feeds/ratelimit.h"
#include <errno.h>

#define MS NS_PER_MS
#define S  NS_PER_S

static struct rng chance;

/* Go as early as allowed, @n times from @now on; returns when each went. */
static int64_t go(struct ratelimit *r, int64_t now, size_t n, int64_t *at)
{
	for (size_t i = 0; i < n; i++) {
		now = ratelimit_next_ns(r, now);
		if (at != NULL)
			at[i] = now;
		ratelimit_there(r, ratelimit_take(r, now, &chance), now);
	}
	return now;
}

static void without_a_limit_everything_goes_at_once(void **state)
{
	struct ratelimit r;

	(void)state;
	assert_int_equal(ratelimit_init(&r, 0, 0, 0), 0);
	assert_int_equal(go(&r, 77, 1000, NULL), 77);
	ratelimit_free(&r);
}

static void a_burst_goes_at_once_and_then_one_per_interval(void **state)
{
	struct ratelimit r;
	int64_t at[8];

	(void)state;
	assert_int_equal(ratelimit_init(&r, 100, 10 * S, 4), 0);
	go(&r, S, 8, at);
	for (int i = 0; i < 4; i++)
		assert_int_equal(at[i], S);
	for (int i = 4; i < 8; i++)
		assert_int_equal(at[i], S + (i - 3) * 100 * MS);
	/* Rested long enough, the burst is there again and no larger. */
	go(&r, 5 * S, 6, at);
	assert_int_equal(at[3], 5 * S);
	assert_int_equal(at[4], 5 * S + 100 * MS);
	assert_int_equal(at[5], 5 * S + 200 * MS);
	ratelimit_free(&r);
}

/*
 * Any rate, any burst, callers by chance, ways of any length: no window of arrivals
 * ever holds more.  Each request arrives somewhere between departure and answer.
 */
static void no_stretch_of_time_holds_more_than_allowed(void **state)
{
	enum { N = 2000 };
	static int64_t arrived[N], answered[N];
	uint64_t seed = (uint64_t)clock_wall_ns();

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)seed);
	rng_seed(&chance, seed);
	for (int round = 0; round < 40; round++) {
		uint32_t requests = 1 + rng_below(&chance, 300);
		int64_t per = 1 + rng_below64(&chance, 60 * S);
		struct ratelimit r;
		int64_t now = 0;
		size_t told = 0; /* answers come in the order of the requests here */

		assert_int_equal(
			ratelimit_init(&r, requests, per, rng_below(&chance, 30)), 0);
		for (size_t i = 0; i < N; i++) {
			int64_t at;

			if (rng_below(&chance, 50) == 0)
				now += rng_below64(&chance, 3 * per);
			if (rng_below(&chance, 200) == 0)
				ratelimit_hold(&r, now, now + rng_below64(&chance, per),
					       &chance);
			while ((at = ratelimit_next_ns(&r, now)) == RATELIMIT_ON_WAY) {
				assert_true(told < i);
				now = now > answered[told] ? now : answered[told];
				ratelimit_there(&r, told, answered[told]);
				told++;
			}
			now = at;
			assert_int_equal(ratelimit_take(&r, now, &chance), i);
			arrived[i] = now + rng_below64(&chance, per);
			answered[i] = arrived[i] + rng_below64(&chance, per);
		}
		for (size_t i = requests; i < N; i++)
			assert_true(arrived[i] - arrived[i - requests] > per);
		ratelimit_free(&r);
	}
}

static void one_too_many_waits_for_an_answer_of_the_first(void **state)
{
	struct ratelimit r;
	uint64_t first;

	(void)state;
	assert_int_equal(ratelimit_init(&r, 2, S, 2), 0);
	first = ratelimit_take(&r, S, &chance);
	ratelimit_there(&r, ratelimit_take(&r, S, &chance), S);
	assert_int_equal(ratelimit_next_ns(&r, 100 * S), RATELIMIT_ON_WAY);
	ratelimit_there(&r, first, 100 * S);
	assert_int_equal(ratelimit_next_ns(&r, 100 * S), 101 * S + 2 * MS);
	ratelimit_free(&r);
}

static void the_whole_rate_is_used(void **state)
{
	struct ratelimit r;
	int64_t end;

	(void)state;
	assert_int_equal(ratelimit_init(&r, 200, 60 * S, 0), 0);
	end = go(&r, 0, 2000, NULL);
	/* Ten windows, nine of them waited for, each longer by the allowance. */
	assert_true(end > 9 * 60 * S && end < 9 * 61 * S + 60 * S);
	ratelimit_free(&r);
}

static void a_hold_stops_all_and_then_lets_them_go_apart(void **state)
{
	struct ratelimit r;
	int64_t at[6];

	(void)state;
	rng_seed(&chance, 4);
	assert_int_equal(ratelimit_init(&r, 0, 0, 0), 0);
	ratelimit_hold(&r, S, 11 * S, &chance);
	go(&r, S, 6, at);
	assert_true(at[0] >= 11 * S && at[0] <= 12 * S);
	for (int i = 1; i < 6; i++)
		assert_true(at[i] > at[i - 1] && at[i] < at[i - 1] + 50 * MS);
	/* A shorter one later changes nothing; one in the past neither. */
	ratelimit_hold(&r, 20 * S, 30 * S, &chance);
	at[0] = ratelimit_next_ns(&r, 20 * S);
	ratelimit_hold(&r, 20 * S, 25 * S, &chance);
	ratelimit_hold(&r, 20 * S, 19 * S, &chance);
	assert_int_equal(ratelimit_next_ns(&r, 20 * S), at[0]);
	ratelimit_free(&r);
}

static void after_a_hold_the_bucket_is_empty(void **state)
{
	struct ratelimit r;
	int64_t at[4];

	(void)state;
	assert_int_equal(ratelimit_init(&r, 60, 60 * S, 10), 0);
	ratelimit_hold(&r, S, 3 * S, &chance);
	go(&r, S, 4, at);
	for (int i = 1; i < 4; i++)
		assert_true(at[i] - at[i - 1] >= S);
	ratelimit_free(&r);
}

static void a_rate_that_is_none_is_refused(void **state)
{
	struct ratelimit r;

	(void)state;
	assert_int_equal(ratelimit_init(&r, 10, 0, 0), -EINVAL);
	assert_int_equal(ratelimit_init(&r, 10, -1, 0), -EINVAL);
	assert_int_equal(ratelimit_init(&r, RATELIMIT_REQUESTS_MAX + 1, S, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_everything_goes_at_once),
		cmocka_unit_test(a_burst_goes_at_once_and_then_one_per_interval),
		cmocka_unit_test(no_stretch_of_time_holds_more_than_allowed),
		cmocka_unit_test(one_too_many_waits_for_an_answer_of_the_first),
		cmocka_unit_test(the_whole_rate_is_used),
		cmocka_unit_test(a_hold_stops_all_and_then_lets_them_go_apart),
		cmocka_unit_test(after_a_hold_the_bucket_is_empty),
		cmocka_unit_test(a_rate_that_is_none_is_refused),
	};

	return cmocka_run_group_tests_name("ratelimit", tests, NULL, NULL);
}
