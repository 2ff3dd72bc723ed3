/*
 * serve_catchup_parts - what the files of serve_catchup share: one request on
 * its way (struct query), the filter it asks for, and its taps, one per kind, each
 * of which shows the next event that passes the filter.
 */
#pragma once
#include "daemon/gate.h"
#include "daemon/serve_catchup.h"
#include "proto/frame.h"
#include <stdbool.h>

#define CATCHUP_TAPS 6 /* tick, bar, tier1, tier2, news, status */

/* What filters and streams look at, whatever the kind. */
struct event_face {
	enum event_kind kind;
	uint64_t seq;
	uint32_t symbol_id; /* not of matrices */
	uint32_t timeframe_s;
	const char *name; /* symbol or universe, SYMBOL_MAX bytes */
};

struct streams {
	const struct catchup_request *req; /* borrowed */
	uint32_t kinds;                    /* bits; the kinds that can match */
	struct streams_entry {
		uint32_t symbol_id;
		uint32_t stream; /* index into req->streams */
	} * by_symbol;           /* owned; ascending */
	uint32_t n_by_symbol;
	bool *closed;    /* owned; per stream: to_seq has come */
	uint32_t n_open; /* streams that still want something; none asked: 1 */
};

struct query;
struct tap;
struct newest_tick;

/**
 * Where the events of a tap come from: the log, the store's rows, the newest only;
 * whatever else holds events (an archive) is one more.  open() places the tap at
 * tap->pos; load() gets it closer to its next event: that is there, or `pos` rose, or
 * the budget is used, or the archive must be asked first (CATCHUP_WAITS).
 */
struct tap_source {
	int (*open)(struct query *q, struct tap *t);
	int (*load)(struct query *q, struct tap *t);
};

struct tap {
	const struct tap_source *source;
	enum event_kind kind;
	uint64_t pos;      /* no event that matches lies before it and ahead of us */
	bool is_ready;     /* `event` is the next one, at `pos` */
	const void *event; /* struct event_x; a matrix with its members and triangle */
	size_t event_len;
	/* ticks: a stretch of the log, valid until the store is asked again */
	const struct record *recs;
	uint64_t recs_pos;
	uint32_t n_recs;
	/* derived: a copy of one row */
	uint64_t next_row;
	uint64_t row_first_pos;
	uint64_t row_last_pos;
	struct buf row;
	size_t row_at;
	bool in_row;
	bool in_frame;
	struct frame_view view;
	union {
		struct event_tick tick;
		struct event_bar bar;
		struct event_tier1 tier1;
		struct event_news news;
		struct event_status status;
	} fixed;
	struct buf matrix;
	/* a snapshot's ticks, ascending */
	struct newest_tick *newest; /* owned */
	uint32_t n_newest;
	uint32_t i_newest;
};

/* The streams of which this page withholds something; serve_catchup_held.c. */
struct held {
	struct catchup_held *list; /* owned */
	uint32_t *ids;             /* owned; symbol ids of the list's entries */
	uint32_t n;
	uint32_t *slots; /* owned; a hash table of indices into the list, from 1 */
	uint32_t n_slots;
};

struct query {
	const struct catchup_env *env; /* borrowed */
	struct catchup_request req;
	struct streams streams;
	struct store_status log;
	uint64_t horizon;           /* nothing beyond it is given */
	uint64_t first_pos;         /* from here on everything asked is held */
	uint64_t seam[EVENT_KINDS]; /* from here on the store holds the kind */
	bool has_past;              /* the archive holds all in front of the seams */
	uint64_t start;
	uint32_t skip; /* matching events at `start` that were given before */
	bool is_gone;
	bool is_now;
	bool is_snapshot;
	uint64_t resume;           /* is_snapshot: where the page behind it begins */
	struct catchup_gone *gone; /* owned; CATCHUP_STREAMS_MAX */
	uint32_t n_gone;
	struct held held;
	struct tap taps[CATCHUP_TAPS];
	uint32_t n_taps;
	uint64_t *tick_seq; /* owned; ticks of every symbol before tick_pos */
	uint64_t tick_pos;
	uint32_t records_left; /* of the budgets */
	size_t bytes_left;
};

/* ---- serve_catchup_streams.c ---- */

int streams_init(struct streams *f, const struct catchup_request *req,
		 const struct symtab *symbols);
void streams_deinit(struct streams *f);
/** Does a stream, whatever its sequences, cover this event? */
bool streams_match(const struct streams *f, const struct event_face *e);
/** Is it within the sequences asked for?  Closes streams that end with it. */
bool streams_want(struct streams *f, const struct event_face *e);
/**
 * Lower low[i] to the event's sequence for every stream i that counts it: of its
 * kind and symbol, of any timeframe (bars of all timeframes share one sequence).
 */
void streams_lower(const struct streams *f, const struct event_face *e, uint64_t *low);
void event_face_of(enum event_kind kind, const void *event, struct event_face *out);

/* ---- serve_catchup_tap.c ---- */

/** A tap per kind asked for, standing at query.start. */
ON_STORE int tap_open_all(struct query *q);
/** Leave a bookmark for the next page. */
ON_STORE void tap_close_all(struct query *q);
/** Get closer to the next event: it is there, or `pos` rose, or the budget is used. */
ON_STORE int tap_load(struct query *q, struct tap *t);
/** Step past the event shown. */
void tap_pop(struct tap *t);
/** The budget is used up. */
bool tap_is_tired(const struct query *q);
/** Begin reading the frames of a row in t->row, from its first event. */
void tap_row_begin(struct tap *t);
/** The next event of the row, unfiltered.  0, TAP_ROW_END, -EBADMSG. */
int tap_row_next(struct tap *t);
enum { TAP_ROW_END = 1 };
/** Copy row @id of the tap's kind; sets next_row.  0 or STORE_END. */
ON_STORE int tap_row_read(struct query *q, struct tap *t, uint64_t id);
/** Sources are made of these: rows in their order, from the row of tap->pos on. */
ON_STORE int tap_open_rows(struct query *q, struct tap *t);
ON_STORE int tap_load_row(struct query *q, struct tap *t);
/** Show the row's next event that matches, or leave the row. */
ON_STORE int tap_row_show(struct query *q, struct tap *t);
/** The log or the store's rows are the tap's source now, from tap->pos on. */
ON_STORE int tap_open_live(struct query *q, struct tap *t);
/** Show the tick of @r. */
void tap_show_tick(struct query *q, struct tap *t, const struct record *r, uint64_t pos,
		   uint64_t seq);

/* ---- serve_catchup_held.c ---- */

/** So many streams a page names; then it ends, behind a position. */
#define HELD_MAX 4096u
/** Is this event withheld?  HELD_TAKEN (it is noted), 0 or -ENOMEM. */
ON_STORE int held_takes(struct query *q, const struct event_face *face,
			const void *event);
enum { HELD_TAKEN = 1 };
/** Behind the page's frames. */
void held_write(const struct query *q, struct catchup_writer *w);
void held_deinit(struct held *held);

/* ---- serve_catchup_past.c ---- */

extern const struct tap_source past_source;
/** Each opens its question: CATCHUP_WAITS. */
int past_ask_status(struct query *q);
/** Where the streams of past_add_older() are. */
int past_ask_streams(struct query *q);
int past_ask_time(struct query *q, int64_t event_ns);
/** What it begins with lies in front of what the store holds. */
int past_add_older(struct query *q, const struct catchup_stream *s);

/* ---- serve_catchup_newest.c ---- */

/** Where a snapshot begins, and where the page behind it. */
ON_STORE int snapshot_start(struct query *q);
const struct tap_source *snapshot_source(enum event_kind kind);
/** Is this event to be given?  Yes, unless a snapshot is asked for and it is not new.
 */
ON_STORE bool snapshot_gives(const struct query *q, enum event_kind kind,
			     const void *event);

/* ---- serve_catchup_seek.c ---- */

/** Where to begin, what is gone, how far one may go. */
ON_STORE int seek_start(struct query *q);
/** The oldest position from which every event of @kind is held. */
ON_STORE int seek_first_held(struct query *q, enum event_kind kind, uint64_t *out_pos);

/* ---- serve_catchup_page.c ---- */

/** Append the page as SBE, with *@n events.  0 or CATCHUP_WAITS. */
ON_STORE int page_write(struct query *q, size_t bytes_max, struct buf *out,
			uint32_t *n);
