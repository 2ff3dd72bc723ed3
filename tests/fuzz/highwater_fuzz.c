/*
 * highwater_fuzz - the bytes of a high-water file, any number of them.  What is
 * accepted must be a mark that was encoded: encoding it again gives a slot that
 * stands in the input.
 */
#include "store/highwater.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t block[HIGHWATER_SLOT];
	struct highwater_mark m;
	size_t second = HIGHWATER_SLOT;

	if (highwater_decode(data, size, &m) != 0)
		return 0;
	highwater_encode(&m, block);
	if (memcmp(block, data, HIGHWATER_USED) == 0)
		return 0;
	if (size < second + HIGHWATER_USED ||
	    memcmp(block, data + second, HIGHWATER_USED) != 0)
		abort();
	return 0;
}
