/*
 * config_table - every key of the configuration: its type, place, range, unit, and
 * whether SIGHUP may change it.  Reading, printing and comparing are loops over
 * these tables; to add a key, add a field to config.h, a line here, its default
 * to config_default() and its description to tickbusd.yaml.
 */
#pragma once
#include "daemon/config.h"
#include <stddef.h>

enum config_type {
	CONFIG_BOOL, /* bool */
	CONFIG_U32,  /* min .. max */
	CONFIG_U64,
	CONFIG_I32,
	CONFIG_POWER_U32, /* a power of two, min .. max */
	CONFIG_BYTES,     /* uint64_t: "64MiB"; "0" where min is 0 */
	CONFIG_POWER_BYTES,
	CONFIG_DURATION,   /* int64_t ns: "250ms"; "off" is 0 where min is 0 */
	CONFIG_TEXT,       /* char[scale] */
	CONFIG_NNG_URL,    /* char[scale]: tcp:// or ipc://; "off" is "" */
	CONFIG_ADDRESS,    /* char[scale]: ADDRESS:PORT; "off" */
	CONFIG_SOCKET,     /* char[scale]: a path; "off" */
	CONFIG_PATH,       /* char[scale]: a path; "off" is "" */
	CONFIG_WORD,       /* char[scale]: [A-Za-z0-9._-]; "off" is "" */
	CONFIG_WEB,        /* char[scale]: http[s], ws[s] or tcp URL; "off" is "" */
	CONFIG_CHOICE,     /* uint32_t or an enum: one of words */
	CONFIG_CHOICE8,    /* uint8_t */
	CONFIG_SCALED,     /* uint32_t: an exact decimal times 10^scale */
	CONFIG_DECIMAL,    /* int64_t: an exact decimal times 10^scale */
	CONFIG_DOUBLE,     /* min .. max in thousandths */
	CONFIG_TIME,       /* int64_t ns: RFC 3339 */
	CONFIG_OF_DAY,     /* int32_t: "09:30"; "off" is -1 */
	CONFIG_ZONE,       /* struct symbol_params as a whole */
	CONFIG_TIMEFRAME,  /* uint32_t seconds */
	CONFIG_TIMEFRAMES, /* struct symbol_params */
	CONFIG_PRICES,     /* struct symbol_params */
	CONFIG_DAYS,       /* uint8_t: [mon, tue] */
	CONFIG_SOURCE,     /* char[]: a source's name; "" or "any" */
	CONFIG_SOURCES,    /* struct symbol_params: [alpaca, polygon]; []: no choice */
	CONFIG_INDICATORS, /* struct symbol_params: ["sma(20)", "rsi(14)@1h"]; []: none
			    */
};

enum {
	CONFIG_RELOAD = 1, /* SIGHUP may change it */
	CONFIG_ALIAS =
		2, /* another name of the key with the same offset: not printed */
};

struct config_word {
	const char *word;
	uint32_t value;
};

struct config_key {
	const char *name; /* "section.key", or "key" */
	enum config_type type;
	size_t offset;
	int64_t min, max;
	unsigned scale;
	unsigned flags;
	const struct config_word *words; /* ended by NULL */
};

struct config_table {
	const struct config_key *keys;
	size_t n;
};

extern const struct config_table config_global;    /* offsets into struct config */
extern const struct config_table config_symbol;    /* into struct symbol_params */
extern const struct config_table config_vendor;    /* into struct config_vendor */
extern const struct config_table config_universe;  /* into struct universe_params */
extern const struct config_table config_feed_keys; /* into struct config_feed */
extern const struct config_table config_rss_keys;  /* into struct config_rss */

/** "mon" ... "sun". */
extern const char *const config_days[7];

/** The words of a scalar, or the elements of a list of scalars. */
#define CONFIG_WORDS_MAX 16
struct config_words {
	const char *word[CONFIG_WORDS_MAX];
	size_t n;
	bool is_list;
};

/**
 * Put @w into the field of @k inside @base.  @params owns zones that are named.
 * 0, or 1 with a reason in @why.
 */
int config_value_set(const struct config_key *k, void *base, struct params *params,
		     const struct config_words *w, char why[200]);
/** The field's value as YAML ("1m", [1m, 5m], "text"). */
void config_value_print(const struct config_key *k, const void *base, struct buf *out);
/** Every key of @t that is not an alias, as "INDENTkey: value" lines. */
void config_table_print(const struct config_table *t, const void *base,
			const char *indent, struct buf *out);
/** One ticker's or universe's overrides as a block, with its name. */
void config_ticker_print(const struct config *c, const struct symbol_params *s,
			 struct buf *out);
void config_vendor_print(const struct config_vendor *v, struct buf *out);
void config_universe_print(const struct universe_params *u, struct buf *out);
void config_feed_print(const struct config_feed *f, struct buf *out);
void config_rss_print(const struct config_rss *r, struct buf *out);
/** "symbols: all", or the list. */
void config_names_print(const char (*symbols)[SYMBOL_MAX + 1], size_t n, bool all,
			struct buf *out);
/** No control characters (C0, DEL, C1) and nothing that YAML cannot hold unescaped. */
bool config_is_plain(const char *text);
/** A double-quoted YAML scalar. */
void config_quote(struct buf *out, const char *text);

/** Add an error (lines and columns from 1). */
void config_complain(struct config_errors *e, size_t line, size_t column,
		     const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/** The candidate nearest to @name, or NULL when none is near. */
const char *config_nearest(const char *name, const char *const *candidates, size_t n);
