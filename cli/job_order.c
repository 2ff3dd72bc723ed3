/* job_order - see job_order.h. */
#include "cli/job_order.h"
#include "base/err.h"
#include "cli/job_result.h"
#include "cli/job_view.h"
#include <errno.h>
#include <stdio.h>

#define HOLDINGS_MAX 49152 /* the daemon's */

void job_order_begin(struct job_order *o, const char *what, const char *flow,
		     const char *format)
{
	*o = (struct job_order){.has_symbols = false};
	jsonw_init(&o->w, &o->request);
	jsonw_object(&o->w, NULL);
	jsonw_str(&o->w, "cmd", "analyse");
	jsonw_str(&o->w, "what", what);
	if (flow != NULL)
		jsonw_str(&o->w, "flow", flow);
	jsonw_str(&o->w, "format", format);
	jsonw_object(&o->w, "options");
}

void job_order_option(struct job_order *o, const char *key, const char *value)
{
	if (value == NULL)
		return;
	if (*value == '\0')
		jsonw_bool(&o->w, key, true);
	else
		jsonw_str(&o->w, key, value);
}

static void begin_symbols(struct job_order *o)
{
	if (o->has_symbols)
		return;
	jsonw_end(&o->w);
	jsonw_array(&o->w, "symbols");
	o->has_symbols = true;
}

void job_order_symbol(struct job_order *o, const char *symbol)
{
	begin_symbols(o);
	jsonw_str(&o->w, NULL, symbol);
}

int job_order_holdings(struct job_order *o, const char *path)
{
	struct buf text = {0};
	int rc = buf_read_file(&text, path, HOLDINGS_MAX);

	if (rc < 0) {
		buf_free(&text);
		return cli_error(rc == -E2BIG ? CLI_USAGE : CLI_IO, "%s", err_text());
	}
	begin_symbols(o);
	jsonw_end(&o->w);
	jsonw_strn(&o->w, "holdings", (const char *)text.data, text.len);
	buf_free(&text);
	return CLI_OK;
}

/* The number of the new job, and what was wrong with symbols. */
static int send_order(struct cli *c, struct job_order *o, uint64_t *id,
		      struct job_watch *watch)
{
	struct json_token job, refused, row, key;
	struct query_walk walk;
	struct job_view v;
	struct query q;
	int rc;

	while (o->w.depth > 0)
		jsonw_end(&o->w);
	rc = job_view_ask(c, buf_text(&o->request), &q, &job);
	if (rc != CLI_OK)
		return rc;
	job_view_read(&job, &v);
	*id = v.id;
	if (query_member(&job, "refused", &refused) && query_walk(&walk, &refused))
		while (query_next(&walk, &key, &row)) {
			char symbol[64], reason[128];

			watch->refused++;
			(void)cli_error(
				CLI_NEGATIVE, "%s: %s",
				query_field(&row, "symbol", symbol, sizeof(symbol)),
				query_field(&row, "reason", reason, sizeof(reason)));
		}
	query_free(&q);
	return CLI_OK;
}

int job_order_run(struct cli *c, struct job_order *o, const struct job_how *how)
{
	struct job_watch watch = {.refused_text = "", .out = how->out};
	uint64_t id = 0;
	int rc;

	begin_symbols(o);
	rc = send_order(c, o, &id, &watch);
	job_order_free(o);
	if (rc != CLI_OK)
		return rc;
	if (how->follow)
		return job_view_follow(c, id, &watch);
	printf("job %llu: tickbusctl job %llu --follow%s%s brings its result\n",
	       (unsigned long long)id, (unsigned long long)id, " -o ",
	       how->out != NULL ? how->out : "FILE");
	return watch.refused > 0 ? CLI_NEGATIVE : CLI_OK;
}

void job_order_free(struct job_order *o)
{
	buf_free(&o->request);
}
