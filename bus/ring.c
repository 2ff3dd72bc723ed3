/*
 * ring - one writer, one reader, slots filled and read where they lie.
 *
 * Why it is right.  next, tail, head and read only rise, so
 * head <= tail <= next <= head + slots holds at every moment:
 *
 *   1. A slot is written only between its claim and the publish that covers it,
 *      and claim gives it out only when next - head <= mask for a head that was
 *      read with acquire: the reader's release-store of that head comes after
 *      its last look at the slot's previous content.  So no slot is written
 *      while it is read.
 *   2. A slot is read only when tail, read with acquire, lies beyond it: the
 *      writer's release-store of tail comes after the last write to the slot.
 *      So no slot is read before it is whole.
 *   3. head_seen and tail_seen are old values of counters that only rise: they
 *      can make the ring look fuller or emptier than it is, never the opposite,
 *      and they are renewed exactly when they say "full" or "empty".
 *
 * The counters are 64 bits wide and do not wrap in the life of a machine.
 */
#include "bus/ring.h"
#include "base/err.h"
#include "base/pages.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX ((size_t)1 << 26)
#define ELEM_MAX  ((size_t)1 << 16)

int ring_new(size_t slots, size_t elem_size, struct ring **out)
{
	size_t n = 2;
	struct ring *r;

	if (slots == 0 || slots > SLOTS_MAX || elem_size == 0 || elem_size > ELEM_MAX)
		return err_set(-EINVAL, "a ring of %zu slots of %zu bytes", slots,
			       elem_size);
	while (n < slots)
		n *= 2;

	r = aligned_alloc(RING_LINE, sizeof(*r));
	if (!r)
		goto fail;
	*r = (struct ring){.mask = n - 1, .elem_size = elem_size};

	/* Not touched: the first lap pays, and an idle ring costs nothing. */
	r->slots = pages_new(n * elem_size);
	if (!r->slots)
		goto fail;

	*out = r;
	return 0;
fail:
	ring_free(r);
	return err_set(-ENOMEM, "no memory for a ring of %zu slots of %zu bytes", n,
		       elem_size);
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	pages_free(r->slots, (size_t)(r->mask + 1) * r->elem_size);
	free(r);
}
