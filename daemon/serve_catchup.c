/* serve_catchup - see serve_catchup.h; the socket's side is in serve_catchup_take.c. */
#include "daemon/serve_catchup.h"
#include "base/err.h"
#include "bus/stats.h"
#include "daemon/serve_catchup_parts.h"
#include "proto/sbe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE_BYTES   ((size_t)1 << 20)
#define PAGE_EVENTS  4096u
#define SCAN_RECORDS 131072u
#define SCAN_BYTES   ((size_t)8 << 20)
#define JSON_GROWTH  4 /* an event as JSON is up to about so many times its block */
#define NAMES        1024u

static const char *source_name(void *arg, uint16_t source_id)
{
	const char *name = symtab_name(arg, source_id);

	return name[0] == '\0' ? NULL : name;
}

/* Append @page in the form that was asked for. */
static int put_page(const struct symtab *sources, bool as_json, const struct buf *page,
		    struct buf *out)
{
	if (!as_json) {
		buf_add(out, page->data, page->len);
		return 0;
	}
	if (catchup_page_json(page->data, page->len, sources ? source_name : NULL,
			      (void *)(uintptr_t)sources, out) != 0)
		return -EBADMSG;
	return 0;
}

/* A page without events. */
static void put_refusal(bool as_json, uint64_t epoch, enum catchup_status status,
			const char *text, struct buf *out)
{
	struct catchup_page_root root = {.epoch = epoch, .status = (uint8_t)status};
	struct catchup_writer w;
	struct buf page = {0};

	(void)snprintf(root.text, sizeof(root.text), "%s", text);
	catchup_page_begin(&w, &page);
	catchup_page_seal(&w, &root);
	(void)put_page(NULL, as_json, &page, out);
	buf_free(&page);
}

void catchup_turn_away(const void *req, size_t len, uint64_t epoch,
		       enum catchup_status status, const char *text, struct buf *out)
{
	struct sbe_cursor c = {req, (const uint8_t *)req + len};
	struct sbe_head head;

	put_refusal(sbe_head_read(&c, &head) != 0, epoch, status, text, out);
}

/* ---- the dictionary ---- */

static void answer_dict(const struct catchup_env *env,
			const struct catchup_request *req, struct buf *out)
{
	bool is_symbols = req->dict.which == CATCHUP_SYMBOLS;
	const struct symtab *table = is_symbols ? env->symbols : env->sources;
	uint32_t limit = req->dict.limit > 0 ? req->dict.limit : NAMES;
	uint32_t id = req->dict.from_id, end = symtab_count(table), n = 0;
	struct catchup_dict_page_root root = {.epoch = env->epoch,
					      .which = req->dict.which};
	struct catchup_name *names;

	if (limit > CATCHUP_NAMES_MAX)
		limit = CATCHUP_NAMES_MAX;
	if (!is_symbols && id == 0)
		id = 1; /* source 0 is the daemon itself */
	names = calloc(limit, sizeof(*names));
	if (names == NULL) {
		put_refusal(req->is_json, env->epoch, CATCHUP_BUSY, "out of memory",
			    out);
		return;
	}
	for (; id < end && n < limit; id++, n++) {
		names[n].id = id;
		memcpy(names[n].name, symtab_name(table, id), SYMBOL_MAX);
	}
	root.next_id = id;
	root.done = id >= end;
	catchup_dict_write(&root, names, n, req->is_json, out);
	free(names);
}

/* ---- events ---- */

ON_STORE static int answer_events(const struct catchup_env *env, struct query *q,
				  struct buf *out)
{
	size_t bytes_max = env->page_bytes_max;
	struct buf page = {0};
	uint32_t n = 0;
	int rc;

	if (q->req.is_json)
		bytes_max /= JSON_GROWTH;
	rc = seek_start(q);
	if (rc == 0 && !q->is_now)
		rc = tap_open_all(q);
	if (rc == 0)
		rc = page_write(q, bytes_max, &page, &n);
	tap_close_all(q);
	held_deinit(&q->held);
	if (rc == 0) {
		stats_add(STAT_CATCHUP_EVENTS, n);
		if (q->is_gone)
			stats_add(STAT_CATCHUP_GONE, 1);
		rc = put_page(env->sources, q->req.is_json, &page, out);
	}
	buf_free(&page);
	return rc;
}

/* A snapshot needs to know what is newest; else the answer is in @out. */
ON_STORE static bool is_ready(const struct catchup_env *env, const struct query *q,
			      struct buf *out)
{
	int rc;

	if (q->req.root.from_type != CATCHUP_FROM_SNAPSHOT)
		return true;
	if (env->newest == NULL) {
		put_refusal(q->req.is_json, env->epoch, CATCHUP_REFUSED,
			    "no snapshots are made here", out);
		return false;
	}
	rc = newest_step(env->newest, env->store, env->scan_bytes_max);
	if (rc == 0)
		return true;
	put_refusal(q->req.is_json, env->epoch, CATCHUP_BUSY,
		    rc == NEWEST_BEHIND ? "what is newest is being gathered; ask again"
					: "a stored row is damaged; ask again",
		    out);
	return false;
}

ON_STORE static int run_query(const struct catchup_env *env, struct query *q,
			      struct buf *out)
{
	int rc = streams_init(&q->streams, &q->req, env->symbols);

	if (rc < 0)
		return rc;
	if (q->streams.kinds == 0) {
		put_refusal(q->req.is_json, env->epoch, CATCHUP_REFUSED,
			    "none of the kinds asked for is kept", out);
		streams_deinit(&q->streams);
		return 0;
	}
	if (q->req.n_streams > 0) {
		q->gone = calloc(q->req.n_streams, sizeof(*q->gone));
		if (q->gone == NULL) {
			streams_deinit(&q->streams);
			return err_set(-ENOMEM, "out of memory for a catch-up request");
		}
	}
	rc = is_ready(env, q, out) ? answer_events(env, q, out) : 0;
	free(q->gone);
	streams_deinit(&q->streams);
	return rc;
}

static struct catchup_env with_defaults(const struct catchup_env *env)
{
	struct catchup_env e = *env;

	if (e.page_bytes_max == 0)
		e.page_bytes_max = PAGE_BYTES;
	if (e.events_max == 0)
		e.events_max = PAGE_EVENTS;
	if (e.scan_records_max == 0)
		e.scan_records_max = SCAN_RECORDS;
	if (e.scan_bytes_max == 0)
		e.scan_bytes_max = SCAN_BYTES;
	return e;
}

int catchup_answer(const struct catchup_env *env, const void *req, size_t len,
		   struct buf *out)
{
	const struct catchup_env e = with_defaults(env);
	struct query *q = calloc(1, sizeof(*q));
	int rc = 0;

	if (q == NULL) {
		catchup_turn_away(req, len, e.epoch, CATCHUP_BUSY, "out of memory",
				  out);
		return 0;
	}
	q->env = &e;
	q->records_left = e.scan_records_max;
	q->bytes_left = e.scan_bytes_max;
	if (catchup_request_read(req, len, &q->req) != 0)
		catchup_turn_away(req, len, e.epoch, CATCHUP_REFUSED, err_text(), out);
	else if (q->req.what == CATCHUP_DICT)
		answer_dict(&e, &q->req, out);
	else
		rc = run_query(&e, q, out);
	if (rc < 0)
		put_refusal(q->req.is_json, e.epoch, CATCHUP_REFUSED,
			    "the store could not be read; see the daemon's log", out);
	if (rc != CATCHUP_WAITS)
		stats_add(STAT_CATCHUP_REQUESTS, 1);
	catchup_request_deinit(&q->req);
	free(q);
	return rc;
}
