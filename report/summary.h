/* summary - what the rows say together; made of finished rows, in their order. */
#pragma once
#include "report/report.h"

#define REPORT_CORRELATED_MAX 30 /* more cannot be read in a heat map */
#define REPORT_CORRELATED_MIN 10 /* common returns; below it there is no number */

struct report_summary {
	size_t analyzed;  /* rows that have anything */
	size_t priced;    /* ... a price */
	size_t technical; /* ... indicators */
	size_t with_news; /* ... an article */
	size_t failed;    /* rows of which a part that was asked for is not there */
	uint64_t articles;
	size_t positive, negative;                 /* rows by their average sentiment */
	double avg_rsi, avg_sma_20, avg_sentiment; /* over rows that have one; NaN */
	int64_t newest_ns; /* the newest bar's end, or article; INT64_MIN: nothing */
};

/** Has anything that was asked for. */
bool report_row_is_there(const struct report *r, const struct report_symbol *s);
void report_sum_up(const struct report *r, struct report_summary *out);
/** "success", "partial" (something that was asked for is not there) or "failed". */
const char *report_status(const struct report *r, const struct report_summary *s);

/**
 * Pearson's correlation of the logarithmic returns of the first rows that have a price.
 *
 * A return is from one bar of a symbol to its next, so that no symbol changes
 * another's; two symbols are compared at the times that both have a return for.
 */
struct report_correlation {
	size_t n;
	const struct report_symbol *row[REPORT_CORRELATED_MAX];
	double value[REPORT_CORRELATED_MAX][REPORT_CORRELATED_MAX]; /* NaN: none */
};
void report_correlate(const struct report *r, struct report_correlation *out);

/** A position at the newest price. */
struct report_holding {
	const struct portfolio_position *position;
	const struct report_symbol *row; /* NULL or without a price: not valued */
	char currency[8];
	double value, cost, gain; /* NaN: not known */
	double change;            /* of the value since the bar before */
	double weight;            /* of the gross value in its currency */
};

/** All positions in one currency. */
struct report_total {
	char currency[8];  /* "": the sources did not say */
	size_t positions;  /* with a value */
	double value;      /* long less short */
	double gross;      /* long and short */
	double cost, gain; /* of the positions whose cost is known; NaN: none */
	double gain_share; /* gain / cost; NaN: the cost is 0 */
	double change;
	double avg_sentiment, avg_rsi; /* weighted by value; NaN: none */
};

#define REPORT_CURRENCIES_MAX 8

struct report_holdings {
	struct buf positions; /* owned; struct report_holding, in the file's order */
	struct report_total total[REPORT_CURRENCIES_MAX]; /* by first appearance */
	size_t n_totals;
};
void report_hold(const struct report *r, struct report_holdings *out);
const struct report_holding *report_holding_at(const struct report_holdings *h,
					       size_t i, size_t *out_n);
void report_holdings_free(struct report_holdings *h);
