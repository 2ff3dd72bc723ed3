/*
 * params - see params.h.  The hash goes over values one by one, never over the bytes
 * of a struct: padding, pointers and the order of a table in memory must not reach it.
 * Weight and priority are left out: no derived value depends on them.
 */
#include "workers/params.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void params_default(struct params *p)
{
	*p = (struct params){
		.bars = {.grace_ns = NS_PER_S,
			 .revision_window_ns = 60 * NS_PER_S,
			 .source_timeout_ns = 5 * NS_PER_S,
			 .missing_run_max = 1000,
			 .history_slots = 1024},
		.tier1 = {.enabled = true,
			  .norm = NORM_ZSCORE,
			  .norm_window = 60,
			  .norm_clip = 5.0,
			  .ready_bars = 100,
			  .ready_valid_ratio = 0.95},
		.news = {.window_ns = 86400 * NS_PER_S,
			 .half_life_ns = 6 * 3600 * NS_PER_S,
			 .repeat_ns = 86400 * NS_PER_S},
		.defaults = {.timeframes_s = {60},
			     .n_timeframes = 1,
			     .price_types = {PRICE_AUTO},
			     .n_price_types = 1,
			     .source_return_ns = 30 * NS_PER_S,
			     .source_divergence_ppm = 5000,
			     .outlier_sigma = 5.0,
			     .max_gap_minutes = 5,
			     .weight = 1.0},
	};
}

void params_deinit(struct params *p)
{
	for (size_t i = 0; i < p->n_universes; i++)
		free(p->universes[i].symbols);
	for (size_t i = 0; i < p->n_zones; i++)
		tz_free(p->zones[i]);
	free(p->zones);
	free(p->zone_names);
	free(p->symbols);
	free(p->news.vader);
	*p = (struct params){0};
}

int params_zone(struct params *p, const char *name, const struct tz **out)
{
	size_t len = strlen(name);
	struct tz **zones;
	char(*names)[sizeof(p->zone_names[0])];
	struct tz *tz = NULL;
	int rc;

	for (size_t i = 0; i < p->n_zones; i++) {
		if (strcmp(p->zone_names[i], name) == 0) {
			*out = p->zones[i];
			return 0;
		}
	}
	if (len >= sizeof(p->zone_names[0]))
		return err_set(-EINVAL, "time zone '%.20s...' has too long a name",
			       name);

	zones = realloc(p->zones, (p->n_zones + 1) * sizeof(*zones));
	if (zones == NULL)
		return err_set(-ENOMEM, "out of memory for time zone '%s'", name);
	p->zones = zones;
	names = realloc(p->zone_names, (p->n_zones + 1) * sizeof(*names));
	if (names == NULL)
		return err_set(-ENOMEM, "out of memory for time zone '%s'", name);
	p->zone_names = names;

	rc = tz_load(name, &tz);
	if (rc < 0)
		return rc;
	memcpy(names[p->n_zones], name, len + 1);
	zones[p->n_zones++] = tz;
	*out = tz;
	return 0;
}

static int compare_symbol(const void *key, const void *member)
{
	const struct symbol_params *s = member;

	return strncmp(key, s->symbol, SYMBOL_MAX);
}

const struct symbol_params *params_symbol(const struct params *p, const char *symbol)
{
	const struct symbol_params *found = NULL;

	if (p->n_symbols > 0)
		found = bsearch(symbol, p->symbols, p->n_symbols, sizeof(*p->symbols),
				compare_symbol);
	return found == NULL ? &p->defaults : found;
}

static uint64_t add_u64(uint64_t h, uint64_t v)
{
	return hash_bytes(h, &v, sizeof(v));
}

static uint64_t add_i64(uint64_t h, int64_t v)
{
	return hash_bytes(h, &v, sizeof(v));
}

static uint64_t add_f64(uint64_t h, double v)
{
	v += 0.0; /* -0 and 0 mean the same */
	return hash_bytes(h, &v, sizeof(v));
}

/* With its length, so that two texts in a row cannot trade a letter. */
static uint64_t add_text(uint64_t h, const char *s, size_t max)
{
	size_t len = strnlen(s, max);

	return hash_bytes(add_u64(h, len), s, len);
}

static uint64_t add_indicator(uint64_t h, const struct indicator_params *i)
{
	char text[IND_TEXT_MAX];

	ind_print(&i->spec, text);
	return add_u64(add_text(h, text, sizeof(text)), i->timeframe_s);
}

static uint64_t add_symbol(uint64_t h, const struct symbol_params *s)
{
	h = add_text(h, s->symbol, sizeof(s->symbol));
	h = add_text(h, s->source, sizeof(s->source));
	if (s->n_sources > 0) {
		h = add_u64(h, s->n_sources);
		for (uint32_t i = 0; i < s->n_sources; i++)
			h = add_text(h, s->sources[i], sizeof(s->sources[i]));
		h = add_i64(h, s->source_return_ns);
		h = add_u64(h, s->source_divergence_ppm);
	}
	h = add_u64(h, s->n_timeframes);
	for (uint32_t i = 0; i < s->n_timeframes; i++)
		h = add_u64(h, s->timeframes_s[i]);
	h = add_u64(h, s->n_price_types);
	for (uint32_t i = 0; i < s->n_price_types; i++)
		h = add_u64(h, s->price_types[i]);
	h = add_u64(h, s->origin);
	h = add_u64(h, s->has_session);
	if (s->has_session) {
		h = add_i64(h, s->session_start_s);
		h = add_i64(h, s->session_end_s);
		h = add_u64(h, s->session_days);
		h = add_text(h, s->tz_name, sizeof(s->tz_name));
	}
	h = add_u64(h, s->detector);
	h = add_u64(h, s->flavour);
	h = add_f64(h, s->outlier_sigma);
	h = add_f64(h, s->max_abs_log_return);
	h = add_i64(h, s->min_volume_e8);
	h = add_u64(h, s->max_gap_minutes);
	if (s->n_indicators > 0) {
		h = add_u64(h, s->n_indicators);
		for (uint32_t i = 0; i < s->n_indicators; i++)
			h = add_indicator(h, &s->indicators[i]);
	}
	return add_u64(h, s->spread);
}

static uint64_t add_universe(uint64_t h, const struct universe_params *u)
{
	h = add_text(h, u->name, sizeof(u->name));
	h = add_u64(h, u->timeframe_s);
	h = add_u64(h, u->window);
	h = add_u64(h, u->min_obs);
	h = add_u64(h, u->method);
	h = add_u64(h, u->price_type);
	h = add_f64(h, u->lambda);
	h = add_i64(h, u->grace_ns);
	h = add_u64(h, u->all);
	h = add_u64(h, u->n_max);
	h = add_u64(h, u->n_symbols);
	for (uint32_t i = 0; i < u->n_symbols; i++)
		h = add_text(h, u->symbols[i], sizeof(u->symbols[i]));
	return h;
}

static uint64_t add_news(uint64_t h, const struct news_params *n)
{
	h = add_u64(h, n->flavour);
	h = add_i64(h, n->window_ns);
	h = add_i64(h, n->half_life_ns);
	h = add_i64(h, n->repeat_ns);
	return add_text(h, n->lexicon, sizeof(n->lexicon));
}

static uint64_t hash_of(const struct params *p, bool has_news)
{
	uint64_t h = HASH_SEED;

	h = add_i64(h, p->bars.grace_ns);
	h = add_i64(h, p->bars.revision_window_ns);
	h = add_i64(h, p->bars.source_timeout_ns);
	h = add_u64(h, p->bars.missing_run_max);
	h = add_u64(h, p->bars.history_slots);
	h = add_u64(h, p->tier1.enabled);
	h = add_u64(h, p->tier1.norm);
	h = add_u64(h, p->tier1.norm_window);
	h = add_f64(h, p->tier1.norm_clip);
	h = add_u64(h, p->tier1.ready_bars);
	h = add_f64(h, p->tier1.ready_valid_ratio);
	h = has_news ? add_news(h, &p->news) : h;
	h = add_symbol(h, &p->defaults);
	h = add_u64(h, p->n_symbols);
	for (size_t i = 0; i < p->n_symbols; i++)
		h = add_symbol(h, &p->symbols[i]);
	h = add_u64(h, p->n_universes);
	for (size_t i = 0; i < p->n_universes; i++)
		h = add_universe(h, &p->universes[i]);
	return h;
}

uint64_t params_hash(const struct params *p)
{
	return hash_of(p, true);
}

uint64_t params_hash_before_news(const struct params *p)
{
	return hash_of(p, false);
}
