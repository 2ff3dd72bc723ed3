/* ind_live - see ind_live.h. */
#include "workers/ind_live.h"
#include "base/err.h"
#include "workers/bar_numbers.h"
#include "workers/ind_live_parts.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
/* As tier 1 has it: bars beyond the revision window, for those that wait for grace. */
#define REVISABLE_SPARE 8
#define REVISABLE_MAX   8192

/* ---- which, and in what blocks ---- */

/* "bbands(20,2):upper,middle,lower", or the spec alone. */
static size_t name_of(const struct ind_spec *s, char out[INDICATOR_NAMES])
{
	size_t len;

	ind_print(s, out);
	len = strlen(out);
	for (uint32_t k = 0; k < s->def->n_outputs && s->def->n_outputs > 1; k++)
		len += (size_t)snprintf(out + len, INDICATOR_NAMES - len, "%c%s",
					k == 0 ? ':' : ',', s->def->output[k]);
	return len;
}

/* Put a spec into the last block, or into a new one when that is full. */
static void add_name(struct ind_live *l, const struct ind_spec *s)
{
	char name[INDICATOR_NAMES];
	size_t len = name_of(s, name), used = 0;
	struct live_block *b = l->n_blocks > 0 ? &l->blocks[l->n_blocks - 1] : NULL;

	if (b != NULL)
		used = strnlen(b->names, INDICATOR_NAMES) + 1; /* and a blank */
	if (b == NULL || used + len > INDICATOR_NAMES ||
	    b->n + s->def->n_outputs > INDICATOR_VALUES) {
		b = &l->blocks[l->n_blocks++];
		*b = (struct live_block){.first = l->n_values};
		used = 0;
	}
	if (used > 0)
		b->names[used - 1] = ' ';
	memcpy(b->names + used, name, len);
	b->n += s->def->n_outputs;
	l->n_values += s->def->n_outputs;
}

static int choose(struct ind_live *l, const struct symbol_params *p,
		  uint32_t timeframe_s)
{
	for (uint32_t i = 0; i < p->n_indicators; i++) {
		const struct indicator_params *q = &p->indicators[i];
		int rc;

		if (q->timeframe_s != 0 && q->timeframe_s != timeframe_s)
			continue;
		rc = ind_new(&q->spec, &l->ind[l->n_ind]);
		if (rc < 0)
			return rc;
		l->spec[l->n_ind++] = q->spec;
		l->state_bytes += ind_state_bytes(&q->spec);
		add_name(l, &q->spec);
	}
	return 0;
}

/* ---- life ---- */

static int make_rings(struct ind_live *l)
{
	uint64_t bars = 1;

	while (bars < l->revisable + CHECKPOINT)
		bars *= 2;
	l->mask = bars - 1;
	l->kept = bars / CHECKPOINT + 2;
	l->slots = calloc(bars, sizeof(*l->slots));
	l->values = calloc(bars * l->n_values, sizeof(*l->values));
	l->checkpoints = calloc(l->kept, l->state_bytes);
	if (l->slots == NULL || l->values == NULL || l->checkpoints == NULL)
		return err_set(-ENOMEM, "no memory for the indicators of a series");
	return 0;
}

static void begin_event(struct ind_live *l, const struct ind_live_series *s)
{
	l->event = (struct event_indicators){
		.feature_version = params_hash(s->params),
		.timeframe_s = s->timeframe_s,
		.symbol_id = s->symbol_id,
		.schema_version = INDICATORS_SCHEMA_VERSION,
		.price_type = s->price_type,
	};
	memcpy(l->event.symbol, s->symbol, strnlen(s->symbol, SYMBOL_MAX));
}

int ind_live_new(const struct ind_live_series *s, struct ind_live **out)
{
	const struct symbol_params *p = params_symbol(s->params, s->symbol);
	uint64_t window = (uint64_t)s->params->bars.revision_window_ns /
			  (s->timeframe_s * NS_PER_S);
	struct ind_live *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (l == NULL)
		return err_set(-ENOMEM, "no memory for the indicators of a series");
	rc = choose(l, p, s->timeframe_s);
	if (rc < 0)
		goto fail;
	if (l->n_ind == 0) {
		ind_live_free(l);
		return 0;
	}
	l->revisable = window + REVISABLE_SPARE;
	if (l->revisable > REVISABLE_MAX)
		l->revisable = REVISABLE_MAX;
	rc = make_rings(l);
	if (rc < 0)
		goto fail;
	begin_event(l, s);
	*out = l;
	return 0;
fail:
	ind_live_free(l);
	return rc;
}

void ind_live_free(struct ind_live *l)
{
	if (l == NULL)
		return;
	for (uint32_t i = 0; i < l->n_ind; i++)
		ind_free(l->ind[i]);
	free(l->checkpoints);
	free(l->values);
	free(l->slots);
	free(l);
}

/* ---- bars in, values out ---- */

/* What the bar says to us; false: nothing, it is not valid (or has no price). */
static bool take(const struct event_bar *bar, struct ind_bar *out)
{
	*out = (struct ind_bar){0};
	if (!(bar->flags & BAR_VALID))
		return false;
	if (bar->open_e9 <= 0 || bar->high_e9 <= 0 || bar->low_e9 <= 0 ||
	    bar->close_e9 <= 0)
		return false;
	*out = (struct ind_bar){
		.open = bar_price(bar->open_e9),
		.high = bar_price(bar->high_e9),
		.low = bar_price(bar->low_e9),
		.close = bar_price(bar->close_e9),
		.volume = bar_volume(bar),
		.spread = isnan(bar->spread_estimate) ? NAN : bar->spread_estimate,
		.time_ns = bar->head.event_ns,
	};
	return true;
}

static void keep_checkpoint(struct ind_live *l, uint64_t index)
{
	uint8_t *at = live_checkpoint(l, index);

	for (uint32_t i = 0; i < l->n_ind; i++) {
		ind_save(l->ind[i], at);
		at += ind_state_bytes(&l->spec[i]);
	}
}

void live_load(struct ind_live *l, uint64_t index)
{
	const uint8_t *at = live_checkpoint(l, index);

	for (uint32_t i = 0; i < l->n_ind; i++) {
		ind_load(l->ind[i], at);
		at += ind_state_bytes(&l->spec[i]);
	}
}

bool live_derive(struct ind_live *l, uint64_t index)
{
	struct live_slot *slot = live_slot(l, index);
	double now[INDICATORS_MAX * IND_OUTPUTS_MAX] = {0};
	double *before = live_values(l, index);
	bool same;

	if (index % CHECKPOINT == 0)
		keep_checkpoint(l, index);
	slot->seen = (index == 0 ? 0 : live_slot(l, index - 1)->seen) + slot->valid;
	if (!slot->valid) {
		slot->shown = false;
		return false;
	}
	for (uint32_t i = 0, k = 0; i < l->n_ind; i++) {
		ind_step(l->ind[i], &slot->bar, now + k);
		k += l->spec[i].def->n_outputs;
	}
	for (uint32_t k = 0; k < l->n_values; k++)
		now[k] = isnan(now[k]) ? NAN : now[k]; /* one NULL: they are bytes */
	same = slot->shown && memcmp(before, now, l->n_values * sizeof(*now)) == 0;
	memcpy(before, now, l->n_values * sizeof(*now));
	slot->shown = true;
	return !same;
}

/* Publish the blocks of bar @index; @cause is the bar event that brought them about. */
static void emit(struct ind_live *l, uint64_t index, const struct event_bar *cause,
		 uint64_t *io_seq, const struct out *out)
{
	const struct live_slot *slot = live_slot(l, index);

	for (uint32_t b = 0; b < l->n_blocks; b++) {
		const double *value = live_values(l, index) + l->blocks[b].first;
		union { /* two forms of one block */
			struct event_indicators block;
			struct event_tier1 tier1;
		} e = {.block = l->event};

		e.block.head = (struct event_head){
			.seq = ++*io_seq,
			.pos = cause->head.pos,
			.event_ns = slot->bar_end_ns,
			.recv_ns = cause->head.recv_ns,
		};
		e.block.bar_seq = slot->bar_seq;
		e.block.bar_revision = slot->revision;
		e.block.bars_seen = slot->seen;
		e.block.flags = (uint8_t)(TIER1_INDICATORS | b << TIER1_BLOCK_SHIFT);
		memcpy(e.block.names, l->blocks[b].names, INDICATOR_NAMES);
		for (uint32_t k = 0; k < INDICATOR_VALUES; k++) {
			e.block.value[k] = k < l->blocks[b].n ? value[k] : NAN;
			e.block.warm |= (uint64_t)!isnan(e.block.value[k]) << k;
		}
		out->tier1(out->arg, &e.tier1);
	}
}

static void append(struct ind_live *l, const struct event_bar *bar, uint64_t *io_seq,
		   const struct out *out)
{
	uint64_t index = l->n_bars++;
	struct live_slot *slot = live_slot(l, index);

	*slot = (struct live_slot){.bar_end_ns = bar->head.event_ns,
				   .bar_seq = bar->head.seq,
				   .revision = bar->revision};
	slot->valid = take(bar, &slot->bar);
	if (live_derive(l, index))
		emit(l, index, bar, io_seq, out);
}

/* Index of the bar that ends at @bar_end_ns among the revisable ones, else n_bars.
 * From the newest: revisions are of young bars. */
static uint64_t find(const struct ind_live *l, int64_t bar_end_ns)
{
	for (uint64_t back = 1; back <= l->n_bars && back <= l->revisable; back++) {
		int64_t end_ns = live_slot(l, l->n_bars - back)->bar_end_ns;

		if (end_ns <= bar_end_ns)
			return end_ns == bar_end_ns ? l->n_bars - back : l->n_bars;
	}
	return l->n_bars;
}

static void revise(struct ind_live *l, const struct event_bar *bar, uint64_t *io_seq,
		   const struct out *out)
{
	uint64_t index = find(l, bar->head.event_ns), from = index - index % CHECKPOINT;
	struct ind_bar now;
	bool valid = take(bar, &now);
	struct live_slot *slot;

	if (index == l->n_bars)
		return; /* too late: tier 1 counts it */
	slot = live_slot(l, index);
	slot->bar_seq = bar->head.seq;
	slot->revision = bar->revision;
	if (slot->valid == valid && memcmp(&slot->bar, &now, sizeof(now)) == 0)
		return;
	slot->valid = valid;
	slot->bar = now;
	live_load(l, from);
	for (uint64_t i = from; i < l->n_bars; i++)
		if (live_derive(l, i))
			emit(l, i, bar, io_seq, out);
}

void ind_live_bar(struct ind_live *l, const struct event_bar *bar, uint64_t *io_seq,
		  const struct out *out)
{
	if (l->n_bars == 0 ||
	    bar->head.event_ns > live_slot(l, l->n_bars - 1)->bar_end_ns)
		append(l, bar, io_seq, out);
	else
		revise(l, bar, io_seq, out);
}
