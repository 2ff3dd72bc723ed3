/* exitcode - why tickbusd ended (sysexits; the table stands in docs/OPERATIONS.md). */
#pragma once

enum exitcode {
	EXITCODE_OK = 0,
	EXITCODE_USAGE = 64,       /* wrong command line */
	EXITCODE_DATA = 65,        /* the database is damaged or of a newer release */
	EXITCODE_UNAVAILABLE = 69, /* a port or socket is taken */
	EXITCODE_INTERNAL = 70,
	EXITCODE_CANTCREATE = 73, /* the state directory cannot be written */
	EXITCODE_IO = 74,         /* a write or sync failed */
	EXITCODE_BUSY = 75,       /* another daemon owns the database */
	EXITCODE_CONFIG = 78,
};

/** The exit code for a negated errno that ended the start. */
int exitcode_of(int rc);
