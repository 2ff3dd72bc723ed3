/*
 * frame - what leaves the daemon: up to 128 events of one kind behind one root.
 *
 *	header 8 | root 32 | group header 4 | event block | event block | ...
 *
 * A matrix travels alone: its event block is part of the root block, and its
 * members and triangle are two groups.  A heartbeat says how far every stream
 * of one kind has come.  Blocks are the structs of event.h byte for byte, not
 * aligned: they are copied in and out.
 *
 * The builder asserts what the reader checks.  The reader takes foreign bytes:
 * frame_open() looks at every length, after it frame_next() cannot fail.
 */
#pragma once
#include "proto/sbe.h"

#define FRAME_EVENTS_MAX     128
#define FRAME_HEARTBEATS_MAX 1024

struct frame_root {
	uint64_t epoch;
	int64_t publish_ns; /* wall clock when it was sealed */
	uint64_t frame_seq; /* +1 per kind, from 1; heartbeat: of the kind's last frame
			     */
	uint64_t last_pos;  /* highest log position among its events */
};
_Static_assert(sizeof(struct frame_root) == 32, "wire block");

/** Root of a heartbeat: which kind it speaks of. */
struct frame_heartbeat_root {
	struct frame_root root; /* last_pos: every event of the kind at or below
				   has been published */
	uint8_t kind;           /* enum event_kind */
	uint8_t reserved;
	uint16_t part; /* a second's heartbeats, from 0; all but the last are full */
	uint8_t reserved2[4];
};
_Static_assert(sizeof(struct frame_heartbeat_root) == 40, "wire block");

/** One stream that moved since the last heartbeat. */
struct frame_heartbeat {
	uint64_t last_seq;
	uint64_t pos; /* log position of the event last_seq */
	uint32_t symbol_id;
	uint32_t timeframe_s;    /* tier2 only, else 0 */
	char symbol[SYMBOL_MAX]; /* tier2: the universe */
};
_Static_assert(sizeof(struct frame_heartbeat) == 56, "wire block");

/** Bytes that any frame of @kind fits in; matrices: see frame_matrix_size(). */
size_t frame_size_max(enum event_kind kind);
/** Bytes of a matrix frame. */
size_t frame_matrix_size(size_t n_members, size_t n_included);

/** A frame under construction in the caller's memory. */
struct frame {
	uint8_t *data; /* borrowed */
	size_t cap;
	size_t len;
	uint64_t last_pos;
	uint64_t epoch;
	enum event_kind kind;
	uint32_t n; /* events inside */
};

enum { FRAME_FULL = 1 };

/** Start an empty frame of @kind (tick, bar, tier1, tier2, status) in @data. */
void frame_begin(struct frame *f, void *data, size_t cap, enum event_kind kind,
		 uint64_t epoch);
/**
 * Append a copy of @event (struct event_x; tier2: with members and triangle
 * behind it).  0 or FRAME_FULL: seal and begin the next.  A matrix fills a frame.
 */
int frame_add(struct frame *f, const void *event);
/** Finish; returns the length of the frame, which holds at least one event. */
size_t frame_seal(struct frame *f, uint64_t frame_seq, int64_t publish_ns);

/** Heartbeats: kind is what it speaks of; @last_pos and @frame_seq as above. */
void frame_heartbeat_begin(struct frame *f, void *data, size_t cap,
			   enum event_kind kind, uint64_t epoch, uint64_t last_pos);
/** It is not the first of its second: behind a full one comes the next part. */
void frame_heartbeat_part(struct frame *f, uint16_t part);
int frame_heartbeat_add(struct frame *f, const struct frame_heartbeat *hb);
/** May be empty. */
size_t frame_heartbeat_seal(struct frame *f, uint64_t frame_seq, int64_t publish_ns);

/** A validated frame; valid as long as its bytes are. */
struct frame_view {
	enum event_kind kind;  /* EVENT_HEARTBEAT: see about */
	enum event_kind about; /* the kind a heartbeat speaks of, else kind */
	uint16_t version;
	struct frame_root root;
	uint32_t n;    /* events (or heartbeats) inside */
	uint16_t part; /* of a heartbeat */
	/* private */
	uint32_t i;
	size_t stride;
	const uint8_t *at;
	struct event_tier2 matrix;
	const uint8_t *member;
	size_t member_stride;
	const uint8_t *triangle;
	size_t cell_stride;
};

enum {
	FRAME_END = 1,   /* frame_next: all events were read */
	FRAME_BAD = 2,   /* not a frame of ours, or cut short; err_text() says why */
	FRAME_OTHER = 3, /* a sound header of our schema, of a template unknown here */
};

int frame_open(const void *data, size_t len, struct frame_view *out);
/**
 * Copy the next event into @out (struct event_x of the view's kind, or struct
 * frame_heartbeat) and step past it.  0 or FRAME_END.
 */
int frame_next(struct frame_view *v, void *out);
/** Tier2: member @i < matrix.n_members. */
void frame_member(const struct frame_view *v, size_t i, struct tier2_member *out);
/** Tier2: row @i column @j, both < matrix.n_included, either triangle. */
double frame_cell(const struct frame_view *v, size_t i, size_t j);
/** Tier2: the whole lower triangle, event_triangle_len(n_included) doubles. */
void frame_triangle(const struct frame_view *v, double *out);
/**
 * Tier2: event, members and triangle behind each other, as the store keeps them
 * and frame_add() takes them.  Returns the bytes needed; writes if @cap holds them.
 */
size_t frame_matrix_copy(const struct frame_view *v, void *out, size_t cap);
/** The same size from the event alone. */
size_t frame_matrix_bytes(const struct event_tier2 *e);
