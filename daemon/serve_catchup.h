/*
 * serve_catchup - answers those who come late, or who lost something.
 *
 *	nng thread: catchup_take() --post--> store thread: catchup_answer() --> reply
 *
 * Derived events come from the store's rows, ticks from the log itself; both are
 * merged by (position, kind, order in the row), so pages laid end to end are the
 * whole whatever their limits.  A page never goes beyond the position up to which
 * every kind asked for is complete (the horizon): a kind that is stored later
 * than another is waited for, not skipped.
 *
 * What the kill switch withholds (gate.h) is left out, and the page names the streams
 * of which something is missing, so that nobody takes a later event for their first.
 *
 * What is older than the store holds comes from the archive, when there is one
 * (serve_catchup_past.h): from its first event to now is one range without a seam.
 *
 * Work per request is bounded by the budgets of catchup_env: what does not fit
 * is told by a page that ends early (done 0) with the cursor to go on from.
 *
 * By time: a page begins at the position at which the log first reached that
 * time; a late tick behind it has an earlier event time.  Frames of a page have
 * frame_seq 0 and publish time 0: they are made from the log, not remembered.
 */
#pragma once
#include "base/buf.h"
#include "base/role.h"
#include "bus/symtab.h"
#include "daemon/newest.h"
#include "daemon/serve_catchup_past.h"
#include "daemon/tick_index.h"
#include "proto/catchup.h"
#include "store/tickstore.h"

struct rep_call;
struct daemon;

/** Zero in a bound takes the default in brackets. */
struct catchup_env {
	struct tickstore *store;      /* borrowed */
	const struct symtab *symbols; /* borrowed */
	const struct symtab *sources; /* borrowed */
	struct tick_index *ticks;     /* borrowed */
	struct newest *newest;        /* borrowed; NULL: snapshots are refused */
	const uint64_t *tick_pos;     /* borrowed; by symbol: newest tick, 0: none */
	const uint64_t *tick_seq;     /* borrowed; ... and its sequence */
	uint64_t ticks_reached;       /* up to which position these two are right */
	uint32_t symbols_max;         /* of the index */
	uint64_t epoch;
	uint64_t until_pos;        /* nothing behind it is given; 0: no limit */
	struct catchup_past *past; /* borrowed; NULL: there is no archive */
	const struct gate *gate;   /* borrowed; NULL: nothing is held */
	/** Every event of a derived kind at or below is in the store. */
	uint64_t complete[EVENT_KINDS];
	size_t page_bytes_max; /* of an answer, except for one large event [1 MiB] */
	uint32_t events_max;   /* of a page whose request names no limit [4,096] */
	uint32_t scan_records_max; /* of the log, per request [131,072] */
	size_t scan_bytes_max;     /* of derived rows, per request [8 MiB] */
};

/**
 * The archive is to be asked (env.past, whose question is open) and the request run
 * again; nothing was appended.
 */
enum { CATCHUP_WAITS = 1 };

/**
 * Append the answer to @req, a page or a dictionary in the request's own form, to
 * @out.  0 or CATCHUP_WAITS; a negated errno means that the store could not be read:
 * the answer then says so (CATCHUP_REFUSED) and err_text() why.
 */
ON_STORE int catchup_answer(const struct catchup_env *env, const void *req, size_t len,
			    struct buf *out);

/** The answer of somebody too busy to read the request: in its form, status @status. */
ANY_THREAD void catchup_turn_away(const void *req, size_t len, uint64_t epoch,
				  enum catchup_status status, const char *text,
				  struct buf *out);

struct store_thread;

/** The marks for catchup_page(), read before the way to the store thread. */
ANY_THREAD void catchup_complete(const struct daemon *d,
				 uint64_t complete[EVENT_KINDS]);
/**
 * What the daemon's store, tables and counts give to a request with these marks; no
 * archive.
 */
ON_STORE void catchup_env_of(struct store_thread *st, const struct daemon *d,
			     const uint64_t complete[EVENT_KINDS],
			     struct catchup_env *out);
/** catchup_answer() with everything the daemon has but its archive. */
ON_STORE int catchup_page(struct store_thread *st, const struct daemon *d,
			  const uint64_t complete[EVENT_KINDS], const void *req,
			  size_t len, struct buf *out);

/** rep_take_fn; @arg is the struct daemon. */
FOREIGN void catchup_take(void *arg, struct rep_call *call);
