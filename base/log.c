/*
 * log - lines to standard error, each one write(2), rationed per call site.
 *
 * One mutex guards the rations of all sites: a line costs a system call, so a
 * lock beside it is nothing, and a line above the level does not reach it.
 */
#include "base/log.h"
#include "base/clock.h"
#include "base/utf8.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static pthread_mutex_t site_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int level_max = LOG_INFO;
static atomic_int journal_on;

void log_level_set(enum log_level level)
{
	atomic_store_explicit(&level_max, (int)level, memory_order_relaxed);
}

void log_journal_set(int on)
{
	atomic_store_explicit(&journal_on, on, memory_order_relaxed);
}

static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_ERR:
		return "error";
	case LOG_WARN:
		return "warning";
	case LOG_INFO:
		return "info";
	case LOG_DEBUG:
		return "debug";
	}
	return "log";
}

/* What snprintf() left in @room bytes, not what it would have liked to leave. */
static size_t printed(int n, size_t room)
{
	if (n < 0 || room == 0)
		return 0;
	return (size_t)n < room ? (size_t)n : room - 1;
}

static size_t print_head(char *line, size_t cap, enum log_level level, const char *area)
{
	int n;

	if (atomic_load_explicit(&journal_on, memory_order_relaxed))
		n = snprintf(line, cap, "<%d>%s ", (int)level, area);
	else
		n = snprintf(line, cap, "%s: %s ", level_word(level), area);
	return printed(n, cap);
}

/*
 * Whoever reads the other end may be stopped or gone: a line that would have to wait
 * is counted instead, for no thread of a bus may wait for its log.  Under a lock, or
 * two threads might see the last room and both take it.
 */
static void put(const char *line, size_t len)
{
	static pthread_mutex_t put_lock = PTHREAD_MUTEX_INITIALIZER;
	static uint32_t lost;
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	char text[64];
	int n;

	(void)pthread_mutex_lock(&put_lock);
	if (poll(&p, 1, 0) != 1 || p.revents != POLLOUT) {
		lost++;
	} else {
		if (lost > 0) {
			n = snprintf(text, sizeof(text),
				     "(%u lines did not fit into the log)\n", lost);
			(void)!write(STDERR_FILENO, text, printed(n, sizeof(text)));
			lost = 0;
		}
		while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
			;
	}
	(void)pthread_mutex_unlock(&put_lock);
}

/*
 * Text may quote strangers, a damaged database too: a line break of theirs must not
 * start a line of ours, and what is no UTF-8 would make the whole line unreadable.
 */
static void emit(char *line, size_t len)
{
	utf8_clean(line, len, NULL);
	line[len] = '\n';
	put(line, len + 1);
}

/* True if the site may print; @held is what it kept back before this line. */
static int take_ration(struct log_site *site, uint32_t *held, int *is_last)
{
	int64_t now_s = clock_mono_ns() / NS_PER_S;
	int granted = 1;

	*held = 0;
	*is_last = 0;
	(void)pthread_mutex_lock(&site_lock);
	if (site->window_s != now_s) {
		*held = site->held;
		*site = (struct log_site){.window_s = now_s};
	}
	if (site->lines < LOG_BURST) {
		site->lines++;
		*is_last = site->lines == LOG_BURST;
	} else {
		site->held++;
		granted = 0;
	}
	(void)pthread_mutex_unlock(&site_lock);
	return granted;
}

void log_write(struct log_site *site, enum log_level level, const char *area,
	       const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	int saved = errno;
	uint32_t held;
	int is_last, n;
	size_t at, room;
	va_list ap;

	if ((int)level > atomic_load_explicit(&level_max, memory_order_relaxed))
		return;
	if (!take_ration(site, &held, &is_last))
		goto out;

	if (held > 0) {
		at = print_head(line, sizeof(line) - 1, level, area);
		n = snprintf(line + at, sizeof(line) - 1 - at,
			     "(%u more lines like the next were kept back)", held);
		emit(line, at + printed(n, sizeof(line) - 1 - at));
	}

	at = print_head(line, sizeof(line) - 1, level, area);
	room = sizeof(line) - 1 - at;
	va_start(ap, fmt);
	n = vsnprintf(line + at, room, fmt, ap);
	va_end(ap);
	at += printed(n, room);
	if (is_last && at + 40 < sizeof(line)) {
		n = snprintf(line + at, 40, " (more in this second are counted)");
		at += n > 0 ? (size_t)n : 0;
	}
	emit(line, at);
out:
	errno = saved;
}
