/*
 * analysis_test - what is taken as an order and what as progress, and how a process
 * ends; the processes are shells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/analysis_child.h"
#include "daemon/analysis_order.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- lines ---- */

static void lines_are_progress_or_none(void **state)
{
	static const char *const bad[] = {"",
					  "done",
					  "done ",
					  "done 0",
					  "done 1 ",
					  "done 1x",
					  "done -1",
					  "failed 1",
					  "failed 1 ",
					  "failed x y",
					  "Done 1",
					  "done 01234567890",
					  "done 4294967297",
					  "rows 5",
					  "begin",
					  "begin 0",
					  "begin 1 why",
					  "leave 1x",
					  "aside 1 why"};
	struct analysis_line l;

	(void)state;
	assert_int_equal(0, analysis_line_parse("done 17", 7, &l));
	assert_int_equal(17, l.row);
	assert_int_equal(ROW_DONE, l.word);
	assert_int_equal(0, analysis_line_parse("begin 9", 7, &l));
	assert_int_equal(9, l.row);
	assert_int_equal(ROW_BEGIN, l.word);
	assert_int_equal(0, analysis_line_parse("leave 9", 7, &l));
	assert_int_equal(ROW_LEAVE, l.word);
	assert_int_equal(0,
			 analysis_line_parse("failed 3 no\tbar \xff\xc3\xa9", 19, &l));
	assert_int_equal(3, l.row);
	assert_int_equal(ROW_FAILED, l.word);
	assert_string_equal("no?bar ?\xc3\xa9", l.reason);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(-EINVAL,
				 analysis_line_parse(bad[i], strlen(bad[i]), &l));
}

static void reasons_are_cut_between_characters(void **state)
{
	char out[8];

	(void)state;
	analysis_printable("abcdef\xc3\xa9", 8, out, sizeof(out));
	assert_string_equal("abcdef", out);
	analysis_printable("abcde\xc3\xa9", 7, out, sizeof(out));
	assert_string_equal("abcde\xc3\xa9", out);
	analysis_printable("", 0, out, sizeof(out));
	assert_string_equal("", out);
}

struct heard {
	uint32_t row[16];
	size_t n;
	int rc; /* what is answered */
};

static int hear(void *arg, const struct analysis_line *line)
{
	struct heard *h = arg;

	assert_true(h->n < 16);
	h->row[h->n++] = line->row;
	return h->rc;
}

static void lines_come_in_any_pieces(void **state)
{
	static const char text[] = "begin 1\nfailed 2 x\ndone 3\n";
	char longest[ANALYSIS_LINE_MAX + 1];

	(void)state;
	for (size_t cut = 0; cut <= strlen(text); cut++) {
		struct analysis_lines l = {.n = 0};
		struct heard h = {.n = 0};

		assert_int_equal(0, analysis_lines_take(&l, text, cut, hear, &h));
		assert_int_equal(0, analysis_lines_take(&l, text + cut,
							strlen(text) - cut, hear, &h));
		assert_int_equal(3, h.n);
		assert_int_equal(3, h.row[2]);
	}
	{
		struct analysis_lines l = {.n = 0};
		struct heard h = {.n = 0};

		memset(longest, 'a', sizeof(longest));
		assert_int_equal(
			-EINVAL,
			analysis_lines_take(&l, longest, sizeof(longest), hear, &h));
		assert_int_equal(0, h.n);
	}
}

/* ---- orders ---- */

static int order(const char *text, struct analysis_order *out)
{
	struct json *request = NULL;
	int rc;

	assert_int_equal(0, json_parse(text, strlen(text), &request));
	rc = analysis_order_read(request, out);
	json_free(request);
	return rc;
}

static void orders_become_words(void **state)
{
	struct analysis_order o;

	(void)state;
	assert_int_equal(0, order("{\"what\":\"features\"}", &o));
	assert_string_equal("features\nextract\n--format=csv\n", buf_text(&o.words));
	assert_string_equal("csv", o.format);
	analysis_order_free(&o);
	assert_int_equal(0, order("{\"what\":\"report\",\"flow\":\"news\",\"format\":"
				  "\"html\",\"options\":{\"window\":\"9\",\"history\":"
				  "true},\"holdings\":\"symbol\\n\"}",
				  &o));
	assert_int_equal(JOB_REPORT, o.what);
	assert_string_equal("report\nnews\n--html=-\n--window=9\n--history\n",
			    buf_text(&o.words));
	assert_string_equal("symbol\n", buf_text(&o.holdings));
	analysis_order_free(&o);
}

static void orders_name_no_file_and_no_option_of_ours(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"what\":\"work\"}",
		"{\"what\":\"report\"}",
		"{\"what\":\"report\",\"flow\":\"../x\"}",
		"{\"what\":\"features\",\"format\":\"html\"}",
		"{\"what\":\"features\",\"format\":\"csv/..\"}",
		"{\"what\":\"features\",\"options\":{\"out\":\"x\"}}",
		"{\"what\":\"features\",\"options\":{\"csv\":\"x\"}}",
		"{\"what\":\"features\",\"options\":{\"threads\":\"x\"}}",
		"{\"what\":\"features\",\"options\":{\"admin\":\"x\"}}",
		"{\"what\":\"features\",\"options\":{\"symbols\":\"x\"}}",
		"{\"what\":\"features\",\"options\":{\"source\":\"a/b\"}}",
		"{\"what\":\"features\",\"options\":{\"source\":\"a\\n--out=b\"}}",
		"{\"what\":\"features\",\"options\":{\"source\":\"\"}}",
		"{\"what\":\"features\",\"options\":{\"source\":5}}",
		"{\"what\":\"features\",\"options\":{\"impute\":\"x\"}}",
		"{\"what\":\"features\",\"options\":[]}",
		"{\"what\":\"features\",\"holdings\":\"x\"}",
		"{\"what\":\"report\",\"flow\":\"news\",\"options\":{\"vader\":\"x\"}}",
		("{\"what\":\"report\",\"flow\":\"news\",\"options\":{\"portfolio\":"
		 "\"x\"}}"),
		"{\"what\":\"report\",\"flow\":\"news\",\"holdings\":5}"};
	struct analysis_order o;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(-EINVAL, order(bad[i], &o));
		assert_true(strlen(err_text()) > 0);
	}
}

/* ---- processes ---- */

struct world {
	char program[64];
	struct buf order;
	struct heard heard;
	atomic_bool stop, stop2;
	struct analysis_child child;
	char why[ANALYSIS_WHY_MAX];
};

static void idle(void *arg)
{
	(void)arg;
}

/* A shell that does @script; what it was told is on its standard input. */
static void begin(struct world *w, const char *script)
{
	int fd;

	*w = (struct world){.program = "/tmp/tickbus-analysis-XXXXXX"};
	fd = mkstemp(w->program);
	assert_true(fd >= 0);
	assert_true(dprintf(fd, "#!/bin/sh\n%s\n", script) > 0);
	assert_int_equal(0, fchmod(fd, 0700));
	close(fd);
	buf_printf(&w->order, "one\ntwo\n\n");
	w->child = (struct analysis_child){.program = w->program,
					   .admin = "/nowhere",
					   .memory_bytes = 1,
					   .result_bytes = 2,
					   .nice = 3,
					   .limit_ns = INT64_C(60000000000),
					   .result_fd =
						   memfd_create("result", MFD_CLOEXEC),
					   .order = &w->order,
					   .stop = &w->stop,
					   .stop2 = &w->stop2,
					   .line = hear,
					   .idle = idle,
					   .arg = &w->heard};
}

static void end(struct world *w)
{
	(void)unlink(w->program);
	close(w->child.result_fd);
	buf_free(&w->order);
}

static void a_process_gets_its_order_and_bounds(void **state)
{
	char got[256] = "";
	struct world w;

	(void)state;
	begin(&w, "echo \"$@\"; cat; echo done 1 >&0; echo failed 2 bad >&0; exit 1");
	assert_int_equal(ANALYSIS_ENDED, analysis_child_run(&w.child, w.why));
	assert_string_equal("", w.why);
	assert_int_equal(2, w.heard.n);
	assert_true(pread(w.child.result_fd, got, sizeof(got) - 1, 0) > 0);
	assert_string_equal("--admin /nowhere work 1 2 3\n"
			    "one\ntwo\n\n",
			    got);
	end(&w);
}

static void an_end_is_judged(void **state)
{
	static const struct {
		const char *script, *why;
		int rc;
	} ends[] = {
		{"echo 'tickbusctl report: it cannot' >&2; echo Try: x >&2; exit 64",
		 "it cannot", ANALYSIS_REFUSED},
		{"echo 'tickbusctl: line 7: no memory for 9 rows' >&2; exit 70",
		 "line 7: no memory for 9 rows (analysis.memory is its bound)",
		 ANALYSIS_REFUSED},
		{"echo 'out of memory: a buffer needs 9 bytes' >&2; kill -ABRT $$",
		 "out of memory: a buffer needs 9 bytes (analysis.memory is its bound)",
		 ANALYSIS_REFUSED},
		{"kill -ABRT $$", "its process was ended: Aborted", ANALYSIS_DIED},
		{"exit 70", "it ended with exit status 70", ANALYSIS_REFUSED},
		{"kill -SEGV $$", "its process was ended: Segmentation fault",
		 ANALYSIS_DIED},
		{"echo rubbish >&0; sleep 1000", "it said what is no progress",
		 ANALYSIS_DIED},
		/* What it has started does not outlive it, nor keep us. */
		{"sleep 1000 & exit 0", "", ANALYSIS_ENDED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct world w;

		begin(&w, ends[i].script);
		assert_int_equal(ends[i].rc, analysis_child_run(&w.child, w.why));
		assert_string_equal(ends[i].why, w.why);
		end(&w);
	}
}

static void it_ends_when_we_want_or_when_it_is_late(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "sleep 1000");
	atomic_store(&w.stop2, true);
	assert_int_equal(ANALYSIS_STOPPED, analysis_child_run(&w.child, w.why));
	atomic_store(&w.stop2, false);
	w.child.limit_ns = 1;
	assert_int_equal(ANALYSIS_LATE, analysis_child_run(&w.child, w.why));
	/* Who hears of a row may not like it. */
	w.child.limit_ns = INT64_C(60000000000);
	end(&w);
	begin(&w, "echo done 1 >&0; sleep 1000");
	w.heard.rc = -EINVAL;
	assert_int_equal(ANALYSIS_DIED, analysis_child_run(&w.child, w.why));
	end(&w);
}

static void a_program_that_is_not_there_is_said(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "");
	w.child.program = "/nowhere/at/all";
	assert_int_equal(-ENOENT, analysis_child_run(&w.child, w.why));
	assert_non_null(strstr(err_text(), "analysis.program"));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_progress_or_none),
		cmocka_unit_test(reasons_are_cut_between_characters),
		cmocka_unit_test(lines_come_in_any_pieces),
		cmocka_unit_test(orders_become_words),
		cmocka_unit_test(orders_name_no_file_and_no_option_of_ours),
		cmocka_unit_test(a_process_gets_its_order_and_bounds),
		cmocka_unit_test(an_end_is_judged),
		cmocka_unit_test(it_ends_when_we_want_or_when_it_is_late),
		cmocka_unit_test(a_program_that_is_not_there_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
