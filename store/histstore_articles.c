/* histstore_articles - what was written about a symbol, read back. */
#include "store/histstore_impl.h"
#include <string.h>

static void take_text(struct sq_stmt *st, int col, char *out, size_t size)
{
	size_t len;
	const void *text = sq_blob(st, col, &len);

	/* What was put in fits; a foreign hand may have written more. */
	if (len >= size)
		len = size - 1;
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

static int take_symbols(struct histstore *h, const char *source, struct hist_article *a)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ARTICLE_SYMBOLS);
	int rc;

	if (st == NULL)
		return -EBADMSG;
	hist_bind_text(st, 1, source);
	hist_bind_text(st, 2, a->id);
	while ((rc = sq_step(st)) == SQ_ROW) {
		size_t len;
		const void *text = sq_blob(st, 0, &len);

		if (len > 0 && len <= SYMBOL_MAX && a->n_symbols < 32)
			memcpy(a->symbols[a->n_symbols++], text, len);
	}
	return rc;
}

int histstore_articles(struct histstore *h, const char *symbol,
		       const struct hist_range *r, uint64_t skip, uint64_t n,
		       hist_article_fn fn, void *arg)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ARTICLE_LIST);
	int rc;

	if (st == NULL)
		return -EBADMSG;
	hist_bind_text(st, 1, symbol);
	sq_bind_int(st, 2, r->from_ns);
	sq_bind_int(st, 3, r->to_ns);
	sq_bind_u64(st, 4, n);
	sq_bind_u64(st, 5, skip);
	while ((rc = sq_step(st)) == SQ_ROW) {
		struct hist_article a = {.created_ns = sq_int(st, 2),
					 .updated_ns = sq_int(st, 3)};
		char source[HIST_SOURCE_MAX + 1];

		take_text(st, 0, source, sizeof(source));
		take_text(st, 1, a.id, sizeof(a.id));
		take_text(st, 4, a.headline, sizeof(a.headline));
		take_text(st, 5, a.summary, sizeof(a.summary));
		take_text(st, 6, a.url, sizeof(a.url));
		take_text(st, 7, a.publisher, sizeof(a.publisher));
		rc = take_symbols(h, source, &a);
		if (rc == 0)
			rc = fn(arg, source, &a);
		if (rc != 0) {
			sq_reset(st);
			return rc;
		}
	}
	return rc;
}
