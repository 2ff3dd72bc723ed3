/* feed_test - what the tests of feeds share: a text as a file, a sink that keeps. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "feeds/feed.h"
#include <sys/mman.h>
#include <unistd.h>

#define KEEP_MAX 64

struct keep {
	struct feed_tick tick[KEEP_MAX];
	size_t ticks;
	uint64_t line[KEEP_MAX];
	char why[KEEP_MAX][FEED_WHY_MAX];
	size_t bad;
	int stop_at; /* return -1 after so many ticks; 0: never */
};

static inline int text_fd(const void *text, size_t len)
{
	int fd = memfd_create("feed_test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(write(fd, text, len) == (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static inline int keep_tick(void *arg, const struct feed_tick *t)
{
	struct keep *k = arg;

	if (k->ticks < KEEP_MAX)
		k->tick[k->ticks] = *t;
	k->ticks++;
	return k->stop_at && k->ticks >= (size_t)k->stop_at ? -1 : 0;
}

static inline int keep_bad(void *arg, uint64_t line, const char *why)
{
	struct keep *k = arg;

	assert_true(k->bad < KEEP_MAX);
	k->line[k->bad] = line;
	(void)snprintf(k->why[k->bad++], FEED_WHY_MAX, "%s", why);
	return 0;
}

static inline struct feed_sink keep_sink(struct keep *k)
{
	*k = (struct keep){0};
	return (struct feed_sink){.arg = k, .tick = keep_tick, .bad = keep_bad};
}

static inline void assert_bad(const struct keep *k, size_t i, uint64_t line,
			      const char *why)
{
	assert_true(i < k->bad);
	assert_int_equal(k->line[i], line);
	assert_string_equal(k->why[i], why);
}

/** Path of a file of the recorded data, or NULL: then say so and pass. */
static inline const char *shared_file(const char *name, char *out, size_t cap)
{
	const char *root = getenv("TICKBUS_SHARED");

	(void)snprintf(out, cap, "%s/data/%s", root ? root : "../shared", name);
	if (access(out, R_OK) == 0)
		return out;
	print_message("# %s is not there: nothing to hold against\n", out);
	return NULL;
}
