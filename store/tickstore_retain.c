/*
 * tickstore_retain - the old end of the log.
 *
 * Whole segments go, oldest first, and with them in the same transaction their
 * articles and the mark of how far: a segment that vanished without it is damage.
 */
#include "base/err.h"
#include "store/tickstore_impl.h"
#include <string.h>

static bool is_due(const struct tickstore *ts, const struct store_segment *s,
		   int64_t now_ns)
{
	const struct store_params *p = &ts->params;
	uint64_t bytes = (ts->next_pos - s->first_pos) * sizeof(struct record);

	if (p->retain_ns > 0 && now_ns - s->commit_ns > p->retain_ns)
		return true;
	return p->retain_bytes > 0 && bytes > p->retain_bytes;
}

/* The newest segment stays: the log's end is read from it at the next start. */
static bool may_go(const struct tickstore *ts, const struct store_segment *s,
		   uint64_t floor_pos)
{
	return s->last_pos < floor_pos && s->last_pos < ts->hold_pos &&
	       s->last_pos < ts->status.last_pos;
}

ON_STORE static int retire(struct tickstore *ts, int64_t now_ns, uint64_t floor_pos,
			   uint32_t budget, uint32_t *out_n)
{
	uint64_t pos = ts->status.first_pos;
	struct store_segment s = {0};

	while (*out_n < budget) {
		int rc = tickstore_segment(ts, pos, &s);

		if (rc != 0)
			return rc < 0 ? rc : 0;
		if (!may_go(ts, &s, floor_pos) || !is_due(ts, &s, now_ns))
			return 0;
		sq_bind_u64(ts->seg_delete, 1, s.first_pos);
		rc = sq_run(ts->seg_delete);
		if (rc < 0)
			return rc;
		++*out_n;
		ts->retired_pos = s.last_pos;
		pos = s.last_pos + 1;
	}
	return 0;
}

ON_STORE static int retire_in_transaction(struct tickstore *ts, int64_t now_ns,
					  uint64_t floor_pos, uint32_t budget,
					  uint32_t *out_n)
{
	int rc = sq_begin(ts->db, false);

	if (rc < 0)
		return rc;
	rc = retire(ts, now_ns, floor_pos, budget, out_n);
	if (rc == 0 && *out_n > 0)
		rc = tickstore_articles_retire(ts, ts->retired_pos);
	if (rc == 0 && *out_n > 0)
		rc = tickstore_put_counts(ts);
	if (rc < 0 || *out_n == 0) {
		sq_rollback(ts->db);
		return rc;
	}
	return sq_commit(ts->db);
}

int tickstore_retain(struct tickstore *ts, int64_t now_ns, uint64_t floor_pos,
		     uint32_t budget, uint32_t *out_n)
{
	uint64_t retired_before = ts->retired_pos;
	struct store_segment s = {0};
	uint32_t n = 0;
	int rc = tickstore_alive(ts);

	if (rc < 0)
		return rc;
	*out_n = 0;
	if (ts->status.first_pos == 0)
		return 0;
	rc = tickstore_segment(ts, ts->status.first_pos, &s);
	if (rc != 0 || !may_go(ts, &s, floor_pos) || !is_due(ts, &s, now_ns))
		return rc < 0 ? tickstore_failed(ts, rc) : 0;

	/* There is something to throw away: now room for the log of doing so. */
	if (ts->status.disk_full && ts->status.ballast) {
		tickstore_ballast_drop(ts);
		rc = tickstore_checkpoint(ts, true);
	}
	if (rc == 0)
		rc = retire_in_transaction(ts, now_ns, floor_pos, budget, &n);
	if (rc < 0) {
		ts->retired_pos = retired_before;
		return tickstore_failed(ts, rc);
	}
	rc = n ? tickstore_segment(ts, ts->retired_pos + 1, &s) : 0;
	if (rc < 0)
		return tickstore_failed(ts, rc);
	if (n) {
		ts->status.first_pos = s.first_pos;
		ts->cold_first = 0;
	}
	ts->status.segments_retired += n;
	*out_n = n;
	return 0;
}

void tickstore_hold_set(struct tickstore *ts, uint64_t pos)
{
	ts->hold_pos = pos;
}

void tickstore_limits_set(struct tickstore *ts, int64_t retain_ns,
			  uint64_t retain_bytes,
			  const struct derived_limit derived[STORE_KINDS])
{
	ts->params.retain_ns = retain_ns;
	ts->params.retain_bytes = retain_bytes;
	memcpy(ts->params.derived, derived, sizeof(ts->params.derived));
}
