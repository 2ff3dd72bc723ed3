/*
 * cmd_news - what vendors wrote about symbols: asked of the daemon, scored here, summed
 * up per symbol by the news desk.  Nothing depends on the clock: age is counted back
 * from the newest article of all that were asked for; with --window from the symbol's
 * own, and then the sums are those of the daemon's NEWS_SENTIMENT events
 * (workers/newsroom.h) over the same articles.
 */
#include "analysis/newsdesk.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/timetext.h"
#include "cli/cmd_news_import.h"
#include "cli/history_source.h"
#include "cli/scorer.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_START = 1,
	OPT_END,
	OPT_HALF,
	OPT_REPEAT,
	OPT_WINDOW,
	OPT_ALL,
	OPT_VADER,
	OPT_JSON,
	OPT_IMPORT
};

static const struct option longs[] = {{"start", required_argument, NULL, OPT_START},
				      {"end", required_argument, NULL, OPT_END},
				      {"half-life", required_argument, NULL, OPT_HALF},
				      {"repeat", required_argument, NULL, OPT_REPEAT},
				      {"window", required_argument, NULL, OPT_WINDOW},
				      {"all", no_argument, NULL, OPT_ALL},
				      {"vader", required_argument, NULL, OPT_VADER},
				      {"json", no_argument, NULL, OPT_JSON},
				      {"source", required_argument, NULL, OPT_IMPORT},
				      {"symbols", required_argument, NULL, OPT_IMPORT},
				      {"match", required_argument, NULL, OPT_IMPORT},
				      {"url", required_argument, NULL, OPT_IMPORT},
				      {"from-history", no_argument, NULL, OPT_IMPORT},
				      {0}};

#define DAY_NS    (INT64_C(86400) * 1000000000)
#define TITLE_MAX 1024

/** An article of a ticker, until all are there. */
struct held {
	int64_t time_ns;
	uint64_t title;
	double compound;
	size_t order; /* of its coming */
	size_t text;  /* with --all: place of its JSON fields, each ended by a NUL */
};

struct ticker {
	const char *symbol;
	struct buf held;  /* struct held */
	struct buf texts; /* with --all: time, headline, source, URL of each */
	struct newsdesk desk;
	struct newsdesk_total total;
	struct buf articles; /* with --all: JSON, or lines */
	struct jsonw w;
};

struct news {
	struct sentiment *scorer;
	struct ticker *tickers;
	size_t n;
	int64_t newest_ns;
	int64_t half_life_ns, repeat_ns, window_ns; /* INT64_MAX: all there is */
	const char *start, *end, *vader;
	bool all, json;
};

static int read_options(struct cli *c, int argc, char **argv, struct news *o)
{
	int option;

	o->half_life_ns = o->repeat_ns = DAY_NS;
	o->window_ns = INT64_MAX;
	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		int64_t *duration = option == OPT_HALF     ? &o->half_life_ns
				    : option == OPT_REPEAT ? &o->repeat_ns
				    : option == OPT_WINDOW ? &o->window_ns
							   : NULL;

		o->start = option == OPT_START ? optarg : o->start;
		o->end = option == OPT_END ? optarg : o->end;
		o->vader = option == OPT_VADER ? optarg : o->vader;
		o->all = o->all || option == OPT_ALL;
		o->json = o->json || option == OPT_JSON;
		if (option == OPT_IMPORT)
			return cli_usage_error(c, "--source, --symbols, --match, --url "
						  "and --from-history "
						  "are of 'news import'");
		if (duration != NULL &&
		    (timetext_duration(optarg, strlen(optarg), duration) != 0 ||
		     *duration <= 0))
			return cli_usage_error(c, "'%s' is no duration like 12h",
					       optarg);
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OPTION_HELP : CLI_USAGE;
	if (optind == argc)
		return cli_usage_error(c, "it takes one or more symbols");
	return CLI_OK;
}

/* An article as it stands in the list: four texts, one behind the other. */
static void note(const struct news *o, struct ticker *t, const struct held *h,
		 bool is_repeat)
{
	const char *time = (const char *)t->texts.data + h->text;
	const char *headline = time + strlen(time) + 1;
	const char *source = headline + strlen(headline) + 1;

	if (!o->json) {
		buf_printf(&t->articles, "%-20s  %-10s  %+.4f  %s%s\n", time, t->symbol,
			   h->compound, headline, is_repeat ? "  (repeat)" : "");
		return;
	}
	jsonw_object(&t->w, NULL);
	jsonw_str(&t->w, "time", time);
	jsonw_str(&t->w, "headline", headline);
	jsonw_str(&t->w, "source", source);
	jsonw_str(&t->w, "url", source + strlen(source) + 1);
	jsonw_f64(&t->w, "compound", h->compound);
	jsonw_bool(&t->w, "repeat", is_repeat);
	jsonw_end(&t->w);
}

struct taking {
	struct news *news;
	struct ticker *ticker;
};

/* In a window an article stands where its last edit put it, as the daemon has it. */
static int take(void *arg, const struct json_token *row)
{
	static const char *const keys[] = {"headline", "source", "url"};
	struct news *o = ((struct taking *)arg)->news;
	struct ticker *t = ((struct taking *)arg)->ticker;
	const char *key = o->window_ns < INT64_MAX ? "updated" : "time";
	struct held h = {.order = t->held.len, .text = t->texts.len};
	struct sentiment_score score;
	char time[64], text[TITLE_MAX];
	size_t len;
	int rc;

	(void)query_field(row, key, time, sizeof(time));
	(void)query_field(row, "headline", text, sizeof(text));
	len = strlen(text);
	if (timetext_parse(time, strlen(time), &h.time_ns) != 0)
		return cli_error(CLI_INTERNAL, "the daemon's answer has no time: '%s'",
				 time);
	rc = sentiment_score(o->scorer, text, len, &score);
	if (rc < 0)
		return cli_error(CLI_INTERNAL, "%s", err_text());
	h.title = newsdesk_title(text, len);
	h.compound = score.compound;
	buf_add(&t->held, &h, sizeof(h));
	if (h.time_ns > o->newest_ns)
		o->newest_ns = h.time_ns;
	if (!o->all)
		return CLI_OK;
	buf_add(&t->texts, time, strlen(time) + 1);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)query_field(row, keys[i], text, sizeof(text));
		buf_add(&t->texts, text, strlen(text) + 1);
	}
	return CLI_OK;
}

static int by_time(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* All of a ticker's, the oldest first, on its desk. */
static int put_on_desk(const struct news *o, struct ticker *t)
{
	struct held *h = (void *)t->held.data;
	size_t n = t->held.len / sizeof(*h);

	if (n > 0)
		qsort(h, n, sizeof(*h), by_time);
	for (size_t i = 0; i < n; i++) {
		int rc =
			newsdesk_add(&t->desk, h[i].time_ns, h[i].title, h[i].compound);

		if (rc < 0)
			return cli_error(CLI_INTERNAL, "%s", err_text());
		if (o->all)
			note(o, t, &h[i], rc == NEWSDESK_REPEAT);
	}
	return CLI_OK;
}

static int fetch(struct cli *c, struct news *o, struct ticker *t)
{
	const struct history_wish wish = {
		.symbol = t->symbol, .start = o->start, .end = o->end};
	struct taking taking = {o, t};
	char reason[HISTORY_REASON_MAX];
	int rc = history_source_each(c, HISTORY_ARTICLES, &wish, take, &taking, reason);

	if (rc == CLI_OK)
		rc = put_on_desk(o, t);
	return rc == CLI_NEGATIVE ? cli_error(rc, "%s", reason) : rc;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : NAN;
}

static void put_ticker(struct jsonw *w, const struct news *o, struct ticker *t)
{
	const struct newsdesk_total *s = &t->total;

	jsonw_object(w, NULL);
	jsonw_str(w, "ticker", t->symbol);
	jsonw_u64(w, "article_count", s->articles);
	jsonw_u64(w, "repeats", t->desk.repeats);
	jsonw_f64(w, "avg_sentiment", s->average);
	jsonw_f64(w, "weighted_sentiment", s->weighted);
	jsonw_f64(w, "positive_share", share(s->positive, s->articles));
	jsonw_f64(w, "negative_share", share(s->negative, s->articles));
	if (o->all) {
		jsonw_end(&t->w);
		jsonw_raw(w, "articles", buf_text(&t->articles), t->articles.len);
	}
	jsonw_end(w);
}

static void show_json(const struct news *o)
{
	uint64_t articles = 0, with = 0, positive = 0, negative = 0;
	struct buf out = {0};
	struct jsonw w;

	jsonw_init(&w, &out);
	jsonw_object(&w, NULL);
	jsonw_object(&w, "sentiment_by_ticker");
	for (size_t i = 0; i < o->n; i++) {
		const struct newsdesk_total *s = &o->tickers[i].total;

		articles += s->articles;
		with += s->articles > 0;
		positive += s->average >= SENTIMENT_THRESHOLD;
		negative += s->average <= -SENTIMENT_THRESHOLD;
		if (s->articles > 0)
			jsonw_f64(&w, o->tickers[i].symbol, s->average);
	}
	jsonw_end(&w);
	jsonw_str(&w, "status",
		  with == o->n ? "success"
		  : with > 0   ? "partial"
			       : "none");
	jsonw_u64(&w, "total_articles", articles);
	jsonw_u64(&w, "securities_with_news", with);
	jsonw_u64(&w, "positive_sentiment", positive);
	jsonw_u64(&w, "negative_sentiment", negative);
	jsonw_str(&w, "lexicon_version", sentiment_lexicon_version(o->scorer));
	jsonw_array(&w, "tickers");
	for (size_t i = 0; i < o->n; i++)
		put_ticker(&w, o, &o->tickers[i]);
	jsonw_end(&w);
	jsonw_end(&w);
	printf("%s\n", buf_text(&out));
	buf_free(&out);
}

static void show_table(const struct news *o)
{
	for (size_t i = 0; i < o->n; i++)
		printf("%s", buf_text(&o->tickers[i].articles));
	printf("%-12s %8s %8s %9s %9s %9s %9s\n", "symbol", "articles", "repeats",
	       "average", "weighted", "positive", "negative");
	for (size_t i = 0; i < o->n; i++) {
		const struct ticker *t = &o->tickers[i];
		const struct newsdesk_total *s = &t->total;

		printf("%-12s %8llu %8llu", t->symbol, (unsigned long long)s->articles,
		       (unsigned long long)t->desk.repeats);
		if (s->articles > 0)
			printf(" %+9.4f %+9.4f %8.0f%% %8.0f%%\n", s->average,
			       s->weighted, 100 * share(s->positive, s->articles),
			       100 * share(s->negative, s->articles));
		else
			printf(" %9s %9s %9s %9s\n", "-", "-", "-", "-");
	}
}

static int sum_up(struct news *o)
{
	int code = CLI_OK;

	for (size_t i = 0; i < o->n; i++) {
		struct ticker *t = &o->tickers[i];
		const struct held *h = (const void *)t->held.data;
		size_t n = t->held.len / sizeof(*h);
		int64_t as_of_ns = o->window_ns < INT64_MAX && n > 0 ? h[n - 1].time_ns
								     : o->newest_ns;

		newsdesk_total(&t->desk, as_of_ns, o->window_ns, o->half_life_ns,
			       &t->total);
		if (t->total.articles == 0)
			code = CLI_NEGATIVE;
	}
	if (o->json)
		show_json(o);
	else
		show_table(o);
	return code;
}

int cmd_news(struct cli *c, int argc, char **argv)
{
	struct news o = {.newest_ns = INT64_MIN};
	int rc;

	if (argc > 1 && strcmp(argv[1], "import") == 0)
		return cmd_news_import(c, argc - 1, argv + 1);
	rc = read_options(c, argc, argv, &o);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	rc = scorer_open(SENTIMENT_FINANCE, o.vader, &o.scorer);
	if (rc != CLI_OK)
		return rc;
	o.n = (size_t)(argc - optind);
	assert(o.n > 0);
	o.tickers = calloc(o.n, sizeof(*o.tickers));
	if (o.tickers == NULL)
		rc = cli_error(CLI_INTERNAL, "no memory for %zu symbols", o.n);
	for (size_t i = 0; o.tickers != NULL && i < o.n && rc == CLI_OK; i++) {
		struct ticker *t = &o.tickers[i];

		t->symbol = argv[optind + (int)i];
		t->desk.repeat_ns = o.repeat_ns;
		jsonw_init(&t->w, &t->articles);
		if (o.json)
			jsonw_array(&t->w, NULL);
		rc = fetch(c, &o, t);
	}
	if (o.tickers != NULL && rc == CLI_OK)
		rc = sum_up(&o);
	for (size_t i = 0; o.tickers != NULL && i < o.n; i++) {
		newsdesk_free(&o.tickers[i].desk);
		buf_free(&o.tickers[i].articles);
		buf_free(&o.tickers[i].held);
		buf_free(&o.tickers[i].texts);
	}
	free(o.tickers);
	sentiment_free(o.scorer);
	return rc;
}
