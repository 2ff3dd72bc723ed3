/*
 * repair - make a database that is refused usable again, at a price that is told.
 *
 * Into a new file goes what is proved good: names, producers, epochs, and the log up
 * to the first segment that is damaged.  What was derived, the state snapshots and the
 * quarantine are left out: the next start makes them again from the log.  The old files
 * stay as they are in a folder beside.
 *
 * Acknowledged records behind the cut are lost; the next start finds that by the
 * high-water file, begins a new epoch and says so, as after any loss.  Producers may
 * send them again: their sequences are put back to the cut.
 */
#pragma once
#include "base/role.h"
#include <stdint.h>

struct repair_report {
	uint64_t first_pos; /* of the log that was kept; 0: nothing */
	uint64_t last_pos;
	uint64_t lost_first; /* 0: nothing is lost */
	uint64_t lost_last;
	char cause[256];    /* why the log was cut there; "": it was not */
	char kept_in[4096]; /* where the old files are */
};

/**
 * Repair the store in the state directory @dir.  0; -EBUSY: a daemon has it; -EBADMSG:
 * not even names and epochs can be read, or it is of another schema: nothing was
 * changed; other errors: nothing was changed.
 */
ON_STORE int repair_run(const char *dir, int64_t now_ns, struct repair_report *out);
