/* histanalysis - see histanalysis.h. */
#include "store/histanalysis.h"
#include "store/histstore_impl.h"

int histanalysis_add(struct histstore *h, const struct hist_analysis *a,
		     const struct buf *words, const struct buf *holdings)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ANALYSIS_ADD);

	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, a->job);
	hist_bind_text(st, 2, a->format);
	sq_bind_text(st, 3, (const char *)words->data, words->len);
	sq_bind_text(st, 4, (const char *)holdings->data, holdings->len);
	return sq_run(st);
}

int histanalysis_get(struct histstore *h, uint64_t job, struct hist_analysis *out)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ANALYSIS_GET);
	int rc;

	*out = (struct hist_analysis){.job = job};
	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, job);
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc < 0 ? rc : 1;
	hist_text(st, 0, out->format, sizeof(out->format));
	out->bytes = sq_u64(st, 1);
	out->tries = (uint32_t)sq_u64(st, 2);
	hist_text(st, 3, out->why, sizeof(out->why));
	sq_reset(st);
	return 0;
}

int histanalysis_order(struct histstore *h, uint64_t job, struct buf *words,
		       struct buf *holdings)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ANALYSIS_ORDER);
	struct buf *const to[] = {words, holdings};
	int rc;

	if (st == NULL)
		return -EBADMSG;
	sq_bind_u64(st, 1, job);
	rc = sq_step(st);
	if (rc != SQ_ROW)
		return rc < 0 ? rc : 1;
	for (int i = 0; i < 2; i++) {
		size_t len;
		const char *text = sq_blob(st, i, &len);

		if (to[i] != NULL)
			buf_add(to[i], text, len);
	}
	sq_reset(st);
	return 0;
}

int histanalysis_set(struct histstore *h, const struct hist_analysis *a)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ANALYSIS_SET);

	if (st == NULL)
		return -EBADMSG;
	hist_jobs_change(h);
	sq_bind_u64(st, 1, a->bytes);
	sq_bind_int(st, 2, a->tries);
	hist_bind_text(st, 3, a->why);
	sq_bind_u64(st, 4, a->job);
	return sq_run(st);
}

int histanalysis_next(struct histstore *h, uint64_t after, uint64_t *out_id)
{
	return hist_next_id(h, SQL_ANALYSIS_NEXT, after, out_id);
}

int histanalysis_reset(struct histstore *h, uint64_t job)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ITEM_RESET);

	if (st == NULL)
		return -EBADMSG;
	hist_jobs_change(h);
	sq_bind_u64(st, 1, job);
	return sq_run(st);
}

int histanalysis_fail_items(struct histstore *h, uint64_t job, const char *why)
{
	struct sq_stmt *st = hist_stmt(h, SQL_ITEM_FAIL);

	if (st == NULL)
		return -EBADMSG;
	hist_jobs_change(h);
	hist_bind_text(st, 1, why);
	sq_bind_u64(st, 2, job);
	return sq_run(st);
}
