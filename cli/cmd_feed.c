/*
 * cmd_feed - files to the daemon.  A line that is no tick is named and passed over; a
 * tick that the daemon refuses is counted by reason; all else is sent exactly once.
 *
 * Several files are merged by time, as if they were one.
 *
 * At the end the log's clock is let pass the last tick (--settle), so that the last
 * bars close: a daemon that reads the wall's clock refuses that, and needs it not.
 */
#include "base/clock.h"
#include "base/err.h"
#include "cli/feed_options.h"
#include "cli/feeder.h"
#include "cli/progress.h"
#include "feeds/csv.h"
#include "feeds/dbn_file.h"
#include "feeds/jsonl.h"
#include "feeds/pace.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_LINES    1000
#define BAD_SHOWN_MAX 20
#define REDRAW_NS     (NS_PER_S / 5)
#define IDLE_MS       50 /* of a pause, before the batch so far is sent */

/* What stops a reader after each tick. */
enum { FILE_PAUSE = FEEDER_STOPPED + 1 };

/* A file being read, one tick ahead. */
struct feed_file {
	struct feed_job *job;
	const char *name;
	struct lines *lines;
	struct mapping mapping;
	struct csv *csv;
	struct jsonl *jsonl;
	struct dbn_file *dbn;
	struct feed_tick tick; /* the next one */
	bool has_tick;
};

struct feed_job {
	struct cli *cli;
	struct feed_options o;
	struct feeder *feeder;
	struct pace pace;
	struct progress progress;
	struct feed_file *files; /* owned */
	size_t n_files;
	const char *culprit; /* the file that ended the run */
	int64_t drawn_ns;
	uint64_t ticks;
	uint64_t bad;
	bool draws; /* a progress line is on the screen's last row */
};

static void wipe(struct feed_job *j)
{
	if (j->draws)
		(void)fputs("\r\033[K", stderr);
	j->draws = false;
}

/* Over all files; unknown as soon as one is. */
static void all_progress(const struct feed_job *j, uint64_t *out_bytes,
			 uint64_t *out_total)
{
	bool known = true;

	*out_bytes = *out_total = 0;
	for (size_t i = 0; i < j->n_files; i++) {
		uint64_t bytes = 0, total = 0;

		if (j->files[i].dbn != NULL)
			dbn_file_progress(j->files[i].dbn, &bytes, &total);
		else
			lines_progress(j->files[i].lines, &bytes, &total);
		known = known && total > 0;
		*out_bytes += bytes;
		*out_total += total;
	}
	if (!known)
		*out_total = 0;
}

static void draw(struct feed_job *j)
{
	char text[PROGRESS_TEXT_MAX];
	int64_t now_ns = clock_mono_ns();
	uint64_t bytes, total;

	progress_add(&j->progress, now_ns, j->ticks);
	if (j->o.quiet || now_ns - j->drawn_ns < REDRAW_NS || !isatty(STDERR_FILENO))
		return;
	all_progress(j, &bytes, &total);
	(void)progress_print(&j->progress, now_ns, j->ticks, bytes, total, text);
	(void)fprintf(stderr, "\r\033[K%s", text);
	j->draws = true;
	j->drawn_ns = now_ns;
}

static int on_bad(void *arg, uint64_t line, const char *why)
{
	struct feed_file *f = arg;
	struct feed_job *j = f->job;

	if (++j->bad > BAD_SHOWN_MAX)
		return 0;
	wipe(j);
	(void)fprintf(stderr, "%s:%llu: %s\n", f->name, (unsigned long long)line, why);
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

/* One tick at a time: the files are merged by time. */
static int on_tick(void *arg, const struct feed_tick *t)
{
	struct feed_file *f = arg;

	f->tick = *t;
	f->has_tick = true;
	return FILE_PAUSE;
}

/* DBN says itself where what is and when. */
static int dbn_open(struct feed_file *f, const struct feed_options *o, const char *path)
{
	if (o->map || o->time || o->date || o->zone || o->delimiter)
		return err_set(
			-EINVAL,
			"it is DBN: --map, --time, --date, --zone and --delimiter "
			"are for text");
	return dbn_file_open(path, o->symbol, &f->dbn);
}

static int file_open(struct feed_file *f, struct feed_job *j, const char *path)
{
	enum feed_format format;
	int rc;

	f->job = j;
	f->name = strcmp(path, "-") == 0 ? "stdin" : path;
	format = feed_options_format(&j->o, f->name);
	rc = feed_options_mapping(&j->o, &f->mapping);
	if (rc == 0 && format == FORMAT_DBN)
		return dbn_open(f, &j->o, path);
	if (rc == 0)
		rc = lines_open(path, LINES_MAX_DEFAULT, &f->lines);
	if (rc == 0)
		rc = format == FORMAT_JSONL
			     ? jsonl_new(f->lines, &f->mapping, &f->jsonl)
			     : csv_new(f->lines, &f->mapping, &f->csv);
	return rc;
}

static void file_close(struct feed_file *f)
{
	csv_free(f->csv);
	jsonl_free(f->jsonl);
	dbn_file_close(f->dbn);
	lines_close(f->lines);
	mapping_deinit(&f->mapping);
}

static int file_step(struct feed_file *f, const struct feed_sink *sink)
{
	if (f->dbn != NULL)
		return dbn_file_step(f->dbn, sink);
	if (f->csv != NULL)
		return csv_step(f->csv, sink, STEP_LINES);
	return jsonl_step(f->jsonl, sink, STEP_LINES);
}

/* Read on to the next tick: 0 (also at the end), FEEDER_STOPPED, or < 0. */
static int file_next(struct feed_file *f)
{
	const struct feed_sink sink = {.arg = f, .tick = on_tick, .bad = on_bad};
	int rc;

	f->has_tick = false;
	do {
		rc = file_step(f, &sink);
		/* A thousand bad lines: the user may have had enough. */
		if (rc == 0 && cli_stopped(f->job->cli, 0))
			return FEEDER_STOPPED;
	} while (rc == 0);
	if (rc < 0)
		f->job->culprit = f->name;
	return rc == FILE_PAUSE || rc == FEED_END ? 0 : rc;
}

/* The file whose next tick is the oldest; of equals the one named first. */
static struct feed_file *oldest(struct feed_job *j)
{
	struct feed_file *best = NULL;

	for (size_t i = 0; i < j->n_files; i++) {
		struct feed_file *f = &j->files[i];

		if (f->has_tick &&
		    (best == NULL || f->tick.rec.event_ns < best->tick.rec.event_ns))
			best = f;
	}
	return best;
}

static int send_all(struct feed_job *j)
{
	struct feed_file *f;
	int rc = 0;

	for (size_t i = 0; i < j->n_files && rc == 0; i++)
		rc = file_next(&j->files[i]);
	while (rc == 0 && (f = oldest(j)) != NULL) {
		if (j->pace.speed_milli != 0)
			rc = keep_pace(j, f->tick.rec.event_ns);
		if (rc == 0) {
			j->ticks++;
			rc = feeder_add(j->feeder, &f->tick);
		}
		if (rc == 0)
			rc = file_next(f);
		if (j->ticks % STEP_LINES == 0) {
			draw(j);
			if (rc == 0 && cli_stopped(j->cli, 0))
				rc = FEEDER_STOPPED;
		}
	}
	wipe(j);
	return rc == 0 ? feeder_flush(j->feeder) : rc;
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
	if (n->by_reason[REJECT_TIME_TOO_OLD] + n->by_reason[REJECT_TIME_IN_FUTURE] > 0)
		printf("  (recordings need a daemon with 'clock: mode: feed', and "
		       "lines in "
		       "order of time)\n");
}

/* What ended the run, as an exit code. */
static int conclude(struct feed_job *j, int rc)
{
	const struct feeder_counts *n = feeder_counts(j->feeder);
	enum reject_reason reason;

	if (rc == 0 && j->o.settle_ns > 0 && n->accepted > 0)
		rc = feeder_clock(j->feeder, n->newest_ns + j->o.settle_ns, &reason);
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
		return cli_error(CLI_USAGE, "%s: %s", j->culprit, err_text());
	if (rc == -EPROTO || rc == -ENOMEM)
		return cli_error(CLI_INTERNAL, "%s", err_text());
	return cli_error(CLI_IO, "%s: %s", j->culprit, err_text());
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
	j->files = calloc((size_t)n_files, sizeof(*j->files));
	pace_init(&j->pace, j->o.speed_milli, 0);
	progress_init(&j->progress, clock_mono_ns());
	if (j->files == NULL) {
		feeder_free(j->feeder);
		return cli_error(CLI_INTERNAL, "no memory for %d files", n_files);
	}
	while (rc == 0 && j->n_files < (size_t)n_files) {
		rc = file_open(&j->files[j->n_files], j, files[j->n_files]);
		j->culprit = j->files[j->n_files++].name;
	}
	if (rc == 0)
		rc = send_all(j);
	rc = conclude(j, rc);
	for (size_t i = 0; i < j->n_files; i++)
		file_close(&j->files[i]);
	free(j->files);
	feeder_free(j->feeder);
	return rc;
}

int cmd_feed(struct cli *c, int argc, char **argv)
{
	struct feed_job j = {.cli = c};
	int rc = feed_options_parse(&j.o, c, argc, argv);

	return rc < 0 ? feed_all(&j, argc - optind, argv + optind) : rc;
}
