/* rss_item - see rss_item.h. */
#include "feeds/rss_item.h"
#include "base/plaintext.h"
#include "base/sha256.h"
#include "feeds/rss_date.h"
#include <stdio.h>
#include <string.h>

#define CATEGORIES_BYTES (16u << 10)

void rss_item_begin(struct rss_item *i, uint64_t line, const char *base)
{
	for (size_t f = 0; f < ITEM_FIELDS_N; f++)
		i->text[f].len = 0;
	i->line = line;
	(void)snprintf(i->base, sizeof(i->base), "%s", base);
}

void rss_item_deinit(struct rss_item *i)
{
	for (size_t f = 0; f < ITEM_FIELDS_N; f++)
		buf_free(&i->text[f]);
}

void rss_item_put(struct rss_item *i, enum rss_field f, const char *text, size_t len)
{
	struct buf *b = &i->text[f];

	while (len > 0 && strchr(" \t\r\n", text[0]) != NULL)
		text++, len--;
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if (len == 0)
		return;
	if (f == ITEM_CATEGORY && b->len + len + 1 <= CATEGORIES_BYTES) {
		buf_add(b, text, len);
		buf_add(b, "", 1);
	} else if (f != ITEM_CATEGORY && b->len == 0) {
		buf_add(b, text, len);
	}
}

/* ---- its parts ---- */

static bool is_id(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return len < sizeof(((struct hist_article *)0)->id);
}

static void digest(const void *text, size_t len, char *out, size_t cap)
{
	struct sha256 s;
	uint8_t sum[32];

	sha256_init(&s);
	sha256_add(&s, text, len);
	sha256_done(&s, sum);
	for (size_t i = 0; i < 16 && i * 2 + 3 <= cap; i++)
		(void)snprintf(out + i * 2, 3, "%02x", sum[i]);
}

static void put_id(struct rss_item *i, struct hist_article *a)
{
	struct buf *b = &i->text[i->text[ITEM_ID].len > 0 ? ITEM_ID : ITEM_LINK];
	struct buf made = {0};

	if (b->len == 0) {
		buf_printf(&made, "%lld %s", (long long)a->created_ns, a->headline);
		digest(made.data, made.len, a->id, sizeof(a->id));
		buf_free(&made);
	} else if (is_id(buf_text(b))) {
		(void)snprintf(a->id, sizeof(a->id), "%s", buf_text(b));
	} else {
		digest(b->data, b->len, a->id, sizeof(a->id));
	}
}

static void put_plain(struct buf *b, char *out, size_t cap)
{
	char *text = buf_text(b);

	(void)plaintext_all(text);
	plaintext_cut(text, out, cap);
}

/* True: there is a text, and it is a time. */
static bool take_time(struct buf *b, int64_t *out_ns)
{
	return b->len > 0 && rss_date_parse(buf_text(b), out_ns) == 0;
}

static bool put_times(struct rss_item *i, struct hist_article *a, char *why)
{
	struct buf *b = &i->text[ITEM_CREATED];

	a->created_ns = a->updated_ns = VALUE_NULL;
	(void)take_time(b, &a->created_ns);
	(void)take_time(&i->text[ITEM_UPDATED], &a->updated_ns);
	if (a->created_ns == VALUE_NULL)
		a->created_ns = a->updated_ns;
	if (a->updated_ns == VALUE_NULL || a->updated_ns < a->created_ns)
		a->updated_ns = a->created_ns;
	if (a->created_ns != VALUE_NULL)
		return true;
	if (b->len == 0)
		b = &i->text[ITEM_UPDATED];
	if (b->len == 0)
		(void)snprintf(why, RSS_WHY_MAX, "the item has no date");
	else
		(void)snprintf(why, RSS_WHY_MAX,
			       "the item's date '%.48s' is no RFC 822 or RFC 3339 time "
			       "with a known zone",
			       buf_text(b));
	return false;
}

static void put_symbols(const struct rss_item *i, const struct rss_params *p,
			struct hist_article *a)
{
	const struct buf *c = &i->text[ITEM_CATEGORY];

	if (p->match == 0)
		for (size_t k = 0; k < p->known.n; k++)
			mention_add(a, p->known.names[k]);
	if (p->match & RSS_TITLE)
		mention_title(&p->known, a->headline, a);
	if (p->match & RSS_CATEGORY)
		for (size_t at = 0; at < c->len;) {
			const char *one = (const char *)c->data + at;

			mention_category(&p->known, one, a);
			at += strlen(one) + 1;
		}
}

enum rss_outcome rss_item_article(struct rss_item *i, const struct rss_params *p,
				  struct hist_article *out, char why[RSS_WHY_MAX])
{
	*out = (struct hist_article){0};
	why[0] = '\0';
	put_plain(&i->text[ITEM_TITLE], out->headline, sizeof(out->headline));
	if (out->headline[0] == '\0') {
		(void)snprintf(why, RSS_WHY_MAX, "the item has no title");
		return RSS_BAD;
	}
	if (!put_times(i, out, why))
		return RSS_BAD;
	put_id(i, out);
	put_plain(&i->text[ITEM_PUBLISHER], out->publisher, sizeof(out->publisher));
	if (i->text[ITEM_LINK].len > 0)
		(void)webref_resolve(i->base, buf_text(&i->text[ITEM_LINK]), out->url,
				     sizeof(out->url));
	put_symbols(i, p, out);
	return out->n_symbols > 0 || p->match == 0 ? RSS_ARTICLE : RSS_UNMATCHED;
}
