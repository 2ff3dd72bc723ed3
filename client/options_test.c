#include "client/options.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void nothing_given_means_the_defaults(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(options_init(&o, NULL), 0);
	assert_string_equal(o.url[TICKBUS_INGEST], "tcp://127.0.0.1:7400");
	assert_string_equal(o.url[TICKBUS_TICK], "tcp://127.0.0.1:7401");
	assert_string_equal(o.url[TICKBUS_CATCHUP], "tcp://127.0.0.1:7406");
	assert_string_equal(o.admin_path, "/run/tickbus/admin.sock");
	assert_int_equal(o.timeout_ms, 5000);
	assert_int_equal(o.heartbeat_ms, 1000);
}

static void hosts_ports_and_urls_are_put_together(void **state)
{
	struct tickbus_options given = {.host = "::1",
					.port_base = 17400,
					.url = {[TICKBUS_BAR] = "ipc:///run/bar"}};
	struct options o;

	(void)state;
	assert_int_equal(options_init(&o, &given), 0);
	assert_string_equal(o.url[TICKBUS_TIER2], "tcp://[::1]:17404");
	assert_string_equal(o.url[TICKBUS_BAR], "ipc:///run/bar");
	given.host = "[::1]";
	assert_int_equal(options_init(&o, &given), 0);
	assert_string_equal(o.url[TICKBUS_TICK], "tcp://[::1]:17401");
}

static void what_does_not_fit_is_refused(void **state)
{
	char text[400];
	struct tickbus_options long_host = {.host = text},
			       long_path = {.admin_path = text};
	struct options o;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(options_init(&o, &long_host), -ENAMETOOLONG);
	text[108] = '\0'; /* one more than a unix socket's path may have */
	assert_int_equal(options_init(&o, &long_path), -ENAMETOOLONG);
	text[107] = '\0';
	assert_int_equal(options_init(&o, &long_path), 0);
}

static void senseless_filters_are_refused(void **state)
{
	static const char *const empty[] = {""};
	struct tickbus_filter none = {0};
	struct tickbus_filter jobs = {.kinds = TICKBUS_KIND(EVENT_JOB)};
	struct tickbus_filter frame = {.kinds = TICKBUS_KIND(EVENT_BAR),
				       .timeframe = "7m"};
	struct tickbus_filter nameless = {
		.kinds = TICKBUS_KIND(EVENT_BAR), .symbols = empty, .n_symbols = 1};
	struct tickbus_sub *sub = NULL;

	(void)state;
	assert_true(tickbus_sub_open(NULL, &none, &sub) < 0);
	assert_true(tickbus_sub_open(NULL, &jobs, &sub) < 0);
	assert_true(tickbus_sub_open(NULL, &frame, &sub) < 0);
	assert_true(tickbus_sub_open(NULL, &nameless, &sub) < 0);
	assert_null(sub);
	assert_string_not_equal(tickbus_error(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_means_the_defaults),
		cmocka_unit_test(hosts_ports_and_urls_are_put_together),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(senseless_filters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
