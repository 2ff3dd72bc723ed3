/* liveworld_news - a vendor without a stream: its articles and its answers
 * (liveworld.h). */
#include "proto/article.h"
#include "tests/integration/liveworld_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 3

const struct vendor_ops world_news_ops = {.name = "fake",
					  .can = 1u << VENDOR_NEWS,
					  .rows_max = {[VENDOR_NEWS] = PAGE},
					  .symbols_max = 1,
					  .has_pages = true};

/* It is said up to 1.5 s after the time that stands on it, and edited within a second
   of that; the new text has the same time. */
void world_make_article(struct whole *w)
{
	struct world *o = &w->world;
	struct world_article *a = &o->articles[o->n_articles];

	if (o->n_articles == WORLD_ARTICLES)
		return;
	o->n_articles++;
	*a = (struct world_article){
		.seen_ns = clock_wall_ns(),
		.at_ns = clock_wall_ns() + o->skew_ns -
			 rng_below(&o->rng, 1500) * NS_PER_MS,
		.fixed_ns =
			world_chance(o, 3000)
				? clock_wall_ns() + rng_below(&o->rng, 1000) * NS_PER_MS
				: INT64_MAX,
		.symbols = {rng_below(&o->rng, WORLD_SYMBOLS - 1)},
		.n_symbols = 1};
	if (world_chance(o, 4000)) {
		a->symbols[1] = a->symbols[0];
		a->symbols[0] = WORLD_SYMBOLS - 1;
		a->n_symbols = 2;
	}
}

static bool is_asked_for(const struct vendor_ask *q, const struct world_article *a)
{
	bool found = false;

	for (uint32_t i = 0; i < a->n_symbols; i++)
		found |= strcmp(q->symbols[0], world_names[a->symbols[i]]) == 0;
	return found && a->at_ns >= q->start_ns && a->at_ns < q->end_ns &&
	       a->seen_ns <= clock_wall_ns();
}

/* Some of them are in no order, as vendors have it. */
void world_news_page(struct whole *w, struct vendor_page *out)
{
	struct question *q = &w->question;
	size_t n = 0;

	for (; q->next < w->world.n_articles && n < PAGE; q->next++) {
		const struct world_article *a = &w->world.articles[q->next];
		struct hist_article h = {.created_ns = a->at_ns,
					 .updated_ns = a->at_ns,
					 .n_symbols = a->n_symbols};

		if (!is_asked_for(q->ask, a))
			continue;
		(void)snprintf(h.id, sizeof(h.id), "%zu", q->next);
		(void)snprintf(h.headline, sizeof(h.headline), "%s",
			       a->fixed_ns <= clock_wall_ns() ? "fixed" : "first");
		for (uint32_t i = 0; i < a->n_symbols; i++)
			memcpy(h.symbols[i], world_names[a->symbols[i]],
			       strlen(world_names[a->symbols[i]]));
		buf_add(&out->articles, &h, sizeof(h));
		n++;
	}
}

void world_articles(struct world *o,
		    void (*fn)(void *arg, size_t number, bool is_fixed), void *arg)
{
	struct store_thread *st = &((struct whole *)o)->store;
	char why[ARTICLE_REASON_MAX];
	const struct record *recs;
	struct hist_article a;
	uint64_t pos = 1;
	const void *text;
	uint32_t n;
	size_t len;

	while (tickstore_peek(st->log, pos, &pos, &recs, &n) == 0) {
		for (uint32_t i = 0; i < n; i++) {
			if (recs[i].type != RECORD_NEWS)
				continue;
			if (tickstore_article(st->log, pos + i, &text, &len) != 0 ||
			    article_read(text, len, &a, why) != REJECT_NONE)
				world_die("an article of the log");
			fn(arg, strtoul(a.id, NULL, 10),
			   strcmp(a.headline, "fixed") == 0);
		}
		pos += n;
	}
}
