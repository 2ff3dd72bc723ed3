/*
 * check - the one invariant checker: is what happened (chronicle.h) what was promised?
 *
 * Each rule is a sentence that must hold; every breach is a line of text.  Rules work
 * from the outside: from what was sent, answered, received, and from the log as it is
 * at the end.  Bars and correlations are computed here a second time, slowly, by code
 * that shares nothing with workers/.
 */
#pragma once
#include "tests/check/chronicle.h"

#define CHECK_RULES(X)                                                                 \
	X(ACKED, "what was acknowledged is in the log, where it was said to be")       \
	X(LOSS, "only what normal durability may lose was lost, and it was reported")  \
	X(POSITION, "a position is used once; the log has no other holes than losses") \
	X(SENT, "what is in the log was sent, as it was sent")                         \
	X(ONCE, "a producer's sequence is in the log once")                            \
	X(ORDER, "a producer's ticks are in the log in its order")                     \
	X(REJECTED, "what was refused is not in the log")                              \
	X(SUMS,                                                                        \
	  "every tick has one outcome, and the sums of replies and counters agree")    \
	X(EPOCH, "epochs never fall")                                                  \
	X(GIVEN,                                                                       \
	  "a subscriber is given every stream in order, no hole, nothing twice")       \
	X(SAME, "one sequence of a stream has one content")                            \
	X(COMPLETE, "a complete subscriber has everything")                            \
	X(TICKS, "tick events are the ticks of the log")                               \
	X(BEAT, "a heartbeat names the newest event published")                        \
	X(REVISION, "revisions rise by one, final is the last")                        \
	X(BARS, "a final bar is what its ticks make")                                  \
	X(CONSERVE, "every tick is in exactly one final bar per timeframe")            \
	X(VERSION, "versions of a matrix rise by one")                                 \
	X(MATRIX, "a matrix has a diagonal of 1, cells in [-1, 1], and its hash")      \
	X(CELLS, "a correlation is that of the returns of the bars")                   \
	X(CHAIN, "every derived event is linked to the one before it")                 \
	X(DERIVED, "derived events are byte for byte those of an uninterrupted run")

#define X(id, text) CHECK_##id,
enum check_rule { CHECK_RULES(X) CHECK_N };
#undef X

struct check_report {
	uint32_t n[CHECK_N]; /* breaches */
	uint32_t total;
	uint64_t looked[CHECK_N]; /* things a rule looked at: 0 tells that it rested */
	struct buf text;          /* the first of each rule, a line each */
};

/** The sentence of a rule, and its short name ("BARS"). */
const char *check_sentence(enum check_rule rule);
const char *check_name(enum check_rule rule);
/** Zero @out first; total is 0 when all is well. */
void check_chronicle(const struct chronicle *c, struct check_report *out);
void check_report_free(struct check_report *r);
