/*
 * event - what tickbus publishes.  Each struct is the fixed SBE block of its
 * template byte for byte (proto/tickbus.xml; a test holds the two together), so
 * encoding is a copy.  Every derived field is a function of the log and the
 * configuration: publish time and epoch stand in the frame, not here.
 *
 * NULL: VALUE_NULL for integers, NaN for doubles.  Text fields are NUL padded.
 */
#pragma once
#include "proto/features.def"
#include "proto/record.h"
#include "proto/symbol.h"
#include <stdbool.h>
#include <stddef.h>

#define EVENT_SCHEMA_ID           7400
#define EVENT_SCHEMA_VERSION      1
#define BAR_SCHEMA_VERSION        2
#define TIER1_SCHEMA_VERSION      2
#define INDICATORS_SCHEMA_VERSION 1
#define TIER2_SCHEMA_VERSION      2
#define NEWS_SCHEMA_VERSION       1

enum event_kind {
	EVENT_TICK = 0, /* TICK_RECEIVED */
	EVENT_BAR,      /* NORMALIZED_BAR_READY */
	EVENT_TIER1,    /* FEATURE_TIER1_READY */
	EVENT_TIER2,    /* FEATURE_TIER2_READY */
	EVENT_NEWS,     /* NEWS_SENTIMENT */
	EVENT_STATUS,   /* SYMBOL_STATUS */
	EVENT_JOB,      /* JOB_PROGRESS */
	EVENT_HEARTBEAT,
	EVENT_KINDS,
};

/** "TICK_RECEIVED" ..., and the short word of topics: "tick", "bar", ... */
const char *event_kind_name(enum event_kind kind);
const char *event_kind_word(enum event_kind kind);
/** By either name; EVENT_KINDS when unknown. */
enum event_kind event_kind_parse(const char *s, size_t len);
/** Bytes of the fixed block of @kind; 0 for kinds that have no struct here. */
size_t event_block_size(enum event_kind kind);
/** Whose event of a fixed-size kind it is; 0 of a matrix, which is no symbol's. */
uint32_t event_symbol_id(enum event_kind kind, const void *event);
/** Its name, NUL padded, SYMBOL_MAX long: of a matrix the universe's. */
const char *event_symbol(enum event_kind kind, const void *event);
/** Doubles in the triangle of a matrix over @n symbols. */
static inline size_t event_triangle_len(size_t n)
{
	return n * (n + 1) / 2;
}

/** The first fields of every event. */
struct event_head {
	uint64_t seq; /* +1 per (kind, symbol), from 1; tier2: per (universe, timeframe)
		       */
	uint64_t pos; /* log position that brought it about; also its trace id */
	int64_t event_ns; /* tick: event time; bar, tier1, tier2: bar_end */
	int64_t recv_ns;  /* receive time of the record at pos */
};

struct event_tick {
	struct event_head head;
	int64_t price_e9;
	int64_t size_e8;
	int64_t bid_e9;
	int64_t ask_e9;
	int64_t bid_size_e8;
	int64_t ask_size_e8;
	uint64_t source_seq;
	uint64_t ref_seq;
	char cond[8];
	uint32_t symbol_id;
	uint16_t source_id;
	uint8_t action; /* enum tick_action */
	uint8_t flags;  /* TICK_x */
	char symbol[SYMBOL_MAX];
};
_Static_assert(sizeof(struct event_tick) == 144, "wire block");

enum price_type { PRICE_LAST = 0, PRICE_MID, PRICE_BID, PRICE_ASK, PRICE_AUTO };
enum bar_state { BAR_TRADED = 0, BAR_QUIET, BAR_BLIND };
enum bar_cause {
	CAUSE_FIRST = 0,
	CAUSE_LATE_TRADE,
	CAUSE_CANCEL,
	CAUSE_CORRECTION,
	CAUSE_BACKFILL,
	CAUSE_ADJUSTMENT,
	CAUSE_FINAL, /* nothing changed but final: the revision window closed */
};
enum spread_method { SPREAD_NONE = 0, SPREAD_QUOTE, SPREAD_RANGE };
enum { /* bar.flags */
       BAR_IS_MISSING = 1,
       BAR_IS_OUTLIER = 2,
       BAR_VALID = 4,
       BAR_FINAL = 8,
       BAR_PARTIAL = 16, /* the first bar after the series began: it may lack ticks */
       BAR_CROSSED = 32, /* crossed or locked quotes were among its ticks */
       BAR_HALTED = 64,  /* the symbol was halted in it */
};
enum {                          /* bar.outlier_reason, OR-ed */
       OUTLIER_JUMP = 1,        /* |r| > k * sigma (A.2 rule 2a) */
       OUTLIER_OHLC = 2,        /* 2b: high and low do not enclose open and close */
       OUTLIER_NONPOSITIVE = 4, /* 2c: a price <= 1e-10 or NULL */
       OUTLIER_RETURN = 8,      /* 2d: |log_return_1| > max_abs_log_return */
       OUTLIER_MAD = 16,        /* detector mad (B.6) */
};

struct event_bar {
	struct event_head head; /* event_ns = bar_end = timestamp_utc */
	int64_t bar_start_ns;
	int64_t open_e9;
	int64_t high_e9;
	int64_t low_e9;
	int64_t close_e9;
	uint64_t volume_lo; /* exact volume in 1e-8: two's complement 128 bits */
	int64_t volume_hi;
	double log_return_1;
	double spread_estimate; /* relative: 0.01 = 1 % */
	double vwap;
	uint64_t trade_count; /* eligible trades; quotes for mid, bid and ask series */
	uint64_t first_pos;   /* lineage: smallest and largest position of its ticks; 0:
				 none */
	uint64_t last_pos;
	uint32_t revision;
	uint32_t timeframe_s;
	uint32_t symbol_id;
	uint16_t source_id;
	uint16_t schema_version;
	uint8_t flags;
	uint8_t state;
	uint8_t price_type;
	uint8_t cause;
	uint8_t spread_method;
	uint8_t outlier_reason;
	uint16_t late_ticks; /* ticks that came after the first emission, saturating */
	char symbol[SYMBOL_MAX];
	char source[SOURCE_MAX];
	uint64_t chain; /* event_chain() */
};
_Static_assert(sizeof(struct event_bar) ==
		       32 + 13 * 8 + 16 + 8 + SYMBOL_MAX + SOURCE_MAX + 8,
	       "wire block");

#define X(id, label, block) TIER1_##id,
enum tier1_value { TIER1_VALUES(X) TIER1_N };
#undef X
/** Values 0 .. TIER1_ML_N-1 have a norm: 16 of block ML and 2 of block DAY. */
#define TIER1_ML_N 18

/** "vol_6"; norms are NAME_norm. */
const char *tier1_name(enum tier1_value v);

enum {                        /* tier1.flags */
       TIER1_ML_READY = 1,    /* both gates of A.3 passed and every ML value is warm */
       TIER1_NORM_ROBUST = 2, /* norm is the median / MAD variant */
       TIER1_INDICATORS = 4,  /* the block is a struct event_indicators */
       TIER1_BLOCK_SHIFT = 3, /* ... and this the number of that block, from 0 */
};

struct event_tier1 {
	struct event_head head;   /* of the bar that completed it */
	uint64_t bar_seq;         /* sequence of that bar */
	uint64_t feature_version; /* hash of the configuration: 16 hex digits */
	uint64_t warm;            /* bit i: value[i] has its full window */
	uint64_t bars_seen;       /* valid bars so far */
	double value[TIER1_N];
	double norm[TIER1_ML_N];
	uint32_t timeframe_s;
	uint32_t bar_revision;
	uint32_t symbol_id;
	uint16_t schema_version;
	uint8_t flags;
	uint8_t price_type;
	char symbol[SYMBOL_MAX];
	uint64_t chain; /* event_chain() */
};
_Static_assert(sizeof(struct event_tier1) ==
		       64 + 8 * (TIER1_N + TIER1_ML_N) + 16 + SYMBOL_MAX + 8,
	       "wire block");

#define INDICATOR_VALUES 24
#define INDICATOR_NAMES  192

/**
 * The other form of a tier-1 block: the configured indicators (`indicators:`) after one
 * bar, in the same stream, of the same size, with the same fields but for value and
 * norm.  It says itself what it holds: names is a list, separated by blanks, of specs
 *in the order of their values, where one with several outputs names them:
 *
 *	"sma(20) rsi(14) bbands(20,2):upper,middle,lower"
 *
 * A list that is too long for one block goes on in a second one, numbered in flags.
 */
struct event_indicators {
	struct event_head head;
	uint64_t bar_seq;
	uint64_t feature_version;
	uint64_t warm;      /* bit i: value[i] is not NULL */
	uint64_t bars_seen; /* valid bars so far */
	double value[INDICATOR_VALUES];
	char names[INDICATOR_NAMES];
	uint32_t timeframe_s;
	uint32_t bar_revision;
	uint32_t symbol_id;
	uint16_t schema_version;
	uint8_t flags; /* TIER1_INDICATORS | number << TIER1_BLOCK_SHIFT */
	uint8_t price_type;
	char symbol[SYMBOL_MAX];
	uint64_t chain; /* event_chain() */
};
_Static_assert(sizeof(struct event_indicators) == sizeof(struct event_tier1) &&
		       offsetof(struct event_indicators, timeframe_s) ==
			       offsetof(struct event_tier1, timeframe_s),
	       "two forms of one wire block");

/** What of a tier-1 stream an event is: 0 the vector, 1 .. blocks of indicators. */
static inline uint32_t event_tier1_part(const struct event_tier1 *e)
{
	if (!(e->flags & TIER1_INDICATORS))
		return 0;
	return 1u + (e->flags >> TIER1_BLOCK_SHIFT);
}

/** One output of a block of indicators, as its names say. */
struct indicator_value {
	const char *spec, *output; /* borrowed, not terminated; output: NULL if alone */
	size_t spec_len, output_len;
	double value;
};

/**
 * Step through a block: @io_at begins at 0 and is ours; false: that was the last.
 * Safe for any bytes.
 */
bool event_indicator_next(const struct event_indicators *e, uint32_t *io_at,
			  struct indicator_value *out);

enum corr_method { CORR_PEARSON = 0, CORR_EWMA, CORR_LEDOIT_WOLF, CORR_SPEARMAN };
enum tier2_status { TIER2_FINAL = 0, TIER2_PROVISIONAL };
enum tier2_reason {
	TIER2_INCLUDED = 0,
	TIER2_LAGGING,
	TIER2_BLIND,
	TIER2_SHORT_HISTORY,
	TIER2_ZERO_VARIANCE,
	TIER2_QUARANTINED, /* paused */
	TIER2_KILLED,
};

#define UNIVERSE_MAX 32 /* characters of a universe's name */

/**
 * A matrix: this block, then n_members struct tier2_member, then the lower
 * triangle including the diagonal, row by row, over the n_included members in
 * their order: n_included * (n_included + 1) / 2 doubles.
 */
struct event_tier2 {
	struct event_head head; /* seq = version; event_ns = as_of = T */
	uint64_t supersedes;    /* version that this one replaces; 0: none */
	uint64_t universe_hash; /* over the ordered symbols and parameters */
	uint64_t content_hash;  /* over members and triangle */
	double eigen_min; /* smallest eigenvalue before repair; NaN: not computed */
	double frobenius_shift; /* distance moved by the repair; 0: none */
	double lambda;          /* ewma decay; NaN for other methods */
	uint32_t timeframe_s;
	uint32_t window;
	uint32_t n_members;
	uint32_t n_included;
	uint16_t schema_version;
	uint8_t method; /* enum corr_method */
	uint8_t status; /* enum tier2_status */
	uint8_t psd_repaired;
	uint8_t price_type;
	uint8_t cause; /* enum bar_cause of the bar that brought a superseding version
			*/
	uint8_t reserved[1];
	char universe[UNIVERSE_MAX];
	uint64_t chain; /* event_chain(); content_hash stands for the tail */
};
_Static_assert(sizeof(struct event_tier2) == 32 + 48 + 16 + 8 + UNIVERSE_MAX + 8,
	       "wire block");

struct tier2_member {
	uint64_t bar_seq; /* of the bar at T; 0: none */
	uint32_t bar_revision;
	uint32_t n_obs; /* returns inside the window */
	uint32_t symbol_id;
	uint8_t reason; /* enum tier2_reason; TIER2_INCLUDED: has a row */
	uint8_t reserved[3];
	char symbol[SYMBOL_MAX];
};
_Static_assert(sizeof(struct tier2_member) == 56, "wire block");

enum symbol_state {
	SYMBOL_LIVE = 0,
	SYMBOL_PAUSED,
	SYMBOL_GAP,         /* no bar grid: longer silent than missing_run_max bars */
	SYMBOL_SOURCE_LOST, /* its source went silent */
	SYMBOL_SOURCE_BACK,
	SYMBOL_CANCEL_LOST, /* a cancel named a trade that is not held any more */
	SYMBOL_HALTED,
	SYMBOL_FAULT, /* deriving failed for this symbol; it stands still until resumed
		       */
	SYMBOL_SOURCE_CHOSEN,   /* source_id makes its bars from here on; text: why */
	SYMBOL_SOURCES_DIVERGE, /* detail: how far apart, in millionths */
	SYMBOL_SOURCES_AGREE,   /* again */
	SYMBOL_KILLED,      /* its bars and features are held from here on (freeze.h) */
	SYMBOL_QUARANTINED, /* the same: its data is suspect */
	SYMBOL_RELEASED,    /* what was held follows */
};

struct event_status {
	struct event_head head;
	uint64_t detail; /* by state: bars skipped, the lost trade's sequence ... */
	uint32_t symbol_id;
	uint16_t source_id;
	uint8_t state; /* enum symbol_state */
	uint8_t reserved;
	char symbol[SYMBOL_MAX];
	char text[80];  /* one sentence, UTF-8 */
	uint64_t chain; /* event_chain() */
};
_Static_assert(sizeof(struct event_status) == 32 + 8 + 8 + SYMBOL_MAX + 80 + 8,
	       "wire block");

enum {                  /* news.flags */
       NEWS_UPDATE = 1, /* the article was there before, in another edition */
       NEWS_REPEAT = 2, /* its headline was: it does not count in the window */
       NEWS_CUT = 4,    /* the headline is longer than fits here */
       NEWS_LATE = 8,   /* older than the window of its symbol: it counts nowhere */
};

/**
 * What a headline says about one symbol (head.event_ns: when this edition appeared),
 * and what all of them said in the window that ends at the newest of the symbol.
 */
struct event_news {
	struct event_head head;
	double compound;                        /* -1 .. 1 */
	double pos_share, neu_share, neg_share; /* of the headline's words */
	double average;  /* of the compounds in the window; NaN: there is none */
	double weighted; /* ... each by 2^(-age / half life) */
	double positive; /* shares of the window by the thresholds, 0 .. 1 */
	double negative;
	uint64_t articles;    /* in the window, repeats left out */
	int64_t published_ns; /* when its first edition appeared */
	uint64_t article;     /* hash of source and id: the same for all its symbols */
	uint32_t edition;     /* from 1 */
	uint32_t window_s;
	uint32_t symbol_id;
	uint16_t source_id;
	uint8_t flags;     /* NEWS_x */
	uint8_t n_symbols; /* ... of the article */
	uint32_t half_life_s;
	uint16_t schema_version;
	uint8_t reserved[2];
	char symbol[SYMBOL_MAX];
	char lexicon[32]; /* version of words and rules: analysis/sentiment.h */
	char id[64];      /* the source's own */
	char publisher[32];
	char headline[256]; /* UTF-8, cut between characters */
	char url[200];      /* empty when it is longer */
	uint64_t chain;     /* event_chain() */
};
_Static_assert(sizeof(struct event_news) ==
		       144 + SYMBOL_MAX + 32 + 64 + 32 + 256 + 200 + 8,
	       "wire block");

/**
 * Link a derived event into the chain of its stream: @event's chain field becomes the
 * first 8 bytes of BLAKE2b (RFC 7693, 8 bytes long, no key) over its block in which
 * that field holds the predecessor's chain, *@head (0: it is the first), and
 * head.recv_ns is 0.  *@head becomes the same.  So two streams with the same chain at
 * the same sequence are the same from their first event on, but for when their input
 * was received: two daemons that were sent the same have the same chains.
 */
void event_chain(enum event_kind kind, void *event, uint64_t *head);
/** The chain field of a derived event. */
uint64_t event_chain_of(enum event_kind kind, const void *event);

/** Why a tick was refused: the closed list (docs/PROTOCOL.md). */
#define REJECT_REASONS(X)                                                              \
	X(NONE, "accepted")                                                            \
	X(PRICE_NOT_A_NUMBER, "price_not_a_number")                                    \
	X(PRICE_NOT_POSITIVE, "price_not_positive")                                    \
	X(PRICE_OUT_OF_RANGE, "price_out_of_range")                                    \
	X(SIZE_NEGATIVE, "size_negative")                                              \
	X(SIZE_OUT_OF_RANGE, "size_out_of_range")                                      \
	X(NO_PRICE, "no_price")                                                        \
	X(TIME_TOO_OLD, "time_too_old")                                                \
	X(TIME_IN_FUTURE, "time_in_future")                                            \
	X(TIME_INVALID, "time_invalid")                                                \
	X(SYMBOL_MALFORMED, "symbol_malformed")                                        \
	X(SYMBOL_UNKNOWN, "symbol_unknown")                                            \
	X(SYMBOL_LIMIT, "symbol_limit")                                                \
	X(SOURCE_MALFORMED, "source_malformed")                                        \
	X(SOURCE_LIMIT, "source_limit")                                                \
	X(REFERENCE_MISSING, "reference_missing")                                      \
	X(CLOCK_BACKWARDS, "clock_backwards")                                          \
	X(CLOCK_NOT_ALLOWED, "clock_not_allowed")                                      \
	X(MALFORMED, "malformed")                                                      \
	X(HEADLINE_MISSING, "headline_missing")                                        \
	X(TEXT_TOO_LONG, "text_too_long")                                              \
	X(URL_MALFORMED, "url_malformed")                                              \
	X(NO_SYMBOL, "no_symbol")

#define X(id, label) REJECT_##id,
enum reject_reason { REJECT_REASONS(X) REJECT_N };
#undef X
const char *reject_name(enum reject_reason r);

/** Words of the small enums, as JSON prints them; "?" for foreign values. */
const char *price_type_name(unsigned v);
const char *bar_state_name(unsigned v);
const char *bar_cause_name(unsigned v);
const char *spread_method_name(unsigned v);
const char *corr_method_name(unsigned v);
const char *tier2_status_name(unsigned v);
const char *tier2_reason_name(unsigned v);
const char *symbol_state_name(unsigned v);
const char *tick_action_name(unsigned v);
