/* history_source - see history_source.h. */
#include "cli/history_source.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "proto/barcols.h"
#include <string.h>

/* {"result": {BOX: {LIST: [row, ...], "next": where}}}; NEXT takes it back. */
static const struct {
	const char *cmd, *box, *list, *next;
} questions[] = {
	[HISTORY_BARS] = {"bars", "bars", "bars", "start"},
	[HISTORY_ARTICLES] = {"articles", "news", "articles", "after"},
	[HISTORY_SERIES] = {"cache_list", "cache", "series", "after"},
};

/* The raw "next" of a page, with its quotes when it is a text. */
struct place {
	char text[64];
	size_t len; /* 0: the first page */
};

static void put_request(struct buf *out, enum history_what what,
			const struct history_wish *wish, const char *form,
			const struct place *from)
{
	const char *const keys[][2] = {
		{"symbol", wish->symbol}, {"timeframe", wish->timeframe},
		{"source", wish->source}, {"adjust", wish->adjust},
		{"start", wish->start},   {"end", wish->end},
		{"form", form},
	};
	const char *next = questions[what].next;
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "cmd", questions[what].cmd);
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		if (keys[k][1] != NULL &&
		    !(from->len > 0 && strcmp(keys[k][0], next) == 0))
			jsonw_str(&w, keys[k][0], keys[k][1]);
	if (from->len > 0)
		jsonw_raw(&w, next, from->text, from->len);
	jsonw_end(&w);
}

/* False: there is no further page, or one that was there already. */
static bool go_on(const struct json_token *next, struct place *from)
{
	size_t quotes = next->type == JSON_STRING, len = next->len + 2 * quotes;
	const char *text = next->text - quotes;

	if (len == 0 || len > sizeof(from->text) ||
	    (len == from->len && memcmp(from->text, text, len) == 0))
		return false;
	from->len = len;
	memcpy(from->text, text, len);
	return true;
}

/* A page of the answer goes here. */
struct reader {
	const char *list; /* its member, and who takes it: */
	int (*take)(struct reader *r, const struct json_token *list);
	history_row row; /* take_rows */
	history_bar bar; /* take_columns */
	void *arg;
	struct buf bars; /* owned */
};

/* The members of a page in one go, for it is long. */
static bool find_list(const struct query *q, enum history_what what, const char *name,
		      struct json_token *list, struct json_token *next)
{
	struct json_token box, key, value;
	struct query_walk walk;
	bool found = false;

	*next = (struct json_token){.len = 0};
	if (!query_member(&q->result, questions[what].box, &box) ||
	    !query_walk(&walk, &box))
		return false;
	while (query_next(&walk, &key, &value)) {
		if (json_scan_is(&key, name)) {
			*list = value;
			found = true;
		} else if (json_scan_is(&key, "next")) {
			*next = value;
		}
	}
	return found;
}

static int take_rows(struct reader *r, const struct json_token *list)
{
	struct json_token row, key;
	struct query_walk walk;
	int rc = CLI_OK;

	if (!query_walk(&walk, list))
		return cli_error(CLI_INTERNAL, "the daemon's answer has no %s",
				 r->list);
	while (rc == CLI_OK && query_next(&walk, &key, &row))
		rc = r->row(r->arg, &row);
	return rc;
}

static int take_columns(struct reader *r, const struct json_token *columns)
{
	const struct hist_bar *bars;
	int rc = CLI_OK;

	r->bars.len = 0;
	if (barcols_read(columns, &r->bars) < 0)
		return cli_error(CLI_INTERNAL, "the daemon's answer: %s", err_text());
	bars = (const struct hist_bar *)(void *)r->bars.data;
	for (size_t i = 0; rc == CLI_OK && i < r->bars.len / sizeof(*bars); i++)
		rc = r->bar(r->arg, &bars[i]);
	return rc;
}

static int take_page(const struct query *q, enum history_what what, struct reader *r,
		     struct place *from, bool *more)
{
	struct json_token list, next;
	int rc;

	if (!find_list(q, what, r->list, &list, &next))
		return cli_error(CLI_INTERNAL, "the daemon's answer has no %s",
				 r->list);
	rc = r->take(r, &list);
	*more = go_on(&next, from);
	return rc;
}

static int read_pages(struct cli *c, enum history_what what,
		      const struct history_wish *wish, const char *form,
		      struct reader *r, char *reason)
{
	struct place from = {.len = 0};
	bool more = true;
	int rc = CLI_OK;

	while (rc == CLI_OK && more) {
		struct buf request = {0};
		struct query q;

		put_request(&request, what, wish, form, &from);
		rc = query_try(c, buf_text(&request), &q, reason, HISTORY_REASON_MAX);
		buf_free(&request);
		if (rc == CLI_OK) {
			rc = take_page(&q, what, r, &from, &more);
			query_free(&q);
		}
	}
	return rc;
}

int history_source_each(struct cli *c, enum history_what what,
			const struct history_wish *wish, history_row fn, void *arg,
			char *reason)
{
	struct reader r = {
		.list = questions[what].list, .take = take_rows, .row = fn, .arg = arg};

	return read_pages(c, what, wish, NULL, &r, reason);
}

int history_source_bars(struct cli *c, const struct history_wish *wish, history_bar fn,
			void *arg, char *reason)
{
	struct reader r = {
		.list = "columns", .take = take_columns, .bar = fn, .arg = arg};
	int rc = read_pages(c, HISTORY_BARS, wish, "columns", &r, reason);

	buf_free(&r.bars);
	return rc;
}
