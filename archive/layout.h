/*
 * layout - where a row lies, and how a file is replaced.
 *
 *	DIR/equities_1min/symbol=BRK%2FB/year=2024/month=01/data.parquet
 *	                                                   /_manifest.json
 *	DIR/ticks/symbol=BRK%2FB/year=2024/month=01/day=31/...
 *	DIR/.tmp/            what is being written; emptied when an archive is opened
 *
 * The folders of the other kinds: archive/kinds.h.  What stands in the path (symbol,
 * year, month, day) stands there alone (the hive convention): in the file too, it would
 * contradict the types that some readers give it.
 *
 * Replacing a file goes: new bytes into .tmp, synced; then the manifest, which names
 * the coming file and the one it replaces; then rename, then the directory synced.  So
 * whatever a crash leaves is one of the two that the manifest names.  The first file of
 * a month comes before its manifest: a file without one is as good as it can be read,
 * and a manifest without its file says that something was lost.
 */
#pragma once
#include "archive/kinds.h"
#include "base/buf.h"
#include "proto/symbol.h"
#include <stddef.h>
#include <stdint.h>

#define LAYOUT_FOLDER_MAX 32

/** "equities_1min", "equities_15sec", "equities_4hour", "equities_1day"; -EINVAL. */
int layout_folder(uint32_t step_s, char out[LAYOUT_FOLDER_MAX]);
/** The same of any kind: "ticks", "features_1min"; @step_s is 0 where none is. */
int layout_folder_of(enum kinds kind, uint32_t step_s, char out[LAYOUT_FOLDER_MAX]);
/** The reverse; 0: it is no such folder. */
uint32_t layout_step(const char *folder);

struct layout_part {
	uint32_t step_s;             /* 0 for a kind without timeframes */
	char symbol[SYMBOL_MAX + 1]; /* or the universe */
	int year;
	unsigned month;
	unsigned day; /* 0: a file per month */
	uint8_t kind; /* enum kinds */
};

/** 202401 of a time. */
int32_t layout_month(int64_t ns);
/**
 * The partition of a row at @ns.  -EINVAL: no symbol, no timeframe, or a time that
 * paths and files cannot hold.
 */
int layout_at(enum kinds kind, uint32_t step_s, const char *symbol, int64_t ns,
	      struct layout_part *out);
/** The first nanosecond behind the partition. */
int64_t layout_end(const struct layout_part *p);
/** Append "DIR/equities_1min/symbol=X/year=2024/month=01", DIR as given. */
int layout_path(struct buf *out, const char *dir, const struct layout_part *p);
/** Read such a path back; -EINVAL: it is none of ours. */
int layout_unpath(const char *part_dir, struct layout_part *out);
/** Append a pattern of all partition directories of a kind: "DIR/ticks/symbol=*...". */
void layout_pattern(struct buf *out, const char *dir, enum kinds kind);

/** One state of a partition's file. */
struct layout_state {
	uint64_t rows;
	int64_t first_ns; /* of the kind's time column */
	int64_t last_ns;
	char sha256[65];
};

struct layout_manifest {
	uint64_t version; /* of the kind's columns, with which `now` was written */
	struct layout_state now;
	struct layout_state before; /* sha256 "": it was the first */
};

/** SHA-256 of a file in hex.  1: there is none. */
int layout_hash(const char *path, char out[65]);
/** 0; 1: there is none; -EBADMSG: not a manifest. */
int layout_read(const char *part_dir, struct layout_manifest *out);
/**
 * Make @tmp the data.parquet of @part_dir (made if need be).  @tmp is on the same file
 * system and is gone afterwards, also after an error.
 */
int layout_replace(const char *part_dir, const char *tmp,
		   const struct layout_manifest *m);
/** The same without a manifest and without any sync; @tmp stays on error. */
int layout_place(const char *part_dir, const char *tmp);
/** What was made, renamed or removed in it is so after a power cut. */
int layout_sync_dir(const char *path);
/** mkdir -p, each new directory's parent synced. */
int layout_mkdirs(const char *path);
/** Write @path by way of @tmp (same directory tree), synced. */
int layout_write(const char *path, const char *tmp, const void *data, size_t len);
