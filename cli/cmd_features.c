/* cmd_features - features: a row of tsfresh's features per symbol. */
#include "cli/feature_source.h"
#include "cli/job_order.h"
#include "cli/worknote.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_SYMBOLS = 1,
	OPT_CSV,
	OPT_FIELD,
	OPT_WINDOW,
	OPT_SET,
	OPT_FLAVOUR,
	OPT_IMPUTE,
	OPT_FORMAT,
	OPT_THREADS,
	OPT_OUT,
	OPT_TIMEFRAME,
	OPT_START,
	OPT_END,
	OPT_SOURCE,
	OPT_JOB,
	OPT_FOLLOW,
	OPTIONS
};

static const struct option longs[] = {
	{"symbols", required_argument, NULL, OPT_SYMBOLS},
	{"csv", required_argument, NULL, OPT_CSV},
	{"field", required_argument, NULL, OPT_FIELD},
	{"window", required_argument, NULL, OPT_WINDOW},
	{"set", required_argument, NULL, OPT_SET},
	{"flavour", required_argument, NULL, OPT_FLAVOUR},
	{"impute", no_argument, NULL, OPT_IMPUTE},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"out", required_argument, NULL, OPT_OUT},
	{"timeframe", required_argument, NULL, OPT_TIMEFRAME},
	{"start", required_argument, NULL, OPT_START},
	{"end", required_argument, NULL, OPT_END},
	{"source", required_argument, NULL, OPT_SOURCE},
	{"job", no_argument, NULL, OPT_JOB},
	{"follow", no_argument, NULL, OPT_FOLLOW},
	{0}};

struct features {
	const char *values[OPTIONS];
	uint64_t threads;
	bool is_json, is_return;
	struct feature_frame frame;
	struct feature_watch watch;
	struct feature_wish wish;
};

static int read_words(struct cli *c, struct features *x)
{
	const char *field = x->values[OPT_FIELD], *format = x->values[OPT_FORMAT];

	x->is_json = format != NULL && strcmp(format, "json") == 0;
	if (format != NULL && !x->is_json && strcmp(format, "csv") != 0)
		return cli_usage_error(c, "there is no format '%s': take csv or json",
				       format);
	x->is_return = field != NULL && strcmp(field, "return") == 0;
	if (field != NULL && !x->is_return && strcmp(field, "close") != 0 &&
	    strcmp(field, "volume") != 0)
		return cli_usage_error(
			c, "there is no field '%s': take close, return or volume",
			field);
	x->wish.column = field == NULL || x->is_return ? "close" : field;
	if (x->values[OPT_SET] != NULL &&
	    tsf_set_parse(x->values[OPT_SET], &x->frame.set) < 0)
		return cli_usage_error(c, "%s", err_text());
	if (x->values[OPT_FLAVOUR] != NULL &&
	    tsf_flavour_parse(x->values[OPT_FLAVOUR], &x->frame.flavour) < 0)
		return cli_usage_error(c, "%s", err_text());
	return CLI_OK;
}

static int read_numbers(struct cli *c, struct features *x)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t window = 500;

	x->threads = processors < 1 ? 1 : (uint64_t)processors;
	if (x->threads > FEATURE_THREADS_MAX)
		x->threads = FEATURE_THREADS_MAX;
	if (x->values[OPT_THREADS] != NULL &&
	    !cli_number(x->values[OPT_THREADS], 1, FEATURE_THREADS_MAX, &x->threads))
		return cli_usage_error(c, "--threads takes 1 to %d",
				       FEATURE_THREADS_MAX);
	if (x->values[OPT_WINDOW] != NULL &&
	    !cli_number(x->values[OPT_WINDOW], 1, TSF_LENGTH_MAX, &window))
		return cli_usage_error(c, "--window takes 1 to %u", TSF_LENGTH_MAX);
	x->frame.window = window;
	return CLI_OK;
}

static int read_line(struct cli *c, int argc, char **argv, struct features *x)
{
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0)
		x->values[option] = optarg != NULL ? optarg : "";
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OPTION_HELP : CLI_USAGE;
	x->wish.bars = (struct history_wish){.timeframe = x->values[OPT_TIMEFRAME],
					     .source = x->values[OPT_SOURCE],
					     .start = x->values[OPT_START],
					     .end = x->values[OPT_END]};
	rc = read_words(c, x);
	return rc == CLI_OK ? read_numbers(c, x) : rc;
}

static int add_symbols(struct cli *c, struct features *x)
{
	const char *at = x->values[OPT_SYMBOLS];

	while (at != NULL && *at != '\0') {
		size_t len = strcspn(at, ",");
		char symbol[SYMBOL_MAX + 2];

		(void)snprintf(symbol, sizeof(symbol), "%.*s", (int)len, at);
		if (len > 0 && feature_frame_row(&x->frame, symbol, true) == NULL)
			return cli_usage_error(c, "%s", err_text());
		at += len + (at[len] == ',');
	}
	x->wish.only_named = x->frame.n > 0;
	return CLI_OK;
}

static int collect(struct cli *c, struct features *x)
{
	int rc;

	if (x->values[OPT_CSV] == NULL)
		return feature_source_daemon(c, &x->wish, &x->frame);
	rc = feature_source_csv(x->values[OPT_CSV], &x->wish, &x->frame);
	if (rc < 0)
		return cli_error(rc == -EINVAL || rc == -E2BIG ? CLI_USAGE : CLI_IO,
				 "%s", err_text());
	return CLI_OK;
}

static int write_out(const struct features *x)
{
	const char *path = x->values[OPT_OUT];
	FILE *out = path == NULL ? stdout : fopen(path, "w");
	bool bad;

	if (out == NULL)
		return cli_error(CLI_IO, "%s: %s", path, strerror(errno));
	if (x->is_json)
		feature_frame_json(&x->frame, out);
	else
		feature_frame_csv(&x->frame, out);
	bad = fflush(out) != 0 || ferror(out) != 0;
	if (out != stdout)
		bad = fclose(out) != 0 || bad;
	if (bad)
		return cli_error(CLI_IO, "%s cannot be written: %s",
				 path == NULL ? "the output" : path, strerror(errno));
	return CLI_OK;
}

/* What has no features, and why; the exit code says that there is some. */
static int say_failed(const struct feature_frame *f)
{
	int code = CLI_OK;

	for (size_t i = 0; i < f->n; i++) {
		if (f->rows[i].reason[0] == '\0')
			continue;
		code = cli_error(CLI_NEGATIVE, "%s: %s", f->rows[i].symbol,
				 f->rows[i].reason);
	}
	return code;
}

/* ---- as a job of the daemon ---- */

static int order(struct cli *c, struct features *x)
{
	const struct job_how how = {x->values[OPT_OUT], x->values[OPT_FOLLOW] != NULL};
	struct job_order o;

	if (x->values[OPT_CSV] != NULL || x->values[OPT_THREADS] != NULL)
		return cli_usage_error(
			c, "--job is computed by the daemon, of its bars and on its "
			   "threads: no --csv, no --threads");
	job_order_begin(&o, "features", NULL, x->is_json ? "json" : "csv");
	for (int i = OPT_FIELD; i <= OPT_SOURCE; i++)
		if (i != OPT_FORMAT && i != OPT_OUT && i != OPT_THREADS)
			job_order_option(&o, longs[i - 1].name, x->values[i]);
	for (size_t i = 0; i < x->frame.n; i++)
		job_order_symbol(&o, x->frame.rows[i].symbol);
	return job_order_run(c, &o, &how);
}

static void on_begin(void *arg, size_t i)
{
	worknote_begin(arg, i);
}

static void on_leave(void *arg, size_t i)
{
	worknote_leave(arg, i);
}

static void on_made(void *arg, size_t i, const char *reason)
{
	worknote_row(arg, i, reason);
}

/* Rows that the process died at have their reason before anybody looks at them. */
static void leave_out(const struct cli *c, struct feature_frame *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *reason = worknote_aside(c->note, i);

		if (reason != NULL)
			(void)snprintf(f->rows[i].reason, sizeof(f->rows[i].reason),
				       "%s", reason);
	}
}

static int extract(struct cli *c, struct features *x)
{
	int rc = add_symbols(c, x);

	x->watch = (struct feature_watch){on_begin, on_leave, on_made, c->note};
	if (c->note != NULL)
		x->frame.watch = &x->watch;
	leave_out(c, &x->frame);
	if (rc == CLI_OK && x->values[OPT_CSV] == NULL && x->frame.n == 0)
		rc = cli_usage_error(c,
				     "there is no symbol: --symbols A,B or --csv FILE");
	if (rc == CLI_OK && x->values[OPT_JOB] != NULL)
		return order(c, x);
	if (rc == CLI_OK)
		rc = collect(c, x);
	if (rc != CLI_OK)
		return rc;
	if (x->is_return)
		feature_frame_returns(&x->frame);
	if (feature_frame_compute(&x->frame, (unsigned)x->threads) < 0)
		return cli_error(CLI_INTERNAL, "%s", err_text());
	if (x->values[OPT_IMPUTE] != NULL && feature_frame_impute(&x->frame) < 0)
		return cli_error(CLI_INTERNAL, "%s", err_text());
	rc = write_out(x);
	return rc == CLI_OK ? say_failed(&x->frame) : rc;
}

static void print_names(enum tsf_set set)
{
	char name[TSF_NAME_MAX];

	for (size_t i = 0; i < tsf_count(set); i++) {
		tsf_name(set, i, name);
		printf("%s\n", name);
	}
}

int cmd_features(struct cli *c, int argc, char **argv)
{
	struct features x = {.frame = {.set = TSF_EFFICIENT}};
	int rc;

	cli_lengthen(argc, argv);
	rc = read_line(c, argc, argv, &x);
	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	if (optind + 1 == argc && strcmp(argv[optind], "names") == 0)
		print_names(x.frame.set);
	else if (optind + 1 == argc && strcmp(argv[optind], "extract") == 0)
		rc = extract(c, &x);
	else
		rc = cli_usage_error(c, "say what: extract or names");
	feature_frame_free(&x.frame);
	return rc;
}
