/*
 * derived_rows - batches of derived events on their way into the store, in order,
 * and those that the disk refused, kept until it takes them.
 *
 * A row that is missing would be a hole behind which later ones look complete.  So
 * when the disk is full what comes after waits behind it, up to ROWS_WAITING_MAX
 * bytes; beyond that the rest of this life is not stored, and the next start derives
 * it again from the log.  While anything waits the marks of completeness promise more
 * than the store holds: derived_rows_behind() tells those who rely on them.
 *
 * Store thread.
 */
#pragma once
#include "base/role.h"
#include "daemon/newest.h"
#include "proto/event.h"
#include "store/tickstore.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROWS_WAITING_MAX ((size_t)64 << 20)

struct derived_rows;

struct derived_row {
	enum event_kind kind;
	uint64_t first_pos;
	uint64_t last_pos;
	uint32_t n_events;
	uint32_t len;
	void *data; /* malloc'ed; derived_rows_put() takes it */
};

/** @newest is told of every row; both borrowed.  0 or -ENOMEM. */
int derived_rows_new(struct tickstore *ts, struct newest *newest,
		     struct derived_rows **out);
void derived_rows_free(struct derived_rows *r);

/** Store the row, or keep it. */
ON_STORE void derived_rows_put(struct derived_rows *r, const struct derived_row *row);
/** Try again what waits; cheap when nothing does. */
ON_STORE void derived_rows_step(struct derived_rows *r);
/** The store does not hold everything that it was given. */
ON_STORE bool derived_rows_behind(const struct derived_rows *r);
