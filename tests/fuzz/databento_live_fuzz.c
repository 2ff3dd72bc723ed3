/*
 * databento_live_fuzz - any bytes as what the gateway says, in pieces whose length the
 * first byte chooses.  Ticks are of symbols that were asked for, a session that ended
 * stays so and says why, and the key is in nothing that is sent.
 */
#include "base/err.h"
#include "feeds/stream.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const symbols[] = {"NVDA", "AAPL"};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static int on_tick(void *arg, const struct feed_tick *t)
{
	(void)arg;
	require(strcmp(t->symbol, "NVDA") == 0 || strcmp(t->symbol, "AAPL") == 0);
	require(t->rec.type == RECORD_TICK && t->rec.event_ns >= 0);
	return 0;
}

static void on_bad(void *arg, const char *why)
{
	(void)arg;
	require(why[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret *key;
	const struct stream_ops *ops = &databento_live_ops;
	struct stream_sink sink = {.tick = on_tick, .bad = on_bad};
	struct stream_want w = {
		.symbols = symbols, .n_symbols = 2, .trades = true, .quotes = true};
	struct vendor_settings s = {.dataset = "XNAS.ITCH"};
	struct stream *st = NULL;
	struct buf out = {0};
	size_t piece;

	if (size == 0)
		return 0;
	if (!key)
		require(secret_new("db-KEYKEYKEY", 12, &key) == 0);
	s.key = key;
	piece = 1 + data[0] * 4u;
	require(ops->open(&s, &w, &sink, &st) == 0);
	for (size_t at = 1; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		enum stream_state before = ops->state(st);
		struct vendor_problem p;
		int rc = ops->input(st, (const char *)data + at, n, &out);

		require(rc == 0 || rc == -EPROTO);
		require((rc == -EPROTO) == (ops->state(st) == STREAM_ENDED));
		require(before != STREAM_ENDED || rc == -EPROTO);
		ops->problem(st, &p);
		require(rc == 0 || p.why[0] != '\0');
	}
	require(out.len == 0 || !secret_in(key, (const char *)out.data, out.len));
	ops->close(st);
	buf_free(&out);
	return 0;
}
