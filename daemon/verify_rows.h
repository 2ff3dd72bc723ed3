/*
 * verify_rows - the stored events of one kind, one after the other, fetched a few rows
 * at a time while the ones before are being compared.
 */
#pragma once
#include "daemon/row_walk.h"
#include "daemon/store_access.h"

enum { VERIFY_ROWS_END = 1 };

struct verify_rows {
	/** Events below this position were retired before they could be read. */
	uint64_t held_from;
	/* private */
	const struct store_access *access; /* borrowed */
	enum event_kind kind;
	uint64_t next_id;
	uint64_t fetched_from; /* held_from once the fetched rows are looked at */
	struct buf now, fetched;
	struct store_piece piece;
	bool is_fetching, has_event, is_end;
	struct row_walk walk;
};

/** From the row on that holds @pos.  0 or a negated errno. */
int verify_rows_open(struct verify_rows *r, const struct store_access *access,
		     enum event_kind kind, uint64_t pos);
void verify_rows_close(struct verify_rows *r);
/** The present event, *@out of *@out_len bytes.  0, VERIFY_ROWS_END, < 0. */
int verify_rows_peek(struct verify_rows *r, const void **out, size_t *out_len);
void verify_rows_step(struct verify_rows *r);
