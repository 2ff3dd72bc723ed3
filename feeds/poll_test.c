/* poll_test - when a feed is asked again. */
#include "feeds/poll.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S NS_PER_S

static struct http_answer answer(long status)
{
	return (struct http_answer){.status = status,
				    .why = "",
				    .content_type = "",
				    .retry_after = "",
				    .location = ""};
}

static enum poll_outcome ask(struct poll *p, struct http_answer a, int64_t *wait)
{
	return poll_answer(p, &a, 1767623400 * S, wait);
}

static void good_answers_wait_for_the_period(void **state)
{
	struct poll p;
	int64_t wait;

	(void)state;
	poll_init(&p, 60 * S, 1);
	assert_int_equal(ask(&p, answer(200), &wait), POLL_READ);
	assert_true(wait == 60 * S);
	assert_int_equal(ask(&p, answer(304), &wait), POLL_SAME);
	assert_true(wait == 60 * S);
	assert_int_equal(ask(&p, answer(410), &wait), POLL_GONE);
}

static void failures_back_off_and_a_success_forgives(void **state)
{
	struct http_answer cut = {.error = -ECONNRESET, .why = "cut"};
	struct poll p;
	int64_t wait, most = 60 * S;

	(void)state;
	poll_init(&p, 60 * S, 1);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask(&p, i % 2 ? cut : answer(503), &wait),
				 POLL_FAILED);
		assert_true(wait >= 60 * S && wait >= most / 2 && wait <= most);
		most = most < 64 * 60 * S ? most * 2 : most;
	}
	assert_int_equal(ask(&p, answer(200), &wait), POLL_READ);
	assert_true(wait == 60 * S);
	assert_int_equal(ask(&p, answer(404), &wait), POLL_FAILED);
	assert_true(wait == 60 * S);
	assert_true(poll_garbled(&p, 0) >= 60 * S);
}

static void retry_after_is_obeyed_within_bounds(void **state)
{
	struct http_answer a = answer(429);
	struct poll p;
	int64_t wait;

	(void)state;
	poll_init(&p, 60 * S, 1);
	a.retry_after = "600";
	assert_int_equal(ask(&p, a, &wait), POLL_FAILED);
	assert_true(wait == 600 * S);
	a.retry_after = "1";
	(void)ask(&p, a, &wait);
	assert_true(wait == 60 * S);
	a.retry_after = "99999999";
	(void)ask(&p, a, &wait);
	assert_true(wait == POLL_WAIT_MAX);
	a.retry_after = "Mon, 05 Jan 2026 14:40:00 GMT";
	(void)ask(&p, a, &wait);
	assert_true(wait == 600 * S);
	poll_init(&p, 7 * POLL_WAIT_MAX, 1);
	(void)ask(&p, answer(500), &wait);
	assert_true(wait == 7 * POLL_WAIT_MAX);
}

static void redirects_are_followed_and_end(void **state)
{
	struct http_answer a = answer(302);
	struct poll p;
	int64_t wait;

	(void)state;
	poll_init(&p, 60 * S, 1);
	assert_int_equal(ask(&p, a, &wait), POLL_FAILED); /* to nowhere */
	a.location = "/b";
	for (int i = 0; i < POLL_HOPS_MAX; i++) {
		assert_int_equal(ask(&p, a, &wait), POLL_FOLLOW);
		assert_true(wait == 0);
	}
	assert_int_equal(ask(&p, a, &wait), POLL_FAILED);
	assert_int_equal(ask(&p, a, &wait), POLL_FOLLOW);
	assert_int_equal(ask(&p, answer(200), &wait), POLL_READ);
	assert_int_equal(p.hops, 0);
	assert_true(poll_is_permanent(301) && poll_is_permanent(308));
	assert_false(poll_is_permanent(302) || poll_is_permanent(307));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_answers_wait_for_the_period),
		cmocka_unit_test(failures_back_off_and_a_success_forgives),
		cmocka_unit_test(retry_after_is_obeyed_within_bounds),
		cmocka_unit_test(redirects_are_followed_and_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
