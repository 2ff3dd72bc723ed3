/*
 * tsf_ridge - number_cwt_peaks: peaks that last through neighbouring scales.
 *
 * The series is convolved with Ricker wavelets of widths 1..n.  Maxima are linked from
 * the widest scale to the narrowest: a maximum continues the nearest line that ended
 * within a quarter of its width, else it begins one; a line that misses two scales is
 * closed.  A line counts if it has a quarter of the scales and its value at its
 * narrowest scale is at least the noise there: the tenth percentile of the narrowest
 * transform in a window of a twentieth of the series (Du, Kibbe and Lin 2006).
 */
#include "analysis/tsf_work.h"
#include <math.h>
#include <string.h>

#define WIDTH_MAX 5
#define GAP_MAX   1
#define NONE      UINT32_MAX

/* The transform at @width, of the series' length and centred. */
static void convolve(const struct tsf_work *w, size_t width, double *out)
{
	size_t len = 10 * width < w->n ? 10 * width : w->n, shift = (len - 1) / 2;
	double a = (double)width, tap[10 * WIDTH_MAX];
	double height = 2.0 / (sqrt(3.0 * a) * pow(M_PI, 0.25));

	for (size_t i = 0; i < len; i++) {
		double v = (double)i - ((double)len - 1.0) / 2.0, vv = v * v;

		tap[i] = height * (1.0 - vv / (a * a)) * exp(-vv / (2.0 * a * a));
	}
	for (size_t i = 0; i < w->n; i++) {
		size_t k = i + shift, first = k < len ? 0 : k - len + 1;
		double sum = 0.0;

		for (size_t j = first; j <= k && j < w->n; j++)
			sum += w->x[j] * tap[k - j];
		out[i] = sum;
	}
}

static bool is_peak(const double *row, size_t n, size_t i)
{
	return i > 0 && i + 1 < n && row[i] > row[i - 1] && row[i] > row[i + 1];
}

/* The oldest open line of every column it ended in; column i is at i + 1. */
static void index_ends(struct tsf_work *w, size_t lines)
{
	memset(w->column, 0xff, (w->n + 2) * sizeof(*w->column));
	for (size_t l = lines; l-- > 0;)
		if (!w->ridges[l].is_closed)
			w->column[w->ridges[l].end + 1] = (uint32_t)l;
}

/* The line that a maximum at @i continues: at most one column away, nearest first, of
 * two equally near the older. */
static uint32_t line_near(const struct tsf_work *w, size_t i, size_t width)
{
	const uint32_t *column = w->column + i + 1;
	uint32_t left = column[-1], right = column[1];

	if (column[0] != NONE || width < 4)
		return column[0];
	return left < right ? left : right;
}

static size_t link_row(struct tsf_work *w, size_t row, size_t lines)
{
	const double *value = w->room[row];
	size_t before = lines;

	for (size_t l = 0; l < before; l++)
		w->ridges[l].gap++;
	index_ends(w, before);
	for (size_t i = 0; i < w->n; i++) {
		struct tsf_ridge *r;
		uint32_t line;

		if (!is_peak(value, w->n, i))
			continue;
		line = line_near(w, i, row + 1);
		if (line == NONE) {
			r = &w->ridges[lines++];
			*r = (struct tsf_ridge){.row = UINT8_MAX};
		} else {
			r = &w->ridges[line];
		}
		r->points++;
		r->gap = 0;
		r->end = (uint32_t)i;
		if (r->row != row) {
			r->row = (uint8_t)row;
			r->column = (uint32_t)i;
		}
	}
	for (size_t l = 0; l < lines; l++)
		if (w->ridges[l].gap > GAP_MAX)
			w->ridges[l].is_closed = true;
	return lines;
}

static double noise_at(struct tsf_work *w, size_t i)
{
	size_t window = (w->n + 19) / 20, half = window / 2;
	size_t from = i > half ? i - half : 0, to = i + half + window % 2, k;
	double *part = w->room[WIDTH_MAX], at;

	to = to < w->n ? to : w->n;
	memcpy(part, w->room[0] + from, (to - from) * sizeof(*part));
	tsf_sort(part, to - from, part + (to - from));
	at = 0.1 * (double)(to - from - 1);
	k = (size_t)at;
	if ((double)k == at)
		return part[k];
	return part[k] * ((double)(k + 1) - at) + part[k + 1] * (at - (double)k);
}

static double count_peaks(struct tsf_work *w, size_t widths)
{
	size_t lines = 0, least = (widths + 3) / 4, peaks = 0;

	for (size_t row = widths; row-- > 0;)
		lines = link_row(w, row, lines);
	for (size_t l = 0; l < lines; l++) {
		const struct tsf_ridge *r = &w->ridges[l];
		double snr;

		if (r->points < least)
			continue;
		snr = fabs(w->room[r->row][r->column] / noise_at(w, r->column));
		peaks += !(snr < 1.0);
	}
	return (double)peaks;
}

void tsf_cwt_peaks(struct tsf_work *w, double *out)
{
	for (size_t width = 1; width <= WIDTH_MAX; width++)
		convolve(w, width, w->room[width - 1]);
	out[0] = count_peaks(w, 1);
	out[1] = count_peaks(w, WIDTH_MAX);
}
