/* decimal_fuzz - whatever parses must print and parse again to the same number. */
#include "base/decimal.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	for (unsigned scale = 0; scale <= 18; scale++) {
		char buf[DECIMAL_TEXT_MAX], wide[DECIMAL_TEXT_MAX];
		int64_t plain = 0, with_exp = 0, again = 0;
		int rc = decimal_parse(text, size, scale, &plain);

		/* What needs no exponent means the same with exponents allowed. */
		if (rc != DECIMAL_SYNTAX &&
		    (decimal_parse_exp(text, size, scale, &with_exp) != rc ||
		     with_exp != plain))
			abort();
		if (decimal_parse_exp(text, size, scale, &plain) != 0)
			continue;
		if (decimal_print(buf, plain, scale) != strlen(buf) ||
		    decimal_parse(buf, strlen(buf), scale, &again) != 0 ||
		    again != plain)
			abort();
		(void)decimal_print128(wide, plain, scale);
		if (strcmp(buf, wide) != 0)
			abort();
	}
	return 0;
}
