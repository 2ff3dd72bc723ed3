/* check_parts - what the files of the checker share; nobody else includes it. */
#pragma once
#include "proto/ingest.h"
#include "tests/check/check.h"

/* One tick of a producer: all that was ever said about it. */
struct fate {
	uint64_t seq;
	uint32_t producer;
	bool used;
	bool sent;    /* false: only the log knows it */
	bool unknown; /* a request with it has no answer, or a failed one */
	bool rejected;
	bool may_be_rejected; /* looking at it, or at the time, one may refuse it */
	uint8_t reason;
	bool acked; /* accepted at: */
	uint64_t acked_pos;
	uint64_t acked_epoch;
	uint64_t stored_pos; /* 0: not in the log */
	uint64_t hash;       /* of what was sent */
};

/* A stream's event, in the order of (kind, name, timeframe, sequence, order). */
struct sorted {
	const struct chronicle_event *e;
	const void *event;
	const char *name;
	uint32_t timeframe_s;
	uint64_t seq;
	bool is_void; /* of positions that were lost later */
};

struct check {
	const struct chronicle *c;
	struct check_report *out;
	struct fate *fates; /* owned; open addressing */
	size_t fates_max;
	struct sorted *sorted; /* owned; of c->events */
	size_t n_sorted;
	struct sorted *unique; /* owned; one of each (stream, sequence), none void */
	size_t n_unique;
};

void check_breach(struct check *k, enum check_rule rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static inline void check_looked(struct check *k, enum check_rule rule)
{
	k->out->looked[rule]++;
}

struct fate *check_fate(struct check *k, uint32_t producer, uint64_t seq);
/** Was @pos, told under @epoch, lost afterwards? */
const struct chronicle_life *check_lost(const struct check *k, uint64_t epoch,
					uint64_t pos);
/** The life that was current at @order; NULL: none had begun. */
const struct chronicle_life *check_life(const struct check *k, uint64_t order);
void check_face(struct sorted *s, const struct chronicle *c,
		const struct chronicle_event *e);
/** < 0, 0, > 0 by (kind, name, timeframe, seq). */
int check_compare(const struct sorted *a, const struct sorted *b);
bool check_same_stream(const struct sorted *a, const struct sorted *b);

/** The rules, a file each. */
void check_ingest(struct check *k);
void check_log(struct check *k);
void check_streams(struct check *k);
void check_beats(struct check *k);
void check_bars(struct check *k);
void check_matrices(struct check *k);
void check_derived(struct check *k);
void check_chain(struct check *k);
