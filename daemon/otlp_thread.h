/*
 * otlp_thread - brings finished steps to a collector of OpenTelemetry (daemon/otlp.h).
 *
 *	loop: otlp_thread_offer() --mailbox--> OTLP thread: batches, POST, again, given
 *up
 *
 * Bounded in all: traces a second (the slow ones beyond it), the queue, a batch, the
 *time that a batch is tried for.  What does not fit is counted and forgotten: nobody
 *waits for a collector, and nothing that is derived knows of it.
 */
#pragma once
#include "base/role.h"
#include "daemon/otlp.h"

struct otlp_thread;

struct otlp_params {
	const char *url;     /* http[s]://HOST[:PORT][/PATH]; no path: /v1/traces */
	const char *ca_file; /* NULL: the system's */
	uint32_t rate;       /* traces a second */
	uint64_t epoch;
};

/** 0; -ENOMEM, or an error of the HTTP client with a sentence. */
int otlp_thread_new(const struct otlp_params *p, struct otlp_thread **out);
/** NULL is fine; the thread must have been stopped. */
void otlp_thread_free(struct otlp_thread *t);
int otlp_thread_start(struct otlp_thread *t);
/** One more try for what waits, a second at most; the rest is counted as dropped. */
void otlp_thread_stop(struct otlp_thread *t);

/** Export a copy of @s, or count why not.  Never waits. */
ON_LOOP void otlp_thread_offer(struct otlp_thread *t, const struct trace_step *s,
			       bool is_slow);
const struct otlp_resource *otlp_thread_resource(const struct otlp_thread *t);
