/* newsdesk_test - repeats, windows, and the weight of age. */
#include "analysis/newsdesk.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HOUR INT64_C(3600000000000)
#define DAY  (24 * HOUR)

static uint64_t title(const char *s)
{
	return newsdesk_title(s, strlen(s));
}

static void a_title_is_its_words(void **state)
{
	(void)state;
	assert_true(title("Acme beats Q3!") == title("  ACME -- beats, q3"));
	assert_true(title("Acme beats Q3") != title("Acme beats Q4"));
	assert_true(title("Acme beats") != title("Acmebeats"));
	assert_true(title("caf\xc3\xa9") != title("caf"));
	assert_true(title("") == title("..."));
}

static void a_repeat_counts_once_within_its_time(void **state)
{
	struct newsdesk n = {.repeat_ns = DAY};
	struct newsdesk_total t;

	(void)state;
	assert_int_equal(newsdesk_add(&n, 0, title("a"), 0.5), 0);
	assert_int_equal(newsdesk_add(&n, HOUR, title("b"), -0.5), 0);
	assert_int_equal(newsdesk_add(&n, 2 * HOUR, title("A!"), 0.5), NEWSDESK_REPEAT);
	assert_int_equal(newsdesk_add(&n, DAY - 1, title("a"), 0.5), NEWSDESK_REPEAT);
	assert_int_equal(newsdesk_add(&n, DAY, title("a"), 0.5), 0);
	assert_int_equal(newsdesk_add(&n, HOUR, title("c"), 0), -EINVAL);
	newsdesk_total(&n, DAY, 2 * DAY, HOUR, &t);
	assert_int_equal(t.articles, 3);
	assert_int_equal(n.repeats, 2);
	newsdesk_free(&n);
}

static void the_window_ends_at_the_time_asked_for(void **state)
{
	struct newsdesk n = {0};
	struct newsdesk_total t;

	(void)state;
	newsdesk_total(&n, 0, DAY, HOUR, &t);
	assert_int_equal(t.articles, 0);
	assert_true(isnan(t.average) && isnan(t.weighted));
	for (int i = 0; i < 4; i++)
		assert_int_equal(newsdesk_add(&n, i * HOUR, (uint64_t)i, 0.2 * i - 0.2),
				 0);
	newsdesk_total(&n, 2 * HOUR, 2 * HOUR, HOUR, &t);
	assert_int_equal(t.articles, 2);
	assert_int_equal(t.positive, 1);
	assert_int_equal(t.negative, 0);
	assert_true(t.newest_ns == 2 * HOUR);
	assert_true(fabs(t.average - 0.1) < 1e-15);
	newsdesk_free(&n);
}

static void an_article_loses_half_its_weight_in_a_half_life(void **state)
{
	struct newsdesk n = {0};
	struct newsdesk_total t;

	(void)state;
	assert_int_equal(newsdesk_add(&n, 0, 1, 1), 0);
	assert_int_equal(newsdesk_add(&n, HOUR, 2, -0.5), 0);
	newsdesk_total(&n, HOUR, DAY, HOUR, &t);
	assert_true(fabs(t.weighted - (0.5 * 1 - 0.5) / 1.5) < 1e-15);
	assert_true(fabs(t.average - 0.25) < 1e-15);
	/* The ratio of weights is the same later, down to where both are nothing. */
	newsdesk_total(&n, 9 * HOUR, DAY, HOUR, &t);
	assert_true(fabs(t.weighted) < 1e-12);
	newsdesk_total(&n, INT64_MAX / 2, INT64_MAX, 1, &t);
	assert_true(fabs(t.weighted - 0.25) < 1e-15);
	newsdesk_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_title_is_its_words),
		cmocka_unit_test(a_repeat_counts_once_within_its_time),
		cmocka_unit_test(the_window_ends_at_the_time_asked_for),
		cmocka_unit_test(an_article_loses_half_its_weight_in_a_half_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
