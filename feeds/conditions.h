/*
 * conditions - what the sale conditions of a US equity trade forbid it to do.
 *
 * Three permissions: to set open and close, to set high and low, to count in volume.
 * A trade with several conditions has what all of them allow.  The letters are those
 * of the two tapes' specifications, and one letter may mean two things: B is an average
 * price on tapes A and B, a bunched trade on tape C.
 *
 * Form T (trading out of regular hours) forbids to set prices during regular hours
 * alone: before and after them almost every trade carries it.
 *
 *	not in volume        M Q 9  (the official prices once more)
 *	sets no price        C H I M N Q R T U V W 7 9, B of tapes A and B
 *	high and low alone   4 G P Z
 */
#pragma once
#include "base/tz.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Flags (TICK_NO_x of record.h) of one condition; @tape 'A', 'B', 'C'. */
unsigned conditions_letter(char tape, char letter, bool is_regular);
/** The same by Polygon's numbers; @tape 1 to 3. */
unsigned conditions_number(unsigned tape, uint64_t number, bool is_regular);

/** Is it 09:30 to 16:00 in New York? */
bool conditions_is_regular(const struct tz *newyork, int64_t ns);
