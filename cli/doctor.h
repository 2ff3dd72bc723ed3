/*
 * doctor - is everything here that tickbusd needs, and as it should be?
 *
 * Works with a running daemon (its own configuration, its listeners are spoken to) and
 * without one (the configuration file, ports must be free).  Nothing is changed.
 * Each check is a line: ok, warn (it works, but), bad (it does not, or will not), with
 * what to do.  doctor_*.c hold the checks by subject; one thread.
 */
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "cli/cli.h"
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum doctor_state { DOCTOR_GOOD, DOCTOR_WARN, DOCTOR_BAD };

#define DOCTOR_CHECKS_MAX 64

struct doctor_check {
	enum doctor_state state;
	char name[24];
	char found[400];
	char todo[300]; /* "" when good */
};

struct doctor {
	struct cli *cli;
	const char *config_path; /* --config; NULL: the installed one, if it is there */
	char daemon_path[PATH_MAX]; /* of tickbusd; "": not found */
	struct buf config;   /* the one in force, as tickbusd prints it; empty: none */
	struct json *status; /* owned: the answer of "status"; NULL: none answers */
	uid_t daemon_uid;    /* of the running one */
	struct doctor_check check[DOCTOR_CHECKS_MAX];
	unsigned n;
};

/** Note a check; @todo is "" for DOCTOR_GOOD.  Beyond the bound it is dropped. */
void doctor_add(struct doctor *d, enum doctor_state state, const char *name,
		const char *todo, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/** Where tickbusd is, unless @path says so already: beside this program (a build tree
 * has it in daemon/), or installed. */
void doctor_find_daemon(char path[PATH_MAX]);
/** The value of "section.key" (or of a top-level "key") in a configuration as tickbusd
 * prints it, without quotes; false when it is not there. */
bool doctor_config(const struct buf *yaml, const char *key, char *out, size_t cap);
/** The next "key: value" of section "listen" behind *@at (NULL: the first). */
bool doctor_listen(struct buf *yaml, const char **at, char key[32], char value[256]);
/**
 * Run a program with @argv (NULL ended) and keep the first 256 KiB of what it prints
 * (@errors: on standard error instead of output).  Its exit status; 127: it cannot be
 * run; -1: no answer within ten seconds, it was ended.
 */
int doctor_run(char *const argv[], bool errors, struct buf *out);

/* The checks, in this order. */
void doctor_daemon(struct doctor *d); /* tickbusd, whether one runs, configuration */
void doctor_files(struct doctor *d);  /* configuration, state, keys, room, archive */
void doctor_ports(struct doctor *d);
void doctor_host(struct doctor *d); /* the clock, limits */

/** Modes of @path that others have and must not have ("" when none). */
const char *doctor_mode_error(mode_t mode, mode_t forbidden, char buf[64]);
