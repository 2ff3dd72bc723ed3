/*
 * amend - cancels and corrections that may still find their trade, and trades that may
 * still be amended again.
 *
 * What becomes of a trade depends on its amendments, not on their order: one cancel
 * withdraws it for good; else the correction with the greatest tick key holds.  A
 * correction has a sequence of its own, and a later one may name either: both lead to
 * the trade.  An amendment may arrive before its trade does.
 *
 * At most AMENDS_MAX are kept, for one revision window of log time each.
 */
#pragma once
#include "workers/history.h"

#define AMENDS_MAX 64

struct amend {
	struct tick_key key; /* its own; key.source_seq may be 0 */
	uint64_t ref_seq;    /* whom it names */
	uint64_t root_seq;   /* the trade that it leads to */
	int64_t price_e9;
	int64_t size_e8;
	uint16_t source_id;
	bool cancels;
	bool matched; /* its trade was seen */
};

struct amends {
	struct amend *v; /* owned; AMENDS_MAX, oldest arrival first */
	uint32_t n;
};

void amends_deinit(struct amends *t);
/**
 * Keep @a, whose root it finds, and return it; NULL: no memory.  When the table is full
 * the oldest leaves, into @out_gone if it never found its trade (else that has root 0).
 */
struct amend *amends_add(struct amends *t, const struct amend *a,
			 struct amend *out_gone);
/** Apply to the trade @p what is kept for it; false: nothing is. */
bool amends_apply(struct amends *t, struct past *p);
/** Drop one that is older than @before_ns; false: none is.  @out_gone as above. */
bool amends_expire(struct amends *t, int64_t before_ns, struct amend *out_gone);
/** Smallest event time among those without their trade; INT64_MAX: none. */
int64_t amends_oldest_ns(const struct amends *t);
