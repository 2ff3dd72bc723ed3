/* simrng - the one source of chance of a simulation: SplitMix64 from its seed. */
#pragma once
#include "base/hash.h"
#include <stdbool.h>

struct simrng {
	uint64_t state;
};

static inline uint64_t simrng_next(struct simrng *r)
{
	r->state += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(r->state);
}

/** 0 .. @n - 1. */
static inline uint32_t simrng_below(struct simrng *r, uint32_t n)
{
	return (uint32_t)((simrng_next(r) >> 32) * n >> 32);
}

/** Once in @n, on average. */
static inline bool simrng_one_in(struct simrng *r, uint32_t n)
{
	return simrng_below(r, n) == 0;
}
