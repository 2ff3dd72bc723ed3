/*
 * histogram - bucket arithmetic.
 *
 * 0..15 have a bucket each; from 16 on, every power of two is cut in 16, so a
 * bucket is at most 1/16 of its lower edge wide.
 *
 *	index   0 .. 15   16 .. 31   32 .. 47      640 .. 655
 *	ns      0 .. 15   16 .. 31   32 .. 63  ... 2^43 .. 2^44-1
 */
#include "base/histogram.h"

#define SUB      16u
#define SUB_BITS 4u

static unsigned bucket_of(int64_t ns)
{
	uint64_t v = ns > 0 ? (uint64_t)ns : 0;
	unsigned e, i;

	if (v < SUB)
		return (unsigned)v;
	e = 63u - (unsigned)__builtin_clzll(v);
	i = (e - SUB_BITS + 1) * SUB + (unsigned)(v >> (e - SUB_BITS) & (SUB - 1));
	return i < HISTOGRAM_BUCKETS ? i : HISTOGRAM_BUCKETS - 1;
}

/* One writer: a load and a store are enough and need no bus lock. */
static void bump(_Atomic uint64_t *p, uint64_t by)
{
	uint64_t v = atomic_load_explicit(p, memory_order_relaxed);

	atomic_store_explicit(p, v + by, memory_order_relaxed);
}

static uint64_t peek(const _Atomic uint64_t *p)
{
	return atomic_load_explicit(p, memory_order_relaxed);
}

void histogram_add_n(struct histogram *h, int64_t ns, uint64_t n)
{
	bump(&h->bucket[bucket_of(ns)], n);
	bump(&h->count, n);
	bump(&h->sum_ns, ns > 0 ? (uint64_t)ns * n : 0);
}

void histogram_add(struct histogram *h, int64_t ns)
{
	histogram_add_n(h, ns, 1);
}

int64_t histogram_edge(unsigned i)
{
	unsigned e;

	if (i >= HISTOGRAM_BUCKETS)
		i = HISTOGRAM_BUCKETS - 1;
	if (i < SUB)
		return (int64_t)i;
	e = i / SUB - 1;
	return (int64_t)(((uint64_t)(SUB + i % SUB + 1) << e) - 1);
}

int64_t histogram_quantile(const struct histogram *h, double q)
{
	uint64_t total = 0, seen = 0, rank;
	double want;

	/* The buckets' own sum: `count` may be a sample ahead of or behind them. */
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += peek(&h->bucket[i]);
	if (total == 0)
		return 0;

	want = q * (double)total;
	rank = want > 0 ? (uint64_t)want : 0;
	if ((double)rank < want || rank == 0)
		rank++;
	if (rank > total)
		rank = total;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += peek(&h->bucket[i]);
		if (seen >= rank)
			return histogram_edge(i);
	}
	return histogram_edge(HISTOGRAM_BUCKETS - 1);
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t n = peek(&from->bucket[i]);

		if (n > 0)
			bump(&to->bucket[i], n);
	}
	bump(&to->count, peek(&from->count));
	bump(&to->sum_ns, peek(&from->sum_ns));
}
