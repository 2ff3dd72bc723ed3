/* schema_test - new, old, newer and foreign databases; directories and modes. */
#include "store/fixture_test.h"
#include "store/schema.h"
#include "store/sqlite.h"
#include "store/statedir.h"
#include <errno.h>

/* Two made-up steps on top of one another. */
static const char *const first[] = {"CREATE TABLE t(a)", "INSERT INTO t VALUES (7)",
				    NULL};
static const char *const second[] = {"ALTER TABLE t ADD COLUMN b DEFAULT 8", NULL};
static const char *const broken[] = {"ALTER TABLE t ADD COLUMN c", "SELECT nonsense(",
				     NULL};
static const schema_step good_steps[] = {first, second};
static const schema_step bad_steps[] = {first, broken};

/* By the number of steps. */
static const struct schema good[] = {{0},
				     {SCHEMA_APPLICATION_ID, good_steps, 1},
				     {SCHEMA_APPLICATION_ID, good_steps, 2}};
static const struct schema bad[] = {{0},
				    {SCHEMA_APPLICATION_ID, bad_steps, 1},
				    {SCHEMA_APPLICATION_ID, bad_steps, 2}};

static struct sq *open_at(const char *path)
{
	struct sq *db = NULL;

	assert_int_equal(0, sq_open(path, NULL, SCHEMA_APPLICATION_ID, &db));
	return db;
}

static int64_t ask(struct sq *db, const char *sql)
{
	int64_t v = -1;

	assert_int_equal(0, sq_query_int(db, sql, &v));
	return v;
}

static void an_older_database_is_copied_and_upgraded(void **state)
{
	struct fixture f;
	char path[160];
	struct sq *db;
	bool created = false;

	(void)state;
	fixture_begin(&f);
	(void)snprintf(path, sizeof(path), "%s/t.db", f.dir);
	db = open_at(path);
	assert_int_equal(0, schema_bring(db, path, &good[1], &created));
	assert_true(created);
	assert_int_equal(0, schema_bring(db, path, &good[2], &created));
	assert_false(created);
	assert_int_equal(15, ask(db, "SELECT a + b FROM t"));
	assert_int_equal(2, ask(db, "PRAGMA user_version"));
	sq_close(db);

	/* The copy is the old one, whole, and can be put back. */
	(void)snprintf(path, sizeof(path), "%s/t.db.v1.bak", f.dir);
	db = open_at(path);
	assert_int_equal(1, ask(db, "PRAGMA user_version"));
	assert_int_equal(7, ask(db, "SELECT a FROM t"));
	sq_close(db);
	fixture_end(&f);
}

static void an_upgrade_that_fails_leaves_the_old_version(void **state)
{
	struct fixture f;
	char path[160];
	struct sq *db;
	bool created = false;

	(void)state;
	fixture_begin(&f);
	(void)snprintf(path, sizeof(path), "%s/t.db", f.dir);
	db = open_at(path);
	assert_int_equal(0, schema_bring(db, path, &bad[1], &created));
	assert_int_equal(-EBADMSG, schema_bring(db, path, &bad[2], &created));
	assert_int_equal(1, ask(db, "PRAGMA user_version"));
	assert_int_equal(1, ask(db, "SELECT count(*) FROM pragma_table_info('t')"));
	assert_int_equal(0, schema_bring(db, path, &good[2], &created));
	assert_int_equal(15, ask(db, "SELECT a + b FROM t"));
	sq_close(db);
	fixture_end(&f);
}

static void a_newer_database_is_refused_untouched(void **state)
{
	struct fixture f;
	struct sq *db;

	(void)state;
	fixture_begin(&f);
	assert_int_equal(0, fixture_open(&f));
	assert_int_equal(0, tickstore_close(f.ts));
	db = open_at(fixture_path(&f, "tickbus.db"));
	assert_int_equal(0, sq_exec(db, "PRAGMA user_version = 99"));
	sq_close(db);
	assert_int_equal(-EBADMSG, fixture_open(&f));
	assert_non_null(strstr(err_text(), "version 99"));
	db = open_at(fixture_path(&f, "tickbus.db"));
	assert_int_equal(99, ask(db, "PRAGMA user_version"));
	sq_close(db);
	fixture_end(&f);
}

static void a_foreign_database_and_a_text_file_are_refused(void **state)
{
	struct fixture f;
	struct sq *db = NULL;
	FILE *out;

	(void)state;
	fixture_begin(&f);
	assert_int_equal(0, sq_open(fixture_path(&f, "tickbus.db"), NULL, 0x1234, &db));
	assert_int_equal(0, sq_exec(db, "PRAGMA application_id = 4660"));
	assert_int_equal(0, sq_exec(db, "CREATE TABLE other(x)"));
	sq_close(db);
	assert_int_equal(-EBADMSG, fixture_open(&f));
	fixture_remove_files(f.dir);

	out = fopen(fixture_path(&f, "tickbus.db"), "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database at all, whatever its name says\n", out);
	fclose(out);
	assert_int_equal(-EBADMSG, fixture_open(&f));
	fixture_end(&f);
}

static void network_file_systems_are_known(void **state)
{
	(void)state;
	assert_true(statedir_is_network(0x6969));
	assert_true(statedir_is_network(0xFF534D42));
	assert_true(statedir_is_network(UINT64_C(0xFFFFFFFFFF534D42)));
	assert_false(statedir_is_network(0xEF53));     /* ext4 */
	assert_false(statedir_is_network(0x58465342)); /* XFS */
	assert_false(statedir_is_network(0x01021994)); /* tmpfs */
	assert_false(statedir_is_network(0x9123683E)); /* btrfs */
}

static void a_directory_is_made_for_its_owner_only(void **state)
{
	struct fixture f;
	struct stat st;
	char dir[160];
	mode_t old = umask(0);
	int fd = -1;

	(void)state;
	fixture_begin(&f);
	(void)snprintf(dir, sizeof(dir), "%s/state", f.dir);
	assert_int_equal(0, statedir_open(dir, &fd));
	close(fd);
	assert_int_equal(0, stat(dir, &st));
	assert_int_equal(0700, st.st_mode & 0777);
	assert_int_equal(0, chmod(dir, 0770));
	assert_int_equal(-EACCES, statedir_open(dir, &fd));
	rmdir(dir);
	assert_int_equal(-ENOENT, statedir_open("/nonexistent/state", &fd));
	(void)snprintf(dir, sizeof(dir), "%s/file", f.dir);
	close(open(dir, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(-ENOTDIR, statedir_open(dir, &fd));
	umask(old);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_older_database_is_copied_and_upgraded),
		cmocka_unit_test(an_upgrade_that_fails_leaves_the_old_version),
		cmocka_unit_test(a_newer_database_is_refused_untouched),
		cmocka_unit_test(a_foreign_database_and_a_text_file_are_refused),
		cmocka_unit_test(network_file_systems_are_known),
		cmocka_unit_test(a_directory_is_made_for_its_owner_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
