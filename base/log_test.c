/* log_test - lines, levels, rations and threads, seen through a pipe. */
#include "base/log.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char caught[1 << 20];
static int saved_stderr;
static FILE *catcher;

static void catch_begin(void)
{
	catcher = tmpfile();
	assert_non_null(catcher);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fileno(catcher), STDERR_FILENO) >= 0);
}

static const char *catch_end(void)
{
	size_t n;

	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	rewind(catcher);
	n = fread(caught, 1, sizeof(caught) - 1, catcher);
	caught[n] = 0;
	(void)fclose(catcher);
	return caught;
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void a_line_has_a_word_or_a_priority_and_its_area(void **state)
{
	(void)state;
	catch_begin();
	log_info("store", "opened %d", 3);
	log_journal_set(1);
	log_err("feed", "lost %s", "it");
	log_journal_set(0);
	assert_string_equal(catch_end(), "info: store opened 3\n<3>feed lost it\n");
}

static void lines_above_the_level_are_dropped(void **state)
{
	(void)state;
	catch_begin();
	log_debug("a", "hidden");
	log_level_set(LOG_DEBUG);
	log_debug("a", "seen");
	log_level_set(LOG_ERR);
	log_warn("a", "hidden");
	log_level_set(LOG_INFO);
	assert_string_equal(catch_end(), "debug: a seen\n");
}

static void a_strangers_line_break_does_not_start_a_line(void **state)
{
	(void)state;
	catch_begin();
	log_warn("a", "%s", "x\n<0>kernel\x1b[1m panic");
	assert_string_equal(catch_end(), "warning: a x <0>kernel [1m panic\n");

	/* Bytes of a damaged file; what is UTF-8 stays. */
	catch_begin();
	log_warn("a", "%s", "producer\xa0\xc3\xa9\xe2\x82");
	assert_string_equal(catch_end(), "warning: a producer?\xc3\xa9??\n");
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
	(void)state;
	static char big[5000];
	const char *got;

	memset(big, 'z', sizeof(big) - 1);
	catch_begin();
	log_info("a", "%s", big);
	got = catch_end();
	assert_int_equal(count_lines(got), 1);
	assert_true(strlen(got) > 1900);
	assert_true(strlen(got) < 2100);
}

static void a_long_area_is_cut_too(void **state)
{
	struct log_site site = {.window_s = -1, .held = 5};
	static char big[5000];

	(void)state;
	memset(big, 'z', sizeof(big) - 1);
	catch_begin();
	log_write(&site, LOG_INFO, big, "text");
	assert_int_equal(count_lines(catch_end()), 2);
}

static void a_site_prints_its_ration_and_says_what_it_held(void **state)
{
	(void)state;
	struct log_site site = {0};
	const char *got;

	catch_begin();
	/* A window that cannot end while the loop runs: it is put back each time. */
	for (unsigned i = 0; i < 100; i++)
		log_write(&site, LOG_INFO, "a", "n %u", i);
	if (site.held > 0) {
		site.window_s--;
		log_write(&site, LOG_INFO, "a", "later");
	}
	got = catch_end();
	if (!strstr(got, "80 more lines")) {
		/* The second changed inside the loop: then two rations were used. */
		assert_true(count_lines(got) > LOG_BURST);
	} else {
		assert_int_equal(count_lines(got), LOG_BURST + 2);
		assert_non_null(
			strstr(got, "n 19 (more in this second are counted)\n"));
		assert_non_null(strstr(got, "later\n"));
	}
}

static void *chatter(void *arg)
{
	for (unsigned i = 0; i < 500; i++) {
		struct log_site site = {0};

		log_write(&site, LOG_INFO, "t", "%s end", (const char *)arg);
	}
	return NULL;
}

static void lines_of_threads_are_never_torn(void **state)
{
	(void)state;
	static const char *const words[] = {"aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb",
					    "cccccccccccccccc", "dddddddddddddddd"};
	pthread_t t[4];
	const char *p;
	unsigned n = 0;

	catch_begin();
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, chatter, (void *)words[i]),
				 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	for (p = catch_end(); *p; p = strchr(p, '\n') + 1) {
		char want[64];

		(void)snprintf(want, sizeof(want), "info: t %s end\n",
			       words[(p[8] - 'a') & 3]);
		assert_memory_equal(p, want, strlen(want));
		n++;
	}
	assert_int_equal(n, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_a_word_or_a_priority_and_its_area),
		cmocka_unit_test(lines_above_the_level_are_dropped),
		cmocka_unit_test(a_strangers_line_break_does_not_start_a_line),
		cmocka_unit_test(a_long_line_is_cut_and_still_ends),
		cmocka_unit_test(a_long_area_is_cut_too),
		cmocka_unit_test(a_site_prints_its_ration_and_says_what_it_held),
		cmocka_unit_test(lines_of_threads_are_never_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
