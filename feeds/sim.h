/*
 * sim - the simulated exchange: trades and quotes of correlated symbols, with
 * the faults of a real feed at rates of your choice.
 *
 * A pure generator: no clock, no thread, no libm.  The same parameters give the
 * same ticks bit for bit on every machine, because only its own generator
 * (xoshiro256**) and +, -, *, / and sqrt are used, which IEEE 754 defines
 * exactly.  sim_next() delivers in order of arrival; arrival_ns is virtual time
 * and feeds/pace.h turns it into waiting.
 *
 * The market: the log price of symbol i moves by
 *
 *	volatility_i * (sqrt(a) * M + sqrt(b - a) * S_k + sqrt(1 - b) * I_i)
 *
 * per unit of business time, where M is one market factor, S_k the factor of
 * its sector (i % sectors), I_i its own noise; so returns of two symbols
 * correlate by b (corr_sector) inside a sector and by a (corr_market) across.
 * Business time runs fast at the open and the close (a U over the session) and
 * drives the number of events as well.
 *
 * Faults are drawn per fresh tick.  A duplicate is the same tick again with the
 * same source_seq and a later arrival: a vendor's duplicate.  The log's
 * de-duplication goes by the producer's sequence and lets it through, so it
 * counts as a tick of its own in bars; defects tells a test how many there are.
 */
#pragma once
#include "base/tz.h"
#include "feeds/feed.h"
#include <stdbool.h>

#define SIM_SYMBOLS_MAX 100000
#define SIM_SECTORS_MAX 32

/** Rates of faults, per million fresh ticks. */
struct sim_faults {
	uint32_t late_ppm;         /* delayed by 100 ms .. late_max_ns */
	uint32_t out_of_order_ppm; /* delayed by up to 50 ms */
	uint32_t duplicates_ppm;
	uint32_t cancels_ppm;     /* of trades */
	uint32_t corrections_ppm; /* of trades */
	uint32_t halts_ppm;       /* halts one symbol for halt_ns */
	uint32_t gaps_ppm;        /* the whole source is silent for gap_ns */
	uint32_t bad_prints_ppm; /* trades 20 % off the market or with the point shifted
				  */
	uint32_t poison_ppm;     /* price -1 or 0, time 10 years ahead or in 1970 */
	uint32_t odd_lots_ppm;   /* trades of 1..99 shares, cond "I" */
	int64_t late_max_ns;
	int64_t halt_ns;
	int64_t gap_ns;
};

struct sim_params {
	uint64_t seed;
	uint32_t n_symbols;
	const char *const
		*names;     /* borrowed during sim_new(); NULL: S0000, S0001 ... */
	const char *source; /* borrowed during sim_new(); "sim" */
	int64_t start_ns;
	bool has_sessions;       /* false: 24 hours, 7 days */
	const struct tz *tz;     /* borrowed; of the sessions; NULL: UTC */
	int32_t session_start_s; /* local seconds since midnight; Monday to Friday */
	int32_t session_end_s;
	uint32_t
		volatility_bp; /* per year of 252 sessions (or 365 days), 3000 = 30 % */
	uint32_t corr_market_pm; /* a, per mille: 300 */
	uint32_t corr_sector_pm; /* b >= a: 600 */
	uint32_t sectors;        /* 8 */
	uint32_t trades_mhz;     /* trades per 1,000 s and symbol, on average: 500 */
	uint32_t quotes_mhz;     /* quotes likewise: 1500 */
	bool is_zipf;            /* symbol i ticks like 1 / (i + 1); same sum */
	int64_t price_tick_e9;   /* 10,000,000: a cent */
	int64_t clock_ns;        /* a clock record at every multiple; 0: none */
	struct sim_faults faults;
};

/** What came out so far. */
struct sim_counts {
	uint64_t ticks; /* all records but clocks */
	uint64_t trades;
	uint64_t quotes;
	uint64_t clocks;
	uint64_t late, out_of_order, duplicates, cancels, corrections;
	uint64_t halts, bad_prints, poison, odd_lots;
	uint64_t lost;     /* fresh ticks that fell into a gap: source_seq jumps */
	uint64_t held;     /* ticks of halted symbols that did not happen */
	uint64_t no_delay; /* the delay queue was full: on time instead */
};

struct sim;

/** The defaults above, 24 symbols, 24x7, no faults, start 2024-01-02 00:00 UTC. */
void sim_params_default(struct sim_params *p);
/** -EINVAL with a sentence for parameters out of range. */
int sim_new(const struct sim_params *p, struct sim **out);
void sim_free(struct sim *s);
/** The next record in order of arrival.  There is always one. */
void sim_next(struct sim *s, struct feed_tick *out);
const struct sim_counts *sim_counts(const struct sim *s);
const char *sim_symbol(const struct sim *s, uint32_t i);
