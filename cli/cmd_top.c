/*
 * cmd_top - rates, lags, buffers and drops once per interval: on a terminal a page that
 * redraws itself, else plain snapshots (one, unless --count says otherwise).
 */
#include "base/clock.h"
#include "cli/gauges.h"
#include "cli/query.h"
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { OPT_INTERVAL = 1, OPT_COUNT, OPT_ALL };

static const struct option longs[] = {
	{"interval", required_argument, NULL, OPT_INTERVAL},
	{"count", required_argument, NULL, OPT_COUNT},
	{"all", no_argument, NULL, OPT_ALL},
	{0}};

struct top_job {
	struct cli *cli;
	struct gauges reading[2];
	int64_t read_ns[2];
	uint64_t interval_s;
	uint64_t count_max; /* 0: until stopped */
	struct gauges_view view;
};

static int take_reading(struct top_job *j, int which)
{
	struct query q;
	int rc = query_run(j->cli, "{\"cmd\":\"top\",\"n\":1000}", &q);

	if (rc != CLI_OK)
		return rc;
	j->read_ns[which] = clock_mono_ns();
	gauges_read(&j->reading[which], &q.result);
	query_free(&q);
	return CLI_OK;
}

static unsigned rows_of_terminal(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < 10)
		return 24;
	return size.ws_row;
}

static void show(struct top_job *j, int now)
{
	double seconds = (double)(j->read_ns[now] - j->read_ns[!now]) / 1e9;
	char time[TICKBUS_TIME_MAX];
	struct buf out = {0};

	tickbus_time_print(time, clock_wall_ns() / NS_PER_S * NS_PER_S);
	if (j->view.ansi) {
		j->view.rows = rows_of_terminal() - 3;
		buf_printf(&out, "\033[H");
	}
	buf_printf(&out, "tickbusd  %s  rates over %.1f s%s%s\n", time, seconds,
		   j->view.ansi ? "  (Ctrl-C ends)" : "", j->view.ansi ? "\033[K" : "");
	gauges_show(&out, &j->reading[!now], &j->reading[now], seconds, &j->view);
	buf_printf(&out, j->view.ansi ? "\033[J" : "\n");
	(void)fwrite(out.data, 1, out.len, stdout);
	(void)fflush(stdout);
	buf_free(&out);
}

static int watch(struct top_job *j)
{
	int rc = take_reading(j, 0);
	int now = 1;

	for (uint64_t n = 1; rc == CLI_OK; n++, now = !now) {
		if (cli_stopped(j->cli, (int)j->interval_s * 1000))
			break;
		rc = take_reading(j, now);
		if (rc != CLI_OK)
			break;
		if (n == 1 && j->view.ansi)
			printf("\033[?1049h\033[?25l");
		show(j, now);
		if (n == j->count_max || ferror(stdout))
			break;
	}
	return rc;
}

int cmd_top(struct cli *c, int argc, char **argv)
{
	struct top_job j = {
		.cli = c, .interval_s = 1, .view = {.ansi = c->is_terminal}};
	bool has_count = false;
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		if (option == OPT_ALL)
			j.view.all = true;
		else if (option == OPT_INTERVAL &&
			 !cli_number(optarg, 1, 3600, &j.interval_s))
			return cli_usage_error(c, "--interval: '%s' is not in 1..3600",
					       optarg);
		else if (option == OPT_COUNT &&
			 !cli_number(optarg, 1, UINT64_MAX, &j.count_max))
			return cli_usage_error(c, "--count: '%s' is no number above 0",
					       optarg);
		has_count = has_count || option == OPT_COUNT;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind != argc)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind]);
	if (!has_count && !c->is_terminal)
		j.count_max = 1;
	if (cli_catch_stop(c) < 0 || gauges_init(&j.reading[0]) < 0 ||
	    gauges_init(&j.reading[1]) < 0)
		return cli_error(CLI_INTERNAL, "out of memory");
	rc = watch(&j);
	/* Leave the terminal as it was. */
	if (j.view.ansi)
		printf("\033[?25h\033[?1049l");
	gauges_deinit(&j.reading[0]);
	gauges_deinit(&j.reading[1]);
	return rc;
}
