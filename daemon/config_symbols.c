/*
 * config_symbols - tickers with their overrides and metadata, and universes.
 *
 *	tickers:
 *	  AAPL: {timeframes: [1m, 5m], metadata: {sector: Technology}}
 *	universes:
 *	  tech: {symbols: [AAPL, MSFT], timeframe: 1m, window: 120}
 */
#include "base/clock.h"
#include "base/err.h"
#include "daemon/config_walk.h"
#include "proto/timeframe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIVERSE_SYMBOLS_MAX 2000

void config_walk_symbol_check(struct config_walk *w, int node, struct symbol_params *s)
{
	const char *who = s->symbol[0] ? s->symbol : "defaults";
	bool has_start = s->session_start_s >= 0, has_end = s->session_end_s >= 0;

	s->has_session = has_start && has_end;
	if (has_start != has_end)
		config_walk_complain(w, node, "%s: session_%s without session_%s", who,
				     has_start ? "start" : "end",
				     has_start ? "end" : "start");
	else if (s->has_session && s->session_end_s <= s->session_start_s)
		config_walk_complain(w, node, "%s: the session ends before it starts",
				     who);
	if (s->origin == ORIGIN_SESSION_OPEN && !s->has_session)
		config_walk_complain(w, node, "%s: origin session_open needs a session",
				     who);
}

static int add_meta(struct config_walk *w, const char *symbol, int key, int value)
{
	const char *name = config_yaml_text(w->yaml, key);
	const char *text = config_yaml_text(w->yaml, value);
	struct config_meta *bigger, *m;

	if (config_yaml_type(w->yaml, value) != CONFIG_SCALAR) {
		config_walk_complain(w, value, "%s: metadata %.30s is not a text",
				     symbol, name);
		return 0;
	}
	if (strlen(name) >= sizeof(m->key) || strlen(text) >= sizeof(m->value)) {
		config_walk_complain(w, value,
				     "%s: metadata %.30s is longer than %zu characters",
				     symbol, name, sizeof(m->value) - 1);
		return 0;
	}
	if (!config_is_plain(text)) {
		config_walk_complain(w, value,
				     "%s: metadata %.30s holds a control character",
				     symbol, name);
		return 0;
	}
	bigger = realloc(w->c->meta, (w->c->n_meta + 1) * sizeof(*bigger));
	if (!bigger)
		return err_set(-ENOMEM, "no memory for metadata");
	w->c->meta = bigger;
	m = &bigger[w->c->n_meta++];
	*m = (struct config_meta){0};
	(void)snprintf(m->symbol, sizeof(m->symbol), "%s", symbol);
	(void)snprintf(m->key, sizeof(m->key), "%s", name);
	(void)snprintf(m->value, sizeof(m->value), "%s", text);
	return 0;
}

static int walk_meta(struct config_walk *w, const char *symbol, int map)
{
	size_t n = config_yaml_len(w->yaml, map);

	if (config_yaml_type(w->yaml, map) != CONFIG_MAP) {
		if (!config_yaml_is_null(w->yaml, map))
			config_walk_complain(w, map, "%s: metadata is not a section",
					     symbol);
		return 0;
	}
	if (n > CONFIG_METADATA_MAX) {
		config_walk_complain(w, map, "%s: more than %d entries of metadata",
				     symbol, CONFIG_METADATA_MAX);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		int key = config_yaml_key(w->yaml, map, i);
		int rc;

		if (*config_yaml_text(w->yaml, key) == 0 ||
		    !config_is_plain(config_yaml_text(w->yaml, key))) {
			config_walk_complain(w, key,
					     "%s: a key of metadata is empty or odd",
					     symbol);
			continue;
		}
		rc = add_meta(w, symbol, key, config_yaml_value(w->yaml, map, i));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int walk_ticker(struct config_walk *w, int key, int value,
		       struct symbol_params *s)
{
	const char *name = config_yaml_text(w->yaml, key);

	*s = w->c->derive.defaults;
	(void)snprintf(s->symbol, sizeof(s->symbol), "%s", name);
	if (!symbol_valid(name, strlen(name)))
		config_walk_complain(
			w, key, "'%.40s' is not a symbol [A-Z0-9._:/=%%-]{1,32}", name);
	if (config_yaml_type(w->yaml, value) != CONFIG_MAP) {
		if (!config_yaml_is_null(w->yaml, value))
			config_walk_complain(w, value,
					     "%.40s: it takes overrides, not a value",
					     name);
		return 0;
	}
	config_walk_table(w, value, &config_symbol, "", s, "metadata");
	config_walk_symbol_check(w, key, s);
	value = config_walk_find(w, value, "metadata");
	return value ? walk_meta(w, s->symbol, value) : 0;
}

static int compare_symbols(const void *a, const void *b)
{
	return strcmp(((const struct symbol_params *)a)->symbol,
		      ((const struct symbol_params *)b)->symbol);
}

static int compare_meta(const void *a, const void *b)
{
	const struct config_meta *x = a, *y = b;
	int order = strcmp(x->symbol, y->symbol);

	return order ? order : strcmp(x->key, y->key);
}

int config_walk_tickers(struct config_walk *w, int map)
{
	size_t n = config_yaml_len(w->yaml, map);
	struct params *p = &w->c->derive;

	if (n == 0)
		return 0;
	p->symbols = calloc(n, sizeof(*p->symbols));
	if (!p->symbols)
		return err_set(-ENOMEM, "no memory for %zu tickers", n);
	for (size_t i = 0; i < n; i++) {
		int rc =
			walk_ticker(w, config_yaml_key(w->yaml, map, i),
				    config_yaml_value(w->yaml, map, i), &p->symbols[i]);

		if (rc < 0)
			return rc;
		p->n_symbols = i + 1;
	}
	qsort(p->symbols, n, sizeof(*p->symbols), compare_symbols);
	if (w->c->n_meta > 0)
		qsort(w->c->meta, w->c->n_meta, sizeof(*w->c->meta), compare_meta);
	return 0;
}

static bool has_timeframe(const struct symbol_params *s, uint32_t timeframe_s)
{
	for (uint32_t i = 0; i < s->n_timeframes; i++)
		if (s->timeframes_s[i] == timeframe_s)
			return true;
	return false;
}

/* What a series is made of decides at its first tick when the type is auto. */
static bool may_have_price(const struct symbol_params *s, uint8_t price_type)
{
	if (price_type == PRICE_AUTO || s->price_types[0] == PRICE_AUTO)
		return true;
	for (uint32_t i = 0; i < s->n_price_types; i++)
		if (s->price_types[i] == price_type)
			return true;
	return false;
}

static void check_member(struct config_walk *w, int node,
			 const struct universe_params *u, const char *symbol)
{
	const struct symbol_params *s =
		*symbol ? params_symbol(&w->c->derive, symbol) : &w->c->derive.defaults;
	const char *who = *symbol ? symbol : "defaults";

	if (!has_timeframe(s, u->timeframe_s))
		config_walk_complain(
			w, node,
			"%.31s: %s has no bars of %s (add it to its timeframes)",
			u->name, who, timeframe_name(u->timeframe_s));
	if (!may_have_price(s, u->price_type))
		config_walk_complain(w, node,
				     "%.31s: %s has no bars of that price type",
				     u->name, who);
}

/* A symbol of a universe's list; false: it complained. */
static bool add_member(struct config_walk *w, int node, struct universe_params *u)
{
	const char *name = config_yaml_text(w->yaml, node);

	if (config_yaml_type(w->yaml, node) != CONFIG_SCALAR ||
	    !symbol_valid(name, strlen(name))) {
		config_walk_complain(w, node, "%.31s: '%.40s' is not a symbol", u->name,
				     name);
		return false;
	}
	for (uint32_t i = 0; i < u->n_symbols; i++) {
		if (strcmp(u->symbols[i], name) == 0) {
			config_walk_complain(w, node, "%.31s: %s is named twice",
					     u->name, name);
			return false;
		}
	}
	(void)snprintf(u->symbols[u->n_symbols++], SYMBOL_MAX + 1, "%s", name);
	check_member(w, node, u, name);
	return true;
}

static int walk_members(struct config_walk *w, int universe, int list,
			struct universe_params *u)
{
	size_t n = list ? config_yaml_len(w->yaml, list) : 0;

	if (!list) {
		config_walk_complain(w, universe,
				     "%.31s: symbols is missing (a list, or all)",
				     u->name);
		return 0;
	}
	if (strcmp(config_yaml_text(w->yaml, list), "all") == 0) {
		u->all = true;
		check_member(w, universe, u, "");
		return 0;
	}
	if (config_yaml_type(w->yaml, list) != CONFIG_LIST || n < 2 ||
	    n > UNIVERSE_SYMBOLS_MAX) {
		config_walk_complain(w, list,
				     "%.31s: symbols is not all or a list of 2 to %d",
				     u->name, UNIVERSE_SYMBOLS_MAX);
		return 0;
	}
	u->symbols = calloc(n, sizeof(u->symbols[0]));
	if (!u->symbols)
		return err_set(-ENOMEM, "no memory for universe %.31s", u->name);
	for (size_t i = 0; i < n; i++)
		(void)add_member(w, config_yaml_item(w->yaml, list, i), u);
	return 0;
}

static bool is_name(const char *s)
{
	size_t n = strspn(
		s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n > 0 && s[n] == 0 && n < UNIVERSE_MAX;
}

static int walk_universe(struct config_walk *w, int key, int value,
			 struct universe_params *u)
{
	const char *name = config_yaml_text(w->yaml, key);

	*u = (struct universe_params){.timeframe_s = 60,
				      .window = 120,
				      .min_obs = 30,
				      .method = CORR_PEARSON,
				      .price_type = PRICE_AUTO,
				      .lambda = 0.94,
				      .grace_ns = 2 * NS_PER_S,
				      .n_max = 500};
	if (!is_name(name)) {
		config_walk_complain(w, key,
				     "'%.40s' is not a name [A-Za-z0-9_-]{1,31}", name);
		return 0;
	}
	(void)snprintf(u->name, sizeof(u->name), "%s", name);
	if (config_yaml_type(w->yaml, value) != CONFIG_MAP) {
		config_walk_complain(w, key, "%.31s: it needs at least symbols", name);
		return 0;
	}
	config_walk_table(w, value, &config_universe, "", u, "symbols");
	if (u->min_obs > u->window)
		config_walk_complain(w, key, "%.31s: min_obs is above window", name);
	return walk_members(w, key, config_walk_find(w, value, "symbols"), u);
}

int config_walk_universes(struct config_walk *w, int map)
{
	size_t n = config_yaml_len(w->yaml, map);
	struct params *p = &w->c->derive;

	if (n > UNIVERSES_MAX) {
		config_walk_complain(w, map, "there are more than %d universes",
				     UNIVERSES_MAX);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		int rc;

		p->n_universes = i + 1;
		rc = walk_universe(w, config_yaml_key(w->yaml, map, i),
				   config_yaml_value(w->yaml, map, i),
				   &p->universes[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}
