/*
 * config_diff - two configurations compared as they print, so that nothing which
 * can be configured can differ unseen.
 */
#include "daemon/config_table.h"
#include <stdio.h>
#include <string.h>

struct diff {
	struct config_change *out;
	size_t n, max;
	struct buf was, is;
};

/* Compare the two buffers and empty them; @key may have a prefix. */
static void compare(struct diff *d, const char *prefix, const char *key,
		    bool is_reloadable)
{
	const char *was = buf_text(&d->was), *is = buf_text(&d->is);

	if (strcmp(was, is) != 0) {
		if (d->n < d->max) {
			struct config_change *c = &d->out[d->n];

			(void)snprintf(c->key, sizeof(c->key), "%s%s", prefix, key);
			(void)snprintf(c->was, sizeof(c->was), "%s", was);
			(void)snprintf(c->is, sizeof(c->is), "%s", is);
			c->is_reloadable = is_reloadable;
		}
		d->n++;
	}
	d->was.len = 0;
	d->is.len = 0;
}

static void compare_table(struct diff *d, const struct config_table *t,
			  const char *prefix, const void *was, const void *is)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct config_key *k = &t->keys[i];

		if (k->flags & CONFIG_ALIAS)
			continue;
		config_value_print(k, was, &d->was);
		config_value_print(k, is, &d->is);
		compare(d, prefix, k->name, k->flags & CONFIG_RELOAD);
	}
}

/* Both lists are sorted by name. */
static void compare_tickers(struct diff *d, const struct config *was,
			    const struct config *is)
{
	size_t i = 0, j = 0;

	while (i < was->derive.n_symbols || j < is->derive.n_symbols) {
		const struct symbol_params *a =
			i < was->derive.n_symbols ? &was->derive.symbols[i] : NULL;
		const struct symbol_params *b =
			j < is->derive.n_symbols ? &is->derive.symbols[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->symbol, b->symbol);

		if (order <= 0) {
			config_ticker_print(was, a, &d->was);
			i++;
		}
		if (order >= 0) {
			config_ticker_print(is, b, &d->is);
			j++;
		}
		compare(d, "tickers.", order <= 0 ? a->symbol : b->symbol, false);
	}
}

static const struct config_vendor *vendor(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_vendors; i++)
		if (strcmp(c->vendors[i].name, name) == 0)
			return &c->vendors[i];
	return NULL;
}

static void compare_vendors(struct diff *d, const struct config *was,
			    const struct config *is)
{
	for (size_t i = 0; i < was->n_vendors; i++) {
		const struct config_vendor *b = vendor(is, was->vendors[i].name);

		config_vendor_print(&was->vendors[i], &d->was);
		if (b)
			config_vendor_print(b, &d->is);
		compare(d, "vendors.", was->vendors[i].name, false);
	}
	for (size_t i = 0; i < is->n_vendors; i++) {
		if (vendor(was, is->vendors[i].name))
			continue;
		config_vendor_print(&is->vendors[i], &d->is);
		compare(d, "vendors.", is->vendors[i].name, false);
	}
}

static const struct universe_params *universe(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->derive.n_universes; i++)
		if (strcmp(c->derive.universes[i].name, name) == 0)
			return &c->derive.universes[i];
	return NULL;
}

static void compare_universes(struct diff *d, const struct config *was,
			      const struct config *is)
{
	for (size_t i = 0; i < was->derive.n_universes; i++) {
		const struct universe_params *a = &was->derive.universes[i];
		const struct universe_params *b = universe(is, a->name);

		config_universe_print(a, &d->was);
		if (b)
			config_universe_print(b, &d->is);
		compare(d, "universes.", a->name, false);
	}
	for (size_t i = 0; i < is->derive.n_universes; i++) {
		const struct universe_params *b = &is->derive.universes[i];

		if (universe(was, b->name))
			continue;
		config_universe_print(b, &d->is);
		compare(d, "universes.", b->name, false);
	}
}

static const struct config_feed *feed(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_feeds; i++)
		if (strcmp(c->feeds[i].name, name) == 0)
			return &c->feeds[i];
	return NULL;
}

static void compare_feeds(struct diff *d, const struct config *was,
			  const struct config *is)
{
	for (size_t i = 0; i < was->n_feeds; i++) {
		const struct config_feed *a = &was->feeds[i], *b = feed(is, a->name);

		config_feed_print(a, &d->was);
		if (b)
			config_feed_print(b, &d->is);
		compare(d, "feeds.", a->name, false);
	}
	for (size_t i = 0; i < is->n_feeds; i++) {
		if (feed(was, is->feeds[i].name))
			continue;
		config_feed_print(&is->feeds[i], &d->is);
		compare(d, "feeds.", is->feeds[i].name, false);
	}
}

static const struct config_rss *rss(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_rss; i++)
		if (strcmp(c->rss[i].name, name) == 0)
			return &c->rss[i];
	return NULL;
}

static void compare_rss(struct diff *d, const struct config *was,
			const struct config *is)
{
	for (size_t i = 0; i < was->n_rss; i++) {
		const struct config_rss *a = &was->rss[i], *b = rss(is, a->name);

		config_rss_print(a, &d->was);
		if (b)
			config_rss_print(b, &d->is);
		compare(d, "rss.", a->name, false);
	}
	for (size_t i = 0; i < is->n_rss; i++) {
		if (rss(was, is->rss[i].name))
			continue;
		config_rss_print(&is->rss[i], &d->is);
		compare(d, "rss.", is->rss[i].name, false);
	}
}

size_t config_diff(const struct config *was, const struct config *is,
		   struct config_change *out, size_t max)
{
	struct diff d = {.out = out, .max = max};

	compare_table(&d, &config_global, "", was, is);
	compare_table(&d, &config_symbol, "defaults.", &was->derive.defaults,
		      &is->derive.defaults);
	compare_tickers(&d, was, is);
	compare_universes(&d, was, is);
	compare_vendors(&d, was, is);
	compare_feeds(&d, was, is);
	compare_rss(&d, was, is);
	buf_free(&d.was);
	buf_free(&d.is);
	return d.n;
}

void config_reload(struct config *c, const struct config *from)
{
	for (size_t i = 0; i < config_global.n; i++) {
		const struct config_key *k = &config_global.keys[i];
		size_t size =
			k->type == CONFIG_CHOICE ? sizeof(uint32_t) : sizeof(int64_t);

		/* Reloadable keys are choices, durations and sizes: two widths. */
		if (k->flags & CONFIG_RELOAD)
			memcpy((char *)c + k->offset, (const char *)from + k->offset,
			       size);
	}
}
