/*
 * verify - the proof: derives everything anew from the log and compares it, byte for
 * byte and chain included, with the derived events that the store holds.
 *
 *	log ── store_access ──> rerun ──> bars, vectors, matrices, status
 *	                                     ||
 *	derived rows ── store_access ──> the same?
 *
 * Where a state snapshot lies inside the range, the state of the re-run is compared
 * with it too.  From the middle of the log it starts at the newest snapshot before.
 *
 * Not compared, and counted apart: events whose stored copy was retired; positions
 * under another configuration of derived values (what was published there cannot be
 * made again under this one); events that are not stored yet.
 *
 * Runs on the thread that calls it; the store is reached through store_access.
 */
#pragma once
#include "base/buf.h"
#include "bus/symtab.h"
#include "daemon/heads.h"
#include "daemon/store_access.h"
#include "daemon/verify_diff.h"
#include "workers/params.h"
#include <stdatomic.h>

#define VERIFY_NOTE_MAX 400

enum verify_verdict {
	VERIFY_EQUAL = 0,
	VERIFY_DIFFERS,
	VERIFY_FAILED, /* it could not be finished: result.problem says why */
	VERIFY_CANCELLED,
};

/** Looked at while it runs, from any thread. */
struct verify_progress {
	_Atomic uint64_t from, to; /* range being read; 0: not known yet */
	_Atomic uint64_t pos;      /* everything up to here has been compared */
	atomic_bool cancel;        /* set it to end early */
};

struct verify_env {
	const struct params *params;  /* borrowed */
	const struct symtab *symbols; /* borrowed */
	const struct symtab *sources; /* borrowed */
	uint32_t symbols_max;
	uint32_t n_workers;
	struct store_access access;
	uint64_t from; /* compare events from this position on; 0: as early as possible
			*/
	uint64_t to;   /* ... up to this one; UINT64_MAX: the end of the log */
	/** Per kind: every event up to here must be stored; 0: up to its last row. */
	uint64_t stored_to[EVENT_KINDS];
	struct verify_progress *progress; /* borrowed */
};

struct verify_kind {
	uint64_t equal;
	uint64_t different; /* the same event, other bytes */
	uint64_t missing;   /* follows from the log, is not stored */
	uint64_t extra;     /* is stored, does not follow from the log */
	/* not compared */
	uint64_t retired;
	uint64_t other_config;
	uint64_t not_stored; /* newer than what has been stored */
};

struct verify_result {
	enum verify_verdict verdict;
	uint64_t from, to; /* compared */
	uint64_t start;    /* position of the snapshot it began with; 0: the log's
			      beginning */
	uint64_t records, ticks;
	int64_t elapsed_ns;
	struct verify_kind kinds[EVENT_KINDS];
	uint32_t snapshots_equal, snapshots_different, snapshots_unusable;
	bool has_first;
	struct verify_face first; /* the first difference in the log's order ... */
	char field[VERIFY_FIELD_MAX];
	char problem[VERIFY_TEXT_MAX + 160]; /* ... as a sentence; "": none */
	char note[VERIFY_NOTE_MAX]; /* what of the range could not be had; "": nothing
				     */
	struct head *heads;         /* owned; of what was recomputed */
	size_t n_heads;
};

/** Fills @out whatever happens. */
void verify_run(const struct verify_env *env, struct verify_result *out);
void verify_result_free(struct verify_result *r);

const char *verify_verdict_name(enum verify_verdict v);
struct jsonw;
/** Write the members of @r into the object that is open; without the heads. */
void verify_json(struct jsonw *w, const struct verify_result *r);
/** The same in a few lines for people. */
void verify_text(struct buf *out, const struct verify_result *r);
