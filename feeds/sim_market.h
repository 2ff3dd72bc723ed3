/*
 * sim_market - the symbols of the simulated exchange: who ticks how often, what
 * a price is worth now, and what a quote or a trade of it looks like.
 */
#pragma once
#include "feeds/rng.h"
#include "feeds/sim.h"

struct sim_symbol {
	char name[SYMBOL_MAX + 1];
	double base;     /* billionths at log price 0 */
	double own;      /* its own noise, in units of sigma */
	double own_time; /* business time of `own` */
	double sigma;    /* of the log price, per square root of business time */
	double share;    /* of all events; used while the alias table is made */
	uint32_t alias;  /* the other symbol of this cell of the table */
	uint32_t keep;   /* this one, with probability keep / 2^32 */
	uint32_t sector;
	uint32_t spread; /* in price ticks */
	int64_t bid_e9, ask_e9;
	int64_t halted_until_ns; /* 0: trading */
	uint64_t trade_seq;      /* of its last trade; 0: none yet */
	int64_t trade_price_e9, trade_size_e8;
};

struct sim_market {
	struct rng rng;
	struct sim_symbol *symbols; /* owned */
	uint32_t n;
	uint32_t n_sectors;
	char source[SOURCE_MAX];
	int64_t price_tick_e9;
	double to_market, to_sector,
		to_own; /* square roots of the shares of variance */
	double market, sector[SIM_SECTORS_MAX];
	double business; /* business time elapsed: seconds at activity 1 */
};

int sim_market_init(struct sim_market *m, const struct sim_params *p);
void sim_market_deinit(struct sim_market *m);
/** One second with @activity goes by: the factors take their step. */
void sim_market_step(struct sim_market *m, double activity);
/** Whose turn it is: symbol i with the probability of its share. */
uint32_t sim_market_draw(struct sim_market *m);
/** Move symbol @i to business time @now and quote it. */
void sim_market_quote(struct sim_market *m, uint32_t i, double now);
/** A tick of @i at @event_ns that carries the present quote. */
void sim_market_make_quote(struct sim_market *m, uint32_t i, int64_t event_ns,
			   uint64_t seq, struct feed_tick *out);
/** ... that is a trade at the bid or the ask, and is remembered as the last one. */
void sim_market_make_trade(struct sim_market *m, uint32_t i, int64_t event_ns,
			   uint64_t seq, struct feed_tick *out);
