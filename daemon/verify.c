/* verify - see verify.h. */
#include "daemon/verify.h"
#include "base/clock.h"
#include "base/err.h"
#include "daemon/verify_parts.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK      4096u /* records of one piece of work for the store */
#define CHUNK_RUNS 256u  /* ... read from at most so many segments */

const enum event_kind verify_kinds[VERIFY_KINDS] = {EVENT_BAR, EVENT_TIER1, EVENT_TIER2,
						    EVENT_NEWS, EVENT_STATUS};

/* ---- differences ---- */

void verify_differs(struct verify *v, uint64_t pos, const struct verify_face *face,
		    const char *field, const char *sentence)
{
	struct verify_result *out = v->out;

	if (out->has_first && out->first.pos <= pos)
		return;
	out->has_first = true;
	out->first = face != NULL ? *face : (struct verify_face){0};
	out->first.pos = pos;
	(void)snprintf(out->field, sizeof(out->field), "%s", field);
	(void)snprintf(out->problem, sizeof(out->problem), "%s", sentence);
}

/* "bar of AAPL, sequence 7 at position 1234: WHAT" */
static void event_differs(struct verify *v, enum event_kind kind, const void *event,
			  const char *field, const char *what)
{
	char sentence[VERIFY_TEXT_MAX + 160];
	struct verify_face f;

	verify_face_of(kind, event, &f);
	(void)snprintf(sentence, sizeof(sentence),
		       "%s of %s, sequence %llu at position %llu: %s",
		       event_kind_word(kind), f.symbol, (unsigned long long)f.seq,
		       (unsigned long long)f.pos, what);
	verify_differs(v, f.pos, &f, field, sentence);
}

/* ---- one event ---- */

struct key {
	uint64_t pos, seq;
	uint32_t symbol_id;
};

static struct key key_of(enum event_kind kind, const void *event)
{
	struct event_head head;
	struct key k;

	memcpy(&head, event, sizeof(head));
	k = (struct key){.pos = head.pos, .seq = head.seq};
	k.symbol_id = event_symbol_id(kind, event);
	if (kind == EVENT_TIER2)
		k.seq = 0; /* matrices of one position: in order of arrival */
	return k;
}

/* Where @a stands beside @b in canonical order: < 0, 0, > 0. */
static int order(const struct key *a, const struct key *b)
{
	if (a->pos != b->pos)
		return a->pos < b->pos ? -1 : 1;
	if (a->symbol_id != b->symbol_id)
		return a->symbol_id < b->symbol_id ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static void extra(struct verify *v, enum event_kind kind, const void *stored)
{
	v->out->kinds[kind].extra++;
	event_differs(v, kind, stored, "",
		      "it is in the store and does not follow from the log");
}

static void missing(struct verify *v, enum event_kind kind, const void *event,
		    uint64_t pos)
{
	struct verify_kind *n = &v->out->kinds[kind];

	if (pos < v->rows[kind].held_from) {
		n->retired++;
	} else if (pos > v->stored_to[kind]) {
		n->not_stored++;
	} else {
		n->missing++;
		event_differs(v, kind, event, "",
			      "it follows from the log and is not in the store");
	}
}

static void different(struct verify *v, enum event_kind kind, const void *stored,
		      size_t stored_len, const void *event, size_t len)
{
	char field[VERIFY_FIELD_MAX], text[VERIFY_TEXT_MAX];

	v->out->kinds[kind].different++;
	verify_diff(kind, stored, stored_len, event, len, field, text);
	event_differs(v, kind, event, field, text);
}

int verify_event(struct verify *v, enum event_kind kind, const void *event, size_t len)
{
	struct verify_rows *rows = &v->rows[kind];
	struct key k = key_of(kind, event);
	const void *stored;
	size_t stored_len;
	int rc;

	heads_note(v->heads, kind, event);
	if (k.pos < v->out->from)
		return 0;
	if (v->is_foreign) {
		v->out->kinds[kind].other_config++;
		return 0;
	}
	while ((rc = verify_rows_peek(rows, &stored, &stored_len)) == 0) {
		struct key s;
		int side;

		if (stored_len == len && memcmp(stored, event, len) == 0) {
			v->out->kinds[kind].equal++;
			verify_rows_step(rows);
			return 0;
		}
		s = key_of(kind, stored);
		side = order(&s, &k);
		if (side > 0)
			break;
		if (side == 0) {
			different(v, kind, stored, stored_len, event, len);
			verify_rows_step(rows);
			return 0;
		}
		extra(v, kind, stored);
		verify_rows_step(rows);
	}
	if (rc < 0)
		return rc;
	missing(v, kind, event, k.pos);
	return 0;
}

/* Pass the stored events of @kind below @pos; as extra ones if @count. */
static int pass_rows(struct verify *v, enum event_kind kind, uint64_t pos, bool count)
{
	const void *stored;
	size_t len;
	int rc;

	while ((rc = verify_rows_peek(&v->rows[kind], &stored, &len)) == 0 &&
	       key_of(kind, stored).pos < pos) {
		if (count)
			extra(v, kind, stored);
		verify_rows_step(&v->rows[kind]);
	}
	return rc < 0 ? rc : 0;
}

static int pass_all_rows(struct verify *v, uint64_t pos, bool count)
{
	int rc = 0;

	for (size_t i = 0; i < VERIFY_KINDS && rc == 0; i++)
		rc = pass_rows(v, verify_kinds[i], pos, count);
	return rc;
}

/* ---- records ---- */

struct chunk {
	uint64_t want; /* read from here */
	uint64_t pos;  /* of the first record; later than wanted behind a hole */
	uint32_t n;
	struct record *recs; /* owned; CHUNK */
	struct store_piece piece;
};

static int read_chunk(struct tickstore *ts, void *arg)
{
	struct chunk *c = arg;
	uint64_t pos = c->want;

	role_assert_store();
	c->n = 0;
	for (unsigned i = 0; i < CHUNK_RUNS && c->n < CHUNK; i++) {
		uint64_t got = pos;
		uint32_t n = 0;
		int rc =
			tickstore_read(ts, pos, CHUNK - c->n, c->recs + c->n, &got, &n);

		if (rc == STORE_END)
			return 0;
		if (rc == STORE_GONE)
			return err_set(-ENOENT,
				       "position %llu was retired while it was to be "
				       "read; the log begins at %llu now",
				       (unsigned long long)pos,
				       (unsigned long long)got);
		if (rc < 0)
			return rc;
		if (c->n == 0)
			c->pos = got;
		else if (got != pos)
			return 0; /* a hole: the next chunk begins behind it */
		c->n += n;
		pos = got + n;
	}
	return 0;
}

/* From a record on that changes the configuration of what is derived. */
static int config_record(struct verify *v, uint64_t pos, const struct record *r)
{
	bool is_foreign = r->source_seq != v->config_hash;
	int rc;

	if (is_foreign == v->is_foreign)
		return 0;
	rc = rerun_sync(v->rerun);
	if (rc == 0 && v->is_foreign)
		rc = pass_all_rows(v, pos, false);
	v->is_foreign = is_foreign;
	return rc;
}

static bool is_config(const struct record *r)
{
	return r->type == RECORD_CONTROL && r->ref_seq == CONTROL_CONFIG;
}

/* The state at a snapshot's position has been reached. */
static int at_snapshot(struct verify *v)
{
	const struct store_snapshot *s = &v->inside[v->next_inside++];
	int rc = rerun_sync(v->rerun);

	if (rc != 0)
		return rc;
	if (!v->is_foreign)
		return verify_state(v, s);
	v->out->snapshots_unusable++;
	return 0;
}

static int feed(struct verify *v, const struct chunk *c, uint32_t n)
{
	const uint64_t end = c->pos + n;
	uint32_t i = 0;

	while (i < n) {
		uint32_t stop = n;
		bool has_snapshot;
		int rc = 0;

		while (v->next_inside < v->n_inside &&
		       v->inside[v->next_inside].pos < c->pos + i)
			v->next_inside++; /* it stands at a position that was lost */
		has_snapshot = v->next_inside < v->n_inside &&
			       v->inside[v->next_inside].pos < end;
		if (has_snapshot)
			stop = (uint32_t)(v->inside[v->next_inside].pos - c->pos) + 1;
		if (is_config(&c->recs[i]))
			rc = config_record(v, c->pos + i, &c->recs[i]);
		for (uint32_t k = i + 1; k < stop; k++) {
			if (is_config(&c->recs[k])) {
				stop = k;
				has_snapshot = false;
			}
		}
		if (rc == 0)
			rc = rerun_feed(v->rerun, c->pos + i, c->recs + i, stop - i);
		if (rc == 0 && has_snapshot)
			rc = at_snapshot(v);
		if (rc != 0)
			return rc;
		i = stop;
	}
	return 0;
}

static void count(struct verify *v, const struct chunk *c, uint32_t n)
{
	v->out->records += n;
	for (uint32_t i = 0; i < n; i++)
		v->out->ticks += c->recs[i].type == RECORD_TICK;
	atomic_store(&v->env->progress->pos, c->pos + n - 1);
}

/* One chunk is read while the one before is derived from. */
static int read_log(struct verify *v)
{
	struct chunk chunk[2] = {{0}};
	unsigned now = 0;
	uint32_t n = 1;
	int rc = 0;

	for (int i = 0; i < 2; i++) {
		chunk[i].recs = malloc(CHUNK * sizeof(struct record));
		if (chunk[i].recs == NULL)
			rc = err_set(-ENOMEM, "out of memory for the log's records");
	}
	if (rc == 0) {
		chunk[0].want = v->start.pos > 0 ? v->start.pos + 1 : v->first_pos;
		store_access_start(&v->env->access, &chunk[0].piece, read_chunk,
				   &chunk[0]);
	}
	while (rc == 0 && n > 0) {
		struct chunk *c = &chunk[now], *next = &chunk[now ^ 1];

		rc = store_access_wait(&c->piece);
		if (rc < 0)
			break;
		n = c->n == 0 || c->pos > v->out->to ? 0 : c->n;
		if (n > 0 && c->pos + n - 1 > v->out->to)
			n = (uint32_t)(v->out->to - c->pos) + 1;
		if (n == 0)
			break;
		next->want = c->pos + c->n;
		store_access_start(&v->env->access, &next->piece, read_chunk, next);
		count(v, c, n);
		rc = atomic_load(&v->env->progress->cancel) ? -ECANCELED
							    : feed(v, c, n);
		now ^= 1;
		if (rc != 0)
			(void)store_access_wait(&next->piece);
	}
	free(chunk[0].recs);
	free(chunk[1].recs);
	return rc;
}

/* ---- all of it ---- */

static int compare(struct verify *v)
{
	int rc = heads_new(v->env->params, v->env->symbols, v->env->symbols_max,
			   &v->heads);

	v->config_hash = params_hash(v->env->params);
	if (rc == 0)
		rc = verify_plan(v);
	for (size_t i = 0; i < VERIFY_KINDS && rc == 0; i++)
		rc = verify_rows_open(&v->rows[verify_kinds[i]], &v->env->access,
				      verify_kinds[i], v->out->from);
	if (rc != 0)
		return rc;
	atomic_store(&v->env->progress->from, v->start.pos + 1);
	atomic_store(&v->env->progress->to, v->out->to);
	rc = pass_all_rows(v, v->out->from, false);
	if (rc == 0 && v->first_pos != 0)
		rc = read_log(v);
	if (rc == 0)
		rc = rerun_sync(v->rerun);
	if (rc == 0)
		rc = pass_all_rows(v, v->out->to + 1, !v->is_foreign);
	return rc;
}

static bool has_differences(const struct verify_result *r)
{
	uint64_t n = r->snapshots_different;

	for (size_t i = 0; i < VERIFY_KINDS; i++) {
		const struct verify_kind *k = &r->kinds[verify_kinds[i]];

		n += k->different + k->missing + k->extra;
	}
	return n > 0;
}

void verify_run(const struct verify_env *env, struct verify_result *out)
{
	struct verify *v = calloc(1, sizeof(*v));
	int64_t begin_ns = clock_mono_ns();
	int rc;

	*out = (struct verify_result){.verdict = VERIFY_FAILED};
	if (v == NULL) {
		(void)snprintf(out->problem, sizeof(out->problem),
			       "out of memory for the verification");
		return;
	}
	v->env = env;
	v->out = out;
	rc = compare(v);
	out->start = v->start.pos;
	out->elapsed_ns = clock_mono_ns() - begin_ns;
	if (rc == -ECANCELED)
		out->verdict = VERIFY_CANCELLED;
	else if (rc == 0)
		out->verdict = has_differences(out) ? VERIFY_DIFFERS : VERIFY_EQUAL;
	else
		(void)snprintf(out->problem, sizeof(out->problem), "%s", err_text());
	if (rc == 0)
		out->n_heads = heads_list(v->heads, &out->heads);
	for (size_t i = 0; i < VERIFY_KINDS; i++)
		if (v->rows[verify_kinds[i]].access != NULL)
			verify_rows_close(&v->rows[verify_kinds[i]]);
	heads_free(v->heads);
	rerun_free(v->rerun);
	free(v);
}

void verify_result_free(struct verify_result *r)
{
	free(r->heads);
	*r = (struct verify_result){0};
}
