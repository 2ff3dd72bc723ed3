/* cmd_log - the log of ticks: how much, a stretch of it, its end; and the quarantine.
 */
#include "cli/query.h"
#include "cli/render.h"
#include <stdio.h>
#include <string.h>

#define TAIL_DEFAULT 20
#define TAIL_MAX     1000 /* rows of one answer; `range` goes on from page to page */

enum { OPT_QUARANTINE = 1, OPT_JSON, OPT_CSV };

static const struct option longs[] = {{"quarantine", no_argument, NULL, OPT_QUARANTINE},
				      {"json", no_argument, NULL, OPT_JSON},
				      {"csv", no_argument, NULL, OPT_CSV},
				      {0}};

struct log_job {
	bool is_quarantine;
	bool json;
	bool csv;
	bool is_range;
	uint64_t from, to;
	char request[160];
};

/* Of a record, what a reader asks first; --csv and --json have it all. */
static const char *const columns[] = {
	"pos",      "type", "time",     "symbol",   "price",  "size",
	"bid",      "ask",  "bid_size", "ask_size", "action", "cond",
	"flags",    "verb", "value",    "source",   "id",     "reason",
	"producer", "text", "hex",      NULL};

static int write_tail(struct cli *c, struct log_job *j, const char *count)
{
	uint64_t n = TAIL_DEFAULT;

	if (count != NULL && !cli_number(count, 1, TAIL_MAX, &n))
		return cli_usage_error(c, "'%s' is not in 1..%d", count, TAIL_MAX);
	(void)snprintf(j->request, sizeof(j->request), "{\"cmd\":\"%s\",\"n\":%llu}",
		       j->is_quarantine ? "quarantine" : "log_tail",
		       (unsigned long long)n);
	return CLI_OK;
}

static int read_range(struct cli *c, struct log_job *j, char **args)
{
	if (!cli_number(args[0], 1, UINT64_MAX, &j->from) ||
	    !cli_number(args[1], j->from, UINT64_MAX, &j->to))
		return cli_usage_error(c, "range: %s to %s are no log positions",
				       args[0], args[1]);
	j->is_range = true;
	return CLI_OK;
}

static int write_request(struct cli *c, struct log_job *j, int n, char **args)
{
	const char *what = n > 0 ? args[0] : j->is_quarantine ? "tail" : "count";

	if (strcmp(what, "tail") == 0 && n <= 2)
		return write_tail(c, j, n == 2 ? args[1] : NULL);
	if (j->is_quarantine)
		return cli_usage_error(c, "the quarantine has a tail [N] only");
	if (strcmp(what, "range") == 0 && n == 3)
		return read_range(c, j, args + 1);
	if (strcmp(what, "count") != 0 || n > 1)
		return cli_usage_error(c, "say count, range FROM TO, or tail [N]");
	(void)snprintf(j->request, sizeof(j->request), "{\"cmd\":\"log_count\"}");
	return CLI_OK;
}

static void show(const struct log_job *j, const struct json_token *result,
		 bool is_first)
{
	struct json_token rows = query_rows(result);

	if (j->json)
		printf("%.*s\n", (int)result->len, result->text);
	else if (j->csv)
		(void)render_csv(stdout, &rows, is_first);
	else if (rows.type == JSON_ARRAY)
		(void)render_picked(stdout, &rows, columns);
	else
		render_value(stdout, &rows);
}

/* A page at a time, until the daemon says done or the end has been reached. */
static int show_range(struct cli *c, struct log_job *j)
{
	struct json_token done, next;
	bool is_first = true, more = true;

	while (more) {
		uint64_t pos = 0;
		struct query q;
		int rc;

		(void)snprintf(j->request, sizeof(j->request),
			       "{\"cmd\":\"log_range\",\"from\":%llu,\"to\":%llu}",
			       (unsigned long long)j->from, (unsigned long long)j->to);
		rc = query_run(c, j->request, &q);
		if (rc != CLI_OK)
			return rc;
		show(j, &q.result, is_first);
		is_first = false;
		more = query_member(&q.result, "done", &done) &&
		       done.type == JSON_FALSE &&
		       query_member(&q.result, "next_pos", &next) &&
		       json_scan_u64(&next, &pos) && pos > j->from && pos <= j->to;
		j->from = pos;
		query_free(&q);
	}
	return CLI_OK;
}

int cmd_log(struct cli *c, int argc, char **argv)
{
	struct log_job j = {0};
	struct query q;
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		j.is_quarantine = j.is_quarantine || option == OPT_QUARANTINE;
		j.json = j.json || option == OPT_JSON;
		j.csv = j.csv || option == OPT_CSV;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	rc = write_request(c, &j, argc - optind, argv + optind);
	if (rc != CLI_OK)
		return rc;
	if (j.is_range)
		return show_range(c, &j);
	rc = query_run(c, j.request, &q);
	if (rc != CLI_OK)
		return rc;
	show(&j, &q.result, true);
	query_free(&q);
	return CLI_OK;
}
