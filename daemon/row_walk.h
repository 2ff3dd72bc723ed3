/*
 * row_walk - the events in a derived row: frames, each behind its length as u32
 * (daemon/derived.h).  Rows of one kind behind each other are walked as one.
 *
 * The bytes may be anybody's; every length is looked at.
 */
#pragma once
#include "base/buf.h"
#include "proto/frame.h"
#include <stdbool.h>

enum { ROW_WALK_END = 1 };

struct row_walk {
	/** The event that row_walk_next() came to; tier2: members and triangle follow.
	 */
	const void *event;
	size_t len;
	/* private */
	enum event_kind kind;
	const uint8_t *at, *end;
	struct frame_view view;
	bool in_frame;
	union {
		struct event_tick tick;
		struct event_bar bar;
		struct event_tier1 tier1;
		struct event_news news;
		struct event_status status;
	} fixed;
	struct buf matrix; /* owned */
};

/** Walk @len bytes of rows of @kind, which stay where they are.  Zero @w before the
 *  first time. */
void row_walk_begin(struct row_walk *w, enum event_kind kind, const void *data,
		    size_t len);
void row_walk_deinit(struct row_walk *w);
/** 0, ROW_WALK_END, or -EBADMSG: these are no frames of the kind. */
int row_walk_next(struct row_walk *w);
