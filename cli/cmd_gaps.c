/* cmd_gaps - gaps, sources and subscribers: how what comes in and goes out is. */
#include "cli/query.h"
#include "cli/render.h"
#include <stdio.h>
#include <string.h>

enum { OPT_JSON = 1, OPT_ALL };

struct wish {
	bool json, all;
	const char *symbol; /* NULL: all */
};

/* CLI_OPTION_END, or what to return. */
static int read_wish(struct cli *c, int argc, char **argv, const struct option *longs,
		     int args_max, struct wish *out)
{
	int option;

	*out = (struct wish){0};
	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		out->json = out->json || option == OPT_JSON;
		out->all = out->all || option == OPT_ALL;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (argc - optind > args_max)
		return cli_usage_error(c, "unexpected argument '%s'",
				       argv[optind + args_max]);
	if (optind < argc)
		out->symbol = argv[optind];
	return CLI_OPTION_END;
}

static void show(const struct json_token *result, const struct wish *w)
{
	struct json_token rows;

	if (w->json)
		printf("%.*s\n", (int)result->len, result->text);
	else if (query_member(result, "gaps", &rows) ||
		 query_member(result, "sources", &rows) ||
		 query_member(result, "subscribers", &rows))
		(void)render_table(stdout, &rows);
}

static uint64_t number_of(const struct json_token *result, const char *key)
{
	struct json_token t;
	uint64_t n = 0;

	return query_member(result, key, &t) && json_scan_u64(&t, &n) ? n : 0;
}

int cmd_gaps(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
					      {"all", no_argument, NULL, OPT_ALL},
					      {0}};
	char request[128];
	struct query q;
	struct wish w;
	int rc = read_wish(c, argc, argv, longs, 1, &w);

	if (rc != CLI_OPTION_END)
		return rc;
	if (w.symbol != NULL &&
	    strspn(w.symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz"
			     "0123456789._:/@-") != strlen(w.symbol))
		return cli_usage_error(c, "'%s' is not a symbol", w.symbol);
	(void)snprintf(
		request, sizeof(request), "{\"cmd\":\"gaps\",\"all\":%s%s%.40s%s}",
		w.all ? "true" : "false", w.symbol != NULL ? ",\"symbol\":\"" : "",
		w.symbol != NULL ? w.symbol : "", w.symbol != NULL ? "\"" : "");
	rc = query_run(c, request, &q);
	if (rc != CLI_OK)
		return rc;
	show(&q.result, &w);
	if (number_of(&q.result, "left_off") > 0 && !w.json)
		printf("%llu more stretches are not shown; ask for one symbol\n",
		       (unsigned long long)number_of(&q.result, "left_off"));
	if (number_of(&q.result, "open") + number_of(&q.result, "lost") > 0)
		rc = CLI_NEGATIVE;
	query_free(&q);
	return rc;
}

static bool any_is_blind(const struct json_token *result)
{
	struct json_token rows, row, blind;
	struct query_walk walk;

	if (!query_member(result, "sources", &rows) || !query_walk(&walk, &rows))
		return false;
	while (query_next(&walk, NULL, &row))
		if (query_member(&row, "blind", &blind) && blind.type == JSON_TRUE)
			return true;
	return false;
}

/* A command without arguments whose answer is one table; CLI_OK: @q is to be freed. */
static int ask_and_show(struct cli *c, int argc, char **argv, const char *cmd,
			struct query *q)
{
	static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
					      {0}};
	struct wish w;
	int rc = read_wish(c, argc, argv, longs, 0, &w);

	if (rc != CLI_OPTION_END)
		return rc;
	rc = query_ask(c, cmd, NULL, NULL, q);
	if (rc == CLI_OK)
		show(&q->result, &w);
	return rc;
}

int cmd_sources(struct cli *c, int argc, char **argv)
{
	struct query q = {0};
	int rc = ask_and_show(c, argc, argv, "sources", &q);

	if (rc == CLI_OK && q.text != NULL && any_is_blind(&q.result))
		rc = CLI_NEGATIVE;
	query_free(&q);
	return rc;
}

int cmd_subscribers(struct cli *c, int argc, char **argv)
{
	struct query q = {0};
	int rc = ask_and_show(c, argc, argv, "subscribers", &q);
	struct json_token is_all;

	if (rc == CLI_OK && query_member(&q.result, "is_all", &is_all) &&
	    is_all.type == JSON_FALSE)
		fprintf(stderr, "tickbusctl: this machine has too many connections to "
				"look at all of them; some may be missing\n");
	query_free(&q);
	return rc;
}
