/*
 * newest - where the newest event of every derived stream lies: bars and vectors per
 * symbol and timeframe, status per symbol, matrices per universe and timeframe.
 *
 * An index over the store's rows, made by reading them forwards once:
 *
 *	rows of a kind    1 ........ covered | covered + 1 ......... newest
 *	                  in the index       | looked at by newest_step()
 *
 * A batch that is stored just behind `covered` is taken as it is; the index is saved
 * into the store now and then and at the end, so a start has to read only what came
 * after.  A saved index of another epoch, or of rows that are not there, is not used.
 *
 * Ticks need none: the dispatcher knows the position of every symbol's newest.
 *
 * Store thread.
 */
#pragma once
#include "base/role.h"
#include "proto/event.h"
#include "store/tickstore.h"
#include <stdbool.h>

struct newest;

struct newest_place {
	uint64_t row; /* id of the batch that holds it */
	uint64_t pos;
	uint64_t seq;
	uint32_t symbol_id; /* not of matrices */
	uint32_t timeframe_s;
	const char *name; /* matrices: the universe, else NULL */
};

#define NEWEST_STEP_BYTES ((size_t)4 << 20) /* a step that holds nobody up */

enum { NEWEST_BEHIND = 1 };

/** 0 or -ENOMEM. */
int newest_new(struct newest **out);
void newest_free(struct newest *n);
/**
 * Look at rows not seen yet, of about @bytes at most; the first call loads what was
 * saved.  0: all rows are in the index; NEWEST_BEHIND; or an error of the store.
 */
ON_STORE int newest_step(struct newest *n, struct tickstore *ts, size_t bytes);
/** A batch of @kind was stored; call newest_step() when this says NEWEST_BEHIND. */
ON_STORE int newest_note(struct newest *n, struct tickstore *ts, enum event_kind kind,
			 const void *data, size_t len);
/** Save the index.  0 or an error of the store. */
ON_STORE int newest_save(struct newest *n, struct tickstore *ts);

/** Sequence of the newest event of the stream and timeframe of @event; 0: none. */
ON_STORE uint64_t newest_seq(const struct newest *n, enum event_kind kind,
			     const void *event);
typedef bool (*newest_want_fn)(const void *arg, enum event_kind kind,
			       const struct newest_place *place);
/** The lowest row from @from_row on that holds a newest event @want says yes to, or
 *  UINT64_MAX. */
ON_STORE uint64_t newest_row(const struct newest *n, enum event_kind kind,
			     uint64_t from_row, newest_want_fn want, const void *arg);
