/*
 * rng - numbers by chance that are the same everywhere: xoshiro256** seeded by
 * SplitMix64, and distributions made of basic arithmetic alone (no libm, whose
 * last bits differ between machines).
 */
#pragma once
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);

static inline uint64_t rng_rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

static inline uint64_t rng_u64(struct rng *r)
{
	uint64_t result = rng_rotl(r->s[1] * 5, 7) * 9;
	uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rng_rotl(r->s[3], 45);
	return result;
}

/** 0 .. n-1; biased by less than n / 2^32. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rng_u64(r) >> 32) * n >> 32);
}

/** 0 .. n-1 for any n > 0. */
static inline int64_t rng_below64(struct rng *r, int64_t n)
{
	return (int64_t)((unsigned __int128)rng_u64(r) * (uint64_t)n >> 64);
}

/** [0, 1) in steps of 2^-53. */
static inline double rng_unit(struct rng *r)
{
	return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

/**
 * Mean 0, variance 1: the sum of four 16-bit uniforms.  Bounded by 3.46, and a
 * little flatter than a normal, which a market with its own tails can bear.
 */
static inline double rng_normal(struct rng *r)
{
	uint64_t x = rng_u64(r);
	int64_t sum = (int64_t)(x & 0xffff) + (int64_t)(x >> 16 & 0xffff) +
		      (int64_t)(x >> 32 & 0xffff) + (int64_t)(x >> 48);

	/* Four uniforms over 0 .. 65535: mean 131070, variance (2^32 - 1) / 3. */
	return (double)(sum - 131070) * (1.0 / 37837.226890);
}

/** Mean 1: minus the logarithm of a uniform number. */
double rng_exponential(struct rng *r);
/** e^x for |x| <= 8, to about 1e-9 relative. */
double rng_exp(double x);
