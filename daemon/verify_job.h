/*
 * verify_job - a verification in a running daemon, on a thread of its own; one at a
 * time.  It reads through the store thread a bounded piece at a time, at low priority.
 */
#pragma once
#include "base/role.h"
#include "daemon/verify.h"

struct daemon;
struct verify_job;

/**
 * Begin; @from 0: as early as possible, @to UINT64_MAX: up to what is stored now.
 * 0; -EBUSY: one is running; -ENOMEM; a thread that could not be started.
 */
ON_LOOP int verify_job_start(struct daemon *d, uint64_t from, uint64_t to,
			     uint32_t n_workers);
/** Cancel the one that runs, if any, wait for its end and forget it. */
ON_LOOP void verify_job_end(struct daemon *d);
/** Number of the newest, from 1; 0: there was none. */
ON_LOOP uint64_t verify_job_id(const struct verify_job *j);
ON_LOOP struct verify_progress *verify_job_progress(struct verify_job *j);
/** What it found; NULL: it is still running. */
ON_LOOP const struct verify_result *verify_job_result(struct verify_job *j);
