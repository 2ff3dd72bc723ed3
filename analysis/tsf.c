/* tsf - see tsf.h: the scratch, and one series through the table. */
#include "analysis/tsf.h"
#include "analysis/tsf_fft.h"
#include "analysis/tsf_name.h"
#include "analysis/tsf_wave.h"
#include "base/err.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tsf_scratch {
	struct tsf_work work;
	double *sorted, *diff, *centred; /* owned */
};

static int new_rooms(struct tsf_scratch *s, size_t n_max)
{
	struct tsf_work *w = &s->work;
	size_t segment = n_max < TSF_WELCH ? n_max : TSF_WELCH;
	size_t columns = tsf_columns_max(n_max);

	w->n_max = n_max;
	w->n_phrases = 64;
	while (w->n_phrases < 2 * n_max)
		w->n_phrases *= 2;
	s->sorted = calloc(n_max, sizeof(double));
	s->diff = calloc(n_max, sizeof(double));
	s->centred = calloc(n_max, sizeof(double));
	w->spectrum = calloc(n_max / 2 + 1, sizeof(*w->spectrum));
	w->density = calloc(segment / 2 + 1, sizeof(double));
	w->matrix = calloc((n_max + 1) * columns, sizeof(double));
	w->phrases = calloc(w->n_phrases, sizeof(*w->phrases));
	w->patterns = calloc(TSF_PATTERNS, sizeof(*w->patterns));
	w->wavelet = calloc(TSF_CWT_DOUBLES, sizeof(double));
	w->ridges = calloc(TSF_RIDGES(n_max), sizeof(*w->ridges));
	w->column = calloc(n_max + 2, sizeof(*w->column));
	for (size_t r = 0; r < TSF_ROOMS; r++) {
		w->room[r] = calloc(n_max + 1, sizeof(double));
		if (w->room[r] == NULL)
			return -ENOMEM;
	}
	if (s->sorted == NULL || s->diff == NULL || s->centred == NULL ||
	    w->spectrum == NULL || w->density == NULL || w->matrix == NULL ||
	    w->phrases == NULL || w->patterns == NULL || w->wavelet == NULL ||
	    w->ridges == NULL || w->column == NULL || tsf_fft_new(n_max, &w->fft) < 0 ||
	    tsf_fft_new(segment, &w->fft_welch) < 0)
		return -ENOMEM;
	tsf_wave_prepare(w->wavelet);
	return 0;
}

int tsf_scratch_new(size_t n_max, struct tsf_scratch **out)
{
	struct tsf_scratch *s;

	if (n_max == 0 || n_max > TSF_LENGTH_MAX)
		return err_set(-EINVAL,
			       "a series of %zu values: take a window of 1 to %u",
			       n_max, TSF_LENGTH_MAX);
	s = calloc(1, sizeof(*s));
	if (s == NULL || new_rooms(s, n_max) < 0) {
		tsf_scratch_free(s);
		return err_set(-ENOMEM,
			       "no memory for the features of %zu values: take a "
			       "smaller window",
			       n_max);
	}
	*out = s;
	return 0;
}

void tsf_scratch_free(struct tsf_scratch *s)
{
	if (s == NULL)
		return;
	free(s->sorted);
	free(s->diff);
	free(s->centred);
	free(s->work.spectrum);
	free(s->work.density);
	free(s->work.matrix);
	free(s->work.phrases);
	free(s->work.patterns);
	free(s->work.wavelet);
	free(s->work.ridges);
	free(s->work.column);
	for (size_t r = 0; r < TSF_ROOMS; r++)
		free(s->work.room[r]);
	tsf_fft_free(s->work.fft);
	tsf_fft_free(s->work.fft_welch);
	free(s);
}

void tsf_work_level(struct tsf_work *w, const double *x, size_t n, const double *sorted,
		    double *centred)
{
	w->x = x;
	w->n = n;
	w->sorted = sorted;
	w->centred = centred;
	w->sum = tsf_sum(x, n);
	w->mean = w->sum / (double)n;
	for (size_t i = 0; i < n; i++)
		centred[i] = x[i] - w->mean;
	for (size_t i = 0; i < n; i++)
		w->room[0][i] = centred[i] * centred[i];
	w->var = tsf_mean(w->room[0], n);
	w->std = sqrt(w->var);
	w->min = sorted[0];
	w->max = sorted[n - 1];
	w->median =
		n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0;
}

static void look(struct tsf_scratch *s, const double *x, size_t n)
{
	memcpy(s->sorted, x, n * sizeof(*x));
	tsf_sort(s->sorted, n, s->work.room[0]);
	tsf_work_level(&s->work, x, n, s->sorted, s->centred);
	for (size_t i = 0; i + 1 < n; i++)
		s->diff[i] = x[i + 1] - x[i];
	s->work.diff = s->diff;
	s->work.has_density = false;
}

int tsf_extract(struct tsf_scratch *s, const double *x, size_t n, enum tsf_set set,
		enum tsf_flavour flavour, double *out)
{
	double *at = out;

	if (n == 0 || n > s->work.n_max)
		return err_set(-EINVAL,
			       "a series of %zu values: there must be 1 to %zu", n,
			       s->work.n_max);
	for (size_t i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return err_set(-EINVAL,
				       "value %zu of the series is not finite: leave "
				       "it out or fill it first",
				       i);
	look(s, x, n);
	s->work.is_plain = flavour == TSF_PLAIN;
	if (set != TSF_MINIMAL)
		tsf_fft_real(s->work.fft, x, n, s->work.spectrum);
	for (size_t c = 0; c < tsf_table_len; c++) {
		if (tsf_table[c].set > set)
			continue;
		tsf_table[c].fn(&s->work, at);
		at += tsf_calculator_count(&tsf_table[c]);
	}
	assert(at == out + tsf_count(set));
	return 0;
}
