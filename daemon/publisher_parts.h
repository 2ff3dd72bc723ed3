/*
 * publisher_parts - what publisher.c (events) and publisher_beat.c (heartbeats)
 * share; nobody else includes it.
 */
#pragma once
#include "base/buf.h"
#include "daemon/publisher.h"
#include "proto/frame.h"
#include "proto/topic.h"

#define UNIVERSE_STREAMS 128 /* (universe, timeframe) pairs */

/* How far one stream has come, and whether the next heartbeat must say so. */
struct stream {
	uint64_t last_seq;
	uint64_t pos;
	bool touched;
	uint64_t held_seq; /* newest event that was held; 0: none */
	uint64_t held_pos;
};

struct kind {
	struct frame frame;
	uint8_t *frame_data; /* owned */
	size_t frame_cap;
	bool open; /* the frame holds events */
	int64_t opened_ns;
	uint64_t frame_seq;
	uint64_t last_pos; /* of the newest event; not of matrices */
	bool has_held;     /* of a stream, maybe */
	uint64_t events;
	char topic[TOPIC_MAX];
	size_t topic_len;
	struct stream *streams; /* owned; by symbol id; tier2: see universes */
	uint32_t *touched;      /* owned; ids to tell of in the next heartbeat */
	uint32_t n_touched;
};

struct input {
	struct outbox *box; /* borrowed */
	enum publisher_input what;
	uint64_t mark; /* everything at or below has come */
};

/* How far a stream has come, and who knows of it. */
enum mark_as {
	MARK_OUT = 0,   /* it was published, now or in another life */
	MARK_HELD,      /* it is held, and its kind's rows have it */
	MARK_HELD_ANEW, /* it is held and was never made before */
};

/* The newest matrix of one universe and timeframe, for `tickbusctl matrix`. */
struct universe {
	struct buf matrix;
	struct buf held; /* the newest that is held back; len 0: none */
	struct stream stream;
};

struct publisher {
	struct publisher_env env;
	struct kind kinds[PUBLISHED_KINDS];
	struct input inputs[PUBLISHER_INPUTS_MAX];
	size_t n_inputs;
	struct universe universes[UNIVERSE_STREAMS];
	size_t n_universes;
	struct buf json;
	struct histogram latency;
	struct board *board;            /* borrowed; NULL: nobody looks */
	struct kill_triggers *triggers; /* borrowed; NULL: none are configured */
};

/* ---- publisher.c ---- */

/** Is an event of this stream at @pos held back? */
ON_LOOP bool publisher_holds(const struct publisher *p, enum event_kind k,
			     uint32_t symbol_id, uint64_t pos);
/** The next heartbeat says that the stream has come to @seq at @pos. */
ON_LOOP void publisher_touch(struct kind *kind, uint32_t symbol_id, uint64_t seq,
			     uint64_t pos);

/* ---- publisher_hold.c ---- */

/**
 * Event @seq of a stream is the first that is held: the next heartbeat says that it has
 * come to the one before.  Who has never heard of it knows then where it begins.
 */
ON_LOOP void publisher_name_held(struct kind *kind, uint32_t symbol_id, uint64_t seq);
void publisher_name_matrix(struct universe *u, uint64_t seq);

/** The gates of news move on another thread: once a second, which of them opened? */
ON_LOOP void publisher_release_news(struct publisher *p);

/** Status events come in the symbol's own order: what follows is held, or not. */
ON_LOOP void publisher_follow(struct publisher *p, const struct event_status *e);
