/* cmd_kill - kill, quarantine and resume: the kill switch (proto/freeze.h). */
#include "base/buf.h"
#include "base/jsonw.h"
#include "cli/query.h"
#include "cli/render.h"
#include <stdio.h>
#include <string.h>

enum { OPT_JSON = 1, OPT_LIST, OPT_SYMBOL, OPT_SOURCE, OPT_TIER, OPT_ALL, OPT_REASON };

struct wish {
	const char *level; /* NULL: nothing was named */
	const char *name;  /* of the symbol or source; of a tier its number */
	const char *reason;
	bool json, list;
};

static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
				      {"list", no_argument, NULL, OPT_LIST},
				      {"symbol", required_argument, NULL, OPT_SYMBOL},
				      {"source", required_argument, NULL, OPT_SOURCE},
				      {"tier", required_argument, NULL, OPT_TIER},
				      {"all", no_argument, NULL, OPT_ALL},
				      {"reason", required_argument, NULL, OPT_REASON},
				      {0}};

/* False: two things were named. */
static bool name_target(struct wish *w, const char *level, const char *name)
{
	bool first = w->level == NULL;

	w->level = level;
	w->name = name;
	return first;
}

static bool take(struct wish *w, int option)
{
	switch (option) {
	case OPT_JSON:
		w->json = true;
		return true;
	case OPT_LIST:
		w->list = true;
		return true;
	case OPT_REASON:
		w->reason = optarg;
		return true;
	case OPT_SYMBOL:
		return name_target(w, "symbol", optarg);
	case OPT_SOURCE:
		return name_target(w, "source", optarg);
	case OPT_TIER:
		return name_target(w, "tier", optarg);
	default:
		return name_target(w, "all", NULL);
	}
}

/* CLI_OPTION_END, or what to return. */
static int read_wish(struct cli *c, int argc, char **argv, struct wish *w)
{
	bool one = true;
	int option;

	*w = (struct wish){0};
	while ((option = cli_option(c, argc, argv, longs)) > 0)
		one = take(w, option) && one;
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind < argc)
		one = name_target(w, "symbol", argv[optind++]) && one;
	if (optind < argc)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind]);
	if (!one)
		return cli_usage_error(
			c, "name one thing: a symbol, --source, --tier or --all");
	return CLI_OPTION_END;
}

static int list(struct cli *c, bool json)
{
	struct json_token rows;
	struct query q;
	int rc = query_ask(c, "freezes", NULL, NULL, &q);

	if (rc != CLI_OK)
		return rc;
	rows = query_rows(&q.result);
	if (json)
		printf("%.*s\n", (int)q.result.len, q.result.text);
	else if (rows.len > 2)
		(void)render_table(stdout, &rows);
	else
		printf("nothing is killed\n");
	rc = rows.len > 2 ? CLI_NEGATIVE : CLI_OK;
	query_free(&q);
	return rc;
}

static void say(const struct json_token *result, const struct wish *w, const char *done)
{
	struct json_token already = {0}, pos = {0};
	const char *name = w->name != NULL ? w->name : "";

	if (w->json) {
		printf("%.*s\n", (int)result->len, result->text);
		return;
	}
	(void)query_member(result, "already", &already);
	(void)query_member(result, "position", &pos);
	printf("%s%s%s: ", w->level, name[0] != '\0' ? " " : "", name);
	if (already.type == JSON_TRUE)
		printf("already so\n");
	else
		printf("%s at position %.0f\n", done, query_number(&pos, 0));
}

static int order(struct cli *c, const struct wish *w, const char *cmd, bool quarantine,
		 const char *done)
{
	struct buf request = {0};
	struct query q;
	struct jsonw j;
	int rc;

	jsonw_init(&j, &request);
	jsonw_object(&j, NULL);
	jsonw_str(&j, "cmd", cmd);
	jsonw_str(&j, "level", w->level);
	if (w->name != NULL)
		jsonw_str(&j, strcmp(w->level, "tier") == 0 ? "tier" : "name", w->name);
	if (w->reason != NULL)
		jsonw_str(&j, "reason", w->reason);
	if (quarantine)
		jsonw_bool(&j, "quarantine", true);
	jsonw_end(&j);
	rc = query_run(c, buf_text(&request), &q);
	buf_free(&request);
	if (rc != CLI_OK)
		return rc;
	say(&q.result, w, done);
	query_free(&q);
	return CLI_OK;
}

static int freeze(struct cli *c, int argc, char **argv, bool quarantine)
{
	struct wish w;
	int rc = read_wish(c, argc, argv, &w);

	if (rc != CLI_OPTION_END)
		return rc;
	if (w.list)
		return list(c, w.json);
	if (w.level == NULL)
		return cli_usage_error(
			c, "name what: a symbol, --source NAME, --tier N or --all");
	if (w.reason == NULL)
		return cli_usage_error(
			c, "say why with --reason: it is kept, and shown to others");
	return order(c, &w, "freeze", quarantine,
		     quarantine ? "quarantined" : "killed");
}

int cmd_kill(struct cli *c, int argc, char **argv)
{
	return freeze(c, argc, argv, false);
}

int cmd_quarantine(struct cli *c, int argc, char **argv)
{
	return freeze(c, argc, argv, true);
}

int cmd_resume(struct cli *c, int argc, char **argv)
{
	struct wish w;
	int rc = read_wish(c, argc, argv, &w);

	if (rc != CLI_OPTION_END)
		return rc;
	if (w.level == NULL)
		return cli_usage_error(
			c, "name what: a symbol, --source NAME, --tier N or --all");
	return order(c, &w, "release", false, "resumed");
}
