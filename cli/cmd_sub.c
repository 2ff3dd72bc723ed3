/*
 * cmd_sub - print events as they come.  What was missed is fetched by the library;
 * what is lost for good is said on standard error with its numbers.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/show_event.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS    250
#define STOP_TURNS 1024
#define SILENCE_NS (4 * NS_PER_S) /* without heartbeats: nobody is there */
#define CUT_NS     (2 * NS_PER_S) /* a restart may pass unnoticed */

enum {
	OPT_FORMAT = 1,
	OPT_COUNT,
	OPT_SECONDS,
	OPT_TIMEFRAME,
	OPT_FROM,
	OPT_POLICY,
	OPT_SAMPLE
};

static const struct option longs[] = {
	{"format", required_argument, NULL, OPT_FORMAT},
	{"count", required_argument, NULL, OPT_COUNT},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"timeframe", required_argument, NULL, OPT_TIMEFRAME},
	{"from", required_argument, NULL, OPT_FROM},
	{"policy", required_argument, NULL, OPT_POLICY},
	{"sample", required_argument, NULL, OPT_SAMPLE},
	{0}};

enum sub_format { SHOW_PRETTY = 0, SHOW_JSON, SHOW_CSV };

struct sub_job {
	struct cli *cli;
	struct tickbus_sub *sub;
	struct tickbus_filter filter;
	enum sub_format format;
	uint64_t count_max; /* 0: no end */
	int64_t until_ns;   /* 0: no end */
	uint64_t n;
	uint64_t lost;
	struct buf out;
	bool warned;
	int64_t bad_ns; /* since when there is trouble; 0: there is none */
	bool is_cut;    /* and it was said */
};

static int take_from(struct cli *c, struct tickbus_filter *f)
{
	uint64_t pos;
	int64_t ns;

	if (strcmp(optarg, "now") == 0) {
		f->from = TICKBUS_FROM_NOW;
	} else if (strcmp(optarg, "oldest") == 0) {
		f->from = TICKBUS_FROM_OLDEST;
	} else if (strcmp(optarg, "snapshot") == 0) {
		f->from = TICKBUS_FROM_SNAPSHOT;
	} else if (cli_number(optarg, 1, UINT64_MAX, &pos)) {
		f->from = TICKBUS_FROM_POS;
		f->from_value = pos;
	} else if (tickbus_time_parse(optarg, &ns) == 0 && ns > 0) {
		f->from = TICKBUS_FROM_TIME;
		f->from_value = (uint64_t)ns;
	} else {
		return cli_usage_error(c,
				       "--from: '%s' is neither now, oldest, snapshot, "
				       "a log position nor a time",
				       optarg);
	}
	return CLI_OK;
}

static int take_policy(struct cli *c, struct tickbus_filter *f)
{
	static const char *const names[] = {
		[TICKBUS_LOSSLESS] = "lossless",
		[TICKBUS_CONFLATE] = "conflate",
		[TICKBUS_BEST_EFFORT] = "best-effort",
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (names[i] && strcmp(optarg, names[i]) == 0) {
			f->policy = (enum tickbus_policy)i;
			return CLI_OK;
		}
	}
	return cli_usage_error(
		c, "--policy: '%s' is neither lossless, conflate nor best-effort",
		optarg);
}

static int take_sample(struct cli *c, struct tickbus_filter *f)
{
	uint64_t ms;

	if (!cli_number(optarg, 1, 3600000, &ms))
		return cli_usage_error(c, "--sample: '%s' is no number of milliseconds",
				       optarg);
	f->policy = TICKBUS_SAMPLE;
	f->sample_ms = (uint32_t)ms;
	return CLI_OK;
}

static int take_format(struct cli *c, struct sub_job *j)
{
	static const char *const names[] = {"pretty", "json", "csv"};

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(optarg, names[i]) == 0) {
			j->format = (enum sub_format)i;
			return CLI_OK;
		}
	}
	return cli_usage_error(c, "--format: '%s' is not pretty, json or csv", optarg);
}

static int take(struct sub_job *j, int option)
{
	uint64_t n;

	switch (option) {
	case OPT_FORMAT:
		return take_format(j->cli, j);
	case OPT_COUNT:
		if (cli_number(optarg, 1, UINT64_MAX, &j->count_max))
			return CLI_OK;
		return cli_usage_error(j->cli, "--count: '%s' is no number above 0",
				       optarg);
	case OPT_SECONDS:
		if (!cli_number(optarg, 1, 1000000000, &n))
			return cli_usage_error(
				j->cli, "--seconds: '%s' is no number above 0", optarg);
		j->until_ns = clock_mono_ns() + (int64_t)n * NS_PER_S;
		return CLI_OK;
	case OPT_TIMEFRAME:
		j->filter.timeframe = optarg;
		return CLI_OK;
	case OPT_FROM:
		return take_from(j->cli, &j->filter);
	case OPT_POLICY:
		return take_policy(j->cli, &j->filter);
	default:
		return take_sample(j->cli, &j->filter);
	}
}

/* "tick,bar" into bits. */
static int take_kinds(struct sub_job *j, const char *list)
{
	char name[32];

	while (*list) {
		size_t len = strcspn(list, ",");
		enum event_kind kind = EVENT_KINDS;

		if (len < sizeof(name)) {
			memcpy(name, list, len);
			name[len] = '\0';
			kind = tickbus_kind_parse(name);
		}
		if (kind > EVENT_STATUS)
			return cli_usage_error(
				j->cli,
				"'%.*s' is no kind: tick, bar, tier1, tier2, "
				"news, status",
				(int)len, list);
		j->filter.kinds |= TICKBUS_KIND(kind);
		list += len + (list[len] == ',');
	}
	if (j->format == SHOW_CSV && __builtin_popcount(j->filter.kinds) != 1)
		return cli_usage_error(j->cli, "csv has the columns of one kind");
	return CLI_OK;
}

static void show(struct sub_job *j, const struct tickbus_event *e)
{
	j->out.len = 0;
	if (j->format == SHOW_JSON) {
		const char *line = tickbus_sub_json(j->sub, e);

		buf_add(&j->out, line, strlen(line));
		buf_add(&j->out, "\n", 1);
	} else if (j->format == SHOW_CSV) {
		if (j->n == 0)
			show_event_csv_header(&j->out, e->kind);
		show_event_csv(&j->out, e);
	} else {
		show_event_pretty(&j->out, e);
	}
	(void)fwrite(j->out.data, 1, j->out.len, stdout);
	j->n++;
}

/* What is no event, on standard error. */
static void tell(struct sub_job *j, int what, const struct tickbus_event *e)
{
	const struct tickbus_gap *g = &e->gap;

	if (what == TICKBUS_GAP && !g->is_skipped)
		j->lost += g->symbol[0] == '\0' ? g->last_pos - g->first_pos + 1
						: g->last_seq - g->first_seq + 1;
	(void)fflush(stdout);
	(void)fprintf(stderr, "tickbusctl sub: %s\n",
		      tickbus_sub_sentence(j->sub, what, e));
}

/* A connection that was there and is not: said once, and once when it is back. */
static void look_for_trouble(struct sub_job *j)
{
	const struct tickbus_counts *n = tickbus_sub_counts(j->sub);
	const char *trouble = tickbus_sub_trouble(j->sub);
	bool is_bad = trouble[0] != '\0';
	int64_t now_ns = clock_mono_ns();

	if (!is_bad || j->bad_ns == 0)
		j->bad_ns = is_bad ? now_ns : 0;
	if (n->events + n->heartbeats + n->filtered == 0 || is_bad == j->is_cut ||
	    (is_bad && now_ns - j->bad_ns < CUT_NS))
		return;
	j->is_cut = is_bad;
	(void)fprintf(stderr, "tickbusctl sub: %s%s\n",
		      is_bad ? trouble : "connected again",
		      is_bad ? "; trying again" : "");
}

/* Nothing came for a while.  Say so once; an end that was asked for still comes. */
static void look_for_life(struct sub_job *j, int64_t begin_ns)
{
	const struct tickbus_counts *n = tickbus_sub_counts(j->sub);

	if (j->warned || n->events + n->heartbeats + n->filtered > 0 ||
	    clock_mono_ns() - begin_ns < SILENCE_NS)
		return;
	j->warned = true;
	(void)cli_error(
		CLI_UNAVAILABLE,
		"nothing is heard from tickbusd at %s, ports from %u: is it running? "
		"Still listening",
		j->cli->options.host ? j->cli->options.host : "127.0.0.1",
		j->cli->options.port_base ? j->cli->options.port_base : 7400u);
}

static bool is_over(const struct sub_job *j)
{
	return (j->count_max > 0 && j->n >= j->count_max) ||
	       (j->until_ns > 0 && clock_mono_ns() >= j->until_ns);
}

/* 0 when it ended by itself, < 0 of the library. */
static int listen_on(struct sub_job *j)
{
	int64_t begin_ns = clock_mono_ns();
	struct tickbus_event e;
	uint64_t turns = 0;

	while (!is_over(j)) {
		int rc = tickbus_sub_next(j->sub, 0, &e);

		/* A flood leaves no idle moment: look for Ctrl-C now and then. */
		if (++turns % STOP_TURNS == 0 && cli_stopped(j->cli, 0))
			return 0;

		if (rc == TICKBUS_TIMEOUT) {
			/* Print what is there before waiting for more. */
			(void)fflush(stdout);
			if (ferror(stdout) || cli_stopped(j->cli, 0))
				return 0;
			rc = tickbus_sub_next(j->sub, WAIT_MS, &e);
			look_for_life(j, begin_ns);
			look_for_trouble(j);
		}
		if (rc < 0)
			return rc;
		if (rc == 0)
			show(j, &e);
		else if (rc != TICKBUS_TIMEOUT)
			tell(j, rc, &e);
	}
	return 0;
}

static int conclude(struct sub_job *j, int rc)
{
	const struct tickbus_counts *n = tickbus_sub_counts(j->sub);

	if (rc < 0)
		return cli_error(CLI_UNAVAILABLE, "%s", tickbus_error());
	if (n->events + n->heartbeats + n->filtered == 0)
		return cli_error(CLI_UNAVAILABLE, "nothing was heard from tickbusd");
	if (j->lost > 0 || (j->count_max > 0 && j->n < j->count_max))
		return CLI_NEGATIVE;
	return CLI_OK;
}

int cmd_sub(struct cli *c, int argc, char **argv)
{
	struct sub_job j = {.cli = c};
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		rc = take(&j, option);
		if (rc != CLI_OK)
			return rc;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind == argc)
		return cli_usage_error(c,
				       "name a kind: tick, bar, tier1, tier2, status");
	rc = take_kinds(&j, argv[optind]);
	if (rc != CLI_OK)
		return rc;
	j.filter.symbols = (const char *const *)(argv + optind + 1);
	j.filter.n_symbols = (size_t)(argc - optind - 1);
	if (cli_catch_stop(c) < 0)
		return cli_error(CLI_INTERNAL, "signals cannot be caught");
	if (tickbus_sub_open(&c->options, &j.filter, &j.sub) < 0)
		return cli_error(CLI_USAGE, "%s", tickbus_error());
	rc = listen_on(&j);
	rc = conclude(&j, rc);
	tickbus_sub_close(j.sub);
	buf_free(&j.out);
	return rc;
}
