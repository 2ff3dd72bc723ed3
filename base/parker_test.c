/* parker_test - no wake-up is lost, and time-outs end. */
#include "base/clock.h"
#include "base/parker.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_wake_before_the_sleep_is_not_lost(void **state)
{
	(void)state;
	struct parker p;

	parker_init(&p);
	parker_prepare(&p);
	parker_wake(&p);
	parker_wait(&p, -1); /* returns at once, or the test times out */
	assert_int_equal(atomic_load(&p.state), 0);
}

static void waking_one_that_is_awake_leaves_no_trace(void **state)
{
	(void)state;
	struct parker p;

	parker_init(&p);
	parker_wake(&p);
	parker_prepare(&p);
	assert_int_equal(atomic_load(&p.state), 1);
	parker_cancel(&p);
	assert_int_equal(atomic_load(&p.state), 0);
}

static void a_time_out_ends_the_sleep(void **state)
{
	(void)state;
	int64_t before = clock_mono_ns();
	struct parker p;

	parker_init(&p);
	parker_prepare(&p);
	parker_wait(&p, 20 * NS_PER_MS);
	assert_true(clock_mono_ns() - before >= 20 * NS_PER_MS);
	assert_int_equal(atomic_load(&p.state), 0);
	parker_prepare(&p);
	parker_wait(&p, 0);
	assert_int_equal(atomic_load(&p.state), 0);
}

#define ROUNDS 30000

/* Two threads hand a number to and fro; each sleeps without a limit. */
struct side {
	struct parker parker;
	_Alignas(64) atomic_uint inbox;
};

static struct side ping, pong;

static void give(struct side *to, unsigned v)
{
	atomic_store_explicit(&to->inbox, v, memory_order_release);
	parker_wake(&to->parker);
}

static void await(struct side *me, unsigned v)
{
	while (atomic_load_explicit(&me->inbox, memory_order_acquire) != v) {
		parker_prepare(&me->parker);
		if (atomic_load_explicit(&me->inbox, memory_order_acquire) == v)
			parker_cancel(&me->parker);
		else
			parker_wait(&me->parker, -1);
	}
}

static void *echo(void *arg)
{
	(void)arg;
	for (unsigned i = 1; i <= ROUNDS; i++) {
		await(&pong, i);
		give(&ping, i);
	}
	return NULL;
}

static void thirty_thousand_hand_overs_lose_no_wake_up(void **state)
{
	(void)state;
	pthread_t t;

	parker_init(&ping.parker);
	parker_init(&pong.parker);
	assert_int_equal(pthread_create(&t, NULL, echo, NULL), 0);
	for (unsigned i = 1; i <= ROUNDS; i++) {
		give(&pong, i);
		await(&ping, i);
	}
	assert_int_equal(pthread_join(t, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wake_before_the_sleep_is_not_lost),
		cmocka_unit_test(waking_one_that_is_awake_leaves_no_trace),
		cmocka_unit_test(a_time_out_ends_the_sleep),
		cmocka_unit_test(thirty_thousand_hand_overs_lose_no_wake_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
