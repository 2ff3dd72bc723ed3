/*
 * cmd_verify - has the daemon derive everything anew from its log and compare it with
 * what it published and stored; shows how far it is, then what it found.
 */
#include "base/clock.h"
#include "cli/progress.h"
#include "cli/query.h"
#include "proto/json_scan.h"
#include <stdio.h>
#include <string.h>

#define LOOK_MS 200

enum { OPT_FROM = 1, OPT_TO, OPT_WORKERS, OPT_JSON, OPT_HEADS };

static const struct option longs[] = {{"from", required_argument, NULL, OPT_FROM},
				      {"to", required_argument, NULL, OPT_TO},
				      {"workers", required_argument, NULL, OPT_WORKERS},
				      {"json", no_argument, NULL, OPT_JSON},
				      {"heads", no_argument, NULL, OPT_HEADS},
				      {0}};

struct verify {
	uint64_t from, to, workers;
	bool json, heads;
};

static uint64_t number(const struct json_token *result, const char *key)
{
	struct json_token t;
	uint64_t n = 0;

	if (query_member(result, key, &t))
		(void)json_scan_u64(&t, &n);
	return n;
}

static int read_options(struct cli *c, int argc, char **argv, struct verify *v)
{
	int option;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		uint64_t *out = option == OPT_FROM ? &v->from
				: option == OPT_TO ? &v->to
						   : &v->workers;
		uint64_t max = option == OPT_WORKERS ? 16 : INT64_MAX;

		if (option == OPT_JSON)
			v->json = true;
		else if (option == OPT_HEADS)
			v->heads = true;
		else if (!cli_number(optarg, 1, max, out))
			return cli_usage_error(c, "'%s' is not in 1..%llu", optarg,
					       (unsigned long long)max);
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OPTION_HELP : CLI_USAGE;
	if (optind != argc)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind]);
	if (v->to != 0 && v->from > v->to)
		return cli_usage_error(c, "the range ends before it begins");
	return CLI_OK;
}

/* What the daemon refuses is no difference. */
static int unfinished(int rc)
{
	return rc == CLI_NEGATIVE ? CLI_UNFINISHED : rc;
}

static int begin(struct cli *c, const struct verify *v, uint64_t *id)
{
	char request[160];
	struct query q;
	size_t n = (size_t)snprintf(request, sizeof(request),
				    "{\"cmd\":\"verify\",\"workers\":%llu",
				    (unsigned long long)v->workers);
	int rc;

	if (v->from != 0)
		n += (size_t)snprintf(request + n, sizeof(request) - n,
				      ",\"from\":\"%llu\"",
				      (unsigned long long)v->from);
	if (v->to != 0)
		n += (size_t)snprintf(request + n, sizeof(request) - n,
				      ",\"to\":\"%llu\"", (unsigned long long)v->to);
	(void)snprintf(request + n, sizeof(request) - n, "}");
	rc = query_run(c, request, &q);
	if (rc != CLI_OK)
		return unfinished(rc);
	*id = number(&q.result, "id");
	query_free(&q);
	return CLI_OK;
}

static void show_progress(const struct json_token *result)
{
	uint64_t begin = number(result, "begin"), end = number(result, "end");
	uint64_t pos = number(result, "position");
	char text[32];

	if (end == 0 || end < begin || pos < begin)
		return;
	(void)progress_thousands(text, pos);
	(void)fprintf(
		stderr, "\r%3u%%  position %s ",
		(unsigned)((double)(pos - begin + 1) * 100 / (double)(end - begin + 1)),
		text);
	(void)fflush(stderr);
}

/* Until it is done; a stop cancels it and waits for its end. */
static int wait_for(struct cli *c, uint64_t id, struct query *q)
{
	bool is_cancelled = false;

	while (true) {
		struct json_token running;
		struct query cancel;
		int rc = query_ask(c, "verify_status", NULL, NULL, q);

		if (rc != CLI_OK)
			return unfinished(rc);
		if (number(&q->result, "id") != id) {
			query_free(q);
			return cli_error(CLI_UNFINISHED,
					 "another verification has taken its place");
		}
		if (query_member(&q->result, "running", &running) &&
		    running.type == JSON_FALSE)
			return CLI_OK;
		if (c->is_terminal)
			show_progress(&q->result);
		query_free(q);
		if (!cli_stopped(c, is_cancelled ? 0 : LOOK_MS) || is_cancelled)
			continue;
		is_cancelled = true;
		rc = query_ask(c, "verify_cancel", NULL, NULL, &cancel);
		if (rc != CLI_OK)
			return unfinished(rc);
		query_free(&cancel);
	}
}

static int show_heads(struct cli *c, bool json)
{
	uint64_t from = 0;
	bool more = true;

	while (more) {
		struct json_token rows, key, row, done;
		struct query_walk w;
		char request[80];
		struct query q;
		int rc;

		(void)snprintf(request, sizeof(request),
			       "{\"cmd\":\"verify_heads\",\"from\":%llu}",
			       (unsigned long long)from);
		rc = query_run(c, request, &q);
		if (rc != CLI_OK)
			return unfinished(rc);
		if (!query_member(&q.result, "heads", &rows) || !query_walk(&w, &rows))
			rows.len = 0;
		while (rows.len > 0 && query_next(&w, &key, &row)) {
			char kind[16], name[48], seq[24], chain[24];
			struct json_token t = {.type = JSON_NULL};

			if (json) {
				printf("%.*s\n", (int)row.len, row.text);
				continue;
			}
			(void)query_member(&row, "kind", &t);
			(void)query_text(&t, kind, sizeof(kind));
			if (!query_member(&row, "symbol", &t))
				(void)query_member(&row, "universe", &t);
			(void)query_text(&t, name, sizeof(name));
			(void)query_member(&row, "seq", &t);
			(void)query_text(&t, seq, sizeof(seq));
			(void)query_member(&row, "chain", &t);
			printf("%-6s %-24s %10s %s\n", kind, name, seq,
			       query_text(&t, chain, sizeof(chain)));
		}
		more = query_member(&q.result, "done", &done) &&
		       done.type == JSON_FALSE && number(&q.result, "next") > from;
		from = number(&q.result, "next");
		query_free(&q);
	}
	return CLI_OK;
}

/* Print what was found; the exit code says it too. */
static int judge(const struct query *q, bool json)
{
	struct json_token found, text, verdict = {.type = JSON_NULL};

	if (!query_member(&q->result, "found", &found) ||
	    !query_member(&found, "verdict", &verdict))
		return cli_error(CLI_INTERNAL, "the daemon's answer has no verdict");
	if (json)
		printf("%.*s\n", (int)found.len, found.text);
	else if (query_member(&q->result, "text", &text))
		query_print_text(stdout, &text);
	return json_scan_is(&verdict, "equal")     ? CLI_OK
	       : json_scan_is(&verdict, "differs") ? CLI_NEGATIVE
						   : CLI_UNFINISHED;
}

int cmd_verify(struct cli *c, int argc, char **argv)
{
	struct verify v = {.workers = 1};
	struct query q;
	uint64_t id = 0;
	int rc = read_options(c, argc, argv, &v), heads;

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	if (cli_catch_stop(c) < 0)
		return cli_error(CLI_INTERNAL, "cannot catch signals");
	rc = begin(c, &v, &id);
	if (rc == CLI_OK)
		rc = wait_for(c, id, &q);
	if (rc != CLI_OK)
		return rc;
	if (c->is_terminal)
		(void)fprintf(stderr, "\r%40s\r", "");
	rc = judge(&q, v.json);
	query_free(&q);
	heads = v.heads ? show_heads(c, v.json) : CLI_OK;
	return heads != CLI_OK ? heads : rc;
}
