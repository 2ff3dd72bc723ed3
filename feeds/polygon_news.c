/* polygon_news - Polygon's articles, splits and dividends. */
#include "base/err.h"
#include "feeds/polygon.h"
#include <errno.h>
#include <string.h>

#define SPLITS    "/v3/reference/splits"
#define DIVIDENDS "/v3/reference/dividends"

static void publisher(struct json_walk *w, struct hist_article *out)
{
	struct json_key k;

	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "name"))
			json_walk_text(w, out->publisher, sizeof(out->publisher));
		else
			json_walk_skip(w);
	}
}

void polygon_read_article(struct json_walk *w, struct vendor_page *out)
{
	struct hist_article a = {.created_ns = VALUE_NULL};
	struct json_key k;

	if (!json_walk_object(w)) {
		json_walk_fail(w, "an article is null");
		return;
	}
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "id"))
			json_walk_text(w, a.id, sizeof(a.id));
		else if (json_walk_is(&k, "published_utc"))
			a.created_ns = json_walk_time(w);
		else if (json_walk_is(&k, "title"))
			vendor_read_plain(w, a.headline, sizeof(a.headline));
		else if (json_walk_is(&k, "description"))
			vendor_read_plain(w, a.summary, sizeof(a.summary));
		else if (json_walk_is(&k, "article_url"))
			json_walk_text(w, a.url, sizeof(a.url));
		else if (json_walk_is(&k, "publisher"))
			publisher(w, &a);
		else if (json_walk_is(&k, "tickers"))
			vendor_read_symbols(w, &a);
		else
			json_walk_skip(w);
	}
	if (a.id[0] == '\0' || a.created_ns == VALUE_NULL)
		json_walk_fail(w, "an article has no id or no time");
	/* Edits are not told: the same id comes with another text. */
	a.updated_ns = a.created_ns;
	if (!w->why)
		*vendor_page_article(out) = a;
}

static void action_key(struct json_walk *w, const struct json_key *k,
		       struct hist_action *a)
{
	char symbol[SYMBOL_MAX + 2];

	if (json_walk_is(k, "ticker")) {
		size_t len = json_walk_text(w, symbol, sizeof(symbol));

		if (symbol_valid(symbol, len))
			memcpy(a->symbol, symbol, len);
	} else if (json_walk_is(k, "execution_date")) {
		a->kind = ACTION_SPLIT;
		a->ex_date = vendor_read_date(w);
	} else if (json_walk_is(k, "split_from")) {
		a->denominator_e9 = json_walk_decimal(w, 9);
	} else if (json_walk_is(k, "split_to")) {
		a->numerator_e9 = json_walk_decimal(w, 9);
	} else if (json_walk_is(k, "ex_dividend_date")) {
		a->kind = ACTION_DIVIDEND;
		a->ex_date = vendor_read_date(w);
	} else if (json_walk_is(k, "cash_amount")) {
		a->amount_e9 = json_walk_rounded(w, 9);
	} else if (json_walk_is(k, "currency")) {
		json_walk_text(w, a->currency, sizeof(a->currency));
	} else {
		json_walk_skip(w);
	}
}

void polygon_read_action(struct json_walk *w, struct vendor_page *out)
{
	struct hist_action a = {.numerator_e9 = VALUE_NULL,
				.denominator_e9 = VALUE_NULL,
				.amount_e9 = VALUE_NULL};
	struct json_key k;

	if (!json_walk_object(w)) {
		json_walk_fail(w, "an action is null");
		return;
	}
	while (json_walk_key(w, &k))
		action_key(w, &k, &a);
	if (w->why)
		return;
	if (a.kind == 0 || a.ex_date == 0) {
		json_walk_fail(
			w, "an action is neither a split nor a dividend with its date");
		return;
	}
	if (a.symbol[0] == '\0')
		out->skipped++;
	else
		*vendor_page_action(out) = a;
}

/* Dates are those of the exchange's calendar, both inclusive. */
int polygon_actions_target(const struct vendor_ask *a, bool dividends, struct buf *t)
{
	const char *date = dividends ? "ex_dividend_date" : "execution_date";
	char symbol[SYMBOL_MAX + 3];
	int64_t first = 0, last = 0, of_day_ns;
	int rc = vendor_newyork(a->start_ns, &first, &of_day_ns);

	if (rc == 0)
		rc = vendor_newyork(a->end_ns - 1, &last, &of_day_ns);
	if (rc < 0)
		return rc;
	polygon_spell(a->symbols[0], symbol);
	buf_printf(t, "%s", dividends ? DIVIDENDS : SPLITS);
	vendor_param(t, "ticker", symbol);
	buf_printf(t, "&%s.gte=", date);
	vendor_date(t, "", first);
	buf_printf(t, "&%s.lte=", date);
	vendor_date(t, "", last);
	vendor_param(t, "order", "asc");
	vendor_param(t, "sort", date);
	vendor_param_u64(t, "limit", vendor_limit(POLYGON_ACTIONS_MAX, a));
	return 0;
}

int polygon_list_after(const struct vendor_ask *a, const char *now,
		       char out[VENDOR_NEXT_MAX])
{
	struct buf t = {0};
	int rc;

	if (strncmp(now, DIVIDENDS, strlen(DIVIDENDS)) == 0)
		return 0;
	rc = polygon_actions_target(a, true, &t);
	if (rc == 0 && t.len >= VENDOR_NEXT_MAX)
		rc = err_set(-EMSGSIZE, "the question for dividends is too long");
	if (rc == 0)
		memcpy(out, buf_text(&t), t.len + 1);
	buf_free(&t);
	return rc;
}
