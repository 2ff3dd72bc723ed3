/*
 * tz - IANA time zones read from the system's TZif files.
 *
 * Immutable after tz_load(), so any thread may use it.  Never touches TZ or
 * localtime().  The footer rule ("EST5EDT,M3.2.0,M11.1.0") is followed beyond
 * the last transition.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct tz;

/** Load "America/New_York" (or "UTC"); -ENOENT, -EINVAL (bad name or file). */
int tz_load(const char *name, struct tz **out);
/** The same from the bytes of a TZif file (what tz_load() reads, and the fuzzer). */
int tz_parse(const void *image, size_t len, struct tz **out);
void tz_free(struct tz *tz);
/** Seconds east of UTC in force at @utc_s. */
int32_t tz_offset_s(const struct tz *tz, int64_t utc_s);
/**
 * UTC of a local wall time (seconds since 1970 read as if UTC).  A time that
 * does not exist (spring) maps to the instant of the change; one that exists
 * twice (autumn) maps to the earlier.
 */
int64_t tz_to_utc_s(const struct tz *tz, int64_t local_s);
