/*
 * cmd_news_import - articles of files to the daemon.  A line that is no article is
 * named and passed over, what the daemon refuses is named with its reason; all else is
 * sent, and sending it again changes nothing: the daemon knows an article by source and
 * id.
 */
#include "cli/cmd_news_import.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "cli/news_file.h"
#include "cli/news_history.h"
#include "cli/query.h"
#include "feeds/rss.h"
#include "proto/article.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_BYTES (256u << 10)
#define BATCH_MAX   1000u
#define SHOWN_MAX   20
#define RESENDS_MAX 300
#define RESEND_MS   200

enum {
	OPT_SOURCE = 1,
	OPT_SYMBOLS,
	OPT_MATCH,
	OPT_URL,
	OPT_HISTORY,
	OPT_START,
	OPT_END,
	OPT_JSON
};

static const struct option longs[] = {{"source", required_argument, NULL, OPT_SOURCE},
				      {"symbols", required_argument, NULL, OPT_SYMBOLS},
				      {"match", required_argument, NULL, OPT_MATCH},
				      {"url", required_argument, NULL, OPT_URL},
				      {"from-history", no_argument, NULL, OPT_HISTORY},
				      {"start", required_argument, NULL, OPT_START},
				      {"end", required_argument, NULL, OPT_END},
				      {"json", no_argument, NULL, OPT_JSON},
				      {0}};

struct import {
	struct cli *cli;
	const char *source; /* of the batch */
	const char *given;  /* --source; NULL: none */
	char vendor[HIST_SOURCE_MAX + 1];
	bool is_history;
	uint64_t articles; /* of the history */
	struct news_history_wish wish;
	struct news_file_options how;
	bool json;
	const char *path;
	struct buf batch; /* the request so far */
	struct jsonw w;
	uint64_t lines[BATCH_MAX]; /* of its articles */
	uint32_t n;
	uint64_t accepted, duplicate, rejected, bad;
	uint32_t shown;
	int code; /* what ended it */
};

static void show_bad(struct import *m, uint64_t line, const char *why)
{
	if (m->shown++ < SHOWN_MAX)
		(void)fprintf(stderr, "tickbusctl: %s:%llu: %s\n", m->path,
			      (unsigned long long)line, why);
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
	struct import *m = arg;

	m->bad++;
	show_bad(m, line, why);
}

static void begin_batch(struct import *m)
{
	m->batch.len = 0;
	m->n = 0;
	jsonw_init(&m->w, &m->batch);
	jsonw_object(&m->w, NULL);
	jsonw_str(&m->w, "producer", "news-import");
	jsonw_str(&m->w, "source", m->source);
	jsonw_array(&m->w, "news");
}

static uint64_t number(const struct json_token *object, const char *key)
{
	struct json_token t;
	uint64_t v = 0;

	return query_member(object, key, &t) && json_scan_u64(&t, &v) ? v : 0;
}

/* Name the lines that were refused. */
static void show_refused(struct import *m, const struct json_token *reply)
{
	struct json_token runs, key, run, reason;
	struct query_walk walk;
	char text[64];

	if (!query_member(reply, "runs", &runs) || !query_walk(&walk, &runs))
		return;
	while (query_next(&walk, &key, &run)) {
		uint64_t first = number(&run, "first_index"), n = number(&run, "n");

		if (!query_member(&run, "reason", &reason))
			continue;
		for (uint64_t i = first; i < first + n && i < m->n; i++)
			show_bad(m, m->lines[i],
				 query_text(&reason, text, sizeof(text)));
	}
}

static bool is_status(const struct json_token *reply, const char *status)
{
	struct json_token t;

	return query_member(reply, "status", &t) && json_scan_is(&t, status);
}

/* One answer: CLI_OK, an exit code after the reason was printed, or -1: ask again. */
static int take_reply(struct import *m, const char *answer)
{
	struct json_scan s = {.at = answer, .end = answer + strlen(answer)};
	struct json_token reply, text;
	char why[256];

	if (!json_scan_value(&s, &reply) || reply.type != JSON_OBJECT)
		return cli_error(CLI_INTERNAL, "the daemon's answer is no JSON object");
	if (is_status(&reply, "ok")) {
		m->accepted += number(&reply, "accepted");
		m->duplicate += number(&reply, "duplicate");
		m->rejected += number(&reply, "rejected");
		show_refused(m, &reply);
		return CLI_OK;
	}
	if (number(&reply, "retry_ms") > 0)
		return -1;
	return cli_error(CLI_NEGATIVE, "the daemon says: %s",
			 query_member(&reply, "text", &text)
				 ? query_text(&text, why, sizeof(why))
				 : "no");
}

static int flush(struct import *m)
{
	int code = -1;

	if (m->n == 0)
		return CLI_OK;
	jsonw_end(&m->w);
	jsonw_end(&m->w);
	for (unsigned i = 0; code < 0 && i < RESENDS_MAX; i++) {
		char *answer = NULL;
		int rc;

		if (i > 0 && cli_stopped(m->cli, RESEND_MS))
			return cli_error(CLI_UNAVAILABLE, "stopped");
		rc = tickbus_request(&m->cli->options, TICKBUS_INGEST,
				     buf_text(&m->batch), &answer);
		code = rc < 0 ? cli_unavailable(m->cli, rc) : take_reply(m, answer);
		tickbus_free(answer);
	}
	begin_batch(m);
	return code < 0 ? cli_error(CLI_UNAVAILABLE, "the daemon has no room") : code;
}

static int add(struct import *m, uint64_t line, const char *text, size_t len)
{
	jsonw_raw(&m->w, NULL, text, len);
	m->lines[m->n++] = line;
	if (m->n < BATCH_MAX && m->batch.len < BATCH_BYTES)
		return 0;
	m->code = flush(m);
	return m->code;
}

static int on_article(void *arg, uint64_t line, const struct hist_article *a)
{
	struct buf text = {0};
	int rc;

	article_write(&text, a);
	rc = add(arg, line, (const char *)text.data, text.len);
	buf_free(&text);
	return rc != CLI_OK;
}

/* A batch is of one source. */
static int on_history(void *arg, const char *source, const char *text, size_t len)
{
	struct import *m = arg;

	if (m->given == NULL && strcmp(m->source, source) != 0) {
		m->code = flush(m);
		if (m->code != CLI_OK)
			return m->code;
		(void)snprintf(m->vendor, sizeof(m->vendor), "%s", source);
		m->source = m->vendor;
		begin_batch(m);
	}
	return add(m, ++m->articles, text, len);
}

static void show_sum(const struct import *m)
{
	struct buf out = {0};
	struct jsonw w;

	if (!m->json) {
		printf("%llu taken, %llu known already, %llu refused, %llu no "
		       "articles",
		       (unsigned long long)m->accepted,
		       (unsigned long long)m->duplicate,
		       (unsigned long long)m->rejected, (unsigned long long)m->bad);
		if (m->how.match != 0)
			printf(", %llu about others",
			       (unsigned long long)m->how.unmatched);
		printf("\n");
		return;
	}
	jsonw_init(&w, &out);
	jsonw_object(&w, NULL);
	jsonw_u64(&w, "accepted", m->accepted);
	jsonw_u64(&w, "duplicate", m->duplicate);
	jsonw_u64(&w, "rejected", m->rejected);
	jsonw_u64(&w, "malformed", m->bad);
	if (m->how.match != 0)
		jsonw_u64(&w, "unmatched", m->how.unmatched);
	jsonw_end(&w);
	printf("%s\n", buf_text(&out));
	buf_free(&out);
}

static int read_files(struct import *m, int argc, char **argv)
{
	const struct news_file_sink sink = {m, on_article, on_bad};

	begin_batch(m);
	for (int i = optind; i < argc && m->code == CLI_OK; i++) {
		int rc;

		m->path = argv[i];
		rc = news_file_read(argv[i], &m->how, &sink);
		if (rc < 0)
			m->code = cli_error(CLI_IO, "%s", err_text());
		else if (m->code == CLI_OK)
			m->code = flush(m);
	}
	buf_free(&m->batch);
	return m->code;
}

static int read_history(struct import *m, int argc, char **argv)
{
	size_t n;
	int rc;

	m->path = "history";
	m->wish.symbols = argv + optind;
	m->wish.n = (size_t)(argc - optind);
	begin_batch(m);
	rc = news_history_each(m->cli, &m->wish, on_history, m, &n);
	if (rc == CLI_OK)
		rc = flush(m);
	if (rc == CLI_OK && n == 0)
		rc = cli_error(CLI_NEGATIVE, "there are no articles about them: "
					     "tickbusctl ingest ... --what news");
	buf_free(&m->batch);
	m->code = rc;
	return rc;
}

static bool read_match(const char *text, unsigned *out)
{
	while (*text != '\0') {
		size_t len = strcspn(text, ",");

		if (len == 5 && memcmp(text, "title", len) == 0)
			*out |= RSS_TITLE;
		else if (len == 8 && memcmp(text, "category", len) == 0)
			*out |= RSS_CATEGORY;
		else
			return false;
		text += len + (text[len] == ',');
	}
	return *out != 0;
}

int cmd_news_import(struct cli *c, int argc, char **argv)
{
	struct import m = {
		.cli = c, .source = "file", .how = {.symbols = "", .url = ""}};
	int option;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		m.source = option == OPT_SOURCE ? optarg : m.source;
		m.given = option == OPT_SOURCE ? optarg : m.given;
		m.is_history = m.is_history || option == OPT_HISTORY;
		m.wish.start = option == OPT_START ? optarg : m.wish.start;
		m.wish.end = option == OPT_END ? optarg : m.wish.end;
		m.how.symbols = option == OPT_SYMBOLS ? optarg : m.how.symbols;
		m.how.url = option == OPT_URL ? optarg : m.how.url;
		if (option == OPT_MATCH && !read_match(optarg, &m.how.match))
			return cli_usage_error(c,
					       "--match is title, category or both, "
					       "not '%s'",
					       optarg);
		m.json = m.json || option == OPT_JSON;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind == argc)
		return cli_usage_error(
			c, m.is_history ? "import --from-history takes one or "
					  "more symbols"
					: "import takes one or more files; - is "
					  "standard input");
	if (m.how.match != 0 && m.how.symbols[0] == '\0')
		return cli_usage_error(c,
				       "--match looks for the symbols that --symbols "
				       "names");
	if (!source_valid(m.source, strlen(m.source)))
		return cli_usage_error(c, "'%s' is no source: [a-z0-9._-]{1,16}",
				       m.source);
	if (cli_catch_stop(c) != 0)
		return CLI_INTERNAL;
	if ((m.is_history ? read_history(&m, argc, argv)
			  : read_files(&m, argc, argv)) != CLI_OK)
		return m.code;
	show_sum(&m);
	return cli_finish(m.rejected + m.bad > 0 ? CLI_NEGATIVE : CLI_OK);
}
