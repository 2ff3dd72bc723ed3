/*
 * ledger_fuzz - the bytes of a saved ledger.  What is read is saved again, and that is
 * read and saved to the same bytes.
 */
#include "feeds/ledger.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ledger *first, *second;
	struct buf a = {0}, b = {0};

	if (ledger_read(data, size, &first) != 0)
		return 0;
	ledger_save(first, &a);
	if (ledger_read(a.data, a.len, &second) != 0)
		abort();
	ledger_save(second, &b);
	if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0)
		abort();
	ledger_free(first);
	ledger_free(second);
	buf_free(&a);
	buf_free(&b);
	return 0;
}
