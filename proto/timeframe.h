/*
 * timeframe - the steps of bars: 1s 5s 10s 15s 30s 1m 2m 5m 10m 15m 30m 1h 2h 4h 1d.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/** Seconds of "1m"; 0 when there is no such timeframe. */
uint32_t timeframe_parse(const char *s, size_t len);
/** The same; "1min", "1hour" and "1day" are understood as well. */
uint32_t timeframe_parse_any(const char *s, size_t len);
/** "1m" for 60; "?" for what is no timeframe. */
const char *timeframe_name(uint32_t seconds);
