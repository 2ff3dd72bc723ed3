/*
 * live_board - a notice board: what the LIVE thread last said of each feed, for whoever
 * wants to read it (admin commands, metrics).  The writer never waits for a reader
 * longer than a copy takes.
 */
#pragma once
#include "base/buf.h"
#include "daemon/config.h"
#include "feeds/livelink.h"
#include "feeds/stream.h"
#include <stddef.h>
#include <stdint.h>

struct live_board;

/** One feed, as it is. */
struct live_status {
	char name[CONFIG_FEED_MAX + 1];
	char vendor[32];
	char source[SOURCE_MAX + 1];
	enum link_state state;
	int64_t since_ns;       /* wall clock: in this state */
	bool is_expected;       /* data should come: the market is open */
	bool is_blind;          /* it should, and does not */
	bool is_paused;         /* not read: the log is slower than the stream */
	char why[LINK_WHY_MAX]; /* of the last loss or refusal; "": none */
	struct link_counts link;
	struct stream_counts stream; /* of all connections */
	int64_t good_ns; /* event time up to which the stream is in the log; or
			    INT64_MIN */
	int64_t lag_ns;  /* between the newest tick's event time and its arrival */
	uint64_t symbols;
	uint64_t accepted; /* ticks in the log, refilled ones not counted */
	uint64_t refused;
	uint64_t waiting;  /* for the log */
	uint64_t refilled; /* ticks in the log that a refill brought */
	uint64_t doubles;  /* dropped because the log had them */
	uint64_t refills;  /* questions answered */
	uint64_t refills_failed;
	bool is_polled;     /* asked for, for it has no stream */
	uint64_t polls;     /* rounds of questions */
	uint64_t shortened; /* questions with more pages than are taken */
	uint64_t nameless;  /* articles about none of its symbols */
	uint64_t open;      /* holes */
	uint64_t lost;
};

int live_board_new(size_t n, struct live_board **out);
void live_board_free(struct live_board *b);
size_t live_board_count(const struct live_board *b);
/** @ledger: as ledger_save() writes it; NULL: unchanged. */
void live_board_put(struct live_board *b, size_t i, const struct live_status *s,
		    const struct buf *ledger);
void live_board_get(struct live_board *b, size_t i, struct live_status *out);
/** Add the saved ledger of feed @i to @out. */
void live_board_ledger(struct live_board *b, size_t i, struct buf *out);
