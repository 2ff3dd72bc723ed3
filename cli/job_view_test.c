/* job_view_test - what a job's answer looks like to the one who waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/job_view.h"
#include <string.h>

static void progress_looks_as_it_was_always_shown(void **state)
{
	struct job_view v = {.symbols = 500,
			     .successful = 120,
			     .failed = 5,
			     .remaining = 375,
			     .elapsed_ms = 330000};
	char text[JOB_VIEW_TEXT];

	(void)state;
	assert_string_equal("Progress: 125/500 (25.0%)\n"
			    "Successful: 120 | Failed: 5 | Remaining: 375\n"
			    "Elapsed: 5m 30s | Est. remaining: 16m 30s\n",
			    job_view_progress(&v, text));
	v = (struct job_view){.symbols = 3, .remaining = 3, .elapsed_ms = 1200};
	assert_string_equal("Progress: 0/3 (0.0%)\n"
			    "Successful: 0 | Failed: 0 | Remaining: 3\n"
			    "Elapsed: 1s | Est. remaining: -\n",
			    job_view_progress(&v, text));
	v = (struct job_view){.symbols = 1, .successful = 1, .elapsed_ms = 7320000};
	assert_string_equal("Progress: 1/1 (100.0%)\n"
			    "Successful: 1 | Failed: 0 | Remaining: 0\n"
			    "Elapsed: 2h 2m | Est. remaining: 0s\n",
			    job_view_progress(&v, text));
}

static void an_answer_is_read_member_by_member(void **state)
{
	const char text[] = "{\"id\":7,\"state\":\"running\",\"symbols\":10,"
			    "\"successful\":4,\"failed\":1,\"cancelled\":2,"
			    "\"remaining\":3,\"rows\":99,\"elapsed_ms\":12}";
	struct json_token t = {
		.type = JSON_OBJECT, .text = text, .len = sizeof(text) - 1};
	struct job_view v;

	(void)state;
	job_view_read(&t, &v);
	assert_int_equal(7, v.id);
	assert_int_equal(10, v.symbols);
	assert_int_equal(4, v.successful);
	assert_int_equal(1, v.failed);
	assert_int_equal(2, v.cancelled);
	assert_int_equal(3, v.remaining);
	assert_int_equal(99, v.rows);
	assert_true(v.is_running);
	assert_false(v.is_cancelled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_looks_as_it_was_always_shown),
		cmocka_unit_test(an_answer_is_read_member_by_member),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
