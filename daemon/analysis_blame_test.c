/*
 * analysis_blame_test - who is set aside and who is not: processes that die as a script
 * says, and one that is a shell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/analysis_blame.h"
#include "daemon/analysis_child.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS 100

static int say(struct analysis_blame *b, enum analysis_word word, uint32_t row)
{
	const struct analysis_line line = {.row = row, .word = word};

	return analysis_blame_line(b, &line);
}

/* Whom a process dies of, and how many rows it has at a time. */
static bool kills(const struct analysis_blame *b, const uint32_t *poison, uint32_t row)
{
	bool is_poison = false;

	for (; *poison != 0; poison++)
		is_poison = is_poison || *poison == row;
	for (size_t i = 0; i < b->n_aside; i++)
		is_poison = is_poison && b->aside[i].row != row;
	return is_poison;
}

/* True: it came to its end. */
static bool process(struct analysis_blame *b, const uint32_t *poison, uint32_t threads)
{
	analysis_blame_process(b);
	if (b->is_alone)
		threads = 1;
	for (uint32_t row = 1; row <= b->rows; row += threads) {
		uint32_t n = b->rows - row + 1 < threads ? b->rows - row + 1 : threads;

		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(0, say(b, ROW_BEGIN, row + i));
		for (uint32_t i = 0; i < n; i++)
			if (kills(b, poison, row + i))
				return false;
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(0, say(b, ROW_DONE, row + i));
	}
	assert_int_equal(b->rows, b->told);
	return true;
}

/* Processes until one comes to its end (true) or it is over. */
static bool run(struct analysis_blame *b, const uint32_t *poison, uint32_t threads)
{
	analysis_blame_job(b, ROWS);
	while (!process(b, poison, threads))
		if (analysis_blame_death(b, "its process was ended: Killed") ==
		    ANALYSIS_OVER)
			return false;
	return true;
}

static void lines_must_make_sense(void **state)
{
	struct analysis_blame b = {.rows = 0};

	(void)state;
	assert_int_equal(-EINVAL, say(&b, ROW_BEGIN, 1));
	analysis_blame_job(&b, 2);
	assert_int_equal(-EINVAL, say(&b, ROW_BEGIN, 3));
	assert_non_null(strstr(err_text(), "symbol 3 of 2"));
	assert_int_equal(-EINVAL, say(&b, ROW_DONE, 1));
	assert_int_equal(-EINVAL, say(&b, ROW_FAILED, 1));
	assert_int_equal(-EINVAL, say(&b, ROW_LEAVE, 1));
	assert_int_equal(0, say(&b, ROW_BEGIN, 1));
	assert_int_equal(-EINVAL, say(&b, ROW_BEGIN, 1));
	assert_int_equal(0, say(&b, ROW_LEAVE, 1));
	assert_int_equal(-EINVAL, say(&b, ROW_DONE, 1));
	assert_int_equal(0, say(&b, ROW_BEGIN, 1));
	assert_int_equal(0, say(&b, ROW_DONE, 1));
	assert_int_equal(-EINVAL, say(&b, ROW_DONE, 1));
	assert_int_equal(-EINVAL, say(&b, ROW_BEGIN, 1));
	assert_int_equal(0, say(&b, ROW_BEGIN, 2));
	assert_int_equal(0, say(&b, ROW_FAILED, 2));
	assert_int_equal(2, b.told);
	/* The next process tells of all of them. */
	analysis_blame_process(&b);
	assert_int_equal(0, b.told);
	assert_int_equal(0, say(&b, ROW_BEGIN, 2));
	analysis_blame_free(&b);
}

static void only_who_kills_is_set_aside(void **state)
{
	static const uint32_t poisons[][4] = {{1}, {100}, {50}, {7, 8}, {1, 50, 100}};

	(void)state;
	for (size_t i = 0; i < sizeof(poisons) / sizeof(poisons[0]); i++)
		for (uint32_t threads = 1; threads <= 16; threads++) {
			struct analysis_blame b = {.rows = 0};
			size_t n = 0;

			assert_true(run(&b, poisons[i], threads));
			while (n < 4 && poisons[i][n] != 0)
				n++;
			assert_int_equal(n, b.n_aside);
			for (size_t k = 0; k < n; k++)
				assert_int_equal(poisons[i][k], b.aside[k].row);
			assert_non_null(strstr(b.aside[0].reason, "Killed"));
			assert_true(b.deaths <= 1 + 2 * n);
			analysis_blame_free(&b);
		}
}

static void more_than_can_be_set_aside_are_the_end(void **state)
{
	uint32_t poison[ANALYSIS_ASIDE_MAX + 2] = {0};
	struct analysis_blame b = {.rows = 0};

	(void)state;
	for (uint32_t i = 0; i < ANALYSIS_ASIDE_MAX; i++)
		poison[i] = 3 * (i + 1);
	assert_true(run(&b, poison, 4));
	assert_int_equal(ANALYSIS_ASIDE_MAX, b.n_aside);
	poison[ANALYSIS_ASIDE_MAX] = ROWS;
	assert_false(run(&b, poison, 4));
	assert_int_equal(ANALYSIS_ASIDE_MAX, b.n_aside);
	/* The next job begins with nobody suspected. */
	assert_true(run(&b, (const uint32_t[]){0}, 4));
	assert_int_equal(0, b.n_aside + b.deaths);
	analysis_blame_free(&b);
}

static void bad_luck_condemns_nobody(void **state)
{
	struct analysis_blame b = {.rows = 0};

	(void)state;
	/* One death at each of the rows, whatever is computed at a time. */
	analysis_blame_job(&b, ROWS);
	for (uint32_t row = 1; row < ANALYSIS_HUNT_MAX; row++) {
		analysis_blame_process(&b);
		assert_int_equal(0, say(&b, ROW_BEGIN, row));
		assert_int_equal(ANALYSIS_AGAIN, analysis_blame_death(&b, "x"));
		assert_int_equal(row >= 2, b.is_alone);
	}
	assert_int_equal(0, b.n_aside);
	/* It is always another: no row is to blame, and it would never end. */
	analysis_blame_process(&b);
	assert_int_equal(0, say(&b, ROW_BEGIN, ROWS));
	assert_int_equal(ANALYSIS_OVER, analysis_blame_death(&b, "x"));
	/* Nothing was begun: the third time is the last. */
	analysis_blame_job(&b, ROWS);
	for (unsigned i = 1; i <= ANALYSIS_DEATHS_MAX; i++) {
		analysis_blame_process(&b);
		assert_int_equal(0, say(&b, ROW_BEGIN, 1));
		assert_int_equal(0, say(&b, ROW_LEAVE, 1));
		assert_int_equal(i < ANALYSIS_DEATHS_MAX ? ANALYSIS_AGAIN
							 : ANALYSIS_OVER,
				 analysis_blame_death(&b, "x"));
		assert_false(b.is_alone);
	}
	/* Who shared two deaths with the culprit is none. */
	analysis_blame_job(&b, ROWS);
	for (int i = 0; i < 2; i++) {
		analysis_blame_process(&b);
		assert_int_equal(0, say(&b, ROW_BEGIN, 1));
		assert_int_equal(0, say(&b, ROW_BEGIN, 2));
		assert_int_equal(ANALYSIS_AGAIN, analysis_blame_death(&b, "x"));
	}
	assert_int_equal(0, b.n_aside);
	analysis_blame_free(&b);
}

static void who_is_set_aside_is_blamed_no_more(void **state)
{
	struct analysis_blame b = {.rows = 0};
	enum analysis_next next = ANALYSIS_AGAIN;
	unsigned n = 0;

	(void)state;
	analysis_blame_job(&b, 2);
	while (next != ANALYSIS_OVER) {
		analysis_blame_process(&b);
		assert_int_equal(0, say(&b, ROW_BEGIN, 1));
		next = analysis_blame_death(&b, "it will not stop");
		n++;
	}
	assert_int_equal(1, b.n_aside);
	assert_string_equal("set aside, the process died at it 2 times: "
			    "it will not stop",
			    b.aside[0].reason);
	assert_int_equal(2 + ANALYSIS_DEATHS_MAX, n);
	analysis_blame_free(&b);
}

/* ---- a process ---- */

static int on_line(void *arg, const struct analysis_line *line)
{
	return analysis_blame_line(arg, line);
}

static void idle(void *arg)
{
	(void)arg;
}

/* What it said last is heard, though it is dead by then. */
static void a_shell_that_dies_leaves_its_suspect(void **state)
{
	char program[] = "/tmp/tickbus-blame-XXXXXX", why[ANALYSIS_WHY_MAX];
	struct analysis_blame b = {.rows = 0};
	struct buf order = {0};
	atomic_bool stop = false;
	int script = mkstemp(program);
	const struct analysis_child child = {
		.program = program,
		.admin = "/nowhere",
		.limit_ns = INT64_C(60000000000),
		.result_fd = memfd_create("result", MFD_CLOEXEC),
		.order = &order,
		.stop = &stop,
		.stop2 = &stop,
		.line = on_line,
		.idle = idle,
		.arg = &b};

	(void)state;
	assert_true(script >= 0);
	assert_true(dprintf(script, "#!/bin/sh\n"
				    "echo begin 1 >&0; echo begin 2 >&0\n"
				    "echo done 1 >&0; kill -SEGV $$\n") > 0);
	assert_int_equal(0, fchmod(script, 0700));
	close(script);
	buf_printf(&order, "word\n\n");
	analysis_blame_job(&b, 3);
	for (int i = 0; i < 2; i++) {
		analysis_blame_process(&b);
		assert_int_equal(ANALYSIS_DIED, analysis_child_run(&child, why));
		assert_int_equal(i == 0 ? ANALYSIS_AGAIN : ANALYSIS_WITHOUT,
				 analysis_blame_death(&b, why));
	}
	assert_int_equal(2, b.aside[0].row);
	assert_non_null(strstr(b.aside[0].reason, "Segmentation fault"));
	(void)unlink(program);
	close(child.result_fd);
	buf_free(&order);
	analysis_blame_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_must_make_sense),
		cmocka_unit_test(only_who_kills_is_set_aside),
		cmocka_unit_test(more_than_can_be_set_aside_are_the_end),
		cmocka_unit_test(bad_luck_condemns_nobody),
		cmocka_unit_test(who_is_set_aside_is_blamed_no_more),
		cmocka_unit_test(a_shell_that_dies_leaves_its_suspect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
