/*
 * config_print - the effective configuration as YAML, section by section in the
 * order of the tables.  What is printed reads back as the same configuration, so
 * every value carries its unit and every text its quotes.
 */
#include "base/decimal.h"
#include "base/jsonw.h"
#include "base/timetext.h"
#include "daemon/config_table.h"
#include "daemon/config_units.h"
#include "proto/timeframe.h"
#include <string.h>

const char *const config_days[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/*
 * Beside the quote and the backslash, the characters that YAML takes for a line end
 * or a byte order mark and would not give back.
 */
static size_t quote_special(struct buf *out, const char *s)
{
	static const struct {
		const char *text, *escape;
	} special[] = {
		{"\"", "\\\""},
		{"\\", "\\\\"},
		{"\xe2\x80\xa8", "\\L"},
		{"\xe2\x80\xa9", "\\P"},
		{"\xef\xbb\xbf", "\\uFEFF"},
	};

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		size_t len = strlen(special[i].text);

		if (strncmp(s, special[i].text, len) != 0)
			continue;
		buf_add(out, special[i].escape, strlen(special[i].escape));
		return len;
	}
	return 0;
}

void config_quote(struct buf *out, const char *text)
{
	buf_add(out, "\"", 1);
	while (*text) {
		size_t done = quote_special(out, text);

		if (done == 0)
			buf_add(out, text, 1);
		text += done ? done : 1;
	}
	buf_add(out, "\"", 1);
}

/* In quotes: there are commas in it. */
static void print_indicator(const struct indicator_params *p, struct buf *out)
{
	char text[IND_TEXT_MAX];

	ind_print(&p->spec, text);
	buf_printf(out, "\"%s%s%s\"", text, p->timeframe_s != 0 ? "@" : "",
		   p->timeframe_s != 0 ? timeframe_name(p->timeframe_s) : "");
}

static void print_lists(const struct config_key *k, const void *base, struct buf *out)
{
	const struct symbol_params *p = base;
	const char *comma = "";

	buf_printf(out, "[");
	switch (k->type) {
	case CONFIG_TIMEFRAMES:
		for (uint32_t i = 0; i < p->n_timeframes; i++, comma = ", ")
			buf_printf(out, "%s%s", comma,
				   timeframe_name(p->timeframes_s[i]));
		break;
	case CONFIG_PRICES:
		for (uint32_t i = 0; i < p->n_price_types; i++, comma = ", ")
			for (const struct config_word *w = k->words; w->word; w++)
				if (w->value == p->price_types[i])
					buf_printf(out, "%s%s", comma, w->word);
		break;
	case CONFIG_SOURCES:
		for (uint32_t i = 0; i < p->n_sources; i++, comma = ", ")
			buf_printf(out, "%s%s", comma, p->sources[i]);
		break;
	case CONFIG_INDICATORS:
		for (uint32_t i = 0; i < p->n_indicators; i++, comma = ", ") {
			buf_printf(out, "%s", comma);
			print_indicator(&p->indicators[i], out);
		}
		break;
	default:
		for (unsigned d = 0; d < 7; d++) {
			if (!(p->session_days & 1u << d))
				continue;
			buf_printf(out, "%s%s", comma, config_days[d]);
			comma = ", ";
		}
		break;
	}
	buf_printf(out, "]");
}

static void print_word(const struct config_key *k, uint32_t v, struct buf *out)
{
	for (const struct config_word *w = k->words; w->word; w++)
		if (w->value == v)
			buf_printf(out, "%s", w->word);
}

static void print_text(const struct config_key *k, const char *s, struct buf *out)
{
	if (*s)
		config_quote(out, s);
	else
		buf_printf(out, "%s", k->type == CONFIG_SOURCE ? "any" : "off");
}

/* Numbers with units or scales. */
static void print_measure(const struct config_key *k, const void *field,
			  struct buf *out)
{
	char text[64];

	switch (k->type) {
	case CONFIG_BYTES:
	case CONFIG_POWER_BYTES:
		config_bytes_print(*(const uint64_t *)field, text);
		break;
	case CONFIG_DURATION:
		config_duration_print(*(const int64_t *)field, text);
		break;
	case CONFIG_SCALED:
		(void)decimal_print(text, *(const uint32_t *)field, k->scale);
		break;
	case CONFIG_DECIMAL:
		(void)decimal_print(text, *(const int64_t *)field, k->scale);
		break;
	case CONFIG_TIME:
		(void)timetext_print(text, *(const int64_t *)field);
		break;
	default:
		(void)jsonw_print_f64(text, *(const double *)field);
		break;
	}
	buf_printf(out, "%s", text);
}

void config_value_print(const struct config_key *k, const void *base, struct buf *out)
{
	const void *field = (const char *)base + k->offset;
	int32_t s;

	switch (k->type) {
	case CONFIG_BOOL:
		buf_printf(out, "%s", *(const bool *)field ? "true" : "false");
		break;
	case CONFIG_U32:
	case CONFIG_POWER_U32:
		buf_printf(out, "%u", *(const uint32_t *)field);
		break;
	case CONFIG_U64:
		buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)field);
		break;
	case CONFIG_I32:
		buf_printf(out, "%d", *(const int32_t *)field);
		break;
	case CONFIG_TEXT:
	case CONFIG_NNG_URL:
	case CONFIG_ADDRESS:
	case CONFIG_SOCKET:
	case CONFIG_PATH:
	case CONFIG_WORD:
	case CONFIG_WEB:
	case CONFIG_ZONE:
	case CONFIG_SOURCE:
		print_text(k, field, out);
		break;
	case CONFIG_CHOICE:
		print_word(k, *(const uint32_t *)field, out);
		break;
	case CONFIG_CHOICE8:
		print_word(k, *(const uint8_t *)field, out);
		break;
	case CONFIG_OF_DAY:
		s = *(const int32_t *)field;
		if (s < 0)
			buf_printf(out, "off");
		else
			buf_printf(out, "\"%02d:%02d\"", s / 3600, s / 60 % 60);
		break;
	case CONFIG_TIMEFRAME:
		buf_printf(out, "%s", timeframe_name(*(const uint32_t *)field));
		break;
	case CONFIG_TIMEFRAMES:
	case CONFIG_PRICES:
	case CONFIG_DAYS:
	case CONFIG_SOURCES:
	case CONFIG_INDICATORS:
		print_lists(k, base, out);
		break;
	case CONFIG_BYTES:
	case CONFIG_POWER_BYTES:
	case CONFIG_DURATION:
	case CONFIG_SCALED:
	case CONFIG_DECIMAL:
	case CONFIG_TIME:
	case CONFIG_DOUBLE:
		print_measure(k, field, out);
		break;
	}
}

void config_table_print(const struct config_table *t, const void *base,
			const char *indent, struct buf *out)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->keys[i].flags & CONFIG_ALIAS)
			continue;
		buf_printf(out, "%s%s: ", indent, t->keys[i].name);
		config_value_print(&t->keys[i], base, out);
		buf_printf(out, "\n");
	}
}

void config_ticker_print(const struct config *c, const struct symbol_params *s,
			 struct buf *out)
{
	bool began = false;

	buf_printf(out, "  \"%s\":\n", s->symbol);
	config_table_print(&config_symbol, s, "    ", out);
	for (size_t i = 0; i < c->n_meta; i++) {
		if (strcmp(c->meta[i].symbol, s->symbol) != 0)
			continue;
		if (!began)
			buf_printf(out, "    metadata:\n");
		began = true;
		buf_printf(out, "      ");
		config_quote(out, c->meta[i].key);
		buf_printf(out, ": ");
		config_quote(out, c->meta[i].value);
		buf_printf(out, "\n");
	}
}

void config_vendor_print(const struct config_vendor *v, struct buf *out)
{
	buf_printf(out, "  %s:\n", v->name);
	config_table_print(&config_vendor, v, "    ", out);
}

void config_universe_print(const struct universe_params *u, struct buf *out)
{
	buf_printf(out, "  \"%s\":\n", u->name);
	config_table_print(&config_universe, u, "    ", out);
	if (u->all) {
		buf_printf(out, "    symbols: all\n");
		return;
	}
	buf_printf(out, "    symbols:\n");
	for (uint32_t i = 0; i < u->n_symbols; i++)
		buf_printf(out, "      - \"%s\"\n", u->symbols[i]);
}

void config_print(const struct config *c, struct buf *out)
{
	size_t section_len = 0;
	const char *section = "";

	for (size_t i = 0; i < config_global.n; i++) {
		const struct config_key *k = &config_global.keys[i];
		const char *dot = strchr(k->name, '.');
		size_t len = dot ? (size_t)(dot - k->name) : 0;

		if (len > 0 &&
		    (len != section_len || strncmp(section, k->name, len) != 0))
			buf_printf(out, "%.*s:\n", (int)len, k->name);
		section = k->name;
		section_len = len;
		buf_printf(out, "%s%s: ", dot ? "  " : "", dot ? dot + 1 : k->name);
		config_value_print(k, c, out);
		buf_printf(out, "\n");
	}
	if (c->n_vendors > 0)
		buf_printf(out, "vendors:\n");
	for (size_t i = 0; i < c->n_vendors; i++)
		config_vendor_print(&c->vendors[i], out);
	buf_printf(out, "defaults:\n");
	config_table_print(&config_symbol, &c->derive.defaults, "  ", out);
	if (c->derive.n_symbols > 0)
		buf_printf(out, "tickers:\n");
	for (size_t i = 0; i < c->derive.n_symbols; i++)
		config_ticker_print(c, &c->derive.symbols[i], out);
	if (c->n_feeds > 0)
		buf_printf(out, "feeds:\n");
	for (size_t i = 0; i < c->n_feeds; i++)
		config_feed_print(&c->feeds[i], out);
	if (c->n_rss > 0)
		buf_printf(out, "rss:\n");
	for (size_t i = 0; i < c->n_rss; i++)
		config_rss_print(&c->rss[i], out);
	if (c->derive.n_universes > 0)
		buf_printf(out, "universes:\n");
	for (size_t i = 0; i < c->derive.n_universes; i++)
		config_universe_print(&c->derive.universes[i], out);
}
