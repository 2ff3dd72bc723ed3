/*
 * dbn_text - a row's texts by column, then the record that they make: which column lies
 * where in which layout is one table.
 */
#include "feeds/dbn_text.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/timetext.h"
#include "feeds/mapping.h"
#include "proto/json_walk.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CSV_COLUMNS_MAX 1024
/* The longest that is made: mbp-10, of which the first level is filled. */
#define RECORD_BYTES 368

enum layout { LAYOUT_BOOK = 0, LAYOUT_MBO, LAYOUT_BAR, LAYOUT_STATUS, LAYOUTS };

enum type { T_TIME, T_PRICE, T_U64, T_U32, T_U16, T_U8, T_CHAR, T_SYMBOL };

/* at[] 0: the layout does not have it. */
static const struct column {
	const char *name;
	enum type type;
	uint8_t at[LAYOUTS];
} columns[] = {
	{"rtype", T_U8, {1, 1, 1, 1}},         {"symbol", T_SYMBOL, {0}},
	{"publisher_id", T_U16, {2, 2, 2, 2}}, {"instrument_id", T_U32, {4, 4, 4, 4}},
	{"ts_event", T_TIME, {8, 8, 8, 8}},    {"ts_recv", T_TIME, {32, 40, 0, 16}},
	{"price", T_PRICE, {16, 24, 0, 0}},    {"size", T_U32, {24, 32, 0, 0}},
	{"action", T_CHAR, {28, 38, 0, 24}},   {"sequence", T_U32, {44, 52, 0, 0}},
	{"bid_px", T_PRICE, {48, 0, 0, 0}},    {"ask_px", T_PRICE, {56, 0, 0, 0}},
	{"bid_sz", T_U32, {64, 0, 0, 0}},      {"ask_sz", T_U32, {68, 0, 0, 0}},
	{"open", T_PRICE, {0, 0, 16, 0}},      {"high", T_PRICE, {0, 0, 24, 0}},
	{"low", T_PRICE, {0, 0, 32, 0}},       {"close", T_PRICE, {0, 0, 40, 0}},
	{"volume", T_U64, {0, 0, 48, 0}},
};

enum {
	COLUMN_RTYPE = 0,
	COLUMN_SYMBOL = 1,
	COLUMNS = sizeof(columns) / sizeof(*columns)
};

/* The row at hand. */
struct row {
	struct dbn *d;
	const struct dbn_sink *sink;
	bool needs_names;
	uint64_t number; /* from 1 */
	struct mapping_text v[COLUMNS];
	uint32_t named; /* the instrument that was named last, and how */
	char name[SYMBOL_MAX];
	size_t name_len;
};

static int column_of(const char *name, size_t len)
{
	for (int i = 0; i < COLUMNS; i++)
		if (strlen(columns[i].name) == len &&
		    memcmp(columns[i].name, name, len) == 0)
			return i;
	return -1;
}

static int refuse(const struct row *r, const char *what, struct mapping_text v,
		  const char *why)
{
	return err_set(-EBADMSG, "row %llu: %s '%.*s' %s",
		       (unsigned long long)r->number, what,
		       v.len > 40 ? 40 : (int)v.len, v.text ? v.text : "", why);
}

static bool is_digits(struct mapping_text v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.text[i] < '0' || v.text[i] > '9')
			return false;
	return v.len > 0;
}

/* Digits to at most @max. */
static bool get_u64(struct mapping_text v, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (!is_digits(v) || v.len > 20)
		return false;
	for (size_t i = 0; i < v.len; i++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(v.text[i] - '0'), &n))
			return false;
	*out = n;
	return n <= max;
}

static bool get_time(struct mapping_text v, uint64_t *out)
{
	int64_t ns;

	if (is_digits(v))
		return get_u64(v, UINT64_MAX, out);
	if (timetext_parse(v.text, v.len, &ns) != 0)
		return false;
	*out = (uint64_t)ns;
	return true;
}

/* Billionths, or with a point the price itself. */
static bool get_price(struct mapping_text v, uint64_t *out)
{
	unsigned scale = memchr(v.text, '.', v.len) ? 9 : 0;
	int64_t price;

	if (decimal_parse(v.text, v.len, scale, &price) != 0)
		return false;
	*out = (uint64_t)price;
	return true;
}

/* What stands for "undefined": all bits, but for prices. */
static bool get(enum type type, struct mapping_text v, uint64_t *out)
{
	static const uint64_t most[] = {[T_U64] = UINT64_MAX,
					[T_U32] = UINT32_MAX,
					[T_U16] = UINT16_MAX,
					[T_U8] = UINT8_MAX};

	*out = type == T_PRICE ? INT64_MAX : type == T_CHAR ? 'N' : UINT64_MAX;
	if (!v.text || v.len == 0)
		return true;
	switch (type) {
	case T_TIME:
		return get_time(v, out);
	case T_PRICE:
		return get_price(v, out);
	case T_U64:
	case T_U32:
	case T_U16:
	case T_U8:
		return get_u64(v, most[type], out);
	case T_CHAR:
		*out = (uint8_t)v.text[0];
		return v.len == 1;
	case T_SYMBOL:
		break;
	}
	return true;
}

static size_t width(enum type type)
{
	static const size_t widths[] = {
		[T_TIME] = 8, [T_PRICE] = 8, [T_U64] = 8,  [T_U32] = 4,
		[T_U16] = 2,  [T_U8] = 1,    [T_CHAR] = 1, [T_SYMBOL] = 0};

	return widths[type];
}

static enum layout layout_of(uint64_t rtype, size_t *out_len)
{
	*out_len = rtype == DBN_RTYPE_MBP_10 ? RECORD_BYTES : 80;
	if (rtype == DBN_RTYPE_MBO)
		return LAYOUT_MBO;
	if (rtype == DBN_RTYPE_STATUS)
		return LAYOUT_STATUS;
	return rtype >= DBN_RTYPE_OHLCV_1S && rtype <= DBN_RTYPE_OHLCV_1D ? LAYOUT_BAR
									  : LAYOUT_BOOK;
}

/* Symbol mappings and messages have a shape of their own, and no place in such a body.
 */
static bool is_row(uint64_t rtype)
{
	return rtype < DBN_RTYPE_ERROR || rtype > DBN_RTYPE_SYSTEM;
}

static int name_instrument(struct row *r, const uint8_t *record)
{
	struct mapping_text v = r->v[COLUMN_SYMBOL];
	uint32_t instrument;

	memcpy(&instrument, record + 4, sizeof(instrument));
	if (!v.text)
		return r->needs_names ? err_set(-EBADMSG,
						"row %llu has no symbol, and several "
						"were asked "
						"for: map_symbols is missing",
						(unsigned long long)r->number)
				      : 0;
	if (r->named == instrument && r->name_len == v.len &&
	    memcmp(r->name, v.text, v.len) == 0)
		return 0;
	r->named = instrument;
	r->name_len = v.len < SYMBOL_MAX ? v.len : SYMBOL_MAX;
	memcpy(r->name, v.text, r->name_len);
	return dbn_name(r->d, instrument, v.text, v.len);
}

static int finish_row(struct row *r)
{
	uint8_t record[RECORD_BYTES] = {0};
	enum layout layout;
	uint64_t v;
	size_t len;
	int rc;

	if (!r->v[COLUMN_RTYPE].text || !get(T_U8, r->v[COLUMN_RTYPE], &v) ||
	    !is_row(v))
		return refuse(r, "rtype", r->v[COLUMN_RTYPE], "is no kind of row");
	layout = layout_of(v, &len);
	record[0] = (uint8_t)(len / 4);
	for (int i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];
		enum type type = c->type;

		if (c->at[layout] == 0)
			continue;
		if (type == T_CHAR && layout == LAYOUT_STATUS)
			type = T_U16;
		if (!get(type, r->v[i], &v))
			return refuse(r, c->name, r->v[i],
				      type == T_TIME ? "is no time"
						     : "is no number of its kind");
		memcpy(record + c->at[layout], &v, width(type));
	}
	rc = name_instrument(r, record);
	return rc < 0 ? rc : dbn_record(r->d, r->sink, record, len);
}

/* ---- JSON lines ---- */

static void json_value(struct row *r, struct json_walk *w, const struct json_key *k)
{
	int column = column_of(k->text, k->len);
	struct json_token t;

	if (!json_walk_token(w, &t) || column < 0 || t.type == JSON_NULL)
		return;
	if ((t.type != JSON_STRING && t.type != JSON_NUMBER) || t.escaped)
		json_walk_fail(w, "neither text nor number");
	r->v[column] = (struct mapping_text){t.text, t.len};
}

/* The members of an object that holds no other. */
static void json_flat(struct row *r, struct json_walk *w)
{
	struct json_key k;

	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k))
		json_value(r, w, &k);
}

static void json_levels(struct row *r, struct json_walk *w)
{
	bool is_first = true;

	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		if (is_first)
			json_flat(r, w);
		else
			json_walk_skip(w);
		is_first = false;
	}
}

static int json_row(struct row *r, const char *line, size_t len)
{
	struct json_walk w;
	struct json_key k;
	char where[128];

	memset(r->v, 0, sizeof(r->v));
	json_walk_begin(&w, line, len);
	if (!json_walk_object(&w))
		json_walk_fail(&w, "an object is missing");
	while (json_walk_key(&w, &k)) {
		if (json_walk_is(&k, "hd"))
			json_flat(r, &w);
		else if (json_walk_is(&k, "levels"))
			json_levels(r, &w);
		else
			json_value(r, &w, &k);
	}
	if (json_walk_end(&w))
		return finish_row(r);
	json_walk_where(&w, where, sizeof(where));
	return err_set(-EBADMSG, "row %llu cannot be read: %s (%s)",
		       (unsigned long long)r->number, w.why ? w.why : "text follows",
		       where);
}

/* The line at *at without its end; *at moves behind it. */
static struct mapping_text line_at(const char **at, const char *end, bool *is_ended)
{
	const char *from = *at, *nl = memchr(from, '\n', (size_t)(end - from));
	const char *to = nl ? nl : end;

	*is_ended = nl != NULL;
	*at = nl ? nl + 1 : end;
	if (to > from && to[-1] == '\r')
		to--;
	return (struct mapping_text){from, (size_t)(to - from)};
}

int dbn_text_json(struct dbn *d, const struct dbn_sink *sink, bool needs_names,
		  const char *body, size_t len)
{
	struct row r = {.d = d, .sink = sink, .needs_names = needs_names};
	const char *end = body + len;

	while (body < end) {
		bool is_ended;
		struct mapping_text line = line_at(&body, end, &is_ended);
		int rc;

		r.number++;
		if (line.len == 0)
			continue;
		rc = json_row(&r, line.text, line.len);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* ---- CSV ---- */

struct header {
	int column[CSV_COLUMNS_MAX]; /* -1: none of ours */
	size_t n;
};

/* Cut the field off the front of @line. */
static struct mapping_text cut_field(struct mapping_text *line, bool *is_last)
{
	const char *comma = line->len ? memchr(line->text, ',', line->len) : NULL;
	struct mapping_text v = {line->text, line->len};

	*is_last = comma == NULL;
	if (comma) {
		v.len = (size_t)(comma - line->text);
		line->len -= v.len + 1;
		line->text = comma + 1;
	}
	return v;
}

static int csv_header(struct header *h, struct mapping_text line)
{
	bool is_last = false;

	while (!is_last) {
		struct mapping_text v = cut_field(&line, &is_last);

		if (h->n == CSV_COLUMNS_MAX)
			return err_set(-EBADMSG, "the CSV has more than %d columns",
				       CSV_COLUMNS_MAX);
		/* Of the levels of a book the best one is ours. */
		if (v.len > 3 && memcmp(v.text + v.len - 3, "_00", 3) == 0)
			v.len -= 3;
		h->column[h->n++] = column_of(v.text, v.len);
	}
	for (size_t i = 0; i < h->n; i++)
		if (h->column[i] == COLUMN_RTYPE)
			return 0;
	return err_set(-EBADMSG, "the answer is neither DBN, zstd, JSON lines nor CSV "
				 "with a column rtype");
}

static int csv_row(struct row *r, const struct header *h, struct mapping_text line)
{
	bool is_last = false;
	size_t n = 0;

	memset(r->v, 0, sizeof(r->v));
	for (; !is_last && n < h->n; n++) {
		struct mapping_text v = cut_field(&line, &is_last);

		if (h->column[n] >= 0)
			r->v[h->column[n]] = v;
	}
	if (!is_last || n != h->n)
		return err_set(-EBADMSG,
			       "row %llu has %s columns than the header, which has %zu",
			       (unsigned long long)r->number,
			       is_last ? "fewer" : "more", h->n);
	return finish_row(r);
}

int dbn_text_csv(struct dbn *d, const struct dbn_sink *sink, bool needs_names,
		 const char *body, size_t len)
{
	struct row r = {.d = d, .sink = sink, .needs_names = needs_names};
	const char *end = body + len;
	struct header h = {.n = 0};
	bool is_ended = false;
	int rc = csv_header(&h, line_at(&body, end, &is_ended));

	while (rc == 0 && body < end) {
		struct mapping_text line = line_at(&body, end, &is_ended);

		r.number++;
		if (is_ended)
			rc = csv_row(&r, &h, line);
	}
	if (rc == 0 && !is_ended)
		rc = err_set(-EBADMSG, "the CSV is cut off: row %llu has no line end",
			     (unsigned long long)r.number);
	return rc;
}
