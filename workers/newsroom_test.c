/*
 * newsroom_test - events of articles: their streams, editions, repeats and windows,
 * beside totals that are added up here from the definitions; state saved and loaded.
 */
#include "base/clock.h"
#include "proto/article.h"
#include "workers/newsroom.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define T0 (INT64_C(1767623400) * NS_PER_S) /* 2026-01-05T14:30:00Z */
#define H  (3600 * NS_PER_S)

struct world {
	struct params params;
	struct symtab *symbols;
	struct newsroom *room;
	uint64_t pos;
};

static void begin(struct world *w)
{
	struct newsroom_env env = {.params = &w->params, .symbols_max = 8};
	uint32_t id;
	int is_new;

	*w = (struct world){0};
	params_default(&w->params);
	assert_int_equal(symtab_new(8, 0, &w->symbols), 0);
	assert_int_equal(symtab_add(w->symbols, "MSFT", 4, &id, &is_new), 0);
	assert_int_equal(symtab_add(w->symbols, "AAPL", 4, &id, &is_new), 0);
	env.symbols = w->symbols;
	assert_int_equal(newsroom_new(&env, &w->room), 0);
}

static void end(struct world *w)
{
	newsroom_free(w->room);
	symtab_free(w->symbols);
	params_deinit(&w->params);
}

/* An article about @symbols ("AAPL MSFT"), opened. */
static int open_one(struct world *w, const char *id, int64_t ns, uint64_t edition,
		    const char *headline, const char *symbols)
{
	struct hist_article a = {.created_ns = T0, .updated_ns = ns};
	struct record rec = {.type = RECORD_NEWS,
			     .event_ns = ns,
			     .recv_ns = ns + 5,
			     .source_seq = article_key("wire", id),
			     .ref_seq = edition,
			     .source_id = 3};
	struct buf text = {0};
	int rc;

	(void)snprintf(a.id, sizeof(a.id), "%s", id);
	(void)snprintf(a.headline, sizeof(a.headline), "%s", headline);
	a.created_ns = ns < T0 ? ns : T0;
	while (*symbols != '\0') {
		size_t len = strcspn(symbols, " ");

		memcpy(a.symbols[a.n_symbols++], symbols, len);
		symbols += len + (symbols[len] == ' ');
	}
	article_write(&text, &a);
	rc = newsroom_open(w->room, ++w->pos, &rec, text.data, text.len);
	buf_free(&text);
	return rc;
}

static struct event_news one(struct world *w, const char *id, int64_t ns,
			     uint64_t edition, const char *headline)
{
	struct event_news e;

	assert_int_equal(open_one(w, id, ns, edition, headline, "AAPL"), 0);
	assert_int_equal(newsroom_left(w->room), 1);
	newsroom_next(w->room, &e);
	assert_int_equal(newsroom_left(w->room), 0);
	return e;
}

static void an_article_gives_one_event_per_symbol_in_order_of_ids(void **state)
{
	struct event_news first, second;
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(open_one(&w, "1", T0, 1, "Apple beats estimates, shares surge",
				  "AAPL MSFT"),
			 0);
	assert_int_equal(newsroom_left(w.room), 2);
	newsroom_next(w.room, &first);
	newsroom_next(w.room, &second);
	assert_memory_equal(first.symbol, "MSFT", 5);
	assert_memory_equal(second.symbol, "AAPL", 5);
	assert_int_equal(first.symbol_id, 0);
	assert_int_equal(second.symbol_id, 1);
	assert_true(first.head.pos == 1 && second.head.pos == 1);
	assert_true(first.head.seq == 1 && second.head.seq == 1);
	assert_true(first.article == second.article);
	assert_true(first.compound > 0.05);
	assert_true(first.compound == second.compound);
	assert_int_equal(first.n_symbols, 2);
	assert_string_equal(first.headline, "Apple beats estimates, shares surge");
	assert_true(first.articles == 1 && first.average == first.compound);
	assert_true(first.positive == 1 && first.negative == 0);
	end(&w);
}

static void totals_are_those_of_the_definition(void **state)
{
	static const char *const headlines[] = {
		"Apple beats estimates", "Apple plunges after profit warning",
		"Apple opens a shop", "Apple raises full-year guidance"};
	const int64_t at[] = {T0, T0 + 2 * H, T0 - 5 * H, T0 + 9 * H};
	double score[4], sum = 0, weighted = 0, weights = 0;
	struct event_news e = {0};
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < 4; i++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "%zu", i);
		e = one(&w, id, at[i], 1, headlines[i]);
		score[i] = e.compound;
		assert_true(e.head.seq == i + 1);
		assert_int_equal(e.flags, 0);
	}
	for (size_t i = 0; i < 4; i++) {
		double weight = exp2(-(double)(at[3] - at[i]) / (6.0 * (double)H));

		sum += score[i];
		weighted += weight * score[i];
		weights += weight;
	}
	assert_true(e.articles == 4);
	assert_true(fabs(e.average - sum / 4) < 1e-12);
	assert_true(fabs(e.weighted - weighted / weights) < 1e-12);
	assert_true(e.positive == 0.5 && e.negative == 0.25);
	end(&w);
}

static void a_later_edition_takes_the_place_of_the_first(void **state)
{
	struct event_news was, is;
	struct world w;

	(void)state;
	begin(&w);
	was = one(&w, "1", T0, 1, "Apple beats estimates");
	is = one(&w, "1", T0 + H, 2, "Apple misses estimates");
	assert_int_equal(is.flags, NEWS_UPDATE);
	assert_int_equal(is.edition, 2);
	assert_true(was.article == is.article && is.head.seq == 2);
	assert_true(is.articles == 1 && is.average == is.compound);
	assert_true(is.compound < 0 && was.compound > 0);
	assert_true(is.published_ns == T0 && is.head.event_ns == T0 + H);
	end(&w);
}

static void a_repeated_headline_does_not_count(void **state)
{
	struct event_news e;
	struct world w;

	(void)state;
	begin(&w);
	(void)one(&w, "1", T0, 1, "Apple beats estimates");
	e = one(&w, "2", T0 + H, 1, "APPLE  beats estimates!");
	assert_int_equal(e.flags, NEWS_REPEAT);
	assert_true(e.articles == 1 && e.head.seq == 2);
	/* Also when the one that came first is the younger. */
	e = one(&w, "3", T0 - H, 1, "Apple beats estimates");
	assert_int_equal(e.flags, NEWS_REPEAT);
	end(&w);
}

static void what_is_older_than_the_window_counts_nowhere(void **state)
{
	struct event_news e;
	struct world w;

	(void)state;
	begin(&w);
	(void)one(&w, "1", T0, 1, "Apple beats estimates");
	e = one(&w, "2", T0 - 24 * H, 1, "Apple plunges");
	assert_int_equal(e.flags, NEWS_LATE);
	assert_true(e.articles == 1 && e.average > 0);
	/* And a day later the first has left, its score is nowhere any more. */
	e = one(&w, "3", T0 + 24 * H, 1, "Apple opens a shop");
	assert_true(e.articles == 1 && e.average == 0);
	end(&w);
}

static void texts_are_cut_between_characters(void **state)
{
	char headline[512];
	struct event_news e;
	struct world w;

	(void)state;
	begin(&w);
	memset(headline, 'a', sizeof(headline));
	memcpy(headline + 254, "\xe2\x82\xac", 3);
	headline[511] = '\0';
	e = one(&w, "1", T0, 1, headline);
	assert_int_equal(e.flags, NEWS_CUT);
	assert_int_equal(strnlen(e.headline, sizeof(e.headline)), 254);
	end(&w);
}

static void state_goes_on_where_it_was_saved(void **state)
{
	const uint8_t *at, *end_at;
	struct stream_mark m;
	struct section sec;
	struct buf saved = {0}, again = {0};
	struct event_news a, b;
	struct world w, v, u;

	(void)state;
	begin(&w);
	begin(&v);
	begin(&u);
	(void)one(&w, "1", T0, 1, "Apple beats estimates");
	(void)one(&w, "2", T0 + H, 1, "Apple plunges");
	newsroom_save(w.room, &saved);
	at = saved.data;
	end_at = saved.data + saved.len;
	while (section_next(&at, end_at, &sec) == 0) {
		assert_int_equal(newsroom_load(v.room, &sec), 0);
		if (sec.kind != SECTION_HOLDS) {
			assert_int_equal(sec.kind, SECTION_NEWS);
			assert_int_equal(sec.id, 1);
			assert_int_equal(newsroom_peek(&sec, &m), 0);
			assert_true(m.seq == 2 && m.pos == 2);
		}
		/* Cut anywhere it is refused. */
		for (size_t len = 0; len < sec.len; len++) {
			struct section cut = {sec.kind, 2, len, sec.data};

			assert_int_equal(newsroom_load(u.room, &cut), -EBADMSG);
		}
	}
	newsroom_save(v.room, &again);
	assert_int_equal(saved.len, again.len);
	assert_memory_equal(saved.data, again.data, saved.len);
	v.pos = w.pos;
	a = one(&w, "1", T0 + 2 * H, 2, "Apple raises guidance");
	b = one(&v, "1", T0 + 2 * H, 2, "Apple raises guidance");
	assert_memory_equal(&a, &b, sizeof(a));
	buf_free(&saved);
	buf_free(&again);
	end(&w);
	end(&v);
	end(&u);
}

static void what_the_log_cannot_hold_is_refused(void **state)
{
	const struct record rec = {.type = RECORD_NEWS, .event_ns = T0};
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(open_one(&w, "1", T0, 1, "Apple beats", "TSLA"), -EBADMSG);
	assert_int_equal(newsroom_open(w.room, 1, &rec, "{}", 2), -EBADMSG);
	assert_int_equal(newsroom_open(w.room, 1, &rec, "\xff", 1), -EBADMSG);
	assert_int_equal(newsroom_left(w.room), 0);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_article_gives_one_event_per_symbol_in_order_of_ids),
		cmocka_unit_test(totals_are_those_of_the_definition),
		cmocka_unit_test(a_later_edition_takes_the_place_of_the_first),
		cmocka_unit_test(a_repeated_headline_does_not_count),
		cmocka_unit_test(what_is_older_than_the_window_counts_nowhere),
		cmocka_unit_test(texts_are_cut_between_characters),
		cmocka_unit_test(state_goes_on_where_it_was_saved),
		cmocka_unit_test(what_the_log_cannot_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
