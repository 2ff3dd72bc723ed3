/* dbn_parts - what the three files of the DBN reader share; nobody else includes it. */
#pragma once
#include "base/buf.h"
#include "feeds/dbn.h"
#include "feeds/dbn_symbols.h"
#include <string.h>

#define DBN_PREFIX_BYTES 8  /* "DBN", version, length of the metadata */
#define DBN_HEADER_BYTES 16 /* of a record */

struct dbn {
	unsigned take;
	bool has_metadata; /* read, or there is none */
	bool is_broken;
	struct dbn_metadata meta;
	struct dbn_counts counts;
	uint64_t by_rtype[256];
	struct dbn_symbols *symbols; /* owned */
	struct buf head;             /* metadata that came in pieces */
	struct buf not_found;        /* SYMBOL_MAX + 1 bytes each */
	uint8_t carry[DBN_RECORD_MAX];
	size_t carry_len; /* of a record that came in pieces */
	/* What is the same in every tick of its kind stands in them already. */
	struct feed_tick trade, quote, status;
	struct dbn_bar bar;
};

/* Little-endian and of any alignment; record.h refuses other machines. */
static inline uint16_t dbn_u16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t dbn_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline int64_t dbn_i64(const uint8_t *p)
{
	int64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/** A text of at most @max bytes, ended by a NUL where shorter. */
static inline size_t dbn_text_len(const uint8_t *p, size_t max)
{
	return strnlen((const char *)p, max);
}

/** "6155": an instrument's number as text. */
bool dbn_number(const uint8_t *text, size_t len, uint32_t *out);
/** The metadata behind the prefix.  0 or -EBADMSG with a sentence. */
int dbn_metadata_parse(struct dbn *d, uint8_t version, const uint8_t *p, size_t len);
