/* jobs - which items are begun, and what becomes of their news; jobs_slot.c is one. */
#include "daemon/jobs.h"
#include "daemon/jobs_parts.h"
#include <errno.h>

int jobs_new(const struct jobs_env *env, struct jobs **out)
{
	struct jobs *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return err_set(-ENOMEM, "out of memory for the jobs");
	j->env = *env;
	*out = j;
	return 0;
}

void jobs_free(struct jobs *j)
{
	if (j == NULL)
		return;
	for (uint32_t i = 0; i < j->env.slots; i++) {
		buf_free(&j->slots[i].missing);
		buf_free(&j->slots[i].why);
	}
	buf_free(&j->open);
	free(j);
}

/* ---- jobs that are open ---- */

static struct open_job *open_at(const struct jobs *j, size_t i)
{
	return (struct open_job *)(void *)j->open.data + i;
}

static size_t open_count(const struct jobs *j)
{
	return j->open.len / sizeof(struct open_job);
}

struct open_job *jobs_open(struct jobs *j, uint64_t id)
{
	for (size_t i = 0; i < open_count(j); i++)
		if (open_at(j, i)->id == id)
			return open_at(j, i);
	return NULL;
}

/* The oldest with items to begin; opens the next that is stored.  NULL: none. */
ON_HISTORY static int job_to_begin(struct jobs *j, struct open_job **out)
{
	struct open_job fresh = {0};
	int rc;

	*out = NULL;
	for (size_t i = 0; i < open_count(j); i++) {
		if (open_at(j, i)->is_begun)
			continue;
		*out = open_at(j, i);
		return 0;
	}
	rc = histjobs_next(j->env.store, j->last_job, &fresh.id);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	j->last_job = fresh.id;
	buf_add(&j->open, &fresh, sizeof(fresh));
	*out = open_at(j, open_count(j) - 1);
	return 0;
}

ON_HISTORY static int finish_jobs(struct jobs *j, int64_t now_ns)
{
	for (size_t i = 0; i < open_count(j);) {
		struct open_job *o = open_at(j, i);
		int rc;

		if (!o->is_begun || o->slots > 0) {
			i++;
			continue;
		}
		rc = o->is_ended
			     ? 0
			     : histjobs_finish(j->env.store, o->id, JOB_DONE, now_ns);
		if (rc == 0 && !o->is_ended)
			rc = histjobs_prune(j->env.store,
					    j->env.config->ingest.jobs_max);
		if (rc < 0)
			return rc;
		log_info("jobs", "job %llu has ended", (unsigned long long)o->id);
		memmove(o, o + 1, (open_count(j) - i - 1) * sizeof(*o));
		j->open.len -= sizeof(*o);
	}
	return 0;
}

static struct slot *free_slot(struct jobs *j)
{
	for (uint32_t i = 0; i < j->env.slots; i++)
		if (!j->slots[i].is_used)
			return &j->slots[i];
	return NULL;
}

/* 1: an item was begun, 0: there is none. */
ON_HISTORY static int begin_one(struct jobs *j, struct slot *s, int64_t now_ns)
{
	struct open_job *o;
	int rc = job_to_begin(j, &o);

	if (rc < 0 || o == NULL)
		return rc;
	rc = histjobs_get(j->env.store, o->id, &s->job);
	if (rc == 0)
		rc = histjobs_item_next(j->env.store, o->id, o->after, &s->item);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		o->is_begun = true;
		rc = finish_jobs(j, now_ns);
		return rc < 0 ? rc : 1;
	}
	o->after = s->item.n;
	o->slots++;
	s->is_used = true;
	rc = jobs_slot_begin(j, s, now_ns);
	return rc < 0 ? rc : 1;
}

int jobs_step(struct jobs *j, int64_t now_ns, unsigned budget)
{
	int begun = 0;

	while (budget-- > 0) {
		struct slot *s = free_slot(j);
		int rc = s == NULL ? 0 : begin_one(j, s, now_ns);

		if (rc < 0)
			return rc;
		if (rc == 0)
			break;
		begun++;
	}
	return begun;
}

/* ---- news ---- */

/* Splits and the like that were not known make other prices of what is adjusted. */
ON_HISTORY static int take_actions(struct jobs *j, const struct slot *s,
				   const struct jobs_news *n)
{
	const struct hist_action *a =
		(const struct hist_action *)(void *)n->actions.data;

	for (size_t i = 0; i < n->actions.len / sizeof(*a); i++) {
		struct hist_range before = {INT64_MIN, 0};
		bool is_new;
		uint64_t bars = 0;
		int rc = histstore_put_action(j->env.store, s->vendor->name, &a[i],
					      &is_new);

		if (rc < 0)
			return rc;
		if (!is_new || !jobs_plan_adjusts(&a[i]))
			continue;
		before.to_ns = jobs_plan_before(&a[i]);
		rc = histstore_drop_adjusted(j->env.store, a[i].symbol, &before, &bars);
		if (rc < 0)
			return rc;
		if (bars > 0)
			log_info("jobs",
				 "%s has a corporate action of %d: %llu adjusted bars "
				 "before it are fetched again",
				 a[i].symbol, a[i].ex_date, (unsigned long long)bars);
	}
	return 0;
}

ON_HISTORY static int take_articles(struct jobs *j, const struct slot *s,
				    const struct jobs_news *n)
{
	const struct hist_article *a =
		(const struct hist_article *)(void *)n->articles.data;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n->articles.len / sizeof(*a); i++) {
		bool is_new;

		rc = histstore_put_article(j->env.store, s->vendor->name, &a[i],
					   &is_new);
	}
	return rc;
}

/* What a page holds is complete up to its last bar, whatever becomes of the next. */
ON_HISTORY static int take_page(struct jobs *j, struct slot *s,
				const struct jobs_news *n, int64_t now_ns)
{
	const struct hist_bar *bars = (const struct hist_bar *)(void *)n->bars.data;
	size_t n_bars = n->bars.len / sizeof(*bars);
	uint64_t fresh = 0;
	int rc = histstore_put_bars(j->env.store, &s->series, bars, n_bars, &fresh);

	if (rc == -EINVAL) {
		j->env.cancel(j->env.arg, s->ask_id);
		return jobs_slot_next_vendor(j, s, err_text(), now_ns);
	}
	if (rc == 0 && n_bars > 0)
		rc = histstore_set_currency(j->env.store, &s->series, n->currency);
	if (rc == 0)
		rc = take_actions(j, s, n);
	if (rc == 0)
		rc = take_articles(j, s, n);
	s->item.rows += n_bars + n->articles.len / sizeof(struct hist_article);
	if (s->job.what == JOB_ACTIONS)
		s->item.rows += n->actions.len / sizeof(struct hist_action);
	stats_add(STAT_HISTORY_BARS, fresh);
	stats_add(STAT_HISTORY_PAGES, 1);
	if (rc == 0 && n_bars > 0 && !n->is_last) {
		const struct hist_range r = {
			s->piece.from_ns,
			jobs_plan_end(s->series.step_s, bars[n_bars - 1].start_ns)};

		rc = jobs_slot_cover(j, s, &r, now_ns);
	}
	return rc;
}

/* A symbol of which no bar was ever seen may come to be known: not called complete. */
ON_HISTORY static int take_done(struct jobs *j, struct slot *s, int64_t now_ns)
{
	struct hist_summary sum = {.bars = 1};
	int rc = 0;

	if (!s->wants_actions && s->job.what == JOB_BARS)
		rc = histstore_summary(j->env.store, &s->series, &sum);
	if (rc >= 0 && sum.bars > 0)
		rc = jobs_slot_cover(j, s, &s->piece, now_ns);
	if (rc < 0)
		return rc;
	if (s->wants_actions) {
		s->wants_actions = false;
		s->piece = (struct hist_range){0, 0};
	}
	return jobs_slot_go_on(j, s, now_ns);
}

ON_HISTORY static int take_failure(struct jobs *j, struct slot *s,
				   const struct jobs_news *n, int64_t now_ns)
{
	if (!s->wants_actions)
		return jobs_slot_next_vendor(j, s, n->problem.why, now_ns);
	/* Bars can be had without them; splits of these days are then not seen. */
	log_warn("jobs", "%s: corporate actions of %s could not be had: %s",
		 s->vendor->name, s->item.symbol, n->problem.why);
	s->wants_actions = false;
	s->piece = (struct hist_range){0, 0};
	return jobs_slot_go_on(j, s, now_ns);
}

int jobs_take(struct jobs *j, const struct jobs_news *n, int64_t now_ns)
{
	struct slot *s = &j->slots[n->slot];
	int rc = 0;

	if (!s->is_used || s->generation != n->generation)
		return 0;
	s->item.requests += n->requests - s->requests;
	s->requests = n->requests;
	switch (n->state) {
	case FETCH_PAGE:
		return take_page(j, s, n, now_ns);
	case FETCH_DONE:
		rc = take_done(j, s, now_ns);
		break;
	case FETCH_FAILED:
		rc = take_failure(j, s, n, now_ns);
		break;
	}
	return rc < 0 ? rc : finish_jobs(j, now_ns);
}

void jobs_abort(struct jobs *j)
{
	for (uint32_t i = 0; i < j->env.slots; i++)
		if (j->slots[i].is_used)
			jobs_slot_free(j, &j->slots[i]);
	j->open.len = 0;
	j->last_job = 0;
}

int jobs_cancel(struct jobs *j, uint64_t id, int64_t now_ns)
{
	struct open_job *o = jobs_open(j, id);
	struct hist_job job;
	int rc = histjobs_get(j->env.store, id, &job);

	if (rc != 0)
		return rc;
	if (job.state != JOB_RUNNING)
		return 2;
	for (uint32_t i = 0; i < j->env.slots; i++)
		if (j->slots[i].is_used && j->slots[i].job.id == id)
			jobs_slot_free(j, &j->slots[i]);
	rc = histjobs_cancel_items(j->env.store, id);
	if (rc == 0)
		rc = histjobs_finish(j->env.store, id, JOB_CANCELLED, now_ns);
	if (o != NULL)
		o->is_begun = o->is_ended = true;
	return rc < 0 ? rc : finish_jobs(j, now_ns);
}

void jobs_active(const struct jobs *j, uint64_t id, struct jobs_active *out)
{
	*out = (struct jobs_active){0};
	for (uint32_t i = 0; i < j->env.slots; i++) {
		const struct slot *s = &j->slots[i];

		if (!s->is_used || s->job.id != id)
			continue;
		out->n++;
		out->rows += s->item.rows;
		out->requests += s->item.requests;
	}
}

uint32_t jobs_busy(const struct jobs *j)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < j->env.slots; i++)
		n += j->slots[i].is_used;
	return n;
}
