/* heads - see heads.h. */
#include "daemon/heads.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "proto/timeframe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum event_kind kinds[] = {EVENT_BAR, EVENT_TIER1, EVENT_TIER2, EVENT_NEWS,
					EVENT_STATUS};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct stream {
	uint64_t seq, chain;
};

struct heads {
	const struct params *params;
	const struct symtab *symbols;
	struct stream *of[EVENT_KINDS]; /* owned; by symbol id; tier2: by universe */
};

int heads_new(const struct params *params, const struct symtab *symbols,
	      uint32_t symbols_max, struct heads **out)
{
	struct heads *h = calloc(1, sizeof(*h));

	for (size_t i = 0; i < N_KINDS && h != NULL; i++) {
		size_t n = kinds[i] == EVENT_TIER2 ? UNIVERSES_MAX + 1 : symbols_max;

		h->of[kinds[i]] = calloc(n, sizeof(struct stream));
		if (h->of[kinds[i]] == NULL) {
			heads_free(h);
			h = NULL;
		}
	}
	if (h == NULL)
		return err_set(-ENOMEM, "out of memory for the chains");
	h->params = params;
	h->symbols = symbols;
	*out = h;
	return 0;
}

void heads_free(struct heads *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < N_KINDS; i++)
		free(h->of[kinds[i]]);
	free(h);
}

/* Of a universe that the configuration does not have: one past the last. */
static size_t universe_of(const struct heads *h, const struct event_tier2 *e)
{
	size_t i = 0;

	for (; i < h->params->n_universes; i++) {
		const struct universe_params *u = &h->params->universes[i];

		if (u->timeframe_s == e->timeframe_s &&
		    memcmp(u->name, e->universe, UNIVERSE_MAX) == 0)
			break;
	}
	return i;
}

void heads_note(struct heads *h, enum event_kind kind, const void *event)
{
	struct event_head head;
	size_t i;

	memcpy(&head, event, sizeof(head));
	i = kind == EVENT_TIER2 ? universe_of(h, event) : event_symbol_id(kind, event);
	h->of[kind][i] = (struct stream){head.seq, event_chain_of(kind, event)};
}

size_t heads_list(const struct heads *h, struct head **out)
{
	uint32_t n_symbols = symtab_count(h->symbols);
	struct head *list =
		calloc(N_KINDS * (size_t)n_symbols + UNIVERSES_MAX + 1, sizeof(*list));
	size_t n = 0;

	*out = list;
	for (size_t i = 0; i < N_KINDS && list != NULL; i++) {
		bool is_tier2 = kinds[i] == EVENT_TIER2;
		size_t count = is_tier2 ? h->params->n_universes : n_symbols;

		for (uint32_t k = 0; k < count; k++) {
			const struct stream *s = &h->of[kinds[i]][k];
			const struct universe_params *u =
				&h->params->universes[is_tier2 ? k : 0];

			if (s->seq == 0)
				continue;
			list[n] = (struct head){.seq = s->seq,
						.chain = s->chain,
						.timeframe_s =
							is_tier2 ? u->timeframe_s : 0,
						.kind = (uint8_t)kinds[i]};
			memcpy(list[n].name,
			       is_tier2 ? u->name : symtab_name(h->symbols, k),
			       SYMBOL_MAX);
			n++;
		}
	}
	return n;
}

void heads_json(struct jsonw *w, const struct head *list, size_t n)
{
	char hex[20];

	jsonw_array(w, "heads");
	for (size_t i = 0; i < n; i++) {
		const struct head *h = &list[i];

		jsonw_object(w, NULL);
		jsonw_str(w, "kind", event_kind_word((enum event_kind)h->kind));
		jsonw_str(w, h->kind == EVENT_TIER2 ? "universe" : "symbol", h->name);
		if (h->kind == EVENT_TIER2)
			jsonw_str(w, "timeframe", timeframe_name(h->timeframe_s));
		jsonw_u64(w, "seq", h->seq);
		(void)snprintf(hex, sizeof(hex), "%016llx",
			       (unsigned long long)h->chain);
		jsonw_str(w, "chain", hex);
		jsonw_end(w);
	}
	jsonw_end(w);
}
