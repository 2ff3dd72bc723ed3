/*
 * backup - a copy of the state that can be put back, here or elsewhere.
 *
 *	DIR/tickbus.db      the log at one moment
 *	DIR/history.db      vendors' bars and jobs, where they are kept
 *	DIR/highwater       the mark that makes it known for a copy (below)
 *	DIR/tickbusd.yaml   the configuration in force, to compare with
 *	DIR/manifest.json   the others' sizes and SHA-256; written last
 *
 * What was acknowledged after the copy is not in it.  So the copy's mark is of an epoch
 * that the log never had: whoever starts on it begins that one, and producers and
 * subscribers hear of it (recover.h, "an old copy").
 */
#pragma once
#include "base/role.h"
#include "store/sqlite_copy.h"
#include "store/tickstore.h"
#include <stdint.h>

#define BACKUP_DB        "tickbus.db"
#define BACKUP_HISTORY   "history.db"
#define BACKUP_HIGHWATER "highwater"
#define BACKUP_CONFIG    "tickbusd.yaml"
#define BACKUP_MANIFEST  "manifest.json"
#define BACKUP_FORMAT    1

/** Begin to copy the log's database to the new file @path. */
ON_STORE int backup_log(struct tickstore *ts, const char *path, struct sq_copy **out);
/** When that copy is complete and nothing was committed since: its mark, as a file in
 * the folder @dir; tells what the copy holds. */
ON_STORE int backup_mark(struct tickstore *ts, const char *dir, uint64_t *out_pos,
			 uint64_t *out_epoch);

struct backup_report {
	uint64_t position;   /* of the log that was put back */
	uint64_t epoch;      /* it had; the next start begins a later one */
	uint64_t lost_first; /* acknowledged here behind it; 0: nothing known */
	uint64_t lost_last;
	char kept_in[4096]; /* where what was here is now; "": there was nothing */
};

/**
 * Put the backup in @from into the state directory @dir, which is made when it is not
 * there.  Everything is copied and its hash compared before anything is moved.  0;
 * -EBUSY: a daemon has @dir; -EBADMSG: the backup is not what its manifest says; other
 * errors.  After an error nothing has changed, but for a cut in the last step, after
 * which it is run again.
 */
ON_STORE int backup_restore(const char *from, const char *dir, int64_t now_ns,
			    struct backup_report *out);
