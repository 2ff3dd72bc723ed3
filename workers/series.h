/*
 * series - the bars of one (symbol, timeframe, price type): opens them along the grid,
 * publishes them when they are due, again when they change, and a last time as final.
 *
 *	   tail                                       head
 *	    |                                           |
 *	final, gone | emitted, may be revised ... | open, not yet emitted | next
 *	            ^                             ^
 *	   `base` stands here            `tip` stands here     (states of clean)
 *
 * With L the log time of the symbol: a bar is emitted first when L >= bar_end + grace,
 * revised at once when its ticks change after that, and final when L >= bar_end + the
 * revision window.  An emission that is final already carries the flag; otherwise a
 * last one with CAUSE_FINAL does.  A revision that moves a return, a flag or a spread
 * of later emitted bars makes revisions of those too, with the same cause.
 *
 * Every bar of the grid comes, with or without ticks, from the series' first bar on,
 * until missing_run_max of them in a row had no tick: then the grid ends (SYMBOL_GAP)
 * and begins anew with the next tick.  So no call does more than missing_run_max bars
 * of work, however far a tick or a clock record is ahead.
 *
 * A series begins with its first tick.  Ticks of earlier bars are taken until its first
 * bar has been emitted; then they are late.  The first bar is marked BAR_PARTIAL, and
 * so is the first after a hole: ticks of it may have gone by before we looked.  It is
 * valid data all the same.
 */
#pragma once
#include "bus/symtab.h"
#include "workers/bars_counts.h"
#include "workers/out.h"
#include "workers/slot.h"
#include "workers/source_life.h"

/** What the series of one symbol share; what every tick needs comes first. */
struct series_env {
	int64_t log_ns;        /* log time of the symbol */
	uint64_t pos;          /* of the record being applied */
	int64_t recv_ns;       /* of the same */
	const struct out *out; /* during a call */
	const struct symbol_params *sp;
	const struct params *params;
	uint16_t source_id; /* of the symbol's newest tick */
	bool halted;
	bool faulted; /* out of memory: stands still */
	uint32_t symbol_id;
	struct history trades; /* owned; only when a `last` series wants them */
	struct history quotes; /* owned; only when the spread is wanted */
	struct bars_counts counts;
	const struct symtab *sources;
	const struct source_life *life;
	int64_t final_ns; /* after bar_end */
	uint64_t seq;     /* of bars */
	uint64_t status_seq;
	char symbol[SYMBOL_MAX];
};

struct series {
	struct slot *head; /* the newest slot; NULL: none held */
	int64_t due_ns;    /* log time of the next emission; INT64_MAX: none */
	uint8_t price_type;
	bool begun;
	bool dormant; /* the grid has ended until the next tick */
	uint32_t timeframe_s;
	struct slot *slots; /* owned; ring */
	uint32_t cap;
	uint32_t first;
	uint32_t n;
	uint32_t n_emitted;
	uint32_t missing_run;
	struct span next; /* expected after the newest */
	struct grid grid;
	struct clean base;
	struct clean tip;
};

void series_init(struct series *s, const struct symbol_params *sp,
		 struct session *session, uint32_t timeframe_s, uint8_t price_type);
void series_deinit(struct series *s);

/** The slot of @event_ns if it is the open one: the usual case. */
static inline struct slot *series_open_slot(const struct series *s, int64_t event_ns)
{
	struct slot *h = s->head;

	return h != NULL && event_ns >= h->span.start_ns && event_ns < h->span.end_ns &&
			       !h->emitted
		       ? h
		       : NULL;
}

/**
 * The slot of any moment inside the session; opens what is missing up to it.  NULL:
 * its bar is final, or the series has no grid there and @starts is false.
 */
struct slot *series_slot(struct series *s, struct series_env *env, int64_t event_ns,
			 bool starts);
/** After a change to @slot; publishes it again if it was published before. */
void series_changed(struct series *s, struct series_env *env, struct slot *slot,
		    enum bar_cause cause);
/** Publish everything that is due at env->log_ns. */
void series_advance(struct series *s, struct series_env *env);
/** The slot that holds @event_ns, or NULL; opens nothing. */
struct slot *series_find(struct series *s, int64_t event_ns);
/** Mark bars that end after @event_ns as halted, or those that begin then as not. */
void series_halt(struct series *s, struct series_env *env, int64_t event_ns,
		 bool halted);
/** The symbol was paused: no grid until the next tick. */
void series_restart(struct series *s);
/** A status event of the symbol. */
void series_status(struct series_env *env, enum symbol_state state, uint64_t detail,
		   const char *text);
