/*
 * archive - a directory of Parquet files (archive/layout.h) and the two engines on it.
 *
 * One process writes at a time (a lock in .tmp); any number read beside it: a file is
 * replaced by rename, so a reader has the old one or the new one.
 *
 * Writing merges: what the file holds and what comes, by the key of their kind
 * (archive/kinds.h; of bars (symbol, bar_start, revision) of one maker: source, feed,
 * adjust, price_type); where both have a row the coming one wins.  A file is never
 * replaced by one with fewer rows.  The same rows twice leave the same bytes, and then
 * nothing is written.
 *
 * One thread calls; a put has more of its own, until it is done.
 */
#pragma once
#include "archive/barrow.h"
#include "archive/duck.h"
#include "archive/kinds.h"
#include "base/buf.h"
#include <stdint.h>

struct archive_options {
	const char *dir; /* a writer makes it; no quotes or glob characters */
	uint64_t memory_bytes;
	unsigned threads; /* of writing: files at a time, each by one, so that its bytes
			     are the same each time */
	bool writer;      /* take the lock: -EBUSY when somebody has it */
};

struct archive;
struct past;

int archive_open(const struct archive_options *o, struct archive **out);
void archive_close(struct archive *a); /* NULL is fine */
/** Without a slash at its end. */
const char *archive_dir(const struct archive *a);
/** The engine for reading: guarded, opened when it is first asked for. */
int archive_reader(struct archive *a, struct duck **out);
/** Whole events; opened when it is first asked for, and ours. */
int archive_past(struct archive *a, struct past **out);
/** Append the path of a new file in the place for what is being made. */
void archive_tmp(struct archive *a, struct buf *out, const char *suffix);

struct archive_put {
	uint64_t rows;      /* came */
	uint64_t added;     /* of them not there before */
	uint64_t files;     /* concerned */
	uint64_t unchanged; /* of them: had these bytes already */
};

/** Stage a row for archive_put_done(); the first error stops the put. */
int archive_put_row(struct archive *a, const struct barrow *row);
/** The same of other kinds: archive/framerow.h. */
/**
 * Write what was staged.  An error names its file; files before it are written, and
 * the same put again does the rest.
 */
int archive_put_done(struct archive *a, struct archive_put *out);
/** Forget what was staged. */
void archive_put_drop(struct archive *a);

/*
 * What is not closed yet lies beside, below DIR/.live in the same folders, and is
 * replaced as a whole: begin, any number of puts, end.  Readers have the one before
 * until then.
 */
int archive_live_begin(struct archive *a);
/** archive_put_done() into what was begun; -EINVAL: nothing was. */
int archive_live_put(struct archive *a, struct archive_put *out);
int archive_live_end(struct archive *a);
/** Forget what was begun, and let go of what archive_live() gave. */
void archive_live_drop(struct archive *a);
/**
 * Append the root of what is live now ("DIR/.live/..."), which stays until this is
 * called again or the archive is closed.  1: nothing is.
 */
int archive_live(struct archive *a, struct buf *out);

struct archive_sum {
	uint64_t files;
	uint64_t rows;
	uint64_t bytes;
};

struct archive_check {
	struct archive_sum kinds[KINDS + 1]; /* by enum kinds; last: whole events */
	uint64_t files;
	uint64_t rows; /* as the manifests say */
	uint64_t bytes;
	uint64_t interrupted; /* a crash left the older file, or no manifest: fine */
	uint64_t bad;
	char first_bad[256]; /* a sentence */
};

/** Calls @fn for each partition directory, by path; stops at what is not 0. */
int archive_each(const struct archive *a, int (*fn)(void *arg, const char *part_dir),
		 void *arg);
/** Every file and its manifest, also of whole events; @deep: also its bytes. */
int archive_verify(struct archive *a, bool deep, struct archive_check *out);

struct archive_compacted {
	uint64_t files; /* looked at */
	uint64_t rewritten;
	uint64_t rows; /* in those */
	uint64_t bytes_before;
	uint64_t bytes_after;
};
/**
 * Write anew what would be written otherwise today; each file's rows are proven to be
 * the same before it is replaced.  Stops at the first damaged one: see
 * archive_verify().
 */
int archive_compact(struct archive *a, struct archive_compacted *out);

struct archive_retained {
	uint64_t files; /* gone */
	uint64_t rows;
	uint64_t bytes;
	bool is_cut; /* some that is old stays: it is needed yet, or the last there is
		      */
};
/** Remove the partitions of a kind that end at or before a time. */
int archive_retain(struct archive *a, enum kinds kind, int64_t before_ns,
		   struct archive_retained *out);
