/*
 * freeze - what the kill switch stops: a control record of the log, and its names.
 *
 * A freeze holds outputs back, nothing else: what is frozen is logged, derived and
 *stored as ever, so that a release needs no reckoning and a replay makes the same
 *bytes.
 *
 *	symbol   its bars, features and news are held, and matrices are made without it
 *	source   the same for every symbol whose newest bar is of that source; and the
 *	         news of every symbol of which it wrote (workers/newshold.h)
 *	tier     all features (1) or all matrices (2) are held
 *	all      all bars, features, news and matrices are held
 *
 * Ticks are never held.  A quarantine is a freeze under another name: the data is
 * suspect, not the system; matrices say `quarantined` instead of `killed`.
 */
#pragma once
#include "proto/record.h"
#include <stdbool.h>

enum freeze_level { FREEZE_SYMBOL = 1, FREEZE_SOURCE, FREEZE_TIER, FREEZE_ALL };

enum freeze_cause {
	FREEZE_OPERATOR = 0,
	FREEZE_STALE,      /* nothing came for too long */
	FREEZE_OUTLIERS,   /* too many bars were flagged */
	FREEZE_SKEW,       /* event times are too far from the time of receipt */
	FREEZE_DIVERGENCE, /* sources of one symbol disagree */
	FREEZE_ERRORS,     /* too many ticks were refused */
	FREEZE_CAUSES,
};

/** So many sources can be frozen at once. */
#define FREEZE_SOURCES_MAX 64u

struct freeze {
	uint8_t level; /* enum freeze_level */
	uint8_t cause; /* enum freeze_cause */
	uint8_t tier;  /* FREEZE_TIER: 1 or 2 */
	bool is_quarantine;
	uint32_t id; /* FREEZE_SYMBOL: symbol id; FREEZE_SOURCE: source id */
};

/** "symbol", "source", "tier", "all"; "?" when there is no such level. */
const char *freeze_level_name(unsigned level);
/** "operator", "stale", "outliers", "skew", "divergence", "errors". */
const char *freeze_cause_name(unsigned cause);
/** What a sentence says of a cause: "by the operator", "for its outliers". */
const char *freeze_cause_text(unsigned cause);

/*
 * In the log: ref_seq is CONTROL_FREEZE or CONTROL_RELEASE, source_seq holds level,
 * cause, tier and quarantine a byte each, from the lowest, and the id above them.
 * (source_id stays 0: a record with a source says that the source lives.)
 */
static inline uint64_t freeze_pack(const struct freeze *f)
{
	return f->level | (uint64_t)f->cause << 8 | (uint64_t)f->tier << 16 |
	       (uint64_t)f->is_quarantine << 24 | (uint64_t)f->id << 32;
}

static inline struct freeze freeze_unpack(uint64_t packed)
{
	return (struct freeze){.level = (uint8_t)packed,
			       .cause = (uint8_t)(packed >> 8),
			       .tier = (uint8_t)(packed >> 16),
			       .is_quarantine = (packed >> 24 & 1) != 0,
			       .id = (uint32_t)(packed >> 32)};
}

/** Do both stop the same thing? */
static inline bool freeze_same(const struct freeze *a, const struct freeze *b)
{
	return a->level == b->level && a->tier == b->tier && a->id == b->id;
}
