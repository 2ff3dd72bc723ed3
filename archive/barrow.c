/* barrow - from the two structs in which bars travel to the one that is archived. */
#include "archive/barrow.h"
#include "base/err.h"
#include "base/timetext.h"
#include "proto/timeframe.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const adjusts[] = {"raw", "split", "all"};

const char *barrow_adjust_name(unsigned adjust)
{
	return adjust <= HIST_ALL ? adjusts[adjust] : "?";
}

unsigned barrow_adjust_parse(const char *s)
{
	unsigned i = 0;

	while (i <= HIST_ALL && strcmp(s, adjusts[i]) != 0)
		i++;
	return i;
}

static double scaled(int64_t v, double unit)
{
	return v == VALUE_NULL ? NAN : (double)v / unit;
}

static int check(const struct barrow *r)
{
	/* Files count in nanoseconds of an int64: 1678 to 2262; years have 4 digits. */
	static const int64_t oldest = -9000000000 * INT64_C(1000000000);
	char when[TIMETEXT_MAX];

	if (!symbol_valid(r->symbol, strlen(r->symbol)))
		return err_set(-EINVAL, "a bar of '%s', which is no symbol", r->symbol);
	if (strcmp(timeframe_name(r->step_s), "?") == 0)
		return err_set(-EINVAL, "a bar of %s over %u s, which is no timeframe",
			       r->symbol, r->step_s);
	if (r->start_ns < oldest || r->start_ns > -oldest ||
	    r->start_ns % 1000000000 != 0) {
		timetext_print(when, r->start_ns);
		return err_set(-EINVAL,
			       "a bar of %s starts at %s: not a full second, or "
			       "out of range",
			       r->symbol, when);
	}
	if (!source_valid(r->source, strlen(r->source)))
		return err_set(-EINVAL, "a bar of %s by '%s', which is no source",
			       r->symbol, r->source);
	return 0;
}

int barrow_of_hist(const struct hist_series *s, const struct hist_bar *b,
		   struct barrow *out)
{
	*out = (struct barrow){
		.step_s = s->step_s,
		.start_ns = b->start_ns,
		.open = scaled(b->open_e9, 1e9),
		.high = scaled(b->high_e9, 1e9),
		.low = scaled(b->low_e9, 1e9),
		.close = scaled(b->close_e9, 1e9),
		.volume = scaled(b->volume_e8, 1e8),
		.trade_count = scaled(b->trades, 1),
		.vwap = scaled(b->vwap_e9, 1e9),
		.log_return_1 = NAN,
		.spread_estimate = NAN,
		.final = true,
		.state = BAR_TRADED,
		.price_type = PRICE_LAST,
	};
	if (s->adjust > HIST_ALL)
		return err_set(-EINVAL, "%u is no adjustment", s->adjust);
	snprintf(out->symbol, sizeof(out->symbol), "%s", s->symbol);
	snprintf(out->adjust, sizeof(out->adjust), "%s", adjusts[s->adjust]);
	snprintf(out->source, sizeof(out->source), "%s", s->source);
	snprintf(out->feed, sizeof(out->feed), "%s", s->feed);
	return check(out);
}

int barrow_of_event(const struct event_bar *b, struct barrow *out)
{
	unsigned __int128 bits =
		((unsigned __int128)(uint64_t)b->volume_hi << 64) | b->volume_lo;

	*out = (struct barrow){
		.step_s = b->timeframe_s,
		.start_ns = b->bar_start_ns,
		.open = scaled(b->open_e9, 1e9),
		.high = scaled(b->high_e9, 1e9),
		.low = scaled(b->low_e9, 1e9),
		.close = scaled(b->close_e9, 1e9),
		.volume = (double)(__int128)bits / 1e8,
		.trade_count = (double)b->trade_count,
		.vwap = b->vwap,
		.log_return_1 = b->log_return_1,
		.spread_estimate = b->spread_estimate,
		.revision = b->revision,
		.final = b->flags & BAR_FINAL,
		.judged = true,
		.flags = b->flags,
		.state = b->state,
		.spread_method = b->spread_method,
		.outlier_reason = b->outlier_reason,
		.price_type = b->price_type,
		.adjust = "raw",
		.feed = BARROW_OWN,
	};
	if (b->state > BAR_BLIND || b->price_type > PRICE_ASK ||
	    b->spread_method > SPREAD_RANGE)
		return err_set(-EINVAL,
			       "a bar whose state, price type or spread method "
			       "is none");
	memcpy(out->symbol, b->symbol, SYMBOL_MAX);
	memcpy(out->source, b->source, SOURCE_MAX);
	return check(out);
}
