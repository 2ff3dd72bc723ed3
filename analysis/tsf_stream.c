/* tsf_stream - see tsf_stream.h. */
#include "analysis/tsf_stream.h"
#include "analysis/tsf_work.h"
#include "base/err.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tsf_stream {
	struct tsf_work work;
	size_t window;
	size_t n;       /* values in the window */
	size_t from;    /* where it begins in @values */
	double *values; /* owned; twice the window, so that it is always in one piece */
	double *sorted; /* owned; the finite ones */
	size_t n_sorted;
	double *centred; /* owned */
};

int tsf_stream_new(size_t window, struct tsf_stream **out)
{
	struct tsf_stream *s;

	if (window == 0 || window > TSF_LENGTH_MAX)
		return err_set(-EINVAL, "a window of %zu values: take 1 to %u", window,
			       TSF_LENGTH_MAX);
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(-ENOMEM, "no memory for a window of %zu values", window);
	s->window = window;
	s->values = calloc(2 * window, sizeof(double));
	s->sorted = calloc(window, sizeof(double));
	s->centred = calloc(window, sizeof(double));
	s->work.room[0] = calloc(window, sizeof(double));
	if (s->values == NULL || s->sorted == NULL || s->centred == NULL ||
	    s->work.room[0] == NULL) {
		tsf_stream_free(s);
		return err_set(-ENOMEM, "no memory for a window of %zu values", window);
	}
	*out = s;
	return 0;
}

void tsf_stream_free(struct tsf_stream *s)
{
	if (s == NULL)
		return;
	free(s->values);
	free(s->sorted);
	free(s->centred);
	free(s->work.room[0]);
	free(s);
}

/* The first place whose value is not below @v. */
static size_t place_of(const struct tsf_stream *s, double v)
{
	size_t low = 0, high = s->n_sorted;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->sorted[middle] < v)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void sorted_add(struct tsf_stream *s, double v)
{
	size_t at = place_of(s, v);

	memmove(s->sorted + at + 1, s->sorted + at,
		(s->n_sorted - at) * sizeof(*s->sorted));
	s->sorted[at] = v;
	s->n_sorted++;
}

static void sorted_drop(struct tsf_stream *s, double v)
{
	size_t at = place_of(s, v);

	s->n_sorted--;
	memmove(s->sorted + at, s->sorted + at + 1,
		(s->n_sorted - at) * sizeof(*s->sorted));
}

static void slide(struct tsf_stream *s, double v)
{
	if (s->n == s->window) {
		double old = s->values[s->from++];

		s->n--;
		if (isfinite(old))
			sorted_drop(s, old);
	}
	if (s->from + s->n == 2 * s->window) {
		memmove(s->values, s->values + s->from, s->n * sizeof(*s->values));
		s->from = 0;
	}
	s->values[s->from + s->n++] = v;
	if (isfinite(v))
		sorted_add(s, v);
}

size_t tsf_stream_push(struct tsf_stream *s, double v, double out[TSF_MINIMAL_COUNT])
{
	slide(s, v);
	if (s->n_sorted < s->n) {
		for (size_t k = 0; k < TSF_MINIMAL_COUNT; k++)
			out[k] = NAN;
		return s->n;
	}
	tsf_work_level(&s->work, s->values + s->from, s->n, s->sorted, s->centred);
	for (size_t c = 0; c < tsf_table_len; c++)
		if (tsf_table[c].set == TSF_MINIMAL)
			tsf_table[c].fn(&s->work, out++);
	return s->n;
}

/* Oldest first: pushing them again makes the same stream. */
void tsf_stream_state(struct state *st, struct tsf_stream *s)
{
	uint32_t n = (uint32_t)s->n;

	state_count(st, &n, (uint32_t)s->window);
	if (!state_is_loading(st)) {
		for (size_t i = 0; i < s->n; i++)
			state_f64(st, &s->values[s->from + i]);
		return;
	}
	s->n = 0;
	s->from = 0;
	s->n_sorted = 0;
	for (uint32_t i = 0; i < n; i++) {
		double v = 0.0;

		state_f64(st, &v);
		slide(s, v);
	}
}
