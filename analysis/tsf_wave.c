/*
 * tsf_wave - the continuous transform with the Mexican hat, as PyWavelets samples it.
 *
 * PyWavelets integrates the wavelet over 4,096 points of [-8, 8] (its `precision` 12,
 * the default since 1.5), reads the integral at 16 s + 1 places for scale s, convolves
 * and takes differences.  The values differ from the exact transform, and are what the
 * name means.  Differences of a convolution are a convolution with differences, so the
 * taps here are differences already; only the first 15 results are asked for.
 */
#include "analysis/tsf_wave.h"
#include <math.h>

#define GRID         4096
#define LOWER        (-8.0)
#define WIDTH        16.0
#define COEFFICIENTS 15

static const unsigned scales[TSF_CWT_SCALES] = {2, 5, 10, 20};

static double grid(size_t i)
{
	return i == GRID - 1 ? LOWER + WIDTH
			     : (double)i * (WIDTH / (double)(GRID - 1)) + LOWER;
}

void tsf_wave_prepare(double *taps)
{
	double integral[GRID], sum = 0.0, step = grid(1) - grid(0);
	double height = 2.0 / (sqrt(3.0) * sqrt(sqrt(M_PI)));

	for (size_t i = 0; i < GRID; i++) {
		double t = grid(i);

		sum += (1.0 - t * t) * exp(-t * t / 2.0) * height;
		integral[i] = sum * step;
	}
	for (size_t s = 0; s < TSF_CWT_SCALES; s++) {
		double *tap = taps + s * TSF_CWT_TAPS_MAX, before = 0.0;
		size_t len = 16u * scales[s] + 1;

		for (size_t j = 0; j <= len; j++) {
			double now = 0.0;

			/* From the far end: the filter is the integral reversed. */
			if (j < len) {
				double at = (double)(len - 1 - j) /
					    ((double)scales[s] * step);

				now = integral[at >= GRID ? GRID - 1 : (size_t)at];
			}
			tap[j] = -sqrt((double)scales[s]) * (now - before);
			before = now;
		}
	}
}

void tsf_cwt_coefficients(struct tsf_work *w, double *out)
{
	for (size_t s = 0; s < TSF_CWT_SCALES; s++) {
		const double *tap = w->wavelet + s * TSF_CWT_TAPS_MAX;
		size_t len = 16u * scales[s] + 1, shift = (len - 2) / 2 + 1;

		for (size_t c = 0; c < COEFFICIENTS; c++) {
			double sum = 0.0;
			size_t k = c + shift, first = k > len ? k - len : 0;

			for (size_t i = first; i < w->n && i <= k; i++)
				sum += w->x[i] * tap[k - i];
			out[c * TSF_CWT_SCALES + s] = c < w->n ? sum : NAN;
		}
	}
}
