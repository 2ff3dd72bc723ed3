/*
 * dbn_record - one record to a tick, a bar, a name or a message.  The hot path: what a
 * kind's ticks have in common was written once (struct dbn), here only what differs.
 */
#include "base/err.h"
#include "base/hash.h"
#include "base/timetext.h"
#include "feeds/dbn_parts.h"
#include <errno.h>
#include <stdio.h>

#define ORDINAL_MAX 255u
#define PRICE_UNDEF INT64_MAX
#define SIZE_UNDEF  UINT32_MAX
#define SIZE_E8     100000000

enum { ACTION_TRADE = 'T' };
enum { STATUS_TRADING = 7, STATUS_HALT = 8, STATUS_PAUSE = 9, STATUS_SUSPEND = 10 };

/* Bytes that a kind has at least; 0: its insides are of no interest. */
static const uint16_t bytes_min[256] = {
	[DBN_RTYPE_TRADE] = 48,    [DBN_RTYPE_MBP_1] = 80,    [DBN_RTYPE_MBP_10] = 368,
	[DBN_RTYPE_STATUS] = 40,   [DBN_RTYPE_ERROR] = 80,    [DBN_RTYPE_MAPPING] = 80,
	[DBN_RTYPE_SYSTEM] = 80,   [DBN_RTYPE_OHLCV_1S] = 56, [DBN_RTYPE_OHLCV_1M] = 56,
	[DBN_RTYPE_OHLCV_1H] = 56, [DBN_RTYPE_OHLCV_1D] = 56, [DBN_RTYPE_MBO] = 56,
	[DBN_RTYPE_CMBP_1] = 80,   [DBN_RTYPE_CBBO_1S] = 80,  [DBN_RTYPE_CBBO_1M] = 80,
	[DBN_RTYPE_TCBBO] = 80,    [DBN_RTYPE_BBO_1S] = 80,   [DBN_RTYPE_BBO_1M] = 80,
};

/* All bits set, and whatever else is beyond our times, is no time. */
static int64_t time_at(const uint8_t *p)
{
	int64_t ns = dbn_i64(p);

	return ns < 0 ? VALUE_NULL : ns;
}

static int64_t price_at(const uint8_t *p)
{
	int64_t v = dbn_i64(p);

	return v == PRICE_UNDEF ? VALUE_NULL : v;
}

static int64_t size_at(const uint8_t *p)
{
	uint32_t v = dbn_u32(p);

	return v == SIZE_UNDEF ? VALUE_NULL : (int64_t)v * SIZE_E8;
}

static int bad(struct dbn *d, const struct dbn_sink *sink, const char *why)
{
	d->counts.bad++;
	return sink->bad ? sink->bad(sink->arg, d->counts.records, why) : 0;
}

static int no_name(struct dbn *d, const struct dbn_sink *sink, const uint8_t *r,
		   int64_t ns)
{
	char why[FEED_WHY_MAX], when[TIMETEXT_MAX];

	(void)timetext_print(when, ns);
	(void)snprintf(why, sizeof(why), "instrument %u has no symbol at %s",
		       dbn_u32(r + 4), when);
	return bad(d, sink, why);
}

/* The channel of record @r at @ns, or NULL: what is wrong has been told. */
static int channel_of(struct dbn *d, const struct dbn_sink *sink, const uint8_t *r,
		      int64_t ns, struct dbn_channel **out)
{
	char why[FEED_WHY_MAX];
	struct dbn_channel *c = NULL;
	int rc = dbn_symbols_find(d->symbols, dbn_u16(r + 2), dbn_u32(r + 4), ns, &c);

	*out = NULL;
	if (rc == DBN_SYMBOLS_NONE)
		return no_name(d, sink, r, ns);
	if (rc < 0)
		return rc == -E2BIG ? -EBADMSG : rc;
	if (!c->is_valid) {
		(void)snprintf(why, sizeof(why),
			       "'%.*s' is no symbol: up to %d of A-Z 0-9 . _ : / -",
			       SYMBOL_MAX, c->symbol, SYMBOL_MAX);
		return bad(d, sink, why);
	}
	*out = c;
	return 0;
}

/* See "Identity" in dbn.h. */
static uint64_t identity(struct dbn_channel *c, enum dbn_kind kind, uint32_t seq,
			 int64_t event_ns)
{
	struct dbn_ordinal *o = &c->ordinal[kind];
	uint64_t id;

	if (o->seq == seq && o->event_ns == event_ns) {
		o->n += o->n < ORDINAL_MAX;
	} else {
		o->seq = seq;
		o->event_ns = event_ns;
		o->n = 0;
	}
	id = (uint64_t)seq << 32 |
	     (hash_mix((uint64_t)event_ns ^ (c->key >> 32) << 47) & 0xffffff) << 8 |
	     o->n;
	return id ? id : 1;
}

/* What every tick has; where its parts lie. */
struct place {
	enum dbn_kind kind;
	unsigned recv;      /* offset of ts_recv */
	unsigned seq;       /* offset of the sequence; 0: it has none */
	bool is_at_receipt; /* it happened when it was received */
};

/* Fill @t with symbol, times and identity; *out_ok: it is a tick. */
static int open_tick(struct dbn *d, const struct dbn_sink *sink, const uint8_t *r,
		     const struct place *at, struct feed_tick *t, bool *out_ok)
{
	int64_t recv_ns = time_at(r + at->recv), event_ns = time_at(r + 8);
	struct dbn_channel *c;
	uint32_t seq;
	int rc;

	*out_ok = false;
	if (recv_ns == VALUE_NULL)
		recv_ns = event_ns;
	if (at->is_at_receipt || event_ns == VALUE_NULL)
		event_ns = recv_ns;
	d->counts.index_ns = recv_ns;
	if (event_ns == VALUE_NULL)
		return bad(d, sink, "it has no time");
	rc = channel_of(d, sink, r, recv_ns, &c);
	if (!c)
		return rc;
	seq = at->seq ? dbn_u32(r + at->seq) : (uint32_t)recv_ns;
	memcpy(t->symbol, c->symbol, SYMBOL_MAX);
	t->arrival_ns = recv_ns;
	t->rec.event_ns = event_ns;
	t->rec.source_seq = identity(c, at->kind, seq, event_ns);
	*out_ok = true;
	return 0;
}

static int deliver(struct dbn *d, const struct dbn_sink *sink,
		   const struct feed_tick *t)
{
	d->counts.ticks++;
	return sink->tick ? sink->tick(sink->arg, t) : 0;
}

static int skip(struct dbn *d)
{
	d->counts.skipped++;
	return 0;
}

static int empty(struct dbn *d)
{
	d->counts.empty++;
	return 0;
}

static int take_trade(struct dbn *d, const struct dbn_sink *sink, const uint8_t *r,
		      unsigned price, const struct place *at)
{
	struct feed_tick *t = &d->trade;
	bool ok;
	int rc;

	if (!(d->take & DBN_TRADES))
		return skip(d);
	rc = open_tick(d, sink, r, at, t, &ok);
	if (!ok)
		return rc;
	t->rec.price_e9 = price_at(r + price);
	t->rec.size_e8 = size_at(r + price + 8);
	return t->rec.price_e9 == VALUE_NULL ? empty(d) : deliver(d, sink, t);
}

/* Records that hold a best bid and ask behind the layout of a trade. */
static int take_book(struct dbn *d, const struct dbn_sink *sink, const uint8_t *r,
		     const struct place *at)
{
	struct feed_tick *t = &d->quote;
	bool ok, is_trade = !at->is_at_receipt && r[28] == ACTION_TRADE;
	int rc;

	if (!(d->take & (DBN_QUOTES | DBN_BOOK_TRADES)))
		return skip(d);
	rc = open_tick(d, sink, r, at, t, &ok);
	if (!ok)
		return rc;
	t->rec.price_e9 = t->rec.size_e8 = VALUE_NULL;
	t->rec.bid_e9 = t->rec.ask_e9 = VALUE_NULL;
	t->rec.bid_size_e8 = t->rec.ask_size_e8 = VALUE_NULL;
	if (d->take & DBN_QUOTES) {
		t->rec.bid_e9 = price_at(r + 48);
		t->rec.ask_e9 = price_at(r + 56);
		/* The size of a side that is empty is none, not 0. */
		if (t->rec.bid_e9 != VALUE_NULL)
			t->rec.bid_size_e8 = size_at(r + 64);
		if (t->rec.ask_e9 != VALUE_NULL)
			t->rec.ask_size_e8 = size_at(r + 68);
	}
	if (is_trade && (d->take & DBN_BOOK_TRADES)) {
		t->rec.price_e9 = price_at(r + 16);
		t->rec.size_e8 =
			t->rec.price_e9 == VALUE_NULL ? VALUE_NULL : size_at(r + 24);
	}
	if (t->rec.price_e9 == VALUE_NULL && t->rec.bid_e9 == VALUE_NULL &&
	    t->rec.ask_e9 == VALUE_NULL)
		return empty(d);
	return deliver(d, sink, t);
}

static int take_status(struct dbn *d, const struct dbn_sink *sink, const uint8_t *r)
{
	static const struct place at = {.kind = DBN_KIND_STATUS, .recv = 16};
	struct feed_tick *t = &d->status;
	uint16_t action = dbn_u16(r + 24);
	unsigned flags = action == STATUS_TRADING ? TICK_RESUMED
			 : action >= STATUS_HALT && action <= STATUS_SUSPEND ? TICK_HALT
									     : 0;
	bool ok;
	int rc;

	d->counts.index_ns = time_at(r + 16);
	if (!(d->take & DBN_STATUS) || flags == 0)
		return skip(d);
	rc = open_tick(d, sink, r, &at, t, &ok);
	if (!ok)
		return rc;
	t->rec.action_flags = record_pack(TICK_NEW, flags);
	return deliver(d, sink, t);
}

static int take_bar(struct dbn *d, const struct dbn_sink *sink, const uint8_t *r)
{
	static const uint32_t steps_s[] = {1, 60, 3600, 86400};
	struct hist_bar *b = &d->bar.bar;
	struct dbn_channel *c;
	int64_t volume;
	int rc;

	b->start_ns = time_at(r + 8);
	d->counts.index_ns = b->start_ns;
	if (!(d->take & DBN_BARS))
		return skip(d);
	if (b->start_ns == VALUE_NULL)
		return bad(d, sink, "it has no time");
	b->open_e9 = price_at(r + 16);
	b->high_e9 = price_at(r + 24);
	b->low_e9 = price_at(r + 32);
	b->close_e9 = price_at(r + 40);
	if (b->open_e9 == VALUE_NULL || b->high_e9 == VALUE_NULL ||
	    b->low_e9 == VALUE_NULL || b->close_e9 == VALUE_NULL)
		return empty(d);
	volume = dbn_i64(r + 48);
	if (volume == -1)
		b->volume_e8 = VALUE_NULL;
	else if (volume < 0 || volume > INT64_MAX / SIZE_E8)
		return bad(d, sink, "its volume is beyond 92 billion");
	else
		b->volume_e8 = volume * SIZE_E8;
	rc = channel_of(d, sink, r, b->start_ns, &c);
	if (!c)
		return rc;
	memcpy(d->bar.symbol, c->symbol, SYMBOL_MAX);
	d->bar.step_s = steps_s[r[1] - DBN_RTYPE_OHLCV_1S];
	d->counts.bars++;
	return sink->bar ? sink->bar(sink->arg, &d->bar) : 0;
}

/*
 * "The instrument of the header is called so": the symbol it was asked for by and the
 * one that came out of it, which is its own name unless it is a number.
 */
static int take_mapping(struct dbn *d, const uint8_t *r, size_t len)
{
	bool is_long = len >= 176;
	size_t max = is_long ? 71 : 22, n;
	const uint8_t *in = r + (is_long ? 17 : 16), *out = r + (is_long ? 89 : 38);
	uint32_t number;

	d->counts.told++;
	n = dbn_text_len(out, max);
	if (n == 0 || dbn_number(out, n, &number)) {
		out = in;
		n = dbn_text_len(out, max);
	}
	return dbn_symbols_set(d->symbols, dbn_u32(r + 4), (const char *)out, n);
}

static int take_message(struct dbn *d, const struct dbn_sink *sink, const uint8_t *r,
			size_t len)
{
	struct dbn_message m = {.is_error = r[1] == DBN_RTYPE_ERROR,
				.code = DBN_CODE_NONE};
	bool is_long = len >= 320;
	size_t max = !is_long ? 64 : m.is_error ? 302 : 303;

	d->counts.told++;
	if (is_long)
		m.code = r[m.is_error ? 318 : 319];
	max = dbn_text_len(r + 16, max);
	for (size_t i = 0; i < max; i++) {
		uint8_t c = r[16 + i];

		m.text[i] = c < ' ' || c > '~' ? '?' : (char)c;
	}
	if (!is_long && !m.is_error && strcmp(m.text, "Heartbeat") == 0)
		m.code = DBN_HEARTBEAT;
	return sink->message ? sink->message(sink->arg, &m) : 0;
}

static int too_short(const struct dbn *d, const uint8_t *r, size_t len)
{
	return err_set(-EBADMSG,
		       "DBN record %llu, which ends at byte %llu, is %zu bytes long; "
		       "those of kind 0x%02x have %u",
		       (unsigned long long)d->counts.records,
		       (unsigned long long)d->counts.bytes, len, r[1], bytes_min[r[1]]);
}

int dbn_record(struct dbn *d, const struct dbn_sink *sink, const uint8_t *r, size_t len)
{
	static const struct place trade = {DBN_KIND_TRADE, 32, 44, false},
				  mbo = {DBN_KIND_TRADE, 40, 52, false},
				  book = {DBN_KIND_QUOTE, 32, 44, false},
				  timed = {DBN_KIND_QUOTE, 32, 44, true},
				  joined = {DBN_KIND_QUOTE, 32, 0, false},
				  joined_timed = {DBN_KIND_QUOTE, 32, 0, true};

	d->counts.records++;
	d->counts.bytes += len;
	d->by_rtype[r[1]]++;
	if (len < bytes_min[r[1]])
		return too_short(d, r, len);
	switch (r[1]) {
	case DBN_RTYPE_TRADE:
		return take_trade(d, sink, r, 16, &trade);
	case DBN_RTYPE_MBO:
		return r[38] == ACTION_TRADE ? take_trade(d, sink, r, 24, &mbo)
					     : skip(d);
	case DBN_RTYPE_MBP_1:
	case DBN_RTYPE_MBP_10:
		return take_book(d, sink, r, &book);
	case DBN_RTYPE_BBO_1S:
	case DBN_RTYPE_BBO_1M:
		return take_book(d, sink, r, &timed);
	case DBN_RTYPE_CMBP_1:
	case DBN_RTYPE_TCBBO:
		return take_book(d, sink, r, &joined);
	case DBN_RTYPE_CBBO_1S:
	case DBN_RTYPE_CBBO_1M:
		return take_book(d, sink, r, &joined_timed);
	case DBN_RTYPE_STATUS:
		return take_status(d, sink, r);
	case DBN_RTYPE_OHLCV_1S:
	case DBN_RTYPE_OHLCV_1M:
	case DBN_RTYPE_OHLCV_1H:
	case DBN_RTYPE_OHLCV_1D:
		return take_bar(d, sink, r);
	case DBN_RTYPE_MAPPING:
		return take_mapping(d, r, len);
	case DBN_RTYPE_ERROR:
	case DBN_RTYPE_SYSTEM:
		return take_message(d, sink, r, len);
	default:
		return skip(d);
	}
}
