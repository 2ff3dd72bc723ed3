/*
 * feeder - ticks of a file on their way to the daemon: gathered into batches, sent
 * until acknowledged, and every outcome counted.
 *
 * Sending again is safe: each tick has a (producer, sequence) that the daemon takes
 * once.  A daemon that is busy, full or restarting is waited for as long as patience
 * lasts; the batch is kept and nothing is skipped.  Where the daemon's clock is its
 * producers', clock records go between the ticks: give them in order of time.
 */
#pragma once
#include "cli/cli.h"
#include "feeds/feed.h"

struct feeder;

struct feeder_params {
	const char *producer; /* NULL: one of this run */
	const char *source;   /* of ticks that name none */
	uint32_t batch_max;
	int64_t patience_ns; /* without an answer, until feeder_x() gives up */
};

struct feeder_counts {
	uint64_t accepted;
	uint64_t duplicate;
	uint64_t rejected;
	uint64_t by_reason[REJECT_N];
	uint64_t resends;
	uint64_t last_pos;
	int64_t newest_ns; /* largest event time sent */
	bool is_synced;    /* the last acknowledgement's promise */
};

enum { FEEDER_STOPPED = FEED_END + 1 }; /* the user asked to stop while we waited */

int feeder_new(struct cli *c, const struct feeder_params *p, struct feeder **out);
/** What was not flushed is dropped. */
void feeder_free(struct feeder *f);
/** 0, FEEDER_STOPPED, or a negated errno with its sentence. */
int feeder_add(struct feeder *f, const struct feed_tick *t);
/** Flush, and say that time has reached @ns; *@out: why the daemon thinks otherwise. */
int feeder_clock(struct feeder *f, int64_t ns, enum reject_reason *out);
int feeder_flush(struct feeder *f);
const struct feeder_counts *feeder_counts(const struct feeder *f);
const char *feeder_producer(const struct feeder *f);
