/*
 * history_bench - bars into the second database and out of it, in pages of 10,000 as
 * a vendor sends them; argument: bars in all (5,000,000).
 */
#include "base/clock.h"
#include "store/histchunk.h"
#include "store/histstore.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wthread-safety-analysis"
#endif

#define PAGE   10000
#define SERIES 8
#define DAY    390

/* A random walk in cents with a day's 390 minutes, volumes of whole shares. */
static void fill(struct hist_bar *bars, size_t first, uint64_t *rng)
{
	static int64_t cents = 18700;

	for (size_t i = 0; i < PAGE; i++) {
		size_t day = (first + i) / DAY, minute = (first + i) % DAY;
		int64_t p;

		*rng = *rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
		cents += (int64_t)(*rng >> 60) - 8 + (cents < 1000) * 50;
		p = cents * 10000000;
		bars[i] = (struct hist_bar){
			.start_ns = INT64_C(1451658600000000000) +
				    (int64_t)(day * 1440 + minute) * 60 * NS_PER_S,
			.open_e9 = p,
			.high_e9 = p + (int64_t)(*rng >> 40 & 15) * 10000000,
			.low_e9 = p - (int64_t)(*rng >> 32 & 15) * 10000000,
			.close_e9 = p + (int64_t)(*rng >> 24 & 7) * 10000000,
			.volume_e8 = (int64_t)(*rng >> 48) * 100000000,
			.vwap_e9 = p + (int64_t)(*rng >> 37 & 0xffff) * 1000,
			.trades = (int64_t)(*rng >> 52)};
	}
}

static void codec(const struct hist_bar *bars)
{
	struct buf packed = {0}, columns = {0}, again = {0};
	struct histchunk *packer;
	enum histchunk_codec c = HISTCHUNK_PLAIN;
	int64_t t0, t1, t2, t3;

	if (histchunk_new(&packer) < 0)
		exit(1);
	t0 = clock_mono_ns();
	for (int i = 0; i < 1000; i++) {
		columns.len = 0;
		histchunk_columns(bars, DAY, &columns);
	}
	t1 = clock_mono_ns();
	for (int i = 0; i < 1000; i++) {
		packed.len = 0;
		(void)histchunk_encode(packer, bars, DAY, &packed, &c);
	}
	t2 = clock_mono_ns();
	for (int i = 0; i < 1000; i++) {
		again.len = 0;
		(void)histchunk_decode(packer, c, packed.data, packed.len, DAY, &again);
	}
	t3 = clock_mono_ns();
	printf("columns alone          %6.1f M bars/s, %5.1f bytes a bar\n",
	       1000.0 * DAY * 1e3 / (double)(t1 - t0), (double)columns.len / DAY);
	printf("columns and zstd 1     %6.1f M bars/s, %5.1f bytes a bar\n",
	       1000.0 * DAY * 1e3 / (double)(t2 - t1), (double)packed.len / DAY);
	printf("back                   %6.1f M bars/s\n",
	       1000.0 * DAY * 1e3 / (double)(t3 - t2));
	histchunk_free(packer);
	buf_free(&packed);
	buf_free(&columns);
	buf_free(&again);
}

static void must(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "%s failed: %d\n", what, rc);
	exit(1);
}

int main(int argc, char **argv)
{
	size_t total = argc > 1 ? strtoul(argv[1], NULL, 10) : 5000000;
	static struct hist_bar bars[PAGE];
	char dir[] = "history_bench.XXXXXX", path[64];
	struct hist_series s = {.source = "bench", .step_s = 60};
	struct histstore *h = NULL;
	struct hist_health health;
	struct rusage usage;
	struct buf out = {0};
	uint64_t rng = 1, fresh;
	int64_t t0, took = 0;

	if (mkdtemp(dir) == NULL)
		return 1;
	fill(bars, 0, &rng);
	codec(bars);
	must(histstore_open(dir, &h), "open");
	for (size_t page = 0; page < total / PAGE; page++) {
		(void)snprintf(s.symbol, sizeof(s.symbol), "S%zu", page % SERIES);
		fill(bars, page / SERIES * PAGE, &rng);
		t0 = clock_mono_ns();
		must(histstore_begin(h), "begin");
		must(histstore_put_bars(h, &s, bars, PAGE, &fresh), "put");
		must(histstore_commit(h), "commit");
		took += clock_mono_ns() - t0;
	}
	(void)getrusage(RUSAGE_SELF, &usage);
	must(histstore_health(h, &health), "health");
	printf("ingest                 %6.2f M bars/s, %5.1f bytes a bar, %ld MiB "
	       "resident\n",
	       (double)total * 1e3 / (double)took,
	       (double)health.chunk_bytes / (double)health.bars,
	       usage.ru_maxrss / 1024);
	t0 = clock_mono_ns();
	must(histstore_get_bars(h, &s, &(struct hist_range){INT64_MIN, INT64_MAX},
				SIZE_MAX, &out),
	     "get");
	printf("reading                %6.2f M bars/s\n",
	       (double)(out.len / sizeof(bars[0])) * 1e3 /
		       (double)(clock_mono_ns() - t0));
	buf_free(&out);
	must(histstore_close(h), "close");
	(void)snprintf(path, sizeof(path), "%s/history.db", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/history.db-wal", dir);
	(void)unlink(path);
	(void)rmdir(dir);
	return 0;
}
