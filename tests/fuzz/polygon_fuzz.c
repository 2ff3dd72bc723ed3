/* polygon_fuzz - see vendor_fuzz.h. */
#include "tests/fuzz/vendor_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vendor_ask a = {.n_symbols = 1, .step_s = 60};

	if (size == 0)
		return 0;
	a.what = data[0] % VENDOR_WHATS;
	a.adjust = data[0] / VENDOR_WHATS % 3;
	fuzz_page(&polygon_ops, &a, data + 1, size - 1);
	return 0;
}
