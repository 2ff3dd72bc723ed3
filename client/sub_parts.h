/*
 * sub_parts - the inside of a subscription, shared by sub.c (sockets, waiting),
 * sub_step.c (what an event, a gap or a heartbeat means) and sub_fill.c
 * (fetching what is missing).
 *
 * A subscription reads from at most two places at a time: a *page* of catch-up,
 * which goes first, and the live *message* of one socket.  A live event that
 * shows a hole waits in its frame (it was peeked, not taken) until the page that
 * fills the hole has been read.
 */
#pragma once
#include "base/buf.h"
#include "client/feedsock.h"
#include "client/options.h"
#include "client/reqsock.h"
#include "client/ringfeed.h"
#include "client/streams.h"
#include "proto/catchup.h"

#define SUB_SOCKETS 5 /* tick, bar, tier1, tier2, status */

/** Any event or heartbeat entry, aligned. */
union sub_event {
	struct event_head head;
	struct event_tick tick;
	struct event_bar bar;
	struct event_tier1 tier1;
	struct event_tier2 tier2;
	struct event_status status;
	struct frame_heartbeat heartbeat;
};

/** A frame being read; its events are looked at before they are taken. */
struct sub_source {
	nng_msg *msg;   /* owned; NULL: none, or the frame lies in the ringfeed */
	bool is_loaded; /* there is a frame, perhaps read to its end */
	struct frame_view frame;
	bool is_open; /* frame holds a view with events left */
	bool is_peeked;
	union sub_event event;
};

/** What catch-up is doing. */
enum sub_fill {
	FILL_NONE = 0,
	FILL_HISTORY, /* from the beginning that the caller chose */
	FILL_HOLE,    /* one stream, hole.first_seq .. hole.last_seq */
};

struct tickbus_sub {
	struct options options;
	struct feedsock socket[SUB_SOCKETS];
	size_t n_sockets;
	size_t turn; /* the socket to look at next */
	struct ringfeed ring;
	bool uses_ring; /* instead of the sockets */
	int epoll;
	int timer;
	struct reqsock catchup;
	/* the filter */
	uint32_t kinds;
	struct streams wanted; /* kind EVENT_KINDS; empty: all */
	uint32_t timeframe_s;
	bool no_fill;
	/* state */
	struct streams streams;
	uint64_t epoch; /* 0: none seen */
	uint64_t taken; /* messages looked for */
	struct sub_source live;
	struct sub_source page_frame;
	struct catchup_page_view page;
	bool page_is_open;
	enum sub_fill fill;
	struct catchup_root from; /* FILL_HISTORY: the next page */
	struct catchup_stream hole;
	int64_t hole_until_ns; /* so long its filling is tried again */
	int64_t retry_at_ns;   /* nothing is read before; 0: go on */
	bool hole_is_gone;     /* catch-up said that it does not hold it any more */
	struct buf matrix;     /* of the event delivered last */
	struct buf line;
	struct tickbus_counts counts;
};

/** sub_fill.c */
/** Begin to fill a hole of @s; on its end the caller looks again. */
void sub_fill_hole(struct tickbus_sub *sub, const struct stream *s, uint64_t first_seq,
		   uint64_t last_seq);
/** Fetch the next page: 0 (it is open), or a negated errno. */
int sub_fill_fetch(struct tickbus_sub *sub);
/** Close the page; true when another one follows. */
bool sub_fill_turn(struct tickbus_sub *sub);

/** sub_step.c: outcomes beside those of tickbus.h */
enum { SUB_IDLE = 100 /* nothing to read at present */ };
/** One step: 0 (an event), GAP, EPOCH, LIVE, SUB_IDLE or a negated errno. */
int sub_step(struct tickbus_sub *sub, struct tickbus_event *out);

/** sub.c: the next live message into sub->live: true when there is one. */
bool sub_take_message(struct tickbus_sub *sub);
void sub_source_clear(struct sub_source *s);
