/* config_walk - sections and keys; tickers and universes are config_symbols.c. */
#include "daemon/config_walk.h"
#include "base/err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECTIONS_MAX 32
#define NEAR_MAX     32
#define KEYS_MAX     128

void config_walk_complain(struct config_walk *w, int node, const char *fmt, ...)
{
	size_t line = 0, column = 0;
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (node)
		config_yaml_where(w->yaml, node, &line, &column);
	config_complain(w->errs, line, column, "%s", text);
}

int config_walk_find(const struct config_walk *w, int map, const char *key)
{
	if (!map || config_yaml_type(w->yaml, map) != CONFIG_MAP)
		return 0;
	for (size_t i = 0; i < config_yaml_len(w->yaml, map); i++)
		if (strcmp(config_yaml_text(w->yaml, config_yaml_key(w->yaml, map, i)),
			   key) == 0)
			return config_yaml_value(w->yaml, map, i);
	return 0;
}

/* Edits (insert, delete, replace, swap) from @a to @b; more than 2 is far enough. */
static unsigned distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned d[NEAR_MAX + 1][NEAR_MAX + 1];

	if (n > NEAR_MAX || m > NEAR_MAX)
		return NEAR_MAX;
	for (size_t i = 0; i <= n; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n][m];
}

const char *config_nearest(const char *name, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	unsigned least = 3;

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(name, candidates[i]);

		/* Two edits turn any short word into any other. */
		if (d < least && d < strlen(candidates[i])) {
			least = d;
			best = candidates[i];
		}
	}
	return best;
}

static void unknown(struct config_walk *w, int node, const char *prefix,
		    const char *const *candidates, size_t n)
{
	const char *name = config_yaml_text(w->yaml, node);
	const char *near = config_nearest(name, candidates, n);

	if (near)
		config_walk_complain(w, node,
				     "there is no key %s%.60s; did you mean %s?",
				     prefix, name, near);
	else
		config_walk_complain(w, node, "there is no key %s%.60s", prefix, name);
}

/* A scalar, or a list of scalars.  false: it complained. */
static bool words_of(struct config_walk *w, int node, const char *prefix,
		     const char *name, struct config_words *out)
{
	size_t n = config_yaml_len(w->yaml, node);

	*out = (struct config_words){.n = 1};
	if (config_yaml_type(w->yaml, node) == CONFIG_MAP) {
		config_walk_complain(w, node, "%s%s: it takes a value, not a section",
				     prefix, name);
		return false;
	}
	if (config_yaml_is_null(w->yaml, node)) {
		config_walk_complain(w, node, "%s%s: it has no value", prefix, name);
		return false;
	}
	if (config_yaml_type(w->yaml, node) == CONFIG_SCALAR) {
		out->word[0] = config_yaml_text(w->yaml, node);
		return true;
	}
	if (n > CONFIG_WORDS_MAX) {
		config_walk_complain(w, node, "%s%s: the list is longer than %d",
				     prefix, name, CONFIG_WORDS_MAX);
		return false;
	}
	out->is_list = true;
	out->n = n;
	for (size_t i = 0; i < n; i++) {
		int item = config_yaml_item(w->yaml, node, i);

		if (config_yaml_type(w->yaml, item) != CONFIG_SCALAR) {
			config_walk_complain(w, item, "%s%s: a list inside the list",
					     prefix, name);
			return false;
		}
		out->word[i] = config_yaml_text(w->yaml, item);
	}
	return true;
}

/* The names of @t below @prefix, without it. */
static size_t names_below(const struct config_table *t, const char *prefix,
			  const char **out)
{
	size_t len = strlen(prefix), n = 0;

	for (size_t i = 0; i < t->n && n < KEYS_MAX; i++)
		if (strncmp(t->keys[i].name, prefix, len) == 0 &&
		    strchr(t->keys[i].name + len, '.') == NULL)
			out[n++] = t->keys[i].name + len;
	return n;
}

static const struct config_key *key_of(const struct config_table *t, const char *prefix,
				       const char *name)
{
	size_t len = strlen(prefix);

	for (size_t i = 0; i < t->n; i++)
		if (strncmp(t->keys[i].name, prefix, len) == 0 &&
		    strcmp(t->keys[i].name + len, name) == 0)
			return &t->keys[i];
	return NULL;
}

/* "resampling" beside "timeframes" would let the later one win by accident. */
static void check_alias(struct config_walk *w, int map, int node,
			const struct config_table *t, const struct config_key *k)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct config_key *other = &t->keys[i];

		if (other == k || other->offset != k->offset || other->type != k->type)
			continue;
		if ((k->flags & CONFIG_ALIAS) && config_walk_find(w, map, other->name))
			config_walk_complain(w, node,
					     "%s and %s say the same: give one",
					     k->name, other->name);
	}
}

void config_walk_table(struct config_walk *w, int map, const struct config_table *t,
		       const char *prefix, void *base, const char *extra)
{
	const char *names[KEYS_MAX];

	for (size_t i = 0; i < config_yaml_len(w->yaml, map); i++) {
		int key = config_yaml_key(w->yaml, map, i);
		int value = config_yaml_value(w->yaml, map, i);
		const char *name = config_yaml_text(w->yaml, key);
		const struct config_key *k = key_of(t, prefix, name);
		struct config_words words;
		char why[200];

		if (extra && strcmp(name, extra) == 0)
			continue;
		if (!k) {
			unknown(w, key, prefix, names, names_below(t, prefix, names));
			continue;
		}
		check_alias(w, map, key, t, k);
		if (!words_of(w, value, prefix, name, &words))
			continue;
		if (config_value_set(k, base, &w->c->derive, &words, why) != 0)
			config_walk_complain(w, value, "%s%s: %s", prefix, name, why);
	}
}

static bool is_map(struct config_walk *w, int node, const char *name)
{
	if (config_yaml_type(w->yaml, node) == CONFIG_MAP)
		return true;
	/* "tickers:" with nothing below is an empty section. */
	if (!config_yaml_is_null(w->yaml, node))
		config_walk_complain(w, node, "%s: it is a section, not a value", name);
	return false;
}

/* Names of the top level: sections, keys without section, and the maps by name. */
static size_t top_names(const char **out, char store[SECTIONS_MAX][24])
{
	static const char *const more[] = {"defaults", "tickers", "universes",
					   "vendors",  "feeds",   "rss"};
	const size_t n_more = sizeof(more) / sizeof(more[0]);
	size_t n = 0;

	for (size_t i = 0; i < config_global.n && n < SECTIONS_MAX - n_more; i++) {
		const char *name = config_global.keys[i].name;
		size_t len = strcspn(name, ".");

		if (n > 0 && strlen(out[n - 1]) == len &&
		    strncmp(out[n - 1], name, len) == 0)
			continue;
		(void)snprintf(store[n], sizeof(store[n]), "%.*s", (int)len, name);
		out[n] = store[n];
		n++;
	}
	for (size_t i = 0; i < n_more; i++)
		out[n++] = more[i];
	return n;
}

static void walk_section(struct config_walk *w, int key, int value)
{
	const char *name = config_yaml_text(w->yaml, key), *names[SECTIONS_MAX];
	char store[SECTIONS_MAX][24], prefix[32];
	const struct config_key *k = key_of(&config_global, "", name);
	struct config_words words;
	char why[200];
	size_t n = top_names(names, store);
	bool is_known = false;

	if (k && !strchr(name, '.')) {
		if (words_of(w, value, "", name, &words) &&
		    config_value_set(k, w->c, &w->c->derive, &words, why) != 0)
			config_walk_complain(w, value, "%s: %s", name, why);
		return;
	}
	for (size_t i = 0; i < n; i++)
		is_known = is_known || strcmp(names[i], name) == 0;
	if (!is_known) {
		unknown(w, key, "", names, n);
		return;
	}
	(void)snprintf(prefix, sizeof(prefix), "%.24s.", name);
	if (is_map(w, value, name))
		config_walk_table(w, value, &config_global, prefix, w->c, NULL);
}

static int where(const struct config_walk *w, int root, const char *section,
		 const char *key)
{
	int map = config_walk_find(w, root, section),
	    node = config_walk_find(w, map, key);

	return node ? node : map;
}

static void check_simulator(struct config_walk *w, int root)
{
	const struct config_simulator *s = &w->c->simulator;
	uint64_t faults = (uint64_t)s->late_ppm + s->out_of_order_ppm +
			  s->duplicates_ppm + s->cancels_ppm + s->corrections_ppm +
			  s->halts_ppm + s->gaps_ppm + s->bad_prints_ppm +
			  s->poison_ppm + s->odd_lots_ppm;

	if (s->corr_market_pm > s->corr_sector_pm)
		config_walk_complain(w, where(w, root, "simulator", "corr_market"),
				     "simulator.corr_market: it is above corr_sector");
	if (faults > 1000000)
		config_walk_complain(
			w, where(w, root, "simulator", "late"),
			"simulator: the rates of faults sum up to %llu per million",
			(unsigned long long)faults);
	if (!s->enabled)
		return;
	if (s->trades_mhz == 0 && s->quotes_mhz == 0)
		config_walk_complain(w,
				     where(w, root, "simulator", "trades_per_second"),
				     "simulator: it has neither trades nor quotes");
	if (s->compress > 1 && w->c->live.clock != CONFIG_FEED)
		config_walk_complain(
			w, where(w, root, "simulator", "compress"),
			"simulator.compress: it needs clock.mode: feed, because "
			"time runs faster than the wall's");
	if (s->symbols > w->c->limits.symbols_max)
		config_walk_complain(
			w, where(w, root, "simulator", "symbols"),
			"simulator.symbols: there are more than limits.symbols");
}

static void check_limits(struct config_walk *w, int root)
{
	const struct config_limits *l = &w->c->limits;

	if (l->inflight_max > l->ring_slots)
		config_walk_complain(w, where(w, root, "limits", "inflight"),
				     "limits.inflight: it is above limits.ring_slots");
	if (w->c->derive.n_symbols > l->symbols_max)
		config_walk_complain(w, where(w, root, "tickers", ""),
				     "tickers: there are more than limits.symbols");
}

static void check_trace(struct config_walk *w, int root)
{
	const struct config_trace *t = &w->c->trace;

	if (t->otlp[0] == '\0')
		return;
	if (strncmp(t->otlp, "http", 4) != 0)
		config_walk_complain(w, where(w, root, "trace", "otlp"),
				     "trace.otlp: '%.60s' is not http:// or https://",
				     t->otlp);
	if (t->steps == 0)
		config_walk_complain(w, where(w, root, "trace", "otlp"),
				     "trace.otlp: it needs trace.steps above 0");
}

int config_walk(const struct config_yaml *yaml, struct config *c,
		struct config_errors *errs)
{
	struct config_walk w = {yaml, errs, c};
	int root = config_yaml_root(yaml), node, rc;

	if (root == 0 || config_yaml_is_null(yaml, root))
		return 0;
	if (config_yaml_type(yaml, root) != CONFIG_MAP) {
		config_walk_complain(&w, root,
				     "the configuration is not a map of sections");
		return 0;
	}
	/* Defaults first: tickers begin as copies of them. */
	node = config_walk_find(&w, root, "defaults");
	if (node && is_map(&w, node, "defaults"))
		config_walk_table(&w, node, &config_symbol, "", &c->derive.defaults,
				  NULL);
	config_walk_symbol_check(&w, node, &c->derive.defaults);
	for (size_t i = 0; i < config_yaml_len(yaml, root); i++) {
		int key = config_yaml_key(yaml, root, i);
		const char *name = config_yaml_text(yaml, key);

		if (strcmp(name, "defaults") && strcmp(name, "tickers") &&
		    strcmp(name, "universes") && strcmp(name, "vendors") &&
		    strcmp(name, "feeds") && strcmp(name, "rss"))
			walk_section(&w, key, config_yaml_value(yaml, root, i));
	}
	node = config_walk_find(&w, root, "tickers");
	rc = node && is_map(&w, node, "tickers") ? config_walk_tickers(&w, node) : 0;
	if (rc < 0)
		return rc;
	node = config_walk_find(&w, root, "universes");
	rc = node && is_map(&w, node, "universes") ? config_walk_universes(&w, node)
						   : 0;
	if (rc < 0)
		return rc;
	node = config_walk_find(&w, root, "vendors");
	if (node && is_map(&w, node, "vendors"))
		config_walk_vendors(&w, node);
	node = config_walk_find(&w, root, "feeds");
	rc = node && is_map(&w, node, "feeds") ? config_walk_feeds(&w, node) : 0;
	if (rc < 0)
		return rc;
	node = config_walk_find(&w, root, "rss");
	rc = node && is_map(&w, node, "rss") ? config_walk_rss(&w, node) : 0;
	if (rc < 0)
		return rc;
	check_simulator(&w, root);
	check_limits(&w, root);
	check_trace(&w, root);
	return 0;
}
