/*
 * chronicle - what happened in a test, as those outside saw it: requests and replies of
 * producers, events and heartbeats of subscribers, lives of the daemon, and at the end
 * the log.  The invariant checker (check.h) judges it; the simulation makes it in
 * memory, scripts write it as a file (chronicle_file.h).
 *
 * Everything is copied in.  Calls are in the order of the happenings.  Running out of
 * memory aborts.
 */
#pragma once
#include "base/buf.h"
#include "proto/event.h"
#include "proto/frame.h"
#include <stdbool.h>

#define CHRONICLE_NAME_MAX   48
#define CHRONICLE_PEERS_MAX  256 /* producers, and subscribers */
#define CHRONICLE_FRAMES_MAX 8   /* timeframes */

/** What the rules must know of the configuration; zeroed: those rules rest. */
struct chronicle_config {
	bool is_normal; /* durability */
	int64_t sync_interval_ns;
	uint32_t timeframes_s[CHRONICLE_FRAMES_MAX]; /* bars of last prices, no session
						      */
	uint32_t n_timeframes;
	int64_t grace_ns;
	int64_t revision_window_ns;
	int64_t time_window_ns; /* ticks further off than this may be refused; 0: none
				 */
	/* One universe of all symbols, pearson; window 0: none. */
	uint32_t universe_timeframe_s;
	uint32_t universe_window;
	uint32_t universe_min_obs;
};

/** How a life of the daemon ended. */
enum chronicle_end {
	CHRONICLE_RUNS = 0,
	CHRONICLE_STOPPED,
	CHRONICLE_KILLED,
	CHRONICLE_POWER
};

struct chronicle_life {
	uint64_t order;
	int64_t start_ns;
	int64_t end_ns;
	uint64_t epoch;
	uint64_t last_pos;              /* of the log as it was found */
	uint64_t lost_first, lost_last; /* reported as lost at the start; 0: nothing */
	enum chronicle_end end;
};

/** A request and its reply; both in bytes. */
struct chronicle_call {
	uint64_t order;
	uint32_t producer;
	bool answered;
	int64_t sent_ns;
	int64_t answered_ns;
	size_t request_at, request_len;
	size_t reply_at, reply_len;
};

/** How an event came, OR-ed: to the user, in order; and by the live stream. */
enum { CHRONICLE_SEEN = 0, CHRONICLE_GIVEN = 1, CHRONICLE_LIVE = 2 };

struct chronicle_event {
	uint64_t order;
	uint64_t epoch;
	uint32_t subscriber;
	uint8_t how;
	uint8_t kind;
	size_t at, len; /* struct event_x; a matrix with members and triangle */
};

struct chronicle_beat {
	uint64_t order;
	uint64_t epoch;
	uint32_t subscriber;
	uint8_t kind;
	struct frame_heartbeat beat;
};

struct chronicle_record {
	uint64_t pos;
	uint64_t seq;      /* of the producer */
	uint32_t producer; /* CHRONICLE_DAEMON: the daemon's own */
	struct record rec;
};
#define CHRONICLE_DAEMON UINT32_MAX

struct chronicle_peer {
	char name[CHRONICLE_NAME_MAX];
	bool is_complete; /* subscriber: has everything at the end */
};

/** The daemon's counters of a run without a crash. */
struct chronicle_counters {
	uint64_t accepted, rejected[REJECT_N];
};

struct chronicle {
	struct chronicle_config config;
	struct buf bytes;
	struct chronicle_peer producers[CHRONICLE_PEERS_MAX];
	struct chronicle_peer subscribers[CHRONICLE_PEERS_MAX];
	uint32_t n_producers, n_subscribers;
	struct chronicle_life *lives; /* owned, as all below */
	struct chronicle_call *calls;
	struct chronicle_event *events;
	struct chronicle_beat *beats;
	struct chronicle_record *records; /* the log, by position */
	struct chronicle_event *expected; /* what an uninterrupted run derives */
	size_t n_lives, n_calls, n_events, n_beats, n_records, n_expected;
	size_t max_lives, max_calls, max_events, max_beats, max_records, max_expected;
	char (*symbols)[SYMBOL_MAX]; /* by id */
	char (*sources)[SYMBOL_MAX];
	size_t n_symbols, n_sources;
	bool has_counters;
	struct chronicle_counters counters;
	uint64_t order;
};

void chronicle_init(struct chronicle *h);
void chronicle_free(struct chronicle *h);

uint32_t chronicle_producer(struct chronicle *h, const char *name);
uint32_t chronicle_subscriber(struct chronicle *h, const char *name);

/** A life begins; its end is told by chronicle_ended(). */
void chronicle_started(struct chronicle *h, const struct chronicle_life *life);
void chronicle_ended(struct chronicle *h, enum chronicle_end end, int64_t ns);

/** Index of the call, for its reply. */
size_t chronicle_request(struct chronicle *h, uint32_t producer, int64_t ns,
			 const void *data, size_t len);
void chronicle_reply(struct chronicle *h, size_t call, int64_t ns, const void *data,
		     size_t len);

void chronicle_event(struct chronicle *h, uint32_t subscriber, unsigned how,
		     uint64_t epoch, enum event_kind kind, const void *event,
		     size_t len);
/** All events, or heartbeats, of a frame.  False: it is none. */
bool chronicle_frame(struct chronicle *h, uint32_t subscriber, unsigned how,
		     const void *data, size_t len);

void chronicle_record(struct chronicle *h, const struct chronicle_record *r);
/** Names by their ids, in any order. */
void chronicle_symbol(struct chronicle *h, uint32_t id, const char *name);
void chronicle_source(struct chronicle *h, uint32_t id, const char *name);
void chronicle_expect(struct chronicle *h, enum event_kind kind, const void *event,
		      size_t len);

static inline const void *chronicle_at(const struct chronicle *h, size_t at)
{
	return h->bytes.data + at;
}
