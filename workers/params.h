/*
 * params - the configuration of everything derived, resolved and in integers.
 *
 * daemon/config.c fills it from YAML; tests fill it by params_default().  Its
 * hash (params_hash) is written into the log as a CONTROL_CONFIG record and is
 * the feature_version: no derived value depends on anything that is not here or
 * in the log.  Immutable once the workers run; any thread reads.
 */
#pragma once
#include "analysis/ind.h"
#include "analysis/sentiment.h"
#include "base/tz.h"
#include "proto/event.h"
#include <stdbool.h>

#define TIMEFRAMES_MAX     15
#define PRICE_TYPES_MAX    4
#define UNIVERSES_MAX      64
#define SYMBOL_SOURCES_MAX 4 /* of one symbol, to choose from */
#define INDICATORS_MAX     16

enum outlier_detector { DETECTOR_JUMP = 0, DETECTOR_MAD };
enum flavour { FLAVOUR_REPAIRED = 0, FLAVOUR_ORIGIN };
enum bar_origin { ORIGIN_MIDNIGHT_UTC = 0, ORIGIN_SESSION_OPEN };
enum norm_kind { NORM_ZSCORE = 0, NORM_ROBUST };

struct indicator_params {
	struct ind_spec spec;
	uint32_t timeframe_s; /* 0: every one of the symbol */
};

/** How one symbol is treated: the defaults, with its overrides on top. */
struct symbol_params {
	char symbol[SYMBOL_MAX + 1]; /* "" in the defaults */
	char source[SOURCE_MAX + 1]; /* "": whoever sends it */
	char sources[SYMBOL_SOURCES_MAX]
		    [SOURCE_MAX + 1];   /* to choose from; see arbiter.h */
	uint32_t n_sources;             /* 0: no choice, as `source` says */
	int64_t source_return_ns;       /* so long alive before it is preferred again */
	uint32_t source_divergence_ppm; /* prices further apart are told; 0: off */
	uint32_t timeframes_s[TIMEFRAMES_MAX]; /* ascending */
	uint32_t n_timeframes;
	uint8_t price_types[PRICE_TYPES_MAX]; /* enum price_type, ascending */
	uint32_t n_price_types;
	enum bar_origin origin;
	bool has_session;
	int32_t session_start_s; /* local seconds since midnight */
	int32_t session_end_s;   /* exclusive; > start */
	uint8_t session_days;    /* bit 0: Monday ... bit 6: Sunday */
	const struct tz *tz;     /* borrowed from params; NULL: UTC */
	char tz_name[48];
	enum outlier_detector detector;
	enum flavour flavour;
	double outlier_sigma;      /* rule 2a; default 5.0 */
	double max_abs_log_return; /* rule of its own; 0: off */
	int64_t min_volume_e8;
	uint32_t max_gap_minutes; /* longer silences are reported; default 5 */
	struct indicator_params indicators[INDICATORS_MAX];
	uint32_t n_indicators;
	bool spread;   /* publish spread_estimate */
	double weight; /* metadata for matrices and clients; default 1 */
	int32_t priority;
};

struct bars_params {
	int64_t grace_ns;           /* 1 s: first emission at bar_end + grace */
	int64_t revision_window_ns; /* 60 s after bar_end, then final */
	int64_t source_timeout_ns; /* 5 s without proof of life: the source is silent */
	uint32_t missing_run_max;  /* 1,000: longer silences end the grid until the next
				      tick */
	uint32_t history_slots; /* 1,024 recent ticks kept per symbol (power of two) */
};

struct tier1_params {
	bool enabled;
	enum norm_kind norm;
	uint32_t norm_window;     /* 60 */
	double norm_clip;         /* 5 */
	uint32_t ready_bars;      /* 100 valid bars before a vector counts as ready */
	double ready_valid_ratio; /* 0.95 of the last ready_bars grid bars are valid */
};

struct universe_params {
	char name[UNIVERSE_MAX];
	uint32_t timeframe_s;
	uint32_t window;  /* bars; default 120 */
	uint32_t min_obs; /* 30 */
	uint8_t method;   /* enum corr_method */
	uint8_t price_type;
	double lambda;    /* ewma; 0.94 */
	int64_t grace_ns; /* 2 s */
	bool all; /* every symbol known, in order of first acceptance, up to n_max */
	uint32_t n_max;
	char (*symbols)[SYMBOL_MAX + 1]; /* owned by params; ordered */
	uint32_t n_symbols;
};

/** Sentiment of news. */
struct news_params {
	enum sentiment_flavour flavour;
	int64_t window_ns;    /* 1 day, back from the newest article of a symbol */
	int64_t half_life_ns; /* 6 hours */
	int64_t repeat_ns;    /* the same headline within a day is a repeat */
	char *vader;          /* owned; VADER's lexicon, NULL: there is none */
	size_t vader_len;
	char lexicon[SENTIMENT_VERSION_MAX +
		     1]; /* its version; "": not asked for yet */
};

struct params {
	struct bars_params bars;
	struct tier1_params tier1;
	struct news_params news;
	struct symbol_params defaults;
	struct symbol_params *symbols; /* owned; sorted by name */
	size_t n_symbols;
	struct universe_params universes[UNIVERSES_MAX];
	size_t n_universes;
	struct tz **zones; /* owned: every zone named above, each once */
	char (*zone_names)[48];
	size_t n_zones;
};

/** Semantics' defaults: 1m bars of price_type auto, no session, no universe. */
void params_default(struct params *p);
void params_deinit(struct params *p);
/** The zone @name, loaded once and owned by @p; negated errno as tz_load(). */
int params_zone(struct params *p, const char *name, const struct tz **out);
/** Overrides of @symbol (NUL padded or terminated), else the defaults. */
const struct symbol_params *params_symbol(const struct params *p, const char *symbol);
/** Stable hash over every field that can change a derived value. */
uint64_t params_hash(const struct params *p);
/** The same by the rule of releases that had no news: their logs know this one. */
uint64_t params_hash_before_news(const struct params *p);
