/* tsf_count - features that count, locate and compare with a threshold. */
#include "analysis/tsf_work.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SEGMENTS 10

/* Index of the first value that equals @value, from the left or from the right. */
static double place(const struct tsf_work *w, double value, bool from_right)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->x[from_right ? w->n - 1 - i : i] == value)
			return (double)i / (double)w->n;
	return NAN;
}

void tsf_last_max(struct tsf_work *w, double *out)
{
	*out = 1.0 - place(w, w->max, true);
}

void tsf_first_max(struct tsf_work *w, double *out)
{
	*out = place(w, w->max, false);
}

void tsf_last_min(struct tsf_work *w, double *out)
{
	*out = 1.0 - place(w, w->min, true);
}

void tsf_first_min(struct tsf_work *w, double *out)
{
	*out = place(w, w->min, false);
}

/* The first digit of the shortest decimal text that reads back as @v. */
static unsigned shortest_digit(double v)
{
	char text[40];

	for (int digits = 0; digits < 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*e", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	return (unsigned)(text[0] - '0');
}

/*
 * The mantissa by division is right but for rounding, so only where it lies within
 * rounding of a digit's edge is the text asked, which is slow.
 */
static unsigned first_digit(double v)
{
	double e, mantissa, near;

	v = fabs(v);
	if (v == 0.0)
		return 0;
	e = floor(log10(v));
	if (e < -300.0 || e > 300.0)
		return shortest_digit(v);
	mantissa = e >= 0.0 ? v / pow(10.0, e) : v * pow(10.0, -e);
	near = fabs(mantissa - nearbyint(mantissa));
	if (near < 1e-9 || mantissa < 1.0 || mantissa >= 10.0)
		return shortest_digit(v);
	return (unsigned)mantissa;
}

void tsf_benford(struct tsf_work *w, double *out)
{
	double law[9], share[9], count[10] = {0}, m_law = 0.0, m_share = 0.0;
	double xy = 0.0, xx = 0.0, yy = 0.0, r;

	for (size_t i = 0; i < w->n; i++)
		count[first_digit(w->x[i])] += 1.0;
	for (size_t d = 0; d < 9; d++) {
		law[d] = log10(1.0 + 1.0 / (double)(d + 1));
		share[d] = count[d + 1] / (double)w->n;
		m_law += law[d] / 9.0;
		m_share += share[d] / 9.0;
	}
	for (size_t d = 0; d < 9; d++) {
		xy += (law[d] - m_law) * (share[d] - m_share);
		xx += (law[d] - m_law) * (law[d] - m_law);
		yy += (share[d] - m_share) * (share[d] - m_share);
	}
	r = xy / sqrt(xx) / sqrt(yy);
	*out = r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
}

void tsf_time_reversal(struct tsf_work *w, double *out)
{
	const double *x = w->x;

	for (size_t lag = 1; lag <= 3; lag++, out++) {
		size_t n = 2 * lag < w->n ? w->n - 2 * lag : 0;

		for (size_t i = 0; i < n; i++) {
			double a = x[i], b = x[i + lag], c = x[i + 2 * lag];

			w->room[0][i] = c * c * b - b * a * a;
		}
		*out = n > 0 ? tsf_mean(w->room[0], n) : 0.0;
	}
}

void tsf_c3(struct tsf_work *w, double *out)
{
	const double *x = w->x;

	for (size_t lag = 1; lag <= 3; lag++, out++) {
		size_t n = 2 * lag < w->n ? w->n - 2 * lag : 0;

		for (size_t i = 0; i < n; i++)
			w->room[0][i] = x[i + 2 * lag] * x[i + lag] * x[i];
		*out = n > 0 ? tsf_mean(w->room[0], n) : 0.0;
	}
}

void tsf_cid_ce(struct tsf_work *w, double *out)
{
	double raw = sqrt(tsf_dot(w->diff, w->diff, w->n - 1));
	double *z = w->room[0], *d = w->room[1];

	out[1] = raw;
	out[0] = 0.0;
	if (w->std == 0.0)
		return;
	for (size_t i = 0; i < w->n; i++)
		z[i] = w->centred[i] / w->std;
	for (size_t i = 0; i + 1 < w->n; i++)
		d[i] = z[i + 1] - z[i];
	out[0] = sqrt(tsf_dot(d, d, w->n - 1));
}

void tsf_large_standard_deviation(struct tsf_work *w, double *out)
{
	for (unsigned i = 1; i < 20; i++)
		*out++ = w->std > (double)i * 0.05 * (w->max - w->min);
}

void tsf_ratio_beyond(struct tsf_work *w, double *out)
{
	static const double r[] = {0.5, 1, 1.5, 2, 2.5, 3, 5, 6, 7, 10};

	for (size_t k = 0; k < sizeof(r) / sizeof(r[0]); k++) {
		double limit = r[k] * w->std;
		size_t n = 0;

		for (size_t i = 0; i < w->n; i++)
			n += fabs(w->centred[i]) > limit;
		*out++ = (double)n / (double)w->n;
	}
}

void tsf_crossings(struct tsf_work *w, double *out)
{
	static const double m[] = {0.0, -1.0, 1.0};

	for (size_t k = 0; k < 3; k++) {
		size_t n = 0;

		for (size_t i = 0; i + 1 < w->n; i++)
			n += (w->x[i] > m[k]) != (w->x[i + 1] > m[k]);
		*out++ = (double)n;
	}
}

void tsf_value_count(struct tsf_work *w, double *out)
{
	static const double value[] = {0.0, 1.0, -1.0};

	for (size_t k = 0; k < 3; k++) {
		size_t n = 0;

		for (size_t i = 0; i < w->n; i++)
			n += w->x[i] == value[k];
		*out++ = (double)n;
	}
}

void tsf_range_count(struct tsf_work *w, double *out)
{
	static const double range[][2] = {{-1.0, 1.0}, {-1e12, 0.0}, {0.0, 1e12}};

	for (size_t k = 0; k < 3; k++) {
		size_t n = 0;

		for (size_t i = 0; i < w->n; i++)
			n += w->x[i] >= range[k][0] && w->x[i] < range[k][1];
		*out++ = (double)n;
	}
}

void tsf_count_above(struct tsf_work *w, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->x[i] >= 0.0;
	*out = (double)n / (double)w->n;
}

void tsf_count_below(struct tsf_work *w, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->x[i] <= 0.0;
	*out = (double)n / (double)w->n;
}

/*
 * A peak of support s is larger than its s neighbours on either side.  The support of
 * each value is found once, up to the largest asked for.
 */
void tsf_number_peaks(struct tsf_work *w, double *out)
{
	static const size_t support[] = {1, 3, 5, 10, 50};
	size_t count[5] = {0};

	for (size_t i = 0; i < w->n; i++) {
		size_t room = i < w->n - 1 - i ? i : w->n - 1 - i, s = 0;

		while (s < room && s < 50 && w->x[i] > w->x[i - s - 1] &&
		       w->x[i] > w->x[i + s + 1])
			s++;
		for (size_t k = 0; k < 5; k++)
			count[k] += s >= support[k];
	}
	for (size_t k = 0; k < 5; k++)
		out[k] = (double)count[k];
}

/* The first n % 10 segments have one value more. */
void tsf_energy_ratio(struct tsf_work *w, double *out)
{
	size_t at = 0;
	double total;

	for (size_t i = 0; i < w->n; i++)
		w->room[0][i] = w->x[i] * w->x[i];
	total = tsf_sum(w->room[0], w->n);
	for (size_t s = 0; s < SEGMENTS; s++) {
		size_t len = w->n / SEGMENTS + (s < w->n % SEGMENTS);

		*out++ = total == 0.0 ? NAN : tsf_sum(w->room[0] + at, len) / total;
		at += len;
	}
}

void tsf_index_mass(struct tsf_work *w, double *out)
{
	static const double q[] = {0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9};
	double total, sum = 0.0;
	size_t k = 0;

	for (size_t i = 0; i < w->n; i++)
		w->room[0][i] = fabs(w->x[i]);
	total = tsf_sum(w->room[0], w->n);
	for (size_t i = 0; i < 8; i++)
		out[i] = total == 0.0 ? NAN : 1.0 / (double)w->n;
	for (size_t i = 0; i < w->n && total != 0.0; i++) {
		sum += w->room[0][i];
		for (; k < 8 && sum / total >= q[k]; k++)
			out[k] = (double)(i + 1) / (double)w->n;
	}
}
