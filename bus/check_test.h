/* check_test - what every test of bus/ includes: cmocka and a thread. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

static inline void check_thread(pthread_t *t, void *(*body)(void *), void *arg)
{
	assert_int_equal(pthread_create(t, NULL, body, arg), 0);
}
