/* tsf_spectrum - features of the Fourier transform and of the averaged periodogram. */
#include "analysis/tsf_fft.h"
#include <math.h>

#define COEFFICIENTS 100

void tsf_fft_coefficient(struct tsf_work *w, double *out)
{
	for (size_t k = 0; k < COEFFICIENTS; k++) {
		double re = NAN, im = NAN, size = NAN, angle = NAN;

		if (k <= w->n / 2) {
			re = w->spectrum[k].re;
			im = w->spectrum[k].im;
			size = hypot(re, im);
			angle = atan2(im, re) * (180.0 / M_PI);
		}
		out[k] = re;
		out[COEFFICIENTS + k] = im;
		out[2 * COEFFICIENTS + k] = size;
		out[3 * COEFFICIENTS + k] = angle;
	}
}

/*
 * Moments of the frequency's number under the sizes as weights.  Below a variance of
 * half a step the higher ones say nothing.  The flavour `tsfresh` has a slip in the
 * kurtosis: three times the centroid where its fourth power belongs.
 */
void tsf_fft_aggregated(struct tsf_work *w, double *out)
{
	double *size = w->room[0], *part = w->room[1], m[5], c, var;
	size_t len = w->n / 2 + 1;

	for (size_t k = 0; k < len; k++) {
		size[k] = hypot(w->spectrum[k].re, w->spectrum[k].im);
		part[k] = size[k];
	}
	m[0] = tsf_sum(size, len);
	for (size_t order = 1; order <= 4; order++) {
		for (size_t k = 0; k < len; k++)
			part[k] *= (double)k;
		m[order] = tsf_sum(part, len) / m[0];
	}
	c = m[1];
	var = m[2] - c * c;
	out[0] = c;
	out[1] = var;
	out[2] = NAN;
	out[3] = NAN;
	if (!(var >= 0.5))
		return;
	out[2] = (m[3] - 3.0 * c * var - c * c * c) / (var * sqrt(var));
	out[3] = (m[4] - 4.0 * c * m[3] + 6.0 * m[2] * c * c -
		  (w->is_plain ? 3.0 * c * c * c * c : 3.0 * c)) /
		 (var * var);
}

/*
 * Welch: segments of at most 256 values that overlap by half, each less its mean and
 * under a periodic Hann window; one-sided density at one sample per unit of time.
 */
static void density(struct tsf_work *w)
{
	size_t len = w->n < TSF_WELCH ? w->n : TSF_WELCH, step = len - len / 2;
	double *window = w->room[0], *part = w->room[1], power = 0.0;
	struct tsf_complex bin[TSF_WELCH / 2 + 1];
	size_t segments = 0;

	w->n_density = len / 2 + 1;
	w->has_density = true;
	for (size_t i = 0; i < len; i++) {
		window[i] =
			len == 1
				? 1.0
				: 0.5 - 0.5 * cos(2.0 * M_PI * (double)i / (double)len);
		power += window[i] * window[i];
	}
	for (size_t k = 0; k < w->n_density; k++)
		w->density[k] = 0.0;
	for (size_t at = 0; at + len <= w->n; at += step, segments++) {
		double mean = tsf_mean(w->x + at, len);

		for (size_t i = 0; i < len; i++)
			part[i] = (w->x[at + i] - mean) * window[i];
		tsf_fft_real(w->fft_welch, part, len, bin);
		for (size_t k = 0; k < w->n_density; k++)
			w->density[k] += bin[k].re * bin[k].re + bin[k].im * bin[k].im;
	}
	for (size_t k = 0; k < w->n_density; k++) {
		bool is_single = k == 0 || (len % 2 == 0 && k == len / 2);

		w->density[k] *= (is_single ? 1.0 : 2.0) / power / (double)segments;
	}
}

void tsf_welch(struct tsf_work *w, double *out)
{
	static const size_t coefficient[] = {2, 5, 8};

	if (!w->has_density)
		density(w);
	for (size_t k = 0; k < 3; k++)
		out[k] = coefficient[k] < w->n_density ? w->density[coefficient[k]]
						       : NAN;
}

void tsf_fourier_entropy(struct tsf_work *w, double *out)
{
	static const unsigned bins[] = {2, 3, 5, 10, 100};
	double *share = w->room[0], most;

	if (!w->has_density)
		density(w);
	most = w->density[0];
	for (size_t k = 1; k < w->n_density; k++)
		most = w->density[k] > most ? w->density[k] : most;
	for (size_t k = 0; k < w->n_density; k++)
		share[k] = w->density[k] / most;
	for (size_t b = 0; b < 5; b++)
		out[b] = tsf_binned_entropy(share, w->n_density, bins[b]);
}
