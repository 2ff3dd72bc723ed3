/*
 * fixture_test - what the store's tests share: a directory of their own, two
 * tables of names, records that say who they are.
 */
#pragma once
#include "base/err.h"
#include "base/hash.h"
#include "store/tickstore.h"
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

/* A test plays every role on one thread; clang need not hear of each change. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wthread-safety-analysis"
#endif

/* The bus's table is not ours to include; this one is as simple as can be. */
struct symtab {
	char name[512][32];
	uint32_t first_id;
	uint32_t end;
};

static inline int fixture_add(struct symtab *t, const char *name, size_t len,
			      uint32_t *out_id, int *out_new)
{
	char field[32] = "";

	memcpy(field, name, len < 32 ? len : 32);
	for (uint32_t i = t->first_id; i < t->end; i++) {
		if (memcmp(t->name[i], field, 32) == 0) {
			*out_id = i;
			*out_new = 0;
			return 0;
		}
	}
	if (t->end == 512)
		return 1;
	memcpy(t->name[t->end], field, 32);
	*out_id = t->end++;
	*out_new = 1;
	return 0;
}

static inline const char *fixture_name(const struct symtab *t, uint32_t id)
{
	return t->name[id];
}

static inline uint32_t fixture_count(const struct symtab *t)
{
	return t->end;
}

struct fixture {
	char dir[64];
	struct symtab symbols;
	struct symtab sources;
	struct store_params params;
	struct tickstore *ts;
	int64_t now_ns;
};

static inline struct store_names fixture_names(struct symtab *t)
{
	return (struct store_names){.table = t,
				    .add = fixture_add,
				    .name = fixture_name,
				    .count = fixture_count,
				    .first_id = t->first_id};
}

/** Open with empty tables, as a new process would. */
static inline int fixture_open(struct fixture *f)
{
	struct store_names symbols;
	struct store_names sources;

	f->symbols = (struct symtab){0};
	f->sources = (struct symtab){.first_id = 1, .end = 1};
	symbols = fixture_names(&f->symbols);
	sources = fixture_names(&f->sources);
	f->ts = NULL;
	return tickstore_open(&f->params, &symbols, &sources, f->now_ns, &f->ts);
}

static inline void fixture_remove_files(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

/* Every operation fails once; a sanitizer, which is ten times slower, sees every
 * seventh. */
static inline uint32_t fixture_stride(void)
{
	return getenv("TICKBUS_SLOW") ? 7 : 1;
}

/** Where syncs cost nothing, for tests that open thousands of stores. */
static inline const char *fixture_fast_dir(void)
{
	return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".";
}

/** A new empty directory in @parent; small limits, so that tests reach them. */
static inline void fixture_begin_in(struct fixture *f, const char *parent)
{
	if (!f)
		abort();
	memset(f, 0, sizeof(*f));
	(void)snprintf(f->dir, sizeof(f->dir), "%s/store_test.XXXXXX", parent);
	if (!mkdtemp(f->dir))
		abort();
	f->now_ns = INT64_C(1700000000000000000);
	f->params = (struct store_params){
		.dir = f->dir,
		.segment_max = 100,
		.cache_bytes_max = 96 * 250,
		.producers_max = 8,
		.ballast_bytes = 65536,
		.wal_bytes_max = 1 << 20,
		.quarantine_max = 10,
		.quarantine_rate = 20,
	};
}

static inline void fixture_begin(struct fixture *f)
{
	fixture_begin_in(f, ".");
}

static inline void fixture_end(struct fixture *f)
{
	(void)tickstore_close(f->ts);
	f->ts = NULL;
	fixture_remove_files(f->dir);
	rmdir(f->dir);
}

/** Close, and open again. */
static inline int fixture_reopen(struct fixture *f)
{
	int rc = tickstore_close(f->ts);

	f->ts = NULL;
	return rc < 0 ? rc : fixture_open(f);
}

/** The record that producer @producer sends as its @seq. */
static inline struct record fixture_record(uint32_t producer, uint64_t seq)
{
	return (struct record){
		.event_ns = INT64_C(1600000000000000000) + (int64_t)seq * 1000,
		.recv_ns = INT64_C(1600000000000000000) + (int64_t)seq * 1000 + 7,
		.price_e9 = (int64_t)seq * 1000000007,
		.size_e8 = producer,
		.bid_e9 = VALUE_NULL,
		.ask_e9 = VALUE_NULL,
		.bid_size_e8 = VALUE_NULL,
		.ask_size_e8 = VALUE_NULL,
		.source_seq = seq,
		.ref_seq = seq * UINT64_C(0x9e3779b97f4a7c15),
		.cond = "@  F",
		.symbol_id = (uint32_t)(seq % 7),
		.source_id = 1,
		.type = RECORD_TICK,
	};
}

/** Stage @n records of @producer from @seq on. */
static inline int fixture_stage(struct fixture *f, uint32_t producer, uint64_t seq,
				uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct record r = fixture_record(producer, seq + i);
		int rc = tickstore_append(f->ts, producer, seq + i, &r, 1, NULL);

		if (rc != 0)
			return rc;
	}
	return 0;
}

/** ... and commit them. */
static inline int fixture_put(struct fixture *f, uint32_t producer, uint64_t seq,
			      uint32_t n)
{
	uint64_t first = 0;
	uint64_t last = 0;
	int rc = fixture_stage(f, producer, seq, n);

	return rc != 0 ? rc : tickstore_commit(f->ts, f->now_ns, &first, &last);
}

static inline uint32_t fixture_producer(struct fixture *f, const char *name)
{
	uint32_t id = UINT32_MAX;

	if (tickstore_producer(f->ts, name, strlen(name), &id) != 0)
		abort();
	return id;
}

/** How often to repeat what goes by chance: TICKBUS_ROUNDS in a campaign. */
static inline int fixture_rounds(int otherwise)
{
	const char *text = getenv("TICKBUS_ROUNDS");

	return text && atoi(text) > 0 ? atoi(text) : otherwise;
}

static inline uint32_t fixture_random(uint64_t *rng, uint64_t below)
{
	*rng += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((hash_mix(*rng) >> 32) * below >> 32);
}

/** Path of a file in the directory; of static storage. */
static inline const char *fixture_path(const struct fixture *f, const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

/* A snapshot of one part. */
static inline int fixture_snapshot(struct tickstore *ts, uint64_t pos, uint32_t version,
				   const void *data, size_t len)
{
	int rc = tickstore_snapshot_part(ts, pos, 0, data, len);

	return rc < 0 ? rc : tickstore_snapshot_seal(ts, pos, version, 1);
}

struct fixture_text {
	char text[64];
	size_t len;
};

static inline int fixture_text_add(void *arg, const void *data, size_t len)
{
	struct fixture_text *t = arg;

	assert_true(t->len + len < sizeof(t->text));
	memcpy(t->text + t->len, data, len);
	t->len += len;
	return 0;
}
