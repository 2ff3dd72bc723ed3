/* The same is told once, another text again, also one that was told before; what is old
   is forgotten. */
#include "daemon/news_told.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static bool tell(struct news_told *t, unsigned id, int64_t ns, const char *headline)
{
	struct hist_article a = {.created_ns = ns,
				 .updated_ns = ns,
				 .n_symbols = 1,
				 .symbols = {"AAPL"}};

	(void)snprintf(a.id, sizeof(a.id), "%u", id);
	(void)snprintf(a.headline, sizeof(a.headline), "%s", headline);
	return !news_told(t, &a);
}

static void the_same_is_told_once_and_what_is_new_again(void **state)
{
	struct news_told t = {0};

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_true(tell(&t, i * 37 % 100, 1000 + i, "first"));
	assert_int_equal(news_told_count(&t), 100);
	for (unsigned i = 0; i < 100; i++)
		assert_false(tell(&t, i * 37 % 100, 1000 + i, "first"));
	assert_true(tell(&t, 37, 1001, "second"));
	assert_false(tell(&t, 37, 1001, "second"));
	assert_true(tell(&t, 37, 1001, "first")); /* taken back */
	assert_int_equal(news_told_count(&t), 100);
	news_told_deinit(&t);
}

static void what_is_old_is_forgotten(void **state)
{
	struct news_told t = {0};

	(void)state;
	news_told_forget(&t, 5);
	for (unsigned i = 0; i < 10; i++)
		assert_true(tell(&t, i, i, "x"));
	news_told_forget(&t, 6);
	assert_int_equal(news_told_count(&t), 4);
	assert_true(tell(&t, 5, 5, "x"));
	assert_false(tell(&t, 6, 6, "x"));
	news_told_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_told_once_and_what_is_new_again),
		cmocka_unit_test(what_is_old_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
