/*
 * sim_minutes - minute bars of the simulated exchange, as put_bars takes them:
 * sim_minutes DIR SYMBOLS DAYS SEED
 *
 * Sessions of New York, 09:30 to 16:00, from 2014 on, DAYS of the calendar; trades come
 * about eight times a minute and symbol.  DIR/SYMBOL.bars has struct hist_bar one after
 * the other.
 */
#include "base/clock.h"
#include "base/err.h"
#include "feeds/sim.h"
#include "proto/hist.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_NS  (INT64_C(1388534400) * NS_PER_S) /* 2014-01-01 */
#define DAY_NS    (86400 * NS_PER_S)
#define MINUTE_NS (60 * NS_PER_S)
#define SYMBOLS   64

struct maker {
	FILE *f;
	struct hist_bar bar; /* trades 0: none is open */
};

static void put(struct maker *m)
{
	if (m->bar.trades > 0 && fwrite(&m->bar, sizeof(m->bar), 1, m->f) != 1)
		abort();
	m->bar.trades = 0;
}

static void trade(struct maker *m, const struct record *r)
{
	int64_t start = r->event_ns - r->event_ns % MINUTE_NS;
	struct hist_bar *b = &m->bar;

	if (b->trades > 0 && b->start_ns != start)
		put(m);
	if (b->trades == 0)
		*b = (struct hist_bar){.start_ns = start,
				       .open_e9 = r->price_e9,
				       .high_e9 = r->price_e9,
				       .low_e9 = r->price_e9,
				       .vwap_e9 = VALUE_NULL};
	b->high_e9 = r->price_e9 > b->high_e9 ? r->price_e9 : b->high_e9;
	b->low_e9 = r->price_e9 < b->low_e9 ? r->price_e9 : b->low_e9;
	b->close_e9 = r->price_e9;
	b->volume_e8 += r->size_e8;
	b->trades++;
}

int main(int argc, char **argv)
{
	static struct maker makers[SYMBOLS];
	struct sim_params p;
	struct sim *s = NULL;
	struct tz *tz = NULL;
	struct feed_tick t;
	uint32_t n = argc == 5 ? (uint32_t)atoi(argv[2]) : 0;
	int64_t end = argc == 5 ? START_NS + atoi(argv[3]) * DAY_NS : 0;

	if (n == 0 || n > SYMBOLS || end <= START_NS) {
		fputs("usage: sim_minutes DIR SYMBOLS DAYS SEED\n", stderr);
		return 64;
	}
	if (tz_load("America/New_York", &tz) < 0)
		abort();
	sim_params_default(&p);
	p.seed = strtoull(argv[4], NULL, 10);
	p.n_symbols = n;
	p.start_ns = START_NS;
	p.has_sessions = true;
	p.tz = tz;
	p.session_start_s = 34200;
	p.session_end_s = 57600;
	p.trades_mhz = 133;
	p.quotes_mhz = 0;
	p.clock_ns = 0;
	if (sim_new(&p, &s) < 0) {
		fprintf(stderr, "sim_minutes: %s\n", err_text());
		return 1;
	}
	for (uint32_t i = 0; i < n; i++) {
		char path[4096];

		(void)snprintf(path, sizeof(path), "%s/%s.bars", argv[1],
			       sim_symbol(s, i));
		makers[i].f = fopen(path, "we");
		if (makers[i].f == NULL)
			abort();
	}
	for (sim_next(s, &t); t.rec.event_ns < end; sim_next(s, &t))
		if (t.rec.type == RECORD_TICK && t.rec.price_e9 != VALUE_NULL)
			trade(&makers[t.rec.symbol_id], &t.rec);
	for (uint32_t i = 0; i < n; i++) {
		put(&makers[i]);
		if (fclose(makers[i].f) != 0)
			abort();
	}
	sim_free(s);
	tz_free(tz);
	return 0;
}
