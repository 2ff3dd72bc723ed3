/* secret_test - where keys come from, and that they do not get out. */
#include "base/err.h"
#include "feeds/feed_test.h"
#include "feeds/secret.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void put(const char *name, const char *bytes, mode_t mode)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void assert_is(const struct secret *s, const char *bytes)
{
	struct buf b = {0};

	secret_add(s, &b);
	assert_string_equal(buf_text(&b), bytes);
	secret_wipe(&b);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tickbus-secret-XXXXXX");
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("TICKBUS_SOME_KEY");
	return mkdtemp(dir) == NULL;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"some_key", "other"};
	char path[160];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void credential_then_environment_then_file_is_the_order(void **state)
{
	struct secret *s = NULL;

	(void)state;
	assert_int_equal(secret_load("some_key", dir, &s), -ENOENT);
	put("some_key", "from-the-file\n", 0600);
	assert_int_equal(secret_load("some_key", dir, &s), 0);
	assert_is(s, "from-the-file");
	secret_free(s);
	setenv("TICKBUS_SOME_KEY", "from-the-environment", 1);
	assert_int_equal(secret_load("some_key", dir, &s), 0);
	assert_is(s, "from-the-environment");
	secret_free(s);
	/* systemd's folder is trusted: its files may be 0440 with an access list. */
	put("some_key", "from-systemd\r\n", 0440);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_int_equal(secret_load("some_key", "/nowhere", &s), 0);
	assert_is(s, "from-systemd");
	secret_free(s);
}

static void a_file_that_others_could_read_is_refused_by_name(void **state)
{
	static const mode_t modes[] = {0644, 0640, 0604, 0660, 0700, 04600};
	struct secret *s = NULL;
	char link[160];
	char target[160];

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		put("some_key", "hush-hush-hush", modes[i]);
		assert_int_equal(secret_load("some_key", dir, &s), -EPERM);
		assert_non_null(strstr(err_text(), "some_key"));
		assert_null(strstr(err_text(), "hush"));
	}
	put("some_key", "hush-hush-hush", 0400);
	assert_int_equal(secret_load("some_key", dir, &s), 0);
	secret_free(s);
	/* A link may lead anywhere. */
	snprintf(link, sizeof(link), "%s/other", dir);
	snprintf(target, sizeof(target), "%s/some_key", dir);
	assert_int_equal(symlink(target, link), 0);
	assert_true(secret_load("other", dir, &s) < 0);
}

static void a_key_that_is_none_is_refused_without_its_bytes(void **state)
{
	static const char *const bad[] = {"",          "\n",     "two words",
					  "tab\there", "b\x01y", "d\xc3\xa9j\xc3\xa0"};
	struct secret *s = NULL;
	char longest[514];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("some_key", bad[i], 0600);
		assert_int_equal(secret_load("some_key", dir, &s), -EINVAL);
		if (strlen(bad[i]) > 1)
			assert_null(strstr(err_text(), bad[i]));
	}
	memset(longest, 'k', sizeof(longest));
	assert_int_equal(secret_new(longest, 513, &s), -EINVAL);
	assert_int_equal(secret_new(longest, 512, &s), 0);
	assert_int_equal(secret_len(s), 512);
	secret_free(s);
	assert_int_equal(secret_load("../etc/passwd", dir, &s), -EINVAL);
}

static void printing_shows_stars_and_comparing_compares_all(void **state)
{
	struct secret *a, *b, *c;

	(void)state;
	assert_int_equal(secret_new("abcdef", 6, &a), 0);
	assert_int_equal(secret_new("abcdef\n", 7, &b), 0);
	assert_int_equal(secret_new("abcdeg", 6, &c), 0);
	assert_string_equal(secret_print(a), "***");
	assert_true(secret_equal(a, b));
	assert_false(secret_equal(a, c));
	secret_free(a);
	secret_free(b);
	secret_free(c);
}

static void a_key_is_found_in_any_of_its_disguises(void **state)
{
	/* Base64 of "KEY:", "x:KEY", "xy:KEY" and percent-encoding by other tools. */
	static const char *const hold[] = {
		"GET /?apiKey=db-S3cret/Key+99 HTTP/1.1",
		"GET /?apiKey=db-S3cret%2fKey%2B99",
		"%64%62%2D%53%33%63%72%65%74%2F%4B%65%79%2B%39%39",
		"Authorization: Basic ZGItUzNjcmV0L0tleSs5OTo=",
		"Authorization: Basic eDpkYi1TM2NyZXQvS2V5Kzk5",
		"Authorization: Basic eHk6ZGItUzNjcmV0L0tleSs5OQ==",
		"Authorization: Basic eHl6OmRiLVMzY3JldC9LZXkrOTk=",
	};
	static const char *const clean[] = {
		"",
		"***",
		"db-S3cret/Key+9",
		"b-S3cret/Key+99",
		"ZGItUzNjcmV1",
		"db-S3cret%2fKey%2B9",
		"%",
		"db-S3cret%2",
		"DB-S3CRET/KEY+99",
	};
	struct secret *s;

	(void)state;
	assert_int_equal(secret_new("db-S3cret/Key+99", 16, &s), 0);
	for (size_t i = 0; i < sizeof(hold) / sizeof(hold[0]); i++)
		if (!secret_in(s, hold[i], strlen(hold[i])))
			fail_msg("not seen in: %s", hold[i]);
	for (size_t i = 0; i < sizeof(clean) / sizeof(clean[0]); i++)
		if (secret_in(s, clean[i], strlen(clean[i])))
			fail_msg("seen in: %s", clean[i]);
	secret_free(s);
}

/* AddressSanitizer makes nothing of mlock(): then nothing is locked. */
#ifdef __SANITIZE_ADDRESS__
#define IS_LOCKED false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_LOCKED false
#endif
#endif
#ifndef IS_LOCKED
#define IS_LOCKED true
#endif

/* The kernel says of each mapping whether it is locked and left out of dumps. */
static void the_page_is_locked_and_left_out_of_dumps(void **state)
{
	struct secret *s;
	char line[512];
	unsigned long from, to;
	bool inside = false, seen = false;
	FILE *f = fopen("/proc/self/smaps", "re");

	(void)state;
	assert_non_null(f);
	assert_int_equal(secret_new("abcdef", 6, &s), 0);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (unsigned long)s >= from && (unsigned long)s < to;
		if (inside && strncmp(line, "VmFlags:", 8) == 0) {
			seen = true;
			assert_true(!IS_LOCKED || strstr(line, " lo"));
			assert_non_null(strstr(line, " dd"));
			assert_non_null(strstr(line, " wf"));
		}
	}
	fclose(f);
	assert_true(seen);
	secret_free(s);
}

static void adding_to_a_full_buffer_keeps_what_is_there(void **state)
{
	struct secret *s;
	struct buf b = {0};

	(void)state;
	assert_int_equal(secret_new("0123456789", 10, &s), 0);
	for (int i = 0; i < 100; i++)
		secret_add(s, &b);
	assert_int_equal(b.len, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(b.data[i], '0' + i % 10);
	secret_wipe(&b);
	assert_null(b.data);
	secret_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			credential_then_environment_then_file_is_the_order, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_others_could_read_is_refused_by_name, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_key_that_is_none_is_refused_without_its_bytes, set_up,
			tear_down),
		cmocka_unit_test(printing_shows_stars_and_comparing_compares_all),
		cmocka_unit_test(a_key_is_found_in_any_of_its_disguises),
		cmocka_unit_test(the_page_is_locked_and_left_out_of_dumps),
		cmocka_unit_test(adding_to_a_full_buffer_keeps_what_is_there),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
