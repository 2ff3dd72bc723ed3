/* news_batch - see news_batch.h. */
#include "daemon/news_batch.h"
#include "proto/article.h"
#include <stdlib.h>
#include <string.h>

/* An article's place in `texts`, ended by a NUL, and when it is of. */
struct placed {
	int64_t at_ns;
	const char *text; /* set when all are there: `texts` moves while it grows */
	size_t offset, len;
};

void news_batch_add(struct news_batch *b, const struct hist_article *a)
{
	struct placed p = {.at_ns = a->updated_ns, .offset = b->texts.len};

	article_write(&b->texts, a);
	p.len = b->texts.len - p.offset;
	buf_add(&b->texts, "", 1);
	buf_add(&b->order, &p, sizeof(p));
}

size_t news_batch_size(const struct news_batch *b)
{
	return b->texts.len + b->order.len;
}

static int as_added(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int by_text(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return strcmp(x->text, y->text);
}

void news_batch_give(struct news_batch *b, struct news_producer *p,
		     enum news_batch_ties ties)
{
	struct placed *v = (void *)b->order.data;
	size_t n = b->order.len / sizeof(*v);

	for (size_t i = 0; i < n; i++)
		v[i].text = (const char *)b->texts.data + v[i].offset;
	if (n > 0)
		qsort(v, n, sizeof(*v), ties == BATCH_BY_TEXT ? by_text : as_added);
	for (size_t i = 0; i < n; i++)
		if (ties == BATCH_AS_ADDED || i == 0 || by_text(&v[i - 1], &v[i]) != 0)
			news_producer_add_json(p, v[i].text, v[i].len);
	b->texts.len = b->order.len = 0;
}

void news_batch_deinit(struct news_batch *b)
{
	buf_free(&b->texts);
	buf_free(&b->order);
}
