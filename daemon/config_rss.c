/*
 * config_rss - the feeds of headlines that the daemon asks for.
 *
 *	rss:
 *	  apple: {url: "https://feeds.example/AAPL.xml", symbols: [AAPL], every: 5m}
 *	  wire: {url: "https://wire.example/atom", symbols: all, match_title: true}
 */
#include "base/clock.h"
#include "base/err.h"
#include "daemon/config_walk.h"
#include "feeds/webref.h"
#include "proto/hist.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARTICLE_SYMBOLS (sizeof(((struct hist_article *)0)->symbols) / SYMBOL_MAX)

#define AT(field) offsetof(struct config_rss, field)

static const struct config_key keys[] = {
	{"url", CONFIG_TEXT, AT(url), 0, 0, CONFIG_RSS_URL_MAX, 0, 0},
	{"every", CONFIG_DURATION, AT(every_ns), NS_PER_S, 7 * 86400 * NS_PER_S, 0, 0,
	 0},
	{"size", CONFIG_BYTES, AT(bytes_max), 1024, 64 << 20, 0, 0, 0},
	{"match_title", CONFIG_BOOL, AT(match_title), 0, 0, 0, 0, 0},
	{"match_category", CONFIG_BOOL, AT(match_category), 0, 0, 0, 0, 0},
};

const struct config_table config_rss_keys = {keys, sizeof(keys) / sizeof(keys[0])};

static const struct config_rss defaults = {.every_ns = 300 * NS_PER_S,
					   .bytes_max = 4 << 20};

static void check_url(struct config_walk *w, int node, const struct config_rss *r)
{
	if (!webref_is_url(r->url) || strpbrk(r->url, "@#") != NULL)
		config_walk_complain(w, node,
				     "rss.%s: url is missing, or not "
				     "https://HOST[:PORT]/PATH without '@' and '#'",
				     r->name);
	else if (strncmp(r->url, "https://", 8) != 0 && !w->c->fetch.plain_http)
		config_walk_complain(
			w, node,
			"rss.%s: url is not https://, and fetch.plain_http "
			"is false",
			r->name);
}

static void check(struct config_walk *w, int node, const struct config_rss *r)
{
	bool matches = r->match_title || r->match_category;

	check_url(w, node, r);
	if (!matches && (r->all || r->n_symbols > ARTICLE_SYMBOLS))
		config_walk_complain(w, node,
				     "rss.%s: an article is about %zu symbols at most; "
				     "match_title or match_category looks for those it "
				     "names",
				     r->name, ARTICLE_SYMBOLS);
	if (w->c->live.clock != CONFIG_WALL)
		config_walk_complain(
			w, node, "rss.%s: a live feed needs clock.mode: wall", r->name);
	for (size_t i = 0; i < w->c->n_feeds; i++)
		if (strcmp(w->c->feeds[i].source, r->name) == 0)
			config_walk_complain(w, node,
					     "rss.%s: feeds.%s has this as its source",
					     r->name, w->c->feeds[i].name);
}

static int walk_one(struct config_walk *w, int key, int value, struct config_rss *r)
{
	const char *name = config_yaml_text(w->yaml, key);
	struct config_names names;
	char what[40];
	int rc;

	*r = defaults;
	if (!source_valid(name, strlen(name))) {
		config_walk_complain(w, key,
				     "'%.40s' is not a source's name [a-z0-9._-]{1,16}",
				     name);
		return 0;
	}
	(void)snprintf(r->name, sizeof(r->name), "%s", name);
	if (config_yaml_type(w->yaml, value) != CONFIG_MAP) {
		config_walk_complain(w, key, "rss.%s: it needs url and symbols", name);
		return 0;
	}
	config_walk_table(w, value, &config_rss_keys, "", r, "symbols");
	(void)snprintf(what, sizeof(what), "rss.%s", name);
	rc = config_walk_names(w, key, config_walk_find(w, value, "symbols"), what,
			       &names);
	r->symbols = names.symbols;
	r->n_symbols = names.n;
	r->all = names.all;
	check(w, key, r);
	return rc;
}

int config_walk_rss(struct config_walk *w, int map)
{
	size_t n = config_yaml_len(w->yaml, map);
	int rc = 0;

	if (n > CONFIG_RSS_MAX) {
		config_walk_complain(w, map, "there are more than %d feeds in rss",
				     CONFIG_RSS_MAX);
		return 0;
	}
	w->c->rss = calloc(n + 1, sizeof(*w->c->rss));
	if (w->c->rss == NULL)
		return err_set(-ENOMEM, "no memory for %zu feeds", n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		w->c->n_rss = i + 1;
		rc = walk_one(w, config_yaml_key(w->yaml, map, i),
			      config_yaml_value(w->yaml, map, i), &w->c->rss[i]);
	}
	return rc;
}

void config_rss_print(const struct config_rss *r, struct buf *out)
{
	buf_printf(out, "  \"%s\":\n", r->name);
	config_table_print(&config_rss_keys, r, "    ", out);
	config_names_print(r->symbols, r->n_symbols, r->all, out);
}
