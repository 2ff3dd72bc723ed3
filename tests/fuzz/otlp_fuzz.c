/* otlp_fuzz - no answer of a collector makes more of a request than it was. */
#include "base/clock.h"
#include "daemon/otlp.h"
#include <stdlib.h>
#include <string.h>

/* "STATUS RETRY-AFTER\nBODY" */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *end = size == 0 ? NULL : memchr(data, '\n', size);
	size_t head = end == NULL ? size : (size_t)(end - (const char *)data);
	char line[80] = {0};
	struct otlp_answer a = {.spans = 9, .attempt = 1 + size % 50};
	struct otlp_verdict v;
	struct rng chance;
	char *rest;

	memcpy(line, data, head < sizeof(line) ? head : sizeof(line) - 1);
	a.status = strtol(line, &rest, 10);
	a.retry_after = *rest == ' ' ? rest + 1 : rest;
	if (end != NULL) {
		a.body = end + 1;
		a.len = size - head - 1;
	}
	rng_seed(&chance, size);
	otlp_judge(&a, &chance, &v);
	if (v.rejected > a.spans || memchr(v.text, 0, sizeof(v.text)) == NULL ||
	    (v.action == OTLP_AGAIN &&
	     (v.wait_ns < NS_PER_MS || v.wait_ns > 3600 * NS_PER_S)) ||
	    (v.action == OTLP_TAKEN) != (a.status >= 200 && a.status <= 299))
		abort();
	return 0;
}
