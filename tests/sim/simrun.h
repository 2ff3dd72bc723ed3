/*
 * simrun - one simulation: a daemon, its producers and subscribers on one thread. A
 * seeded scheduler picks who does a step next; time is virtual; the disk loses power.
 *
 *	safety     crashes at any step or disk operation, failing writes, a full disk,
 *	           lost messages
 *	healing    no more faults; producers finish, subscribers fill their holes:
 *within a bounded number of steps, or that is the finding the end    time moves on
 *until every bar is final; the log is read, an uninterrupted run derives everything
 *from it anew
 *
 * The chronicle then holds what the checker needs.  The same options give the same
 * trace, a hash over every decision and everything heard.
 */
#pragma once
#include "tests/check/chronicle.h"
#include "tests/kill/fault_disk.h"

struct simrun_options {
	uint64_t seed;
	const char *dir; /* where the state lives; emptied by each run */
	uint32_t ticks;  /* of all producers; 0: by the seed */
	bool no_faults;
	/* Not by the seed, but all of this kind: */
	bool power_only;    /* one cut, after cut_after disk operations */
	uint64_t cut_after; /* UINT64_MAX: none */
	enum power_loss cut_model;
	bool is_normal;
	bool say; /* what happens, on stderr */
};

struct simrun_result {
	uint64_t trace;
	uint64_t steps;
	uint64_t disk_ops;
	uint32_t crashes, power_cuts, faults;
	uint32_t restored; /* starts from a snapshot */
	char failure[300]; /* "": none; what the run itself found wrong */
};

/** @c must be empty (chronicle_init). */
void simrun(const struct simrun_options *o, struct chronicle *c,
	    struct simrun_result *out);
