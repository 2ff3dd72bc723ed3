/*
 * What a combined report costs once prices and news are at hand: 500 symbols, two
 *sources of 252 bars, 40 articles each.  `rows` is the part that workers share, `whole`
 *has the answer as JSON, too.  Medians of wall time; the machine should have two free
 *processors.
 *
 *	bench_report [SYMBOLS [RUNS]]
 */
#include "base/clock.h"
#include "report/html.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BARS     252
#define ARTICLES 40
#define WORKERS  2
#define RUNS_MAX 101

static const char *const sources[] = {"first", "second"};
static const char *const words[] = {
	"surges to a record high", "plunges after a profit warning",
	"opens a plant",           "beats estimates",
	"faces a probe",           "raises its outlook",
	"is downgraded",           "presents at a conference",
};

/* Prices and headlines of one symbol; all have the same, under different names. */
static struct report_bar bars[BARS];
static char headlines[ARTICLES][80];

static void make_data(void)
{
	double price = 100;

	srandom(1);
	for (int i = 0; i < BARS; i++) {
		double last = price;

		price *= 1 + ((double)(random() % 2001) - 1000) / 50000;
		bars[i] = (struct report_bar){
			i * 86400 * NS_PER_S,  last,  fmax(price, last) + 1,
			fmin(price, last) - 1, price, 1e6 + (double)i};
	}
	for (int i = 0; i < ARTICLES; i++)
		(void)snprintf(headlines[i], sizeof(headlines[i]),
			       "Company %d %s, analysts say", i, words[i % 8]);
}

/* Processor time of each worker at its first and its newest row; a row is 1/500 of all.
 */
static struct {
	int64_t first_ns, last_ns;
} busy[WORKERS];

static int64_t thread_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static double busiest_ms(void)
{
	int64_t most = 0;

	for (unsigned i = 0; i < WORKERS; i++) {
		if (busy[i].last_ns - busy[i].first_ns > most)
			most = busy[i].last_ns - busy[i].first_ns;
		busy[i].first_ns = busy[i].last_ns = 0;
	}
	return (double)most / 1e6;
}

static int load(void *arg, unsigned worker, const struct report *r,
		struct report_symbol *s)
{
	(void)arg;
	(void)r;
	busy[worker].last_ns = thread_ns();
	if (busy[worker].first_ns == 0)
		busy[worker].first_ns = busy[worker].last_ns;
	for (unsigned k = 0; k < 2; k++) {
		struct report_series *x = report_series_add(s, sources[k]);

		x->rank = k;
		for (int i = 0; i < BARS; i++)
			report_series_push(x, &bars[i]);
	}
	for (int i = 0; i < ARTICLES; i++)
		report_article_push(s, (BARS - ARTICLES + i) * 86400 * NS_PER_S,
				    headlines[i], "wire", "https://news.example/x");
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static struct report new_report(size_t symbols, struct sentiment **scorers)
{
	struct report r = {.flow = FLOW_COMBINED,
			   .step_s = 86400,
			   .window = BARS,
			   .news_ns = 365 * 86400 * NS_PER_S,
			   .half_life_ns = 86400 * NS_PER_S,
			   .repeat_ns = 86400 * NS_PER_S,
			   .articles = 5,
			   .scorers = scorers,
			   .sources = sources,
			   .n_sources = 2};

	for (size_t i = 0; i < symbols; i++) {
		char symbol[24];

		(void)snprintf(symbol, sizeof(symbol), "S%zu", i);
		if (report_add(&r, symbol) < 0)
			abort();
	}
	return r;
}

static void run(size_t symbols, size_t runs, unsigned workers,
		struct sentiment **scorers)
{
	const struct report_loader loader = {.load = load};
	double rows[RUNS_MAX], whole[RUNS_MAX], cpu[RUNS_MAX], cpu_whole[RUNS_MAX];
	size_t bytes = 0;

	for (size_t i = 0; i < runs; i++) {
		struct report r = new_report(symbols, scorers);
		struct buf json = {0};
		int64_t began_ns = clock_mono_ns(), cpu_ns;

		if (report_run(&r, &loader, workers) != 0)
			abort();
		rows[i] = (double)(clock_mono_ns() - began_ns) / 1e6;
		cpu[i] = busiest_ms();
		cpu_ns = thread_ns();
		report_json(&r, 0, &json);
		whole[i] = (double)(clock_mono_ns() - began_ns) / 1e6;
		cpu_whole[i] = cpu[i] + (double)(thread_ns() - cpu_ns) / 1e6;
		bytes = json.len;
		buf_free(&json);
		report_free(&r);
	}
	printf("cached symbols=%zu workers=%u rows_ms=%.2f whole_ms=%.2f "
	       "rows_cpu_ms=%.2f "
	       "whole_cpu_ms=%.2f bytes=%zu\n",
	       symbols, workers, median(rows, runs), median(whole, runs),
	       median(cpu, runs), median(cpu_whole, runs), bytes);
}

int main(int argc, char **argv)
{
	size_t symbols = argc > 1 ? strtoul(argv[1], NULL, 10) : 500;
	size_t runs = argc > 2 ? strtoul(argv[2], NULL, 10) : 21;
	struct sentiment *scorers[WORKERS];

	if (runs < 1 || runs > RUNS_MAX)
		return 64;
	make_data();
	for (unsigned i = 0; i < WORKERS; i++)
		if (sentiment_new(SENTIMENT_FINANCE, NULL, 0, &scorers[i]) < 0)
			return 70;
	for (unsigned workers = 1; workers <= WORKERS; workers++)
		run(symbols, runs, workers, scorers);
	for (unsigned i = 0; i < WORKERS; i++)
		sentiment_free(scorers[i]);
	return 0;
}
