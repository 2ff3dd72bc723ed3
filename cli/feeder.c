/* feeder - see feeder.h. */
#include "cli/feeder.h"
#include "base/clock.h"
#include "base/err.h"
#include "proto/ingest.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS      200
#define CLOCK_STEP_NS NS_PER_S /* of event time between clock records */

struct feeder {
	struct cli *cli;         /* borrowed */
	struct tickbus_pub *pub; /* owned */
	struct feeder_counts counts;
	struct feeder_params params;
	char source[SOURCE_MAX + 1];
	char producer[64];
	uint32_t n;                      /* ticks and clock records in the batch */
	bool is_clock[INGEST_TICKS_MAX]; /* which of them are clock records */
	bool drives;                     /* the daemon's clock is ours to move */
	bool asked;
	int64_t clock_ns; /* the newest clock record sent */
};

/* The library keeps its sentence where err_text() does not look: bring it over. */
static int forward(int rc)
{
	char text[ERR_TEXT_MAX];
	size_t len = strnlen(tickbus_error(), sizeof(text) - 1);

	if (rc >= 0)
		return rc;
	memcpy(text, tickbus_error(), len);
	text[len] = '\0';
	return err_set(rc, "%s", text);
}

static int open_pub(struct feeder *f, uint64_t first_seq)
{
	const char *producer = f->producer[0] ? f->producer : NULL;
	int rc = tickbus_pub_open(&f->cli->options, producer, f->source, first_seq,
				  &f->pub);

	if (rc == 0 && producer == NULL) {
		const char *name = tickbus_pub_producer(f->pub);
		size_t len = strnlen(name, sizeof(f->producer) - 1);

		memcpy(f->producer, name, len);
	}
	return forward(rc);
}

int feeder_new(struct cli *c, const struct feeder_params *p, struct feeder **out)
{
	struct feeder *f;
	int rc;

	if (p->producer != NULL && strlen(p->producer) >= sizeof(f->producer))
		return err_set(-EINVAL, "the producer's name is too long");
	if (!source_valid(p->source, strlen(p->source)))
		return err_set(-EINVAL, "'%s' is no source: up to %d of a-z 0-9 . _ -",
			       p->source, SOURCE_MAX);
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return err_set(-ENOMEM, "no memory for a feeder");
	f->cli = c;
	f->params = *p;
	memcpy(f->source, p->source, strlen(p->source));
	if (p->producer != NULL)
		memcpy(f->producer, p->producer, strlen(p->producer));
	rc = open_pub(f, 1);
	if (rc < 0) {
		feeder_free(f);
		return rc;
	}
	*out = f;
	return 0;
}

void feeder_free(struct feeder *f)
{
	if (f == NULL)
		return;
	tickbus_pub_close(f->pub);
	free(f);
}

/* How many of a run are the user's: clock records are our own business. */
static uint32_t ticks_of(const struct feeder *f, const struct tickbus_run *run)
{
	uint32_t n = 0;

	for (uint32_t i = run->first; i < run->first + run->n && i < f->n; i++)
		n += !f->is_clock[i];
	return n;
}

static void count(struct feeder *f, const struct tickbus_ack *ack)
{
	struct feeder_counts *c = &f->counts;

	c->resends += ack->resends;
	c->is_synced = ack->is_synced != 0;
	if (ack->last_pos > c->last_pos)
		c->last_pos = ack->last_pos;
	for (size_t i = 0; i < ack->n_runs; i++) {
		const struct tickbus_run *run = &ack->runs[i];
		uint32_t n = ticks_of(f, run);

		if (run->result == TICKBUS_ACCEPTED)
			c->accepted += n;
		else if (run->result == TICKBUS_DUPLICATE)
			c->duplicate += n;
		else
			c->rejected += n;
		if (run->result == TICKBUS_REJECTED && run->reason < REJECT_N)
			c->by_reason[run->reason] += n;
	}
}

/* Answers that change with time: the daemon is away, busy, or its disk is full. */
static bool is_passing(int rc)
{
	return rc == -ETIMEDOUT || rc == -EAGAIN || rc == -ENOSPC ||
	       rc == -ECONNREFUSED || rc == -ECONNRESET || rc == -EIO;
}

int feeder_flush(struct feeder *f)
{
	int64_t until_ns = clock_mono_ns() + f->params.patience_ns;
	struct tickbus_ack ack;
	int rc;

	if (f->n == 0)
		return 0;
	for (;;) {
		rc = tickbus_pub_flush(f->pub, &ack);
		f->counts.resends += rc < 0 ? ack.resends : 0;
		if (rc >= 0 || !is_passing(rc) || clock_mono_ns() >= until_ns)
			break;
		if (cli_stopped(f->cli, RETRY_MS))
			return FEEDER_STOPPED;
	}
	if (rc != 0)
		return forward(rc == TICKBUS_REFUSED ? -EPROTO : rc);
	count(f, &ack);
	f->n = 0;
	return 0;
}

/* A source of its own: one request names one source, so begin a new one. */
static int switch_source(struct feeder *f, const char *source)
{
	size_t len = symbol_field_len(source, SOURCE_MAX);
	uint64_t next_seq;
	int rc;

	if (len == 0) {
		source = f->params.source;
		len = strlen(source);
	}
	if (strlen(f->source) == len && memcmp(f->source, source, len) == 0)
		return 0;
	rc = feeder_flush(f);
	if (rc != 0)
		return rc;
	next_seq = tickbus_pub_next_seq(f->pub);
	tickbus_pub_close(f->pub);
	f->pub = NULL;
	memset(f->source, 0, sizeof(f->source));
	memcpy(f->source, source, len);
	return open_pub(f, next_seq);
}

static int add(struct feeder *f, const struct tickbus_tick *tick)
{
	int rc = tickbus_pub_add(f->pub, tick);

	if (rc == TICKBUS_FULL) {
		rc = feeder_flush(f);
		if (rc != 0)
			return rc;
		rc = tickbus_pub_add(f->pub, tick);
	}
	if (rc != 0)
		return err_set(-EINVAL, "a tick does not fit an empty batch");
	f->is_clock[f->n++] = tick->type == RECORD_CLOCK;
	return f->n >= f->params.batch_max ? feeder_flush(f) : 0;
}

/*
 * Under a name of its own: the sequences of the user's producer are those of the lines,
 * so that a file that has grown can be sent again from its beginning.
 */
int feeder_clock(struct feeder *f, int64_t ns, enum reject_reason *out)
{
	struct tickbus_pub *pub;
	struct tickbus_tick tick;
	struct tickbus_ack ack;
	int rc = feeder_flush(f);

	if (rc == 0)
		rc = forward(
			tickbus_pub_open(&f->cli->options, NULL, f->source, 1, &pub));
	if (rc != 0)
		return rc;
	tickbus_tick_init(&tick, "", ns);
	tick.type = RECORD_CLOCK;
	rc = forward(tickbus_pub_batch(pub, &tick, 1, &ack));
	if (rc == 0 && ack.n_runs == 1)
		*out = (enum reject_reason)ack.runs[0].reason;
	if (rc == 0 && ack.last_pos > f->counts.last_pos)
		f->counts.last_pos = ack.last_pos;
	tickbus_pub_close(pub);
	return rc < 0 ? rc : 0;
}

/*
 * A daemon that takes its time from producers judges each tick by the newest clock
 * record: so time is moved on before the ticks of a new second.  Whether it does is
 * asked once, with the first tick's time; the wall's clock needs no help.
 */
static int drive_clock(struct feeder *f, int64_t ns)
{
	enum reject_reason reason = REJECT_NONE;
	struct tickbus_tick tick;

	if (!f->asked) {
		int rc = feeder_clock(f, ns, &reason);

		if (rc != 0)
			return rc;
		f->asked = true;
		f->drives = reason != REJECT_CLOCK_NOT_ALLOWED;
		f->clock_ns = ns;
	}
	if (!f->drives || ns < f->clock_ns + CLOCK_STEP_NS)
		return 0;
	tickbus_tick_init(&tick, "", ns);
	tick.type = RECORD_CLOCK;
	f->clock_ns = ns;
	return add(f, &tick);
}

int feeder_add(struct feeder *f, const struct feed_tick *t)
{
	const struct record *r = &t->rec;
	struct tickbus_tick tick;
	char symbol[SYMBOL_MAX + 1] = "";
	int rc = switch_source(f, t->source);

	if (rc == 0)
		rc = drive_clock(f, r->event_ns);
	if (rc != 0)
		return rc;
	memcpy(symbol, t->symbol, SYMBOL_MAX);
	tickbus_tick_init(&tick, symbol, r->event_ns);
	tick.price_e9 = r->price_e9;
	tick.size_e8 = r->size_e8;
	tick.bid_e9 = r->bid_e9;
	tick.ask_e9 = r->ask_e9;
	tick.bid_size_e8 = r->bid_size_e8;
	tick.ask_size_e8 = r->ask_size_e8;
	tick.source_seq = r->source_seq;
	tick.ref_seq = r->ref_seq;
	memcpy(tick.cond, r->cond, sizeof(tick.cond));
	tick.type = r->type;
	tick.action = (uint8_t)record_action(r);
	tick.flags = (uint8_t)record_flags(r);
	if (r->event_ns > f->counts.newest_ns)
		f->counts.newest_ns = r->event_ns;
	return add(f, &tick);
}

const struct feeder_counts *feeder_counts(const struct feeder *f)
{
	return &f->counts;
}

const char *feeder_producer(const struct feeder *f)
{
	return f->producer;
}
