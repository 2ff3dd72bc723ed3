/* newsroom - see newsroom.h. */
#include "workers/newsroom.h"
#include "analysis/newsdesk.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/state.h"
#include "base/utf8.h"
#include "proto/article.h"
#include "workers/newshold.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX   1024u /* articles of a symbol in its window; older ones leave */
#define SYMBOLS_MAX 32u   /* of an article */

/* One symbol's. */
struct desk {
	struct stream_mark stream;
	int64_t newest_ns; /* end of its window */
	struct newsdesk items;
};

/* The article being taken. */
struct taken {
	struct hist_article article;
	struct sentiment_score score;
	uint64_t title;
	uint64_t pos;
	struct record rec;
	uint32_t ids[SYMBOLS_MAX]; /* ascending */
	uint32_t n, next;
};

struct newsroom {
	struct newsroom_env env;
	struct sentiment *scorer; /* owned */
	struct desk **desks;      /* owned, each too; by symbol id, NULL: no news yet */
	struct newshold hold;
	struct taken now;
};

int newsroom_new(const struct newsroom_env *env, struct newsroom **out)
{
	const struct news_params *p = &env->params->news;
	struct newsroom *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return err_set(-ENOMEM, "out of memory for the news");
	r->env = *env;
	r->desks = calloc(env->symbols_max, sizeof(*r->desks));
	rc = r->desks == NULL
		     ? err_set(-ENOMEM, "out of memory for the news of %u symbols",
			       env->symbols_max)
		     : sentiment_new(p->flavour, p->vader, p->vader_len, &r->scorer);
	if (rc == 0)
		rc = newshold_init(&r->hold, env->symbols_max);
	if (rc < 0) {
		newsroom_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

static void desk_free(struct desk *d)
{
	if (d != NULL)
		newsdesk_free(&d->items);
	free(d);
}

void newsroom_reset(struct newsroom *r)
{
	for (uint32_t i = 0; r->desks != NULL && i < r->env.symbols_max; i++) {
		desk_free(r->desks[i]);
		r->desks[i] = NULL;
	}
	if (r->hold.symbols != NULL)
		newshold_reset(&r->hold);
	r->now.n = r->now.next = 0;
}

void newsroom_free(struct newsroom *r)
{
	if (r == NULL)
		return;
	newsroom_reset(r);
	free(r->desks);
	newshold_deinit(&r->hold);
	sentiment_free(r->scorer);
	free(r);
}

static struct desk *desk_of(struct newsroom *r, uint32_t symbol_id)
{
	struct desk *d = r->desks[symbol_id];

	if (d != NULL)
		return d;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->newest_ns = INT64_MIN;
	d->items.repeat_ns = r->env.params->news.repeat_ns;
	return r->desks[symbol_id] = d;
}

/* ---- an article ---- */

static int by_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int find_symbols(struct newsroom *r, struct taken *t)
{
	for (uint32_t i = 0; i < t->article.n_symbols; i++) {
		const char *name = t->article.symbols[i];
		uint32_t *id = &t->ids[i];

		if (symtab_find(r->env.symbols, name,
				symbol_field_len(name, SYMBOL_MAX), id) != 0 ||
		    *id >= r->env.symbols_max)
			return err_set(-EBADMSG,
				       "the article at position %llu names the unknown "
				       "symbol %.*s",
				       (unsigned long long)t->pos, SYMBOL_MAX, name);
		if (desk_of(r, *id) == NULL)
			return err_set(-ENOMEM, "out of memory for the news of %.*s",
				       SYMBOL_MAX, name);
	}
	t->n = t->article.n_symbols;
	qsort(t->ids, t->n, sizeof(t->ids[0]), by_id);
	return 0;
}

int newsroom_open(struct newsroom *r, uint64_t pos, const struct record *rec,
		  const void *text, size_t len)
{
	struct taken *t = &r->now;
	char why[ARTICLE_REASON_MAX];
	int rc;

	*t = (struct taken){.pos = pos, .rec = *rec};
	if (article_read(text, len, &t->article, why) != REJECT_NONE ||
	    article_check(&t->article, why) != REJECT_NONE)
		return err_set(-EBADMSG, "the article at position %llu: %s",
			       (unsigned long long)pos, why);
	len = strlen(t->article.headline);
	rc = sentiment_score(r->scorer, t->article.headline, len, &t->score);
	t->title = newsdesk_title(t->article.headline, len);
	return rc < 0 ? rc : find_symbols(r, t);
}

uint32_t newsroom_left(const struct newsroom *r)
{
	return r->now.n - r->now.next;
}

/* ---- one event ---- */

/* Whole characters, NUL padded; true: there was more. */
static bool put_text(char *out, size_t cap, const char *text)
{
	size_t len = strlen(text), n = 0;

	while (n < len) {
		size_t one = utf8_len(text + n, len - n);

		if (n + one > cap)
			break;
		n += one;
	}
	memcpy(out, text, n);
	return n < len;
}

/* Put the article on the symbol's desk; the flags that say what became of it. */
static uint8_t note(const struct newsroom *r, struct desk *d)
{
	const struct news_params *p = &r->env.params->news;
	const struct taken *t = &r->now;
	const struct newsdesk_item item = {t->rec.event_ns, t->title, t->score.compound,
					   t->rec.source_seq};

	if (t->rec.event_ns > d->newest_ns)
		d->newest_ns = t->rec.event_ns;
	if (d->newest_ns - t->rec.event_ns >= p->window_ns)
		return NEWS_LATE;
	if (newsdesk_put(&d->items, &item) == NEWSDESK_REPEAT)
		return NEWS_REPEAT;
	newsdesk_trim(&d->items, d->newest_ns - p->window_ns - d->items.repeat_ns,
		      ITEMS_MAX);
	return 0;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : NAN;
}

static void put_totals(const struct newsroom *r, const struct desk *d,
		       struct event_news *e)
{
	const struct news_params *p = &r->env.params->news;
	struct newsdesk_total total;

	newsdesk_total(&d->items, d->newest_ns, p->window_ns, p->half_life_ns, &total);
	e->average = total.average;
	e->weighted = total.weighted;
	e->positive = share(total.positive, total.articles);
	e->negative = share(total.negative, total.articles);
	e->articles = total.articles;
	e->window_s = (uint32_t)(p->window_ns / NS_PER_S);
	e->half_life_s = (uint32_t)(p->half_life_ns / NS_PER_S);
}

static void put_article(const struct newsroom *r, struct event_news *e)
{
	const struct taken *t = &r->now;
	const struct hist_article *a = &t->article;

	e->compound = t->score.compound;
	e->pos_share = t->score.pos;
	e->neu_share = t->score.neu;
	e->neg_share = t->score.neg;
	e->published_ns = a->created_ns;
	e->article = t->rec.source_seq;
	e->edition = (uint32_t)t->rec.ref_seq;
	e->source_id = t->rec.source_id;
	e->n_symbols = (uint8_t)t->n;
	e->flags |= t->rec.ref_seq > 1 ? NEWS_UPDATE : 0;
	(void)put_text(e->lexicon, sizeof(e->lexicon),
		       sentiment_lexicon_version(r->scorer));
	(void)put_text(e->id, sizeof(e->id), a->id);
	(void)put_text(e->publisher, sizeof(e->publisher), a->publisher);
	if (put_text(e->headline, sizeof(e->headline), a->headline))
		e->flags |= NEWS_CUT;
	if (strlen(a->url) <= sizeof(e->url))
		(void)put_text(e->url, sizeof(e->url), a->url);
}

void newsroom_next(struct newsroom *r, struct event_news *out)
{
	const struct taken *t = &r->now;
	uint32_t id = t->ids[r->now.next++];
	struct desk *d = r->desks[id];

	*out = (struct event_news){.head = {.seq = ++d->stream.seq,
					    .pos = t->pos,
					    .event_ns = t->rec.event_ns,
					    .recv_ns = t->rec.recv_ns},
				   .symbol_id = id,
				   .schema_version = NEWS_SCHEMA_VERSION};
	memcpy(out->symbol, symtab_name(r->env.symbols, id), SYMBOL_MAX);
	out->flags = note(r, d);
	put_totals(r, d, out);
	put_article(r, out);
	d->stream.pos = t->pos;
	event_chain(EVENT_NEWS, out, &d->stream.chain);
	newshold_article(&r->hold, t->pos, id, t->rec.source_id);
}

/* ---- what is held back ---- */

void newsroom_control(struct newsroom *r, uint64_t pos, const struct record *rec)
{
	newshold_control(&r->hold, pos, rec);
}

uint64_t newsroom_held(const struct newsroom *r, uint32_t symbol_id)
{
	return newshold_from(&r->hold, symbol_id);
}

/* ---- state ---- */

static void stream_state(struct state *st, struct stream_mark *m)
{
	state_u64(st, &m->seq);
	state_u64(st, &m->pos);
	state_u64(st, &m->chain);
}

static void desk_state(struct state *st, struct desk *d)
{
	uint32_t n = (uint32_t)(d->items.items.len / sizeof(struct newsdesk_item));

	stream_state(st, &d->stream);
	state_i64(st, &d->newest_ns);
	state_u64(st, &d->items.repeats);
	state_count(st, &n, ITEMS_MAX);
	if (state_is_loading(st)) {
		d->items.items.len = 0;
		(void)buf_reserve(&d->items.items, n * sizeof(struct newsdesk_item));
		d->items.items.len = n * sizeof(struct newsdesk_item);
	}
	state_bytes(st, d->items.items.data, d->items.items.len);
	state_end(st);
}

static int load_holds(struct newsroom *r, const struct section *sec)
{
	struct state st = state_loading(sec->data, sec->len);

	newshold_state(&st, &r->hold);
	return state_bad(&st) ? err_set(-EBADMSG, "whose news are held back cannot be "
						  "read")
			      : 0;
}

void newsroom_save(const struct newsroom *r, struct buf *out)
{
	struct newshold hold = r->hold; /* saving changes nothing */
	struct state holds = state_saving(out);
	size_t begin = section_begin(out, SECTION_HOLDS, 0);

	newshold_state(&holds, &hold);
	section_end(out, begin);
	for (uint32_t id = 0; id < r->env.symbols_max; id++) {
		struct state st = state_saving(out);
		size_t at;

		if (r->desks[id] == NULL || r->desks[id]->stream.seq == 0)
			continue;
		at = section_begin(out, SECTION_NEWS, id);
		desk_state(&st, r->desks[id]);
		section_end(out, at);
	}
}

int newsroom_load(struct newsroom *r, const struct section *sec)
{
	struct state st = state_loading(sec->data, sec->len);
	struct desk *d;

	if (sec->kind == SECTION_HOLDS)
		return load_holds(r, sec);
	if (sec->id >= r->env.symbols_max)
		return err_set(-EBADMSG, "the snapshot has news of a symbol %u",
			       sec->id);
	d = desk_of(r, sec->id);
	if (d == NULL)
		return err_set(-ENOMEM, "out of memory for the news of a symbol");
	desk_state(&st, d);
	return state_bad(&st) ? err_set(-EBADMSG,
					"the news of symbol %u cannot be read", sec->id)
			      : 0;
}

int newsroom_peek(const struct section *sec, struct stream_mark *out)
{
	struct state st = state_loading(sec->data, sec->len);

	stream_state(&st, out);
	return state_bad(&st) ? err_set(-EBADMSG,
					"the news of symbol %u cannot be read", sec->id)
			      : 0;
}

struct stream_mark newsroom_stream(const struct newsroom *r, uint32_t symbol_id)
{
	const struct desk *d = r->desks[symbol_id];

	return d != NULL ? d->stream : (struct stream_mark){0};
}

int newsroom_renumber(struct newsroom *r, uint32_t symbol_id,
		      const struct stream_mark *m)
{
	struct desk *d = desk_of(r, symbol_id);

	if (d == NULL)
		return err_set(-ENOMEM, "out of memory for the news of a symbol");
	d->stream = *m;
	return 0;
}
