/*
 * series - see series.h.  The invariant between calls: slots[0 .. n_emitted) are
 * published and not final, the rest is open; `base` is the state of clean before
 * slot 0, `tip` the one before slot n_emitted; due_ns is what due() says.
 */
#include "workers/series.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CAP_FIRST 2u

void series_init(struct series *s, const struct symbol_params *sp,
		 struct session *session, uint32_t timeframe_s, uint8_t price_type)
{
	*s = (struct series){.due_ns = INT64_MAX,
			     .price_type = price_type,
			     .timeframe_s = timeframe_s};
	grid_init(&s->grid, sp, session, timeframe_s);
}

void series_deinit(struct series *s)
{
	free(s->slots);
	s->slots = NULL;
}

void series_restart(struct series *s)
{
	s->dormant = true;
	if (s->n > s->n_emitted)
		s->head->partial = true;
	s->due_ns = INT64_MIN; /* looked at anew with the next record */
}

static struct slot *at(const struct series *s, uint32_t i)
{
	return &s->slots[(s->first + i) & (s->cap - 1)];
}

void series_status(struct series_env *env, enum symbol_state state, uint64_t detail,
		   const char *text)
{
	struct event_status e = {
		.head = {.seq = ++env->status_seq,
			 .pos = env->pos,
			 .event_ns = env->log_ns,
			 .recv_ns = env->recv_ns},
		.detail = detail,
		.symbol_id = env->symbol_id,
		.source_id = env->source_id,
		.state = (uint8_t)state,
	};

	memcpy(e.symbol, env->symbol, sizeof(e.symbol));
	memcpy(e.text, text, strnlen(text, sizeof(e.text)));
	if (env->out->status != NULL)
		env->out->status(env->out->arg, &e);
}

/* Publishing. */

static double price_of(bool there, int64_t price_e9)
{
	return there ? (double)price_e9 / 1e9 : NAN;
}

static void see(const struct series_env *env, const struct slot *slot,
		struct clean_bar *out)
{
	bool last = slot->n_last > 0, range = slot->n_range > 0;

	*out = (struct clean_bar){
		.open = price_of(last, slot->open.price_e9),
		.high = price_of(range, slot->high_e9),
		.low = price_of(range, slot->low_e9),
		.close = price_of(last, slot->close.price_e9),
		.quoted = NAN,
		.missing = slot_missing(slot),
		.enough_volume = slot->volume >= env->sp->min_volume_e8,
	};
	if (env->sp->spread)
		out->quoted = spread_value(&slot->spread, slot->span.end_ns);
}

static uint8_t state_of(const struct series_env *env, const struct slot *slot)
{
	if (!slot_missing(slot))
		return BAR_TRADED;
	if (slot->n_ticks > 0 || slot->spread.n > 0)
		return BAR_QUIET; /* something of it came: we were not blind */
	return source_life_dark(env->life, slot->source_id, slot->span.start_ns,
				slot->span.end_ns)
		       ? BAR_BLIND
		       : BAR_QUIET;
}

static void judge(const struct series_env *env, const struct slot *slot,
		  struct clean *c, struct slot_said *out)
{
	struct clean_bar bar;

	see(env, slot, &bar);
	if (slot->hole)
		clean_break(c);
	clean_step(env->sp, c, &bar, &out->clean);
	out->state = state_of(env, slot);
}

static bool same_double(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool same_said(const struct slot_said *a, const struct slot_said *b)
{
	return same_double(a->clean.log_return_1, b->clean.log_return_1) &&
	       same_double(a->clean.spread_estimate, b->clean.spread_estimate) &&
	       a->clean.spread_method == b->clean.spread_method &&
	       a->clean.outlier_reason == b->clean.outlier_reason &&
	       a->clean.valid == b->clean.valid && a->state == b->state;
}

static uint8_t flags_of(const struct slot *slot, const struct slot_said *said,
			bool final)
{
	unsigned flags = 0;

	flags |= slot_missing(slot) ? BAR_IS_MISSING : 0u;
	flags |= said->clean.outlier ? BAR_IS_OUTLIER : 0u;
	flags |= said->clean.valid ? BAR_VALID : 0u;
	flags |= final ? BAR_FINAL : 0u;
	flags |= slot->partial ? BAR_PARTIAL : 0u;
	flags |= slot->crossed || slot->spread.n_crossed > 0 ? BAR_CROSSED : 0u;
	flags |= slot->halted ? BAR_HALTED : 0u;
	return (uint8_t)flags;
}

static void publish(const struct series *s, struct series_env *env, struct slot *slot,
		    enum bar_cause cause, bool final)
{
	bool last = slot->n_last > 0, range = slot->n_range > 0;
	const char *source = symtab_name(env->sources, slot->source_id);
	struct event_bar e = {
		.head = {.seq = ++env->seq,
			 .pos = env->pos,
			 .event_ns = slot->span.end_ns,
			 .recv_ns = env->recv_ns},
		.bar_start_ns = slot->span.start_ns,
		.open_e9 = last ? slot->open.price_e9 : VALUE_NULL,
		.high_e9 = range ? slot->high_e9 : VALUE_NULL,
		.low_e9 = range ? slot->low_e9 : VALUE_NULL,
		.close_e9 = last ? slot->close.price_e9 : VALUE_NULL,
		.volume_lo = (uint64_t)slot->volume,
		.volume_hi = (int64_t)(slot->volume >> 64),
		.log_return_1 = slot->said.clean.log_return_1,
		.spread_estimate = slot->said.clean.spread_estimate,
		.vwap = slot_vwap(slot),
		.trade_count = slot->n_counted,
		.first_pos = slot->first_pos,
		.last_pos = slot->last_pos,
		.revision = slot->revision,
		.timeframe_s = s->timeframe_s,
		.symbol_id = env->symbol_id,
		.source_id = slot->source_id,
		.schema_version = BAR_SCHEMA_VERSION,
		.flags = flags_of(slot, &slot->said, final),
		.state = slot->said.state,
		.price_type = s->price_type,
		.cause = (uint8_t)cause,
		.spread_method = slot->said.clean.spread_method,
		.outlier_reason = slot->said.clean.outlier_reason,
		.late_ticks = slot->late_ticks,
	};

	memcpy(e.symbol, env->symbol, sizeof(e.symbol));
	memcpy(e.source, source, strnlen(source, sizeof(e.source)));
	slot->dirty = false;
	env->out->bar(env->out->arg, &e);
}

/* Publish again every emitted bar that is not what was last said of it. */
static void revise(struct series *s, struct series_env *env, enum bar_cause cause)
{
	struct clean c = s->base;

	for (uint32_t i = 0; i < s->n_emitted; i++) {
		struct slot *slot = at(s, i);
		struct slot_said said = {0};

		judge(env, slot, &c, &said);
		if (!slot->dirty && same_said(&said, &slot->said))
			continue;
		slot->said = said;
		slot->revision++;
		publish(s, env, slot, cause, false);
	}
	s->tip = c;
}

/* Opening. */

static int64_t due(const struct series *s, const struct series_env *env)
{
	int64_t first_ns = INT64_MAX, final_ns = INT64_MAX;
	int64_t grace_ns = env->params->bars.grace_ns;

	if (s->n > s->n_emitted)
		first_ns = at(s, s->n_emitted)->span.end_ns + grace_ns;
	else if (s->begun && !s->dormant)
		first_ns = s->next.end_ns + grace_ns;
	if (s->n_emitted > 0)
		final_ns = at(s, 0)->span.end_ns + env->final_ns;
	return first_ns < final_ns ? first_ns : final_ns;
}

static bool make_room(struct series *s, struct series_env *env)
{
	uint32_t cap = s->cap == 0 ? CAP_FIRST : s->cap * 2;
	struct slot *slots;

	if (s->n < s->cap)
		return true;
	slots = malloc(cap * sizeof(*slots));
	if (slots == NULL) {
		env->faulted = true;
		return false;
	}
	for (uint32_t i = 0; i < s->n; i++)
		slots[i] = *at(s, i);
	free(s->slots);
	s->slots = slots;
	s->cap = cap;
	s->first = 0;
	return true;
}

static void fresh(struct slot *slot, const struct series_env *env, struct span span)
{
	*slot = (struct slot){
		.span = span, .source_id = env->source_id, .halted = env->halted};
}

static struct slot *push(struct series *s, struct series_env *env, struct span span)
{
	if (!make_room(s, env))
		return NULL;
	s->head = at(s, s->n++);
	fresh(s->head, env, span);
	s->next = grid_next(&s->grid, span.end_ns);
	return s->head;
}

/* Is a bar of this end final already?  Then nothing may be opened for it. */
static bool is_past(const struct series_env *env, struct span span)
{
	return span.end_ns + env->final_ns <= env->log_ns;
}

/* The first bar of a grid; quotes that came before its first tick belong to it too. */
static struct slot *begin(struct series *s, struct series_env *env, int64_t event_ns)
{
	struct span span = grid_at(&s->grid, event_ns);
	struct slot *slot;

	if (is_past(env, span))
		return NULL;
	slot = push(s, env, span);
	if (slot == NULL)
		return NULL;
	slot->partial = slot->hole = true;
	if (env->sp->spread)
		spread_adopt(&slot->spread, &env->quotes, span.start_ns, span.end_ns);
	s->begun = true;
	s->dormant = false;
	s->missing_run = 0;
	return slot;
}

/*
 * A tick before the first bar of a grid that has said nothing yet: the grid begins
 * earlier.  At most the bars of one revision window are put in front.
 */
static struct slot *begin_earlier(struct series *s, struct series_env *env,
				  int64_t event_ns)
{
	struct span span = grid_at(&s->grid, event_ns);
	uint32_t n = 0;

	/* Whatever came before this grid is final, and so is any bar of it. */
	if (s->n_emitted > 0 || is_past(env, span))
		return NULL;
	for (struct span i = span; i.start_ns < at(s, 0)->span.start_ns;
	     i = grid_next(&s->grid, i.end_ns))
		n++;
	for (uint32_t i = 0; i < n; i++, s->n++)
		if (!make_room(s, env))
			return NULL;
	s->first = (s->first - n) & (s->cap - 1);
	s->head = at(s, s->n - 1);
	at(s, n)->partial = at(s, n)->hole = false;
	for (uint32_t i = 0; i < n; i++, span = grid_next(&s->grid, span.end_ns)) {
		fresh(at(s, i), env, span);
		if (env->sp->spread)
			spread_adopt(&at(s, i)->spread, &env->quotes, span.start_ns,
				     span.end_ns);
	}
	at(s, 0)->partial = at(s, 0)->hole = true;
	return at(s, 0);
}

struct slot *series_find(struct series *s, int64_t event_ns)
{
	for (uint32_t i = s->n; i > 0; i--) {
		struct slot *slot = at(s, i - 1);

		if (event_ns >= slot->span.end_ns)
			return NULL;
		if (event_ns >= slot->span.start_ns)
			return slot;
	}
	return NULL;
}

struct slot *series_slot(struct series *s, struct series_env *env, int64_t event_ns,
			 bool starts)
{
	struct slot *slot = NULL;

	if (!s->begun || (s->dormant && event_ns >= s->next.start_ns)) {
		if (starts)
			slot = begin(s, env, event_ns);
	} else if (event_ns >= s->next.start_ns) {
		/* Not due yet, or series_advance() had opened it: few at most. */
		while (event_ns >= s->next.start_ns)
			if (slot = push(s, env, s->next), slot == NULL)
				break;
	} else {
		slot = series_find(s, event_ns);
		if (slot == NULL && starts && s->n > 0 &&
		    event_ns < at(s, 0)->span.start_ns)
			slot = begin_earlier(s, env, event_ns);
	}
	s->due_ns = due(s, env);
	return slot;
}

/* Publishing in time. */

static void drop_tail(struct series *s)
{
	s->first = (s->first + 1) & (s->cap - 1);
	s->n--;
	s->n_emitted--;
	if (s->n == 0)
		s->head = NULL;
}

static void finalise(struct series *s, struct series_env *env)
{
	struct slot *slot = at(s, 0);

	judge(env, slot, &s->base, &slot->said);
	slot->revision++;
	publish(s, env, slot, CAUSE_FINAL, true);
	drop_tail(s);
}

static void emit_first(struct series *s, struct series_env *env)
{
	struct slot *slot = at(s, s->n_emitted);
	bool final = is_past(env, slot->span);

	judge(env, slot, &s->tip, &slot->said);
	slot->emitted = true;
	s->n_emitted++;
	s->missing_run = slot->n_ticks > 0 ? 0 : s->missing_run + 1;
	publish(s, env, slot, CAUSE_FIRST, final);
	if (!final)
		return;
	/* Final at once: whatever came before it is final too and has left. */
	s->base = s->tip;
	drop_tail(s);
}

/* Enough missing bars in a row: until the next tick none are expected. */
static void end_grid(struct series *s, struct series_env *env)
{
	s->dormant = true;
	env->counts.gaps++;
	series_status(env, SYMBOL_GAP, s->missing_run,
		      "silent for missing_run_max bars: no bars until the next tick");
}

void series_advance(struct series *s, struct series_env *env)
{
	int64_t grace_ns = env->params->bars.grace_ns;

	for (;;) {
		while (s->n_emitted > 0 && is_past(env, at(s, 0)->span))
			finalise(s, env);
		if (s->n == s->n_emitted) {
			if (!s->begun || s->dormant ||
			    s->next.end_ns + grace_ns > env->log_ns)
				break;
			if (s->missing_run >= env->params->bars.missing_run_max) {
				end_grid(s, env);
				break;
			}
			if (push(s, env, s->next) == NULL)
				break;
		}
		if (at(s, s->n_emitted)->span.end_ns + grace_ns > env->log_ns)
			break;
		emit_first(s, env);
	}
	s->due_ns = due(s, env);
}

void series_changed(struct series *s, struct series_env *env, struct slot *slot,
		    enum bar_cause cause)
{
	if (slot->emitted) {
		slot->dirty = true;
		revise(s, env, cause);
	}
	if (s->due_ns <= env->log_ns)
		series_advance(s, env);
}

void series_halt(struct series *s, struct series_env *env, int64_t event_ns,
		 bool halted)
{
	bool changed = false;

	for (uint32_t i = 0; i < s->n; i++) {
		struct slot *slot = at(s, i);

		if (halted ? slot->span.end_ns <= event_ns
			   : slot->span.start_ns < event_ns)
			continue;
		if (slot->halted == halted)
			continue;
		slot->halted = halted;
		slot->dirty = slot->emitted;
		changed |= slot->emitted;
	}
	if (changed)
		revise(s, env, CAUSE_CORRECTION);
}
