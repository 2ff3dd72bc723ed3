/*
 * sim_market - prices that move together.
 *
 * A symbol's own noise is only advanced when it ticks, over the business time
 * that has passed since, so an event costs the same with 10 symbols as with
 * 10,000; the few factors step once per second for all.
 */
#include "feeds/sim_market.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX       3.0       /* prices stay within e^3 of where they began */
#define YEAR_S_OPEN   5896800.0 /* 252 sessions of 6.5 hours */
#define YEAR_S_ALWAYS 31536000.0
#define LOT_E8        INT64_C(10000000000) /* 100 shares */

static int make_names(struct sim_market *m, const struct sim_params *p)
{
	for (uint32_t i = 0; i < m->n; i++) {
		const char *name = m->symbols[i].name;
		int len = p->names ? snprintf(m->symbols[i].name, SYMBOL_MAX + 1, "%s",
					      p->names[i])
				   : snprintf(m->symbols[i].name, SYMBOL_MAX + 1,
					      "S%04u", i);

		if (len > SYMBOL_MAX || !symbol_valid(name, strlen(name)))
			return err_set(-EINVAL, "'%.40s' is not a symbol",
				       p->names ? p->names[i] : name);
	}
	return 0;
}

/*
 * Vose's alias method: every cell of the table holds one symbol or two, so a draw
 * is one look-up whatever the shares are.
 */
static int make_alias(struct sim_market *m)
{
	uint32_t *small = malloc(m->n * sizeof(*small));
	uint32_t *large = malloc(m->n * sizeof(*large));
	uint32_t n_small = 0, n_large = 0;

	if (!small || !large) {
		free(small);
		free(large);
		return err_set(-ENOMEM, "no memory for %u symbols", m->n);
	}
	for (uint32_t i = 0; i < m->n; i++) {
		struct sim_symbol *y = &m->symbols[i];

		y->share *= m->n;
		y->keep = UINT32_MAX;
		y->alias = i;
		if (y->share < 1.0)
			small[n_small++] = i;
		else
			large[n_large++] = i;
	}
	while (n_small > 0 && n_large > 0) {
		struct sim_symbol *a = &m->symbols[small[--n_small]];
		struct sim_symbol *b = &m->symbols[large[n_large - 1]];

		a->keep = (uint32_t)(a->share * 4294967295.0);
		a->alias = large[n_large - 1];
		b->share -= 1.0 - a->share;
		if (b->share < 1.0)
			small[n_small++] = large[--n_large];
	}
	free(small);
	free(large);
	return 0;
}

static void make_characters(struct sim_market *m, const struct sim_params *p)
{
	double year_s = p->has_sessions ? YEAR_S_OPEN : YEAR_S_ALWAYS;
	double sigma = p->volatility_bp * 1e-4 / __builtin_sqrt(year_s);
	double sum = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		struct sim_symbol *y = &m->symbols[i];

		/* 20 to 400 when the price tick is a cent; volatility 0.7 to 1.3. */
		y->base = (double)p->price_tick_e9 *
			  (2000.0 + 38000.0 * rng_unit(&m->rng));
		y->sigma = sigma * (0.7 + 0.6 * rng_unit(&m->rng));
		y->spread = 1 + rng_below(&m->rng, 3);
		y->sector = i % p->sectors;
		y->share = p->is_zipf ? 1.0 / (i + 1.0) : 1.0;
		sum += y->share;
	}
	for (uint32_t i = 0; i < m->n; i++)
		m->symbols[i].share /= sum;
}

int sim_market_init(struct sim_market *m, const struct sim_params *p)
{
	int rc;

	*m = (struct sim_market){
		.n = p->n_symbols,
		.n_sectors = p->sectors,
		.price_tick_e9 = p->price_tick_e9,
		.to_market = __builtin_sqrt(p->corr_market_pm * 1e-3),
		.to_sector =
			__builtin_sqrt((p->corr_sector_pm - p->corr_market_pm) * 1e-3),
		.to_own = __builtin_sqrt((1000 - p->corr_sector_pm) * 1e-3),
	};
	rng_seed(&m->rng, p->seed);
	memcpy(m->source, p->source, strlen(p->source));
	m->symbols = calloc(m->n, sizeof(*m->symbols));
	if (!m->symbols)
		return err_set(-ENOMEM, "no memory for %u symbols", m->n);
	rc = make_names(m, p);
	if (rc < 0)
		return rc;
	make_characters(m, p);
	return make_alias(m);
}

void sim_market_deinit(struct sim_market *m)
{
	free(m->symbols);
	m->symbols = NULL;
}

void sim_market_step(struct sim_market *m, double activity)
{
	double root = __builtin_sqrt(activity);

	m->market += rng_normal(&m->rng) * root;
	for (uint32_t k = 0; k < m->n_sectors; k++)
		m->sector[k] += rng_normal(&m->rng) * root;
	m->business += activity;
}

uint32_t sim_market_draw(struct sim_market *m)
{
	uint64_t x = rng_u64(&m->rng);
	uint32_t cell = (uint32_t)((x >> 32) * m->n >> 32);

	return (uint32_t)x <= m->symbols[cell].keep ? cell : m->symbols[cell].alias;
}

static double clamp_log(double x)
{
	if (x > LOG_MAX)
		return LOG_MAX;
	return x < -LOG_MAX ? -LOG_MAX : x;
}

void sim_market_quote(struct sim_market *m, uint32_t i, double now)
{
	struct sim_symbol *y = &m->symbols[i];
	double moved = now - y->own_time, price, log_price;
	int64_t bid;

	if (moved > 0) {
		y->own += rng_normal(&m->rng) * __builtin_sqrt(moved);
		y->own_time = now;
	}
	log_price =
		y->sigma * (m->to_market * m->market +
			    m->to_sector * m->sector[y->sector] + m->to_own * y->own);
	price = y->base * rng_exp(clamp_log(log_price));

	bid = (int64_t)(price / (double)m->price_tick_e9) - y->spread / 2;
	if (bid < 1)
		bid = 1;
	y->bid_e9 = bid * m->price_tick_e9;
	y->ask_e9 = (bid + y->spread) * m->price_tick_e9;
}

void sim_market_make_quote(struct sim_market *m, uint32_t i, int64_t event_ns,
			   uint64_t seq, struct feed_tick *out)
{
	struct sim_symbol *y = &m->symbols[i];
	uint64_t x = rng_u64(&m->rng);

	*out = (struct feed_tick){
		.rec = {.event_ns = event_ns,
			.price_e9 = VALUE_NULL,
			.size_e8 = VALUE_NULL,
			.bid_e9 = y->bid_e9,
			.ask_e9 = y->ask_e9,
			.bid_size_e8 = (int64_t)(1 + (x & 15)) * LOT_E8,
			.ask_size_e8 = (int64_t)(1 + (x >> 4 & 15)) * LOT_E8,
			.source_seq = seq,
			.symbol_id = i,
			.type = RECORD_TICK},
	};
	memcpy(out->symbol, y->name, SYMBOL_MAX);
	memcpy(out->source, m->source, SOURCE_MAX);
}

void sim_market_make_trade(struct sim_market *m, uint32_t i, int64_t event_ns,
			   uint64_t seq, struct feed_tick *out)
{
	struct sim_symbol *y = &m->symbols[i];
	uint64_t x = rng_u64(&m->rng);

	*out = (struct feed_tick){
		.rec = {.event_ns = event_ns,
			.price_e9 = x & 1 ? y->bid_e9 : y->ask_e9,
			.size_e8 = (int64_t)(1 + (x >> 1 & 7)) * LOT_E8,
			.bid_e9 = VALUE_NULL,
			.ask_e9 = VALUE_NULL,
			.bid_size_e8 = VALUE_NULL,
			.ask_size_e8 = VALUE_NULL,
			.source_seq = seq,
			.symbol_id = i,
			.type = RECORD_TICK},
	};
	memcpy(out->symbol, y->name, SYMBOL_MAX);
	memcpy(out->source, m->source, SOURCE_MAX);
	y->trade_seq = seq;
	y->trade_price_e9 = out->rec.price_e9;
	y->trade_size_e8 = out->rec.size_e8;
}
