/*
 * admin_commands_chaos - faults on purpose, for whoever wants to see what they do here.
 * Only with chaos.enabled, which is said at the start; each one is said when it is
 * done. Rubbish ticks come through the ordinary ingest (cli/cmd_chaos.c): of them only
 * the permission is given here.
 */
#include "base/clock.h"
#include "base/log.h"
#include "daemon/admin_commands_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 3600u

/* False: the call has been failed. */
ON_LOOP static bool read_seconds(const struct json *request, struct admin_call *call,
				 int64_t *out_ns)
{
	uint64_t s;

	if (!admin_number(request, "seconds", 5, call, &s))
		return false;
	if (s < 1 || s > SECONDS_MAX) {
		admin_fail(call, "bad_request", "seconds is not in 1..3600");
		return false;
	}
	*out_ns = (int64_t)s * NS_PER_S;
	return true;
}

/* The end comes with the next look at the timers, when the answer is out. */
ON_LOOP static void do_kill(struct daemon *d, const struct json *request,
			    struct admin_call *call)
{
	(void)request;
	d->is_doomed = true;
	admin_done(call);
}

ON_LOOP static void do_stall(struct daemon *d, const struct json *request,
			     struct admin_call *call)
{
	uint64_t worker;
	int64_t ns;
	char text[80];

	if (!admin_number(request, "worker", 0, call, &worker) ||
	    !read_seconds(request, call, &ns))
		return;
	if (worker >= d->n_workers) {
		(void)snprintf(text, sizeof(text), "there are the workers 0 .. %u",
			       d->n_workers - 1);
		admin_fail(call, "not_found", text);
		return;
	}
	worker_stall(d->workers[worker], ns);
	admin_done(call);
}

ON_LOOP static void do_drop(struct daemon *d, const struct json *request,
			    struct admin_call *call)
{
	const char *feed = json_str(json_get(request, "feed"), "");

	if (d->live == NULL || !live_thread_drop(d->live, feed)) {
		admin_fail(call, "not_found", "there is no such live feed");
		return;
	}
	admin_done(call);
}

struct full {
	int64_t until_ns;
};

static void fill(struct store_thread *st, void *arg)
{
	struct full *f = arg;

	role_assert_store();
	tickstore_full_until(store_log(st), f->until_ns);
	free(f);
}

ON_LOOP static void do_fill(struct daemon *d, const struct json *request,
			    struct admin_call *call)
{
	struct full *f;
	int64_t ns;

	if (!read_seconds(request, call, &ns))
		return;
	f = calloc(1, sizeof(*f));
	if (f != NULL)
		f->until_ns = clock_mono_ns() + ns;
	if (f == NULL || store_post(d->store, fill, f) != 0) {
		free(f);
		admin_fail(call, "busy", "the store is busy; ask again");
		return;
	}
	admin_done(call);
}

/* Rubbish near the newest tick of the symbol is not all refused for its time. */
ON_LOOP static void do_poison(struct daemon *d, const struct json *request,
			      struct admin_call *call)
{
	const char *symbol = json_str(json_get(request, "symbol"), "");
	struct symbuf_event newest;
	struct item it = {0};
	uint32_t id;

	if (symtab_find(d->symbols, symbol, strlen(symbol), &id) != 0) {
		admin_fail(call, "not_found", "there is no such symbol");
		return;
	}
	if (bus_symbol_recent(d->bus, id, 1, &newest) == 1)
		memcpy(&it, newest.data, sizeof(it));
	jsonw_i64(admin_result(call), "newest_ns",
		  it.rec.event_ns != 0 ? it.rec.event_ns : clock_wall_ns());
	admin_done(call);
}

/* ---- is it over? ---- */

static void look_settled(struct store_thread *st, void *arg)
{
	struct question *q = arg;

	(void)st;
	role_assert_store();
	q->is_done = !derived_rows_behind(q->d->derived_rows);
}

static void answer_settled(struct daemon *d, void *arg)
{
	struct question *q = arg;

	role_assert_loop();
	(void)d;
	jsonw_bool(admin_result(q->call), "settled", q->is_done);
	admin_done(q->call);
	question_free(q);
}

/* What waited for room is stored. */
ON_LOOP static void do_settled(struct daemon *d, const struct json *request,
			       struct admin_call *call)
{
	struct question *q = question_new(d, call);

	(void)request;
	if (q != NULL)
		question_ask(d, q, look_settled, answer_settled);
}

static const struct {
	const char *name;
	admin_command_fn fn;
} deeds[] = {
	{"kill", do_kill},       {"stall-worker", do_stall}, {"drop-feed", do_drop},
	{"fill-quota", do_fill}, {"poison", do_poison},      {"settled", do_settled},
};

void admin_chaos(struct daemon *d, const struct json *request, struct admin_call *call)
{
	const char *what = json_str(json_get(request, "what"), "");

	if (!d->config.chaos) {
		admin_fail(call, "refused",
			   "this daemon does itself no harm: chaos.enabled is false in "
			   "its configuration");
		return;
	}
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		if (strcmp(what, deeds[i].name) != 0)
			continue;
		if (deeds[i].fn != do_settled)
			log_warn("chaos", "asked to: %s", deeds[i].name);
		deeds[i].fn(d, request, call);
		return;
	}
	admin_fail(call, "bad_request",
		   "what is kill, stall-worker, poison, drop-feed or fill-quota");
}
