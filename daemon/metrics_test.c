/* metrics_test - the text format, judged by promtool where it is installed. */
#include "base/clock.h"
#include "bus/stats.h"
#include "daemon/metrics_text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#define PROMTOOL "/usr/bin/promtool"

/* Exit status of promtool over @text; -1: it is not there. */
static int promtool(const struct buf *text)
{
	int fds[2], status = 0;
	size_t at = 0;
	pid_t pid;

	if (access(PROMTOOL, X_OK) != 0)
		return -1;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fds[0], 0);
		(void)dup2(2, 1); /* TAP is on standard output */
		close(fds[0]);
		close(fds[1]);
		(void)execl(PROMTOOL, "promtool", "check", "metrics", (char *)NULL);
		_exit(127);
	}
	close(fds[0]);
	while (at < text->len) {
		ssize_t n = write(fds[1], text->data + at, text->len - at);

		assert_true(n > 0);
		at += (size_t)n;
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static unsigned lines_with(struct buf *text, const char *start)
{
	const char *at = buf_text(text);
	unsigned n = 0;

	for (; at != NULL && *at != '\0'; at = strchr(at, '\n'), at += at != NULL)
		n += strncmp(at, start, strlen(start)) == 0;
	return n;
}

static void every_counter_is_told_and_promtool_accepts_it(void **state)
{
	struct buf out = {0};
	char line[64];
	int rc;

	(void)state;
	stats_add(STAT_TICKS_ACCEPTED, 17);
	stats_add(STAT_COMMIT_NS, 1500000000);
	stats_add_reject(REJECT_TIME_TOO_OLD, 3);
	metrics_stats(&out);
	(void)snprintf(line, sizeof(line), "tickbus_ticks_accepted_total %llu\n",
		       (unsigned long long)stats_get(STAT_TICKS_ACCEPTED));
	assert_int_equal(lines_with(&out, line), 1);
	assert_int_equal(lines_with(&out, "tickbus_commit_seconds_total 1.5\n"), 1);
	assert_int_equal(
		lines_with(&out,
			   "tickbus_ticks_rejected_total{reason=\"time_too_old\"} 3\n"),
		1);
	assert_int_equal(
		lines_with(&out, "# TYPE tickbus_ticks_rejected_total counter\n"), 1);
	assert_int_equal(lines_with(&out, "tickbus_"), STAT_N);
	rc = promtool(&out);
	if (rc < 0)
		print_message("# promtool is not installed: the text was not judged\n");
	else
		assert_int_equal(rc, 0);
	buf_free(&out);
}

static void a_histogram_counts_every_value_once(void **state)
{
	struct histogram h = {0};
	struct buf out = {0};

	(void)state;
	histogram_add(&h, 1023);            /* the first bucket, to its edge */
	histogram_add(&h, 1024);            /* the second */
	histogram_add(&h, 5 * NS_PER_MS);   /* somewhere */
	histogram_add(&h, 3600 * NS_PER_S); /* beyond the last edge */
	metrics_family(&out, "x_seconds", "histogram", "A test");
	metrics_histogram(&out, "x_seconds", "worker=\"0\"", &h);
	assert_int_equal(
		lines_with(
			&out,
			"tickbus_x_seconds_bucket{worker=\"0\",le=\"1.023e-06\"} 1\n"),
		1);
	assert_int_equal(
		lines_with(
			&out,
			"tickbus_x_seconds_bucket{worker=\"0\",le=\"2.047e-06\"} 2\n"),
		1);
	assert_int_equal(lines_with(&out, "tickbus_x_seconds_bucket{worker=\"0\",le="
					  "\"17.179869183\"} 3\n"),
			 1);
	assert_int_equal(
		lines_with(&out,
			   "tickbus_x_seconds_bucket{worker=\"0\",le=\"+Inf\"} 4\n"),
		1);
	assert_int_equal(lines_with(&out, "tickbus_x_seconds_count{worker=\"0\"} 4\n"),
			 1);
	assert_true(promtool(&out) <= 0);
	buf_free(&out);
}

static void labels_cannot_break_out_of_their_quotes(void **state)
{
	char label[METRICS_LABEL_MAX], longest[400];

	(void)state;
	assert_string_equal(metrics_label(label, "symbol", "A\"} 1\n\\"),
			    "symbol=\"A\\\"} 1\\n\\\\\"");
	memset(longest, '"', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	(void)metrics_label(label, "symbol", longest);
	assert_true(strlen(label) < METRICS_LABEL_MAX);
	assert_int_equal(label[strlen(label) - 1], '"');
	assert_int_equal(label[strlen(label) - 2], '"');
	assert_int_equal(label[strlen(label) - 3], '\\');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_counter_is_told_and_promtool_accepts_it),
		cmocka_unit_test(a_histogram_counts_every_value_once),
		cmocka_unit_test(labels_cannot_break_out_of_their_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
