/* yahoo_fuzz - see vendor_fuzz.h. */
#include "tests/fuzz/vendor_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum vendor_what whats[] = {VENDOR_BARS, VENDOR_NEWS,
						 VENDOR_ACTIONS};
	struct vendor_ask a = {.n_symbols = 1};

	if (size == 0)
		return 0;
	a.what = whats[data[0] % 3];
	a.adjust = data[0] & 8 ? HIST_ALL : HIST_SPLIT;
	a.step_s = data[0] & 16 ? 60 : 86400;
	fuzz_page(&yahoo_ops, &a, data + 1, size - 1);
	return 0;
}
