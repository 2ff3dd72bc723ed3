/*
 * metrics_text - the Prometheus text format 0.0.4, and the counters of stats.def
 * in it; and how the same page is said in OpenMetrics 1.0, which has exemplars.
 *
 *	metrics_family(out, "ring_depth", "gauge", "Items waiting in a shard ring");
 *	metrics_sample(out, "ring_depth", "worker=\"0\"", 17);
 *
 * Names get the prefix "tickbus_" but for those that begin with "process_".
 * Numbers only; label values are escaped by metrics_label().
 */
#pragma once
#include "base/buf.h"
#include "base/histogram.h"
#include <stdbool.h>
#include <stdint.h>

#define METRICS_LABEL_MAX 160
/* Buckets of a histogram as it is told; the last has no end. */
#define METRICS_BUCKETS 26u

/** A sample that stands for a bucket, by the trace it came from. */
struct metrics_exemplar {
	uint64_t trace_id; /* 0: none */
	int64_t value_ns;
	int64_t wall_ns; /* when */
};

/** HELP and TYPE, before the first sample of a family. */
void metrics_family(struct buf *out, const char *name, const char *type,
		    const char *help);
/** @labels may be "". */
void metrics_sample(struct buf *out, const char *name, const char *labels,
		    uint64_t value);
void metrics_sample_f64(struct buf *out, const char *name, const char *labels,
			double value);
/** name="value", with what the format wants escaped; cut off at METRICS_LABEL_MAX. */
const char *metrics_label(char buf[METRICS_LABEL_MAX], const char *name,
			  const char *value);
/**
 * Buckets at powers of two from 1 us to 17 s, in seconds; their edges are edges of
 * the histogram's own buckets, so no count is a guess.
 */
void metrics_histogram(struct buf *out, const char *name, const char *labels,
		       const struct histogram *h);
/** The same with an exemplar per bucket, for OpenMetrics alone; NULL: without. */
void metrics_histogram_with(struct buf *out, const char *name, const char *labels,
			    const struct histogram *h,
			    const struct metrics_exemplar exemplars[METRICS_BUCKETS]);
/** The bucket of a histogram as it is told that @ns falls into. */
unsigned metrics_bucket(int64_t ns);
/** @page as OpenMetrics 1.0 has it: counters' families without _total, "# EOF". */
void metrics_open(const struct buf *page, struct buf *out);
/** Every line of stats.def; nanoseconds become seconds. */
void metrics_stats(struct buf *out);
