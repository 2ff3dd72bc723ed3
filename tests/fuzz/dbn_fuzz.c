/*
 * dbn_fuzz - any bytes as a DBN stream.  The first byte chooses what is taken and how
 * long the pieces are: in pieces it must give what it gives as a whole, and every tick
 * and bar is one.
 */
#include "base/err.h"
#include "base/hash.h"
#include "feeds/dbn.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* A number for all that a stream gave. */
static int on_tick(void *arg, const struct feed_tick *t)
{
	require(t->rec.type == RECORD_TICK && t->rec.source_seq != 0);
	require(symbol_valid(t->symbol, symbol_field_len(t->symbol, SYMBOL_MAX)));
	require(t->rec.price_e9 != VALUE_NULL || t->rec.bid_e9 != VALUE_NULL ||
		t->rec.ask_e9 != VALUE_NULL || record_flags(&t->rec) != 0);
	*(uint64_t *)arg = hash_bytes(*(uint64_t *)arg, t, sizeof(*t));
	return 0;
}

static int on_bar(void *arg, const struct dbn_bar *b)
{
	require(b->step_s > 0 && b->bar.start_ns >= 0 && b->bar.open_e9 != VALUE_NULL);
	*(uint64_t *)arg = hash_bytes(*(uint64_t *)arg, b, sizeof(*b));
	return 0;
}

static int on_message(void *arg, const struct dbn_message *m)
{
	require(strlen(m->text) < DBN_TEXT_MAX);
	*(uint64_t *)arg = hash_bytes(*(uint64_t *)arg, m, sizeof(*m));
	return 0;
}

static int on_bad(void *arg, uint64_t record, const char *why)
{
	require(record > 0 && why[0] != '\0');
	*(uint64_t *)arg = hash_bytes(*(uint64_t *)arg, why, strlen(why));
	return 0;
}

static int read_pieces(const struct dbn_params *p, const uint8_t *data, size_t size,
		       size_t piece, uint64_t *out_sum)
{
	const struct dbn_sink sink = {.arg = out_sum,
				      .tick = on_tick,
				      .bar = on_bar,
				      .message = on_message,
				      .bad = on_bad};
	const struct dbn_counts *c;
	struct dbn *d;
	int rc = 0;

	*out_sum = HASH_SEED;
	require(dbn_new(p, &d) == 0);
	for (size_t at = 0; at < size && rc == 0; at += piece) {
		size_t n = size - at < piece ? size - at : piece, used;

		rc = dbn_read(d, &sink, data + at, n, &used);
		require(used <= n && (rc != 0 || used == n));
	}
	if (rc == 0)
		rc = dbn_end(d);
	require(rc == 0 || rc == -EBADMSG);
	c = dbn_counts(d);
	require(rc < 0 || c->bytes == size);
	require(rc < 0 || c->records == c->ticks + c->bars + c->told + c->skipped +
						c->empty + c->bad);
	*out_sum = hash_bytes(*out_sum, c, sizeof(*c));
	if (rc < 0)
		*out_sum = hash_bytes(*out_sum, err_text(), strlen(err_text()));
	dbn_free(d);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dbn_params p = {.take = DBN_TICKS | DBN_BARS};
	uint64_t whole, pieces;
	int rc;

	if (size == 0)
		return 0;
	p.is_fragment = data[0] & 1;
	p.symbol = data[0] & 2 ? "X" : NULL;
	if (data[0] & 4)
		p.take = DBN_TRADES | DBN_QUOTES;
	rc = read_pieces(&p, data + 1, size - 1, size, &whole);
	require(rc == read_pieces(&p, data + 1, size - 1, 1 + data[0] / 8u, &pieces));
	require(whole == pieces);
	return 0;
}
