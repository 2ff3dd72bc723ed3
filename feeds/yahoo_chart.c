/*
 * yahoo_chart - Yahoo's chart: columns of equal length, any of whose cells may be null.
 *
 *	chart.result[0]: meta, timestamp[], indicators.quote[0].{open high low close
 *	volume}[], indicators.adjclose[0].adjclose[], events.{dividends splits}
 *
 * A bar of a day carries the opening of the session: its date is that of the
 * exchange's zone, and it is stamped with that date's first instant.  The last row may
 * be the moment of the question instead of a bar; it is left out, or, for a day, is
 * that day so far.
 *
 * Prices stay in the unit in which the exchange quotes: London's are pence, and the
 * page's currency says so ("GBp").  Converting here would make them disagree with
 * every other vendor and with the screen, and would hide that somebody must know.
 */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/tz.h"
#include "feeds/float32.h"
#include "feeds/yahoo.h"
#include <errno.h>
#include <string.h>

#define DAY_S 86400

enum column { OPEN, HIGH, LOW, CLOSE, VOLUME, ADJUSTED, TIME, COLUMNS };

struct event {
	enum hist_action_kind kind;
	int64_t date_s;
	int64_t amount_e9, numerator_e9, denominator_e9;
};

struct chart {
	struct buf column[COLUMNS]; /* int64_t; VALUE_NULL for null */
	bool has[COLUMNS];
	struct buf events; /* struct event */
	char zone[64];
	char granularity[8];
	char currency[8];
	bool has_result;
};

static int64_t price(struct json_walk *w)
{
	const char *from = w->in.at;
	struct json_token t;
	int64_t v;

	if (!json_walk_token(w, &t) || t.type == JSON_NULL)
		return VALUE_NULL;
	if (t.type == JSON_NUMBER && float32_price(t.text, t.len, &v) == 0)
		return v;
	w->in.at = from;
	json_walk_fail(w, t.type == JSON_NUMBER ? "a price does not fit 64 bits"
						: "a price is no number");
	return VALUE_NULL;
}

static int64_t cell(struct json_walk *w, enum column c)
{
	if (c == TIME)
		return json_walk_decimal(w, 0);
	return c == VOLUME ? vendor_read_volume(w) : price(w);
}

static void read_column(struct json_walk *w, struct chart *x, enum column c)
{
	/* The same column twice: the last one counts. */
	x->column[c].len = 0;
	x->has[c] = json_walk_peek(w) == JSON_ARRAY;
	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		int64_t v = cell(w, c);

		buf_add(&x->column[c], &v, sizeof(v));
	}
}

/* The columns of the first element of a list; further ones are of no use. */
static void read_columns(struct json_walk *w, struct chart *x)
{
	static const char *const names[COLUMNS] = {
		"open", "high", "low", "close", "volume", "adjclose", "timestamp"};
	bool is_first = true;
	struct json_key k;

	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		if (!is_first || json_walk_peek(w) != JSON_OBJECT) {
			json_walk_skip(w);
			continue;
		}
		is_first = false;
		(void)json_walk_object(w);
		while (json_walk_key(w, &k)) {
			unsigned c = OPEN;

			while (c < TIME && !json_walk_is(&k, names[c]))
				c++;
			if (c < TIME)
				read_column(w, x, (enum column)c);
			else
				json_walk_skip(w);
		}
	}
}

static void read_indicators(struct json_walk *w, struct chart *x)
{
	struct json_key k;

	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "quote") || json_walk_is(&k, "adjclose"))
			read_columns(w, x);
		else
			json_walk_skip(w);
	}
}

static void read_event(struct json_walk *w, struct chart *x, enum hist_action_kind kind)
{
	struct event e = {kind, VALUE_NULL, VALUE_NULL, VALUE_NULL, VALUE_NULL};
	struct json_key k;

	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "date"))
			e.date_s = json_walk_decimal(w, 0);
		else if (json_walk_is(&k, "amount"))
			e.amount_e9 = price(w);
		else if (json_walk_is(&k, "numerator"))
			e.numerator_e9 = json_walk_decimal(w, 9);
		else if (json_walk_is(&k, "denominator"))
			e.denominator_e9 = json_walk_decimal(w, 9);
		else
			json_walk_skip(w);
	}
	if (e.date_s == VALUE_NULL)
		json_walk_fail(w, "an event has no date");
	buf_add(&x->events, &e, sizeof(e));
}

static void read_events(struct json_walk *w, struct chart *x)
{
	struct json_key k, key;

	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k)) {
		bool is_split = json_walk_is(&k, "splits");

		if (!is_split && !json_walk_is(&k, "dividends")) {
			json_walk_skip(w);
			continue;
		}
		if (!json_walk_object(w))
			continue;
		while (json_walk_key(w, &key))
			read_event(w, x, is_split ? ACTION_SPLIT : ACTION_DIVIDEND);
	}
}

static void read_meta(struct json_walk *w, struct chart *x)
{
	struct json_key k;

	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "currency"))
			json_walk_text(w, x->currency, sizeof(x->currency));
		else if (json_walk_is(&k, "exchangeTimezoneName"))
			json_walk_text(w, x->zone, sizeof(x->zone));
		else if (json_walk_is(&k, "dataGranularity"))
			json_walk_text(w, x->granularity, sizeof(x->granularity));
		else
			json_walk_skip(w);
	}
}

static void read_result(struct json_walk *w, struct chart *x)
{
	struct json_key k;

	if (x->has_result || !json_walk_object(w)) {
		json_walk_fail(w, "there is more than one result, or it is null");
		return;
	}
	x->has_result = true;
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "meta"))
			read_meta(w, x);
		else if (json_walk_is(&k, "timestamp"))
			read_column(w, x, TIME);
		else if (json_walk_is(&k, "indicators"))
			read_indicators(w, x);
		else if (json_walk_is(&k, "events"))
			read_events(w, x);
		else
			json_walk_skip(w);
	}
}

static void read_chart(struct json_walk *w, struct chart *x)
{
	struct json_key k;

	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "result")) {
			if (json_walk_array(w))
				while (json_walk_element(w))
					read_result(w, x);
		} else if (json_walk_is(&k, "error") && !json_walk_null(w)) {
			json_walk_fail(w, "it holds an error");
		}
	}
}

static void read_answer(struct json_walk *w, struct chart *x)
{
	struct json_key k;

	if (!json_walk_object(w))
		json_walk_fail(w, "it is null");
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "chart"))
			read_chart(w, x);
		else
			json_walk_skip(w);
	}
	if (!x->has_result)
		json_walk_fail(w, "it has no result");
}

static size_t length(const struct chart *x, enum column c)
{
	return x->column[c].len / sizeof(int64_t);
}

static int64_t at(const struct chart *x, enum column c, size_t row)
{
	return x->has[c] ? ((const int64_t *)x->column[c].data)[row] : VALUE_NULL;
}

/* Columns as long as the times, or not there; prices must be there. */
static int check_columns(const struct chart *x, const struct vendor_ask *a)
{
	size_t rows = length(x, TIME);

	for (unsigned c = OPEN; c < TIME; c++) {
		bool is_needed = c < VOLUME || (c == ADJUSTED && a->adjust == HIST_ALL);

		if (x->has[c] ? length(x, (enum column)c) != rows
			      : is_needed && rows > 0)
			return err_set(
				-EBADMSG,
				"the answer cannot be read: its columns have %zu "
				"times and %zu values",
				rows, length(x, (enum column)c));
	}
	return 0;
}

/* What was asked for?  Yahoo has answered with other bars than that. */
static int check_granularity(const struct chart *x, const struct vendor_ask *a)
{
	const char *want = a->what == VENDOR_BARS ? yahoo_interval(a->step_s) : "1d";
	bool is_hour = a->step_s == 3600 && strcmp(x->granularity, "60m") == 0;

	if (x->granularity[0] == '\0' || is_hour || strcmp(x->granularity, want) == 0)
		return 0;
	return err_set(-EBADMSG, "the answer has bars of '%s', not of %s",
		       x->granularity, want);
}

/* The first instant of the day in which @s lies, in the exchange's zone. */
static int64_t day_start_s(const struct tz *tz, int64_t s)
{
	int64_t local_s = s + tz_offset_s(tz, s), of_day_s = local_s % DAY_S;

	return tz_to_utc_s(tz, local_s - of_day_s - (of_day_s < 0 ? DAY_S : 0));
}

static int32_t date_of(const struct tz *tz, int64_t s)
{
	int64_t local_s = s + tz_offset_s(tz, s);

	return vendor_date_number(local_s / DAY_S - (local_s % DAY_S < 0));
}

/* v * num / den to the nearest millionth: the factor has no more than seven digits. */
static int64_t scale(int64_t v, int64_t num, int64_t den)
{
	__int128 x = (__int128)v * num / 1000, half = den / 2;

	return (int64_t)((x + (x < 0 ? -half : half)) / den) * 1000;
}

static bool make_bar(const struct chart *x, const struct vendor_ask *a, size_t row,
		     struct hist_bar *b)
{
	int64_t adjusted = at(x, ADJUSTED, row), close = at(x, CLOSE, row);

	*b = (struct hist_bar){.open_e9 = at(x, OPEN, row),
			       .high_e9 = at(x, HIGH, row),
			       .low_e9 = at(x, LOW, row),
			       .close_e9 = close,
			       .volume_e8 = at(x, VOLUME, row),
			       .vwap_e9 = VALUE_NULL,
			       .trades = VALUE_NULL};
	if (b->open_e9 == VALUE_NULL || b->high_e9 == VALUE_NULL ||
	    b->low_e9 == VALUE_NULL || close == VALUE_NULL)
		return false;
	if (a->adjust != HIST_ALL)
		return true;
	/* A factor above 1000 is none. */
	if (adjusted == VALUE_NULL || adjusted <= 0 || close <= 0 ||
	    adjusted / 1000 > close)
		return false;
	b->open_e9 = scale(b->open_e9, adjusted, close);
	b->high_e9 = scale(b->high_e9, adjusted, close);
	b->low_e9 = scale(b->low_e9, adjusted, close);
	b->close_e9 = adjusted;
	return true;
}

static void keep_bar(struct vendor_page *out, const struct hist_bar *b)
{
	size_t n = out->bars.len / sizeof(struct vendor_bar);
	struct vendor_bar *last =
		n > 0 ? (struct vendor_bar *)out->bars.data + n - 1 : NULL;

	/* A second row of the same day is that day so far. */
	if (last && last->bar.start_ns == b->start_ns) {
		out->skipped++;
		last->bar = *b;
		return;
	}
	vendor_page_bar(out)->bar = *b;
}

static int keep_bars(const struct chart *x, const struct vendor_ask *a,
		     const struct tz *tz, struct vendor_page *out)
{
	size_t rows = length(x, TIME);

	for (size_t row = 0; row < rows; row++) {
		int64_t s = at(x, TIME, row);
		struct hist_bar b;

		if (s == VALUE_NULL)
			return err_set(-EBADMSG, "the answer has a row without a time");
		/* Yahoo's first day is in 1927; this bounds what follows to 64 bits. */
		if (s < -DAY_S * INT64_C(36500) || s > DAY_S * INT64_C(54750))
			return err_set(-EBADMSG, "the answer has a time out of range");
		if (!make_bar(x, a, row, &b) || (a->step_s != DAY_S && s % 60 != 0)) {
			out->skipped++;
			continue;
		}
		b.start_ns = (a->step_s == DAY_S ? day_start_s(tz, s) : s) * NS_PER_S;
		if (vendor_in_range(a, b.start_ns))
			keep_bar(out, &b);
		else
			out->skipped++;
	}
	return 0;
}

static int keep_events(const struct chart *x, const struct vendor_ask *a,
		       const struct tz *tz, struct vendor_page *out)
{
	const struct event *e = (const struct event *)x->events.data;

	for (size_t i = 0; i < x->events.len / sizeof(*e); i++, e++) {
		struct hist_action *to;

		if (e->date_s < -DAY_S * INT64_C(36500) ||
		    e->date_s > DAY_S * INT64_C(54750))
			return err_set(-EBADMSG, "the answer has a time out of range");
		if (!vendor_in_range(a, day_start_s(tz, e->date_s) * NS_PER_S)) {
			out->skipped++;
			continue;
		}
		to = vendor_page_action(out);
		to->kind = (uint8_t)e->kind;
		to->ex_date = date_of(tz, e->date_s);
		memcpy(to->symbol, a->symbols[0], strlen(a->symbols[0]));
		memcpy(to->currency, x->currency, sizeof(to->currency));
		to->amount_e9 = e->amount_e9;
		to->numerator_e9 = e->numerator_e9;
		to->denominator_e9 = e->denominator_e9;
	}
	return 0;
}

static int keep(const struct chart *x, const struct vendor_ask *a,
		struct vendor_page *out)
{
	struct tz *tz = NULL;
	int rc = check_granularity(x, a);

	if (rc == 0)
		rc = check_columns(x, a);
	if (rc == 0 && tz_load(x->zone[0] ? x->zone : "UTC", &tz) < 0)
		rc = err_set(-EBADMSG, "the answer's time zone '%.40s' is unknown",
			     x->zone);
	if (rc == 0)
		rc = a->what == VENDOR_BARS ? keep_bars(x, a, tz, out)
					    : keep_events(x, a, tz, out);
	tz_free(tz);
	memcpy(out->currency, x->currency, sizeof(out->currency));
	if (rc < 0)
		vendor_page_reset(out);
	return rc;
}

int yahoo_parse_chart(const struct vendor_ask *a, const char *body, size_t len,
		      struct vendor_page *out)
{
	struct chart x = {0};
	struct json_walk w;
	int rc;

	json_walk_begin(&w, body, len);
	read_answer(&w, &x);
	rc = vendor_parsed(&w, out);
	if (rc == 0)
		rc = keep(&x, a, out);
	for (unsigned c = 0; c < COLUMNS; c++)
		buf_free(&x.column[c]);
	buf_free(&x.events);
	return rc;
}
