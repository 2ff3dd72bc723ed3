/*
 * offline - the log of a stopped daemon, opened to prove it or to make files of it:
 * `tickbusd --verify` and `tickbusd --replay`.
 *
 * One thread.  The state directory is owned while it is open, exactly as a daemon owns
 * it; no record is added.
 */
#pragma once
#include "daemon/config.h"
#include "daemon/replay_files.h"
#include "store/tickstore.h"

struct offline_options {
	const char *dir;    /* state directory, or its tickbus.db */
	const char *config; /* NULL: the one that is stored with the log */
	const char *out; /* --replay: directory of the files, made if it is missing */
	enum replay_format format;
	uint64_t from, to; /* --verify; 0: as early and as late as possible */
	uint32_t n_workers;
	bool json;
};

/** Print what was found; 0: equal, 1: it differs, else an exit code. */
int offline_verify(const struct offline_options *o);
/** Write the files and print what they are; an exit code. */
int offline_replay(const struct offline_options *o);
