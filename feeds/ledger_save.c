/*
 * ledger_save - the ledger as bytes: head, then per symbol its name, its end and its
 * spans.  Little-endian, as everything on our disks.  To change a field, raise VERSION
 * and read the old one as well: what is in a state directory outlives the release.
 */
#include "base/err.h"
#include "feeds/ledger_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC       UINT32_C(0x5244454c) /* "LEDR" */
#define VERSION     1u
#define SYMBOLS_MAX 1000000u

struct head {
	uint32_t magic;
	uint32_t version;
	uint32_t n;
	uint32_t unused;
	int64_t good_ns;
};

struct saved_symbol {
	char name[SYMBOL_MAX];
	int64_t end_ns;
	uint32_t n_spans;
	uint32_t unused;
};

struct saved_span {
	int64_t from_ns;
	int64_t to_ns;
	uint64_t ticks;
	uint8_t kind;
	uint8_t unused[7];
	char why[LEDGER_WHY_MAX];
};
_Static_assert(sizeof(struct saved_span) == 32 + LEDGER_WHY_MAX, "no padding on disk");

static void save_span(const struct ledger_span *s, struct buf *out)
{
	struct saved_span d = {.from_ns = s->from_ns,
			       .to_ns = s->to_ns,
			       .ticks = s->ticks,
			       .kind = s->kind};

	memcpy(d.why, s->why, strnlen(s->why, LEDGER_WHY_MAX - 1));
	buf_add(out, &d, sizeof(d));
}

void ledger_save(const struct ledger *l, struct buf *out)
{
	struct head h = {.magic = MAGIC,
			 .version = VERSION,
			 .n = (uint32_t)l->n,
			 .good_ns = l->good_ns};
	struct ledger_span live;
	bool grows = ledger_growing(l, &live);

	buf_add(out, &h, sizeof(h));
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_symbol *s = &l->symbols[i];
		struct saved_symbol d = {.end_ns = grows ? live.to_ns : s->end_ns};
		size_t n;
		const struct ledger_span *v = ledger_spans(l, i, &n);

		memcpy(d.name, s->name, strnlen(s->name, SYMBOL_MAX));
		d.n_spans = (uint32_t)(n + grows);
		buf_add(out, &d, sizeof(d));
		for (size_t k = 0; k < n; k++)
			save_span(&v[k], out);
		if (grows)
			save_span(&live, out);
	}
}

struct reader {
	const char *at;
	size_t left;
};

static int take(struct reader *r, void *to, size_t n)
{
	if (r->left < n)
		return err_set(-EBADMSG, "a saved ledger ends too early");
	memcpy(to, r->at, n);
	r->at += n;
	r->left -= n;
	return 0;
}

static int read_span(struct reader *r, int64_t *end, struct ledger_symbol *s)
{
	struct ledger_span span = {0};
	struct saved_span d = {0};

	if (take(r, &d, sizeof(d)) < 0)
		return -EBADMSG;
	if (d.kind >= LEDGER_KINDS_N || d.to_ns <= d.from_ns || d.from_ns < *end ||
	    d.why[LEDGER_WHY_MAX - 1] != '\0')
		return err_set(-EBADMSG, "a saved ledger has a span that cannot be");
	span.from_ns = d.from_ns;
	span.to_ns = d.to_ns;
	span.ticks = d.ticks;
	span.kind = d.kind;
	memcpy(span.why, d.why, LEDGER_WHY_MAX);
	*end = d.to_ns;
	ledger_add(s, &span);
	return 0;
}

static int read_symbol(struct reader *r, struct ledger_symbol *s)
{
	int64_t end = LEDGER_NEVER;
	struct saved_symbol d = {0};

	if (take(r, &d, sizeof(d)) < 0)
		return -EBADMSG;
	memcpy(s->name, d.name, SYMBOL_MAX);
	if (d.n_spans > LEDGER_SPANS_MAX + 1)
		return err_set(-EBADMSG, "a saved ledger has %u spans of one symbol",
			       d.n_spans);
	for (uint32_t i = 0; i < d.n_spans; i++)
		if (read_span(r, &end, s) < 0)
			return -EBADMSG;
	if (d.end_ns < end)
		return err_set(-EBADMSG, "a saved ledger ends before its last span");
	s->end_ns = d.end_ns;
	return 0;
}

int ledger_read(const void *data, size_t len, struct ledger **out)
{
	struct reader r = {data, len};
	struct ledger *l;
	struct head h;
	int rc = take(&r, &h, sizeof(h));

	if (rc < 0)
		return rc;
	if (h.magic != MAGIC || h.version != VERSION || h.n > SYMBOLS_MAX ||
	    h.n > r.left / sizeof(struct saved_symbol))
		return err_set(-EBADMSG, "this is no saved ledger of version %u",
			       VERSION);
	rc = ledger_new(NULL, 0, &l);
	if (rc < 0)
		return rc;
	free(l->symbols);
	l->symbols = calloc((size_t)h.n + 1, sizeof(*l->symbols));
	if (l->symbols == NULL) {
		free(l);
		return err_set(-ENOMEM, "out of memory for a saved ledger");
	}
	l->n = h.n;
	l->good_ns = h.good_ns;
	for (uint32_t i = 0; i < h.n && rc == 0; i++)
		rc = read_symbol(&r, &l->symbols[i]);
	if (rc == 0 && r.left > 0)
		rc = err_set(-EBADMSG, "a saved ledger is followed by %zu bytes",
			     r.left);
	if (rc < 0)
		ledger_free(l);
	else
		*out = l;
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct ledger_symbol *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int ledger_load(struct ledger *l, const void *data, size_t len)
{
	struct ledger *saved;
	int rc = ledger_read(data, len, &saved);

	if (rc < 0)
		return rc;
	if (saved->n > 1)
		qsort(saved->symbols, saved->n, sizeof(*saved->symbols), by_name);
	for (size_t i = 0; i < l->n; i++) {
		struct ledger_symbol *to = &l->symbols[i];
		struct ledger_symbol *from =
			bsearch(to, saved->symbols, saved->n, sizeof(*to), by_name);

		if (from == NULL)
			continue;
		buf_free(&to->spans);
		to->spans = from->spans;
		to->end_ns = from->end_ns;
		from->spans = (struct buf){0};
	}
	l->good_ns = saved->good_ns;
	ledger_free(saved);
	return 0;
}
