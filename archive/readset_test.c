/* readset_test - whatever is replaced, comes or goes is seen; what is touched is not.
 */
#include "archive/readset.h"
#include "tests/integration/tempdir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

struct place {
	char dir[TEMPDIR_MAX];
	char file[2][TEMPDIR_MAX + 16];
	char other[TEMPDIR_MAX + 16];
	char pattern[TEMPDIR_MAX + 16];
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void begin(struct place *p)
{
	tempdir_new(p->dir);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(p->file[i], sizeof(p->file[i]), "%s/%d.parquet", p->dir,
			       i);
		write_file(p->file[i], "the same length");
	}
	(void)snprintf(p->other, sizeof(p->other), "%s/new", p->dir);
	(void)snprintf(p->pattern, sizeof(p->pattern), "%s/*.parquet", p->dir);
}

static void what_is_replaced_comes_or_goes_is_seen(void **state)
{
	struct readset r = {0};
	struct place p;

	(void)state;
	begin(&p);
	readset_add(&r, p.pattern);
	readset_add(&r, "/nowhere/*");
	readset_mark(&r);
	write_file(p.other, "the same length"); /* does not match */
	assert_true(readset_is_same(&r));
	assert_int_equal(rename(p.other, p.file[1]), 0);
	assert_false(readset_is_same(&r));
	readset_mark(&r);
	assert_true(readset_is_same(&r));
	assert_int_equal(unlink(p.file[0]), 0);
	assert_false(readset_is_same(&r));
	readset_mark(&r);
	write_file(p.file[0], "it comes");
	assert_false(readset_is_same(&r));
	readset_mark(&r);
	/* Two files that change places are two other files. */
	assert_int_equal(rename(p.file[0], p.other), 0);
	assert_int_equal(rename(p.file[1], p.file[0]), 0);
	assert_int_equal(rename(p.other, p.file[1]), 0);
	assert_false(readset_is_same(&r));
	readset_free(&r);
	tempdir_remove(p.dir);
}

static void nothing_stays_nothing(void **state)
{
	struct readset r = {0};

	(void)state;
	readset_mark(&r);
	assert_true(readset_is_same(&r));
	readset_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_replaced_comes_or_goes_is_seen),
		cmocka_unit_test(nothing_stays_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
