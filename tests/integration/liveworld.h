/*
 * liveworld - a vendor, a network and a log around the LIVE thread's code, stepped on
 * one thread by a seed and a virtual clock.
 *
 * Real: daemon/live_*.c, feeds/livelink, known, ledger, the intake and the store.
 * Modelled: ws.h (messages with a delay, cuts, black holes), store_thread.h (a queue of
 * jobs that may be full), the vendor's stream and its history (pages, late, failing).
 */
#pragma once
#include "daemon/live_parts.h"
#include "feeds/rng.h"
#include <stdbool.h>
#include <stdint.h>

#define WORLD_SYMBOLS  4
#define WORLD_TICKS    20000
#define WORLD_ARTICLES 8000

struct world_tick {
	uint32_t symbol;
	bool is_trade;
	int64_t event_ns;
	uint64_t seq;
};

/** What the vendor of a polled feed has published. */
struct world_article {
	int64_t at_ns;    /* the time that stands on it */
	int64_t seen_ns;  /* from then on the vendor says it */
	int64_t fixed_ns; /* from then on its text is another */
	uint32_t symbols[2], n_symbols;
};

struct world {
	struct rng rng;
	struct world_article articles[WORLD_ARTICLES];
	size_t n_articles;
	struct world_tick market[WORLD_TICKS];
	size_t n_market;
	int64_t first_on_ns; /* when the stream first flowed; 0: not yet */
	struct live_thread *live;
	/* chances per step, of 10,000 */
	uint32_t cut, hole, crash, page_fails, forbidden, full, refused;
	int64_t skew_ns; /* the vendor's clock is ahead of ours by so much */
	bool is_slow;    /* the market: a tick in half a second */
	uint64_t cuts, holes, crashes, dials;
};

/** A world of its own in a fresh directory.  Of odd seeds the refills come so soon that
    ticks of the stream may be later than they. */
struct world *world_new(uint64_t seed, bool quotes);
/** The same of a feed whose news are polled: its market are articles. */
struct world *world_new_polled(uint64_t seed);
void world_free(struct world *w);
/** Some milliseconds: the market ticks if @trades, faults happen, all take a turn. */
void world_step(struct world *w, bool trades);
/** No more faults; a mute that has begun goes on to its end. */
void world_heal(struct world *w);
/** The vendor's stream says nothing for so long, its connection stands. */
void world_mute(struct world *w, int64_t ns);
/** kill -9 and a new start. */
void world_crash(struct world *w);
/** How often the log holds each tick of the market; aborts on a tick that is none. */
void world_count(struct world *w, uint32_t counts[WORLD_TICKS]);
/** Every article of the log, in its order: @number in `articles`, which text. */
void world_articles(struct world *w,
		    void (*fn)(void *arg, size_t number, bool is_fixed), void *arg);
struct live_feed *world_feed(struct world *w);
const char *world_symbol(size_t i);
