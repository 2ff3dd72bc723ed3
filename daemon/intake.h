/*
 * intake - judges what producers send, appends what is accepted, and answers
 * when it is as durable as configured.
 *
 * Requests taken between two commits share one transaction (group commit).  An
 * answer is made while its request is read and sent only after the commit that
 * holds its ticks; a commit that fails for lack of space turns every answer of
 * the group into "no_space" and leaves no trace of it.
 *
 * Store thread; pure but for the store, the symbol tables and the callers' replies.
 */
#pragma once
#include "base/buf.h"
#include "base/histogram.h"
#include "base/role.h"
#include "bus/symtab.h"
#include "proto/ingest.h"
#include "store/tickstore.h"
#include <stdatomic.h>
#include <stdbool.h>

struct intake;

/** Who asked; embedded as the first member of the asker's own struct. */
struct intake_caller {
	/** ON_STORE, once per request: the reply (SBE or JSON bytes, borrowed). */
	void (*reply)(struct intake_caller *c, const void *reply, size_t len);
	bool any_age; /* its ticks may be older than too_old: a refill's */
};

/** What SIGHUP may change; the loop writes, the store thread reads. */
struct intake_window {
	/* now: the wall clock, or with the feed clock its newest clock record */
	_Atomic int64_t too_old_ns; /* refuse event times before now - this; 0: never */
	_Atomic int64_t future_ns;  /* ... and after now + this; 0: never */
};

struct intake_env {
	struct tickstore *store; /* borrowed */
	struct symtab *symbols;  /* borrowed; intake is the writer */
	struct symtab *sources;  /* borrowed; intake is the writer */
	const struct intake_window *window;
	bool clock_wall;     /* true: the daemon's clock; false: producers' */
	bool symbols_listed; /* true: only names already in the table */
	bool durability_full;
};

int intake_new(const struct intake_env *env, struct intake **out);
void intake_free(struct intake *in);

/** Take one request; it is answered at once or by intake_commit(). */
ON_STORE void intake_request(struct intake *in, const void *data, size_t len,
			     struct intake_caller *caller);
/** Append one record of the daemon's own (clock, control); 0 or a store error. */
ON_STORE int intake_record(struct intake *in, const struct record *r);
/** The log says that time had come to @ns: known again after a restart. */
ON_STORE void intake_clock(struct intake *in, int64_t ns);
/** Records waiting for the commit. */
ON_STORE size_t intake_pending(const struct intake *in);
/** Should the group be committed now (full)? */
ON_STORE bool intake_full(const struct intake *in);
/**
 * Commit the group and answer it.  0, or -EIO: the store is dead, the answers
 * said "failed", the daemon must end.  Lack of space is answered and returns 0.
 */
ON_STORE int intake_commit(struct intake *in);
/** The newest committed position: whoever has an answer finds its records below it. */
ANY_THREAD uint64_t intake_committed(const struct intake *in);
/** Refuse every later request with "stopping". */
ON_STORE void intake_stop(struct intake *in);
/** The id of a symbol, adding it if it may be added; REJECT_NONE or the reason. */
ON_STORE enum reject_reason intake_symbol(struct intake *in, const char *name,
					  size_t len, uint32_t *out_id);
