/* ledger - see ledger.h; saving and loading is ledger_save.c. */
#include "feeds/ledger.h"
#include "base/err.h"
#include "feeds/ledger_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
#define X(id, label, help) label,
	LEDGER_KINDS(X)
#undef X
};

const char *ledger_kind_name(unsigned kind)
{
	return kind < LEDGER_KINDS_N ? kind_names[kind] : "unknown";
}

int ledger_new(const char *const *symbols, size_t n, struct ledger **out)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->symbols = calloc(n + 1, sizeof(*l->symbols));
	if (l == NULL || l->symbols == NULL) {
		free(l);
		return err_set(-ENOMEM, "out of memory for the ledger of %zu symbols",
			       n);
	}
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(l->symbols[i].name, sizeof(l->symbols[i].name), "%s",
			       symbols[i]);
		l->symbols[i].end_ns = LEDGER_NEVER;
	}
	l->n = n;
	l->good_ns = LEDGER_NEVER;
	*out = l;
	return 0;
}

void ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n; i++)
		buf_free(&l->symbols[i].spans);
	free(l->symbols);
	free(l);
}

size_t ledger_symbols(const struct ledger *l)
{
	return l->n;
}

const char *ledger_symbol(const struct ledger *l, size_t i)
{
	return l->symbols[i].name;
}

static struct ledger_span *spans_of(const struct ledger_symbol *s, size_t *n)
{
	*n = s->spans.len / sizeof(struct ledger_span);
	return (struct ledger_span *)(void *)s->spans.data;
}

const struct ledger_span *ledger_spans(const struct ledger *l, size_t i, size_t *out_n)
{
	return spans_of(&l->symbols[i], out_n);
}

/* ---- one symbol's spans: end to end, alike ones joined, bounded ---- */

static bool is_alike(const struct ledger_span *a, const struct ledger_span *b)
{
	return a->kind == b->kind && a->to_ns == b->from_ns &&
	       strcmp(a->why, b->why) == 0;
}

/* Join what is alike; if there are still too many, forget the oldest settled one, or
 * open all between the two oldest open ones: more to fetch, but nothing is lost. */
static void tidy(struct ledger_symbol *s)
{
	size_t n, to = 0, drop;
	struct ledger_span *v = spans_of(s, &n);

	for (size_t i = 0; i < n; i++) {
		if (to > 0 && is_alike(&v[to - 1], &v[i])) {
			v[to - 1].to_ns = v[i].to_ns;
			v[to - 1].ticks += v[i].ticks;
		} else {
			v[to++] = v[i];
		}
	}
	for (n = to; n > LEDGER_SPANS_MAX; n--) {
		drop = v[0].kind == LEDGER_OPEN ? 1 : 0;
		if (drop == 1)
			v[0].to_ns = v[1].to_ns;
		memmove(&v[drop], &v[drop + 1], (n - drop - 1) * sizeof(*v));
	}
	s->spans.len = n * sizeof(*v);
}

static void add(struct ledger_symbol *s, const struct ledger_span *span)
{
	if (span->to_ns <= span->from_ns)
		return;
	buf_add(&s->spans, span, sizeof(*span));
	s->end_ns = span->to_ns;
	tidy(s);
}

void ledger_add(struct ledger_symbol *s, const struct ledger_span *span)
{
	add(s, span);
}

/* ---- the stream comes and goes ---- */

void ledger_begin(struct ledger *l, int64_t ns)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->symbols[i].end_ns == LEDGER_NEVER)
			l->symbols[i].end_ns = ns;
}

int64_t ledger_end_ns(const struct ledger *l, size_t i)
{
	return l->symbols[i].end_ns;
}

void ledger_on(struct ledger *l, int64_t ns)
{
	if (l->is_on)
		ledger_off(l);
	/* A clock that was set back must not make spans overlap. */
	for (size_t i = 0; i < l->n; i++)
		if (l->symbols[i].end_ns != LEDGER_NEVER && l->symbols[i].end_ns > ns)
			ns = l->symbols[i].end_ns;
	for (size_t i = 0; i < l->n; i++) {
		struct ledger_symbol *s = &l->symbols[i];

		if (s->end_ns != LEDGER_NEVER)
			add(s, &(struct ledger_span){.from_ns = s->end_ns,
						     .to_ns = ns,
						     .kind = LEDGER_OPEN});
		s->end_ns = ns;
	}
	l->is_on = true;
	l->on_ns = l->good_ns = ns;
}

void ledger_good(struct ledger *l, int64_t ns)
{
	if (l->is_on && ns > l->good_ns)
		l->good_ns = ns;
}

void ledger_off(struct ledger *l)
{
	const struct ledger_span live = {
		.from_ns = l->on_ns, .to_ns = l->good_ns, .kind = LEDGER_LIVE};

	if (!l->is_on)
		return;
	l->is_on = false;
	for (size_t i = 0; i < l->n; i++)
		add(&l->symbols[i], &live);
}

bool ledger_is_on(const struct ledger *l)
{
	return l->is_on;
}

int64_t ledger_good_ns(const struct ledger *l)
{
	return l->good_ns;
}

bool ledger_growing(const struct ledger *l, struct ledger_span *out)
{
	if (!l->is_on || l->good_ns <= l->on_ns)
		return false;
	*out = (struct ledger_span){
		.from_ns = l->on_ns, .to_ns = l->good_ns, .kind = LEDGER_LIVE};
	return true;
}

/* ---- holes ---- */

size_t ledger_open_count(const struct ledger *l)
{
	size_t count = 0;

	for (size_t i = 0; i < l->n; i++) {
		size_t n;
		const struct ledger_span *v = spans_of(&l->symbols[i], &n);

		for (size_t k = 0; k < n; k++)
			count += v[k].kind == LEDGER_OPEN;
	}
	return count;
}

bool ledger_open_hull(const struct ledger *l, int64_t *out_from, int64_t *out_to)
{
	bool found = false;

	for (size_t i = 0; i < l->n; i++) {
		size_t n;
		const struct ledger_span *v = spans_of(&l->symbols[i], &n);

		for (size_t k = 0; k < n; k++) {
			if (v[k].kind != LEDGER_OPEN)
				continue;
			if (!found || v[k].from_ns < *out_from)
				*out_from = v[k].from_ns;
			if (!found || v[k].to_ns > *out_to)
				*out_to = v[k].to_ns;
			found = true;
		}
	}
	return found;
}

static void put(struct buf *b, const struct ledger_span *like, int64_t from, int64_t to)
{
	struct ledger_span s = *like;

	s.from_ns = from;
	s.to_ns = to;
	if (to > from)
		buf_add(b, &s, sizeof(s));
}

void ledger_settle(struct ledger *l, size_t i, const struct ledger_span *s)
{
	struct ledger_symbol *sym = &l->symbols[i];
	struct ledger_span now = *s;
	struct buf fresh = {0};
	size_t n;
	const struct ledger_span *v = spans_of(sym, &n);

	for (size_t k = 0; k < n; k++) {
		int64_t from = v[k].from_ns > s->from_ns ? v[k].from_ns : s->from_ns;
		int64_t to = v[k].to_ns < s->to_ns ? v[k].to_ns : s->to_ns;

		if (v[k].kind != LEDGER_OPEN || to <= from) {
			buf_add(&fresh, &v[k], sizeof(v[k]));
			continue;
		}
		put(&fresh, &v[k], v[k].from_ns, from);
		put(&fresh, &now, from, to);
		now.ticks = 0; /* counted once */
		put(&fresh, &v[k], to, v[k].to_ns);
	}
	buf_free(&sym->spans);
	sym->spans = fresh;
	tidy(sym);
}

void ledger_note(struct ledger *l, size_t i, int64_t from_ns, int64_t to_ns,
		 const char *why)
{
	size_t n;
	struct ledger_span *v = spans_of(&l->symbols[i], &n);

	for (size_t k = 0; k < n; k++)
		if (v[k].kind == LEDGER_OPEN && v[k].from_ns < to_ns &&
		    v[k].to_ns > from_ns)
			(void)snprintf(v[k].why, sizeof(v[k].why), "%s", why);
}
