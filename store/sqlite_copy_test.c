/* sqlite_copy_test - a copy that is made while the database is written. */
#include "store/sqlite_copy.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#define APP 0x7469636b

struct world {
	char dir[64], path[96], copy[96];
	struct sq *db;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/sqlite_copy_test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(w->path, sizeof(w->path), "%s/a.db", w->dir);
	(void)snprintf(w->copy, sizeof(w->copy), "%s/b.db", w->dir);
	assert_int_equal(sq_open(w->path, NULL, APP, &w->db), 0);
	assert_int_equal(sq_exec(w->db, "PRAGMA application_id = 1953063787"), 0);
	assert_int_equal(
		sq_exec(w->db, "CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB)"), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {"a.db", "a.db-wal", "b.db", "b.db-wal"};
	struct world *w = *state;
	char path[128];

	sq_close(w->db);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", w->dir, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

/* One transaction: a new row of 20 kB, and the first one written over. */
static void put(struct world *w, int64_t key)
{
	char sql[160];

	assert_int_equal(sq_begin(w->db, false), 0);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO t VALUES (%lld, randomblob(20000))",
		       (long long)key);
	assert_int_equal(sq_exec(w->db, sql), 0);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT OR REPLACE INTO t VALUES (0, zeroblob(%lld))",
		       (long long)(1000 + key));
	assert_int_equal(sq_exec(w->db, sql), 0);
	assert_int_equal(sq_commit(w->db), 0);
}

static int64_t number(struct sq *db, const char *sql)
{
	int64_t n = -1;

	assert_int_equal(sq_query_int(db, sql, &n), 0);
	return n;
}

static void what_is_committed_during_the_copy_is_in_it_and_nothing_after(void **state)
{
	struct world *w = *state;
	struct sq_copy *c = NULL;
	struct sq *copy = NULL;
	uint64_t done, all;
	int64_t key = 1, steps = 0, sum;
	struct stat st;
	int rc;

	while (key <= 100)
		put(w, key++);
	assert_int_equal(sq_copy_begin(w->db, w->copy, &c), 0);
	assert_int_equal(stat(w->copy, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	while ((rc = sq_copy_step(c, 3)) == SQ_COPY_MORE) {
		struct sq_checkpoint ck;

		steps++;
		if (steps % 2 == 0)
			put(w, key++);
		if (steps % 7 == 0) /* a checkpoint in between changes nothing */
			assert_int_equal(sq_checkpoint(w->db, true, &ck), 0);
		sq_copy_progress(c, &done, &all);
		assert_true(done <= all);
	}
	assert_int_equal(rc, 0);
	assert_true(steps > 20);
	sq_copy_end(c);
	sum = number(w->db, "SELECT sum(length(v) * (k + 1)) FROM t");
	put(w, key);
	assert_int_equal(sq_open(w->copy, NULL, APP, &copy), 0);
	assert_int_equal(number(copy, "SELECT count(*) FROM t"), key);
	assert_int_equal(number(copy, "SELECT max(k) FROM t"), key - 1);
	assert_int_equal(number(copy, "SELECT sum(length(v) * (k + 1)) FROM t"), sum);
	assert_int_equal(number(copy, "SELECT count(*) FROM pragma_integrity_check"
				      " WHERE integrity_check = 'ok'"),
			 1);
	sq_close(copy);
}

static void a_copy_that_is_given_up_harms_nothing(void **state)
{
	struct world *w = *state;
	struct sq_copy *c = NULL;
	struct sq *copy = NULL;

	for (int64_t k = 1; k <= 50; k++)
		put(w, k);
	assert_int_equal(sq_copy_begin(w->db, w->copy, &c), 0);
	assert_int_equal(sq_copy_step(c, 5), SQ_COPY_MORE);
	sq_copy_end(c);
	put(w, 51);
	assert_int_equal(number(w->db, "SELECT count(*) FROM t"), 52);
	assert_true(sq_open(w->copy, NULL, APP, &copy) < 0 ||
		    number(copy, "SELECT count(*) FROM sqlite_master") == 0);
	sq_close(copy);
	c = NULL;
	assert_int_equal(sq_copy_begin(w->db, w->copy, &c), -EEXIST);
	assert_null(c);
}

static void an_open_transaction_makes_it_wait(void **state)
{
	struct world *w = *state;
	struct sq_copy *c = NULL;

	put(w, 1);
	assert_int_equal(sq_copy_begin(w->db, w->copy, &c), 0);
	assert_int_equal(sq_begin(w->db, false), 0);
	assert_int_equal(sq_exec(w->db, "INSERT INTO t VALUES (7, 'x')"), 0);
	assert_int_equal(sq_copy_step(c, 5), -EBUSY);
	sq_rollback(w->db);
	while (sq_copy_step(c, 5) == SQ_COPY_MORE)
		continue;
	sq_copy_end(c);
	assert_int_equal(access(w->copy, R_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_committed_during_the_copy_is_in_it_and_nothing_after,
			setup, teardown),
		cmocka_unit_test_setup_teardown(a_copy_that_is_given_up_harms_nothing,
						setup, teardown),
		cmocka_unit_test_setup_teardown(an_open_transaction_makes_it_wait,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
