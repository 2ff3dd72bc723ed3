/* archive_test - a directory for a test, and bars to put into it. */
#pragma once
#include "archive/archive.h"
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define JAN_2024_NS INT64_C(1704067200000000000)
#define MINUTE_NS   INT64_C(60000000000)
#define DAY_NS      INT64_C(86400000000000)

static int test_remove(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

static int test_dir(void **state)
{
	char path[300];
	const char *base = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/tickbus-archive-XXXXXX", base ? base : "/tmp");
	*state = mkdtemp(path) ? strdup(path) : NULL;
	return *state ? 0 : -1;
}

static int test_dir_gone(void **state)
{
	nftw(*state, test_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

static inline struct archive *test_open(const char *dir, bool writer)
{
	struct archive_options o = {dir, 256 << 20, 1, writer};
	struct archive *a = NULL;

	assert_int_equal(archive_open(&o, &a), 0);
	return a;
}

static inline struct barrow test_bar(const char *symbol, int64_t start_ns,
				     int64_t cents)
{
	struct hist_series s = {.source = "alpaca", .feed = "sip", .step_s = 60};
	struct hist_bar b = {.start_ns = start_ns,
			     .open_e9 = cents * 10000000,
			     .high_e9 = cents * 10000000,
			     .low_e9 = cents * 10000000,
			     .close_e9 = cents * 10000000,
			     .volume_e8 = INT64_C(10000000000),
			     .vwap_e9 = VALUE_NULL,
			     .trades = 7};
	struct barrow out;

	snprintf(s.symbol, sizeof(s.symbol), "%s", symbol);
	assert_int_equal(barrow_of_hist(&s, &b, &out), 0);
	return out;
}

/* Bars of @n minutes, each a cent above the one before. */
static inline struct archive_put test_put(struct archive *a, const char *symbol,
					  int64_t from_ns, size_t n, int64_t cents)
{
	struct archive_put sum;

	for (size_t i = 0; i < n; i++) {
		struct barrow r = test_bar(symbol, from_ns + (int64_t)i * MINUTE_NS,
					   cents + (int64_t)i);
		assert_int_equal(archive_put_row(a, &r), 0);
	}
	assert_int_equal(archive_put_done(a, &sum), 0);
	return sum;
}
