/*
 * check_matrix - rules VERSION, MATRIX and CELLS: matrices against the bars they were
 * made of, in long double and the plain way.
 */
#include "base/hash.h"
#include "tests/check/check_parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX 256u
#define SAMPLE     3u /* of the versions, one in so many is computed */
#define TOLERANCE  1e-9
#define FLAT       1e-28L

typedef unsigned long long ull;

struct matrix {
	const struct event_tier2 *e;
	const struct tier2_member *members;
	const double *cells;
};

static struct matrix matrix_of(const struct sorted *s)
{
	struct matrix m = {.e = s->event};

	m.members = (const struct tier2_member *)(m.e + 1);
	m.cells = (const double *)(const void *)(m.members + m.e->n_members);
	return m;
}

static void check_form(struct check *k, const struct matrix *m)
{
	const struct event_tier2 *e = m->e;
	uint64_t h =
		hash_bytes(HASH_SEED, m->members, e->n_members * sizeof(*m->members));
	uint32_t included = 0;

	check_looked(k, CHECK_MATRIX);
	for (uint32_t i = 0; i < e->n_members; i++)
		included += m->members[i].reason == TIER2_INCLUDED;
	h = hash_bytes(h, m->cells,
		       event_triangle_len(e->n_included) * sizeof(*m->cells));
	if (included != e->n_included || h != e->content_hash)
		check_breach(k, CHECK_MATRIX,
			     "%.32s %llu: %u members of %u have a row, its hash is %s",
			     e->universe, (ull)e->head.seq, included, e->n_included,
			     h == e->content_hash ? "right" : "of other content");
	for (uint32_t i = 0; i < e->n_included; i++) {
		for (uint32_t j = 0; j <= i; j++) {
			double r = m->cells[event_triangle_len(i) + j];

			if (!(r >= -1 && r <= 1) || (i == j && r != 1))
				check_breach(k, CHECK_MATRIX,
					     "%.32s %llu: cell (%u, %u) is %g",
					     e->universe, (ull)e->head.seq, i, j, r);
		}
	}
}

/* ---- the returns that a version saw ---- */

/*
 * The bars of one symbol in k->unique, by sequence: so by position, and of each
 * (timeframe, price type) the first words on its bars by time.
 */
struct run {
	size_t from;
	size_t to; /* exclusive */
	uint32_t symbol_id;
};

struct runs {
	struct run *run; /* owned */
	size_t n;
};

struct view {
	struct check *k;
	const struct matrix *m;
	const struct runs *runs;
	int64_t times[WINDOW_MAX]; /* the last bar_ends up to T, descending */
	uint32_t n_times;
};

static bool is_used(const struct view *v, const struct sorted *s)
{
	const struct event_bar *b = s->event;

	/* A symbol of price type auto has bars of one type: which, its ticks decide. */
	return s->e->kind == EVENT_BAR &&
	       (b->price_type == v->m->e->price_type ||
		v->m->e->price_type == PRICE_AUTO) &&
	       b->timeframe_s == v->m->e->timeframe_s &&
	       b->head.pos <= v->m->e->head.pos;
}

/* Insert into the descending list of the newest @window times. */
static void note_time(struct view *v, int64_t ns)
{
	uint32_t i = 0;

	if (ns > v->m->e->head.event_ns)
		return;
	while (i < v->n_times && v->times[i] > ns)
		i++;
	if ((i < v->n_times && v->times[i] == ns) || i == v->m->e->window)
		return;
	if (v->n_times < v->m->e->window)
		v->n_times++;
	memmove(&v->times[i + 1], &v->times[i],
		(v->n_times - i - 1) * sizeof(v->times[0]));
	v->times[i] = ns;
}

static struct runs find_runs(const struct check *k)
{
	struct runs r = {0};

	for (size_t i = 0; i < k->n_unique; i++) {
		const struct sorted *s = &k->unique[i];
		bool is_new = i == 0 || !check_same_stream(&k->unique[i - 1], s);

		if (s->e->kind != EVENT_BAR)
			continue;
		if (is_new || r.n == 0) {
			r.run = reallocarray(r.run, r.n + 1, sizeof(*r.run));
			if (r.run == NULL)
				abort();
			r.run[r.n++] = (struct run){
				.from = i,
				.symbol_id =
					((const struct event_bar *)s->event)->symbol_id,
			};
		}
		r.run[r.n - 1].to = i + 1;
	}
	return r;
}

/* Behind the last bar of the run that the version can have seen. */
static size_t seen_by(const struct view *v, const struct run *r)
{
	size_t from = r->from, to = r->to;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct event_bar *b = v->k->unique[mid].event;

		if (b->head.pos <= v->m->e->head.pos)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* What lies before the window's length of first words cannot be among its times. */
static void note_times(struct view *v, const struct run *r)
{
	uint32_t firsts = 0;

	for (size_t i = seen_by(v, r); i > r->from && firsts < v->m->e->window; i--) {
		const struct event_bar *b = v->k->unique[i - 1].event;

		if (!is_used(v, &v->k->unique[i - 1]))
			continue;
		note_time(v, b->head.event_ns);
		firsts +=
			b->revision == 0 && b->head.event_ns <= v->m->e->head.event_ns;
	}
}

/* The newest word before the version on each bar of @symbol; NaN: none. */
static void returns_of(const struct view *v, uint32_t symbol_id, double *out)
{
	const struct run *r = v->runs->run, *end = r + v->runs->n;
	uint64_t known[WINDOW_MAX / 64] = {0};

	for (uint32_t i = 0; i < v->n_times; i++)
		out[i] = NAN;
	while (r < end && r->symbol_id != symbol_id)
		r++;
	for (size_t i = r < end ? seen_by(v, r) : 0; r < end && i > r->from; i--) {
		const struct event_bar *b = v->k->unique[i - 1].event;

		if (!is_used(v, &v->k->unique[i - 1]))
			continue;
		for (uint32_t t = 0; t < v->n_times; t++) {
			if (v->times[t] != b->head.event_ns ||
			    known[t / 64] >> t % 64 & 1)
				continue;
			known[t / 64] |= UINT64_C(1) << t % 64;
			out[t] = b->log_return_1;
		}
		if (b->revision == 0 && v->n_times > 0 &&
		    b->head.event_ns < v->times[v->n_times - 1])
			break; /* nothing of the window lies before its first word */
	}
}

static long double pearson(const double *x, const double *y, uint32_t n)
{
	long double mx = 0, my = 0, xx = 0, yy = 0, xy = 0, r;
	uint32_t both = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (isnan(x[i]) || isnan(y[i]))
			continue;
		mx += x[i];
		my += y[i];
		both++;
	}
	mx /= both;
	my /= both;
	for (uint32_t i = 0; i < n; i++) {
		if (isnan(x[i]) || isnan(y[i]))
			continue;
		xx += (x[i] - mx) * (x[i] - mx);
		yy += (y[i] - my) * (y[i] - my);
		xy += (x[i] - mx) * (y[i] - my);
	}
	/* Returns that are all alike, but for rounding, correlate with nothing. */
	if (xx <= FLAT * mx * mx * both || yy <= FLAT * my * my * both)
		return NAN;
	r = xy / sqrtl(xx * yy);
	return r > 1 ? 1 : r < -1 ? -1 : r;
}

static void check_cells(struct check *k, const struct matrix *m,
			const struct runs *runs)
{
	const struct event_tier2 *e = m->e;
	struct view v = {.k = k, .m = m, .runs = runs};
	double *x = calloc((size_t)e->n_included * WINDOW_MAX + 1, sizeof(*x));
	uint32_t row = 0;

	if (x == NULL)
		abort();
	for (size_t i = 0; i < runs->n; i++)
		note_times(&v, &runs->run[i]);
	for (uint32_t i = 0; i < e->n_members; i++)
		if (m->members[i].reason == TIER2_INCLUDED)
			returns_of(&v, m->members[i].symbol_id,
				   x + (size_t)row++ * WINDOW_MAX);
	for (uint32_t i = 0; i < e->n_included; i++) {
		for (uint32_t j = 0; j < i; j++) {
			double r = m->cells[event_triangle_len(i) + j];
			long double want =
				pearson(x + (size_t)i * WINDOW_MAX,
					x + (size_t)j * WINDOW_MAX, v.n_times);

			if (isnan(want))
				continue;
			check_looked(k, CHECK_CELLS);
			if (!(fabsl(r - want) < TOLERANCE))
				check_breach(k, CHECK_CELLS,
					     "%.32s %llu: cell (%u, %u) is %.12g, the "
					     "bars make %.12Lg",
					     e->universe, (ull)e->head.seq, i, j, r,
					     want);
		}
	}
	free(x);
}

void check_matrices(struct check *k)
{
	const struct sorted *last = NULL;
	struct runs runs = find_runs(k);

	for (size_t i = 0; i < k->n_unique; i++) {
		const struct sorted *s = &k->unique[i];
		bool follows = last != NULL && check_same_stream(last, s);
		struct matrix m;

		if (s->e->kind != EVENT_TIER2)
			continue;
		m = matrix_of(s);
		check_looked(k, CHECK_VERSION);
		if (s->seq != (follows ? last->seq + 1 : 1) ||
		    (m.e->supersedes != 0 && m.e->supersedes != s->seq - 1))
			check_breach(k, CHECK_VERSION,
				     "%.32s: version %llu after %llu supersedes %llu",
				     s->name, (ull)s->seq,
				     follows ? (ull)last->seq : 0ull,
				     (ull)m.e->supersedes);
		last = s;
		check_form(k, &m);
		if (k->c->config.universe_window > 0 && !m.e->psd_repaired &&
		    m.e->method == CORR_PEARSON && m.e->window < WINDOW_MAX &&
		    s->seq % SAMPLE == 0)
			check_cells(k, &m, &runs);
	}
	free(runs.run);
}
