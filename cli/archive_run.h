/*
 * archive_run - a question to the archive is answered by tickbus-archive, run as the
 * user: what it may read is what the user may read, and it costs the daemon nothing.
 *
 * Which directory it is says --archive, or the daemon, which is then also asked to hand
 * over what the archive does not have yet.
 */
#pragma once
#include "cli/cli.h"

#define ARCHIVE_RUN_ARGS_MAX 64
#define ARCHIVE_RUN_NAME_MAX 16

struct archive_run {
	const char *dir; /* borrowed; NULL: the daemon's */
	const char *memory;
	const char *threads;
	bool no_flush;
	size_t n_args;
	const char
		*args[ARCHIVE_RUN_ARGS_MAX]; /* the question; borrowed, or in names */
	char names[ARCHIVE_RUN_ARGS_MAX][ARCHIVE_RUN_NAME_MAX];
};

/** The options that lead to an archive, for a command's table: archive_run_take(). */
#define ARCHIVE_RUN_OPTIONS                                                            \
	{"archive", required_argument, NULL, ARCHIVE_RUN_DIR},                         \
		{"memory", required_argument, NULL, ARCHIVE_RUN_MEMORY},               \
		{"threads", required_argument, NULL, ARCHIVE_RUN_THREADS},             \
	{                                                                              \
		"no-flush", no_argument, NULL, ARCHIVE_RUN_NO_FLUSH                    \
	}

enum {
	ARCHIVE_RUN_DIR = 900,
	ARCHIVE_RUN_MEMORY,
	ARCHIVE_RUN_THREADS,
	ARCHIVE_RUN_NO_FLUSH,
};

/** False: not an option of ours. */
bool archive_run_take(struct archive_run *r, int option);
/** A word of the question: COMMAND, or the SQL.  CLI_USAGE: too many. */
int archive_run_add(struct archive_run *r, const char *word);
/** "--name" and, when it is not NULL, @value. */
int archive_run_option(struct archive_run *r, const char *name, const char *value);
/** The daemon has an archive; says nothing when there is none, or no daemon. */
bool archive_run_has(struct cli *c);
/**
 * Become tickbus-archive, COMMAND first in @r->args.  Returns an exit code, after the
 * reason was printed, when it cannot.
 */
int archive_run_exec(struct cli *c, const struct archive_run *r);
