/* newsdesk - see newsdesk.h. */
#include "analysis/newsdesk.h"
#include "analysis/sentiment.h"
#include "base/err.h"
#include "base/hash.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

uint64_t newsdesk_title(const char *headline, size_t len)
{
	uint64_t h = HASH_SEED;
	bool blank = false, began = false;

	for (size_t i = 0; i < len; i++) {
		char c = headline[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      (unsigned char)c >= 0x80)) {
			blank = began;
			continue;
		}
		if (blank)
			h = hash_bytes(h, " ", 1);
		h = hash_bytes(h, &c, 1);
		began = true;
		blank = false;
	}
	return h;
}

static const struct newsdesk_item *items(const struct newsdesk *n, size_t *count)
{
	*count = n->items.len / sizeof(struct newsdesk_item);
	return (const struct newsdesk_item *)(const void *)n->items.data;
}

int newsdesk_add(struct newsdesk *n, int64_t time_ns, uint64_t title, double compound)
{
	struct newsdesk_item item = {time_ns, title, compound, 0};
	size_t count;
	const struct newsdesk_item *all = items(n, &count);

	if (count > 0 && all[count - 1].time_ns > time_ns)
		return err_set(-EINVAL, "an article of %lld after one of %lld ns",
			       (long long)time_ns, (long long)all[count - 1].time_ns);
	for (size_t i = count; i-- > 0;) {
		if ((uint64_t)time_ns - (uint64_t)all[i].time_ns >=
		    (uint64_t)n->repeat_ns)
			break;
		if (all[i].title == title) {
			n->repeats++;
			return NEWSDESK_REPEAT;
		}
	}
	buf_add(&n->items, &item, sizeof(item));
	return 0;
}

/* Take @n items out, from the @i-th on. */
static void cut(struct newsdesk *d, size_t i, size_t n)
{
	uint8_t *at = d->items.data + i * sizeof(struct newsdesk_item);
	size_t bytes = n * sizeof(struct newsdesk_item);

	if (n == 0)
		return;
	memmove(at, at + bytes, (size_t)(d->items.data + d->items.len - at) - bytes);
	d->items.len -= bytes;
}

static bool is_near(int64_t a, int64_t b, int64_t ns)
{
	uint64_t apart = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;

	return apart < (uint64_t)ns;
}

int newsdesk_put(struct newsdesk *n, const struct newsdesk_item *item)
{
	size_t count, at = 0;
	const struct newsdesk_item *all = items(n, &count);

	for (size_t i = 0; i < count; i++) {
		if (all[i].id == item->id) {
			cut(n, i, 1);
			count--;
			break;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (all[i].title == item->title &&
		    is_near(all[i].time_ns, item->time_ns, n->repeat_ns)) {
			n->repeats++;
			return NEWSDESK_REPEAT;
		}
		at += all[i].time_ns <= item->time_ns;
	}
	buf_add(&n->items, item, sizeof(*item));
	all = items(n, &count);
	memmove(n->items.data + (at + 1) * sizeof(*item),
		n->items.data + at * sizeof(*item), (count - 1 - at) * sizeof(*item));
	memcpy(n->items.data + at * sizeof(*item), item, sizeof(*item));
	return 0;
}

void newsdesk_trim(struct newsdesk *n, int64_t ns, size_t max)
{
	size_t count, old = 0;
	const struct newsdesk_item *all = items(n, &count);

	while (old < count && (all[old].time_ns <= ns || count - old > max))
		old++;
	cut(n, 0, old);
}

void newsdesk_total(const struct newsdesk *n, int64_t as_of_ns, int64_t window_ns,
		    int64_t half_life_ns, struct newsdesk_total *out)
{
	double sum = 0, weighted = 0, weights = 0;
	size_t count;
	const struct newsdesk_item *all = items(n, &count);

	assert(half_life_ns > 0);
	*out = (struct newsdesk_total){.average = NAN, .weighted = NAN};
	for (size_t i = 0; i < count; i++) {
		uint64_t age = (uint64_t)as_of_ns - (uint64_t)all[i].time_ns;
		double w = exp2(-((double)age / (double)half_life_ns));

		if (all[i].time_ns > as_of_ns || age >= (uint64_t)window_ns)
			continue;
		out->articles++;
		out->positive += all[i].compound >= SENTIMENT_THRESHOLD;
		out->negative += all[i].compound <= -SENTIMENT_THRESHOLD;
		out->newest_ns = all[i].time_ns;
		sum += all[i].compound;
		weighted += w * all[i].compound;
		weights += w;
	}
	if (out->articles == 0)
		return;
	out->average = sum / (double)out->articles;
	/* Very old articles alone weigh nothing: then none is newer than another. */
	out->weighted = weights > 0 ? weighted / weights : out->average;
}

void newsdesk_free(struct newsdesk *n)
{
	buf_free(&n->items);
	*n = (struct newsdesk){0};
}
