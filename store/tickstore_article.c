/*
 * tickstore_article - the texts that belong to records of news: rows beside the log, by
 * position, written in its commits and retired with its segments.
 *
 * Staged ones lie in one buffer, each behind its head, until the commit.
 */
#include "base/err.h"
#include "store/rowcrc.h"
#include "store/tickstore_impl.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct staged_article {
	uint64_t pos;
	uint64_t key;
	uint64_t len; /* of the bytes that follow */
};

/* The staged one at offset *@io_at of the buffer, which moves behind it. */
static bool staged_next(const struct tickstore *ts, size_t *io_at,
			struct staged_article *out, const void **out_text)
{
	if (*io_at == ts->articles.len)
		return false;
	memcpy(out, ts->articles.data + *io_at, sizeof(*out));
	*out_text = ts->articles.data + *io_at + sizeof(*out);
	*io_at += sizeof(*out) + out->len;
	return true;
}

int tickstore_append_article(struct tickstore *ts, const struct record *r, uint64_t key,
			     const void *text, size_t len, uint64_t *out_pos)
{
	struct staged_article a = {.key = key, .len = len};
	int rc = tickstore_append(ts, STORE_NO_PRODUCER, 0, r, 1, &a.pos);

	if (rc != 0)
		return rc;
	buf_add(&ts->articles, &a, sizeof(a));
	buf_add(&ts->articles, text, len);
	*out_pos = a.pos;
	return 0;
}

int tickstore_articles_put(struct tickstore *ts)
{
	struct sq_stmt *st = ts->article_put;
	struct staged_article a;
	const void *text;
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && staged_next(ts, &at, &a, &text)) {
		sq_bind_u64(st, 1, a.pos);
		sq_bind_u64(st, 2, a.key);
		sq_bind_int(st, 3,
			    rowcrc_article(ts->store_id, a.pos, a.key, text, a.len));
		sq_bind_blob(st, 4, text, a.len);
		rc = sq_run(st);
	}
	return rc;
}

int tickstore_articles_retire(struct tickstore *ts, uint64_t pos)
{
	sq_bind_u64(ts->article_retire, 1, pos);
	return sq_run(ts->article_retire);
}

static int read_row(struct tickstore *ts, uint64_t pos)
{
	struct sq_stmt *st = ts->article_get;
	size_t len = 0;
	const void *text;
	int rc;

	sq_bind_u64(st, 1, pos);
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc < 0 ? rc : STORE_NONE;
	text = sq_blob(st, 2, &len);
	rc = 0;
	if (sq_u64(st, 1) !=
	    rowcrc_article(ts->store_id, pos, sq_u64(st, 0), text, len))
		rc = err_set(-EBADMSG,
			     "%s is damaged: the article at position %" PRIu64,
			     ts->path, pos);
	else
		buf_add(&ts->article, text, len);
	sq_reset(st);
	return rc;
}

int tickstore_article(struct tickstore *ts, uint64_t pos, const void **out_text,
		      size_t *out_len)
{
	struct staged_article a;
	const void *text;
	size_t at = 0;
	int rc = STORE_NONE;

	ts->article.len = 0;
	while (rc != 0 && staged_next(ts, &at, &a, &text)) {
		if (a.pos != pos)
			continue;
		buf_add(&ts->article, text, a.len);
		rc = 0;
	}
	if (rc != 0)
		rc = read_row(ts, pos);
	*out_text = ts->article.data;
	*out_len = ts->article.len;
	return rc;
}

int tickstore_article_find(struct tickstore *ts, uint64_t key, uint64_t *out_pos)
{
	struct sq_stmt *st = ts->article_find;
	struct staged_article a;
	const void *text;
	size_t at = 0;
	bool found = false;
	int rc;

	while (staged_next(ts, &at, &a, &text)) {
		if (a.key != key)
			continue;
		*out_pos = a.pos;
		found = true;
	}
	if (found)
		return 0;
	sq_bind_u64(st, 1, key);
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc < 0 ? rc : STORE_NONE;
	*out_pos = sq_u64(st, 0);
	sq_reset(st);
	return 0;
}
