/*
 * log - one line per fact on standard error, "<priority>area text", no time
 * stamp (the journal adds one).  Only daemon/, cli/ and *_worker.c files log.
 *
 * Each call site prints at most LOG_BURST lines per second, then says how many
 * it kept back.  Any thread; a line is one write(2) and never torn.  A broken
 * or full standard error never blocks for longer than the pipe does: the
 * descriptor is used as it is given.
 */
#pragma once
#include <stdint.h>

enum log_level { LOG_ERR = 3, LOG_WARN = 4, LOG_INFO = 6, LOG_DEBUG = 7 };

#define LOG_BURST 20

struct log_site {
	int64_t window_s; /* the second that `lines` counts */
	uint32_t lines;
	uint32_t held;
};

/** Lines above @level are dropped (default LOG_INFO). */
void log_level_set(enum log_level level);
/** With @on, lines start with "<N>" for the journal; else with a word. */
void log_journal_set(int on);

void log_write(struct log_site *site, enum log_level level, const char *area,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#define LOG_AT(level, area, ...)                                                       \
	do {                                                                           \
		static struct log_site site_;                                          \
		log_write(&site_, level, area, __VA_ARGS__);                           \
	} while (0)
#define log_err(area, ...)   LOG_AT(LOG_ERR, area, __VA_ARGS__)
#define log_warn(area, ...)  LOG_AT(LOG_WARN, area, __VA_ARGS__)
#define log_info(area, ...)  LOG_AT(LOG_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) LOG_AT(LOG_DEBUG, area, __VA_ARGS__)
