/* simproducer - see simproducer.h. */
#include "tests/sim/simproducer.h"
#include "base/clock.h"
#include "proto/ingest.h"
#include "tests/sim/simsocket.h"
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX  40u
#define CLOCKS_MAX 8u

struct planned {
	struct ingest_tick tick;
	int64_t arrival_ns;
};

struct simproducer {
	struct simproducer_env env;
	struct planned *plan; /* owned; tick i has sequence i + 1 */
	uint32_t n_plan;
	uint64_t acked; /* up to here everything has its outcome */
	uint64_t epoch;
	bool must_ask; /* the connection is new: which epoch is it? */
	bool waiting;
	uint32_t id;   /* in the chronicle */
	size_t call;   /* ... of the request under way */
	uint64_t last; /* highest sequence of it; 0: it was a question */
	struct buf request;
};

static void plan(const struct feed_tick *f, struct planned *out)
{
	out->arrival_ns = f->arrival_ns;
	ingest_tick_of(&out->tick, &f->rec, f->symbol);
}

static void hear(struct simproducer *p, const void *reply, size_t len)
{
	struct ingest_reply_view v;

	if (ingest_reply_open(reply, len, &v) != 0)
		return;
	p->must_ask = false;
	if (p->epoch != 0 && v.root.epoch > p->epoch)
		p->acked = 0;
	else if (v.root.status == INGEST_STATUS_OK && p->last > p->acked)
		p->acked = p->last;
	p->epoch = v.root.epoch;
}

static void on_reply(void *arg, const void *reply, size_t len)
{
	struct simproducer *p = arg;

	p->waiting = false;
	*p->env.trace = hash_bytes(*p->env.trace, reply, len);
	chronicle_reply(p->env.chronicle, p->call, clock_wall_ns(), reply, len);
	hear(p, reply, len);
}

void simproducer_new(const struct simproducer_env *env, struct simproducer **out)
{
	struct simproducer *p = calloc(1, sizeof(*p));
	struct sim *feed = NULL;

	p->env = *env;
	p->id = chronicle_producer(env->chronicle, env->name);
	p->must_ask = true;
	p->plan = calloc(env->ticks + CLOCKS_MAX, sizeof(*p->plan));
	if (sim_new(&env->feed, &feed) != 0)
		abort();
	if (env->tells_time)
		simproducer_clock(p, env->feed.start_ns);
	while (p->n_plan < env->ticks) {
		struct feed_tick f;

		sim_next(feed, &f);
		plan(&f, &p->plan[p->n_plan++]);
		if (env->no_time_poison && f.defects & FEED_POISON)
			p->plan[p->n_plan - 1].tick.price_e9 = -1;
	}
	sim_free(feed);
	*out = p;
}

void simproducer_free(struct simproducer *p)
{
	if (p == NULL)
		return;
	buf_free(&p->request);
	free(p->plan);
	free(p);
}

bool simproducer_is_done(const struct simproducer *p)
{
	return !p->waiting && !p->must_ask && p->acked == p->n_plan;
}

uint64_t simproducer_acked(const struct simproducer *p)
{
	return p->acked;
}

void simproducer_lost(struct simproducer *p)
{
	p->waiting = false;
	p->must_ask = true;
}

void simproducer_clock(struct simproducer *p, int64_t ns)
{
	struct planned *at;

	if (p->n_plan == p->env.ticks + CLOCKS_MAX)
		abort();
	at = &p->plan[p->n_plan++];
	*at = (struct planned){.arrival_ns = 0};
	ingest_tick_init(&at->tick);
	at->tick.type = RECORD_CLOCK;
	at->tick.event_ns = ns;
}

static bool send(struct simproducer *p)
{
	size_t call = chronicle_request(p->env.chronicle, p->id, clock_wall_ns(),
					p->request.data, p->request.len);

	p->call = call;
	p->waiting = true;
	if (!simsocket_ask(SIMSOCKET_INGEST, p->request.data, p->request.len, on_reply,
			   p))
		p->waiting = false;
	return p->waiting;
}

/* A request without ticks is refused; the refusal names the epoch. */
static bool ask(struct simproducer *p)
{
	struct ingest_writer w;

	p->request.len = 0;
	p->last = 0;
	(void)ingest_writer_init(&w, &p->request, p->env.name, p->env.source, 1);
	return send(p);
}

bool simproducer_step(struct simproducer *p)
{
	uint32_t most = 1 + simrng_below(p->env.rng, BATCH_MAX), k = 0;
	uint64_t first = p->acked + 1;
	struct ingest_writer w;

	if (p->waiting)
		return false;
	if (p->must_ask)
		return ask(p);
	if (p->acked > 0 && simrng_one_in(p->env.rng, 5))
		first -= simrng_below(p->env.rng, (uint32_t)p->acked + 1) % BATCH_MAX;
	p->request.len = 0;
	(void)ingest_writer_init(&w, &p->request, p->env.name, p->env.source, first);
	while (k < most && first - 1 + k < p->n_plan &&
	       p->plan[first - 1 + k].arrival_ns <= clock_wall_ns()) {
		(void)ingest_writer_add(&w, &p->plan[first - 1 + k].tick);
		k++;
	}
	p->last = first - 1 + k;
	return k > 0 && send(p);
}
