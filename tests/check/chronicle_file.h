/*
 * chronicle_file - a chronicle as a text file, for scripts (chronicle.py): one
 *happening a line, in order; bytes in hexadecimal; what a script does not know it
 *leaves out.
 *
 *	tickbus-chronicle 1
 *	durability full|normal SYNC_INTERVAL_MS
 *	bars GRACE_MS REVISION_WINDOW_MS TIMEFRAME_S...	last prices, no session
 *	universe TIMEFRAME_S WINDOW MIN_OBS		of all symbols, pearson
 *	start MS EPOCH LAST_POS LOST_FIRST LOST_LAST	a life of the daemon begins
 *	end MS stopped|killed|power			... and ends
 *	request PRODUCER MS HEX				an SBE ingest request was sent
 *	reply PRODUCER MS HEX				the answer to its latest request
 *	seen|given|live SUBSCRIBER HEX			a frame or heartbeat (SBE):
 *		seen: somehow; live: by PUB or ring; given: handed out in order
 *	complete SUBSCRIBER				it must have everything
 *	record POS PRODUCER|- SEQ HEX			96 bytes of the log at the end
 *	symbol ID NAME
 *	source ID NAME
 *
 * Times are milliseconds of any one clock.  Names have no blanks.  A request without a
 * reply counts as unanswered.  The log may come from a store instead of record lines:
 * see checkmain.c.
 */
#pragma once
#include "tests/check/chronicle.h"
#include <stdio.h>

/** 0, or the number of the line that was not understood, with *@why. */
size_t chronicle_read(FILE *in, struct chronicle *out, const char **why);
/** The same as text; events one a line, as frames. */
void chronicle_write(const struct chronicle *c, FILE *out);
