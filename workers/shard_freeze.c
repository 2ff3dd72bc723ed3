/*
 * shard_freeze - the kill switch as far as a symbol's lane knows of it
 * (proto/freeze.h).
 *
 * A lane is frozen by itself or by the source of its newest bar.  Deriving goes on; the
 * lane says where it was frozen and where released (status events, and items for tier
 * 2), and whoever publishes holds back what lies between.  Tiers are not a lane's
 * business.
 */
#include "proto/freeze.h"
#include "workers/shard_parts.h"
#include <stdio.h>
#include <string.h>

static enum symbol_state state_of(const struct freeze *f)
{
	return f->is_quarantine ? SYMBOL_QUARANTINED : SYMBOL_KILLED;
}

static const struct freeze *source_freeze(const struct shard *s, uint16_t source_id)
{
	for (uint32_t i = 0; i < s->n_frozen_sources; i++)
		if (s->frozen_sources[i].id == source_id)
			return &s->frozen_sources[i];
	return NULL;
}

static void say_frozen(struct lane *l, const struct freeze *f)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "%s %s%s%.16s",
		       symbol_state_name(state_of(f)), freeze_cause_text(f->cause),
		       f->level == FREEZE_SOURCE ? ", with its source " : "",
		       f->level == FREEZE_SOURCE
			       ? symtab_name(l->shard->env.sources, (uint16_t)f->id)
			       : "");
	l->frozen_pos = l->shard->now->pos;
	shard_emit_status(l, state_of(f), text);
	shard_cut_symbol(l, state_of(f));
}

void shard_lane_judge(struct lane *l)
{
	const struct freeze *f = l->freeze.level != 0
					 ? &l->freeze
					 : source_freeze(l->shard, l->source_id);
	uint8_t want = f == NULL ? SYMBOL_LIVE : (uint8_t)state_of(f);

	if (want == l->frozen)
		return;
	l->frozen = want;
	if (f != NULL) {
		say_frozen(l, f);
		return;
	}
	l->frozen_pos = 0;
	shard_emit_status(l, SYMBOL_RELEASED, "released: what was held follows");
	shard_cut_symbol(l, SYMBOL_RELEASED);
	if (l->paused || l->faulted)
		shard_cut_symbol(l, l->paused ? SYMBOL_PAUSED : SYMBOL_FAULT);
}

static void set_source(struct shard *s, const struct freeze *f, bool is_on)
{
	uint32_t i = 0;

	while (i < s->n_frozen_sources && s->frozen_sources[i].id != f->id)
		i++;
	if (is_on && i < FREEZE_SOURCES_MAX) {
		s->frozen_sources[i] = *f;
		s->n_frozen_sources += i == s->n_frozen_sources;
	} else if (!is_on && i < s->n_frozen_sources) {
		s->n_frozen_sources--;
		memmove(&s->frozen_sources[i], &s->frozen_sources[i + 1],
			(s->n_frozen_sources - i) * sizeof(*f));
	}
	source_life_hold(s->life, (uint16_t)f->id, is_on);
	for (uint32_t n = 0; n < s->n_lanes; n++) {
		struct lane *l = &s->lanes[n];

		if (l->shard == NULL || l->source_id != f->id)
			continue;
		shard_touch(s, l);
		shard_lane_judge(l);
	}
}

void shard_freeze(struct shard *s, const struct freeze *f, bool is_on)
{
	struct lane *l;

	if (f->level == FREEZE_SOURCE)
		set_source(s, f, is_on);
	if (f->level != FREEZE_SYMBOL || f->id % s->env.n_shards != s->env.index ||
	    f->id >= s->env.symbols_max)
		return;
	l = shard_lane(s, f->id);
	l->freeze = is_on ? *f : (struct freeze){0};
	shard_lane_judge(l);
}

uint64_t shard_frozen(const struct shard *s, uint32_t symbol_id)
{
	return s->lanes[symbol_id / s->env.n_shards].frozen_pos;
}

static void freeze_state(struct state *st, struct freeze *f)
{
	uint64_t packed = freeze_pack(f);

	state_u64(st, &packed);
	*f = freeze_unpack(packed);
}

void shard_freeze_state(struct state *st, struct shard *s)
{
	state_count(st, &s->n_frozen_sources, FREEZE_SOURCES_MAX);
	for (uint32_t i = 0; i < s->n_frozen_sources && !state_bad(st); i++)
		freeze_state(st, &s->frozen_sources[i]);
	for (uint32_t i = 0; i < s->n_frozen_sources && state_is_loading(st); i++)
		source_life_hold(s->life, (uint16_t)s->frozen_sources[i].id, true);
}

void shard_lane_freeze_state(struct state *st, struct lane *l)
{
	freeze_state(st, &l->freeze);
	state_u8(st, &l->frozen);
	state_u64(st, &l->frozen_pos);
	state_u16(st, &l->source_id);
}
