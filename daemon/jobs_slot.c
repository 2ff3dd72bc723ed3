/*
 * jobs_slot - one item: from what is missing to its last answer.
 *
 * A vendor that refuses at once leads to the next one from within, so these functions
 * call each other: no deeper than there are vendors in the job's list.
 */
#include "daemon/jobs_parts.h"

static const struct config_vendor *vendor_of(const struct jobs *j, const char *name)
{
	for (size_t i = 0; i < j->env.config->n_vendors; i++)
		if (strcmp(j->env.config->vendors[i].name, name) == 0)
			return &j->env.config->vendors[i];
	return NULL;
}

void jobs_slot_free(struct jobs *j, struct slot *s)
{
	struct open_job *o = jobs_open(j, s->job.id);

	if (s->is_asking)
		j->env.cancel(j->env.arg, s->ask_id);
	if (o != NULL)
		o->slots--;
	s->is_used = s->is_asking = false;
	s->generation++;
	buf_free(&s->missing);
	buf_free(&s->why);
}

/* The item is over: its row says how. */
ON_HISTORY static int end_item(struct jobs *j, struct slot *s, enum histjobs_item state)
{
	int rc;

	s->item.state = state;
	if (state == ITEM_FAILED)
		(void)snprintf(s->item.reason, sizeof(s->item.reason), "%s",
			       buf_text(&s->why));
	rc = histjobs_item_set(j->env.store, s->job.id, &s->item);
	if (state == ITEM_FAILED)
		log_info("jobs", "job %llu: %s failed: %s",
			 (unsigned long long)s->job.id, s->item.symbol, s->item.reason);
	stats_add(state == ITEM_FAILED ? STAT_JOB_ITEMS_FAILED : STAT_JOB_ITEMS_DONE,
		  1);
	s->is_asking = false;
	jobs_slot_free(j, s);
	return rc;
}

int jobs_slot_cover(struct jobs *j, const struct slot *s, const struct hist_range *r,
		    int64_t now_ns)
{
	struct hist_series series = s->series;
	struct hist_range closed = *r;
	int64_t settled;

	if (s->wants_actions) {
		series.adjust = HIST_RAW;
		series.step_s = HISTSTORE_ACTIONS;
	}
	settled = jobs_plan_settled(series.step_s, s->asked_ns,
				    s->wants_actions ? 0
						     : j->env.config->ingest.settle_ns);
	if (closed.to_ns > settled)
		closed.to_ns = settled;
	return histstore_cover(j->env.store, &series, &closed, now_ns);
}

/* What is missing at every vendor of the list: complete at one is complete. */
ON_HISTORY static int find_missing(struct jobs *j, struct slot *s, int64_t now_ns)
{
	int64_t ttl = j->env.config->ingest.ttl_ns;
	struct buf left = {0}, next = {0};
	int rc = 0;

	buf_add(&left, &s->job.range, sizeof(s->job.range));
	for (size_t i = 0; rc == 0 && i < s->job.n_sources; i++) {
		const struct config_vendor *v = vendor_of(j, s->job.sources[i]);
		const struct hist_range *r =
			(const struct hist_range *)(void *)left.data;
		struct hist_series series;

		if (v == NULL)
			continue;
		jobs_plan_series(&s->job, v, s->item.symbol, &series);
		next.len = 0;
		for (size_t k = 0; rc == 0 && k < left.len / sizeof(*r); k++)
			rc = histstore_missing(j->env.store, &series, &r[k],
					       ttl > 0 ? now_ns - ttl : 0, &next);
		left.len = 0;
		buf_add(&left, next.data, next.len);
	}
	s->missing.len = 0;
	buf_add(&s->missing, left.data, left.len);
	s->range = 0;
	buf_free(&left);
	buf_free(&next);
	return rc;
}

/* Does the vendor at hand, or any of the list, know a bar of the symbol? */
ON_HISTORY static int has_bars(struct jobs *j, const struct slot *s, bool *out_here,
			       bool *out_any)
{
	*out_here = *out_any = s->job.what != JOB_BARS;
	for (size_t i = 0; !*out_here && i < s->job.n_sources; i++) {
		const struct config_vendor *v = vendor_of(j, s->job.sources[i]);
		struct hist_series series;
		struct hist_summary sum;
		int rc;

		if (v == NULL)
			continue;
		jobs_plan_series(&s->job, v, s->item.symbol, &series);
		rc = histstore_summary(j->env.store, &series, &sum);
		if (rc < 0)
			return rc;
		*out_here = v == s->vendor && sum.bars > 0;
		*out_any = *out_any || sum.bars > 0;
	}
	return 0;
}

static struct vendor_ask ask_of(const struct slot *s, const char *const *symbol)
{
	static const enum vendor_what what[] = {[JOB_BARS] = VENDOR_BARS,
						[JOB_NEWS] = VENDOR_NEWS,
						[JOB_ACTIONS] = VENDOR_ACTIONS};

	return (struct vendor_ask){.what = s->wants_actions ? VENDOR_ACTIONS
							    : what[s->job.what],
				   .symbols = symbol,
				   .n_symbols = 1,
				   .start_ns = s->piece.from_ns,
				   .end_ns = s->piece.to_ns,
				   .step_s = s->job.step_s,
				   .adjust = s->job.adjust};
}

ON_HISTORY static int send(struct jobs *j, struct slot *s, int64_t now_ns)
{
	const struct vendor_ops *ops = j->env.ops(j->env.arg, s->vendor->name);
	const char *symbol[] = {s->item.symbol};
	struct vendor_ask ask;
	int rc;

	ask = ask_of(s, symbol);
	s->piece = jobs_plan_piece(ops, &ask, s->piece);
	ask.end_ns = s->piece.to_ns;
	s->asked_ns = now_ns;
	s->requests = 0;
	rc = j->env.ask(j->env.arg, s->vendor->name, &ask, (uint32_t)(s - j->slots),
			++s->generation, &s->ask_id);
	if (rc < 0)
		return jobs_slot_next_vendor(j, s, err_text(), now_ns);
	s->is_asking = true;
	return 0;
}

/* An adjusted series is what the splits up to today make of it. */
ON_HISTORY static int ask_actions(struct jobs *j, struct slot *s, int64_t now_ns)
{
	struct hist_series series = s->series;
	struct hist_range r = {s->job.range.from_ns,
			       jobs_plan_settled(HISTSTORE_ACTIONS, now_ns, 0)};
	struct buf missing = {0};
	int rc;

	series.adjust = HIST_RAW;
	series.step_s = HISTSTORE_ACTIONS;
	rc = histstore_missing(j->env.store, &series, &r, 0, &missing);
	s->wants_actions = missing.len > 0;
	if (s->wants_actions) {
		s->piece = *(const struct hist_range *)(void *)missing.data;
		s->piece.to_ns = r.to_ns;
	}
	buf_free(&missing);
	return rc;
}

/* The vendor is new to the item: what does it have to be asked first? */
ON_HISTORY static int begin_vendor(struct jobs *j, struct slot *s, int64_t now_ns)
{
	const char *name = s->job.sources[s->source];
	const struct vendor_ops *ops = j->env.ops(j->env.arg, name);
	int rc = 0;

	s->vendor = vendor_of(j, name);
	s->wants_actions = false;
	if (s->vendor == NULL || ops == NULL)
		return jobs_slot_next_vendor(
			j, s, "it is not in the configuration any more", now_ns);
	jobs_plan_series(&s->job, s->vendor, s->item.symbol, &s->series);
	(void)snprintf(s->item.source, sizeof(s->item.source), "%s", name);
	if (s->job.what == JOB_BARS && s->job.adjust != HIST_RAW &&
	    (ops->can & 1u << VENDOR_ACTIONS) != 0)
		rc = ask_actions(j, s, now_ns);
	if (rc < 0)
		return rc;
	if (s->wants_actions)
		return send(j, s, now_ns);
	s->piece = (struct hist_range){0, 0};
	return jobs_slot_go_on(j, s, now_ns);
}

int jobs_slot_begin(struct jobs *j, struct slot *s, int64_t now_ns)
{
	s->source = 0;
	return begin_vendor(j, s, now_ns);
}

int jobs_slot_next_vendor(struct jobs *j, struct slot *s, const char *why,
			  int64_t now_ns)
{
	const char *name = s->job.sources[s->source];
	size_t len = strlen(name);
	bool is_named = strncmp(why, name, len) == 0 && why[len] == ':';

	s->is_asking = false;
	buf_printf(&s->why, "%s%s%s%s", s->why.len > 0 ? "; " : "",
		   is_named ? "" : name, is_named ? "" : ": ", why);
	if (++s->source == s->job.n_sources)
		return end_item(j, s, ITEM_FAILED);
	return begin_vendor(j, s, now_ns);
}

/*
 * Everything was asked.  Ranges before the first bar of a series were not called
 * complete while nothing was known of it (jobs.c, take_done): now they are.
 */
ON_HISTORY static int end_well(struct jobs *j, struct slot *s, int64_t now_ns)
{
	const struct hist_range *r = (const struct hist_range *)(void *)s->missing.data;
	size_t n = s->missing.len / sizeof(*r);
	bool here = true, any = true;
	int rc = n > 0 ? has_bars(j, s, &here, &any) : 0;

	for (size_t i = 0; rc == 0 && here && i < n; i++)
		rc = jobs_slot_cover(j, s, &r[i], now_ns);
	if (rc < 0)
		return rc;
	if (here || (any && s->source + 1 == s->job.n_sources))
		return end_item(j, s, ITEM_DONE);
	return jobs_slot_next_vendor(
		j, s, "no data available: an unknown symbol, or nothing in this range",
		now_ns);
}

int jobs_slot_go_on(struct jobs *j, struct slot *s, int64_t now_ns)
{
	const struct hist_range *r;
	int rc;

	s->is_asking = false;
	/* The next piece of the range at hand, or the next range. */
	r = (const struct hist_range *)(const void *)s->missing.data;
	if (s->piece.to_ns != 0 && s->range < s->missing.len / sizeof(*r) &&
	    s->piece.to_ns < r[s->range].to_ns) {
		s->piece = (struct hist_range){s->piece.to_ns, r[s->range].to_ns};
		return send(j, s, now_ns);
	}
	if (s->piece.to_ns != 0) {
		s->range++;
	} else {
		rc = find_missing(j, s, now_ns);
		if (rc < 0)
			return rc;
		r = (const struct hist_range *)(const void *)s->missing.data;
	}
	if (s->range >= s->missing.len / sizeof(*r))
		return end_well(j, s, now_ns);
	s->piece = r[s->range];
	return send(j, s, now_ns);
}
