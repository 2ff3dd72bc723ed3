/* sample_test - one well-filled event of each kind, for the tests of this folder. */
#pragma once
#include "proto/event.h"
#include <math.h>
#include <string.h>

#define SAMPLE_NS INT64_C(1767623400500000000) /* 2026-01-05T14:30:00.5Z */

static inline struct event_head sample_head(uint64_t seq, uint64_t pos)
{
	return (struct event_head){seq, pos, SAMPLE_NS, SAMPLE_NS + 1000};
}

static inline struct event_tick sample_tick(void)
{
	struct event_tick e = {.head = sample_head(7, 1001),
			       .price_e9 = INT64_C(187250000000),
			       .size_e8 = INT64_C(10000000000),
			       .bid_e9 = INT64_C(187240000000),
			       .ask_e9 = VALUE_NULL,
			       .bid_size_e8 = 250000000,
			       .ask_size_e8 = VALUE_NULL,
			       .source_seq = 55,
			       .symbol_id = 3,
			       .source_id = 2,
			       .flags = TICK_NO_LAST};

	memcpy(e.cond, "@ I", 3);
	memcpy(e.symbol, "AAPL", 4);
	return e;
}

static inline struct event_bar sample_bar(void)
{
	struct event_bar e = {.head = sample_head(9, 1010),
			      .bar_start_ns = SAMPLE_NS - INT64_C(60000000000),
			      .open_e9 = INT64_C(187000000000),
			      .high_e9 = INT64_C(188000000001),
			      .low_e9 = INT64_C(186500000000),
			      .close_e9 = INT64_C(187500000000),
			      .volume_lo = 123450000000,
			      .log_return_1 = 0.001,
			      .spread_estimate = NAN,
			      .vwap = 187.1,
			      .trade_count = 12,
			      .first_pos = 900,
			      .last_pos = 1001,
			      .revision = 1,
			      .timeframe_s = 60,
			      .symbol_id = 3,
			      .source_id = 2,
			      .schema_version = BAR_SCHEMA_VERSION,
			      .flags = BAR_VALID | BAR_FINAL,
			      .state = BAR_TRADED,
			      .cause = CAUSE_LATE_TRADE,
			      .late_ticks = 1};

	memcpy(e.symbol, "AAPL", 4);
	memcpy(e.source, "sim", 3);
	return e;
}

static inline struct event_tier1 sample_tier1(void)
{
	struct event_tier1 e = {.head = sample_head(4, 1010),
				.bar_seq = 9,
				.feature_version = 0x0123456789abcdef,
				.warm = 0x7f,
				.bars_seen = 130,
				.timeframe_s = 60,
				.bar_revision = 1,
				.symbol_id = 3,
				.schema_version = TIER1_SCHEMA_VERSION,
				.flags = TIER1_ML_READY};

	for (unsigned i = 0; i < TIER1_N; i++)
		e.value[i] = i % 5 == 4 ? NAN : 0.25 * i;
	for (unsigned i = 0; i < TIER1_ML_N; i++)
		e.norm[i] = i % 3 == 2 ? NAN : -0.5 * i;
	memcpy(e.symbol, "AAPL", 4);
	return e;
}

static inline struct event_status sample_status(void)
{
	struct event_status e = {.head = sample_head(2, 1011),
				 .detail = 17,
				 .symbol_id = 3,
				 .source_id = 2,
				 .state = SYMBOL_GAP};

	memcpy(e.symbol, "AAPL", 4);
	memcpy(e.text, "silent \"long\"", 13);
	return e;
}

static inline struct event_news sample_news(void)
{
	struct event_news e = {.head = sample_head(6, 1013),
			       .compound = 0.4215,
			       .pos_share = 0.25,
			       .neu_share = 0.75,
			       .average = 0.125,
			       .weighted = 0.25,
			       .positive = 0.5,
			       .negative = 0.25,
			       .articles = 4,
			       .published_ns = SAMPLE_NS - INT64_C(60000000000),
			       .article = 0x0123456789abcdef,
			       .edition = 2,
			       .window_s = 86400,
			       .symbol_id = 3,
			       .source_id = 2,
			       .flags = NEWS_UPDATE,
			       .n_symbols = 2,
			       .half_life_s = 3600,
			       .schema_version = NEWS_SCHEMA_VERSION};

	memcpy(e.symbol, "AAPL", 4);
	memcpy(e.lexicon, "finance-1+vader.0123456789abcdef", 32);
	memcpy(e.id, "44123", 5);
	memcpy(e.publisher, "Wire", 4);
	memcpy(e.headline, "Apple \"beats\" \xe2\x82\xac targets", 26);
	memcpy(e.url, "https://example.com/a", 21);
	return e;
}

#define SAMPLE_MEMBERS 3
#define SAMPLE_ROWS    2

/** A matrix as frame_add() takes it: event, members and triangle in one piece. */
struct sample_matrix {
	struct event_tier2 e;
	struct tier2_member member[SAMPLE_MEMBERS];
	double triangle[SAMPLE_ROWS * (SAMPLE_ROWS + 1) / 2];
};

static inline struct sample_matrix sample_matrix(void)
{
	static const char *const names[SAMPLE_MEMBERS] = {"AAPL", "BTC/USD", "MSFT"};
	struct sample_matrix m = {.e = {.head = sample_head(5, 1012),
					.supersedes = 4,
					.universe_hash = 0xaa,
					.content_hash = 0xbb,
					.eigen_min = 0.5,
					.lambda = NAN,
					.timeframe_s = 60,
					.window = 120,
					.n_members = SAMPLE_MEMBERS,
					.n_included = SAMPLE_ROWS,
					.schema_version = TIER2_SCHEMA_VERSION,
					.status = TIER2_PROVISIONAL,
					.cause = CAUSE_LATE_TRADE},
				  .triangle = {1.0, -0.25, 1.0}};

	for (uint32_t i = 0; i < SAMPLE_MEMBERS; i++) {
		m.member[i] = (struct tier2_member){.bar_seq = 9 + i,
						    .n_obs = 120,
						    .symbol_id = i,
						    .reason = i == 1 ? TIER2_LAGGING
								     : TIER2_INCLUDED};
		memcpy(m.member[i].symbol, names[i], strlen(names[i]));
	}
	memcpy(m.e.universe, "tech", 4);
	return m;
}
