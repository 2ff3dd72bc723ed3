/*
 * admin_commands_trace - the way of one record: as logged, what it brought about at its
 * position, and when it came through each stage.
 */
#include "daemon/admin_commands_parts.h"
#include "daemon/row_walk.h"
#include "daemon/serve_catchup.h"
#include "daemon/serve_catchup_parts.h"
#include "proto/timeframe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 100u /* of a kind; a clock record may close thousands of bars */
#define NEWEST_MAX 32u

static const enum event_kind kinds[] = {EVENT_BAR, EVENT_TIER1, EVENT_TIER2, EVENT_NEWS,
					EVENT_STATUS};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* ---- times ---- */

static void put_stage(struct jsonw *w, const struct trace_step *s, unsigned stage,
		      const char *name, int64_t took_ns)
{
	int64_t at = s->at_ns[stage];

	if (at == 0 || took_ns < 0)
		return;
	jsonw_object(w, NULL);
	jsonw_str(w, "stage", name);
	jsonw_time(w, "time", trace_wall_ns(s, at));
	jsonw_f64(w, "seconds", (double)took_ns * 1e-9);
	jsonw_end(w);
}

/* {"first_pos":..,"stages":[{"stage":"commit","time":..,"seconds":..},..],..} */
static void put_step(const struct daemon *d, struct jsonw *w, const char *key,
		     const struct trace_step *s)
{
	static const unsigned stages[] = {TRACE_COMMIT, TRACE_DISPATCH, TRACE_TIER2,
					  TRACE_PUBLISH, TRACE_TICK};
	static const enum trace_span spans[] = {SPAN_COMMIT, SPAN_DISPATCH, SPAN_TIER2,
						SPAN_PUBLISH, SPAN_TICK};
	int64_t dispatched = s->at_ns[TRACE_DISPATCH];
	int64_t total = trace_span_ns(s, SPAN_TOTAL);
	char name[24], id[OTLP_TRACE_ID_MAX];

	jsonw_object(w, key);
	jsonw_u64(w, "first_pos", s->first_pos);
	jsonw_u64(w, "last_pos", s->last_pos);
	jsonw_time(w, "accepted", s->recv_ns);
	jsonw_array(w, "stages");
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		put_stage(w, s, stages[i], trace_span_name(spans[i]),
			  trace_span_ns(s, spans[i]));
		for (uint32_t k = 0; spans[i] == SPAN_DISPATCH && k < s->n_workers;
		     k++) {
			(void)snprintf(name, sizeof(name), "worker %u", k);
			put_stage(w, s, TRACE_WORKER + k, name,
				  s->at_ns[TRACE_WORKER + k] - dispatched);
		}
	}
	jsonw_end(w);
	if (d->otlp != NULL) {
		otlp_trace_id(otlp_thread_resource(d->otlp), s, id);
		jsonw_str(w, "otlp_trace_id", id);
	}
	jsonw_bool(w, "finished", total >= 0);
	if (total >= 0)
		jsonw_f64(w, "seconds", (double)total * 1e-9);
	jsonw_end(w);
}

ON_LOOP static void answer_lists(struct daemon *d, struct admin_call *call)
{
	struct jsonw *w = admin_result(call);
	struct trace_step *s = calloc(TRACE_SLOWEST + NEWEST_MAX, sizeof(*s));
	size_t n;

	if (s == NULL) {
		admin_fail(call, "busy", "out of memory; ask again");
		return;
	}
	n = trace_book_slowest(d->trace_book, s);
	jsonw_array(w, "slowest");
	for (size_t i = 0; i < n; i++)
		put_step(d, w, NULL, &s[i]);
	jsonw_end(w);
	n = trace_book_newest(d->trace_book, NEWEST_MAX, s);
	jsonw_array(w, "newest");
	for (size_t i = 0; i < n; i++)
		put_step(d, w, NULL, &s[i]);
	jsonw_end(w);
	free(s);
	admin_done(call);
}

/* ---- what is stored ---- */

struct lookup {
	struct question q; /* first; q.from, q.to: the position; q.rows: its record */
	uint64_t complete[EVENT_KINDS];
	struct buf events; /* a JSON array */
	uint64_t n_events; /* also those that are not shown */
	bool is_pending[KINDS], is_retired[KINDS];
	bool has_origin;
	const char *producer; /* constant while the daemon runs */
	uint64_t producer_seq;
};

static void lookup_free(struct lookup *l)
{
	buf_free(&l->events);
	question_free(&l->q);
}

static void put_event(struct jsonw *w, enum event_kind kind, const void *event)
{
	struct event_face face;
	struct event_head head;

	memcpy(&head, event, sizeof(head));
	event_face_of(kind, event, &face);
	jsonw_object(w, NULL);
	jsonw_str(w, "kind", event_kind_word(kind));
	admin_name(w, "name", face.name, SYMBOL_MAX);
	if (face.timeframe_s != 0)
		jsonw_str(w, "timeframe", timeframe_name(face.timeframe_s));
	jsonw_u64(w, "seq", head.seq);
	jsonw_time(w, "time", head.event_ns);
	jsonw_end(w);
}

struct batch {
	struct buf data;
	uint64_t first_pos;
};

static int on_batch(void *arg, const struct store_batch *b)
{
	struct batch *to = arg;

	to->first_pos = b->first_pos;
	buf_add(&to->data, b->data, b->len);
	return 0;
}

/* A position's events of a kind are in one row. */
ON_STORE static int read_kind(struct tickstore *ts, struct lookup *l, size_t k,
			      struct jsonw *w)
{
	uint64_t pos = l->q.from, id, first, next;
	struct row_walk walk = {0};
	struct batch row = {0};
	uint32_t n = 0;
	int rc = tickstore_derived_find(ts, kinds[k], pos, &id);

	tickstore_derived_range(ts, kinds[k], &first, &next);
	l->is_pending[k] = l->complete[kinds[k]] < pos;
	if (rc == 0)
		rc = tickstore_derived_read(ts, kinds[k], id, 1, on_batch, &row, NULL);
	if (rc == 0) {
		l->is_retired[k] = id == first && first > 1 && row.first_pos > pos;
		row_walk_begin(&walk, kinds[k], row.data.data, row.data.len);
		while ((rc = row_walk_next(&walk)) == 0) {
			struct event_head head;

			memcpy(&head, walk.event, sizeof(head));
			if (head.pos != pos)
				continue;
			l->n_events++;
			if (n++ < EVENTS_MAX)
				put_event(w, kinds[k], walk.event);
		}
		row_walk_deinit(&walk);
	}
	buf_free(&row.data);
	return rc < 0 ? rc : 0;
}

static void ask(struct store_thread *st, void *arg)
{
	struct lookup *l = arg;
	struct tickstore *ts;
	uint32_t producer;
	struct jsonw w;

	role_assert_store();
	ts = store_log(st);
	jsonw_init(&w, &l->events);
	jsonw_array(&w, NULL);
	if (derived_rows_behind(l->q.d->derived_rows))
		memset(l->complete, 0, sizeof(l->complete));
	for (size_t k = 0; k < KINDS && l->q.rc == 0; k++) {
		int rc = read_kind(ts, l, k, &w);

		if (rc < 0)
			question_fail(&l->q, rc);
	}
	jsonw_end(&w);
	l->has_origin =
		tickstore_origin(ts, l->q.from, &producer, &l->producer_seq) == 0;
	if (l->has_origin)
		l->producer = tickstore_producer_name(ts, producer);
	if (l->q.rc == 0)
		admin_log_read(st, &l->q); /* the last: it clips the range */
}

/* ---- the answer ---- */

static void put_kinds(struct jsonw *w, const char *key, const bool is_so[KINDS])
{
	jsonw_array(w, key);
	for (size_t k = 0; k < KINDS; k++)
		if (is_so[k])
			jsonw_str(w, NULL, event_kind_word(kinds[k]));
	jsonw_end(w);
}

/* Why there is nothing to be said of its times. */
ON_LOOP static const char *why_untimed(const struct daemon *d, uint64_t pos,
				       uint64_t last_pos)
{
	if (d->trace == NULL)
		return "no times are kept: trace.steps is 0";
	if (pos > last_pos)
		return "it is not in the log yet";
	if (pos <= d->replay_end)
		return "it was accepted before the daemon's last start; times are "
		       "kept in memory";
	return trace_count(d->trace) == 0
		       ? "it has not been dispatched yet"
		       : "it is older than the steps that are kept (trace.steps) and "
			 "was not among the slowest of the last hour";
}

ON_LOOP static void put_answer(struct daemon *d, struct lookup *l, uint64_t pos,
			       struct jsonw *w)
{
	struct trace_step s;

	jsonw_u64(w, "trace", pos);
	jsonw_u64(w, "epoch", d->epoch);
	jsonw_u64(w, "first_pos", l->q.log.first_pos);
	jsonw_u64(w, "last_pos", l->q.log.last_pos);
	/* An array of one, or of none: the log does not hold it. */
	if (l->q.rows.len > 2)
		jsonw_raw(w, "record", (const char *)l->q.rows.data + 1,
			  l->q.rows.len - 2);
	else
		jsonw_null(w, "record");
	if (l->has_origin) {
		jsonw_str(w, "producer", l->producer);
		jsonw_u64(w, "producer_seq", l->producer_seq);
	}
	jsonw_raw(w, "events", (const char *)l->events.data, l->events.len);
	jsonw_u64(w, "n_events", l->n_events);
	put_kinds(w, "pending", l->is_pending);
	put_kinds(w, "retired", l->is_retired);
	if (trace_book_find(d->trace_book, pos, &s))
		put_step(d, w, "step", &s);
	else
		jsonw_str(w, "untimed", why_untimed(d, pos, l->q.log.last_pos));
}

static void answer(struct daemon *d, void *arg)
{
	struct lookup *l = arg;

	role_assert_loop();
	if (question_has_result(&l->q)) {
		put_answer(d, l, l->q.n, admin_result(l->q.call));
		admin_done(l->q.call);
	}
	lookup_free(l);
}

void admin_trace(struct daemon *d, const struct json *request, struct admin_call *call)
{
	struct lookup *l;
	uint64_t pos;

	if (!admin_number(request, "pos", 0, call, &pos))
		return;
	if (pos == 0) {
		answer_lists(d, call);
		return;
	}
	l = question_new_in(d, call, sizeof(*l));
	if (l == NULL)
		return;
	l->q.from = l->q.to = l->q.n = pos;
	catchup_complete(d, l->complete);
	question_ask(d, &l->q, ask, answer);
}
