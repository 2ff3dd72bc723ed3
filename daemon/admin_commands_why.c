/*
 * admin_commands_why - what a lineage is put together of: stored events by stream, and
 * the ticks of a symbol with who sent them.  Each question looks at a bounded piece;
 * `next` says where to go on.
 */
#include "base/err.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/events_page.h"
#include "daemon/row_walk.h"
#include "daemon/serve_catchup_parts.h"
#include "proto/event_json.h"
#include "proto/timeframe.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX    16u /* rows of one question ... */
#define BYTES_MAX   ((size_t)1 << 20)
#define FOUND_MAX   200u   /* ... ticks; events: no further row beyond so many */
#define RECORDS_MAX 16384u /* records of one question */
#define CHUNK       1024u

/* A question with its particulars; question_free() frees it as a whole. */
struct lookup {
	struct question q; /* first; q.from: row or position to begin with */
	enum event_kind kind;
	char name[SYMBOL_MAX];    /* symbol or universe */
	uint32_t timeframe_s;     /* 0: any */
	uint64_t seq;             /* 0: any */
	int64_t begin_ns, end_ns; /* event times; ticks: end is exclusive */
	uint64_t next;
	uint32_t n_found;
	bool is_gone; /* rows before `q.from` were retired */
};

/* ---- stored events ---- */

static bool matches(const struct lookup *l, const struct row_walk *w)
{
	struct event_face face;
	struct event_head head;

	memcpy(&head, w->event, sizeof(head));
	event_face_of(l->kind, w->event, &face);
	return memcmp(face.name, l->name, SYMBOL_MAX) == 0 &&
	       (l->timeframe_s == 0 || face.timeframe_s == l->timeframe_s) &&
	       (l->seq == 0 || head.seq == l->seq) && head.event_ns >= l->begin_ns &&
	       head.event_ns <= l->end_ns;
}

static void put_event(struct jsonw *w, const struct lookup *l, const void *event)
{
	const struct event_json_ctx ctx = {.epoch = l->q.d->epoch,
					   .publish_ns = VALUE_NULL};
	const struct event_tier2 *m = event;
	const struct tier2_member *members = (const void *)(m + 1);
	struct buf line = {0};

	if (l->kind == EVENT_TIER2)
		event_json_tier2(&line, m, members,
				 (const double *)(members + m->n_members), &ctx);
	else
		line.len = event_json_any((char *)buf_reserve(&line, EVENT_JSON_MAX),
					  l->kind, event, &ctx);
	jsonw_raw(w, NULL, (const char *)line.data, line.len);
	buf_free(&line);
}

static int on_row(void *arg, const struct store_batch *b)
{
	buf_add(arg, b->data, b->len);
	return 0;
}

/* The row where events of @begin_ns may begin. */
ON_STORE static int first_row(struct tickstore *ts, const struct lookup *l,
			      uint64_t *out_id)
{
	uint64_t pos, first, next;
	int rc;

	tickstore_derived_range(ts, l->kind, &first, &next);
	*out_id = first;
	if (l->begin_ns == INT64_MIN)
		return 0;
	rc = tickstore_find_time(ts, l->begin_ns, &pos);
	if (rc == 0)
		rc = tickstore_derived_find(ts, l->kind, pos, out_id);
	else if (rc == STORE_END)
		*out_id = next;
	return rc < 0 ? rc : 0;
}

/* One row from l->next on, which moves behind it. */
ON_STORE static int read_row(struct tickstore *ts, struct lookup *l, struct buf *rows)
{
	uint64_t first, next;
	int rc;

	rc = tickstore_derived_read(ts, l->kind, l->next, 1, on_row, rows, &l->next);
	if (rc == STORE_GONE) {
		l->is_gone = true;
		rc = tickstore_derived_read(ts, l->kind, l->next, 1, on_row, rows,
					    &l->next);
	}
	tickstore_derived_range(ts, l->kind, &first, &next);
	l->is_gone = l->is_gone || first > 1;
	l->q.is_done = l->next >= next;
	return rc < 0 ? rc : 0;
}

/* Rows are looked at whole: what an answer leaves out would be lost between two. */
static void ask_stored(struct store_thread *st, void *arg)
{
	struct lookup *l = arg;
	struct row_walk walk = {0};
	struct buf rows = {0};
	struct jsonw w;
	size_t bytes = 0;
	int rc = 0;

	role_assert_store();
	jsonw_init(&w, &l->q.rows);
	jsonw_array(&w, NULL);
	l->next = l->q.from;
	if (l->next == 0)
		rc = first_row(store_log(st), l, &l->next);
	for (uint32_t i = 0; rc == 0 && i < ROWS_MAX && !l->q.is_done &&
			     l->n_found < FOUND_MAX && bytes < BYTES_MAX;
	     i++) {
		rows.len = 0;
		rc = read_row(store_log(st), l, &rows);
		bytes += rows.len;
		row_walk_begin(&walk, l->kind, rows.data, rows.len);
		while (rc == 0 && (rc = row_walk_next(&walk)) == 0)
			if (matches(l, &walk)) {
				put_event(&w, l, walk.event);
				l->n_found++;
			}
		rc = rc > 0 ? 0 : rc;
		row_walk_deinit(&walk);
	}
	jsonw_end(&w);
	if (rc < 0)
		question_fail(&l->q, rc);
	buf_free(&rows);
}

static void answer(struct daemon *d, void *arg)
{
	struct lookup *l = arg;

	role_assert_loop();
	(void)d;
	if (question_has_result(&l->q)) {
		struct jsonw *w = admin_result(l->q.call);

		jsonw_raw(w, "found", (const char *)l->q.rows.data, l->q.rows.len);
		jsonw_u64(w, "next", l->next);
		jsonw_bool(w, "done", l->q.is_done);
		jsonw_bool(w, "retired", l->is_gone);
		admin_done(l->q.call);
	}
	question_free(&l->q);
}

/* False: the call has been failed, @l is gone. */
ON_LOOP static bool read_request(struct lookup *l, const struct json *request)
{
	const char *kind = json_str(json_get(request, "kind"), "tick");
	const char *name = json_str(json_get(request, "name"), "");
	const char *timeframe = json_str(json_get(request, "timeframe"), "");
	uint64_t begin, end;

	if (!admin_number(request, "from", 0, l->q.call, &l->q.from) ||
	    !admin_number(request, "to", UINT64_MAX, l->q.call, &l->q.to) ||
	    !admin_number(request, "seq", 0, l->q.call, &l->seq) ||
	    !admin_number(request, "begin_ns", 0, l->q.call, &begin) ||
	    !admin_number(request, "end_ns", INT64_MAX, l->q.call, &end)) {
		question_free(&l->q);
		return false;
	}
	l->kind = event_kind_parse(kind, strlen(kind));
	l->timeframe_s = timeframe_parse(timeframe, strlen(timeframe));
	l->begin_ns = begin == 0 ? INT64_MIN : (int64_t)begin;
	l->end_ns = (int64_t)end;
	if (name[0] == '\0' || strlen(name) > SYMBOL_MAX ||
	    (timeframe[0] != '\0' && l->timeframe_s == 0) ||
	    (l->kind != EVENT_TICK && l->kind != EVENT_BAR && l->kind != EVENT_TIER1 &&
	     l->kind != EVENT_TIER2 && l->kind != EVENT_NEWS &&
	     l->kind != EVENT_STATUS)) {
		admin_fail(l->q.call, "bad_request",
			   "name, kind or timeframe is no such thing");
		question_free(&l->q);
		return false;
	}
	memcpy(l->name, name, strlen(name));
	return true;
}

/* ---- ticks ---- */

static void put_tick(struct jsonw *w, struct tickstore *ts, const struct lookup *l,
		     uint64_t pos, const struct record *r)
{
	const char *source = symtab_name(l->q.d->sources, r->source_id);
	const struct event_json_ctx ctx = {.epoch = l->q.d->epoch,
					   .publish_ns = VALUE_NULL,
					   .source = source[0] != '\0' ? source : NULL};
	const struct item it = {.pos = pos, .rec = *r};
	struct event_tick e;
	char line[EVENT_JSON_MAX];
	uint32_t producer;
	uint64_t seq;

	role_assert_store();
	dispatch_tick(l->q.d->symbols, &it, &e);
	jsonw_object(w, NULL);
	jsonw_raw(w, "tick", line, event_json_tick(line, &e, &ctx));
	if (tickstore_origin(ts, pos, &producer, &seq) == 0) {
		jsonw_str(w, "producer", tickstore_producer_name(ts, producer));
		jsonw_u64(w, "producer_seq", seq);
	}
	jsonw_end(w);
}

/* Records are copied: asking for a producer makes what was looked at in place stale. */
ON_STORE static int read_ticks(struct tickstore *ts, struct lookup *l, struct jsonw *w)
{
	struct record *recs = malloc(CHUNK * sizeof(*recs));
	uint32_t looked = 0;
	int rc = 0;

	if (recs == NULL)
		return err_set(-ENOMEM, "out of memory for the ticks");
	l->next = l->q.from;
	while (rc == 0 && looked < RECORDS_MAX && l->n_found < FOUND_MAX &&
	       l->next <= l->q.to) {
		uint64_t pos = l->next;
		uint32_t n = 0, i = 0;

		rc = tickstore_read(ts, pos, CHUNK, recs, &pos, &n);
		if (rc == STORE_GONE) {
			l->is_gone = true;
			l->next = pos;
			rc = 0;
			continue;
		}
		for (; rc == 0 && i < n && pos + i <= l->q.to && l->n_found < FOUND_MAX;
		     i++) {
			const struct record *r = &recs[i];

			if (r->type != RECORD_TICK || r->symbol_id != l->q.symbol_id ||
			    r->event_ns < l->begin_ns || r->event_ns >= l->end_ns)
				continue;
			put_tick(w, ts, l, pos + i, r);
			l->n_found++;
		}
		if (rc == 0)
			l->next = pos + i;
		looked += i;
		if (i == 0)
			break;
	}
	free(recs);
	l->q.is_done = rc == STORE_END || l->next > l->q.to;
	return rc < 0 ? rc : 0;
}

static void ask_ticks(struct store_thread *st, void *arg)
{
	struct lookup *l = arg;
	struct jsonw w;
	int rc;

	role_assert_store();
	jsonw_init(&w, &l->q.rows);
	jsonw_array(&w, NULL);
	rc = read_ticks(store_log(st), l, &w);
	jsonw_end(&w);
	if (rc < 0)
		question_fail(&l->q, rc);
}

void admin_why(struct daemon *d, const struct json *request, struct admin_call *call)
{
	struct lookup *l = question_new_in(d, call, sizeof(*l));

	if (l == NULL || !read_request(l, request))
		return;
	if (l->kind != EVENT_TICK) {
		question_ask(d, &l->q, ask_stored, answer);
		return;
	}
	if (symtab_find(d->symbols, l->name, strnlen(l->name, SYMBOL_MAX),
			&l->q.symbol_id) != 0) {
		admin_fail(call, "not_found", "there is no such symbol");
		question_free(&l->q);
		return;
	}
	if (l->q.from == 0)
		l->q.from = 1;
	question_ask(d, &l->q, ask_ticks, answer);
}

/* ---- events as catch-up gives them ---- */

static void put_page(void *arg, const void *page, size_t len)
{
	struct admin_call *call = arg;

	role_assert_loop();
	jsonw_raw(admin_result(call), "page", page, len);
	admin_done(call);
}

void admin_events(struct daemon *d, const struct json *request, struct admin_call *call)
{
	const char *q = json_str(json_get(request, "q"), "");

	if (q[0] != '{')
		admin_fail(call, "bad_request", "q is a catch-up request, as text");
	else if (events_page_ask(d, q, strlen(q), put_page, call) < 0)
		admin_fail(call, "busy", err_text());
}
