/* check - the frame of the checker, and what its rules share; see check.h. */
#include "base/hash.h"
#include "tests/check/check_parts.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 5u /* of one rule */

const char *check_sentence(enum check_rule rule)
{
#define X(id, text) text,
	static const char *const sentence[] = {CHECK_RULES(X)};
#undef X
	return sentence[rule];
}

const char *check_name(enum check_rule rule)
{
#define X(id, text) #id,
	static const char *const name[] = {CHECK_RULES(X)};
#undef X
	return name[rule];
}

void check_breach(struct check *k, enum check_rule rule, const char *fmt, ...)
{
	char line[400];
	va_list ap;

	k->out->total++;
	if (++k->out->n[rule] > LINES_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_printf(&k->out->text, "%s: %s\n", check_name(rule), line);
}

struct fate *check_fate(struct check *k, uint32_t producer, uint64_t seq)
{
	size_t i = hash_mix(seq * 1024 + producer) % k->fates_max;

	while (k->fates[i].used &&
	       (k->fates[i].producer != producer || k->fates[i].seq != seq))
		i = (i + 1) % k->fates_max;
	k->fates[i].used = true;
	k->fates[i].producer = producer;
	k->fates[i].seq = seq;
	return &k->fates[i];
}

const struct chronicle_life *check_lost(const struct check *k, uint64_t epoch,
					uint64_t pos)
{
	for (size_t i = 0; i < k->c->n_lives; i++) {
		const struct chronicle_life *l = &k->c->lives[i];

		if (l->lost_first != 0 && l->epoch > epoch && pos >= l->lost_first)
			return l;
	}
	return NULL;
}

const struct chronicle_life *check_life(const struct check *k, uint64_t order)
{
	const struct chronicle_life *found = NULL;

	for (size_t i = 0; i < k->c->n_lives && k->c->lives[i].order < order; i++)
		found = &k->c->lives[i];
	return found;
}

void check_face(struct sorted *s, const struct chronicle *c,
		const struct chronicle_event *e)
{
	const void *event = chronicle_at(c, e->at);

	*s = (struct sorted){
		.e = e, .event = event, .seq = ((const struct event_head *)event)->seq};
	s->name = event_symbol(e->kind, event);
	if (e->kind == EVENT_TIER2)
		s->timeframe_s = ((const struct event_tier2 *)event)->timeframe_s;
}

int check_compare(const struct sorted *a, const struct sorted *b)
{
	int rc;

	if (a->e->kind != b->e->kind)
		return a->e->kind < b->e->kind ? -1 : 1;
	rc = memcmp(a->name, b->name, SYMBOL_MAX);
	if (rc != 0)
		return rc;
	if (a->timeframe_s != b->timeframe_s)
		return a->timeframe_s < b->timeframe_s ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

bool check_same_stream(const struct sorted *a, const struct sorted *b)
{
	return a->e->kind == b->e->kind && a->timeframe_s == b->timeframe_s &&
	       memcmp(a->name, b->name, SYMBOL_MAX) == 0;
}

static int by_order(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	int rc = check_compare(x, y);

	if (rc != 0)
		return rc;
	return x->e->order < y->e->order ? -1 : x->e->order > y->e->order;
}

static void sort_events(struct check *k)
{
	const struct chronicle *c = k->c;

	k->sorted = malloc((c->n_events + 1) * sizeof(*k->sorted));
	k->unique = malloc((c->n_events + 1) * sizeof(*k->unique));
	if (k->sorted == NULL || k->unique == NULL)
		abort();
	for (size_t i = 0; i < c->n_events; i++) {
		struct sorted *s = &k->sorted[k->n_sorted++];
		const struct event_head *head;

		check_face(s, c, &c->events[i]);
		head = s->event;
		s->is_void = check_lost(k, s->e->epoch, head->pos) != NULL;
	}
	qsort(k->sorted, k->n_sorted, sizeof(*k->sorted), by_order);
	for (size_t i = 0; i < k->n_sorted; i++) {
		const struct sorted *s = &k->sorted[i];

		if (s->is_void)
			continue;
		if (k->n_unique == 0 ||
		    check_compare(&k->unique[k->n_unique - 1], s) != 0)
			k->unique[k->n_unique++] = *s;
	}
}

static size_t count_ticks(const struct chronicle *c)
{
	size_t n = c->n_records;

	for (size_t i = 0; i < c->n_calls; i++) {
		struct ingest_request req;

		if (ingest_open(chronicle_at(c, c->calls[i].request_at),
				c->calls[i].request_len, &req) == 0)
			n += req.n;
	}
	return n;
}

static void check_lives(struct check *k)
{
	const struct chronicle *c = k->c;
	uint64_t last[CHRONICLE_PEERS_MAX] = {0};

	for (size_t i = 1; i < c->n_lives; i++) {
		check_looked(k, CHECK_EPOCH);
		if (c->lives[i].epoch < c->lives[i - 1].epoch)
			check_breach(k, CHECK_EPOCH,
				     "life %zu has epoch %llu after %llu", i,
				     (unsigned long long)c->lives[i].epoch,
				     (unsigned long long)c->lives[i - 1].epoch);
	}
	for (size_t i = 0; i < c->n_events; i++) {
		const struct chronicle_event *e = &c->events[i];
		const struct chronicle_life *l = check_life(k, e->order);

		check_looked(k, CHECK_EPOCH);
		if (e->epoch < last[e->subscriber] ||
		    (l != NULL && e->epoch > l->epoch))
			check_breach(k, CHECK_EPOCH,
				     "%s received epoch %llu after %llu, the daemon "
				     "had %llu",
				     c->subscribers[e->subscriber].name,
				     (unsigned long long)e->epoch,
				     (unsigned long long)last[e->subscriber],
				     l ? (unsigned long long)l->epoch : 0ull);
		last[e->subscriber] = e->epoch;
	}
}

void check_chronicle(const struct chronicle *c, struct check_report *out)
{
	struct check k = {.c = c, .out = out};

	k.fates_max = 2 * count_ticks(c) + 64;
	k.fates = calloc(k.fates_max, sizeof(*k.fates));
	if (k.fates == NULL)
		abort();
	sort_events(&k);
	check_lives(&k);
	check_ingest(&k);
	check_log(&k);
	check_streams(&k);
	check_beats(&k);
	check_derived(&k);
	check_chain(&k);
	if (c->config.n_timeframes > 0)
		check_bars(&k);
	check_matrices(&k);
	free(k.fates);
	free(k.sorted);
	free(k.unique);
}

void check_report_free(struct check_report *r)
{
	buf_free(&r->text);
	*r = (struct check_report){0};
}
