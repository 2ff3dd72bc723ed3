/*
 * stream_fuzz - any bytes as the messages of a stream, one a line.  The first byte
 * chooses vendor and channels.  Ticks are of symbols that were asked for, a session
 * that ended stays so and says why, and what it sends never holds a half message.
 */
#include "base/err.h"
#include "feeds/stream.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const symbols[] = {"MSFT", "AA"};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static int on_tick(void *arg, const struct feed_tick *t)
{
	(void)arg;
	require(strcmp(t->symbol, "AA") == 0 || strcmp(t->symbol, "MSFT") == 0);
	require(t->rec.type == RECORD_TICK && t->rec.event_ns != VALUE_NULL);
	require(record_action(&t->rec) == TICK_NEW || t->rec.ref_seq != 0);
	for (size_t i = 0; i < 8 && t->rec.cond[i]; i++)
		require(t->rec.cond[i] >= ' ' && t->rec.cond[i] <= '~');
	return 0;
}

static void on_article(void *arg, const struct hist_article *a)
{
	(void)arg;
	require(a->id[0] != '\0' && a->n_symbols <= 32);
}

static void on_bad(void *arg, const char *why)
{
	(void)arg;
	require(why[0] != '\0');
}

static void feed(const struct stream_ops *ops, struct stream *st, const char *line,
		 size_t len)
{
	enum stream_state before = ops->state(st);
	struct vendor_problem p;
	struct buf out = {0};
	int rc = ops->input(st, line, len, &out);

	require(rc == 0 || rc == -EPROTO);
	require(out.len == 0 || out.data[out.len - 1] == '\0');
	require((rc == -EPROTO) == (ops->state(st) == STREAM_ENDED));
	require(before != STREAM_ENDED || rc == -EPROTO);
	ops->problem(st, &p);
	require(rc == 0 || p.why[0] != '\0');
	secret_wipe(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret *key;
	struct stream_sink sink = {NULL, on_tick, on_article, on_bad};
	struct stream_want w = {.symbols = symbols, .n_symbols = 2};
	struct vendor_settings s = {0};
	const struct stream_ops *ops;
	struct stream *st = NULL;
	const char *at, *end;

	if (size == 0)
		return 0;
	if (!key)
		require(secret_new("KEY", 3, &key) == 0);
	s.key = s.key_secret = key;
	ops = data[0] & 1 ? &polygon_stream_ops : &alpaca_stream_ops;
	w.news = ops == &alpaca_stream_ops && (data[0] & 2);
	w.trades = w.quotes = !w.news;
	require(ops->open(&s, &w, &sink, &st) == 0);
	at = (const char *)data + 1;
	end = (const char *)data + size;
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			stop = end;
		feed(ops, st, at, (size_t)(stop - at));
		at = stop + (stop < end);
	}
	ops->close(st);
	return 0;
}
