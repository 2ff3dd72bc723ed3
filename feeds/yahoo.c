/*
 * yahoo - how Yahoo's chart and search are asked.  Nothing of it is official: it may
 * change or refuse at any time, and answers programs that call themselves programs
 * with 429, so we name a browser.
 *
 * Open to close are adjusted for splits, always; adjusted for dividends as well there
 * is one number per day, by which the others are scaled.  There is no raw price.
 */
#include "feeds/yahoo.h"
#include "base/clock.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_NS   (86400 * NS_PER_S)
#define NEWS_MAX 100
#define USER_AGENT                                                                     \
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "        \
	"Firefox/128.0"

static const struct {
	uint32_t step_s;
	const char *name;
	int64_t days; /* of one question, 0: any number */
} intervals[] = {
	{60, "1m", 8},     {120, "2m", 60},   {300, "5m", 60},  {900, "15m", 60},
	{3600, "1h", 730}, {5400, "90m", 60}, {86400, "1d", 0},
};

#define INTERVALS (sizeof(intervals) / sizeof(intervals[0]))

static size_t find_interval(uint32_t step_s)
{
	size_t i = 0;

	while (i < INTERVALS && intervals[i].step_s != step_s)
		i++;
	return i;
}

const char *yahoo_interval(uint32_t step_s)
{
	size_t i = find_interval(step_s);

	return i < INTERVALS ? intervals[i].name : NULL;
}

/* One letter behind the point is a class of shares, but for these exchanges: London,
   Frankfurt, Tokyo, the Toronto Venture Exchange. */
static bool is_class(const char *dot)
{
	return dot && dot[1] != '\0' && dot[2] == '\0' && !strchr("LFTV", dot[1]);
}

void yahoo_spell(const char *symbol, char out[YAHOO_SYMBOL_MAX])
{
	const char *slash = strchr(symbol, '/'), *dot = strrchr(symbol, '.');
	int base = slash ? (int)(slash - symbol) : 0;

	if (strnlen(symbol, SYMBOL_MAX + 1) > SYMBOL_MAX)
		symbol = "";
	if (strncmp(symbol, "C:", 2) == 0)
		(void)snprintf(out, YAHOO_SYMBOL_MAX, "%s=X", symbol + 2);
	else if (strncmp(symbol, "I:", 2) == 0)
		(void)snprintf(out, YAHOO_SYMBOL_MAX, "^%s", symbol + 2);
	else if (strncmp(symbol, "F:", 2) == 0)
		(void)snprintf(out, YAHOO_SYMBOL_MAX, "%s=F", symbol + 2);
	else if (slash && vendor_is_money_pair(symbol))
		(void)snprintf(out, YAHOO_SYMBOL_MAX, "%.*s%s=X", base, symbol,
			       slash + 1);
	else if (slash)
		(void)snprintf(out, YAHOO_SYMBOL_MAX, "%.*s-%s", base, symbol,
			       slash + 1);
	else
		(void)snprintf(out, YAHOO_SYMBOL_MAX, "%s", symbol);
	if (!slash && is_class(dot) && symbol[1] != ':')
		out[dot - symbol] = '-';
}

bool yahoo_unspell(const char *theirs, char out[SYMBOL_MAX + 1])
{
	size_t len = strlen(theirs);
	const char *dash = strrchr(theirs, '-');

	if (len == 0 || len > SYMBOL_MAX)
		return false;
	if (theirs[0] == '^')
		(void)snprintf(out, SYMBOL_MAX + 1, "I:%.30s", theirs + 1);
	else if (len == 8 && strcmp(theirs + 6, "=X") == 0)
		(void)snprintf(out, SYMBOL_MAX + 1, "%.3s/%.3s", theirs, theirs + 3);
	else if (len > 2 && strcmp(theirs + len - 2, "=F") == 0)
		(void)snprintf(out, SYMBOL_MAX + 1, "F:%.*s", (int)len - 2, theirs);
	else
		(void)snprintf(out, SYMBOL_MAX + 1, "%s", theirs);
	if (dash && dash[1] != '\0' && dash[2] == '\0')
		out[dash - theirs] = '.';
	else if (dash && strlen(dash) == 4)
		out[dash - theirs] = '/';
	return symbol_valid(out, strlen(out)) && len + 1 <= SYMBOL_MAX;
}

static int64_t range_max_ns(const struct vendor_ask *a)
{
	size_t i = find_interval(a->step_s);

	return a->what == VENDOR_BARS && i < INTERVALS ? intervals[i].days * DAY_NS : 0;
}

static int check_bars(const struct vendor_ask *a)
{
	int64_t most_ns = range_max_ns(a), range_ns;

	if (a->adjust == HIST_RAW)
		return err_set(-EINVAL,
			       "Yahoo has no raw prices, they are adjusted for "
			       "splits: ask for split or all");
	if (!yahoo_interval(a->step_s))
		return err_set(
			-EINVAL,
			"Yahoo has no bars of %u s: it has 1, 2, 5, 15, 60 and 90 "
			"minutes and the day (30 minutes came back as 60)",
			a->step_s);
	if (a->adjust == HIST_ALL && a->step_s != 86400)
		return err_set(-EINVAL,
			       "Yahoo adjusts for dividends by the day alone: ask "
			       "for split");
	if (most_ns > 0 && (__builtin_sub_overflow(a->end_ns, a->start_ns, &range_ns) ||
			    range_ns > most_ns))
		return err_set(
			-EINVAL,
			"Yahoo gives bars of %u s for at most %lld days at a time: "
			"ask in pieces",
			a->step_s, (long long)(most_ns / DAY_NS));
	return 0;
}

static int check_ask(const struct vendor_settings *s, const struct vendor_ask *a)
{
	int rc = vendor_check(&yahoo_ops, a);

	(void)s;
	return rc == 0 && a->what == VENDOR_BARS ? check_bars(a) : rc;
}

/* The first whole second that is not before. */
static int64_t seconds_up(int64_t ns)
{
	return ns / NS_PER_S + (ns % NS_PER_S > 0);
}

static void chart_target(const struct vendor_ask *a, const char *symbol, struct buf *t)
{
	const char *interval =
		a->what == VENDOR_BARS ? yahoo_interval(a->step_s) : "1d";

	buf_printf(t, "/v8/finance/chart/");
	vendor_escape(t, symbol, strlen(symbol));
	buf_printf(t, "?period1=%lld&period2=%lld&interval=%s",
		   (long long)seconds_up(a->start_ns), (long long)seconds_up(a->end_ns),
		   interval);
	buf_printf(t, "&includePrePost=false&events=div%%7Csplit");
}

static int ask_request(const struct vendor_settings *s, const struct vendor_ask *a,
		       const char *next, struct vendor_request *out)
{
	char symbol[YAHOO_SYMBOL_MAX];
	int rc = check_ask(s, a);

	if (rc < 0)
		return rc;
	if (next[0] != '\0')
		return err_set(-EINVAL, "Yahoo has no pages");
	yahoo_spell(a->symbols[0], symbol);
	if (a->what == VENDOR_NEWS) {
		buf_printf(&out->target, "/v1/finance/search");
		vendor_param(&out->target, "q", symbol);
		vendor_param_u64(&out->target, "newsCount", vendor_limit(NEWS_MAX, a));
		vendor_param_u64(&out->target, "quotesCount", 0);
	} else {
		chart_target(a, symbol, &out->target);
	}
	buf_add(&out->headers, USER_AGENT, sizeof(USER_AGENT));
	return 0;
}

static int parse(const struct vendor_settings *s, const struct vendor_ask *a,
		 const char *next, const char *body, size_t len,
		 struct vendor_page *out)
{
	(void)s;
	(void)next;
	if (a->what == VENDOR_NEWS)
		return yahoo_parse_news(a, body, len, out);
	return yahoo_parse_chart(a, body, len, out);
}

/* 404 is a symbol without data, here and in a 200 with an error inside. */
static void problem(const struct vendor_settings *s, long status,
		    const char *content_type, const char *body, size_t len,
		    struct vendor_problem *out)
{
	char message[VENDOR_WHY_MAX];

	(void)content_type;
	vendor_message(body, len, message);
	vendor_problem_write(s, "yahoo", status, message, out);
	if (strcasestr(message, "No data found") || strcasestr(message, "delisted"))
		out->verdict = VENDOR_UNKNOWN;
	else if (status == 404)
		out->verdict = VENDOR_UNKNOWN;
	else if (status == 200 && strcasestr(message, "Too Many Requests"))
		out->verdict = VENDOR_LIMITED;
	else if (status == 200 && strcasestr(message, "data not available"))
		out->verdict = VENDOR_REFUSED;
}

const struct vendor_ops yahoo_ops = {
	.name = "yahoo",
	.can = 1u << VENDOR_BARS | 1u << VENDOR_NEWS | 1u << VENDOR_ACTIONS,
	.rows_max = {[VENDOR_NEWS] = NEWS_MAX},
	.symbols_max = 1,
	.has_pages = false,
	.check = check_ask,
	.request = ask_request,
	.parse = parse,
	.problem = problem,
	.range_max_ns = range_max_ns,
};
