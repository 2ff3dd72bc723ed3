/*
 * histstore_bars - chunks: found by series and number in time, merged, checked.
 *
 *	id = series << 20 | (number + 2^19)
 *
 * The number counts days, months or decades from 1970, by the series' step.  The
 * years 1678 to 2261 that nanoseconds can name have days -106752 to 106751.
 */
#include "base/clock.h"
#include "base/timetext.h"
#include "store/histchunk.h"
#include "store/histstore_impl.h"
#include <inttypes.h>
#include <stdio.h>

#define NUMBER_BITS 20
#define NUMBER_ZERO (INT64_C(1) << (NUMBER_BITS - 1))
#define DAY_NS      (86400 * NS_PER_S)
#define DAY_STEPS   300 /* seconds; longer steps have months */

static int64_t day_of(int64_t ns)
{
	return ns / DAY_NS - (ns % DAY_NS < 0);
}

static int64_t number_of(uint32_t step_s, int64_t ns)
{
	int64_t day = day_of(ns);
	unsigned month, mday;
	int year;

	if (step_s < DAY_STEPS)
		return day;
	timetext_civil(day, &year, &month, &mday);
	if (step_s < 86400)
		return (year - 1970) * INT64_C(12) + month - 1;
	return year / 10 - 197;
}

static int64_t start_of(uint32_t step_s, int64_t number)
{
	int64_t months = number + INT64_C(1970) * 12, day = number;
	int64_t ns;

	if (step_s >= 86400)
		day = timetext_days((int)(number + 197) * 10, 1, 1);
	else if (step_s >= DAY_STEPS)
		day = timetext_days((int)(months / 12), (unsigned)(months % 12) + 1, 1);
	/* The first and the last chunk reach beyond what nanoseconds can name. */
	if (__builtin_mul_overflow(day, DAY_NS, &ns))
		return day < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static int64_t id_of(const struct hist_row *row, int64_t number)
{
	return row->id << NUMBER_BITS | (number + NUMBER_ZERO);
}

static int64_t number_in(int64_t id)
{
	return (id & ((INT64_C(1) << NUMBER_BITS) - 1)) - NUMBER_ZERO;
}

static struct hist_range range_of(const struct hist_row *row, int64_t id)
{
	int64_t number = number_in(id);

	return (struct hist_range){start_of(row->series.step_s, number),
				   start_of(row->series.step_s, number + 1)};
}

static uint32_t chunk_crc(int64_t id, uint64_t n, uint64_t codec, const void *data,
			  size_t len)
{
	uint32_t crc = rowcrc_u64(rowcrc_begin(0, 'k'), (uint64_t)id);

	crc = rowcrc_u64(rowcrc_u64(crc, n), codec);
	return rowcrc_bytes(crc, data, len);
}

/* Remove the row; its totals leave @row with it. */
static int delete_chunk(struct histstore *h, struct hist_row *row, int64_t id)
{
	struct sq_stmt *st = hist_stmt(h, SQL_CHUNK_DEL);
	int rc;

	if (st == NULL)
		return -EBADMSG;
	sq_bind_int(st, 1, id);
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc;
	row->bars -= sq_u64(st, 0) < row->bars ? sq_u64(st, 0) : row->bars;
	row->bytes -= sq_u64(st, 1) < row->bytes ? sq_u64(st, 1) : row->bytes;
	row->chunks -= row->chunks > 0;
	return sq_run(st);
}

/* A damaged chunk is nothing: gone, and asked for again. */
ON_HISTORY static int drop_damaged(struct histstore *h, struct hist_row *row,
				   int64_t id)
{
	struct hist_range r = range_of(row, id);
	bool own = !h->in_transaction;
	char when[TIMETEXT_MAX];
	int rc = own ? histstore_begin(h) : 0;

	if (rc == 0)
		rc = delete_chunk(h, row, id);
	if (rc == 0)
		rc = hist_row_set(h, row);
	if (rc == 0)
		rc = hist_uncover(h, row->id, &r);
	if (own && rc == 0)
		rc = histstore_commit(h);
	else if (own)
		histstore_rollback(h);
	if (rc < 0)
		return rc;
	when[timetext_print(when, r.from_ns)] = '\0';
	h->damaged++;
	(void)snprintf(
		h->damage, sizeof(h->damage),
		"the bars of %s %s at %s were damaged and are to be fetched again",
		row->series.source, row->series.symbol, when);
	return 0;
}

/* Into h->chunk, empty when there is none or none any more. */
ON_HISTORY static int load_chunk(struct histstore *h, struct hist_row *row, int64_t id)
{
	struct sq_stmt *st = hist_stmt(h, SQL_CHUNK_GET);
	bool is_sound = true;
	int rc;

	h->chunk.len = 0;
	if (st == NULL)
		return -EBADMSG;
	sq_bind_int(st, 1, id);
	rc = sq_step(st);
	if (rc == SQ_ROW) {
		uint64_t n = sq_u64(st, 1), codec = sq_u64(st, 2);
		size_t len;
		const void *data = sq_blob(st, 4, &len);

		is_sound = sq_u64(st, 3) == chunk_crc(id, n, codec, data, len) &&
			   histchunk_decode(h->packer, (enum histchunk_codec)codec,
					    data, len, n, &h->chunk) == 0;
		sq_reset(st);
	}
	if (rc < 0)
		return rc;
	return is_sound ? 0 : drop_damaged(h, row, id);
}

/* What load_chunk() found there is replaced. */
static int store_chunk(struct histstore *h, struct hist_row *row, int64_t id,
		       const struct buf *bars)
{
	size_t n = bars->len / sizeof(struct hist_bar);
	struct sq_stmt *st = hist_stmt(h, SQL_CHUNK_PUT);
	enum histchunk_codec codec;
	int rc = h->chunk.len > 0 ? delete_chunk(h, row, id) : 0;

	if (rc < 0 || n == 0)
		return rc;
	if (st == NULL)
		return -EBADMSG;
	h->packed.len = 0;
	rc = histchunk_encode(h->packer,
			      (const struct hist_bar *)(const void *)bars->data, n,
			      &h->packed, &codec);
	if (rc < 0)
		return rc;
	sq_bind_int(st, 1, id);
	sq_bind_u64(st, 2, n);
	sq_bind_int(st, 3, codec);
	sq_bind_int(st, 4, chunk_crc(id, n, codec, h->packed.data, h->packed.len));
	sq_bind_blob(st, 5, h->packed.data, h->packed.len);
	rc = sq_run(st);
	row->bars += n;
	row->bytes += h->packed.len;
	row->chunks++;
	return rc;
}

/* h->chunk and @n new bars into h->merged; how many starts were not there. */
static uint64_t merge(struct histstore *h, const struct hist_bar *bars, size_t n)
{
	const struct hist_bar *old = (const struct hist_bar *)(void *)h->chunk.data;
	size_t n_old = h->chunk.len / sizeof(*old), i = 0, j = 0;
	uint64_t fresh = 0;

	h->merged.len = 0;
	while (i < n_old || j < n) {
		bool take_old =
			j == n || (i < n_old && old[i].start_ns < bars[j].start_ns);

		if (take_old) {
			buf_add(&h->merged, &old[i++], sizeof(*old));
			continue;
		}
		if (i < n_old && old[i].start_ns == bars[j].start_ns)
			i++;
		else
			fresh++;
		buf_add(&h->merged, &bars[j++], sizeof(*bars));
	}
	return fresh;
}

ON_HISTORY static int put_chunk(struct histstore *h, struct hist_row *row,
				const struct hist_bar *bars, size_t n,
				uint64_t *out_new)
{
	int64_t id = id_of(row, number_of(row->series.step_s, bars[0].start_ns));
	int rc = load_chunk(h, row, id);

	if (rc < 0)
		return rc;
	*out_new += merge(h, bars, n);
	if (h->merged.len == h->chunk.len &&
	    memcmp(h->merged.data, h->chunk.data, h->chunk.len) == 0)
		return 0;
	return store_chunk(h, row, id, &h->merged);
}

int histstore_put_bars(struct histstore *h, const struct hist_series *s,
		       const struct hist_bar *bars, size_t n, uint64_t *out_new)
{
	struct hist_row row;
	int rc;

	*out_new = 0;
	for (size_t i = 1; i < n; i++)
		if (bars[i].start_ns <= bars[i - 1].start_ns)
			return err_set(-EINVAL,
				       "the bars of %s %s do not ascend: %" PRId64
				       " ns is followed by %" PRId64 " ns",
				       s->source, s->symbol, bars[i - 1].start_ns,
				       bars[i].start_ns);
	if (n == 0)
		return 0;
	rc = hist_row_make(h, s, &row);
	for (size_t i = 0, j; rc == 0 && i < n; i = j) {
		int64_t number = number_of(s->step_s, bars[i].start_ns);
		int64_t end = start_of(s->step_s, number + 1);

		for (j = i + 1; j < n && bars[j].start_ns < end; j++)
			;
		rc = put_chunk(h, &row, bars + i, j - i, out_new);
	}
	return rc < 0 ? rc : hist_row_set(h, &row);
}

/* The next chunk of @row at or behind @from and up to @to: 0, or 1: none. */
static int next_chunk(struct histstore *h, int64_t from, int64_t to, int64_t *out_id)
{
	struct sq_stmt *st = hist_stmt(h, SQL_CHUNK_RANGE);
	int rc;

	if (st == NULL)
		return -EBADMSG;
	if (from > to)
		return 1;
	sq_bind_int(st, 1, from);
	sq_bind_int(st, 2, to);
	rc = sq_step(st);
	if (rc == SQ_ROW) {
		*out_id = sq_int(st, 0);
		sq_reset(st);
		return 0;
	}
	return rc < 0 ? rc : 1;
}

/* The ids between which the chunks of @r lie. */
static void ids_of(const struct hist_row *row, const struct hist_range *r,
		   int64_t *out_from, int64_t *out_to)
{
	*out_from = id_of(row, number_of(row->series.step_s, r->from_ns));
	*out_to = id_of(row, number_of(row->series.step_s, r->to_ns - 1));
}

int histstore_get_bars(struct histstore *h, const struct hist_series *s,
		       const struct hist_range *r, size_t max, struct buf *out)
{
	struct hist_row row;
	int64_t id, from, to;
	int rc = hist_row_find(h, s, &row);

	if (rc != 0 || r->from_ns >= r->to_ns)
		return rc < 0 ? rc : 0;
	ids_of(&row, r, &from, &to);
	while (max > 0 && (rc = next_chunk(h, from, to, &id)) == 0) {
		const struct hist_bar *bar;
		size_t n;

		rc = load_chunk(h, &row, id);
		if (rc < 0)
			return rc;
		bar = (const struct hist_bar *)(void *)h->chunk.data;
		n = h->chunk.len / sizeof(*bar);
		for (size_t i = 0; i < n && max > 0; i++) {
			if (bar[i].start_ns < r->from_ns || bar[i].start_ns >= r->to_ns)
				continue;
			buf_add(out, &bar[i], sizeof(*bar));
			max--;
		}
		from = id + 1;
	}
	return rc < 0 ? rc : 0;
}

int histstore_each_chunk(struct histstore *h, const struct hist_series *s,
			 int (*fn)(void *arg, const struct hist_range *r, uint32_t sum),
			 void *arg)
{
	struct sq_stmt *st = hist_stmt(h, SQL_CHUNK_SUMS);
	struct hist_row row;
	int rc = hist_row_find(h, s, &row);

	if (rc != 0 || st == NULL)
		return rc > 0 ? 0 : rc < 0 ? rc : -EBADMSG;
	sq_bind_int(st, 1, id_of(&row, -NUMBER_ZERO));
	sq_bind_int(st, 2, id_of(&row, NUMBER_ZERO - 1));
	while ((rc = sq_step(st)) == SQ_ROW) {
		const struct hist_range r = range_of(&row, sq_int(st, 0));

		rc = fn(arg, &r, (uint32_t)sq_u64(st, 1));
		if (rc != 0)
			break;
	}
	sq_reset(st);
	return rc;
}

/* What of the chunk lies outside of @r stays. */
ON_HISTORY static int thin_chunk(struct histstore *h, struct hist_row *row, int64_t id,
				 const struct hist_range *r)
{
	const struct hist_bar *bar;
	int rc = load_chunk(h, row, id);

	if (rc < 0)
		return rc;
	bar = (const struct hist_bar *)(void *)h->chunk.data;
	h->merged.len = 0;
	for (size_t i = 0; i < h->chunk.len / sizeof(*bar); i++)
		if (bar[i].start_ns < r->from_ns || bar[i].start_ns >= r->to_ns)
			buf_add(&h->merged, &bar[i], sizeof(*bar));
	return store_chunk(h, row, id, &h->merged);
}

int histstore_drop(struct histstore *h, const struct hist_series *s,
		   const struct hist_range *r, uint64_t *out_bars)
{
	struct hist_row row;
	uint64_t before;
	int64_t id, from, to;
	int rc = hist_row_find(h, s, &row);

	*out_bars = 0;
	if (rc != 0 || r->from_ns >= r->to_ns)
		return rc < 0 ? rc : 0;
	before = row.bars;
	ids_of(&row, r, &from, &to);
	while ((rc = next_chunk(h, from, to, &id)) == 0) {
		struct hist_range all = range_of(&row, id);

		if (all.from_ns >= r->from_ns && all.to_ns <= r->to_ns)
			rc = delete_chunk(h, &row, id);
		else
			rc = thin_chunk(h, &row, id, r);
		if (rc < 0)
			return rc;
		from = id + 1;
	}
	if (rc >= 0)
		rc = hist_row_set(h, &row);
	if (rc == 0)
		rc = hist_uncover(h, row.id, r);
	*out_bars = before - row.bars;
	return rc;
}

/* 0: there is none. */
ON_HISTORY static int end_chunk(struct histstore *h, const struct hist_row *row,
				bool is_last, int64_t *out)
{
	struct sq_stmt *st = hist_stmt(h, is_last ? SQL_CHUNK_LAST : SQL_CHUNK_FIRST);
	int64_t from = row->id << NUMBER_BITS;
	int rc;

	*out = 0;
	if (st == NULL)
		return -EBADMSG;
	sq_bind_int(st, 1, from);
	sq_bind_int(st, 2, from | ((INT64_C(1) << NUMBER_BITS) - 1));
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc;
	*out = sq_int(st, 0);
	sq_reset(st);
	return 0;
}

/* First bar of the first chunk, last of the last; mostly it is one. */
ON_HISTORY static int find_ends(struct histstore *h, struct hist_row *row,
				struct hist_summary *out)
{
	int64_t held = 0;

	for (int side = 0; side < 2; side++) {
		const struct hist_bar *bar;
		int64_t id;
		int rc = end_chunk(h, row, side, &id);

		if (rc == 0 && id != 0 && id != held)
			rc = load_chunk(h, row, id);
		if (rc < 0 || id == 0 || h->chunk.len == 0)
			return rc;
		held = id;
		bar = (const struct hist_bar *)(void *)h->chunk.data;
		if (side)
			out->last_ns = bar[h->chunk.len / sizeof(*bar) - 1].start_ns;
		else
			out->first_ns = bar[0].start_ns;
	}
	return 0;
}

int histstore_set_currency(struct histstore *h, const struct hist_series *s,
			   const char *currency)
{
	struct hist_row row;
	int rc;

	if (currency[0] == '\0')
		return 0;
	rc = hist_row_make(h, s, &row);
	if (rc < 0 || strcmp(row.currency, currency) == 0)
		return rc;
	(void)snprintf(row.currency, sizeof(row.currency), "%s", currency);
	return hist_row_set(h, &row);
}

int histstore_summary(struct histstore *h, const struct hist_series *s,
		      struct hist_summary *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_COVER_NEWEST);
	struct hist_row row;
	int rc = hist_row_find(h, s, &row);

	*out = (struct hist_summary){.series = *s};
	if (rc != 0)
		return rc;
	if (st == NULL)
		return -EBADMSG;
	rc = find_ends(h, &row, out);
	if (rc < 0)
		return rc;
	out->bars = row.bars;
	out->bytes = row.bytes;
	out->chunks = row.chunks;
	memcpy(out->currency, row.currency, sizeof(out->currency));
	sq_bind_int(st, 1, row.id);
	rc = sq_step(st);
	if (rc == SQ_ROW) {
		out->fetched_ns = sq_int(st, 0);
		sq_reset(st);
	}
	return rc < 0 ? rc : 0;
}
