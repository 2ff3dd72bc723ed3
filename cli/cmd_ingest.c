/* cmd_ingest - ingest: symbols from the line or from files, a job in the daemon. */
#include "base/buf.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "cli/job_view.h"
#include "cli/symbol_file.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_MAX 65536 /* docs/PROTOCOL.md, "Admin" */

enum {
	OPT_START = 1,
	OPT_END,
	OPT_TIMEFRAME,
	OPT_VENDOR,
	OPT_ADJUST,
	OPT_WHAT,
	OPT_CSV,
	OPT_COLUMN,
	OPT_TEXT,
	OPT_INDEX,
	OPT_JSON,
	OPT_NO_FOLLOW
};

static const struct option longs[] = {
	{"start", required_argument, NULL, OPT_START},
	{"end", required_argument, NULL, OPT_END},
	{"timeframe", required_argument, NULL, OPT_TIMEFRAME},
	{"vendor", required_argument, NULL, OPT_VENDOR},
	{"adjust", required_argument, NULL, OPT_ADJUST},
	{"what", required_argument, NULL, OPT_WHAT},
	{"csv", required_argument, NULL, OPT_CSV},
	{"column", required_argument, NULL, OPT_COLUMN},
	{"text", required_argument, NULL, OPT_TEXT},
	{"index-name", required_argument, NULL, OPT_INDEX},
	{"json", no_argument, NULL, OPT_JSON},
	{"no-follow", no_argument, NULL, OPT_NO_FOLLOW},
	{0}};

struct ingest {
	const char *values[OPT_NO_FOLLOW + 1];
	struct buf vendors; /* names, each with its NUL */
	struct buf names;   /* likewise */
};

static int read_options(struct cli *c, int argc, char **argv, struct ingest *g)
{
	int option;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		g->values[option] = optarg != NULL ? optarg : "";
		if (option == OPT_VENDOR)
			buf_add(&g->vendors, g->values[option],
				strlen(g->values[option]) + 1);
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OPTION_HELP : CLI_USAGE;
	if (g->values[OPT_START] == NULL)
		return cli_usage_error(c, "--start is missing");
	if (g->values[OPT_CSV] != NULL && g->values[OPT_TEXT] != NULL)
		return cli_usage_error(c, "--csv or --text, not both");
	for (int i = optind; i < argc; i++)
		buf_add(&g->names, argv[i], strlen(argv[i]) + 1);
	return CLI_OK;
}

static int read_files(struct ingest *g)
{
	const char *column = g->values[OPT_COLUMN];
	int rc = 0;

	if (g->values[OPT_CSV] != NULL)
		rc = symbol_file_csv(g->values[OPT_CSV], column ? column : "Symbol",
				     &g->names);
	if (g->values[OPT_TEXT] != NULL)
		rc = symbol_file_text(g->values[OPT_TEXT], &g->names);
	if (rc < 0)
		return cli_error(rc == -EINVAL || rc == -E2BIG ? CLI_USAGE : CLI_IO,
				 "%s", err_text());
	return CLI_OK;
}

static void put_list(struct jsonw *w, const char *key, const struct buf *names)
{
	jsonw_array(w, key);
	for (size_t i = 0; i < names->len;) {
		const char *name = (const char *)names->data + i;

		jsonw_str(w, NULL, name);
		i += strlen(name) + 1;
	}
	jsonw_end(w);
}

static void put_request(struct ingest *g, struct buf *out)
{
	static const struct {
		int option;
		const char *key;
	} texts[] = {{OPT_START, "start"},
		     {OPT_END, "end"},
		     {OPT_TIMEFRAME, "timeframe"},
		     {OPT_ADJUST, "adjust"},
		     {OPT_WHAT, "what"}};
	const char *file =
		g->values[OPT_CSV] ? g->values[OPT_CSV] : g->values[OPT_TEXT];
	char index[64] = "";
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "cmd", "ingest");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (g->values[texts[i].option] != NULL)
			jsonw_str(&w, texts[i].key, g->values[texts[i].option]);
	if (g->values[OPT_INDEX] != NULL)
		(void)snprintf(index, sizeof(index), "%s", g->values[OPT_INDEX]);
	else if (file != NULL)
		symbol_file_index(file, index, sizeof(index));
	jsonw_str(&w, "index", index);
	if (g->vendors.len > 0)
		put_list(&w, "vendors", &g->vendors);
	put_list(&w, "symbols", &g->names);
	jsonw_end(&w);
}

/* Lines of the summary about what was no symbol at all. */
static uint64_t note_refused(const struct json_token *job, struct buf *out)
{
	struct json_token list, key, one, t;
	struct query_walk walk;
	uint64_t n = 0;

	if (!query_member(job, "refused", &list) || !query_walk(&walk, &list))
		return 0;
	for (; query_next(&walk, &key, &one); n++) {
		char symbol[80] = "?", reason[200] = "?";

		if (query_member(&one, "symbol", &t))
			(void)query_text(&t, symbol, sizeof(symbol));
		if (query_member(&one, "reason", &t))
			(void)query_text(&t, reason, sizeof(reason));
		buf_printf(out, "  - %s: %s\n", symbol, reason);
	}
	return n;
}

static void say_begun(const struct json_token *job, const struct job_view *v)
{
	struct json_token t;
	uint64_t doubles = 0;
	char index[80] = "-";

	if (query_member(job, "index", &t))
		(void)query_text(&t, index, sizeof(index));
	if (query_member(job, "doubles", &t))
		(void)json_scan_u64(&t, &doubles);
	printf("Ingesting %llu symbols (job %llu)", (unsigned long long)v->symbols,
	       (unsigned long long)v->id);
	if (index[0] != '\0' && strcmp(index, "-") != 0)
		printf(", index %s", index);
	if (doubles > 0)
		printf(", %llu named twice", (unsigned long long)doubles);
	printf("\n");
}

static int begin(struct cli *c, struct ingest *g)
{
	struct job_watch watch = {.json = g->values[OPT_JSON] != NULL};
	struct buf request = {0}, refused = {0};
	struct json_token job;
	struct job_view v;
	struct query q;
	int rc;

	put_request(g, &request);
	if (request.len >= REQUEST_MAX) {
		buf_free(&request);
		return cli_error(
			CLI_USAGE,
			"the list is too long for one job (%d bytes): split it",
			REQUEST_MAX);
	}
	rc = job_view_ask(c, buf_text(&request), &q, &job);
	buf_free(&request);
	if (rc != CLI_OK)
		return rc;
	job_view_read(&job, &v);
	watch.refused = note_refused(&job, &refused);
	watch.refused_text = buf_text(&refused);
	if (watch.json && g->values[OPT_NO_FOLLOW] != NULL)
		printf("%.*s\n", (int)job.len, job.text);
	else if (!watch.json)
		say_begun(&job, &v);
	if (watch.json && watch.refused > 0)
		(void)fputs(watch.refused_text, stderr);
	query_free(&q);
	if (g->values[OPT_NO_FOLLOW] == NULL)
		rc = job_view_follow(c, v.id, &watch);
	else
		rc = watch.refused > 0 ? CLI_NEGATIVE : CLI_OK;
	buf_free(&refused);
	return rc;
}

int cmd_ingest(struct cli *c, int argc, char **argv)
{
	struct ingest g = {.values = {NULL}};
	int rc = read_options(c, argc, argv, &g);

	if (rc == CLI_OK)
		rc = read_files(&g);
	if (rc == CLI_OK && g.names.len == 0)
		rc = cli_usage_error(c, "there is no symbol: name some, or --csv FILE "
					"or --text FILE");
	if (rc == CLI_OK)
		rc = begin(c, &g);
	buf_free(&g.vendors);
	buf_free(&g.names);
	return rc == CLI_OPTION_HELP ? CLI_OK : rc;
}
