/*
 * gauges - two readings of the daemon's metrics, and the difference as a table:
 * what flows and how fast, what stands where, and what was lost.
 *
 * Reads Prometheus' text format, so it shows whatever the daemon counts, also what a
 * newer one has added.  Pure: text in, text out.
 */
#pragma once
#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>

#define GAUGES_MAX      2048
#define GAUGES_NAME_MAX 96

struct gauge {
	char name[GAUGES_NAME_MAX]; /* without "tickbus_", with its labels */
	double value;
	bool is_counter;
};

struct gauges {
	struct gauge *at; /* owned; GAUGES_MAX of them */
	size_t n;
	size_t dropped; /* lines beyond GAUGES_MAX */
};

/** 0 or -ENOMEM. */
int gauges_init(struct gauges *g);
void gauges_deinit(struct gauges *g);
/** Replace the contents by those of @text; lines that are no samples are passed over.
 */
void gauges_read(struct gauges *g, const char *text, size_t len);
/** The value of @name; @otherwise when it is not there. */
double gauges_value(const struct gauges *g, const char *name, double otherwise);

/** What gauges_show() leaves out. */
struct gauges_view {
	bool all;      /* false: counters that stand at 0 */
	unsigned rows; /* lines at most; 0: no bound */
	bool ansi;     /* clear each line's end */
};

/** The table of @now, with rates since @before, @seconds ago. */
void gauges_show(struct buf *out, const struct gauges *before, const struct gauges *now,
		 double seconds, const struct gauges_view *view);
