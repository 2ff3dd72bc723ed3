/* mention - see mention.h. */
#include "feeds/mention.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define MENTIONS_MAX (sizeof(((struct hist_article *)0)->symbols) / SYMBOL_MAX)

static const char blanks[] = " \t";

static const char *const exchanges[] = {
	"AMEX",          "AMS",       "ASX",      "ATHEX",        "BATS",
	"BIT",           "BME",       "BMV",      "BSE",          "CBOE",
	"CNSX",          "CSE",       "EPA",      "ETR",          "EURONEXT",
	"FRA",           "FWB",       "HKEX",     "HKG",          "JSE",
	"KRX",           "LON",       "LSE",      "NASDAQ",       "NASDAQ CM",
	"NASDAQ GM",     "NASDAQ GS", "NASDAQCM", "NASDAQGM",     "NASDAQGS",
	"NEO",           "NSE",       "NYSE",     "NYSE ARCA",    "NYSE MKT",
	"NYSE AMERICAN", "NYSEARCA",  "NYSEMKT",  "NYSEAMERICAN", "NZX",
	"OTC",           "OTC PINK",  "OTCMKTS",  "OTCPK",        "OTCQB",
	"OTCQX",         "SEHK",      "SGX",      "SIX",          "SWX",
	"TSE",           "TSX",       "TSX-V",    "TSXV",         "TYO",
	"XETRA"};

void mention_add(struct hist_article *a, const char *name)
{
	size_t len = strlen(name);
	uint32_t i = 0;

	if (len > SYMBOL_MAX || a->n_symbols >= MENTIONS_MAX)
		return;
	while (i < a->n_symbols && (memcmp(a->symbols[i], name, len) != 0 ||
				    (len < SYMBOL_MAX && a->symbols[i][len] != '\0')))
		i++;
	if (i < a->n_symbols)
		return;
	memset(a->symbols[i], 0, SYMBOL_MAX);
	memcpy(a->symbols[i], name, len);
	a->n_symbols++;
}

/* The known name of these @len bytes, or NULL. */
static const char *find(const struct mention_known *k, const char *text, size_t len)
{
	size_t low = 0, high = k->n;

	while (low < high && len > 0) {
		size_t mid = (low + high) / 2;
		int order = strncmp(k->names[mid], text, len);

		if (order == 0 && k->names[mid][len] != '\0')
			order = 1;
		if (order == 0)
			return k->names[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static bool is_letter(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* What may stand in a symbol. */
static size_t name_len(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) ||
	       (text[n] != '\0' && strchr("./-:^=", text[n]) != NULL))
		n++;
	return n;
}

/* The longest known name that @text begins with and that ends where a word does. */
static const char *longest(const struct mention_known *k, const char *text)
{
	const char *name = NULL;

	for (size_t n = name_len(text); n > 0 && name == NULL; n--)
		if (!is_letter(text[n]) || !is_letter(text[n - 1]))
			name = find(k, text, n);
	return name;
}

static bool is_exchange(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++)
		if (strlen(exchanges[i]) == len &&
		    strncasecmp(exchanges[i], text, len) == 0)
			return true;
	return false;
}

/* One "EXCHANGE: SYMBOL" or "SYMBOL" of @len bytes; true: it had an exchange. */
static bool take_piece(const struct mention_known *k, const char *text, size_t len,
		       bool is_first, struct hist_article *a)
{
	const char *colon = memchr(text, ':', len), *name, *end = text + len;
	size_t before = colon != NULL ? (size_t)(colon - text) : 0;

	while (before > 0 && strchr(blanks, text[before - 1]) != NULL)
		before--;
	if (colon != NULL && is_exchange(text, before))
		text = colon + 1;
	else if (is_first)
		return false;
	text += strspn(text, blanks);
	while (end > text && strchr(blanks, end[-1]) != NULL)
		end--;
	name = end > text ? find(k, text, (size_t)(end - text)) : NULL;
	if (name != NULL)
		mention_add(a, name);
	return true;
}

/* @text is what stands between parentheses. */
static void take_list(const struct mention_known *k, const char *text, size_t len,
		      struct hist_article *a)
{
	const char *end = text + len;

	for (bool is_first = true; text < end; is_first = false) {
		size_t n = 0;

		text += strspn(text, blanks);
		while (text + n < end && text[n] != ',' && text[n] != ';')
			n++;
		if (text >= end || !take_piece(k, text, n, is_first, a))
			return;
		text += n + 1;
	}
}

void mention_title(const struct mention_known *k, const char *title,
		   struct hist_article *a)
{
	for (const char *c = title; *c != '\0'; c++) {
		size_t n = *c == '(' ? strcspn(c + 1, "()") : 0;
		const char *name;

		if (*c == '(' && c[1 + n] == ')')
			take_list(k, c + 1, n, a);
		if (*c != '$' || (c > title && is_letter(c[-1])))
			continue;
		name = longest(k, c + 1);
		if (name != NULL)
			mention_add(a, name);
	}
}

void mention_category(const struct mention_known *k, const char *category,
		      struct hist_article *a)
{
	const char *name;
	size_t len;

	category += strspn(category, " \t\r\n");
	category += *category == '$';
	len = strlen(category);
	while (len > 0 && strchr(" \t\r\n", category[len - 1]) != NULL)
		len--;
	name = find(k, category, len);
	if (name != NULL)
		mention_add(a, name);
	else
		(void)take_piece(k, category, len, true, a);
}
