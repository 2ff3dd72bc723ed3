/*
 * recover - is everything there that was ever acknowledged?
 *
 * Three witnesses are compared: the segments (their heads, and that no position
 * is missing between them), the epochs (which positions are known to be lost),
 * and the high-water file (how far acknowledgements went).
 *
 *	hole between segments, not in any epoch   damaged: refused
 *	high-water above the newest segment       lost: alarm, new epoch, go on
 *	high-water's epoch above ours             an old copy: alarm, new epoch
 *	high-water missing or unreadable          warning, made anew
 *	high-water of another database            refused
 */
#pragma once
#include <stdint.h>

struct tickstore;

struct recover_epoch {
	uint64_t epoch;
	uint64_t first_pos;  /* the first position given in it */
	uint64_t lost_first; /* 0: nothing was lost when it began */
	uint64_t lost_last;
	int64_t since_ns;
	const char *reason;
};

/** Write an epoch's row, within the caller's transaction. */
int recover_put_epoch(struct tickstore *ts, const struct recover_epoch *e);
/**
 * Check it all, set next_pos, epoch and the status; begins a new epoch where one
 * is due.  -EBADMSG: refused, nothing was written.
 */
int recover_check(struct tickstore *ts, int64_t now_ns);
