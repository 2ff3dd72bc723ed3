/* timetext_fuzz - a time that parses prints and parses again to the same instant. */
#include "base/timetext.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char buf[TIMETEXT_MAX];
	int64_t ns, again;

	if (timetext_duration((const char *)data, size, &ns) == 0 && ns < 0)
		abort();
	if (timetext_parse((const char *)data, size, &ns) != 0)
		return 0;
	if (timetext_print(buf, ns) != strlen(buf) ||
	    timetext_parse(buf, strlen(buf), &again) != 0 || again != ns)
		abort();
	return 0;
}
