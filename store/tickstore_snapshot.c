/*
 * tickstore_snapshot - state snapshots: parts as they come, then a head that makes them
 * one.  Parts are not synced; the head's commit is, and with it everything before it in
 * the WAL.  Parts without a head are of a snapshot that was never finished.
 */
#include "base/err.h"
#include "store/rowcrc.h"
#include "store/tickstore_impl.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#define KEEP "2" /* snapshots: the newest, and one to fall back to */

static uint32_t part_crc(const struct tickstore *ts, uint64_t pos, uint64_t part,
			 const void *data, size_t len)
{
	uint32_t crc = rowcrc_begin(ts->store_id, 'P');

	crc = rowcrc_u64(rowcrc_u64(crc, pos), part);
	return rowcrc_bytes(crc, data, len);
}

static uint32_t head_crc(const struct tickstore *ts, const struct store_snapshot *s)
{
	uint32_t crc = rowcrc_begin(ts->store_id, 'S');

	crc = rowcrc_u64(rowcrc_u64(crc, s->pos), s->version);
	return rowcrc_u64(rowcrc_u64(crc, s->n_parts), s->bytes);
}

int tickstore_snapshot_load(struct tickstore *ts)
{
	int64_t oldest = 0;
	int rc = sq_query_int(ts->db, "SELECT min(pos) FROM snapshot", &oldest);

	ts->snapshot_floor = (uint64_t)oldest;
	if (rc == 0)
		rc = sq_exec(ts->db, "DELETE FROM snapshot_part WHERE pos NOT IN"
				     " (SELECT pos FROM snapshot)");
	return rc;
}

/* A snapshot begun anew at the same position takes the place of the old one. */
static int clear(struct tickstore *ts, uint64_t pos)
{
	int rc;

	sq_bind_u64(ts->snapshot_drop, 1, pos);
	rc = sq_run(ts->snapshot_drop);
	return rc < 0 ? rc : sq_run(ts->snapshot_part_trim);
}

int tickstore_snapshot_part(struct tickstore *ts, uint64_t pos, uint32_t part,
			    const void *data, size_t len)
{
	struct sq_stmt *st = ts->snapshot_part_put;
	int rc = tickstore_alive(ts);

	if (rc == 0)
		rc = sq_begin(ts->db, false);
	if (rc < 0)
		return tickstore_failed(ts, rc);
	if (part == 0)
		rc = clear(ts, pos);
	sq_bind_u64(st, 1, pos);
	sq_bind_int(st, 2, part);
	sq_bind_int(st, 3, part_crc(ts, pos, part, data, len));
	sq_bind_blob(st, 4, data, len);
	if (rc == 0)
		rc = sq_run(st);
	if (rc < 0)
		sq_rollback(ts->db);
	else
		rc = sq_commit(ts->db);
	if (rc == 0)
		ts->snapshot_bytes = part == 0 ? len : ts->snapshot_bytes + len;
	return tickstore_failed(ts, rc);
}

static int put_head(struct tickstore *ts, const struct store_snapshot *s)
{
	struct sq_stmt *st = ts->snapshot_put;
	int rc;

	sq_bind_u64(st, 1, s->pos);
	sq_bind_int(st, 2, s->version);
	sq_bind_int(st, 3, s->n_parts);
	sq_bind_u64(st, 4, s->bytes);
	sq_bind_int(st, 5, head_crc(ts, s));
	rc = sq_run(st);
	if (rc == 0)
		rc = sq_run(ts->snapshot_trim);
	return rc < 0 ? rc : sq_run(ts->snapshot_part_trim);
}

int tickstore_snapshot_seal(struct tickstore *ts, uint64_t pos, uint32_t version,
			    uint32_t n_parts)
{
	const struct store_snapshot s = {.pos = pos,
					 .version = version,
					 .n_parts = n_parts,
					 .bytes = ts->snapshot_bytes};
	int64_t oldest = 0;
	int rc = tickstore_alive(ts);

	assert(n_parts > 0);
	if (rc == 0)
		rc = sq_begin(ts->db, true);
	if (rc < 0)
		return tickstore_failed(ts, rc);
	rc = put_head(ts, &s);
	if (rc < 0)
		sq_rollback(ts->db);
	else
		rc = sq_commit(ts->db);
	if (rc == 0)
		rc = sq_query_int(ts->db, "SELECT min(pos) FROM snapshot", &oldest);
	if (rc < 0)
		return tickstore_failed(ts, rc);
	ts->snapshot_floor = (uint64_t)oldest;
	return 0;
}

int tickstore_snapshot_abandon(struct tickstore *ts)
{
	int rc = tickstore_alive(ts);

	if (rc == 0)
		rc = sq_begin(ts->db, false);
	if (rc < 0)
		return tickstore_failed(ts, rc);
	rc = sq_run(ts->snapshot_part_trim);
	if (rc < 0)
		sq_rollback(ts->db);
	else
		rc = sq_commit(ts->db);
	return tickstore_failed(ts, rc);
}

uint64_t tickstore_snapshot_floor(const struct tickstore *ts)
{
	return ts->snapshot_floor;
}

int tickstore_snapshot_find(struct tickstore *ts, uint64_t max_pos,
			    struct store_snapshot *out)
{
	struct sq_stmt *st = ts->snapshot_get;
	struct store_snapshot s = {0};
	bool found = false;
	int rc;

	/* Positions beyond the signed range exist nowhere. */
	sq_bind_u64(st, 1, max_pos > INT64_MAX ? INT64_MAX : max_pos);
	while (!found && (rc = sq_step(st)) == SQ_ROW) {
		s = (struct store_snapshot){.pos = sq_u64(st, 0),
					    .version = (uint32_t)sq_u64(st, 1),
					    .n_parts = (uint32_t)sq_u64(st, 2),
					    .bytes = sq_u64(st, 3)};
		found = sq_u64(st, 4) == head_crc(ts, &s);
		if (!found)
			ts->status.snapshots_damaged++;
	}
	sq_reset(st);
	if (!found)
		return rc < 0 ? rc : STORE_NONE;
	*out = s;
	return 0;
}

static int spoilt(struct tickstore *ts, uint64_t pos, const char *what)
{
	ts->status.snapshots_damaged++;
	return err_set(STORE_NONE, "%s: the state snapshot at position %" PRIu64 " %s",
		       ts->path, pos, what);
}

/* Hand @part over if the row that @st stands on is it; else say that it is spoilt. */
static int take_part(struct tickstore *ts, uint64_t pos, uint64_t part,
		     store_part_fn fn, void *arg)
{
	struct sq_stmt *st = ts->snapshot_part_get;
	size_t len = 0;
	const void *data = sq_blob(st, 2, &len);

	if (sq_u64(st, 0) != part ||
	    sq_u64(st, 1) != part_crc(ts, pos, part, data, len))
		return spoilt(ts, pos, "has a damaged or missing part");
	return fn(arg, data, len);
}

int tickstore_snapshot_read(struct tickstore *ts, const struct store_snapshot *s,
			    store_part_fn fn, void *arg)
{
	struct sq_stmt *st = ts->snapshot_part_get;
	uint64_t part = 0, bytes = 0;
	int rc, told = 0;

	sq_bind_u64(st, 1, s->pos);
	sq_bind_int(st, 2, 0);
	while (told == 0 && (rc = sq_step(st)) == SQ_ROW) {
		size_t len = 0;

		(void)sq_blob(st, 2, &len);
		told = take_part(ts, s->pos, part, fn, arg);
		part++;
		bytes += len;
	}
	sq_reset(st);
	if (told != 0)
		return told;
	if (rc < 0)
		return rc;
	return part == s->n_parts && bytes == s->bytes
		       ? 0
		       : spoilt(ts, s->pos, "is not whole");
}

int tickstore_snapshot_read_part(struct tickstore *ts, const struct store_snapshot *s,
				 uint32_t part, store_part_fn fn, void *arg)
{
	struct sq_stmt *st = ts->snapshot_part_get;
	int rc;

	sq_bind_u64(st, 1, s->pos);
	sq_bind_int(st, 2, part);
	rc = sq_step(st);
	if (rc == 0)
		rc = spoilt(ts, s->pos, "is not whole");
	else if (rc == SQ_ROW)
		rc = take_part(ts, s->pos, part, fn, arg);
	sq_reset(st);
	return rc;
}
