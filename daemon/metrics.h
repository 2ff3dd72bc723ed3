/*
 * metrics - what the daemon counts and measures, for Prometheus (text format 0.0.4:
 * every counter of stats.def, the store, queues, latencies per worker, the process)
 * and for the admin socket.
 *
 * Series per symbol are bounded: the METRICS_SYMBOLS_MAX with the most ticks, and
 * symbol="other" for the rest; tickbus_symbols says how many there are.
 */
#pragma once
#include "base/buf.h"
#include "base/jsonw.h"
#include "base/role.h"
#include "daemon/daemon.h"

#define METRICS_SYMBOLS_MAX 200u

/** What the kernel says of this process; zeros where it does not. */
struct metrics_process {
	uint64_t rss_bytes;
	uint64_t open_fds;
	uint64_t max_fds;
	double cpu_s; /* user and system */
};
void metrics_process(struct metrics_process *out);

/** Append the page /metrics. */
ON_LOOP void metrics_prometheus(struct daemon *d, struct buf *out);
/** The archive's part of that page; nothing where there is none. */
ON_LOOP void metrics_archive(struct daemon *d, struct buf *out);
/** The same as OpenMetrics 1.0: with exemplars that lead to traces. */
ON_LOOP void metrics_openmetrics(struct daemon *d, struct buf *out);
/** The feeds of headlines, where there are some. */
ON_LOOP void metrics_rss(struct daemon *d, struct buf *out);
/** The series per symbol of that page. */
ON_LOOP void metrics_symbols(struct daemon *d, struct buf *out);
/** The counters as members of the open object: {"ticks_accepted_total":1, ...}. */
ON_LOOP void metrics_json(struct daemon *d, struct jsonw *w);
/** One latency as {"count":..,"p50_us":..,"p99_us":..,"max_us":..} under @key. */
void metrics_latency_json(struct jsonw *w, const char *key, const struct histogram *h);
