/*
 * config_yaml - libyaml's document tree and the checks that need no schema.
 *
 * The nodes of a document lie in one array in the order in which they begin, so
 * depth is found in one pass, parents first, and a node that is reached twice is
 * an alias.  Nothing here recurses, whatever the text is.
 */
#include "daemon/config_yaml.h"
#include "base/err.h"
#include "daemon/config_table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct config_yaml {
	yaml_document_t doc;
};

struct sorted_key {
	const char *text;
	int node;
};

static yaml_node_t *at(const struct config_yaml *y, int node)
{
	/* Reading only; libyaml's signature lacks the const. */
	return y->doc.nodes.start + (node - 1);
}

static int n_nodes(const struct config_yaml *y)
{
	return (int)(y->doc.nodes.top - y->doc.nodes.start);
}

int config_yaml_root(const struct config_yaml *y)
{
	return n_nodes(y) > 0 ? 1 : 0;
}

enum config_node config_yaml_type(const struct config_yaml *y, int node)
{
	switch (at(y, node)->type) {
	case YAML_MAPPING_NODE:
		return CONFIG_MAP;
	case YAML_SEQUENCE_NODE:
		return CONFIG_LIST;
	case YAML_SCALAR_NODE:
	case YAML_NO_NODE:
		break;
	}
	return CONFIG_SCALAR;
}

const char *config_yaml_text(const struct config_yaml *y, int node)
{
	const yaml_node_t *n = at(y, node);

	return n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : "";
}

bool config_yaml_is_null(const struct config_yaml *y, int node)
{
	const yaml_node_t *n = at(y, node);
	const char *s = config_yaml_text(y, node);

	return n->type == YAML_SCALAR_NODE &&
	       n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (*s == 0 || strcmp(s, "~") == 0 || strcmp(s, "null") == 0);
}

size_t config_yaml_len(const struct config_yaml *y, int node)
{
	const yaml_node_t *n = at(y, node);

	if (n->type == YAML_SEQUENCE_NODE)
		return (size_t)(n->data.sequence.items.top -
				n->data.sequence.items.start);
	if (n->type == YAML_MAPPING_NODE)
		return (size_t)(n->data.mapping.pairs.top -
				n->data.mapping.pairs.start);
	return 0;
}

int config_yaml_item(const struct config_yaml *y, int node, size_t i)
{
	return at(y, node)->data.sequence.items.start[i];
}

int config_yaml_key(const struct config_yaml *y, int node, size_t i)
{
	return at(y, node)->data.mapping.pairs.start[i].key;
}

int config_yaml_value(const struct config_yaml *y, int node, size_t i)
{
	return at(y, node)->data.mapping.pairs.start[i].value;
}

void config_yaml_where(const struct config_yaml *y, int node, size_t *line,
		       size_t *column)
{
	*line = at(y, node)->start_mark.line + 1;
	*column = at(y, node)->start_mark.column + 1;
}

/* The children of @node: items, or keys and values in turn. */
static size_t n_children(const struct config_yaml *y, int node)
{
	size_t n = config_yaml_len(y, node);

	return config_yaml_type(y, node) == CONFIG_MAP ? 2 * n : n;
}

static int child(const struct config_yaml *y, int node, size_t i)
{
	if (config_yaml_type(y, node) == CONFIG_LIST)
		return config_yaml_item(y, node, i);
	return i % 2 ? config_yaml_value(y, node, i / 2)
		     : config_yaml_key(y, node, i / 2);
}

static void complain_at(const struct config_yaml *y, int node,
			struct config_errors *errs, const char *what)
{
	size_t line, column;

	config_yaml_where(y, node, &line, &column);
	config_complain(errs, line, column, "%s", what);
}

/* Aliases and depth. */
static int check_shape(const struct config_yaml *y, struct config_errors *errs)
{
	int n = n_nodes(y);
	uint8_t *depth = calloc((size_t)n + 1, 1);

	if (!depth)
		return err_set(-ENOMEM, "no memory for the configuration");
	if (n > 0)
		depth[1] = 1;
	for (int node = 1; node <= n; node++) {
		for (size_t i = 0; i < n_children(y, node); i++) {
			int c = child(y, node, i);

			/* A child that has a parent already: two ways lead to it. */
			if (depth[c] != 0 || c == 1) {
				complain_at(y, node, errs,
					    "an alias (*name) is not allowed here");
				continue;
			}
			if (depth[node] < CONFIG_DEPTH_MAX)
				depth[c] = (uint8_t)(depth[node] + 1);
			else
				complain_at(y, c, errs, "it is nested too deeply");
		}
	}
	free(depth);
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct sorted_key *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->node > y->node) - (x->node < y->node);
}

/* No key twice, and no key that is not a scalar. */
static int check_keys(const struct config_yaml *y, int node, struct config_errors *errs)
{
	size_t n = config_yaml_len(y, node);
	struct sorted_key *keys;

	if (n == 0)
		return 0;
	keys = calloc(n, sizeof(*keys));
	if (!keys)
		return err_set(-ENOMEM, "no memory for the configuration");
	for (size_t i = 0; i < n; i++) {
		keys[i].node = config_yaml_key(y, node, i);
		keys[i].text = config_yaml_text(y, keys[i].node);
		if (config_yaml_type(y, keys[i].node) != CONFIG_SCALAR)
			complain_at(y, keys[i].node, errs, "a key must be a word");
	}
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++) {
		size_t line, column, first, unused;

		if (strcmp(keys[i].text, keys[i - 1].text) != 0)
			continue;
		config_yaml_where(y, keys[i].node, &line, &column);
		config_yaml_where(y, keys[i - 1].node, &first, &unused);
		config_complain(errs, line, column,
				"'%.60s' stands here again; it is in line %zu",
				keys[i].text, first);
	}
	free(keys);
	return 0;
}

static int check_scalars(const struct config_yaml *y, struct config_errors *errs)
{
	for (int node = 1; node <= n_nodes(y); node++) {
		const yaml_node_t *n = at(y, node);

		if (n->type == YAML_SCALAR_NODE &&
		    strlen((const char *)n->data.scalar.value) != n->data.scalar.length)
			complain_at(y, node, errs, "it holds a NUL character");
		if (n->type == YAML_MAPPING_NODE) {
			int rc = check_keys(y, node, errs);

			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* A second document would be read by nobody. */
static void check_rest(yaml_parser_t *parser, struct config_errors *errs)
{
	yaml_document_t more;

	if (!yaml_parser_load(parser, &more)) {
		config_complain(errs, parser->problem_mark.line + 1,
				parser->problem_mark.column + 1, "%s",
				parser->problem ? parser->problem : "it is not YAML");
		return;
	}
	if (yaml_document_get_root_node(&more))
		config_complain(errs, more.start_mark.line + 1,
				more.start_mark.column + 1,
				"a second document begins here");
	yaml_document_delete(&more);
}

int config_yaml_parse(const char *text, size_t len, struct config_errors *errs,
		      struct config_yaml **out)
{
	struct config_yaml *y = calloc(1, sizeof(*y));
	yaml_parser_t parser;
	int rc = 0;

	if (!y)
		return err_set(-ENOMEM, "no memory for the configuration");
	if (!yaml_parser_initialize(&parser)) {
		free(y);
		return err_set(-ENOMEM, "no memory for the configuration");
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &y->doc)) {
		if (parser.error == YAML_MEMORY_ERROR)
			rc = err_set(-ENOMEM, "no memory for the configuration");
		config_complain(errs, parser.problem_mark.line + 1,
				parser.problem_mark.column + 1, "%s",
				parser.problem ? parser.problem : "it is not YAML");
		yaml_parser_delete(&parser);
		free(y);
		return rc ? rc : err_set(-EINVAL, "the configuration is not YAML");
	}
	rc = check_shape(y, errs);
	if (rc == 0 && errs->n > 0)
		rc = err_set(-EINVAL, "the configuration is not a tree");
	/* A key that stands twice need not hide the other errors. */
	if (rc == 0)
		rc = check_scalars(y, errs);
	if (rc == 0)
		check_rest(&parser, errs);
	yaml_parser_delete(&parser);
	if (rc < 0) {
		config_yaml_free(y);
		return rc;
	}
	*out = y;
	return 0;
}

void config_yaml_free(struct config_yaml *y)
{
	if (!y)
		return;
	yaml_document_delete(&y->doc);
	free(y);
}
