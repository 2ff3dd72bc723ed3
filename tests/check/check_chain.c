/*
 * check_chain - rule CHAIN: each derived event's chain is the hash over its own block,
 * in which the predecessor's chain stands in its place and the time of receipt is 0.
 */
#include "base/blake2b.h"
#include "tests/check/check_parts.h"
#include <string.h>

#define BLOCK_MAX 1024u

typedef unsigned long long ull;

/* The last 8 bytes of every derived block. */
static uint64_t chain_of(const uint8_t *block, size_t len)
{
	uint64_t chain;

	memcpy(&chain, block + len - sizeof(chain), sizeof(chain));
	return chain;
}

static uint64_t link(const struct sorted *s, uint64_t before)
{
	size_t len = event_block_size((enum event_kind)s->e->kind);
	uint8_t block[BLOCK_MAX];
	uint64_t out;

	memcpy(block, s->event, len);
	memset(block + offsetof(struct event_head, recv_ns), 0, sizeof(int64_t));
	memcpy(block + len - sizeof(before), &before, sizeof(before));
	blake2b(block, len, &out, sizeof(out));
	return out;
}

void check_chain(struct check *k)
{
	for (size_t i = 0; i < k->n_unique; i++) {
		const struct sorted *s = &k->unique[i];
		const struct sorted *last = i > 0 ? s - 1 : NULL;
		size_t len = event_block_size((enum event_kind)s->e->kind);
		uint64_t before = 0;

		if (s->e->kind == EVENT_TICK || len > BLOCK_MAX)
			continue;
		if (last != NULL && check_same_stream(last, s) &&
		    last->seq + 1 == s->seq)
			before = chain_of(last->event, len);
		else if (s->seq != 1)
			continue; /* its predecessor is not here: other rules say so */
		check_looked(k, CHECK_CHAIN);
		if (chain_of(s->event, len) != link(s, before))
			check_breach(k, CHECK_CHAIN,
				     "%s %.32s %llu is not linked to %llu",
				     event_kind_word((enum event_kind)s->e->kind),
				     s->name, (ull)s->seq, (ull)s->seq - 1);
	}
}
