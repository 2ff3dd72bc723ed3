/* databento_fuzz - see vendor_fuzz.h: DBN, zstd, JSON lines, CSV; and symbology. */
#include "feeds/databento.h"
#include "tests/fuzz/vendor_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vendor_ask a = {.n_symbols = 1, .step_s = 60};
	struct buf names = {0}, missing = {0};

	if (size == 0)
		return 0;
	a.what = data[0] % 3;
	a.n_symbols = 1 + data[0] / 3 % 2;
	a.step_s = data[0] / 6 % 2 ? 86400 : 60;
	a.limit = data[0] / 12 % 2 ? 2 : 0;
	fuzz_page(&databento_ops, &a, data + 1, size - 1);
	if (databento_resolve_parse((const char *)data + 1, size - 1, &names,
				    &missing) < 0)
		fuzz_require(names.len == 0 && missing.len == 0);
	buf_free(&names);
	buf_free(&missing);
	return 0;
}
