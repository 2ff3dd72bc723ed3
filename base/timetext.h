/*
 * timetext - RFC 3339 times with nanoseconds, and durations with units.
 *
 * A parser writes its result only when it returns 0.  There are no leap seconds
 * in UTC as we count it: second 60 is no time.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define TIMETEXT_MAX 40

/** "2014-05-05T00:00:23.668000000Z"; fraction of 9 digits, dropped when zero. */
size_t timetext_print(char *buf, int64_t ns);
/**
 * Parse RFC 3339 with a zone ("Z", "+02:00", "-0500"); "T" or a blank between
 * date and time; a fraction of up to 9 digits.  Returns 0 or 1 (not a time).
 */
int timetext_parse(const char *s, size_t len, int64_t *out_ns);
/** The same, or a day ("2024-01-02"), which is its midnight in UTC. */
int timetext_parse_day(const char *text, int64_t *out_ns);
/** "250ms", "1s", "5m", "2h", "1d", "30us", "100ns"; 0, or 1 (no such duration). */
int timetext_duration(const char *s, size_t len, int64_t *out_ns);
/** Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t timetext_days(int year, unsigned month, unsigned day);
void timetext_civil(int64_t days, int *year, unsigned *month, unsigned *day);
