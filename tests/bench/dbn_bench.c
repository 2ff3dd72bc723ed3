/*
 * dbn_bench - DBN to ticks and bars: bytes of the stream per second, in pieces of
 * 256 KiB.  Interleaved rounds, medians.  zstd: the plain bytes that come out, with
 * unpacking, and by itself.
 */
#include "base/clock.h"
#include "feeds/dbn.h"
#include "feeds/dbn_make_test.h"
#include "feeds/zst.h"
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#define RECORDS 500000
#define ROUNDS  11
#define PIECE   (256u << 10)
#define SYMBOLS 500
#define T_NS    INT64_C(1609146312576690768)

static char names[SYMBOLS][8], numbers[SYMBOLS][8];
static struct make_map maps[SYMBOLS];

struct run {
	const char *name;
	struct buf plain, packed;
	bool is_packed, only_unpack;
	double rate[ROUNDS];
};

static int on_tick(void *arg, const struct feed_tick *t)
{
	*(int64_t *)arg += t->rec.price_e9 ^ t->rec.bid_e9;
	return 0;
}

static int on_bar(void *arg, const struct dbn_bar *b)
{
	*(int64_t *)arg += b->bar.close_e9;
	return 0;
}

static void make_names(void)
{
	for (int i = 0; i < SYMBOLS; i++) {
		snprintf(names[i], sizeof(names[i]), "S%d", i);
		snprintf(numbers[i], sizeof(numbers[i]), "%d", 1000 + i);
		maps[i] = (struct make_map){names[i], 20201228, 20201229, numbers[i]};
	}
}

/* A walk: prices and times move a little, as they do, so that zstd has its usual work.
 */
static void make(struct buf *b, uint8_t rtype, unsigned n_symbols)
{
	const struct make_head h = {.version = 3, .maps = maps, .n_maps = n_symbols};
	int64_t price = 100000000000, ns = T_NS;
	uint64_t x = 1;

	make_metadata(b, &h);
	for (unsigned i = 0; i < RECORDS; i++) {
		uint32_t id = 1000 + (unsigned)(x >> 40) % n_symbols;
		int64_t ohlc[4] = {price, price, price, price};

		x = x * 6364136223846793005u + 1442695040888963407u;
		price += ((int64_t)(x >> 60) - 7) * 10000000;
		ns += (int64_t)(x >> 50) * 100;
		if (rtype == 0x00)
			make_trade(b, id, ns, price, (unsigned)(x >> 56), i);
		else if (rtype == 0x01)
			make_level(make_book(b, 0x01, 80, id, ns, i), price,
				   price + 10000000, (unsigned)(x >> 58), 100);
		else
			make_bar(b, rtype, id, ns, ohlc, x >> 50);
	}
}

static void pack(struct run *r)
{
	size_t room = ZSTD_compressBound(r->plain.len), n;

	n = ZSTD_compress(buf_reserve(&r->packed, room), room, r->plain.data,
			  r->plain.len, 3);
	if (ZSTD_isError(n))
		exit(1);
	r->packed.len = n;
}

static void read_all(struct dbn *d, const struct dbn_sink *sink, const uint8_t *data,
		     size_t len)
{
	for (size_t at = 0; at < len; at += PIECE) {
		size_t n = len - at < PIECE ? len - at : PIECE, used;

		if (dbn_read(d, sink, data + at, n, &used) != 0)
			exit(1);
	}
}

static void unpack_all(struct dbn *d, const struct dbn_sink *sink, const struct run *r)
{
	const void *in = r->packed.data, *out;
	size_t left = r->packed.len, n = 0, used;
	struct zst *z;

	if (zst_new(UINT64_MAX, &z) < 0)
		exit(1);
	do {
		if (zst_step(z, &in, &left, &out, &n) < 0)
			exit(1);
		if (!r->only_unpack && dbn_read(d, sink, out, n, &used) != 0)
			exit(1);
	} while (n > 0 || left > 0);
	zst_free(z);
}

static void run_once(struct run *r, int round)
{
	const struct dbn_params p = {.take = DBN_TICKS | DBN_BARS};
	int64_t sum = 0, begin_ns;
	const struct dbn_sink sink = {.arg = &sum, .tick = on_tick, .bar = on_bar};
	const struct dbn_counts *c;
	struct dbn *d;

	if (dbn_new(&p, &d) < 0)
		exit(1);
	begin_ns = clock_mono_ns();
	if (r->is_packed)
		unpack_all(d, &sink, r);
	else
		read_all(d, &sink, r->plain.data, r->plain.len);
	r->rate[round] =
		(double)r->plain.len * 1e3 / (double)(clock_mono_ns() - begin_ns);
	c = dbn_counts(d);
	if (!r->only_unpack && c->ticks + c->bars != RECORDS)
		exit(1);
	dbn_free(d);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	struct run runs[] = {
		{.name = "trades, 1 symbol"},
		{.name = "trades, 500 symbols"},
		{.name = "mbp-1, 500 symbols"},
		{.name = "ohlcv-1m, 500 symbols"},
		{.name = "trades, 500, zstd", .is_packed = true},
		{.name = "  zstd alone", .is_packed = true, .only_unpack = true}};
	static const uint8_t rtypes[] = {0x00, 0x00, 0x01, 0x21, 0x00, 0x00};
	const size_t n = sizeof(runs) / sizeof(*runs);

	make_names();
	for (size_t i = 0; i < n; i++) {
		make(&runs[i].plain, rtypes[i], i == 0 ? 1 : SYMBOLS);
		if (runs[i].is_packed)
			pack(&runs[i]);
	}
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < n; i++)
			run_once(&runs[i], round);
	for (size_t i = 0; i < n; i++) {
		struct run *r = &runs[i];

		qsort(r->rate, ROUNDS, sizeof(*r->rate), by_size);
		printf("%-24s %7.0f MB/s %6.1f M records/s", r->name,
		       r->rate[ROUNDS / 2],
		       r->rate[ROUNDS / 2] * RECORDS / (double)r->plain.len);
		if (r->is_packed)
			printf("  (%.1f times smaller)",
			       (double)r->plain.len / (double)r->packed.len);
		printf("\n");
		buf_free(&r->plain);
		buf_free(&r->packed);
	}
	return 0;
}
