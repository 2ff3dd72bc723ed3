/*
 * metrics_share - one page of metrics for many who ask at once.
 *
 * A page costs the loop about a millisecond.  Who asks now and then gets one made for
 * him.  When more than METRICS_CROWD have asked within a second, those that come within
 * 200 ms of the newest page share it: twenty scrapers cost what five do.
 *
 * Loop thread.
 */
#pragma once
#include "base/buf.h"
#include "base/role.h"
#include <stdbool.h>

#define METRICS_CROWD 5u

struct daemon;

struct metrics_share {
	struct {
		struct buf body; /* owned */
		int64_t made_ns;
	} pages[2];                      /* 0: Prometheus' text, 1: OpenMetrics */
	int64_t asked_ns[METRICS_CROWD]; /* the newest, in a ring; 0: nobody */
	unsigned n_asked;
};

/** Valid until the next call. */
ON_LOOP const struct buf *metrics_shared(struct metrics_share *s, struct daemon *d,
					 bool is_open);
void metrics_share_deinit(struct metrics_share *s);
