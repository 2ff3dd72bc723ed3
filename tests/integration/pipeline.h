/*
 * pipeline - the daemon's data path on one thread (or its workers'), for tests:requests
 * in, log, dispatch, workers, tier 2, events out.  The very code of the daemon, stepped
 * by hand; only sockets and threads are missing.
 */
#pragma once
#include "daemon/dispatch.h"
#include "daemon/intake.h"
#include "proto/ingest.h"
#include "workers/params.h"

struct pipeline;

/** Every event in the order in which it left its worker; tier2: with its tail. */
typedef void (*pipeline_sink_fn)(void *arg, enum event_kind kind, const void *event,
				 size_t len);

struct pipeline_env {
	const struct params *params; /* borrowed */
	uint32_t n_workers;
	const char *dir;     /* state directory, made if absent */
	uint32_t ring_slots; /* 0: 4096; small ones exercise the back-pressure */
	uint32_t history, inflight, turn; /* 0: small ones, which exercise the bus */
	bool threads; /* every worker on its own; the caller is store, loop and tier 2
		       */
	bool clock_wall;
	int64_t too_old_ns, future_ns;
	pipeline_sink_fn sink;
	void *arg;
};

struct pipeline *pipeline_new(const struct pipeline_env *env);
void pipeline_free(struct pipeline *p);
/** One ingest request (SBE or JSON); the reply's bytes, valid until the next call. */
const void *pipeline_request(struct pipeline *p, const void *data, size_t len,
			     size_t *out_len);
/** Collect ticks into requests of @batch under producer "test". */
void pipeline_tick(struct pipeline *p, const struct ingest_tick *t);
void pipeline_flush(struct pipeline *p);
/** A tick from text: helper for readable tests. */
void pipeline_trade(struct pipeline *p, const char *symbol, int64_t event_ns,
		    int64_t price_e9, int64_t size_e8);
void pipeline_clock(struct pipeline *p, int64_t ns);
void pipeline_control(struct pipeline *p, enum control_verb verb, const char *symbol);
/**
 * Carry everything in the log to the end of the stream.  A bus that is stopped takes
 * nothing: it is left there, but do not ask for that with threads.
 */
void pipeline_run(struct pipeline *p);
struct symtab *pipeline_symbols(struct pipeline *p);
struct bus *pipeline_bus(struct pipeline *p);
struct tickstore *pipeline_store(struct pipeline *p);
/** Totals of the replies so far. */
uint64_t pipeline_accepted(const struct pipeline *p);
uint64_t pipeline_rejected(const struct pipeline *p);
