/* histstore_more - articles, corporate actions, index membership, how it is. */
#include "store/histstore_impl.h"
#include "store/sqlite_copy.h"
#include <stdio.h>

static int put_symbols(struct histstore *h, const char *source,
		       const struct hist_article *a)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ARTICLE_SYMBOL);
	int rc = st == NULL ? -EBADMSG : 0;

	for (uint32_t i = 0; rc == 0 && i < a->n_symbols && i < 32; i++) {
		sq_bind_text(st, 1, a->symbols[i], strnlen(a->symbols[i], SYMBOL_MAX));
		hist_bind_text(st, 2, source);
		hist_bind_text(st, 3, a->id);
		rc = sq_run(st);
	}
	return rc;
}

/* What was put in fits. */
static bool says_the_same(struct sq_stmt *st, const struct hist_article *a)
{
	struct hist_article was;

	hist_text(st, 1, was.headline, sizeof(was.headline));
	hist_text(st, 2, was.summary, sizeof(was.summary));
	hist_text(st, 3, was.url, sizeof(was.url));
	hist_text(st, 4, was.publisher, sizeof(was.publisher));
	return strcmp(was.headline, a->headline) == 0 &&
	       strcmp(was.summary, a->summary) == 0 && strcmp(was.url, a->url) == 0 &&
	       strcmp(was.publisher, a->publisher) == 0;
}

/* 1: it is there, and not older: later, or of the same time and text, for not every
   vendor dates its edits. */
static int knows_article(struct histstore *h, const char *source,
			 const struct hist_article *a)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ARTICLE_GET);
	int rc;

	if (st == NULL)
		return -EBADMSG;
	hist_bind_text(st, 1, source);
	hist_bind_text(st, 2, a->id);
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc;
	rc = sq_int(st, 0) > a->updated_ns ||
	     (sq_int(st, 0) == a->updated_ns && says_the_same(st, a));
	sq_reset(st);
	return rc;
}

int histstore_put_article(struct histstore *h, const char *source,
			  const struct hist_article *a, bool *out_is_new)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ARTICLE_PUT);
	int rc = knows_article(h, source, a);

	*out_is_new = rc == 0;
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (st == NULL)
		return -EBADMSG;
	hist_bind_text(st, 1, source);
	hist_bind_text(st, 2, a->id);
	sq_bind_int(st, 3, a->created_ns);
	sq_bind_int(st, 4, a->updated_ns);
	hist_bind_text(st, 5, a->headline);
	hist_bind_text(st, 6, a->summary);
	hist_bind_text(st, 7, a->url);
	hist_bind_text(st, 8, a->publisher);
	rc = sq_run(st);
	return rc < 0 ? rc : put_symbols(h, source, a);
}

/* 1: it is there, and says the same. */
static int knows_action(struct histstore *h, const char *source,
			const struct hist_action *a)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ACTION_GET);
	char symbol[sizeof(a->new_symbol)], currency[sizeof(a->currency)];
	int rc;

	if (st == NULL)
		return -EBADMSG;
	hist_bind_text(st, 1, source);
	hist_bind_text(st, 2, a->symbol);
	sq_bind_int(st, 3, a->kind);
	sq_bind_int(st, 4, a->ex_date);
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc;
	hist_text(st, 0, symbol, sizeof(symbol));
	hist_text(st, 1, currency, sizeof(currency));
	rc = strcmp(symbol, a->new_symbol) == 0 && strcmp(currency, a->currency) == 0 &&
	     sq_int(st, 2) == a->numerator_e9 && sq_int(st, 3) == a->denominator_e9 &&
	     sq_int(st, 4) == a->amount_e9;
	sq_reset(st);
	return rc;
}

int histstore_put_action(struct histstore *h, const char *source,
			 const struct hist_action *a, bool *out_is_new)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ACTION_PUT);
	int rc = knows_action(h, source, a);

	*out_is_new = rc == 0;
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (st == NULL)
		return -EBADMSG;
	hist_bind_text(st, 1, source);
	hist_bind_text(st, 2, a->symbol);
	sq_bind_int(st, 3, a->kind);
	sq_bind_int(st, 4, a->ex_date);
	hist_bind_text(st, 5, a->new_symbol);
	hist_bind_text(st, 6, a->currency);
	sq_bind_int(st, 7, a->numerator_e9);
	sq_bind_int(st, 8, a->denominator_e9);
	sq_bind_int(st, 9, a->amount_e9);
	return sq_run(st);
}

int histstore_actions(struct histstore *h, const char *symbol, struct buf *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ACTION_LIST);
	struct hist_action a = {0};
	int rc;

	if (st == NULL)
		return -EBADMSG;
	(void)snprintf(a.symbol, sizeof(a.symbol), "%s", symbol);
	hist_bind_text(st, 1, symbol);
	while ((rc = sq_step(st)) == SQ_ROW) {
		a.kind = (uint8_t)sq_int(st, 0);
		a.ex_date = (int32_t)sq_int(st, 1);
		hist_text(st, 2, a.new_symbol, sizeof(a.new_symbol));
		hist_text(st, 3, a.currency, sizeof(a.currency));
		a.numerator_e9 = sq_int(st, 4);
		a.denominator_e9 = sq_int(st, 5);
		a.amount_e9 = sq_int(st, 6);
		buf_add(out, &a, sizeof(a));
	}
	return rc;
}

int histstore_acted(struct histstore *h, const char *after, size_t max, struct buf *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ACTION_SUMS);
	struct hist_acted x;
	int rc;

	if (st == NULL)
		return -EBADMSG;
	hist_bind_text(st, 1, after);
	sq_bind_u64(st, 2, max);
	while ((rc = sq_step(st)) == SQ_ROW) {
		hist_text(st, 0, x.symbol, sizeof(x.symbol));
		x.actions = sq_u64(st, 1);
		x.sum = sq_int(st, 2);
		buf_add(out, &x, sizeof(x));
	}
	return rc;
}

int histstore_vendor(struct histstore *h, const char *name, const char *reached,
		     char *out_was, size_t size)
{
	struct sq_stmt *st = hist_stmt(h, SQL_VENDOR_GET);
	int rc;

	*out_was = '\0';
	if (st == NULL)
		return -EBADMSG;
	hist_bind_text(st, 1, name);
	rc = sq_step(st);
	if (rc == SQ_ROW) {
		hist_text(st, 0, out_was, size);
		sq_reset(st);
		if (strcmp(out_was, reached) == 0) {
			*out_was = '\0';
			return 0;
		}
		st = hist_stmt(h, SQL_VENDOR_UNCOVER);
		if (st == NULL)
			return -EBADMSG;
		hist_bind_text(st, 1, name);
		rc = sq_run(st);
	}
	st = rc < 0 ? NULL : hist_stmt(h, SQL_VENDOR_PUT);
	if (st == NULL)
		return rc < 0 ? rc : -EBADMSG;
	hist_bind_text(st, 1, name);
	hist_bind_text(st, 2, reached);
	return sq_run(st);
}

int histstore_index_add(struct histstore *h, const char *name, const char *symbol,
			int64_t added_ns)
{
	struct sq_stmt *st = hist_stmt(h, SQL_INDEX_ADD);

	if (st == NULL)
		return -EBADMSG;
	hist_bind_text(st, 1, name);
	hist_bind_text(st, 2, symbol);
	sq_bind_int(st, 3, added_ns);
	return sq_run(st);
}

int histstore_index_get(struct histstore *h, const char *name, struct buf *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_INDEX_GET);
	struct hist_member m;
	int rc;

	if (st == NULL)
		return -EBADMSG;
	hist_bind_text(st, 1, name);
	while ((rc = sq_step(st)) == SQ_ROW) {
		hist_text(st, 0, m.symbol, sizeof(m.symbol));
		m.added_ns = sq_int(st, 1);
		buf_add(out, &m, sizeof(m));
	}
	return rc;
}

int histstore_index_list(struct histstore *h, size_t max, struct buf *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_INDEX_LIST);
	struct hist_index x;
	int rc;

	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, max);
	while ((rc = sq_step(st)) == SQ_ROW) {
		hist_text(st, 0, x.name, sizeof(x.name));
		x.members = sq_u64(st, 1);
		x.since_ns = sq_int(st, 2);
		buf_add(out, &x, sizeof(x));
	}
	return rc;
}

int histstore_health(struct histstore *h, struct hist_health *out)
{
	const struct {
		const char *query;
		uint64_t *into;
	} all[] = {
		{"SELECT count(*) FROM series", &out->series},
		{"SELECT sum(bars) FROM series", &out->bars},
		{"SELECT sum(bytes) FROM series", &out->chunk_bytes},
		{"SELECT count(*) FROM article", &out->articles},
		{"SELECT count(*) FROM action", &out->actions},
	};

	*out = (struct hist_health){.damaged = h->damaged,
				    .wal_bytes = sq_wal_bytes(h->db)};
	(void)snprintf(out->damage, sizeof(out->damage), "%s", h->damage);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int64_t v = 0;
		int rc = sq_query_int(h->db, all[i].query, &v);

		if (rc < 0)
			return rc;
		*all[i].into = (uint64_t)v;
	}
	return sq_db_bytes(h->db, &out->file_bytes);
}

int histstore_copy(struct histstore *h, const char *path, struct sq_copy **out)
{
	return sq_copy_begin(h->db, path, out);
}
