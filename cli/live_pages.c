/* live_pages - catch-up on the admin socket, page by page. */
#include "base/buf.h"
#include "base/jsonw.h"
#include "cli/live_source.h"
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 500, BUSY_TRIES = 250, BUSY_MS = 20 };

/* Where the next page begins, and when to stop. */
struct place {
	char from[96];
	bool is_snapshot;
	uint64_t until; /* what comes behind it came after we asked; 0: not known yet */
	bool is_done, is_busy;
};

static void put_streams(struct jsonw *w, const struct live_source *l,
			const struct live_pages *p, size_t first)
{
	jsonw_array(w, "symbols");
	for (size_t i = first; i < l->r->n && i < first + CHUNK; i++) {
		jsonw_object(w, NULL);
		jsonw_str(w, "kind", p->kind);
		jsonw_str(w, "symbol", l->r->rows[i].symbol);
		if (p->timeframe != NULL)
			jsonw_str(w, "timeframe", p->timeframe);
		jsonw_end(w);
	}
	jsonw_end(w);
}

/* {"cmd":"events","q":"{...}"} */
static void put_request(struct buf *out, const struct live_source *l,
			const struct live_pages *p, size_t first, const char *from)
{
	struct buf q = {0};
	struct jsonw w;

	jsonw_init(&w, &q);
	jsonw_object(&w, NULL);
	jsonw_array(&w, "kinds");
	jsonw_str(&w, NULL, p->kind);
	jsonw_end(&w);
	jsonw_raw(&w, "from", from, strlen(from));
	put_streams(&w, l, p, first);
	jsonw_end(&w);
	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "cmd", "events");
	jsonw_strn(&w, "q", (const char *)q.data, q.len);
	jsonw_end(&w);
	buf_free(&q);
}

/* False: the page is none, or a refusal. */
static bool take_page(struct live_source *l, const struct live_pages *p,
		      const struct json_token *page, struct place *at)
{
	struct json_token events = {.len = 0}, status = {.len = 0}, key, value;
	uint64_t next = 0, skip = 0, live = 0;
	struct query_walk walk;

	if (!query_walk(&walk, page))
		return false;
	at->is_snapshot = false;
	while (query_next(&walk, &key, &value)) {
		if (json_scan_is(&key, "events"))
			events = value;
		else if (json_scan_is(&key, "status"))
			status = value;
		else if (json_scan_is(&key, "next_pos"))
			(void)json_scan_u64(&value, &next);
		else if (json_scan_is(&key, "next_skip"))
			(void)json_scan_u64(&value, &skip);
		else if (json_scan_is(&key, "live_pos"))
			(void)json_scan_u64(&value, &live);
		else if (json_scan_is(&key, "next_from"))
			at->is_snapshot = json_scan_is(&value, "snapshot");
		else if (json_scan_is(&key, "done"))
			at->is_done = value.type == JSON_TRUE;
	}
	at->is_busy = json_scan_is(&status, "busy");
	if (at->is_busy)
		return true;
	if (json_scan_is(&status, "refused") || !query_walk(&walk, &events))
		return false;
	while (query_next(&walk, &key, &value))
		p->take(l, &value);
	if (at->until == 0)
		at->until = live;
	at->is_done = at->is_done || (!at->is_snapshot && next > at->until);
	(void)snprintf(at->from, sizeof(at->from), "{\"%s\":%llu,\"skip\":%llu}",
		       at->is_snapshot ? "snapshot" : "pos", (unsigned long long)next,
		       (unsigned long long)skip);
	return true;
}

static int one_page(struct cli *c, struct live_source *l, const struct live_pages *p,
		    size_t first, struct place *at)
{
	char reason[HISTORY_REASON_MAX];
	struct buf request = {0};
	struct json_token page;
	struct query q;
	int rc;

	put_request(&request, l, p, first, at->from);
	rc = query_try(c, buf_text(&request), &q, reason, sizeof(reason));
	buf_free(&request);
	if (rc != CLI_OK)
		return rc;
	if (!query_member(&q.result, "page", &page) || !take_page(l, p, &page, at))
		rc = CLI_NEGATIVE;
	query_free(&q);
	return rc;
}

/* A snapshot ends where pages go on by position. */
static int chunk(struct cli *c, struct live_source *l, const struct live_pages *p,
		 size_t first, const char *from)
{
	bool is_snapshot = strcmp(from, "\"snapshot\"") == 0;
	struct place at = {.until = 0};
	unsigned busy = 0;
	int rc;

	(void)snprintf(at.from, sizeof(at.from), "%s", from);
	do {
		rc = one_page(c, l, p, first, &at);
		if (rc == CLI_OK && at.is_busy) {
			if (++busy == BUSY_TRIES)
				return CLI_NEGATIVE;
			(void)poll(NULL, 0, BUSY_MS);
		}
	} while (rc == CLI_OK &&
		 (at.is_busy || (!at.is_done && !(is_snapshot && !at.is_snapshot))));
	return rc;
}

int live_pages_each(struct cli *c, struct live_source *l, const struct live_pages *p,
		    const char *from)
{
	int rc = CLI_OK;

	for (size_t i = 0; rc == CLI_OK && i < l->r->n; i += CHUNK)
		rc = chunk(c, l, p, i, from);
	return rc;
}
