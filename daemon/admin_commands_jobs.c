/* admin_commands_jobs - ingest, jobs, job, job_cancel, vendors. */
#include "base/clock.h"
#include "daemon/admin_history.h"
#include "daemon/jobs_plan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading the request ---- */

ON_LOOP static bool add_vendor(struct daemon *d, struct past *p, const char *name)
{
	struct hist_job *j = &p->job;
	const struct feed_vendor *v = feed_thread_vendor(d->feed, name);
	char text[200];

	if (v == NULL || j->n_sources == HISTJOBS_SOURCES_MAX) {
		(void)snprintf(text, sizeof(text),
			       v == NULL ? "there is no vendor '%.40s' in the "
					   "configuration; ask for vendors"
					 : "too many vendors: %.40s",
			       name);
		admin_fail(p->call, "bad_request", text);
		return false;
	}
	(void)snprintf(j->sources[j->n_sources++], sizeof(j->sources[0]), "%s", name);
	return true;
}

/* Those that are named, or every one that can be asked. */
ON_LOOP static bool read_vendors(struct daemon *d, struct past *p,
				 const struct json *request)
{
	const struct json *list = json_get(request, "vendors"), *v = NULL;
	const struct feed_vendor *one;

	while (list != NULL && (v = json_next(list, v, NULL)) != NULL)
		if (!add_vendor(d, p, json_str(v, "")))
			return false;
	for (size_t i = 0; list == NULL && (one = feed_thread_vendor_at(d->feed, i));
	     i++)
		if (one->why[0] == '\0' && !add_vendor(d, p, one->config->name))
			return false;
	if (p->job.n_sources > 0)
		return true;
	admin_fail(p->call, "bad_request", "no vendor can be asked; see vendors");
	return false;
}

/* Is there one that can be asked this at all? */
ON_LOOP static bool can_be_asked(struct daemon *d, struct past *p)
{
	static const enum vendor_what what[] = {[JOB_BARS] = VENDOR_BARS,
						[JOB_NEWS] = VENDOR_NEWS,
						[JOB_ACTIONS] = VENDOR_ACTIONS};
	const char *symbol[] = {(const char *)p->names.data};
	struct vendor_ask ask = {.what = what[p->job.what],
				 .symbols = symbol,
				 .n_symbols = 1,
				 .start_ns = p->job.range.from_ns,
				 .end_ns = p->job.range.to_ns,
				 .step_s = p->job.step_s,
				 .adjust = p->job.adjust};
	struct buf why = {0};
	bool can = false;

	for (size_t i = 0; i < p->job.n_sources; i++) {
		const struct feed_vendor *v =
			feed_thread_vendor(d->feed, p->job.sources[i]);
		struct hist_range piece = jobs_plan_piece(v->ops, &ask, p->job.range);

		ask.end_ns = piece.to_ns;
		if (v->why[0] == '\0' && v->ops->check(&v->settings, &ask) == 0)
			can = true;
		else
			buf_printf(&why, "%s%s: %s", why.len > 0 ? "; " : "",
				   v->config->name,
				   v->why[0] != '\0' ? v->why : err_text());
	}
	if (!can)
		admin_fail(p->call, "bad_request", buf_text(&why));
	buf_free(&why);
	return can;
}

static bool is_index_name(const char *s)
{
	return strlen(s) <= HISTJOBS_INDEX_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(s);
}

ON_LOOP static bool read_job(struct daemon *d, struct past *p,
			     const struct json *request)
{
	static const char *const words[] = {"bars", "news", "actions"};
	const char *what = json_str(json_get(request, "what"), "bars");
	const char *index = json_str(json_get(request, "index"), "");
	int64_t now = clock_wall_ns();
	struct hist_job *j = &p->job;
	size_t k = 0;

	while (k < 3 && strcmp(words[k], what) != 0)
		k++;
	if (k == 3 || !is_index_name(index)) {
		admin_fail(p->call, "bad_request",
			   k == 3 ? "what is not bars, news or actions"
				  : "index is not a name [A-Za-z0-9._-]{1,63}");
		return false;
	}
	j->what = (enum histjobs_what)k;
	j->created_ns = now;
	j->step_s = p->step_s;
	j->adjust = p->adjust;
	(void)snprintf(j->index, sizeof(j->index), "%s", index);
	/* Nothing is known of the future; without an end: what is final by now. */
	j->range = p->range;
	if (j->range.to_ns == INT64_MAX)
		j->range.to_ns =
			jobs_plan_settled(j->step_s, now, d->config.ingest.settle_ns);
	if (j->range.to_ns > now)
		j->range.to_ns = now;
	if (j->range.from_ns == INT64_MIN || j->range.from_ns >= j->range.to_ns) {
		admin_fail(p->call, "bad_request",
			   j->range.from_ns == INT64_MIN
				   ? "start is missing"
				   : "the range begins in the future, or ends before "
				     "it begins");
		return false;
	}
	return true;
}

/* ---- ingest ---- */

void admin_put_totals(struct history_thread *t, struct jsonw *w,
		      const struct hist_job *j)
{
	struct jobs_active active;
	struct hist_totals sum;
	int64_t end = j->finished_ns != 0 ? j->finished_ns : clock_wall_ns();

	if (histjobs_totals(history_store(t), j->id, &sum) < 0)
		sum = (struct hist_totals){0};
	jobs_active(history_jobs(t), j->id, &active);
	jsonw_time(w, "created", j->created_ns);
	if (j->finished_ns != 0)
		jsonw_time(w, "finished", j->finished_ns);
	jsonw_u64(w, "symbols", j->items);
	jsonw_u64(w, "successful", sum.done);
	jsonw_u64(w, "failed", sum.failed);
	jsonw_u64(w, "cancelled", sum.cancelled);
	jsonw_u64(w, "remaining", sum.pending);
	if (j->what < JOB_FEATURES) {
		jsonw_u64(w, "active", active.n);
		jsonw_u64(w, "rows", sum.rows + active.rows);
		jsonw_u64(w, "requests", sum.requests + active.requests);
	}
	jsonw_i64(w, "elapsed_ms", (end - j->created_ns) / NS_PER_MS);
}

ON_HISTORY static void put_fetching(struct jsonw *w, const struct hist_job *j)
{
	jsonw_array(w, "vendors");
	for (size_t i = 0; i < j->n_sources; i++)
		jsonw_str(w, NULL, j->sources[i]);
	jsonw_end(w);
	jsonw_str(w, "index", j->index);
	jsonw_time(w, "start", j->range.from_ns);
	jsonw_time(w, "end", j->range.to_ns);
	jsonw_str(w, "timeframe", past_step_name(j->step_s));
	jsonw_str(w, "adjust", past_adjust_name(j->adjust));
}

ON_HISTORY static void put_job(struct history_thread *t, struct past *p,
			       struct jsonw *w, const struct hist_job *j)
{
	static const char *const states[] = {"running", "done", "cancelled", "failed"};
	static const char *const whats[] = {"bars", "news", "actions", "features",
					    "report"};

	jsonw_u64(w, "id", j->id);
	jsonw_str(w, "state", states[j->state & 3]);
	jsonw_str(w, "what", j->what <= JOB_REPORT ? whats[j->what] : "?");
	if (j->what < JOB_FEATURES)
		put_fetching(w, j);
	else
		admin_put_analysis(t, p, w, j);
	admin_put_totals(t, w, j);
}

int admin_add_job(struct history_thread *t, struct past *p)
{
	const char(*name)[SYMBOL_MAX + 1] = (const void *)p->names.data;
	size_t n = p->names.len / sizeof(*name);
	const char **symbols = calloc(n, sizeof(*symbols));
	int rc;

	if (symbols == NULL)
		return past_refuse(p, "busy", "out of memory; ask again");
	for (size_t i = 0; i < n; i++)
		symbols[i] = name[i];
	rc = histjobs_add(history_store(t), &p->job, symbols, n);
	free(symbols);
	return rc;
}

void admin_put_added(struct history_thread *t, struct past *p, struct jsonw *w)
{
	jsonw_object(w, NULL);
	put_job(t, p, w, &p->job);
	jsonw_u64(w, "doubles", p->doubles);
	jsonw_raw(w, "refused", (const char *)p->refused.data, p->refused.len);
}

static int add_job(struct history_thread *t, struct past *p, struct jsonw *w)
{
	int rc;

	role_assert_history();
	rc = admin_add_job(t, p);
	if (rc == 0 && p->code == NULL)
		admin_put_added(t, p, w);
	return rc;
}

void admin_ingest(struct daemon *d, const struct json *request, struct admin_call *call)
{
	struct past *p = past_new(d, call, add_job, "job");

	if (p != NULL && d->feed == NULL) {
		past_free(p);
		admin_fail(call, "no_history",
			   "no vendor is configured: add "
			   "`vendors:` to the configuration");
		return;
	}
	if (p == NULL || !past_series(p, request, false) || !past_range(p, request))
		return;
	if (!past_symbols(p, request) || !read_job(d, p, request) ||
	    !read_vendors(d, p, request) || !can_be_asked(d, p)) {
		past_free(p);
		return;
	}
	past_ask(d, p);
}

/* ---- jobs, job, job_cancel ---- */

static int list_jobs(struct history_thread *t, struct past *p, struct jsonw *w)
{
	struct buf list = {0};
	int rc;

	role_assert_history();
	rc = histjobs_list(history_store(t), p->n, &list);
	jsonw_array(w, NULL);
	for (size_t i = 0; rc == 0 && i < list.len / sizeof(struct hist_job); i++) {
		jsonw_object(w, NULL);
		put_job(t, p, w, (const struct hist_job *)(void *)list.data + i);
		jsonw_end(w);
	}
	buf_free(&list);
	return rc;
}

void admin_jobs(struct daemon *d, const struct json *request, struct admin_call *call)
{
	uint64_t n;
	struct past *p;

	if (!admin_number(request, "n", 20, call, &n))
		return;
	p = past_new(d, call, list_jobs, "jobs");
	if (p == NULL)
		return;
	p->n = n < ADMIN_ROWS_MAX ? n : ADMIN_ROWS_MAX;
	past_ask(d, p);
}

static void put_item(struct jsonw *w, const struct hist_item *item)
{
	static const char *const states[] = {"pending", "done", "failed", "cancelled"};

	jsonw_object(w, NULL);
	jsonw_u64(w, "n", item->n);
	jsonw_str(w, "symbol", item->symbol);
	jsonw_str(w, "state", states[item->state & 3]);
	jsonw_str(w, "vendor", item->source);
	jsonw_u64(w, "rows", item->rows);
	jsonw_u64(w, "requests", item->requests);
	if (item->reason[0] != '\0')
		jsonw_str(w, "reason", item->reason);
	jsonw_end(w);
}

/* The job, and a page of its items: those that failed, or all. */
static int show_job(struct history_thread *t, struct past *p, struct jsonw *w)
{
	const struct hist_item *item;
	struct buf list = {0};
	size_t n;
	int rc;

	role_assert_history();
	rc = histjobs_get(history_store(t), p->id, &p->job);
	if (rc == 1)
		return past_refuse(p, "not_found", "there is no job %llu",
				   (unsigned long long)p->id);
	if (rc == 0 && p->n > 0)
		rc = histjobs_items(history_store(t), p->id, (uint32_t)p->after,
				    p->is_all ? ITEM_PENDING : ITEM_FAILED, p->n,
				    &list);
	if (rc < 0)
		return rc;
	item = (const struct hist_item *)(void *)list.data;
	n = list.len / sizeof(*item);
	jsonw_object(w, NULL);
	put_job(t, p, w, &p->job);
	jsonw_array(w, "items");
	for (size_t i = 0; i < n; i++)
		put_item(w, &item[i]);
	jsonw_end(w);
	if (n > 0 && n == p->n)
		jsonw_u64(w, "next", item[n - 1].n);
	buf_free(&list);
	return 0;
}

ON_LOOP static struct past *one_job(struct daemon *d, const struct json *request,
				    struct admin_call *call, past_fn look)
{
	uint64_t id, n, after;
	struct past *p;

	if (!admin_number(request, "id", 0, call, &id) ||
	    !admin_number(request, "n", ADMIN_ROWS_MAX, call, &n) ||
	    !admin_number(request, "after", 0, call, &after))
		return NULL;
	p = past_new(d, call, look, "job");
	if (p == NULL)
		return NULL;
	p->id = id;
	p->after = after < UINT32_MAX ? after : UINT32_MAX;
	p->n = n < ADMIN_ROWS_MAX ? n : ADMIN_ROWS_MAX;
	p->is_all = json_bool(json_get(request, "all"), false);
	return p;
}

void admin_job(struct daemon *d, const struct json *request, struct admin_call *call)
{
	struct past *p = one_job(d, request, call, show_job);

	if (p != NULL)
		past_ask(d, p);
}

static int cancel_job(struct history_thread *t, struct past *p, struct jsonw *w)
{
	int rc;

	role_assert_history();
	rc = jobs_cancel(history_jobs(t), p->id, clock_wall_ns());
	if (rc == 2)
		return past_refuse(p, "not_running", "job %llu has ended already",
				   (unsigned long long)p->id);
	if (rc == 0 && p->analysis != NULL)
		analysis_room_cancel(p->analysis, p->id);
	return rc < 0 ? rc : show_job(t, p, w);
}

void admin_job_cancel(struct daemon *d, const struct json *request,
		      struct admin_call *call)
{
	struct past *p = one_job(d, request, call, cancel_job);

	if (p != NULL)
		past_ask(d, p);
}

/* ---- vendors ---- */

void admin_vendors(struct daemon *d, const struct json *request,
		   struct admin_call *call)
{
	const struct feed_vendor *v;
	struct jsonw *w = admin_result(call);

	(void)request;
	jsonw_array(w, "vendors");
	for (size_t i = 0;
	     d->feed != NULL && (v = feed_thread_vendor_at(d->feed, i)) != NULL; i++) {
		struct fetch_counts c;

		feed_thread_counts(d->feed, i, &c);
		jsonw_object(w, NULL);
		jsonw_str(w, "name", v->config->name);
		jsonw_str(w, "base_url", v->config->base_url);
		jsonw_str(w, "feed", v->config->feed);
		jsonw_str(w, "problem", v->why);
		jsonw_u64(w, "requests", c.requests);
		jsonw_u64(w, "retries", c.retries);
		jsonw_u64(w, "limited", c.limited);
		jsonw_u64(w, "failed", c.failed);
		jsonw_u64(w, "rows", c.rows);
		jsonw_u64(w, "bytes", c.bytes);
		jsonw_bool(w, "waiting", c.held_until_ns != 0);
		jsonw_end(w);
	}
	jsonw_end(w);
	admin_done(call);
}
