/* hash - FNV-1a and a 64-bit mixer; stable across builds and machines. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define HASH_SEED UINT64_C(0xcbf29ce484222325)

/** Continue from @h (HASH_SEED to begin) over @len bytes, FNV-1a 64. */
uint64_t hash_bytes(uint64_t h, const void *data, size_t len);
/** SplitMix64's finaliser: spreads small integers over all bits. */
uint64_t hash_mix(uint64_t x);
