/* admin_commands_news - what vendors wrote about a symbol, as history.db keeps it. */
#include "daemon/admin_history.h"
#include "proto/symbol.h"

struct sheet {
	struct jsonw *w;
	uint64_t n;
};

static int put_article(void *arg, const char *source, const struct hist_article *a)
{
	struct sheet *s = arg;

	s->n++;
	jsonw_object(s->w, NULL);
	jsonw_time(s->w, "time", a->created_ns);
	jsonw_time(s->w, "updated", a->updated_ns);
	jsonw_str(s->w, "source", source);
	jsonw_str(s->w, "id", a->id);
	jsonw_str(s->w, "headline", a->headline);
	jsonw_str(s->w, "publisher", a->publisher);
	jsonw_str(s->w, "url", a->url);
	jsonw_array(s->w, "symbols");
	for (uint32_t i = 0; i < a->n_symbols; i++)
		jsonw_strn(s->w, NULL, a->symbols[i],
			   symbol_field_len(a->symbols[i], SYMBOL_MAX));
	jsonw_end(s->w);
	jsonw_end(s->w);
	return 0;
}

static int show_articles(struct history_thread *t, struct past *p, struct jsonw *w)
{
	struct sheet s = {.w = w};
	int rc;

	role_assert_history();
	jsonw_object(w, NULL);
	jsonw_str(w, "symbol", p->symbol);
	jsonw_array(w, "articles");
	rc = histstore_articles(history_store(t), p->symbol, &p->range, p->after, p->n,
				put_article, &s);
	jsonw_end(w);
	if (rc == 0 && s.n == p->n)
		jsonw_u64(w, "next", p->after + s.n);
	return rc;
}

void admin_articles(struct daemon *d, const struct json *request,
		    struct admin_call *call)
{
	struct past *p;
	uint64_t after, n;

	if (!admin_number(request, "after", 0, call, &after) ||
	    !admin_number(request, "n", ADMIN_ROWS_MAX, call, &n))
		return;
	p = past_new(d, call, show_articles, "news");
	if (p == NULL || !past_series(p, request, true) || !past_range(p, request))
		return;
	p->after = after;
	p->n = n > 0 && n < ADMIN_ROWS_MAX ? n : ADMIN_ROWS_MAX;
	past_ask(d, p);
}
