/* inband - see inband.h. */
#include "daemon/inband.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>

#define SOURCES 65536u

int inband_init(struct inband *b, uint32_t symbols_max)
{
	*b = (struct inband){.symbols_max = symbols_max};
	b->tick_seq = malloc(symbols_max * sizeof(*b->tick_seq));
	b->tick_pos = malloc(symbols_max * sizeof(*b->tick_pos));
	b->source_next = malloc(SOURCES * sizeof(*b->source_next));
	if (b->tick_seq == NULL || b->tick_pos == NULL || b->source_next == NULL) {
		inband_deinit(b);
		return err_set(-ENOMEM, "out of memory for the sequences of %u symbols",
			       symbols_max);
	}
	inband_reset(b);
	return 0;
}

void inband_deinit(struct inband *b)
{
	free(b->tick_seq);
	free(b->tick_pos);
	free(b->source_next);
	*b = (struct inband){0};
}

void inband_reset(struct inband *b)
{
	memset(b->tick_seq, 0, b->symbols_max * sizeof(*b->tick_seq));
	memset(b->tick_pos, 0, b->symbols_max * sizeof(*b->tick_pos));
	for (size_t i = 0; i < SOURCES; i++)
		b->source_next[i] = INT64_MIN;
	b->clock_ns = INT64_MIN;
}

static void sources_state(struct state *st, struct inband *b)
{
	uint32_t n = 0, id = 0;

	for (uint32_t i = 0; i < SOURCES && !state_is_loading(st); i++)
		n += b->source_next[i] != INT64_MIN;
	state_count(st, &n, SOURCES);
	for (uint32_t i = 0; i < n && !state_bad(st); i++, id++) {
		while (!state_is_loading(st) && b->source_next[id] == INT64_MIN)
			id++;
		state_count(st, &id, SOURCES - 1);
		state_i64(st, &b->source_next[id]);
	}
}

void inband_state(struct state *st, struct inband *b, uint32_t n_symbols)
{
	uint32_t n = n_symbols;

	state_count(st, &n, b->symbols_max);
	state_bytes(st, b->tick_seq, n * sizeof(*b->tick_seq));
	state_bytes(st, b->tick_pos, n * sizeof(*b->tick_pos));
	state_i64(st, &b->clock_ns);
	sources_state(st, b);
}

int inband_check(const struct inband *b, uint64_t pos, const struct record *r)
{
	if (r->type != RECORD_TICK || r->symbol_id < b->symbols_max)
		return 0;
	return err_set(-EBADMSG,
		       "position %llu names symbol %u of %u: limits.symbols is lower "
		       "than it was",
		       (unsigned long long)pos, r->symbol_id, b->symbols_max);
}
