/*
 * alpaca - how Alpaca's market data interface (v2, news v1beta1, corporate actions v1)
 * is asked, and what its errors mean.
 *
 * Its `end` is inclusive, ours is not: one nanosecond less is sent, so that a bar that
 * begins exactly there belongs to the next question alone.  Its pages end when the
 * token is null and not before: a short page, even an empty one, may be followed by
 * more.  Everything is asked for in ascending order and unadjusted unless said
 * otherwise, explicitly: defaults change.
 */
#include "feeds/alpaca.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SYMBOLS_MAX 200

static int check_feed(const char *feed)
{
	if (feed[0] == '\0' || strcmp(feed, "sip") == 0 || strcmp(feed, "iex") == 0 ||
	    strcmp(feed, "otc") == 0 || strcmp(feed, "boats") == 0)
		return 0;
	if (strcmp(feed, "delayed_sip") == 0 || strcmp(feed, "overnight") == 0)
		return err_set(
			-EINVAL,
			"Alpaca has no history of feed %s: it is legal for the "
			"stream and the latest prices only; ask for sip (the free "
			"plan's ends 15 minutes ago) or iex",
			feed);
	return err_set(-EINVAL, "Alpaca has no feed '%s': take sip, iex, otc or boats",
		       feed);
}

/* "5Min", "1Hour", "1Day"; "" when there is no such timeframe. */
static void timeframe(uint32_t step_s, char out[16])
{
	uint32_t minutes = step_s / 60;

	out[0] = '\0';
	if (step_s == 86400)
		(void)snprintf(out, 16, "1Day");
	else if (step_s % 3600 == 0 && step_s > 0 && step_s < 86400)
		(void)snprintf(out, 16, "%uHour", step_s / 3600);
	else if (step_s % 60 == 0 && minutes >= 1 && minutes <= 59)
		(void)snprintf(out, 16, "%uMin", minutes);
}

static int check_ask(const struct vendor_settings *s, const struct vendor_ask *a)
{
	bool is_crypto;
	char frame[16];
	int rc = vendor_check(&alpaca_ops, a);

	if (rc < 0)
		return rc;
	is_crypto = alpaca_is_crypto(a->symbols[0]);
	if (a->what > VENDOR_QUOTES)
		return 0;
	for (size_t i = 1; i < a->n_symbols; i++)
		if (alpaca_is_crypto(a->symbols[i]) != is_crypto)
			return err_set(-EINVAL,
				       "Alpaca takes stocks and crypto pairs in "
				       "requests of their own: %s and %s stand in one",
				       a->symbols[0], a->symbols[i]);
	if (a->what == VENDOR_BARS) {
		timeframe(a->step_s, frame);
		if (frame[0] == '\0')
			return err_set(-EINVAL,
				       "Alpaca has no bars of %u s: it has 1 to 59 "
				       "minutes, 1 to 23 hours and the day",
				       a->step_s);
	}
	return is_crypto ? 0 : check_feed(s->feed);
}

static void rows_target(const struct vendor_settings *s, const struct vendor_ask *a,
			struct buf *t)
{
	static const char *const routes[] = {"bars", "trades", "quotes"};
	static const char *const adjustments[] = {"raw", "split", "all"};
	bool is_crypto = alpaca_is_crypto(a->symbols[0]);
	char frame[16];

	buf_printf(t, "%s/%s", is_crypto ? "/v1beta3/crypto/us" : "/v2/stocks",
		   routes[a->what]);
	vendor_param_symbols(t, "symbols", a);
	if (a->what == VENDOR_BARS) {
		timeframe(a->step_s, frame);
		vendor_param(t, "timeframe", frame);
	}
	vendor_param_time(t, "start", a->start_ns);
	vendor_param_time(t, "end", a->end_ns - 1);
	vendor_param_u64(t, "limit", vendor_limit(alpaca_ops.rows_max[a->what], a));
	vendor_param(t, "sort", "asc");
	if (is_crypto)
		return;
	if (a->what == VENDOR_BARS)
		vendor_param(t, "adjustment", adjustments[a->adjust]);
	if (s->feed[0] != '\0')
		vendor_param(t, "feed", s->feed);
}

static void news_target(const struct vendor_ask *a, struct buf *t)
{
	buf_printf(t, "/v1beta1/news?symbols=");
	for (size_t i = 0; i < a->n_symbols; i++) {
		char name[SYMBOL_MAX + 1];

		alpaca_news_name(a->symbols[i], name);
		buf_add(t, ",", i > 0);
		vendor_escape(t, name, strlen(name));
	}
	vendor_param_time(t, "start", a->start_ns);
	vendor_param_time(t, "end", a->end_ns - 1);
	vendor_param_u64(t, "limit", vendor_limit(alpaca_ops.rows_max[a->what], a));
	vendor_param(t, "sort", "asc");
}

/* Actions have dates, those of the exchange's calendar, both inclusive. */
static int actions_target(const struct vendor_ask *a, struct buf *t)
{
	int64_t first = 0, last = 0, of_day_ns;
	int rc = vendor_newyork(a->start_ns, &first, &of_day_ns);

	if (rc == 0)
		rc = vendor_newyork(a->end_ns - 1, &last, &of_day_ns);
	if (rc < 0)
		return rc;
	buf_printf(t, "/v1/corporate-actions");
	vendor_param_symbols(t, "symbols", a);
	vendor_date(t, "&start=", first);
	vendor_date(t, "&end=", last);
	vendor_param_u64(t, "limit", vendor_limit(alpaca_ops.rows_max[a->what], a));
	vendor_param(t, "sort", "asc");
	return 0;
}

static int ask_request(const struct vendor_settings *s, const struct vendor_ask *a,
		       const char *next, struct vendor_request *out)
{
	int rc = check_ask(s, a);

	if (rc < 0)
		return rc;
	if (a->what == VENDOR_NEWS)
		news_target(a, &out->target);
	else if (a->what == VENDOR_ACTIONS)
		rc = actions_target(a, &out->target);
	else
		rows_target(s, a, &out->target);
	if (rc < 0)
		return rc;
	if (next[0] != '\0')
		vendor_param(&out->target, "page_token", next);
	vendor_header(&out->headers, "APCA-API-KEY-ID", "", s->key);
	vendor_header(&out->headers, "APCA-API-SECRET-KEY", "", s->key_secret);
	return 0;
}

/*
 * 403 is a wrong key ("forbidden.", as 401) or a plan that does not cover the feed;
 * only the text tells.  400 and 422 are the new and the old form of the same.
 */
static void problem(const struct vendor_settings *s, long status,
		    const char *content_type, const char *body, size_t len,
		    struct vendor_problem *out)
{
	char message[VENDOR_WHY_MAX];

	(void)content_type;
	vendor_message(body, len, message);
	vendor_problem_write(s, "alpaca", status, message, out);
	if (status == 403 && strncmp(message, "forbidden", 9) == 0)
		out->verdict = VENDOR_AUTH;
}

const struct vendor_ops alpaca_ops = {
	.name = "alpaca",
	.can = 1u << VENDOR_BARS | 1u << VENDOR_TRADES | 1u << VENDOR_QUOTES |
	       1u << VENDOR_NEWS | 1u << VENDOR_ACTIONS,
	.rows_max = {[VENDOR_BARS] = 10000,
		     [VENDOR_TRADES] = 10000,
		     [VENDOR_QUOTES] = 10000,
		     [VENDOR_NEWS] = 50,
		     [VENDOR_ACTIONS] = 1000},
	.symbols_max = SYMBOLS_MAX,
	.has_pages = true,
	.check = check_ask,
	.request = ask_request,
	.parse = alpaca_parse,
	.problem = problem,
};
