/*
 * intake_news - judges articles and stages them.
 *
 * An article needs no sequence: its source and id say which it is, the log what it said
 * before.  The same text again, or an older edition, is a duplicate; another text is
 * the next edition.  HTML is undone first, so that all ways in bring the same text.
 */
#include "base/err.h"
#include "base/plaintext.h"
#include "bus/stats.h"
#include "daemon/intake_parts.h"
#include "proto/article.h"
#include <errno.h>
#include <string.h>

/* What is being taken. */
struct piece {
	struct hist_article article;
	uint64_t key;
	uint64_t edition;  /* from 1 */
	uint32_t first_id; /* of its symbols */
};

/* Keep the symbols that are known or may be added, each once. */
ON_STORE static enum reject_reason know_symbols(struct intake *in,
						struct hist_article *a, uint32_t *first)
{
	enum reject_reason why = REJECT_NO_SYMBOL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->n_symbols; i++) {
		const char *name = a->symbols[i];
		enum reject_reason no;
		uint32_t id, k = 0;

		while (k < n && memcmp(a->symbols[k], name, SYMBOL_MAX) != 0)
			k++;
		if (k < n)
			continue;
		no = intake_symbol(in, name, symbol_field_len(name, SYMBOL_MAX), &id);
		if (no != REJECT_NONE) {
			why = no;
			stats_add(STAT_NEWS_SYMBOLS_UNKNOWN, 1);
			continue;
		}
		*first = n == 0 ? id : *first;
		memmove(a->symbols[n++], name, SYMBOL_MAX);
	}
	a->n_symbols = n;
	return n > 0 ? REJECT_NONE : why;
}

/* No time ahead of the clock's window; of the past everything may be told. */
ON_STORE static enum reject_reason judge_time(struct intake *in,
					      const struct hist_article *a)
{
	int64_t ahead =
		atomic_load_explicit(&in->env.window->future_ns, memory_order_relaxed);
	int64_t now = in->env.clock_wall ? in->recv_ns : in->clock_ns;

	return ahead > 0 && now != INT64_MIN && a->updated_ns > now + ahead
		       ? REJECT_TIME_IN_FUTURE
		       : REJECT_NONE;
}

ON_STORE static enum reject_reason judge(struct intake *in, struct hist_article *a,
					 uint32_t *first_id,
					 char why[ARTICLE_REASON_MAX])
{
	enum reject_reason no;

	(void)plaintext(a->headline);
	(void)plaintext(a->publisher);
	no = article_check(a, why);
	if (no == REJECT_NONE)
		no = judge_time(in, a);
	return no == REJECT_NONE ? know_symbols(in, a, first_id) : no;
}

/* 0 with the edition it is, INGEST_DUPLICATE, or a store error. */
ON_STORE static int find_edition(struct intake *in, struct piece *p)
{
	struct hist_article was;
	struct record rec;
	char why[ARTICLE_REASON_MAX];
	const void *text;
	uint64_t pos;
	uint32_t n;
	size_t len;
	int rc = tickstore_article_find(in->env.store, p->key, &pos);

	p->edition = 1;
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = tickstore_article(in->env.store, pos, &text, &len);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (article_read(text, len, &was, why) != REJECT_NONE)
		return err_set(-EBADMSG, "the article at position %llu: %s",
			       (unsigned long long)pos, why);
	if (article_same(&was, &p->article) || p->article.updated_ns < was.updated_ns)
		return INGEST_DUPLICATE;
	rc = tickstore_read(in->env.store, pos, 1, &rec, &pos, &n);
	if (rc == 0)
		p->edition = rec.ref_seq + 1;
	return rc < 0 ? rc : 0;
}

ON_STORE static int append(struct intake *in, const struct piece *p, uint16_t source_id,
			   uint64_t *out_pos)
{
	const struct record r = {.type = RECORD_NEWS,
				 .event_ns = p->article.updated_ns,
				 .recv_ns = in->recv_ns,
				 RECORD_NO_VALUES,
				 .source_seq = p->key,
				 .ref_seq = p->edition,
				 .symbol_id = p->first_id,
				 .source_id = source_id};
	struct buf text = {0};
	int rc = tickstore_room(in->env.store) == 0 ? intake_transact(in) : 0;

	article_write(&text, &p->article);
	if (rc == 0)
		rc = tickstore_append_article(in->env.store, &r, p->key, text.data,
					      text.len, out_pos);
	buf_free(&text);
	if (rc == 0)
		in->n_records++;
	return rc;
}

/* One that was read; 0 or a store error. */
ON_STORE static int take(struct intake *in, const struct ingest_request *req,
			 struct piece *p, uint16_t source_id,
			 struct ingest_reply *reply)
{
	uint64_t pos = 0;
	int rc;

	p->key = article_key(req->source, p->article.id);
	rc = find_edition(in, p);
	if (rc == INGEST_DUPLICATE) {
		ingest_reply_add(reply, INGEST_DUPLICATE, REJECT_NONE, 0);
		return 0;
	}
	if (rc == 0)
		rc = append(in, p, source_id, &pos);
	if (rc == 0) {
		ingest_reply_add(reply, INGEST_ACCEPTED, REJECT_NONE, pos);
		stats_add(STAT_NEWS_EDITIONS, p->edition > 1);
	}
	return rc;
}

int intake_take_news(struct intake *in, struct ingest_request *req, uint32_t producer,
		     uint16_t source_id, struct ingest_reply *reply)
{
	struct piece p;
	char why[ARTICLE_REASON_MAX];
	int got, rc = 0;

	while (rc == 0 && (got = ingest_next_article(req, &p.article)) != INGEST_END) {
		enum reject_reason no =
			got == INGEST_BAD ? req->bad_reason
					  : judge(in, &p.article, &p.first_id, why);

		if (no == REJECT_NONE) {
			rc = take(in, req, &p, source_id, reply);
			continue;
		}
		intake_quarantine(in, req, producer, no);
		ingest_reply_add(reply, INGEST_REJECTED, no, 0);
	}
	return rc;
}
