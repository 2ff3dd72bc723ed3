/*
 * mapping_value - from texts to a tick: exact numbers, times in whatever unit and zone
 * the mapping names, names that are allowed.
 */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timetext.h"
#include "feeds/mapping.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DAY_S 86400

/*
 * Years 1990 to 2100 in seconds.  The ranges of s, ms, us and ns lie far apart:
 * a number in one of them read in the next unit is before 1973 or after 5000.
 */
#define EPOCH_FIRST_S INT64_C(631152000)
#define EPOCH_LAST_S  INT64_C(4102444800)

static int bad(char why[FEED_WHY_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int bad(char why[FEED_WHY_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, FEED_WHY_MAX, fmt, ap);
	va_end(ap);
	/* A reason is printed: control bytes of a stranger must not be. */
	for (char *p = why; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return MAPPING_BAD;
}

/* Texts of strangers are shown at most this long. */
static int shown(size_t len)
{
	return (int)(len > 40 ? 40 : len);
}

static int number(const struct mapping_text *v, enum mapping_field f, unsigned scale,
		  int64_t *out, char *why)
{
	*out = VALUE_NULL;
	if (!v[f].text || v[f].len == 0)
		return 0;
	switch (decimal_parse_exp(v[f].text, v[f].len, scale, out)) {
	case 0:
		if (*out != VALUE_NULL)
			return 0;
		break;
	case DECIMAL_RANGE:
		break;
	case DECIMAL_INEXACT:
		return bad(why, "%s '%.*s' has more than %u decimals",
			   mapping_field_name(f), shown(v[f].len), v[f].text, scale);
	default:
		return bad(why, "%s '%.*s' is not a number", mapping_field_name(f),
			   shown(v[f].len), v[f].text);
	}
	return bad(why, "%s '%.*s' is out of range", mapping_field_name(f),
		   shown(v[f].len), v[f].text);
}

static int counter(const struct mapping_text *v, enum mapping_field f, uint64_t *out,
		   char *why)
{
	uint64_t n = 0;

	*out = 0;
	if (!v[f].text || v[f].len == 0)
		return 0;
	for (size_t i = 0; i < v[f].len; i++) {
		unsigned digit = (unsigned char)(v[f].text[i] - '0');

		if (digit > 9 || __builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			return bad(why, "%s '%.*s' is not a whole number",
				   mapping_field_name(f), shown(v[f].len), v[f].text);
	}
	*out = n;
	return 0;
}

static bool looks_like_date(const struct mapping_text *t)
{
	return t->len >= 11 && t->text[4] == '-' && t->text[7] == '-';
}

/* Beyond doubt, or not at all. */
static int detect_unit(struct mapping *m, const struct mapping_text *t, char *why)
{
	size_t whole = 0;
	int64_t n;

	while (whole < t->len && t->text[whole] != '.')
		whole++;
	if (decimal_parse(t->text, whole, 0, &n) != 0)
		return bad(why, "time '%.*s' is neither RFC 3339 nor a number",
			   shown(t->len), t->text);
	for (unsigned scale = 0; scale <= 9; scale += 3) {
		if (n >= EPOCH_FIRST_S && n < EPOCH_LAST_S) {
			m->is_unit_known = true;
			m->unit_scale = scale;
			return 0;
		}
		n /= 1000;
	}
	return bad(why,
		   "time '%.*s' does not say its unit; state it (s, ms, us, ns or "
		   "ms@DATE@ZONE)",
		   shown(t->len), t->text);
}

static int64_t zone_to_utc_s(const struct mapping *m, int64_t local_s)
{
	return m->tz ? tz_to_utc_s(m->tz, local_s) : local_s - m->offset_s;
}

/*
 * A number of units with any fraction, exactly: the unit is 10^-scale seconds,
 * so the digits shift by 9 - scale places to become nanoseconds.
 */
static int unit_time(const struct mapping *m, const struct mapping_text *t,
		     int64_t *out, char *why)
{
	int rc = decimal_parse_exp(t->text, t->len, 9 - m->unit_scale, out);

	if (rc == DECIMAL_INEXACT)
		return bad(why, "time '%.*s' is finer than a nanosecond", shown(t->len),
			   t->text);
	if (rc == DECIMAL_RANGE)
		return bad(why, "time '%.*s' is out of range", shown(t->len), t->text);
	if (rc != 0)
		return bad(why, "time '%.*s' is not a number", shown(t->len), t->text);
	return 0;
}

static int of_day(const struct mapping *m, const struct mapping_text *t, int64_t *out,
		  char *why)
{
	int64_t ns = 0, local_s;
	int rc = unit_time(m, t, &ns, why);

	if (rc)
		return rc;
	if (ns < 0 || ns >= DAY_S * NS_PER_S)
		return bad(why, "time '%.*s' is not inside a day", shown(t->len),
			   t->text);
	local_s = m->date_days * DAY_S + ns / NS_PER_S;
	*out = zone_to_utc_s(m, local_s) * NS_PER_S + ns % NS_PER_S;
	return 0;
}

/* RFC 3339 without its zone: read it as if UTC, then shift. */
static int local_time(const struct mapping *m, const struct mapping_text *t,
		      int64_t *out, char *why)
{
	char stamp[TIMETEXT_MAX];
	int64_t ns, s, frac;

	if (t->len > TIMETEXT_MAX - 2)
		return bad(why, "time '%.*s' is not a local time", shown(t->len),
			   t->text);
	memcpy(stamp, t->text, t->len);
	stamp[t->len] = 'Z';
	if (timetext_parse(stamp, t->len + 1, &ns) != 0)
		return bad(why,
			   "time '%.*s' is not a local time like 2014-05-05 09:30:00",
			   shown(t->len), t->text);
	s = ns / NS_PER_S;
	frac = ns % NS_PER_S;
	if (frac < 0) {
		frac += NS_PER_S;
		s--;
	}
	if (__builtin_mul_overflow(zone_to_utc_s(m, s), NS_PER_S, out) ||
	    __builtin_add_overflow(*out, frac, out))
		return bad(why, "time '%.*s' is out of range", shown(t->len), t->text);
	return 0;
}

static int time_of(struct mapping *m, const struct mapping_text *t, int64_t *out,
		   char *why)
{
	if (!t->text || t->len == 0)
		return bad(why, "there is no time");
	if (m->clock == CLOCK_AUTO && !looks_like_date(t)) {
		int rc = m->is_unit_known ? 0 : detect_unit(m, t, why);

		return rc ? rc : unit_time(m, t, out, why);
	}
	switch (m->clock) {
	case CLOCK_AUTO:
	case CLOCK_RFC3339:
		if (timetext_parse(t->text, t->len, out) == 0)
			return 0;
		return bad(why, "time '%.*s' is not RFC 3339 with a zone",
			   shown(t->len), t->text);
	case CLOCK_EPOCH:
		return unit_time(m, t, out, why);
	case CLOCK_OF_DAY:
		return of_day(m, t, out, why);
	case CLOCK_LOCAL:
		return local_time(m, t, out, why);
	}
	return bad(why, "the time format is unknown");
}

static int names(const struct mapping_text *v, struct feed_tick *out, char *why)
{
	const struct mapping_text *symbol = &v[MAP_SYMBOL], *source = &v[MAP_SOURCE];
	const struct mapping_text *cond = &v[MAP_COND];

	if (!symbol->text || symbol->len == 0)
		return bad(why, "there is no symbol");
	if (!symbol_valid(symbol->text, symbol->len))
		return bad(why, "symbol '%.*s' is not [A-Z0-9._:/=%%-]{1,32}",
			   shown(symbol->len), symbol->text);
	memcpy(out->symbol, symbol->text, symbol->len);
	if (source->text && source->len > 0) {
		if (!source_valid(source->text, source->len))
			return bad(why, "source '%.*s' is not [a-z0-9._-]{1,16}",
				   shown(source->len), source->text);
		memcpy(out->source, source->text, source->len);
	}
	if (cond->text && cond->len > 0) {
		if (cond->len > sizeof(out->rec.cond))
			return bad(why, "cond '%.*s' is longer than %zu characters",
				   shown(cond->len), cond->text, sizeof(out->rec.cond));
		for (size_t i = 0; i < cond->len; i++)
			if (cond->text[i] < ' ' || cond->text[i] > '~')
				return bad(why, "cond holds something else than ASCII");
		memcpy(out->rec.cond, cond->text, cond->len);
	}
	return 0;
}

static int action(const struct mapping_text *v, struct feed_tick *out, char *why)
{
	static const struct {
		const char *name;
		enum tick_action action;
	} known[] = {
		{"new", TICK_NEW},         {"trade", TICK_NEW},     {"quote", TICK_NEW},
		{"0", TICK_NEW},           {"cancel", TICK_CANCEL}, {"1", TICK_CANCEL},
		{"correct", TICK_CORRECT}, {"2", TICK_CORRECT},
	};
	const struct mapping_text *t = &v[MAP_ACTION];
	uint64_t flags = 0;
	int rc = counter(v, MAP_FLAGS, &flags, why);

	if (rc)
		return rc;
	if (flags > 31)
		return bad(why, "flags '%.*s' are not 0 to 31", shown(v[MAP_FLAGS].len),
			   v[MAP_FLAGS].text);
	out->rec.action_flags = record_pack(TICK_NEW, (unsigned)flags);
	if (!t->text || t->len == 0)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].name) != t->len ||
		    strncasecmp(known[i].name, t->text, t->len) != 0)
			continue;
		out->rec.action_flags = record_pack(known[i].action, (unsigned)flags);
		return 0;
	}
	return bad(why, "action '%.*s' is not new, cancel or correct", shown(t->len),
		   t->text);
}

static int numbers(const struct mapping_text *v, struct record *r, char *why)
{
	int rc;

	if ((rc = number(v, MAP_PRICE, 9, &r->price_e9, why)) != 0 ||
	    (rc = number(v, MAP_SIZE, 8, &r->size_e8, why)) != 0 ||
	    (rc = number(v, MAP_BID, 9, &r->bid_e9, why)) != 0 ||
	    (rc = number(v, MAP_ASK, 9, &r->ask_e9, why)) != 0 ||
	    (rc = number(v, MAP_BID_SIZE, 8, &r->bid_size_e8, why)) != 0 ||
	    (rc = number(v, MAP_ASK_SIZE, 8, &r->ask_size_e8, why)) != 0 ||
	    (rc = counter(v, MAP_SEQ, &r->source_seq, why)) != 0 ||
	    (rc = counter(v, MAP_REF, &r->ref_seq, why)) != 0)
		return rc;
	return 0;
}

int mapping_apply(struct mapping *m, const struct mapping_text given[MAP_FIELDS],
		  struct feed_tick *out, char why[FEED_WHY_MAX])
{
	struct mapping_text v[MAP_FIELDS];
	int rc;

	for (int f = 0; f < MAP_FIELDS; f++) {
		v[f] = given[f];
		if (m->col[f].is_constant)
			v[f] = (struct mapping_text){m->col[f].value,
						     strlen(m->col[f].value)};
	}
	*out = (struct feed_tick){.rec.type = RECORD_TICK};
	if ((rc = time_of(m, &v[MAP_TIME], &out->rec.event_ns, why)) != 0 ||
	    (rc = names(v, out, why)) != 0 || (rc = numbers(v, &out->rec, why)) != 0 ||
	    (rc = action(v, out, why)) != 0)
		return rc;
	if (record_action(&out->rec) == TICK_NEW && out->rec.price_e9 == VALUE_NULL &&
	    out->rec.bid_e9 == VALUE_NULL && out->rec.ask_e9 == VALUE_NULL)
		return bad(why, "there is no price, bid or ask");
	if (record_action(&out->rec) != TICK_NEW && out->rec.ref_seq == 0)
		return bad(why, "a cancel or correction needs ref");
	out->arrival_ns = out->rec.event_ns;
	return 0;
}
