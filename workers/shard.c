/*
 * shard - see shard.h.  A lane is one symbol's normaliser with the tier-1 state
 * of its series.  `due` lies beside the lanes as a plain array, so that a clock
 * record costs a scan over one number per symbol and touches only the lanes
 * that have a bar to close.
 */
#include "base/err.h"
#include "workers/shard_parts.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int shard_new(const struct shard_env *env, const struct shard_sink *sink,
	      struct shard **out)
{
	struct shard *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(-ENOMEM, "out of memory for a shard");
	s->env = *env;
	s->sink = *sink;
	s->clock_ns = INT64_MIN;
	s->lanes_max = env->symbols_max / env->n_shards + 1;
	s->lanes = calloc(s->lanes_max, sizeof(*s->lanes));
	s->due = malloc(s->lanes_max * sizeof(*s->due));
	if (s->lanes == NULL || s->due == NULL)
		goto fail;
	for (uint32_t i = 0; i < s->lanes_max; i++)
		s->due[i] = INT64_MAX;
	if (source_life_new(env->params->bars.source_timeout_ns, &s->life) < 0)
		goto fail;
	*out = s;
	return 0;
fail:
	shard_free(s);
	return err_set(-ENOMEM, "out of memory for a shard of %u symbols",
		       env->symbols_max);
}

static void slot_free(struct tier1_slot *slot)
{
	tier1_free(slot->state);
	ind_live_free(slot->indicators);
}

void shard_lane_clear(struct lane *l)
{
	bars_free(l->bars);
	for (uint32_t k = 0; k < l->n_tier1; k++)
		slot_free(&l->tier1[k]);
	free(l->tier1);
	*l = (struct lane){0};
}

void shard_free(struct shard *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; s->lanes != NULL && i < s->n_lanes; i++)
		shard_lane_clear(&s->lanes[i]);
	source_life_free(s->life);
	buf_free(&s->saving.part);
	free(s->lanes);
	free(s->due);
	free(s);
}

const struct shard_counts *shard_counts(const struct shard *s)
{
	return &s->counts;
}

void shard_cut_symbol(const struct lane *l, enum symbol_state state)
{
	struct shard *s = l->shard;
	struct cut_item c = {
		.pos = s->now->pos,
		.recv_ns = s->now->rec.recv_ns,
		.time_ns = s->now->rec.event_ns,
		.symbol_id = l->symbol_id,
		.type = CUT_SYMBOL,
		.state = (uint8_t)state,
		.replay = (s->now->flags & ITEM_REPLAY) != 0,
	};

	s->sink.cut(s->sink.arg, &c);
}

void shard_emit_status(struct lane *l, enum symbol_state state, const char *text)
{
	struct shard *s = l->shard;
	struct event_status e = {
		.head = {.seq = ++l->status_seq,
			 .pos = s->now->pos,
			 .event_ns = s->now->rec.event_ns,
			 .recv_ns = s->now->rec.recv_ns},
		.symbol_id = l->symbol_id,
		.source_id = s->now->rec.source_id,
		.state = (uint8_t)state,
	};

	memcpy(e.symbol, symtab_name(s->env.symbols, l->symbol_id), SYMBOL_MAX);
	memcpy(e.text, text, strnlen(text, sizeof(e.text)));
	event_chain(EVENT_STATUS, &e, &l->status_chain);
	l->status_pos = e.head.pos;
	s->sink.status(s->sink.arg, &e);
}

/* The symbol stands still from here; its neighbours do not notice. */
static void lane_fault(struct lane *l, const char *why)
{
	l->faulted = true;
	l->shard->counts.faults++;
	l->shard->due[l->symbol_id / l->shard->env.n_shards] = INT64_MAX;
	shard_emit_status(l, SYMBOL_FAULT, why);
	shard_cut_symbol(l, SYMBOL_FAULT);
}

static int slot_new(const struct lane *l, struct tier1_slot *slot)
{
	const struct shard_env *env = &l->shard->env;
	const struct ind_live_series series = {
		.params = env->params,
		.symbol = symtab_name(env->symbols, l->symbol_id),
		.symbol_id = l->symbol_id,
		.timeframe_s = slot->timeframe_s,
		.price_type = slot->price_type,
	};
	int rc = tier1_new(series.params, l->symbol_id, series.symbol,
			   slot->timeframe_s, slot->price_type, &slot->state);

	return rc < 0 ? rc : ind_live_new(&series, &slot->indicators);
}

struct tier1_slot *shard_tier1(struct lane *l, uint32_t timeframe_s, uint8_t price_type)
{
	struct tier1_slot *grown,
		slot = {.timeframe_s = timeframe_s, .price_type = price_type};

	for (uint32_t i = 0; i < l->n_tier1; i++)
		if (l->tier1[i].timeframe_s == timeframe_s &&
		    l->tier1[i].price_type == price_type)
			return &l->tier1[i];

	grown = realloc(l->tier1, (l->n_tier1 + 1) * sizeof(*grown));
	if (grown == NULL)
		return NULL;
	l->tier1 = grown;
	if (slot_new(l, &slot) < 0) {
		slot_free(&slot);
		return NULL;
	}
	l->tier1[l->n_tier1] = slot;
	return &l->tier1[l->n_tier1++];
}

static void on_tier1(void *arg, const struct event_tier1 *e)
{
	struct lane *l = arg;
	struct event_tier1 linked = *e;

	event_chain(EVENT_TIER1, &linked, &l->tier1_chain);
	l->tier1_pos = linked.head.pos;
	if (event_tier1_part(e) == 0) {
		l->shard->counts.vectors++;
		l->shard->counts.vectors_cold += (e->flags & TIER1_ML_READY) == 0;
	}
	l->shard->sink.tier1(l->shard->sink.arg, &linked);
}

static void cut_bar(struct shard *s, const struct lane *l, const struct event_bar *e)
{
	struct cut_item c = {
		.pos = s->now->pos,
		.time_ns = e->head.event_ns,
		.recv_ns = e->head.recv_ns,
		.bar_seq = e->head.seq,
		.log_return = e->log_return_1,
		.symbol_id = e->symbol_id,
		.timeframe_s = e->timeframe_s,
		.revision = e->revision,
		.type = CUT_BAR,
		.state = e->state,
		.flags = e->flags,
		.price_type = e->price_type,
		.cause = e->cause,
		.replay = (s->now->flags & ITEM_REPLAY) != 0,
		.frozen = l->frozen,
	};

	s->sink.cut(s->sink.arg, &c);
}

static void on_bar(void *arg, const struct event_bar *e)
{
	struct lane *l = arg;
	struct shard *s = l->shard;
	const struct out out = {.arg = l, .tier1 = on_tier1};
	struct event_bar linked = *e;
	struct tier1_slot *t;

	if (e->revision > 0) {
		s->counts.revisions++;
	} else {
		/* An older bar that is revised, or final, does not make its source the
		 * one of the newest again. */
		l->source_id = e->source_id;
		shard_lane_judge(l);
		s->counts.bars[e->state]++;
		s->counts.outliers += (e->flags & BAR_IS_OUTLIER) != 0;
	}
	event_chain(EVENT_BAR, &linked, &l->bar_chain);
	l->bar_pos = linked.head.pos;
	s->sink.bar(s->sink.arg, &linked);
	cut_bar(s, l, e);
	if (!s->env.params->tier1.enabled || l->faulted)
		return;
	t = shard_tier1(l, e->timeframe_s, e->price_type);
	if (t == NULL) {
		lane_fault(l, "out of memory for a feature series");
		return;
	}
	tier1_bar(t->state, e, &l->tier1_seq, &out);
	if (t->indicators != NULL)
		ind_live_bar(t->indicators, e, &l->tier1_seq, &out);
}

/* The normaliser numbers nothing of its own here: one status sequence per symbol. */
static void on_status(void *arg, const struct event_status *e)
{
	struct lane *l = arg;
	struct event_status copy = *e;

	copy.head.seq = ++l->status_seq;
	event_chain(EVENT_STATUS, &copy, &l->status_chain);
	l->status_pos = copy.head.pos;
	l->shard->sink.status(l->shard->sink.arg, &copy);
}

struct lane *shard_lane_make(struct shard *s, uint32_t symbol_id)
{
	uint32_t i = symbol_id / s->env.n_shards;
	struct lane *l = &s->lanes[i];
	const char *name = symtab_name(s->env.symbols, symbol_id);

	l->shard = s;
	l->symbol_id = symbol_id;
	l->saved = s->saving.number; /* a snapshot under way is of before its time */
	s->counts.lanes++;
	if (i >= s->n_lanes)
		s->n_lanes = i + 1;
	(void)bars_new(s->env.params, params_symbol(s->env.params, name), symbol_id,
		       name, s->env.sources, s->life, &l->bars);
	return l;
}

struct lane *shard_lane(struct shard *s, uint32_t symbol_id)
{
	struct lane *l = &s->lanes[symbol_id / s->env.n_shards];

	if (l->shard != NULL) {
		shard_touch(s, l);
		return l;
	}
	l = shard_lane_make(s, symbol_id);
	if (l->bars == NULL)
		lane_fault(l, "out of memory for its bars");
	else
		shard_cut_symbol(l, SYMBOL_LIVE);
	return l;
}

void shard_refresh_due(struct shard *s, const struct lane *l)
{
	s->due[l->symbol_id / s->env.n_shards] =
		l->paused || l->faulted ? INT64_MAX : bars_due(l->bars);
}

static void apply_tick(struct shard *s, const struct item *it)
{
	struct lane *l = shard_lane(s, it->rec.symbol_id);
	const struct out out = {.arg = l, .bar = on_bar, .status = on_status};

	s->counts.ticks++;
	if (l->faulted) {
		s->counts.faulted_ticks++;
		return;
	}
	if (l->paused) {
		s->counts.paused_ticks++;
		return;
	}
	/* Clock records pass over symbols that have nothing to close. */
	bars_reached(l->bars, s->clock_ns);
	bars_tick(l->bars, it, &out);
	shard_refresh_due(s, l);
}

static void apply_clock(struct shard *s, const struct item *it)
{
	struct cut_item c = {
		.pos = it->pos,
		.time_ns = it->rec.event_ns,
		.recv_ns = it->rec.recv_ns,
		.type = CUT_TIME,
		.replay = (it->flags & ITEM_REPLAY) != 0,
	};

	if (it->rec.event_ns > s->clock_ns)
		s->clock_ns = it->rec.event_ns;
	for (uint32_t i = 0; i < s->n_lanes; i++) {
		struct lane *l = &s->lanes[i];
		const struct out out = {.arg = l, .bar = on_bar, .status = on_status};

		if (s->due[i] > it->rec.event_ns)
			continue;
		shard_touch(s, l);
		bars_clock(l->bars, it->pos, it->rec.event_ns, it->rec.recv_ns, &out);
		shard_refresh_due(s, l);
	}
	s->sink.cut(s->sink.arg, &c);
}

static void apply_control(struct shard *s, const struct item *it)
{
	enum control_verb verb = (enum control_verb)it->rec.ref_seq;
	struct freeze f = freeze_unpack(it->rec.source_seq);
	struct lane *l;

	if (verb == CONTROL_FREEZE || verb == CONTROL_RELEASE)
		shard_freeze(s, &f, verb == CONTROL_FREEZE);
	if (verb != CONTROL_PAUSE && verb != CONTROL_RESUME)
		return;
	if (it->rec.symbol_id % s->env.n_shards != s->env.index)
		return;
	l = shard_lane(s, it->rec.symbol_id);
	if (l->bars == NULL)
		return; /* it never had memory: only a restart helps, the status said so
			 */
	if (verb == CONTROL_PAUSE && !l->paused) {
		l->paused = true;
		shard_emit_status(l, SYMBOL_PAUSED, "paused by the operator");
		shard_cut_symbol(l, SYMBOL_PAUSED);
	} else if (verb == CONTROL_RESUME && (l->paused || l->faulted)) {
		l->paused = l->faulted = false;
		bars_restart(l->bars);
		shard_emit_status(l, SYMBOL_LIVE, "resumed by the operator");
		shard_cut_symbol(l, SYMBOL_LIVE);
		if (l->frozen != SYMBOL_LIVE)
			shard_cut_symbol(l, (enum symbol_state)l->frozen);
	}
	shard_refresh_due(s, l);
}

static void apply(struct shard *s, const struct item *it)
{
	struct cut_item progress = {.pos = it->pos, .type = CUT_PROGRESS};

	if (it->flags & ITEM_SNAPSHOT)
		shard_snapshot_begin(s, it->pos);
	if (it->flags & ITEM_MARK) {
		s->sink.cut(s->sink.arg, &progress);
		s->sink.mark(s->sink.arg, it->pos);
		return;
	}
	switch ((enum record_type)it->rec.type) {
	case RECORD_TICK:
		apply_tick(s, it);
		break;
	case RECORD_CLOCK:
		apply_clock(s, it);
		break;
	case RECORD_SOURCE:
		source_life_saw(s->life, it->rec.source_id, it->rec.event_ns);
		break;
	case RECORD_CONTROL:
		apply_control(s, it);
		break;
	case RECORD_NEWS: /* the dispatcher's: workers/newsroom.h */
		break;
	}
}

void shard_tally(const struct shard *s, struct bars_counts *out)
{
	uint64_t *sum = (uint64_t *)out;

	*out = (struct bars_counts){0};
	for (uint32_t i = 0; i < s->n_lanes; i++) {
		const uint64_t *c;

		if (s->lanes[i].bars == NULL)
			continue;
		c = (const uint64_t *)bars_counts(s->lanes[i].bars);
		for (size_t k = 0; k < sizeof(*out) / sizeof(*c); k++)
			sum[k] += c[k];
	}
}

void shard_step(struct shard *s, const struct item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s->now = &items[i];
		apply(s, &items[i]);
	}
}
