/*
 * spread - the time-weighted quoted spread of one bar, from exact integers.
 *
 *	2 * integral of (ask - bid) dt  /  integral of (ask + bid) dt
 *
 * from the bar's first usable quote to its end: the spread relative to the mid.  A
 * quote holds until the next one of the bar; crossed, locked and one-sided quotes end
 * the one before them and count for nothing.  Quotes of earlier bars do not reach in,
 * so a bar is a function of its own ticks.
 *
 * The integrals are sums over neighbouring pairs of quotes in key order: a quote that
 * comes late replaces one pair by two, and any order of arrival ends in the same sums.
 */
#pragma once
#include "workers/history.h"

struct spread {
	__int128 gap;       /* of (ask - bid) dt, up to `last` */
	__int128 both;      /* of (ask + bid) dt */
	struct past first;  /* the oldest quote by key, as long as none came late */
	struct past last;   /* the newest quote by key */
	uint64_t n;         /* quotes seen; `last` is set */
	uint64_t first_pos; /* smallest position among them */
	uint64_t n_crossed;
};

enum { SPREAD_ADDED = 0, SPREAD_LOST = 1 };

/** Bid below ask, both there and positive. */
bool spread_usable(const struct past *q);
/** Both there, bid not below ask. */
bool spread_crossed(const struct past *q);
/**
 * Take the quote @q, which is in @h already; its neighbours between @start_ns and the
 * end of the bar are looked up there when it is not the newest.  SPREAD_LOST: @h does
 * not reach back far enough to tell them; nothing is changed.
 */
int spread_add(struct spread *s, const struct past *q, const struct history *h,
	       int64_t start_ns);
/** Add the quotes of @from, all of them newer by key than those of @s. */
void spread_append(struct spread *s, const struct spread *from);
/** Take every quote of @h in [@start_ns, @end_ns): for a bar that opens late. */
void spread_adopt(struct spread *s, const struct history *h, int64_t start_ns,
		  int64_t end_ns);
/** NaN without a usable quote that lasted. */
double spread_value(const struct spread *s, int64_t end_ns);
