/* event - names of kinds, reasons and states; the words of every output. */
#include "proto/event.h"
#include "base/blake2b.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>

#define N(a) (sizeof(a) / sizeof(*(a)))

static const struct {
	const char *name;
	const char *word;
} kinds[] = {
	[EVENT_TICK] = {"TICK_RECEIVED", "tick"},
	[EVENT_BAR] = {"NORMALIZED_BAR_READY", "bar"},
	[EVENT_TIER1] = {"FEATURE_TIER1_READY", "tier1"},
	[EVENT_TIER2] = {"FEATURE_TIER2_READY", "tier2"},
	[EVENT_NEWS] = {"NEWS_SENTIMENT", "news"},
	[EVENT_STATUS] = {"SYMBOL_STATUS", "status"},
	[EVENT_JOB] = {"JOB_PROGRESS", "job"},
	[EVENT_HEARTBEAT] = {"HEARTBEAT", "hb"},
};
_Static_assert(N(kinds) == EVENT_KINDS, "every kind has its names");

const char *event_kind_name(enum event_kind kind)
{
	return (unsigned)kind < EVENT_KINDS ? kinds[kind].name : "?";
}

const char *event_kind_word(enum event_kind kind)
{
	return (unsigned)kind < EVENT_KINDS ? kinds[kind].word : "?";
}

static bool same(const char *name, const char *s, size_t len)
{
	return strlen(name) == len && memcmp(name, s, len) == 0;
}

enum event_kind event_kind_parse(const char *s, size_t len)
{
	for (unsigned i = 0; i < EVENT_KINDS; i++)
		if (same(kinds[i].name, s, len) || same(kinds[i].word, s, len))
			return (enum event_kind)i;
	return EVENT_KINDS;
}

size_t event_block_size(enum event_kind kind)
{
	switch (kind) {
	case EVENT_TICK:
		return sizeof(struct event_tick);
	case EVENT_BAR:
		return sizeof(struct event_bar);
	case EVENT_TIER1:
		return sizeof(struct event_tier1);
	case EVENT_TIER2:
		return sizeof(struct event_tier2);
	case EVENT_STATUS:
		return sizeof(struct event_status);
	case EVENT_NEWS:
		return sizeof(struct event_news);
	case EVENT_JOB:
	case EVENT_HEARTBEAT:
	case EVENT_KINDS:
		break;
	}
	return 0;
}

/* Where a kind's block says whose it is. */
static const struct {
	size_t id, name;
} owners[EVENT_KINDS] = {
#define OWNER(type)                                                                    \
	{                                                                              \
		offsetof(struct type, symbol_id), offsetof(struct type, symbol)        \
	}
	[EVENT_TICK] = OWNER(event_tick),
	[EVENT_BAR] = OWNER(event_bar),
	[EVENT_TIER1] = OWNER(event_tier1),
	[EVENT_STATUS] = OWNER(event_status),
	[EVENT_NEWS] = OWNER(event_news),
#undef OWNER
	[EVENT_TIER2] = {0, offsetof(struct event_tier2, universe)},
};
_Static_assert(UNIVERSE_MAX == SYMBOL_MAX, "event_symbol() takes both");

uint32_t event_symbol_id(enum event_kind kind, const void *event)
{
	uint32_t id = 0;

	if (owners[kind].id > 0)
		memcpy(&id, (const uint8_t *)event + owners[kind].id, sizeof(id));
	return id;
}

const char *event_symbol(enum event_kind kind, const void *event)
{
	assert(owners[kind].name > 0);
	return (const char *)event + owners[kind].name;
}

/* The chain is the last field of every derived block. */
static uint8_t *chain_field(enum event_kind kind, void *event)
{
	assert(kind != EVENT_TICK);
	assert(event_block_size(kind) > 0);
	return (uint8_t *)event + event_block_size(kind) - sizeof(uint64_t);
}
_Static_assert(
	offsetof(struct event_bar, chain) == sizeof(struct event_bar) - 8 &&
		offsetof(struct event_tier1, chain) == sizeof(struct event_tier1) - 8 &&
		offsetof(struct event_tier2, chain) == sizeof(struct event_tier2) - 8 &&
		offsetof(struct event_status, chain) ==
			sizeof(struct event_status) - 8 &&
		offsetof(struct event_news, chain) == sizeof(struct event_news) - 8,
	"chain_field() looks at the end");

void event_chain(enum event_kind kind, void *event, uint64_t *head)
{
	uint8_t *field = chain_field(kind, event);
	struct event_head *h = event;
	int64_t recv_ns = h->recv_ns;

	h->recv_ns = 0;
	memcpy(field, head, sizeof(*head));
	blake2b(event, event_block_size(kind), head, sizeof(*head));
	memcpy(field, head, sizeof(*head));
	h->recv_ns = recv_ns;
}

uint64_t event_chain_of(enum event_kind kind, const void *event)
{
	uint64_t chain;

	memcpy(&chain, chain_field(kind, (void *)(uintptr_t)event), sizeof(chain));
	return chain;
}

static const char *const tier1_names[] = {
#define X(id, label, block) label,
	TIER1_VALUES(X)
#undef X
};
_Static_assert(N(tier1_names) == TIER1_N, "every value has its name");
_Static_assert((int)TIER1_SPREAD_RATIO == TIER1_ML_N, "values with a norm come first");

const char *tier1_name(enum tier1_value v)
{
	return (unsigned)v < TIER1_N ? tier1_names[v] : "?";
}

static const char *const reject_names[] = {
#define X(id, label) label,
	REJECT_REASONS(X)
#undef X
};
_Static_assert(N(reject_names) == REJECT_N, "every reason has its name");

const char *reject_name(enum reject_reason r)
{
	return (unsigned)r < REJECT_N ? reject_names[r] : "?";
}

static const char *const price_types[] = {"last", "mid", "bid", "ask", "auto"};
static const char *const bar_states[] = {"TRADED", "QUIET", "BLIND"};
static const char *const bar_causes[] = {"first",      "late_trade", "cancel",
					 "correction", "backfill",   "adjustment",
					 "final"};
static const char *const spread_methods[] = {"none", "quote", "range"};
static const char *const corr_methods[] = {"pearson", "ewma", "ledoit_wolf",
					   "spearman"};
static const char *const tier2_statuses[] = {"final", "provisional"};
static const char *const tier2_reasons[] = {
	"included",      "lagging",     "blind", "short_history",
	"zero_variance", "quarantined", "killed"};
static const char *const symbol_states[] = {
	"live",          "paused", "gap",         "source_lost",   "source_back",
	"cancel_lost",   "halted", "fault",       "source_chosen", "sources_diverge",
	"sources_agree", "killed", "quarantined", "released"};
static const char *const tick_actions[] = {"new", "cancel", "correct"};

_Static_assert(N(price_types) == PRICE_AUTO + 1, "complete");
_Static_assert(N(bar_causes) == CAUSE_FINAL + 1, "complete");
_Static_assert(N(corr_methods) == CORR_SPEARMAN + 1, "complete");
_Static_assert(N(tier2_reasons) == TIER2_KILLED + 1, "complete");
_Static_assert(N(symbol_states) == SYMBOL_RELEASED + 1, "complete");

#define NAMED(function, table)                                                         \
	const char *function(unsigned v)                                               \
	{                                                                              \
		return v < N(table) ? (table)[v] : "?";                                \
	}
NAMED(price_type_name, price_types)
NAMED(bar_state_name, bar_states)
NAMED(bar_cause_name, bar_causes)
NAMED(spread_method_name, spread_methods)
NAMED(corr_method_name, corr_methods)
NAMED(tier2_status_name, tier2_statuses)
NAMED(tier2_reason_name, tier2_reasons)
NAMED(symbol_state_name, symbol_states)
NAMED(tick_action_name, tick_actions)
#undef NAMED
