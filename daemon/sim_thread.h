/*
 * sim_thread - runs the simulated exchange as a producer inside the daemon.
 *
 * Its ticks go the way of everybody's: ingest requests, judged and acknowledged
 * by the store thread, one open at a time.  With the feed clock
 * the same seed gives the same log: after a restart it skips what the log
 * already holds (its producer sequence says how much) and goes on.
 */
#pragma once
#include "daemon/config.h"
#include "daemon/store_thread.h"

struct sim_thread;

/** @last_seq: highest sequence of producer sim_thread_producer() in the log. */
int sim_thread_new(const struct config *c, struct store_thread *store,
		   uint64_t last_seq, struct sim_thread **out);
void sim_thread_free(struct sim_thread *s);
int sim_thread_start(struct sim_thread *s);
/** No further ticks; what is open is still answered.  Joins. */
void sim_thread_stop(struct sim_thread *s);
/** "sim": the name under which it sends with the feed clock. */
const char *sim_thread_producer(const struct config *c);
