/* metrics_symbols - the series per symbol: the busiest, and the rest as one. */
#include "base/err.h"
#include "daemon/metrics.h"
#include "daemon/metrics_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILY "symbol_last_sequence"

static const enum event_kind kinds[] = {EVENT_TICK, EVENT_BAR, EVENT_TIER1, EVENT_NEWS,
					EVENT_STATUS};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct busy {
	uint64_t ticks;
	uint32_t id;
};

/* Most ticks first; of equals the one that came first. */
static int by_ticks(const void *a, const void *b)
{
	const struct busy *x = a, *y = b;

	if (x->ticks != y->ticks)
		return x->ticks < y->ticks ? 1 : -1;
	return x->id < y->id ? -1 : x->id > y->id;
}

ON_LOOP static void put_one(struct daemon *d, struct buf *out, uint32_t id)
{
	char symbol[METRICS_LABEL_MAX], labels[METRICS_LABEL_MAX + 32];
	char name[SYMTAB_NAME_MAX + 1] = {0};

	memcpy(name, symtab_name(d->symbols, id), SYMTAB_NAME_MAX);
	(void)metrics_label(symbol, "symbol", name);
	for (size_t i = 0; i < KINDS; i++) {
		(void)snprintf(labels, sizeof(labels), "%s,kind=\"%s\"", symbol,
			       event_kind_word(kinds[i]));
		metrics_sample(out, FAMILY, labels,
			       publisher_last_seq(d->publisher, kinds[i], id));
	}
}

ON_LOOP static void put_others(struct daemon *d, struct buf *out,
			       const struct busy *others, uint32_t n)
{
	char labels[64];

	for (size_t i = 0; i < KINDS; i++) {
		uint64_t sum = 0;

		for (uint32_t k = 0; k < n; k++)
			sum += publisher_last_seq(d->publisher, kinds[i], others[k].id);
		(void)snprintf(labels, sizeof(labels), "symbol=\"other\",kind=\"%s\"",
			       event_kind_word(kinds[i]));
		metrics_sample(out, FAMILY, labels, sum);
	}
}

void metrics_symbols(struct daemon *d, struct buf *out)
{
	uint32_t n = symtab_count(d->symbols), shown;
	struct busy *all = calloc(n == 0 ? 1 : n, sizeof(*all));

	metrics_family(out, FAMILY, "gauge",
		       "Last sequence published of a symbol's stream; other: the "
		       "sum over the symbols beyond the 200 with the most ticks");
	if (all == NULL)
		return; /* the page goes without; the next scrape tries again */
	for (uint32_t id = 0; id < n; id++)
		all[id] = (struct busy){
			publisher_last_seq(d->publisher, EVENT_TICK, id), id};
	qsort(all, n, sizeof(*all), by_ticks);
	shown = n < METRICS_SYMBOLS_MAX ? n : METRICS_SYMBOLS_MAX;
	for (uint32_t i = 0; i < shown; i++)
		put_one(d, out, all[i].id);
	if (n > shown)
		put_others(d, out, all + shown, n - shown);
	free(all);
}
