/* recover - the three witnesses, in the order of the table in recover.h. */
#include "store/recover.h"
#include "base/err.h"
#include "store/rowcrc.h"
#include "store/tickstore_impl.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCHS_MAX   4096
#define NEWEST_WHOLE 8 /* segments at the end that are read whole at each start */

static uint32_t epoch_crc(const struct tickstore *ts, const struct recover_epoch *e)
{
	uint32_t crc = rowcrc_begin(ts->store_id, 'E');

	crc = rowcrc_u64(crc, e->epoch);
	crc = rowcrc_u64(crc, e->first_pos);
	crc = rowcrc_u64(crc, e->lost_first);
	crc = rowcrc_u64(crc, e->lost_last);
	crc = rowcrc_u64(crc, (uint64_t)e->since_ns);
	return rowcrc_bytes(crc, e->reason, strlen(e->reason));
}

int recover_put_epoch(struct tickstore *ts, const struct recover_epoch *e)
{
	struct sq_stmt *st = NULL;
	int rc = sq_prepare(ts->db, "INSERT INTO epoch VALUES (?, ?, ?, ?, ?, ?, ?)",
			    &st);

	if (rc < 0)
		return rc;
	sq_bind_u64(st, 1, e->epoch);
	sq_bind_u64(st, 2, e->first_pos);
	sq_bind_u64(st, 3, e->lost_first);
	sq_bind_u64(st, 4, e->lost_last);
	sq_bind_int(st, 5, e->since_ns);
	sq_bind_text(st, 6, e->reason, strlen(e->reason));
	sq_bind_int(st, 7, epoch_crc(ts, e));
	rc = sq_run(st);
	sq_finish(st);
	return rc;
}

static int take_epoch(struct tickstore *ts, struct sq_stmt *st)
{
	char reason[64] = "";
	size_t len = 0;
	const void *text = sq_blob(st, 5, &len);
	struct recover_epoch e = {
		.epoch = sq_u64(st, 0),
		.first_pos = sq_u64(st, 1),
		.lost_first = sq_u64(st, 2),
		.lost_last = sq_u64(st, 3),
		.since_ns = sq_int(st, 4),
		.reason = reason,
	};

	memcpy(reason, text, len < sizeof(reason) ? len : sizeof(reason) - 1);
	if (sq_u64(st, 6) != epoch_crc(ts, &e) || e.first_pos < ts->next_pos ||
	    e.epoch <= ts->status.epoch || ts->n_lost == EPOCHS_MAX)
		return err_set(-EBADMSG, "%s: the table of epochs is damaged",
			       ts->path);
	ts->status.epoch = e.epoch;
	ts->next_pos = e.first_pos;
	if (e.lost_first != 0)
		ts->lost[ts->n_lost++] = (struct lost_range){e.lost_first, e.lost_last};
	return 0;
}

static int load_epochs(struct tickstore *ts)
{
	struct sq_stmt *st = NULL;
	int rc;

	/* One more than needed: the one that may begin now. */
	ts->lost = calloc(EPOCHS_MAX + 1, sizeof(*ts->lost));
	if (!ts->lost)
		return err_set(-ENOMEM, "the store: no memory");
	ts->next_pos = 1;
	rc = sq_prepare(ts->db, "SELECT * FROM epoch ORDER BY epoch", &st);
	if (rc < 0)
		return rc;
	while ((rc = sq_step(st)) == SQ_ROW) {
		rc = take_epoch(ts, st);
		if (rc < 0)
			break;
	}
	sq_finish(st);
	if (rc == 0 && ts->status.epoch == 0)
		rc = err_set(-EBADMSG, "%s: the table of epochs is empty", ts->path);
	return rc;
}

static int take_head(struct tickstore *ts, struct sq_stmt *st, uint64_t *expected)
{
	struct segment_head h;
	uint32_t crc = 0;
	int rc;

	tickstore_take_head(ts, st, &h, &crc);
	rc = segment_head_check(&h, crc);
	if (rc < 0)
		return rc;
	if (h.first_pos < *expected || h.high_event_ns < ts->high_event_ns)
		return err_set(-EBADMSG,
			       "%s: the segment at position %" PRIu64
			       " overlaps the one before it",
			       ts->path, h.first_pos);
	if (h.first_pos > *expected &&
	    !tickstore_is_lost(ts, *expected, h.first_pos - 1))
		return err_set(-EBADMSG,
			       "%s is damaged: positions %" PRIu64 " to %" PRIu64
			       " are missing from the middle of the log",
			       ts->path, *expected, h.first_pos - 1);
	if (h.last_pos - h.first_pos >= ts->cold_max)
		ts->cold_max = (uint32_t)(h.last_pos - h.first_pos) + 1;
	if (ts->status.first_pos == 0)
		ts->status.first_pos = h.first_pos;
	ts->status.last_pos = h.last_pos;
	ts->high_event_ns = h.high_event_ns;
	*expected = h.last_pos + 1;
	return 0;
}

/* Only the leaves are read: a row's data lies on pages of its own. */
static int check_heads(struct tickstore *ts)
{
	uint64_t expected = ts->retired_pos + 1;
	struct sq_stmt *st = NULL;
	int rc = sq_prepare(ts->db,
			    "SELECT first_pos, last_pos, epoch, min_event_ns,"
			    " max_event_ns, high_event_ns, commit_ns, version,"
			    " data_crc, head_crc FROM segment ORDER BY first_pos",
			    &st);

	if (rc < 0)
		return rc;
	ts->high_event_ns = INT64_MIN;
	ts->cold_max = ts->params.segment_max; /* grows to the largest there is */
	while ((rc = sq_step(st)) == SQ_ROW) {
		rc = take_head(ts, st, &expected);
		if (rc < 0)
			break;
	}
	sq_finish(st);
	if (rc < 0)
		return rc;
	/*
	 * The end of the log must reach up to where the last epoch began: what
	 * lies between the newest segment and there is known to be lost.
	 */
	if (expected < ts->next_pos &&
	    !tickstore_is_lost(ts, expected, ts->next_pos - 1))
		return err_set(-EBADMSG,
			       "%s is damaged: positions %" PRIu64 " to %" PRIu64
			       " are missing from the end of the log",
			       ts->path, expected, ts->next_pos - 1);
	if (expected > ts->next_pos)
		ts->next_pos = expected;
	return 0;
}

/* The sequences in a segment were in the same transaction as the producer's row. */
static int check_runs(const struct tickstore *ts)
{
	for (uint32_t i = 0; i < ts->cold_n_runs; i++) {
		const struct segment_run *r = &ts->cold_runs[i];

		if (r->producer >= producers_count(ts->producers) ||
		    r->first_seq + r->n - 1 >
			    producers_last(ts->producers, r->producer))
			return err_set(-EBADMSG,
				       "%s is damaged: producer %u is older than the "
				       "segment at position %" PRIu64,
				       ts->path, r->producer, ts->cold_first);
	}
	return 0;
}

/* Room for the largest segment: what is written from now on is not larger. */
static int allocate_cold(struct tickstore *ts)
{
	ts->cold = calloc(ts->cold_max, sizeof(*ts->cold));
	ts->cold_runs = calloc(ts->cold_max, sizeof(*ts->cold_runs));
	if (!ts->cold || !ts->cold_runs)
		return err_set(-ENOMEM, "the store: no memory for a segment");
	return 0;
}

static int check_newest(struct tickstore *ts)
{
	uint64_t pos = ts->status.last_pos;
	int rc = 0;

	for (int i = 0;
	     rc == 0 && i < NEWEST_WHOLE && pos >= ts->status.first_pos && pos != 0;
	     i++) {
		sq_bind_u64(ts->seg_at, 1, pos);
		rc = sq_step(ts->seg_at);
		if (rc == 0)
			return 0;
		if (rc == SQ_ROW)
			rc = tickstore_load_cold(ts, ts->seg_at);
		sq_reset(ts->seg_at);
		if (rc == 0)
			rc = check_runs(ts);
		pos = ts->cold_first - 1;
	}
	return rc;
}

static int begin_epoch(struct tickstore *ts, const struct recover_epoch *e)
{
	int rc = sq_begin(ts->db, true);

	if (rc < 0)
		return rc;
	rc = recover_put_epoch(ts, e);
	if (rc < 0) {
		sq_rollback(ts->db);
		return rc;
	}
	rc = sq_commit(ts->db);
	if (rc < 0)
		return rc;
	ts->status.epoch = e->epoch;
	ts->next_pos = e->first_pos;
	/* What an earlier start lost and nobody has heard of belongs to it. */
	if (ts->status.lost_first == 0 || ts->status.lost_last + 1 != e->lost_first)
		ts->status.lost_first = e->lost_first;
	ts->status.lost_last = e->lost_last;
	if (e->lost_first != 0)
		ts->lost[ts->n_lost++] =
			(struct lost_range){e->lost_first, e->lost_last};
	return 0;
}

/* One that nobody has heard of. */
static uint64_t next_epoch(const struct tickstore *ts, const struct highwater_mark *m)
{
	if (m->epoch <= ts->status.epoch)
		return ts->status.epoch + 1;
	return m->boot_id == HIGHWATER_COPY ? m->epoch : m->epoch + 1;
}

/* @last: the highest position that may have been acknowledged. */
static int on_loss(struct tickstore *ts, const struct highwater_mark *m, uint64_t last,
		   int64_t now_ns)
{
	uint64_t from = ts->next_pos;
	bool promised = from > m->synced_pos && !ts->status.created;
	uint64_t epoch = next_epoch(ts, m);

	(void)snprintf(
		ts->status.alarm, sizeof(ts->status.alarm),
		"positions %" PRIu64 " to %" PRIu64 " %s acknowledged and are %s; "
		"epoch %" PRIu64 " begins at %" PRIu64 "; producers must send again",
		from, last, last > m->acked_pos ? "may have been" : "were",
		ts->status.created ? "gone with the whole database"
		: promised         ? "gone: none was synced (durability normal)"
				   : "gone although synced: the disk or a restored "
				     "backup lost them",
		epoch, last + 1);
	return begin_epoch(ts, &(struct recover_epoch){.epoch = epoch,
						       .first_pos = last + 1,
						       .lost_first = from,
						       .lost_last = last,
						       .since_ns = now_ns,
						       .reason = "loss"});
}

static int on_restored(struct tickstore *ts, const struct highwater_mark *m,
		       int64_t now_ns)
{
	uint64_t epoch = next_epoch(ts, m);

	(void)snprintf(ts->status.alarm, sizeof(ts->status.alarm),
		       "the database is of epoch %" PRIu64
		       ", acknowledgements were of %" PRIu64
		       ": an older copy was put back; epoch %" PRIu64
		       " begins at %" PRIu64,
		       ts->status.epoch, epoch - 1, epoch, ts->next_pos);
	return begin_epoch(ts, &(struct recover_epoch){.epoch = epoch,
						       .first_pos = ts->next_pos,
						       .since_ns = now_ns,
						       .reason = "restored"});
}

static int check_highwater(struct tickstore *ts, int64_t now_ns)
{
	struct highwater_mark m = {0};
	uint64_t last;
	int rc = highwater_read(ts->dirfd, &m);

	if (rc < 0)
		return rc;
	if (rc == HIGHWATER_MISSING && ts->status.created)
		return 0;
	if (rc > 0) {
		(void)snprintf(
			ts->status.warning, sizeof(ts->status.warning),
			"continuing without the high-water file, which was %s: a "
			"loss before this start cannot be seen; it is made anew",
			rc == HIGHWATER_MISSING ? "missing" : "unreadable");
		return 0;
	}
	if (m.store_id != ts->store_id && !ts->status.created)
		return err_set(
			-EBADMSG,
			"%s and the high-water file beside it belong to different "
			"databases; if the database is the right one, remove the "
			"file 'highwater'",
			ts->path);
	/* What was written and not synced outlives the process, not the machine. */
	last = m.boot_id != 0 && m.boot_id == ts->boot_id ? m.acked_pos
							  : m.promised_pos;
	if (last >= ts->next_pos)
		return on_loss(ts, &m, last, now_ns);
	if (m.epoch > ts->status.epoch)
		return on_restored(ts, &m, now_ns);
	return 0;
}

/*
 * A start that found a loss may have been cut short before anybody heard of it: until
 * something stands behind the lost range it is reported again.
 */
static void repeat_loss(struct tickstore *ts)
{
	const struct lost_range *l = ts->lost;

	if (ts->n_lost == 0)
		return;
	l += ts->n_lost - 1;
	if (l->last + 1 != ts->next_pos)
		return;
	ts->status.lost_first = l->first;
	ts->status.lost_last = l->last;
	(void)snprintf(ts->status.alarm, sizeof(ts->status.alarm),
		       "positions %" PRIu64 " to %" PRIu64
		       " were lost before an earlier start; epoch %" PRIu64
		       " begins at %" PRIu64 "; producers must send again",
		       l->first, l->last, ts->status.epoch, ts->next_pos);
}

int recover_check(struct tickstore *ts, int64_t now_ns)
{
	int rc = load_epochs(ts);

	if (rc == 0)
		rc = check_heads(ts);
	if (rc == 0)
		repeat_loss(ts);
	if (rc == 0)
		rc = allocate_cold(ts);
	if (rc == 0)
		rc = check_newest(ts);
	if (rc == 0)
		rc = check_highwater(ts, now_ns);
	return rc;
}
