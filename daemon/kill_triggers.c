/* kill_triggers - see kill_triggers.h. */
#include "daemon/kill_triggers.h"
#include "base/clock.h"
#include "base/err.h"
#include "daemon/config.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES     65536u
#define BARS        32u /* bits of a history */
#define SKEW_TICKS  64u
#define ERRORS_S    10u
#define ERRORS_MIN  200u
#define WAITING_MAX 64u

/* Flagged bars of one timeframe of a symbol, the newest in bit 0. */
struct history {
	uint32_t timeframe_s;
	uint32_t flags;
};

struct source {
	int64_t seen_ns; /* monotonic, as of the step after its newest tick; 0: never */
	bool has_ticked; /* since the last step */
	bool is_told;    /* of its silence; a tick forgets it */
	uint32_t n_off;  /* ticks in a row whose time is off */
	int64_t off_ns;  /* of the nearest of them */
};

struct kill_triggers {
	struct kill_triggers_env env;
	struct history (*bars)[TIMEFRAMES_MAX]; /* owned; by symbol id */
	struct source *sources;                 /* owned; by source id */
	/* ticks of the last seconds, one entry a second */
	uint64_t accepted[ERRORS_S], refused[ERRORS_S];
	uint32_t second;
	int64_t second_ns;
	bool errors_told;
	struct freeze_entry waiting[WAITING_MAX];
	uint32_t n_waiting;
};

int kill_triggers_new(const struct kill_triggers_env *env, struct kill_triggers **out)
{
	const struct config_kill *l = env->limits;
	struct kill_triggers *t;

	*out = NULL;
	if (l->outliers == 0 && !l->divergence && l->stale_ns == 0 && l->skew_ns == 0 &&
	    l->errors_permille == 0)
		return 0;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return err_set(-ENOMEM, "out of memory for the triggers of kills");
	t->env = *env;
	t->bars = calloc(env->symbols_max, sizeof(*t->bars));
	t->sources = calloc(SOURCES, sizeof(*t->sources));
	if (t->bars == NULL || t->sources == NULL) {
		kill_triggers_free(t);
		return err_set(-ENOMEM, "out of memory for the triggers of kills");
	}
	*out = t;
	return 0;
}

void kill_triggers_free(struct kill_triggers *t)
{
	if (t == NULL)
		return;
	free(t->bars);
	free(t->sources);
	free(t);
}

/* ---- asking ---- */

static bool is_waiting(const struct kill_triggers *t, const struct freeze *what)
{
	for (uint32_t i = 0; i < t->n_waiting; i++)
		if (freeze_same(&t->waiting[i].what, what))
			return true;
	return false;
}

/* What finds no room is found again when its limit is passed the next time. */
static struct freeze_entry *ask(struct kill_triggers *t, enum freeze_level level,
				enum freeze_cause cause, uint32_t id)
{
	const struct freeze what = {.level = (uint8_t)level,
				    .cause = (uint8_t)cause,
				    .is_quarantine = level != FREEZE_ALL,
				    .id = id};
	struct freeze_entry *e;

	if (t->n_waiting == WAITING_MAX || is_waiting(t, &what))
		return NULL;
	e = &t->waiting[t->n_waiting++];
	*e = (struct freeze_entry){.what = what, .uid = FREEZE_BY_DAEMON};
	if (level == FREEZE_SYMBOL)
		memcpy(e->name, symtab_name(t->env.symbols, id), SYMTAB_NAME_MAX);
	else if (level == FREEZE_SOURCE)
		memcpy(e->name, symtab_name(t->env.sources, id), SYMTAB_NAME_MAX);
	return e;
}

static void send_waiting(struct kill_triggers *t)
{
	while (t->n_waiting > 0 && t->env.freeze(t->env.arg, &t->waiting[0])) {
		t->n_waiting--;
		memmove(&t->waiting[0], &t->waiting[1],
			t->n_waiting * sizeof(t->waiting[0]));
	}
}

/* ---- what is looked at ---- */

static struct history *history_of(struct kill_triggers *t, const struct event_bar *e)
{
	struct history *h = t->bars[e->symbol_id];

	for (unsigned i = 0; i < TIMEFRAMES_MAX; i++) {
		if (h[i].timeframe_s == 0)
			h[i].timeframe_s = e->timeframe_s;
		if (h[i].timeframe_s == e->timeframe_s)
			return &h[i];
	}
	return NULL;
}

static void look_at_bar(struct kill_triggers *t, const struct event_bar *e)
{
	struct history *h;
	unsigned n;

	if (t->env.limits->outliers == 0 || e->revision > 0 || e->state != BAR_TRADED ||
	    e->symbol_id >= t->env.symbols_max)
		return;
	h = history_of(t, e);
	if (h == NULL)
		return;
	h->flags = h->flags << 1 | ((e->flags & BAR_IS_OUTLIER) != 0);
	n = (unsigned)__builtin_popcount(h->flags);
	if (n >= t->env.limits->outliers) {
		struct freeze_entry *f =
			ask(t, FREEZE_SYMBOL, FREEZE_OUTLIERS, e->symbol_id);

		if (f != NULL)
			(void)snprintf(f->reason, sizeof(f->reason),
				       "%u of its last %u bars of %u s were flagged", n,
				       BARS, e->timeframe_s);
		h->flags = 0; /* after a release it takes as many again */
	}
}

static void look_at_status(struct kill_triggers *t, const struct event_status *e)
{
	struct freeze_entry *f;

	if (!t->env.limits->divergence || e->state != SYMBOL_SOURCES_DIVERGE)
		return;
	f = ask(t, FREEZE_SYMBOL, FREEZE_DIVERGENCE, e->symbol_id);
	if (f != NULL)
		(void)snprintf(f->reason, sizeof(f->reason), "%.*s",
			       (int)sizeof(e->text), e->text);
}

static void look_at_tick(struct kill_triggers *t, const struct event_tick *e)
{
	struct source *s = &t->sources[e->source_id];
	int64_t off = e->head.recv_ns - e->head.event_ns;
	struct freeze_entry *f;

	s->has_ticked = true;
	s->is_told = false;
	if (t->env.limits->skew_ns == 0)
		return;
	off = off < 0 ? -off : off;
	if (off <= t->env.limits->skew_ns) {
		s->n_off = 0;
		return;
	}
	if (s->n_off == 0 || off < s->off_ns)
		s->off_ns = off;
	if (++s->n_off < SKEW_TICKS)
		return;
	s->n_off = 0;
	f = ask(t, FREEZE_SOURCE, FREEZE_SKEW, e->source_id);
	if (f != NULL)
		(void)snprintf(f->reason, sizeof(f->reason),
			       "its last %u ticks are %.3f s or more off the time of "
			       "receipt",
			       SKEW_TICKS, (double)s->off_ns / 1e9);
}

void kill_triggers_event(struct kill_triggers *t, enum event_kind kind,
			 const void *event)
{
	if (kind == EVENT_TICK)
		look_at_tick(t, event);
	else if (kind == EVENT_BAR)
		look_at_bar(t, event);
	else if (kind == EVENT_STATUS)
		look_at_status(t, event);
}

/* ---- what is looked at now and then ---- */

static void look_at_silence(struct kill_triggers *t, int64_t now_ns)
{
	uint32_t n = symtab_count(t->env.sources);

	for (uint32_t id = 1; id < n && id < SOURCES; id++) {
		struct source *s = &t->sources[id];
		struct freeze_entry *f;

		if (s->has_ticked)
			s->seen_ns = now_ns;
		s->has_ticked = false;
		if (t->env.limits->stale_ns == 0 || s->seen_ns == 0 || s->is_told ||
		    now_ns - s->seen_ns < t->env.limits->stale_ns)
			continue;
		f = ask(t, FREEZE_SOURCE, FREEZE_STALE, id);
		if (f == NULL)
			continue;
		s->is_told = true;
		(void)snprintf(f->reason, sizeof(f->reason),
			       "nothing came of it for %.1f s",
			       (double)(now_ns - s->seen_ns) / 1e9);
	}
}

static void look_at_errors(struct kill_triggers *t, uint64_t accepted, uint64_t refused)
{
	uint32_t oldest = (t->second + 1) % ERRORS_S;
	uint64_t bad = refused - t->refused[oldest];
	uint64_t all = bad + (accepted - t->accepted[oldest]);
	struct freeze_entry *f;
	bool is_bad = t->env.limits->errors_permille > 0 && all >= ERRORS_MIN &&
		      bad * 1000 >= all * t->env.limits->errors_permille;

	t->second = oldest;
	t->accepted[oldest] = accepted;
	t->refused[oldest] = refused;
	if (!is_bad || t->errors_told) {
		t->errors_told = is_bad && t->errors_told;
		return;
	}
	f = ask(t, FREEZE_ALL, FREEZE_ERRORS, 0);
	if (f == NULL)
		return;
	t->errors_told = true;
	(void)snprintf(f->reason, sizeof(f->reason),
		       "%llu of %llu ticks of the last %u s were refused",
		       (unsigned long long)bad, (unsigned long long)all, ERRORS_S);
}

void kill_triggers_step(struct kill_triggers *t, int64_t now_ns, uint64_t accepted,
			uint64_t refused)
{
	if (t->second_ns == 0) {
		/* What was before the first step is not of the last seconds. */
		for (uint32_t i = 0; i < ERRORS_S; i++) {
			t->accepted[i] = accepted;
			t->refused[i] = refused;
		}
		t->second_ns = now_ns;
	}
	look_at_silence(t, now_ns);
	while (now_ns - t->second_ns >= NS_PER_S) {
		t->second_ns += NS_PER_S;
		look_at_errors(t, accepted, refused);
	}
	send_waiting(t);
}
