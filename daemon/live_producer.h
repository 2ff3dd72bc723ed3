/*
 * live_producer - the way of a feed's ticks into the log: queued, sent, acknowledged,
 * sent again.
 *
 * One request is on its way at a time.  The log takes a producer's sequences in order
 * and drops what lies below its highest: a second request behind one that found no
 * space would make the first one's ticks duplicates, and they would be lost.
 *
 * LIVE thread; the reply comes on the store thread.
 */
#pragma once
#include "daemon/log_sender.h"
#include "feeds/feed.h"

#define LIVE_PRODUCER_HIGH 65536u /* queued ticks: stop reading above */
#define LIVE_PRODUCER_LOW  16384u /* ... and go on below */

struct live_producer {
	struct log_sender sender; /* first: the reply finds its producer */
	uint64_t seq;             /* of the next tick that is sent */
	struct buf queue; /* struct ingest_tick; those before `head` have left */
	size_t head;
	int64_t flying_ns;    /* newest event time in the request on its way */
	atomic_uint rejected; /* of the last reply */
	int64_t good_ns; /* newest event time that is in the log; INT64_MIN: none */
	uint64_t accepted;
	uint64_t refused;
};

/** @any_age: a refill's.  @seq_last: the producer's highest sequence in the log. */
void live_producer_init(struct live_producer *p, struct store_thread *store,
			const char *producer, const char *source, bool any_age);
void live_producer_deinit(struct live_producer *p);
void live_producer_seq(struct live_producer *p, uint64_t seq_last);

void live_producer_add(struct live_producer *p, const struct feed_tick *f);
/** Take the reply, send what is due.  When to come back (monotonic); INT64_MAX: only
    when there is a reply. */
int64_t live_producer_step(struct live_producer *p, int64_t now_ns);
/** Ticks that are not in the log yet. */
size_t live_producer_waiting(const struct live_producer *p);
