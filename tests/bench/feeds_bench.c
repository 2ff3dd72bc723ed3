/* feeds_bench - ticks per second out of the simulator, of CSV and of JSON lines. */
#include "base/clock.h"
#include "feeds/csv.h"
#include "feeds/jsonl.h"
#include "feeds/sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TICKS 4000000
#define LINES 1000000
#define RUNS  5

static int count_tick(void *arg, const struct feed_tick *t)
{
	*(int64_t *)arg += t->rec.event_ns & 1;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(const char *name, double *rate)
{
	qsort(rate, RUNS, sizeof(*rate), by_size);
	printf("%-28s %6.2f M/s (median of %d)\n", name, rate[RUNS / 2], RUNS);
}

static void sim_run(const char *name, uint32_t n_symbols, bool has_faults)
{
	double rate[RUNS];

	for (int r = 0; r < RUNS; r++) {
		struct sim_params p;
		struct sim *s;
		int64_t begin;

		sim_params_default(&p);
		p.n_symbols = n_symbols;
		if (has_faults) {
			p.faults.late_ppm = p.faults.duplicates_ppm = 10000;
			p.faults.cancels_ppm = p.faults.poison_ppm = 1000;
		}
		if (sim_new(&p, &s) < 0)
			exit(1);
		begin = clock_mono_ns();
		for (int i = 0; i < TICKS; i++) {
			struct feed_tick t;

			sim_next(s, &t);
		}
		rate[r] = TICKS * 1e3 / (double)(clock_mono_ns() - begin);
		sim_free(s);
	}
	report(name, rate);
}

static int text_file(bool is_json)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);
	FILE *f = fdopen(dup(fd), "w");

	if (!is_json)
		fprintf(f, "time,symbol,price,size,seq\n");
	for (int i = 0; i < LINES; i++)
		fprintf(f,
			is_json ? "{\"ts\":%lld,\"symbol\":\"S%04d\",\"price\":%d.%02d,"
				  "\"size\":%d,\"seq\":%d}\n"
				: "%lld,S%04d,%d.%02d,%d,%d\n",
			1704187800000000000LL + i * 1000LL, i % 1000, 100 + i % 50,
			i % 100, 100 * (i % 9), i);
	fclose(f);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void read_run(const char *name, bool is_json)
{
	double rate[RUNS];

	for (int r = 0; r < RUNS; r++) {
		int64_t odd = 0, begin;
		struct feed_sink sink = {.arg = &odd, .tick = count_tick};
		struct jsonl *j = NULL;
		struct csv *c = NULL;
		struct lines *l;
		struct mapping m;

		mapping_init(&m);
		if (lines_open_fd(text_file(is_json), 0, &l) < 0)
			exit(1);
		begin = clock_mono_ns();
		if (is_json) {
			(void)jsonl_new(l, &m, &j);
			while (jsonl_step(j, &sink, 1000) == 0)
				continue;
		} else {
			(void)csv_new(l, &m, &c);
			while (csv_step(c, &sink, 1000) == 0)
				continue;
		}
		rate[r] = LINES * 1e3 / (double)(clock_mono_ns() - begin);
		if ((is_json ? jsonl_counts(j)->ticks : csv_counts(c)->ticks) != LINES)
			exit(1);
		jsonl_free(j);
		csv_free(c);
		lines_close(l);
		mapping_deinit(&m);
	}
	report(name, rate);
}

int main(void)
{
	sim_run("simulator, 24 symbols", 24, false);
	sim_run("simulator, 1,000 symbols", 1000, false);
	sim_run("simulator, 10,000 symbols", 10000, false);
	sim_run("simulator, 1,000, faults", 1000, true);
	read_run("CSV", false);
	read_run("JSON lines", true);
	return 0;
}
