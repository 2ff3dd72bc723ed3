/*
 * ind_run - columns in, indicators out, as the bytes of doubles; for the oracle beside
 *it.
 *
 *	ind_run --list              name, flavours (1 talib, 2 pandas), outputs; a line
 *each ind_run SPEC... < columns > values
 *
 * In: the number of bars as int64, then open, high, low, close, volume, spread (double)
 * and the ends of the bars in ns (int64), each a column.  Out: for each SPEC its
 *lookback as a double, then a column per output.
 */
#include "analysis/ind.h"
#include "base/err.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BARS_MAX 1000000

static int list(void)
{
	for (size_t i = 0; i < ind_count(); i++)
		printf("%s %u %u\n", ind_at(i)->name, ind_at(i)->flavours,
		       ind_at(i)->n_outputs);
	return 0;
}

static void *column(size_t n)
{
	void *data = calloc(n + 1, sizeof(double));

	if (data == NULL || fread(data, sizeof(double), n, stdin) != n) {
		(void)fprintf(stderr, "ind_run: the input ends too early\n");
		exit(1);
	}
	return data;
}

static int run(const char *text, const struct ind_columns *in, size_t n)
{
	double *outs[IND_OUTPUTS_MAX] = {NULL}, lookback;
	struct ind_spec s;
	int rc = ind_parse(text, &s);

	for (size_t k = 0; k < IND_OUTPUTS_MAX && rc == 0; k++) {
		outs[k] = calloc(n + 1, sizeof(double));
		rc = outs[k] == NULL ? err_set(-1, "no memory") : 0;
	}
	if (rc == 0)
		rc = ind_batch(&s, in, n, outs);
	if (rc < 0) {
		(void)fprintf(stderr, "ind_run: %s\n", err_text());
		return 1;
	}
	lookback = ind_lookback(&s);
	(void)fwrite(&lookback, sizeof(lookback), 1, stdout);
	for (size_t k = 0; k < s.def->n_outputs; k++)
		(void)fwrite(outs[k], sizeof(double), n, stdout);
	for (size_t k = 0; k < IND_OUTPUTS_MAX; k++)
		free(outs[k]);
	return 0;
}

int main(int argc, char **argv)
{
	struct ind_columns in;
	int64_t n;
	int rc = 0;

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	if (fread(&n, sizeof(n), 1, stdin) != 1 || n < 0 || n > BARS_MAX)
		return 1;
	in.open = column((size_t)n);
	in.high = column((size_t)n);
	in.low = column((size_t)n);
	in.close = column((size_t)n);
	in.volume = column((size_t)n);
	in.spread = column((size_t)n);
	in.time_ns = column((size_t)n);
	for (int i = 1; i < argc && rc == 0; i++)
		rc = run(argv[i], &in, (size_t)n);
	free((void *)in.open);
	free((void *)in.high);
	free((void *)in.low);
	free((void *)in.close);
	free((void *)in.volume);
	free((void *)in.spread);
	free((void *)in.time_ns);
	return rc;
}
