/*
 * archive_parts - what the files of the hand-over share: reading from the store's and
 * from the history's thread, and telling the helper.  On ARCHIVE.
 */
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "base/role.h"
#include "daemon/daemon.h"

/** A range of the log as frames: u32 length, frame, ... */
struct archive_range {
	uint64_t to_pos; /* < where it was to begin: there is nothing */
	bool is_end;     /* nothing more is complete at present */
	struct buf frames;
};

/** From @pos, or from what is held, whole positions, about @bytes of them. */
ON_ARCHIVE int archive_read(struct daemon *d, uint64_t pos, size_t bytes,
			    struct archive_range *out);

/**
 * Ask the helper and wait; @take (may be NULL) reads a good answer, on another thread,
 * before this returns.  0; -EREMOTEIO: it says why not; -EPIPE: it died; -EAGAIN: not
 * now.
 */
ON_ARCHIVE int archive_ask(struct daemon *d, const struct buf *doc,
			   const struct buf *bulk,
			   void (*take)(void *arg, const struct json *doc), void *arg);

/**
 * The same of what is told; @out_added (may be NULL) of it is new to it.
 */
ON_ARCHIVE int archive_tell(struct daemon *d, const struct buf *doc,
			    const struct buf *bulk, uint64_t *out_added);

/**
 * Raise @ns to the log time of the newest records, and say how far the log would
 * survive the power then.
 */
ON_ARCHIVE int archive_clock(struct daemon *d, int64_t *ns, uint64_t *out_pos);

struct archive_seen; /* which series were handed over, and as what */

/** One changed series, of bars from @from_ns on, or one index: 1; nothing has changed:
 * 0.
 */
ON_ARCHIVE int archive_bars_step(struct daemon *d, struct archive_seen *seen,
				 int64_t from_ns);
/** The corporate actions of every symbol, or the metadata of all, that changed: 1;
 * nothing: 0. */
ON_ARCHIVE int archive_meta_step(struct daemon *d, struct archive_seen *seen);
/** Run @fn on the history's thread and wait; it only reads.  -EAGAIN: not now. */
ON_ARCHIVE int archive_ask_history(struct daemon *d,
				   int (*fn)(struct histstore *store, void *arg),
				   void *arg);
/** Was @key told with this sign? */
bool archive_seen_has(const struct archive_seen *s, const char *key, const char *sign);
int archive_seen_note(struct archive_seen *s, const char *key, const char *sign);
int archive_seen_new(struct archive_seen **out);
void archive_seen_free(struct archive_seen *s);
/** A line of the cursor: "KEY SIGN". */
int archive_seen_add(struct archive_seen *s, const char *line);
void archive_seen_write(const struct archive_seen *s, struct buf *out);
