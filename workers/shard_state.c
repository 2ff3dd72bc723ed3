/* shard_state - snapshots of a shard, see shard.h. */
#include "base/err.h"
#include "base/state.h"
#include "workers/shard_parts.h"
#include <errno.h>

#define PART_BYTES ((size_t)256 << 10) /* about so much is handed over at once */
/* Series of a symbol: timeframes times price types. */
#define SERIES_MAX (TIMEFRAMES_MAX * PRICE_TYPES_MAX)

static void tier1_slots_state(struct state *st, struct lane *l)
{
	uint32_t n = l->n_tier1;

	state_count(st, &n, SERIES_MAX);
	for (uint32_t i = 0; i < n && !state_bad(st); i++) {
		uint32_t timeframe_s = 0;
		uint8_t price_type = 0;
		struct tier1_slot *t;

		if (!state_is_loading(st)) {
			timeframe_s = l->tier1[i].timeframe_s;
			price_type = l->tier1[i].price_type;
		}
		state_u32(st, &timeframe_s);
		state_u8(st, &price_type);
		t = state_bad(st) || timeframe_s == 0
			    ? NULL
			    : shard_tier1(l, timeframe_s, price_type);
		if (t == NULL) {
			state_spoil(st);
			return;
		}
		tier1_state(st, t->state);
		if (t->indicators != NULL)
			ind_live_state(st, t->indicators);
	}
}

static void mark_state(struct state *st, struct stream_mark *m)
{
	state_u64(st, &m->seq);
	state_u64(st, &m->pos);
	state_u64(st, &m->chain);
}

static void streams_state(struct state *st, struct shard_streams *s)
{
	mark_state(st, &s->bar);
	mark_state(st, &s->tier1);
	mark_state(st, &s->status);
}

static struct shard_streams streams_of(const struct lane *l)
{
	return (struct shard_streams){
		.symbol_id = l->symbol_id,
		.bar = {l->bars != NULL ? bars_seq(l->bars) : 0, l->bar_pos,
			l->bar_chain},
		.tier1 = {l->tier1_seq, l->tier1_pos, l->tier1_chain},
		.status = {l->status_seq, l->status_pos, l->status_chain},
	};
}

static void take_streams(struct lane *l, const struct shard_streams *s)
{
	if (l->bars != NULL)
		bars_renumber(l->bars, s->bar.seq);
	l->bar_pos = s->bar.pos;
	l->bar_chain = s->bar.chain;
	l->tier1_seq = s->tier1.seq;
	l->tier1_pos = s->tier1.pos;
	l->tier1_chain = s->tier1.chain;
	l->status_seq = s->status.seq;
	l->status_pos = s->status.pos;
	l->status_chain = s->status.chain;
}

static void lane_state(struct state *st, struct lane *l)
{
	struct shard_streams streams = streams_of(l);
	bool has_bars = l->bars != NULL;

	streams_state(st, &streams);
	if (state_is_loading(st))
		take_streams(l, &streams);
	state_bool(st, &l->paused);
	state_bool(st, &l->faulted);
	shard_lane_freeze_state(st, l);
	state_bool(st, &has_bars);
	if (!has_bars)
		return; /* it never had memory */
	if (l->bars == NULL) {
		state_spoil(st);
		return;
	}
	bars_state(st, l->bars);
	tier1_slots_state(st, l);
}

/* What every shard knows alike. */
static void sources_state(struct state *st, struct shard *s)
{
	state_i64(st, &s->clock_ns);
	source_life_state(st, s->life);
	shard_freeze_state(st, s);
}

/* ---- saving ---- */

void shard_lane_save(struct shard *s, struct lane *l)
{
	struct state st = state_saving(&s->saving.part);
	size_t at = section_begin(&s->saving.part, SECTION_LANE, l->symbol_id);

	lane_state(&st, l);
	section_end(&s->saving.part, at);
	l->saved = s->saving.number;
	s->counts.saved++;
}

void shard_save_begin(struct shard *s, uint64_t pos)
{
	struct saving *v = &s->saving;

	/* One that is not whole yet is given up: its taker sees another position. */
	v->part.len = 0;
	*v = (struct saving){
		.on = true, .pos = pos, .number = v->number + 1, .part = v->part};
	if (s->env.index == 0) {
		struct state st = state_saving(&v->part);
		size_t at = section_begin(&v->part, SECTION_SOURCES, 0);

		sources_state(&st, s);
		section_end(&v->part, at);
	}
}

void shard_snapshot_begin(struct shard *s, uint64_t pos)
{
	struct cut_item c = {.pos = pos, .type = CUT_SNAPSHOT};

	if (s->sink.snapshot == NULL)
		return;
	shard_save_begin(s, pos);
	s->sink.cut(s->sink.arg, &c);
}

bool shard_is_saving(const struct shard *s)
{
	return s->saving.on;
}

bool shard_save_step(struct shard *s, uint32_t lanes)
{
	struct saving *v = &s->saving;

	if (!v->on)
		return false;
	for (; lanes > 0 && v->next < s->n_lanes && v->part.len < PART_BYTES;
	     v->next++) {
		struct lane *l = &s->lanes[v->next];

		if (l->shard == NULL || l->saved == v->number)
			continue;
		shard_lane_save(s, l);
		lanes--;
	}
	v->is_whole = v->next == s->n_lanes;
	if (v->part.len < PART_BYTES && !v->is_whole)
		return true;
	if (s->sink.snapshot(s->sink.arg, v->pos, &v->part, v->is_whole) != 0)
		return true;
	v->on = !v->is_whole;
	return v->on;
}

/* ---- loading ---- */

static int bad_section(const struct section *sec)
{
	return err_set(-EBADMSG,
		       "section %u of kind %u of the snapshot does not hold what this "
		       "configuration needs",
		       sec->id, sec->kind);
}

static int load_lane(struct shard *s, const struct section *sec,
		     struct shard_streams *out)
{
	struct state st = state_loading(sec->data, sec->len);
	struct lane *l;

	if (sec->id >= symtab_count(s->env.symbols) || sec->id >= s->env.symbols_max ||
	    sec->id % s->env.n_shards != s->env.index ||
	    s->lanes[sec->id / s->env.n_shards].shard != NULL)
		return bad_section(sec);
	l = shard_lane_make(s, sec->id);
	lane_state(&st, l);
	state_end(&st);
	if (state_bad(&st))
		return bad_section(sec);
	if (l->bars != NULL)
		shard_refresh_due(s, l);
	*out = streams_of(l);
	return 0;
}

int shard_load(struct shard *s, const struct section *sec,
	       struct shard_streams *out_streams)
{
	struct state st = state_loading(sec->data, sec->len);

	if (sec->kind == SECTION_LANE)
		return load_lane(s, sec, out_streams);
	sources_state(&st, s);
	state_end(&st);
	return state_bad(&st) ? bad_section(sec) : 0;
}

int shard_peek(const struct section *sec, struct shard_streams *out)
{
	struct state st = state_loading(sec->data, sec->len);

	*out = (struct shard_streams){.symbol_id = sec->id};
	streams_state(&st, out);
	return state_bad(&st) ? bad_section(sec) : 0;
}

int shard_renumber(struct shard *s, const struct shard_streams *streams)
{
	struct lane *l = &s->lanes[streams->symbol_id / s->env.n_shards];

	if (l->shard == NULL)
		l = shard_lane_make(s, streams->symbol_id);
	if (l->bars == NULL)
		return err_set(-ENOMEM, "out of memory for the bars of a symbol");
	take_streams(l, streams);
	return 0;
}
