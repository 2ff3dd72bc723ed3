/*
 * analysis_order - what somebody wants computed: a request of the admin socket becomes
 * words of the command line, or a sentence about what is wrong with it.
 *
 * Nothing is passed through: the flow, the format and each option stand in a table, and
 * a value is made of letters, digits and `._:+,-`.  So no file is named, no program
 * started and no other daemon asked than this one.
 */
#pragma once
#include "base/json.h"
#include "store/histanalysis.h"

#define ANALYSIS_HOLDINGS_MAX 49152 /* bytes; a request holds 64 KiB */

struct analysis_order {
	enum histjobs_what what; /* JOB_FEATURES or JOB_REPORT */
	char format[HISTANALYSIS_FORMAT_MAX + 1];
	struct buf words;    /* owned; each with its line end */
	struct buf holdings; /* owned; text of a file */
};

/** Of {what, flow, format, options, holdings}: 0, or -EINVAL with err_text(). */
int analysis_order_read(const struct json *request, struct analysis_order *out);
void analysis_order_free(struct analysis_order *o);
