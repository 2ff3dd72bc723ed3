/*
 * dispatch - carries committed records from the log to the bus, in order.
 *
 * A tick goes to its symbol; clock, control and source items and marks are barriers
 * and go to every shard.  The cursor is a log position: what the bus does not take
 * now (the symbol has its limit in flight, a ring is full, the bus is stopped) is
 * read from the log later, so neither a slow worker nor a stopped bus holds up the
 * log, and nothing is lost.
 * Derived in band here, as functions of the log: the TICK_RECEIVED sequence of
 * every symbol, the liveness of sources (one RECORD_SOURCE item to every worker
 * when a source's event time enters a new second), the sentiment of articles, which do
 * not go to the workers, and marks.
 *
 * Runs on the store thread, which owns the log and is the bus's publisher.
 */
#pragma once
#include "base/role.h"
#include "base/state.h"
#include "bus/bus.h"
#include "bus/outbox.h"
#include "bus/symtab.h"
#include "bus/trace.h"
#include "daemon/tick_index.h"
#include "proto/record.h"
#include "store/tickstore.h"
#include "workers/newsroom.h"

#define WORKERS_MAX 64

struct dispatch;

struct dispatch_env {
	struct tickstore *store;      /* borrowed */
	const struct symtab *symbols; /* borrowed */
	struct bus *bus;              /* borrowed; of struct item, a shard per worker */
	struct outbox *ticks; /* borrowed; to the loop: EVENT_TICK, EVENT_NEWS and, with
				 the position up to which all were sent, WORKER_MARK */
	struct newsroom *news;   /* taken */
	void (*bell)(void *arg); /* after ticks were published */
	/** A symbol's news are held back from @pos on; 0: no longer.  NULL: who asks?
	 */
	void (*held)(void *arg, uint32_t symbol_id, uint64_t pos);
	void *arg;
	struct tick_index *index; /* borrowed; NULL: nobody asks */
	struct trace *trace;      /* borrowed; NULL: no traces */
	uint32_t symbols_max;
	uint64_t from_pos;   /* first position to carry */
	uint64_t replay_end; /* up to here ticks were published in another life */
};

int dispatch_new(const struct dispatch_env *env, struct dispatch **out);
void dispatch_free(struct dispatch *d);
/** Carry up to @budget records; 0: nothing to do or no room. < 0: the log failed. */
ON_STORE int dispatch_step(struct dispatch *d, unsigned budget);
/** The next position to carry. */
ANY_THREAD uint64_t dispatch_pos(const struct dispatch *d);
/** Time of the newest clock record carried; INT64_MIN: none yet. */
ON_STORE int64_t dispatch_clock(const struct dispatch *d);
/** The TICK_RECEIVED event of a tick's item. */
ANY_THREAD void dispatch_tick(const struct symtab *symbols, const struct item *it,
			      struct event_tick *out);
/**
 * Tell every worker to save its state as it is behind the last record carried; false:
 * not now, there is no room.
 */
ON_STORE bool dispatch_snapshot(struct dispatch *d);
/** From now on a step ends with a clock record, or not; true: the last one did. */
ON_STORE bool dispatch_stop_at_clock(struct dispatch *d, bool stop);
/** Save or load sequences, positions of the newest ticks, sources and the clock. */
ON_STORE void dispatch_state(struct state *st, struct dispatch *d);
/** The news: their state, for who saves, loads or renumbers it. */
ON_STORE struct newsroom *dispatch_news(struct dispatch *d);
/** Forget what dispatch_state() loaded, and the news. */
ON_STORE void dispatch_reset(struct dispatch *d);
/** Count the @n records from @pos on without carrying them.  0 or -EBADMSG. */
ON_STORE int dispatch_pass(struct dispatch *d, uint64_t pos, const struct record *recs,
			   uint32_t n);
/** After loading: go on behind @pos. */
ON_STORE void dispatch_seek(struct dispatch *d, uint64_t pos);
/** Log position of the newest tick of a symbol; 0: none. */
ON_STORE uint64_t dispatch_tick_pos(const struct dispatch *d, uint32_t symbol_id);
/** By symbol id: the same, and its sequence (0: none), for all symbols. */
ON_STORE void dispatch_newest(const struct dispatch *d, const uint64_t **out_pos,
			      const uint64_t **out_seq);
/** Last TICK_RECEIVED sequence of a symbol. */
ON_STORE uint64_t dispatch_tick_seq(const struct dispatch *d, uint32_t symbol_id);
