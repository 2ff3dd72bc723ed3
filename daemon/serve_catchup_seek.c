/*
 * serve_catchup_seek - where an answer begins, and what of it is gone.
 *
 * By sequence: for ticks the tick index names a position before which a symbol had
 * fewer ticks; for derived kinds the rows are read from the newest backwards until
 * every stream asked for is at or below its from_seq.  That walk has half of the
 * byte budget; when it is used up, the answer begins at the oldest row held, which
 * is right as well and only longer.  What neither reaches is asked of the archive.
 */
#include "base/err.h"
#include "daemon/serve_catchup_parts.h"
#include <errno.h>
#include <stdlib.h>

ON_STORE static int first_row(struct query *q, enum event_kind kind, uint64_t *out_pos)
{
	struct tap t = {.kind = kind};
	uint64_t first, next;
	int rc;

	tickstore_derived_range(q->env->store, kind, &first, &next);
	if (first == 1) { /* nothing was ever retired */
		*out_pos = 1;
		return 0;
	}
	rc = tap_row_read(q, &t, first);
	*out_pos = rc == 0 ? t.row_first_pos
			   : tickstore_derived_last_pos(q->env->store, kind) + 1;
	buf_free(&t.row);
	return rc < 0 ? rc : 0;
}

int seek_first_held(struct query *q, enum event_kind kind, uint64_t *out_pos)
{
	uint64_t pos;

	if (kind != EVENT_TICK)
		return first_row(q, kind, out_pos);
	*out_pos = tick_index_oldest(q->env->ticks, &pos) == 0 ? pos + 1
							       : q->log.last_pos + 1;
	return 0;
}

static void put_gone(struct query *q, const struct catchup_stream *s, uint64_t held)
{
	struct catchup_gone *g = &q->gone[q->n_gone++];

	*g = (struct catchup_gone){
		.first_held_seq = held, .timeframe_s = s->timeframe_s, .kind = s->kind};
	memcpy(g->symbol, s->symbol, SYMBOL_MAX);
}

/* The store does not reach the stream's beginning: the archive may. */
static int add_gone(struct query *q, const struct catchup_stream *s, uint64_t held)
{
	if (q->has_past)
		return past_add_older(q, s);
	put_gone(q, s, held);
	return 0;
}

static void begin_at(struct query *q, uint64_t pos)
{
	if (pos < q->start)
		q->start = pos;
}

ON_STORE static int seek_ticks(struct query *q)
{
	const struct tick_index *x = q->env->ticks;
	int rc = 0;

	for (uint32_t i = 0; i < q->streams.n_by_symbol && rc == 0; i++) {
		uint32_t id = q->streams.by_symbol[i].symbol_id;
		const struct catchup_stream *s =
			&q->req.streams[q->streams.by_symbol[i].stream];
		uint64_t pos = 0;

		if (s->kind != EVENT_TICK)
			continue;
		if (tick_index_before(x, id, s->from_seq, &pos) == 0) {
			begin_at(q, pos + 1);
		} else if (tick_index_oldest(x, &pos) == 0) {
			rc = add_gone(q, s, tick_index_oldest_seq(x, id) + 1);
			begin_at(q, pos + 1);
		} else {
			rc = add_gone(q, s, 0);
		}
	}
	return rc;
}

/* Read row @id and lower the streams' lowest sequences by what is in it. */
ON_STORE static int lower_by_row(struct query *q, struct tap *t, uint64_t id,
				 uint64_t *low)
{
	int rc = tap_row_read(q, t, id);

	if (rc != 0)
		return rc;
	tap_row_begin(t);
	while ((rc = tap_row_next(t)) == 0) {
		struct event_face face;

		event_face_of(t->kind, t->event, &face);
		streams_lower(&q->streams, &face, low);
	}
	return rc < 0 ? rc : 0;
}

static bool all_reached(const struct query *q, enum event_kind kind,
			const uint64_t *low)
{
	for (uint32_t i = 0; i < q->req.n_streams; i++)
		if (q->req.streams[i].kind == kind &&
		    low[i] > q->req.streams[i].from_seq)
			return false;
	return true;
}

/* What the oldest row held leaves open.  A stream never seen lost nothing we know of.
 */
static int tell_gone(struct query *q, enum event_kind kind, const uint64_t *low,
		     bool was_retired)
{
	bool is_older = q->has_past && q->seam[kind] > 1;
	int rc = 0;

	for (uint32_t i = 0; i < q->req.n_streams && rc == 0; i++) {
		const struct catchup_stream *s = &q->req.streams[i];

		if (s->kind != kind || low[i] <= s->from_seq)
			continue;
		if (is_older)
			rc = past_add_older(q, s);
		else if (low[i] != UINT64_MAX)
			rc = add_gone(q, s, low[i]);
		else if (was_retired && s->to_seq != 0)
			rc = add_gone(q, s, 0);
	}
	return rc;
}

/*
 * The budget is used up: begin at the oldest row, which alone says what is gone.  A
 * stream that is not in it either tells the asker of a loss by its numbers.
 */
ON_STORE static int begin_at_oldest(struct query *q, struct tap *t, uint64_t first,
				    uint64_t *low)
{
	int rc;

	for (uint32_t i = 0; i < q->req.n_streams; i++)
		if (q->req.streams[i].kind == t->kind &&
		    low[i] > q->req.streams[i].from_seq)
			low[i] = UINT64_MAX;
	rc = lower_by_row(q, t, first, low);
	begin_at(q, t->row_first_pos);
	return rc;
}

/* Walk back from the newest row until every stream of @kind has its beginning. */
ON_STORE static int walk_back(struct query *q, enum event_kind kind, uint64_t *low)
{
	struct tap t = {.kind = kind};
	uint64_t first, next;
	bool is_cut = false;
	int rc = 0;

	tickstore_derived_range(q->env->store, kind, &first, &next);
	begin_at(q, tickstore_derived_last_pos(q->env->store, kind) + 1);
	for (uint64_t id = next; id > first && rc == 0; id--) {
		if (all_reached(q, kind, low))
			break;
		is_cut = q->bytes_left < q->env->scan_bytes_max / 2;
		if (is_cut) {
			rc = begin_at_oldest(q, &t, first, low);
			break;
		}
		rc = lower_by_row(q, &t, id - 1, low);
		begin_at(q, t.row_first_pos);
	}
	if (rc == 0)
		rc = tell_gone(q, kind, low, first > 1 && !is_cut);
	buf_free(&t.row);
	buf_free(&t.matrix);
	return rc < 0 ? rc : 0;
}

/* What the store does not reach, as the archive has it. */
ON_STORE static int seek_older(struct query *q)
{
	const struct catchup_past *p = q->env->past;

	if (!q->has_past || p->n_older == 0)
		return 0;
	if (!p->is_found)
		return past_ask_streams(q);
	if (p->found_pos > 0)
		begin_at(q, p->found_pos);
	for (uint32_t i = 0; i < p->n_older; i++)
		if (p->older[i].held > 0)
			put_gone(q, &p->older[i].stream, p->older[i].held);
	return 0;
}

ON_STORE static int seek_seq(struct query *q)
{
	uint64_t *low = calloc(q->req.n_streams, sizeof(*low));
	int rc = 0;

	if (low == NULL)
		return err_set(-ENOMEM, "out of memory for a catch-up request");
	for (uint32_t i = 0; i < q->req.n_streams; i++)
		low[i] = UINT64_MAX;
	q->start = q->horizon + 1;
	if (q->streams.kinds & 1u << EVENT_TICK)
		rc = seek_ticks(q);
	for (unsigned k = EVENT_TICK + 1; k < EVENT_KINDS && rc == 0; k++)
		if (q->streams.kinds >> k & 1)
			rc = walk_back(q, (enum event_kind)k, low);
	if (rc == 0)
		rc = seek_older(q);
	q->is_gone = q->n_gone > 0;
	free(low);
	return rc;
}

/* Where the log's time was @event_ns; behind its end if it never was. */
ON_STORE static int find_time(struct query *q, int64_t event_ns, uint64_t *out_pos)
{
	int rc = tickstore_find_time(q->env->store, event_ns, out_pos);

	if (rc == STORE_END)
		*out_pos = q->log.last_pos + 1;
	return rc < 0 ? rc : 0;
}

ON_STORE static int seek_time(struct query *q)
{
	int64_t event_ns = (int64_t)q->req.root.from;
	uint64_t first; /* that time can be found at: news and control records have none
			 */
	int rc = find_time(q, INT64_MIN, &first);

	if (rc == 0)
		rc = find_time(q, event_ns, &q->start);
	if (rc < 0)
		return rc;
	if (q->has_past && q->log.begin_pos > 1 && q->start <= first) {
		if (!q->env->past->is_found)
			return past_ask_time(q, event_ns);
		if (q->env->past->found_pos > 0)
			begin_at(q, q->env->past->found_pos);
		q->is_gone = q->first_pos > 1 && q->start <= q->first_pos;
		return 0;
	}
	q->is_gone =
		q->start < q->first_pos || (q->log.begin_pos > 1 && q->start == first);
	return 0;
}

/* Every stream says its sequences: a loss was told when they were first asked for. */
static bool is_by_seq(const struct query *q)
{
	for (uint32_t i = 0; i < q->req.n_streams; i++)
		if (q->req.streams[i].from_seq == 0)
			return false;
	return q->req.n_streams > 0;
}

/* From where on all that is asked is held, by the store or by store and archive. */
ON_STORE static int find_seams(struct query *q)
{
	const struct catchup_past *p = q->env->past;
	uint64_t seam = 1, first;

	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		int rc;

		q->seam[k] = 1;
		if (!(q->streams.kinds >> k & 1))
			continue;
		rc = seek_first_held(q, (enum event_kind)k, &q->seam[k]);
		if (rc < 0)
			return rc;
		seam = q->seam[k] > seam ? q->seam[k] : seam;
	}
	q->first_pos = seam;
	if (p == NULL || seam == 1 || q->req.root.from_type == CATCHUP_FROM_SNAPSHOT)
		return 0;
	if (!p->bounds.is_known)
		return past_ask_status(q);
	q->has_past = p->bounds.complete_pos > 0 && p->bounds.complete_pos >= seam - 1;
	first = p->bounds.first_pos > p->first_pos ? p->bounds.first_pos : p->first_pos;
	if (q->has_past && first < seam)
		q->first_pos = first;
	return 0;
}

ON_STORE static int find_bounds(struct query *q)
{
	tickstore_status(q->env->store, &q->log);
	tick_index_trim(q->env->ticks, q->log.begin_pos);
	q->horizon = q->log.last_pos;
	if (q->env->until_pos > 0 && q->env->until_pos < q->horizon)
		q->horizon = q->env->until_pos;
	for (unsigned k = EVENT_TICK + 1; k < EVENT_KINDS; k++) {
		uint64_t complete;

		if (!(q->streams.kinds >> k & 1))
			continue;
		/* Rows hold whole positions in order: up to the newest all is there. */
		complete = tickstore_derived_last_pos(q->env->store, k);
		if (complete < q->env->complete[k])
			complete = q->env->complete[k];
		if (complete < q->horizon)
			q->horizon = complete;
	}
	return find_seams(q);
}

int seek_start(struct query *q)
{
	int rc = find_bounds(q);

	if (rc != 0)
		return rc;
	switch ((enum catchup_from)q->req.root.from_type) {
	case CATCHUP_FROM_SEQ:
		return seek_seq(q);
	case CATCHUP_FROM_POS:
		q->start = q->req.root.from > 0 ? q->req.root.from : 1;
		q->skip = q->req.root.skip;
		q->is_gone = q->start < q->first_pos && !is_by_seq(q);
		return 0;
	case CATCHUP_FROM_TIME:
		return seek_time(q);
	case CATCHUP_FROM_OLDEST:
		q->start = q->first_pos;
		return 0;
	case CATCHUP_FROM_SNAPSHOT:
		return snapshot_start(q);
	case CATCHUP_FROM_NOW:
	case CATCHUP_FROM_N:
		q->start = q->log.last_pos + 1;
		q->is_now = true;
		return 0;
	}
	return 0;
}
