/* clean - see clean.h. */
#include "workers/clean.h"
#include <math.h>
#include <string.h>

#define PRICE_MIN   1e-10
#define RANGE_ALPHA 0.1
#define MAD_SCALE   1.4826
#define STEP_HALF   0.5e-9 /* half of the smallest price difference there is */

/* The last CLEAN_WINDOW returns, oldest first; false when one is not there. */
static bool window_of(const struct clean *c, double out[CLEAN_WINDOW])
{
	if (c->n_closes < CLEAN_WINDOW)
		return false;
	for (uint64_t i = 0; i < CLEAN_WINDOW; i++) {
		out[i] = c->returns[(c->n_closes + i) % CLEAN_WINDOW];
		if (isnan(out[i]))
			return false;
	}
	return true;
}

static double sigma_of(const double r[CLEAN_WINDOW])
{
	double sum = 0.0, squares = 0.0, mean;

	for (int i = 0; i < CLEAN_WINDOW; i++)
		sum += r[i];
	mean = sum / CLEAN_WINDOW;
	for (int i = 0; i < CLEAN_WINDOW; i++)
		squares += (r[i] - mean) * (r[i] - mean);
	return sqrt(squares / (CLEAN_WINDOW - 1));
}

/* Sorts @x, which is the caller's copy. */
static double median_of(double x[CLEAN_WINDOW])
{
	for (int i = 1; i < CLEAN_WINDOW; i++) {
		double v = x[i];
		int k = i;

		for (; k > 0 && x[k - 1] > v; k--)
			x[k] = x[k - 1];
		x[k] = v;
	}
	return (x[CLEAN_WINDOW / 2 - 1] + x[CLEAN_WINDOW / 2]) / 2.0;
}

static bool is_far(const struct symbol_params *sp, const double window[CLEAN_WINDOW],
		   const struct clean_bar *bar, double r)
{
	double x[CLEAN_WINDOW], median, scale, floor_at = STEP_HALF / bar->close;

	memcpy(x, window, sizeof(x));
	median = median_of(x);
	for (int i = 0; i < CLEAN_WINDOW; i++)
		x[i] = fabs(window[i] - median);
	scale = MAD_SCALE * median_of(x);
	if (bar->quoted / 2.0 > floor_at)
		floor_at = bar->quoted / 2.0;
	return fabs(r - median) > sp->outlier_sigma * fmax(scale, floor_at);
}

/* Rule 2a, or its replacement; takes the return of this bar into the window. */
static unsigned judge_return(const struct symbol_params *sp, struct clean *c,
			     const struct clean_bar *bar)
{
	double r = NAN, window[CLEAN_WINDOW];
	bool judged = window_of(c, window);

	if (c->n_closes > 0 && bar->close > 0 && c->last_close > 0)
		r = log(bar->close / c->last_close);
	c->returns[c->n_closes++ % CLEAN_WINDOW] = r;
	c->last_close = bar->close;
	if (isnan(r))
		return 0;
	if (sp->detector == DETECTOR_MAD)
		return judged && is_far(sp, window, bar, r) ? OUTLIER_MAD : 0;
	if (sp->flavour == FLAVOUR_ORIGIN)
		judged = window_of(c, window);
	return judged && fabs(r) > sp->outlier_sigma * sigma_of(window) ? OUTLIER_JUMP
									: 0;
}

static unsigned judge_prices(const struct clean_bar *b)
{
	unsigned reason = 0;

	/* fmax and fmin look past a NULL; that one has a reason of its own. */
	if (b->high < fmax(b->open, b->close) || b->low > fmin(b->open, b->close) ||
	    b->high < b->low)
		reason |= OUTLIER_OHLC;
	if (!(b->open > PRICE_MIN) || !(b->high > PRICE_MIN) || !(b->low > PRICE_MIN) ||
	    !(b->close > PRICE_MIN))
		reason |= OUTLIER_NONPOSITIVE;
	return reason;
}

static void estimate_spread(const struct symbol_params *sp, struct clean *c,
			    const struct clean_bar *bar, bool sound,
			    struct clean_result *out)
{
	if (!sp->spread)
		return;
	if (sound) {
		double range = (bar->high - bar->low) / bar->close;

		c->range_mean = c->range_begun
					? RANGE_ALPHA * range +
						  (1.0 - RANGE_ALPHA) * c->range_mean
					: range;
		c->range_begun = true;
	}
	if (!isnan(bar->quoted)) {
		out->spread_estimate = bar->quoted;
		out->spread_method = SPREAD_QUOTE;
	} else if (sound) {
		out->spread_estimate = c->range_mean;
		out->spread_method = SPREAD_RANGE;
	}
}

void clean_step(const struct symbol_params *sp, struct clean *c,
		const struct clean_bar *bar, struct clean_result *out)
{
	unsigned reason = 0;
	double r = NAN;
	bool sound;

	*out = (struct clean_result){.log_return_1 = NAN, .spread_estimate = NAN};
	if (!bar->missing)
		reason = judge_return(sp, c, bar) | judge_prices(bar);
	sound = !bar->missing && reason == 0;
	if (sound && c->before_sound)
		r = log(bar->close / c->before_close);
	if (sp->max_abs_log_return > 0 && fabs(r) > sp->max_abs_log_return) {
		reason |= OUTLIER_RETURN;
		sound = false;
		r = NAN;
	}
	estimate_spread(sp, c, bar, sound, out);
	out->log_return_1 = r;
	out->outlier_reason = (uint8_t)reason;
	out->outlier = reason != 0;
	out->valid = sound && bar->enough_volume &&
		     (!c->begun || !isnan(r) || !c->before_valid);
	c->begun = true;
	c->before_sound = sound;
	c->before_close = bar->close;
	c->before_valid = out->valid;
}

void clean_break(struct clean *c)
{
	c->before_sound = false;
	c->before_valid = false;
}
