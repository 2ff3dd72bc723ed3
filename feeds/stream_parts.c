/* stream_parts - see stream_parts.h. */
#include "feeds/stream_parts.h"
#include "base/err.h"
#include "feeds/vendor_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
	return memcmp(a, b, SYMBOL_MAX);
}

static int take_symbols(struct stream *st, const struct stream_want *w)
{
	st->symbols = calloc(w->n_symbols, sizeof(*st->symbols));
	if (!st->symbols)
		return err_set(-ENOMEM, "no memory for %zu symbols", w->n_symbols);
	for (size_t i = 0; i < w->n_symbols; i++) {
		size_t len = strnlen(w->symbols[i], SYMBOL_MAX + 1);

		if (!symbol_valid(w->symbols[i], len))
			return err_set(-EINVAL,
				       "symbol '%.32s' is not [A-Z0-9._:/=%%-]{1,32}",
				       w->symbols[i]);
		memcpy(st->symbols[i], w->symbols[i], len);
	}
	st->n_symbols = w->n_symbols;
	qsort(st->symbols, st->n_symbols, sizeof(*st->symbols), by_name);
	return 0;
}

int stream_init(struct stream *st, const struct stream_ops *ops,
		const struct vendor_settings *s, const struct stream_want *w,
		const struct stream_sink *sink)
{
	int rc;

	if (w->n_symbols == 0)
		return err_set(-EINVAL, "%s's stream is asked for no symbol",
			       ops->name);
	if (!s->key)
		return err_set(-EINVAL, "%s's stream needs a key", ops->name);
	st->ops = ops;
	st->sink = *sink;
	st->key = s->key;
	st->key_secret = s->key_secret;
	st->trades = w->trades;
	st->quotes = w->quotes;
	st->news = w->news;
	rc = take_symbols(st, w);
	return rc < 0 ? rc : tz_load("America/New_York", &st->newyork);
}

void stream_deinit(struct stream *st)
{
	tz_free(st->newyork);
	free(st->symbols);
}

int stream_new(const struct stream_ops *ops, const struct vendor_settings *s,
	       const struct stream_want *w, const struct stream_sink *sink,
	       struct stream **out)
{
	struct stream *st = calloc(1, sizeof(*st));
	int rc;

	if (!st)
		return err_set(-ENOMEM, "no memory for a stream");
	rc = stream_init(st, ops, s, w, sink);
	if (rc < 0) {
		stream_close(st);
		return rc;
	}
	*out = st;
	return 0;
}

void stream_close(struct stream *st)
{
	if (!st)
		return;
	stream_deinit(st);
	free(st);
}

enum stream_state stream_state_of(const struct stream *st)
{
	return st->state;
}

void stream_problem(const struct stream *st, struct vendor_problem *out)
{
	*out = st->problem;
}

void stream_counts_of(const struct stream *st, struct stream_counts *out)
{
	*out = st->counts;
}

void stream_peek(const struct json_walk *w, const char *name, char *out, size_t cap)
{
	struct json_walk look = *w;
	struct json_key k;

	out[0] = '\0';
	if (!json_walk_object(&look))
		return;
	while (json_walk_key(&look, &k)) {
		if (json_walk_is(&k, name)) {
			if (json_walk_peek(&look) == JSON_STRING)
				json_walk_text(&look, out, cap);
			return;
		}
		json_walk_skip(&look);
	}
}

bool stream_wants(const struct stream *st, const char *symbol)
{
	char key[SYMBOL_MAX] = {0};
	size_t len = strnlen(symbol, SYMBOL_MAX + 1);

	if (len > SYMBOL_MAX)
		return false;
	memcpy(key, symbol, len);
	return bsearch(key, st->symbols, st->n_symbols, sizeof(*st->symbols),
		       by_name) != NULL;
}

int stream_tick(struct stream *st, const char *symbol, struct feed_tick *t)
{
	if (!stream_wants(st, symbol)) {
		st->counts.ignored++;
		return 0;
	}
	vendor_tick_symbol(t, symbol);
	st->counts.ticks++;
	return st->sink.tick ? st->sink.tick(st->sink.arg, t) : 0;
}

int stream_end(struct stream *st, enum vendor_verdict verdict, const char *why)
{
	struct vendor_settings keys = {.key = st->key, .key_secret = st->key_secret};

	st->state = STREAM_ENDED;
	vendor_problem_say(&keys, st->ops->name, why, &st->problem);
	st->problem.verdict = verdict;
	return err_set(-EPROTO, "%s", st->problem.why);
}

void stream_bad(struct stream *st, const char *why)
{
	st->counts.bad++;
	if (st->sink.bad)
		st->sink.bad(st->sink.arg, why);
}

void stream_confirmed(struct stream *st)
{
	if (st->unconfirmed > 0)
		st->unconfirmed--;
	if (st->unconfirmed == 0 && st->state == STREAM_SUBSCRIBING)
		st->state = STREAM_LIVE;
}

void stream_add_key(struct buf *out, const struct secret *key)
{
	struct buf clear = {0};

	/* Growing would leave the key behind in freed memory. */
	(void)buf_reserve(&clear, 2048);
	(void)buf_reserve(out, 4096);
	if (key)
		secret_add(key, &clear);
	buf_add(out, "\"", 1);
	for (size_t i = 0; i < clear.len; i++) {
		if (clear.data[i] == '"' || clear.data[i] == '\\')
			buf_add(out, "\\", 1);
		buf_add(out, &clear.data[i], 1);
	}
	buf_add(out, "\"", 1);
	secret_wipe(&clear);
}

static void report(struct stream *st, const struct json_walk *w, const char *of)
{
	char where[128], why[256];

	json_walk_where(w, where, sizeof(where));
	(void)snprintf(why, sizeof(why), "%s %s cannot be read: %s (%s)", st->ops->name,
		       of, w->why, where);
	stream_bad(st, why);
}

static bool is_whole(struct stream *st, const char *data, size_t len)
{
	struct json_walk w;

	json_walk_begin(&w, data, len);
	if (json_walk_peek(&w) != JSON_ARRAY)
		json_walk_fail(&w, "an array is missing");
	json_walk_skip(&w);
	if (json_walk_end(&w))
		return true;
	report(st, &w, "message");
	return false;
}

int stream_input(struct stream *st, const char *data, size_t len, struct buf *out)
{
	struct json_walk w;

	if (st->state == STREAM_ENDED)
		return err_set(-EPROTO, "%s", st->problem.why);
	st->counts.messages++;
	if (!is_whole(st, data, len))
		return 0;
	json_walk_begin(&w, data, len);
	(void)json_walk_array(&w);
	while (json_walk_element(&w)) {
		struct json_walk at = w;
		int rc = st->event(st, &w, out);

		if (rc)
			return rc;
		if (!w.why)
			continue;
		/* It is JSON, but not what we thought: step over it. */
		report(st, &w, "event");
		w = at;
		json_walk_skip(&w);
	}
	return 0;
}
