/*
 * known - which ticks of one source are in the log already, so that what comes twice,
 * by the stream and from the vendor's history, is logged once.
 *
 * A tick's identity is made of its symbol, what it is (trade or quote, new, cancel or
 * correction) and its source_seq, which a vendor's adapters give to the same tick
 * whichever way it comes; not of its time, which some streams give in milliseconds
 * and their history in nanoseconds.  A tick without source_seq is told by its values.
 *
 * Two ticks may be equal (a quote repeated): identities are counted.  A refill asks
 * for each of its rows whether so many of it are known:
 *
 *	log holds  A A B        history says  A A A B C      new:  A (the third), C
 *
 * and a tick that the stream brings late, after a refill has brought it, is known too.
 *
 * Bounded by @max; one thread.
 */
#pragma once
#include "proto/record.h"
#include "proto/symbol.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct known;

/** @symbol: NUL padded to SYMBOL_MAX, or shorter and NUL-terminated. */
uint64_t known_id(const char *symbol, const struct record *r);

/** 0 or -ENOMEM.  @max identities; beyond that is_overfull and no more are added. */
int known_new(size_t max, struct known **out);
void known_free(struct known *k);
size_t known_count(const struct known *k);
/** Some could not be taken since the last known_keep(): what they say is not all. */
bool known_is_overfull(const struct known *k);

/** It is in the log (read from there). */
void known_seed(struct known *k, uint64_t id, int64_t event_ns);
/** The stream brings it.  true: a refill has brought it before, drop it. */
bool known_live(struct known *k, uint64_t id, int64_t event_ns);
/** A refill begins, or begins again from its first row. */
void known_refill_begin(struct known *k);
/** The refill brings it.  true: it is in the log, drop it. */
bool known_refill(struct known *k, uint64_t id, int64_t event_ns);

/** Forget the ticks of times that nobody will ask about. */
void known_keep(struct known *k, bool (*keep)(void *arg, int64_t event_ns), void *arg);
