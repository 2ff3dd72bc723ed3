/* tsf_trend - a straight line through a series, or through aggregates of its chunks. */
#include "analysis/tsf_student.h"
#include "analysis/tsf_work.h"
#include <math.h>

#define AGGREGATES 4 /* max min mean var */
#define ATTRIBUTES 4 /* rvalue intercept slope stderr */

struct line {
	double r, intercept, slope, stderr_, p;
};

/*
 * Least squares of @y over 0, 1, 2 ...  A flat series has r = 0; of two points the line
 * is exact.
 */
static struct line fit(const double *y, size_t n, double *room_x, double *room_y)
{
	double m_x = (double)(n - 1) / 2.0, m_y = tsf_mean(y, n), xx, xy, yy, df, t;
	struct line l;

	for (size_t i = 0; i < n; i++) {
		room_x[i] = (double)i - m_x;
		room_y[i] = y[i] - m_y;
	}
	xx = tsf_dot(room_x, room_x, n) / (double)n;
	xy = tsf_dot(room_x, room_y, n) / (double)n;
	yy = tsf_dot(room_y, room_y, n) / (double)n;
	l.r = xx == 0.0 || yy == 0.0 ? 0.0 : xy / sqrt(xx * yy);
	l.r = l.r > 1.0 ? 1.0 : l.r < -1.0 ? -1.0 : l.r;
	l.slope = xy / xx;
	l.intercept = m_y - l.slope * m_x;
	if (n == 2) {
		l.p = y[0] == y[1] ? 1.0 : 0.0;
		l.stderr_ = 0.0;
		return l;
	}
	df = (double)n - 2.0;
	/* 1e-20: an exact line has a large t, not an infinite one. */
	t = l.r * sqrt(df / ((1.0 - l.r + 1e-20) * (1.0 + l.r + 1e-20)));
	l.p = tsf_student_two_sided(t, df);
	l.stderr_ = sqrt((1.0 - l.r * l.r) * yy / xx / df);
	return l;
}

void tsf_linear_trend(struct tsf_work *w, double *out)
{
	struct line l;

	if (w->n < 2) {
		for (size_t i = 0; i < 5; i++)
			out[i] = NAN;
		return;
	}
	l = fit(w->x, w->n, w->room[0], w->room[1]);
	out[0] = l.p;
	out[1] = l.r;
	out[2] = l.intercept;
	out[3] = l.slope;
	out[4] = l.stderr_;
}

static void aggregate(const double *x, size_t n, double *tmp, double out[AGGREGATES])
{
	double low = x[0], high = x[0];

	for (size_t i = 1; i < n; i++) {
		low = x[i] < low ? x[i] : low;
		high = x[i] > high ? x[i] : high;
	}
	out[0] = high;
	out[1] = low;
	out[2] = tsf_mean(x, n);
	out[3] = tsf_var(x, n, tmp);
}

void tsf_agg_linear_trend(struct tsf_work *w, double *out)
{
	static const size_t chunk_len[] = {5, 10, 50};

	for (size_t c = 0; c < 3; c++) {
		size_t len = chunk_len[c], chunks = (w->n + len - 1) / len;

		for (size_t k = 0; k < chunks && len < w->n; k++) {
			size_t rest = w->n - k * len;
			double tmp[50], value[AGGREGATES];

			aggregate(w->x + k * len, rest < len ? rest : len, tmp, value);
			for (size_t a = 0; a < AGGREGATES; a++)
				w->room[2 + a][k] = value[a];
		}
		for (size_t a = 0; a < AGGREGATES; a++) {
			struct line l = {NAN, NAN, NAN, NAN, NAN};
			double *at = out + c * AGGREGATES + a;
			size_t step = 3 * AGGREGATES;

			if (len < w->n)
				l = fit(w->room[2 + a], chunks, w->room[0], w->room[1]);
			at[0] = l.r;
			at[step] = l.intercept;
			at[2 * step] = l.slope;
			at[3 * step] = l.stderr_;
		}
	}
}
