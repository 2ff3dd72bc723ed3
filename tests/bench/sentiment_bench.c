/*
 * sentiment_bench - microseconds to score a headline.
 *
 *	bench_sentiment [VADER_LEXICON]
 *
 * Headlines of the usual kinds, over and over; the median of several rounds.  With
 * VADER's lexicon (tools/setup-news) finance scores with both.
 */
#include "analysis/sentiment.h"
#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 15
#define TIMES  2000

static const char *const headlines[] = {
	"Acme Corp beats Q3 estimates, raises full-year guidance; shares up 5.2%",
	"Morgan & Co Downgrades Acme to Sell, Lowers Price Target to $12",
	"UPDATE: Acme to recall 1.2M vehicles after safety probe, which is not good",
	"Stocks That Hit 52-Week Highs On Tuesday",
	"A company that nobody knows will present at a conference in New York in May",
};
#define HEADLINES (sizeof(headlines) / sizeof(headlines[0]))

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static char *read_all(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *text = malloc(4 << 20);

	if (f == NULL || text == NULL) {
		(void)fprintf(stderr, "%s cannot be read\n", path);
		exit(1);
	}
	*len = fread(text, 1, 4 << 20, f);
	(void)fclose(f);
	return text;
}

int main(int argc, char **argv)
{
	size_t len = 0;
	char *vader = argc > 1 ? read_all(argv[1], &len) : NULL;
	struct sentiment_score score = {0};
	struct sentiment *s;
	double us[ROUNDS], sum = 0;

	if (sentiment_new(SENTIMENT_FINANCE, vader, len, &s) < 0)
		return 1;
	for (size_t r = 0; r < ROUNDS; r++) {
		int64_t begin = clock_mono_ns();

		for (size_t i = 0; i < TIMES; i++)
			for (size_t k = 0; k < HEADLINES; k++) {
				(void)sentiment_score(s, headlines[k],
						      strlen(headlines[k]), &score);
				sum += score.compound;
			}
		us[r] = (double)(clock_mono_ns() - begin) / 1e3 /
			(double)(TIMES * HEADLINES);
	}
	qsort(us, ROUNDS, sizeof(us[0]), compare);
	printf("%s: %.2f us a headline (sum %.4f)\n", sentiment_lexicon_version(s),
	       us[ROUNDS / 2], sum);
	sentiment_free(s);
	free(vader);
	return 0;
}
