/* freeze - see freeze.h. */
#include "proto/freeze.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

static const char *const levels[] = {"?", "symbol", "source", "tier", "all"};
static const struct {
	const char *name, *text;
} causes[] = {
	[FREEZE_OPERATOR] = {"operator", "by the operator"},
	[FREEZE_STALE] = {"stale", "because nothing came"},
	[FREEZE_OUTLIERS] = {"outliers", "for its outliers"},
	[FREEZE_SKEW] = {"skew", "for times that are off"},
	[FREEZE_DIVERGENCE] = {"divergence", "because sources diverge"},
	[FREEZE_ERRORS] = {"errors", "for ticks that were refused"},
};

_Static_assert(N(causes) == FREEZE_CAUSES, "complete");

const char *freeze_level_name(unsigned level)
{
	return level < N(levels) ? levels[level] : "?";
}

const char *freeze_cause_name(unsigned cause)
{
	return cause < N(causes) ? causes[cause].name : "?";
}

const char *freeze_cause_text(unsigned cause)
{
	return cause < N(causes) ? causes[cause].text : "for no known reason";
}
