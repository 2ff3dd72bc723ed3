/* verify_rows - see verify_rows.h. */
#include "daemon/verify_rows.h"
#include "base/role.h"
#include <string.h>

#define ROWS_MAX  8u
#define BYTES_MAX ((size_t)512 << 10) /* then no further row is added to a piece */

static int on_row(void *arg, const struct store_batch *b)
{
	struct verify_rows *r = arg;

	if (r->fetched.len == 0 && r->fetched_from != 0)
		r->fetched_from = b->first_pos;
	buf_add(&r->fetched, b->data, b->len);
	return r->fetched.len >= BYTES_MAX;
}

/* The next rows; where some were retired meanwhile, the oldest that are held. */
static int fetch(struct tickstore *ts, void *arg)
{
	struct verify_rows *r = arg;
	int rc;

	role_assert_store();
	r->fetched.len = 0;
	r->fetched_from = 0;
	rc = tickstore_derived_read(ts, r->kind, r->next_id, ROWS_MAX, on_row, r,
				    &r->next_id);
	if (rc != STORE_GONE)
		return rc;
	r->fetched_from = UINT64_MAX; /* on_row() writes the first position held */
	return tickstore_derived_read(ts, r->kind, r->next_id, ROWS_MAX, on_row, r,
				      &r->next_id);
}

struct first_row {
	enum event_kind kind;
	uint64_t pos;
	uint64_t id;
	uint64_t held_from;
};

static int on_first(void *arg, const struct store_batch *b)
{
	((struct first_row *)arg)->held_from = b->first_pos;
	return 1;
}

static int find(struct tickstore *ts, void *arg)
{
	struct first_row *f = arg;
	uint64_t first, next;
	int rc;

	role_assert_store();
	tickstore_derived_range(ts, f->kind, &first, &next);
	if (first > 1) {
		rc = tickstore_derived_read(ts, f->kind, first, 1, on_first, f, NULL);
		if (rc < 0)
			return rc;
	}
	rc = tickstore_derived_find(ts, f->kind, f->pos, &f->id);
	return rc < 0 ? rc : 0;
}

static void start(struct verify_rows *r)
{
	store_access_start(r->access, &r->piece, fetch, r);
	r->is_fetching = true;
}

int verify_rows_open(struct verify_rows *r, const struct store_access *access,
		     enum event_kind kind, uint64_t pos)
{
	struct first_row f = {.kind = kind, .pos = pos};
	int rc = store_access_run(access, find, &f);

	*r = (struct verify_rows){.access = access, .kind = kind};
	if (rc < 0)
		return rc;
	r->next_id = f.id;
	r->held_from = f.held_from;
	row_walk_begin(&r->walk, kind, NULL, 0);
	start(r);
	return 0;
}

void verify_rows_close(struct verify_rows *r)
{
	if (r->is_fetching)
		(void)store_access_wait(&r->piece);
	buf_free(&r->now);
	buf_free(&r->fetched);
	row_walk_deinit(&r->walk);
	*r = (struct verify_rows){0};
}

/* Take over what was fetched and have more fetched. */
static int turn_over(struct verify_rows *r)
{
	struct buf was = r->now;
	int rc;

	if (!r->is_fetching)
		return VERIFY_ROWS_END;
	rc = store_access_wait(&r->piece);
	r->is_fetching = false;
	if (rc < 0)
		return rc;
	if (r->fetched.len == 0)
		return VERIFY_ROWS_END;
	if (r->fetched_from != 0)
		r->held_from = r->fetched_from;
	r->now = r->fetched;
	r->fetched = was;
	row_walk_begin(&r->walk, r->kind, r->now.data, r->now.len);
	start(r);
	return 0;
}

int verify_rows_peek(struct verify_rows *r, const void **out, size_t *out_len)
{
	while (!r->has_event) {
		int rc = r->is_end ? VERIFY_ROWS_END : row_walk_next(&r->walk);

		if (rc == ROW_WALK_END && !r->is_end) {
			rc = turn_over(r);
			r->is_end = rc == VERIFY_ROWS_END;
			if (rc == 0)
				continue;
		}
		if (rc != 0)
			return rc;
		r->has_event = true;
	}
	*out = r->walk.event;
	*out_len = r->walk.len;
	return 0;
}

void verify_rows_step(struct verify_rows *r)
{
	r->has_event = false;
}
