/*
 * config_feeds - the vendors' streams that the daemon keeps open.
 *
 *	feeds:
 *	  alpaca-sip: {vendor: alpaca, symbols: [AAPL, MSFT], quotes: true, mute: 15s}
 *	  wire: {vendor: polygon, symbols: [AAPL], news: true, trades: false, every: 1m}
 *
 * News of a vendor that has no stream of them are asked for: such a feed is polled.
 */
#include "base/clock.h"
#include "base/err.h"
#include "daemon/config_walk.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEED_SYMBOLS_MAX 10000

#define S          NS_PER_S
#define D          (86400 * S)
#define AT(field)  offsetof(struct config_feed, field)
#define CAP(field) sizeof(((struct config_feed *)0)->field)

static const struct config_key keys[] = {
	{"vendor", CONFIG_TEXT, AT(vendor), 0, 0, CAP(vendor), 0, 0},
	{"source", CONFIG_SOURCE, AT(source), 0, 0, CAP(source), 0, 0},
	{"trades", CONFIG_BOOL, AT(trades), 0, 0, 0, 0, 0},
	{"quotes", CONFIG_BOOL, AT(quotes), 0, 0, 0, 0, 0},
	{"news", CONFIG_BOOL, AT(news), 0, 0, 0, 0, 0},
	{"every", CONFIG_DURATION, AT(every_ns), S, 7 * D, 0, 0, 0},
	{"look_back", CONFIG_DURATION, AT(look_back_ns), 0, 365 * D, 0, 0, 0},
	{"mute", CONFIG_DURATION, AT(mute_ns), 100 * NS_PER_MS, D, 0, 0, 0},
	{"redial_max", CONFIG_DURATION, AT(redial_max_ns), 500 * NS_PER_MS, D, 0, 0, 0},
	{"refill", CONFIG_BOOL, AT(refill), 0, 0, 0, 0, 0},
	{"refill_overlap", CONFIG_DURATION, AT(overlap_ns), 0, 3600 * S, 0, 0, 0},
	{"refill_delay", CONFIG_DURATION, AT(refill_delay_ns), 0, D, 0, 0, 0},
	{"refill_window", CONFIG_DURATION, AT(refill_window_ns), S, D, 0, 0, 0},
	{"refill_give_up", CONFIG_DURATION, AT(give_up_ns), S, 365 * D, 0, 0, 0},
};

const struct config_table config_feed_keys = {keys, sizeof(keys) / sizeof(keys[0])};

static const struct config_feed defaults = {.trades = true,
					    .refill = true,
					    .every_ns = 60 * S,
					    .look_back_ns = D,
					    .mute_ns = 15 * S,
					    .redial_max_ns = 60 * S,
					    .overlap_ns = 10 * S,
					    .refill_delay_ns = 5 * S,
					    .refill_window_ns = 600 * S,
					    .give_up_ns = 7 * D};

static bool is_name(const char *s)
{
	size_t n = strspn(
		s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && s[n] == 0 && n <= CONFIG_FEED_MAX && n <= SOURCE_MAX;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void add_symbol(struct config_walk *w, int node, const char *what,
		       struct config_names *out)
{
	const char *name = config_yaml_text(w->yaml, node);

	if (config_yaml_type(w->yaml, node) != CONFIG_SCALAR ||
	    !symbol_valid(name, strlen(name)))
		config_walk_complain(w, node, "%s: '%.40s' is not a symbol", what,
				     name);
	else
		(void)snprintf(out->symbols[out->n++], SYMBOL_MAX + 1, "%s", name);
}

int config_walk_names(struct config_walk *w, int owner, int list, const char *what,
		      struct config_names *out)
{
	size_t n = list ? config_yaml_len(w->yaml, list) : 0;

	*out = (struct config_names){0};
	if (list && strcmp(config_yaml_text(w->yaml, list), "all") == 0) {
		out->all = true;
		if (w->c->derive.n_symbols == 0)
			config_walk_complain(w, list,
					     "%s: all means the tickers, and there are "
					     "none",
					     what);
		return 0;
	}
	if (!list || config_yaml_type(w->yaml, list) != CONFIG_LIST || n < 1 ||
	    n > FEED_SYMBOLS_MAX) {
		config_walk_complain(w, list ? list : owner,
				     "%s: symbols is not all or a list of 1 to %d",
				     what, FEED_SYMBOLS_MAX);
		return 0;
	}
	out->symbols = calloc(n, sizeof(out->symbols[0]));
	if (out->symbols == NULL)
		return err_set(-ENOMEM, "no memory for %s", what);
	for (size_t i = 0; i < n; i++)
		add_symbol(w, config_yaml_item(w->yaml, list, i), what, out);
	qsort(out->symbols, out->n, sizeof(out->symbols[0]), compare);
	for (size_t i = 1; i < out->n; i++)
		if (strcmp(out->symbols[i], out->symbols[i - 1]) == 0)
			config_walk_complain(w, list, "%s: %s is named twice", what,
					     out->symbols[i]);
	return 0;
}

/* enum config_adapter; 0: there is no such vendor. */
static uint32_t adapter_of(const struct config *c, const struct config_feed *f)
{
	for (size_t i = 0; i < c->n_vendors; i++)
		if (strcmp(c->vendors[i].name, f->vendor) == 0)
			return c->vendors[i].adapter;
	return 0;
}

static bool has_it(const struct config *c, const struct config_feed *f)
{
	uint32_t a = adapter_of(c, f);

	return a != 0 && a != (f->news ? CONFIG_DATABENTO : CONFIG_YAHOO);
}

/*
 * Articles turn up at a vendor behind the time that stands on them, one question for
 * many costs little, and what comes twice is known by the log.
 */
static void set_polled(struct config_walk *w, int value, struct config_feed *f)
{
	uint32_t a = adapter_of(w->c, f);

	f->is_polled = f->news && (a == CONFIG_POLYGON || a == CONFIG_YAHOO);
	if (!f->is_polled)
		return;
	if (!config_walk_find(w, value, "refill_overlap"))
		f->overlap_ns = 3600 * S;
	if (!config_walk_find(w, value, "refill_delay"))
		f->refill_delay_ns = 0;
	if (!config_walk_find(w, value, "refill_window"))
		f->refill_window_ns = D;
}

static void check(struct config_walk *w, int node, const struct config_feed *f)
{
	if (f->vendor[0] == '\0')
		config_walk_complain(w, node, "feeds.%s: vendor is missing", f->name);
	else if (!has_it(w->c, f))
		config_walk_complain(w, node, "feeds.%s: vendors has no %s with %s",
				     f->name, f->vendor, f->news ? "news" : "a stream");
	if (!f->trades && !f->quotes && !f->news)
		config_walk_complain(w, node, "feeds.%s: neither trades nor quotes",
				     f->name);
	if (f->news && (f->trades || f->quotes))
		config_walk_complain(
			w, node,
			"feeds.%s: news come by a connection of their own: "
			"trades: false, and no quotes",
			f->name);
	if (f->is_polled && !f->refill)
		config_walk_complain(w, node,
				     "feeds.%s: refill is false, and the news of %s "
				     "come by questions alone",
				     f->name, f->vendor);
	if (w->c->live.clock != CONFIG_WALL)
		config_walk_complain(w, node,
				     "feeds.%s: a live feed needs clock.mode: wall",
				     f->name);
}

static int walk_feed(struct config_walk *w, int key, int value, struct config_feed *f)
{
	const char *name = config_yaml_text(w->yaml, key);
	struct config_names names;
	char what[40];
	int rc;

	*f = defaults;
	if (!is_name(name)) {
		config_walk_complain(w, key,
				     "'%.40s' is not a name [A-Za-z0-9._-]{1,%d}", name,
				     SOURCE_MAX);
		return 0;
	}
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	if (config_yaml_type(w->yaml, value) != CONFIG_MAP) {
		config_walk_complain(w, key, "feeds.%s: it needs vendor and symbols",
				     name);
		return 0;
	}
	config_walk_table(w, value, &config_feed_keys, "", f, "symbols");
	(void)snprintf(what, sizeof(what), "feeds.%s", name);
	rc = config_walk_names(w, key, config_walk_find(w, value, "symbols"), what,
			       &names);
	f->symbols = names.symbols;
	f->n_symbols = names.n;
	f->all = names.all;
	if (f->source[0] == '\0')
		(void)snprintf(f->source, sizeof(f->source), "%.*s", SOURCE_MAX, name);
	set_polled(w, value, f);
	check(w, key, f);
	return rc;
}

/* What a source's ticks are is remembered per source: two feeds would not agree. */
static void check_sources(struct config_walk *w, int map)
{
	const struct config *c = w->c;

	for (size_t i = 0; i < c->n_feeds; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(c->feeds[i].source, c->feeds[j].source) == 0)
				config_walk_complain(
					w, config_yaml_key(w->yaml, map, i),
					"feeds.%s: feeds.%s has the same source",
					c->feeds[i].name, c->feeds[j].name);
}

int config_walk_feeds(struct config_walk *w, int map)
{
	size_t n = config_yaml_len(w->yaml, map);

	if (n > CONFIG_FEEDS_MAX) {
		config_walk_complain(w, map, "there are more than %d feeds",
				     CONFIG_FEEDS_MAX);
		return 0;
	}
	w->c->feeds = calloc(n + 1, sizeof(*w->c->feeds));
	if (w->c->feeds == NULL)
		return err_set(-ENOMEM, "no memory for %zu feeds", n);
	for (size_t i = 0; i < n; i++) {
		int rc;

		w->c->n_feeds = i + 1;
		rc = walk_feed(w, config_yaml_key(w->yaml, map, i),
			       config_yaml_value(w->yaml, map, i), &w->c->feeds[i]);
		if (rc < 0)
			return rc;
	}
	check_sources(w, map);
	return 0;
}

void config_names_print(const char (*symbols)[SYMBOL_MAX + 1], size_t n, bool all,
			struct buf *out)
{
	if (all) {
		buf_printf(out, "    symbols: all\n");
		return;
	}
	buf_printf(out, "    symbols:\n");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "      - \"%s\"\n", symbols[i]);
}

void config_feed_print(const struct config_feed *f, struct buf *out)
{
	buf_printf(out, "  \"%s\":\n", f->name);
	config_table_print(&config_feed_keys, f, "    ", out);
	config_names_print(f->symbols, f->n_symbols, f->all, out);
}
