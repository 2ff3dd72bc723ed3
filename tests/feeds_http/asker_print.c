#include "asker.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include <string.h>

static void number(struct jsonw *w, const char *key, int64_t value)
{
	if (value == VALUE_NULL)
		jsonw_null(w, key);
	else
		jsonw_i64(w, key, value);
}

static void flush(struct asker *a)
{
	buf_add(&a->line, "\n", 1);
	(void)fwrite(a->line.data, 1, a->line.len, stdout);
	a->line.len = 0;
}

static void begin(struct asker *a, struct jsonw *w, size_t index, const char *kind)
{
	jsonw_init(w, &a->line);
	jsonw_object(w, NULL);
	jsonw_u64(w, "ask", index);
	jsonw_str(w, "kind", kind);
}

static void symbol(struct jsonw *w, const char *text)
{
	jsonw_strn(w, "symbol", text, symbol_field_len(text, SYMBOL_MAX));
}

static void print_bars(struct asker *a, size_t index, const struct fetch_news *n)
{
	const struct vendor_bar *rows = (const void *)n->page->bars.data;

	for (size_t i = 0; i < n->page->bars.len / sizeof(*rows); i++) {
		const struct hist_bar *b = &rows[i].bar;
		struct jsonw w;

		begin(a, &w, index, "bar");
		symbol(&w, n->ask->symbols[rows[i].symbol]);
		number(&w, "t", b->start_ns);
		number(&w, "o", b->open_e9);
		number(&w, "h", b->high_e9);
		number(&w, "l", b->low_e9);
		number(&w, "c", b->close_e9);
		number(&w, "v", b->volume_e8);
		number(&w, "vw", b->vwap_e9);
		number(&w, "n", b->trades);
		jsonw_end(&w);
		flush(a);
	}
}

static void print_ticks(struct asker *a, size_t index, const struct fetch_news *n)
{
	const struct feed_tick *rows = (const void *)n->page->ticks.data;

	for (size_t i = 0; i < n->page->ticks.len / sizeof(*rows); i++) {
		const struct record *r = &rows[i].rec;
		struct jsonw w;

		begin(a, &w, index, "tick");
		symbol(&w, rows[i].symbol);
		jsonw_u64(&w, "action", record_action(r));
		number(&w, "t", r->event_ns);
		number(&w, "p", r->price_e9);
		number(&w, "s", r->size_e8);
		number(&w, "bp", r->bid_e9);
		number(&w, "ap", r->ask_e9);
		number(&w, "bs", r->bid_size_e8);
		number(&w, "as", r->ask_size_e8);
		jsonw_u64(&w, "id", r->source_seq);
		jsonw_end(&w);
		flush(a);
	}
}

static void print_events(struct asker *a, size_t index, const struct fetch_news *n)
{
	const struct hist_article *articles = (const void *)n->page->articles.data;
	const struct hist_action *actions = (const void *)n->page->actions.data;
	struct jsonw w;

	for (size_t i = 0; i < n->page->articles.len / sizeof(*articles); i++) {
		begin(a, &w, index, "article");
		jsonw_str(&w, "id", articles[i].id);
		number(&w, "t", articles[i].updated_ns);
		jsonw_str(&w, "headline", articles[i].headline);
		jsonw_end(&w);
		flush(a);
	}
	for (size_t i = 0; i < n->page->actions.len / sizeof(*actions); i++) {
		begin(a, &w, index, "action");
		symbol(&w, actions[i].symbol);
		jsonw_u64(&w, "type", actions[i].kind);
		jsonw_i64(&w, "date", actions[i].ex_date);
		number(&w, "to", actions[i].numerator_e9);
		number(&w, "from", actions[i].denominator_e9);
		number(&w, "amount", actions[i].amount_e9);
		jsonw_end(&w);
		flush(a);
	}
}

void asker_print_page(struct asker *a, size_t index, const struct fetch_news *n)
{
	struct jsonw w;

	if (!a->is_quiet) {
		print_bars(a, index, n);
		print_ticks(a, index, n);
		print_events(a, index, n);
	}
	begin(a, &w, index, "page");
	jsonw_u64(&w, "page", n->pages);
	jsonw_u64(&w, "skipped", n->page->skipped);
	jsonw_bool(&w, "more", n->page->next[0] != '\0');
	jsonw_str(&w, "currency", n->page->currency);
	jsonw_end(&w);
	flush(a);
}

void asker_print_end(struct asker *a, size_t index, const struct fetch_news *n,
		     const char *end, int64_t took_ns)
{
	static const char *const verdicts[] = {
		"",        "retry", "limited",   "refused",
		"unknown", "auth",  "forbidden", "garbled",
	};
	bool failed = n->state == FETCH_FAILED;
	struct jsonw w;

	begin(a, &w, index, "end");
	jsonw_str(&w, "end", end);
	jsonw_str(&w, "verdict", failed ? verdicts[n->problem.verdict] : "");
	jsonw_str(&w, "why", failed ? n->problem.why : "");
	jsonw_u64(&w, "pages", n->pages);
	jsonw_u64(&w, "requests", n->requests);
	jsonw_u64(&w, "rows", n->rows);
	jsonw_i64(&w, "took_ms", took_ns / NS_PER_MS);
	jsonw_end(&w);
	flush(a);
}

void asker_print_counts(struct asker *a, const struct fetch_counts *c, int64_t took_ns)
{
	struct jsonw w;

	jsonw_init(&w, &a->line);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "kind", "counts");
	jsonw_u64(&w, "requests", c->requests);
	jsonw_u64(&w, "retries", c->retries);
	jsonw_u64(&w, "limited", c->limited);
	jsonw_u64(&w, "done", c->done);
	jsonw_u64(&w, "failed", c->failed);
	jsonw_u64(&w, "rows", c->rows);
	jsonw_i64(&w, "took_ms", took_ns / NS_PER_MS);
	jsonw_end(&w);
	flush(a);
}
