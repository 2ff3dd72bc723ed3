/*
 * config_yaml - the keeper of yaml.h: one document as a tree of nodes, checked for
 * what every configuration must be: one document, UTF-8, no aliases, no depth, no
 * key twice.  Everything is text: "09:30", no and 1e3 mean what they look like.
 */
#pragma once
#include "daemon/config.h"
#include <stdbool.h>
#include <stddef.h>

struct config_yaml;

enum config_node { CONFIG_SCALAR = 1, CONFIG_LIST, CONFIG_MAP };

/** 0 (@errs may still have got some); -EINVAL: no tree, look at @errs; -ENOMEM. */
int config_yaml_parse(const char *text, size_t len, struct config_errors *errs,
		      struct config_yaml **out);
void config_yaml_free(struct config_yaml *y);

/** Nodes are numbers; the root is 1, and 0 is an empty document. */
int config_yaml_root(const struct config_yaml *y);
enum config_node config_yaml_type(const struct config_yaml *y, int node);
/** Text of a scalar, else "". */
const char *config_yaml_text(const struct config_yaml *y, int node);
/** An empty plain scalar, "~" or "null": no value was given. */
bool config_yaml_is_null(const struct config_yaml *y, int node);
/** Elements of a list, pairs of a map. */
size_t config_yaml_len(const struct config_yaml *y, int node);
int config_yaml_item(const struct config_yaml *y, int node, size_t i);
int config_yaml_key(const struct config_yaml *y, int node, size_t i);
int config_yaml_value(const struct config_yaml *y, int node, size_t i);
/** Where it stands, from 1. */
void config_yaml_where(const struct config_yaml *y, int node, size_t *line,
		       size_t *column);
