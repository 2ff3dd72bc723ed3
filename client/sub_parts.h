/*
 * sub_parts - the inside of a subscription, shared by
 *	sub.c         opening, closing, the public calls
 *	sub_wait.c    sockets, shared memory, waiting
 *	sub_step.c    what an event, a gap or a heartbeat means
 *	sub_fill.c    fetching what is missing, page by page
 *	sub_meet.c    streams of which nothing is known yet
 *	sub_beat.c    what frames and heartbeats say about each other
 *	sub_policy.c  keeping only the newest, at most so often
 *	sub_say.c     sentences
 *
 * A subscription reads from at most two places at a time: a *page* of catch-up,
 * which goes first, and the live *message* of one socket.  A live event that
 * shows a hole waits in its frame (it was peeked, not taken) until the pages that
 * fill the hole have been read.  Nothing blocks: a request is on its way
 * (client/fetch.h) or is not, and meanwhile there is nothing to read.
 */
#pragma once
#include "base/buf.h"
#include "client/feedsock.h"
#include "client/fetch.h"
#include "client/options.h"
#include "client/ringfeed.h"
#include "client/streams.h"
#include "proto/catchup.h"

#define SUB_NEAR    4096
#define SUB_SOCKETS 6 /* tick, bar, tier1, tier2, news, status */

/** Any event or heartbeat entry, aligned. */
union sub_event {
	struct event_head head;
	struct event_tick tick;
	struct event_bar bar;
	struct event_tier1 tier1;
	struct event_tier2 tier2;
	struct event_news news;
	struct event_status status;
	struct frame_heartbeat heartbeat;
};

/** A frame being read; its events are looked at before they are taken. */
struct sub_source {
	struct splink_msg
		*msg;   /* owned; NULL: none, or the frame lies in the ringfeed */
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
	FILL_HOLE,    /* one stream, hole.from_seq .. hole.to_seq */
	FILL_KIND,    /* all streams of a kind up to hole_pos */
};

/** Pages one after the other, whatever they are for. */
struct sub_pages {
	struct fetch fetch;
	struct catchup_root next;   /* the next request */
	struct catchup_root now;    /* that of the page at hand */
	struct catchup_stream hole; /* FILL_HOLE: its stream */
	enum event_kind kind;       /* FILL_KIND */
	uint64_t hole_pos;          /* what is missing lies at or before */
	struct catchup_stream met;  /* FILL_KIND: the stream that is the reason, up to
				       to_seq; no symbol: a heartbeat is */
	enum sub_fill back;         /* FILL_HOLE: in pages of this, which go on then */
	struct catchup_root back_root;
	uint64_t back_pos;
	struct catchup_page_view page;
	struct sub_source frame; /* of the page */
	bool is_open;            /* a page is being read */
	bool is_snapshot;        /* ... of a snapshot: only newest events, with jumps */
	bool is_begun;           /* a page has been read to its end */
	uint64_t count;          /* what the pages held, by our own reckoning */
	uint64_t hash;
	uint64_t seen_pos;   /* how far catch-up has come, by its own word */
	int64_t until_ns;    /* without progress, patience ends then */
	int64_t retry_at_ns; /* nothing is asked before */
};

/** What is known of a kind's frames; see sub_beat.c. */
struct sub_beat {
	uint64_t frame_seq; /* of the last frame */
	bool is_known;      /* there is a good_pos */
	uint64_t good_pos;  /* nothing at or before is missing */
	int64_t beat_ns;    /* publish time of the last heartbeat */
	bool lost_frames;   /* since good_pos */
	bool lost_beats;    /* ... perhaps */
	uint16_t next_part; /* of the heartbeats of a second */
	bool is_void; /* a new epoch: what was known counts no more (sub_beat_anew) */
};

struct sub_policy;

struct tickbus_sub {
	struct options options;
	struct feedsock socket[SUB_SOCKETS];
	size_t n_sockets;
	size_t turn; /* the socket to look at next */
	struct ringfeed ring;
	bool uses_ring;  /* instead of the sockets */
	int epoll;       /* the caller's: timer, fetch, live */
	int live_epoll;  /* the sockets */
	bool live_is_on; /* ... are looked at */
	int timer;
	int64_t wake_ns; /* the timer's next time, when earlier than its beat */
	/* the filter */
	uint32_t kinds;
	struct streams wanted; /* kind EVENT_KINDS; empty: all */
	uint32_t timeframe_s;
	struct sub_policy *policy; /* NULL: every event is given */
	bool no_fill;
	/* state */
	struct streams streams;
	struct stream *near[SUB_NEAR]; /* of ticks, by symbol id; borrowed */
	const struct stream *near_of;  /* the table that they point into */
	uint64_t epoch;                /* 0: none seen */
	uint64_t asked_pos; /* where the caller wanted to begin, for the record */
	uint64_t base_pos;  /* history is complete before it; 0: there was none */
	bool is_exact; /* nothing behind the beginning may be missing: see sub_meet.c */
	uint64_t taken; /* messages looked for */
	struct sub_beat beat[EVENT_KINDS];
	bool beat_tried; /* the kind of this heartbeat was fetched, if it had to be */
	bool chain_told; /* of the event that was peeked */
	int64_t recv_ns; /* of the newest event that was taken */
	int64_t old_ns;  /* ... when the epoch was heard of */
	bool is_anew;    /* a kind is gone through because of a new epoch */
	struct sub_source live;
	enum sub_fill fill;
	struct sub_pages pages;
	struct buf matrix; /* of the event delivered last */
	struct buf line;
	char said[320]; /* sentences */
	struct tickbus_counts counts;
};

/* ---- sub_wait.c ---- */

/** The descriptors to wait with.  0 or a negated errno. */
int sub_wait_open(struct tickbus_sub *sub);
void sub_wait_close(struct tickbus_sub *sub);
/** The next live message into sub->live: true when there is one. */
bool sub_take_message(struct tickbus_sub *sub);
/** Sleep until something happens, or until @until_ns; < 0 timeout: for ever. */
void sub_wait(struct tickbus_sub *sub, int timeout_ms, int64_t until_ns);
/** Wake at @ns (monotonic) at the latest. */
void sub_wake_at(struct tickbus_sub *sub, int64_t ns);
/** While pages are fetched the sockets have to wait as well. */
void sub_look_at_live(struct tickbus_sub *sub, bool on);
void sub_source_clear(struct sub_source *s);

/* ---- sub_fill.c ---- */

/** Begin with what pages.next asks for. */
void sub_fill_history(struct tickbus_sub *sub);
/** Begin to fetch @kind from behind its good_pos up to @pos. */
void sub_fill_kind(struct tickbus_sub *sub, enum event_kind kind, uint64_t pos);
/** Begin to fill @st up to @last_seq, which lies at or before @pos. */
void sub_fill_hole(struct tickbus_sub *sub, const struct stream *st, uint64_t last_seq,
		   uint64_t pos);
/**
 * A page shows a hole in front of @h: what it lacks was withheld when the page was made
 * or the one before.  The hole is filled, and then the page is asked for once more.
 * SUB_IDLE; the page is closed.
 */
int sub_fill_instead(struct tickbus_sub *sub, const struct stream *st,
		     const struct event_head *h);
/** The hole is filled or lost: back to the pages in which it showed, if any. */
void sub_fill_back(struct tickbus_sub *sub);
/** History is being read, or a hole in it. */
static inline bool sub_is_in_history(const struct tickbus_sub *sub)
{
	return sub->fill == FILL_HISTORY || sub->pages.back == FILL_HISTORY;
}
enum { SUB_PAGE = 101, SUB_HOLE_OVER, SUB_GONE };
/** Ask, or look for the answer: SUB_PAGE (it is open), SUB_IDLE, SUB_HOLE_OVER (it will
 *  not be filled), SUB_GONE (the beginning of the history is not held) or < 0. */
int sub_fill_step(struct tickbus_sub *sub);
/** The page was read: SUB_IDLE (go on), SUB_HOLE_OVER, TICKBUS_LIVE or < 0. */
int sub_fill_turn(struct tickbus_sub *sub);
/** An event of the page was looked at: it counts. */
void sub_fill_sum(struct tickbus_sub *sub);

/* ---- sub_beat.c ---- */

/** A message was loaded into sub->live. */
void sub_beat_note(struct tickbus_sub *sub);
/** Must the kind of the heartbeat in sub->live be fetched?  Asked once a message. */
bool sub_beat_asks(struct tickbus_sub *sub);
/** The heartbeat in sub->live was read to its end. */
void sub_beat_read(struct tickbus_sub *sub);
/** Nothing of @kind is missing at or before @pos. */
void sub_beat_over(struct tickbus_sub *sub, enum event_kind kind, uint64_t pos);
/** The log lost its end, or is an older copy: all kinds are to be gone through. */
void sub_beat_epoch(struct tickbus_sub *sub);
/** The message in sub->live is of a kind that is still to be: that begins.  False: none
    is, or none can be. */
bool sub_beat_anew(struct tickbus_sub *sub);
/** History has been delivered; whether frames were lost since, nobody knows yet. */
void sub_beat_begin(struct tickbus_sub *sub);

/* ---- sub_meet.c ---- */

/** What the page at hand says of streams that are withheld. */
void sub_meet_held(struct tickbus_sub *sub);
/**
 * @h is the first that is heard of @st: SUB_IDLE when its kind is fetched first, to see
 * whether something of it came before; 0.
 */
int sub_meet_event(struct tickbus_sub *sub, const struct stream *st,
		   const struct event_head *h);
/** The same of @hb, of the heartbeat in sub->live.  @st may be known then. */
int sub_meet_beat(struct tickbus_sub *sub, struct stream *st,
		  const struct frame_heartbeat *hb);
/** The kind was fetched for a stream, or could not be: SUB_IDLE or TICKBUS_GAP. */
int sub_meet_over(struct tickbus_sub *sub, struct tickbus_event *out);
/** The kill switch may hold events of @kind, and what it holds must not be missed. */
static inline bool sub_may_be_held(const struct tickbus_sub *sub, enum event_kind kind)
{
	return sub->is_exact && kind != EVENT_TICK && kind != EVENT_STATUS;
}

/* ---- sub_step.c ---- */

/** Outcomes beside those of tickbus.h */
enum { SUB_IDLE = 100 /* nothing to read at present */ };
/** One step: 0 (an event), GAP, EPOCH, LIVE, CHAIN, SUB_IDLE or a negated errno. */
int sub_step(struct tickbus_sub *sub, struct tickbus_event *out);
/** Of an event that sub_step() gave out. */
const char *sub_symbol_of(enum event_kind kind, const void *event);
uint32_t sub_timeframe_of(enum event_kind kind, const void *event);

/* ---- sub_policy.c ---- */

/** @interval_ns 0: conflate, else sample.  NULL: no memory. */
struct sub_policy *sub_policy_new(int64_t interval_ns);
void sub_policy_free(struct sub_policy *p);
/** As sub_step(), with only the newest of what waits. */
int sub_policy_step(struct tickbus_sub *sub, struct tickbus_event *out);
