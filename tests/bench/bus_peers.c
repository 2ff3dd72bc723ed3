/*
 * bus_peers - what one would use instead of the bus: a bare ring, a mutex and a
 * condition variable, nng.
 */
#include "bus_bench.h"
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <stdlib.h>
#include <string.h>

/* ---- a bare ring and a plain history ---- */

struct bare {
	struct ring *ring[WORKERS];
	struct tick *history; /* [symbol * HISTORY + n % HISTORY] */
};

static void *bare_work(void *arg)
{
	struct job *j = arg;
	struct bare *b = j->with;
	struct ring *ring = b->ring[j->worker];
	unsigned spins = 0;

	atomic_fetch_add(&j->r->ready, 1);
	for (;;) {
		bool last = atomic_load(&j->r->done);
		size_t n;
		const struct tick *t = ring_peek(ring, &n);

		if (n == 0 && last)
			return NULL;
		if (n == 0) {
			bench_relax(&spins);
			continue;
		}
		spins = 0;
		for (size_t i = 0; i < n; i++) {
			struct state *s = &j->r->states[t[i].symbol];

			b->history[(size_t)t[i].symbol * HISTORY + s->count % HISTORY] =
				t[i];
			bench_handle(j->r, j->worker, &t[i]);
		}
		ring_release(ring, n);
	}
}

static void bare_send(struct run *r, void *with, uint64_t *seqs)
{
	struct bare *b = with;
	unsigned spins = 0;

	for (uint64_t i = 0; i < r->n_events; i++) {
		struct tick t = bench_next(r, seqs, i);
		struct ring *ring = b->ring[t.symbol % WORKERS];
		struct tick *slot;

		while ((slot = ring_claim(ring)) == NULL) {
			ring_publish(ring);
			bench_relax(&spins);
		}
		*slot = t;
		if (ring_unpublished(ring) >= RING_BATCH)
			ring_publish(ring);
	}
	for (unsigned w = 0; w < WORKERS; w++)
		ring_publish(b->ring[w]);
}

double bench_bare(struct run *r)
{
	struct bare b;
	double rate;

	b.history = calloc((size_t)r->n_symbols * HISTORY, sizeof(*b.history));
	for (unsigned w = 0; w < WORKERS; w++)
		if (ring_new(SLOTS, sizeof(struct tick), &b.ring[w]) < 0)
			bench_die("ring_new");
	(void)bench_timed(r, bare_work, &b, bare_send);
	bench_reset(r);
	rate = bench_timed(r, bare_work, &b, bare_send);
	for (unsigned w = 0; w < WORKERS; w++)
		ring_free(b.ring[w]);
	free(b.history);
	return rate;
}

/* ---- mutex and condition variable ---- */

struct queue {
	_Alignas(128) pthread_mutex_t lock;
	pthread_cond_t more, room;
	struct tick slot[SLOTS];
	uint64_t head, tail;
	bool done;
};

static void *mutex_work(void *arg)
{
	struct job *j = arg;
	struct queue *q = (struct queue *)j->with + j->worker;

	atomic_fetch_add(&j->r->ready, 1);
	for (;;) {
		struct tick t;

		pthread_mutex_lock(&q->lock);
		while (q->head == q->tail && !q->done)
			pthread_cond_wait(&q->more, &q->lock);
		if (q->head == q->tail) {
			pthread_mutex_unlock(&q->lock);
			return NULL;
		}
		t = q->slot[q->head++ % SLOTS];
		pthread_cond_signal(&q->room);
		pthread_mutex_unlock(&q->lock);
		bench_handle(j->r, j->worker, &t);
	}
}

static void mutex_send(struct run *r, void *with, uint64_t *seqs)
{
	struct queue *queues = with;

	for (uint64_t i = 0; i < r->n_events; i++) {
		struct tick t = bench_next(r, seqs, i);
		struct queue *q = &queues[t.symbol % WORKERS];

		pthread_mutex_lock(&q->lock);
		while (q->tail - q->head == SLOTS)
			pthread_cond_wait(&q->room, &q->lock);
		q->slot[q->tail++ % SLOTS] = t;
		pthread_cond_signal(&q->more);
		pthread_mutex_unlock(&q->lock);
	}
	for (unsigned w = 0; w < WORKERS; w++) {
		pthread_mutex_lock(&queues[w].lock);
		queues[w].done = true;
		pthread_cond_signal(&queues[w].more);
		pthread_mutex_unlock(&queues[w].lock);
	}
}

double bench_mutex(struct run *r)
{
	struct queue *q = aligned_alloc(128, WORKERS * sizeof(*q));
	double rate;

	memset(q, 0, WORKERS * sizeof(*q));
	for (unsigned w = 0; w < WORKERS; w++) {
		pthread_mutex_init(&q[w].lock, NULL);
		pthread_cond_init(&q[w].more, NULL);
		pthread_cond_init(&q[w].room, NULL);
	}
	rate = bench_timed(r, mutex_work, q, mutex_send);
	free(q);
	return rate;
}

/* ---- nng ---- */

#define NNG_URL "inproc://bus_bench"

static void *nng_work(void *arg)
{
	struct job *j = arg;
	nng_socket s;
	uint64_t got = 0;

	if (nng_sub0_open(&s) != 0 ||
	    nng_setopt(s, NNG_OPT_SUB_SUBSCRIBE, "", 0) != 0 ||
	    nng_setopt_int(s, NNG_OPT_RECVBUF, 8192) != 0 ||
	    nng_setopt_ms(s, NNG_OPT_RECVTIMEO, 1000) != 0 ||
	    nng_dial(s, NNG_URL, NULL, 0) != 0)
		bench_die("nng subscriber");
	atomic_fetch_add(&j->r->ready, 1);
	while (got < j->r->n_events) {
		struct tick t;
		size_t len = sizeof(t);

		if (nng_recv(s, &t, &len, 0) != 0)
			break; /* dropped ones show as events not handled */
		got++;
		atomic_store_explicit(&j->r->credit[j->worker * 16], got,
				      memory_order_release);
		if (t.symbol % WORKERS == j->worker)
			bench_handle(j->r, j->worker, &t);
	}
	nng_close(s);
	return NULL;
}

static uint64_t slowest(struct run *r)
{
	uint64_t min = UINT64_MAX;

	for (unsigned w = 0; w < WORKERS; w++) {
		uint64_t c =
			atomic_load_explicit(&r->credit[w * 16], memory_order_acquire);

		min = c < min ? c : min;
	}
	return min;
}

static void nng_send_all(struct run *r, void *with, uint64_t *seqs)
{
	nng_socket *s = with;
	unsigned spins = 0;

	for (uint64_t i = 0; i < r->n_events; i++) {
		struct tick t = bench_next(r, seqs, i);

		while (i - slowest(r) >= WINDOW)
			bench_relax(&spins);
		if (nng_send(*s, &t, sizeof(t), 0) != 0)
			bench_die("nng_send");
	}
}

double bench_nng(struct run *r)
{
	uint64_t all = r->n_events;
	nng_socket s;
	double rate;

	memset(r->credit, 0, sizeof(r->credit));
	r->n_events = all / NNG_SHARE;
	if (nng_pub0_open(&s) != 0 || nng_setopt_int(s, NNG_OPT_SENDBUF, 8192) != 0 ||
	    nng_listen(s, NNG_URL, NULL, 0) != 0)
		bench_die("nng publisher");
	rate = bench_timed(r, nng_work, &s, nng_send_all);
	nng_close(s);
	r->n_events = all;
	return rate;
}
