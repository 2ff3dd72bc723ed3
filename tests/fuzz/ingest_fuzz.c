/*
 * Any bytes as an ingest request, SBE or JSON: every tick is decoded and judged,
 * and what is judged good becomes a record; an article comes back from the bytes that
 * the log would keep of it.
 */
#include "proto/article.h"
#include "proto/ingest.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_articles(struct ingest_request *req)
{
	struct hist_article a, again;
	char why[ARTICLE_REASON_MAX];
	uint32_t n = 0;
	int rc;

	for (; (rc = ingest_next_article(req, &a)) != INGEST_END; n++) {
		struct buf text = {0};

		if (rc == INGEST_BAD && req->bad_reason == REJECT_NONE)
			abort();
		if (rc != 0 || article_check(&a, why) != REJECT_NONE)
			continue;
		article_write(&text, &a);
		if (article_read((const char *)text.data, text.len, &again, why) !=
			    REJECT_NONE ||
		    !article_same(&a, &again) || strcmp(a.id, again.id) != 0 ||
		    a.updated_ns != again.updated_ns)
			abort();
		buf_free(&text);
	}
	if (n != req->n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingest_request req;
	struct ingest_tick t;
	struct record r;
	uint32_t n = 0;
	int rc;

	if (ingest_open(data, size, &req) != 0) {
		if (req.bad_reason == REJECT_NONE)
			abort();
		return 0;
	}
	if (req.is_news) {
		read_articles(&req);
		return 0;
	}
	while ((rc = ingest_next(&req, &t)) != INGEST_END) {
		n++;
		if (req.raw < (const char *)data ||
		    req.raw + req.raw_len > (const char *)data + size)
			abort();
		if (rc == INGEST_BAD && req.bad_reason == REJECT_NONE)
			abort();
		if (rc == 0 && ingest_check(&t) == REJECT_NONE)
			ingest_record(&t, 1, 1, 1, &r);
	}
	if (n != req.n)
		abort();
	return 0;
}
