/*
 * alpaca_news - Alpaca's articles, which look the same in its history and its stream,
 * and its corporate actions.
 */
#include "base/plaintext.h"
#include "feeds/alpaca.h"
#include <stdio.h>
#include <string.h>

/*
 * News write a coin against the dollar without the stroke, whoever asks: "BTCUSD".  No
 * share has six letters or more and ends so, thus it is given its name.
 */
static void name_coin(char symbol[SYMBOL_MAX])
{
	static const char *const dollars[] = {"USDT", "USDC", "USD"};
	size_t len = symbol_field_len(symbol, SYMBOL_MAX);

	if (len < 6 || len == SYMBOL_MAX || memchr(symbol, '/', len) != NULL)
		return;
	for (size_t i = 0; i < sizeof(dollars) / sizeof(dollars[0]); i++) {
		size_t tail = strlen(dollars[i]), head = len - tail;

		if (memcmp(symbol + head, dollars[i], tail) != 0)
			continue;
		memmove(symbol + head + 1, symbol + head, tail);
		symbol[head] = '/';
		return;
	}
}

void alpaca_read_article(struct json_walk *w, struct hist_article *out)
{
	struct json_key k;

	*out = (struct hist_article){.created_ns = VALUE_NULL,
				     .updated_ns = VALUE_NULL};
	if (!json_walk_object(w)) {
		json_walk_fail(w, "an article is null");
		return;
	}
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "id"))
			(void)snprintf(out->id, sizeof(out->id), "%llu",
				       (unsigned long long)json_walk_u64(w));
		else if (json_walk_is(&k, "created_at"))
			out->created_ns = json_walk_time(w);
		else if (json_walk_is(&k, "updated_at"))
			out->updated_ns = json_walk_time(w);
		else if (json_walk_is(&k, "headline"))
			vendor_read_plain(w, out->headline, sizeof(out->headline));
		else if (json_walk_is(&k, "summary"))
			vendor_read_plain(w, out->summary, sizeof(out->summary));
		else if (json_walk_is(&k, "url"))
			json_walk_text(w, out->url, sizeof(out->url));
		else if (json_walk_is(&k, "source"))
			json_walk_text(w, out->publisher, sizeof(out->publisher));
		else if (json_walk_is(&k, "symbols"))
			vendor_read_symbols(w, out);
		else
			json_walk_skip(w);
	}
	for (uint32_t i = 0; i < out->n_symbols; i++)
		name_coin(out->symbols[i]);
	if (out->id[0] == '\0' || out->created_ns == VALUE_NULL)
		json_walk_fail(w, "an article has no id or no time");
	if (out->updated_ns == VALUE_NULL)
		out->updated_ns = out->created_ns;
}

void alpaca_news_name(const char *symbol, char out[SYMBOL_MAX + 1])
{
	const char *stroke = strchr(symbol, '/');

	(void)snprintf(out, SYMBOL_MAX + 1, "%.*s%s",
		       stroke ? (int)(stroke - symbol) : SYMBOL_MAX, symbol,
		       stroke ? stroke + 1 : "");
}

/* Give the coins that were asked for their names back. */
static void name_coins(struct hist_article *n, const struct vendor_ask *a)
{
	for (size_t i = 0; i < a->n_symbols; i++) {
		char name[SYMBOL_MAX + 1] = "", *ours;

		if (!alpaca_is_crypto(a->symbols[i]))
			continue;
		alpaca_news_name(a->symbols[i], name);
		for (uint32_t k = 0; k < n->n_symbols; k++) {
			ours = n->symbols[k];
			if (strncmp(ours, name, SYMBOL_MAX) == 0)
				memcpy(ours, a->symbols[i], strlen(a->symbols[i]));
		}
	}
}

void alpaca_read_news(struct json_walk *w, const struct vendor_ask *a,
		      struct vendor_page *out)
{
	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		struct hist_article n;

		alpaca_read_article(w, &n);
		if (w->why)
			return;
		name_coins(&n, a);
		*vendor_page_article(out) = n;
	}
}

/* What an action may say; which of it means what depends on its kind. */
struct action {
	char symbol[SYMBOL_MAX + 2];
	char new_symbol[SYMBOL_MAX + 2];
	int64_t rate_e9, old_rate_e9, new_rate_e9;
	int32_t ex_date, process_date;
};

static const struct {
	const char *name;
	enum hist_action_kind kind;
} kinds[] = {
	{"forward_splits", ACTION_SPLIT},     {"reverse_splits", ACTION_SPLIT},
	{"unit_splits", ACTION_SPLIT},        {"stock_dividends", ACTION_SPLIT},
	{"cash_dividends", ACTION_DIVIDEND},  {"spin_offs", ACTION_SPIN_OFF},
	{"name_changes", ACTION_NAME_CHANGE},
};

static void read_action(struct json_walk *w, struct action *a)
{
	struct json_key k;

	*a = (struct action){.rate_e9 = VALUE_NULL,
			     .old_rate_e9 = VALUE_NULL,
			     .new_rate_e9 = VALUE_NULL};
	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "symbol") || json_walk_is(&k, "old_symbol") ||
		    json_walk_is(&k, "source_symbol") ||
		    json_walk_is(&k, "acquiree_symbol"))
			json_walk_text(w, a->symbol, sizeof(a->symbol));
		else if (json_walk_is(&k, "new_symbol") ||
			 json_walk_is(&k, "acquirer_symbol"))
			json_walk_text(w, a->new_symbol, sizeof(a->new_symbol));
		else if (json_walk_is(&k, "rate"))
			a->rate_e9 = json_walk_decimal(w, 9);
		else if (json_walk_is(&k, "old_rate") ||
			 json_walk_is(&k, "source_rate"))
			a->old_rate_e9 = json_walk_decimal(w, 9);
		else if (json_walk_is(&k, "new_rate"))
			a->new_rate_e9 = json_walk_decimal(w, 9);
		else if (json_walk_is(&k, "ex_date"))
			a->ex_date = vendor_read_date(w);
		else if (json_walk_is(&k, "process_date"))
			a->process_date = vendor_read_date(w);
		else
			json_walk_skip(w);
	}
}

static void keep_action(const struct action *a, enum hist_action_kind kind,
			struct vendor_page *out)
{
	size_t len = strlen(a->symbol), new_len = strlen(a->new_symbol);
	struct hist_action *to;

	if (!symbol_valid(a->symbol, len) ||
	    (new_len > 0 && !symbol_valid(a->new_symbol, new_len))) {
		out->skipped++;
		return;
	}
	to = vendor_page_action(out);
	to->kind = (uint8_t)kind;
	/* A new name has no ex date: it is there from the day it is processed. */
	to->ex_date = a->ex_date != 0 ? a->ex_date : a->process_date;
	memcpy(to->symbol, a->symbol, len);
	memcpy(to->new_symbol, a->new_symbol, new_len);
	to->numerator_e9 = a->new_rate_e9;
	to->denominator_e9 = a->old_rate_e9;
	if (kind == ACTION_DIVIDEND)
		to->amount_e9 = a->rate_e9;
	/* A stock dividend gives RATE new shares on top of each old one. */
	if (kind == ACTION_SPLIT && a->new_rate_e9 == VALUE_NULL && a->rate_e9 >= 0 &&
	    a->rate_e9 < INT64_MAX - 1000000000) {
		to->numerator_e9 = a->rate_e9 + 1000000000;
		to->denominator_e9 = 1000000000;
	}
}

void alpaca_read_actions(struct json_walk *w, struct vendor_page *out)
{
	struct json_key k;

	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k)) {
		enum hist_action_kind kind = ACTION_OTHER;

		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (json_walk_is(&k, kinds[i].name))
				kind = kinds[i].kind;
		if (!json_walk_array(w))
			continue;
		while (json_walk_element(w)) {
			struct action a;

			read_action(w, &a);
			if (!w->why)
				keep_action(&a, kind, out);
		}
	}
}
