/* verify_json - what a verification found, as JSON, see verify.h. */
#include "base/jsonw.h"
#include "daemon/verify.h"
#include <stddef.h>
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
						EVENT_NEWS, EVENT_STATUS};

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

static uint64_t sum(const struct verify_result *r, size_t offset)
{
	uint64_t n = 0;

	for (int k = 0; k < EVENT_KINDS; k++) {
		uint64_t v;

		memcpy(&v, (const uint8_t *)&r->kinds[k] + offset, sizeof(v));
		n += v;
	}
	return n;
}

#define SUM(r, field) sum(r, offsetof(struct verify_kind, field))

/* "2 different, 0 missing" as far as there are any, kind by kind. */
static void put_counts(struct buf *out, const struct verify_result *r, size_t offset,
		       const char *what)
{
	if (sum(r, offset) == 0)
		return;
	buf_printf(out, "%s:", what);
	for (int k = 0; k < EVENT_KINDS; k++) {
		uint64_t v;

		memcpy(&v, (const uint8_t *)&r->kinds[k] + offset, sizeof(v));
		if (v > 0)
			buf_printf(out, " %s %llu", event_kind_word((enum event_kind)k),
				   (unsigned long long)v);
	}
	buf_printf(out, "\n");
}

void verify_text(struct buf *out, const struct verify_result *r)
{
	double s = (double)r->elapsed_ns / 1e9;

	buf_printf(out, "%s", verify_verdict_name(r->verdict));
	if (r->verdict != VERIFY_FAILED && r->from <= r->to)
		buf_printf(out,
			   ": positions %llu to %llu, %llu events derived anew and "
			   "compared",
			   (unsigned long long)r->from, (unsigned long long)r->to,
			   (unsigned long long)(SUM(r, equal) + SUM(r, different)));
	if (r->problem[0] != '\0')
		buf_printf(out, "%s%s",
			   r->verdict == VERIFY_DIFFERS ? "\nfirst difference: " : ": ",
			   r->problem);
	buf_printf(out, "\n");
	put_counts(out, r, offsetof(struct verify_kind, equal), "equal");
	put_counts(out, r, offsetof(struct verify_kind, different), "different");
	put_counts(out, r, offsetof(struct verify_kind, missing),
		   "missing in the store");
	put_counts(out, r, offsetof(struct verify_kind, extra),
		   "in the store without cause");
	put_counts(out, r, offsetof(struct verify_kind, retired),
		   "not compared, retired");
	put_counts(out, r, offsetof(struct verify_kind, other_config),
		   "not compared, under another configuration");
	put_counts(out, r, offsetof(struct verify_kind, not_stored),
		   "not compared, not stored yet");
	if (r->snapshots_equal + r->snapshots_different > 0)
		buf_printf(out, "state snapshots: %u equal, %u different\n",
			   r->snapshots_equal, r->snapshots_different);
	if (r->note[0] != '\0')
		buf_printf(out, "note: %s\n", r->note);
	if (r->ticks > 0 && s > 0)
		buf_printf(out, "%zu chains; %llu ticks in %.2f s, %.2f M/s\n",
			   r->n_heads, (unsigned long long)r->ticks, s,
			   (double)r->ticks / s / 1e6);
}
