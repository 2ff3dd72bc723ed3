/*
 * store_bench - what a durable tick costs, and how much of that is ours.
 *
 *	store_bench [seconds per turn] [turns] [batch]
 *
 * Seven ways of keeping the same records, in turns (1 2 3 ... 1 2 3 ...), so
 * that a noisy minute harms all alike; medians over the turns are printed.
 *
 *	store full, normal    tickstore: packed, CRC, de-duplication, high-water
 *	rows  full, normal    bare SQLite, one row per record (the obvious way)
 *	blob  full, normal    bare SQLite, one packed row per batch
 *	raw                   append and fdatasync, no database at all
 */
#include "base/clock.h"
#include "base/err.h"
#include "store/sqlite.h"
#include "store/tickstore.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One thread plays every role; clang need not hear of each change. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wthread-safety-analysis"
#endif

#define TURNS_MAX 64
#define BATCH_MAX 4096

struct symtab {
	uint32_t none;
};

static int none_add(struct symtab *t, const char *name, size_t len, uint32_t *id,
		    int *is_new)
{
	(void)t, (void)name, (void)len, (void)id, (void)is_new;
	return 1;
}

static const char *none_name(const struct symtab *t, uint32_t id)
{
	(void)t, (void)id;
	return "";
}

static uint32_t none_count(const struct symtab *t)
{
	return t->none;
}

static struct record batch[BATCH_MAX];
static uint32_t batch_n = 1000;
static char dir[64];

static void die(const char *what)
{
	fprintf(stderr, "store_bench: %s: %s\n", what, err_text());
	exit(1);
}

static void fresh_dir(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static void fill(uint64_t from)
{
	for (uint32_t i = 0; i < batch_n; i++)
		batch[i] = (struct record){
			.event_ns = (int64_t)(from + i) * 1000,
			.recv_ns = (int64_t)(from + i) * 1000 + 500,
			.price_e9 =
				187250000000 + (int64_t)((from + i) % 1000) * 10000000,
			.size_e8 = 10000000000,
			.bid_e9 = VALUE_NULL,
			.ask_e9 = VALUE_NULL,
			.bid_size_e8 = VALUE_NULL,
			.ask_size_e8 = VALUE_NULL,
			.source_seq = from + i,
			.symbol_id = (uint32_t)((from + i) % 1000),
			.source_id = 1,
			.type = RECORD_TICK,
		};
}

static double store_turn(enum durability durability, double seconds)
{
	struct symtab t = {0};
	struct store_names names = {&t, none_add, none_name, none_count, 0};
	struct store_params p = {.dir = dir, .durability = durability};
	struct tickstore *ts = NULL;
	uint32_t producer = 0;
	uint64_t seq = 1;
	uint64_t first = 0;
	uint64_t last = 0;
	int64_t began;
	int64_t now;

	if (tickstore_open(&p, &names, &names, clock_wall_ns(), &ts) != 0)
		die("open");
	if (tickstore_producer(ts, "bench", 5, &producer) != 0)
		die("producer");
	began = now = clock_mono_ns();
	while ((double)(now - began) < seconds * 1e9) {
		fill(seq);
		for (uint32_t i = 0; i < batch_n; i++)
			if (tickstore_seq_check(ts, producer, seq + i) != 0)
				die("a duplicate");
		if (tickstore_append(ts, producer, seq, batch, batch_n, NULL) != 0)
			die("append");
		if (tickstore_commit(ts, clock_wall_ns(), &first, &last) != 0)
			die("commit");
		seq += batch_n;
		if (tickstore_tick(ts, clock_wall_ns(), false) != 0)
			die("tick");
		now = clock_mono_ns();
	}
	tickstore_close(ts);
	return (double)(seq - 1) / ((double)(now - began) / 1e9);
}

static double store_full(double s)
{
	return store_turn(DURABILITY_FULL, s);
}

static double store_normal(double s)
{
	return store_turn(DURABILITY_NORMAL, s);
}

static struct sq *bare_open(const char *create)
{
	char path[128];
	struct sq *db = NULL;

	(void)snprintf(path, sizeof(path), "%s/bare.db", dir);
	if (sq_open(path, NULL, 0, &db) != 0 || sq_exec(db, create) != 0)
		die("bare open");
	return db;
}

static void bind_row(struct sq_stmt *st, uint64_t pos, const struct record *r)
{
	sq_bind_u64(st, 1, pos);
	sq_bind_int(st, 2, r->event_ns);
	sq_bind_int(st, 3, r->recv_ns);
	sq_bind_int(st, 4, r->price_e9);
	sq_bind_int(st, 5, r->size_e8);
	sq_bind_u64(st, 6, r->source_seq);
	sq_bind_int(st, 7, r->symbol_id);
	sq_bind_int(st, 8, r->source_id);
}

static double bare_turn(bool synced, bool packed, double seconds)
{
	struct sq *db = bare_open(
		packed ? "CREATE TABLE log(pos INTEGER PRIMARY KEY, data BLOB)"
		       : "CREATE TABLE log(pos INTEGER PRIMARY KEY, event_ns,"
			 " recv_ns, price, size, seq, symbol, source)");
	struct sq_stmt *st = NULL;
	uint64_t seq = 1;
	int64_t began = clock_mono_ns();
	int64_t now = began;

	if (sq_prepare(db,
		       packed ? "INSERT INTO log VALUES (?, ?)"
			      : "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		       &st) != 0)
		die("bare prepare");
	while ((double)(now - began) < seconds * 1e9) {
		struct sq_checkpoint cp;

		fill(seq);
		if (sq_begin(db, synced) != 0)
			die("begin");
		if (packed) {
			sq_bind_u64(st, 1, seq);
			sq_bind_blob(st, 2, batch, batch_n * sizeof(batch[0]));
			if (sq_run(st) != 0)
				die("insert");
		}
		for (uint32_t i = 0; !packed && i < batch_n; i++) {
			bind_row(st, seq + i, &batch[i]);
			if (sq_run(st) != 0)
				die("insert");
		}
		if (sq_commit(db) != 0)
			die("bare commit");
		/* The same checkpoints as the store's, or it is no comparison. */
		if (sq_wal_bytes(db) >= 16 << 20 && sq_checkpoint(db, false, &cp) != 0)
			die("checkpoint");
		seq += batch_n;
		now = clock_mono_ns();
	}
	sq_finish(st);
	sq_close(db);
	return (double)(seq - 1) / ((double)(now - began) / 1e9);
}

static double rows_full(double s)
{
	return bare_turn(true, false, s);
}

static double rows_normal(double s)
{
	return bare_turn(false, false, s);
}

static double blob_full(double s)
{
	return bare_turn(true, true, s);
}

static double blob_normal(double s)
{
	return bare_turn(false, true, s);
}

static double raw(double seconds)
{
	char path[128];
	uint64_t seq = 1;
	int64_t began = clock_mono_ns();
	int64_t now = began;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/raw", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while ((double)(now - began) < seconds * 1e9) {
		size_t len = batch_n * sizeof(batch[0]);

		fill(seq);
		if (write(fd, batch, len) != (ssize_t)len || fdatasync(fd) < 0) {
			perror("store_bench: raw");
			exit(1);
		}
		seq += batch_n;
		now = clock_mono_ns();
	}
	close(fd);
	return (double)(seq - 1) / ((double)(now - began) / 1e9);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		double (*turn)(double seconds);
	} ways[] = {
		{"store full", store_full}, {"store normal", store_normal},
		{"blob full", blob_full},   {"blob normal", blob_normal},
		{"rows full", rows_full},   {"rows normal", rows_normal},
		{"raw fdatasync", raw},
	};
	enum { WAYS = sizeof(ways) / sizeof(ways[0]) };
	static double got[WAYS][TURNS_MAX];
	double seconds = argc > 1 ? atof(argv[1]) : 1.0;
	int turns = argc > 2 ? atoi(argv[2]) : 5;

	if (argc > 3)
		batch_n = (uint32_t)atoi(argv[3]);
	if (turns < 1 || turns > TURNS_MAX || batch_n < 1 || batch_n > BATCH_MAX) {
		fprintf(stderr, "store_bench [seconds] [turns] [batch]\n");
		return 64;
	}
	(void)snprintf(dir, sizeof(dir), "store_bench.XXXXXX");
	if (!mkdtemp(dir)) {
		perror("store_bench");
		return 1;
	}
	for (int t = 0; t < turns; t++) {
		for (int w = 0; w < WAYS; w++) {
			fresh_dir();
			got[w][t] = ways[w].turn(seconds);
		}
	}
	fresh_dir();
	rmdir(dir);
	printf("batch %u, %d turns of %.1f s, records/s: median (min - max)\n", batch_n,
	       turns, seconds);
	for (int w = 0; w < WAYS; w++) {
		qsort(got[w], (size_t)turns, sizeof(double), by_value);
		printf("%-14s %10.0f  (%.0f - %.0f)\n", ways[w].name, got[w][turns / 2],
		       got[w][0], got[w][turns - 1]);
	}
	return 0;
}
