/* filter - a bitmap that grows by doubling. */
#include "bus/filter.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int grow(struct filter *f, size_t words)
{
	size_t n = f->words ? f->words : 4;
	uint64_t *bits;

	while (n < words)
		n *= 2;
	bits = realloc(f->bits, n * sizeof(*bits));
	if (!bits)
		return err_set(-ENOMEM, "no memory for a filter of %zu symbols",
			       n * 64);
	memset(bits + f->words, 0, (n - f->words) * sizeof(*bits));
	f->bits = bits;
	f->words = n;
	return 0;
}

void filter_deinit(struct filter *f)
{
	free(f->bits);
	*f = (struct filter){0};
}

int filter_add(struct filter *f, uint32_t symbol)
{
	size_t word = symbol / 64;

	if (symbol >= FILTER_SYMBOLS_MAX)
		return err_set(-EINVAL, "a filter for the symbol with id %u", symbol);
	if (word >= f->words) {
		int rc = grow(f, word + 1);

		if (rc < 0)
			return rc;
	}
	f->bits[word] |= UINT64_C(1) << (symbol % 64);
	return 0;
}

void filter_remove(struct filter *f, uint32_t symbol)
{
	size_t word = symbol / 64;

	if (word < f->words)
		f->bits[word] &= ~(UINT64_C(1) << (symbol % 64));
}

int filter_copy(struct filter *to, const struct filter *from)
{
	struct filter f = {.kinds = from->kinds, .all_symbols = from->all_symbols};

	if (from->words) {
		int rc = grow(&f, from->words);

		if (rc < 0)
			return rc;
		memcpy(f.bits, from->bits, from->words * sizeof(*f.bits));
	}
	*to = f;
	return 0;
}
