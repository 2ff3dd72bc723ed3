/* livelink - see livelink.h.  The table is the whole of it; the rest is time. */
#include "feeds/livelink.h"
#include "base/clock.h"
#include <stddef.h>
#include <stdio.h>

static const char *const state_names[] = {
#define X(id, label, help) label,
	LINK_STATES(X)
#undef X
};
static const char *const state_helps[] = {
#define X(id, label, help) help,
	LINK_STATES(X)
#undef X
};
static const char *const event_names[] = {
#define X(id, label) label,
	LINK_EVENTS(X)
#undef X
};

const char *livelink_state_name(enum link_state s)
{
	return state_names[s];
}

const char *livelink_state_help(enum link_state s)
{
	return state_helps[s];
}

const char *livelink_event_name(enum link_event e)
{
	return event_names[e];
}

struct step {
	uint8_t known; /* 0: the event means nothing here */
	uint8_t next;  /* enum link_state */
	uint8_t action;
};

#define GO(state)                                                                      \
	{                                                                              \
		1, LINK_##state, LINK_NOTHING                                          \
	}
#define DIAL                                                                           \
	{                                                                              \
		1, LINK_DIALLING, LINK_DIAL                                            \
	}
#define DROP(state)                                                                    \
	{                                                                              \
		1, LINK_##state, LINK_HANG_UP                                          \
	}
#define EV(event) [LINK_EV_##event]
/* What every state with a connection has in common. */
#define CONNECTED                                                                      \
	EV(STOP) = DROP(IDLE), EV(LOST) = DROP(WAITING), EV(REFUSED) = DROP(FAILED)

/*
 * To add a state: a line in livelink.h, a row here, its limit in limit_of().  A
 * session may leap over stages (some vendors confirm two at once), never back.
 */
static const struct step table[LINK_STATES_N][LINK_EVENTS_N] = {
	[LINK_IDLE] = {EV(START) = DIAL},
	[LINK_DIALLING] = {CONNECTED, EV(CONNECTED) = GO(OPEN),
			   EV(LATE) = DROP(WAITING)},
	[LINK_OPEN] = {CONNECTED, EV(AUTHENTICATES) = GO(AUTH),
		       EV(SUBSCRIBES) = GO(SUBSCRIBING), EV(FLOWS) = GO(ON),
		       EV(LATE) = DROP(WAITING)},
	[LINK_AUTH] = {CONNECTED, EV(SUBSCRIBES) = GO(SUBSCRIBING), EV(FLOWS) = GO(ON),
		       EV(LATE) = DROP(WAITING)},
	[LINK_SUBSCRIBING] = {CONNECTED, EV(FLOWS) = GO(ON), EV(LATE) = DROP(WAITING)},
	[LINK_ON] = {CONNECTED, EV(DATA) = GO(ON), EV(LATE) = GO(MUTE)},
	[LINK_MUTE] = {CONNECTED, EV(DATA) = GO(ON), EV(EXCUSED) = GO(ON),
		       EV(LATE) = DROP(WAITING)},
	[LINK_WAITING] = {EV(STOP) = GO(IDLE), EV(LATE) = DIAL},
	[LINK_FAILED] = {EV(STOP) = GO(IDLE), EV(LATE) = DIAL},
};

#undef GO
#undef DIAL
#undef DROP
#undef EV
#undef CONNECTED

static int64_t or_default(int64_t v, int64_t def)
{
	return v > 0 ? v : def;
}

void livelink_init(struct livelink *l, const struct link_params *p, int64_t now_ns)
{
	*l = (struct livelink){.params = *p, .since_ns = now_ns, .due_ns = INT64_MAX};
	l->params.stage_ns = or_default(p->stage_ns, 10 * NS_PER_S);
	l->params.mute_ns = or_default(p->mute_ns, 15 * NS_PER_S);
	l->params.wait_min_ns = or_default(p->wait_min_ns, 500 * NS_PER_MS);
	l->params.wait_max_ns = or_default(p->wait_max_ns, 60 * NS_PER_S);
	l->params.stable_ns = or_default(p->stable_ns, 60 * NS_PER_S);
	l->params.failed_ns = or_default(p->failed_ns, 600 * NS_PER_S);
	l->counts.entered[LINK_IDLE] = 1;
	rng_seed(&l->rng, p->seed);
}

bool livelink_is_connected(enum link_state s)
{
	return s >= LINK_DIALLING && s <= LINK_MUTE;
}

/* The next wait: min, 2 min, 4 min ... max, and of each its upper half by chance. */
static int64_t wait_ns(struct livelink *l)
{
	int64_t w = l->params.wait_min_ns;

	for (uint32_t i = 1; i < l->attempts && w < l->params.wait_max_ns; i++)
		w *= 2;
	if (w > l->params.wait_max_ns)
		w = l->params.wait_max_ns;
	return w - (int64_t)(rng_u64(&l->rng) % (uint64_t)(w / 2 + 1));
}

static int64_t limit_of(struct livelink *l)
{
	switch (l->state) {
	case LINK_IDLE:
		return -1;
	case LINK_DIALLING:
	case LINK_OPEN:
	case LINK_AUTH:
	case LINK_SUBSCRIBING:
		return l->params.stage_ns;
	case LINK_ON:
		return l->is_expected ? l->params.mute_ns : -1;
	case LINK_MUTE:
		return l->params.mute_ns;
	case LINK_WAITING:
		return wait_ns(l);
	case LINK_FAILED:
		return l->params.failed_ns;
	case LINK_STATES_N:
		break;
	}
	return -1;
}

static void set_due(struct livelink *l, int64_t from_ns)
{
	int64_t limit = limit_of(l);

	l->due_ns = limit < 0 ? INT64_MAX : from_ns + limit;
}

/* A connection that was good for a while makes its end a first failure again. */
static void judge(struct livelink *l, int64_t now_ns)
{
	bool was_good = l->on_ns != 0 && l->had_data &&
			now_ns - l->on_ns >= l->params.stable_ns;

	l->attempts = was_good ? 1 : l->attempts + 1;
	l->on_ns = 0;
	l->had_data = false;
}

static void enter(struct livelink *l, enum link_state next, int64_t now_ns)
{
	if (next == LINK_WAITING)
		judge(l, now_ns);
	if (next == LINK_IDLE || next == LINK_FAILED)
		l->on_ns = 0;
	if (next == LINK_ON && l->on_ns == 0) {
		l->on_ns = now_ns;
		l->had_data = false;
	}
	l->state = next;
	l->since_ns = now_ns;
	l->counts.entered[next]++;
	set_due(l, now_ns);
}

static void count(struct livelink *l, enum link_event e)
{
	l->counts.lost += e == LINK_EV_LOST;
	l->counts.refused += e == LINK_EV_REFUSED;
	l->counts.late[l->state] += e == LINK_EV_LATE;
}

static void note_late(struct livelink *l)
{
	if (l->state == LINK_MUTE)
		(void)snprintf(l->why, sizeof(l->why),
			       "no data although the connection stands");
	else if (l->state != LINK_ON && livelink_is_connected(l->state))
		(void)snprintf(l->why, sizeof(l->why), "no progress while %s",
			       livelink_state_name(l->state));
}

enum link_action livelink_event(struct livelink *l, enum link_event e, const char *why,
				int64_t now_ns)
{
	const struct step *s = &table[l->state][e];

	if (s->known == 0) {
		l->counts.ignored++;
		return LINK_NOTHING;
	}
	count(l, e);
	if (e == LINK_EV_LATE)
		note_late(l);
	if (e == LINK_EV_LOST || e == LINK_EV_REFUSED)
		(void)snprintf(l->why, sizeof(l->why), "%s", why != NULL ? why : "");
	if (e == LINK_EV_DATA) {
		l->data_ns = now_ns;
		l->had_data = true;
	}
	if (s->next == l->state)
		set_due(l, now_ns);
	else
		enter(l, (enum link_state)s->next, now_ns);
	return (enum link_action)s->action;
}

enum link_action livelink_expect(struct livelink *l, bool is_expected, int64_t now_ns)
{
	if (l->is_expected == is_expected)
		return LINK_NOTHING;
	l->is_expected = is_expected;
	if (l->state == LINK_ON)
		set_due(l, now_ns); /* silence counts from here */
	if (!is_expected && l->state == LINK_MUTE)
		return livelink_event(l, LINK_EV_EXCUSED, NULL, now_ns);
	return LINK_NOTHING;
}

enum link_action livelink_step(struct livelink *l, int64_t now_ns)
{
	if (now_ns < l->due_ns)
		return LINK_NOTHING;
	return livelink_event(l, LINK_EV_LATE, NULL, now_ns);
}
