/*
 * cmd_feed - files to the daemon.  A line that is no tick is named and passed over; a
 * tick that the daemon refuses is counted by reason; all else is sent exactly once.
 *
 * At the end the log's clock is let pass the last tick (--settle), so that the last
 * bars close: a daemon that reads the wall's clock refuses that, and needs it not.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/timetext.h"
#include "cli/feeder.h"
#include "cli/progress.h"
#include "feeds/csv.h"
#include "feeds/jsonl.h"
#include "feeds/pace.h"
#include "proto/ingest.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_LINES    1000
#define BAD_SHOWN_MAX 20
#define PATIENCE_NS   (60 * NS_PER_S)
#define REDRAW_NS     (NS_PER_S / 5)
#define IDLE_MS       50 /* of a pause, before the batch so far is sent */

enum {
	OPT_MAP = 1,
	OPT_SYMBOL,
	OPT_SOURCE,
	OPT_TIME,
	OPT_DATE,
	OPT_ZONE,
	OPT_FORMAT,
	OPT_DELIMITER,
	OPT_SPEED,
	OPT_BATCH,
	OPT_PRODUCER,
	OPT_SETTLE,
	OPT_QUIET,
};

static const struct option longs[] = {
	{"map", required_argument, NULL, OPT_MAP},
	{"symbol", required_argument, NULL, OPT_SYMBOL},
	{"source", required_argument, NULL, OPT_SOURCE},
	{"time", required_argument, NULL, OPT_TIME},
	{"date", required_argument, NULL, OPT_DATE},
	{"zone", required_argument, NULL, OPT_ZONE},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"delimiter", required_argument, NULL, OPT_DELIMITER},
	{"speed", required_argument, NULL, OPT_SPEED},
	{"batch", required_argument, NULL, OPT_BATCH},
	{"producer", required_argument, NULL, OPT_PRODUCER},
	{"settle", required_argument, NULL, OPT_SETTLE},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{0}};

enum feed_format { FORMAT_BY_NAME = 0, FORMAT_CSV, FORMAT_JSONL };

struct feed_options {
	const char *map, *symbol, *time, *date, *zone;
	enum feed_format format;
	char delimiter;
	uint64_t speed_milli;
	int64_t settle_ns;
	bool quiet;
	struct feeder_params feeder;
};

struct feed_job {
	struct cli *cli;
	struct feed_options o;
	struct feeder *feeder;
	struct pace pace;
	struct progress progress;
	struct lines *lines; /* of the file being read */
	const char *file;
	int64_t drawn_ns;
	uint64_t ticks;
	uint64_t bad;
	uint64_t clocks;
	bool draws; /* a progress line is on the screen's last row */
};

static int parse_speed(const char *text, uint64_t *out_milli)
{
	char *end;
	double x = strtod(text, &end);

	if (end == text || (*end != '\0' && strcmp(end, "x") != 0) ||
	    !(x >= 0.001 && x <= 1e6))
		return -1;
	*out_milli = (uint64_t)(x * PACE_NORMAL + 0.5);
	return 0;
}

static int take_format(struct cli *c, struct feed_options *o)
{
	if (strcmp(optarg, "csv") == 0)
		o->format = FORMAT_CSV;
	else if (strcmp(optarg, "jsonl") == 0 || strcmp(optarg, "json") == 0)
		o->format = FORMAT_JSONL;
	else
		return cli_usage_error(c, "--format: '%s' is neither csv nor jsonl",
				       optarg);
	return CLI_OK;
}

/* Options with a value to check: CLI_OK or CLI_USAGE. */
static int take_checked(struct cli *c, struct feed_options *o, int option)
{
	uint64_t n;

	switch (option) {
	case OPT_FORMAT:
		return take_format(c, o);
	case OPT_DELIMITER:
		if (strlen(optarg) != 1 && strcmp(optarg, "\\t") != 0)
			return cli_usage_error(c, "--delimiter is one character");
		o->delimiter = strcmp(optarg, "\\t") == 0 ? '\t' : *optarg;
		return CLI_OK;
	case OPT_SPEED:
		if (parse_speed(optarg, &o->speed_milli) < 0)
			return cli_usage_error(
				c, "--speed: '%s' is not in 0.001..1000000", optarg);
		return CLI_OK;
	case OPT_BATCH:
		if (!cli_number(optarg, 1, INGEST_TICKS_MAX, &n))
			return cli_usage_error(c, "--batch: '%s' is not in 1..%u",
					       optarg, INGEST_TICKS_MAX);
		o->feeder.batch_max = (uint32_t)n;
		return CLI_OK;
	default: /* OPT_SETTLE */
		if (timetext_duration(optarg, strlen(optarg), &o->settle_ns) != 0)
			return cli_usage_error(
				c, "--settle: '%s' is no duration like 2m", optarg);
		return CLI_OK;
	}
}

static int take(struct cli *c, struct feed_options *o, int option)
{
	switch (option) {
	case OPT_MAP:
		o->map = optarg;
		return CLI_OK;
	case OPT_SYMBOL:
		o->symbol = optarg;
		return CLI_OK;
	case OPT_SOURCE:
		o->feeder.source = optarg;
		return CLI_OK;
	case OPT_TIME:
		o->time = optarg;
		return CLI_OK;
	case OPT_DATE:
		o->date = optarg;
		return CLI_OK;
	case OPT_ZONE:
		o->zone = optarg;
		return CLI_OK;
	case OPT_PRODUCER:
		o->feeder.producer = optarg;
		return CLI_OK;
	case OPT_QUIET:
		o->quiet = true;
		return CLI_OK;
	default:
		return take_checked(c, o, option);
	}
}

/* --time, or what --date and --zone mean without it. */
static int map_time(const struct feed_options *o, struct mapping *m)
{
	char spec[160];

	if (o->time != NULL && (o->date != NULL || o->zone != NULL))
		return err_set(-EINVAL,
			       "--time says it all: no --date, no --zone then");
	if (o->time != NULL)
		return mapping_time(m, o->time);
	if (o->date != NULL)
		(void)snprintf(spec, sizeof(spec), "ms@%s%s%s", o->date,
			       o->zone ? "@" : "", o->zone ? o->zone : "");
	else if (o->zone != NULL)
		(void)snprintf(spec, sizeof(spec), "local@%s", o->zone);
	else
		return 0;
	return mapping_time(m, spec);
}

static int make_mapping(const struct feed_options *o, struct mapping *m)
{
	char constant[MAPPING_VALUE_MAX + 8];
	int rc = 0;

	mapping_init(m);
	if (o->delimiter != '\0')
		m->delimiter = o->delimiter;
	if (o->map != NULL)
		rc = mapping_columns(m, o->map);
	if (rc == 0 && o->symbol != NULL) {
		if (!symbol_valid(o->symbol, strlen(o->symbol)))
			rc = err_set(-EINVAL,
				     "'%s' is no symbol: up to %d of A-Z 0-9 . _ : / -",
				     o->symbol, SYMBOL_MAX);
		else
			(void)snprintf(constant, sizeof(constant), "symbol=%s",
				       o->symbol);
		if (rc == 0)
			rc = mapping_constants(m, constant);
	}
	return rc < 0 ? rc : map_time(o, m);
}

static void wipe(struct feed_job *j)
{
	if (j->draws)
		(void)fputs("\r\033[K", stderr);
	j->draws = false;
}

static void draw(struct feed_job *j)
{
	char text[PROGRESS_TEXT_MAX];
	int64_t now_ns = clock_mono_ns();
	uint64_t bytes, total;

	progress_add(&j->progress, now_ns, j->ticks);
	if (j->o.quiet || now_ns - j->drawn_ns < REDRAW_NS || !isatty(STDERR_FILENO))
		return;
	lines_progress(j->lines, &bytes, &total);
	(void)progress_print(&j->progress, now_ns, j->ticks, bytes, total, text);
	(void)fprintf(stderr, "\r\033[K%s", text);
	j->draws = true;
	j->drawn_ns = now_ns;
}

static int on_bad(void *arg, uint64_t line, const char *why)
{
	struct feed_job *j = arg;

	if (++j->bad > BAD_SHOWN_MAX)
		return 0;
	wipe(j);
	(void)fprintf(stderr, "%s:%llu: %s\n", j->file, (unsigned long long)line, why);
	if (j->bad == BAD_SHOWN_MAX)
		(void)fprintf(stderr, "further bad lines are only counted\n");
	return 0;
}

/* Wait until the tick is due: what is gathered goes out first, and a stop ends it. */
static int keep_pace(struct feed_job *j, int64_t event_ns)
{
	for (;;) {
		int64_t wait_ns = pace_wait_ns(&j->pace, event_ns, clock_mono_ns());
		int64_t wait_ms = wait_ns / NS_PER_MS;
		int rc;

		if (wait_ms <= 0)
			return 0;
		if (wait_ms > IDLE_MS) {
			rc = feeder_flush(j->feeder);
			if (rc != 0)
				return rc;
		}
		draw(j);
		if (cli_stopped(j->cli, wait_ms > 200 ? 200 : (int)wait_ms))
			return FEEDER_STOPPED;
	}
}

static int on_tick(void *arg, const struct feed_tick *t)
{
	struct feed_job *j = arg;

	if (j->pace.speed_milli != 0) {
		int rc = keep_pace(j, t->rec.event_ns);

		if (rc != 0)
			return rc;
	}
	j->ticks++;
	return feeder_add(j->feeder, t);
}

static int on_clock(void *arg, int64_t ns)
{
	struct feed_job *j = arg;

	j->clocks++;
	return feeder_clock(j->feeder, ns);
}

static bool is_jsonl(const struct feed_job *j)
{
	static const char *const ends[] = {".jsonl", ".ndjson", ".json"};
	size_t len = strlen(j->file);

	if (j->o.format != FORMAT_BY_NAME)
		return j->o.format == FORMAT_JSONL;
	if (len > 3 && strcmp(j->file + len - 3, ".gz") == 0)
		len -= 3;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t n = strlen(ends[i]);

		if (len > n && memcmp(j->file + len - n, ends[i], n) == 0)
			return true;
	}
	return false;
}

/* Both readers behind one face. */
struct reader {
	struct csv *csv;
	struct jsonl *jsonl;
};

static int reader_step(struct reader *r, const struct feed_sink *sink)
{
	return r->csv != NULL ? csv_step(r->csv, sink, STEP_LINES)
			      : jsonl_step(r->jsonl, sink, STEP_LINES);
}

static int read_lines(struct feed_job *j, struct reader *r)
{
	const struct feed_sink sink = {j, on_tick, on_bad, on_clock};
	int rc;

	do {
		rc = reader_step(r, &sink);
		draw(j);
		if (rc >= 0 && cli_stopped(j->cli, 0))
			return FEEDER_STOPPED;
	} while (rc == 0);
	return rc == FEED_END ? feeder_flush(j->feeder) : rc;
}

/* 0, FEEDER_STOPPED, or < 0. */
static int feed_file(struct feed_job *j, const char *path)
{
	struct reader r = {0};
	struct mapping m;
	int rc;

	j->file = strcmp(path, "-") == 0 ? "stdin" : path;
	rc = make_mapping(&j->o, &m);
	if (rc == 0)
		rc = lines_open(path, LINES_MAX_DEFAULT, &j->lines);
	if (rc == 0)
		rc = is_jsonl(j) ? jsonl_new(j->lines, &m, &r.jsonl)
				 : csv_new(j->lines, &m, &r.csv);
	if (rc == 0)
		rc = read_lines(j, &r);
	wipe(j);
	csv_free(r.csv);
	jsonl_free(r.jsonl);
	lines_close(j->lines);
	j->lines = NULL;
	mapping_deinit(&m);
	return rc;
}

static void report(const struct feed_job *j)
{
	const struct feeder_counts *n = feeder_counts(j->feeder);
	double seconds = (double)(clock_mono_ns() - j->progress.begin_ns) / 1e9;
	char sent[32], rate[32];

	(void)progress_thousands(sent, j->ticks);
	(void)progress_thousands(rate, (uint64_t)((double)j->ticks / (seconds + 1e-9)));
	printf("%s ticks in %.1f s (%s/s): %llu accepted, %llu duplicate, %llu "
	       "rejected; "
	       "%llu bad lines; log position %llu%s\n",
	       sent, seconds, rate, (unsigned long long)n->accepted,
	       (unsigned long long)n->duplicate, (unsigned long long)n->rejected,
	       (unsigned long long)j->bad, (unsigned long long)n->last_pos,
	       n->is_synced ? ", synced" : "");
	for (unsigned r = 0; r < REJECT_N; r++)
		if (n->by_reason[r] > 0)
			printf("  %s: %llu\n", tickbus_reason_name(r),
			       (unsigned long long)n->by_reason[r]);
}

/* What ended the run, as an exit code. */
static int conclude(struct feed_job *j, int rc)
{
	const struct feeder_counts *n = feeder_counts(j->feeder);

	if (rc == 0 && j->o.settle_ns > 0 && n->accepted > 0)
		rc = feeder_clock(j->feeder, n->newest_ns + j->o.settle_ns);
	report(j);
	if (rc == 0)
		return n->rejected + j->bad > 0 ? CLI_NEGATIVE : CLI_OK;
	if (rc == FEEDER_STOPPED)
		return cli_error(
			CLI_NEGATIVE,
			"stopped; the same command with --producer %s sends the rest",
			feeder_producer(j->feeder));
	if (rc == -ETIMEDOUT || rc == -EAGAIN || rc == -ECONNREFUSED ||
	    rc == -ECONNRESET)
		return cli_error(
			CLI_UNAVAILABLE,
			"tickbusd takes no ticks (%s); is it running? The same "
			"command with --producer %s sends the rest",
			err_text(), feeder_producer(j->feeder));
	if (rc == -EINVAL)
		return cli_error(CLI_USAGE, "%s: %s", j->file, err_text());
	if (rc == -EPROTO || rc == -ENOMEM)
		return cli_error(CLI_INTERNAL, "%s", err_text());
	return cli_error(CLI_IO, "%s: %s", j->file, err_text());
}

static int feed_all(struct feed_job *j, int n_files, char **files)
{
	int rc = cli_catch_stop(j->cli);

	if (rc < 0)
		return cli_error(CLI_INTERNAL, "signalfd: %s", strerror(-rc));
	rc = feeder_new(j->cli, &j->o.feeder, &j->feeder);
	if (rc < 0)
		return cli_error(rc == -ENOMEM ? CLI_INTERNAL : CLI_USAGE, "%s",
				 err_text());
	pace_init(&j->pace, j->o.speed_milli, 0);
	progress_init(&j->progress, clock_mono_ns());
	for (int i = 0; i < n_files && rc == 0; i++)
		rc = feed_file(j, files[i]);
	rc = conclude(j, rc);
	feeder_free(j->feeder);
	return rc;
}

int cmd_feed(struct cli *c, int argc, char **argv)
{
	struct feed_job j = {
		.cli = c,
		.o = {.settle_ns = 120 * NS_PER_S,
		      .feeder = {.source = "file",
				 .batch_max = 1000,
				 .patience_ns = PATIENCE_NS}},
	};
	struct mapping m;
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		rc = take(c, &j.o, option);
		if (rc != CLI_OK)
			return rc;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind == argc)
		return cli_usage_error(c, "name a file, or - for standard input");
	/* Mistakes of the command line are told before anything is opened. */
	rc = make_mapping(&j.o, &m);
	mapping_deinit(&m);
	if (rc < 0)
		return cli_usage_error(c, "%s", err_text());
	return feed_all(&j, argc - optind, argv + optind);
}
