/* article - see article.h. */
#include "proto/article.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/timetext.h"
#include "base/utf8.h"
#include "proto/ingest.h"
#include "proto/json_scan.h"
#include <stdio.h>
#include <string.h>

#define SYMBOLS_MAX (sizeof(((struct hist_article *)0)->symbols) / SYMBOL_MAX)

struct verdict {
	enum reject_reason reason;
	char *why; /* ARTICLE_REASON_MAX */
};

static void refuse(struct verdict *v, enum reject_reason reason, const char *key,
		   const char *what)
{
	if (v->reason != REJECT_NONE)
		return;
	v->reason = reason;
	(void)snprintf(v->why, ARTICLE_REASON_MAX, "%s %s", key, what);
}

/* ---- reading ---- */

enum field_type { TEXT, TIME, SYMBOLS };

static const struct field {
	const char *key;
	enum field_type type;
	size_t offset, size;
} fields[] = {
#define AT(member)                                                                     \
	offsetof(struct hist_article, member),                                         \
		sizeof(((struct hist_article *)0)->member)
	{"id", TEXT, AT(id)},
	{"time", TIME, AT(created_ns)},
	{"updated", TIME, AT(updated_ns)},
	{"headline", TEXT, AT(headline)},
	{"summary", TEXT, AT(summary)},
	{"symbols", SYMBOLS, AT(symbols)},
	{"url", TEXT, AT(url)},
	{"publisher", TEXT, AT(publisher)},
#undef AT
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static void read_text(const struct field *f, const struct json_token *t, char *out,
		      struct verdict *v)
{
	size_t len;

	if (t->type == JSON_NULL)
		return;
	if (t->type != JSON_STRING)
		refuse(v, REJECT_MALFORMED, f->key, "is no string");
	else if (!json_scan_text(t, out, f->size - 1, &len))
		refuse(v, REJECT_TEXT_TOO_LONG, f->key, "is too long");
	else if (memchr(out, '\0', len) != NULL)
		refuse(v, REJECT_MALFORMED, f->key, "holds a NUL");
	else
		out[len] = '\0';
}

static void read_symbols(const struct json_token *t, struct hist_article *out,
			 struct verdict *v)
{
	struct json_scan s = {.at = t->text + 1, .end = t->text + t->len};
	struct json_token name;
	size_t len;

	if (t->type != JSON_ARRAY) {
		refuse(v, REJECT_NO_SYMBOL, "symbols", "is no list");
		return;
	}
	while (!json_scan_char(&s, ']')) {
		char text[SYMBOL_MAX] = {0};

		(void)json_scan_char(&s, ',');
		if (!json_scan_value(&s, &name) || name.type != JSON_STRING ||
		    !json_scan_text(&name, text, SYMBOL_MAX, &len)) {
			refuse(v, REJECT_SYMBOL_MALFORMED, "symbols",
			       "holds what is no name");
			return;
		}
		if (out->n_symbols == SYMBOLS_MAX) {
			refuse(v, REJECT_TEXT_TOO_LONG, "symbols", "has more than 32");
			return;
		}
		memcpy(out->symbols[out->n_symbols++], text, SYMBOL_MAX);
	}
}

static void read_field(const struct field *f, const struct json_token *t,
		       struct hist_article *out, struct verdict *v)
{
	void *to = (char *)out + f->offset;

	switch (f->type) {
	case TEXT:
		read_text(f, t, to, v);
		break;
	case TIME:
		if (t->type != JSON_STRING || timetext_parse(t->text, t->len, to) != 0)
			refuse(v, REJECT_TIME_INVALID, f->key, "is not RFC 3339");
		break;
	case SYMBOLS:
		read_symbols(t, out, v);
		break;
	}
}

static void read_members(struct json_scan *s, struct hist_article *out,
			 struct verdict *v)
{
	unsigned seen = 0;

	while (!json_scan_char(s, '}')) {
		struct json_token key, t;
		size_t i = 0;

		(void)json_scan_char(s, ',');
		if (!json_scan_key(s, &key) || !json_scan_value(s, &t))
			return;
		while (i < N_FIELDS && !json_scan_is(&key, fields[i].key))
			i++;
		if (i == N_FIELDS || seen >> i & 1) {
			refuse(v, REJECT_MALFORMED, "a key",
			       "is unknown or stands there twice");
			continue;
		}
		seen |= 1u << i;
		read_field(&fields[i], &t, out, v);
	}
}

enum reject_reason article_read(const char *text, size_t len, struct hist_article *out,
				char why[ARTICLE_REASON_MAX])
{
	struct verdict v = {REJECT_NONE, why};
	struct json_scan s = {.at = text, .end = text + len, .is_strict = true};
	struct json_token t;
	bool is_sound = json_scan_value(&s, &t);

	*out = (struct hist_article){.created_ns = VALUE_NULL,
				     .updated_ns = VALUE_NULL};
	why[0] = '\0';
	json_scan_blank(&s);
	if (!is_sound || s.at != s.end || t.type != JSON_OBJECT) {
		refuse(&v, REJECT_MALFORMED, "an article", "is one JSON object");
		return v.reason;
	}
	s = (struct json_scan){.at = t.text + 1, .end = t.text + t.len};
	read_members(&s, out, &v);
	if (out->updated_ns == VALUE_NULL)
		out->updated_ns = out->created_ns;
	return v.reason;
}

/* ---- judging ---- */

static bool is_printable(const char *text)
{
	size_t len = strlen(text), n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_len(text + i, len - i);
		if (n == 0 || (unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}
	return true;
}

/* http(s) and what a URL is made of: it will stand in a page. */
static bool is_url(const char *url)
{
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return false;
	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c == 0x7f || *c == '"' || *c == '<' || *c == '>')
			return false;
	return true;
}

static bool is_time(int64_t ns)
{
	return ns > 0 && ns < INGEST_TIME_MAX_NS;
}

static void check_symbols(const struct hist_article *a, struct verdict *v)
{
	if (a->n_symbols == 0)
		refuse(v, REJECT_NO_SYMBOL, "symbols", "names none");
	for (uint32_t i = 0; i < a->n_symbols; i++)
		if (!symbol_valid(a->symbols[i],
				  symbol_field_len(a->symbols[i], SYMBOL_MAX)))
			refuse(v, REJECT_SYMBOL_MALFORMED, "symbols",
			       "holds what is no name");
}

enum reject_reason article_check(const struct hist_article *a,
				 char why[ARTICLE_REASON_MAX])
{
	struct verdict v = {REJECT_NONE, why};

	why[0] = '\0';
	if (a->id[0] == '\0' || !is_printable(a->id))
		refuse(&v, REJECT_MALFORMED, "id", "is missing or no text");
	if (a->headline[0] == '\0')
		refuse(&v, REJECT_HEADLINE_MISSING, "headline", "is missing");
	if (!is_printable(a->headline) || !is_printable(a->publisher))
		refuse(&v, REJECT_MALFORMED, "headline or publisher", "is no text");
	if (a->url[0] != '\0' && !is_url(a->url))
		refuse(&v, REJECT_URL_MALFORMED, "url", "is no http or https URL");
	if (!is_time(a->created_ns) || !is_time(a->updated_ns) ||
	    a->updated_ns < a->created_ns)
		refuse(&v, REJECT_TIME_INVALID, "time",
		       "is missing, impossible or after updated");
	check_symbols(a, &v);
	return v.reason;
}

/* ---- writing ---- */

void article_write(struct buf *out, const struct hist_article *a)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "id", a->id);
	jsonw_time(&w, "time", a->created_ns);
	jsonw_time(&w, "updated", a->updated_ns);
	jsonw_str(&w, "headline", a->headline);
	jsonw_array(&w, "symbols");
	for (uint32_t i = 0; i < a->n_symbols; i++)
		jsonw_strn(&w, NULL, a->symbols[i],
			   symbol_field_len(a->symbols[i], SYMBOL_MAX));
	jsonw_end(&w);
	jsonw_str(&w, "url", a->url);
	jsonw_str(&w, "publisher", a->publisher);
	jsonw_end(&w);
}

/* ---- identity ---- */

uint64_t article_key(const char *source, const char *id)
{
	uint64_t h = hash_bytes(HASH_SEED, source, strlen(source) + 1);

	return hash_mix(hash_bytes(h, id, strlen(id)));
}

bool article_same(const struct hist_article *a, const struct hist_article *b)
{
	return strcmp(a->headline, b->headline) == 0 && strcmp(a->url, b->url) == 0 &&
	       strcmp(a->publisher, b->publisher) == 0 &&
	       a->created_ns == b->created_ns && a->n_symbols == b->n_symbols &&
	       memcmp(a->symbols, b->symbols, a->n_symbols * SYMBOL_MAX) == 0;
}
