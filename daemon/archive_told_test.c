/* archive_told_test - months that changed are told, and a bad file means all of them.
 */
#include "base/hash.h"
#include "daemon/archive_told.h"
#include "tests/integration/tempdir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#define DAY INT64_C(86400000000000)
#define KEY "bars|alpaca|sip|BRK/B|60|0"

/* @days from 2024-01-01 on, a sum each; the day @other has another one. */
static struct buf months_of(int days, int other)
{
	struct buf b = {0};

	for (int i = 0; i < days; i++)
		archive_told_add(&b, (19723 + i) * DAY, (19724 + i) * DAY,
				 (uint32_t)i + (i == other ? 1000000 : 0));
	return b;
}

static void days_become_months_and_a_changed_day_a_changed_month(void **state)
{
	struct buf was = months_of(100, -1), now = months_of(100, 40), none = {0};
	size_t at = 0;
	int64_t from, to;

	(void)state;
	assert_int_equal(4 * sizeof(struct archive_month), was.len);
	assert_int_equal(1, archive_told_next(&was, &was, &at, &from, &to));
	at = 0;
	assert_int_equal(0, archive_told_next(&now, &was, &at, &from, &to));
	assert_int_equal((19723 + 31) * DAY, from); /* February */
	assert_int_equal((19723 + 31 + 29) * DAY, to);
	assert_int_equal(1, archive_told_next(&now, &was, &at, &from, &to));
	at = 0; /* one range, when nothing is known */
	assert_int_equal(0, archive_told_next(&now, &none, &at, &from, &to));
	assert_int_equal(19723 * DAY, from);
	assert_int_equal((19723 + 100) * DAY, to);
	assert_int_equal(1, archive_told_next(&now, &none, &at, &from, &to));
	buf_free(&was);
	buf_free(&now);
}

static void a_file_comes_back_and_a_bad_one_says_nothing(void **state)
{
	struct buf was = months_of(70, -1), got = {0};
	char dir[TEMPDIR_MAX], told[TEMPDIR_MAX + 8], path[TEMPDIR_MAX + 64];
	size_t at = 0;
	int64_t from, to;
	FILE *f;

	(void)state;
	tempdir_new(dir);
	archive_told_read(dir, KEY, &got);
	assert_int_equal(0, got.len);
	for (int i = 0; i < 2; i++)
		assert_int_equal(0, archive_told_write(dir, KEY, &was));
	archive_told_read(dir, KEY, &got);
	assert_int_equal(1, archive_told_next(&was, &got, &at, &from, &to));
	got.len = 0;
	archive_told_read(dir, KEY "0", &got);
	assert_int_equal(0, got.len);
	/* Cut anywhere, what is whole of it counts. */
	(void)snprintf(told, sizeof(told), "%s/.told", dir);
	(void)snprintf(path, sizeof(path), "%s/%016llx", told,
		       (unsigned long long)hash_bytes(HASH_SEED, KEY, strlen(KEY)));
	for (long size = 200; size >= 0; size--) {
		if (truncate(path, size) < 0)
			break;
		got.len = 0;
		archive_told_read(dir, KEY, &got);
		assert_true(got.len <= was.len);
	}
	assert_int_equal(0, got.len);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("tickbus-archive-told 1 another\n202401 00000000\n", f);
	assert_int_equal(0, fclose(f));
	archive_told_read(dir, KEY, &got);
	assert_int_equal(0, got.len);
	tempdir_remove(told);
	tempdir_remove(dir);
	buf_free(&was);
	buf_free(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_become_months_and_a_changed_day_a_changed_month),
		cmocka_unit_test(a_file_comes_back_and_a_bad_one_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
