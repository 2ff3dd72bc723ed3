/*
 * rss_date - the times of feeds.
 *
 *	RFC 822 (RSS 2.0)   "Mon, 05 Jan 2026 14:30:00 EST"; the day of the week, the
 *	                    seconds and a comment at the end may be missing; a year has
 *	                    two (RFC 2822: below 50 is 20xx) or four digits
 *	RFC 3339 (Atom)     "2026-01-05T14:30:00.5-05:00"; also without seconds, and a
 *	                    day alone, which is its midnight in UTC (W3CDTF, RSS 1.0)
 *
 * Zones: Z, UT, UTC, GMT, EST EDT CST CDT MST MDT PST PDT, +hhmm, +hh:mm.  A time
 * without a zone, or with the name of another, is none: nobody knows when it was.
 *
 * Pure.  Any thread.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/** 0, or 1: no such time.  Blanks around it do not count. */
int rss_date_parse(const char *text, int64_t *out_ns);
