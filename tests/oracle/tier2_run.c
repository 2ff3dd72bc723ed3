/*
 * tier2_run - drives tier 2 for tier2_oracle.py: returns in, matrices out.
 *
 *	tier2_run WORKERS < returns > matrices
 *
 * The first line: method lambda window min_obs symbols.  Then, in the order of the
 * log, "symbol minute return" per bar ("nan": the bar has none).  Out, per version,
 * three lines: "version as_of included repaired eigen_min shift pos", one
 *"reason:n_obs" per member, and the packed lower triangle with 17 digits.
 */
#include "workers/corr.h"
#include "workers/tier2.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MIN INT64_C(60000000000)
#define MARK_EVERY 64

static void on_matrix(void *arg, const struct event_tier2 *e,
		      const struct tier2_member *m, const double *triangle, bool replay)
{
	size_t cells = (size_t)e->n_included * (e->n_included + 1) / 2;

	(void)arg;
	(void)replay;
	printf("%" PRIu64 " %" PRId64 " %u %u %.17g %.17g %" PRIu64 "\n", e->head.seq,
	       e->head.event_ns / NS_PER_MIN, e->n_included, e->psd_repaired,
	       e->eigen_min, e->frobenius_shift, e->head.pos);
	for (uint32_t i = 0; i < e->n_members; i++)
		printf("%u:%u ", m[i].reason, m[i].n_obs);
	printf("\n");
	for (size_t i = 0; i < cells; i++)
		printf("%.17g ", triangle[i]);
	printf("\n");
}

static void fail(const char *what)
{
	fprintf(stderr, "tier2_run: %s\n", what);
	exit(1);
}

static struct symtab *read_head(struct params *p)
{
	struct universe_params *up = &p->universes[p->n_universes++];
	struct symtab *symbols;
	enum corr_method method = CORR_PEARSON;
	char name[32];

	params_default(p);
	p->n_universes = 1;
	*up = (struct universe_params){.name = "oracle",
				       .timeframe_s = 60,
				       .price_type = PRICE_AUTO,
				       .grace_ns = NS_PER_MIN};
	if (scanf("%31s %lf %u %u %u", name, &up->lambda, &up->window, &up->min_obs,
		  &up->n_symbols) != 5 ||
	    corr_method_parse(name, strlen(name), &method) < 0)
		fail("the first line is: method lambda window min_obs symbols");
	up->method = (uint8_t)method;
	up->symbols = calloc(up->n_symbols, sizeof(*up->symbols));
	if (up->symbols == NULL || symtab_new(up->n_symbols, 0, &symbols) < 0)
		fail("out of memory");
	for (uint32_t i = 0; i < up->n_symbols; i++) {
		int len = snprintf(up->symbols[i], sizeof(up->symbols[i]), "S%u", i),
		    is_new;
		uint32_t id;

		(void)symtab_add(symbols, up->symbols[i], (size_t)len, &id, &is_new);
	}
	return symbols;
}

static void progress(struct tier2 *t, uint32_t workers, uint64_t pos)
{
	const struct cut_item mark = {.pos = pos, .type = CUT_PROGRESS};

	for (uint32_t w = 0; w < workers; w++)
		(void)tier2_feed(t, w, &mark, 1);
	while (tier2_step(t, 1000) > 0)
		;
}

int main(int argc, char **argv)
{
	static struct params params;
	uint32_t workers = argc > 1 ? (uint32_t)atoi(argv[1]) : 1;
	struct symtab *symbols = read_head(&params);
	const struct tier2_env env = {&params, symbols, workers,
				      params.universes[0].n_symbols};
	const struct tier2_sink sink = {.matrix = on_matrix};
	struct cut_item c = {.type = CUT_BAR, .timeframe_s = 60};
	struct tier2 *t;
	int64_t minute;

	if (workers == 0 || tier2_new(&env, &sink, &t) < 0)
		fail("no tier 2");
	while (scanf("%u %" SCNd64 " %lf", &c.symbol_id, &minute, &c.log_return) == 3) {
		c.pos++;
		c.time_ns = minute * NS_PER_MIN;
		c.bar_seq = (uint64_t)minute;
		if (tier2_feed(t, c.symbol_id % workers, &c, 1) < 0)
			fail("out of memory");
		if (c.pos % MARK_EVERY == 0)
			progress(t, workers, c.pos);
	}
	progress(t, workers, c.pos);
	tier2_free(t);
	symtab_free(symbols);
	params_deinit(&params);
	return 0;
}
