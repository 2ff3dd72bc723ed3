/* technical - the indicators of a row: one table of columns over the registry. */
#include "analysis/ind.h"
#include "base/err.h"
#include "report/compute.h"
#include <stdlib.h>
#include <string.h>

/* A spec's outputs stand side by side. */
static const struct {
	const char *key, *spec;
} columns[] = {
	[REPORT_SMA_20] = {"sma_20", "sma(20)"},
	[REPORT_RSI_14] = {"rsi_14", "rsi(14)"},
	[REPORT_BAND_UPPER] = {"bollinger_upper", "bbands(20,2)"},
	[REPORT_BAND_MIDDLE] = {"bollinger_middle", NULL},
	[REPORT_BAND_LOWER] = {"bollinger_lower", NULL},
	{"sma_50", "sma(50)"},
	{"ema_20", "ema(20)"},
	{"macd", "macd(12,26,9)"},
	{"macd_signal", NULL},
	{"macd_histogram", NULL},
	{"atr_14", "atr(14)"},
	{"roc_10", "roc(10)"},
	{"realised_volatility_20", "rvol(20,252)"},
};
_Static_assert(sizeof(columns) / sizeof(columns[0]) == REPORT_COLUMNS, "report.h");

const char *report_column_key(size_t i)
{
	return columns[i].key;
}

const double *report_column_all(const struct report_symbol *s, size_t i)
{
	return s->columns == NULL ? NULL : s->columns + i * s->n;
}

double report_column(const struct report_symbol *s, size_t i)
{
	return s->columns == NULL ? NAN : report_column_all(s, i)[s->n - 1];
}

/* The bars as columns, behind each other in @room. */
static struct ind_columns split(const struct report_symbol *s, double *room)
{
	double *open = room, *high = open + s->n, *low = high + s->n,
	       *close = low + s->n, *volume = close + s->n;

	for (size_t i = 0; i < s->n; i++) {
		open[i] = s->bars[i].open;
		high[i] = s->bars[i].high;
		low[i] = s->bars[i].low;
		close[i] = s->bars[i].close;
		volume[i] = s->bars[i].volume;
	}
	return (struct ind_columns){.open = open,
				    .high = high,
				    .low = low,
				    .close = close,
				    .volume = volume};
}

static int compute(struct report_symbol *s, const struct ind_columns *in)
{
	for (size_t i = 0; i < REPORT_COLUMNS; i++) {
		double *outs[IND_OUTPUTS_MAX];
		struct ind_spec spec;
		int rc;

		if (columns[i].spec == NULL)
			continue;
		rc = ind_parse(columns[i].spec, &spec);
		for (size_t k = 0; rc == 0 && k < spec.def->n_outputs; k++)
			outs[k] = s->columns + (i + k) * s->n;
		if (rc == 0)
			rc = ind_batch(&spec, in, s->n, outs);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void report_technical(const struct report *r, struct report_symbol *s)
{
	struct ind_columns in;
	double *room;

	(void)r;
	if (s->n == 0) /* pricing has said why */
		return;
	room = calloc(5 * s->n, sizeof(*room));
	s->columns = calloc(REPORT_COLUMNS * s->n, sizeof(*s->columns));
	if (room == NULL || s->columns == NULL) {
		report_fail(s, REPORT_TECHNICAL, "no memory for %zu bars", s->n);
	} else {
		in = split(s, room);
		if (compute(s, &in) < 0)
			report_fail(s, REPORT_TECHNICAL, "%s", err_text());
	}
	free(room);
	if (report_failed(s, REPORT_TECHNICAL) != NULL) {
		free(s->columns);
		s->columns = NULL;
	}
}
