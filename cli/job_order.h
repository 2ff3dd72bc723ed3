/*
 * job_order - --job: has the daemon compute what this command would compute.
 *
 *	job_order_begin(&o, "report", "combined", "json");
 *	job_order_option(&o, "window", "252");        as often as needed
 *	job_order_symbol(&o, "AAPL");                 likewise, after the options
 *	job_order_run(c, &o, &how);
 */
#pragma once
#include "base/buf.h"
#include "base/jsonw.h"
#include "cli/query.h"

struct job_order {
	struct buf request; /* owned; JSON */
	struct jsonw w;
	bool has_symbols;
};

struct job_how {
	const char *out; /* where the result is brought, when followed; NULL: nowhere */
	bool follow;
};

/** @flow NULL: there is none. */
void job_order_begin(struct job_order *o, const char *what, const char *flow,
		     const char *format);
/** @value NULL: not given; "": a flag. */
void job_order_option(struct job_order *o, const char *key, const char *value);
void job_order_symbol(struct job_order *o, const char *symbol);
/** The text of the file at @path goes with it; after the symbols. */
int job_order_holdings(struct job_order *o, const char *path);
/** Send it, say its number, follow it if wanted; frees @o.  An exit code. */
int job_order_run(struct cli *c, struct job_order *o, const struct job_how *how);
void job_order_free(struct job_order *o);
