/*
 * feed - what a feed hands over: one tick (or clock mark) at a time, to a sink.
 *
 * A feed knows nobody: it never logs and never decides whether a tick is
 * acceptable.  It turns somebody's bytes into exact integers, or says with a
 * line number and a reason why it cannot, and goes on.  What a price must be
 * is the ingest's business.
 */
#pragma once
#include "proto/record.h"
#include "proto/symbol.h"
#include <stdint.h>

/** Outcome of the step functions: nothing comes any more. */
enum { FEED_END = 1 };

#define FEED_WHY_MAX 200

/** What the simulator did to a tick on purpose, in feed_tick.defects. */
enum feed_defect {
	FEED_LATE = 1,         /* arrives long after its event time */
	FEED_OUT_OF_ORDER = 2, /* arrives a little after younger ticks */
	FEED_DUPLICATE = 4,    /* the same tick once more, same source_seq */
	FEED_CANCEL = 8,
	FEED_CORRECTION = 16,
	FEED_HALT = 32,      /* carries TICK_HALT or TICK_RESUMED */
	FEED_BAD_PRINT = 64, /* a plausible number that is far off the market */
	FEED_ODD_LOT = 128,
	FEED_POISON = 256, /* must be refused: price <= 0, or an impossible time */
};

struct feed_tick {
	char symbol[SYMBOL_MAX]; /* NUL padded; "" in a clock record */
	char source[SOURCE_MAX]; /* NUL padded; "": whoever runs the feed */
	/*
	 * type is RECORD_TICK or RECORD_CLOCK.  recv_ns and source_id are 0;
	 * symbol_id is the simulator's index of the symbol, else 0.
	 */
	struct record rec;
	int64_t arrival_ns; /* when it would arrive, on the feed's own time line */
	uint32_t defects;   /* enum feed_defect, OR-ed; 0 from files */
};

/**
 * Where a feed delivers.  A callback returns 0 to go on; anything else stops
 * the step and is forwarded unchanged by it.
 */
struct feed_sink {
	void *arg;
	int (*tick)(void *arg, const struct feed_tick *t);
	int (*bad)(void *arg, uint64_t line, const char *why);
	int (*clock)(void *arg, int64_t ns);
};

struct feed_counts {
	uint64_t lines; /* records read, the header not counted */
	uint64_t ticks;
	uint64_t bad;
};
