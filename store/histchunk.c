/* histchunk - see histchunk.h. */
#include "store/histchunk.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define COLUMNS      8
#define LEVEL        1 /* of zstd */
#define VARINT_MAX   10
#define DIVISOR_MAX  INT64_C(10000000) /* billionths to cents */
#define COLUMN_BYTES ((size_t)VARINT_MAX * COLUMNS)

/* A bar is eight numbers in a row: a column is an index. */
_Static_assert(sizeof(struct hist_bar) == COLUMNS * sizeof(int64_t), "no padding");
_Static_assert(offsetof(struct hist_bar, close_e9) == 4 * sizeof(int64_t), "order");
_Static_assert(offsetof(struct hist_bar, trades) == 7 * sizeof(int64_t), "order");

static int64_t *field(struct hist_bar *b, unsigned column)
{
	return (int64_t *)(void *)b + column;
}

static int64_t value(const struct hist_bar *b, unsigned column)
{
	return ((const int64_t *)(const void *)b)[column];
}

/*
 * What a value is measured from: columns that are written before it, of this bar and
 * the one before.  Wrapping arithmetic, so that every guess can be undone.
 */
static inline uint64_t guess(const struct hist_bar *b, const struct hist_bar *before,
			     const struct hist_bar *before2, unsigned column)
{
	uint64_t step = (uint64_t)before->start_ns - (uint64_t)before2->start_ns;

	switch (column) {
	case 0:
		return (uint64_t)before->start_ns + step;
	case 1: /* closes stand in front of opens: see order */
		return (uint64_t)before->close_e9;
	case 2:
		return (uint64_t)(b->open_e9 > b->close_e9 ? b->open_e9 : b->close_e9);
	case 3:
		return (uint64_t)(b->open_e9 < b->close_e9 ? b->open_e9 : b->close_e9);
	case 4:
		return (uint64_t)before->close_e9;
	case 6:
		return (uint64_t)b->close_e9;
	default:
		return 0;
	}
}

/* A column may be guessed from those in front of it. */
static const unsigned order[COLUMNS] = {0, 4, 1, 2, 3, 6, 5, 7};

/* The largest power of ten that divides every value. */
static int64_t divisor_of(const struct hist_bar *bars, size_t n, unsigned column)
{
	int64_t d = column == 0 ? 1 : DIVISOR_MAX;

	for (size_t i = 0; i < n && d > 1; i++)
		while (value(&bars[i], column) % d != 0)
			d /= 10;
	return d;
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

static const uint8_t *get_varint(const uint8_t *p, const uint8_t *end, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
		uint8_t c = *p++;

		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			*out = v;
			return p;
		}
	}
	return NULL;
}

static uint64_t zigzag(uint64_t v)
{
	return v << 1 ^ (uint64_t) - (int64_t)(v >> 63);
}

static uint64_t unzigzag(uint64_t v)
{
	return v >> 1 ^ (uint64_t) - (int64_t)(v & 1);
}

/* Bars in units of their columns: quotients are exact. */
static void scale(struct hist_bar *bars, size_t n, const int64_t divisor[COLUMNS],
		  bool is_back)
{
	for (unsigned c = 0; c < COLUMNS; c++) {
		if (divisor[c] == 1)
			continue;
		for (size_t i = 0; i < n; i++) {
			int64_t *v = field(&bars[i], c);

			*v = is_back ? (int64_t)((uint64_t)*v * (uint64_t)divisor[c])
				     : *v / divisor[c];
		}
	}
}

/* One divisor for the prices of a chunk, or they could not guess one another. */
static void divisors(const struct hist_bar *bars, size_t n, int64_t out[COLUMNS])
{
	int64_t price = DIVISOR_MAX;

	for (unsigned c = 0; c < COLUMNS; c++)
		out[c] = divisor_of(bars, n, c);
	for (unsigned c = 1; c <= 4; c++)
		price = out[c] < price ? out[c] : price;
	for (unsigned c = 1; c <= 4; c++)
		out[c] = price;
	/* A mean price has its own digits, and is guessed from the close all the same.
	 */
	out[6] = 1;
}

/* What column @c of bar @i is likely to be, from what stands before it: the writer
   keeps the difference, and the reader adds it again. */
static inline uint64_t expected(const struct hist_bar *b, size_t i, unsigned c,
				const int64_t divisor[COLUMNS])
{
	static const struct hist_bar none;
	const struct hist_bar *before = i > 0 ? &b[i - 1] : &none;
	const struct hist_bar *before2 = i > 1 ? &b[i - 2] : before;
	uint64_t v = guess(&b[i], before, before2, c);

	return c == 6 ? v * (uint64_t)divisor[4] : v;
}

void histchunk_columns(const struct hist_bar *bars, size_t n, struct buf *out)
{
	struct buf scaled = {0};
	int64_t divisor[COLUMNS];
	struct hist_bar *b;
	uint8_t *p = buf_reserve(out, (n + 1) * COLUMN_BYTES), *begin = p;

	buf_add(&scaled, bars, n * sizeof(*bars));
	b = (struct hist_bar *)(void *)scaled.data;
	divisors(bars, n, divisor);
	scale(b, n, divisor, false);
	for (unsigned c = 0; c < COLUMNS; c++)
		p = put_varint(p, (uint64_t)divisor[c]);
	for (unsigned k = 0; k < COLUMNS; k++) {
		unsigned c = order[k];

		for (size_t i = 0; i < n; i++) {
			p = put_varint(p, zigzag((uint64_t)*field(&b[i], c) -
						 expected(b, i, c, divisor)));
		}
	}
	out->len += (size_t)(p - begin);
	buf_free(&scaled);
}

static int not_bars(size_t n)
{
	return err_set(-EBADMSG, "the bytes are not those of %zu bars", n);
}

/* Column @c of all bars; where it ends, or NULL: it is damaged.  A branch that knows
   its column costs half of what one costs that asks for every value. */
static inline __attribute__((always_inline)) const uint8_t *
read_column(const uint8_t *p, const uint8_t *end, size_t n, struct hist_bar *b,
	    unsigned c, const int64_t divisor[COLUMNS])
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v = 0;

		/* Most are one byte: differences are small. */
		if (p < end && *p < 0x80)
			v = *p++;
		else if ((p = get_varint(p, end, &v)) == NULL)
			return NULL;
		*field(&b[i], c) = (int64_t)(unzigzag(v) + expected(b, i, c, divisor));
	}
	return p;
}

static const uint8_t *read_any(const uint8_t *p, const uint8_t *end, size_t n,
			       struct hist_bar *b, unsigned c,
			       const int64_t divisor[COLUMNS])
{
	switch (c) {
	case 0:
		return read_column(p, end, n, b, 0, divisor);
	case 1:
		return read_column(p, end, n, b, 1, divisor);
	case 2:
		return read_column(p, end, n, b, 2, divisor);
	case 3:
		return read_column(p, end, n, b, 3, divisor);
	case 4:
		return read_column(p, end, n, b, 4, divisor);
	case 6:
		return read_column(p, end, n, b, 6, divisor);
	default: /* measured from nothing */
		return read_column(p, end, n, b, c, divisor);
	}
}

static int read_columns(const uint8_t *p, size_t len, size_t n, struct hist_bar *b)
{
	const uint8_t *end = p + len;
	int64_t divisor[COLUMNS];
	uint64_t v = 0;

	for (unsigned c = 0; c < COLUMNS; c++) {
		p = get_varint(p, end, &v);
		if (p == NULL || v == 0 || v > (uint64_t)DIVISOR_MAX)
			return not_bars(n);
		divisor[c] = (int64_t)v;
	}
	for (unsigned k = 0; k < COLUMNS && p != NULL; k++)
		p = read_any(p, end, n, b, order[k], divisor);
	if (p != end)
		return not_bars(n);
	scale(b, n, divisor, true);
	return 0;
}

struct histchunk {
	ZSTD_CCtx *pack;    /* owned */
	ZSTD_DCtx *unpack;  /* owned */
	struct buf columns; /* of the chunk at hand */
};

int histchunk_new(struct histchunk **out)
{
	struct histchunk *c = calloc(1, sizeof(*c));

	if (c != NULL) {
		c->pack = ZSTD_createCCtx();
		c->unpack = ZSTD_createDCtx();
	}
	if (c == NULL || c->pack == NULL || c->unpack == NULL) {
		histchunk_free(c);
		return err_set(-ENOMEM, "no memory to pack bars");
	}
	*out = c;
	return 0;
}

void histchunk_free(struct histchunk *c)
{
	if (c == NULL)
		return;
	(void)ZSTD_freeCCtx(c->pack);
	(void)ZSTD_freeDCtx(c->unpack);
	buf_free(&c->columns);
	free(c);
}

int histchunk_encode(struct histchunk *c, const struct hist_bar *bars, size_t n,
		     struct buf *out, enum histchunk_codec *out_codec)
{
	size_t room, packed;

	c->columns.len = 0;
	histchunk_columns(bars, n, &c->columns);
	room = ZSTD_compressBound(c->columns.len);
	packed = ZSTD_compressCCtx(c->pack, buf_reserve(out, room), room,
				   c->columns.data, c->columns.len, LEVEL);
	if (ZSTD_isError(packed))
		return err_set(-ENOMEM, "%zu bars cannot be packed: %s", n,
			       ZSTD_getErrorName(packed));
	*out_codec = packed < c->columns.len ? HISTCHUNK_ZSTD : HISTCHUNK_PLAIN;
	if (*out_codec == HISTCHUNK_ZSTD)
		out->len += packed;
	else
		buf_add(out, c->columns.data, c->columns.len);
	return 0;
}

int histchunk_decode(struct histchunk *c, enum histchunk_codec codec, const void *data,
		     size_t len, size_t n, struct buf *out)
{
	size_t size;
	int rc;

	if (n == 0 || n > HISTCHUNK_BARS_MAX)
		return not_bars(n);
	switch (codec) {
	case HISTCHUNK_ZSTD:
		/* Bounded by what so many bars can be: no chunk is a bomb. */
		size = (n + 1) * COLUMN_BYTES;
		c->columns.len = 0;
		size = ZSTD_decompressDCtx(c->unpack, buf_reserve(&c->columns, size),
					   size, data, len);
		if (ZSTD_isError(size))
			return not_bars(n);
		data = c->columns.data;
		len = size;
		break;
	case HISTCHUNK_PLAIN:
		break;
	default:
		return err_set(-EBADMSG, "packing %d of a chunk is unknown",
			       (int)codec);
	}
	rc = read_columns(data, len, n,
			  (struct hist_bar *)(void *)buf_reserve(
				  out, n * sizeof(struct hist_bar)));
	if (rc == 0)
		out->len += n * sizeof(struct hist_bar);
	return rc;
}
