/*
 * segment - CRCs first, then what the CRCs cannot know: that the numbers fit
 * each other.  A row written by a broken build has good CRCs and bad numbers.
 */
#include "store/segment.h"
#include "base/crc32c.h"
#include "base/err.h"
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

uint32_t segment_data_crc(const void *records, size_t records_len, const void *runs,
			  size_t runs_len)
{
	return crc32c(crc32c(RECORD_VERSION, records, records_len), runs, runs_len);
}

uint32_t segment_head_crc(const struct segment_head *h)
{
	return crc32c(0, h, sizeof(*h));
}
_Static_assert(sizeof(struct segment_head) == 72, "no padding under the CRC");

void segment_seal(struct segment_head *h, const struct record *recs, uint32_t n,
		  const struct segment_run *runs, uint32_t n_runs,
		  int64_t high_event_ns)
{
	int64_t min = INT64_MAX;
	int64_t max = INT64_MIN;

	for (uint32_t i = 0; i < n; i++) {
		int64_t t = recs[i].event_ns;

		if (!record_has_log_time(&recs[i]))
			continue;
		min = t < min ? t : min;
		max = t > max ? t : max;
	}
	h->min_event_ns = min < max ? min : max;
	h->max_event_ns = max;
	h->high_event_ns = max > high_event_ns ? max : high_event_ns;
	h->version = RECORD_VERSION;
	h->data_crc =
		segment_data_crc(recs, n * sizeof(*recs), runs, n_runs * sizeof(*runs));
}

int segment_head_check(const struct segment_head *h, uint32_t head_crc)
{
	if (segment_head_crc(h) != head_crc)
		return err_set(-EBADMSG,
			       "log: the segment at position %" PRIu64
			       " is damaged: head checksum",
			       h->first_pos);
	if (h->version != RECORD_VERSION)
		return err_set(-EBADMSG,
			       "log: the segment at position %" PRIu64
			       " has record version %" PRIu32 ", this build reads %d",
			       h->first_pos, h->version, RECORD_VERSION);
	if (h->first_pos == 0 || h->last_pos < h->first_pos ||
	    h->last_pos - h->first_pos >= SEGMENT_RECORDS_MAX ||
	    h->min_event_ns > h->max_event_ns || h->max_event_ns > h->high_event_ns)
		return err_set(-EBADMSG,
			       "log: the segment at position %" PRIu64
			       " is damaged: its numbers contradict each other",
			       h->first_pos);
	return 0;
}

/* Runs are in order, do not overlap, and lie within the segment. */
static bool runs_fit(const struct segment_raw *raw, uint32_t n)
{
	uint32_t next = 0;

	for (size_t at = 0; at < raw->runs_len; at += sizeof(struct segment_run)) {
		struct segment_run r;

		memcpy(&r, (const uint8_t *)raw->runs + at, sizeof(r));
		if (r.n == 0 || r.zero != 0 || r.first_index < next ||
		    r.first_index >= n || r.n > n - r.first_index)
			return false;
		next = r.first_index + r.n;
	}
	return true;
}

int segment_unpack(const struct segment_raw *raw, struct record *recs,
		   struct segment_run *runs, uint32_t *out_n_runs)
{
	const struct segment_head *h = &raw->head;
	uint32_t n;
	int rc = segment_head_check(h, raw->head_crc);

	if (rc < 0)
		return rc;
	n = (uint32_t)(h->last_pos - h->first_pos) + 1;
	if (raw->records_len != n * sizeof(struct record) ||
	    raw->runs_len % sizeof(struct segment_run) != 0 ||
	    raw->runs_len > n * sizeof(struct segment_run))
		return err_set(-EBADMSG,
			       "log: positions %" PRIu64 " to %" PRIu64
			       " are damaged: wrong length",
			       h->first_pos, h->last_pos);
	if (segment_data_crc(raw->records, raw->records_len, raw->runs,
			     raw->runs_len) != h->data_crc)
		return err_set(-EBADMSG,
			       "log: positions %" PRIu64 " to %" PRIu64
			       " are damaged: data checksum",
			       h->first_pos, h->last_pos);
	if (!runs_fit(raw, n))
		return err_set(-EBADMSG,
			       "log: positions %" PRIu64 " to %" PRIu64
			       " are damaged: producers' runs overlap",
			       h->first_pos, h->last_pos);

	memcpy(recs, raw->records, raw->records_len);
	if (runs)
		memcpy(runs, raw->runs, raw->runs_len);
	*out_n_runs = (uint32_t)(raw->runs_len / sizeof(struct segment_run));
	return 0;
}
