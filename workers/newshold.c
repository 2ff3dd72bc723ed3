/* newshold - see newshold.h. */
#include "workers/newshold.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int newshold_init(struct newshold *h, uint32_t symbols_max)
{
	*h = (struct newshold){.symbols_max = symbols_max};
	h->symbols = calloc(symbols_max, sizeof(*h->symbols));
	return h->symbols != NULL
		       ? 0
		       : err_set(-ENOMEM, "out of memory for the news of %u symbols",
				 symbols_max);
}

void newshold_deinit(struct newshold *h)
{
	free(h->symbols);
	*h = (struct newshold){.symbols = NULL};
}

void newshold_reset(struct newshold *h)
{
	memset(h->sources, 0, sizeof(h->sources));
	memset(h->symbols, 0, h->symbols_max * sizeof(*h->symbols));
}

uint64_t newshold_from(const struct newshold *h, uint32_t symbol_id)
{
	return symbol_id < h->symbols_max ? h->symbols[symbol_id].pos : 0;
}

/* After a change of why: where it began stays while there is any reason. */
static void judge(struct newshold_symbol *s, uint64_t pos)
{
	bool is_held = s->is_frozen || s->is_paused || s->sources != 0;

	if (!is_held)
		s->pos = 0;
	else if (s->pos == 0)
		s->pos = pos;
}

/* The place of a frozen source, 0: of none; FREEZE_SOURCES_MAX: there is none. */
static uint32_t place_of(const struct newshold *h, uint16_t source_id)
{
	uint32_t i = 0;

	while (i < FREEZE_SOURCES_MAX && h->sources[i] != source_id)
		i++;
	return i;
}

static void freeze_source(struct newshold *h, uint64_t pos, uint16_t id)
{
	uint32_t i = place_of(h, id);

	if (id == 0 || i < FREEZE_SOURCES_MAX)
		return;
	i = place_of(h, 0);
	if (i == FREEZE_SOURCES_MAX)
		return; /* nobody arms so many (daemon/admin_commands_freeze.c) */
	h->sources[i] = id;
	for (uint32_t n = 0; n < h->symbols_max; n++) {
		if (h->symbols[n].source != id)
			continue;
		h->symbols[n].sources |= UINT64_C(1) << i;
		judge(&h->symbols[n], pos);
	}
}

static void release_source(struct newshold *h, uint64_t pos, uint16_t id)
{
	uint32_t i = place_of(h, id);

	if (id == 0 || i == FREEZE_SOURCES_MAX)
		return;
	h->sources[i] = 0;
	for (uint32_t n = 0; n < h->symbols_max; n++) {
		h->symbols[n].sources &= ~(UINT64_C(1) << i);
		judge(&h->symbols[n], pos);
	}
}

static void freeze(struct newshold *h, uint64_t pos, const struct freeze *f, bool is_on)
{
	if (f->level == FREEZE_SOURCE && is_on)
		freeze_source(h, pos, (uint16_t)f->id);
	else if (f->level == FREEZE_SOURCE)
		release_source(h, pos, (uint16_t)f->id);
	if (f->level != FREEZE_SYMBOL || f->id >= h->symbols_max)
		return;
	h->symbols[f->id].is_frozen = is_on;
	judge(&h->symbols[f->id], pos);
}

void newshold_control(struct newshold *h, uint64_t pos, const struct record *r)
{
	enum control_verb verb = (enum control_verb)r->ref_seq;
	struct freeze f = freeze_unpack(r->source_seq);

	if (verb == CONTROL_FREEZE || verb == CONTROL_RELEASE)
		freeze(h, pos, &f, verb == CONTROL_FREEZE);
	if ((verb != CONTROL_PAUSE && verb != CONTROL_RESUME) ||
	    r->symbol_id >= h->symbols_max)
		return;
	h->symbols[r->symbol_id].is_paused = verb == CONTROL_PAUSE;
	judge(&h->symbols[r->symbol_id], pos);
}

void newshold_article(struct newshold *h, uint64_t pos, uint32_t symbol_id,
		      uint16_t source_id)
{
	struct newshold_symbol *s = &h->symbols[symbol_id];
	uint32_t i = source_id == 0 ? FREEZE_SOURCES_MAX : place_of(h, source_id);

	s->source = source_id;
	if (i == FREEZE_SOURCES_MAX)
		return;
	s->sources |= UINT64_C(1) << i;
	judge(s, pos);
}

/* ---- state ---- */

static bool is_known(const struct newshold_symbol *s)
{
	return s->pos != 0 || s->source != 0;
}

static void symbol_state(struct state *st, struct newshold_symbol *s)
{
	state_u64(st, &s->pos);
	state_u64(st, &s->sources);
	state_u16(st, &s->source);
	state_bool(st, &s->is_frozen);
	state_bool(st, &s->is_paused);
}

void newshold_state(struct state *st, struct newshold *h)
{
	uint32_t n = 0, id = 0;

	state_bytes(st, h->sources, sizeof(h->sources));
	for (uint32_t i = 0; i < h->symbols_max && !state_is_loading(st); i++)
		n += is_known(&h->symbols[i]);
	state_count(st, &n, h->symbols_max);
	for (uint32_t i = 0; i < n && !state_bad(st); i++, id++) {
		while (!state_is_loading(st) && !is_known(&h->symbols[id]))
			id++;
		state_count(st, &id, h->symbols_max - 1);
		symbol_state(st, &h->symbols[id]);
	}
	state_end(st);
}
