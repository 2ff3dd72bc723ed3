/* history_cache - the history as a cache: what goes first when it is too large. */
#include "base/err.h"
#include "base/log.h"
#include "daemon/history_parts.h"
#include <stdlib.h>

static int note(void *arg, const struct hist_summary *s)
{
	if (s->bytes > 0)
		buf_add(arg, s, sizeof(*s));
	return 0;
}

static int by_age(const void *a, const void *b)
{
	const struct hist_summary *x = a, *y = b;

	return (x->fetched_ns > y->fetched_ns) - (x->fetched_ns < y->fetched_ns);
}

int history_evict(struct history_thread *t, uint64_t bytes)
{
	const struct hist_range ever = {INT64_MIN, INT64_MAX};
	struct buf list = {0};
	struct hist_summary *s;
	uint64_t gone = 0, bars;
	int rc = histstore_each(t->store, NULL, note, &list);
	size_t n = list.len / sizeof(*s);

	s = (struct hist_summary *)(void *)list.data;
	if (rc == 0 && n > 0)
		qsort(s, n, sizeof(*s), by_age);
	for (size_t i = 0; rc == 0 && i < n && gone < bytes; i++) {
		rc = histstore_drop(t->store, &s[i].series, &ever, &bars);
		gone += s[i].bytes;
		if (rc == 0)
			log_info("history",
				 "ingest.size: %s %s was dropped, %llu bars, not "
				 "fetched for the longest time",
				 s[i].series.source, s[i].series.symbol,
				 (unsigned long long)bars);
	}
	buf_free(&list);
	return rc;
}
