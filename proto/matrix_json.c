/*
 * matrix_json - event_json_tier2(): a matrix has no largest line, so it grows
 * a buf; the members carry their reasons, the matrix its lower triangle by rows.
 */
#include "base/jsonw.h"
#include "proto/event_json.h"
#include "proto/timeframe.h"
#include <stdio.h>

static void put_head(struct jsonw *w, const struct event_tier2 *e)
{
	jsonw_str(w, "event", "FEATURE_TIER2_READY");
	jsonw_strn(w, "universe", e->universe,
		   symbol_field_len(e->universe, UNIVERSE_MAX));
	jsonw_str(w, "timeframe", timeframe_name(e->timeframe_s));
	jsonw_u64(w, "version", e->head.seq);
	jsonw_time(w, "as_of", e->head.event_ns);
	jsonw_str(w, "status", tier2_status_name(e->status));
	if (e->supersedes)
		jsonw_u64(w, "supersedes", e->supersedes);
	else
		jsonw_null(w, "supersedes");
	jsonw_str(w, "cause", bar_cause_name(e->cause));
	jsonw_u64(w, "window", e->window);
	jsonw_str(w, "method", corr_method_name(e->method));
	jsonw_f64(w, "lambda", e->lambda);
	jsonw_str(w, "price_type", price_type_name(e->price_type));
	jsonw_hex64(w, "universe_hash", e->universe_hash);
	jsonw_hex64(w, "content_hash", e->content_hash);
	jsonw_hex64(w, "chain", e->chain);
	jsonw_f64(w, "eigen_min", e->eigen_min);
	jsonw_bool(w, "psd_repaired", e->psd_repaired);
	jsonw_f64(w, "frobenius_shift", e->frobenius_shift);
	jsonw_u64(w, "schema_version", e->schema_version);
}

static void put_members(struct jsonw *w, const struct tier2_member *members, size_t n)
{
	jsonw_array(w, "members");
	for (size_t i = 0; i < n; i++) {
		const struct tier2_member *m = &members[i];

		jsonw_object(w, NULL);
		jsonw_strn(w, "symbol", m->symbol,
			   symbol_field_len(m->symbol, SYMBOL_MAX));
		jsonw_str(w, "reason", tier2_reason_name(m->reason));
		jsonw_u64(w, "bar_seq", m->bar_seq);
		jsonw_u64(w, "bar_revision", m->bar_revision);
		jsonw_u64(w, "n_obs", m->n_obs);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_triangle(struct jsonw *w, const double *cell, size_t n)
{
	jsonw_array(w, "matrix");
	for (size_t row = 0; row < n; row++) {
		jsonw_array(w, NULL);
		for (size_t column = 0; column <= row; column++)
			jsonw_f64(w, NULL, *cell++);
		jsonw_end(w);
	}
	jsonw_end(w);
}

void event_json_tier2(struct buf *out, const struct event_tier2 *e,
		      const struct tier2_member *members, const double *triangle,
		      const struct event_json_ctx *ctx)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	put_head(&w, e);
	put_members(&w, members, e->n_members);
	put_triangle(&w, triangle, e->n_included);
	jsonw_u64(&w, "pos", e->head.pos);
	jsonw_time(&w, "recv_time", e->head.recv_ns);
	jsonw_time(&w, "publish_time", ctx->publish_ns);
	jsonw_u64(&w, "epoch", ctx->epoch);
	jsonw_end(&w);
}
