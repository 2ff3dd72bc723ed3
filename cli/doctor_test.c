/* doctor_test - what the checks read, and programs that misbehave. */
#include "cli/doctor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

static const char printed[] =
	"log:\n  level: info\nstore:\n  dir: \"/var/lib/x\"\n"
	"  retain: 30d\nlisten:\n  ingest: \"tcp://127.0.0.1:1\"\n"
	"  tick: off\nworkers:\n  threads: 0\n"
	"credentials: \"/etc/keys\"\nfeeds:\n  dir: no\n";

static void a_printed_configuration_is_read_by_section_and_key(void **state)
{
	struct buf b = {0};
	char value[64];

	(void)state;
	buf_add(&b, printed, strlen(printed));
	assert_true(doctor_config(&b, "store.dir", value, sizeof(value)));
	assert_string_equal(value, "/var/lib/x");
	assert_true(doctor_config(&b, "store.retain", value, sizeof(value)));
	assert_string_equal(value, "30d");
	assert_true(doctor_config(&b, "credentials", value, sizeof(value)));
	assert_string_equal(value, "/etc/keys");
	assert_false(doctor_config(&b, "log.dir", value, sizeof(value)));
	assert_false(doctor_config(&b, "store.level", value, sizeof(value)));
	assert_false(doctor_config(&b, "stor.dir", value, sizeof(value)));
	assert_false(
		doctor_config(&(struct buf){0}, "store.dir", value, sizeof(value)));
	buf_free(&b);
}

static void every_listener_is_walked_and_nothing_behind_them(void **state)
{
	struct buf b = {0};
	char key[32], value[256];
	const char *at = NULL;

	(void)state;
	buf_add(&b, printed, strlen(printed));
	assert_true(doctor_listen(&b, &at, key, value));
	assert_string_equal(key, "ingest");
	assert_string_equal(value, "tcp://127.0.0.1:1");
	assert_true(doctor_listen(&b, &at, key, value));
	assert_string_equal(key, "tick");
	assert_string_equal(value, "off");
	assert_false(doctor_listen(&b, &at, key, value));
	buf_free(&b);
}

static void programs_that_are_absent_fail_or_write_too_much_are_told_apart(void **state)
{
	char *absent[] = {"/nonexistent/x", NULL};
	char *fails[] = {"/bin/sh", "-c", "echo no >&2; exit 7", NULL};
	char *floods[] = {"/bin/sh", "-c", "yes | head -c 1000000", NULL};
	struct buf out = {0};

	(void)state;
	assert_int_equal(doctor_run(absent, false, &out), 127);
	assert_int_equal(doctor_run(fails, false, &out), 7);
	assert_int_equal(out.len, 0);
	assert_int_equal(doctor_run(fails, true, &out), 7);
	assert_string_equal(buf_text(&out), "no\n");
	assert_int_equal(doctor_run(floods, false, &out), 0);
	assert_true(out.len > 100000 && out.len <= 256 * 1024 + 4096);
	buf_free(&out);
}

static void modes_that_let_others_in_are_named(void **state)
{
	char why[64];

	(void)state;
	assert_string_equal(doctor_mode_error(0100600, 0077, why), "");
	assert_string_equal(doctor_mode_error(0100644, 0077, why),
			    "mode is 0644, want 0600");
	assert_string_equal(doctor_mode_error(0100664, 0022, why),
			    "mode is 0664, want 0644");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_printed_configuration_is_read_by_section_and_key),
		cmocka_unit_test(every_listener_is_walked_and_nothing_behind_them),
		cmocka_unit_test(
			programs_that_are_absent_fail_or_write_too_much_are_told_apart),
		cmocka_unit_test(modes_that_let_others_in_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
