/*
 * polygon - how Polygon (now called Massive) is asked, and what its errors mean.
 *
 * Two of its defaults are traps: aggregates come adjusted, trades and quotes newest
 * first.  Both are always said explicitly.  The next page is a URL of its own; only
 * path and query of it are used, so the key never goes to a host that an answer names.
 */
#include "feeds/polygon.h"
#include "base/clock.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_S 86400

static int check_ask(const struct vendor_settings *s, const struct vendor_ask *a)
{
	int rc = vendor_check(&polygon_ops, a);

	(void)s;
	if (rc < 0 || a->what != VENDOR_BARS)
		return rc;
	if (a->adjust == HIST_ALL)
		return err_set(-EINVAL,
			       "Polygon adjusts for splits, never for dividends: "
			       "ask for raw or split");
	if (a->step_s == 0 || (a->step_s > DAY_S))
		return err_set(
			-EINVAL,
			"Polygon is asked for bars of 1 second to 1 day, not %u s",
			a->step_s);
	return 0;
}

static void path(struct buf *t, const char *route, const char *ours)
{
	char symbol[SYMBOL_MAX + 3];

	polygon_spell(ours, symbol);
	buf_printf(t, "%s", route);
	vendor_escape(t, symbol, strlen(symbol));
}

/*
 * Both ends are inclusive.  Whole days of New York are written as dates, whose meaning
 * is theirs; everything else as milliseconds.
 */
static int range(const struct vendor_ask *a, struct buf *t)
{
	int64_t first, last, after, from_ns = 1, to_ns = 1;
	int rc = 0;

	/* Crypto, currencies and the like have days of their own. */
	if (polygon_is_stock(a->symbols[0])) {
		rc = vendor_newyork(a->start_ns, &first, &from_ns);
		if (rc == 0)
			rc = vendor_newyork(a->end_ns, &after, &to_ns);
	}
	if (rc < 0)
		return rc;
	if (from_ns == 0 && to_ns == 0) {
		rc = vendor_newyork(a->end_ns - 1, &last, &to_ns);
		vendor_date(t, "/", first);
		vendor_date(t, "/", last);
	} else {
		buf_printf(t, "/%lld/%lld",
			   (long long)((a->start_ns + NS_PER_MS - 1) / NS_PER_MS),
			   (long long)((a->end_ns - 1) / NS_PER_MS));
	}
	return rc;
}

static int aggs_target(const struct vendor_ask *a, struct buf *t)
{
	static const struct {
		const char *name;
		uint32_t seconds;
	} spans[] = {{"day", DAY_S}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
	size_t i = 0;
	int rc;

	while (a->step_s % spans[i].seconds != 0)
		i++;
	path(t, "/v2/aggs/ticker/", a->symbols[0]);
	buf_printf(t, "/range/%u/%s", a->step_s / spans[i].seconds, spans[i].name);
	rc = range(a, t);
	vendor_param(t, "adjusted", a->adjust == HIST_RAW ? "false" : "true");
	vendor_param(t, "sort", "asc");
	/* Base rows, not bars: the more, the fewer pages. */
	vendor_param_u64(t, "limit", vendor_limit(polygon_ops.rows_max[a->what], a));
	return rc;
}

static void ticks_target(const struct vendor_ask *a, struct buf *t)
{
	bool is_trades = a->what == VENDOR_TRADES;

	path(t, is_trades ? "/v3/trades/" : "/v3/quotes/", a->symbols[0]);
	buf_printf(t, "?timestamp.gte=%lld&timestamp.lt=%lld", (long long)a->start_ns,
		   (long long)a->end_ns);
	vendor_param(t, "order", "asc");
	vendor_param(t, "sort", "timestamp");
	vendor_param_u64(t, "limit", vendor_limit(polygon_ops.rows_max[a->what], a));
}

static void news_target(const struct vendor_ask *a, struct buf *t)
{
	char symbol[SYMBOL_MAX + 3];

	polygon_spell(a->symbols[0], symbol);
	buf_printf(t, "/v2/reference/news");
	vendor_param(t, "ticker", symbol);
	vendor_param_time(t, "published_utc.gte", a->start_ns);
	vendor_param_time(t, "published_utc.lt", a->end_ns);
	vendor_param(t, "order", "asc");
	vendor_param(t, "sort", "published_utc");
	vendor_param_u64(t, "limit", vendor_limit(polygon_ops.rows_max[a->what], a));
}

static int first_target(const struct vendor_ask *a, struct buf *t)
{
	switch (a->what) {
	case VENDOR_BARS:
		return aggs_target(a, t);
	case VENDOR_TRADES:
	case VENDOR_QUOTES:
		ticks_target(a, t);
		break;
	case VENDOR_NEWS:
		news_target(a, t);
		break;
	case VENDOR_ACTIONS:
		return polygon_actions_target(a, false, t);
	case VENDOR_WHATS:
		break;
	}
	return 0;
}

static int ask_request(const struct vendor_settings *s, const struct vendor_ask *a,
		       const char *next, struct vendor_request *out)
{
	int rc = check_ask(s, a);

	if (rc < 0)
		return rc;
	if (next[0] != '\0')
		buf_add(&out->target, next, strlen(next));
	else
		rc = first_target(a, &out->target);
	vendor_header(&out->headers, "Authorization", "Bearer ", s->key);
	return rc;
}

static bool says(const char *message, const char *part)
{
	return strcasestr(message, part) != NULL;
}

/* The class counts, not the exact status: a missing key was seen as 400, and an error
   in a 200. */
static void problem(const struct vendor_settings *s, long status,
		    const char *content_type, const char *body, size_t len,
		    struct vendor_problem *out)
{
	char message[VENDOR_WHY_MAX];

	(void)content_type;
	vendor_message(body, len, message);
	vendor_problem_write(s, "polygon", status, message, out);
	if (status >= 500 || status == 429)
		return;
	if (says(message, "API Key"))
		out->verdict = VENDOR_AUTH;
	else if (says(message, "exceeded the maximum requests"))
		out->verdict = VENDOR_LIMITED;
	else if (says(message, "your plan") || says(message, "not authorized"))
		out->verdict = VENDOR_FORBIDDEN;
	else if (status == 404 && says(message, "ticker"))
		out->verdict = VENDOR_UNKNOWN;
}

const struct vendor_ops polygon_ops = {
	.name = "polygon",
	.can = 1u << VENDOR_BARS | 1u << VENDOR_TRADES | 1u << VENDOR_QUOTES |
	       1u << VENDOR_NEWS | 1u << VENDOR_ACTIONS,
	.rows_max = {[VENDOR_BARS] = 50000,
		     [VENDOR_TRADES] = 50000,
		     [VENDOR_QUOTES] = 50000,
		     [VENDOR_NEWS] = 1000,
		     [VENDOR_ACTIONS] = POLYGON_ACTIONS_MAX},
	.symbols_max = 1,
	.has_pages = true,
	.check = check_ask,
	.request = ask_request,
	.parse = polygon_parse,
	.problem = problem,
};
