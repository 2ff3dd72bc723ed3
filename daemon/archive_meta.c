/*
 * archive_meta - what stands beside the bars, to the archive (archive_parts.h):
 * corporate actions out of history.db, a symbol at a time, and the metadata of the
 * configuration's tickers.  A symbol is told again when its actions are not those that
 * were told last.
 */
#include "base/decimal.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "daemon/archive_parts.h"
#include <stdio.h>
#include <string.h>

#define PAGE_SYMBOLS 1000u
#define FRAME_ITEMS  2000u /* of metadata: a frame's document has a limit */

/* ---- corporate actions ---- */

struct page {
	const char *after;
	struct buf list; /* struct hist_acted */
};

ON_HISTORY static int read_page(struct histstore *store, void *arg)
{
	struct page *p = arg;

	return histstore_acted(store, p->after, PAGE_SYMBOLS, &p->list);
}

struct actions {
	const char *symbol;
	struct buf list; /* struct hist_action */
};

ON_HISTORY static int read_actions(struct histstore *store, void *arg)
{
	struct actions *a = arg;

	return histstore_actions(store, a->symbol, &a->list);
}

/* The IANA name of the zone in which a symbol's days begin. */
static const char *zone_of(const struct params *p, const char *symbol)
{
	const struct tz *tz = params_symbol(p, symbol)->tz;

	for (size_t i = 0; i < p->n_zones; i++)
		if (p->zones[i] == tz)
			return p->zone_names[i];
	return "UTC";
}

/*
 * Splits and dividends; a spin-off comes without what it leaves of a price, and a
 * change of name changes no price.
 */
static void put_action(struct jsonw *w, const struct hist_action *a)
{
	bool is_split = a->kind == ACTION_SPLIT;
	char text[96];
	size_t len = 0;

	if (is_split && a->numerator_e9 > 0 && a->denominator_e9 > 0) {
		len = decimal_print(text, a->numerator_e9, 9);
		text[len++] = '/';
		len += decimal_print(text + len, a->denominator_e9, 9);
	} else if (a->kind == ACTION_DIVIDEND && a->amount_e9 > 0) {
		len = decimal_print(text, a->amount_e9, 9);
	}
	if (len == 0)
		return;
	jsonw_object(w, NULL);
	jsonw_strn(w, "value", text, len);
	jsonw_str(w, "kind", is_split ? "split" : "dividend");
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02d", a->ex_date / 10000,
		       a->ex_date / 100 % 100, a->ex_date % 100);
	jsonw_str(w, "ex_date", text);
	jsonw_end(w);
}

ON_ARCHIVE static int tell_actions(struct daemon *d, const char *symbol)
{
	struct actions a = {.symbol = symbol};
	struct buf doc = {0};
	struct jsonw w;
	int rc = archive_ask_history(d, read_actions, &a);

	jsonw_init(&w, &doc);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "do", "put_actions");
	jsonw_str(&w, "symbol", symbol);
	jsonw_str(&w, "zone", zone_of(&d->config.derive, symbol));
	jsonw_array(&w, "actions");
	for (size_t i = 0; rc == 0 && i < a.list.len / sizeof(struct hist_action); i++)
		put_action(&w,
			   (const struct hist_action *)(const void *)a.list.data + i);
	jsonw_end(&w);
	jsonw_end(&w);
	if (rc == 0)
		rc = archive_tell(d, &doc, NULL, NULL);
	buf_free(&doc);
	buf_free(&a.list);
	return rc;
}

/* 0: it is as it was told; 1: told now; < 0: not now. */
ON_ARCHIVE static int follow_symbol(struct daemon *d, struct archive_seen *seen,
				    const struct hist_acted *x)
{
	char key[64], sign[48];
	int rc;

	(void)snprintf(key, sizeof(key), "actions|%s", x->symbol);
	(void)snprintf(sign, sizeof(sign), "%llu:%lld", (unsigned long long)x->actions,
		       (long long)x->sum);
	if (archive_seen_has(seen, key, sign))
		return 0;
	rc = tell_actions(d, x->symbol);
	if (rc == 0)
		rc = archive_seen_note(seen, key, sign);
	return rc < 0 ? rc : 1;
}

/* Every symbol that changed, in one pass: 1; none did: 0; < 0: not now. */
ON_ARCHIVE static int actions_step(struct daemon *d, struct archive_seen *seen)
{
	char after[SYMBOL_MAX + 1] = "";
	struct page p = {.after = after};
	bool is_new = false;
	size_t n;
	int rc;

	do {
		const struct hist_acted *x;

		p.list.len = 0;
		rc = archive_ask_history(d, read_page, &p);
		x = (const void *)p.list.data;
		n = rc < 0 ? 0 : p.list.len / sizeof(*x);
		for (size_t i = 0; rc >= 0 && i < n; i++) {
			rc = follow_symbol(d, seen, &x[i]);
			is_new = is_new || rc > 0;
		}
		if (n > 0)
			(void)snprintf(after, sizeof(after), "%s", x[n - 1].symbol);
	} while (rc >= 0 && n == PAGE_SYMBOLS);
	buf_free(&p.list);
	return rc < 0 ? rc : is_new;
}

/* ---- metadata ---- */

/* Items @from .. @to - 1, grouped by symbol as they lie. */
ON_ARCHIVE static int tell_items(struct daemon *d, size_t from, size_t to)
{
	const struct config_meta *m = d->config.meta;
	struct buf doc = {0};
	struct jsonw w;
	int rc;

	jsonw_init(&w, &doc);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "do", "put_metadata");
	jsonw_object(&w, "symbols");
	for (size_t i = from; i < to; i++) {
		if (i == from || strcmp(m[i].symbol, m[i - 1].symbol) != 0)
			jsonw_object(&w, m[i].symbol);
		jsonw_str(&w, m[i].key, m[i].value);
		if (i + 1 == to || strcmp(m[i].symbol, m[i + 1].symbol) != 0)
			jsonw_end(&w);
	}
	jsonw_end(&w);
	jsonw_end(&w);
	rc = archive_tell(d, &doc, NULL, NULL);
	buf_free(&doc);
	return rc;
}

ON_ARCHIVE static int metadata_step(struct daemon *d, struct archive_seen *seen)
{
	const struct config *c = &d->config;
	char sign[48];
	int rc = 0;

	if (c->n_meta == 0)
		return 0;
	(void)snprintf(sign, sizeof(sign), "%zu:%016llx", c->n_meta,
		       (unsigned long long)hash_bytes(0, c->meta,
						      c->n_meta * sizeof(*c->meta)));
	if (archive_seen_has(seen, "metadata", sign))
		return 0;
	for (size_t from = 0; rc == 0 && from < c->n_meta; from += FRAME_ITEMS) {
		size_t to = from + FRAME_ITEMS;

		rc = tell_items(d, from, to < c->n_meta ? to : c->n_meta);
	}
	if (rc == 0)
		rc = archive_seen_note(seen, "metadata", sign);
	return rc < 0 ? rc : 1;
}

int archive_meta_step(struct daemon *d, struct archive_seen *seen)
{
	int rc = metadata_step(d, seen);

	return rc == 0 && d->history != NULL ? actions_step(d, seen) : rc;
}
