/* holdings - report_hold(): what is held, at the newest prices. */
#include "report/compute.h"
#include "report/summary.h"
#include <stdio.h>
#include <string.h>

static const struct report_symbol *row_of(const struct report *r, const char *symbol)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->rows[i].symbol, symbol) == 0)
			return &r->rows[i];
	return NULL;
}

/* NULL: there are too many currencies. */
static struct report_total *total_of(struct report_holdings *h, const char *currency)
{
	size_t i = 0;

	while (i < h->n_totals && strcmp(h->total[i].currency, currency) != 0)
		i++;
	if (i == REPORT_CURRENCIES_MAX)
		return NULL;
	if (i == h->n_totals) {
		h->total[i] = (struct report_total){
			.cost = NAN, .gain = NAN, .gain_share = NAN};
		(void)snprintf(h->total[i].currency, sizeof(h->total[i].currency), "%s",
			       currency);
		h->n_totals++;
	}
	return &h->total[i];
}

static void add(double *sum, double v)
{
	*sum = isnan(*sum) ? v : *sum + v;
}

static void value(const struct report *r, const struct portfolio_position *p,
		  struct report_holding *out)
{
	*out = (struct report_holding){.position = p,
				       .row = row_of(r, p->symbol),
				       .value = NAN,
				       .cost = p->cost,
				       .gain = NAN,
				       .change = NAN,
				       .weight = NAN};
	if (out->row == NULL || out->row->n == 0)
		return;
	(void)snprintf(out->currency, sizeof(out->currency), "%s",
		       out->row->series[out->row->best].currency);
	out->value = p->quantity * out->row->bars[out->row->n - 1].close;
	out->gain = out->value - p->cost;
	if (out->row->n > 1)
		out->change = out->value -
			      p->quantity * out->row->bars[out->row->n - 2].close;
}

static void add_up(struct report_total *t, const struct report_holding *x)
{
	t->positions++;
	t->value += x->value;
	t->gross += fabs(x->value);
	if (!isnan(x->change))
		t->change += x->change;
	if (!isnan(x->gain)) {
		add(&t->cost, x->cost);
		add(&t->gain, x->gain);
	}
}

struct weighted {
	double sum, weight;
};

static void weigh(struct weighted *w, double v, double weight)
{
	if (isnan(v) || isnan(weight))
		return;
	w->sum += v * weight;
	w->weight += fabs(weight);
}

/* What needs the whole: weights, and averages by them. */
static void finish(const struct report *r, struct report_holdings *h,
		   struct report_total *t)
{
	struct report_holding *x = (struct report_holding *)(void *)h->positions.data;
	size_t n = h->positions.len / sizeof(*x);
	struct weighted sentiment = {0}, rsi = {0};

	for (size_t i = 0; i < n; i++) {
		if (isnan(x[i].value) || strcmp(x[i].currency, t->currency) != 0)
			continue;
		x[i].weight = t->gross > 0 ? x[i].value / t->gross : NAN;
		if ((r->parts & REPORT_NEWS) && x[i].row->news.articles > 0)
			weigh(&sentiment, x[i].row->news.average, x[i].weight);
		weigh(&rsi, report_column(x[i].row, REPORT_RSI_14), fabs(x[i].weight));
	}
	t->avg_sentiment =
		sentiment.weight > 0 ? sentiment.sum / sentiment.weight : NAN;
	t->avg_rsi = rsi.weight > 0 ? rsi.sum / rsi.weight : NAN;
	if (t->cost > 0 || t->cost < 0)
		t->gain_share = t->gain / fabs(t->cost);
}

void report_hold(const struct report *r, struct report_holdings *out)
{
	const struct portfolio_position *p;
	size_t n;

	*out = (struct report_holdings){.n_totals = 0};
	p = portfolio_positions(r->portfolio, &n);
	for (size_t i = 0; i < n; i++) {
		struct report_holding x;
		struct report_total *t;

		value(r, &p[i], &x);
		t = isnan(x.value) ? NULL : total_of(out, x.currency);
		if (t != NULL)
			add_up(t, &x);
		buf_add(&out->positions, &x, sizeof(x));
	}
	for (size_t i = 0; i < out->n_totals; i++)
		finish(r, out, &out->total[i]);
}

const struct report_holding *report_holding_at(const struct report_holdings *h,
					       size_t i, size_t *out_n)
{
	*out_n = h->positions.len / sizeof(struct report_holding);
	return (const struct report_holding *)(const void *)h->positions.data + i;
}

void report_holdings_free(struct report_holdings *h)
{
	buf_free(&h->positions);
}
