/* http_head_test - header lines, kept clean. */
#include "feeds/feed_test.h"
#include "feeds/http_head.h"
#include <errno.h>

static void feed(struct http_head *h, const char *line)
{
	assert_int_equal(http_head_line(h, line, strlen(line)), 0);
}

static void names_have_no_case_and_values_no_blanks_around(void **state)
{
	struct http_head h = {0};
	struct http_answer a = {0};

	(void)state;
	feed(&h, "HTTP/1.1 200 OK\r\n");
	feed(&h, "RETRY-AFTER: \t 12 \r\n");
	feed(&h, "Retry-Afterwards: 13\r\n");
	feed(&h, "Retry-Afte: 14\r\n");
	feed(&h, "Location:http://x/\x1b[31m\x7f\r\n");
	feed(&h, "no colon\r\n");
	feed(&h, "\r\n");
	feed(&h, "");
	http_head_answer(&h, &a);
	assert_string_equal(a.retry_after, "12");
	assert_string_equal(a.location, "http://x/?[31m?");
	assert_string_equal(a.content_type, "");
	assert_string_equal(a.warning, "");
}

static void a_new_status_line_begins_anew(void **state)
{
	struct http_head h = {0};

	(void)state;
	feed(&h, "HTTP/1.1 103 Early Hints\r\n");
	feed(&h, "Location: http://early/\r\n");
	feed(&h, "HTTP/1.1 200 OK\r\n");
	assert_string_equal(h.value[HTTP_LOCATION], "");
}

static void long_values_are_cut_and_floods_refused(void **state)
{
	struct http_head h = {0};
	char line[2000];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "Location: ", 10);
	for (int i = 0; i < 32; i++)
		assert_int_equal(http_head_line(&h, line, sizeof(line)), 0);
	assert_int_equal(strlen(h.value[HTTP_LOCATION]), HTTP_VALUE_MAX - 1);
	assert_int_equal(http_head_line(&h, line, sizeof(line)), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_no_case_and_values_no_blanks_around),
		cmocka_unit_test(a_new_status_line_begins_anew),
		cmocka_unit_test(long_values_are_cut_and_floods_refused),
	};

	return cmocka_run_group_tests_name("http_head", tests, NULL, NULL);
}
