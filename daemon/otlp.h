/*
 * otlp - what a collector of OpenTelemetry is told of finished steps, and what its
 * answers mean: OTLP/HTTP with JSON (opentelemetry-proto 1.x,
 *ExportTraceServiceRequest).
 *
 *	record ------------------------------------------------  accepted .. published
 *	  commit ----- dispatch -- worker 0 --- tier2 -- publish
 *	                        \- worker 1 -/
 *	                        \- tick
 *
 * A step of the dispatcher (bus/trace.h) is a trace: its root is the record that it
 * began with, and each stage is a child of the root.  The trace id is 16 bytes: 8 of
 *this process, and the log position.  Ids are hex and 64-bit numbers strings, as OTLP's
 *JSON wants them.
 *
 * Pure, any thread.
 */
#pragma once
#include "base/buf.h"
#include "bus/trace.h"
#include "feeds/rng.h"
#include <stddef.h>

#define OTLP_TRACE_ID_MAX 33 /* 32 hex digits and the NUL */

/** Who exports. */
struct otlp_resource {
	char instance[37]; /* service.instance.id: a UUID, new with each start */
	char host[65];
	uint64_t prefix; /* of its trace ids; not 0 */
	uint64_t epoch;
	int64_t pid;
};

struct otlp_trace {
	struct trace_step step;
	bool is_slow; /* it took trace.slow or longer */
};

/** @random makes the UUID. */
void otlp_resource_init(struct otlp_resource *r, const uint8_t random[16],
			uint64_t epoch);
void otlp_trace_id(const struct otlp_resource *r, const struct trace_step *s,
		   char out[OTLP_TRACE_ID_MAX]);
/** Spans that a step makes: the root, and what is known of its stages. */
uint32_t otlp_spans(const struct trace_step *s);
/** Append an ExportTraceServiceRequest of @n traces; returns its number of spans. */
uint32_t otlp_encode(const struct otlp_resource *r, const struct otlp_trace *traces,
		     size_t n, struct buf *out);

enum otlp_action {
	OTLP_TAKEN = 1, /* but for `rejected` spans */
	OTLP_AGAIN,     /* after wait_ns */
	OTLP_REFUSED,   /* the same again would meet the same */
};

/** How a request ended. */
struct otlp_answer {
	int error; /* 0, or a negated errno: there is no answer */
	long status;
	const char *retry_after; /* "" if not said */
	const char *body;
	size_t len;
	uint32_t spans;   /* that were sent */
	uint32_t attempt; /* 1: it was the first */
	int64_t wall_ns;
};

struct otlp_verdict {
	enum otlp_action action;
	int64_t wait_ns;
	uint64_t rejected; /* spans, of a partial success; at most those sent */
	char text[160];    /* what the collector says to it; "": nothing */
};

/**
 * 2xx: taken; 429, 502, 503, 504 and broken connections: again, after Retry-After or a
 * wait that doubles; everything else is refused.
 */
void otlp_judge(const struct otlp_answer *a, struct rng *chance,
		struct otlp_verdict *out);
