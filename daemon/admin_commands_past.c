/* admin_commands_past - bars, quality, the cache, indices. */
#include "base/clock.h"
#include "base/decimal.h"
#include "daemon/admin_history.h"
#include "daemon/quality.h"
#include "proto/barcols.h"
#include <stdlib.h>
#include <string.h>

/* ---- which series ---- */

struct choice {
	const struct past *p;
	const struct config *config;
	struct hist_summary best;
	size_t rank; /* of its source in the configuration; SIZE_MAX: none yet */
};

static size_t rank_of(const struct config *c, const char *source)
{
	size_t i = 0;

	while (i < c->n_vendors && strcmp(c->vendors[i].name, source) != 0)
		i++;
	return i;
}

static int choose(void *arg, const struct hist_summary *s)
{
	struct choice *c = arg;
	size_t rank = rank_of(c->config, s->series.source);

	if (s->bars == 0 || s->series.step_s != c->p->step_s ||
	    s->series.adjust != c->p->adjust || rank >= c->rank ||
	    (c->p->source[0] != '\0' && strcmp(c->p->source, s->series.source) != 0))
		return 0;
	c->best = *s;
	c->rank = rank;
	return 0;
}

/* The series that was asked for, of the first vendor that has one: 0, 1: refused. */
ON_HISTORY static int find_series(struct history_thread *t, struct past *p,
				  struct hist_series *out, char currency[8])
{
	struct choice c = {p, history_config(t), {.bars = 0}, SIZE_MAX};
	int rc = histstore_each_row(history_store(t), p->symbol, choose, &c);

	if (rc < 0)
		return rc;
	*out = c.best.series;
	memcpy(currency, c.best.currency, sizeof(c.best.currency));
	if (c.rank != SIZE_MAX)
		return 0;
	past_refuse(p, "not_found", "there are no bars of %s %s, %s%s%s: ingest it",
		    p->symbol, past_step_name(p->step_s), past_adjust_name(p->adjust),
		    p->source[0] != '\0' ? ", of " : "", p->source);
	return 1;
}

/* ---- bars ---- */

static void put_number(struct jsonw *w, const char *key, int64_t value, unsigned scale)
{
	char text[DECIMAL_TEXT_MAX];

	if (value == VALUE_NULL)
		jsonw_null(w, key);
	else
		jsonw_strn(w, key, text, decimal_print(text, value, scale));
}

static void put_bar(struct jsonw *w, const struct hist_bar *b)
{
	jsonw_object(w, NULL);
	jsonw_time(w, "time", b->start_ns);
	put_number(w, "open", b->open_e9, 9);
	put_number(w, "high", b->high_e9, 9);
	put_number(w, "low", b->low_e9, 9);
	put_number(w, "close", b->close_e9, 9);
	put_number(w, "volume", b->volume_e8, 8);
	put_number(w, "vwap", b->vwap_e9, 9);
	if (b->trades == VALUE_NULL)
		jsonw_null(w, "trades");
	else
		jsonw_i64(w, "trades", b->trades);
	jsonw_end(w);
}

static int show_bars(struct history_thread *t, struct past *p, struct jsonw *w)
{
	const struct hist_bar *b;
	struct hist_series series;
	struct buf bars = {0};
	char currency[8];
	size_t n;
	int rc;

	role_assert_history();
	rc = find_series(t, p, &series, currency);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = histstore_get_bars(history_store(t), &series, &p->range, p->n, &bars);
	b = (const struct hist_bar *)(void *)bars.data;
	n = bars.len / sizeof(*b);
	jsonw_object(w, NULL);
	past_put_series(w, &series);
	jsonw_str(w, "currency", currency);
	if (p->has_columns) {
		barcols_write(w, "columns", b, n);
	} else {
		jsonw_array(w, "bars");
		for (size_t i = 0; i < n; i++)
			put_bar(w, &b[i]);
		jsonw_end(w);
	}
	if (n == p->n && n > 0)
		jsonw_time(w, "next", b[n - 1].start_ns + 1);
	buf_free(&bars);
	return rc;
}

void admin_bars(struct daemon *d, const struct json *request, struct admin_call *call)
{
	struct past *p;
	uint64_t n;

	if (!admin_number(request, "n", ADMIN_ROWS_MAX, call, &n))
		return;
	p = past_new(d, call, show_bars, "bars");
	if (p == NULL || !past_series(p, request, true) || !past_range(p, request) ||
	    !past_form(p, request))
		return;
	p->n = n > 0 && n < ADMIN_ROWS_MAX ? n : ADMIN_ROWS_MAX;
	past_ask(d, p);
}

/* ---- quality ---- */

static void put_outlier(struct jsonw *w, const struct quality_outlier *o)
{
	static const char *const words[] = {"jump", "ohlc", "nonpositive", "return",
					    "mad"};

	jsonw_object(w, NULL);
	jsonw_time(w, "time", o->start_ns);
	put_number(w, "close", o->close_e9, 9);
	jsonw_f64(w, "log_return", o->log_return);
	jsonw_array(w, "reasons");
	for (unsigned i = 0; i < 5; i++)
		if (o->reason & 1u << i)
			jsonw_str(w, NULL, words[i]);
	jsonw_end(w);
	jsonw_end(w);
}

static void put_lists(struct jsonw *w, const struct quality *q)
{
	const struct quality_gap *gap =
		(const struct quality_gap *)(void *)q->gap_list.data;
	const struct quality_outlier *o =
		(const struct quality_outlier *)(void *)q->outlier_list.data;

	jsonw_array(w, "gap_list");
	for (size_t i = 0; i < q->gap_list.len / sizeof(*gap); i++) {
		jsonw_object(w, NULL);
		jsonw_time(w, "from", gap[i].from_ns);
		jsonw_time(w, "to", gap[i].to_ns);
		jsonw_i64(w, "seconds", (gap[i].to_ns - gap[i].from_ns) / NS_PER_S);
		jsonw_end(w);
	}
	jsonw_end(w);
	jsonw_array(w, "outlier_list");
	for (size_t i = 0; i < q->outlier_list.len / sizeof(*o); i++)
		put_outlier(w, &o[i]);
	jsonw_end(w);
}

static void put_quality(struct jsonw *w, const struct past *p, const struct quality *q)
{
	jsonw_str(w, "timezone", p->params->tz_name);
	jsonw_bool(w, "has_session", p->params->has_session);
	jsonw_u64(w, "max_gap_minutes", p->params->max_gap_minutes);
	jsonw_f64(w, "outlier_std_threshold", p->params->outlier_sigma);
	jsonw_u64(w, "bars", q->bars);
	jsonw_u64(w, "sessions", q->sessions);
	jsonw_u64(w, "empty_sessions", q->empty);
	jsonw_u64(w, "expected", q->expected);
	jsonw_u64(w, "present", q->present);
	jsonw_f64(w, "session_coverage",
		  q->expected > 0 ? (double)q->present / (double)q->expected : 0);
	jsonw_u64(w, "outside_sessions", q->outside);
	jsonw_u64(w, "duplicates", 0); /* a bar is its start: there cannot be two */
	jsonw_u64(w, "invalid", q->invalid);
	jsonw_u64(w, "gaps", q->gaps);
	jsonw_i64(w, "longest_gap_seconds", q->longest_ns / NS_PER_S);
	jsonw_u64(w, "outliers", q->outliers);
	put_lists(w, q);
}

static void put_unfetched(struct jsonw *w, const struct buf *missing)
{
	const struct hist_range *r = (const struct hist_range *)(void *)missing->data;

	jsonw_array(w, "not_complete");
	for (size_t i = 0; i < missing->len / sizeof(*r); i++) {
		jsonw_object(w, NULL);
		jsonw_time(w, "from", r[i].from_ns);
		jsonw_time(w, "to", r[i].to_ns);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static int show_quality(struct history_thread *t, struct past *p, struct jsonw *w)
{
	const struct hist_bar *bars;
	struct buf all = {0}, missing = {0};
	struct hist_series series;
	struct hist_range asked;
	struct quality q;
	char currency[8];
	size_t n;
	int rc;

	role_assert_history();
	rc = find_series(t, p, &series, currency);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = histstore_get_bars(history_store(t), &series, &p->range, SIZE_MAX, &all);
	bars = (const struct hist_bar *)(void *)all.data;
	n = all.len / sizeof(*bars);
	quality_judge(p->params, series.step_s, &p->range, bars, n, &q);
	asked = p->range;
	if (n > 0 && asked.from_ns == INT64_MIN)
		asked.from_ns = bars[0].start_ns;
	if (n > 0 && asked.to_ns == INT64_MAX)
		asked.to_ns = bars[n - 1].start_ns;
	if (rc == 0 && n > 0)
		rc = histstore_missing(history_store(t), &series, &asked, 0, &missing);
	jsonw_object(w, NULL);
	past_put_series(w, &series);
	put_quality(w, p, &q);
	put_unfetched(w, &missing);
	quality_free(&q);
	buf_free(&all);
	buf_free(&missing);
	return rc;
}

void admin_quality(struct daemon *d, const struct json *request,
		   struct admin_call *call)
{
	struct past *p = past_new(d, call, show_quality, "quality");

	if (p == NULL || !past_series(p, request, true) || !past_range(p, request))
		return;
	p->params = params_symbol(&d->config.derive, p->symbol);
	past_ask(d, p);
}

/* ---- the cache ---- */

struct listing {
	struct past *p;
	struct jsonw *w;
	uint64_t i; /* of the series at hand */
	uint64_t shown;
};

static bool is_meant(const struct past *p, const struct hist_series *s)
{
	return p->source[0] == '\0' || strcmp(p->source, s->source) == 0;
}

static int list_one(void *arg, const struct hist_summary *s)
{
	struct listing *l = arg;

	if (!is_meant(l->p, &s->series) || l->i++ < l->p->after)
		return 0;
	if (l->shown == ADMIN_ROWS_MAX)
		return 1;
	l->shown++;
	jsonw_object(l->w, NULL);
	past_put_series(l->w, &s->series);
	jsonw_str(l->w, "currency", s->currency);
	jsonw_u64(l->w, "bars", s->bars);
	jsonw_u64(l->w, "bytes", s->bytes);
	jsonw_u64(l->w, "chunks", s->chunks);
	if (s->bars > 0) {
		jsonw_time(l->w, "first", s->first_ns);
		jsonw_time(l->w, "last", s->last_ns);
	}
	if (s->fetched_ns != 0)
		jsonw_time(l->w, "fetched", s->fetched_ns);
	jsonw_end(l->w);
	return 0;
}

static int list_cache(struct history_thread *t, struct past *p, struct jsonw *w)
{
	struct listing l = {.p = p, .w = w};
	int rc;

	role_assert_history();
	jsonw_object(w, NULL);
	jsonw_array(w, "series");
	rc = histstore_each(history_store(t), p->symbol[0] ? p->symbol : NULL, list_one,
			    &l);
	jsonw_end(w);
	if (rc == 1)
		jsonw_u64(w, "next", p->after + l.shown);
	return rc < 0 ? rc : 0;
}

void admin_cache_list(struct daemon *d, const struct json *request,
		      struct admin_call *call)
{
	struct past *p;
	uint64_t after;

	if (!admin_number(request, "after", 0, call, &after))
		return;
	p = past_new(d, call, list_cache, "cache");
	if (p == NULL || !past_series(p, request, false))
		return;
	p->after = after;
	past_ask(d, p);
}

static int show_stats(struct history_thread *t, struct past *p, struct jsonw *w)
{
	const struct config_ingest *c;
	struct hist_health h;
	int rc;

	role_assert_history();
	(void)p;
	c = &history_config(t)->ingest;
	rc = histstore_health(history_store(t), &h);
	jsonw_object(w, NULL);
	jsonw_u64(w, "series", h.series);
	jsonw_u64(w, "bars", h.bars);
	jsonw_u64(w, "bytes", h.chunk_bytes);
	jsonw_u64(w, "plain_bytes", h.bars * sizeof(struct hist_bar));
	jsonw_u64(w, "file_bytes", h.file_bytes);
	jsonw_u64(w, "wal_bytes", h.wal_bytes);
	jsonw_u64(w, "articles", h.articles);
	jsonw_u64(w, "actions", h.actions);
	jsonw_u64(w, "damaged", h.damaged);
	jsonw_str(w, "damage", h.damage);
	jsonw_u64(w, "size_limit", c->bytes_max);
	jsonw_i64(w, "ttl_seconds", c->ttl_ns / NS_PER_S);
	return rc;
}

void admin_cache_stats(struct daemon *d, const struct json *request,
		       struct admin_call *call)
{
	struct past *p = past_new(d, call, show_stats, "cache");

	(void)request;
	if (p != NULL)
		past_ask(d, p);
}

struct dropping {
	struct past *p;
	struct histstore *store;
	uint64_t series;
	uint64_t bars;
};

static int drop_one(void *arg, const struct hist_summary *s)
{
	struct dropping *x = arg;
	uint64_t bars;
	int rc;

	role_assert_history();
	if (!is_meant(x->p, &s->series))
		return 0;
	rc = histstore_drop(x->store, &s->series, &x->p->range, &bars);
	x->series++;
	x->bars += bars;
	return rc;
}

static int invalidate(struct history_thread *t, struct past *p, struct jsonw *w)
{
	struct dropping x = {.p = p};
	int rc;

	role_assert_history();
	x.store = history_store(t);
	rc = histstore_each(x.store, p->symbol[0] ? p->symbol : NULL, drop_one, &x);
	jsonw_object(w, NULL);
	jsonw_u64(w, "series", x.series);
	jsonw_u64(w, "bars", x.bars);
	return rc;
}

void admin_cache_invalidate(struct daemon *d, const struct json *request,
			    struct admin_call *call)
{
	struct past *p = past_new(d, call, invalidate, "cache");

	if (p == NULL || !past_series(p, request, false) || !past_range(p, request))
		return;
	if (p->symbol[0] == '\0' && p->source[0] == '\0' &&
	    !json_bool(json_get(request, "all"), false)) {
		admin_fail(call, "bad_request",
			   "say which: symbol, source, or all: true");
		past_free(p);
		return;
	}
	past_ask(d, p);
}

/* ---- indices ---- */

static int show_index(struct history_thread *t, struct past *p, struct jsonw *w)
{
	const struct hist_member *m;
	struct buf list = {0};
	int rc;

	role_assert_history();
	rc = histstore_index_get(history_store(t), p->job.index, &list);
	m = (const struct hist_member *)(void *)list.data;
	jsonw_object(w, NULL);
	jsonw_str(w, "name", p->job.index);
	jsonw_array(w, "members");
	for (size_t i = 0; i < list.len / sizeof(*m); i++) {
		jsonw_object(w, NULL);
		jsonw_str(w, "symbol", m[i].symbol);
		jsonw_time(w, "added", m[i].added_ns);
		jsonw_end(w);
	}
	jsonw_end(w);
	buf_free(&list);
	return rc;
}

static int list_indices(struct history_thread *t, struct past *p, struct jsonw *w)
{
	const struct hist_index *x;
	struct buf list = {0};
	int rc;

	role_assert_history();
	(void)p;
	rc = histstore_index_list(history_store(t), ADMIN_ROWS_MAX, &list);
	x = (const struct hist_index *)(void *)list.data;
	jsonw_object(w, NULL);
	jsonw_array(w, "indices");
	for (size_t i = 0; i < list.len / sizeof(*x); i++) {
		jsonw_object(w, NULL);
		jsonw_str(w, "name", x[i].name);
		jsonw_u64(w, "members", x[i].members);
		jsonw_time(w, "since", x[i].since_ns);
		jsonw_end(w);
	}
	jsonw_end(w);
	buf_free(&list);
	return rc;
}

void admin_index(struct daemon *d, const struct json *request, struct admin_call *call)
{
	const char *name = json_str(json_get(request, "name"), "");
	struct past *p =
		past_new(d, call, *name == '\0' ? list_indices : show_index, "index");

	if (p == NULL)
		return;
	if (strlen(name) > HISTJOBS_INDEX_MAX) {
		admin_fail(call, "bad_request", "name is too long");
		past_free(p);
		return;
	}
	memcpy(p->job.index, name, strlen(name));
	past_ask(d, p);
}
