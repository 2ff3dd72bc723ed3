/* summary - see summary.h. */
#include "report/summary.h"
#include "base/clock.h"
#include "report/compute.h"
#include <string.h>

bool report_row_is_there(const struct report *r, const struct report_symbol *s)
{
	return ((r->parts & REPORT_PRICING) && s->n > 0) ||
	       ((r->parts & REPORT_NEWS) && s->news.articles > 0);
}

struct mean {
	double sum;
	size_t n;
};

static void add(struct mean *m, double v)
{
	if (isnan(v))
		return;
	m->sum += v;
	m->n++;
}

static double mean_of(const struct mean *m)
{
	return m->n > 0 ? m->sum / (double)m->n : NAN;
}

static void later(int64_t *newest_ns, int64_t ns)
{
	if (ns > *newest_ns)
		*newest_ns = ns;
}

static void count(const struct report *r, const struct report_symbol *s,
		  struct report_summary *out)
{
	bool has_news = (r->parts & REPORT_NEWS) && s->news.articles > 0,
	     failed = false;

	for (size_t i = 0; i < REPORT_PARTS; i++)
		failed = failed || s->failed[i][0] != '\0';
	out->failed += failed;
	out->analyzed += report_row_is_there(r, s);
	out->priced += s->n > 0;
	out->technical += s->columns != NULL;
	if (s->n > 0)
		later(&out->newest_ns,
		      s->bars[s->n - 1].time_ns + (int64_t)r->step_s * NS_PER_S);
	if (!has_news)
		return;
	out->with_news++;
	out->articles += s->news.articles;
	out->positive += s->news.average >= SENTIMENT_THRESHOLD;
	out->negative += s->news.average <= -SENTIMENT_THRESHOLD;
	later(&out->newest_ns, s->news.newest_ns);
}

void report_sum_up(const struct report *r, struct report_summary *out)
{
	struct mean rsi = {0}, sma = {0}, sentiment = {0};

	*out = (struct report_summary){.newest_ns = INT64_MIN};
	for (size_t i = 0; i < r->n; i++) {
		const struct report_symbol *s = &r->rows[i];

		count(r, s, out);
		add(&sma, report_column(s, REPORT_SMA_20));
		add(&rsi, report_column(s, REPORT_RSI_14));
		if ((r->parts & REPORT_NEWS) && s->news.articles > 0)
			add(&sentiment, s->news.average);
	}
	out->avg_rsi = mean_of(&rsi);
	out->avg_sma_20 = mean_of(&sma);
	out->avg_sentiment = mean_of(&sentiment);
}

const char *report_status(const struct report *r, const struct report_summary *s)
{
	size_t refused = 0;

	if (r->portfolio != NULL)
		(void)portfolio_refusals(r->portfolio, &refused);
	if (s->failed > 0 && s->analyzed == 0)
		return "failed";
	return s->failed > 0 || refused > 0 ? "partial" : "success";
}

/* ---- correlation ---- */

/* Fills @x and @y with the returns that both have; returns how many. */
static size_t common_returns(const struct report_symbol *a,
			     const struct report_symbol *b, double *x, double *y)
{
	size_t n = 0;

	for (size_t i = 1, k = 1; i < a->n && k < b->n;) {
		int64_t ta = a->bars[i].time_ns, tb = b->bars[k].time_ns;

		if (ta == tb) {
			x[n] = log(a->bars[i].close / a->bars[i - 1].close);
			y[n++] = log(b->bars[k].close / b->bars[k - 1].close);
		}
		i += ta <= tb;
		k += tb <= ta;
	}
	return n;
}

static double pearson(const double *x, const double *y, size_t n)
{
	double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;

	if (n < REPORT_CORRELATED_MIN)
		return NAN;
	for (size_t i = 0; i < n; i++) {
		mx += x[i];
		my += y[i];
	}
	mx /= (double)n;
	my /= (double)n;
	for (size_t i = 0; i < n; i++) {
		xx += (x[i] - mx) * (x[i] - mx);
		yy += (y[i] - my) * (y[i] - my);
		xy += (x[i] - mx) * (y[i] - my);
	}
	if (!(xx > 0) || !(yy > 0))
		return NAN;
	return fmin(1, fmax(-1, xy / (sqrt(xx) * sqrt(yy))));
}

void report_correlate(const struct report *r, struct report_correlation *out)
{
	static _Thread_local double x[REPORT_WINDOW_MAX], y[REPORT_WINDOW_MAX];

	out->n = 0;
	for (size_t i = 0; i < r->n && out->n < REPORT_CORRELATED_MAX; i++)
		if (r->rows[i].n > 0)
			out->row[out->n++] = &r->rows[i];
	for (size_t i = 0; i < out->n; i++) {
		for (size_t k = 0; k <= i; k++) {
			size_t n = common_returns(out->row[i], out->row[k], x, y);
			double v = pearson(x, y, n);

			out->value[i][k] = out->value[k][i] =
				i == k && !isnan(v) ? 1 : v;
		}
	}
}
