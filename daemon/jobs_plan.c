/* jobs_plan - see jobs_plan.h. */
#include "daemon/jobs_plan.h"
#include "base/clock.h"
#include "base/timetext.h"
#include "store/histstore.h"
#include <stdio.h>
#include <string.h>

#define DAY_S    86400u
#define ROWS_MAX 50000u /* of one answer without pages: 4 MB of bars */

void jobs_plan_series(const struct hist_job *job, const struct config_vendor *v,
		      const char *symbol, struct hist_series *out)
{
	*out = (struct hist_series){.adjust = job->adjust, .step_s = job->step_s};
	if (job->what != JOB_BARS) {
		out->adjust = HIST_RAW;
		out->step_s =
			job->what == JOB_NEWS ? HISTSTORE_NEWS : HISTSTORE_ACTIONS;
	}
	(void)snprintf(out->source, sizeof(out->source), "%s", v->name);
	(void)snprintf(out->feed, sizeof(out->feed), "%s",
		       v->dataset[0] != '\0' ? v->dataset : v->feed);
	(void)snprintf(out->symbol, sizeof(out->symbol), "%s", symbol);
}

static int64_t floor_to(int64_t ns, int64_t unit)
{
	int64_t rest = ns % unit;

	return ns - rest - (rest < 0 ? unit : 0);
}

int64_t jobs_plan_settled(uint32_t step_s, int64_t now_ns, int64_t settle_ns)
{
	int64_t past = now_ns - settle_ns, step = (int64_t)step_s * NS_PER_S;

	if (step_s == HISTSTORE_NEWS)
		return past;
	if (step_s == HISTSTORE_ACTIONS)
		return floor_to(past, DAY_S * NS_PER_S);
	if (step_s < DAY_S)
		return floor_to(past, step);
	/* Days begin in the exchange's zone, some hours after UTC's or before. */
	return floor_to(past - step, DAY_S * NS_PER_S);
}

int64_t jobs_plan_end(uint32_t step_s, int64_t start_ns)
{
	/* In spring a day has 23 hours. */
	return start_ns + (step_s < DAY_S ? step_s : DAY_S - 3600) * NS_PER_S;
}

struct hist_range jobs_plan_piece(const struct vendor_ops *ops,
				  const struct vendor_ask *ask, struct hist_range r)
{
	uint32_t rows = ops->rows_max[ask->what];
	int64_t most = ops->range_max_ns != NULL ? ops->range_max_ns(ask) : 0;

	if (!ops->has_pages && ask->what == VENDOR_BARS && ask->step_s != 0) {
		int64_t length =
			(int64_t)(rows == 0 || rows > ROWS_MAX ? ROWS_MAX : rows) *
			ask->step_s * NS_PER_S;

		most = most == 0 || length < most ? length : most;
	}
	if (most > 0 && r.to_ns - r.from_ns > most)
		r.to_ns = r.from_ns + most;
	return r;
}

int64_t jobs_plan_before(const struct hist_action *a)
{
	int64_t day =
		timetext_days(a->ex_date / 10000, (unsigned)(a->ex_date / 100 % 100),
			      (unsigned)(a->ex_date % 100));

	/* Midnight of every zone west of Greenwich lies before this. */
	return (day + 1) * DAY_S * NS_PER_S;
}

bool jobs_plan_adjusts(const struct hist_action *a)
{
	return a->kind == ACTION_SPLIT || a->kind == ACTION_DIVIDEND ||
	       a->kind == ACTION_SPIN_OFF;
}
