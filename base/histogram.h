/*
 * histogram - log-linear buckets (16 per power of two, under 6.25 % error) over
 * nanoseconds from 0 to about 4.9 hours (2^44 ns); what lies beyond is counted in
 * the last bucket.  One writer, any reader; relaxed
 * atomics, so a reader may see a count that is a moment old.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS (16 * 41)

struct histogram {
	_Atomic uint64_t bucket[HISTOGRAM_BUCKETS];
	_Atomic uint64_t count;
	_Atomic uint64_t sum_ns;
};

void histogram_add(struct histogram *h, int64_t ns);
/** @n samples of the same size. */
void histogram_add_n(struct histogram *h, int64_t ns, uint64_t n);
/** The @q quantile (0..1) in ns, upper edge of its bucket; 0 when empty. */
int64_t histogram_quantile(const struct histogram *h, double q);
/** Upper edge of bucket @i in ns: the largest value that falls into it. */
int64_t histogram_edge(unsigned i);
/** Add @from's counts into @to. */
void histogram_merge(struct histogram *to, const struct histogram *from);
