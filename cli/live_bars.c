/* live_bars - the daemon's own bars: of its archive, else of its store. */
#include "base/clock.h"
#include "base/timetext.h"
#include "cli/live_source.h"
#include "proto/event.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- one bar ---- */

/* What is taken of a symbol that has bars of several prices: trades before quotes. */
static uint8_t price_type_of(const struct json_token *word)
{
	uint8_t i = PRICE_LAST;

	while (i <= PRICE_AUTO && !json_scan_is(word, price_type_name(i)))
		i++;
	return i;
}

struct own_bar {
	struct report_bar bar;
	char symbol[SYMBOL_MAX + 1];
	char made_of[SOURCE_MAX + 1];
	uint8_t price_type;
	bool is_valid;
};

static bool read_bar(const struct json_token *row, struct own_bar *b)
{
	struct json_token key, value;
	struct query_walk walk;
	uint64_t start_ns;
	const struct {
		const char *name;
		double *to;
	} fields[] = {{"open", &b->bar.open},
		      {"high", &b->bar.high},
		      {"low", &b->bar.low},
		      {"close", &b->bar.close},
		      {"volume", &b->bar.volume}};

	*b = (struct own_bar){.bar = {INT64_MIN, NAN, NAN, NAN, NAN, NAN}};
	if (!query_walk(&walk, row))
		return false;
	while (query_next(&walk, &key, &value)) {
		if (json_scan_is(&key, "symbol"))
			(void)query_text(&value, b->symbol, sizeof(b->symbol));
		else if (json_scan_is(&key, "bar_start"))
			(void)timetext_parse(value.text, value.len, &b->bar.time_ns);
		else if (json_scan_is(&key, "start_ns") &&
			 json_scan_u64(&value, &start_ns))
			b->bar.time_ns = (int64_t)start_ns;
		else if (json_scan_is(&key, "source_id"))
			(void)query_text(&value, b->made_of, sizeof(b->made_of));
		else if (json_scan_is(&key, "price_type"))
			b->price_type = price_type_of(&value);
		else if (json_scan_is(&key, "valid_bar"))
			b->is_valid = value.type == JSON_TRUE;
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (json_scan_is(&key, fields[i].name))
				*fields[i].to = query_number(&value, NAN);
	}
	return b->bar.time_ns != INT64_MIN;
}

/* The first of its row: nobody else was asked yet. */
static struct report_series *series_of(struct report_symbol *s, const struct report *r)
{
	unsigned rank = 0;

	if (s->n_series > 0)
		return &s->series[0];
	while (rank < r->n_sources && strcmp(r->sources[rank], LIVE_SOURCE) != 0)
		rank++;
	(void)report_series_add(s, LIVE_SOURCE);
	s->series[0].is_own = true;
	s->series[0].rank = rank;
	return &s->series[0];
}

/* A bar that is no longer valid (its only trade was cancelled) is none. */
void live_take_bar(struct live_source *l, const struct json_token *row)
{
	struct report_series *x;
	struct own_bar b;
	size_t i;

	if (!read_bar(row, &b) || b.bar.time_ns < l->start_ns ||
	    b.bar.time_ns >= l->end_ns)
		return;
	i = live_row(l, b.symbol);
	if (i == SIZE_MAX || b.price_type > l->price_type[i])
		return;
	if (b.bar.time_ns > l->newest_ns)
		l->newest_ns = b.bar.time_ns;
	x = series_of(&l->r->rows[i], l->r);
	if (b.price_type < l->price_type[i])
		x->bars.len = 0;
	l->price_type[i] = b.price_type;
	report_series_put(x, &b.bar, b.is_valid);
	if (b.is_valid)
		(void)snprintf(x->made_of, sizeof(x->made_of), "%s", b.made_of);
}

/* ---- of the store ---- */

static void forget_bars(struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].n_series > 0)
			r->rows[i].series[0].bars.len = 0;
}

static bool is_short(const struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		size_t n;

		if (r->rows[i].n_series == 0)
			continue;
		(void)report_series_bars(&r->rows[i].series[0], &n);
		if (n < r->window)
			return true;
	}
	return false;
}

/* @spans windows back from @newest; INT64_MIN: from the oldest on. */
static int64_t begin_of(const struct report *r, int64_t newest, double spans)
{
	double back = (double)r->window * (double)r->step_s * 1e9 * spans;

	return spans == 0 || back >= (double)newest ? INT64_MIN
						    : newest - (int64_t)back;
}

static int take_from(struct cli *c, struct live_source *l, int64_t from_ns)
{
	const struct live_pages p = {"bar", l->wish->timeframe, live_take_bar};
	char from[TIMETEXT_MAX + 16] = "\"oldest\"", text[TIMETEXT_MAX];

	if (from_ns > 0) {
		(void)timetext_print(text, from_ns);
		(void)snprintf(from, sizeof(from), "{\"time\":\"%s\"}", text);
	}
	return live_pages_each(c, l, &p, from);
}

/* Which rows have any bars, and the newest of all, of whatever time. */
static int take_newest(struct cli *c, struct live_source *l)
{
	const struct live_pages p = {"bar", l->wish->timeframe, live_take_bar};
	int64_t start_ns = l->start_ns, end_ns = l->end_ns;
	int rc;

	l->start_ns = INT64_MIN;
	l->end_ns = INT64_MAX;
	rc = live_pages_each(c, l, &p, "\"snapshot\"");
	l->start_ns = start_ns;
	l->end_ns = end_ns;
	forget_bars(l->r);
	return rc;
}

/*
 * What is newest says which rows have any, and how far back a window reaches: six times
 * its length, for nights and weekends; then weeks of it, for holidays; then all there
 * is.
 */
static int store_bars(struct cli *c, struct live_source *l)
{
	static const double spans[] = {6, 96, 0};
	int64_t newest, from_ns;
	size_t i = 0;
	int rc = take_newest(c, l);

	if (rc != CLI_OK || l->newest_ns == INT64_MIN)
		return rc;
	newest = l->newest_ns < l->end_ns ? l->newest_ns : l->end_ns;
	do {
		from_ns = l->start_ns != INT64_MIN ? l->start_ns
						   : begin_of(l->r, newest, spans[i]);
		rc = take_from(c, l, from_ns);
	} while (rc == CLI_OK && from_ns != l->start_ns && is_short(l->r) &&
		 ++i < sizeof(spans) / sizeof(spans[0]));
	return rc;
}

int live_bars(struct cli *c, struct live_source *l)
{
	int rc = live_archive(c, l, LIVE_BARS) ? CLI_OK : store_bars(c, l);

	for (size_t i = 0; i < l->r->n; i++) {
		struct report_symbol *s = &l->r->rows[i];

		if (s->n_series > 0 && s->series[0].bars.len == 0)
			report_series_drop(s);
		else if (s->n_series > 0)
			report_series_trim(&s->series[0], l->r->window);
	}
	return rc == CLI_NEGATIVE ? CLI_OK : rc;
}
