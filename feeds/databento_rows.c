/*
 * databento_rows - an answer to rows: DBN, as it is or in zstd, JSON lines or CSV; the
 * first bytes tell.
 *
 * A full page is cut in front of its last instant, from which the next question begins:
 * so no packet is torn and nothing comes twice.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/tz.h"
#include "feeds/databento.h"
#include "feeds/dbn.h"
#include "feeds/dbn_text.h"
#include "feeds/zst.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400
/* Records are at most 1020 bytes; those that are asked for have 80. */
#define UNPACKED_MAX (UINT64_C(256) << 20)

/* Markets whose days are not New York's; Databento's days are those of UTC. */
static const char *const elsewhere[] = {"GLBX.", "IFEU.", "IFLL.",
					"NDEX.", "XEUR.", "XEEE."};

bool databento_is_newyork(const char *dataset)
{
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		if (strncmp(dataset, elsewhere[i], strlen(elsewhere[i])) == 0)
			return false;
	return true;
}

struct wanted {
	char symbol[SYMBOL_MAX];
	uint32_t index;
};

struct reading {
	const struct vendor_ask *ask;
	struct vendor_page *page;
	struct wanted *wanted; /* owned; sorted */
	const struct wanted *last;
};

static int by_symbol(const void *a, const void *b)
{
	return memcmp(a, b, SYMBOL_MAX);
}

static int take_wanted(struct reading *r)
{
	const struct vendor_ask *a = r->ask;

	r->wanted = calloc(a->n_symbols, sizeof(*r->wanted));
	if (!r->wanted)
		return err_set(-ENOMEM, "no memory for %zu symbols", a->n_symbols);
	for (uint32_t i = 0; i < a->n_symbols; i++) {
		memcpy(r->wanted[i].symbol, a->symbols[i],
		       strnlen(a->symbols[i], SYMBOL_MAX));
		r->wanted[i].index = i;
	}
	qsort(r->wanted, a->n_symbols, sizeof(*r->wanted), by_symbol);
	r->last = r->wanted;
	return 0;
}

/* Rows of a symbol come in a row, mostly. */
static bool find(struct reading *r, const char *symbol)
{
	const struct wanted *w = r->last;

	if (memcmp(w->symbol, symbol, SYMBOL_MAX) != 0)
		w = bsearch(symbol, r->wanted, r->ask->n_symbols, sizeof(*r->wanted),
			    by_symbol);
	if (!w) {
		r->page->skipped++;
		return false;
	}
	r->last = w;
	return true;
}

static int on_tick(void *arg, const struct feed_tick *t)
{
	struct reading *r = arg;

	if (find(r, t->symbol))
		buf_add(&r->page->ticks, t, sizeof(*t));
	return 0;
}

static int on_bar(void *arg, const struct dbn_bar *b)
{
	struct reading *r = arg;
	struct vendor_bar *out;

	if (b->step_s != r->ask->step_s) {
		r->page->skipped++;
		return 0;
	}
	if (!find(r, b->symbol))
		return 0;
	out = vendor_page_bar(r->page);
	out->symbol = r->last->index;
	out->bar = b->bar;
	return 0;
}

static int on_bad(void *arg, uint64_t record, const char *why)
{
	struct reading *r = arg;

	(void)record;
	(void)why;
	r->page->skipped++;
	return 0;
}

static int read_zstd(struct dbn *d, const struct dbn_sink *sink, const char *body,
		     size_t len)
{
	const void *in = body, *data;
	size_t n = 0, used;
	struct zst *z;
	int rc = zst_new(UNPACKED_MAX, &z);

	if (rc < 0)
		return rc;
	do {
		rc = zst_step(z, &in, &len, &data, &n);
		if (rc == 0)
			rc = dbn_read(d, sink, data, n, &used);
	} while (rc == 0 && (n > 0 || len > 0));
	if (rc == 0)
		rc = zst_end(z);
	zst_free(z);
	return rc == -E2BIG ? -EBADMSG : rc;
}

static int read_body(struct dbn *d, const struct dbn_sink *sink, bool needs_names,
		     const char *body, size_t len)
{
	size_t used;
	int rc;

	if (len == 0)
		return err_set(-EBADMSG, "the answer is empty");
	if (body[0] == '{')
		return dbn_text_json(d, sink, needs_names, body, len);
	if (!zst_is(body, len) && (len < 3 || memcmp(body, "DBN", 3) != 0))
		return dbn_text_csv(d, sink, needs_names, body, len);
	rc = zst_is(body, len) ? read_zstd(d, sink, body, len)
			       : dbn_read(d, sink, body, len, &used);
	return rc < 0 ? rc : dbn_end(d);
}

/* All that was asked for is among what was not found? */
static int check_found(const struct dbn *d, const struct vendor_ask *a)
{
	char name[SYMBOL_MAX + 1];

	if (dbn_counts(d)->records > 0 || dbn_metadata(d)->n_not_found < a->n_symbols ||
	    !dbn_not_found(d, 0, name))
		return 0;
	return err_set(-EBADMSG, DATABENTO_UNKNOWN ": '%s'%s", name,
		       a->n_symbols > 1 ? " and the others" : "");
}

/* Full: what lies at the last instant is left to the next page. */
static int cut(const struct dbn *d, const struct vendor_ask *a, const char *next,
	       struct vendor_page *out)
{
	uint32_t limit = vendor_limit(
		a->what == VENDOR_BARS ? DATABENTO_BARS_MAX : DATABENTO_TICKS_MAX, a);
	int64_t last_ns = dbn_counts(d)->index_ns;
	struct feed_tick *t;
	struct vendor_bar *b;

	if (dbn_counts(d)->records < limit)
		return 0;
	(void)snprintf(out->next, sizeof(out->next), "%lld", (long long)last_ns);
	if (last_ns < 0 || strcmp(out->next, next) == 0)
		return err_set(-EBADMSG,
			       "more than %u rows lie at one instant, %lld ns: a page "
			       "has no room for them",
			       limit, (long long)last_ns);
	for (; out->ticks.len > 0; out->ticks.len -= sizeof(*t)) {
		t = (void *)(out->ticks.data + out->ticks.len - sizeof(*t));
		if (t->arrival_ns < last_ns)
			break;
	}
	for (; out->bars.len > 0; out->bars.len -= sizeof(*b)) {
		b = (void *)(out->bars.data + out->bars.len - sizeof(*b));
		if (b->bar.start_ns < last_ns)
			break;
	}
	return 0;
}

/* Keep the ticks that happened in the range: the question reached a little further. */
static void keep_ticks(const struct vendor_ask *a, struct vendor_page *p)
{
	struct feed_tick *t = (void *)p->ticks.data;
	size_t n = p->ticks.len / sizeof(*t), kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (!vendor_in_range(a, t[i].rec.event_ns))
			continue;
		if (kept != i)
			t[kept] = t[i];
		kept++;
	}
	p->skipped += n - kept;
	p->ticks.len = kept * sizeof(*t);
}

/* A day's bar begins with the day at its exchange, not at midnight UTC. */
static int keep_bars(const struct vendor_settings *s, const struct vendor_ask *a,
		     struct vendor_page *p)
{
	bool moves = a->step_s == DAY_S && databento_is_newyork(s->dataset);
	struct vendor_bar *b = (void *)p->bars.data;
	size_t n = p->bars.len / sizeof(*b), kept = 0;
	struct tz *tz = NULL;
	int rc = moves ? tz_load("America/New_York", &tz) : 0;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		struct vendor_bar bar = b[i];

		if (moves)
			bar.bar.start_ns =
				tz_to_utc_s(tz, bar.bar.start_ns / NS_PER_S) * NS_PER_S;
		if (vendor_in_range(a, bar.bar.start_ns))
			b[kept++] = bar;
	}
	tz_free(tz);
	p->skipped += n - kept;
	p->bars.len = kept * sizeof(*b);
	return 0;
}

static bool is_text(const char *body, size_t len)
{
	return len > 0 && !zst_is(body, len) &&
	       (len < 3 || memcmp(body, "DBN", 3) != 0);
}

static unsigned take_of(enum vendor_what what)
{
	return what == VENDOR_TRADES   ? DBN_TRADES
	       : what == VENDOR_QUOTES ? DBN_QUOTES
				       : DBN_BARS;
}

int databento_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		    const char *next, const char *body, size_t len,
		    struct vendor_page *out)
{
	bool names_one = is_text(body, len) && a->n_symbols == 1;
	struct dbn_params p = {.take = take_of(a->what),
			       .is_fragment = is_text(body, len),
			       .symbol = names_one ? a->symbols[0] : NULL};
	struct reading r = {.ask = a, .page = out};
	const struct dbn_sink sink = {
		.arg = &r, .tick = on_tick, .bar = on_bar, .bad = on_bad};
	struct dbn *d = NULL;
	int rc = take_wanted(&r);

	if (rc == 0)
		rc = dbn_new(&p, &d);
	if (rc == 0)
		rc = read_body(d, &sink, a->n_symbols > 1, body, len);
	if (rc == 0)
		rc = check_found(d, a);
	if (rc == 0)
		rc = cut(d, a, next, out);
	if (rc == 0) {
		out->skipped += dbn_counts(d)->empty;
		keep_ticks(a, out);
		rc = keep_bars(s, a, out);
	}
	if (rc < 0)
		vendor_page_reset(out);
	dbn_free(d);
	free(r.wanted);
	return rc;
}
