/*
 * rerun - derives anew from records of the log, without a bus, sockets or publishing:
 * the same shards, tier 2 and in-band steps as the daemon's, fed from memory.
 *
 *	records -> batch -> shard 0 (thread) -+-> merged by (position, symbol) -> sink
 *	                    shard 1 (thread) -+-> cut items -> tier 2 ---------> sink
 *
 * Events reach the sink kind by kind in canonical order - position, symbol id, arrival,
 * matrices by position - which is the order of the store's derived rows, and are the
 * same bytes with any number of workers.
 *
 * One thread at a time; the sink runs on it.  With one worker there is no other; with
 * more each shard has its own and the caller keeps tier 2.
 */
#pragma once
#include "bus/symtab.h"
#include "daemon/store_access.h"
#include "proto/event.h"
#include "workers/params.h"
#include "workers/section.h"

#define RERUN_WORKERS_MAX 16u

struct rerun;

struct rerun_env {
	const struct params *params;  /* borrowed, immutable */
	const struct symtab *symbols; /* borrowed */
	const struct symtab *sources; /* borrowed */
	uint32_t symbols_max;
	uint32_t n_workers;                /* 1 .. RERUN_WORKERS_MAX */
	const struct store_access *access; /* borrowed; where articles are read */
};

/**
 * @event: struct event_x, for tier2 with members and triangle behind it; valid during
 * the call.  Anything but 0 ends the re-run and is what its caller gets.
 */
typedef int (*rerun_event_fn)(void *arg, enum event_kind kind, const void *event,
			      size_t len);

/** 0, -ENOMEM, or a thread that could not be started. */
int rerun_new(const struct rerun_env *env, rerun_event_fn event, void *arg,
	      struct rerun **out);
void rerun_free(struct rerun *r);
/**
 * Before the first record: take over a section of a state snapshot; heads are not
 * looked at.  0; -EBADMSG, -ENOMEM: the re-run is to be thrown away.
 */
int rerun_load(struct rerun *r, const struct section *sec);
/**
 * The next @n records of the log, @pos is the first one's.  They are copied; events may
 * come later.  0, -EBADMSG (a record that cannot be), -ENOMEM, or what the sink said.
 */
int rerun_feed(struct rerun *r, uint64_t pos, const struct record *recs, uint32_t n);
/** Wait until all that was fed has been derived and delivered; as rerun_feed(). */
int rerun_sync(struct rerun *r);
/** Takes whole sections (workers/section.h), valid during the call. */
typedef void (*rerun_part_fn)(void *arg, const void *data, size_t len);
/**
 * After rerun_sync(): hand the state behind the last record, at @pos, over in parts -
 * all but the head; SECTION_DISPATCH comes first and speaks of @n_symbols symbols.
 */
void rerun_save(struct rerun *r, uint64_t pos, uint32_t n_symbols, rerun_part_fn part,
		void *arg);
