/*
 * progress - one line that says how far a long job is, how fast, and how long yet:
 *
 *	 41% [########            ]  1,204,332 ticks  612k/s  2:51 left
 *
 * Pure: the caller brings the clock and prints.  The rate is that of the last
 * seconds, not of the whole run, so that it follows what happens.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_TEXT_MAX 160
#define PROGRESS_SLOTS    8 /* of half a second each */

struct progress {
	int64_t begin_ns;
	int64_t slot_ns[PROGRESS_SLOTS]; /* ring: when, and how much by then */
	uint64_t slot_n[PROGRESS_SLOTS];
	uint64_t n_slots;
};

void progress_init(struct progress *p, int64_t now_ns);
/** Note that @n are done at @now_ns. */
void progress_add(struct progress *p, int64_t now_ns, uint64_t n);
/** Per second, over the slots kept. */
double progress_rate(const struct progress *p, int64_t now_ns, uint64_t n);
/** The line; @total_bytes 0: unknown, no bar then.  Returns its length. */
size_t progress_print(const struct progress *p, int64_t now_ns, uint64_t n,
		      uint64_t bytes, uint64_t bytes_total,
		      char out[PROGRESS_TEXT_MAX]);
/** "1,204,332". */
size_t progress_thousands(char out[32], uint64_t n);
