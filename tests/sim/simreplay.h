/*
 * simreplay - what an uninterrupted run derives from the log of a chronicle: its
 * records go one by one through shards and tier 2, without bus, threads, store or
 * restarts.
 */
#pragma once
#include "tests/check/chronicle.h"
#include "workers/params.h"

/** Fills chronicle.expected from chronicle.records. */
void simreplay(struct chronicle *c, const struct params *params, uint32_t n_workers);
