/*
 * report_gather - brings a report what the daemon keeps: of every symbol which series
 * there are, the newest bars of each source, the articles.
 */
#pragma once
#include "cli/history_source.h"
#include "report/report.h"

struct live_source;

struct gather {
	const struct live_source *live;        /* borrowed */
	struct cli worker[REPORT_WORKERS_MAX]; /* each with a connection of its own */
	struct history_wish wish; /* timeframe, adjust, start, end of all symbols */
};

/** The loader's function; @arg is a struct gather. */
int gather_load(void *arg, unsigned worker, const struct report *r,
		struct report_symbol *s);

/** Connect @workers of them to the daemon of @c: an exit code. */
int gather_open(struct gather *g, struct cli *c, size_t workers);
void gather_close(struct gather *g);

/** The vendors' names in the order of the configuration, each with its NUL, added to
    @out: an exit code. */
int gather_vendors(struct cli *c, struct buf *out);
