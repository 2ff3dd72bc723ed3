/* histjobs - see histjobs.h. */
#include "store/histjobs.h"
#include "store/histstore_impl.h"

/* "alpaca polygon": names hold no blank. */
static void join_sources(const struct hist_job *j, struct buf *out)
{
	for (size_t i = 0; i < j->n_sources; i++)
		buf_printf(out, "%s%s", i > 0 ? " " : "", j->sources[i]);
}

static void split_sources(const char *text, struct hist_job *j)
{
	j->n_sources = 0;
	while (*text != '\0' && j->n_sources < HISTJOBS_SOURCES_MAX) {
		size_t n = strcspn(text, " ");
		char *to = j->sources[j->n_sources++];

		memcpy(to, text, n < HIST_SOURCE_MAX ? n : HIST_SOURCE_MAX);
		text += n + (text[n] == ' ');
	}
}

static void read_job(struct sq_stmt *st, struct hist_job *j)
{
	char sources[HISTJOBS_SOURCES_MAX * (HIST_SOURCE_MAX + 1)];

	*j = (struct hist_job){.id = sq_u64(st, 0)};
	j->state = (enum histjobs_state)sq_int(st, 1);
	j->created_ns = sq_int(st, 2);
	j->finished_ns = sq_int(st, 3);
	j->what = (enum histjobs_what)sq_int(st, 4);
	hist_text(st, 5, sources, sizeof(sources));
	split_sources(sources, j);
	hist_text(st, 6, j->index, sizeof(j->index));
	j->range = (struct hist_range){sq_int(st, 7), sq_int(st, 8)};
	j->step_s = (uint32_t)sq_u64(st, 9);
	j->adjust = (uint8_t)sq_u64(st, 10);
	j->items = (uint32_t)sq_u64(st, 11);
}

static int add_job(struct histstore *h, struct hist_job *j)
{
	struct sq_stmt *st = hist_stmt(h, SQL_JOB_ADD);
	struct buf sources = {0};
	int rc;

	if (st == NULL)
		return -EBADMSG;
	join_sources(j, &sources);
	sq_bind_int(st, 1, j->created_ns);
	sq_bind_int(st, 2, j->what);
	sq_bind_text(st, 3, buf_text(&sources), sources.len);
	hist_bind_text(st, 4, j->index);
	sq_bind_int(st, 5, j->range.from_ns);
	sq_bind_int(st, 6, j->range.to_ns);
	sq_bind_int(st, 7, j->step_s);
	sq_bind_int(st, 8, j->adjust);
	sq_bind_int(st, 9, j->items);
	rc = sq_step(st);
	if (rc == SQ_ROW) {
		j->id = sq_u64(st, 0);
		rc = sq_run(st);
	}
	buf_free(&sources);
	return rc;
}

uint64_t histjobs_version(const struct histstore *h)
{
	return atomic_load_explicit(&h->jobs_version, memory_order_relaxed);
}

int histjobs_add(struct histstore *h, struct hist_job *j, const char *const *symbols,
		 size_t n)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ITEM_ADD);
	int rc;

	if (st == NULL)
		return -EBADMSG;
	hist_jobs_change(h);
	j->items = (uint32_t)n;
	j->state = JOB_RUNNING;
	rc = add_job(h, j);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		sq_bind_u64(st, 1, j->id);
		sq_bind_u64(st, 2, i + 1);
		hist_bind_text(st, 3, symbols[i]);
		rc = sq_run(st);
		if (rc == 0 && j->index[0] != '\0')
			rc = histstore_index_add(h, j->index, symbols[i],
						 j->created_ns);
	}
	return rc;
}

int histjobs_get(struct histstore *h, uint64_t id, struct hist_job *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_JOB_GET);
	int rc;

	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, id);
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc < 0 ? rc : 1;
	read_job(st, out);
	sq_reset(st);
	return 0;
}

int histjobs_list(struct histstore *h, size_t max, struct buf *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_JOB_LIST);
	struct hist_job j;
	int rc;

	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, max);
	while ((rc = sq_step(st)) == SQ_ROW) {
		read_job(st, &j);
		buf_add(out, &j, sizeof(j));
	}
	return rc;
}

int hist_next_id(struct histstore *h, enum hist_sql sql, uint64_t after,
		 uint64_t *out_id)
{
	struct sq_stmt *st = hist_stmt(h, sql);
	int rc;

	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, after);
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc < 0 ? rc : 1;
	*out_id = sq_u64(st, 0);
	sq_reset(st);
	return 0;
}

int histjobs_next(struct histstore *h, uint64_t after, uint64_t *out_id)
{
	return hist_next_id(h, SQL_JOB_NEXT, after, out_id);
}

int histjobs_finish(struct histstore *h, uint64_t id, enum histjobs_state state,
		    int64_t now_ns)
{
	struct sq_stmt *st = hist_stmt(h, SQL_JOB_SET);

	if (st == NULL)
		return -EBADMSG;
	hist_jobs_change(h);
	sq_bind_int(st, 1, state);
	sq_bind_int(st, 2, now_ns);
	sq_bind_u64(st, 3, id);
	return sq_run(st);
}

int histjobs_cancel_items(struct histstore *h, uint64_t id)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ITEM_CANCEL);

	if (st == NULL)
		return -EBADMSG;
	hist_jobs_change(h);
	sq_bind_u64(st, 1, id);
	return sq_run(st);
}

int histjobs_totals(struct histstore *h, uint64_t id, struct hist_totals *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ITEM_COUNT);
	int rc;

	*out = (struct hist_totals){0};
	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, id);
	while ((rc = sq_step(st)) == SQ_ROW) {
		uint32_t *const of[] = {&out->pending, &out->done, &out->failed,
					&out->cancelled};

		*of[sq_u64(st, 0) & 3] += (uint32_t)sq_u64(st, 1);
		out->rows += sq_u64(st, 2);
		out->requests += sq_u64(st, 3);
	}
	return rc;
}

int histjobs_item_next(struct histstore *h, uint64_t id, uint32_t after,
		       struct hist_item *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ITEM_NEXT);
	int rc;

	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, id);
	sq_bind_int(st, 2, after);
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc < 0 ? rc : 1;
	*out = (struct hist_item){.n = (uint32_t)sq_u64(st, 0)};
	hist_text(st, 1, out->symbol, sizeof(out->symbol));
	sq_reset(st);
	return 0;
}

int histjobs_item_set(struct histstore *h, uint64_t id, const struct hist_item *item)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ITEM_SET);

	if (st == NULL)
		return -EBADMSG;
	hist_jobs_change(h);
	sq_bind_int(st, 1, item->state);
	hist_bind_text(st, 2, item->source);
	sq_bind_u64(st, 3, item->rows);
	sq_bind_int(st, 4, item->requests);
	hist_bind_text(st, 5, item->reason);
	sq_bind_u64(st, 6, id);
	sq_bind_int(st, 7, item->n);
	return sq_run(st);
}

int histjobs_items(struct histstore *h, uint64_t id, uint32_t after,
		   enum histjobs_item state, size_t max, struct buf *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ITEM_LIST);
	struct hist_item item;
	int rc;

	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, id);
	sq_bind_int(st, 2, after);
	sq_bind_int(st, 3, state);
	sq_bind_u64(st, 4, max);
	while ((rc = sq_step(st)) == SQ_ROW) {
		item = (struct hist_item){.n = (uint32_t)sq_u64(st, 0)};
		hist_text(st, 1, item.symbol, sizeof(item.symbol));
		item.state = (enum histjobs_item)sq_int(st, 2);
		hist_text(st, 3, item.source, sizeof(item.source));
		item.rows = sq_u64(st, 4);
		item.requests = (uint32_t)sq_u64(st, 5);
		hist_text(st, 6, item.reason, sizeof(item.reason));
		buf_add(out, &item, sizeof(item));
	}
	return rc;
}

int histjobs_prune(struct histstore *h, uint64_t keep)
{
	static const enum hist_sql tables[] = {SQL_JOB_PRUNE, SQL_ITEM_PRUNE,
					       SQL_ANALYSIS_PRUNE};
	int64_t newest = 0;
	int rc = sq_query_int(h->db, "SELECT max(id) FROM job", &newest);

	if (rc < 0 || newest <= (int64_t)keep)
		return rc;
	for (size_t i = 0; rc == 0 && i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct sq_stmt *st = hist_stmt(h, tables[i]);

		if (st == NULL)
			return -EBADMSG;
		sq_bind_int(st, 1, newest - (int64_t)keep);
		rc = sq_run(st);
	}
	return rc;
}
