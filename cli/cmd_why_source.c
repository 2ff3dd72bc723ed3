/*
 * cmd_why_source - which source makes a symbol's bars, since when and why: the choices
 * and divergences that its status events tell.
 */
#include "cli/why.h"
#include <stdio.h>
#include <string.h>

struct choices {
	bool json, all;
	uint64_t n;
	struct buf last; /* owned; the newest choice */
};

static void put(struct buf *out, const struct json_token *row, bool json)
{
	char time[48], state[32], text[96];

	out->len = 0;
	if (json)
		buf_printf(out, "%.*s", (int)row->len, row->text);
	else
		buf_printf(out, "%s  %-15s  %s\n",
			   why_text(row, "time", time, sizeof(time)),
			   why_text(row, "state", state, sizeof(state)),
			   why_text(row, "text", text, sizeof(text)));
}

static bool on_status(void *arg, const struct json_token *row)
{
	struct choices *t = arg;
	struct buf line = {0};
	char state[32];

	(void)why_text(row, "state", state, sizeof(state));
	if (strcmp(state, "source_chosen") == 0)
		put(&t->last, row, t->json);
	else if (strcmp(state, "sources_diverge") != 0 &&
		 strcmp(state, "sources_agree") != 0)
		return true;
	if (t->all) {
		put(&line, row, t->json);
		printf("%s%s", t->json && t->n > 0 ? "," : "", buf_text(&line));
		buf_free(&line);
	}
	t->n++;
	return true;
}

int why_source(struct cli *c, int n, char **args, const struct why_options *o)
{
	struct choices t = {.json = o->json, .all = o->all};
	struct why_query w = {.kind = "status"};
	bool retired = false;
	int rc;

	if (n != 2)
		return cli_usage_error(c, "say source SYMBOL");
	w.name = args[1];
	if (o->json)
		printf("{\"events\":[");
	rc = why_each(c, &w, on_status, &t, &retired);
	if (o->json)
		printf("],\"chosen\":%s}\n",
		       t.last.len > 0 ? buf_text(&t.last) : "null");
	else if (rc == CLI_OK && !o->all && t.last.len > 0)
		printf("%s", buf_text(&t.last));
	if (rc == CLI_OK && t.last.len == 0)
		rc = cli_error(CLI_NEGATIVE,
			       "no choice is told of %s%s: has it `sources`?", w.name,
			       retired ? " (the oldest events were retired)" : "");
	buf_free(&t.last);
	return rc;
}
