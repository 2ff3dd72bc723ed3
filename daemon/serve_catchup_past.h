/*
 * serve_catchup_past - the archive as one more source of taps: what is older than the
 * store holds (in front of the seam) comes from there, a page of a kind at a time.
 *
 * The store thread waits for nobody.  A request is run; where it needs what only the
 * archive knows it ends with one question (CATCHUP_WAITS), and is run again from its
 * beginning when the answer is there.  A page ends where the pages of the archive do.
 *
 *	store thread: catchup_answer() -> question --> archive's thread: helper
 *	store thread: catchup_answer() <- catchup_past_take() <-- answer
 *
 * The questions are those of archive/pipeframe.h: past_status, find_past, read_past.
 */
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "base/role.h"
#include "proto/catchup.h"
#include <stdbool.h>

/** What the archive holds without a hole; complete_pos 0: nothing. */
struct past_bounds {
	uint64_t first_pos;
	uint64_t complete_pos;
	bool is_known;
};

enum past_question { PAST_NOTHING = 0, PAST_STATUS, PAST_FIND, PAST_READ };

/** A stream whose sequence lies in front of what the store holds. */
struct past_older {
	struct catchup_stream stream;
	uint64_t held; /* the archive's first, when that is behind it; else 0 */
};

/** What one request has learned from the archive; zeroed at first. */
struct catchup_past {
	struct past_bounds bounds; /* of the last hand-over, or asked for */
	uint64_t first_pos; /* what pages said: retention may have gone on since */
	struct past_page {
		uint64_t from_pos; /* every event asked for at from_pos to to_pos; */
		uint64_t to_pos;   /* 0: there is no page */
		struct buf frames; /* u32 length, frame, ... */
	} pages[EVENT_KINDS];
	bool is_found;
	uint64_t found_pos;       /* 0: nowhere */
	struct past_older *older; /* owned */
	uint32_t n_older;
	/* the question that is open */
	enum past_question question;
	enum event_kind kind; /* PAST_READ: of what, from where on */
	uint64_t from_pos;
	struct buf doc;
};

/**
 * Take the answer to the question that is open.  0; -EPROTO: it is none, or says that
 * it failed (err_text()): the request is to be turned away.
 */
ANY_THREAD int catchup_past_take(struct catchup_past *p, const struct json *doc,
				 const void *bulk, size_t len);
void catchup_past_deinit(struct catchup_past *p);
