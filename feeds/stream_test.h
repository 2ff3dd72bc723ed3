/* stream_test - a session under test: what it sends, delivers and complains of. */
#pragma once
#include "feeds/stream.h"
#include "feeds/vendor_test.h"

#define HEARD_MAX 64

struct heard {
	struct feed_tick tick[HEARD_MAX];
	size_t ticks;
	struct hist_article article[4];
	size_t articles;
	char bad[HEARD_MAX][256];
	size_t bads;
	int stop; /* what the sink of ticks returns */
	struct buf out;
	struct secret *key, *key_secret;
	struct stream *st;
	const struct stream_ops *ops;
};

static inline int hear_tick(void *arg, const struct feed_tick *t)
{
	struct heard *h = arg;

	assert_true(h->ticks < HEARD_MAX);
	h->tick[h->ticks++] = *t;
	return h->stop;
}

static inline void hear_article(void *arg, const struct hist_article *a)
{
	struct heard *h = arg;

	assert_true(h->articles < 4);
	h->article[h->articles++] = *a;
}

static inline void hear_bad(void *arg, const char *why)
{
	struct heard *h = arg;

	assert_true(h->bads < HEARD_MAX);
	(void)snprintf(h->bad[h->bads++], sizeof(h->bad[0]), "%s", why);
}

static inline int hear(struct heard *h, const struct stream_ops *ops,
		       const struct stream_want *want, const char *key,
		       const char *secret)
{
	struct vendor_settings s = {0};
	struct stream_sink sink = {h, hear_tick, hear_article, hear_bad};

	*h = (struct heard){.ops = ops};
	if (key)
		assert_int_equal(secret_new(key, strlen(key), &h->key), 0);
	if (secret)
		assert_int_equal(secret_new(secret, strlen(secret), &h->key_secret), 0);
	s.key = h->key;
	s.key_secret = h->key_secret;
	return ops->open(&s, want, &sink, &h->st);
}

static inline void hear_no_more(struct heard *h)
{
	if (h->st)
		h->ops->close(h->st);
	secret_free(h->key);
	secret_free(h->key_secret);
	buf_free(&h->out);
}

/** Hand over one message, in a block of exactly its size. */
static inline int say(struct heard *h, const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len + !len);
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, len);
	h->out.len = 0;
	rc = h->ops->input(h->st, copy, len, &h->out);
	free(copy);
	return rc;
}

/** The only message that was sent in answer, "" for none. */
static inline const char *said(struct heard *h)
{
	if (h->out.len == 0)
		return "";
	assert_int_equal(strlen((const char *)h->out.data) + 1, h->out.len);
	return (const char *)h->out.data;
}

static inline enum stream_state state(const struct heard *h)
{
	return h->ops->state(h->st);
}

static inline struct stream_counts counts(const struct heard *h)
{
	struct stream_counts c;

	h->ops->counts(h->st, &c);
	return c;
}
