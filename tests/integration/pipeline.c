/* pipeline - see pipeline.h. */
#include "tests/integration/pipeline.h"
#include "base/err.h"
#include "workers/tier2.h"
#include "workers/worker.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REQUEST_TICKS 500

struct pipeline {
	struct intake_caller caller; /* first */
	struct pipeline_env env;
	struct intake_window window;
	struct symtab *symbols, *sources;
	struct tickstore *store;
	struct intake *intake;
	struct dispatch *dispatch;
	struct bus *bus;
	struct ring *cuts[WORKERS_MAX];
	struct outbox *boxes[WORKERS_MAX], *ticks;
	struct worker *workers[WORKERS_MAX];
	struct tier2 *tier2;
	struct buf reply, request, matrix;
	struct ingest_writer writer;
	uint64_t next_seq;
	uint32_t n_request;
	uint64_t accepted, rejected;
	uint64_t tick_mark; /* what the dispatcher has sent; nobody waits for it */
	uint64_t marks[WORKERS_MAX];
};

static void die(const char *what)
{
	fprintf(stderr, "pipeline: %s: %s\n", what, err_text());
	abort();
}

static void on_reply(struct intake_caller *c, const void *data, size_t len)
{
	struct pipeline *p = (struct pipeline *)c;
	struct ingest_reply_view v;

	p->reply.len = 0;
	buf_add(&p->reply, data, len);
	if (ingest_reply_open(data, len, &v) == 0) {
		p->accepted += v.root.accepted;
		p->rejected += v.root.rejected;
	}
}

static void on_matrix(void *arg, const struct event_tier2 *e,
		      const struct tier2_member *members, const double *triangle,
		      bool replay)
{
	struct pipeline *p = arg;
	size_t n = e->n_included;

	(void)replay;
	p->matrix.len = 0;
	buf_add(&p->matrix, e, sizeof(*e));
	buf_add(&p->matrix, members, e->n_members * sizeof(*members));
	buf_add(&p->matrix, triangle, n * (n + 1) / 2 * sizeof(*triangle));
	if (p->env.sink != NULL)
		p->env.sink(p->env.arg, EVENT_TIER2, p->matrix.data, p->matrix.len);
}

static size_t drain_box(struct pipeline *p, struct outbox *box, uint64_t *mark)
{
	size_t n = 0, len;
	uint32_t kind;
	const void *msg;

	while ((msg = outbox_peek(box, &kind, &len)) != NULL) {
		if (kind == WORKER_MARK)
			memcpy(mark, msg, sizeof(*mark));
		else if (p->env.sink != NULL)
			p->env.sink(p->env.arg, (enum event_kind)kind, msg, len);
		outbox_pop(box);
		n++;
	}
	return n;
}

static size_t drain_cuts(struct pipeline *p)
{
	size_t n = 0, k;

	for (uint32_t w = 0; w < p->env.n_workers; w++) {
		const struct cut_item *items;

		while ((items = ring_peek(p->cuts[w], &k)) != NULL) {
			if (tier2_feed(p->tier2, w, items, k) < 0)
				die("tier2_feed");
			ring_release(p->cuts[w], k);
			n += k;
		}
	}
	return n + tier2_step(p->tier2, SIZE_MAX);
}

static void make_room(void *arg)
{
	struct pipeline *p = arg;

	for (uint32_t w = 0; w < p->env.n_workers; w++)
		(void)drain_box(p, p->boxes[w], &p->marks[w]);
	(void)drain_box(p, p->ticks, &p->tick_mark);
	(void)drain_cuts(p);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void open_store(struct pipeline *p)
{
	const struct store_params sp = {.dir = p->env.dir,
					.durability = DURABILITY_NORMAL};
	const struct store_names symbols = {p->symbols, symtab_add, symtab_name,
					    symtab_count, 0};
	const struct store_names sources = {p->sources, symtab_add, symtab_name,
					    symtab_count, 1};
	struct intake_env ie = {.symbols = p->symbols,
				.sources = p->sources,
				.window = &p->window,
				.clock_wall = p->env.clock_wall};
	struct timespec ts;

	role_assert_store();
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (tickstore_open(&sp, &symbols, &sources, ts.tv_sec * INT64_C(1000000000),
			   &p->store) < 0)
		die("tickstore_open");
	ie.store = p->store;
	if (intake_new(&ie, &p->intake) < 0)
		die("intake_new");
}

static void open_worker(struct pipeline *p, uint32_t w)
{
	const struct worker_env env = {.shard = {.params = p->env.params,
						 .symbols = p->symbols,
						 .sources = p->sources,
						 .index = w,
						 .n_shards = p->env.n_workers,
						 .symbols_max = 4096},
				       .bus = p->bus,
				       .out = p->boxes[w],
				       .cut = p->cuts[w],

				       .bell = nothing,
				       .cut_bell = nothing,
				       .wait = p->env.threads ? NULL : make_room,
				       .arg = p};

	if (worker_new(&env, &p->workers[w]) < 0)
		die("worker_new");
}

static uint32_t or_else(uint32_t value, uint32_t otherwise)
{
	return value != 0 ? value : otherwise;
}

/* Small historiesand turns: queues overflow into the ring, symbols overtake. */
static void open_bus(struct pipeline *p, size_t slots)
{
	const struct bus_params bp = {.shards = p->env.n_workers,
				      .symbols_max = 4096,
				      .event_bytes = sizeof(struct item),
				      .ring_slots = slots,
				      .history = or_else(p->env.history, 16),
				      .inflight_max = or_else(p->env.inflight, 512),
				      .turn_max = or_else(p->env.turn, 4)};

	if (bus_new(&bp, &p->bus) < 0)
		die("bus_new");
	bus_start(p->bus);
}

struct pipeline *pipeline_new(const struct pipeline_env *env)
{
	struct pipeline *p = calloc(1, sizeof(*p));
	const struct tier2_sink sink = {.arg = p, .matrix = on_matrix};
	size_t slots = env->ring_slots != 0 ? env->ring_slots : 4096;
	struct dispatch_env de = {.bell = nothing, .symbols_max = 4096, .from_pos = 1};
	struct newsroom_env ne = {.params = env->params, .symbols_max = 4096};
	struct tier2_env te = {.params = env->params,
			       .n_workers = env->n_workers,
			       .symbols_max = 4096};

	p->env = *env;
	p->caller.reply = on_reply;
	p->next_seq = 1;
	atomic_store(&p->window.too_old_ns, env->too_old_ns);
	atomic_store(&p->window.future_ns, env->future_ns);
	if (symtab_new(4096, 0, &p->symbols) < 0 ||
	    symtab_new(64, 1, &p->sources) < 0 || outbox_new(1 << 20, &p->ticks) < 0)
		die("tables");
	open_store(p);
	open_bus(p, slots);
	for (uint32_t w = 0; w < env->n_workers; w++) {
		if (ring_new(slots, sizeof(struct cut_item), &p->cuts[w]) < 0 ||
		    outbox_new(1 << 20, &p->boxes[w]) < 0)
			die("rings");
		open_worker(p, w);
	}
	te.symbols = p->symbols;
	de.symbols = p->symbols;
	de.bus = p->bus;
	de.store = p->store;
	de.ticks = p->ticks;
	ne.symbols = p->symbols;
	if (newsroom_new(&ne, &de.news) < 0)
		die("newsroom");
	if (dispatch_new(&de, &p->dispatch) < 0 || tier2_new(&te, &sink, &p->tier2) < 0)
		die("dispatch");
	for (uint32_t w = 0; env->threads && w < env->n_workers; w++)
		if (worker_start(p->workers[w]) < 0)
			die("worker_start");
	return p;
}

void pipeline_free(struct pipeline *p)
{
	role_assert_store();
	for (uint32_t w = 0; w < p->env.n_workers; w++)
		worker_stop(p->workers[w]);
	for (uint32_t w = 0; w < p->env.n_workers; w++) {
		worker_free(p->workers[w]);
		ring_free(p->cuts[w]);
		outbox_free(p->boxes[w]);
	}
	bus_free(p->bus);
	tier2_free(p->tier2);
	dispatch_free(p->dispatch);
	intake_free(p->intake);
	(void)tickstore_close(p->store);
	outbox_free(p->ticks);
	symtab_free(p->symbols);
	symtab_free(p->sources);
	buf_free(&p->reply);
	buf_free(&p->request);
	buf_free(&p->matrix);
	free(p);
}

const void *pipeline_request(struct pipeline *p, const void *data, size_t len,
			     size_t *out_len)
{
	role_assert_store();
	p->reply.len = 0;
	intake_request(p->intake, data, len, &p->caller);
	if (intake_pending(p->intake) > 0 && intake_commit(p->intake) < 0)
		die("commit");
	*out_len = p->reply.len;
	return p->reply.data;
}

void pipeline_flush(struct pipeline *p)
{
	size_t len;

	if (p->n_request == 0)
		return;
	(void)pipeline_request(p, p->request.data, p->request.len, &len);
	p->n_request = 0;
	p->request.len = 0;
}

void pipeline_tick(struct pipeline *p, const struct ingest_tick *t)
{
	if (p->n_request == 0 && ingest_writer_init(&p->writer, &p->request, "test",
						    "test", p->next_seq) != 0)
		die("request");
	if (ingest_writer_add(&p->writer, t) != 0)
		die("request");
	p->next_seq++;
	if (++p->n_request == REQUEST_TICKS)
		pipeline_flush(p);
}

void pipeline_trade(struct pipeline *p, const char *symbol, int64_t event_ns,
		    int64_t price_e9, int64_t size_e8)
{
	struct ingest_tick t;

	ingest_tick_init(&t);
	t.event_ns = event_ns;
	t.price_e9 = price_e9;
	t.size_e8 = size_e8;
	memcpy(t.symbol, symbol, strlen(symbol));
	pipeline_tick(p, &t);
}

void pipeline_clock(struct pipeline *p, int64_t ns)
{
	struct ingest_tick t;

	ingest_tick_init(&t);
	t.type = RECORD_CLOCK;
	t.event_ns = ns;
	pipeline_tick(p, &t);
}

void pipeline_control(struct pipeline *p, enum control_verb verb, const char *symbol)
{
	struct record r = {.type = RECORD_CONTROL, .ref_seq = verb};

	role_assert_store();
	pipeline_flush(p);
	if (intake_symbol(p->intake, symbol, strlen(symbol), &r.symbol_id) !=
		    REJECT_NONE ||
	    intake_record(p->intake, &r) < 0 || intake_commit(p->intake) < 0)
		die("control");
}

static size_t run_workers(struct pipeline *p)
{
	size_t n = 0;

	role_assert_worker();
	for (uint32_t w = 0; w < p->env.n_workers; w++)
		n += worker_step(p->workers[w], SIZE_MAX);
	return n;
}

/* Workers with threads are done when they have said so. */
static bool is_done(const struct pipeline *p)
{
	for (uint32_t w = 0; p->env.threads && w < p->env.n_workers; w++)
		if (p->marks[w] + 1 < dispatch_pos(p->dispatch))
			return false;
	return true;
}

void pipeline_run(struct pipeline *p)
{
	size_t n;

	role_assert_store();
	pipeline_flush(p);
	do {
		int k = dispatch_step(p->dispatch, 4096);

		if (k < 0)
			die("dispatch");
		n = (size_t)k;
		n += p->env.threads ? 0 : run_workers(p);
		for (uint32_t w = 0; w < p->env.n_workers; w++)
			n += drain_box(p, p->boxes[w], &p->marks[w]);
		n += drain_box(p, p->ticks, &p->tick_mark) + drain_cuts(p);
		if (n == 0)
			(void)sched_yield();
	} while (n > 0 || !is_done(p));
}

struct symtab *pipeline_symbols(struct pipeline *p)
{
	return p->symbols;
}

struct bus *pipeline_bus(struct pipeline *p)
{
	return p->bus;
}

struct tickstore *pipeline_store(struct pipeline *p)
{
	return p->store;
}

uint64_t pipeline_accepted(const struct pipeline *p)
{
	return p->accepted;
}

uint64_t pipeline_rejected(const struct pipeline *p)
{
	return p->rejected;
}
