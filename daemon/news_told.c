/* news_told - see news_told.h. */
#include "daemon/news_told.h"
#include "base/hash.h"
#include "proto/article.h"
#include <string.h>

struct told {
	uint64_t id;
	uint64_t text;
	int64_t at_ns;
};

static struct told *items(const struct news_told *t, size_t *n)
{
	*n = t->items.len / sizeof(struct told);
	return (struct told *)(void *)t->items.data;
}

/* Where @id is, or would be. */
static size_t find(const struct news_told *t, uint64_t id)
{
	size_t low = 0, high;
	const struct told *v = items(t, &high);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (v[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct told told_of(const struct hist_article *a)
{
	struct told one = {.id = hash_bytes(HASH_SEED, a->id, strlen(a->id)),
			   .at_ns = a->updated_ns};
	struct buf text = {0};

	article_write(&text, a);
	one.text = hash_bytes(HASH_SEED, text.data, text.len);
	buf_free(&text);
	return one;
}

bool news_told(struct news_told *t, const struct hist_article *a)
{
	const struct told one = told_of(a);
	size_t at = find(t, one.id), n;
	struct told *v = items(t, &n);
	bool is_there = at < n && v[at].id == one.id;

	if (is_there && v[at].text == one.text)
		return true;
	if (!is_there) {
		buf_add(&t->items, &one, sizeof(one));
		v = items(t, &n);
		memmove(&v[at + 1], &v[at], (n - 1 - at) * sizeof(*v));
	}
	v[at] = one;
	return false;
}

void news_told_forget(struct news_told *t, int64_t ns)
{
	size_t n, kept = 0;
	struct told *v = items(t, &n);

	for (size_t i = 0; i < n; i++)
		if (v[i].at_ns >= ns)
			v[kept++] = v[i];
	t->items.len = kept * sizeof(*v);
}

size_t news_told_count(const struct news_told *t)
{
	return t->items.len / sizeof(struct told);
}

void news_told_deinit(struct news_told *t)
{
	buf_free(&t->items);
}
