/*
 * cmd_status - what the daemon says of itself, and what it can be told: status,
 * config, pause, resume, reload, shutdown.
 */
#include "cli/query.h"
#include "cli/render.h"
#include <stdio.h>

enum { OPT_JSON = 1 };

/* 1 when it is up but not ready: starting, draining, or its disk failed. */
int cmd_status(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
					      {0}};
	struct json_token state;
	struct query q;
	bool json = false;
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0)
		json = true;
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind != argc)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind]);
	rc = query_ask(c, "status", NULL, NULL, &q);
	if (rc != CLI_OK)
		return rc;
	if (json)
		printf("%.*s\n", (int)q.result.len, q.result.text);
	else
		render_value(stdout, &q.result);
	if (query_member(&q.result, "state", &state) && !json_scan_is(&state, "ready"))
		rc = CLI_NEGATIVE;
	query_free(&q);
	return rc;
}

/* The configuration comes as YAML text, printed as it is. */
int cmd_config(struct cli *c, int argc, char **argv)
{
	struct query q;
	struct json_token text;
	int rc = cli_no_options(c, argc, argv, 0, 0);

	if (rc != CLI_OPTION_END)
		return rc == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	rc = query_ask(c, "config", NULL, NULL, &q);
	if (rc != CLI_OK)
		return rc;
	if (query_find_text(&q.result, &text))
		query_print_text(stdout, &text);
	else
		render_value(stdout, &q.result);
	query_free(&q);
	return CLI_OK;
}

/* A command that changes something and answers with little. */
static int act(struct cli *c, int argc, char **argv, const char *cmd, int n_args)
{
	struct query q;
	int rc = cli_no_options(c, argc, argv, n_args, n_args);

	if (rc != CLI_OPTION_END)
		return rc == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	rc = query_ask(c, cmd, n_args > 0 ? "symbol" : NULL, argv[optind], &q);
	if (rc != CLI_OK)
		return rc;
	if (q.result.len > 2)
		render_value(stdout, &q.result);
	else
		printf("%s: done\n", cmd);
	query_free(&q);
	return CLI_OK;
}

int cmd_pause(struct cli *c, int argc, char **argv)
{
	return act(c, argc, argv, "pause", 1);
}

int cmd_reload(struct cli *c, int argc, char **argv)
{
	return act(c, argc, argv, "reload", 0);
}

int cmd_shutdown(struct cli *c, int argc, char **argv)
{
	return act(c, argc, argv, "shutdown", 0);
}
