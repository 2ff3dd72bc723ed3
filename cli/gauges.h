/*
 * gauges - two answers to `top`, and the difference as a page: what was lost, what
 * flows and how fast, how long it takes, what waits where, and the busiest symbols.
 *
 * Every number of the answer becomes a gauge named by its path ("counters.bars_total"),
 * so what a newer daemon counts is shown too.  Pure: JSON in, text out.
 */
#pragma once
#include "base/buf.h"
#include "proto/json_scan.h"
#include <stdbool.h>
#include <stddef.h>

#define GAUGES_MAX      4096
#define GAUGES_NAME_MAX 96

enum gauge_section {
	GAUGE_LOSS = 0, /* counters of what should not happen */
	GAUGE_FLOW,
	GAUGE_LATENCY,
	GAUGE_STATE,
	GAUGE_SYMBOL, /* "AAPL tick" */
	GAUGE_HIDDEN, /* said elsewhere */
};

struct gauge {
	char name[GAUGES_NAME_MAX];
	double value;
	enum gauge_section section;
	bool is_counter;
};

struct gauges {
	struct gauge *at; /* owned; GAUGES_MAX of them */
	size_t n;
	size_t dropped; /* numbers beyond GAUGES_MAX */
};

/** 0 or -ENOMEM. */
int gauges_init(struct gauges *g);
void gauges_deinit(struct gauges *g);
/** Replace the contents by the numbers of @answer, the result of `top`. */
void gauges_read(struct gauges *g, const struct json_token *answer);
/** The value of @name; @otherwise when it is not there. */
double gauges_value(const struct gauges *g, const char *name, double otherwise);

struct gauges_view {
	bool all;      /* also counters that stand at 0 */
	unsigned rows; /* lines at most; 0: no bound */
	bool ansi;     /* clear each line's end */
};

/** The page of @now, with rates since @before, @seconds ago. */
void gauges_show(struct buf *out, const struct gauges *before, const struct gauges *now,
		 double seconds, const struct gauges_view *view);
