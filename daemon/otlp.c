/* otlp - see otlp.h. */
#include "daemon/otlp.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "daemon/trace_book.h"
#include "feeds/retry.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SPAN_INTERNAL  1u   /* SpanKind of the proto: enums are numbers in its JSON */
#define SPAN_CONSUMER  5u   /* the root: it took what a producer sent */
#define SPANS_OF_TRACE 128u /* more than a step has, so that their ids differ */

#define WAIT_FIRST_NS NS_PER_S
#define WAIT_MAX_NS   (30 * NS_PER_S)
#define WAIT_MIN_NS   (100 * NS_PER_MS) /* "Retry-After: 0" is no reason to spin */
#define WAIT_TOLD_MAX (300 * NS_PER_S)  /* a longer Retry-After is cut to this */

/* ---- who and what ---- */

void otlp_resource_init(struct otlp_resource *r, const uint8_t random[16],
			uint64_t epoch)
{
	uint8_t u[16];

	memcpy(u, random, sizeof(u));
	u[6] = (uint8_t)((u[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
	u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
	*r = (struct otlp_resource){.epoch = epoch, .pid = getpid()};
	(void)snprintf(r->instance, sizeof(r->instance),
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x"
		       "%02x%02x",
		       u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9],
		       u[10], u[11], u[12], u[13], u[14], u[15]);
	for (size_t i = 0; i < 8; i++)
		r->prefix = r->prefix << 8 | u[i]; /* the version makes it not 0 */
	if (gethostname(r->host, sizeof(r->host) - 1) != 0)
		r->host[0] = '\0';
}

void otlp_trace_id(const struct otlp_resource *r, const struct trace_step *s,
		   char out[OTLP_TRACE_ID_MAX])
{
	(void)snprintf(out, OTLP_TRACE_ID_MAX, "%016" PRIx64 "%016" PRIx64, r->prefix,
		       s->first_pos);
}

/* Of span @k of the step: unlike all others of this process, never 0. */
static uint64_t span_id(const struct otlp_resource *r, const struct trace_step *s,
			uint32_t k)
{
	uint64_t id = hash_mix(r->prefix ^ (s->first_pos * SPANS_OF_TRACE + k));

	return id == 0 ? 1 : id;
}

/* ---- attributes ---- */

static void begin_attribute(struct jsonw *w, const char *key)
{
	jsonw_object(w, NULL);
	jsonw_str(w, "key", key);
	jsonw_object(w, "value");
}

static void end_attribute(struct jsonw *w)
{
	jsonw_end(w);
	jsonw_end(w);
}

static void put_text(struct jsonw *w, const char *key, const char *value)
{
	begin_attribute(w, key);
	jsonw_str(w, "stringValue", value);
	end_attribute(w);
}

/* proto3's JSON writes 64-bit integers as strings. */
static void put_number(struct jsonw *w, const char *key, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	begin_attribute(w, key);
	jsonw_str(w, "intValue", text);
	end_attribute(w);
}

static void put_flag(struct jsonw *w, const char *key, bool value)
{
	begin_attribute(w, key);
	jsonw_bool(w, "boolValue", value);
	end_attribute(w);
}

/* ---- spans ---- */

struct span {
	const char *name;
	int64_t start_ns, end_ns; /* wall clock */
	uint32_t k;               /* 0: the root */
	int64_t worker;           /* -1: none */
};

struct writer {
	const struct otlp_resource *r;
	const struct otlp_trace *trace;
	struct jsonw *w; /* NULL: they are only counted */
	uint32_t n;
};

static void put_time(struct jsonw *w, const char *key, int64_t ns)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, ns > 0 ? ns : 0);
	jsonw_str(w, key, text);
}

static void put_ids(struct writer *o, const struct span *s)
{
	const struct trace_step *step = &o->trace->step;
	char id[OTLP_TRACE_ID_MAX];

	otlp_trace_id(o->r, step, id);
	jsonw_str(o->w, "traceId", id);
	jsonw_hex64(o->w, "spanId", span_id(o->r, step, s->k));
	if (s->k != 0)
		jsonw_hex64(o->w, "parentSpanId", span_id(o->r, step, 0));
}

static void put_attributes(struct writer *o, const struct span *s)
{
	const struct trace_step *step = &o->trace->step;

	jsonw_array(o->w, "attributes");
	if (s->k == 0) {
		put_number(o->w, "tickbus.position.first", (int64_t)step->first_pos);
		put_number(o->w, "tickbus.position.last", (int64_t)step->last_pos);
		put_number(o->w, "tickbus.records",
			   (int64_t)(step->last_pos - step->first_pos + 1));
		put_flag(o->w, "tickbus.slow", o->trace->is_slow);
	}
	if (s->worker >= 0)
		put_number(o->w, "tickbus.worker", s->worker);
	jsonw_end(o->w);
}

static void put_span(struct writer *o, const struct span *s)
{
	o->n++;
	if (o->w == NULL)
		return;
	jsonw_object(o->w, NULL);
	put_ids(o, s);
	jsonw_str(o->w, "name", s->name);
	jsonw_u64(o->w, "kind", s->k == 0 ? SPAN_CONSUMER : SPAN_INTERNAL);
	put_time(o->w, "startTimeUnixNano", s->start_ns);
	/* The wall's clock may have been set back in between. */
	put_time(o->w, "endTimeUnixNano",
		 s->end_ns > s->start_ns ? s->end_ns : s->start_ns);
	put_attributes(o, s);
	jsonw_end(o->w);
}

/* From one stage to another, both monotonic; 0: it is not known, and there is none. */
static void put_stage(struct writer *o, uint32_t k, const char *name, int64_t from,
		      int64_t to, int64_t worker)
{
	const struct trace_step *step = &o->trace->step;
	struct span s = {.name = name, .k = k, .worker = worker};

	if (from == 0 || to == 0)
		return;
	s.start_ns = trace_wall_ns(step, from);
	s.end_ns = trace_wall_ns(step, to);
	put_span(o, &s);
}

/* @out_last: when the last of them was through; 0: it is not known. */
static void put_workers(struct writer *o, int64_t *out_last)
{
	const struct trace_step *s = &o->trace->step;
	bool is_known = true;

	*out_last = 0;
	for (uint32_t w = 0; w < s->n_workers; w++) {
		int64_t at = s->at_ns[TRACE_WORKER + w];

		put_stage(o, 8 + w, trace_span_name(SPAN_WORKER),
			  s->at_ns[TRACE_DISPATCH], at, w);
		*out_last = at > *out_last ? at : *out_last;
		is_known = is_known && at != 0;
	}
	if (!is_known)
		*out_last = 0;
}

static void put_trace(struct writer *o)
{
	const struct trace_step *s = &o->trace->step;
	const int64_t *at = s->at_ns;
	int64_t workers;
	struct span root = {.name = "record",
			    .start_ns = s->recv_ns,
			    .end_ns = trace_wall_ns(s, at[TRACE_PUBLISH]),
			    .worker = -1};

	put_span(o, &root);
	if (at[TRACE_COMMIT] != 0) {
		struct span commit = {.name = trace_span_name(SPAN_COMMIT),
				      .start_ns = s->recv_ns,
				      .end_ns = trace_wall_ns(s, at[TRACE_COMMIT]),
				      .k = 1,
				      .worker = -1};

		put_span(o, &commit);
	}
	put_stage(o, 2, trace_span_name(SPAN_DISPATCH), at[TRACE_COMMIT],
		  at[TRACE_DISPATCH], -1);
	if (s->last_tick != 0)
		put_stage(o, 3, trace_span_name(SPAN_TICK), at[TRACE_DISPATCH],
			  at[TRACE_TICK], -1);
	put_workers(o, &workers);
	put_stage(o, 4, trace_span_name(SPAN_TIER2), workers, at[TRACE_TIER2], -1);
	put_stage(o, 5, trace_span_name(SPAN_PUBLISH), at[TRACE_TIER2],
		  at[TRACE_PUBLISH], -1);
}

uint32_t otlp_spans(const struct trace_step *s)
{
	struct otlp_trace trace = {.step = *s};
	struct writer o = {.trace = &trace};

	put_trace(&o);
	return o.n;
}

static void put_resource(struct jsonw *w, const struct otlp_resource *r)
{
	jsonw_object(w, "resource");
	jsonw_array(w, "attributes");
	put_text(w, "service.name", "tickbus");
	put_text(w, "service.version", TICKBUS_VERSION);
	put_text(w, "service.instance.id", r->instance);
	if (r->host[0] != '\0')
		put_text(w, "host.name", r->host);
	put_number(w, "process.pid", r->pid);
	put_number(w, "tickbus.epoch", (int64_t)r->epoch);
	jsonw_end(w);
	jsonw_end(w);
}

uint32_t otlp_encode(const struct otlp_resource *r, const struct otlp_trace *traces,
		     size_t n, struct buf *out)
{
	struct jsonw w;
	struct writer o = {.r = r, .w = &w};

	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_array(&w, "resourceSpans");
	jsonw_object(&w, NULL);
	put_resource(&w, r);
	jsonw_array(&w, "scopeSpans");
	jsonw_object(&w, NULL);
	jsonw_object(&w, "scope");
	jsonw_str(&w, "name", "tickbus.trace");
	jsonw_str(&w, "version", TICKBUS_VERSION);
	jsonw_end(&w);
	jsonw_array(&w, "spans");
	for (size_t i = 0; i < n; i++) {
		o.trace = &traces[i];
		put_trace(&o);
	}
	for (int depth = 0; depth < 6; depth++)
		jsonw_end(&w);
	return o.n;
}

/* ---- answers ---- */

/* {"partialSuccess":{"rejectedSpans":"3","errorMessage":"..."}}; anything else: all. */
static void read_partial(const struct otlp_answer *a, struct otlp_verdict *out)
{
	struct json *root = NULL;
	const struct json *partial;
	uint64_t n = 0;

	if (a->len == 0 || json_parse(a->body, a->len, &root) != 0)
		return;
	partial = json_is_object(root) ? json_get(root, "partialSuccess") : NULL;
	if (json_is_object(partial)) {
		if (json_get(partial, "rejectedSpans") != NULL &&
		    json_u64(json_get(partial, "rejectedSpans"), &n) != 0)
			n = 0;
		(void)snprintf(out->text, sizeof(out->text), "%s",
			       json_str(json_get(partial, "errorMessage"), ""));
	}
	out->rejected = n < a->spans ? n : a->spans;
	json_free(root);
}

static bool is_worth_it(const struct otlp_answer *a)
{
	switch (a->error) {
	case 0:
		return a->status == 429 || (a->status >= 502 && a->status <= 504);
	case -EACCES: /* its certificate */
	case -EINVAL: /* the address */
	case -EFBIG:  /* it had them, and says too much about it */
		return false;
	default:
		return true;
	}
}

/* Doubles with each attempt; chance takes up to half of it away. */
static int64_t back_off(uint32_t attempt, struct rng *chance)
{
	uint32_t doublings = attempt < 1 ? 0 : attempt - 1;
	int64_t wait = doublings < 5 ? WAIT_FIRST_NS << doublings : WAIT_MAX_NS;

	wait = wait < WAIT_MAX_NS ? wait : WAIT_MAX_NS;
	return wait - rng_below64(chance, wait / 2);
}

void otlp_judge(const struct otlp_answer *a, struct rng *chance,
		struct otlp_verdict *out)
{
	*out = (struct otlp_verdict){.action = OTLP_REFUSED};
	if (a->error == 0 && a->status >= 200 && a->status <= 299) {
		out->action = OTLP_TAKEN;
		read_partial(a, out);
	} else if (is_worth_it(a)) {
		out->action = OTLP_AGAIN;
		if (a->error != 0 ||
		    retry_after(a->retry_after, a->wall_ns, &out->wait_ns) != 0)
			out->wait_ns = back_off(a->attempt, chance);
		if (out->wait_ns > WAIT_TOLD_MAX)
			out->wait_ns = WAIT_TOLD_MAX;
		if (out->wait_ns < WAIT_MIN_NS)
			out->wait_ns = WAIT_MIN_NS;
	}
}
