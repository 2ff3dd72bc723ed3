/* accept - see accept.h. */
#include "workers/accept.h"
#include "base/clock.h"
#include <inttypes.h>

void accept_rules_default(struct accept_rules *r)
{
	*r = (struct accept_rules){.valid_ratio_min = 0.90,
				   .missing_ratio_max = 0.05,
				   .missing_run_max = 3,
				   .invalid_run_max = 10};
}

static uint64_t longer(uint64_t run, uint64_t *longest)
{
	if (run > *longest)
		*longest = run;
	return run;
}

/* From the end of the last bar with data to the start of the next one. */
static void count_gap(struct accept_report *r, const struct symbol_params *sp,
		      int64_t from_ns, int64_t to_ns)
{
	if (to_ns - from_ns > r->gap_ns) {
		r->gap_ns = to_ns - from_ns;
		r->gap_start_ns = from_ns;
	}
	r->gaps += to_ns - from_ns > (int64_t)sp->max_gap_minutes * 60 * NS_PER_S;
}

static unsigned refuse(const struct accept_rules *rules, const struct accept_report *r,
		       bool first_valid, bool last_valid)
{
	unsigned why = 0;

	if (r->bars == 0)
		return ACCEPT_EMPTY;
	if ((double)r->valid < rules->valid_ratio_min * (double)r->bars)
		why |= ACCEPT_FEW_VALID;
	if (!first_valid)
		why |= ACCEPT_FIRST_INVALID;
	if (!last_valid)
		why |= ACCEPT_LAST_INVALID;
	if (r->invalid_run > rules->invalid_run_max)
		why |= ACCEPT_LONG_INVALID_RUN;
	return why;
}

static unsigned exclude(const struct accept_rules *rules, const struct accept_report *r,
			bool first_missing, bool last_missing)
{
	unsigned why = 0;

	if (r->bars == 0)
		return EXCLUDE_EMPTY;
	if ((double)r->missing > rules->missing_ratio_max * (double)r->bars)
		why |= EXCLUDE_MANY_MISSING;
	if (r->missing_run > rules->missing_run_max)
		why |= EXCLUDE_LONG_MISSING_RUN;
	if (first_missing)
		why |= EXCLUDE_FIRST_MISSING;
	if (last_missing)
		why |= EXCLUDE_LAST_MISSING;
	return why;
}

void accept_judge(const struct accept_rules *rules, const struct symbol_params *sp,
		  const struct event_bar *bars, size_t n, struct accept_report *out)
{
	struct accept_report r = {0};
	uint64_t missing_run = 0, invalid_run = 0;
	const struct event_bar *first = NULL, *last = NULL, *data = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct event_bar *b = &bars[i];

		if (i + 1 < n && b[1].bar_start_ns == b->bar_start_ns)
			continue; /* a later revision follows */
		first = first == NULL ? b : first;
		last = b;
		r.bars++;
		r.valid += (b->flags & BAR_VALID) != 0;
		r.missing += (b->flags & BAR_IS_MISSING) != 0;
		r.outliers += (b->flags & BAR_IS_OUTLIER) != 0;
		missing_run = b->flags & BAR_IS_MISSING
				      ? longer(missing_run + 1, &r.missing_run)
				      : 0;
		invalid_run = b->flags & BAR_VALID
				      ? 0
				      : longer(invalid_run + 1, &r.invalid_run);
		if (b->flags & BAR_IS_MISSING)
			continue;
		if (data != NULL)
			count_gap(&r, sp, data->head.event_ns, b->bar_start_ns);
		data = b;
	}
	r.refused = refuse(rules, &r, first != NULL && (first->flags & BAR_VALID),
			   last != NULL && (last->flags & BAR_VALID));
	r.excluded =
		exclude(rules, &r, first != NULL && (first->flags & BAR_IS_MISSING),
			last != NULL && (last->flags & BAR_IS_MISSING));
	*out = r;
}

static void print_names(struct buf *out, const char *what, unsigned bits,
			const char *const *name, unsigned n)
{
	const char *between = what;

	for (unsigned i = 0; i < n; i++) {
		if (!(bits >> i & 1u))
			continue;
		buf_printf(out, "%s%s", between, name[i]);
		between = ",";
	}
}

void accept_print(const struct accept_report *r, struct buf *out)
{
	static const char *const refused[] = {"empty", "few_valid", "first_invalid",
					      "last_invalid", "long_invalid_run"};
	static const char *const excluded[] = {"empty", "many_missing",
					       "long_missing_run", "first_missing",
					       "last_missing"};

	buf_printf(out,
		   "bars=%" PRIu64 " valid=%" PRIu64 " missing=%" PRIu64
		   " outliers=%" PRIu64 " missing_run=%" PRIu64 " invalid_run=%" PRIu64
		   " gaps=%" PRIu64,
		   r->bars, r->valid, r->missing, r->outliers, r->missing_run,
		   r->invalid_run, r->gaps);
	buf_printf(out, r->refused == 0 ? " accepted" : " refused");
	print_names(out, "=", r->refused, refused, 5);
	buf_printf(out, r->excluded == 0 ? " kept" : " excluded");
	print_names(out, "=", r->excluded, excluded, 5);
}
