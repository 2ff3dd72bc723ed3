/*
 * cmd_report - report: prices, indicators and news of many symbols, side by side.
 *
 * One pass: each symbol is asked for once, by one of the workers, which computes what
 * can be said of it while the others ask.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/timetext.h"
#include "cli/job_order.h"
#include "cli/live_source.h"
#include "cli/portfolio_file.h"
#include "cli/render.h"
#include "cli/report_gather.h"
#include "cli/scorer.h"
#include "cli/worknote.h"
#include "proto/timeframe.h"
#include "report/html.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_SYMBOLS = 1,
	OPT_PORTFOLIO,
	OPT_JSON,
	OPT_HTML,
	OPT_WORKERS,
	OPT_WINDOW,
	OPT_TIMEFRAME,
	OPT_START,
	OPT_END,
	OPT_ADJUST,
	OPT_SOURCE,
	OPT_NEWS_WINDOW,
	OPT_HALF,
	OPT_REPEAT,
	OPT_ARTICLES,
	OPT_CHARTS,
	OPT_HISTORY,
	OPT_VADER,
	OPT_OUT,
	OPT_JOB,
	OPT_FOLLOW,
	OPTIONS
};

static const struct option longs[] = {
	{"symbols", required_argument, NULL, OPT_SYMBOLS},
	{"portfolio", required_argument, NULL, OPT_PORTFOLIO},
	{"json", no_argument, NULL, OPT_JSON},
	{"html", required_argument, NULL, OPT_HTML},
	{"workers", required_argument, NULL, OPT_WORKERS},
	{"window", required_argument, NULL, OPT_WINDOW},
	{"timeframe", required_argument, NULL, OPT_TIMEFRAME},
	{"start", required_argument, NULL, OPT_START},
	{"end", required_argument, NULL, OPT_END},
	{"adjust", required_argument, NULL, OPT_ADJUST},
	{"source", required_argument, NULL, OPT_SOURCE},
	{"news-window", required_argument, NULL, OPT_NEWS_WINDOW},
	{"half-life", required_argument, NULL, OPT_HALF},
	{"repeat", required_argument, NULL, OPT_REPEAT},
	{"articles", required_argument, NULL, OPT_ARTICLES},
	{"charts", required_argument, NULL, OPT_CHARTS},
	{"history", no_argument, NULL, OPT_HISTORY},
	{"vader", required_argument, NULL, OPT_VADER},
	{"out", required_argument, NULL, OPT_OUT},
	{"job", no_argument, NULL, OPT_JOB},
	{"follow", no_argument, NULL, OPT_FOLLOW},
	{0}};

struct order {
	const char *values[OPTIONS];
	uint64_t workers, charts;
	struct report report;
	struct portfolio portfolio;
	struct buf vendors; /* names with their NULs */
	const char *sources[REPORT_SOURCES_MAX];
	struct sentiment *scorers[REPORT_WORKERS_MAX];
	struct live_source live;
	struct gather gather;
};

/* ---- the command line ---- */

static int read_number(struct cli *c, const struct order *o, int option, uint64_t min,
		       uint64_t max, uint64_t *out)
{
	if (o->values[option] == NULL || cli_number(o->values[option], min, max, out))
		return CLI_OK;
	return cli_usage_error(c, "--%s takes %llu to %llu", longs[option - 1].name,
			       (unsigned long long)min, (unsigned long long)max);
}

static int read_duration(struct cli *c, const struct order *o, int option, int64_t *out)
{
	const char *text = o->values[option];

	if (text == NULL ||
	    (timetext_duration(text, strlen(text), out) == 0 && *out > 0))
		return CLI_OK;
	return cli_usage_error(c, "--%s: '%s' is no duration like 12h",
			       longs[option - 1].name, text);
}

static int read_numbers(struct cli *c, struct order *o)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct report *r = &o->report;
	uint64_t window = 252, articles = 5;
	int rc;

	o->workers = processors < 1 ? 1 : (uint64_t)processors;
	if (o->workers > REPORT_WORKERS_MAX)
		o->workers = REPORT_WORKERS_MAX;
	o->charts = 24;
	r->news_ns = 30 * 24 * 3600 * NS_PER_S;
	r->half_life_ns = r->repeat_ns = 24 * 3600 * NS_PER_S;
	if ((rc = read_number(c, o, OPT_WORKERS, 1, REPORT_WORKERS_MAX, &o->workers)) ||
	    (rc = read_number(c, o, OPT_WINDOW, 1, REPORT_WINDOW_MAX, &window)) ||
	    (rc = read_number(c, o, OPT_ARTICLES, 0, 1000, &articles)) ||
	    (rc = read_number(c, o, OPT_CHARTS, 0, 1000, &o->charts)) ||
	    (rc = read_duration(c, o, OPT_NEWS_WINDOW, &r->news_ns)) ||
	    (rc = read_duration(c, o, OPT_HALF, &r->half_life_ns)) ||
	    (rc = read_duration(c, o, OPT_REPEAT, &r->repeat_ns)))
		return rc;
	r->window = window;
	r->articles = articles;
	return CLI_OK;
}

static int read_words(struct cli *c, struct order *o)
{
	const char **v = o->values;
	int64_t ns;

	if (v[OPT_TIMEFRAME] == NULL)
		v[OPT_TIMEFRAME] = "1d";
	if (v[OPT_ADJUST] == NULL)
		v[OPT_ADJUST] = "raw";
	o->report.step_s =
		timeframe_parse_any(v[OPT_TIMEFRAME], strlen(v[OPT_TIMEFRAME]));
	if (o->report.step_s == 0)
		return cli_usage_error(c, "--timeframe: '%s' is not one of 1s .. 1d",
				       v[OPT_TIMEFRAME]);
	v[OPT_TIMEFRAME] = timeframe_name(o->report.step_s);
	if (strcmp(v[OPT_ADJUST], "raw") != 0 && strcmp(v[OPT_ADJUST], "split") != 0 &&
	    strcmp(v[OPT_ADJUST], "all") != 0)
		return cli_usage_error(c, "--adjust: '%s' is not raw, split or all",
				       v[OPT_ADJUST]);
	for (int i = OPT_START; i <= OPT_END; i++)
		if (v[i] != NULL && timetext_parse_day(v[i], &ns) != 0)
			return cli_usage_error(c,
					       "--%s: '%s' is not a day like "
					       "2024-01-02 or a time like "
					       "2024-01-02T14:30:00Z",
					       longs[i - 1].name, v[i]);
	o->report.history = v[OPT_HISTORY] != NULL;
	return CLI_OK;
}

static int read_line(struct cli *c, int argc, char **argv, struct order *o)
{
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0)
		o->values[option] = optarg != NULL ? optarg : "";
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OPTION_HELP : CLI_USAGE;
	o->report.flow = optind + 1 == argc ? report_flow_parse(argv[optind]) : FLOWS;
	if (o->report.flow == FLOWS)
		return cli_usage_error(c, "say which: technical, news, pricing, "
					  "comprehensive or combined");
	o->report.parts = report_flow_parts(o->report.flow);
	rc = read_words(c, o);
	return rc == CLI_OK ? read_numbers(c, o) : rc;
}

/* ---- which symbols, which sources ---- */

/* Calls @fn with each name of a list "A,B"; stops when it returns other than 0. */
static int each_name(const char *list, int (*fn)(struct order *o, const char *name),
		     struct order *o)
{
	int rc = 0;

	while (list != NULL && *list != '\0' && rc == 0) {
		size_t len = strcspn(list, ",");
		char name[64];

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, list);
		if (len > 0)
			rc = fn(o, name);
		list += len + (list[len] == ',');
	}
	return rc;
}

static int add_symbol(struct order *o, const char *name)
{
	return report_add(&o->report, name);
}

static int add_positions(struct order *o)
{
	size_t n;
	const struct portfolio_position *p = portfolio_positions(&o->portfolio, &n);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = report_add(&o->report, p[i].symbol);
	return rc;
}

static int read_symbols(struct cli *c, struct order *o)
{
	const char *path = o->values[OPT_PORTFOLIO];
	int rc = each_name(o->values[OPT_SYMBOLS], add_symbol, o);

	if (rc < 0)
		return cli_usage_error(c, "%s", err_text());
	if (path != NULL) {
		rc = portfolio_file_read(path, &o->portfolio);
		if (rc < 0)
			return cli_error(rc == -EINVAL ? CLI_USAGE : CLI_IO, "%s",
					 err_text());
		o->report.portfolio = &o->portfolio;
		if (add_positions(o) < 0)
			return cli_usage_error(c, "%s", err_text());
	}
	if (o->workers > o->report.n) /* nobody needs more */
		o->workers = o->report.n;
	if (o->report.n == 0)
		return cli_usage_error(
			c, "there is no symbol: --symbols A,B or --portfolio FILE");
	return CLI_OK;
}

static int add_vendor(struct order *o, const char *name)
{
	buf_add(&o->vendors, name, strlen(name) + 1);
	return 0;
}

/* By --source, else as the daemon's configuration has them. */
static int read_sources(struct cli *c, struct order *o)
{
	int rc = CLI_OK;

	if (o->values[OPT_SOURCE] != NULL)
		(void)each_name(o->values[OPT_SOURCE], add_vendor, o);
	else if (o->report.parts & REPORT_PRICING)
		rc = gather_vendors(c, &o->vendors);
	for (size_t at = 0;
	     at < o->vendors.len && o->report.n_sources < REPORT_SOURCES_MAX;) {
		const char *name = (const char *)o->vendors.data + at;

		o->sources[o->report.n_sources++] = name;
		at += strlen(name) + 1;
	}
	o->report.sources = o->sources;
	o->report.only_named = o->values[OPT_SOURCE] != NULL;
	return rc;
}

/* ---- the answer ---- */

/* As a table for people, out of the same answer. */
static void show_table(const struct order *o, struct buf *json)
{
	static const char *const columns[] = {"ticker",
					      "time",
					      "close",
					      "change",
					      "source",
					      "sma_20",
					      "rsi_14",
					      "bollinger_lower",
					      "bollinger_upper",
					      "macd_histogram",
					      "bars",
					      "article_count",
					      "avg_sentiment",
					      "weighted_sentiment",
					      "reason",
					      NULL};
	static const char *const lists[FLOWS] = {"technical_summary", "news",
						 "price_details", "combined_analysis",
						 "combined_analysis"};
	struct json_scan scan = {.at = buf_text(json)};
	struct json_token whole, rows, part, status;
	char text[16];

	scan.end = scan.at + json->len;
	if (!json_scan_value(&scan, &whole))
		return;
	if (query_member(&whole, lists[o->report.flow], &rows))
		(void)render_picked(stdout, &rows, columns);
	if (query_member(&whole, "portfolio", &part)) {
		printf("\n");
		if (query_member(&part, "positions", &rows))
			(void)render_table(stdout, &rows);
		printf("\n");
		if (query_member(&part, "totals", &rows))
			(void)render_table(stdout, &rows);
	}
	if (query_member(&whole, "status", &status))
		printf("\n%s: %zu symbols\n", query_text(&status, text, sizeof(text)),
		       o->report.n);
}

/* @path NULL or "-": standard output. */
static int write_text(const char *path, const struct buf *text)
{
	bool is_file = path != NULL && strcmp(path, "-") != 0;
	FILE *out = is_file ? fopen(path, "we") : stdout;
	bool bad;

	if (out == NULL)
		return cli_error(CLI_IO, "%s: %s", path, strerror(errno));
	bad = fwrite(text->data, 1, text->len, out) != text->len;
	bad = (is_file ? fclose(out) : fflush(out)) != 0 || bad;
	if (bad)
		return cli_error(CLI_IO, "%s cannot be written: %s",
				 is_file ? path : "the output", strerror(errno));
	return CLI_OK;
}

static int write_html(const struct order *o)
{
	struct buf html = {0};
	int rc;

	report_html(&o->report, o->charts, &html);
	rc = write_text(o->values[OPT_HTML], &html);
	buf_free(&html);
	return rc;
}

static const char *const part_names[REPORT_PARTS] = {"pricing", "technical", "news"};

/* What is not there, and why; the exit code says that there is some. */
static int say_failed(const struct order *o)
{
	const struct portfolio_refusal *bad;
	size_t n;
	int code = CLI_OK;

	bad = portfolio_refusals(&o->portfolio, &n);
	for (size_t i = 0; i < n; i++)
		code = cli_error(CLI_NEGATIVE, "%s: line %llu is not taken: %s",
				 o->values[OPT_PORTFOLIO],
				 (unsigned long long)bad[i].line, bad[i].reason);
	for (size_t i = 0; i < o->report.n; i++) {
		const struct report_symbol *s = &o->report.rows[i];

		for (size_t k = 0; k < REPORT_PARTS; k++)
			if (s->failed[k][0] != '\0')
				code = cli_error(CLI_NEGATIVE, "%s: %s: %s", s->symbol,
						 part_names[k], s->failed[k]);
	}
	return code;
}

static int answer(struct order *o, double seconds)
{
	struct buf json = {0};
	int rc = CLI_OK;

	report_json(&o->report, seconds, &json);
	if (o->values[OPT_JSON] != NULL)
		rc = write_text(o->values[OPT_OUT], &json);
	else if (o->values[OPT_HTML] == NULL)
		show_table(o, &json);
	buf_free(&json);
	if (rc == CLI_OK && o->values[OPT_HTML] != NULL)
		rc = write_html(o);
	return rc == CLI_OK ? say_failed(o) : rc;
}

/* ---- as a job of the daemon ---- */

/* One result, so one of the two; a file of ours cannot be read there, but holdings. */
static int order_it(struct cli *c, struct order *o)
{
	const char **v = o->values;
	const struct job_how how = {v[OPT_HTML] != NULL ? v[OPT_HTML] : v[OPT_OUT],
				    v[OPT_FOLLOW] != NULL};
	struct job_order job;
	int rc = CLI_OK;

	if ((v[OPT_JSON] != NULL) == (v[OPT_HTML] != NULL))
		return cli_usage_error(c,
				       "--job makes one file: --json or --html FILE");
	if (v[OPT_VADER] != NULL || v[OPT_WORKERS] != NULL)
		return cli_usage_error(
			c, "--job is computed by the daemon, with its lexicon and on "
			   "its threads: no --vader, no --workers");
	job_order_begin(&job, "report", report_flow_name(o->report.flow),
			v[OPT_JSON] != NULL ? "json" : "html");
	for (int i = OPT_WINDOW; i <= OPT_HISTORY; i++)
		job_order_option(&job, longs[i - 1].name, v[i]);
	for (size_t i = 0; i < o->report.n; i++)
		job_order_symbol(&job, o->report.rows[i].symbol);
	if (v[OPT_PORTFOLIO] != NULL)
		rc = job_order_holdings(&job, v[OPT_PORTFOLIO]);
	if (rc == CLI_OK)
		rc = job_order_run(c, &job, &how);
	job_order_free(&job);
	return rc;
}

static void on_begin(void *arg, const struct report *r, const struct report_symbol *s)
{
	struct order *o = arg;

	worknote_begin(o->gather.worker[0].note, (size_t)(s - r->rows));
}

/* "pricing: there is no bar; news: ...": why a row is not whole. */
static void on_made(void *arg, const struct report *r, const struct report_symbol *s)
{
	struct order *o = arg;
	struct buf why = {0};

	for (size_t k = 0; k < REPORT_PARTS; k++)
		if (s->failed[k][0] != '\0')
			buf_printf(&why, "%s%s: %s", why.len > 0 ? "; " : "",
				   part_names[k], s->failed[k]);
	worknote_row(o->gather.worker[0].note, (size_t)(s - r->rows), buf_text(&why));
	buf_free(&why);
}

static int load(void *arg, unsigned worker, const struct report *r,
		struct report_symbol *s)
{
	struct order *o = arg;

	return gather_load(&o->gather, worker, r, s);
}

/* ---- the whole ---- */

static int make(struct cli *c, struct order *o)
{
	const struct report_loader loader = {.load = load,
					     .arg = o,
					     .begin = c->note ? on_begin : NULL,
					     .made = c->note ? on_made : NULL};
	struct gather *g = &o->gather;
	int64_t began_ns = clock_mono_ns();
	int rc;

	g->live = &o->live;
	g->wish = (struct history_wish){.timeframe = o->values[OPT_TIMEFRAME],
					.adjust = o->values[OPT_ADJUST],
					.start = o->values[OPT_START],
					.end = o->values[OPT_END]};
	rc = gather_open(g, c, o->workers);
	if (rc == CLI_OK)
		rc = read_sources(&g->worker[0], o);
	if (rc == CLI_OK && (o->report.parts & REPORT_NEWS))
		rc = scorer_open_many(SENTIMENT_FINANCE, o->values[OPT_VADER],
				      o->workers, o->scorers);
	o->report.scorers = o->scorers;
	if (rc == CLI_OK)
		rc = live_source_load(&o->live, &g->worker[0], &g->wish, &o->report);
	if (rc == CLI_OK)
		rc = report_run(&o->report, &loader, (unsigned)o->workers);
	if (rc == CLI_OK)
		rc = answer(o, (double)(clock_mono_ns() - began_ns) / 1e9);
	gather_close(g);
	return rc;
}

int cmd_report(struct cli *c, int argc, char **argv)
{
	struct order *o = calloc(1, sizeof(*o));
	int rc;

	if (o == NULL)
		return cli_error(CLI_INTERNAL, "out of memory");
	cli_lengthen(argc, argv);
	rc = read_line(c, argc, argv, o);
	if (rc == CLI_OK)
		rc = read_symbols(c, o);
	if (rc == CLI_OK)
		rc = o->values[OPT_JOB] != NULL ? order_it(c, o) : make(c, o);
	live_source_free(&o->live);
	report_free(&o->report);
	portfolio_free(&o->portfolio);
	buf_free(&o->vendors);
	for (size_t i = 0; i < REPORT_WORKERS_MAX; i++)
		sentiment_free(o->scorers[i]);
	free(o);
	return rc == CLI_OPTION_HELP ? CLI_OK : rc;
}
