/*
 * mapping - which column or key of somebody's file is which field of a tick,
 * and how its times are written.
 *
 *	mapping_columns(&m, "time=0,bid=1,ask=2")    by number: no header
 *	mapping_columns(&m, "time=T,price=data.p")   by name or JSON path
 *	mapping_constants(&m, "symbol=EURUSD,source=oanda")
 *	mapping_time(&m, "ms@2014-05-05@-05:00")
 *
 * Without mapping_columns() the usual names are looked for (time, timestamp, ts,
 * date ...).  Numbers are exact: a price with more than 9 decimals or a size
 * with more than 8 is refused, not rounded.
 */
#pragma once
#include "base/tz.h"
#include "feeds/feed.h"
#include <stdbool.h>
#include <stddef.h>

#define MAPPING_KEY_MAX   64
#define MAPPING_VALUE_MAX 64

enum mapping_field {
	MAP_TIME = 0,
	MAP_SYMBOL,
	MAP_PRICE,
	MAP_SIZE,
	MAP_BID,
	MAP_ASK,
	MAP_BID_SIZE,
	MAP_ASK_SIZE,
	MAP_SEQ,
	MAP_REF,
	MAP_COND,
	MAP_ACTION,
	MAP_FLAGS,
	MAP_SOURCE,
	MAP_FIELDS,
};

enum mapping_clock {
	CLOCK_AUTO = 0, /* RFC 3339, or an epoch whose unit is beyond doubt */
	CLOCK_RFC3339,
	CLOCK_EPOCH,  /* unit since 1970 UTC */
	CLOCK_OF_DAY, /* unit since midnight of a date in a zone */
	CLOCK_LOCAL,  /* "2014-05-05 09:30:00.5" without zone, in a zone */
};

struct mapping_column {
	char key[MAPPING_KEY_MAX]; /* "": not named */
	int index;                 /* >= 0: by number, or found in the header; -1 */
	bool is_constant;
	char value[MAPPING_VALUE_MAX]; /* of a constant */
};

struct mapping {
	struct mapping_column col[MAP_FIELDS];
	bool is_explicit; /* mapping_columns() was called: no guessing */
	bool has_index;   /* by number: the file has no header */
	char delimiter;   /* ',' */
	enum mapping_clock clock;
	bool is_unit_known;  /* CLOCK_AUTO: the first number told the unit */
	unsigned unit_scale; /* decimals of the unit below a second: s 0 ... ns 9 */
	int64_t date_days;   /* CLOCK_OF_DAY */
	int32_t offset_s;    /* fixed zone, seconds east of UTC; where tz is NULL */
	struct tz *tz;       /* owned */
};

/** A field's text; text NULL: absent. */
struct mapping_text {
	const char *text;
	size_t len;
};

/** Outcome of mapping_apply() and mapping_header(). */
enum { MAPPING_BAD = 1 };

void mapping_init(struct mapping *m);
void mapping_deinit(struct mapping *m);
/** -EINVAL with a sentence that names the offending part. */
int mapping_columns(struct mapping *m, const char *text);
int mapping_constants(struct mapping *m, const char *text);
/**
 * "auto", "rfc3339", "s", "ms", "us", "ns" (since 1970, fractions welcome),
 * "ms@DATE" or "ms@DATE@ZONE" (since midnight of DATE), "local@ZONE".
 * ZONE is an IANA name or a fixed "-05:00"; UTC when left out.
 */
int mapping_time(struct mapping *m, const char *text);

const char *mapping_field_name(enum mapping_field f);
/** The field that a column called @name feeds, MAP_FIELDS: none. */
enum mapping_field mapping_guess(const struct mapping *m, const char *name, size_t len);
/** After the names are known: is a tick possible at all?  -EINVAL, sentence. */
int mapping_check(const struct mapping *m, const bool present[MAP_FIELDS]);

/** A tick from its texts.  0, or MAPPING_BAD with the reason in @why. */
int mapping_apply(struct mapping *m, const struct mapping_text v[MAP_FIELDS],
		  struct feed_tick *out, char why[FEED_WHY_MAX]);
