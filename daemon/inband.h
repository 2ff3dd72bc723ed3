/*
 * inband - what is derived on the way from the log to the workers, as a function of
 * the records alone: the TICK_RECEIVED sequence of every symbol, the liveness of
 * sources (a RECORD_SOURCE item before the record that enters a new second of its
 * source's event time), and the newest clock record.
 *
 * The dispatcher (live) and the re-run (proof) walk the log by these same few steps,
 * for each record: inband_source(), inband_seq(), then, once it is on its way,
 * inband_passed().
 *
 * One thread at a time.
 */
#pragma once
#include "base/clock.h"
#include "base/state.h"
#include "proto/record.h"
#include <stdbool.h>
#include <stdint.h>

struct inband {
	uint64_t *tick_seq;   /* owned; by symbol id */
	uint64_t *tick_pos;   /* owned; by symbol id: position of its newest tick */
	int64_t *source_next; /* owned; by source: event time of its next second */
	int64_t clock_ns;     /* of the newest clock record; INT64_MIN: none yet */
	uint32_t symbols_max;
};

/** 0 or -ENOMEM. */
int inband_init(struct inband *b, uint32_t symbols_max);
void inband_deinit(struct inband *b);
/** As before the first record. */
void inband_reset(struct inband *b);
/** Save or load; @n_symbols: how many symbols are known (saving). */
void inband_state(struct state *st, struct inband *b, uint32_t n_symbols);
/** 0, or -EBADMSG: the record at @pos names a symbol beyond symbols_max. */
int inband_check(const struct inband *b, uint64_t pos, const struct record *r);

/**
 * Must every worker first be told that the source of @r lives?  (An article is no proof
 * that its source sends ticks.)  Then *@out is the
 * record to tell it by, and inband_source_told() follows once that is on its way.
 */
static inline bool inband_source(const struct inband *b, const struct record *r,
				 struct record *out)
{
	if (r->source_id == 0 || r->type == RECORD_NEWS ||
	    r->event_ns < b->source_next[r->source_id])
		return false;
	*out = (struct record){.event_ns = r->event_ns,
			       .recv_ns = r->recv_ns,
			       .source_id = r->source_id,
			       .type = RECORD_SOURCE};
	return true;
}

static inline void inband_source_told(struct inband *b, const struct record *r)
{
	b->source_next[r->source_id] = (r->event_ns / NS_PER_S + 1) * NS_PER_S;
}

/** The sequence of a tick; 0 for what is none. */
static inline uint64_t inband_seq(const struct inband *b, const struct record *r)
{
	return r->type == RECORD_TICK ? b->tick_seq[r->symbol_id] + 1 : 0;
}

/** The record at @pos is on its way. */
static inline void inband_passed(struct inband *b, uint64_t pos, const struct record *r)
{
	if (r->type == RECORD_TICK) {
		b->tick_seq[r->symbol_id]++;
		b->tick_pos[r->symbol_id] = pos;
	} else if (r->type == RECORD_CLOCK) {
		b->clock_ns = r->event_ns;
	}
}
