/* verify_json - what a verification found, as JSON, see verify.h. */
#include "base/jsonw.h"
#include "daemon/verify.h"
#include "proto/timeframe.h"
#include <stdio.h>
#include <string.h>

const char *verify_verdict_name(enum verify_verdict v)
{
	static const char *const name[] = {"equal", "differs", "failed", "cancelled"};

	return name[v];
}

static void put_kind(struct jsonw *w, enum event_kind kind, const struct verify_kind *k)
{
	jsonw_object(w, event_kind_word(kind));
	jsonw_u64(w, "equal", k->equal);
	jsonw_u64(w, "different", k->different);
	jsonw_u64(w, "missing", k->missing);
	jsonw_u64(w, "extra", k->extra);
	jsonw_u64(w, "retired", k->retired);
	jsonw_u64(w, "other_config", k->other_config);
	jsonw_u64(w, "not_stored", k->not_stored);
	jsonw_end(w);
}

void verify_json(struct jsonw *w, const struct verify_result *r)
{
	static const enum event_kind kinds[] = {EVENT_BAR, EVENT_TIER1, EVENT_TIER2,
						EVENT_STATUS};

	jsonw_str(w, "verdict", verify_verdict_name(r->verdict));
	jsonw_u64(w, "from", r->from);
	jsonw_u64(w, "to", r->to);
	jsonw_u64(w, "start_snapshot", r->start);
	jsonw_u64(w, "records", r->records);
	jsonw_u64(w, "ticks", r->ticks);
	jsonw_f64(w, "seconds", (double)r->elapsed_ns / 1e9);
	jsonw_object(w, "kinds");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		put_kind(w, kinds[i], &r->kinds[kinds[i]]);
	jsonw_end(w);
	jsonw_object(w, "snapshots");
	jsonw_u64(w, "equal", r->snapshots_equal);
	jsonw_u64(w, "different", r->snapshots_different);
	jsonw_u64(w, "not_compared", r->snapshots_unusable);
	jsonw_end(w);
	jsonw_str(w, "problem", r->problem);
	jsonw_str(w, "note", r->note);
	if (r->has_first) {
		jsonw_object(w, "first_difference");
		jsonw_str(w, "kind",
			  r->first.symbol[0] != '\0' ? event_kind_word(r->first.kind)
						     : "snapshot");
		jsonw_str(w, "symbol", r->first.symbol);
		jsonw_u64(w, "seq", r->first.seq);
		jsonw_u64(w, "pos", r->first.pos);
		jsonw_str(w, "field", r->field);
		jsonw_end(w);
	}
	jsonw_u64(w, "streams", r->n_heads);
}

void verify_heads_json(struct jsonw *w, const struct verify_result *r, size_t from,
		       size_t n)
{
	char hex[20];

	jsonw_array(w, "heads");
	for (size_t i = from; i < r->n_heads && i - from < n; i++) {
		const struct verify_head *h = &r->heads[i];

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
