/* owner_test - one owner per store, and files for nobody else. */
#include "store/fixture_test.h"
#include <errno.h>
#include <sys/wait.h>

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	fixture_begin(f);
	*state = f;
	return fixture_open(f);
}

static int teardown(void **state)
{
	fixture_end(*state);
	free(*state);
	return 0;
}

static struct store_status status_of(struct fixture *f)
{
	struct store_status s;

	tickstore_status(f->ts, &s);
	return s;
}

static void a_second_owner_is_refused_and_harms_nothing(void **state)
{
	struct fixture *f = *state;
	struct fixture other = *f;

	assert_int_equal(0, fixture_put(f, fixture_producer(f, "feed"), 1, 10));
	assert_int_equal(-EBUSY, fixture_open(&other));
	assert_null(other.ts);
	assert_int_equal(0, fixture_put(f, fixture_producer(f, "feed"), 11, 10));
	assert_int_equal(0, fixture_reopen(f));
	assert_int_equal(20, status_of(f).last_pos);
	assert_int_equal(20, tickstore_seq_last(f->ts, fixture_producer(f, "feed")));
}

/* A child that opens, tells the result, and keeps what it got until @hold ends. */
static void open_and_hold(struct fixture *f, int result_fd, int hold_fd)
{
	char byte;
	int rc = fixture_open(f);

	if (write(result_fd, &rc, sizeof(rc)) != sizeof(rc))
		_exit(1);
	if (rc == 0 && read(hold_fd, &byte, 1) < 0)
		_exit(1);
	_exit(0); /* vanishes: the next owner finds no clean store */
}

#define STARTERS 20

static void of_twenty_that_start_at_once_one_wins(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(0, tickstore_close(f->ts));
	f->ts = NULL;
	for (int round = 0; round < 4; round++) {
		int result[2];
		int hold[2];
		int winners = 0;

		if (round < 2) /* nothing there yet, for all of them */
			fixture_remove_files(f->dir);
		assert_int_equal(0, pipe(result) | pipe(hold));
		for (int i = 0; i < STARTERS; i++) {
			if (fork() == 0) {
				close(hold[1]);
				open_and_hold(f, result[1], hold[0]);
			}
		}
		for (int i = 0; i < STARTERS; i++) {
			int rc = 1;

			assert_int_equal(sizeof(rc), read(result[0], &rc, sizeof(rc)));
			if (rc != 0 && rc != -EBUSY)
				print_error("a starter got %d\n", rc);
			assert_true(rc == 0 || rc == -EBUSY);
			winners += rc == 0;
		}
		assert_int_equal(1, winners);
		close(hold[0]);
		close(hold[1]);
		close(result[0]);
		close(result[1]);
		for (int i = 0; i < STARTERS; i++)
			(void)wait(NULL);
		assert_int_equal(0, fixture_open(f));
		assert_string_equal("", status_of(f).alarm);
		assert_int_equal(0, tickstore_close(f->ts));
		f->ts = NULL;
	}
}

static void files_are_for_their_owner_only(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"tickbus.db", "tickbus.db-wal", "highwater",
					    "ballast"};
	mode_t old = umask(0);
	struct stat st;

	assert_int_equal(0, fixture_put(f, fixture_producer(f, "feed"), 1, 1));
	for (int i = 0; i < 4; i++) {
		assert_int_equal(0, stat(fixture_path(f, names[i]), &st));
		assert_int_equal(0600, st.st_mode & 0777);
	}
	umask(old);
}

static void a_file_moved_under_us_is_noticed(void **state)
{
	struct fixture *f = *state;
	char to[128];

	assert_int_equal(0, fixture_put(f, fixture_producer(f, "feed"), 1, 1));
	(void)snprintf(to, sizeof(to), "%s", fixture_path(f, "elsewhere"));
	assert_int_equal(0, rename(fixture_path(f, "tickbus.db"), to));
	f->now_ns += INT64_C(61000000000);
	assert_int_equal(-ESTALE, tickstore_tick(f->ts, f->now_ns, false));
	assert_true(status_of(f).dead);
	assert_int_equal(-EIO, fixture_put(f, fixture_producer(f, "feed"), 2, 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_second_owner_is_refused_and_harms_nothing),
		TEST(of_twenty_that_start_at_once_one_wins),
		TEST(files_are_for_their_owner_only),
		TEST(a_file_moved_under_us_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
