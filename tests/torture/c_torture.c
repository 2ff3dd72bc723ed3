/*
 * c_torture - libtickbus on the worst network there is: the subscriber that
 * python_torture.py --client runs (its --child says the same in Python).
 *
 *	c_torture --child '{"tick":"tcp://...", "bar": ..., "catchup": ...}'
 *
 * Takes every event from the oldest on, remembers the sequences of every stream as
 * they came, and, once a line of JSON with the last ones comes in ({"tick AAPL": 17}),
 * goes on until it has those, and prints all it has got and was told.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "client/streams.h"
#include "client/tickbus.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEALING_NS (60 * NS_PER_S)
#define STREAMS    4096

struct got {
	char name[64]; /* "tick AAPL", "tier2 tech 60" */
	uint64_t *seqs;
	size_t n, cap;
	uint64_t goal; /* 0: none */
};

static struct got got[STREAMS];
static size_t n_got;
static struct buf notices;

static struct got *got_of(const char *name)
{
	for (size_t i = 0; i < n_got; i++)
		if (strcmp(got[i].name, name) == 0)
			return &got[i];
	if (n_got == STREAMS)
		abort();
	(void)snprintf(got[n_got].name, sizeof(got[n_got].name), "%s", name);
	return &got[n_got++];
}

static void take(const struct tickbus_event *e)
{
	static struct streams index; /* which entry of got a stream has */
	char name[64];
	uint32_t frame = e->kind == EVENT_TIER2 ? e->tier2->timeframe_s : 0;
	const char *symbol = e->kind == EVENT_TICK    ? e->tick->symbol
			     : e->kind == EVENT_BAR   ? e->bar->symbol
			     : e->kind == EVENT_TIER1 ? e->tier1->symbol
			     : e->kind == EVENT_TIER2 ? e->tier2->universe
			     : e->kind == EVENT_NEWS  ? e->news->symbol
						      : e->status->symbol;
	struct stream *st = streams_get(&index, e->kind, symbol, frame);
	struct got *g;

	if (st->last_seq == 0) {
		int len = snprintf(name, sizeof(name), "%s %.32s",
				   event_kind_word(e->kind), symbol);

		if (frame)
			(void)snprintf(name + len, sizeof(name) - (size_t)len, " %u",
				       frame);
		st->last_seq = 1 + (uint64_t)(got_of(name) - got);
	}
	g = &got[st->last_seq - 1];
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 64;
		g->seqs = realloc(g->seqs, g->cap * sizeof(*g->seqs));
		if (g->seqs == NULL)
			abort();
	}
	g->seqs[g->n++] = e->head->seq;
}

static void tell(int what, const struct tickbus_event *e)
{
	char text[256];

	if (what == TICKBUS_LIVE)
		(void)snprintf(text, sizeof(text), "Live %llu",
			       (unsigned long long)e->live.pos);
	else if (what == TICKBUS_GAP || what == TICKBUS_CHAIN)
		(void)snprintf(text, sizeof(text), "%s %s %s %llu..%llu",
			       what == TICKBUS_GAP ? "Gap" : "Chain",
			       tickbus_kind_name(e->kind), e->gap.symbol,
			       (unsigned long long)e->gap.first_seq,
			       (unsigned long long)e->gap.last_seq);
	else
		(void)snprintf(text, sizeof(text), "Outcome %d", what);
	buf_add(&notices, text, strlen(text) + 1);
}

/* The line of goals, when it has come; true then. */
static bool read_goals(void)
{
	static struct buf line;
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	const struct json *at = NULL;
	struct json *root = NULL;
	const char *key;
	ssize_t n;

	if (poll(&p, 1, 0) <= 0)
		return false;
	n = read(STDIN_FILENO, buf_reserve(&line, 65536), 65536);
	if (n > 0)
		line.len += (size_t)n;
	if (n > 0 && memchr(line.data, '\n', line.len) == NULL)
		return false;
	if (json_parse((const char *)line.data, line.len, &root) != 0)
		exit(65);
	while ((at = json_next(root, at, &key)) != NULL)
		(void)json_u64(at, &got_of(key)->goal);
	json_free(root);
	return true;
}

static bool has_all(void)
{
	for (size_t i = 0; i < n_got; i++)
		if (got[i].goal > 0 &&
		    (got[i].n == 0 || got[i].seqs[got[i].n - 1] != got[i].goal))
			return false;
	return true;
}

static void report(const struct tickbus_counts *c, const char *trouble)
{
	struct buf out = {0};
	struct jsonw w;
	size_t at = 0;

	jsonw_init(&w, &out);
	jsonw_object(&w, NULL);
	jsonw_object(&w, "got");
	for (size_t i = 0; i < n_got; i++) {
		jsonw_array(&w, got[i].name);
		for (size_t k = 0; k < got[i].n; k++)
			jsonw_u64(&w, NULL, got[i].seqs[k]);
		jsonw_end(&w);
	}
	jsonw_end(&w);
	jsonw_array(&w, "notices");
	for (; at < notices.len; at += strlen((char *)notices.data + at) + 1)
		jsonw_str(&w, NULL, (char *)notices.data + at);
	jsonw_end(&w);
	jsonw_object(&w, "counts");
	jsonw_u64(&w, "resyncs", c->rebuilds);
	jsonw_u64(&w, "filled", c->filled);
	jsonw_u64(&w, "gaps", c->gaps);
	jsonw_u64(&w, "duplicates", c->duplicates);
	jsonw_u64(&w, "sum_breaks", c->sum_breaks);
	jsonw_end(&w);
	jsonw_array(&w, "late");
	for (size_t i = 0; i < n_got; i++)
		if (got[i].goal > 0 &&
		    (got[i].n == 0 || got[i].seqs[got[i].n - 1] != got[i].goal))
			jsonw_str(&w, NULL, got[i].name);
	jsonw_end(&w);
	jsonw_str(&w, "trouble", trouble);
	jsonw_end(&w);
	(void)fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

static struct tickbus_options options_of(const struct json *urls)
{
	static const char *const names[TICKBUS_PORTS] = {
		"ingest", "tick", "bar", "tier1", "tier2", "status", "catchup"};
	/* While every answer of catch-up is cut short nothing comes for minutes. */
	struct tickbus_options o = {
		.heartbeat_ms = 200, .timeout_ms = 1000, .patience_ms = 3600000};

	for (int i = 0; i < TICKBUS_PORTS; i++)
		o.url[i] = json_str(json_get(urls, names[i]), NULL);
	return o;
}

int main(int argc, char **argv)
{
	static const struct tickbus_filter all = {
		.kinds = TICKBUS_KIND(EVENT_TICK) | TICKBUS_KIND(EVENT_BAR) |
			 TICKBUS_KIND(EVENT_TIER1) | TICKBUS_KIND(EVENT_TIER2) |
			 TICKBUS_KIND(EVENT_NEWS) | TICKBUS_KIND(EVENT_STATUS),
		.from = TICKBUS_FROM_OLDEST};
	int64_t end_ns = 0;
	struct tickbus_options options;
	struct tickbus_sub *sub;
	struct tickbus_event e;
	char trouble[256] = "";
	struct json *urls;

	if (argc != 3 || json_parse(argv[2], strlen(argv[2]), &urls) != 0)
		return 64;
	options = options_of(urls);
	if (tickbus_sub_open(&options, &all, &sub) < 0)
		return 70;
	while (end_ns == 0 || (!has_all() && clock_mono_ns() < end_ns)) {
		int rc = tickbus_sub_next(sub, 100, &e);

		if (rc == 0)
			take(&e);
		else if (rc < 0) /* history cannot be had at present: go on */
			(void)snprintf(trouble, sizeof(trouble), "%s", tickbus_error());
		else if (rc != TICKBUS_TIMEOUT)
			tell(rc, &e);
		if (end_ns == 0 && (rc != 0 || e.head->seq % 64 == 0) && read_goals())
			end_ns = clock_mono_ns() + HEALING_NS;
	}
	report(tickbus_sub_counts(sub), trouble);
	tickbus_sub_close(sub);
	json_free(urls);
	return 0;
}
