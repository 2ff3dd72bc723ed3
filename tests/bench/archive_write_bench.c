/*
 * archive_write_bench - bars into partitioned Parquet, beside DuckDB's bare COPY.
 *
 *	bench_archive_write [SYMBOLS [MONTHS [RUNS]]]
 *
 * A random walk of minute bars, 30 days a month, the whole day.  Ours: merged, synced,
 * renamed, read back and hashed, with manifests, into an archive that is empty.  Beside
 * it COPY ... PARTITION_BY of the same rows out of a table, which does none of that (by
 *one thread: ours has two, a file each). Then the same bars once more, which changes
 *nothing.  Medians, in one process, in turns.
 */
#include "archive/archive_own.h"
#include "base/err.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MINUTE_NS INT64_C(60000000000)
#define START_NS  INT64_C(1704067200000000000)
#define RUNS_MAX  15

static uint64_t tree_bytes;

/* With BENCH_CPU set, of the processor: what a busy machine cannot blur. */
static double now(void)
{
	struct timespec t;

	clock_gettime(getenv("BENCH_CPU") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC,
		      &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *f)
{
	const char *dot = strrchr(path, '.');

	(void)f;
	if (type == FTW_F && dot && strcmp(dot, ".parquet") == 0)
		tree_bytes += (uint64_t)st->st_size;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

static void check(int rc)
{
	if (rc < 0) {
		fprintf(stderr, "archive_write_bench: %s\n", err_text());
		exit(1);
	}
}

static uint64_t next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Bars of one symbol, as a vendor's page would hold them. */
static struct barrow *make_bars(int symbol, size_t n)
{
	uint64_t seed = 88172645463325252u + (uint64_t)symbol;
	struct barrow *out = calloc(n, sizeof(*out));
	int64_t cents = 18000;
	struct hist_series s = {.source = "alpaca", .feed = "sip", .step_s = 60};

	if (!out)
		abort();
	(void)snprintf(s.symbol, sizeof(s.symbol), "S%d", symbol);
	for (size_t i = 0; i < n; i++) {
		int64_t open = cents;

		cents += (int64_t)(next(&seed) % 9) - 4;
		cents = cents < 100 ? 100 : cents;
		int64_t high =
			(open > cents ? open : cents) + (int64_t)(next(&seed) % 4);
		int64_t low =
			(open < cents ? open : cents) - (int64_t)(next(&seed) % 4);
		struct hist_bar b = {.start_ns = START_NS + (int64_t)i * MINUTE_NS,
				     .open_e9 = open * 10000000,
				     .high_e9 = high * 10000000,
				     .low_e9 = low * 10000000,
				     .close_e9 = cents * 10000000,
				     .volume_e8 =
					     (int64_t)(next(&seed) % 50000) * 100000000,
				     .vwap_e9 = (open + cents) * 5000000 +
						(int64_t)(next(&seed) % 1000) * 1000,
				     .trades = (int64_t)(next(&seed) % 300)};
		check(barrow_of_hist(&s, &b, &out[i]));
	}
	return out;
}

static double put_all(struct archive *a, struct barrow **bars, int symbols, size_t n)
{
	double begin = now();

	for (int i = 0; i < symbols; i++) {
		struct archive_put sum;

		for (size_t k = 0; k < n; k++)
			check(archive_put_row(a, &bars[i][k]));
		check(archive_put_done(a, &sum));
	}
	return now() - begin;
}

static double bare_copy(struct archive *a, const char *dir)
{
	struct buf sql = {0};
	struct duck *d;
	double begin;

	check(archive_writer(a, &d));
	buf_printf(&sql,
		   "COPY bare TO '%s' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY "
		   "(symbol, year, month))",
		   dir);
	begin = now();
	check(duck_run(d, buf_text(&sql), NULL));
	buf_free(&sql);
	return now() - begin;
}

/* The rows of the archive, in a table of the writing engine. */
static void load_bare(struct archive *a)
{
	struct buf sql = {0};
	struct duck *d;

	check(archive_writer(a, &d));
	buf_printf(&sql,
		   "CREATE OR REPLACE TABLE bare AS SELECT * FROM read_parquet('%s/"
		   "equities_1min/*/*/*/data.parquet', hive_partitioning=true)",
		   archive_dir(a));
	check(duck_run(d, buf_text(&sql), NULL));
	buf_free(&sql);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

static struct archive *open_at(const char *dir)
{
	struct archive_options o = {dir, 1u << 30, 2, true};
	struct archive *a;

	check(archive_open(&o, &a));
	return a;
}

int main(int argc, char **argv)
{
	int symbols = argc > 1 ? atoi(argv[1]) : 5;
	size_t n = (size_t)(argc > 2 ? atoi(argv[2]) : 12) * 43200;
	int runs = argc > 3 ? atoi(argv[3]) : 3;
	double ours[RUNS_MAX];
	double again[RUNS_MAX];
	double bare[RUNS_MAX];
	char dir[] = "/var/tmp/tickbus-bench-XXXXXX";
	struct barrow **bars = calloc((size_t)symbols, sizeof(*bars));
	double rows = (double)n * symbols;

	if (!bars || runs < 1 || runs > RUNS_MAX || !mkdtemp(dir))
		return 1;
	for (int i = 0; i < symbols; i++)
		bars[i] = make_bars(i, n);
	for (int r = 0; r < runs; r++) {
		char path[80];
		char copy[80];

		(void)snprintf(path, sizeof(path), "%s/%d", dir, r);
		(void)snprintf(copy, sizeof(copy), "%s/%d/bare", dir, r);
		struct archive *a = open_at(path);

		ours[r] = put_all(a, bars, symbols, n);
		again[r] = put_all(a, bars, symbols, n);
		tree_bytes = 0;
		nftw(path, visit, 16, FTW_PHYS);
		load_bare(a);
		bare[r] = bare_copy(a, copy);
		archive_close(a);
	}
	printf("%.0f bars, medians of %d\n", rows, runs);
	printf("  archive, synced and renamed %9.0f rows/s\n",
	       rows / median(ours, runs));
	printf("  the same once more          %9.0f rows/s\n",
	       rows / median(again, runs));
	printf("  bare COPY, partitioned      %9.0f rows/s\n",
	       rows / median(bare, runs));
	printf("  %.2f bytes per bar\n", (double)tree_bytes / rows);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
