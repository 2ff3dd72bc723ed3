/*
 * pub_news - articles with acknowledgement.  They need no sequence: the daemon knows an
 * article by source and id, so whatever happens on the way, the same is sent again.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "client/pub_parts.h"
#include "proto/article.h"
#include <errno.h>
#include <stdio.h>

#define ARTICLES_MAX 1000u

static int put_text(char *out, size_t cap, const char *name, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (len >= cap)
		return err_set(-EINVAL, "the %s is longer than %zu bytes", name,
			       cap - 1);
	if (len > 0)
		memcpy(out, text, len);
	return 0;
}

static int put_symbols(struct hist_article *out, const struct tickbus_article *a)
{
	if (a->n_symbols > sizeof(out->symbols) / SYMBOL_MAX)
		return err_set(-EINVAL, "an article names %zu symbols, more than %zu",
			       a->n_symbols, sizeof(out->symbols) / SYMBOL_MAX);
	for (size_t i = 0; i < a->n_symbols; i++) {
		size_t len = strnlen(a->symbols[i], SYMBOL_MAX + 1);

		if (!symbol_valid(a->symbols[i], len))
			return err_set(-EINVAL, "'%.40s' is no symbol", a->symbols[i]);
		memcpy(out->symbols[i], a->symbols[i], len);
	}
	out->n_symbols = (uint32_t)a->n_symbols;
	return 0;
}

/* What can be said without the daemon is said before anything is sent. */
static int convert(const struct tickbus_article *a, struct hist_article *out)
{
	char why[ARTICLE_REASON_MAX];
	int rc;

	*out = (struct hist_article){.created_ns = a->time_ns,
				     .updated_ns = a->updated_ns != 0 ? a->updated_ns
								      : a->time_ns};
	rc = put_text(out->id, sizeof(out->id), "id", a->id);
	if (rc == 0)
		rc = put_text(out->headline, sizeof(out->headline), "headline",
			      a->headline);
	if (rc == 0)
		rc = put_text(out->url, sizeof(out->url), "url", a->url);
	if (rc == 0)
		rc = put_text(out->publisher, sizeof(out->publisher), "publisher",
			      a->publisher);
	if (rc == 0)
		rc = put_symbols(out, a);
	if (rc == 0 && article_check(out, why) != REJECT_NONE)
		rc = err_set(-EINVAL, "article '%.63s': %s", out->id, why);
	return rc;
}

static int write_request(const struct tickbus_pub *p, const struct tickbus_article *a,
			 size_t n, struct buf *out)
{
	struct jsonw w;
	int rc = 0;

	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "producer", p->producer);
	jsonw_str(&w, "source", p->source);
	jsonw_array(&w, "news");
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct hist_article one;
		struct buf text = {0};

		rc = convert(&a[i], &one);
		if (rc == 0) {
			article_write(&text, &one);
			jsonw_raw(&w, NULL, (const char *)text.data, text.len);
		}
		buf_free(&text);
	}
	jsonw_end(&w);
	jsonw_end(&w);
	return rc;
}

static int read_reply(struct tickbus_pub *p, const void *data, size_t len,
		      struct tickbus_ack *out, int64_t *retry_ms)
{
	struct ingest_reply reply = {0};
	uint64_t n = 0;
	int rc;

	if (ingest_reply_read(data, len, &reply) != 0) {
		ingest_reply_deinit(&reply);
		return err_set(-EPROTO, "the daemon's reply is malformed");
	}
	for (size_t at = 0; at < reply.runs.len; at += sizeof(struct ingest_run))
		n += ((const struct ingest_run *)(const void *)(reply.runs.data + at))
			     ->n;
	p->runs.len = 0;
	buf_add(&p->runs, reply.runs.data, reply.runs.len);
	pub_keep(p, &reply.root, out);
	out->first_seq = 0;
	if (reply.root.retry_ms != 0)
		*retry_ms = reply.root.retry_ms;
	rc = pub_judge(&reply.root, n);
	ingest_reply_deinit(&reply);
	return rc;
}

int tickbus_pub_news(struct tickbus_pub *pub, const struct tickbus_article *articles,
		     size_t n, struct tickbus_ack *out)
{
	struct buf request = {0};
	struct pub_question q = {.read = read_reply};
	int rc;

	*out = (struct tickbus_ack){.text = ""};
	if (n == 0)
		return 0;
	if (n > ARTICLES_MAX)
		return err_set(TICKBUS_FULL, "at most %u articles at once",
			       ARTICLES_MAX);
	rc = write_request(pub, articles, n, &request);
	if (rc == 0 && request.len > INGEST_BYTES_MAX)
		rc = err_set(TICKBUS_FULL, "these articles have more than %u bytes",
			     INGEST_BYTES_MAX);
	q.data = request.data;
	q.len = request.len;
	if (rc == 0)
		rc = pub_ask(pub, &q, out);
	if (rc == 0 && (uint64_t)out->accepted + out->duplicate + out->rejected != n)
		rc = err_set(-EPROTO, "the reply does not cover the articles");
	buf_free(&request);
	return rc;
}
