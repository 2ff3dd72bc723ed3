/* cmd_past - bars, quality, cache, index, vendors: what is known of the past, and of
 * whom. */
#include "base/buf.h"
#include "base/jsonw.h"
#include "cli/archive_run.h"
#include "cli/query.h"
#include "cli/render.h"
#include <stdio.h>
#include <string.h>

enum {
	OPT_START = 1,
	OPT_END,
	OPT_TIMEFRAME,
	OPT_SOURCE,
	OPT_ADJUST,
	OPT_JSON,
	OPT_CSV,
	OPT_ALL,
	OPT_STORE,
	OPT_ARCHIVE,
	OPTIONS
};

static const struct option longs[] = {
	{"start", required_argument, NULL, OPT_START},
	{"end", required_argument, NULL, OPT_END},
	{"timeframe", required_argument, NULL, OPT_TIMEFRAME},
	{"source", required_argument, NULL, OPT_SOURCE},
	{"adjust", required_argument, NULL, OPT_ADJUST},
	{"json", no_argument, NULL, OPT_JSON},
	{"csv", no_argument, NULL, OPT_CSV},
	{"all", no_argument, NULL, OPT_ALL},
	{"store", no_argument, NULL, OPT_STORE},
	{"archive", required_argument, NULL, OPT_ARCHIVE},
	{0}};

struct wish {
	const char *values[OPTIONS];
	const char *symbol; /* NULL: none */
};

static int read_line(struct cli *c, int argc, char **argv, struct wish *out)
{
	int option;

	*out = (struct wish){.symbol = NULL};
	while ((option = cli_option(c, argc, argv, longs)) > 0)
		out->values[option] = optarg != NULL ? optarg : "";
	if (option == CLI_OPTION_END)
		return CLI_OK;
	return option == CLI_OPTION_HELP ? CLI_OPTION_HELP : CLI_USAGE;
}

/* @extra NULL: none. */
static int ask(struct cli *c, const char *cmd, const struct wish *o, const char *extra,
	       const char *value, struct query *out)
{
	static const char *const keys[] = {[OPT_START] = "start",
					   [OPT_END] = "end",
					   [OPT_TIMEFRAME] = "timeframe",
					   [OPT_SOURCE] = "source",
					   [OPT_ADJUST] = "adjust"};
	struct buf request = {0};
	struct jsonw w;
	int rc;

	jsonw_init(&w, &request);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "cmd", cmd);
	if (o->symbol != NULL)
		jsonw_str(&w, "symbol", o->symbol);
	for (int i = OPT_START; i <= OPT_ADJUST; i++)
		if (o->values[i] != NULL && (extra == NULL || strcmp(extra, keys[i])))
			jsonw_str(&w, keys[i], o->values[i]);
	if (extra != NULL)
		jsonw_str(&w, extra, value);
	if (o->values[OPT_ALL] != NULL)
		jsonw_bool(&w, "all", true);
	jsonw_end(&w);
	rc = query_run(c, buf_text(&request), out);
	buf_free(&request);
	return rc;
}

static int no_member(struct query *q, const char *name)
{
	query_free(q);
	return cli_error(CLI_INTERNAL, "the daemon's answer has no %s", name);
}

/* ---- bars ---- */

/* Beside the rows, so that they stay what they are: London's prices are pence. */
static void say_currency(const struct json_token *bars)
{
	struct json_token currency;
	char text[16];

	if (!query_member(bars, "currency", &currency) || currency.len == 0)
		return;
	(void)query_text(&currency, text, sizeof(text));
	if (strcmp(text, "USD") != 0)
		fprintf(stderr, "tickbusctl bars: prices in %s\n", text);
}

static void show_bars(const struct json_token *rows, const struct wish *o,
		      bool is_first)
{
	struct json_token key, row;
	struct query_walk walk;

	if (o->values[OPT_CSV] != NULL) {
		(void)render_csv(stdout, rows, is_first);
	} else if (o->values[OPT_JSON] == NULL) {
		(void)render_table(stdout, rows);
	} else if (query_walk(&walk, rows)) {
		while (query_next(&walk, &key, &row))
			printf("%.*s\n", (int)row.len, row.text);
	}
}

/* Adjusted bars are what a vendor sent: the archive adjusts when it exports. */
static bool is_archived(struct cli *c, const struct wish *o)
{
	const char *adjust = o->values[OPT_ADJUST];

	return o->values[OPT_STORE] == NULL &&
	       (adjust == NULL || strcmp(adjust, "raw") == 0) &&
	       (o->values[OPT_ARCHIVE] != NULL || archive_run_has(c));
}

/* The whole past up to now is in the archive, once the daemon has handed it over. */
static int bars_of_archive(struct cli *c, const struct wish *o)
{
	static const int passed[] = {OPT_START, OPT_END, OPT_TIMEFRAME, OPT_SOURCE};
	const char *format = o->values[OPT_CSV] != NULL    ? "csv"
			     : o->values[OPT_JSON] != NULL ? "jsonl"
							   : "table";
	struct archive_run r = {.dir = o->values[OPT_ARCHIVE]};
	int rc = archive_run_add(&r, "bars");

	for (size_t i = 0; rc == CLI_OK && i < sizeof(passed) / sizeof(passed[0]); i++)
		if (o->values[passed[i]] != NULL)
			rc = archive_run_option(&r, longs[passed[i] - 1].name,
						o->values[passed[i]]);
	if (rc == CLI_OK)
		rc = archive_run_option(&r, "format", format);
	if (rc == CLI_OK)
		rc = archive_run_add(&r, o->symbol);
	return rc == CLI_OK ? archive_run_exec(c, &r) : rc;
}

int cmd_bars(struct cli *c, int argc, char **argv)
{
	char from[48] = "";
	bool is_first = true, more = true;
	struct wish o;
	int rc = read_line(c, argc, argv, &o);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	if (optind + 1 != argc)
		return cli_usage_error(c, "it takes one symbol");
	o.symbol = argv[optind];
	if (is_archived(c, &o))
		return bars_of_archive(c, &o);
	while (more) {
		struct json_token bars, rows, next;
		struct query q;

		rc = ask(c, "bars", &o, *from ? "start" : NULL, from, &q);
		if (rc != CLI_OK)
			return rc;
		if (!query_member(&q.result, "bars", &bars) ||
		    !query_member(&bars, "bars", &rows))
			return no_member(&q, "bars");
		if (is_first)
			say_currency(&bars);
		show_bars(&rows, &o, is_first);
		is_first = false;
		more = query_member(&bars, "next", &next);
		if (more)
			(void)query_text(&next, from, sizeof(from));
		query_free(&q);
	}
	return CLI_OK;
}

/* ---- quality ---- */

static void show_list(const struct json_token *o, const char *key, const char *title)
{
	struct json_token rows, k, row;
	struct query_walk walk;

	if (!query_member(o, key, &rows) || !query_walk(&walk, &rows) ||
	    !query_next(&walk, &k, &row))
		return;
	printf("\n%s\n", title);
	(void)render_table(stdout, &rows);
}

/* Everything but the lists, then these. */
static void show_quality(const struct json_token *o)
{
	struct json_token key, value;
	struct query_walk walk;
	char name[40], text[80];

	if (!query_walk(&walk, o))
		return;
	while (query_next(&walk, &key, &value)) {
		if (value.type == JSON_ARRAY)
			continue;
		(void)query_text(&key, name, sizeof(name));
		printf("%-22s %s\n", name, query_text(&value, text, sizeof(text)));
	}
	show_list(o, "gap_list", "Gaps inside sessions (the first 100):");
	show_list(o, "outlier_list", "Outliers (the first 100):");
	show_list(o, "not_complete", "Never fetched completely:");
}

int cmd_quality(struct cli *c, int argc, char **argv)
{
	struct json_token quality;
	struct query q;
	struct wish o;
	int rc = read_line(c, argc, argv, &o);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	if (optind + 1 != argc)
		return cli_usage_error(c, "it takes one symbol");
	o.symbol = argv[optind];
	rc = ask(c, "quality", &o, NULL, NULL, &q);
	if (rc != CLI_OK)
		return rc;
	if (!query_member(&q.result, "quality", &quality))
		return no_member(&q, "quality");
	if (o.values[OPT_JSON] != NULL)
		printf("%.*s\n", (int)quality.len, quality.text);
	else
		show_quality(&quality);
	query_free(&q);
	return CLI_OK;
}

/* ---- cache ---- */

static int list_cache(struct cli *c, const struct wish *o)
{
	char after[24] = "0";
	bool is_first = true, more = true;

	while (more) {
		struct json_token cache, rows, next;
		struct query q;
		int rc = ask(c, "cache_list", o, "after", after, &q);

		if (rc != CLI_OK)
			return rc;
		if (!query_member(&q.result, "cache", &cache) ||
		    !query_member(&cache, "series", &rows))
			return no_member(&q, "cache");
		show_bars(&rows, o, is_first);
		is_first = false;
		more = query_member(&cache, "next", &next);
		if (more)
			(void)query_text(&next, after, sizeof(after));
		query_free(&q);
	}
	return CLI_OK;
}

int cmd_cache(struct cli *c, int argc, char **argv)
{
	struct json_token cache;
	const char *verb;
	struct query q;
	struct wish o;
	int rc = read_line(c, argc, argv, &o);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	verb = optind < argc ? argv[optind++] : "list";
	if (optind < argc)
		o.symbol = argv[optind++];
	if (optind != argc)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind]);
	if (strcmp(verb, "list") == 0)
		return list_cache(c, &o);
	if (strcmp(verb, "stats") != 0 && strcmp(verb, "invalidate") != 0)
		return cli_usage_error(c, "'%s' is not list, stats or invalidate",
				       verb);
	if (strcmp(verb, "invalidate") == 0 && o.symbol == NULL &&
	    o.values[OPT_SOURCE] == NULL && o.values[OPT_ALL] == NULL)
		return cli_usage_error(c, "invalidate what? SYMBOL, --source or --all");
	rc = ask(c, strcmp(verb, "stats") == 0 ? "cache_stats" : "cache_invalidate", &o,
		 NULL, NULL, &q);
	if (rc != CLI_OK)
		return rc;
	if (!query_member(&q.result, "cache", &cache))
		return no_member(&q, "cache");
	if (o.values[OPT_JSON] != NULL)
		printf("%.*s\n", (int)cache.len, cache.text);
	else
		render_value(stdout, &cache);
	query_free(&q);
	return CLI_OK;
}

/* ---- indices ---- */

int cmd_index(struct cli *c, int argc, char **argv)
{
	struct json_token index, rows;
	struct query q;
	struct wish o;
	int rc = read_line(c, argc, argv, &o);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	if (optind + 1 < argc)
		return cli_usage_error(c, "it takes one name");
	rc = query_ask(c, "index", optind < argc ? "name" : NULL, argv[optind], &q);
	if (rc != CLI_OK)
		return rc;
	if (!query_member(&q.result, "index", &index))
		return no_member(&q, "index");
	rows = query_rows(&index);
	show_bars(&rows, &o, true);
	query_free(&q);
	return CLI_OK;
}

/* ---- vendors ---- */

int cmd_vendors(struct cli *c, int argc, char **argv)
{
	struct json_token rows;
	struct query q;
	struct wish o;
	int rc = read_line(c, argc, argv, &o);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	if (optind != argc)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind]);
	rc = query_ask(c, "vendors", NULL, NULL, &q);
	if (rc != CLI_OK)
		return rc;
	rows = query_rows(&q.result);
	if (o.values[OPT_JSON] != NULL)
		printf("%.*s\n", (int)rows.len, rows.text);
	else
		(void)render_table(stdout, &rows);
	query_free(&q);
	return CLI_OK;
}
