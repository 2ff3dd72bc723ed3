/*
 * histstore_cover - which ranges of a series are complete.
 *
 * Rows of a series do not overlap.  A new range takes the place of what it overlaps;
 * what of an older row lies outside of it stays, with its own time.
 */
#include "base/clock.h"
#include "store/histstore_impl.h"

#define SAME_NS (3600 * NS_PER_S) /* fetched so close together is fetched at once */

struct span {
	struct hist_range r;
	int64_t fetched_ns;
};

static uint32_t span_crc(int64_t series, const struct span *s)
{
	uint32_t crc = rowcrc_u64(rowcrc_begin(0, 'v'), (uint64_t)series);

	crc = rowcrc_u64(crc, (uint64_t)s->r.from_ns);
	crc = rowcrc_u64(crc, (uint64_t)s->r.to_ns);
	return rowcrc_u64(crc, (uint64_t)s->fetched_ns);
}

/* Spans that overlap or touch @r; a damaged one counts as none. */
static int list(struct histstore *h, int64_t series, const struct hist_range *r,
		struct buf *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_COVER_LIST);
	int rc;

	if (st == NULL)
		return -EBADMSG;
	sq_bind_int(st, 1, series);
	sq_bind_int(st, 2, r->to_ns);
	sq_bind_int(st, 3, r->from_ns);
	while ((rc = sq_step(st)) == SQ_ROW) {
		struct span s = {{sq_int(st, 0), sq_int(st, 1)}, sq_int(st, 2)};

		if (sq_u64(st, 3) == span_crc(series, &s))
			buf_add(out, &s, sizeof(s));
	}
	return rc;
}

static int add(struct histstore *h, int64_t series, const struct span *s)
{
	struct sq_stmt *st = hist_stmt(h, SQL_COVER_ADD);

	if (s->r.from_ns >= s->r.to_ns)
		return 0;
	if (st == NULL)
		return -EBADMSG;
	sq_bind_int(st, 1, series);
	sq_bind_int(st, 2, s->r.from_ns);
	sq_bind_int(st, 3, s->r.to_ns);
	sq_bind_int(st, 4, s->fetched_ns);
	sq_bind_int(st, 5, span_crc(series, s));
	return sq_run(st);
}

static int delete_all(struct histstore *h, int64_t series, const struct span *s,
		      size_t n)
{
	struct sq_stmt *st = hist_stmt(h, SQL_COVER_DEL);
	int rc = st == NULL ? -EBADMSG : 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		sq_bind_int(st, 1, series);
		sq_bind_int(st, 2, s[i].r.from_ns);
		rc = sq_run(st);
	}
	return rc;
}

static int64_t lower(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t higher(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool is_same_time(const struct span *a, const struct span *b)
{
	return higher(a->fetched_ns, b->fetched_ns) -
		       lower(a->fetched_ns, b->fetched_ns) <
	       SAME_NS;
}

/* The parts of @old outside of @s: stored, or taken into @s when as old. */
static int keep_outside(struct histstore *h, int64_t series, const struct span *old,
			struct span *s)
{
	struct span left = *old, right = *old;
	int rc = 0;

	left.r.to_ns = lower(old->r.to_ns, s->r.from_ns);
	right.r.from_ns = higher(old->r.from_ns, s->r.to_ns);
	if (left.r.from_ns < left.r.to_ns) {
		if (is_same_time(&left, s)) {
			s->r.from_ns = left.r.from_ns;
			s->fetched_ns = lower(s->fetched_ns, left.fetched_ns);
		} else {
			rc = add(h, series, &left);
		}
	}
	if (rc == 0 && right.r.from_ns < right.r.to_ns) {
		if (is_same_time(&right, s)) {
			s->r.to_ns = right.r.to_ns;
			s->fetched_ns = lower(s->fetched_ns, right.fetched_ns);
		} else {
			rc = add(h, series, &right);
		}
	}
	return rc;
}

int histstore_cover(struct histstore *h, const struct hist_series *s,
		    const struct hist_range *r, int64_t fetched_ns)
{
	struct span fresh = {*r, fetched_ns};
	struct buf old = {0};
	struct hist_row row;
	const struct span *at;
	size_t n;
	int rc;

	if (r->from_ns >= r->to_ns)
		return 0;
	rc = hist_row_make(h, s, &row);
	if (rc == 0)
		rc = list(h, row.id, r, &old);
	at = (const struct span *)(void *)old.data;
	n = old.len / sizeof(*at);
	if (rc == 0)
		rc = delete_all(h, row.id, at, n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = keep_outside(h, row.id, &at[i], &fresh);
	if (rc == 0)
		rc = add(h, row.id, &fresh);
	buf_free(&old);
	return rc;
}

int hist_uncover(struct histstore *h, int64_t series, const struct hist_range *r)
{
	struct buf old = {0};
	const struct span *at;
	size_t n;
	int rc = list(h, series, r, &old);

	at = (const struct span *)(void *)old.data;
	n = old.len / sizeof(*at);
	if (rc == 0)
		rc = delete_all(h, series, at, n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct span left = at[i], right = at[i];

		left.r.to_ns = lower(left.r.to_ns, r->from_ns);
		right.r.from_ns = higher(right.r.from_ns, r->to_ns);
		rc = add(h, series, &left);
		if (rc == 0)
			rc = add(h, series, &right);
	}
	buf_free(&old);
	return rc;
}

int histstore_missing(struct histstore *h, const struct hist_series *s,
		      const struct hist_range *r, int64_t since_ns, struct buf *out)
{
	struct hist_range hole = {r->from_ns, 0};
	struct buf spans = {0};
	struct hist_row row;
	const struct span *at;
	int rc = hist_row_find(h, s, &row);

	if (rc == 0)
		rc = list(h, row.id, r, &spans);
	at = (const struct span *)(void *)spans.data;
	for (size_t i = 0; rc == 0 && i < spans.len / sizeof(*at); i++) {
		if (at[i].fetched_ns < since_ns)
			continue;
		hole.to_ns = lower(at[i].r.from_ns, r->to_ns);
		if (hole.from_ns < hole.to_ns)
			buf_add(out, &hole, sizeof(hole));
		hole.from_ns = higher(hole.from_ns, at[i].r.to_ns);
	}
	hole.to_ns = r->to_ns;
	if (rc >= 0 && hole.from_ns < hole.to_ns)
		buf_add(out, &hole, sizeof(hole));
	buf_free(&spans);
	return rc < 0 ? rc : 0;
}

int histstore_covered(struct histstore *h, const struct hist_series *s, struct buf *out)
{
	const struct hist_range ever = {INT64_MIN, INT64_MAX};
	struct buf spans = {0};
	struct hist_row row;
	const struct span *at;
	int rc = hist_row_find(h, s, &row);

	if (rc == 0)
		rc = list(h, row.id, &ever, &spans);
	at = (const struct span *)(void *)spans.data;
	for (size_t i = 0; rc == 0 && i < spans.len / sizeof(*at); i++)
		buf_add(out, &at[i].r, sizeof(at[i].r));
	buf_free(&spans);
	return rc < 0 ? rc : 0;
}
