/* admin_commands_live - live feeds: where they come from, and what is missing. */
#include "base/buf.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/live_thread.h"
#include "feeds/ledger.h"
#include <stdlib.h>
#include <string.h>

static void put_feed(struct jsonw *w, const struct live_status *s)
{
	jsonw_str(w, "feed", s->name);
	jsonw_str(w, "vendor", s->vendor);
	jsonw_str(w, "state", livelink_state_name(s->state));
	jsonw_time(w, "since", s->since_ns);
	jsonw_bool(w, "blind", s->is_blind);
	jsonw_bool(w, "expected", s->is_expected);
	jsonw_bool(w, "paused", s->is_paused);
	if (s->good_ns == INT64_MIN)
		jsonw_null(w, "good_until");
	else
		jsonw_time(w, "good_until", s->good_ns);
	jsonw_i64(w, "lag_ms", s->lag_ns / 1000000);
	jsonw_u64(w, "symbols", s->symbols);
	jsonw_u64(w, "accepted", s->accepted);
	jsonw_u64(w, "refilled", s->refilled);
	jsonw_u64(w, "doubles", s->doubles);
	jsonw_u64(w, "refused", s->refused);
	jsonw_u64(w, "waiting", s->waiting);
	jsonw_u64(w, "open", s->open);
	jsonw_u64(w, "lost", s->lost);
	jsonw_u64(w, "connections", s->link.entered[LINK_OPEN]);
	jsonw_u64(w, "mutes", s->link.entered[LINK_MUTE]);
	if (s->is_polled) {
		jsonw_u64(w, "polls", s->polls);
		jsonw_u64(w, "failures", s->refills_failed);
		jsonw_u64(w, "shortened", s->shortened);
		jsonw_u64(w, "nameless", s->nameless);
	}
	jsonw_str(w, "why", s->why);
}

void admin_live_source(struct daemon *d, struct jsonw *w, const char *source)
{
	struct live_board *b = live_thread_board(d->live);

	for (size_t i = 0; i < live_board_count(b); i++) {
		struct live_status s;

		live_board_get(b, i, &s);
		if (strcmp(s.source, source) == 0)
			put_feed(w, &s);
	}
}

void admin_live_unseen(struct daemon *d, struct jsonw *w)
{
	struct live_board *b = live_thread_board(d->live);
	uint32_t id;

	for (size_t i = 0; i < live_board_count(b); i++) {
		struct live_status s;

		live_board_get(b, i, &s);
		if (symtab_find(d->sources, s.source, strlen(s.source), &id) == 0)
			continue;
		jsonw_object(w, NULL);
		jsonw_str(w, "source", s.source);
		put_feed(w, &s);
		jsonw_end(w);
	}
}

/* ---- gaps ---- */

struct gaps {
	const char *symbol; /* NULL: all */
	bool all;           /* also what is not missing */
	uint64_t open, lost, left_off, rows, matched;
};

static void put_span(struct jsonw *w, const struct live_status *s, const char *symbol,
		     const struct ledger_span *v)
{
	jsonw_object(w, NULL);
	jsonw_str(w, "symbol", symbol);
	jsonw_str(w, "source", s->source);
	jsonw_time(w, "from", v->from_ns);
	jsonw_time(w, "to", v->to_ns);
	jsonw_str(w, "state", ledger_kind_name(v->kind));
	jsonw_u64(w, "ticks", v->ticks);
	jsonw_str(w, "why", v->why);
	jsonw_end(w);
}

static void put_symbol(struct jsonw *w, struct gaps *g, const struct live_status *s,
		       const struct ledger *l, size_t i)
{
	size_t n;
	const struct ledger_span *v = ledger_spans(l, i, &n);

	for (size_t k = 0; k < n; k++) {
		bool is_gap = v[k].kind == LEDGER_OPEN || v[k].kind == LEDGER_LOST;

		g->open += v[k].kind == LEDGER_OPEN;
		g->lost += v[k].kind == LEDGER_LOST;
		if (!is_gap && !g->all)
			continue;
		if (g->rows >= ADMIN_ROWS_MAX) {
			g->left_off++;
			continue;
		}
		g->rows++;
		put_span(w, s, ledger_symbol(l, i), &v[k]);
	}
}

static void put_gaps(struct jsonw *w, struct gaps *g, struct live_board *b, size_t feed)
{
	struct live_status s;
	struct buf saved = {0};
	struct ledger *l;

	live_board_get(b, feed, &s);
	live_board_ledger(b, feed, &saved);
	if (ledger_read(saved.data, saved.len, &l) == 0) {
		for (size_t i = 0; i < ledger_symbols(l); i++) {
			if (g->symbol != NULL &&
			    strcmp(g->symbol, ledger_symbol(l, i)) != 0)
				continue;
			g->matched++;
			put_symbol(w, g, &s, l, i);
		}
		ledger_free(l);
	}
	buf_free(&saved);
}

void admin_gaps(struct daemon *d, const struct json *request, struct admin_call *call)
{
	struct live_board *b = live_thread_board(d->live);
	struct gaps g = {.symbol = json_str(json_get(request, "symbol"), NULL),
			 .all = json_bool(json_get(request, "all"), false)};
	struct buf rows = {0};
	struct jsonw w;

	jsonw_init(&w, &rows);
	jsonw_array(&w, NULL);
	for (size_t i = 0; i < live_board_count(b); i++)
		put_gaps(&w, &g, b, i);
	jsonw_end(&w);
	if (g.symbol != NULL && g.matched == 0) {
		admin_fail(call, "not_found", "no live feed has this symbol");
	} else {
		jsonw_raw(admin_result(call), "gaps", (const char *)rows.data,
			  rows.len);
		jsonw_u64(admin_result(call), "open", g.open);
		jsonw_u64(admin_result(call), "lost", g.lost);
		jsonw_u64(admin_result(call), "left_off", g.left_off);
		admin_done(call);
	}
	buf_free(&rows);
}
