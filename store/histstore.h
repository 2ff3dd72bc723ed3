/*
 * histstore - the second database, state/history.db: what vendors said about the
 * past, which of it is complete, and the jobs that fetch it.
 *
 * It is not the tick log and nothing derived depends on it; what is lost here can be
 * fetched again.  It has its own connection and its own thread, so that an ingest of
 * years does not make one tick wait.
 *
 * Bars lie in chunks of a day (steps below 5 m), a month (below 1 d) or a decade,
 * each one row: fixed-width bars, compressed, with a checksum.  Writing a chunk merges
 * by start_ns, newest word wins: the same ingest twice leaves the same bytes.
 *
 * Coverage says which ranges of a series were fetched completely: a range without
 * bars that is covered is proven quiet, one that is not was never asked.
 *
 * HISTORY thread; every write happens between histstore_begin() and _commit().
 */
#pragma once
#include "base/buf.h"
#include "proto/hist.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct histstore;

/** Open or create DIR/history.db.  -EBADMSG: damaged, the sentence says what to do. */
int histstore_open(const char *dir, struct histstore **out);
int histstore_close(struct histstore *h);

int histstore_begin(struct histstore *h);
/** Durable (synced) when it returns 0; after an error nothing of it is there. */
int histstore_commit(struct histstore *h);
void histstore_rollback(struct histstore *h);

struct hist_range {
	int64_t from_ns;
	int64_t to_ns; /* exclusive */
};

/** Merge @n bars, ascending by start_ns.  @out_new: how many were not there yet. */
int histstore_put_bars(struct histstore *h, const struct hist_series *s,
		       const struct hist_bar *bars, size_t n, uint64_t *out_new);
/** Forget all bars and coverage of the series inside @r (invalidation). */
int histstore_drop(struct histstore *h, const struct hist_series *s,
		   const struct hist_range *r, uint64_t *out_bars);
/** Add to @out (struct hist_bar) what lies in @r, ascending, at most @max from it. */
int histstore_get_bars(struct histstore *h, const struct hist_series *s,
		       const struct hist_range *r, size_t max, struct buf *out);

/** @r of the series was fetched completely at @fetched_ns (wall). */
int histstore_cover(struct histstore *h, const struct hist_series *s,
		    const struct hist_range *r, int64_t fetched_ns);
/** Add to @out (struct hist_range) what of @r is not covered, ascending; coverage
    fetched before @since_ns does not count (TTL; 0: all counts). */
int histstore_missing(struct histstore *h, const struct hist_series *s,
		      const struct hist_range *r, int64_t since_ns, struct buf *out);

/** Everything that is known of one series. */
struct hist_summary {
	struct hist_series series;
	uint64_t bars;
	uint64_t bytes; /* compressed */
	uint64_t chunks;
	int64_t first_ns;
	int64_t last_ns;
	int64_t fetched_ns; /* newest */
};
/** Calls @fn for each series (symbol NULL: all) in order of source, symbol, step;
    stops when it returns other than 0 and forwards that. */
int histstore_each(struct histstore *h, const char *symbol,
		   int (*fn)(void *arg, const struct hist_summary *s), void *arg);

int histstore_put_article(struct histstore *h, const char *source,
			  const struct hist_article *a);
int histstore_put_action(struct histstore *h, const char *source,
			 const struct hist_action *a, bool *out_is_new);
