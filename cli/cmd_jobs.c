/* cmd_jobs - jobs, job, cancel. */
#include "cli/job_view.h"
#include "cli/render.h"
#include <stdio.h>

enum { OPT_JSON = 1, OPT_FOLLOW, OPT_OUT };

static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
				      {"follow", no_argument, NULL, OPT_FOLLOW},
				      {"out", required_argument, NULL, OPT_OUT},
				      {0}};

struct choice {
	bool json;
	bool follow;
	const char *out;
	uint64_t id;
};

/* CLI_OK, an exit code, or CLI_OPTION_HELP. */
static int read_line(struct cli *c, int argc, char **argv, bool needs_id,
		     struct choice *out)
{
	int option;

	*out = (struct choice){.json = false};
	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		out->json = out->json || option == OPT_JSON;
		out->follow = out->follow || option == OPT_FOLLOW;
		if (option == OPT_OUT)
			out->out = optarg;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OPTION_HELP : CLI_USAGE;
	if (optind + needs_id != argc)
		return cli_usage_error(c, needs_id ? "it takes the number of a job"
						   : "it takes no argument");
	if (needs_id && !cli_number(argv[optind], 1, UINT64_MAX >> 1, &out->id))
		return cli_usage_error(c, "'%s' is not the number of a job",
				       argv[optind]);
	return CLI_OK;
}

int cmd_jobs(struct cli *c, int argc, char **argv)
{
	static const char *const columns[] = {
		"id",     "what",      "state", "symbols",   "successful",
		"failed", "remaining", "rows",  "timeframe", "start",
		"end",    "index",     NULL};
	struct json_token rows;
	struct choice o;
	struct query q;
	int rc = read_line(c, argc, argv, false, &o);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	rc = query_ask(c, "jobs", NULL, NULL, &q);
	if (rc != CLI_OK)
		return rc;
	rows = query_rows(&q.result);
	if (o.json)
		printf("%.*s\n", (int)rows.len, rows.text);
	else
		(void)render_picked(stdout, &rows, columns);
	query_free(&q);
	return CLI_OK;
}

int cmd_job(struct cli *c, int argc, char **argv)
{
	struct job_watch watch = {.refused_text = ""};
	struct choice o;
	int rc;

	cli_lengthen(argc, argv);
	rc = read_line(c, argc, argv, true, &o);
	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	watch.out = o.out;
	watch.json = o.json;
	if (o.follow)
		return job_view_follow(c, o.id, &watch);
	return job_view_end(c, o.id, &watch);
}

int cmd_cancel(struct cli *c, int argc, char **argv)
{
	char request[64];
	struct choice o;
	struct query q;
	int rc = read_line(c, argc, argv, true, &o);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	(void)snprintf(request, sizeof(request),
		       "{\"cmd\":\"job_cancel\",\"id\":%llu,\"n\":0}",
		       (unsigned long long)o.id);
	rc = query_run(c, request, &q);
	if (rc != CLI_OK)
		return rc;
	if (o.json)
		printf("%.*s\n", (int)q.result.len, q.result.text);
	else
		printf("job %llu is cancelled; what it has stored stays\n",
		       (unsigned long long)o.id);
	query_free(&q);
	return CLI_OK;
}
