/* err_test - sentences, prefixes and threads. */
#include "base/err.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_sentence_is_kept_and_the_code_returned(void **state)
{
	(void)state;
	assert_int_equal(err_set(-EINVAL, "bad %s at %d", "digit", 7), -EINVAL);
	assert_string_equal(err_text(), "bad digit at 7");
}

static void a_prefix_goes_before_the_cause(void **state)
{
	(void)state;
	(void)err_set(-EIO, "disk full");
	assert_int_equal(err_prefix(-EIO, "segment %d", 3), -EIO);
	assert_string_equal(err_text(), "segment 3: disk full");
}

static void a_sentence_may_quote_the_one_before(void **state)
{
	(void)state;
	(void)err_set(-EIO, "inner");
	(void)err_set(-EIO, "outer (%s)", err_text());
	assert_string_equal(err_text(), "outer (inner)");
}

static void too_long_a_sentence_is_cut(void **state)
{
	(void)state;
	char big[2000];

	memset(big, 'y', sizeof(big));
	big[sizeof(big) - 1] = 0;
	(void)err_set(-1, "%s", big);
	assert_int_equal(strlen(err_text()), ERR_TEXT_MAX - 1);
	(void)err_prefix(-1, "p");
	assert_int_equal(strlen(err_text()), ERR_TEXT_MAX - 1);
	assert_memory_equal(err_text(), "p: yyy", 6);
	(void)err_prefix(-1, "%s", big);
	assert_true(strlen(err_text()) < ERR_TEXT_MAX);
	assert_memory_equal(err_text(), "yyy", 3);
}

/* What a damaged database calls its columns, quoted by an error of SQLite's. */
static void what_is_quoted_can_be_printed(void **state)
{
	(void)state;
	(void)err_set(-EIO, "name: \"TEXT\xa0NOT\x1b[2J\"\nline 2");
	assert_string_equal(err_text(), "name: \"TEXT?NOT [2J\"\nline 2");
	(void)err_prefix(-EIO, "\xff\x7f\xc3\xa9");
	assert_string_equal(err_text(), "? \xc3\xa9: name: \"TEXT?NOT [2J\"\nline 2");
}

static void *other_thread(void *arg)
{
	*(size_t *)arg = strlen(err_text());
	(void)err_set(-1, "theirs");
	return NULL;
}

static void every_thread_has_its_own(void **state)
{
	(void)state;
	size_t seen = 99;
	pthread_t t;

	(void)err_set(-1, "mine");
	assert_int_equal(pthread_create(&t, NULL, other_thread, &seen), 0);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(seen, 0);
	assert_string_equal(err_text(), "mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sentence_is_kept_and_the_code_returned),
		cmocka_unit_test(a_prefix_goes_before_the_cause),
		cmocka_unit_test(a_sentence_may_quote_the_one_before),
		cmocka_unit_test(too_long_a_sentence_is_cut),
		cmocka_unit_test(what_is_quoted_can_be_printed),
		cmocka_unit_test(every_thread_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
