/* sim_thread - see sim_thread.h. */
#include "daemon/sim_thread.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/parker.h"
#include "feeds/pace.h"
#include "feeds/sim.h"
#include "proto/ingest.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIM_BATCH   512u
#define WAIT_MAX_NS (50 * NS_PER_MS)
#define RETRY_NS    (200 * NS_PER_MS)
#define REQUEST_NS  (2 * NS_PER_MS) /* a request gathers what falls due in this time */

/*
 * The ingest request on its way; sent again when there was no room for it.  One at a
 * time: behind a later one its sequences would make it a duplicate.
 */
struct request {
	struct intake_caller caller; /* first: the reply finds its request */
	struct sim_thread *sim;
	struct buf bytes;
	atomic_bool open;
	atomic_bool retry;
};

struct sim_thread {
	struct store_thread *store; /* borrowed */
	struct sim *sim;            /* owned */
	struct pace pace;
	struct request request;
	struct feed_tick next; /* drawn, not sent yet */
	bool has_next;
	uint64_t seq; /* of the next tick */
	char producer[INGEST_PRODUCER_MAX + 1];
	bool is_feed_clock;
	int64_t shift_ns; /* wall clock: virtual time to real time */
	struct parker parker;
	pthread_t thread;
	bool running_thread;
	atomic_bool stop;
};

const char *sim_thread_producer(const struct config *c)
{
	(void)c;
	return "sim";
}

static void fill_params(const struct config *c, struct sim_params *p,
			const char **names)
{
	const struct config_simulator *s = &c->simulator;
	const struct symbol_params *d = &c->derive.defaults;
	uint32_t n = 0;

	sim_params_default(p);
	while (n < s->symbols && n < c->derive.n_symbols) {
		names[n] = c->derive.symbols[n].symbol;
		n++;
	}
	p->names = n == s->symbols ? names : NULL;
	p->seed = s->seed;
	p->n_symbols = s->symbols;
	p->start_ns = c->live.clock == CONFIG_FEED ? s->start_ns : clock_wall_ns();
	p->has_sessions = s->sessions && d->has_session;
	p->tz = d->tz;
	p->session_start_s = d->session_start_s;
	p->session_end_s = d->session_end_s;
	p->volatility_bp = s->volatility_bp;
	p->corr_market_pm = s->corr_market_pm;
	p->corr_sector_pm = s->corr_sector_pm;
	p->sectors = s->sectors;
	p->trades_mhz = s->trades_mhz;
	p->quotes_mhz = s->quotes_mhz;
	p->is_zipf = s->zipf;
	p->price_tick_e9 = s->price_tick_e9;
	p->clock_ns = c->live.clock == CONFIG_FEED ? s->clock_interval_ns : 0;
	p->faults = (struct sim_faults){.late_ppm = s->late_ppm,
					.out_of_order_ppm = s->out_of_order_ppm,
					.duplicates_ppm = s->duplicates_ppm,
					.cancels_ppm = s->cancels_ppm,
					.corrections_ppm = s->corrections_ppm,
					.halts_ppm = s->halts_ppm,
					.gaps_ppm = s->gaps_ppm,
					.bad_prints_ppm = s->bad_prints_ppm,
					.poison_ppm = s->poison_ppm,
					.odd_lots_ppm = s->odd_lots_ppm,
					.late_max_ns = s->late_max_ns,
					.halt_ns = s->halt_ns,
					.gap_ns = s->gap_ns};
}

static void on_reply(struct intake_caller *c, const void *reply, size_t len)
{
	struct request *r = (struct request *)c;
	struct ingest_reply_view v;

	if (ingest_reply_open(reply, len, &v) == 0 && v.root.retry_ms > 0 &&
	    v.root.status != INGEST_STATUS_STOPPING)
		atomic_store(&r->retry, true);
	else
		atomic_store(&r->open, false);
	parker_wake(&r->sim->parker);
}

int sim_thread_new(const struct config *c, struct store_thread *store,
		   uint64_t last_seq, struct sim_thread **out)
{
	struct sim_thread *s = calloc(1, sizeof(*s));
	const char **names = calloc(c->simulator.symbols + 1, sizeof(*names));
	struct sim_params p;
	int rc;

	if (s == NULL || names == NULL) {
		free(s);
		free(names);
		return err_set(-ENOMEM, "out of memory for the simulated exchange");
	}
	s->store = store;
	s->is_feed_clock = c->live.clock == CONFIG_FEED;
	parker_init(&s->parker);
	pace_init(&s->pace,
		  s->is_feed_clock ? (uint64_t)c->simulator.compress * PACE_NORMAL
				   : PACE_NORMAL,
		  c->simulator.night_max_ns);
	fill_params(c, &p, names);
	rc = sim_new(&p, &s->sim);
	free(names);
	if (rc < 0) {
		free(s);
		return rc;
	}
	s->request.sim = s;
	s->request.caller.reply = on_reply;
	if (s->is_feed_clock) {
		(void)snprintf(s->producer, sizeof(s->producer), "sim");
		/* The same seed: what the log holds comes out again, and is skipped. */
		for (uint64_t i = 0; i < last_seq; i++)
			sim_next(s->sim, &s->next);
		s->seq = last_seq + 1;
	} else {
		(void)snprintf(s->producer, sizeof(s->producer), "sim-%lld",
			       (long long)(p.start_ns / NS_PER_MS));
		s->seq = 1;
	}
	*out = s;
	return 0;
}

void sim_thread_free(struct sim_thread *s)
{
	if (s == NULL)
		return;
	buf_free(&s->request.bytes);
	sim_free(s->sim);
	free(s);
}

static void take_request(struct store_thread *st, void *arg)
{
	struct request *r = arg;

	role_assert_store();
	intake_request(store_intake(st), r->bytes.data, r->bytes.len, &r->caller);
}

static void rest(struct sim_thread *s, int64_t ns)
{
	parker_prepare(&s->parker);
	if (atomic_load(&s->stop))
		parker_cancel(&s->parker);
	else
		parker_wait(&s->parker, ns < WAIT_MAX_NS ? ns : WAIT_MAX_NS);
}

/* Everything that is due now, at most a batch; returns how long until more is. */
static int64_t gather(struct sim_thread *s, struct request *r, uint32_t *out_n)
{
	struct ingest_writer w;
	struct ingest_tick t;
	int64_t wait = 0;

	r->bytes.len = 0;
	*out_n = 0;
	if (ingest_writer_init(&w, &r->bytes, s->producer, "sim", s->seq) != 0)
		return WAIT_MAX_NS;
	while (*out_n < SIM_BATCH) {
		if (!s->has_next) {
			sim_next(s->sim, &s->next);
			s->has_next = true;
		}
		wait = pace_wait_ns(&s->pace, s->next.arrival_ns, clock_mono_ns());
		if (wait > 0)
			return wait;
		ingest_tick_of(&t, &s->next.rec, s->next.symbol);
		if (ingest_writer_add(&w, &t) != 0)
			return 0;
		s->has_next = false;
		(*out_n)++;
	}
	return 0;
}

static void send(struct sim_thread *s, struct request *r)
{
	while (store_post(s->store, take_request, r) == MAILBOX_FULL) {
		if (atomic_load(&s->stop))
			return;
		rest(s, RETRY_NS);
	}
}

static void run_one(struct sim_thread *s, struct request *r)
{
	uint32_t n;

	while (atomic_load(&r->open)) {
		if (atomic_exchange(&r->retry, false)) {
			rest(s, RETRY_NS);
			send(s, r);
		} else if (atomic_load(&s->stop)) {
			return;
		} else {
			rest(s, WAIT_MAX_NS);
		}
	}
	while (!atomic_load(&s->stop)) {
		int64_t wait = gather(s, r, &n);

		if (n > 0) {
			atomic_store(&r->open, true);
			s->seq += n;
			send(s, r);
			return;
		}
		rest(s, wait < REQUEST_NS ? REQUEST_NS : wait);
	}
}

static void *body(void *arg)
{
	struct sim_thread *s = arg;

	while (!atomic_load(&s->stop))
		run_one(s, &s->request);
	return NULL;
}

int sim_thread_start(struct sim_thread *s)
{
	int rc = pthread_create(&s->thread, NULL, body, s);

	if (rc != 0)
		return err_set(-rc, "cannot start the simulated exchange: %s",
			       strerror(rc));
	s->running_thread = true;
	(void)pthread_setname_np(s->thread, "sim");
	return 0;
}

void sim_thread_stop(struct sim_thread *s)
{
	if (s == NULL || !s->running_thread)
		return;
	atomic_store(&s->stop, true);
	parker_wake(&s->parker);
	(void)pthread_join(s->thread, NULL);
	s->running_thread = false;
}
