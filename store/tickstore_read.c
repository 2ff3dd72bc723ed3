/*
 * tickstore_read - the log by position and by time.
 *
 * The newest records are read where they lie in the ring.  Older ones come from
 * their segment, read whole, checked and kept until another is asked for: a
 * reader that walks forward reads each segment once.
 */
#include "base/err.h"
#include "store/tickstore_impl.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

uint64_t tickstore_ring_low(const struct tickstore *ts)
{
	uint64_t low = ts->ring_base;

	if (ts->ring_top > ts->ring_slots && ts->ring_top - ts->ring_slots > low)
		low = ts->ring_top - ts->ring_slots;
	return low;
}

bool tickstore_is_lost(const struct tickstore *ts, uint64_t first, uint64_t last)
{
	/* Ranges are in order of position, as their epochs are. */
	for (uint32_t i = 0; i < ts->n_lost && first <= last; i++)
		if (ts->lost[i].first <= first && first <= ts->lost[i].last)
			first = ts->lost[i].last + 1;
	return first > last;
}

void tickstore_take_head(const struct tickstore *ts, struct sq_stmt *st,
			 struct segment_head *out, uint32_t *out_crc)
{
	*out = (struct segment_head){
		.store_id = ts->store_id,
		.first_pos = sq_u64(st, 0),
		.last_pos = sq_u64(st, 1),
		.epoch = sq_u64(st, 2),
		.min_event_ns = sq_int(st, 3),
		.max_event_ns = sq_int(st, 4),
		.high_event_ns = sq_int(st, 5),
		.commit_ns = sq_int(st, 6),
		.version = (uint32_t)sq_u64(st, 7),
		.data_crc = (uint32_t)sq_u64(st, 8),
	};
	*out_crc = (uint32_t)sq_u64(st, 9);
}

int tickstore_load_cold(struct tickstore *ts, struct sq_stmt *st)
{
	struct segment_raw raw = {0};
	int rc;

	ts->cold_first = 0;
	tickstore_take_head(ts, st, &raw.head, &raw.head_crc);
	raw.runs = sq_blob(st, 10, &raw.runs_len);
	raw.records = sq_blob(st, 11, &raw.records_len);
	if (raw.head.last_pos - raw.head.first_pos >= ts->cold_max)
		return err_set(-EBADMSG,
			       "%s is damaged: the segment at position %" PRIu64
			       " has grown since the start",
			       ts->path, raw.head.first_pos);
	rc = segment_unpack(&raw, ts->cold, ts->cold_runs, &ts->cold_n_runs);
	if (rc < 0)
		return rc;
	ts->cold_first = raw.head.first_pos;
	ts->cold_n = (uint32_t)(raw.head.last_pos - raw.head.first_pos) + 1;
	ts->status.cold_reads++;
	return 0;
}

static bool cold_has(const struct tickstore *ts, uint64_t pos)
{
	return ts->cold_first != 0 && pos >= ts->cold_first &&
	       pos - ts->cold_first < ts->cold_n;
}

/*
 * The segment with @pos, or the next one behind a hole.  A hole that no epoch
 * explains is a row that has vanished since open: damage, not the end.
 */
static int load_at(struct tickstore *ts, uint64_t pos)
{
	int rc;

	sq_bind_u64(ts->seg_at, 1, pos);
	rc = sq_step(ts->seg_at);
	if (rc == SQ_ROW)
		rc = tickstore_load_cold(ts, ts->seg_at);
	sq_reset(ts->seg_at);
	if (rc < 0 || cold_has(ts, pos))
		return rc;

	sq_bind_u64(ts->seg_after, 1, pos);
	rc = sq_step(ts->seg_after);
	if (rc == 0)
		return err_set(-EBADMSG,
			       "%s is damaged: position %" PRIu64 " is missing",
			       ts->path, pos);
	if (rc == SQ_ROW)
		rc = tickstore_load_cold(ts, ts->seg_after);
	sq_reset(ts->seg_after);
	if (rc == 0 && !tickstore_is_lost(ts, pos, ts->cold_first - 1))
		rc = err_set(-EBADMSG,
			     "%s is damaged: positions %" PRIu64 " to %" PRIu64
			     " are missing",
			     ts->path, pos, ts->cold_first - 1);
	return rc;
}

/* 0, STORE_END or STORE_GONE; what is neither can be read. */
static int where(const struct tickstore *ts, uint64_t pos, uint64_t *out_pos)
{
	if (pos >= ts->next_pos || ts->next_pos == 1)
		return STORE_END;
	/* What was lost is a hole, also at the beginning; what was retired is gone. */
	if (pos <= ts->retired_pos) {
		*out_pos =
			ts->status.first_pos != 0 ? ts->status.first_pos : ts->next_pos;
		return STORE_GONE;
	}
	/* Behind the newest there may be a lost range that ends at next_pos. */
	return pos > ts->status.last_pos ? STORE_END : 0;
}

int tickstore_peek(struct tickstore *ts, uint64_t pos, uint64_t *out_pos,
		   const struct record **out_recs, uint32_t *out_n)
{
	int rc = where(ts, pos, out_pos);

	if (rc != 0)
		return rc;
	if (pos >= tickstore_ring_low(ts)) {
		uint64_t slot = pos % ts->ring_slots;
		uint64_t n = ts->next_pos - pos;

		if (n > ts->ring_slots - slot)
			n = ts->ring_slots - slot;
		*out_pos = pos;
		*out_recs = &ts->ring[slot];
		*out_n = (uint32_t)n;
		return 0;
	}
	if (!cold_has(ts, pos))
		rc = load_at(ts, pos);
	if (rc < 0)
		return rc;
	if (pos < ts->cold_first)
		pos = ts->cold_first;
	*out_pos = pos;
	*out_recs = &ts->cold[pos - ts->cold_first];
	*out_n = ts->cold_n - (uint32_t)(pos - ts->cold_first);
	return 0;
}

int tickstore_read(struct tickstore *ts, uint64_t pos, uint32_t max, struct record *out,
		   uint64_t *out_pos, uint32_t *out_n)
{
	uint64_t first = 0;
	uint32_t done = 0;

	while (done < max) {
		const struct record *recs = NULL;
		uint64_t at = 0;
		uint32_t n = 0;
		int rc = tickstore_peek(ts, pos, &at, &recs, &n);

		if (rc != 0 && done == 0) {
			if (rc == STORE_GONE)
				*out_pos = at;
			return rc;
		}
		/* What follows a hole or an error is for the next call. */
		if (rc != 0 || (done > 0 && at != pos))
			break;
		if (done == 0)
			first = at;
		if (n > max - done)
			n = max - done;
		memcpy(out + done, recs, n * sizeof(*out));
		done += n;
		pos = at + n;
	}
	*out_pos = first;
	*out_n = done;
	return 0;
}

/* Head of the segment at or before @pos; 0 when there is none. */
static int head_at(struct tickstore *ts, uint64_t pos, struct segment_head *out,
		   uint32_t *out_crc)
{
	int rc;

	sq_bind_u64(ts->seg_head, 1, pos);
	rc = sq_step(ts->seg_head);
	if (rc != SQ_ROW)
		return rc;
	tickstore_take_head(ts, ts->seg_head, out, out_crc);
	sq_reset(ts->seg_head);
	rc = segment_head_check(out, *out_crc);
	return rc < 0 ? rc : SQ_ROW;
}

int tickstore_segment(struct tickstore *ts, uint64_t pos, struct store_segment *out)
{
	struct segment_head h = {0};
	uint32_t crc = 0;
	int rc = pos > ts->status.last_pos ? 0 : head_at(ts, pos, &h, &crc);

	if (rc < 0)
		return rc;
	if (pos > ts->status.last_pos || ts->status.first_pos == 0)
		return STORE_END;
	if (rc == 0 || h.last_pos < pos) {
		sq_bind_u64(ts->seg_after, 1, pos);
		rc = sq_step(ts->seg_after);
		if (rc <= 0)
			return rc < 0 ? rc : STORE_END;
		tickstore_take_head(ts, ts->seg_after, &h, &crc);
		sq_reset(ts->seg_after);
		rc = segment_head_check(&h, crc);
		if (rc < 0)
			return rc;
	}
	*out = (struct store_segment){
		.first_pos = h.first_pos,
		.last_pos = h.last_pos,
		.epoch = h.epoch,
		.min_event_ns = h.min_event_ns,
		.max_event_ns = h.max_event_ns,
		.commit_ns = h.commit_ns,
		.crc = h.data_crc,
	};
	return 0;
}

int tickstore_origin(struct tickstore *ts, uint64_t pos, uint32_t *out_producer,
		     uint64_t *out_seq)
{
	uint64_t ignored = 0;
	uint32_t index;
	int rc = where(ts, pos, &ignored);

	if (rc == 0 && !cold_has(ts, pos))
		rc = load_at(ts, pos);
	if (rc != 0)
		return rc;
	if (pos < ts->cold_first)
		return STORE_GONE;
	index = (uint32_t)(pos - ts->cold_first);
	for (uint32_t i = 0; i < ts->cold_n_runs; i++) {
		const struct segment_run *r = &ts->cold_runs[i];

		if (index >= r->first_index && index - r->first_index < r->n) {
			*out_producer = r->producer;
			*out_seq = r->first_seq + (index - r->first_index);
			return 0;
		}
	}
	return STORE_NONE;
}

/*
 * high_event_ns never falls along the log, so the first segment that reaches a
 * time is found by halving the range of positions, without an index.  Invariant:
 * everything before @low is earlier, and @high or what follows it reaches the time.
 * In a hole head_at() answers with the segment before it, which is as good.
 */
static int find_segment(struct tickstore *ts, int64_t event_ns, uint64_t *out_pos)
{
	uint64_t low = ts->status.first_pos;
	uint64_t high = ts->status.last_pos;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		struct segment_head h = {0};
		uint32_t crc = 0;
		int rc = head_at(ts, mid, &h, &crc);

		if (rc <= 0)
			return rc < 0 ? rc
				      : err_set(-EBADMSG,
						"%s is damaged: position %" PRIu64
						" is missing",
						ts->path, mid);
		if (h.high_event_ns >= event_ns)
			high = h.first_pos > low ? h.first_pos : low;
		else
			low = (h.last_pos > mid ? h.last_pos : mid) + 1;
	}
	*out_pos = low;
	return 0;
}

int tickstore_find_time(struct tickstore *ts, int64_t event_ns, uint64_t *out_pos)
{
	uint64_t pos = 0;
	int rc;

	if (ts->status.first_pos == 0 || ts->high_event_ns < event_ns)
		return STORE_END;
	rc = find_segment(ts, event_ns, &pos);
	/*
	 * The records below first_pos that were retired may have set the high
	 * mark: then the first one held that is late enough is further on.
	 */
	while (rc == 0) {
		const struct record *recs = NULL;
		uint64_t at = 0;
		uint32_t n = 0;

		rc = tickstore_peek(ts, pos, &at, &recs, &n);
		if (rc != 0)
			return rc;
		for (uint32_t i = 0; i < n; i++) {
			if (record_has_log_time(&recs[i]) &&
			    recs[i].event_ns >= event_ns) {
				*out_pos = at + i;
				return 0;
			}
		}
		pos = at + n;
	}
	return rc;
}
