/* kill_switch - see kill_switch.h. */
#include "daemon/kill_switch.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/kill_triggers.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A freeze or release on its way. */
struct order {
	struct admin_call *call; /* NULL: a trigger's */
	struct freeze_entry entry;
	bool is_on;
	struct freezes list; /* as it is to be saved */
	/* the answer */
	int rc;
	char text[ERR_TEXT_MAX];
};

/* ---- on the store thread ---- */

ON_STORE static int write_freeze(struct store_thread *st, struct order *o)
{
	int rc = freezes_save(&o->list, store_log(st));

	if (rc == 0)
		rc = control_append(st, CONTROL_FREEZE, 0, freeze_pack(&o->entry.what),
				    &o->entry.pos);
	if (rc < 0)
		return rc;
	freezes_find(&o->list, &o->entry.what)->pos = o->entry.pos;
	/* It is in the log: it holds.  What is saved already names a position before
	 * it. */
	if (freezes_save(&o->list, store_log(st)) < 0)
		log_warn("kill", "%s; after a restart it is held from a little earlier",
			 err_text());
	return 0;
}

ON_STORE static int write_release(struct store_thread *st, struct order *o)
{
	int rc = control_append(st, CONTROL_RELEASE, 0, freeze_pack(&o->entry.what),
				&o->entry.pos);

	return rc < 0 ? rc : freezes_save(&o->list, store_log(st));
}

static void ask_write(struct store_thread *st, void *arg)
{
	struct order *o = arg;

	role_assert_store();
	o->rc = o->is_on ? write_freeze(st, o) : write_release(st, o);
	if (o->rc < 0)
		(void)snprintf(o->text, sizeof(o->text), "%s", err_text());
}

/* ---- on the loop ---- */

ON_LOOP static void follow_list(struct daemon *d)
{
	bool opened[EVENT_KINDS];

	freezes_gates(d->freezes, d->gate, opened);
	for (int k = 0; k < PUBLISHED_KINDS; k++)
		if (opened[k])
			publisher_release(d->publisher, (enum event_kind)k);
}

/* "tier 2", "symbol AAPL", "all". */
static void describe(const struct freeze_entry *e, char *text, size_t cap)
{
	if (e->what.level == FREEZE_TIER)
		(void)snprintf(text, cap, "tier %u", e->what.tier);
	else
		(void)snprintf(text, cap, "%s%s%s", freeze_level_name(e->what.level),
			       e->name[0] != '\0' ? " " : "", e->name);
}

static void report(const struct order *o)
{
	char what[64], who[32] = "a trigger";

	describe(&o->entry, what, sizeof(what));
	if (o->entry.uid != FREEZE_BY_DAEMON)
		(void)snprintf(who, sizeof(who), "uid %u", o->entry.uid);
	if (o->is_on)
		log_warn("kill", "%s is %s from position %llu on, by %s: %s", what,
			 o->entry.what.is_quarantine ? "quarantined" : "killed",
			 (unsigned long long)o->entry.pos, who, o->entry.reason);
	else
		log_warn("kill", "%s is released at position %llu by %s", what,
			 (unsigned long long)o->entry.pos, who);
}

ON_LOOP static void settle(struct daemon *d, struct order *o)
{
	struct freeze_entry *e = freezes_find(d->freezes, &o->entry.what);
	bool stays = o->is_on ? o->rc == 0 : o->rc < 0;

	if (e != NULL && stays && o->is_on)
		e->pos = o->entry.pos;
	if (e != NULL && !stays)
		freezes_remove(d->freezes, e);
	follow_list(d);
}

static void answer_order(struct daemon *d, void *arg)
{
	struct order *o = arg;

	role_assert_loop();
	d->is_ordering = false;
	settle(d, o);
	if (o->rc < 0) {
		log_err("kill", "%s", o->text);
		if (o->call != NULL)
			admin_fail(o->call, "failed", o->text);
	} else {
		report(o);
		stats_add(o->is_on ? STAT_FREEZES : STAT_RELEASES, 1);
		if (o->call != NULL) {
			struct jsonw *w = admin_result(o->call);

			jsonw_u64(w, "position", o->entry.pos);
			jsonw_bool(w, "already", false);
			admin_done(o->call);
		}
	}
	free(o);
}

ON_LOOP static bool refuse(struct admin_call *call, const char *code, const char *text)
{
	if (call != NULL)
		admin_fail(call, code, text);
	return false;
}

/* The list is as it is to be; false: refused, and as it was. */
ON_LOOP static bool send_order(struct daemon *d, const struct freeze_entry *e,
			       bool is_on, struct admin_call *call)
{
	struct order *o = d->is_ordering ? NULL : malloc(sizeof(*o));

	if (o == NULL)
		return refuse(call, "busy",
			      "another order is being written; ask again");
	*o = (struct order){.call = call, .entry = *e, .is_on = is_on};
	o->list = *d->freezes;
	if (!is_on)
		freezes_remove(&o->list, freezes_find(&o->list, &e->what));
	if (daemon_ask(d, ask_write, answer_order, o) != 0) {
		free(o);
		return refuse(call, "busy",
			      "the store thread has too much to do; ask again");
	}
	d->is_ordering = true;
	return true;
}

ON_LOOP static void answer_already(struct admin_call *call, uint64_t pos)
{
	if (call == NULL)
		return;
	jsonw_u64(admin_result(call), "position", pos);
	jsonw_bool(admin_result(call), "already", true);
	admin_done(call);
}

bool kill_switch_freeze(struct daemon *d, struct freeze_entry *e,
			struct admin_call *call)
{
	struct freeze_entry *have = freezes_find(d->freezes, &e->what);

	if (have != NULL) {
		answer_already(call, have->pos);
		return true;
	}
	/* From this moment on nothing of it leaves: its record comes behind this. */
	e->pos = store_committed(d->store) + 1;
	e->since_ns = clock_wall_ns();
	if (!freezes_add(d->freezes, e))
		return refuse(call, "failed",
			      "256 kills are armed; resume some, or kill all");
	if (!send_order(d, e, true, call)) {
		freezes_remove(d->freezes, freezes_find(d->freezes, &e->what));
		return false;
	}
	follow_list(d);
	return true;
}

void kill_switch_release(struct daemon *d, const struct freeze *what,
			 struct admin_call *call)
{
	struct freeze_entry *e = freezes_find(d->freezes, what);

	if (e == NULL)
		answer_already(call, 0);
	else
		(void)send_order(d, e, false, call);
}

/* ---- triggers ---- */

static bool freeze_by_trigger(void *arg, struct freeze_entry *e)
{
	role_assert_loop();
	return kill_switch_freeze(arg, e, NULL);
}

int kill_switch_open_triggers(struct daemon *d)
{
	const struct kill_triggers_env env = {.limits = &d->config.kill,
					      .symbols = d->symbols,
					      .sources = d->sources,
					      .symbols_max =
						      d->config.limits.symbols_max,
					      .freeze = freeze_by_trigger,
					      .arg = d};
	int rc = kill_triggers_new(&env, &d->triggers);

	publisher_set_triggers(d->publisher, d->triggers);
	return rc;
}

void kill_switch_step(struct daemon *d)
{
	uint64_t refused = 0;

	if (d->triggers == NULL || d->state != DAEMON_READY)
		return;
	for (unsigned r = 0; r < REJECT_N; r++)
		refused += stats_get((enum stat_id)((unsigned)STAT_REJECT_NONE + r));
	kill_triggers_step(d->triggers, clock_mono_ns(), stats_get(STAT_TICKS_ACCEPTED),
			   refused);
}
