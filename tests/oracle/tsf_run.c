/*
 * tsf_run - drives the feature calculators for tsf_oracle.py.
 *
 *	tsf_run names SET
 *	tsf_run FLAVOUR < series > features
 *
 * In, per series: its length and its values.  Out, per series: the comprehensive set
 * on one line with 17 digits.
 */
#include "analysis/tsf.h"
#include "base/err.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what)
{
	fprintf(stderr, "tsf_run: %s\n", what);
	return 1;
}

static int print_names(const char *text)
{
	char name[TSF_NAME_MAX];
	enum tsf_set set;

	if (tsf_set_parse(text, &set) < 0)
		return fail(err_text());
	for (size_t i = 0; i < tsf_count(set); i++) {
		tsf_name(set, i, name);
		puts(name);
	}
	return 0;
}

static int one(size_t n, enum tsf_flavour flavour)
{
	double out[TSF_COMPREHENSIVE_COUNT], *x = calloc(n + 1, sizeof(*x));
	struct tsf_scratch *s = NULL;
	int rc = x == NULL ? -1 : tsf_scratch_new(n, &s);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = scanf("%lf", &x[i]) == 1 ? 0 : -1;
	if (rc == 0)
		rc = tsf_extract(s, x, n, TSF_COMPREHENSIVE, flavour, out);
	for (size_t i = 0; rc == 0 && i < TSF_COMPREHENSIVE_COUNT; i++)
		printf("%.17g ", out[i]);
	printf("\n");
	tsf_scratch_free(s);
	free(x);
	return rc;
}

int main(int argc, char **argv)
{
	enum tsf_flavour flavour;
	size_t n;

	if (argc == 3 && strcmp(argv[1], "names") == 0)
		return print_names(argv[2]);
	if (argc != 2 || tsf_flavour_parse(argv[1], &flavour) < 0)
		return fail("usage: tsf_run names SET | tsf_run FLAVOUR");
	while (scanf("%zu", &n) == 1)
		if (one(n, flavour) < 0)
			return fail(err_text());
	return 0;
}
