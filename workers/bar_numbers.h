/* bar_numbers - a bar's exact integers as doubles, each rounded once. */
#pragma once
#include "proto/event.h"

/*
 * Billionths to a double.  Below 2^53 the integer is exact as a double; above, the
 * wider type carries it.
 */
static inline double bar_price(int64_t e9)
{
	if (e9 < INT64_C(1) << 53)
		return (double)e9 / 1e9;
	return (double)((long double)e9 / 1e9L);
}

/** The exact volume, 1e-8, is two's complement of 128 bits. */
static inline double bar_volume(const struct event_bar *bar)
{
	__int128 e8 = (__int128)((unsigned __int128)(uint64_t)bar->volume_hi << 64 |
				 bar->volume_lo);

	return (double)((long double)e8 / 1e8L);
}
