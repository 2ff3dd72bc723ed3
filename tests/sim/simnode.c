/* simnode - see simnode.h. */
#include "tests/sim/simnode.h"
#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/daemon_parts.h"
#include "daemon/restore.h"
#include "daemon/thread_room.h"
#include "tests/kill/fault_disk.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LAST_TURNS 8 /* of the store: more jobs than that do not wait */

struct simnode {
	struct daemon d;
	bool in_tier2;       /* it is tier 2 that waits for room */
	struct order *order; /* owned; on its way; NULL: none */
};

/* A freeze or release between the loop and the store thread. */
struct order {
	struct freeze_entry entry;
	bool is_on, is_done;
	struct freezes list; /* as it is to be saved */
	int rc;
};

static struct simnode *running; /* whom parker_wait() is about */

/* ---- what daemon.c, daemon_timers.c and parker.c would do ---- */

void daemon_bell(void *arg)
{
	(void)arg; /* the loop's turn comes anyway */
}

void daemon_apply_reloadable(struct daemon *d)
{
	atomic_store(&d->window.too_old_ns, d->config.live.too_old_ns);
	atomic_store(&d->window.future_ns, d->config.live.future_ns);
}

int thread_room_check(unsigned threads)
{
	(void)threads;
	return 0; /* none is started here */
}

void __wrap_parker_wait(struct parker *p, int64_t timeout_ns);

void __wrap_parker_wait(struct parker *p, int64_t timeout_ns)
{
	(void)timeout_ns;
	parker_cancel(p);
	if (!running->in_tier2)
		(void)simnode_tier2(running, SIZE_MAX);
	(void)simnode_publish(running, SIZE_MAX);
}

static void become_ready(struct simnode *n)
{
	struct daemon *d = &n->d;

	role_assert_loop();
	if (d->state != DAEMON_REPLAYING ||
	    store_dispatched(d->store) <= d->replay_end ||
	    !publisher_reached(d->publisher, d->replay_end))
		return;
	if (daemon_open_ingest(d) < 0)
		abort();
	d->state = DAEMON_READY;
}

/* ---- lives ---- */

static int open_all(struct daemon *d)
{
	int rc;

	role_assert_loop();
	rc = daemon_open_store(d);
	if (rc == 0)
		rc = daemon_open_pipeline(d);
	if (rc == 0)
		rc = restore_state(d);
	if (rc == 0)
		rc = daemon_open_sockets(d);
	if (rc < 0)
		return rc;
	restore_streams(d);
	d->state = DAEMON_REPLAYING;
	return 0;
}

int simnode_open(const struct config *c, struct simnode **out)
{
	struct simnode *n = calloc(1, sizeof(*n));
	int rc;

	n->d.config = *c;
	running = n;
	rc = open_all(&n->d);
	if (rc < 0) {
		simnode_crash(n);
		return rc;
	}
	*out = n;
	return 0;
}

static void close_all(struct daemon *d)
{
	role_assert_loop();
	daemon_close_sockets(d);
	daemon_close_parts(d);
}

/* Jobs that wait in the mailbox own memory. */
static void run_jobs(struct simnode *n)
{
	role_assert_store();
	for (int i = 0; n->d.store != NULL && i < LAST_TURNS; i++)
		(void)store_step(n->d.store);
}

void simnode_crash(struct simnode *n)
{
	if (n == NULL)
		return;
	simsocket_break();
	run_jobs(n); /* the disk does not hear of them: its power is off */
	role_assert_store();
	(void)store_thread_free(n->d.store);
	n->d.store = NULL;
	close_all(&n->d);
	free(n->order);
	free(n);
}

/* What the threads do between the last request and their end. */
static void run_dry(struct simnode *n)
{
	size_t done = 1;

	role_assert_loop();
	while (done > 0) {
		int k = simnode_store(n);

		if (k < 0)
			return;
		done = (size_t)k;
		for (uint32_t w = 0; w < n->d.n_workers; w++)
			done += simnode_worker(n, w, SIZE_MAX);
		done += simnode_tier2(n, SIZE_MAX);
		done += simnode_publish(n, SIZE_MAX);
		publisher_flush(n->d.publisher);
	}
}

int simnode_close(struct simnode *n)
{
	int rc;

	role_assert_store();
	role_assert_loop();
	run_dry(n);
	run_jobs(n);
	if (simnode_is_dry(n))
		daemon_last_snapshot(&n->d);
	simsocket_break();
	if (fault_disk_is_off())
		run_jobs(n); /* the end came in the middle of it */
	rc = store_thread_free(n->d.store);
	n->d.store = NULL;
	close_all(&n->d);
	free(n->order);
	free(n);
	return rc;
}

/* ---- the kill switch (kill_switch.c, whose other side is the admin socket) ---- */

ON_STORE static int append_order(struct store_thread *st, struct order *o)
{
	const struct record r = {.type = RECORD_CONTROL,
				 .event_ns = clock_wall_ns(),
				 .recv_ns = clock_wall_ns(),
				 RECORD_NO_VALUES,
				 .source_seq = freeze_pack(&o->entry.what),
				 .ref_seq =
					 o->is_on ? CONTROL_FREEZE : CONTROL_RELEASE};
	struct store_status log;
	uint64_t was;
	int rc = intake_record(store_intake(st), &r);

	tickstore_status(store_log(st), &log);
	was = log.last_pos;
	if (rc == 0)
		rc = intake_commit(store_intake(st));
	tickstore_status(store_log(st), &log);
	o->entry.pos = log.last_pos;
	return rc < 0 ? rc : log.last_pos == was ? -ENOSPC : 0;
}

static void write_order(struct store_thread *st, void *arg)
{
	struct order *o = arg;

	role_assert_store();
	o->rc = o->is_on ? freezes_save(&o->list, store_log(st)) : 0;
	if (o->rc == 0)
		o->rc = append_order(st, o);
	if (o->rc == 0 && o->is_on) {
		freezes_find(&o->list, &o->entry.what)->pos = o->entry.pos;
		(void)freezes_save(&o->list, store_log(st));
	} else if (o->rc == 0) {
		o->rc = freezes_save(&o->list, store_log(st));
	}
	o->is_done = true;
}

ON_LOOP static void follow_list(struct daemon *d)
{
	bool opened[EVENT_KINDS];

	freezes_gates(d->freezes, d->gate, opened);
	for (int k = 0; k < PUBLISHED_KINDS; k++)
		if (opened[k])
			publisher_release(d->publisher, (enum event_kind)k);
}

/* The answer has come. */
ON_LOOP static void settle_order(struct simnode *n)
{
	struct order *o = n->order;
	struct freeze_entry *e;

	if (o == NULL || !o->is_done)
		return;
	e = freezes_find(n->d.freezes, &o->entry.what);
	if (o->is_on && o->rc == 0)
		e->pos = o->entry.pos;
	else if (o->is_on || o->rc == 0)
		freezes_remove(n->d.freezes, e);
	follow_list(&n->d);
	free(o);
	n->order = NULL;
}

bool simnode_order(struct simnode *n, const struct freeze *what, bool is_on)
{
	struct freeze_entry *have = freezes_find(n->d.freezes, what);
	struct order *o;

	role_assert_loop();
	if (n->order != NULL || n->d.state != DAEMON_READY || (have != NULL) == is_on)
		return false;
	o = calloc(1, sizeof(*o));
	o->entry = (struct freeze_entry){.what = *what,
					 .pos = store_committed(n->d.store) + 1};
	o->is_on = is_on;
	if (is_on && !freezes_add(n->d.freezes, &o->entry))
		abort();
	o->list = *n->d.freezes;
	if (!is_on)
		freezes_remove(&o->list, freezes_find(&o->list, what));
	if (store_post(n->d.store, write_order, o) != 0) {
		if (is_on)
			freezes_remove(n->d.freezes, freezes_find(n->d.freezes, what));
		free(o);
		return false;
	}
	n->order = o;
	if (is_on)
		follow_list(&n->d);
	return true;
}

bool simnode_frozen(const struct simnode *n, struct freeze *out)
{
	if (n->d.freezes->n == 0)
		return false;
	*out = n->d.freezes->entries[0].what;
	return true;
}

/* ---- turns ---- */

int simnode_store(struct simnode *n)
{
	role_assert_store();
	return store_step(n->d.store);
}

size_t simnode_worker(struct simnode *n, uint32_t w, size_t budget)
{
	role_assert_worker();
	return worker_step(n->d.workers[w], budget);
}

size_t simnode_tier2(struct simnode *n, size_t budget)
{
	size_t done;

	role_assert_tier2();
	n->in_tier2 = true;
	done = tier2_worker_step(n->d.tier2, budget);
	n->in_tier2 = false;
	return done;
}

size_t simnode_publish(struct simnode *n, size_t budget)
{
	size_t done;

	role_assert_loop();
	settle_order(n);
	done = publisher_step(n->d.publisher, budget);
	if (done == 0 && n->d.state != DAEMON_READY)
		publisher_flush(n->d.publisher);
	become_ready(n);
	return done;
}

void simnode_flush(struct simnode *n)
{
	role_assert_loop();
	publisher_flush(n->d.publisher);
}

void simnode_heartbeat(struct simnode *n)
{
	role_assert_loop();
	publisher_flush(n->d.publisher);
	publisher_heartbeat(n->d.publisher);
}

static void append_clock(struct store_thread *st, void *arg)
{
	const struct record r = {.type = RECORD_CLOCK,
				 .event_ns = clock_wall_ns(),
				 .recv_ns = clock_wall_ns(),
				 RECORD_NO_VALUES};

	role_assert_store();
	(void)arg;
	(void)intake_record(store_intake(st), &r);
}

void simnode_tell_time(struct simnode *n)
{
	if (n->d.config.live.clock == CONFIG_WALL && n->d.state == DAEMON_READY)
		(void)store_post(n->d.store, append_clock, NULL);
}

struct control {
	enum control_verb verb;
	uint32_t symbol_id;
};

static void append_control(struct store_thread *st, void *arg)
{
	struct control *c = arg;
	const struct record r = {.type = RECORD_CONTROL,
				 .event_ns = clock_wall_ns(),
				 .recv_ns = clock_wall_ns(),
				 RECORD_NO_VALUES,
				 .symbol_id = c->symbol_id,
				 .ref_seq = c->verb};

	role_assert_store();
	(void)intake_record(store_intake(st), &r);
	free(c);
}

void simnode_control(struct simnode *n, enum control_verb verb, uint32_t symbol_id)
{
	struct control *c = malloc(sizeof(*c));

	*c = (struct control){verb, symbol_id};
	if (store_post(n->d.store, append_control, c) != 0)
		free(c);
}

/* ---- questions ---- */

bool simnode_is_ready(const struct simnode *n)
{
	return n->d.state == DAEMON_READY;
}

bool simnode_is_dry(const struct simnode *n)
{
	uint64_t last = store_committed(n->d.store);

	role_assert_loop();
	return n->d.state == DAEMON_READY &&
	       ingest_server_open_calls(n->d.ingest) == 0 &&
	       store_dispatched(n->d.store) > last &&
	       publisher_reached(n->d.publisher, last);
}

uint64_t simnode_restored(const struct simnode *n)
{
	return n->d.restored_pos;
}

void simnode_status(const struct simnode *n, struct store_status *out)
{
	role_assert_store();
	tickstore_status(store_log(n->d.store), out);
}

struct tickstore *simnode_log(struct simnode *n)
{
	role_assert_store();
	return store_log(n->d.store);
}

const struct symtab *simnode_symbols(const struct simnode *n)
{
	return n->d.symbols;
}

const struct symtab *simnode_sources(const struct simnode *n)
{
	return n->d.sources;
}
