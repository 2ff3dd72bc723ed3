/*
 * subscription - one subscriber's view of the per-symbol buffers.
 *
 * A subscription has a filter, a policy and a cursor per symbol; its thread polls
 * sub_read().  Events of one symbol come in order; between symbols it takes turns,
 * so that a busy symbol does not hide the quiet ones.  What a subscriber does not
 * get is told and counted:
 *
 *	POLICY_LAG       a reader that was overtaken is told how many it lost
 *	POLICY_CONFLATE  only the newest wanted event of a symbol; skipped ones count
 *	POLICY_BLOCK     nothing is lost: the publisher is refused until there is
 *	                 room (batch replay only: it stops everybody)
 *
 *	   worker: append, then mark            reader: take the mark, then read
 *	   buffer[7] <- event                   dirty[7] = 0
 *	   dirty[7] = 1                         read buffer[7] until it is empty
 *
 * Subscriptions are made and ended by bus_subscribe() and bus_unsubscribe().
 */
#pragma once
#include "bus/filter.h"
#include "bus/symbuf.h"

struct sub;

enum sub_policy { POLICY_LAG, POLICY_CONFLATE, POLICY_BLOCK };

enum {
	SUB_EMPTY = 1, /* nothing new */
	SUB_LAPPED,    /* events of one symbol were lost: *out_lost */
};

/** Where losses are counted, per kind and per symbol; the bus's, shared. */
struct sub_tally {
	_Atomic uint64_t lapped[EVENT_KINDS];
	_Atomic uint64_t conflated[EVENT_KINDS];
	_Atomic uint64_t *symbol_lapped; /* owned by the bus */
	_Atomic uint64_t *symbol_conflated;
};

struct sub_counts {
	uint64_t read;
	uint64_t lapped;
	uint64_t conflated;
};

/**
 * The next event that the filter wants.  0, SUB_EMPTY, or SUB_LAPPED with
 * @out->symbol_id and @out->kind saying of what, and *@out_lost how many (read
 * again).  The subscriber's thread.
 */
int sub_read(struct sub *s, struct symbuf_event *out, uint64_t *out_lost);
/** What this subscription has had and lost; its own thread. */
const struct sub_counts *sub_counts(const struct sub *s);

/* ---- for bus.c ---- */

struct sub_env {
	struct symbuf *buf;      /* borrowed */
	struct sub_tally *tally; /* borrowed */
	uint32_t symbols_max;
};

int sub_new(const struct sub_env *env, const struct filter *filter,
	    enum sub_policy policy, struct sub **out);
void sub_free(struct sub *s);
/** From now on: to be called when workers mark it already. */
void sub_begin(struct sub *s);
/** A worker has appended an event. */
void sub_mark(struct sub *s, enum event_kind kind, uint32_t symbol);
/**
 * Would one more event of @symbol, after @published of them, overtake this
 * blocking subscriber?  The publisher's thread.
 */
bool sub_is_behind(const struct sub *s, uint32_t symbol, uint64_t published);
enum sub_policy sub_policy(const struct sub *s);
