/*
 * bootid_test - the same boot has one id, however it is written; and what durability
 * normal says when the machine, and not only the process, has gone down.
 */
#include "store/bootid.h"
#include "store/fixture_test.h"
#include <sys/wait.h>

static uint64_t given(const char *id)
{
	assert_int_equal(0, setenv("TICKBUS_BOOT_ID", id, 1));
	return bootid_read();
}

static void the_service_manager_and_the_kernel_write_the_same_id(void **state)
{
	(void)state;
	assert_true(given("6f2d3c4e5a6b47c8d9e0f1a2b3c4d5e6") ==
		    given("6f2d3c4e-5a6b-47c8-d9e0-f1a2b3c4d5e6"));
	assert_true(given("6f2d3c4e5a6b47c8d9e0f1a2b3c4d5e6") !=
		    given("6f2d3c4e5a6b47c8d9e0f1a2b3c4d5e7"));
}

static void the_id_of_a_boot_stays(void **state)
{
	uint64_t id;

	(void)state;
	assert_int_equal(0, unsetenv("TICKBUS_BOOT_ID"));
	id = bootid_read();
	assert_true(id == bootid_read());
	/* An empty one is none: the kernel is asked. */
	assert_true(given("") == id);
	assert_true(given("-") == 0);
}

/* Another process commits 20 records under @boot and closes, or vanishes. */
static void one_life(struct fixture *f, const char *boot, bool closes)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		uint32_t p;

		(void)setenv("TICKBUS_BOOT_ID", boot, 1);
		if (fixture_open(f) != 0)
			_exit(2);
		p = fixture_producer(f, "p");
		if (fixture_put(f, p, tickstore_seq_last(f->ts, p) + 1, 20) != 0)
			_exit(3);
		_exit(closes && tickstore_close(f->ts) != 0 ? 4 : 0);
	}
	assert_true(pid > 0);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
}

/* Open under @boot: what is reported as lost, the epoch. */
static struct store_status found(struct fixture *f, const char *boot)
{
	struct store_status s;

	assert_int_equal(0, setenv("TICKBUS_BOOT_ID", boot, 1));
	assert_int_equal(0, fixture_open(f));
	tickstore_status(f->ts, &s);
	assert_int_equal(0, tickstore_close(f->ts));
	f->ts = NULL;
	return s;
}

static struct store_status after(enum durability durability, bool closes,
				 const char *boot)
{
	struct store_status s;
	struct fixture f;

	fixture_begin_in(&f, fixture_fast_dir());
	f.params.durability = durability;
	one_life(&f, "a", closes);
	s = found(&f, boot);
	assert_int_equal(20, s.last_pos);
	fixture_end(&f);
	return s;
}

static void normal_believes_nothing_after_the_machine_went_down(void **state)
{
	struct store_status s = after(DURABILITY_NORMAL, false, "b");

	(void)state;
	assert_int_equal(2, s.epoch);
	assert_int_equal(21, s.lost_first);
	assert_true(s.lost_last > 21 + 1000);
	assert_non_null(strstr(s.alarm, "may have been acknowledged"));
}

static void normal_trusts_the_page_cache_of_the_same_boot(void **state)
{
	struct store_status s = after(DURABILITY_NORMAL, false, "a");

	(void)state;
	assert_int_equal(1, s.epoch);
	assert_int_equal(0, s.lost_first);
}

static void a_clean_end_and_full_durability_need_no_boot(void **state)
{
	struct store_status closed = after(DURABILITY_NORMAL, true, "b");
	struct store_status full = after(DURABILITY_FULL, false, "b");

	(void)state;
	assert_int_equal(1, closed.epoch);
	assert_int_equal(1, full.epoch);
	assert_int_equal(0, full.lost_first);
}

/* The start that found it may have died before anybody read its alarm. */
static void a_loss_is_reported_until_something_stands_behind_it(void **state)
{
	struct fixture f;
	struct store_status first, again;

	(void)state;
	fixture_begin_in(&f, fixture_fast_dir());
	f.params.durability = DURABILITY_NORMAL;
	one_life(&f, "a", false);
	first = found(&f, "b");
	again = found(&f, "b");
	assert_int_equal(2, again.epoch);
	assert_int_equal(first.lost_first, again.lost_first);
	assert_int_equal(first.lost_last, again.lost_last);
	assert_true(again.alarm[0] != '\0');
	one_life(&f, "b", true);
	again = found(&f, "b");
	assert_int_equal(0, again.lost_first);
	assert_true(again.alarm[0] == '\0');
	assert_int_equal(first.lost_last + 20, again.last_pos);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_service_manager_and_the_kernel_write_the_same_id),
		cmocka_unit_test(the_id_of_a_boot_stays),
		cmocka_unit_test(normal_believes_nothing_after_the_machine_went_down),
		cmocka_unit_test(normal_trusts_the_page_cache_of_the_same_boot),
		cmocka_unit_test(a_clean_end_and_full_durability_need_no_boot),
		cmocka_unit_test(a_loss_is_reported_until_something_stands_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
