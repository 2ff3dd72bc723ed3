/*
 * bars_amend - cancels, corrections and halts; see bars.h and amend.h.
 */
#include "workers/bars_parts.h"

static void say_lost(struct bars *b, const struct amend *gone)
{
	if (gone->root_seq == 0)
		return;
	b->env.counts.amends_lost++;
	series_status(&b->env, SYMBOL_CANCEL_LOST, gone->root_seq,
		      "a cancel or correction names a trade that was not found");
}

void bars_expire(struct bars *b)
{
	int64_t before_ns = b->env.log_ns - b->env.params->bars.revision_window_ns;
	struct amend gone;

	while (b->amends.n > 0 && amends_expire(&b->amends, before_ns, &gone))
		say_lost(b, &gone);
}

static void amend_slot(struct bars *b, struct series *s, const struct past *was,
		       const struct past *is, enum bar_cause cause)
{
	struct slot *slot = series_find(s, was->key.event_ns);
	bool leans;

	if (slot == NULL) {
		b->env.counts.late_amends++;
		return;
	}
	leans = slot_leans_on(slot, was);
	slot_subtract(slot, was);
	if (!is->withdrawn)
		slot_add(slot, is);
	if (leans && history_reaches(&b->env.trades, slot->first_pos)) {
		slot_rebuild(slot, &b->env.trades);
	} else if (leans) {
		b->env.counts.edges_kept++;
		series_status(&b->env, SYMBOL_CANCEL_LOST, was->key.source_seq,
			      "a withdrawn trade may have set a price of a bar that "
			      "keeps it");
	}
	bars_settle(b, s, slot, cause);
}

void bars_amend(struct bars *b, const struct record *r)
{
	struct amend gone, a = {
				   .key = {r->event_ns, r->source_seq, b->env.pos},
				   .ref_seq = r->ref_seq,
				   .price_e9 = r->price_e9,
				   .size_e8 = r->size_e8,
				   .source_id = r->source_id,
				   .cancels = record_action(r) == TICK_CANCEL,
			   };
	struct past *held = NULL, was;

	if (r->ref_seq == 0 || (!a.cancels && r->price_e9 == VALUE_NULL)) {
		b->env.counts.amends_void++;
		return;
	}
	struct amend *kept = amends_add(&b->amends, &a, &gone);

	if (kept == NULL) {
		b->env.counts.history_lost++;
		return;
	}
	say_lost(b, &gone);
	held = history_find(&b->env.trades, r->source_id, kept->root_seq);
	if (held == NULL)
		return; /* it may still come; expire_amends() tells if it does not */
	was = *held;
	(void)amends_apply(&b->amends, held);
	if (was.withdrawn || (!held->withdrawn && was.price_e9 == held->price_e9 &&
			      was.size_e8 == held->size_e8))
		return;
	b->env.counts.amended++;
	for (uint32_t i = 0; i < b->n_series && !was.unused; i++)
		if (b->series[i].price_type == PRICE_LAST)
			amend_slot(b, &b->series[i], &was, held,
				   held->withdrawn ? CAUSE_CANCEL : CAUSE_CORRECTION);
}

void bars_halt(struct bars *b, const struct record *r)
{
	bool halted = (record_flags(r) & TICK_HALT) != 0;

	if (b->env.halted == halted)
		return;
	b->env.halted = halted;
	for (uint32_t i = 0; i < b->n_series; i++)
		series_halt(&b->series[i], &b->env, r->event_ns, halted);
	series_status(&b->env, halted ? SYMBOL_HALTED : SYMBOL_LIVE, 0,
		      halted ? "trading is halted" : "trading goes on");
}
