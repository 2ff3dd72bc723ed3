/*
 * config_lists - words of a table and lists of values, for config_value.c: each gives
 * 0, or 1 with a reason.
 */
#pragma once
#include "daemon/config_table.h"

#define CONFIG_TIMEFRAME_NAMES "1s 5s 10s 15s 30s 1m 2m 5m 10m 15m 30m 1h 2h 4h 1d"

/** Write the reason (CONFIG_WHY bytes) and return 1. */
int config_lists_bad(char *why, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** The value of the word @s. */
int config_lists_choice(const struct config_word *words, const char *s, uint32_t *out,
			char *why);
/** Seconds of "1m"; the origin's "1min" means the same; 0: it is none. */
uint32_t config_lists_timeframe(const char *s);
/** Put a list of CONFIG_TIMEFRAMES, _PRICES, _DAYS, _SOURCES or _INDICATORS into @p. */
int config_lists_set(const struct config_key *k, struct symbol_params *p,
		     const struct config_words *w, char *why);
