/*
 * planted_test - does the checker see what it is for?  A simulated run is clean; then
 * one bug after the other is planted in what was recorded, and the rule it breaks must
 * say so.
 */
#include "base/log.h"
#include "tests/check/check.h"
#include "tests/check/chronicle_file.h"
#include "tests/check/planted.h"
#include "tests/kill/fault_vfs.h"
#include "tests/sim/simdir.h"
#include "tests/sim/simrun.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#define LOSING 0 /* durability normal: losing_seed */

static char dir[TEMPDIR_MAX];

static void run(struct chronicle *c, uint64_t seed, bool no_faults)
{
	const struct simrun_options o = {
		.seed = seed, .dir = dir, .ticks = 300, .no_faults = no_faults};
	struct simrun_result r;

	chronicle_init(c);
	simrun(&o, c, &r);
	assert_string_equal("", r.failure);
}

/* Every rule but LOSS had much to look at, under full. */
static bool is_rich(const struct chronicle *c, const struct check_report *r)
{
	for (int k = 0; k < CHECK_N; k++)
		if (k != CHECK_LOSS && r->looked[k] == 0)
			return false;
	return !c->config.is_normal && r->looked[CHECK_CELLS] > 20 && c->n_lives > 2;
}

/* A power cut took acknowledged ticks. */
static bool is_losing(const struct chronicle *c, const struct check_report *r)
{
	(void)c;
	return r->looked[CHECK_LOSS] > 0;
}

static uint64_t first_seed(bool (*is_it)(const struct chronicle *c,
					 const struct check_report *r))
{
	uint64_t found = 0;

	for (uint64_t seed = 1; found == 0; seed++) {
		struct check_report r = {0};
		struct chronicle c;

		assert_true(seed < 100);
		run(&c, seed, false);
		check_chronicle(&c, &r);
		if (is_it(&c, &r))
			found = seed;
		check_report_free(&r);
		chronicle_free(&c);
	}
	return found;
}

static uint64_t clean_seed, losing_seed;

static void every_planted_bug_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < planted_n; i++) {
		struct check_report r = {0};
		struct chronicle c;

		run(&c, planted_bugs[i].of_loss ? losing_seed : clean_seed, false);
		check_chronicle(&c, &r);
		assert_int_equal(0, r.total);
		check_report_free(&r);
		planted_bugs[i].plant(&c);
		check_chronicle(&c, &r);
		if (r.n[planted_bugs[i].rule] == 0)
			fail_msg("'%s' was planted and %s is silent: %s",
				 planted_bugs[i].name, check_name(planted_bugs[i].rule),
				 buf_text(&r.text));
		check_report_free(&r);
		chronicle_free(&c);
	}
}

static void every_rule_has_a_bug_that_it_names(void **state)
{
	(void)state;
	for (int rule = 0; rule < CHECK_N; rule++) {
		bool found = false;

		for (size_t i = 0; i < planted_n; i++)
			found |= planted_bugs[i].rule == (enum check_rule)rule;
		if (!found)
			fail_msg("no bug is planted for %s",
				 check_name((enum check_rule)rule));
	}
}

static void a_clean_run_passes_and_every_rule_looks(void **state)
{
	const uint64_t seeds[] = {clean_seed, losing_seed};
	uint64_t looked[CHECK_N] = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct check_report r = {0};
		struct chronicle c;

		run(&c, seeds[i], false);
		check_chronicle(&c, &r);
		if (r.total > 0)
			fail_msg("%s", buf_text(&r.text));
		for (int k = 0; k < CHECK_N; k++)
			looked[k] += r.looked[k];
		check_report_free(&r);
		chronicle_free(&c);
	}
	for (int k = 0; k < CHECK_N; k++)
		if (looked[k] == 0)
			fail_msg("%s looked at nothing",
				 check_name((enum check_rule)k));
}

/* Counters sum over crashes, so they are compared where nothing crashed. */
static void counters_are_compared(void **state)
{
	struct check_report r = {0};
	struct chronicle c;

	(void)state;
	run(&c, clean_seed, true);
	assert_true(c.has_counters);
	check_chronicle(&c, &r);
	if (r.total > 0)
		fail_msg("%s", buf_text(&r.text));
	check_report_free(&r);
	c.counters.rejected[REJECT_PRICE_NOT_POSITIVE]++;
	check_chronicle(&c, &r);
	assert_true(r.n[CHECK_SUMS] > 0);
	check_report_free(&r);
	chronicle_free(&c);
}

static void a_chronicle_comes_back_from_its_file(void **state)
{
	FILE *file = tmpfile();
	struct check_report a = {0}, b = {0};
	struct chronicle c, again;
	const char *why = "";

	(void)state;
	assert_non_null(file);
	run(&c, losing_seed, false);
	c.n_expected = 0; /* a script does not know it */
	chronicle_write(&c, file);
	rewind(file);
	chronicle_init(&again);
	assert_int_equal(0, chronicle_read(file, &again, &why));
	check_chronicle(&c, &a);
	check_chronicle(&again, &b);
	if (b.total > 0)
		fail_msg("%s", buf_text(&b.text));
	assert_memory_equal(a.looked, b.looked, sizeof(a.looked));
	planted_bugs[0].plant(&again);
	check_report_free(&b);
	check_chronicle(&again, &b);
	assert_true(b.n[CHECK_ACKED] > 0);
	check_report_free(&a);
	check_report_free(&b);
	chronicle_free(&c);
	chronicle_free(&again);
	(void)fclose(file);
}

static void a_file_that_is_none_is_refused_by_line(void **state)
{
	static const struct {
		const char *text;
		size_t line;
	} bad[] = {{"", 1},
		   {"tickbus-chronicle 2\n", 1},
		   {"tickbus-chronicle 1\nfish\n", 2},
		   {"tickbus-chronicle 1\nsymbol 0 A\nrequest p 1 0g\n", 3},
		   {"tickbus-chronicle 1\nreply p 1 00\n", 2},
		   {"tickbus-chronicle 1\ngiven s 0011\n", 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *file = tmpfile();
		struct chronicle c;
		const char *why = NULL;

		assert_non_null(file);
		assert_true(fputs(bad[i].text, file) >= 0);
		rewind(file);
		chronicle_init(&c);
		assert_int_equal(bad[i].line, chronicle_read(file, &c, &why));
		assert_non_null(why);
		chronicle_free(&c);
		(void)fclose(file);
	}
}

static int set_up(void **state)
{
	(void)state;
	fault_vfs_register();
	log_level_set((enum log_level)0);
	simdir_new(dir);
	clean_seed = first_seed(is_rich);
	losing_seed = first_seed(is_losing);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_remove(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_run_passes_and_every_rule_looks),
		cmocka_unit_test(every_planted_bug_is_named),
		cmocka_unit_test(every_rule_has_a_bug_that_it_names),
		cmocka_unit_test(counters_are_compared),
		cmocka_unit_test(a_chronicle_comes_back_from_its_file),
		cmocka_unit_test(a_file_that_is_none_is_refused_by_line),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
