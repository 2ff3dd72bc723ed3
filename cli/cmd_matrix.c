/* cmd_matrix - the newest matrix of a universe: what it says of itself, then its
 * square. */
#include "base/buf.h"
#include "base/jsonw.h"
#include "cli/query.h"
#include "cli/render.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_CHARS 8 /* of a symbol above and beside the table */
#define CELL_CHARS 6

enum { OPT_JSON = 1, OPT_CSV, OPT_TIMEFRAME };

static const struct option longs[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"csv", no_argument, NULL, OPT_CSV},
	{"timeframe", required_argument, NULL, OPT_TIMEFRAME},
	{0}};

struct square {
	uint32_t n;
	char (*name)[SYMBOL_MAX + 1]; /* owned */
	double *cell;                 /* owned; n x n */
};

static void square_free(struct square *s)
{
	free(s->name);
	free(s->cell);
	*s = (struct square){0};
}

/* Names of the members that have a row: the first @max of them; returns how many. */
static uint32_t read_names(const struct json_token *members, struct square *s,
			   uint32_t max)
{
	struct json_token key, member, reason, name;
	struct query_walk w;
	uint32_t n = 0;

	if (!query_walk(&w, members))
		return 0;
	while (query_next(&w, &key, &member)) {
		if (!query_member(&member, "reason", &reason) ||
		    !json_scan_is(&reason, "included") || n == max)
			continue;
		if (query_member(&member, "symbol", &name))
			(void)query_text(&name, s->name[n], SYMBOL_MAX + 1);
		n++;
	}
	return n;
}

static uint32_t count_rows(const struct json_token *rows)
{
	struct json_token key, row;
	struct query_walk w;
	uint32_t n = 0;

	if (!query_walk(&w, rows))
		return 0;
	while (query_next(&w, &key, &row))
		n++;
	return n;
}

static bool read_cells(const struct json_token *rows, struct square *s)
{
	struct json_token key, row, cell;
	struct query_walk down, across;

	(void)query_walk(&down, rows);
	for (size_t i = 0; i < s->n; i++) {
		if (!query_next(&down, &key, &row) || !query_walk(&across, &row))
			return false;
		for (size_t k = 0; k <= i; k++) {
			if (!query_next(&across, &key, &cell))
				return false;
			s->cell[i * s->n + k] = query_number(&cell, NAN);
			s->cell[k * s->n + i] = s->cell[i * s->n + k];
		}
	}
	return true;
}

static bool square_read(const struct json_token *result, struct square *s)
{
	struct json_token members, rows;

	*s = (struct square){0};
	if (!query_member(result, "members", &members) ||
	    !query_member(result, "matrix", &rows))
		return false;
	s->n = count_rows(&rows);
	s->name = calloc(s->n + 1u, sizeof(*s->name));
	s->cell = calloc((size_t)s->n * s->n + 1, sizeof(*s->cell));
	if (s->name == NULL || s->cell == NULL ||
	    read_names(&members, s, s->n) != s->n || !read_cells(&rows, s)) {
		square_free(s);
		return false;
	}
	return true;
}

static void print_csv(const struct square *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		printf(",%s", s->name[i]);
	printf("\n");
	for (size_t i = 0; i < s->n; i++) {
		printf("%s", s->name[i]);
		for (size_t k = 0; k < s->n; k++) {
			double r = s->cell[i * s->n + k];

			if (isnan(r))
				printf(",");
			else
				printf(",%.17g", r);
		}
		printf("\n");
	}
}

/* As many columns as fit; the rest is said, not wrapped. */
static void print_table(const struct square *s, unsigned columns)
{
	uint32_t fit = (columns - NAME_CHARS) / (CELL_CHARS + 1);
	uint32_t shown = s->n < fit ? s->n : fit;

	printf("%*s", NAME_CHARS, "");
	for (uint32_t k = 0; k < shown; k++)
		printf(" %*.*s", CELL_CHARS, CELL_CHARS, s->name[k]);
	printf("\n");
	for (size_t i = 0; i < s->n; i++) {
		printf("%-*.*s", NAME_CHARS, NAME_CHARS, s->name[i]);
		for (size_t k = 0; k < shown && k <= i; k++) {
			double r = s->cell[i * s->n + k];

			if (isnan(r))
				printf(" %*s", CELL_CHARS, "-");
			else
				printf(" %*.3f", CELL_CHARS, r);
		}
		printf("\n");
	}
	if (shown < s->n)
		printf("%u of %u columns fit; --csv has them all\n", shown, s->n);
}

static void print_head(const struct json_token *result)
{
	static const char *const keys[] = {
		"universe", "timeframe", "version",    "as_of",     "status",
		"method",   "window",    "supersedes", "eigen_min", "psd_repaired"};
	struct json_token value;
	char text[64];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (query_member(result, keys[i], &value) && value.type != JSON_NULL)
			printf("%s %s  ", keys[i],
			       query_text(&value, text, sizeof(text)));
	printf("\n");
}

/* Members without a row, and why. */
static void print_excluded(const struct json_token *result)
{
	struct json_token key, members, member, reason, name;
	char symbol[SYMBOL_MAX + 1], why[32];
	struct query_walk w;

	if (!query_member(result, "members", &members) || !query_walk(&w, &members))
		return;
	while (query_next(&w, &key, &member)) {
		if (query_member(&member, "reason", &reason) &&
		    !json_scan_is(&reason, "included") &&
		    query_member(&member, "symbol", &name))
			printf("without %s: %s\n",
			       query_text(&name, symbol, sizeof(symbol)),
			       query_text(&reason, why, sizeof(why)));
	}
}

static int show(const struct json_token *result, bool csv)
{
	struct json_token rows = query_rows(result);
	struct square s;

	if (!square_read(result, &s)) {
		/* No matrix: the list of universes, or what the daemon has to say. */
		render_value(stdout, &rows);
		return CLI_OK;
	}
	if (csv) {
		print_csv(&s);
	} else {
		print_head(result);
		print_table(&s, cli_columns());
		print_excluded(result);
	}
	square_free(&s);
	return CLI_OK;
}

/* Without a name: the list of universes to choose from. */
static int ask(struct cli *c, const char *name, const char *timeframe, struct query *q)
{
	struct buf request = {0};
	struct jsonw w;
	int rc;

	jsonw_init(&w, &request);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "cmd", name != NULL ? "matrix" : "universes");
	if (name != NULL)
		jsonw_str(&w, "name", name);
	if (timeframe != NULL)
		jsonw_str(&w, "timeframe", timeframe);
	jsonw_end(&w);
	rc = query_run(c, buf_text(&request), q);
	buf_free(&request);
	return rc;
}

int cmd_matrix(struct cli *c, int argc, char **argv)
{
	const char *timeframe = NULL;
	bool json = false, csv = false;
	struct json_token inner;
	struct query q;
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		json = json || option == OPT_JSON;
		csv = csv || option == OPT_CSV;
		if (option == OPT_TIMEFRAME)
			timeframe = optarg;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (argc - optind > 1)
		return cli_usage_error(c, "one universe at a time");
	rc = ask(c, optind < argc ? argv[optind] : NULL, timeframe, &q);
	if (rc != CLI_OK)
		return rc;
	if (json) {
		printf("%.*s\n", (int)q.result.len, q.result.text);
	} else {
		if (!query_member(&q.result, "matrix", &inner))
			inner = q.result;
		rc = show(&inner, csv);
	}
	query_free(&q);
	return rc;
}
