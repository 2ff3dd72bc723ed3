/* bars_counts - what became of a symbol's ticks besides bars: nothing is lost unsaid.
 */
#pragma once
#include <stdint.h>

struct bars_counts {
	uint64_t ticks;          /* given to bars_tick() */
	uint64_t out_of_session; /* logged, but no session then */
	uint64_t other_source; /* of a source that is not the symbol's, or not chosen */
	uint64_t source_changes; /* another source was chosen, the first one included */
	uint64_t
		time_unusable; /* event time outside of what the grid can reckon with */
	uint64_t late_dropped; /* per series: came after its bar was final */
	uint64_t late_quotes;  /* per series: the same, quotes of a series of trades */
	uint64_t late_amends;  /* per series: cancels and corrections of final bars */
	uint64_t amended;      /* trades cancelled or corrected */
	uint64_t amends_lost;  /* the trade was never found */
	uint64_t amends_void; /* without a reference, or a correction without a price */
	uint64_t edges_kept;  /* per series: open, high, low or close may be a withdrawn
				 trade's: history did not reach back */
	uint64_t spread_lost; /* per series: late quotes beyond the history */
	uint64_t history_lost; /* ticks not kept for want of memory */
	uint64_t gaps;         /* grids that ended after missing_run_max bars */
	uint64_t faulted;      /* ticks after the symbol ran out of memory */
};
