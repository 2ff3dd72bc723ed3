/*
 * publisher - the one place where events leave the daemon.
 *
 * Drains the outboxes of the dispatcher (ticks, news), the workers and tier 2; packs
 * events of one kind into frames; writes each frame once into the kind's
 * broadcast ring and sends it to the kind's PUB socket; encodes JSON while
 * somebody is connected for it; says once a second how far every stream has come.
 *
 *	outboxes -> frame of the kind -> broadcast ring, PUB (SBE)
 *	                              -> JSON lines -> PUB (JSON)
 *	         -> pending, sorted by position -> derived store (for catch-up)
 *
 * Derived events reach the store in log order: an event waits until the marks
 * of every worker have passed its position.  So the store's last position says
 * exactly what need not be published again after a restart.
 *
 * Loop thread.  Never waits for a subscriber; stops draining, and so holds up
 * the workers and in the end only the dispatcher, when the store is slow.
 */
#pragma once
#include "base/histogram.h"
#include "base/role.h"
#include "bus/broadcast.h"
#include "bus/outbox.h"
#include "bus/symtab.h"
#include "bus/trace.h"
#include "daemon/derived.h"
#include "daemon/gate.h"
#include "daemon/serve_pub.h"
#include "proto/event.h"
#include <stdbool.h>

#define PUBLISHER_INPUTS_MAX 80
#define PUBLISHED_KINDS      (EVENT_STATUS + 1) /* tick .. status */

struct publisher;

struct publisher_env {
	struct broadcast *rings[PUBLISHED_KINDS]; /* borrowed; NULL: no such kind */
	struct pub *sbe[PUBLISHED_KINDS];         /* borrowed; NULL: endpoint off */
	struct pub *json[PUBLISHED_KINDS];        /* borrowed; NULL: endpoint off */
	const struct symtab *symbols;             /* borrowed */
	const struct symtab *sources;             /* borrowed */
	uint32_t symbols_max;
	uint64_t epoch;
	int64_t batch_ns; /* an unfilled frame waits this long; 0: until the input is
			     dry */
	struct derived *derived; /* borrowed */
	struct gate *gate;       /* borrowed */
	struct trace *trace;     /* borrowed; NULL: no traces */
};

enum publisher_input { INPUT_TICKS, INPUT_WORKER, INPUT_TIER2 };

ON_LOOP int publisher_new(const struct publisher_env *env, struct publisher **out);
ON_LOOP void publisher_free(struct publisher *p);
ON_LOOP void publisher_add_input(struct publisher *p, struct outbox *o,
				 enum publisher_input what);
/** Drain up to @budget messages; returns how many. */
ON_LOOP size_t publisher_step(struct publisher *p, size_t budget);
/** Send what waits in unfilled frames. */
ON_LOOP void publisher_flush(struct publisher *p);
/** From now on an unfilled frame waits so long. */
ON_LOOP void publisher_set_batch(struct publisher *p, int64_t batch_ns);
/** Show it every event but matrices when it is made; NULL: nobody. */
struct kill_triggers;
ON_LOOP void publisher_set_triggers(struct publisher *p, struct kill_triggers *t);
/** Tell it of every bar; NULL: nobody. */
struct board;
ON_LOOP void publisher_set_board(struct publisher *p, struct board *board);
/** Once a second, after publisher_flush(): it names everything that was framed. */
ON_LOOP void publisher_heartbeat(struct publisher *p);
/** A stream of another life had come to @seq: the next heartbeat says so. */
ON_LOOP void publisher_seed(struct publisher *p, enum event_kind kind,
			    uint32_t symbol_id, uint64_t seq, uint64_t pos);
/** The gate of a kind was opened: the next heartbeat tells of what was held. */
ON_LOOP void publisher_release(struct publisher *p, enum event_kind kind);
/** The newest matrix of a universe in another life, with its tail: @len bytes. */
ON_LOOP void publisher_seed_matrix(struct publisher *p, const struct event_tier2 *e,
				   size_t len);
/** Everything that entered the outboxes up to position @pos has left. */
ON_LOOP bool publisher_reached(const struct publisher *p, uint64_t pos);

/** The newest matrix of a universe ("" or NULL: of any); NULL: none yet. */
ON_LOOP const struct event_tier2 *publisher_matrix(const struct publisher *p,
						   const char *universe, size_t i);
ON_LOOP uint64_t publisher_count(const struct publisher *p, enum event_kind kind);
/** Acceptance to publication of ticks, wall clock ns. */
ON_LOOP const struct histogram *publisher_latency(const struct publisher *p);
/** Last sequence of a stream; tier2 streams are not asked for here. */
ON_LOOP uint64_t publisher_last_seq(const struct publisher *p, enum event_kind kind,
				    uint32_t symbol_id);
