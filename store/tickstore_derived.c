/*
 * tickstore_derived - batches of encoded events, for those who come late.
 *
 * A kind's batches have serials 1, 2, 3 ... and lie together, since the row id is
 * kind << 56 | serial.  Each row carries two running figures of its kind, the
 * highest position so far and the bytes so far: the first is searched by halving
 * (batches of several workers may overlap in position, their highest may not
 * fall), the second tells at start how much is held without adding up.
 */
#include "base/err.h"
#include "store/rowcrc.h"
#include "store/tickstore_impl.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SERIAL_MAX     ((UINT64_C(1) << 56) - 1)
#define RETIRE_AT_ONCE 4 /* per append, so that a lowered limit is reached slowly */

static uint64_t row_id(unsigned kind, uint64_t serial)
{
	return (uint64_t)kind << 56 | serial;
}

static uint32_t row_crc(const struct tickstore *ts, const struct store_batch *b,
			uint64_t id, uint64_t high_pos, uint64_t total)
{
	uint32_t crc = rowcrc_begin(ts->store_id, 'D');

	crc = rowcrc_u64(crc, id);
	crc = rowcrc_u64(crc, b->first_pos);
	crc = rowcrc_u64(crc, b->last_pos);
	crc = rowcrc_u64(crc, high_pos);
	crc = rowcrc_u64(crc, b->n_events);
	crc = rowcrc_u64(crc, total);
	return rowcrc_bytes(crc, b->data, b->len);
}

/* The oldest row of the kind from @serial on: id, high_pos, total_bytes, length,
   first_pos. */
static int first_from(struct tickstore *ts, unsigned kind, uint64_t serial)
{
	sq_bind_u64(ts->derived_first, 1, row_id(kind, serial));
	sq_bind_u64(ts->derived_first, 2, row_id(kind, SERIAL_MAX));
	return sq_step(ts->derived_first);
}

static int take(struct tickstore *ts, struct sq_stmt *st, struct store_batch *out)
{
	uint64_t id = sq_u64(st, 0);
	size_t len = 0;

	*out = (struct store_batch){
		.id = id & SERIAL_MAX,
		.first_pos = sq_u64(st, 1),
		.last_pos = sq_u64(st, 2),
		.n_events = (uint32_t)sq_u64(st, 4),
	};
	out->data = sq_blob(st, 7, &len);
	out->len = (uint32_t)len;
	if (sq_u64(st, 6) != row_crc(ts, out, id, sq_u64(st, 3), sq_u64(st, 5)))
		return err_set(-EBADMSG, "%s is damaged: batch %" PRIu64 " of kind %u",
			       ts->path, out->id, (unsigned)(id >> 56));
	return 0;
}

/* The oldest and the newest row, read whole: their running figures are believed. */
static int load_kind(struct tickstore *ts, struct sq_stmt *last, unsigned kind)
{
	struct derived_state *d = &ts->derived[kind];
	struct sq_stmt *first = ts->derived_get;
	struct store_batch b;
	int rc;

	*d = (struct derived_state){.first_serial = 1, .next_serial = 1};
	sq_bind_u64(first, 1, row_id(kind, 0));
	sq_bind_u64(first, 2, row_id(kind, SERIAL_MAX));
	sq_bind_int(first, 3, 1);
	rc = sq_step(first);
	if (rc != SQ_ROW)
		return rc;
	rc = take(ts, first, &b);
	d->first_serial = b.id;
	d->first_bytes = sq_u64(first, 5) - b.len;
	sq_reset(first);
	if (rc < 0)
		return rc;

	sq_bind_u64(last, 1, row_id(kind, 0));
	sq_bind_u64(last, 2, row_id(kind, SERIAL_MAX));
	rc = sq_step(last);
	if (rc != SQ_ROW)
		return rc < 0 ? rc
			      : err_set(-EBADMSG, "%s is damaged: kind %u", ts->path,
					kind);
	rc = take(ts, last, &b);
	d->next_serial = b.id + 1;
	d->high_pos = sq_u64(last, 3);
	d->total_bytes = sq_u64(last, 5);
	sq_reset(last);
	return rc;
}

int tickstore_derived_load(struct tickstore *ts)
{
	struct sq_stmt *last = NULL;
	int rc = sq_prepare(ts->db,
			    "SELECT * FROM derived WHERE id >= ? AND id <= ?"
			    " ORDER BY id DESC LIMIT 1",
			    &last);

	for (unsigned kind = 0; rc == 0 && kind < STORE_KINDS; kind++)
		rc = load_kind(ts, last, kind);
	sq_finish(last);
	return rc;
}

static bool is_over(const struct tickstore *ts, unsigned kind,
		    const struct derived_state *d)
{
	const struct derived_limit *l = &ts->params.derived[kind];

	if (d->next_serial - d->first_serial <= 1)
		return false; /* the newest stays */
	return (l->batches && d->next_serial - d->first_serial > l->batches) ||
	       (l->bytes && d->total_bytes - d->first_bytes > l->bytes);
}

/*
 * It holds what must stay, or would leave a first batch that begins behind it: then
 * nobody could tell that there was nothing between the two.
 */
static bool is_held(struct tickstore *ts, unsigned kind, const struct derived_state *d)
{
	bool is_it;

	if (ts->hold_pos == UINT64_MAX)
		return false;
	is_it = first_from(ts, kind, d->first_serial) == SQ_ROW &&
		sq_u64(ts->derived_first, 1) >= ts->hold_pos;
	sq_reset(ts->derived_first);
	if (is_it)
		return true;
	is_it = first_from(ts, kind, d->first_serial + 1) == SQ_ROW &&
		sq_u64(ts->derived_first, 4) > ts->hold_pos;
	sq_reset(ts->derived_first);
	return is_it;
}

/* The oldest batch leaves. */
static int retire_first(struct tickstore *ts, unsigned kind, struct derived_state *d)
{
	int rc = first_from(ts, kind, d->first_serial);

	if (rc != SQ_ROW)
		return rc < 0 ? rc
			      : err_set(-EBADMSG,
					"%s is damaged: a batch of kind %u is missing",
					ts->path, kind);
	d->first_bytes = sq_u64(ts->derived_first, 2);
	d->first_serial = (sq_u64(ts->derived_first, 0) & SERIAL_MAX) + 1;
	sq_bind_u64(ts->derived_delete, 1, row_id(kind, d->first_serial - 1));
	sq_reset(ts->derived_first);
	return sq_run(ts->derived_delete);
}

static int retire(struct tickstore *ts, unsigned kind, struct derived_state *d)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < RETIRE_AT_ONCE && is_over(ts, kind, d) &&
			!is_held(ts, kind, d);
	     i++)
		rc = retire_first(ts, kind, d);
	return rc;
}

static int put(struct tickstore *ts, unsigned kind, const struct store_batch *b,
	       struct derived_state *d)
{
	struct sq_stmt *st = ts->derived_put;
	uint64_t id = row_id(kind, d->next_serial);

	if (b->last_pos > d->high_pos)
		d->high_pos = b->last_pos;
	d->total_bytes += b->len;
	d->next_serial++;
	sq_bind_u64(st, 1, id);
	sq_bind_u64(st, 2, b->first_pos);
	sq_bind_u64(st, 3, b->last_pos);
	sq_bind_u64(st, 4, d->high_pos);
	sq_bind_int(st, 5, b->n_events);
	sq_bind_u64(st, 6, d->total_bytes);
	sq_bind_int(st, 7, row_crc(ts, b, id, d->high_pos, d->total_bytes));
	sq_bind_blob(st, 8, b->data, b->len);
	return sq_run(st);
}

int tickstore_derived_append(struct tickstore *ts, unsigned kind, uint64_t first_pos,
			     uint64_t last_pos, uint32_t n_events, const void *data,
			     uint32_t len)
{
	struct store_batch b = {.first_pos = first_pos,
				.last_pos = last_pos,
				.n_events = n_events,
				.len = len,
				.data = data};
	struct derived_state d;
	uint64_t held;
	int rc = tickstore_alive(ts);

	assert(kind < STORE_KINDS);
	assert(first_pos <= last_pos);
	if (rc == 0)
		rc = tickstore_has_quota(ts);
	if (rc == 0)
		rc = sq_begin(ts->db, false);
	if (rc < 0)
		return tickstore_failed(ts, rc);
	d = ts->derived[kind];
	held = d.first_serial;
	rc = put(ts, kind, &b, &d);
	if (rc == 0)
		rc = retire(ts, kind, &d);
	if (rc < 0)
		sq_rollback(ts->db);
	else
		rc = sq_commit(ts->db);
	if (rc < 0)
		return tickstore_failed(ts, rc);
	ts->derived[kind] = d;
	ts->status.derived_retired += d.first_serial - held;
	return 0;
}

/*
 * A batch is as old as the commit of its highest position.  If the log does not go
 * back so far any more, as the oldest commit that it holds: never too young.
 */
ON_STORE static bool is_old(struct tickstore *ts, unsigned kind,
			    const struct derived_state *d, int64_t now_ns)
{
	int64_t limit_ns = ts->params.derived[kind].ns;
	struct store_segment s;
	uint64_t high_pos;

	if (limit_ns <= 0 || d->next_serial - d->first_serial <= 1 ||
	    is_held(ts, kind, d) || first_from(ts, kind, d->first_serial) != SQ_ROW)
		return false;
	high_pos = sq_u64(ts->derived_first, 1);
	sq_reset(ts->derived_first);
	return tickstore_segment(ts, high_pos, &s) == 0 &&
	       now_ns - s.commit_ns > limit_ns;
}

ON_STORE static bool any_old(struct tickstore *ts, int64_t now_ns)
{
	for (unsigned kind = 0; kind < STORE_KINDS; kind++)
		if (is_old(ts, kind, &ts->derived[kind], now_ns))
			return true;
	return false;
}

int tickstore_derived_expire(struct tickstore *ts, int64_t now_ns, uint32_t budget,
			     uint32_t *out_n)
{
	struct derived_state d[STORE_KINDS];
	int rc = tickstore_alive(ts);

	*out_n = 0;
	if (rc < 0 || !any_old(ts, now_ns))
		return rc;
	memcpy(d, ts->derived, sizeof(d));
	rc = sq_begin(ts->db, false);
	if (rc < 0)
		return tickstore_failed(ts, rc);
	for (unsigned kind = 0; kind < STORE_KINDS; kind++) {
		for (uint32_t i = 0;
		     rc == 0 && i < budget && is_old(ts, kind, &d[kind], now_ns); i++) {
			rc = retire_first(ts, kind, &d[kind]);
			*out_n += rc == 0;
		}
	}
	if (rc < 0)
		sq_rollback(ts->db);
	else
		rc = sq_commit(ts->db);
	if (rc < 0) {
		*out_n = 0;
		return tickstore_failed(ts, rc);
	}
	memcpy(ts->derived, d, sizeof(d));
	ts->status.derived_retired += *out_n;
	return 0;
}

int tickstore_derived_read(struct tickstore *ts, unsigned kind, uint64_t from_id,
			   uint32_t max, store_batch_fn fn, void *arg,
			   uint64_t *out_next)
{
	const struct derived_state *d = &ts->derived[kind];
	struct sq_stmt *st = ts->derived_get;
	uint64_t next = from_id;
	int rc = 0;

	assert(kind < STORE_KINDS);
	if (from_id < d->first_serial) {
		if (out_next)
			*out_next = d->first_serial;
		return STORE_GONE;
	}
	sq_bind_u64(st, 1, row_id(kind, from_id < SERIAL_MAX ? from_id : SERIAL_MAX));
	sq_bind_u64(st, 2, row_id(kind, SERIAL_MAX));
	sq_bind_int(st, 3, max);
	while ((rc = sq_step(st)) == SQ_ROW) {
		struct store_batch b;

		rc = take(ts, st, &b);
		if (rc == 0 && b.id != next)
			rc = err_set(-EBADMSG,
				     "%s is damaged: batch %" PRIu64
				     " of kind %u is missing",
				     ts->path, next, kind);
		if (rc == 0) {
			next = b.id + 1;
			rc = fn(arg, &b);
		}
		if (rc != 0)
			break;
	}
	sq_reset(st);
	if (out_next)
		*out_next = next;
	return rc < 0 ? rc : 0;
}

int tickstore_derived_find(struct tickstore *ts, unsigned kind, uint64_t pos,
			   uint64_t *out_id)
{
	const struct derived_state *d = &ts->derived[kind];
	uint64_t low = d->first_serial;
	uint64_t high = d->next_serial;

	assert(kind < STORE_KINDS);
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		int rc = first_from(ts, kind, mid);

		if (rc != SQ_ROW)
			return rc < 0 ? rc
				      : err_set(-EBADMSG,
						"%s is damaged: batch %" PRIu64
						" of kind %u is missing",
						ts->path, mid, kind);
		if (sq_u64(ts->derived_first, 1) >= pos)
			high = mid;
		else
			low = mid + 1;
		sq_reset(ts->derived_first);
	}
	*out_id = low;
	return low == d->next_serial ? STORE_END : 0;
}

void tickstore_derived_range(const struct tickstore *ts, unsigned kind,
			     uint64_t *out_first, uint64_t *out_next)
{
	assert(kind < STORE_KINDS);
	*out_first = ts->derived[kind].first_serial;
	*out_next = ts->derived[kind].next_serial;
}

uint64_t tickstore_derived_last_pos(const struct tickstore *ts, unsigned kind)
{
	assert(kind < STORE_KINDS);
	return ts->derived[kind].high_pos;
}
