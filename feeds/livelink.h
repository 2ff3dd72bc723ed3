/*
 * livelink - the states of one connection to a vendor's stream, and nothing else: no
 * socket, no clock, no vendor.  What happens goes in as events, what is to be done
 * comes out as an action.
 *
 *	IDLE --start--> DIALLING --> OPEN --> AUTH --> SUBSCRIBING --> ON <--> MUTE
 *	                   ^           |        |          |           |        |
 *	                   |           +--------+-- lost --+-----------+--------+
 *	                   +-- again -- WAITING <--+
 *	                   +-- again -- FAILED  <----- refused (credentials, plan)
 *
 * ON is judged by what arrives, not by TCP: without data for mute_ns it is MUTE,
 * after as long again the connection is given up.  Silence counts only while data is
 * expected (livelink_expect(): the market is open, or a heartbeat is due).
 *
 * WAITING backs off from wait_min_ns by doubling to wait_max_ns, each wait drawn from
 * its upper half, and begins anew after a connection that was ON with data for
 * stable_ns.  FAILED waits failed_ns: a refused key is not hammered.
 *
 * One thread; time is the caller's (monotonic).
 */
#pragma once
#include "feeds/rng.h"
#include <stdbool.h>
#include <stdint.h>

#define LINK_WHY_MAX 240

#define LINK_STATES(X)                                                                 \
	X(IDLE, "idle", "not started, or stopped")                                     \
	X(DIALLING, "dialling", "the connection is being made")                        \
	X(OPEN, "open", "connected, nothing said yet")                                 \
	X(AUTH, "auth", "credentials sent")                                            \
	X(SUBSCRIBING, "subscribing", "subscription sent, not confirmed")              \
	X(ON, "live", "data arrives")                                                  \
	X(MUTE, "mute", "connected, but no data arrives")                              \
	X(WAITING, "waiting", "dials again after a pause")                             \
	X(FAILED, "failed", "refused by the vendor; tries again after a long pause")

#define X(id, label, help) LINK_##id,
enum link_state { LINK_STATES(X) LINK_STATES_N };
#undef X

#define LINK_EVENTS(X)                                                                 \
	X(START, "start")                                                              \
	X(STOP, "stop")                                                                \
	X(CONNECTED, "connected")                                                      \
	X(AUTHENTICATES, "authenticates") /* the session has sent its credentials */   \
	X(SUBSCRIBES, "subscribes")                                                    \
	X(FLOWS, "flows") /* the subscription is confirmed */                          \
	X(DATA, "data")   /* a tick, or a heartbeat of the vendor's */                 \
	X(LOST, "lost")   /* ended, garbled, limited: trying again helps */            \
	X(REFUSED, "refused")                                                          \
	X(EXCUSED, "excused") /* silence is no sign any more */                        \
	X(LATE, "late")       /* the state's time is up: from livelink_step() alone */

#define X(id, label) LINK_EV_##id,
enum link_event { LINK_EVENTS(X) LINK_EVENTS_N };
#undef X

enum link_action { LINK_NOTHING = 0, LINK_DIAL, LINK_HANG_UP };

/** Zero takes the default in brackets. */
struct link_params {
	int64_t stage_ns;    /* each of DIALLING, OPEN, AUTH, SUBSCRIBING [10 s] */
	int64_t mute_ns;     /* silence that is no accident [15 s] */
	int64_t wait_min_ns; /* [500 ms] */
	int64_t wait_max_ns; /* [60 s] */
	int64_t stable_ns;   /* [60 s] */
	int64_t failed_ns;   /* [10 min] */
	uint64_t seed;       /* of the jitter */
};

struct link_counts {
	uint64_t entered[LINK_STATES_N];
	uint64_t late[LINK_STATES_N]; /* left because its time was up */
	uint64_t lost;
	uint64_t refused;
	uint64_t ignored; /* events that mean nothing in their state */
};

struct livelink {
	struct link_params params;
	enum link_state state;
	int64_t since_ns;       /* when the state was entered */
	int64_t due_ns;         /* when its time is up; INT64_MAX: never */
	int64_t data_ns;        /* newest data, or since when it is expected */
	int64_t on_ns;          /* when this connection became ON; 0: not yet */
	bool had_data;          /* ... and some came */
	bool is_expected;       /* silence counts */
	uint32_t attempts;      /* in a row that came to nothing */
	char why[LINK_WHY_MAX]; /* of the last time it was lost or refused */
	struct rng rng;
	struct link_counts counts;
};

const char *livelink_state_name(enum link_state s);
const char *livelink_event_name(enum link_event e);
const char *livelink_state_help(enum link_state s);

void livelink_init(struct livelink *l, const struct link_params *p, int64_t now_ns);
/** Something happened; @why (may be NULL) is kept with LOST and REFUSED. */
enum link_action livelink_event(struct livelink *l, enum link_event e, const char *why,
				int64_t now_ns);
/** Is data to be expected from now on? */
enum link_action livelink_expect(struct livelink *l, bool is_expected, int64_t now_ns);
/** What is due at @now_ns. */
enum link_action livelink_step(struct livelink *l, int64_t now_ns);
/** DIALLING to MUTE: there is a connection, or one is being made. */
bool livelink_is_connected(enum link_state s);
