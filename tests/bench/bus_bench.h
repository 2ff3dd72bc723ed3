/* bus_bench - what the bus and its peers share: the work, and how it is timed. */
#pragma once
#include "bus/ring.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKERS   2
#define SLOTS     4096
#define HISTORY   512
#define DRAWS     (1u << 20)
#define NNG_SHARE 40 /* nng gets this many times fewer events */
#define WINDOW    2048

/* 48 bytes: with the bus's or a ring's own 16 a cache line. */
struct tick {
	int64_t at_ns;
	uint64_t seq;
	int64_t price_e9, size_e8;
	uint32_t symbol;
	uint32_t flags;
	uint64_t source_seq;
};

struct state {
	uint64_t count;
	int64_t last, high, low;
	__int128 volume;
};

struct run {
	uint32_t n_symbols;
	uint64_t n_events;
	const uint32_t *draw;
	struct state *states;
	uint64_t wrong[WORKERS];
	uint64_t handled[WORKERS * 16]; /* apart: one line each */
	_Atomic uint64_t credit[WORKERS * 16];
	atomic_bool done;
	atomic_uint ready;
	/* latency */
	int64_t *latency_ns;
	uint64_t n_latency;
};

struct job {
	struct run *r;
	unsigned worker;
	void *with;
};

typedef void (*publish_fn)(struct run *r, void *with, uint64_t *seqs);

_Noreturn void bench_die(const char *what);
/** Back off: more threads than processors must not starve each other. */
void bench_relax(unsigned *spins);
/** What every variant does with an event. */
void bench_handle(struct run *r, unsigned worker, const struct tick *t);
struct tick bench_next(const struct run *r, uint64_t *seqs, uint64_t i);
/** Forget what the warm-up did: the memory is touched, the counts begin anew. */
void bench_reset(struct run *r);
/** Start the workers, publish, wait for them; returns events per second / 1e6. */
double bench_timed(struct run *r, void *(*work)(void *), void *with,
		   publish_fn publish);

double bench_bare(struct run *r);
double bench_mutex(struct run *r);
double bench_nng(struct run *r);
