/* mailbox_test - order, bounds and many posters. */
#include "base/mailbox.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct letter {
	uint32_t from;
	uint32_t number;
	uint64_t check;
};

static void count_wake(void *arg)
{
	(*(unsigned *)arg)++;
}

static void letters_come_out_in_the_order_they_went_in(void **state)
{
	(void)state;
	struct mailbox *m;
	unsigned wakes = 0;
	uint64_t v;

	assert_int_equal(mailbox_new(8, sizeof(v), count_wake, &wakes, &m), 0);
	for (uint64_t round = 0; round < 100; round++) {
		for (uint64_t i = 0; i < 5; i++) {
			v = round * 5 + i;
			assert_int_equal(mailbox_post(m, &v), 0);
		}
		for (uint64_t i = 0; i < 5; i++) {
			assert_int_equal(mailbox_take(m, &v), 0);
			assert_int_equal(v, round * 5 + i);
		}
		assert_int_equal(mailbox_take(m, &v), MAILBOX_EMPTY);
	}
	assert_int_equal(wakes, 500);
	mailbox_free(m);
}

static void a_full_one_refuses_and_keeps_what_it_has(void **state)
{
	(void)state;
	struct mailbox *m;
	unsigned wakes = 0;
	char v[3] = "aa";

	assert_int_equal(mailbox_new(3, sizeof(v), count_wake, &wakes, &m), 0);
	for (unsigned i = 0; i < 4; i++, v[0]++)
		assert_int_equal(mailbox_post(m, v), 0);
	assert_int_equal(mailbox_post(m, v), MAILBOX_FULL);
	assert_int_equal(wakes, 4);
	for (int want = 'a'; want < 'e'; want++) {
		assert_int_equal(mailbox_take(m, v), 0);
		assert_int_equal(v[0], want);
	}
	assert_int_equal(mailbox_take(m, v), MAILBOX_EMPTY);
	assert_int_equal(mailbox_post(m, v), 0);
	mailbox_free(m);
	mailbox_free(NULL);
}

static void absurd_sizes_are_refused(void **state)
{
	(void)state;
	struct mailbox *m;

	assert_int_equal(mailbox_new(SIZE_MAX, 8, NULL, NULL, &m), -EINVAL);
	assert_int_equal(mailbox_new(8, 0, NULL, NULL, &m), -EINVAL);
	assert_int_equal(mailbox_new(8, SIZE_MAX, NULL, NULL, &m), -EINVAL);
}

#define POSTERS 4
#define LETTERS 50000

struct poster {
	struct mailbox *m;
	uint32_t id;
	uint64_t refused;
};

static void *post_all(void *arg)
{
	struct poster *p = arg;

	for (uint32_t i = 0; i < LETTERS;) {
		struct letter l = {p->id, i, (uint64_t)p->id << 32 | i};

		if (mailbox_post(p->m, &l) == 0) {
			i++;
		} else {
			p->refused++;
			(void)sched_yield();
		}
	}
	return NULL;
}

static void many_posters_lose_nothing_and_keep_their_own_order(void **state)
{
	(void)state;
	uint32_t next[POSTERS] = {0};
	struct poster posters[POSTERS];
	pthread_t t[POSTERS];
	struct mailbox *m;
	struct letter l;

	assert_int_equal(mailbox_new(64, sizeof(l), NULL, NULL, &m), 0);
	for (uint32_t i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){.m = m, .id = i};
		assert_int_equal(pthread_create(&t[i], NULL, post_all, &posters[i]), 0);
	}
	for (unsigned n = 0; n < POSTERS * LETTERS;) {
		if (mailbox_take(m, &l) == MAILBOX_EMPTY) {
			(void)sched_yield();
			continue;
		}
		assert_true(l.from < POSTERS);
		assert_int_equal(l.number, next[l.from]++);
		assert_true(l.check == ((uint64_t)l.from << 32 | l.number));
		n++;
	}
	for (unsigned i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(mailbox_take(m, &l), MAILBOX_EMPTY);
	mailbox_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_come_out_in_the_order_they_went_in),
		cmocka_unit_test(a_full_one_refuses_and_keeps_what_it_has),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(many_posters_lose_nothing_and_keep_their_own_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
