/* cmd_log - the log of ticks: how much, a stretch of it, its end; and the quarantine.
 */
#include "cli/query.h"
#include "cli/render.h"
#include <stdio.h>
#include <string.h>

#define TAIL_DEFAULT 20
#define TAIL_MAX     100000

enum { OPT_QUARANTINE = 1, OPT_JSON, OPT_CSV };

static const struct option longs[] = {{"quarantine", no_argument, NULL, OPT_QUARANTINE},
				      {"json", no_argument, NULL, OPT_JSON},
				      {"csv", no_argument, NULL, OPT_CSV},
				      {0}};

struct log_job {
	bool is_quarantine;
	bool json;
	bool csv;
	char request[160];
};

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

static int write_range(struct cli *c, struct log_job *j, char **args)
{
	uint64_t from, to;

	if (!cli_number(args[0], 1, UINT64_MAX, &from) ||
	    !cli_number(args[1], from, UINT64_MAX, &to))
		return cli_usage_error(c, "range: %s to %s are no log positions",
				       args[0], args[1]);
	(void)snprintf(j->request, sizeof(j->request),
		       "{\"cmd\":\"log_range\",\"from\":%llu,\"to\":%llu}",
		       (unsigned long long)from, (unsigned long long)to);
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
		return write_range(c, j, args + 1);
	if (strcmp(what, "count") != 0 || n > 1)
		return cli_usage_error(c, "say count, range FROM TO, or tail [N]");
	(void)snprintf(j->request, sizeof(j->request), "{\"cmd\":\"log_count\"}");
	return CLI_OK;
}

int cmd_log(struct cli *c, int argc, char **argv)
{
	struct log_job j = {0};
	struct json_token rows;
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
	rc = query_run(c, j.request, &q);
	if (rc != CLI_OK)
		return rc;
	rows = query_rows(&q.result);
	if (j.json)
		printf("%.*s\n", (int)q.result.len, q.result.text);
	else if (j.csv)
		(void)render_csv(stdout, &rows, true);
	else
		render_value(stdout, &rows);
	query_free(&q);
	return CLI_OK;
}
