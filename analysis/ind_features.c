/*
 * ind_features - tsfresh's minimal features of the newest values of a series, as
 * indicators.
 *
 * After each bar the ten are those that tsf_extract() gives for the window, to the last
 * bit: the window is kept sorted, sums are taken anew in their fixed order (a running
 * sum would depend on what has left the window).
 */
#include "analysis/ind_parts.h"
#include "analysis/ind_window.h"
#include "analysis/tsf_work.h"
#include <string.h>

/* Sums are taken anew, so a bar costs the window; room for three on the stack. */
#define WINDOW_MAX 1000

/* Behind it: the newest values in the order of their phase, and sorted. */
struct features {
	uint64_t seen;
	double close; /* of the bar before */
	uint64_t has_close;
};

static size_t features_words(const struct ind_spec *s)
{
	return IND_WORDS(struct features) + 2 * (size_t)ind_whole(s, 0);
}

static uint32_t window_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0) - 1;
}

static uint32_t return_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0);
}

/* The first place whose value is not below @v. */
static size_t place_of(const double *sorted, size_t n, double v)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (sorted[middle] < v)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void sorted_add(double *sorted, size_t n, double v)
{
	size_t at = place_of(sorted, n, v);

	memmove(sorted + at + 1, sorted + at, (n - at) * sizeof(*sorted));
	sorted[at] = v;
}

/* @v is one of them, unless a damaged state was loaded. */
static void sorted_drop(double *sorted, size_t n, double v)
{
	size_t at = place_of(sorted, n, v);

	if (at < n)
		memmove(sorted + at, sorted + at + 1, (n - at - 1) * sizeof(*sorted));
}

static void slide(struct features *m, double *ring, uint32_t n, double v)
{
	uint32_t j = ind_phase(m->seen, n), count = m->seen < n ? (uint32_t)m->seen : n;
	double *sorted = ring + n;

	if (count == n)
		sorted_drop(sorted, count--, ring[j]);
	sorted_add(sorted, count, v);
	ring[j] = v;
	m->seen++;
}

struct room {
	double x[WINDOW_MAX], centred[WINDOW_MAX], squares[WINDOW_MAX];
};
/* Written before it is read; zeros would cost more than a short window's features. */
#define ROOM __attribute__((uninitialized)) struct room

/* The ten of a full window into out[0..9][i]. */
static void extract(const struct features *m, const double *ring, uint32_t n,
		    struct room *room, double *const *out, size_t i)
{
	uint32_t oldest = ind_phase(m->seen, n);
	struct tsf_work w = {.room = {room->squares}};

	memcpy(room->x, ring + oldest, (n - oldest) * sizeof(*ring));
	memcpy(room->x + n - oldest, ring, oldest * sizeof(*ring));
	tsf_work_level(&w, room->x, n, ring + n, room->centred);
	for (size_t c = 0; c < tsf_table_len; c++)
		if (tsf_table[c].set == TSF_MINIMAL)
			tsf_table[c].fn(&w, &(*out++)[i]);
}

/* Take the series' value at bar @i: NaN is skipped as a NULL is. */
static void take(const struct ind_spec *s, void *state, const struct ind_stretch *r,
		 size_t i, double v, struct room *room)
{
	struct features *m = state;
	double *ring = ind_behind(state, IND_WORDS(*m));
	uint32_t n = ind_whole(s, 0);

	for (size_t k = 0; k < TSF_MINIMAL_COUNT; k++)
		r->out[k][i] = NAN;
	if (!isfinite(v))
		return;
	slide(m, ring, n, v);
	if (m->seen >= n)
		extract(m, ring, n, room, r->out, i);
}

static void close_run(const struct ind_spec *s, void *state,
		      const struct ind_stretch *r)
{
	ROOM room;

	for (size_t i = r->from; i < r->to; i++)
		take(s, state, r, i, r->in->close[i], &room);
}

static void volume_run(const struct ind_spec *s, void *state,
		       const struct ind_stretch *r)
{
	ROOM room;

	for (size_t i = r->from; i < r->to; i++)
		take(s, state, r, i, r->in->volume[i], &room);
}

static void return_run(const struct ind_spec *s, void *state,
		       const struct ind_stretch *r)
{
	struct features *m = state;
	ROOM room;

	for (size_t i = r->from; i < r->to; i++) {
		double x = r->in->close[i], before = m->has_close ? m->close : NAN;

		m->close = x;
		m->has_close = 1;
		take(s, state, r, i, x > 0.0 && before > 0.0 ? log(x / before) : NAN,
		     &room);
	}
}

/* ---- the table ---- */

#define FEATURES(input, back, way)                                                     \
	.param = {{"window", 20, 1, WINDOW_MAX, true}},                                \
	.output = {"sum_values",                                                       \
		   "median",                                                           \
		   "mean",                                                             \
		   "length",                                                           \
		   "standard_deviation",                                               \
		   "variance",                                                         \
		   "root_mean_square",                                                 \
		   "maximum",                                                          \
		   "absolute_maximum",                                                 \
		   "minimum"},                                                         \
	.n_params = 1, .n_outputs = TSF_MINIMAL_COUNT, .inputs = (input),              \
	.flavours = 1u << IND_PANDAS, .lookback = (back), .words = features_words,     \
	.run = (way)

const struct ind_def ind_features[] = {
	{
		.name = "tsfresh_close",
		.title = "minimal features of the close",
		.formula = "tsfresh's MinimalFCParameters of the last closes",
		FEATURES(IND_CLOSE, window_lookback, close_run),
	},
	{
		.name = "tsfresh_return",
		.title = "minimal features of the return",
		.formula = "tsfresh's MinimalFCParameters of the last ln(close / close "
			   "before)",
		FEATURES(IND_CLOSE, return_lookback, return_run),
	},
	{
		.name = "tsfresh_volume",
		.title = "minimal features of the volume",
		.formula = "tsfresh's MinimalFCParameters of the last volumes",
		FEATURES(IND_VOLUME, window_lookback, volume_run),
	},
};
const size_t ind_features_n = sizeof(ind_features) / sizeof(ind_features[0]);
