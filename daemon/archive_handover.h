/*
 * archive_handover - what analysts read, and how far it is in the archive.
 *
 *	rows    bars, ticks, features, matrices and news, once a UTC day is over: a
 *	        partition is then merged once, not with every page
 *	bars    what vendors sent, a series at a time, when it has changed
 *	care    what is too old goes, what is left is counted (daemon/archive_care.h)
 *	live    rows of what is not closed, when somebody is about to read
 *
 * (Whole events for catch-up are handed over by daemon/past_handover.h.)
 *
 * The cursor lies beside what it speaks of (DIR/.cursor, replaced as a whole) and is
 * saved after the helper has said that its files are renamed and synced: a crash
 * anywhere hands over again, which leaves the same bytes.
 *
 * The log is read by pages of catch-up on the store thread, small ones while ticks
 * come in, no further than what would survive the power, and from the archive's own
 * past where retention was faster.
 */
#pragma once
#include "base/role.h"
#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct archive_care;
struct handover;

/** @dir: of the archive, borrowed. */
int handover_new(struct daemon *d, const char *dir, struct handover **out);
void handover_free(struct handover *h);
/** For archive_env.step. */
ON_ARCHIVE int handover_step(void *handover, bool all);
/**
 * The archive has the rows of positions below.  0: it is not known yet.
 */
ANY_THREAD uint64_t handover_reached(const struct handover *h);
/** Whose archive_care_counts() may be asked; ours. */
ANY_THREAD struct archive_care *handover_care(const struct handover *h);
