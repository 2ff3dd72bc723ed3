/*
 * config_walk - from the YAML tree into the struct, through the tables, and the
 * checks that need more than one key.  Complains into @errs and goes on.
 */
#pragma once
#include "daemon/config.h"
#include "daemon/config_table.h"
#include "daemon/config_yaml.h"

struct config_walk {
	const struct config_yaml *yaml;
	struct config_errors *errs;
	struct config *c;
};

/** Fill @c, which holds the defaults.  0 (look at @errs) or -ENOMEM. */
int config_walk(const struct config_yaml *yaml, struct config *c,
		struct config_errors *errs);

/* The parts, for the two files that do the walk. */
void config_walk_table(struct config_walk *w, int map, const struct config_table *t,
		       const char *prefix, void *base, const char *extra);
void config_walk_complain(struct config_walk *w, int node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Value of @key in @map, 0: not there. */
int config_walk_find(const struct config_walk *w, int map, const char *key);
int config_walk_tickers(struct config_walk *w, int map);
void config_walk_vendors(struct config_walk *w, int map);
int config_walk_universes(struct config_walk *w, int map);
int config_walk_feeds(struct config_walk *w, int map);
int config_walk_rss(struct config_walk *w, int map);

/** The value of `symbols`: a list, or all the tickers. */
struct config_names {
	char (*symbols)[SYMBOL_MAX + 1]; /* to be freed by who takes it; in order */
	size_t n;
	bool all;
};
/** @owner: the node to complain of when @list is 0; @what: "feeds.iex". */
int config_walk_names(struct config_walk *w, int owner, int list, const char *what,
		      struct config_names *out);
/** Sessions and the like of one set of symbol parameters; @node for complaints. */
void config_walk_symbol_check(struct config_walk *w, int node, struct symbol_params *s);
