/* jobs_plan - the arithmetic of jobs: when a range is closed, how much to ask for. */
#pragma once
#include "daemon/config.h"
#include "feeds/vendor.h"
#include "store/histjobs.h"

/** Whose data a job stores of @symbol from @v. */
void jobs_plan_series(const struct hist_job *job, const struct config_vendor *v,
		      const char *symbol, struct hist_series *out);
/**
 * Before this time nothing of the series changes any more, seen at @now_ns: bars that
 * have ended @settle_ns ago, whole days of them.
 */
int64_t jobs_plan_settled(uint32_t step_s, int64_t now_ns, int64_t settle_ns);
/** A page that is not the last ended with this bar: complete up to where? */
int64_t jobs_plan_end(uint32_t step_s, int64_t start_ns);
/** How much of @r to ask at once: what the vendor takes, and from one that sends no
    pages no more than an answer of bounded size. */
struct hist_range jobs_plan_piece(const struct vendor_ops *ops,
				  const struct vendor_ask *ask, struct hist_range r);
/** Adjusted prices before this time are other ones since the action. */
int64_t jobs_plan_before(const struct hist_action *a);
/** Does it change adjusted prices? */
bool jobs_plan_adjusts(const struct hist_action *a);
