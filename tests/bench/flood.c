/*
 * flood - producers' side of the end-to-end benchmark: sends made-up ticks to a
 * running tickbusd as fast as it acknowledges them.
 *
 *	flood URL SYMBOLS SECONDS [TICKS_PER_VIRTUAL_SECOND [RATE [TICKS]]]
 *
 * With the feed clock of the daemon: event times advance by the virtual rate and a
 * clock record goes out every virtual second.  RATE > 0 paces (ticks per second);
 * TICKS ends it early.
 * Requests of 1,000 ticks, 8 open at once.  Prints what was acknowledged.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "proto/ingest.h"
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN  8
#define BATCH 1000

struct lane {
	nng_ctx ctx;
	nng_aio *aio;
	int busy;
};

struct flood {
	uint64_t seq, accepted, rejected, ticks;
	int64_t event_ns, step_ns, next_clock_ns;
	int64_t price[16384];
	uint64_t rng;
	unsigned n_symbols;
	char producer[32];
};

static uint64_t next_random(struct flood *f)
{
	f->rng ^= f->rng << 13;
	f->rng ^= f->rng >> 7;
	f->rng ^= f->rng << 17;
	return f->rng;
}

static void add(struct flood *f, struct ingest_writer *w)
{
	struct ingest_tick t;
	uint64_t r = next_random(f);
	unsigned s = (unsigned)(r % f->n_symbols);

	ingest_tick_init(&t);
	if (f->event_ns >= f->next_clock_ns) {
		t.type = RECORD_CLOCK;
		t.event_ns = f->next_clock_ns;
		f->next_clock_ns += NS_PER_S;
	} else {
		f->event_ns += f->step_ns;
		f->price[s] += ((int64_t)(r >> 32) % 5 - 2) * 10000000;
		t.event_ns = f->event_ns;
		t.price_e9 = f->price[s];
		t.size_e8 = (int64_t)(r >> 40 & 1023) * 100000000 + 100000000;
		t.bid_e9 = f->price[s] - 10000000;
		t.ask_e9 = f->price[s] + 10000000;
		t.source_seq = f->ticks++;
		(void)snprintf(t.symbol, sizeof(t.symbol), "S%04u", s);
	}
	(void)ingest_writer_add(w, &t);
	f->seq++;
}

static void send_batch(struct flood *f, struct lane *l, struct buf *b)
{
	struct ingest_writer w;
	nng_msg *m;

	b->len = 0;
	(void)ingest_writer_init(&w, b, f->producer, "flood", f->seq);
	for (int i = 0; i < BATCH; i++)
		add(f, &w);
	if (nng_msg_alloc(&m, b->len) != 0)
		abort();
	memcpy(nng_msg_body(m), b->data, b->len);
	nng_aio_set_msg(l->aio, m);
	nng_ctx_send(l->ctx, l->aio);
	nng_aio_wait(l->aio);
	if (nng_aio_result(l->aio) != 0)
		abort();
	nng_ctx_recv(l->ctx, l->aio);
	l->busy = 1;
}

static void take_reply(struct flood *f, struct lane *l)
{
	struct ingest_reply_view v;
	nng_msg *m;

	nng_aio_wait(l->aio);
	if (nng_aio_result(l->aio) != 0) {
		fprintf(stderr, "flood: %s\n", nng_strerror(nng_aio_result(l->aio)));
		exit(1);
	}
	m = nng_aio_get_msg(l->aio);
	if (ingest_reply_open(nng_msg_body(m), nng_msg_len(m), &v) != 0) {
		fprintf(stderr, "flood: %s\n", err_text());
		exit(1);
	}
	f->accepted += v.root.accepted;
	f->rejected += v.root.rejected;
	if (v.root.status != INGEST_STATUS_OK)
		fprintf(stderr, "flood: %s %.128s\n", ingest_status_name(v.root.status),
			v.root.text);
	nng_msg_free(m);
	l->busy = 0;
}

int main(int argc, char **argv)
{
	static struct flood f;
	struct lane lanes[OPEN];
	struct buf b = {0};
	nng_socket s;
	int64_t begin, end, rate;
	uint64_t sent = 0, most;

	if (argc < 4)
		return 64;
	f.n_symbols = (unsigned)atoi(argv[2]);
	f.step_ns = NS_PER_S / (argc > 4 ? atoi(argv[4]) : 2000);
	rate = argc > 5 ? atoi(argv[5]) : 0;
	most = argc > 6 ? strtoull(argv[6], NULL, 10) : UINT64_MAX;
	f.event_ns = clock_wall_ns() / NS_PER_S * NS_PER_S;
	f.next_clock_ns = f.event_ns;
	f.seq = 1;
	f.rng = 88172645463325252u;
	(void)snprintf(f.producer, sizeof(f.producer), "flood-%lld",
		       (long long)(clock_wall_ns() / NS_PER_MS));
	for (int i = 0; i < 16384; i++)
		f.price[i] = 100000000000 + (int64_t)i * 10000000;
	if (nng_req0_open(&s) != 0 || nng_dial(s, argv[1], NULL, 0) != 0)
		return 69;
	for (int i = 0; i < OPEN; i++) {
		lanes[i].busy = 0;
		if (nng_ctx_open(&lanes[i].ctx, s) != 0 ||
		    nng_aio_alloc(&lanes[i].aio, NULL, NULL) != 0)
			return 70;
	}
	begin = clock_mono_ns();
	end = begin + atoi(argv[3]) * NS_PER_S;
	for (int i = 0; clock_mono_ns() < end && sent < most; i = (i + 1) % OPEN) {
		if (lanes[i].busy)
			take_reply(&f, &lanes[i]);
		while (rate > 0 && (double)sent > (double)(clock_mono_ns() - begin) /
							  1e9 * (double)rate)
			nng_msleep(1);
		send_batch(&f, &lanes[i], &b);
		sent += BATCH;
	}
	for (int i = 0; i < OPEN; i++)
		if (lanes[i].busy)
			take_reply(&f, &lanes[i]);
	printf("flood\taccepted\t%llu\nflood\trejected\t%llu\nflood\tticks_per_s\t%."
	       "0f\n",
	       (unsigned long long)f.accepted, (unsigned long long)f.rejected,
	       (double)f.accepted / ((double)(clock_mono_ns() - begin) / 1e9));
	return 0;
}
