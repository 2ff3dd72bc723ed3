/*
 * record - one entry of the log, 96 bytes, as it lies in a segment and in a
 * shard ring.  The log is a total order of records: ticks, clock records, source
 * records, control records and articles; everything derived is a function of it.
 *
 * A record's position is not stored: it is its segment's first position plus
 * its index.  Positions start at 1 and rise by 1.
 *
 * Changing this struct changes the log on disk: raise RECORD_VERSION, and teach
 * store/segment.c to read the old one.  Little-endian; padding does not exist.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define RECORD_VERSION 1

/** A price, size or time that is not there. */
#define VALUE_NULL INT64_MIN

enum record_type {
	RECORD_TICK = 1,
	RECORD_CLOCK,  /* time has reached event_ns: the wall's, or a producer's in feed
			  mode */
	RECORD_SOURCE, /* source_id is alive (flags 1) or went silent (0) at event_ns */
	RECORD_CONTROL, /* verb in ref_seq (enum control_verb), on symbol_id */
	RECORD_NEWS,    /* an article, whose text lies beside the log under this
			   position: event_ns is its edition's time, source_seq
			   article_key(), ref_seq the edition from 1 */
};

enum control_verb {
	CONTROL_PAUSE = 1, /* the symbol's ticks are logged but make nothing */
	CONTROL_RESUME,
	CONTROL_CONFIG,  /* source_seq: hash of the derived-path configuration from here
			    on */
	CONTROL_RESTART, /* reserved; never written: the store keeps epochs itself */
	CONTROL_FREEZE,  /* source_seq: what is held back from here on (proto/freeze.h)
			  */
	CONTROL_RELEASE, /* source_seq: what is held no longer */
};

/** What a tick is, in record.action. */
enum tick_action {
	TICK_NEW = 0,
	TICK_CANCEL,  /* withdraws the trade whose source_seq is ref_seq */
	TICK_CORRECT, /* replaces price and size of the trade ref_seq by its own */
};

/** What a tick may not do, in record.flags (semantics B.3); 0: everything. */
enum {
	TICK_NO_LAST = 1,   /* sets neither open nor close */
	TICK_NO_RANGE = 2,  /* sets neither high nor low */
	TICK_NO_VOLUME = 4, /* counts neither in volume nor in trade_count */
	TICK_HALT = 8,      /* trading in the symbol is halted from here */
	TICK_RESUMED = 16,  /* ... and goes on from here */
};

struct record {
	int64_t event_ns; /* when it happened, UTC, by the source's word */
	int64_t recv_ns;  /* when the daemon accepted it, wall clock */
	int64_t price_e9; /* last price, billionths; VALUE_NULL: no trade in this tick
			   */
	int64_t size_e8;  /* size of the trade; VALUE_NULL where unknown */
	int64_t bid_e9;   /* best bid; VALUE_NULL: none in this tick */
	int64_t ask_e9;
	int64_t bid_size_e8; /* VALUE_NULL where unknown */
	int64_t ask_size_e8;
	uint64_t source_seq;  /* the source's own sequence; 0: it has none */
	uint64_t ref_seq;     /* cancel, correct: whose; control: the verb */
	char cond[8];         /* sale conditions as the source wrote them, NUL padded */
	uint32_t symbol_id;   /* dense, from 0, in order of first acceptance */
	uint16_t source_id;   /* dense, from 1; 0: the daemon itself */
	uint8_t type;         /* enum record_type */
	uint8_t action_flags; /* low 2 bits: enum tick_action; rest: TICK_NO_x << 2 */
};

_Static_assert(sizeof(struct record) == 96, "the log's record has no padding");

/** In an initialiser: the record has no price, quote or size. */
#define RECORD_NO_VALUES                                                               \
	.price_e9 = VALUE_NULL, .size_e8 = VALUE_NULL, .bid_e9 = VALUE_NULL,           \
	.ask_e9 = VALUE_NULL, .bid_size_e8 = VALUE_NULL, .ask_size_e8 = VALUE_NULL

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tickbus writes its structs as they lie in memory: little-endian only"
#endif

static inline enum tick_action record_action(const struct record *r)
{
	return (enum tick_action)(r->action_flags & 3u);
}

static inline unsigned record_flags(const struct record *r)
{
	return (unsigned)r->action_flags >> 2;
}

/**
 * False: its time says nothing about where the log is.  That of a control record is the
 * daemon's own wall clock, and articles are brought in of any age.
 */
static inline bool record_has_log_time(const struct record *r)
{
	return r->type != RECORD_CONTROL && r->type != RECORD_NEWS;
}

static inline uint8_t record_pack(enum tick_action action, unsigned flags)
{
	return (uint8_t)((unsigned)action | flags << 2);
}

/** A record on its way to a worker: two cache lines. */
struct item {
	uint64_t pos;      /* log position */
	uint64_t seq;      /* TICK_RECEIVED sequence of the symbol; 0 for non-ticks */
	int64_t commit_ns; /* monotonic clock at its commit, for latencies; 0 on replay
			    */
	uint64_t flags;    /* ITEM_x */
	struct record rec;
};

enum {
	ITEM_MARK = 1,     /* carries no record: "you have seen everything up to pos" */
	ITEM_REPLAY = 2,   /* re-read at start: derive, do not publish */
	ITEM_SNAPSHOT = 4, /* with ITEM_MARK: save the state as it is behind pos */
};

_Static_assert(sizeof(struct item) == 128, "two cache lines");
