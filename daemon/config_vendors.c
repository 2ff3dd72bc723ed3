/*
 * config_vendors - who is asked for data, and how fast.
 *
 *	vendors:
 *	  alpaca: {feed: iex}
 *	  sip: {adapter: alpaca, feed: sip, requests: 10000, key: paid_key}
 *
 * What is not said is the adapter's: its address, and the limits of its free plan.
 */
#include "base/clock.h"
#include "daemon/config_walk.h"
#include <stdio.h>
#include <string.h>

static const struct {
	enum config_adapter adapter;
	const char *name;
	const char *base_url;
	uint32_t requests; /* a minute; 0: no limit */
	bool has_key;
	bool has_secret;
} adapters[] = {
	{CONFIG_ALPACA, "alpaca", "https://data.alpaca.markets", 200, true, true},
	{CONFIG_POLYGON, "polygon", "https://api.polygon.io", 5, true, false},
	{CONFIG_DATABENTO, "databento", "https://hist.databento.com", 0, true, false},
	{CONFIG_YAHOO, "yahoo", "https://query1.finance.yahoo.com", 60, false, false},
};

static void set_defaults(struct config_vendor *v, const char *name, const char *adapter)
{
	*v = (struct config_vendor){.in_flight = 8,
				    .per_ns = 60 * NS_PER_S,
				    .attempts = 6,
				    .wait_max_ns = 300 * NS_PER_S};
	(void)snprintf(v->name, sizeof(v->name), "%s", name);
	for (size_t i = 0; i < sizeof(adapters) / sizeof(adapters[0]); i++) {
		if (strcmp(adapters[i].name, adapter) != 0)
			continue;
		v->adapter = adapters[i].adapter;
		v->requests = adapters[i].requests;
		(void)snprintf(v->base_url, sizeof(v->base_url), "%s",
			       adapters[i].base_url);
		if (adapters[i].has_key)
			(void)snprintf(v->key, sizeof(v->key), "%s_key", name);
		if (adapters[i].has_secret)
			(void)snprintf(v->secret, sizeof(v->secret), "%s_secret", name);
	}
}

static void check_url(struct config_walk *w, int node, const struct config_vendor *v)
{
	if (v->base_url[0] == '\0')
		config_walk_complain(w, node, "vendors.%s: base_url is missing",
				     v->name);
	else if (strncmp(v->base_url, "http", 4) != 0)
		config_walk_complain(w, node, "vendors.%s: base_url is not https://",
				     v->name);
	else if (strncmp(v->base_url, "https://", 8) != 0 && !w->c->fetch.plain_http)
		config_walk_complain(w, node,
				     "vendors.%s: base_url is not https://, and "
				     "fetch.plain_http is false",
				     v->name);
}

static void walk_vendor(struct config_walk *w, int key, int value)
{
	const char *name = config_yaml_text(w->yaml, key), *adapter;
	struct config_vendor *v = &w->c->vendors[w->c->n_vendors];
	int node = config_walk_find(w, value, "adapter");

	if (!source_valid(name, strlen(name))) {
		config_walk_complain(w, key,
				     "'%.40s' is not a vendor's name [a-z0-9._-]{1,16}",
				     name);
		return;
	}
	adapter = node ? config_yaml_text(w->yaml, node) : name;
	set_defaults(v, name, adapter);
	w->c->n_vendors++;
	if (v->adapter == 0 && !node)
		config_walk_complain(w, key,
				     "vendors.%s: adapter is missing (alpaca, polygon, "
				     "databento, yahoo)",
				     name);
	if (config_yaml_type(w->yaml, value) != CONFIG_MAP) {
		if (!config_yaml_is_null(w->yaml, value))
			config_walk_complain(w, value,
					     "vendors.%s: it is a section, not a value",
					     name);
		return;
	}
	config_walk_table(w, value, &config_vendor, "", v, NULL);
	if (v->adapter != 0)
		check_url(w, key, v);
}

void config_walk_vendors(struct config_walk *w, int map)
{
	size_t n = config_yaml_len(w->yaml, map);

	if (n > CONFIG_VENDORS_MAX) {
		config_walk_complain(w, map, "there are more than %d vendors",
				     CONFIG_VENDORS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++)
		walk_vendor(w, config_yaml_key(w->yaml, map, i),
			    config_yaml_value(w->yaml, map, i));
}
