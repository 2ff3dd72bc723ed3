/*
 * serve_catchup_newest - a snapshot: of every stream asked for the newest event.
 *
 * It is the whole log once more, in its order, of which only that is given which no
 * later event of its stream and timeframe replaces; rows and records in between are
 * jumped over.  So the cursor is that of any page, and what moves between two pages
 * comes again, further on.  Behind its end the next page goes on by position, from
 * where every kind is complete.
 */
#include "base/err.h"
#include "daemon/serve_catchup_parts.h"
#include <errno.h>
#include <stdlib.h>

#define COLD_RECORDS 512u /* what a look at one record costs of the budget */

static bool is_stream_wanted(const void *arg, enum event_kind kind,
			     const struct newest_place *place)
{
	const struct query *q = arg;
	struct event_face face = {.kind = kind,
				  .seq = place->seq,
				  .symbol_id = place->symbol_id,
				  .timeframe_s = place->timeframe_s,
				  .name = place->name};

	return streams_match(&q->streams, &face);
}

bool snapshot_gives(const struct query *q, enum event_kind kind, const void *event)
{
	const struct event_head *head = event;

	if (!q->is_snapshot || kind == EVENT_TICK)
		return true;
	return newest_seq(q->env->newest, kind, event) == head->seq;
}

/* ---- derived: rows that hold nothing of use are jumped over ---- */

ON_STORE static int load_derived(struct query *q, struct tap *t)
{
	uint64_t row;

	if (!t->in_row) {
		row = newest_row(q->env->newest, t->kind, t->next_row, is_stream_wanted,
				 q);
		if (row == UINT64_MAX) {
			t->pos = UINT64_MAX;
			return 0;
		}
		t->next_row = row;
	}
	return tap_load_row(q, t);
}

/* ---- ticks: their positions are known ---- */

struct newest_tick {
	uint64_t pos;
	uint64_t seq;
};

static int by_pos(const void *a, const void *b)
{
	const struct newest_tick *x = a, *y = b;

	return x->pos < y->pos ? -1 : x->pos > y->pos;
}

ON_STORE static int open_ticks(struct query *q, struct tap *t)
{
	uint32_t n = symtab_count(q->env->symbols);

	if (n > q->env->symbols_max)
		n = q->env->symbols_max;
	t->newest = calloc(n + 1, sizeof(*t->newest));
	if (t->newest == NULL)
		return err_set(-ENOMEM, "out of memory for a catch-up request");
	for (uint32_t id = 0; id < n; id++) {
		struct event_face face = {.kind = EVENT_TICK, .symbol_id = id};

		if (q->env->tick_pos[id] >= t->pos && q->env->tick_pos[id] > 0 &&
		    streams_match(&q->streams, &face))
			t->newest[t->n_newest++] = (struct newest_tick){
				q->env->tick_pos[id], q->env->tick_seq[id]};
	}
	qsort(t->newest, t->n_newest, sizeof(*t->newest), by_pos);
	return 0;
}

ON_STORE static int load_tick(struct query *q, struct tap *t)
{
	const struct newest_tick *at = &t->newest[t->i_newest];
	const struct record *recs;
	uint64_t pos = 0;
	uint32_t n;
	int rc;

	if (t->i_newest == t->n_newest) {
		t->pos = UINT64_MAX;
		return 0;
	}
	t->i_newest++;
	q->records_left -=
		q->records_left < COLD_RECORDS ? q->records_left : COLD_RECORDS;
	rc = tickstore_peek(q->env->store, at->pos, &pos, &recs, &n);
	if (rc < 0)
		return rc;
	if (rc == 0 && pos == at->pos) {
		tap_show_tick(q, t, recs, pos, at->seq);
		return 0;
	}
	q->is_gone = true; /* it was retired with its part of the log */
	t->pos = at->pos + 1;
	return 0;
}

/* ---- the taps ---- */

ON_STORE static int open_rows(struct query *q, struct tap *t)
{
	return tap_open_rows(q, t);
}

static const struct tap_source ticks_source = {open_ticks, load_tick};
static const struct tap_source rows_source = {open_rows, load_derived};

const struct tap_source *snapshot_source(enum event_kind kind)
{
	return kind == EVENT_TICK ? &ticks_source : &rows_source;
}

int snapshot_start(struct query *q)
{
	const struct catchup_env *env = q->env;
	uint64_t reached = env->ticks_reached;

	q->is_snapshot = true;
	q->start = q->req.root.from > 0 ? q->req.root.from : 1;
	q->skip = q->req.root.skip;
	q->resume = q->horizon + 1;
	if ((q->streams.kinds & 1u << EVENT_TICK) && reached < q->horizon)
		q->resume = reached + 1;
	q->horizon = UINT64_MAX - 1; /* the newest of each kind, however far */
	return 0;
}
