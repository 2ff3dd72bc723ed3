/* news_json - event_json_news(): few and full of foreign text, so the general writer
 * makes its line. */
#include "base/jsonw.h"
#include "proto/event_json.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

static void put_field(struct jsonw *w, const char *key, const char *field, size_t max)
{
	jsonw_strn(w, key, field, symbol_field_len(field, max));
}

static void put_flags(struct jsonw *w, unsigned flags)
{
	static const char *const words[] = {"update", "repeat", "cut", "late"};

	jsonw_array(w, "flags");
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (flags >> i & 1)
			jsonw_str(w, NULL, words[i]);
	jsonw_end(w);
}

static void put_article(struct jsonw *w, const struct event_news *e,
			const struct event_json_ctx *ctx)
{
	jsonw_hex64(w, "article", e->article);
	put_field(w, "id", e->id, sizeof(e->id));
	jsonw_u64(w, "edition", e->edition);
	put_flags(w, e->flags);
	jsonw_time(w, "published", e->published_ns);
	put_field(w, "headline", e->headline, sizeof(e->headline));
	put_field(w, "url", e->url, sizeof(e->url));
	put_field(w, "publisher", e->publisher, sizeof(e->publisher));
	if (ctx->source != NULL)
		jsonw_str(w, "source", ctx->source);
	else
		jsonw_u64(w, "source", e->source_id);
	jsonw_u64(w, "symbols", e->n_symbols);
}

static void put_scores(struct jsonw *w, const struct event_news *e)
{
	jsonw_f64(w, "compound", e->compound);
	jsonw_f64(w, "pos_share", e->pos_share);
	jsonw_f64(w, "neu_share", e->neu_share);
	jsonw_f64(w, "neg_share", e->neg_share);
	put_field(w, "lexicon", e->lexicon, sizeof(e->lexicon));
	jsonw_u64(w, "window", e->window_s);
	jsonw_u64(w, "half_life", e->half_life_s);
	jsonw_u64(w, "articles", e->articles);
	jsonw_f64(w, "average", e->average);
	jsonw_f64(w, "weighted", e->weighted);
	jsonw_f64(w, "positive", e->positive);
	jsonw_f64(w, "negative", e->negative);
}

size_t event_json_news(char *buf, const struct event_news *e,
		       const struct event_json_ctx *ctx)
{
	struct buf out = {0};
	struct jsonw w;
	size_t len;

	jsonw_init(&w, &out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "event", "NEWS_SENTIMENT");
	put_field(&w, "symbol", e->symbol, SYMBOL_MAX);
	jsonw_time(&w, "time", e->head.event_ns);
	put_article(&w, e, ctx);
	put_scores(&w, e);
	jsonw_u64(&w, "schema_version", e->schema_version);
	jsonw_hex64(&w, "chain", e->chain);
	jsonw_u64(&w, "seq", e->head.seq);
	jsonw_u64(&w, "pos", e->head.pos);
	jsonw_time(&w, "recv_time", e->head.recv_ns);
	jsonw_time(&w, "publish_time", ctx->publish_ns);
	jsonw_u64(&w, "epoch", ctx->epoch);
	jsonw_end(&w);
	len = out.len;
	/* Texts of 616 bytes, each at worst as six, and 32 values of 60 around them. */
	assert(len <= EVENT_JSON_MAX);
	memcpy(buf, out.data, len);
	buf_free(&out);
	return len;
}
