/*
 * dbn_metadata - the front of a DBN stream: what it is and what its numbers are called.
 * Every length and every count is held against the bytes that are there.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/timetext.h"
#include "feeds/dbn_parts.h"
#include <errno.h>
#include <stdio.h>

#define FIXED_BYTES      100 /* up to the length of the schema definition */
#define SYMBOL_BYTES_V1  22
#define SYMBOL_BYTES_MAX 255
#define STYPE_INSTRUMENT 0 /* the stream was asked for by number */
/* Years whose every instant is an int64 of nanoseconds. */
#define YEAR_MIN 1678
#define YEAR_MAX 2261

static const char *const schema_names[] = {
	"mbo",        "mbp-1",    "mbp-10",    "tbbo",      "trades",
	"ohlcv-1s",   "ohlcv-1m", "ohlcv-1h",  "ohlcv-1d",  "definition",
	"statistics", "status",   "imbalance", "ohlcv-eod", "cmbp-1",
	"cbbo-1s",    "cbbo-1m",  "tcbbo",     "bbo-1s",    "bbo-1m",
};

enum { SCHEMA_OHLCV_1S = 5, SCHEMA_OHLCV_1D = 8, SCHEMA_OHLCV_EOD = 13 };

const char *dbn_schema_name(uint16_t schema, char out[16])
{
	if (schema < sizeof(schema_names) / sizeof(*schema_names))
		return schema_names[schema];
	if (schema == DBN_SCHEMA_MIXED)
		return "mixed";
	(void)snprintf(out, 16, "schema %u", schema);
	return out;
}

bool dbn_schema_is_bars(uint16_t schema)
{
	return (schema >= SCHEMA_OHLCV_1S && schema <= SCHEMA_OHLCV_1D) ||
	       schema == SCHEMA_OHLCV_EOD;
}

/* What is left of the metadata. */
struct cursor {
	const uint8_t *at, *end;
	size_t symbol_bytes;
};

static bool take_u32(struct cursor *c, uint32_t *out)
{
	if (c->end - c->at < 4)
		return false;
	*out = dbn_u32(c->at);
	c->at += 4;
	return true;
}

/* A count of things of @size bytes each, all of which must be there. */
static int take_count(struct cursor *c, const char *what, size_t size, uint32_t *out)
{
	if (!take_u32(c, out))
		return err_set(-EBADMSG,
			       "the DBN metadata ends before the number of %s", what);
	if (*out > (size_t)(c->end - c->at) / size)
		return err_set(
			-EBADMSG,
			"the DBN metadata says it has %u %s, which its length has "
			"no room for",
			*out, what);
	return 0;
}

/* 20201228 to its first instant in UTC; what no int64 holds is the end of time. */
static bool date_ns(uint32_t date, int64_t *out)
{
	unsigned day = date % 100, month = date / 100 % 100;
	uint32_t year = date / 10000;

	if (date == UINT32_MAX || year > YEAR_MAX) {
		*out = INT64_MAX;
		return true;
	}
	if (year < YEAR_MIN) {
		*out = INT64_MIN;
		return true;
	}
	if (day < 1 || day > 31 || month < 1 || month > 12)
		return false;
	*out = timetext_days((int)year, month, day) * 86400 * NS_PER_S;
	return true;
}

bool dbn_number(const uint8_t *text, size_t len, uint32_t *out)
{
	uint64_t n = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		n = n * 10 + (text[i] - '0');
	}
	*out = (uint32_t)n;
	return n <= UINT32_MAX;
}

static int parse_interval(struct dbn *d, struct cursor *c, const uint8_t *name,
			  bool by_number)
{
	const uint8_t *symbol = c->at + 8;
	size_t name_len = dbn_text_len(name, c->symbol_bytes);
	size_t symbol_len = dbn_text_len(symbol, c->symbol_bytes);
	uint32_t instrument;
	int64_t from_ns, to_ns;

	if (!date_ns(dbn_u32(c->at), &from_ns) || !date_ns(dbn_u32(c->at + 4), &to_ns))
		return err_set(-EBADMSG,
			       "the DBN metadata maps '%.*s' from %u to %u, which are "
			       "no dates",
			       (int)name_len, (const char *)name, dbn_u32(c->at),
			       dbn_u32(c->at + 4));
	c->at += 8 + c->symbol_bytes;
	d->meta.n_mappings++;
	/* A symbol that was nothing in this interval has an empty number. */
	if (by_number && dbn_number(name, name_len, &instrument))
		dbn_symbols_add(d->symbols, instrument, from_ns, to_ns,
				(const char *)symbol, symbol_len);
	else if (!by_number && dbn_number(symbol, symbol_len, &instrument))
		dbn_symbols_add(d->symbols, instrument, from_ns, to_ns,
				(const char *)name, name_len);
	return 0;
}

static int parse_mappings(struct dbn *d, struct cursor *c, bool by_number)
{
	uint32_t n = 0, intervals = 0;
	int rc = take_count(c, "mappings", c->symbol_bytes + 4, &n);

	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		const uint8_t *name = c->at;

		if ((size_t)(c->end - c->at) < c->symbol_bytes)
			return err_set(-EBADMSG,
				       "the DBN metadata ends inside mapping %u of %u",
				       i + 1, n);
		c->at += c->symbol_bytes;
		rc = take_count(c, "intervals of a mapping", 8 + c->symbol_bytes,
				&intervals);
		while (rc == 0 && intervals-- > 0)
			rc = parse_interval(d, c, name, by_number);
	}
	if (rc == 0)
		dbn_symbols_sort(d->symbols);
	return rc;
}

static void keep_not_found(struct dbn *d, const struct cursor *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *name = c->at + i * c->symbol_bytes;
		size_t len = dbn_text_len(name, c->symbol_bytes);
		char text[SYMBOL_MAX + 1] = "";

		memcpy(text, name, len < SYMBOL_MAX ? len : SYMBOL_MAX);
		buf_add(&d->not_found, text, sizeof(text));
	}
}

static int parse_lists(struct dbn *d, struct cursor *c)
{
	const struct {
		const char *what;
		uint32_t *out;
	} lists[] = {{"symbols", &d->meta.n_symbols},
		     {"partly resolved symbols", &d->meta.n_partial},
		     {"symbols not found", &d->meta.n_not_found}};

	for (size_t i = 0; i < 3; i++) {
		int rc = take_count(c, lists[i].what, c->symbol_bytes, lists[i].out);

		if (rc < 0)
			return rc;
		if (lists[i].out == &d->meta.n_not_found)
			keep_not_found(d, c, *lists[i].out);
		c->at += *lists[i].out * c->symbol_bytes;
	}
	return 0;
}

int dbn_metadata_parse(struct dbn *d, uint8_t version, const uint8_t *p, size_t len)
{
	struct cursor c = {p + FIXED_BYTES, p + len, SYMBOL_BYTES_V1};
	/* Version 1 has a count of records in front of the types of symbols. */
	const uint8_t *types = p + (version == 1 ? 50 : 42);
	uint32_t definition;
	int rc;

	if (len < FIXED_BYTES + 4)
		return err_set(-EBADMSG,
			       "the DBN metadata is %zu bytes long; %d are the least",
			       len, FIXED_BYTES + 4);
	memcpy(d->meta.dataset, p, 16);
	d->meta.schema = dbn_u16(p + 16);
	d->meta.has_ts_out = types[2] != 0;
	if (version > 1)
		c.symbol_bytes = dbn_u16(types + 3);
	if (c.symbol_bytes < SYMBOL_BYTES_V1 || c.symbol_bytes > SYMBOL_BYTES_MAX)
		return err_set(
			-EBADMSG,
			"the DBN metadata has symbols of %zu bytes; %d to %d are "
			"possible",
			c.symbol_bytes, SYMBOL_BYTES_V1, SYMBOL_BYTES_MAX);
	rc = take_count(&c, "bytes of a schema definition", 1, &definition);
	if (rc < 0)
		return rc;
	c.at += definition;
	rc = parse_lists(d, &c);
	if (rc == 0)
		rc = parse_mappings(d, &c, types[0] == STYPE_INSTRUMENT);
	if (rc == 0)
		d->meta.version = version;
	return rc;
}
