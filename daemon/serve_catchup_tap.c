/*
 * serve_catchup_tap - the next event of a kind, from the log or from the rows.
 *
 * The tick tap counts every tick it passes, wanted or not: that is where their
 * sequences come from.  It begins at the nearest counts of the tick index, which
 * may lie before the position asked for (the approach), and leaves a bookmark where
 * it stops.
 *
 * Records are looked at in place, so every other question to the store makes the
 * tick tap look again (forget_records).
 */
#include "base/err.h"
#include "daemon/serve_catchup_parts.h"
#include <errno.h>
#include <stdlib.h>

#define BOOKMARK_RECORDS 4096u /* less is counted anew faster than it is copied */

static void forget_records(struct query *q)
{
	q->taps[0].n_recs = 0;
}

bool tap_is_tired(const struct query *q)
{
	return q->records_left == 0 || q->bytes_left == 0;
}

/* ---- derived rows ---- */

struct row_copy {
	struct tap *tap;
	bool found;
};

static int copy_row(void *arg, const struct store_batch *b)
{
	struct row_copy *c = arg;

	c->tap->row.len = 0;
	buf_add(&c->tap->row, b->data, b->len);
	c->tap->row_first_pos = b->first_pos;
	c->tap->row_last_pos = b->last_pos;
	c->found = true;
	return 1;
}

int tap_row_read(struct query *q, struct tap *t, uint64_t id)
{
	struct row_copy c = {.tap = t};
	uint64_t next = id;
	int rc = tickstore_derived_read(q->env->store, t->kind, id, 1, copy_row, &c,
					&next);

	forget_records(q);
	if (rc == STORE_GONE)
		rc = tickstore_derived_read(q->env->store, t->kind, next, 1, copy_row,
					    &c, &next);
	if (rc < 0)
		return rc;
	if (!c.found)
		return STORE_END;
	t->next_row = next;
	q->bytes_left -= t->row.len < q->bytes_left ? t->row.len : q->bytes_left;
	return 0;
}

void tap_row_begin(struct tap *t)
{
	t->row_at = 0;
	t->in_row = true;
	t->in_frame = false;
}

static int damaged(const struct tap *t)
{
	return err_set(-EBADMSG,
		       "a stored %s row at position %llu is not made of frames",
		       event_kind_word(t->kind), (unsigned long long)t->row_first_pos);
}

/* 0, TAP_ROW_END, -EBADMSG. */
static int next_frame(struct tap *t)
{
	uint32_t len;

	if (t->row_at == t->row.len) {
		t->in_row = false;
		return TAP_ROW_END;
	}
	if (t->row.len - t->row_at < sizeof(len))
		return damaged(t);
	memcpy(&len, t->row.data + t->row_at, sizeof(len));
	t->row_at += sizeof(len);
	if (t->row.len - t->row_at < len ||
	    frame_open(t->row.data + t->row_at, len, &t->view) != 0 ||
	    t->view.kind != t->kind)
		return damaged(t);
	t->row_at += len;
	t->in_frame = true;
	return 0;
}

static void show_matrix(struct tap *t)
{
	size_t need = frame_matrix_copy(&t->view, NULL, 0);

	t->matrix.len = 0;
	(void)frame_matrix_copy(&t->view, buf_reserve(&t->matrix, need), need);
	t->event = t->matrix.data;
	t->event_len = need;
}

int tap_row_next(struct tap *t)
{
	struct event_tier2 matrix;

	for (;;) {
		int rc = t->in_frame ? 0 : next_frame(t);

		if (rc != 0)
			return rc;
		if (t->kind == EVENT_TIER2)
			rc = frame_next(&t->view, &matrix);
		else
			rc = frame_next(&t->view, &t->fixed);
		if (rc == 0)
			break;
		t->in_frame = false;
	}
	if (t->kind == EVENT_TIER2) {
		show_matrix(t);
	} else {
		t->event = &t->fixed;
		t->event_len = event_block_size(t->kind);
	}
	return 0;
}

ON_STORE int tap_row_show(struct query *q, struct tap *t)
{
	int rc;

	while ((rc = tap_row_next(t)) == 0) {
		const struct event_head *head = t->event;
		struct event_face face;

		if (head->pos < t->pos)
			continue;
		if (head->pos > t->row_last_pos) {
			t->in_row = false;
			break;
		}
		event_face_of(t->kind, t->event, &face);
		if (!streams_match(&q->streams, &face))
			continue;
		rc = held_takes(q, &face, t->event);
		if (rc < 0)
			return rc;
		if (rc == HELD_TAKEN)
			continue;
		t->pos = head->pos;
		t->is_ready = true;
		return 0;
	}
	if (rc < 0)
		return rc;
	if (t->pos <= t->row_last_pos)
		t->pos = t->row_last_pos + 1;
	return 0;
}

int tap_load_row(struct query *q, struct tap *t)
{
	int rc = 0;

	if (!t->in_row) {
		rc = tap_row_read(q, t, t->next_row);
		if (rc < 0)
			return rc;
		if (rc == STORE_END) {
			t->pos = UINT64_MAX;
			return 0;
		}
		tap_row_begin(t);
	}
	return tap_row_show(q, t);
}

/* ---- ticks ---- */

void tap_show_tick(struct query *q, struct tap *t, const struct record *r, uint64_t pos,
		   uint64_t seq)
{
	struct event_tick *e = &t->fixed.tick;

	*e = (struct event_tick){
		.head = {seq, pos, r->event_ns, r->recv_ns},
		.price_e9 = r->price_e9,
		.size_e8 = r->size_e8,
		.bid_e9 = r->bid_e9,
		.ask_e9 = r->ask_e9,
		.bid_size_e8 = r->bid_size_e8,
		.ask_size_e8 = r->ask_size_e8,
		.source_seq = r->source_seq,
		.ref_seq = r->ref_seq,
		.symbol_id = r->symbol_id,
		.source_id = r->source_id,
		.action = (uint8_t)record_action(r),
		.flags = (uint8_t)record_flags(r),
	};
	memcpy(e->cond, r->cond, sizeof(e->cond));
	memcpy(e->symbol, symtab_name(q->env->symbols, r->symbol_id), SYMBOL_MAX);
	t->event = e;
	t->event_len = sizeof(*e);
	t->pos = pos;
	t->is_ready = true;
}

/* Look at the record at tick_pos and step past it; true: it is the next event. */
static bool pass_record(struct query *q, struct tap *t, const struct record *r)
{
	uint64_t pos = q->tick_pos++;
	struct event_face face = {.kind = EVENT_TICK};

	q->records_left--;
	if (r->type != RECORD_TICK || r->symbol_id >= q->env->symbols_max)
		return false;
	face.symbol_id = r->symbol_id;
	face.seq = ++q->tick_seq[r->symbol_id];
	if (pos < t->pos || !streams_match(&q->streams, &face))
		return false;
	tap_show_tick(q, t, r, pos, face.seq);
	return true;
}

/* Records at tick_pos, or beyond a hole there.  0 or STORE_END. */
ON_STORE static int look(struct query *q, struct tap *t)
{
	uint64_t pos = q->tick_pos;
	int rc = tickstore_peek(q->env->store, q->tick_pos, &pos, &t->recs, &t->n_recs);

	if (rc != 0)
		t->n_recs = 0;
	if (rc == STORE_GONE)
		return err_set(-EBADMSG,
			       "the log begins at position %llu, behind its index",
			       (unsigned long long)pos);
	if (rc != 0)
		return rc;
	t->recs_pos = pos;
	q->tick_pos = pos;
	return 0;
}

ON_STORE static int load_tick(struct query *q, struct tap *t)
{
	while (q->records_left > 0) {
		uint64_t i = q->tick_pos - t->recs_pos;

		if (q->tick_pos > q->horizon) {
			t->pos = UINT64_MAX;
			return 0;
		}
		if (t->n_recs == 0 || i >= t->n_recs) {
			int rc = look(q, t);

			if (rc < 0)
				return rc;
			if (rc == STORE_END) {
				t->pos = UINT64_MAX;
				return 0;
			}
			continue;
		}
		if (pass_record(q, t, &t->recs[i]))
			return 0;
	}
	if (t->pos < q->tick_pos)
		t->pos = q->tick_pos;
	return 0;
}

/* ---- both ---- */

int tap_load(struct query *q, struct tap *t)
{
	return t->source->load(q, t);
}

void tap_pop(struct tap *t)
{
	t->is_ready = false;
	/* One tick a position; rows may hold more events of this one. */
	if (t->kind == EVENT_TICK)
		t->pos++;
}

ON_STORE static int open_ticks(struct query *q, struct tap *t)
{
	uint64_t first = 0, at = 0;
	int rc = seek_first_held(q, EVENT_TICK, &first);

	if (rc < 0)
		return rc;
	if (t->pos < first)
		t->pos = first;
	if (t->pos > q->horizon) {
		t->pos = UINT64_MAX; /* nothing to count */
		return 0;
	}
	q->tick_seq = calloc(q->env->symbols_max, sizeof(*q->tick_seq));
	if (q->tick_seq == NULL)
		return err_set(-ENOMEM, "out of memory for a catch-up request");
	if (tick_index_at(q->env->ticks, t->pos - 1, q->tick_seq, &at) != 0) {
		t->pos = UINT64_MAX; /* the log holds nothing that could be counted */
		return 0;
	}
	q->tick_pos = at + 1;
	return 0;
}

int tap_open_rows(struct query *q, struct tap *t)
{
	int rc = tickstore_derived_find(q->env->store, t->kind, t->pos, &t->next_row);

	return rc < 0 ? rc : 0;
}

static const struct tap_source log_source = {open_ticks, load_tick};
static const struct tap_source rows_source = {tap_open_rows, tap_load_row};

static const struct tap_source *source_of(const struct query *q, enum event_kind kind)
{
	if (q->is_snapshot)
		return snapshot_source(kind);
	if (q->has_past && q->start < q->seam[kind])
		return &past_source;
	return kind == EVENT_TICK ? &log_source : &rows_source;
}

int tap_open_live(struct query *q, struct tap *t)
{
	t->source = t->kind == EVENT_TICK ? &log_source : &rows_source;
	return t->source->open(q, t);
}

int tap_open_all(struct query *q)
{
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		struct tap *t = &q->taps[q->n_taps];
		int rc;

		if (!(q->streams.kinds >> k & 1))
			continue;
		*t = (struct tap){.kind = (enum event_kind)k, .pos = q->start};
		t->source = source_of(q, t->kind);
		q->n_taps++;
		rc = t->source->open(q, t);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Worth it when much was counted, and always when the budget ended the counting. */
static bool is_bookmark_due(const struct query *q)
{
	return q->tick_seq != NULL &&
	       (q->records_left == 0 ||
		q->env->scan_records_max - q->records_left >= BOOKMARK_RECORDS);
}

void tap_close_all(struct query *q)
{
	struct tap *ticks = &q->taps[0];

	if (is_bookmark_due(q)) {
		if (ticks->is_ready) { /* counted and not given */
			q->tick_seq[ticks->fixed.tick.symbol_id]--;
			q->tick_pos = ticks->pos;
		}
		tick_index_bookmark(q->env->ticks, q->tick_pos - 1, q->tick_seq,
				    symtab_count(q->env->symbols));
	}
	free(q->tick_seq);
	q->tick_seq = NULL;
	for (uint32_t i = 0; i < q->n_taps; i++) {
		buf_free(&q->taps[i].row);
		buf_free(&q->taps[i].matrix);
		free(q->taps[i].newest);
	}
}
