/*
 * dbn - the framing: metadata gathered, records found where they lie, a record that a
 * piece ends in put together in `carry`.
 */
#include "feeds/dbn.h"
#include "base/err.h"
#include "feeds/dbn_parts.h"
#include <errno.h>
#include <stdlib.h>

#define VERSION_MAX 3

static struct feed_tick nothing(void)
{
	return (struct feed_tick){.rec = {.type = RECORD_TICK,
					  .price_e9 = VALUE_NULL,
					  .size_e8 = VALUE_NULL,
					  .bid_e9 = VALUE_NULL,
					  .ask_e9 = VALUE_NULL,
					  .bid_size_e8 = VALUE_NULL,
					  .ask_size_e8 = VALUE_NULL}};
}

int dbn_new(const struct dbn_params *p, struct dbn **out)
{
	struct dbn *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return err_set(-ENOMEM, "no memory for a DBN reader");
	rc = dbn_symbols_new(DBN_INSTRUMENTS_MAX, &d->symbols);
	if (rc < 0) {
		free(d);
		return rc;
	}
	if (p->symbol)
		dbn_symbols_all(d->symbols, p->symbol);
	d->take = p->take;
	d->has_metadata = p->is_fragment;
	d->trade = d->quote = d->status = nothing();
	d->bar.bar.vwap_e9 = d->bar.bar.trades = VALUE_NULL;
	*out = d;
	return 0;
}

void dbn_free(struct dbn *d)
{
	if (!d)
		return;
	dbn_symbols_free(d->symbols);
	buf_free(&d->head);
	buf_free(&d->not_found);
	free(d);
}

const struct dbn_metadata *dbn_metadata(const struct dbn *d)
{
	return &d->meta;
}

const struct dbn_counts *dbn_counts(const struct dbn *d)
{
	return &d->counts;
}

uint64_t dbn_count_of(const struct dbn *d, uint8_t rtype)
{
	return d->by_rtype[rtype];
}

bool dbn_not_found(const struct dbn *d, uint32_t i, char out[SYMBOL_MAX + 1])
{
	if (i >= d->meta.n_not_found)
		return false;
	memcpy(out, d->not_found.data + (size_t)i * (SYMBOL_MAX + 1), SYMBOL_MAX + 1);
	return true;
}

int dbn_name(struct dbn *d, uint32_t instrument, const char *symbol, size_t len)
{
	return dbn_symbols_set(d->symbols, instrument, symbol, len);
}

/* The eight bytes in front: how long the metadata behind them is. */
static int prefix(const uint8_t *p, size_t *out_len)
{
	uint32_t len = dbn_u32(p + 4);

	if (memcmp(p, "DBN", 3) != 0)
		return err_set(-EBADMSG,
			       "this is no DBN: it begins with bytes %02x %02x %02x",
			       p[0], p[1], p[2]);
	if (p[3] < 1 || p[3] > VERSION_MAX)
		return err_set(-EBADMSG, "DBN version %u is not known; 1 to %d are",
			       p[3], VERSION_MAX);
	if (len > DBN_METADATA_MAX)
		return err_set(-EBADMSG,
			       "the DBN metadata says it is %u bytes long; %u are the "
			       "most",
			       len, DBN_METADATA_MAX);
	*out_len = len;
	return 0;
}

/* Add to `head` until it holds @want bytes; what is not there is not waited for. */
static void gather(struct dbn *d, size_t want, const uint8_t *data, size_t len,
		   size_t *at)
{
	size_t n = want - d->head.len;

	if (n > len - *at)
		n = len - *at;
	buf_add(&d->head, data + *at, n);
	*at += n;
}

/* 0: go on, with has_metadata or without more bytes to read. */
static int take_metadata(struct dbn *d, const uint8_t *data, size_t len, size_t *at)
{
	size_t n;
	int rc;

	if (d->head.len < DBN_PREFIX_BYTES)
		gather(d, DBN_PREFIX_BYTES, data, len, at);
	if (d->head.len < DBN_PREFIX_BYTES)
		return 0;
	rc = prefix(d->head.data, &n);
	if (rc < 0)
		return rc;
	/* All in this piece, as almost always: read it where it lies. */
	if (d->head.len == DBN_PREFIX_BYTES && len - *at >= n) {
		rc = dbn_metadata_parse(d, d->head.data[3], data + *at, n);
		*at += n;
	} else {
		gather(d, DBN_PREFIX_BYTES + n, data, len, at);
		if (d->head.len < DBN_PREFIX_BYTES + n)
			return 0;
		rc = dbn_metadata_parse(d, d->head.data[3],
					d->head.data + DBN_PREFIX_BYTES, n);
	}
	d->has_metadata = rc == 0;
	d->counts.bytes = DBN_PREFIX_BYTES + n;
	buf_free(&d->head);
	return rc;
}

/* The bytes of the record that begins with @first; 0 and a sentence: it is none. */
static size_t record_len(const struct dbn *d, uint8_t first)
{
	size_t n = (size_t)first * 4;

	if (n >= DBN_HEADER_BYTES)
		return n;
	(void)err_set(
		-EBADMSG,
		"DBN record %llu at byte %llu has length %zu; its header alone has "
		"%d",
		(unsigned long long)d->counts.records + 1,
		(unsigned long long)d->counts.bytes, n, DBN_HEADER_BYTES);
	return 0;
}

/* Complete the record in `carry` and hand it on. */
static int take_carried(struct dbn *d, const struct dbn_sink *sink, const uint8_t *data,
			size_t len, size_t *at)
{
	size_t n = record_len(d, d->carry[0]), more = n - d->carry_len;

	if (more > len - *at)
		more = len - *at;
	memcpy(d->carry + d->carry_len, data + *at, more);
	d->carry_len += more;
	*at += more;
	if (d->carry_len < n)
		return 0;
	d->carry_len = 0;
	return dbn_record(d, sink, d->carry, n);
}

static int take_records(struct dbn *d, const struct dbn_sink *sink, const uint8_t *data,
			size_t len, size_t *at)
{
	int rc = 0;

	if (d->carry_len > 0)
		rc = take_carried(d, sink, data, len, at);
	while (rc == 0 && *at < len) {
		size_t n = record_len(d, data[*at]);

		if (n == 0)
			return -EBADMSG;
		if (n > len - *at) {
			d->carry_len = len - *at;
			memcpy(d->carry, data + *at, d->carry_len);
			*at = len;
			return 0;
		}
		rc = dbn_record(d, sink, data + *at, n);
		*at += n;
	}
	return rc;
}

int dbn_read(struct dbn *d, const struct dbn_sink *sink, const void *data, size_t len,
	     size_t *out_used)
{
	int rc = 0;

	*out_used = 0;
	if (d->is_broken)
		return err_set(-EBADMSG, "the DBN stream broke before");
	if (!d->has_metadata)
		rc = take_metadata(d, data, len, out_used);
	if (rc == 0 && d->has_metadata)
		rc = take_records(d, sink, data, len, out_used);
	if (rc == -EBADMSG)
		d->is_broken = true;
	return rc;
}

int dbn_end(struct dbn *d)
{
	if (d->is_broken)
		return err_set(-EBADMSG, "the DBN stream broke before");
	if (!d->has_metadata)
		return err_set(-EBADMSG,
			       "the DBN data is cut off: it ends inside the metadata, "
			       "after %zu bytes",
			       d->head.len);
	if (d->carry_len > 0)
		return err_set(-EBADMSG,
			       "the DBN data is cut off: it ends inside record %llu, "
			       "which begins at byte %llu, after %zu of its %u bytes",
			       (unsigned long long)d->counts.records + 1,
			       (unsigned long long)d->counts.bytes, d->carry_len,
			       d->carry[0] * 4u);
	return 0;
}
