/*
 * cmd_why_matrix - the bars below a matrix, and for two of its symbols the returns of
 * its window and the coefficient computed from them once more (why.h).
 *
 * Computed here by the definition, not by the daemon's code: pearson and ewma over the
 * bars that both have.  A matrix that was repaired to be positive semidefinite, and the
 * other methods, are shown without.
 */
#include "base/timetext.h"
#include "cli/why.h"
#include "proto/timeframe.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S   INT64_C(1000000000)
#define WINDOW_MAX 10000u

struct side {
	const char *symbol;
	uint32_t row;     /* in the matrix */
	uint64_t bar_seq; /* of the bar at T */
	const char *price_type;
	uint64_t pos; /* of the matrix: what came later is not in it */
	struct point {
		int64_t end_ns;
		uint64_t seq;
		double log_return;
	} * points; /* owned; by time */
	size_t n, max;
	bool is_full; /* out of memory */
};

/* ---- the window ---- */

static bool on_bar(void *arg, const struct json_token *row)
{
	struct side *s = arg;
	char text[TIMETEXT_MAX], type[16];
	struct json_token r = {.type = JSON_NULL};
	struct point p = {.seq = why_number(row, "seq")};
	size_t at;

	(void)why_text(row, "timestamp_utc", text, sizeof(text));
	if (strcmp(why_text(row, "price_type", type, sizeof(type)), s->price_type) !=
		    0 ||
	    why_number(row, "pos") > s->pos ||
	    timetext_parse(text, strlen(text), &p.end_ns) != 0)
		return true;
	(void)query_member(row, "log_return_1", &r);
	p.log_return = query_number(&r, NAN);
	for (at = s->n; at > 0 && s->points[at - 1].end_ns > p.end_ns; at--)
		;
	if (at > 0 && s->points[at - 1].end_ns == p.end_ns) {
		s->points[at - 1] = p; /* a later revision */
		return true;
	}
	if (s->n == s->max) {
		size_t max = s->max > 0 ? 2 * s->max : 256;
		struct point *grown = realloc(s->points, max * sizeof(*grown));

		s->is_full = grown == NULL;
		if (s->is_full)
			return false;
		s->points = grown;
		s->max = max;
	}
	memmove(&s->points[at + 1], &s->points[at], (s->n - at) * sizeof(p));
	s->points[at] = p;
	s->n++;
	return true;
}

/* One grid time, and what either side has there. */
struct column {
	int64_t end_ns;
	const struct point *at[2]; /* NULL: no bar */
};

/* The last @window times that either has; returns how many. */
static uint32_t columns_of(struct side side[2], struct column *out, uint32_t window)
{
	size_t i[2] = {side[0].n, side[1].n};
	uint32_t n = 0;

	while (n < window && (i[0] > 0 || i[1] > 0)) {
		struct column c = {.end_ns = INT64_MIN};

		for (int s = 0; s < 2; s++)
			if (i[s] > 0 && side[s].points[i[s] - 1].end_ns > c.end_ns)
				c.end_ns = side[s].points[i[s] - 1].end_ns;
		for (int s = 0; s < 2; s++)
			if (i[s] > 0 && side[s].points[i[s] - 1].end_ns == c.end_ns)
				c.at[s] = &side[s].points[--i[s]];
		out[n++] = c;
	}
	return n;
}

/* Look further and further back until the window is full. */
static int fetch(struct cli *c, struct side side[2], const char *timeframe,
		 int64_t as_of_ns, uint32_t window, bool *retired)
{
	int64_t step = (int64_t)timeframe_parse(timeframe, strlen(timeframe)) *
		       NS_PER_S * window;
	int rc = CLI_OK;

	for (int64_t factor = 1; factor <= 64; factor *= 4) {
		for (int s = 0; s < 2 && rc == CLI_OK; s++) {
			struct why_query w = {.kind = "bar",
					      .name = side[s].symbol,
					      .timeframe = timeframe,
					      .begin_ns = as_of_ns - factor * step + 1,
					      .end_ns = as_of_ns};

			side[s].n = 0;
			rc = why_each(c, &w, on_bar, &side[s], retired);
			if (side[s].is_full)
				return cli_error(CLI_INTERNAL, "out of memory");
		}
		if (rc != CLI_OK || side[0].n >= window || side[1].n >= window)
			break;
	}
	return rc;
}

/* ---- the coefficient ---- */

static bool both(const struct column *c)
{
	return c->at[0] != NULL && c->at[1] != NULL && !isnan(c->at[0]->log_return) &&
	       !isnan(c->at[1]->log_return);
}

/* Columns come newest first. */
static double coefficient(const struct column *col, uint32_t n, double lambda,
			  bool is_ewma)
{
	double mean[2] = {0}, sum[3] = {0};
	uint32_t common = 0;

	for (uint32_t i = n; i-- > 0;) {
		if (!both(&col[i]))
			continue;
		common++;
		for (int s = 0; s < 2; s++)
			mean[s] += col[i].at[s]->log_return;
	}
	for (int s = 0; s < 2; s++)
		mean[s] = is_ewma || common == 0 ? 0 : mean[s] / common;
	for (uint32_t i = n; i-- > 0;) {
		double w = is_ewma ? pow(lambda, i) : 1, x, y;

		if (!both(&col[i]))
			continue;
		x = col[i].at[0]->log_return - mean[0];
		y = col[i].at[1]->log_return - mean[1];
		sum[0] += w * x * x;
		sum[1] += w * y * y;
		sum[2] += w * x * y;
	}
	return sum[2] / sqrt(sum[0] * sum[1]);
}

static double cell(const struct json_token *matrix, uint32_t a, uint32_t b)
{
	struct json_token rows, key, row, value = {.type = JSON_NULL};
	struct query_walk down, across;
	uint32_t high = a > b ? a : b, low = a > b ? b : a;

	if (!query_member(matrix, "matrix", &rows) || !query_walk(&down, &rows))
		return NAN;
	for (uint32_t i = 0; i <= high; i++)
		if (!query_next(&down, &key, &row))
			return NAN;
	if (!query_walk(&across, &row))
		return NAN;
	for (uint32_t i = 0; i <= low; i++)
		if (!query_next(&across, &key, &value))
			return NAN;
	return query_number(&value, NAN);
}

static void print_return(const struct point *p)
{
	if (p == NULL)
		printf("  %24s %8s", "no bar", "");
	else if (isnan(p->log_return))
		printf("  %24s bar %-8llu", "null", (unsigned long long)p->seq);
	else
		printf("  %24.17g bar %-8llu", p->log_return,
		       (unsigned long long)p->seq);
}

static void print_pair(const struct json_token *matrix, const struct side side[2],
		       const struct column *col, uint32_t n, bool json)
{
	char method[24], text[TIMETEXT_MAX + 1];
	struct json_token t = {.type = JSON_NULL};
	double stored = cell(matrix, side[0].row, side[1].row), again = NAN;
	bool is_ewma;

	(void)why_text(matrix, "method", method, sizeof(method));
	is_ewma = strcmp(method, "ewma") == 0;
	(void)query_member(matrix, "lambda", &t);
	if (is_ewma || strcmp(method, "pearson") == 0)
		again = coefficient(col, n, query_number(&t, NAN), is_ewma);
	if (json) {
		printf(",\"returns\":%u,\"stored\":%.17g", n, stored);
		printf(isnan(again) ? ",\"recomputed\":null" : ",\"recomputed\":%.17g",
		       again);
		return;
	}
	printf("returns of the window, oldest first: %s and %s\n", side[0].symbol,
	       side[1].symbol);
	for (uint32_t i = n; i-- > 0;) {
		text[timetext_print(text, col[i].end_ns)] = '\0';
		printf("  %-20s", text);
		print_return(col[i].at[0]);
		print_return(col[i].at[1]);
		printf("\n");
	}
	printf("%s coefficient of %s and %s: stored %.17g", method, side[0].symbol,
	       side[1].symbol, stored);
	if (isnan(again))
		printf("; this method is not computed here\n");
	else
		printf(", recomputed %.17g, difference %.3g\n", again, again - stored);
	if (query_member(matrix, "psd_repaired", &t) && t.type == JSON_TRUE)
		printf("the matrix was repaired to be positive semidefinite, which "
		       "moved its coefficients\n");
}

/* ---- members ---- */

/* Fill in @s from its member; false: it has no row. */
static bool find_member(const struct json_token *matrix, struct side *s)
{
	struct json_token members, key, member, reason;
	struct query_walk walk;
	char name[SYMBOL_MAX + 1];

	if (!query_member(matrix, "members", &members) || !query_walk(&walk, &members))
		return false;
	for (s->row = 0; query_next(&walk, &key, &member);) {
		bool is_in = query_member(&member, "reason", &reason) &&
			     json_scan_is(&reason, "included");

		if (strcmp(why_text(&member, "symbol", name, sizeof(name)),
			   s->symbol) == 0) {
			s->bar_seq = why_number(&member, "bar_seq");
			return is_in;
		}
		s->row += is_in;
	}
	return false;
}

static int bar_of(struct cli *c, const char *symbol, uint64_t seq, int64_t as_of_ns,
		  struct why_event *bar)
{
	const struct why_query w = {.kind = "bar",
				    .name = symbol,
				    .seq = seq,
				    .begin_ns = as_of_ns,
				    .end_ns = as_of_ns};

	return why_find(c, &w, bar);
}

/* A bar that was retired is said, and the next one shown. */
static int show_members(struct cli *c, const struct json_token *matrix, int64_t as_of,
			bool json)
{
	struct json_token members, key, member, reason;
	struct query_walk walk;
	char name[SYMBOL_MAX + 1], why[32];
	bool is_first = true;

	if (!query_member(matrix, "members", &members) || !query_walk(&walk, &members))
		return cli_error(CLI_INTERNAL, "the matrix has no members");
	if (json)
		printf(",\"bars\":[");
	while (query_next(&walk, &key, &member)) {
		struct why_event bar = {0};

		(void)why_text(&member, "symbol", name, sizeof(name));
		if (query_member(&member, "reason", &reason) &&
		    !json_scan_is(&reason, "included")) {
			if (!json)
				printf("without %s: %s\n", name,
				       query_text(&reason, why, sizeof(why)));
			continue;
		}
		if (bar_of(c, name, why_number(&member, "bar_seq"), as_of, &bar) ==
		    CLI_OK) {
			if (json)
				printf("%s%.*s", is_first ? "" : ",",
				       (int)bar.token.len, bar.token.text);
			else
				why_print_bar(&bar.token);
			is_first = false;
		}
		buf_free(&bar.text);
	}
	if (json)
		printf("]");
	return CLI_OK;
}

static int show_pair(struct cli *c, const struct json_token *matrix, char **names,
		     int64_t as_of, const struct why_options *o)
{
	uint64_t window = why_number(matrix, "window");
	struct side side[2] = {{.symbol = names[0]}, {.symbol = names[1]}};
	struct column *col;
	char timeframe[8], price_type[16];
	bool retired = false;
	int rc = CLI_OK;

	if (window == 0 || window > WINDOW_MAX)
		return cli_error(CLI_INTERNAL, "the matrix has no window");
	(void)why_text(matrix, "timeframe", timeframe, sizeof(timeframe));
	(void)why_text(matrix, "price_type", price_type, sizeof(price_type));
	for (int s = 0; s < 2; s++) {
		struct why_event bar = {0};

		if (!find_member(matrix, &side[s]))
			return cli_error(CLI_NEGATIVE, "%s has no row in this matrix",
					 names[s]);
		rc = bar_of(c, names[s], side[s].bar_seq, as_of, &bar);
		if (rc == CLI_OK && o->json)
			printf(",\"%s\":{\"bar\":%.*s", s == 0 ? "a" : "b",
			       (int)bar.token.len, bar.token.text);
		if (rc == CLI_OK && !o->json)
			why_print_bar(&bar.token);
		if (rc == CLI_OK)
			rc = why_ticks(c, &bar.token, o->all, o->json);
		if (rc == CLI_OK && o->json)
			printf("}");
		if (strcmp(price_type, "auto") == 0 && rc == CLI_OK)
			(void)why_text(&bar.token, "price_type", price_type,
				       sizeof(price_type));
		side[s].price_type = price_type;
		side[s].pos = why_number(matrix, "pos");
		buf_free(&bar.text);
		if (rc != CLI_OK)
			return rc;
	}
	col = calloc(window, sizeof(*col));
	if (col == NULL)
		return cli_error(CLI_INTERNAL, "out of memory");
	rc = fetch(c, side, timeframe, as_of, (uint32_t)window, &retired);
	if (rc == CLI_OK)
		print_pair(matrix, side, col, columns_of(side, col, (uint32_t)window),
			   o->json);
	if (rc == CLI_OK && retired && !o->json)
		printf("note: the oldest bars stored were retired: returns may be "
		       "missing here\n");
	free(col);
	free(side[0].points);
	free(side[1].points);
	return rc;
}

int why_matrix(struct cli *c, int n, char **args, const struct why_options *o)
{
	static const char *const keys[] = {"universe", "timeframe", "version",
					   "as_of",    "status",    "method",
					   "window",   "chain",     "pos"};
	struct why_query w = {.kind = "tier2", .timeframe = o->timeframe};
	struct why_event matrix = {0};
	char text[TIMETEXT_MAX + 1];
	int64_t as_of = 0;
	int rc;

	if ((n != 3 && n != 5) || !cli_number(args[2], 1, INT64_MAX, &w.seq))
		return cli_usage_error(c, "say matrix NAME VERSION [SYMBOL SYMBOL]");
	w.name = args[1];
	rc = why_find(c, &w, &matrix);
	if (rc != CLI_OK)
		return rc;
	(void)why_text(&matrix.token, "as_of", text, sizeof(text));
	(void)timetext_parse(text, strlen(text), &as_of);
	if (o->json)
		printf("{\"matrix\":%.*s", (int)matrix.token.len, matrix.token.text);
	for (size_t i = 0; !o->json && i < sizeof(keys) / sizeof(keys[0]); i++)
		printf("%s%s %s", i > 0 ? " " : "", keys[i],
		       why_text(&matrix.token, keys[i], text, sizeof(text)));
	if (!o->json)
		printf("\n");
	rc = n == 5 ? show_pair(c, &matrix.token, args + 3, as_of, o)
		    : show_members(c, &matrix.token, as_of, o->json);
	if (o->json)
		printf("}\n");
	buf_free(&matrix.text);
	return rc;
}
