/* cmd_archive - archive: how it is, and what is to be done with it. */
#include "cli/query.h"
#include "cli/render.h"
#include <stdio.h>
#include <string.h>

enum { OPT_JSON = 1 };

#define PATIENCE_MS (3600 * 1000) /* every byte of years is looked at */

static const struct {
	const char *word;
	const char *request;
} actions[] = {
	{"status", "{\"cmd\":\"archive_status\"}"},
	{"flush", "{\"cmd\":\"archive_flush\"}"},
	{"verify", "{\"cmd\":\"archive_verify\"}"},
	{"compact", "{\"cmd\":\"archive_compact\"}"},
};

static const char *request_of(const char *word)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(word, actions[i].word) == 0)
			return actions[i].request;
	}
	return NULL;
}

static uint64_t number_in(const struct json_token *of, const char *key)
{
	struct json_token t;
	uint64_t n = 0;

	return query_member(of, key, &t) && json_scan_u64(&t, &n) ? n : 0;
}

/* Damage, and a hand-over that does not work, are what a script wants to know. */
static int verdict(const struct json_token *result)
{
	struct json_token why;

	if (number_in(result, "bad") > 0)
		return CLI_NEGATIVE;
	return query_member(result, "why", &why) && why.len > 2 ? CLI_NEGATIVE : CLI_OK;
}

int cmd_archive(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
					      {0}};
	const char *request;
	bool json = false;
	struct query q;
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0)
		json = json || option == OPT_JSON;
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	request = request_of(optind < argc ? argv[optind] : "status");
	if (request == NULL || argc - optind > 1)
		return cli_usage_error(c, "'%s': status, flush, verify or compact",
				       argv[optind + (request != NULL)]);
	if (c->options.timeout_ms == 0)
		c->options.timeout_ms = PATIENCE_MS;
	rc = query_run(c, request, &q);
	if (rc != CLI_OK)
		return rc;
	if (json)
		printf("%.*s\n", (int)q.result.len, q.result.text);
	else
		render_value(stdout, &q.result);
	rc = verdict(&q.result);
	query_free(&q);
	return rc;
}
