/* config_lists - see config_lists.h. */
#include "daemon/config_lists.h"
#include "base/err.h"
#include "daemon/config_units.h"
#include "proto/timeframe.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int config_lists_bad(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, CONFIG_WHY, fmt, ap);
	va_end(ap);
	return 1;
}

/* Words of a table, for "is not one of". */
static const char *words_text(const struct config_word *w, char *out, size_t cap)
{
	size_t at = 0;

	out[0] = 0;
	for (; w->word && at < cap; w++)
		at += (size_t)snprintf(out + at, cap - at, "%s%s", at ? ", " : "",
				       w->word);
	return out;
}

int config_lists_choice(const struct config_word *words, const char *s, uint32_t *out,
			char *why)
{
	char list[120];

	for (const struct config_word *w = words; w->word; w++) {
		if (strcmp(w->word, s) == 0) {
			*out = w->value;
			return 0;
		}
	}
	return config_lists_bad(why, "'%.40s' is not one of %s", s,
				words_text(words, list, sizeof(list)));
}

uint32_t config_lists_timeframe(const char *s)
{
	return timeframe_parse_any(s, strlen(s));
}

static int timeframes(struct symbol_params *p, const struct config_words *w, char *why)
{
	uint32_t list[TIMEFRAMES_MAX];
	uint32_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		uint32_t tf = config_lists_timeframe(w->word[i]), at = n;

		if (tf == 0)
			return config_lists_bad(
				why,
				"'%.40s' is not a timeframe (" CONFIG_TIMEFRAME_NAMES
				")",
				w->word[i]);
		for (uint32_t j = 0; j < n; j++)
			if (list[j] == tf)
				return config_lists_bad(why, "%.40s is named twice",
							w->word[i]);
		if (n == TIMEFRAMES_MAX)
			return config_lists_bad(why,
						"there are more than %d timeframes",
						TIMEFRAMES_MAX);
		for (; at > 0 && list[at - 1] > tf; at--)
			list[at] = list[at - 1];
		list[at] = tf;
		n++;
	}
	if (n == 0)
		return config_lists_bad(why, "the list of timeframes is empty");
	memset(p->timeframes_s, 0, sizeof(p->timeframes_s));
	memcpy(p->timeframes_s, list, n * sizeof(list[0]));
	p->n_timeframes = n;
	return 0;
}

/* The order is the preference: it is kept. */
static int sources(struct symbol_params *p, const struct config_words *w, char *why)
{
	char list[SYMBOL_SOURCES_MAX][SOURCE_MAX + 1] = {{0}};

	if (w->n > SYMBOL_SOURCES_MAX)
		return config_lists_bad(why, "more than %d sources",
					SYMBOL_SOURCES_MAX);
	for (size_t i = 0; i < w->n; i++) {
		size_t len = strlen(w->word[i]);

		if (!source_valid(w->word[i], len))
			return config_lists_bad(
				why, "'%.40s' is not a source [a-z0-9._-]{1,16}",
				w->word[i]);
		memcpy(list[i], w->word[i], len);
		for (size_t k = 0; k < i; k++)
			if (strcmp(list[k], list[i]) == 0)
				return config_lists_bad(why, "%.40s is named twice",
							list[i]);
	}
	memcpy(p->sources, list, sizeof(list));
	p->n_sources = (uint32_t)w->n;
	return 0;
}

/* "rsi(14)", or "rsi(14)@1h": of that timeframe only. */
static int indicator(const char *text, struct indicator_params *out, char *why)
{
	const char *at = strchr(text, '@');
	size_t len = at != NULL ? (size_t)(at - text) : strlen(text);
	char spec[2 * IND_TEXT_MAX];

	*out = (struct indicator_params){0};
	if (len >= sizeof(spec))
		return config_lists_bad(why, "'%.40s...' is too long", text);
	memcpy(spec, text, len);
	spec[len] = '\0';
	if (ind_parse(spec, &out->spec) < 0)
		return config_lists_bad(why, "%s", err_text());
	if (at == NULL)
		return 0;
	out->timeframe_s = config_lists_timeframe(at + 1);
	if (out->timeframe_s == 0)
		return config_lists_bad(
			why, "'%.40s' is not a timeframe (" CONFIG_TIMEFRAME_NAMES ")",
			at + 1);
	return 0;
}

static bool same_indicator(const struct indicator_params *a,
			   const struct indicator_params *b)
{
	return a->spec.def == b->spec.def && a->spec.flavour == b->spec.flavour &&
	       a->timeframe_s == b->timeframe_s &&
	       memcmp(a->spec.param, b->spec.param, sizeof(a->spec.param)) == 0;
}

_Static_assert(CONFIG_WORDS_MAX <= INDICATORS_MAX, "no list is too long");

/* The order is that of the values: it is kept. */
static int indicators(struct symbol_params *p, const struct config_words *w, char *why)
{
	struct indicator_params list[INDICATORS_MAX] = {0};

	for (size_t i = 0; i < w->n; i++) {
		if (indicator(w->word[i], &list[i], why) != 0)
			return 1;
		for (size_t k = 0; k < i; k++)
			if (same_indicator(&list[k], &list[i]))
				return config_lists_bad(why, "%.40s is named twice",
							w->word[i]);
	}
	memcpy(p->indicators, list, sizeof(list));
	p->n_indicators = (uint32_t)w->n;
	return 0;
}

static int price_types(const struct config_key *k, struct symbol_params *p,
		       const struct config_words *w, char *why)
{
	uint8_t list[PRICE_AUTO + 1] = {0}; /* by value: sorted at once */
	uint32_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		uint32_t v = 0;

		if (config_lists_choice(k->words, w->word[i], &v, why) != 0)
			return 1;
		if (list[v]++)
			return config_lists_bad(why, "%.40s is named twice",
						w->word[i]);
	}
	if (w->n == 0)
		return config_lists_bad(why, "the list of price types is empty");
	if (list[PRICE_AUTO] && w->n > 1)
		return config_lists_bad(
			why, "auto stands alone: it picks last or mid by what comes");
	memset(p->price_types, 0, sizeof(p->price_types));
	for (uint32_t v = 0; v <= PRICE_AUTO; v++)
		if (list[v])
			p->price_types[n++] = (uint8_t)v;
	p->n_price_types = n;
	return 0;
}

static int week(uint8_t *out, const struct config_words *w, char *why)
{
	unsigned mask = 0;

	for (size_t i = 0; i < w->n; i++) {
		unsigned d = 0;

		while (d < 7 && strcmp(config_days[d], w->word[i]) != 0)
			d++;
		if (d == 7)
			return config_lists_bad(
				why,
				"'%.40s' is not one of mon, tue, wed, thu, fri, "
				"sat, sun",
				w->word[i]);
		if (mask & 1u << d)
			return config_lists_bad(why, "%.40s is named twice",
						w->word[i]);
		mask |= 1u << d;
	}
	if (mask == 0)
		return config_lists_bad(why, "the list of days is empty");
	*out = (uint8_t)mask;
	return 0;
}

int config_lists_set(const struct config_key *k, struct symbol_params *p,
		     const struct config_words *w, char *why)
{
	switch (k->type) {
	case CONFIG_TIMEFRAMES:
		return timeframes(p, w, why);
	case CONFIG_PRICES:
		return price_types(k, p, w, why);
	case CONFIG_SOURCES:
		return sources(p, w, why);
	case CONFIG_INDICATORS:
		return indicators(p, w, why);
	default:
		return week(&p->session_days, w, why);
	}
}
