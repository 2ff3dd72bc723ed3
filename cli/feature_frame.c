/* feature_frame - see feature_frame.h. */
#include "cli/feature_frame.h"
#include "base/buf.h"
#include "base/jsonw.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define KIND                                                                           \
	"value__" /* the name of the series, as tsfresh puts it before features        \
		   */

#define VALUES_FIRST 512

void feature_frame_free(struct feature_frame *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->rows[i].x);
	free(f->rows);
	free(f->values);
	f->rows = NULL;
	f->values = NULL;
	f->n = 0;
}

static int more_rows(struct feature_frame *f)
{
	size_t room = f->room > 0 ? 2 * f->room : 16;
	struct feature_row *rows;

	if (f->n < f->room)
		return 0;
	if (f->n >= FEATURE_SYMBOLS_MAX)
		return err_set(-E2BIG, "there are more than %d symbols: split the list",
			       FEATURE_SYMBOLS_MAX);
	rows = realloc(f->rows, room * sizeof(*rows));
	if (rows == NULL)
		return err_set(-ENOMEM, "no memory for %zu symbols", room);
	f->rows = rows;
	f->room = room;
	return 0;
}

struct feature_row *feature_frame_row(struct feature_frame *f, const char *symbol,
				      bool add)
{
	/* Files name a symbol many times in a row: look at the newest first. */
	for (size_t i = f->n; i-- > 0;)
		if (strcmp(f->rows[i].symbol, symbol) == 0)
			return &f->rows[i];
	if (!add || strlen(symbol) > SYMBOL_MAX) {
		(void)err_set(-EINVAL, "'%.40s' is no symbol of this frame", symbol);
		return NULL;
	}
	if (more_rows(f) < 0)
		return NULL;
	f->rows[f->n] = (struct feature_row){.keep = f->window + 1};
	memcpy(f->rows[f->n].symbol, symbol, strlen(symbol) + 1);
	return &f->rows[f->n++];
}

static int more_values(struct feature_row *row)
{
	size_t room = row->room > 0 ? 2 * row->room : VALUES_FIRST;
	double *x;

	room = room < row->keep ? room : row->keep;
	x = realloc(row->x, room * sizeof(*x));
	if (x == NULL)
		return err_set(-ENOMEM, "no memory for %zu values of %s", room,
			       row->symbol);
	row->x = x;
	row->room = room;
	return 0;
}

int feature_frame_push(struct feature_row *row, double v)
{
	if (row->n == row->keep) {
		row->x[row->first++] = v;
		row->first = row->first == row->keep ? 0 : row->first;
		return 0;
	}
	if (row->n == row->room && more_values(row) < 0)
		return -ENOMEM;
	row->x[row->n++] = v;
	return 0;
}

static void reverse(double *x, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		double v = x[i];

		x[i] = x[n - 1 - i];
		x[n - 1 - i] = v;
	}
}

/* Oldest first: each part is turned round, then the whole. */
static void straighten(struct feature_row *row)
{
	if (row->first == 0)
		return;
	reverse(row->x, row->first);
	reverse(row->x + row->first, row->n - row->first);
	reverse(row->x, row->n);
	row->first = 0;
}

void feature_frame_returns(struct feature_frame *f)
{
	for (size_t r = 0; r < f->n; r++) {
		struct feature_row *row = &f->rows[r];

		straighten(row);
		for (size_t i = 0; i + 1 < row->n; i++)
			row->x[i] = row->x[i] > 0.0 && row->x[i + 1] > 0.0
					    ? log(row->x[i + 1] / row->x[i])
					    : NAN;
		row->n -= row->n > 0;
	}
}

/* ---- computing ---- */

struct crew {
	struct feature_frame *frame;
	atomic_size_t next; /* row that nobody has taken */
	atomic_int rc;
};

static void compute_row(struct feature_frame *f, size_t i, struct tsf_scratch *s)
{
	struct feature_row *row = &f->rows[i];
	size_t count = tsf_count(f->set), n = row->n < f->window ? row->n : f->window;
	double *out = f->values + i * count;

	for (size_t k = 0; k < count; k++)
		out[k] = NAN;
	if (row->reason[0] != '\0')
		return;
	straighten(row);
	if (n == 0)
		(void)snprintf(row->reason, sizeof(row->reason), "it has no values");
	else if (tsf_extract(s, row->x + row->n - n, n, f->set, f->flavour, out) < 0)
		(void)snprintf(row->reason, sizeof(row->reason), "%s", err_text());
}

static void make_row(struct feature_frame *f, size_t i, struct tsf_scratch *s)
{
	const struct feature_watch *w = f->watch;

	if (w != NULL)
		w->begin(w->arg, i);
	compute_row(f, i, s);
	if (w != NULL)
		w->made(w->arg, i, f->rows[i].reason);
}

static void *work(void *arg)
{
	struct crew *c = arg;
	struct tsf_scratch *s;
	size_t i;

	if (tsf_scratch_new(c->frame->window, &s) < 0) {
		atomic_store(&c->rc, -ENOMEM);
		return NULL;
	}
	while ((i = atomic_fetch_add(&c->next, 1)) < c->frame->n)
		make_row(c->frame, i, s);
	tsf_scratch_free(s);
	return NULL;
}

int feature_frame_compute(struct feature_frame *f, unsigned threads)
{
	pthread_t thread[FEATURE_THREADS_MAX];
	struct crew crew = {.frame = f};
	unsigned n = 0;

	f->values = calloc(f->n * tsf_count(f->set) + 1, sizeof(double));
	if (f->values == NULL)
		return err_set(-ENOMEM, "no memory for the features of %zu symbols",
			       f->n);
	/* This thread is one of the crew; a thread that does not start is not missed.
	 */
	while (n + 1 < threads && n + 1 < f->n &&
	       pthread_create(&thread[n], NULL, work, &crew) == 0)
		n++;
	(void)work(&crew);
	while (n > 0)
		(void)pthread_join(thread[--n], NULL);
	if (atomic_load(&crew.rc) < 0)
		return err_set(-ENOMEM,
			       "no memory for a window of %zu values on each of %u "
			       "threads",
			       f->window, threads);
	return 0;
}

/* ---- filling ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void impute_column(struct feature_frame *f, size_t k, double *finite)
{
	size_t count = tsf_count(f->set), n = 0;
	double low = 0.0, high = 0.0, middle = 0.0;

	for (size_t i = 0; i < f->n; i++)
		if (isfinite(f->values[i * count + k]))
			finite[n++] = f->values[i * count + k];
	if (n > 0) {
		qsort(finite, n, sizeof(*finite), by_value);
		low = finite[0];
		high = finite[n - 1];
		middle = n % 2 == 1 ? finite[n / 2]
				    : (finite[n / 2 - 1] + finite[n / 2]) / 2.0;
	}
	for (size_t i = 0; i < f->n; i++) {
		double *v = &f->values[i * count + k];

		if (f->rows[i].reason[0] != '\0' || isfinite(*v))
			continue;
		*v = isnan(*v) ? middle : *v > 0.0 ? high : low;
	}
}

int feature_frame_impute(struct feature_frame *f)
{
	double *finite = calloc(f->n + 1, sizeof(*finite));

	if (finite == NULL)
		return err_set(-ENOMEM, "no memory to fill %zu rows", f->n);
	for (size_t k = 0; k < tsf_count(f->set); k++)
		impute_column(f, k, finite);
	free(finite);
	return 0;
}

/* ---- writing ---- */

static void put_quoted(FILE *out, const char *text)
{
	if (strpbrk(text, ",\"\n\r") == NULL) {
		(void)fputs(text, out);
		return;
	}
	(void)fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			(void)fputc('"', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

static void column_name(enum tsf_set set, size_t k, char *out, size_t cap)
{
	char name[TSF_NAME_MAX];

	tsf_name(set, k, name);
	(void)snprintf(out, cap, KIND "%s", name);
}

void feature_frame_csv(const struct feature_frame *f, FILE *out)
{
	size_t count = tsf_count(f->set);
	char name[TSF_NAME_MAX + sizeof(KIND)];

	(void)fputs("symbol", out);
	for (size_t k = 0; k < count; k++) {
		(void)fputc(',', out);
		column_name(f->set, k, name, sizeof(name));
		put_quoted(out, name);
	}
	(void)fputc('\n', out);
	for (size_t i = 0; i < f->n; i++) {
		put_quoted(out, f->rows[i].symbol);
		for (size_t k = 0; k < count; k++) {
			double v = f->values[i * count + k];

			(void)fprintf(out, isnan(v) ? "," : ",%.17g", v);
		}
		(void)fputc('\n', out);
	}
}

void feature_frame_json(const struct feature_frame *f, FILE *out)
{
	size_t count = tsf_count(f->set);
	char name[TSF_NAME_MAX + sizeof(KIND)];
	struct buf line = {0};

	for (size_t i = 0; i < f->n; i++) {
		struct jsonw w;

		line.len = 0;
		jsonw_init(&w, &line);
		jsonw_object(&w, NULL);
		jsonw_str(&w, "symbol", f->rows[i].symbol);
		if (f->rows[i].reason[0] != '\0')
			jsonw_str(&w, "reason", f->rows[i].reason);
		for (size_t k = 0; k < count; k++) {
			double v = f->values[i * count + k];

			column_name(f->set, k, name, sizeof(name));
			if (isinf(v))
				jsonw_str(&w, name, v > 0.0 ? "inf" : "-inf");
			else if (isnan(v))
				jsonw_null(&w, name);
			else
				jsonw_f64(&w, name, v);
		}
		jsonw_end(&w);
		(void)fprintf(out, "%s\n", buf_text(&line));
	}
	buf_free(&line);
}
