/* cmd_metrics - every counter, once. */
#include "cli/query.h"
#include "cli/render.h"
#include <stdio.h>

enum { OPT_JSON = 1, OPT_PROMETHEUS };

static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
				      {"prometheus", no_argument, NULL, OPT_PROMETHEUS},
				      {0}};

int cmd_metrics(struct cli *c, int argc, char **argv)
{
	bool json = false, prometheus = false;
	struct json_token text;
	struct query q;
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		json = json || option == OPT_JSON;
		prometheus = prometheus || option == OPT_PROMETHEUS;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind != argc)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind]);
	if (json && prometheus)
		return cli_usage_error(c, "--json or --prometheus, not both");
	rc = query_ask(c, prometheus ? "prometheus" : "metrics", NULL, NULL, &q);
	if (rc != CLI_OK)
		return rc;
	if (json)
		printf("%.*s\n", (int)q.result.len, q.result.text);
	else if (prometheus && query_find_text(&q.result, &text))
		query_print_text(stdout, &text);
	else
		render_value(stdout, &q.result);
	query_free(&q);
	return CLI_OK;
}
