/*
 * clean - validation of a series of bars, one step per bar of the grid (semantics A.2).
 *
 * The state after a bar is a function of the state before it and of the bar.  Live
 * processing keeps one state before the oldest bar that may still change, and walks on
 * from there after a revision; a batch walks once over final bars.  Both call
 * clean_step(), so both end in the same bits.
 *
 * The order of the rules is the origin's: missing, outlier, return, spread, valid.
 * Outliers are flagged, never changed or removed, and their closes stay in the series
 * of returns that rule 2a looks at.
 *
 *	rule 2a, flavour repaired: sigma of the 20 returns before the current one
 *	         flavour origin:   sigma of the 20 returns up to and with it
 *	detector mad, instead of 2a: |r - median| > k * max(1.4826 * MAD, floor) over
 *the 20 returns before; floor: half the quoted relative spread, at least half of the
 *smallest price step, since the MAD of a flat run is 0
 *
 * A return whose closes are NULL or not positive is NULL, and a window that holds a
 * NULL judges nothing.
 */
#pragma once
#include "workers/params.h"
#include <stdbool.h>

#define CLEAN_WINDOW 20

struct clean_bar {
	double open; /* NaN: NULL */
	double high;
	double low;
	double close;
	double quoted; /* relative quoted spread over the bar; NaN: no quotes */
	bool missing;
	bool enough_volume;
};

struct clean_result {
	double log_return_1;
	double spread_estimate;
	uint8_t spread_method;
	uint8_t outlier_reason;
	bool outlier;
	bool valid;
};

/** Zeroed: before the first bar. */
struct clean {
	double returns[CLEAN_WINDOW]; /* ring; of consecutive bars that are not missing
				       */
	double last_close;            /* of the last bar that is not missing */
	double before_close; /* of the bar before on the grid, if before_sound */
	double range_mean;   /* exponential mean of (high - low) / close */
	uint64_t n_closes;   /* bars that were not missing */
	bool begun;
	bool before_sound; /* neither missing nor outlier */
	bool before_valid;
	bool range_begun;
};

void clean_step(const struct symbol_params *sp, struct clean *c,
		const struct clean_bar *bar, struct clean_result *out);
/** The grid ended and begins anew: nothing is computed across the hole. */
void clean_break(struct clean *c);
