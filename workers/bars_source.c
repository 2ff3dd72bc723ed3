/* bars_source - whose ticks make a symbol's bars (bars_parts.h). */
#include "workers/bars_parts.h"
#include <string.h>

/* What the arbiter found at @now_ns is told before anything that it brings about. */
static void tell(struct bars *b, const struct arbiter_news *n, int64_t now_ns)
{
	int64_t log_ns = b->env.log_ns;

	/* Ticks that are not used do not move the symbol's own time, but this is now.
	 */
	if (now_ns > log_ns)
		b->env.log_ns = now_ns;
	if (n->has_chosen) {
		b->env.source_id = n->chosen_id;
		b->env.counts.source_changes++;
		series_status(&b->env, SYMBOL_SOURCE_CHOSEN, n->chosen_id,
			      n->chosen_text);
	}
	if (n->has_diverged || n->has_agreed)
		series_status(&b->env,
			      n->has_diverged ? SYMBOL_SOURCES_DIVERGE
					      : SYMBOL_SOURCES_AGREE,
			      n->millionths, n->diverged_text);
	b->env.log_ns = log_ns;
}

/* The configured source's id is known once its name was seen. */
static bool is_ours(struct bars *b, uint16_t source_id)
{
	if (b->source_id == 0 && strncmp(symtab_name(b->env.sources, source_id),
					 b->env.sp->source, SOURCE_MAX) == 0)
		b->source_id = source_id;
	return b->source_id == source_id;
}

bool bars_source_takes(struct bars *b, const struct record *r)
{
	struct arbiter_news news;
	bool takes;

	if (b->arbiter == NULL)
		return b->any_source || is_ours(b, r->source_id);
	takes = arbiter_tick(b->arbiter, r, b->env.log_ns, &news);
	tell(b, &news, r->event_ns);
	return takes;
}

void bars_source_time(struct bars *b, int64_t now_ns)
{
	struct arbiter_news news;

	arbiter_time(b->arbiter, now_ns, &news);
	tell(b, &news, now_ns);
}
