/*
 * analysis_child - one process that computes one job, from its start to its end.
 *
 *	daemon                                     tickbusctl work
 *	  │── what to do: a word a line, an empty one, holdings ──> standard input
 *	  │<── progress, a line per row ───────────────────────────    (the same)
 *	  │<── the result, into a file that the daemon opened ───── standard output
 *	  └<── sentences about what went wrong ──────────────────── standard error
 *
 * It has a process group of its own, which ends with it, and bounds itself (memory,
 * size of the result, nice) before it reads a word.  It asks the daemon's admin socket
 * for data as any command does, so what it makes is what the command makes.  When the
 * daemon dies it is killed by the kernel.
 */
#pragma once
#include "daemon/analysis_line.h"
#include <stdatomic.h>

struct analysis_child {
	const char *program; /* a path, or looked for in PATH */
	const char *admin;   /* the daemon's socket */
	uint64_t memory_bytes;
	uint64_t result_bytes;
	uint32_t nice;
	int64_t limit_ns;
	int result_fd;
	const struct buf *order;  /* what it is to do, on the wire */
	const atomic_bool *stop;  /* [2]: kill it when one of them is set */
	const atomic_bool *stop2; /* ... */
	/** A row was told of; not 0: the process makes no sense, end it. */
	analysis_line_fn line;
	/** Some times a second. */
	void (*idle)(void *arg);
	void *arg;
};

/** How it ended. */
enum {
	ANALYSIS_ENDED = 0, /* with exit status 0 or 1: it has done what it could */
	ANALYSIS_REFUSED,   /* with another: it will say so again */
	ANALYSIS_DIED, /* by a signal, or it talked nonsense: may go well next time */
	ANALYSIS_STOPPED, /* because we wanted it */
	ANALYSIS_LATE,    /* it took longer than limit_ns */
};

#define ANALYSIS_WHY_MAX HISTJOBS_REASON_MAX

/** Blocks until it is gone.  One of the above with a sentence in @why ("" for ENDED,
    STOPPED), or < 0: it could not be started. */
int analysis_child_run(const struct analysis_child *c, char why[ANALYSIS_WHY_MAX]);
