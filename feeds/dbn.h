/*
 * dbn - Databento's binary format, versions 1, 2 and 3, read from bytes in any pieces.
 *
 *	"DBN" version length | metadata: what it is, which number is which symbol |
 *	record record record ...            each begins with its length and its kind
 *
 * Nothing in it is trusted: lengths, counts and products are bounded before they are
 * used.  Records are read where they lie; only one that is cut by the end of a piece is
 * put together elsewhere.  A kind that nobody takes, or that is not known, is passed
 * over by its length and counted.
 *
 * Undefined prices, sizes and times are VALUE_NULL.  Times are ts_event; bbo and cbbo
 * have ts_recv (their ts_event is that of the last trade).  A feed_tick's arrival_ns is
 * ts_recv, the time by which Databento orders and selects.
 *
 * Identity.  A venue's sequence is no name for a tick: one packet brings several, every
 * publisher counts for itself, and begins anew every day.  So source_seq is
 *
 *	sequence (32) | hash of publisher and event time (24) | ordinal (8)
 *
 * with ordinal the place, up to 255, among the trades (quotes, halts) of this
 *instrument and publisher with the same sequence and event time.  Where a kind has no
 *sequence the low half of ts_recv stands in.  So a tick has the same source_seq whether
 *it came live or from history (feeds/known.h, which counts those that are equal), and
 *ties of time fall as the venue sent.  What begins inside a packet would count
 *otherwise: history does not, because it selects by ts_recv, and that a packet has
 *once.
 *
 * One thread at a time; no I/O, no clock.
 */
#pragma once
#include "feeds/feed.h"
#include "proto/hist.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBN_METADATA_MAX    (16u << 20)
#define DBN_RECORD_MAX      1020
#define DBN_INSTRUMENTS_MAX (1u << 18) /* named by records (live), and channels */
#define DBN_TEXT_MAX        304
#define DBN_SCHEMA_MIXED    0xffff

enum dbn_rtype {
	DBN_RTYPE_TRADE = 0x00,
	DBN_RTYPE_MBP_1 = 0x01, /* tbbo as well */
	DBN_RTYPE_MBP_10 = 0x0a,
	DBN_RTYPE_STATUS = 0x12,
	DBN_RTYPE_DEFINITION = 0x13,
	DBN_RTYPE_IMBALANCE = 0x14,
	DBN_RTYPE_ERROR = 0x15,
	DBN_RTYPE_MAPPING = 0x16,
	DBN_RTYPE_SYSTEM = 0x17,
	DBN_RTYPE_STATISTICS = 0x18,
	DBN_RTYPE_OHLCV_1S = 0x20,
	DBN_RTYPE_OHLCV_1M = 0x21,
	DBN_RTYPE_OHLCV_1H = 0x22,
	DBN_RTYPE_OHLCV_1D = 0x23,
	DBN_RTYPE_MBO = 0xa0,
	DBN_RTYPE_CMBP_1 = 0xb1,
	DBN_RTYPE_CBBO_1S = 0xc0,
	DBN_RTYPE_CBBO_1M = 0xc1,
	DBN_RTYPE_TCBBO = 0xc2,
	DBN_RTYPE_BBO_1S = 0xc3,
	DBN_RTYPE_BBO_1M = 0xc4,
};

/** What to take out of a stream. */
enum dbn_take {
	DBN_TRADES = 1,      /* trades; action T of mbo */
	DBN_QUOTES = 2,      /* best bid and ask of whatever has them */
	DBN_BOOK_TRADES = 4, /* also the trade (action T) in a record with a book: not
				where trades of the same venue come beside it */
	DBN_STATUS = 8,      /* halts and resumptions */
	DBN_BARS = 16,
	DBN_TICKS = DBN_TRADES | DBN_QUOTES | DBN_BOOK_TRADES | DBN_STATUS,
};

struct dbn_params {
	unsigned take;      /* enum dbn_take, OR-ed */
	bool is_fragment;   /* records alone, without metadata in front */
	const char *symbol; /* NULL; or the name of every instrument, whatever the
			       stream says; valid, copied */
};

/** The front of the metadata; what a stream says of itself. */
struct dbn_metadata {
	uint8_t version;  /* 0: not read yet */
	uint16_t schema;  /* DBN_SCHEMA_MIXED: live */
	bool has_ts_out;  /* records end with the time they were sent */
	char dataset[17]; /* "XNAS.ITCH" */
	uint32_t n_symbols;
	uint32_t n_partial;
	uint32_t n_not_found;
	uint32_t n_mappings; /* intervals */
};

/** "trades", "ohlcv-1m" ...; "mixed", "schema N". */
const char *dbn_schema_name(uint16_t schema, char out[16]);
/** Does it hold bars? */
bool dbn_schema_is_bars(uint16_t schema);

struct dbn_bar {
	uint32_t step_s;         /* 1, 60, 3600, 86400 */
	char symbol[SYMBOL_MAX]; /* NUL padded */
	struct hist_bar bar;     /* vwap and trades unknown; a day begins at 0:00 UTC */
};

enum dbn_system {
	DBN_HEARTBEAT = 0,
	DBN_SUBSCRIBED = 1,
	DBN_SLOW_READER = 2,
	DBN_REPLAY_DONE = 3,
	DBN_INTERVAL_END = 4,
	DBN_CODE_NONE = 255, /* version 1 has none */
};

/** A system or error record. */
struct dbn_message {
	bool is_error;
	uint8_t code; /* enum dbn_system; of an error: Databento's number */
	char text[DBN_TEXT_MAX];
};

/**
 * Where a stream goes; members that are NULL are not called.  Non-zero from one stops
 * dbn_read() behind this record and is forwarded.
 */
struct dbn_sink {
	void *arg;
	int (*tick)(void *arg, const struct feed_tick *t);
	int (*bar)(void *arg, const struct dbn_bar *b);
	int (*message)(void *arg, const struct dbn_message *m);
	/** A record that is none: which, from 1, and why. */
	int (*bad)(void *arg, uint64_t record, const char *why);
};

struct dbn_counts {
	uint64_t records;
	uint64_t ticks;
	uint64_t bars;
	uint64_t told;    /* mappings, system, error */
	uint64_t skipped; /* kinds that nobody takes, or unknown */
	uint64_t empty;   /* no price in it is defined */
	uint64_t bad;     /* no symbol, no time, a volume beyond 64 bits */
	uint64_t bytes;   /* whole records and metadata so far */
	int64_t index_ns; /* ts_recv of the last record, ts_event where it has none */
};

struct dbn;

int dbn_new(const struct dbn_params *p, struct dbn **out);
void dbn_free(struct dbn *d);
/**
 * Take @len bytes.  0: all taken; what the sink returned, with *out_used the bytes
 * taken: go on with the rest; -EBADMSG: this is no DBN or is damaged, the sentence says
 * at which byte, and nothing more can be read.
 */
int dbn_read(struct dbn *d, const struct dbn_sink *sink, const void *data, size_t len,
	     size_t *out_used);
/** After the last byte: 0, or -EBADMSG: it ends inside the metadata or a record. */
int dbn_end(struct dbn *d);

const struct dbn_metadata *dbn_metadata(const struct dbn *d);
const struct dbn_counts *dbn_counts(const struct dbn *d);
/** Records of one kind so far, taken or not. */
uint64_t dbn_count_of(const struct dbn *d, uint8_t rtype);
/** Symbols that the metadata says do not exist, NUL padded; false when @i is beyond. */
bool dbn_not_found(const struct dbn *d, uint32_t i, char out[SYMBOL_MAX + 1]);

/** @instrument is called @symbol from here on, as if a mapping record had said so. */
int dbn_name(struct dbn *d, uint32_t instrument, const char *symbol, size_t len);
/**
 * One record in DBN's layout, of which nothing came through dbn_read(): for readers of
 * the same rows written otherwise (feeds/dbn_text.h).  Like dbn_read().
 */
int dbn_record(struct dbn *d, const struct dbn_sink *sink, const uint8_t *record,
	       size_t len);
