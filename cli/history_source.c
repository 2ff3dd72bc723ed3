/* history_source - see history_source.h. */
#include "cli/history_source.h"
#include "base/buf.h"
#include "base/jsonw.h"
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
			const struct history_wish *wish, const struct place *from)
{
	const char *const keys[][2] = {
		{"symbol", wish->symbol}, {"timeframe", wish->timeframe},
		{"source", wish->source}, {"adjust", wish->adjust},
		{"start", wish->start},   {"end", wish->end},
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

/* The members of a page in one go, for it is long. */
static bool find_rows(const struct query *q, enum history_what what,
		      struct query_walk *rows, struct json_token *next)
{
	struct json_token box, key, value;
	struct query_walk walk;
	bool found = false;

	*next = (struct json_token){.len = 0};
	if (!query_member(&q->result, questions[what].box, &box) ||
	    !query_walk(&walk, &box))
		return false;
	while (query_next(&walk, &key, &value)) {
		if (json_scan_is(&key, questions[what].list))
			found = query_walk(rows, &value);
		else if (json_scan_is(&key, "next"))
			*next = value;
	}
	return found;
}

static int take_page(const struct query *q, enum history_what what, history_row fn,
		     void *arg, struct place *from, bool *more)
{
	struct json_token row, key, next;
	struct query_walk walk;
	int rc = CLI_OK;

	if (!find_rows(q, what, &walk, &next))
		return cli_error(CLI_INTERNAL, "the daemon's answer has no %s",
				 questions[what].list);
	while (rc == CLI_OK && query_next(&walk, &key, &row))
		rc = fn(arg, &row);
	*more = go_on(&next, from);
	return rc;
}

int history_source_each(struct cli *c, enum history_what what,
			const struct history_wish *wish, history_row fn, void *arg,
			char *reason)
{
	struct place from = {.len = 0};
	bool more = true;
	int rc = CLI_OK;

	while (rc == CLI_OK && more) {
		struct buf request = {0};
		struct query q;

		put_request(&request, what, wish, &from);
		rc = query_try(c, buf_text(&request), &q, reason, HISTORY_REASON_MAX);
		buf_free(&request);
		if (rc == CLI_OK) {
			rc = take_page(&q, what, fn, arg, &from, &more);
			query_free(&q);
		}
	}
	return rc;
}
