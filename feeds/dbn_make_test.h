/*
 * dbn_make_test - DBN bytes of our own making, versions 1, 2 and 3, for tests and
 * measurements.  Written from the layout alone and sharing nothing with the reader.
 */
#pragma once
#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct make_map {
	const char *symbol;
	uint32_t from, to; /* 20201228, exclusive 20201229 */
	const char *number;
};

struct make_head {
	uint8_t version;
	uint16_t schema;
	bool has_ts_out;
	bool by_number; /* symbols were asked for by number */
	const struct make_map *maps;
	uint32_t n_maps;
	const char *const *not_found;
	uint32_t n_not_found;
};

static inline void make_bytes(struct buf *b, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)(v >> 8 * i);

		buf_add(b, &byte, 1);
	}
}

static inline void make_at(uint8_t *r, unsigned offset, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		r[offset + i] = (uint8_t)(v >> 8 * i);
}

static inline void make_text(struct buf *b, const char *text, unsigned n)
{
	char field[512] = "";

	memcpy(field, text, strlen(text));
	buf_add(b, field, n);
}

static inline void make_metadata(struct buf *b, const struct make_head *h)
{
	unsigned symbol = h->version == 1 ? 22 : 71;
	struct buf m = {0};

	make_text(&m, "TEST.DATA", 16);
	make_bytes(&m, h->schema, 2);
	make_bytes(&m, 1600000000000000000, 8);
	make_bytes(&m, UINT64_MAX, 8);
	make_bytes(&m, 0, 8);
	if (h->version == 1)
		make_bytes(&m, UINT64_MAX, 8);
	make_bytes(&m, !h->by_number, 1);
	make_bytes(&m, h->by_number, 1);
	make_bytes(&m, h->has_ts_out, 1);
	if (h->version > 1)
		make_bytes(&m, symbol, 2);
	make_text(&m, "", h->version == 1 ? 47 : 53);
	make_bytes(&m, 0, 4);
	make_bytes(&m, h->n_maps, 4);
	for (uint32_t i = 0; i < h->n_maps; i++)
		make_text(&m, h->maps[i].symbol, symbol);
	make_bytes(&m, 0, 4);
	make_bytes(&m, h->n_not_found, 4);
	for (uint32_t i = 0; i < h->n_not_found; i++)
		make_text(&m, h->not_found[i], symbol);
	make_bytes(&m, h->n_maps, 4);
	for (uint32_t i = 0; i < h->n_maps; i++) {
		const struct make_map *map = &h->maps[i];

		make_text(&m, h->by_number ? map->number : map->symbol, symbol);
		make_bytes(&m, 1, 4);
		make_bytes(&m, map->from, 4);
		make_bytes(&m, map->to, 4);
		make_text(&m, h->by_number ? map->symbol : map->number, symbol);
	}
	while (h->version == 3 && (m.len + 8) % 8 != 0)
		make_bytes(&m, 0, 1);
	buf_add(b, "DBN", 3);
	make_bytes(b, h->version, 1);
	make_bytes(b, m.len, 4);
	buf_add(b, m.data, m.len);
	buf_free(&m);
}

/** A record of @len bytes, zero behind its header; valid until the next is made. */
static inline uint8_t *make_record(struct buf *b, uint8_t rtype, unsigned len,
				   uint32_t instrument, uint64_t event_ns)
{
	uint8_t *r = buf_reserve(b, len);

	memset(r, 0, len);
	b->len += len;
	make_at(r, 0, len / 4, 1);
	make_at(r, 1, rtype, 1);
	make_at(r, 2, 2, 2);
	make_at(r, 4, instrument, 4);
	make_at(r, 8, event_ns, 8);
	return r;
}

static inline uint8_t *make_trade(struct buf *b, uint32_t instrument, uint64_t event_ns,
				  int64_t price_e9, uint32_t size, uint32_t seq)
{
	uint8_t *r = make_record(b, 0x00, 48, instrument, event_ns);

	make_at(r, 16, (uint64_t)price_e9, 8);
	make_at(r, 24, size, 4);
	make_at(r, 28, 'T', 1);
	make_at(r, 29, 'B', 1);
	make_at(r, 32, event_ns + 1000, 8);
	make_at(r, 40, 1000, 4);
	make_at(r, 44, seq, 4);
	return r;
}

/** Anything with a best bid and ask; @len 80, or 368 for mbp-10. */
static inline uint8_t *make_book(struct buf *b, uint8_t rtype, unsigned len,
				 uint32_t instrument, uint64_t event_ns, uint32_t seq)
{
	uint8_t *r = make_record(b, rtype, len, instrument, event_ns);

	make_at(r, 16, INT64_MAX, 8);
	make_at(r, 24, UINT32_MAX, 4);
	make_at(r, 28, 'A', 1);
	make_at(r, 32, event_ns + 1000, 8);
	make_at(r, 44, seq, 4);
	for (unsigned at = 48; at < len; at += 32) {
		make_at(r, at, INT64_MAX, 8);
		make_at(r, at + 8, INT64_MAX, 8);
	}
	return r;
}

static inline void make_level(uint8_t *r, int64_t bid_e9, int64_t ask_e9, uint32_t bid,
			      uint32_t ask)
{
	make_at(r, 48, (uint64_t)bid_e9, 8);
	make_at(r, 56, (uint64_t)ask_e9, 8);
	make_at(r, 64, bid, 4);
	make_at(r, 68, ask, 4);
}

static inline uint8_t *make_bar(struct buf *b, uint8_t rtype, uint32_t instrument,
				uint64_t start_ns, const int64_t ohlc_e9[4],
				uint64_t volume)
{
	uint8_t *r = make_record(b, rtype, 56, instrument, start_ns);

	for (unsigned i = 0; i < 4; i++)
		make_at(r, 16 + 8 * i, (uint64_t)ohlc_e9[i], 8);
	make_at(r, 48, volume, 8);
	return r;
}

static inline void make_mapping(struct buf *b, uint8_t version, uint32_t instrument,
				const char *in, const char *out)
{
	unsigned at = version == 1 ? 16 : 17, symbol = version == 1 ? 22 : 71;
	uint8_t *r = make_record(b, 0x16, version == 1 ? 80 : 176, instrument, 1);

	memcpy(r + at, in, strlen(in));
	at += symbol + (version != 1);
	memcpy(r + at, out, strlen(out));
}

/** rtype 0x15 error or 0x17 system. */
static inline void make_message(struct buf *b, uint8_t version, uint8_t rtype,
				uint8_t code, const char *text)
{
	uint8_t *r = make_record(b, rtype, version == 1 ? 80 : 320, 0, 1);

	memcpy(r + 16, text, strlen(text));
	if (version > 1)
		make_at(r, rtype == 0x15 ? 318 : 319, code, 1);
}
