/* arbiter - see arbiter.h. */
#include "workers/arbiter.h"
#include "base/decimal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLION    1000000
#define POOR_FROM  (ARBITER_RECENT / 2)
#define GOOD_UP_TO (ARBITER_RECENT / 8)
#define NONE       UINT8_MAX

/* One source, as this symbol sees it. */
struct voice {
	uint16_t id; /* 0: its name was not seen yet */
	bool poor;
	uint8_t away;     /* so many of its newest ticks were too far from the others */
	uint32_t bad;     /* a bit for each of its recent ticks, the newest lowest */
	int64_t price_e9; /* last; VALUE_NULL: none */
	int64_t price_ns;
};

struct arbiter {
	const struct symbol_params *sp;
	const struct symtab *sources;
	const struct source_life *life;
	uint8_t chosen; /* index into voices; NONE: nobody was heard */
	bool is_apart;  /* divergence was told */
	struct voice voices[SYMBOL_SOURCES_MAX];
};

struct arbiter *arbiter_new(const struct symbol_params *sp,
			    const struct symtab *sources,
			    const struct source_life *life)
{
	struct arbiter *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	*a = (struct arbiter){
		.sp = sp, .sources = sources, .life = life, .chosen = NONE};
	for (uint32_t i = 0; i < SYMBOL_SOURCES_MAX; i++)
		a->voices[i].price_e9 = VALUE_NULL;
	return a;
}

void arbiter_free(struct arbiter *a)
{
	free(a);
}

/* Index of the source in the list, or NONE. */
static uint8_t voice_of(struct arbiter *a, uint16_t source_id)
{
	const char *name;

	for (uint8_t i = 0; i < a->sp->n_sources; i++)
		if (a->voices[i].id == source_id)
			return i;
	name = symtab_name(a->sources, source_id);
	for (uint8_t i = 0; i < a->sp->n_sources; i++) {
		if (strncmp(name, a->sp->sources[i], SOURCE_MAX) == 0) {
			a->voices[i].id = source_id;
			return i;
		}
	}
	return NONE;
}

static int64_t price_of(const struct record *r)
{
	if (r->price_e9 != VALUE_NULL)
		return r->price_e9;
	if (r->bid_e9 != VALUE_NULL && r->ask_e9 != VALUE_NULL)
		return (int64_t)(((__int128)r->bid_e9 + r->ask_e9) >> 1);
	return VALUE_NULL;
}

/* |a - b| / |b| in millionths, rounded down. */
static uint64_t apart(int64_t a_e9, int64_t b_e9)
{
	__int128 d = (__int128)a_e9 - b_e9, of = b_e9;

	d = (d < 0 ? -d : d) * MILLION;
	of = of < 0 ? -of : of;
	return of == 0 || d / of > UINT64_MAX ? UINT64_MAX : (uint64_t)(d / of);
}

static bool is_fresh(const struct voice *v, int64_t now_ns)
{
	return v->price_e9 != VALUE_NULL && now_ns - v->price_ns <= ARBITER_FRESH_NS;
}

/* Median of the others' fresh prices (the lower of two); how many there are. */
static uint32_t others(const struct arbiter *a, uint8_t me, int64_t now_ns,
		       int64_t *out_e9)
{
	int64_t price[SYMBOL_SOURCES_MAX];
	uint32_t n = 0;

	for (uint8_t i = 0; i < a->sp->n_sources; i++) {
		uint32_t at = n;

		if (i == me || !is_fresh(&a->voices[i], now_ns))
			continue;
		for (; at > 0 && price[at - 1] > a->voices[i].price_e9; at--)
			price[at] = price[at - 1];
		price[at] = a->voices[i].price_e9;
		n++;
	}
	if (n > 0)
		*out_e9 = price[(n - 1) / 2];
	return n;
}

/* Is it this source's word that is wrong?  Of two, the one that moved away. */
static bool is_away(const struct arbiter *a, uint8_t me, int64_t price_e9,
		    int64_t now_ns)
{
	const struct voice *v = &a->voices[me];
	uint64_t limit = a->sp->source_divergence_ppm;
	int64_t middle_e9;
	uint32_t n = others(a, me, now_ns, &middle_e9);

	if (limit == 0 || n == 0 || apart(price_e9, middle_e9) <= limit)
		return false;
	if (n > 1 || v->away > 0)
		return true;
	return is_fresh(v, now_ns) && apart(price_e9, v->price_e9) > limit / 2;
}

/* @me says the same as those who had moved away: they were only the first to know. */
static void acquit(struct arbiter *a, uint8_t me, int64_t price_e9)
{
	for (uint8_t i = 0; i < a->sp->n_sources; i++) {
		struct voice *v = &a->voices[i];

		if (i == me || v->away == 0 ||
		    apart(price_e9, v->price_e9) > a->sp->source_divergence_ppm)
			continue;
		v->bad &= (uint32_t)(UINT64_MAX << v->away);
		v->away = 0;
	}
}

static void judge(struct arbiter *a, uint8_t me, const struct record *r, int64_t now_ns)
{
	struct voice *v = &a->voices[me];
	int64_t price_e9 = price_of(r);
	bool is_crossed = r->bid_e9 != VALUE_NULL && r->ask_e9 != VALUE_NULL &&
			  r->bid_e9 > r->ask_e9;
	bool away = price_e9 != VALUE_NULL && is_away(a, me, price_e9, now_ns);
	uint32_t n_bad;

	if (price_e9 != VALUE_NULL) {
		v->price_e9 = price_e9;
		v->price_ns = r->event_ns;
		if (!away)
			acquit(a, me, price_e9);
	}
	v->away =
		away ? (uint8_t)(v->away < ARBITER_RECENT ? v->away + 1 : v->away) : 0;
	v->bad = v->bad << 1 | (is_crossed || away);
	n_bad = (uint32_t)__builtin_popcount(v->bad);
	v->poor = v->poor ? n_bad > GOOD_UP_TO : n_bad >= POOR_FROM;
}

static bool is_silent(const struct arbiter *a, uint8_t i, int64_t now_ns)
{
	return a->voices[i].id == 0 ||
	       source_life_dark(a->life, a->voices[i].id, now_ns, now_ns);
}

/* @heard: the source that is speaking just now, or NONE. */
static bool is_fit(const struct arbiter *a, uint8_t i, uint8_t heard, int64_t now_ns)
{
	return a->voices[i].id != 0 && !a->voices[i].poor &&
	       !source_life_held(a->life, a->voices[i].id) &&
	       (i == heard || !is_silent(a, i, now_ns));
}

static const char *name_of(const struct arbiter *a, uint8_t i)
{
	return a->sp->sources[i];
}

static void say_chosen(const struct arbiter *a, uint8_t was, int64_t now_ns,
		       struct arbiter_news *out)
{
	const char *now = name_of(a, a->chosen);

	out->has_chosen = true;
	out->chosen_id = a->voices[a->chosen].id;
	if (was == NONE)
		(void)snprintf(out->chosen_text, sizeof(out->chosen_text),
			       "%s: the first to be heard", now);
	else if (a->voices[was].poor)
		(void)snprintf(out->chosen_text, sizeof(out->chosen_text),
			       "%s for %s: %d of its last %u ticks were bad", now,
			       name_of(a, was), __builtin_popcount(a->voices[was].bad),
			       ARBITER_RECENT);
	else if (source_life_held(a->life, a->voices[was].id))
		(void)snprintf(out->chosen_text, sizeof(out->chosen_text),
			       "%s for %s, which is killed", now, name_of(a, was));
	else if (is_silent(a, was, now_ns))
		(void)snprintf(out->chosen_text, sizeof(out->chosen_text),
			       "%s for %s, which is silent", now, name_of(a, was));
	else
		(void)snprintf(out->chosen_text, sizeof(out->chosen_text),
			       "%s again, before %s", now, name_of(a, was));
}

static void choose(struct arbiter *a, uint8_t heard, int64_t now_ns,
		   struct arbiter_news *out)
{
	uint8_t was = a->chosen;
	bool must = was == NONE || !is_fit(a, was, heard, now_ns);
	uint8_t best = was;

	for (uint8_t i = 0; i < a->sp->n_sources; i++) {
		if (!must && i >= was)
			break; /* only what is preferred to it */
		if (i == was || !is_fit(a, i, heard, now_ns))
			continue;
		if (!must &&
		    (__int128)now_ns - source_life_since(a->life, a->voices[i].id) <
			    a->sp->source_return_ns)
			continue; /* back, and not yet for long enough */
		best = i;
		break;
	}
	if (best == was)
		return;
	a->chosen = best;
	say_chosen(a, was, now_ns, out);
}

/* How far the one that was just heard is from the chosen one. */
static void compare(struct arbiter *a, uint8_t heard, int64_t now_ns,
		    struct arbiter_news *out)
{
	uint64_t limit = a->sp->source_divergence_ppm;
	const struct voice *c = &a->voices[a->chosen];
	char chosen[DECIMAL_TEXT_MAX], other[DECIMAL_TEXT_MAX];
	int64_t price_e9 = a->voices[heard].price_e9;
	uint64_t d;

	if (heard == a->chosen && others(a, heard, now_ns, &price_e9) == 0)
		return;
	if (limit == 0 || price_e9 == VALUE_NULL || !is_fresh(c, now_ns))
		return;
	d = apart(price_e9, c->price_e9);
	if (a->is_apart ? d >= limit / 2 : d <= limit)
		return;
	a->is_apart = !a->is_apart;
	out->has_diverged = a->is_apart;
	out->has_agreed = !a->is_apart;
	out->millionths = d;
	decimal_print(chosen, c->price_e9, 9);
	decimal_print(other, price_e9, 9);
	(void)snprintf(out->diverged_text, sizeof(out->diverged_text),
		       "%s %.20s, %s %.20s", name_of(a, a->chosen), chosen,
		       heard == a->chosen ? "others" : name_of(a, heard), other);
}

bool arbiter_tick(struct arbiter *a, const struct record *r, int64_t log_ns,
		  struct arbiter_news *out)
{
	uint8_t me = voice_of(a, r->source_id);
	int64_t now_ns = r->event_ns > log_ns ? r->event_ns : log_ns;

	*out = (struct arbiter_news){0};
	if (me == NONE)
		return false;
	if (record_action(r) != TICK_NEW)
		return true; /* of a trade that may have been used */
	judge(a, me, r, now_ns);
	choose(a, me, now_ns, out);
	if (a->chosen != NONE)
		compare(a, me, now_ns, out);
	return a->chosen == me;
}

void arbiter_time(struct arbiter *a, int64_t now_ns, struct arbiter_news *out)
{
	*out = (struct arbiter_news){0};
	if (a->chosen != NONE)
		choose(a, NONE, now_ns, out);
}

void arbiter_state(struct state *st, struct arbiter *a)
{
	state_u8(st, &a->chosen);
	state_bool(st, &a->is_apart);
	if (state_is_loading(st) && a->chosen != NONE && a->chosen >= a->sp->n_sources)
		state_spoil(st);
	for (uint32_t i = 0; i < a->sp->n_sources; i++) {
		struct voice *v = &a->voices[i];

		state_u16(st, &v->id);
		state_bool(st, &v->poor);
		state_u8(st, &v->away);
		if (v->away > ARBITER_RECENT)
			state_spoil(st);
		state_u32(st, &v->bad);
		state_i64(st, &v->price_e9);
		state_i64(st, &v->price_ns);
	}
}
