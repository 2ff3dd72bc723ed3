/* role_test - a thread plays its own role and no other. */
#include "base/role.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_thread_without_a_role_plays_every_role(void **state)
{
	(void)state;
	assert_null(role_self);
	role_assert_loop();
	role_assert_store();
	role_assert_worker();
	role_assert_tier2();
}

static void *be_a_worker(void *arg)
{
	role_self = &role_worker;
	role_assert_worker();
	*(const char **)arg = role_self->name;
	return NULL;
}

static void a_role_belongs_to_one_thread(void **state)
{
	(void)state;
	const char *name = NULL;
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, be_a_worker, (void *)&name), 0);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_string_equal(name, "worker");
	assert_null(role_self);
}

static void the_roles_are_four_different_things(void **state)
{
	(void)state;
	const struct role *all[] = {&role_loop, &role_store, &role_worker, &role_tier2};

	for (unsigned i = 0; i < 4; i++) {
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(all[i]->name, all[j]->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_without_a_role_plays_every_role),
		cmocka_unit_test(a_role_belongs_to_one_thread),
		cmocka_unit_test(the_roles_are_four_different_things),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
