/*
 * replay_files - a log made into files: bars, vectors, matrices and status events,
 *derived anew without a running daemon.
 *
 *	bars, tier1, tier2, status    .jsonl   one event as JSON a line
 *	                              .sbe     frames, each behind its length as u32
 *	summary.json                  counts, SHA-256 of each file, chain of each stream
 *
 * Events stand in canonical order: position, symbol id, arrival.  Every byte, that of
 * summary.json too, is a function of the log and the configuration: not of the number
 * of workers, not of the clock.
 */
#pragma once
#include "bus/symtab.h"
#include "store/tickstore.h"
#include "workers/params.h"

#define REPLAY_FILES 5

enum replay_format { REPLAY_JSONL = 0, REPLAY_SBE };

struct replay_env {
	struct tickstore *store;      /* borrowed; ours alone */
	const struct params *params;  /* borrowed */
	const struct symtab *symbols; /* borrowed */
	const struct symtab *sources; /* borrowed */
	uint32_t symbols_max;
	uint32_t n_workers;
	const char *dir; /* made with mode 0755 if it is missing; files are replaced */
	enum replay_format format;
};

struct replay_file {
	char name[16];
	uint64_t events;
	uint64_t bytes;
	char sha256[65];
};

struct replay_result {
	uint64_t records, ticks;
	int64_t elapsed_ns;
	struct replay_file files[REPLAY_FILES];
};

/**
 * 0; -ENOENT: the log's beginning was retired; -EBADMSG: a record is damaged; or the
 * error of a file (err_text() names it).
 */
ON_STORE int replay_run(const struct replay_env *env, struct replay_result *out);
